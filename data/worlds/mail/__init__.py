"""The world `mail`: a mailbox."""
