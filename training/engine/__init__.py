"""What makes training fast and leaves its numbers alone: trees, attention over them, the head."""
