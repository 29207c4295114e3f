"""The world `files`: a sandboxed folder."""
