"""The world `calendar`: appointments and participants; held out."""
