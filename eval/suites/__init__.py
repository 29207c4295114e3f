"""Suites: sets of tasks to measure models on."""
