"""The world `jobs`: scheduled jobs and services."""
