"""Templates whose values are text and nothing else: a sandbox, and Markdown escaped by default.

Names come from model files, folders and configs of others: in a card they must not become headings,
links or HTML. A template says `| code` for what is shown as it is, `| link` for an address.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import FunctionLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from tooldrill.export.release.names import safe_name

_RUNS = re.compile(r"`+")
_ADDRESS = re.compile(r"https?://[^\s()<>\[\]\"'`|\\]+")


def render(template: str, **values: Any) -> str:
    """The text of `templates/<template>.jinja`."""
    text: str = _environment().get_template(f"{template}.jinja").render(**values)
    return text


def escaped(value: object) -> Markup:
    """Text that is only text in Markdown, also in a table: one line, no markup of its own."""
    if isinstance(value, Markup):
        return value
    shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    text = html.escape(" ".join(shown.split()), quote=False)
    for character in "\\`*[]|~":
        text = text.replace(character, f"\\{character}")
    return Markup(text)


def code(value: object) -> Markup:
    """Text as code, within a line; in a table a bar would still end the cell."""
    text = " ".join(str(value).split())
    longest = max((len(run) for run in _RUNS.findall(text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if longest or not text else ""
    return Markup(f"{fence}{space}{text}{space}{fence}")


def cells(values: Iterable[object]) -> Markup:
    """A row of a table."""
    return Markup(f"| {' | '.join(map(escaped, values))} |")


def link(value: object) -> Markup:
    """An address that may be followed; what is none stays text."""
    text = str(value)
    return Markup(f"<{text}>") if _ADDRESS.fullmatch(text) else escaped(text)


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=FunctionLoader(_text),
        finalize=escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"code": code, "cells": cells, "link": link, "raw": Markup}
    environment.filters["name"] = safe_name
    return environment


def _text(name: str) -> str:
    return (files("tooldrill.export.release") / "templates" / name).read_text("utf-8")
