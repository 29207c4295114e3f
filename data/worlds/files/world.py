"""The `files` world: a palette of file tools over a temporary folder that they cannot leave.

State: `{"files": {path: text}}`, with `/` in paths. There is no tool that runs a command.
"""

from __future__ import annotations

import fnmatch
import shutil
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from tooldrill.data.tasks.task import Split
from tooldrill.data.worlds.base import Session, ToolError, World
from tooldrill.data.worlds.files import chains, lookups, restraint, tasks

MAX_FILE_BYTES = 1_000_000


class FilesSession(Session):
    """One sandboxed folder."""

    tool_names: ClassVar[tuple[str, ...]] = (
        "append_file",
        "write_file",
        "replace_in_file",
        "insert_after",
        "insert_before",
        "read_file",
        "list_dir",
        "glob_match",
        "grep_search",
        "file_outline",
    )

    def __init__(self, state: dict[str, Any]) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="tooldrill-files-")).resolve()
        for name, text in state["files"].items():
            path = self._inside(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())

    def close(self) -> None:
        shutil.rmtree(self._root, ignore_errors=True)

    def snapshot(self) -> dict[str, Any]:
        """Trailing newlines do not count: nobody asks for them."""
        return {"files": {self._name(p): _text(p).rstrip("\n") for p in self._walk(self._root)}}

    # Tools.

    def append_file(
        self, path: str, content: str, encoding: str = "utf-8", ensure_newline: bool = True
    ) -> str:
        """Add text at the end of a file.

        Args:
            path: File to add to.
            content: Text to add.
            encoding: Character encoding.
            ensure_newline: Start and end the text on its own line.
        """
        target = self._existing(path)
        before = _text(target)
        if ensure_newline:
            content = content if content.endswith("\n") else content + "\n"
            before = before if not before or before.endswith("\n") else before + "\n"
        self._save(target, before + content, encoding)
        return f"added to {path}"

    def write_file(
        self,
        path: str,
        content: str,
        encoding: str = "utf-8",
        create_parents: bool = True,
        overwrite: bool = False,
    ) -> str:
        """Create a file with the given text.

        Args:
            path: File to create.
            content: Whole text of the file.
            encoding: Character encoding.
            create_parents: Make missing folders.
            overwrite: Replace a file that exists.
        """
        target = self._inside(path)
        if target.is_dir():
            raise ToolError(f"is a folder: {path}")
        if target.exists() and not overwrite:
            raise ToolError(f"already exists: {path} (`overwrite` is false)")
        if not target.parent.is_dir() and not create_parents:
            raise ToolError(f"no such folder for {path} (`create_parents` is false)")
        self._save(target, content, encoding)
        return f"wrote {path}"

    def replace_in_file(self, path: str, old: str, new: str, count: int = 1) -> str:
        """Replace text in a file.

        Args:
            path: File to change.
            old: Old text.
            new: New text.
            count: How many occurrences from the top; 0 for all.
        """
        target = self._existing(path)
        text = _text(target)
        if not old or old not in text:
            raise ToolError(f"text not found in {path}: {old}")
        if count < 0:
            raise ToolError("`count` must not be negative")
        found = text.count(old)
        self._save(target, text.replace(old, new, count or -1))
        return f"replaced {min(found, count or found)} of {found} in {path}"

    def insert_after(self, path: str, anchor: str, content: str) -> str:
        """Insert a line below the line that contains some text.

        Args:
            path: File to change.
            anchor: Text in the line to look for.
            content: Line to insert.
        """
        return self._insert(path, anchor, content, offset=1)

    def insert_before(self, path: str, anchor: str, content: str) -> str:
        """Insert a line above the line that contains some text.

        Args:
            path: File to change.
            anchor: Text in the line to look for.
            content: Line to insert.
        """
        return self._insert(path, anchor, content, offset=0)

    def read_file(
        self, path: str, encoding: str = "utf-8", start_line: int = 1, end_line: int = 0
    ) -> str:
        """Show the text of a file.

        Args:
            path: File to read.
            encoding: Character encoding.
            start_line: First line to show.
            end_line: Last line to show; 0 for the end.
        """
        target = self._existing(path)
        lines = _text(target, encoding).splitlines()
        shown = lines[max(start_line, 1) - 1 : end_line if end_line > 0 else None]
        return "\n".join(shown) or "(empty)"

    def list_dir(self, path: str = ".", show_hidden: bool = False, max_entries: int = 200) -> str:
        """List a folder.

        Args:
            path: Folder to list.
            show_hidden: Include names that begin with a dot.
            max_entries: Most names to show.
        """
        folder = self._folder(path)
        found = [p for p in folder.iterdir() if show_hidden or not p.name.startswith(".")]
        names = sorted(p.name + "/" * p.is_dir() for p in found)
        return ", ".join(names[: max(max_entries, 0)]) or "(empty)"

    def glob_match(self, pattern: str, base_path: str = ".", max_results: int = 0) -> str:
        """Find files by name.

        Args:
            pattern: Shell pattern of the name, such as *.txt.
            base_path: Folder to search.
            max_results: Most files to show; 0 for all.
        """
        found = [p for p in self._walk(self._folder(base_path)) if self._matches(p, pattern)]
        names = [self._name(p) for p in found]
        return ", ".join(names[: max_results if max_results > 0 else None]) or "no matches"

    def grep_search(
        self,
        pattern: str,
        path: str = ".",
        file_glob: str = "*",
        ignore_case: bool = False,
        max_results: int = 100,
    ) -> str:
        """Find lines that contain some text.

        Args:
            pattern: Plain text to look for.
            path: File or folder to search.
            file_glob: Shell pattern of the file names to search.
            ignore_case: Treat capitals and small letters alike.
            max_results: Most lines to show.
        """
        start = self._inside(path)
        if not start.exists():
            raise ToolError(f"no such file or folder: {path}")
        wanted = pattern.casefold() if ignore_case else pattern
        hits = [
            f"{self._name(file)}:{number}: {line}"
            for file in self._walk(start)
            if self._matches(file, file_glob)
            for number, line in enumerate(_text(file).splitlines(), 1)
            if wanted in (line.casefold() if ignore_case else line)
        ]
        return "\n".join(hits[: max(max_results, 0)]) or "no matches"

    def file_outline(self, path: str, tail_lines: int = 5) -> str:
        """Show headings, number of lines and the last lines of a file.

        Args:
            path: File to look at.
            tail_lines: How many of the last lines to show.
        """
        lines = _text(self._existing(path)).splitlines()
        headings = [line for line in lines if line.startswith("#")]
        tail = ["...", *lines[-tail_lines:]] if tail_lines > 0 else []
        return "\n".join([f"{len(lines)} lines", *headings, *tail])

    # The sandbox.

    def _inside(self, name: str) -> Path:
        """The real path of `name`, which is refused when it would lie outside the folder."""
        if not name or "\0" in name:
            raise ToolError("`path` is empty or not a name")
        try:
            path = (self._root / name).resolve()
            path.exists()  # a name that is too long is found out here
        except (OSError, RuntimeError):
            raise ToolError(f"not a usable path: {name[:80]}") from None
        # resolve() follows links and `..`, so that what is compared is where a write would land.
        if not path.is_relative_to(self._root):
            raise ToolError(f"outside the folder: {name}")
        return path

    def _existing(self, name: str) -> Path:
        path = self._inside(name)
        if not path.is_file():
            raise ToolError(f"{'is a folder' if path.is_dir() else 'no such file'}: {name}")
        return path

    def _folder(self, name: str) -> Path:
        path = self._inside(name)
        if not path.is_dir():
            raise ToolError(f"no such folder: {name}")
        return path

    def _walk(self, start: Path) -> list[Path]:
        """Files at or below `start`, links left out, in the order of their names."""
        found = [start] if start.is_file() else start.rglob("*")
        return sorted(p for p in found if p.is_file() and not p.is_symlink())

    def _name(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()

    def _matches(self, path: Path, pattern: str) -> bool:
        return any(
            fnmatch.fnmatchcase(text, pattern.removeprefix("**/"))
            for text in (path.name, self._name(path))
        )

    def _insert(self, name: str, anchor: str, content: str, offset: int) -> str:
        target = self._existing(name)
        lines = _text(target).splitlines()
        index = next((i for i, line in enumerate(lines) if anchor and anchor in line), None)
        if index is None:
            raise ToolError(f"no line in {name} contains: {anchor}")
        lines.insert(index + offset, content.rstrip("\n"))
        self._save(target, "\n".join(lines) + "\n")
        return f"inserted at line {index + offset + 1} of {name}"

    def _save(self, path: Path, text: str, encoding: str = "utf-8") -> None:
        try:
            data = text.encode(encoding)
        except LookupError:
            raise ToolError(f"no such encoding: {encoding}") from None
        if len(data) > MAX_FILE_BYTES:
            raise ToolError("the file would be too large")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except OSError as error:
            raise ToolError(f"cannot write {self._name(path)}: {error.strerror}") from None


def _text(path: Path, encoding: str = "utf-8") -> str:
    try:
        return path.read_bytes().decode(encoding, errors="replace")
    except LookupError:
        raise ToolError(f"no such encoding: {encoding}") from None


class FilesWorld(World):
    """A sandboxed folder."""

    name = "files"
    split = Split.TRAIN
    session_type = FilesSession
    book = tasks.BOOK + lookups.BOOK + chains.BOOK + restraint.BOOK
