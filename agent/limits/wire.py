"""Messages between the agent and its worker: the length in four bytes, then JSON. No pickle.

The worker runs other people's code, so what it sends is read as data, and never more of it than was
agreed on.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from typing import Any

_LENGTH = struct.Struct(">I")
_CHUNK = 1 << 16

Message = dict[str, Any]


class WireError(Exception):
    """What came is no message."""


def encode(message: Message) -> bytes:
    """A message as it is sent; text that UTF-8 cannot hold survives as escapes."""
    body = json.dumps(message).encode("ascii")
    return _LENGTH.pack(len(body)) + body


class Reader:
    """Puts messages together from the pieces in which they arrive.

    Attributes:
        most: bytes of a message; a longer one is an error before it is read.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._held = bytearray()

    def feed(self, piece: bytes) -> Iterator[Message]:
        """The messages that are complete now.

        Raises:
            WireError: when something else was sent.
        """
        self._held += piece
        while len(self._held) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._held)
            if length > self.most:
                raise WireError(f"a message of {length} bytes")
            end = _LENGTH.size + length
            if len(self._held) < end:
                return
            body = bytes(self._held[_LENGTH.size : end])
            del self._held[:end]
            yield _decoded(body)


def _decoded(body: bytes) -> Message:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WireError(f"not JSON: {error}") from None
    if not isinstance(message, dict):
        raise WireError("not an object")
    return message


def send(descriptor: int, message: Message) -> None:
    """Writes a message to a blocking pipe."""
    rest = memoryview(encode(message))
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def receive(descriptor: int) -> Iterator[Message]:
    """The messages of a blocking pipe, from a sender that is trusted, until it is closed."""
    reader = Reader(1 << 31)
    while piece := os.read(descriptor, _CHUNK):
        yield from reader.feed(piece)
