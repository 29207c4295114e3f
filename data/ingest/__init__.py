"""Importers: what other programs and people wrote down, as rows of the SFT set."""
