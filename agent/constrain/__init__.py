"""Grammars that hold a model's replies to the tool contract."""
