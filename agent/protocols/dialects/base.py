"""What a dialect is: how the calls of a native reply are found, read and written.

A dialect knows one notation and nothing of conversations, thinking or violations; `native` puts
those around it. Its fields are the small things in which templates of one notation differ (white
space, quotes); only writing heeds all of them, reading is liberal about white space.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, Self

from tooldrill.agent.call import Call
from tooldrill.agent.protocols.thinking import PLAIN, Frame
from tooldrill.agent.tool import Registry

Notation = Literal["object", "bare", "arguments", "tags", "keys", "invokes", "python"]
"""What a call is made of: a tagged JSON object, one without tags, a name and its arguments in
braces, a tag for each argument (Qwen's, GLM's, MiniMax's), a Python call. Says how a call can be
damaged (`data.corrupt`)."""

AFTER_CALL = "Nothing may follow a call in the same reply."


class Mended(NamedTuple):
    """What a malformed text was meant to be: the free text before its calls, and the calls."""

    before: str
    calls: list[Call]


class Dialect(Protocol):
    """One notation of calls."""

    @property
    def name(self) -> str:
        """The dialect's name, whatever its white space."""
        ...

    @property
    def notation(self) -> Notation: ...

    @property
    def shape(self) -> str:
        """How a call is written, for messages."""
        ...

    @property
    def marks(self) -> tuple[str, str]:
        """What stands before and after a call; either may be empty."""
        ...

    @property
    def lead(self) -> str | None:
        """What stands between free text and a call; None where no text may stand before one."""
        ...

    @property
    def frame(self) -> Frame:
        """What stands around thinking and answers."""
        ...

    @property
    def untyped(self) -> bool:
        """Whether a value's type is told by the tool's schema alone."""
        ...

    def find(self, text: str) -> int | None:
        """Where the reply's calls begin; None when it makes none."""
        ...

    def read(self, text: str, at: int, registry: Registry | None, /) -> list[Call] | str:
        """The calls from `at` to the end, or one sentence saying what is wrong.

        Args:
            registry: the tools offered; tells types where the dialect does not write them.
        """
        ...

    def write(self, calls: Sequence[Call], registry: Registry | None = None, /) -> str:
        """The calls as the chat template writes them.

        Args:
            registry: makes an untyped dialect quote what would be read as another type.
        """
        ...

    def mend(self, text: str, registry: Registry | None = None, /) -> Mended | None:
        """What a malformed text was meant to be; None where nothing sensible comes out."""
        ...

    @property
    def spoken(self) -> Dialect:
        """The dialect as a model is to write it: servers do not read all that Jinja writes."""
        ...


class Usual:
    """What most dialects have in common."""

    untyped: ClassVar[bool] = False

    @property
    def frame(self) -> Frame:
        """Thinking in `<think>`, and nothing around an answer."""
        return PLAIN

    @property
    def spoken(self) -> Self:
        """Models write the dialect as templates do."""
        return self


@dataclass(frozen=True)
class JsonStyle:
    """How a template writes JSON.

    Attributes:
        ascii: characters beyond ASCII are written as escapes.
        compact: without spaces after separators.
    """

    ascii: bool = False
    compact: bool = False

    def dump(self, value: Any) -> str:
        """The value as JSON."""
        separators = (",", ":") if self.compact else None
        return json.dumps(value, ensure_ascii=self.ascii, separators=separators)


PLAIN_JSON = JsonStyle()
JSON_STYLES = (PLAIN_JSON, JsonStyle(compact=True), JsonStyle(ascii=True))
