"""Data sets: traces and pairs put together, written, counted, shown and checked for leaks."""
