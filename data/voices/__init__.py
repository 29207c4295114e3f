"""Voices: the same request as different people would write it. Never another request."""
