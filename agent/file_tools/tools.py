"""The file tools: reading, searching and changing text files in one folder.

The same code is what the world `files` drills and what `--tools files` offers. Which names lead
where is decided in `folder`.
"""

from __future__ import annotations

import fnmatch
from dataclasses import replace
from typing import ClassVar

from tooldrill.agent.environment import ToolError
from tooldrill.agent.file_tools.folder import Folder
from tooldrill.agent.file_tools.text import (
    MARK,
    appended,
    decoded,
    encoded,
    ended_like,
    ending_of,
    is_text,
    lines_of,
    whole_lines,
)
from tooldrill.agent.introspect import tool_from_function
from tooldrill.agent.tool import Registry

WRITING = frozenset(
    {"append_file", "write_file", "replace_in_file", "insert_after", "insert_before"}
)
# Folders of machines and not of people: a search enters them only by name.
SKIPPED = frozenset({".git", ".hg", ".svn", ".venv", "node_modules", "__pycache__"})
# Of a longer line a search shows what is around the text that it found.
_LONGEST_LINE, _BEFORE = 500, 100


class FileTools:
    """Tools over a folder. Public tools are the methods named in `tool_names`."""

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

    def __init__(self, folder: Folder, skipped: frozenset[str] = SKIPPED) -> None:
        self._folder = folder
        self._skipped = skipped

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
        before = self._folder.read(path)
        self._folder.write(path, appended(before, content, encoding, ensure_newline))
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
        kind = self._folder.kind(path)
        if kind == "folder":
            raise ToolError(f"is a folder: {path}")
        if kind != "missing" and not overwrite:
            raise ToolError(f"already exists: {path} (`overwrite` is false)")
        if not create_parents and not self._folder.has_parent(path):
            raise ToolError(f"no such folder for {path} (`create_parents` is false)")
        self._folder.write(path, encoded(content, encoding))
        return f"wrote {path}"

    def replace_in_file(self, path: str, old: str, new: str, count: int = 1) -> str:
        """Replace text in a file.

        Args:
            path: File to change.
            old: Old text.
            new: New text.
            count: How many occurrences from the top; 0 for all.
        """
        text = self._exact_text(path)
        ending = ending_of(text)
        # As it was shown, without carriage returns.
        new = ended_like(new, ending)
        old = old if old in text else ended_like(old, ending)
        if not old or old not in text:
            raise ToolError(f"text not found in {path}: {old}")
        if count < 0:
            raise ToolError("`count` must not be negative")
        found = text.count(old)
        self._folder.write(path, text.replace(old, new, count or -1).encode())
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
        lines = self._lines(path, encoding)
        shown = lines[max(start_line, 1) - 1 : end_line if end_line > 0 else None]
        if lines and not shown:
            return f"(no such lines: the file has {len(lines)})"
        return "\n".join(shown) or "(empty)"

    def list_dir(self, path: str = ".", show_hidden: bool = False, max_entries: int = 200) -> str:
        """List a folder.

        Args:
            path: Folder to list.
            show_hidden: Include names that begin with a dot.
            max_entries: Most names to show.
        """
        entries = self._folder.entries(path)
        shown = [e for e in entries if show_hidden or not e.name.startswith(".")]
        names = sorted(e.name + "/" * e.is_folder for e in shown)
        return _listed(names, max(max_entries, 0)) or "(empty)"

    def glob_match(self, pattern: str, base_path: str = ".", max_results: int = 0) -> str:
        """Find files by name.

        Args:
            pattern: Shell pattern of the name, such as *.txt.
            base_path: Folder to search.
            max_results: Most files to show; 0 for all.
        """
        if self._folder.kind(base_path) != "folder":
            raise ToolError(f"no such folder: {base_path}")
        names = self._matching(base_path, pattern)
        return _listed(names, max_results if max_results > 0 else len(names)) or "no matches"

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
        wanted = pattern.casefold() if ignore_case else pattern
        hits: list[str] = []
        for name in self._matching(path, file_glob):
            for number, line in enumerate(self._searched(name), 1):
                at = (line.casefold() if ignore_case else line).find(wanted)
                if at < 0:
                    continue
                if 0 < max_results <= len(hits):
                    return "\n".join([*hits, f"(more than {max_results} lines)"])
                hits.append(f"{name}:{number}: {_around(line, at)}")
        return "\n".join(hits) or "no matches"

    def file_outline(self, path: str, tail_lines: int = 5) -> str:
        """Show headings, number of lines and the last lines of a file.

        Args:
            path: File to look at.
            tail_lines: How many of the last lines to show.
        """
        lines = self._lines(path)
        headings = [line for line in lines if line.startswith("#")]
        tail = ["...", *lines[-tail_lines:]] if tail_lines > 0 else []
        return "\n".join([f"{len(lines)} lines", *headings, *tail])

    # What they share.

    def _walk(self, path: str) -> list[str]:
        return self._folder.walk(path, self._skipped)

    def _matching(self, path: str, pattern: str) -> list[str]:
        """Files at or below, by their name, or by their path from here or from the root."""
        wanted = pattern.removeprefix("./").removeprefix("**/")
        # As in a shell, it also stands for no folder at all.
        patterns = {wanted, wanted.replace("/**/", "/")}
        base = f"{self._folder.path(path)}/"

        def matches(name: str) -> bool:
            texts = {name.rpartition("/")[2], name, name.removeprefix(base)}
            return any(fnmatch.fnmatchcase(text, p) for text in texts for p in patterns)

        return [name for name in self._walk(path) if matches(name)]

    def _text(self, path: str) -> str:
        return decoded(self._folder.read(path), "utf-8")

    def _lines(self, path: str, encoding: str = "utf-8") -> list[str]:
        data = self._folder.read(path)
        if not is_text(data, encoding):
            raise ToolError(f"not text: {path}")
        return lines_of(decoded(data, encoding))

    def _exact_text(self, path: str) -> str:
        """Text that can be written back without a loss."""
        try:
            return self._folder.read(path).decode()
        except UnicodeDecodeError:
            raise ToolError(f"{path} is not UTF-8 text") from None

    def _searched(self, name: str) -> list[str]:
        """The lines of a file; none of what is no text, too large, or gone since it was listed."""
        try:
            return self._lines(name)
        except ToolError:
            return []

    def _insert(self, path: str, anchor: str, content: str, offset: int) -> str:
        text = self._exact_text(path)
        mark = MARK if text.startswith(MARK) else ""
        lines = whole_lines(text.removeprefix(mark))
        index = next((i for i, line in enumerate(lines) if anchor and anchor in line), None)
        if index is None:
            raise ToolError(f"no line in {path} contains: {anchor}")
        ending = ending_of(text)
        if not lines[-1].endswith("\n"):
            lines[-1] += ending
        lines.insert(index + offset, ended_like(content.rstrip("\n"), ending) + ending)
        self._folder.write(path, (mark + "".join(lines)).encode())
        return f"inserted at line {index + offset + 1} of {path}"


def file_tools_registry() -> Registry:
    """The file tools as they are offered, without a folder to run them on."""
    tools = (tool_from_function(getattr(FileTools, name)) for name in FileTools.tool_names)
    return Registry(replace(tool, writes=tool.name in WRITING) for tool in tools)


def _listed(names: list[str], most: int) -> str:
    more = len(names) - most
    return ", ".join([*names[:most], *([f"and {more} more"] if more > 0 else [])])


def _around(line: str, at: int) -> str:
    if len(line) <= _LONGEST_LINE:
        return line
    begin = max(at - _BEFORE, 0)
    end = begin + _LONGEST_LINE
    return "..." * (begin > 0) + line[begin:end] + "..." * (end < len(line))
