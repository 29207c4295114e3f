"""File names that need no quoting: in a shell, a Modelfile, Markdown, an address, a sums file."""

from __future__ import annotations

import re

_OTHERS = re.compile(r"[^A-Za-z0-9._+-]+")


def safe_name(name: str) -> str:
    """The name with everything but ASCII letters, digits and `._+-` made a hyphen."""
    return _OTHERS.sub("-", name).strip("-.") or "model"
