"""What came back from calls, as the messages that answer them: one for each call."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from tooldrill.agent.environment import ERROR_PREFIX
from tooldrill.agent.episode import Message
from tooldrill.agent.messages import observation_message
from tooldrill.data.ingest.literals import json_or_literal

# What data sets put a result into, beside the name of the tool.
_WRAPPINGS = ("content", "results", "result", "response", "output")
_FAILED = ("error", "failed", "failure")
_MAY_FAIL = re.compile("error|fail|success", re.IGNORECASE)


def observations(bodies: Sequence[str], before: Sequence[Message]) -> list[Message]:
    """The texts as observations of the calls in the last of the messages `before`.

    A single text that is a list with a result for each of several calls is taken apart.
    """
    calls = (before[-1].get("tool_calls") or []) if before else []
    names = [item["function"]["name"] for item in calls]
    bodies = [body.strip() for body in bodies]
    if len(bodies) == 1 < len(names):
        bodies = _results(bodies[0], len(names)) or bodies
    names += [""] * (len(bodies) - len(names))
    return [observation_message(name, body) for name, body in zip(names, bodies, strict=False)]


def is_error(text: str) -> bool:
    """Whether an observation reports a failure, as the loop says it or as programs use to."""
    bare = text.lstrip()
    if bare[:5].upper() == ERROR_PREFIX:
        return True
    if bare[:1] not in ("{", "[") or _MAY_FAIL.search(bare) is None:
        return False
    try:
        return _reports_failure(json_or_literal(bare))
    except ValueError:
        return False


def _results(text: str, count: int) -> list[str] | None:
    try:
        results = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(results, list) or len(results) != count:
        return None
    return [r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in results]


def _reports_failure(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(_reports_failure(inner) for inner in value)
    if not isinstance(value, dict):
        return False
    inner = [value[key] for key in value if key in _WRAPPINGS]
    if len(inner) == 1 and len(value.keys() - {"name"}) == 1:
        return _reports_failure(inner[0])
    status = value.get("status")
    failed = isinstance(status, str) and status.lower() in _FAILED
    return bool(value.get("error")) or failed or value.get("success") is False
