"""Ids of calls, for the templates that show them.

Nine digits, because Mistral's templates take nothing else; numbered from the first call of the
conversation, so that a model that has to write one can tell which comes next.
"""

from __future__ import annotations


def call_id(number: int) -> str:
    """The id of the conversation's `number`-th call, counted from 1."""
    return f"{number:09d}"
