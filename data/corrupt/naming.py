"""`unknown_tool` and `terminator_as_tool`: calls of something that is not offered."""

from __future__ import annotations

import random
import re

from tooldrill.agent.call import Call
from tooldrill.agent.checker import TERMINATORS
from tooldrill.agent.violation import ViolationClass
from tooldrill.data.corrupt.moment import Corruption, Moment

_HALLUCINATED = (
    "search", "search_web", "run_command", "execute", "python", "get_info", "lookup", "think",
    "ask_user", "list_tools", "help", "query", "fetch", "process",
)  # fmt: skip
_SYNONYMS = {
    "read": "open", "open": "read", "write": "save", "get": "fetch", "list": "show",
    "find": "search", "search": "find", "create": "add", "add": "create", "delete": "remove",
    "remove": "delete", "update": "edit", "set": "update", "append": "add", "replace": "edit",
}  # fmt: skip
_TERMINATOR_NAMES = (
    "conclusion", "final_answer", "finish", "answer", "done", "conclude", "respond", "complete",
    "submit", "finalAnswer", "Final_Answer", "task_complete",
)  # fmt: skip
_TERMINATOR_KEYS = ("conclusion", "answer", "text", "message", "result")


def words(name: str) -> list[str]:
    """The words of a snake_case, kebab-case or camelCase name, in lower case."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_\-.\s]+", " ", name)
    return [word.lower() for word in spaced.split()]


class UnknownTool:
    """The right arguments under a name that no offered tool has."""

    kind = ViolationClass.UNKNOWN_TOOL

    def apply(self, moment: Moment, rng: random.Random) -> Corruption | None:
        if moment.call is None:
            return None
        makers = [
            ("case", _other_case(moment.call.name)),
            ("near", _near(moment.call.name)),
            ("absent", list(moment.absent_tools)),
            ("hallucinated", list(_HALLUCINATED)),
        ]
        rng.shuffle(makers)
        for variant, names in makers:
            free = [n for n in names if n not in moment.registry and not _terminates(n)]
            if free:
                call = Call(rng.choice(free), dict(moment.call.arguments))
                return Corruption.of_call(self.kind, call, variant)
        return None


class TerminatorAsTool:
    """The right conclusion written as a call of a tool that does not exist."""

    kind = ViolationClass.TERMINATOR_AS_TOOL

    def apply(self, moment: Moment, rng: random.Random) -> Corruption | None:
        names = [name for name in _TERMINATOR_NAMES if name not in moment.registry]
        if moment.call is not None or not names:
            return None
        name = rng.choice(names)
        key = rng.choice(_TERMINATOR_KEYS)
        return Corruption.of_call(self.kind, Call(name, {key: moment.answer}), f"as:{name}")


def _terminates(name: str) -> bool:
    return "".join(words(name)) in TERMINATORS


def _other_case(name: str) -> list[str]:
    parts = words(name)
    camel = parts[0] + "".join(part.capitalize() for part in parts[1:])
    pascal = "".join(part.capitalize() for part in parts)
    return [v for v in (camel, pascal, "-".join(parts), name.upper()) if v != name]


def _near(name: str) -> list[str]:
    parts = words(name)
    near = ["_".join(reversed(parts)), f"{name}s", f"{name}_tool", f"tools.{name}"]
    if len(parts) > 1:
        near += ["_".join(parts[:-1]), "".join(parts)]
    for index, part in enumerate(parts):
        if part in _SYNONYMS:
            near.append("_".join([*parts[:index], _SYNONYMS[part], *parts[index + 1 :]]))
    return [candidate for candidate in near if candidate and candidate != name]
