"""Situations that tempt a model into one class of violation, and what it does when tempted."""
