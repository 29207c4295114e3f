"""Failed calls for `recover` tasks: one wrong call, and the real error that answers it.

These set the scene and are never learned. Rejected twins for preference pairs are another matter:
see `tooldrill.data.corrupt`.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tooldrill.agent.call import Call
from tooldrill.agent.checker import check_calls, refusal
from tooldrill.agent.environment import Observation
from tooldrill.agent.tool import Parameter, Registry, Tool

WORLD_ERROR_SHARE = 0.5


class Failure(NamedTuple):
    """A call that failed and what came back."""

    call: Call
    observation: Observation


Mistake = Callable[[random.Random, Call, Registry], Iterator[Call]]


def fail(
    rng: random.Random, right: Call, registry: Registry, attempt: Callable[[Call], Observation]
) -> Failure:
    """A wrong version of `right` that the registry refuses or the world answers with an error.

    Args:
        rng: where the randomness comes from.
        right: the call as it should be.
        registry: the tools offered.
        attempt: carries a call out where it does no harm, from the state it would find.

    Raises:
        RuntimeError: when no mistake fails, which is a defect of the world or of this module.
    """
    mistakes: list[Mistake] = [*_CONTRACT]
    rng.shuffle(mistakes)
    mistakes.insert(0 if rng.random() < WORLD_ERROR_SHARE else 1, _slip)
    for mistake in mistakes:
        for call in mistake(rng, right, registry):
            violations = check_calls([call], registry)
            if violations:
                return Failure(call, Observation(refusal(violations, registry), error=True))
            observation = attempt(call)
            if observation.error:
                return Failure(call, observation)
    raise RuntimeError(f"no mistake in {right} fails")


def slip(
    rng: random.Random, right: Call, registry: Registry, attempt: Callable[[Call], Observation]
) -> Failure | None:
    """A version of `right` that keeps the contract and that the world answers with an error.

    The arguments are those of `fail`; None when every slip goes through.
    """
    for call in _slip(rng, right, registry):
        if check_calls([call], registry):
            continue
        observation = attempt(call)
        if observation.error:
            return Failure(call, observation)
    return None


def _slip(rng: random.Random, right: Call, registry: Registry) -> Iterator[Call]:
    """The right tool with a wrong name, path or number."""
    tool = registry[right.name]
    required = [p for p in tool.parameters if p.required]
    for parameter in required[:1]:
        value = right.arguments[parameter.name]
        for wrong in _wrong_values(rng, value):
            yield Call(right.name, {**right.arguments, parameter.name: wrong})


def _borrowed(rng: random.Random, right: Call, registry: Registry) -> Iterator[Call]:
    """An argument that only another tool has."""
    own = registry[right.name].parameter_names
    others = [p for tool in registry for p in tool.parameters if p.name not in own]
    if others:
        parameter = rng.choice(others)
        yield Call(right.name, {**right.arguments, parameter.name: _value(rng, parameter)})


def _invented(rng: random.Random, right: Call, registry: Registry) -> Iterator[Call]:
    """An argument that no tool has."""
    names = [name for name in _INVENTIONS if not registry.owners(name)]
    if names:
        name = rng.choice(names)
        yield Call(right.name, {**right.arguments, name: _INVENTIONS[name]})


def _missing(rng: random.Random, right: Call, registry: Registry) -> Iterator[Call]:
    """A required argument left out."""
    required = [p.name for p in registry[right.name].parameters if p.required]
    if required:
        gone = rng.choice(required)
        yield Call(right.name, {k: v for k, v in right.arguments.items() if k != gone})


def _renamed(rng: random.Random, right: Call, registry: Registry) -> Iterator[Call]:
    """A parameter under a name it does not have."""
    tool: Tool = registry[right.name]
    name = rng.choice(list(right.arguments)) if right.arguments else ""
    wrong = rng.choice((f"{name}_name", f"{name}s", f"{name}_value", f"target_{name}"))
    if name and wrong not in tool.parameter_names:
        arguments = {wrong if k == name else k: v for k, v in right.arguments.items()}
        yield Call(right.name, arguments)


def _misnamed_tool(rng: random.Random, right: Call, registry: Registry) -> Iterator[Call]:
    """A tool that does not exist, named almost like the right one."""
    name = right.name
    camel = name.split("_")[0] + "".join(part.capitalize() for part in name.split("_")[1:])
    options = [f"{name}s", f"do_{name}", f"{name}_tool", camel, name.rsplit("_", 1)[0]]
    wrong = [option for option in options if option and option not in registry]
    if wrong:
        yield Call(rng.choice(wrong), right.arguments)


def _mistyped(rng: random.Random, right: Call, _: Registry) -> Iterator[Call]:
    """A value of another JSON type."""
    for name in rng.sample(list(right.arguments), len(right.arguments)):
        value = right.arguments[name]
        wrong: Any = [value]
        if isinstance(value, bool):
            wrong = "yes" if value else "no"
        elif isinstance(value, int | float):
            wrong = rng.choice((f"{value}", f"about {value}"))
        yield Call(right.name, {**right.arguments, name: wrong})


_CONTRACT: tuple[Mistake, ...] = (
    _borrowed,
    _borrowed,
    _invented,
    _missing,
    _mistyped,
    _renamed,
    _misnamed_tool,
)

_INVENTIONS: dict[str, Any] = {
    "force": True,
    "verbose": True,
    "dry_run": False,
    "mode": "strict",
    "confirm": True,
    "timeout": 30,
    "language": "en",
    "output": "text",
    "backup": True,
    "retries": 3,
}


def _value(rng: random.Random, parameter: Parameter) -> Any:
    """A value of the parameter's type."""
    if "enum" in parameter.schema:
        return rng.choice(parameter.schema["enum"])
    match parameter.schema.get("type"):
        case "boolean":
            return not parameter.default if parameter.has_default else True
        case "integer":
            return rng.randint(1, 20)
        case "number":
            return rng.randint(1, 20) + 0.5
        case _:
            return parameter.default or rng.choice(("default", "main", "all", "first"))


def _wrong_values(rng: random.Random, value: Any) -> Iterator[Any]:
    """Values close to the right one, as a hasty reader would write them."""
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int):
        yield from (value + step for step in rng.sample((1, -1, 10, 100, 1000), 5))
        return
    if not isinstance(value, str) or len(value) < 2:
        return
    options = [_typo(rng, value) for _ in range(3)]
    stem, dot, extension = value.rpartition(".")
    if dot and stem and extension.isalnum():
        options += [stem, f"{stem}.{'txt' if extension != 'txt' else 'md'}"]
    if "/" in value:
        options += [value.rsplit("/", 1)[1], value.replace("/", "_")]
    rng.shuffle(options)
    yield from (option for option in options if option != value)


def _typo(rng: random.Random, text: str) -> str:
    """`text` with one letter or digit left out, doubled or replaced."""
    at = rng.choice([i for i, ch in enumerate(text) if ch.isalnum()] or [0])
    letters = string.digits if text[at].isdigit() else string.ascii_lowercase
    middle = rng.choice(("", text[at] * 2, rng.choice(letters)))
    return text[:at] + middle + text[at + 1 :]
