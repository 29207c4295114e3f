"""Worlds, tasks, traces, corruptions and the datasets made of them."""
