"""Rows that come from a model's work: a teacher's solutions and wordings, a student's failures."""
