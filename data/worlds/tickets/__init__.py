"""The world `tickets`: an issue tracker."""
