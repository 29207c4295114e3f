"""File tools over one folder that they cannot leave: of the world `files`, and `--tools files`."""
