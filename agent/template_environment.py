"""Jinja as chat templates expect it: in a sandbox, with the filters that Transformers gives them.

Templates come from model files, which are untrusted. What a conversation is given to them as, and
what comes of it, is the work of `render`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import jinja2
import jinja2.nodes
import jinja2.parser
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

# Kimi's templates keep a list of ids; Transformers refuses that, llama-server does not.
_LIST_CHANGES = ("append", "pop")


class _Sandbox(ImmutableSandboxedEnvironment):
    """Nothing can be changed but lists, of which whoever renders gives copies."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, list) and attr in _LIST_CHANGES:
            return True
        return super().is_safe_attribute(obj, attr, value)


def changes_lists(source: str) -> bool:
    """Whether a template may change a list that it is given."""
    return any(f".{name}(" in source for name in _LIST_CHANGES)


def template_environment() -> jinja2.Environment:
    """The environment in which chat templates are compiled."""
    environment = _Sandbox(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, _Generation]
    )
    environment.filters["tojson"] = _tojson
    environment.globals["raise_exception"] = _raise_exception
    # One moment for a template: a date that changes while it is used would change earlier turns.
    now = datetime.now()
    environment.globals["strftime_now"] = now.strftime
    # llama-server gives these two to every template; Llama 3.1 has a date of 2024 without.
    environment.globals["date_string"] = now.strftime("%d %b %Y")
    environment.globals["datetime"] = now.strftime("%b %d %Y")
    return environment


class _Generation(Extension):
    """`{% generation %}`, by which Transformers marks what a model writes: here only its content.

    A block of its own, as there: what is set inside is not seen outside.
    """

    tags = {"generation"}  # noqa: RUF012 - jinja2 declares it so

    def parse(self, parser: jinja2.parser.Parser) -> jinja2.nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        block = jinja2.nodes.CallBlock(self.call_method("_content"), [], [], body)
        return block.set_lineno(line)

    def _content(self, caller: Callable[[], str]) -> str:
        return caller()


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
        default=_listed,  # what a filter such as `map` gives
    )


def _listed(value: Any) -> list[Any]:
    if isinstance(value, Iterator):
        return list(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


def _raise_exception(message: str) -> None:
    raise jinja2.TemplateError(message)
