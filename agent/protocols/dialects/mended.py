"""The calls in broken JSON, for the dialects that write a call as one JSON object."""

from __future__ import annotations

from tooldrill.agent.call import Call
from tooldrill.agent.protocols.base import read_call
from tooldrill.agent.protocols.mending import mend_objects


def mended_calls(body: str, name_key: str, arguments_key: str) -> list[Call] | None:
    """The calls in one broken body; None when it holds something else."""
    start = body.find("{")
    if start < 0:
        return None
    body = body[start:].rstrip("` \n\r\t")
    calls: list[Call] = []
    for value in mend_objects(body):
        call = read_call(value, name_key, arguments_key)
        # Where the arguments broke off before their first brace there is no telling what was meant.
        cut = arguments_key not in value and not body.endswith(("}", "]"))
        if isinstance(call, str) or cut:
            return None
        calls.append(call)
    return calls
