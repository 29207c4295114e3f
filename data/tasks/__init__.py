"""Tasks: what they are, how they are made, carried out and judged."""
