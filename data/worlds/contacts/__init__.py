"""The world `contacts`: an address book; held out."""
