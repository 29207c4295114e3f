"""Random values for tasks, and how people say them."""
