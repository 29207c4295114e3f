"""File tools on a real folder: links and races, other encodings, and the source `files`."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tooldrill.agent.environment import ToolError
from tooldrill.agent.file_tools.folder import Folder
from tooldrill.agent.file_tools.tools import FileTools
from tooldrill.agent.limits import landlock, seccomp
from tooldrill.agent.limits.opening import limited_environment
from tooldrill.agent.limits.settings import ToolLimits
from tooldrill.sources import load_registry


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "a.txt").write_text("one\ntwo\n")
    (tmp_path / "secret.txt").write_text("secret")
    return root


@pytest.fixture
def tools(root: Path) -> FileTools:
    return FileTools(Folder(root, most_bytes=1000))


def test_links_that_stay_inside_are_followed(root: Path, tools: FileTools) -> None:
    (root / "in").symlink_to("sub")
    (root / "sub" / "up").symlink_to("../sub/a.txt")
    (root / "absolute").symlink_to(root / "sub")
    for path in ("in/a.txt", "sub/up", "absolute/a.txt", "in/../sub/a.txt", str(root / "in/a.txt")):
        assert tools.read_file(path) == "one\ntwo", path
    tools.append_file("in/up", "three")
    assert (root / "sub" / "a.txt").read_text() == "one\ntwo\nthree\n"
    assert (root / "sub" / "up").is_symlink()


@pytest.mark.parametrize("target", ["../secret.txt", "/etc/passwd", "sub/../../secret.txt", "loop"])
def test_links_that_lead_out_or_in_circles_are_not(
    root: Path, tools: FileTools, target: str
) -> None:
    (root / "loop").symlink_to(target)
    (root / "way").symlink_to("..")
    for path in ("loop", "way/secret.txt", "sub/../way/secret.txt", "sub/../../secret.txt"):
        with pytest.raises(ToolError):
            tools.read_file(path)
        with pytest.raises(ToolError):
            tools.write_file(path, "x", overwrite=True)
    assert (root.parent / "secret.txt").read_text() == "secret"


def test_a_folder_swapped_for_a_link_gives_nothing_away(root: Path, tools: FileTools) -> None:
    """While it is swapped, a plain reader gets the secret and these tools never do."""
    (root / "good").mkdir()
    (root / "good" / "secret.txt").write_text("harmless")
    door, spare = root / "door", root / "spare"
    ended = threading.Event()

    def swap() -> None:
        while not ended.is_set():
            (root / "good").rename(door)
            door.rename(root / "good")
            spare.symlink_to(root.parent)
            spare.rename(door)
            door.unlink()

    swapper = threading.Thread(target=swap)
    swapper.start()
    plain, careful = set(), set()
    try:
        end = time.monotonic() + 60
        while "secret" not in plain and time.monotonic() < end:
            with suppress(OSError):
                plain.add((door / "secret.txt").read_text())
        for _ in range(5_000):
            try:
                careful.add(tools.read_file("door/secret.txt"))
                tools.write_file("door/made.txt", "x", create_parents=False, overwrite=True)
            except ToolError:
                continue
    finally:
        ended.set()
        swapper.join()
    assert "secret" in plain
    assert careful <= {"harmless"}
    assert not (root.parent / "made.txt").exists()


def test_what_is_not_a_plain_file_is_refused(root: Path, tools: FileTools) -> None:
    os.mkfifo(root / "pipe")
    with pytest.raises(ToolError):
        tools.read_file("pipe")
    with pytest.raises(ToolError):
        tools.write_file("pipe", "x", overwrite=True)
    assert tools.glob_match("*") == "sub/a.txt"


def test_large_files_are_refused_and_searches_pass_them_over(root: Path, tools: FileTools) -> None:
    (root / "large.txt").write_text("two\n" * 500)
    with pytest.raises(ToolError, match="too large"):
        tools.read_file("large.txt")
    with pytest.raises(ToolError, match="too large"):
        tools.write_file("new.txt", "x" * 1001)
    assert tools.grep_search("two") == "sub/a.txt:2: two"
    assert not (root / "new.txt").exists()


def test_bytes_that_are_no_text_are_kept(root: Path, tools: FileTools) -> None:
    path = root / "latin.txt"
    path.write_bytes(b"caf\xe9\n")
    assert tools.read_file("latin.txt", encoding="latin-1") == "café"
    for change in (
        lambda: tools.replace_in_file("latin.txt", "caf", "x"),
        lambda: tools.insert_after("latin.txt", "caf", "x"),
    ):
        with pytest.raises(ToolError, match="not UTF-8"):
            change()
    tools.append_file("latin.txt", "thé", encoding="latin-1")
    assert path.read_bytes() == b"caf\xe9\nth\xe9\n"


def test_line_ends_and_permissions_are_kept(root: Path, tools: FileTools) -> None:
    path = root / "dos.txt"
    path.write_bytes(b"one\r\ntwo\r\nthree")
    path.chmod(0o750)
    tools.insert_after("dos.txt", "one", "new")
    assert path.read_bytes() == b"one\r\nnew\r\ntwo\r\nthree\r\n"
    assert path.stat().st_mode & 0o777 == 0o750


def test_a_hard_link_to_the_outside_is_not_written_through(root: Path, tools: FileTools) -> None:
    os.link(root.parent / "secret.txt", root / "twin.txt")
    tools.append_file("twin.txt", "more")
    assert (root.parent / "secret.txt").read_text() == "secret"


def test_nothing_temporary_is_left(root: Path, tools: FileTools) -> None:
    tools.write_file("new/deep/b.txt", "x")
    with pytest.raises(ToolError):
        tools.write_file("sub", "x", overwrite=True)
    names = sorted(str(path.relative_to(root)) for path in root.rglob("*"))
    assert names == ["new", "new/deep", "new/deep/b.txt", "sub", "sub/a.txt"]


def test_searches_leave_out_what_machines_made(root: Path, tools: FileTools) -> None:
    (root / ".git").mkdir()
    (root / ".git" / "b.txt").write_text("two")
    assert tools.grep_search("two") == "sub/a.txt:2: two"
    assert tools.grep_search("two", path=".git") == ".git/b.txt:1: two"


needs_kernel = pytest.mark.skipif(
    not landlock.version() or not seccomp.available(), reason="needs a kernel with Landlock"
)


def test_as_a_source(root: Path) -> None:
    with limited_environment("files", ToolLimits(workspace=root)) as (registry, environment):
        assert registry == load_registry("files")
        assert "execute_command" not in registry
        assert environment.call("list_dir", {}).text == "sub/"
        seen = environment.call("read_file", {"path": "../secret.txt"})
        assert seen == ("ERROR: outside the folder: ../secret.txt", True)
        assert not environment.call("write_file", {"path": "b.txt", "content": "x"}).error
        assert environment.call("execute_command", {"command": "true"}).error
    assert (root / "b.txt").read_text() == "x"
    writing = {tool.name for tool in registry if tool.writes}
    assert writing == {
        *("append_file", "write_file", "replace_in_file"),
        *("insert_after", "insert_before"),
    }
    assert {tool.writes for tool in registry} == {True, False}


@needs_kernel
def test_commands_where_they_are_allowed(root: Path) -> None:
    limits = ToolLimits(workspace=root, allow_shell=True, seconds=20, output_chars=300)
    with limited_environment("files", limits) as (registry, environment):

        def run(command: str, **more: object) -> tuple[str, bool]:
            seen = environment.call("execute_command", {"command": command, **more})
            return seen.text, seen.error

        assert registry["execute_command"].writes
        assert run("pwd; echo oops >&2") == (f"{root}\noops\n", False)
        assert run("pwd", cwd="sub") == (f"{root}/sub\n", False)
        assert run("true") == ("(no output)", False)
        assert run("echo no; exit 3") == ("ERROR: exit status 3\nno", True)
        assert run("cat ../secret.txt")[1]
        assert "Permission denied" in run("echo x > ../made.txt")[0]
        text, error = run("echo before; sleep 100", timeout=1)
        assert error
        assert text.startswith("ERROR: stopped after 1 s; it had printed:\nbefore")
        text, error = run("head -c 50000000 /dev/zero | tr '\\0' x")
        assert error
        assert text.startswith("ERROR: execute_command: done, but its output of 50,000,000 char")
        assert len(text) < 600
        text, error = run("head -c 500000 /dev/zero | tr '\\0' x")
        assert not error
        assert text.count("x") == 172
        assert "[... 499828 characters left out ...]" in text
        assert run("pwd", cwd="nowhere")[1]
    assert not (root.parent / "made.txt").exists()
