"""A registry, calls of it and what may have happened before: moments at which a reply is broken."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tooldrill.agent.call import Call, PastCall
from tooldrill.agent.introspect import registry_from_functions


def append_file(path: str, content: str, encoding: str = "utf-8", ensure_newline: bool = True): ...
def write_file(path: str, content: str, create_parents: bool = True, overwrite: bool = False): ...
def read_file(path: str, start_line: Annotated[int, Field(ge=1)] = 1, end_line: int = 0): ...
def grep_search(pattern: str, output_mode: Literal["content", "count", "files"] = "content"): ...
def set_labels(item: int, labels: list[str], ratio: float = 0.5, color: str | None = None): ...
def wait(): ...


REGISTRY = registry_from_functions(
    [append_file, write_file, read_file, grep_search, set_labels, wait]
)
CALLS = [
    Call("append_file", {"path": "a b.txt", "content": 'say "hi"\nit\'s } {', "encoding": "utf-8"}),
    Call("write_file", {"path": "ä/b.md", "content": "", "overwrite": True}),
    Call("read_file", {"path": "x.txt", "start_line": 3}),
    Call("grep_search", {"pattern": "12", "output_mode": "count"}),
    Call("set_labels", {"item": 7, "labels": ["red", "blue"], "ratio": 1.5, "color": None}),
    Call("wait", {}),
]
PASTS: list[tuple[PastCall, ...]] = [
    (),
    (PastCall(Call("read_file", {"path": "x.txt"}), False),),
    (PastCall(Call("read_file", {"path": "gone.txt"}), True),),
    (PastCall(Call("append_file", {"path": "q", "content": "w", "overwrite": True}), True,
              ("overwrite",)),),
    (PastCall(Call("wait", {"mode": "w"}), True, ("mode",)),
     PastCall(Call("wait", {}), False)),
    (PastCall(Call("read_file", {"path": "x.txt", "start_line": 3, "force": True}), True,
              ("force",)),),
    (PastCall(Call(""), True),),
]  # fmt: skip
