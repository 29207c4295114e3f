"""Suites, measures, statistics and the report."""
