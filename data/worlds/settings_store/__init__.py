"""The world `config`: keys and values in scopes."""
