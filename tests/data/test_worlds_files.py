"""The `files` world: what its tools do, what they refuse, and that nothing gets out."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tooldrill.data.worlds.files.world import FilesSession

STATE = {
    "files": {"a.txt": "one\ntwo\nthree\n", "sub/b.md": "# Head\nTwo words\n", ".hidden": "x\n"}
}


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FilesSession]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "outside.txt").write_text("secret")
    session = FilesSession(STATE)
    yield session
    session.close()


def text_of(session: FilesSession, path: str) -> str:
    return str(session.snapshot()["files"][path])


def everything_outside(session: FilesSession, folder: Path) -> dict[str, str]:
    root = session._root
    files = (p for p in folder.rglob("*") if p.is_file() and not p.is_relative_to(root))
    return {str(p): p.read_text() for p in files}


WRITES = [
    ("write_file", {"content": "gotcha", "overwrite": True}),
    ("append_file", {"content": "gotcha"}),
    ("replace_in_file", {"old": "secret", "new": "gotcha"}),
    ("insert_after", {"anchor": "secret", "content": "gotcha"}),
    ("insert_before", {"anchor": "secret", "content": "gotcha"}),
]
READS = [("read_file", "path"), ("file_outline", "path"), ("grep_search", "path")]
ESCAPES = [
    "../outside.txt",
    "sub/../../outside.txt",
    "./../outside.txt",
    "sub/../sub/../../outside.txt",
    "link.txt",
    "way/outside.txt",
]


@pytest.mark.parametrize("path", [*ESCAPES, "/absolute"])
def test_nothing_outside_is_read_or_written(
    session: FilesSession, tmp_path: Path, path: str
) -> None:
    (session._root / "link.txt").symlink_to(tmp_path / "outside.txt")
    (session._root / "way").symlink_to(tmp_path)
    target = str(tmp_path / "outside.txt") if path == "/absolute" else path
    before = everything_outside(session, tmp_path)
    for tool, arguments in WRITES:
        assert session.call(tool, {"path": target, **arguments}).error, tool
    for tool, key in READS:
        extra = {"pattern": "secret"} if tool == "grep_search" else {}
        observation = session.call(tool, {key: target, **extra})
        assert observation.error
        assert "secret" not in observation.text
    assert everything_outside(session, tmp_path) == before


@pytest.mark.parametrize("folder", ["..", "/", "way", "sub/../.."])
def test_no_folder_outside_is_listed_or_searched(
    session: FilesSession, tmp_path: Path, folder: str
) -> None:
    (session._root / "way").symlink_to(tmp_path)
    assert session.call("list_dir", {"path": folder}).error
    assert session.call("glob_match", {"pattern": "*", "base_path": folder}).error
    assert session.call("grep_search", {"pattern": "secret", "path": folder}).error


def test_searches_do_not_follow_links(session: FilesSession, tmp_path: Path) -> None:
    (session._root / "link.txt").symlink_to(tmp_path / "outside.txt")
    (session._root / "way").symlink_to(tmp_path)
    assert session.call("grep_search", {"pattern": "secret"}).text == "no matches"
    assert session.call("glob_match", {"pattern": "outside*"}).text == "no matches"
    assert "link.txt" not in session.snapshot()["files"]


PARTS = st.sampled_from(["..", ".", "a.txt", "sub", "", "~", "\0", "x" * 300, "é", "*", "\udc80"])


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(parts=st.lists(PARTS, min_size=1, max_size=5), rooted=st.booleans(), content=st.text())
def test_any_path_and_text_gets_an_answer_inside(
    session: FilesSession, tmp_path: Path, parts: list[str], rooted: bool, content: str
) -> None:
    before = everything_outside(session, tmp_path)
    path = "/" * rooted + "/".join(parts)
    for tool, arguments in WRITES:
        given_content = {"content": content} if "content" in arguments else {}
        assert session.call(tool, {"path": path, **arguments, **given_content}).text
    assert session.call("list_dir", {"path": path}).text
    assert session.call("read_file", {"path": path}).text
    assert everything_outside(session, tmp_path) == before


def test_close_removes_the_folder(session: FilesSession) -> None:
    root = session._root
    assert root.is_dir()
    session.close()
    assert not root.exists()


@pytest.mark.parametrize(
    ("tool", "arguments", "path", "text"),
    [
        ("append_file", {"content": "four"}, "a.txt", "one\ntwo\nthree\nfour"),
        (
            "append_file",
            {"content": "four", "ensure_newline": False},
            "a.txt",
            "one\ntwo\nthree\nfour",
        ),
        ("write_file", {"content": "new"}, "deep/er/c.txt", "new"),
        ("write_file", {"content": "new", "overwrite": True}, "a.txt", "new"),
        ("replace_in_file", {"old": "t", "new": "T"}, "a.txt", "one\nTwo\nthree"),
        ("replace_in_file", {"old": "t", "new": "T", "count": 0}, "a.txt", "one\nTwo\nThree"),
        ("insert_after", {"anchor": "two", "content": "x"}, "a.txt", "one\ntwo\nx\nthree"),
        ("insert_before", {"anchor": "one", "content": "x"}, "a.txt", "x\none\ntwo\nthree"),
    ],
)
def test_writing(session: FilesSession, tool: str, arguments: dict, path: str, text: str) -> None:
    assert not session.call(tool, {"path": path, **arguments}).error
    assert text_of(session, path) == text


@pytest.mark.parametrize(
    ("tool", "arguments", "error"),
    [
        ("append_file", {"path": "no.txt", "content": "x"}, "no such file: no.txt"),
        ("append_file", {"path": "sub", "content": "x"}, "is a folder: sub"),
        (
            "append_file",
            {"path": "a.txt", "content": "x", "encoding": "utf-9"},
            "no such encoding: utf-9",
        ),
        (
            "write_file",
            {"path": "a.txt", "content": "x"},
            "already exists: a.txt (`overwrite` is false)",
        ),
        (
            "write_file",
            {"path": "n/c.txt", "content": "x", "create_parents": False},
            "no such folder for n/c.txt (`create_parents` is false)",
        ),
        (
            "write_file",
            {"path": "a.txt/c", "content": "x"},
            "cannot write a.txt/c: File exists",
        ),
        (
            "replace_in_file",
            {"path": "a.txt", "old": "ten", "new": "x"},
            "text not found in a.txt: ten",
        ),
        (
            "insert_after",
            {"path": "a.txt", "anchor": "ten", "content": "x"},
            "no line in a.txt contains: ten",
        ),
        ("list_dir", {"path": "nowhere"}, "no such folder: nowhere"),
        ("grep_search", {"pattern": "x", "path": "nowhere"}, "no such file or folder: nowhere"),
    ],
)
def test_errors_change_nothing(
    session: FilesSession, tool: str, arguments: dict, error: str
) -> None:
    before = session.snapshot()
    assert session.call(tool, arguments) == (f"ERROR: {error}", True)
    assert session.snapshot() == before


@pytest.mark.parametrize(
    ("tool", "arguments", "text"),
    [
        ("read_file", {"path": "a.txt"}, "one\ntwo\nthree"),
        ("read_file", {"path": "a.txt", "start_line": 2, "end_line": 2}, "two"),
        ("list_dir", {}, "a.txt, sub/"),
        ("list_dir", {"show_hidden": True}, ".hidden, a.txt, sub/"),
        ("list_dir", {"max_entries": 1}, "a.txt, and 1 more"),
        ("glob_match", {"pattern": "*.md"}, "sub/b.md"),
        ("glob_match", {"pattern": "*", "base_path": "sub"}, "sub/b.md"),
        ("grep_search", {"pattern": "two"}, "a.txt:2: two"),
        (
            "grep_search",
            {"pattern": "two", "ignore_case": True, "file_glob": "*.md"},
            "sub/b.md:2: Two words",
        ),
        ("grep_search", {"pattern": "Two", "path": "sub/b.md"}, "sub/b.md:2: Two words"),
        ("file_outline", {"path": "sub/b.md", "tail_lines": 1}, "2 lines\n# Head\n...\nTwo words"),
    ],
)
def test_reading(session: FilesSession, tool: str, arguments: dict, text: str) -> None:
    assert session.call(tool, arguments) == (text, False)


def test_trailing_newlines_do_not_count_and_other_text_does() -> None:
    def state(text: str) -> dict:
        session = FilesSession({"files": {"a": text}})
        try:
            return session.snapshot()
        finally:
            session.close()

    assert state("x\n") == state("x") != state("x ") != state("\nx")
