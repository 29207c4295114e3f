"""What llama.cpp says when something fails.

Its log is dropped, but for the errors written while something that can fail is under way: they say
what the bare null that a function gives back does not.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from contextlib import contextmanager

import llama_cpp

_ERROR = 4  # GGML_LOG_LEVEL_ERROR
_FUNCTION = re.compile(r"^[A-Za-z_:~]+: ")
_heard: list[list[str]] = []


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator, unused-ignore]
def _listen(level: int, text: bytes, _data: ctypes.c_void_p) -> None:
    if level == _ERROR and _heard:
        _heard[-1].append(text.decode(errors="replace"))


def quiet() -> None:
    """Keeps llama.cpp from writing to the terminal."""
    llama_cpp.llama_log_set(_listen, ctypes.c_void_p(0))


@contextmanager
def errors() -> Iterator[list[str]]:
    """Collects the errors that llama.cpp writes inside the block."""
    _heard.append([])
    try:
        yield _heard[-1]
    finally:
        _heard.pop()


def reason(said: list[str], otherwise: str) -> str:
    """The first error in one line, without the names of C functions before it."""
    line = " ".join(said[0].split()) if said else ""
    while (shorter := _FUNCTION.sub("", line)) != line:
        line = shorter
    return line.rstrip(".") or otherwise
