"""File tools on odd text: line ends, encodings, bytes that are none, what is too long to show."""

from __future__ import annotations

import codecs
import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tooldrill.agent.environment import ToolError
from tooldrill.agent.file_tools.folder import Folder
from tooldrill.agent.file_tools.text import ended_like, ending_of, lines_of, whole_lines
from tooldrill.agent.file_tools.tools import FileTools
from tooldrill.agent.functions import FunctionEnvironment
from tooldrill.agent.limits.removal import remove_folder


@pytest.fixture
def tools(tmp_path: Path) -> FileTools:
    return FileTools(Folder(tmp_path))


TEXT = st.text(st.sampled_from("ab\n\r\ufeff\u2028\x0c\x85 é"), max_size=40)


@given(TEXT)
def test_lines_are_those_of_line_feeds_and_nothing_is_lost(text: str) -> None:
    assert "".join(whole_lines(text)) == text
    shown = lines_of(text)
    body = text.removeprefix("\ufeff")
    assert len(shown) == body.count("\n") + bool(body and not body.endswith("\n"))
    assert "\n".join(shown).replace("\r", "") == body.removesuffix("\n").replace("\r", "")
    assert ended_like(text, "\n") == text
    assert ended_like(ended_like(text, "\r\n"), "\r\n") == ended_like(text, "\r\n")
    assert ended_like(text, "\r\n").replace("\r\n", "\n") == text.replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ("", "\n"),
        ("a", "\n"),
        ("a\nb\r\n", "\n"),
        ("a\r\nb\n", "\r\n"),
        ("\n", "\n"),
        ("a\rb", "\n"),
    ],
)
def test_a_file_ends_its_lines_as_the_first_one(text: str, ending: str) -> None:
    assert ending_of(text) == ending


def test_lines_are_counted_as_editors_count_them(tmp_path: Path, tools: FileTools) -> None:
    (tmp_path / "a.py").write_bytes("one\x0c\ntwo\u2028still two\r\nthree\x85".encode())
    assert tools.read_file("a.py", start_line=2, end_line=2) == "two\u2028still two"
    assert tools.grep_search("three") == "a.py:3: three\x85"
    assert tools.file_outline("a.py").startswith("3 lines\n")
    tools.insert_after("a.py", "one", "new")
    assert (
        tmp_path / "a.py"
    ).read_bytes() == "one\x0c\nnew\ntwo\u2028still two\r\nthree\x85\n".encode()


def test_what_was_read_can_be_replaced_whatever_ends_the_lines(
    tmp_path: Path, tools: FileTools
) -> None:
    path = tmp_path / "dos.txt"
    path.write_bytes(b"one\r\ntwo\r\nthree")
    shown = tools.read_file("dos.txt", end_line=2)
    assert shown == "one\ntwo"
    assert tools.replace_in_file("dos.txt", shown, "1\n2\n2b") == "replaced 1 of 1 in dos.txt"
    assert path.read_bytes() == b"1\r\n2\r\n2b\r\nthree"
    tools.append_file("dos.txt", "four\nfive")
    tools.insert_before("dos.txt", "four", "a\nb")
    assert path.read_bytes() == b"1\r\n2\r\n2b\r\nthree\r\na\r\nb\r\nfour\r\nfive\r\n"
    tools.append_file("dos.txt", "six", ensure_newline=False)
    assert path.read_bytes().endswith(b"five\r\nsix")


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "utf-7"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("before", ["", "été\n", "été\ndeux"])
def test_appending_keeps_an_encoding_whole(
    tmp_path: Path, tools: FileTools, encoding: str, ending: str, before: str
) -> None:
    before = before.replace("\n", ending)
    (tmp_path / "a").write_bytes(before.encode(encoding))
    tools.append_file("a", "trois", encoding=encoding)
    gap = ending if before and not before.endswith("\n") else ""
    last = ending if "\n" in before else "\n"
    assert (tmp_path / "a").read_bytes().decode(encoding) == f"{before}{gap}trois{last}"
    assert tools.read_file("a", encoding=encoding).splitlines()[-1] == "trois"


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE])
def test_the_byte_order_of_a_file_is_kept(tmp_path: Path, tools: FileTools, mark: bytes) -> None:
    order = "utf-16-be" if mark == codecs.BOM_UTF16_BE else "utf-16-le"
    (tmp_path / "a").write_bytes(mark + "one\n".encode(order))
    tools.append_file("a", "two", encoding="UTF16")
    assert (tmp_path / "a").read_bytes() == mark + "one\ntwo\n".encode(order)


def test_a_byte_order_mark_stays_in_front_and_is_not_shown(
    tmp_path: Path, tools: FileTools
) -> None:
    path = tmp_path / "a"
    path.write_bytes(codecs.BOM_UTF8 + b"one\n")
    assert tools.read_file("a") == "one"
    tools.insert_before("a", "one", "zero")
    tools.replace_in_file("a", "one", "1")
    assert path.read_bytes() == codecs.BOM_UTF8 + b"zero\n1\n"


@pytest.mark.parametrize("encoding", ["rot13", "hex", "base64", "no\0", "", "nonsense", "utf 9"])
def test_what_is_no_text_encoding_changes_nothing(
    tmp_path: Path, tools: FileTools, encoding: str
) -> None:
    (tmp_path / "a").write_bytes(b"one")
    for call in (
        lambda: tools.read_file("a", encoding=encoding),
        lambda: tools.append_file("a", "two", encoding=encoding),
        lambda: tools.write_file("a", "two", encoding=encoding, overwrite=True),
    ):
        with pytest.raises(ToolError, match="no such encoding"):
            call()
    with pytest.raises(UnicodeError):
        tools.append_file("a", "\u20ac", encoding="latin-1")
    with pytest.raises(UnicodeError):
        tools.append_file("a", "\ud800")
    assert (tmp_path / "a").read_bytes() == b"one"


def test_bytes_that_are_no_text_are_not_shown(tmp_path: Path, tools: FileTools) -> None:
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\0\0needle")
    for call in (tools.read_file, tools.file_outline):
        with pytest.raises(ToolError, match=r"not text: picture\.png"):
            call("picture.png")
    assert tools.grep_search("needle") == "no matches"
    assert tools.read_file("picture.png", encoding="utf-16-le")  # who asks for it gets it


def test_lines_that_are_not_there_are_not_an_empty_file(tmp_path: Path, tools: FileTools) -> None:
    (tmp_path / "a").write_text("one\ntwo\n")
    (tmp_path / "empty").write_text("")
    assert tools.read_file("empty") == tools.read_file("empty", start_line=3) == "(empty)"
    assert tools.read_file("a", start_line=3) == "(no such lines: the file has 2)"
    assert tools.read_file("a", start_line=2, end_line=1) == "(no such lines: the file has 2)"
    assert tools.read_file("a", start_line=-5, end_line=99) == "one\ntwo"


def test_what_is_left_out_is_said(tmp_path: Path, tools: FileTools) -> None:
    for number in range(5):
        (tmp_path / f"{number}.txt").write_text("needle\nneedle\n")
    assert tools.list_dir(max_entries=2) == "0.txt, 1.txt, and 3 more"
    assert tools.list_dir(max_entries=0) == "and 5 more"
    assert tools.list_dir(max_entries=5).endswith(", 4.txt")
    assert tools.glob_match("*.txt", max_results=1) == "0.txt, and 4 more"
    found = tools.grep_search("needle", max_results=3)
    assert found == "0.txt:1: needle\n0.txt:2: needle\n1.txt:1: needle\n(more than 3 lines)"
    for every in (0, -1, 10, 99):
        assert tools.grep_search("needle", max_results=every).count("needle") == 10
    assert "more" not in tools.grep_search("needle", max_results=10)


def test_a_long_line_is_shown_around_what_was_found(tmp_path: Path, tools: FileTools) -> None:
    (tmp_path / "min.js").write_text("a" * 1_000_000 + "needle" + "b" * 1_000_000)
    found = tools.grep_search("NEEDLE", ignore_case=True)
    assert found == "min.js:1: ..." + "a" * 100 + "needle" + "b" * 394 + "..."
    assert tools.grep_search("bb").startswith("min.js:1: ..." + "a" * 94)


@pytest.mark.parametrize(
    ("pattern", "base", "found"),
    [
        ("*.py", ".", "src/a.py, src/in/b.py"),
        ("in/*.py", "src", "src/in/b.py"),
        ("src/**/a.py", ".", "src/a.py"),
        ("src/**/b.py", ".", "src/in/b.py"),
        ("**/b.py", "src", "src/in/b.py"),
        ("./src/a.py", ".", "src/a.py"),
        ("in/*.py", "./src/../src/", "src/in/b.py"),
        ("in/*.py", "way", "src/in/b.py"),
        ("ein/*.py", "src", "no matches"),
        ("[", ".", "no matches"),
    ],
)
def test_patterns_are_of_the_name_or_of_the_path_from_where_one_looks(
    tmp_path: Path, tools: FileTools, pattern: str, base: str, found: str
) -> None:
    (tmp_path / "src" / "in").mkdir(parents=True)
    (tmp_path / "src" / "a.py").write_text("")
    (tmp_path / "src" / "in" / "b.py").write_text("")
    (tmp_path / "way").symlink_to("src")
    assert tools.glob_match(pattern, base_path=base) == found


def test_no_pattern_takes_for_ever(tmp_path: Path, tools: FileTools) -> None:
    (tmp_path / ("a" * 200)).write_text("a" * 10_000 + "\n")
    began = time.process_time()
    assert tools.glob_match("*a" * 40 + "b") == "no matches"
    assert tools.grep_search("(a+)+$b") == "no matches"  # plain text, not an expression
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "path",
    [
        *(".git/hooks/pre-commit", ".git/config", "src/.git", "src/.GIT/config"),
        *("src/../.git/config", "way/config", ".hg/hgrc"),
    ],
)
def test_version_control_is_not_written(tmp_path: Path, tools: FileTools, path: str) -> None:
    """Its hooks and settings are programs that run when a person looks at what was changed."""
    (tmp_path / ".git" / "hooks").mkdir(parents=True)
    (tmp_path / ".git" / "config").write_text("[core]\n")
    (tmp_path / "way").symlink_to(".git")
    (tmp_path / "src").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ToolError, match="not changed by these tools"):
        tools.write_file(path, "[core]\nfsmonitor = reboot\n", overwrite=True)
    assert sorted(tmp_path.rglob("*")) == before
    if path.endswith("config") and "GIT" not in path:
        with pytest.raises(ToolError, match="not changed by these tools"):
            tools.append_file(path, "x")
        assert tools.read_file(path) == "[core]"
    tools.write_file(".gitignore", "*.log")


def test_a_read_only_file_stays(tmp_path: Path, tools: FileTools) -> None:
    path = tmp_path / "a"
    path.write_text("one\n")
    path.chmod(0o444)
    for call in (
        lambda: tools.write_file("a", "two", overwrite=True),
        lambda: tools.append_file("a", "two"),
        lambda: tools.replace_in_file("a", "one", "two"),
    ):
        with pytest.raises(ToolError, match="cannot write a: it is read-only"):
            call()
    assert path.read_text() == "one\n"
    assert sorted(tmp_path.iterdir()) == [path]


NAMES = st.text(st.characters(blacklist_characters="/\0", codec="utf-8"), min_size=1, max_size=60)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(NAMES, st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_name_and_text_comes_back(
    tmp_path: Path, tools: FileTools, name: str, text: str
) -> None:
    if name in (".", "..") or len(os.fsencode(name)) > 200 or name.casefold() in (".git", ".hg"):
        return
    tools.write_file(name, text, overwrite=True)
    assert (tmp_path / name).read_bytes() == text.encode()
    assert tools.glob_match("*").count(name) >= 1
    (tmp_path / name).unlink()


def test_names_that_are_no_text_are_listed(tmp_path: Path, tools: FileTools) -> None:
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt"))).write_text("one")
    listed = tools.list_dir()
    assert listed == "caf\udce9.txt"
    assert tools.read_file(listed) == "one"


def test_a_very_deep_folder_is_an_error_and_not_the_end(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    here = os.open(root, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    tools = FileTools(Folder(root))
    names = ("glob_match", "list_dir", "write_file")
    environment = FunctionEnvironment({name: getattr(tools, name) for name in names})
    try:
        assert environment.call("glob_match", {"pattern": "*"}).error
        assert environment.call("list_dir", {"path": "d/" * 1500}).error
        assert environment.call("write_file", {"path": "e/" * 1500 + "f", "content": "x"}).error
        assert environment.call("list_dir", {}).text == "d/"
    finally:
        remove_folder(root)  # pytest could not
    assert not root.exists()
