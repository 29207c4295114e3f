"""Parts of the limits by themselves: cut text, messages, what is said of a lesser kernel."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.limits import confinement, landlock, seccomp
from tooldrill.agent.limits.clip import LINE_ROOM, Clip, ClippedBytes, clip
from tooldrill.agent.limits.disk import DiskRoom
from tooldrill.agent.limits.opening import limited_environment
from tooldrill.agent.limits.settings import MIB, ToolLimits
from tooldrill.agent.limits.wire import Reader, WireError, encode

GIB = 1024 * MIB


@given(st.text(), st.integers(0, 30), st.lists(st.integers(1, 9)))
def test_pieces_are_cut_as_the_whole_is(text: str, most: int, sizes: list[int]) -> None:
    pieces, rest = Clip(most), text
    for size in sizes:
        pieces.add(rest[:size])
        rest = rest[size:]
    pieces.add(rest)
    assert pieces.text() == clip(text, most)
    assert pieces.taken == len(text)
    for less in range(most):
        assert pieces.text(less) == clip(text, less)
    assert len(clip(text, most)) <= most + LINE_ROOM


def test_head_and_tail_and_what_is_between() -> None:
    assert clip("abcdefghij", 10) == "abcdefghij"
    assert clip("abcdefghij", 5) == "abc\n[... 5 characters left out ...]\nij"
    assert clip("abc", 0) == "\n[... 3 characters left out ...]\n"


def test_a_character_cut_in_two_is_put_together() -> None:
    taken = ClippedBytes(10)
    for byte in "aé€\N{GRINNING FACE}".encode():
        taken.add_bytes(bytes([byte]))
    assert taken.text() == "aé€\N{GRINNING FACE}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()), st.lists, max_leaves=5
)


@given(st.lists(st.dictionaries(st.text(), JSON), max_size=4), st.integers(1, 50))
def test_messages_arrive_however_they_are_cut(messages: list[dict], size: int) -> None:
    sent = b"".join(encode(message) for message in messages)
    reader = Reader(1 << 20)
    got = [m for i in range(0, len(sent), size) for m in reader.feed(sent[i : i + size])]
    assert got == messages


@pytest.mark.parametrize(
    "sent", [b"\xff\xff\xff\xff", b"\0\0\0\x02[]", b"\0\0\0\x01{", b"\0\0\0\x01\xff"]
)
def test_what_is_no_message_is_refused(sent: bytes) -> None:
    with pytest.raises(WireError):
        list(Reader(100).feed(sent))


def test_a_message_that_is_too_long_is_refused_before_it_comes() -> None:
    with pytest.raises(WireError, match="101 bytes"):
        list(Reader(100).feed((101).to_bytes(4, "big")))


class Disk(NamedTuple):
    """What `os.statvfs` says, for one block of one byte each."""

    f_bavail: int
    f_favail: int = 1_000_000
    f_frsize: int = 1


@pytest.mark.parametrize(
    ("before", "after", "taken"),
    [
        (Disk(10 * GIB), Disk(GIB), False),
        (Disk(10 * GIB), Disk(GIB - 1), True),
        (Disk(10 * GIB), Disk(9 * GIB, 9_999), True),
        # There was hardly any: some of it may be used.
        (Disk(GIB // 2), Disk(GIB // 2 - 60 * MIB), False),
        (Disk(GIB // 2), Disk(GIB // 2 - 70 * MIB), True),
        (Disk(0), Disk(0), False),
        # A file system without a bound on files.
        (Disk(10 * GIB, 0), Disk(9 * GIB, 0), False),
    ],
)
def test_room_on_a_disk(
    monkeypatch: pytest.MonkeyPatch, before: Disk, after: Disk, taken: bool
) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: before)
    room = DiskRoom([Path("a")], GIB)
    assert not room.is_taken()
    monkeypatch.setattr(os, "statvfs", lambda _: after)
    assert room.is_taken() is taken


@pytest.fixture
def old_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 0)
    monkeypatch.setattr(seccomp, "available", lambda: False)


@pytest.mark.usefixtures("old_kernel")
def test_a_kernel_that_cannot_confine_is_said_and_refused(tmp_path: Path) -> None:
    limits = ToolLimits(workspace=tmp_path)
    said = confinement.describe(limits)
    assert said.endswith("they are limited in time (30 s) and output")
    assert "leaving the workspace or from running programs or from using the network" in said
    assert "\n" not in said
    for source in ("python:x.py", "skills:x", "mcp:x"):
        with pytest.raises(TooldrillError, match="cannot keep tools from leaving") as caught:
            limited_environment(source, limits).__enter__()
        assert "--unconfined" in caught.value.next_step
    confinement.require_confinement(limits.model_copy(update={"unconfined": True}))
    allowed = limits.model_copy(update={"allow_shell": True, "allow_network": True})
    assert confinement.missing_powers(allowed) == ["leaving the workspace"]


@pytest.mark.usefixtures("old_kernel")
def test_the_file_tools_need_no_kernel(tmp_path: Path) -> None:
    with limited_environment("files", ToolLimits(workspace=tmp_path)) as (_, environment):
        assert environment.call("read_file", {"path": "../x"}).error


def test_a_workspace_with_python_in_it_is_said(tmp_path: Path) -> None:
    assert "Python" not in confinement.describe(ToolLimits(workspace=tmp_path))
    assert "holds the Python" in confinement.describe(ToolLimits(workspace=Path("/")))


@pytest.mark.skipif(not landlock.version(), reason="needs a kernel with Landlock")
def test_what_a_kernel_with_landlock_keeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = ToolLimits(workspace=tmp_path)
    if seccomp.available():
        assert confinement.missing_powers(limits) == []
        assert str(tmp_path) in confinement.describe(limits)
        assert "no programs, no network, 30 s" in confinement.describe(limits)
    monkeypatch.setattr(landlock, "version", lambda: 2)
    assert ("emptying files outside of the workspace" in confinement.missing_powers(limits)) == (
        not seccomp.available()
    )
    monkeypatch.setattr(seccomp, "available", lambda: False)
    assert "emptying files outside of the workspace" in confinement.missing_powers(limits)
    monkeypatch.setattr(landlock, "version", lambda: 3)
    (missing,) = confinement.missing_powers(limits)
    assert missing == "using the network"
    monkeypatch.setattr(landlock, "version", lambda: 4)
    assert confinement.missing_powers(limits) == ["using the network, TCP aside"]
