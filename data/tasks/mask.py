"""Function masking: tools and parameters get new names, their descriptions stay.

A model trained on some masked tasks has to read the signature instead of remembering names. Names
are made from the words of the description (so that the signature line alone tells which parameter
is which), or are opaque where nothing is lost by it. Execution maps back to the world's names.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from tooldrill.agent.environment import Observation
from tooldrill.agent.signature import type_text
from tooldrill.agent.tool import JsonSchema, Parameter, Registry, Tool
from tooldrill.data.tasks.task import Mask
from tooldrill.data.values.words import word_list
from tooldrill.data.worlds.base import Session

# Opaque tool names are told apart by their description.
OPAQUE_SHARE = 0.35

_SMALL_WORDS = frozenset(
    word_list(
        """
        a an all and are as at be begin beginning by for from give given has have how if in into
        is it its of on one only or other out put show some such that the them there these this to
        up use what when where which who with yes zero
        """
    )
)

_BOUNDS = frozenset(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"])

_HEADS = word_list(
    """
    amber basalt cedar delta ember fjord garnet harbor indigo juniper kestrel lunar
    """
)
_TAILS = word_list(
    """
    anchor beacon canyon drift echo field grove hollow isle jetty knoll lattice
    """
)


def make_mask(rng: random.Random, registry: Registry, forbidden: Collection[str]) -> Mask:
    """New names for every tool and parameter of `registry`.

    Args:
        rng: where the randomness comes from.
        registry: the tools offered.
        forbidden: names that must not be made (those of all worlds).
    """
    taken = set(forbidden)
    tools = {tool.name: _fresh(_tool_makers(tool), rng, taken) for tool in registry}
    parameters: dict[str, str] = {}
    for tool in registry:
        for parameter in tool.parameters:
            if parameter.name in parameters:
                continue
            makers: list[Maker] = [_word_maker(_telling_words(parameter, registry), 2)]
            if _told_by_type(parameter.name, registry):
                makers.append(_opaque_parameter)
            parameters[parameter.name] = _fresh(makers, rng, taken)
    return Mask(tools=tools, parameters=parameters)


def mask_registry(mask: Mask, registry: Registry) -> Registry:
    """The same tools under their new names, descriptions and order kept."""
    return Registry(_mask_tool(mask, tool) for tool in registry)


def mask_call(mask: Mask, name: str, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A call of the world, written with the new names."""
    return mask.tools[name], {mask.parameters[k]: v for k, v in arguments.items()}


class MaskedSession(Session):
    """A session whose tools answer to their new names.

    Args:
        inner: the world's session; closed with this one.
        mask: its new names.
    """

    def __init__(self, inner: Session, mask: Mask) -> None:
        self._inner = inner
        self._mask = mask
        self._tools = {new: old for old, new in mask.tools.items()}
        self._parameters = {new: old for old, new in mask.parameters.items()}

    def call(self, name: str, arguments: dict[str, Any]) -> Observation:
        unknown = [k for k in arguments if k not in self._parameters]
        if name not in self._tools or unknown:
            return Observation.failure(f"no such tool or parameter: {', '.join([name, *unknown])}")
        original = {self._parameters[k]: v for k, v in arguments.items()}
        observation = self._inner.call(self._tools[name], original)
        if not observation.error:
            return observation
        # Errors name tools and parameters in backticks (see ToolError).
        text = re.sub(r"`(\w+)`", self._new_name, observation.text)
        return Observation(text, error=True)

    def snapshot(self) -> dict[str, Any]:
        return self._inner.snapshot()

    def close(self) -> None:
        self._inner.close()

    def _new_name(self, match: re.Match[str]) -> str:
        old = match[1]
        return f"`{self._mask.parameters.get(old) or self._mask.tools.get(old) or old}`"


def _mask_tool(mask: Mask, tool: Tool) -> Tool:
    names = mask.parameters
    schema: JsonSchema = {
        **tool.schema,
        "properties": {names[k]: v for k, v in tool.schema["properties"].items()},
        "required": [names[k] for k in tool.schema["required"]],
    }
    return Tool(mask.tools[tool.name], tool.description, schema)


# How names are made.

Maker = Callable[[random.Random], str]


def _fresh(makers: Sequence[Maker], rng: random.Random, taken: set[str]) -> str:
    """A name of a random maker that is not taken yet; numbered when all its names are."""
    for _ in range(20):
        name = rng.choice(makers)(rng)
        # A part of a dotted name must not be an original name either.
        if not {name, *name.split(".")} & taken:
            taken.add(name)
            return name
    number = rng.randint(2, 9)
    while f"{name}{number}" in taken:
        number += 1
    taken.add(f"{name}{number}")
    return f"{name}{number}"


def _tool_makers(tool: Tool) -> list[Maker]:
    described = _word_maker(_words(tool.description or tool.name), 3, dotted=True)
    return [lambda rng: _opaque_tool(rng) if rng.random() < OPAQUE_SHARE else described(rng)]


def _told_by_type(parameter: str, registry: Registry) -> bool:
    """Whether on every tool that has it, no other parameter has its type."""
    for name in registry.owners(parameter):
        types = {p.name: type_text(_unbounded(p.schema)) for p in registry[name].parameters}
        if list(types.values()).count(types[parameter]) > 1:
            return False
    return True


def _unbounded(schema: JsonSchema) -> JsonSchema:
    """Of two numbers, a range does not tell which is which."""
    return {key: value for key, value in schema.items() if key not in _BOUNDS}


def _telling_words(parameter: Parameter, registry: Registry) -> list[str]:
    """Words that fit the parameter on every tool that has it, and no other one of these tools.

    It has one new name: what only one of the tools says of it would mislead on the others.
    """
    others = {
        word
        for name in registry.owners(parameter.name)
        for other in registry[name].parameters
        if other.name != parameter.name
        for word in _words(other.description)
    }
    told = [
        _words(own.description or own.name)
        for name in registry.owners(parameter.name)
        for own in registry[name].parameters
        if own.name == parameter.name
    ]
    shared = [word for word in told[0] if all(word in words for words in told)]
    words = shared or _words(re.sub(r"(?<=[a-z])(?=[A-Z])|[_.]", " ", parameter.name))
    return [word for word in words if word not in others] or words


def _words(text: str) -> list[str]:
    """The words of a description's first sentence that carry its meaning."""
    sentence = re.split(r"[.;:(]|, as ", text, maxsplit=1)[0]
    found = [word.lower() for word in re.findall(r"[A-Za-z]+", sentence)]
    return [word for word in found if word not in _SMALL_WORDS] or found or ["value"]


def _word_maker(words: list[str], most: int, *, dotted: bool = False) -> Maker:
    def make(rng: random.Random) -> str:
        chosen = words[: rng.randint(min(most, 2), most)] if rng.random() < 0.7 else words[:1]
        if rng.random() < 0.3:
            chosen = chosen[::-1]
        if rng.random() < 0.35:
            chosen = [_abbreviate(word) for word in chosen]
        if len(chosen) == 1 and rng.random() < 0.8:
            affix = rng.choice(("the", "my", "in", "x", "to"))
            chosen = [affix, *chosen] if rng.random() < 0.5 else [*chosen, rng.choice(_SUFFIXES)]
        return rng.choice(_JOINERS_DOTTED if dotted else _JOINERS)(chosen)

    return make


_SUFFIXES = ("arg", "value", "input", "field", "v2", "param", "spec")


def _abbreviate(word: str) -> str:
    """`destination` to `dstn`: the first letter and up to three consonants."""
    return word[0] + re.sub(r"[aeiou]", "", word[1:])[:3] if len(word) > 4 else word


def _camel(words: Iterable[str]) -> str:
    first, *rest = words
    return first + "".join(word.capitalize() for word in rest)


def _pascal(words: Iterable[str]) -> str:
    return "".join(word.capitalize() for word in words)


def _dotted(words: Sequence[str]) -> str:
    return f"{words[-1]}.{'_'.join(words[:-1]) or 'do'}"


_JOINERS: tuple[Callable[[list[str]], str], ...] = ("_".join, "_".join, _camel, "".join)
_JOINERS_DOTTED = (*_JOINERS[:-1], _pascal, _dotted)


def _opaque_tool(rng: random.Random) -> str:
    number = rng.randint(1, 99)
    return rng.choice(
        (
            f"fn_{number}",
            f"tool{number}",
            f"op.{rng.choice('abcdefghkmnprstuvwxyz')}{number}",
            f"{rng.choice(_HEADS)}_{rng.choice(_TAILS)}",
            f"{rng.choice(_HEADS)}{rng.choice(_TAILS).capitalize()}",
        )
    )


def _opaque_parameter(rng: random.Random) -> str:
    letter = rng.choice("abcdefghkmnprstuvwxyz")
    return rng.choice((letter, f"{letter}{rng.randint(0, 9)}", f"arg_{letter}", f"p{letter}"))
