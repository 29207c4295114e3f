"""`skills:DIR`: tools read from a folder without running anything in it."""
