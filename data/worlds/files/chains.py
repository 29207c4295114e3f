"""Prompts of the `files` world that take many calls, each fed by what the ones before showed."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from itertools import pairwise

from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft, OracleCall
from tooldrill.data.worlds.files.tasks import some_folder, some_lines

BOOK = Book()


@BOOK.act(
    "Begin with {start}. Each of these files says in which one it goes on; the last one has the "
    "{key}. Put just that at the end of {path}.",
    "The {key} stands at the end of a trail of files that begins with {start}, each naming the "
    "next. Follow it, then add the {key} by itself as the last line of {path}.",
    "{start} points to another file, that one to the next, and so on. At the very end stands "
    "the {key}, which I want alone on one more line in {path}.",
)
def follow_the_trail(draw: Draw) -> Draft:
    path, old, *trail = draw.several(draw.path, draw.number(5, 9))
    key, value = draw.pick(
        (
            ("phone number", f"{draw.number(200, 999)}-{draw.number(1000, 9999)}"),
            ("contact", draw.person()),
            ("meeting place", draw.city()),
            ("order code", draw.product_code()),
        )
    )
    points = draw.pick(("goes on in", "continued in", "next file:"))
    files = {path: some_lines(draw, 1, 2), old: [f"{key}: (see the other files)"]}
    for here, there in pairwise(trail):
        files[here] = [draw.line(), f"{points} {there}"]
    # What the file was before is no way on.
    files[trail[0]].insert(1, f"formerly {old}")
    files[trail[-1]] = [draw.line(), f"{key}: {value}"]
    calls: list[OracleCall] = [("read_file", {"path": each}) for each in trail]
    calls.append(("append_file", {"path": path, "content": value}))
    prompt = draw.say(start=trail[0], key=key, path=path)
    answer = f"Done: the {key} {value} stands in {path}."
    return Draft(prompt, some_folder(draw, files, 0), calls, answer)


@BOOK.act(
    "{old} is called {new} now. Find all files that mention it, once each, and correct them.",
    "Several files still say {old}. Look them up and change that to {new}; it stands once in each.",
    "It has to be {new} instead of {old}, in whichever files that is written (once per file).",
    "{old} -> {new}, in every file where it occurs. It does so one time per file.",
)
def rename_in_all(draw: Draw) -> Draft:
    old, new = draw.several(draw.city, 2)
    # The old name must not be a part of another text, or more would change.
    paths = sorted(draw.several(draw.path, draw.number(2, 5)))
    files = {path: [f"order {draw.number(100, 9999)}: {draw.phrase()}, {old}"] for path in paths}
    calls: list[OracleCall] = [("grep_search", {"pattern": old})]
    calls += [("replace_in_file", {"path": path, "old": old, "new": new}) for path in paths]
    answer = f"Done: {len(paths)} files say {new} now."
    state = some_folder(draw, {**files, draw.path(): [f"invoice of {draw.company()}"]}, 0)
    return Draft(draw.say(old=old, new=new), state, calls, answer)


@BOOK.act(
    "Every .{extension} file here holds one line. Copy those lines to the end of {path}, in the "
    "order of the files' names.",
    "Go through the .{extension} files by name and add what each one says (it is one line) as a "
    "new last line of {path}.",
    "{path} should end with the contents of all .{extension} files, one line from each, sorted by "
    "file name.",
)
def collect_lines(draw: Draw) -> Draft:
    extension = draw.pick(("ini", "tex", "rst", "cfg", "tsv", "bak"))
    sources = sorted(draw.several(lambda: draw.file_name(extension), draw.number(2, 3)))
    path, lines = draw.path(), draw.several(draw.line, len(sources))
    files = {source: [line] for source, line in zip(sources, lines, strict=True)}
    calls: list[OracleCall] = [("glob_match", {"pattern": f"*.{extension}"})]
    calls += [("read_file", {"path": source}) for source in sources]
    calls += [("append_file", {"path": path, "content": line}) for line in lines]
    state = some_folder(draw, {**files, path: some_lines(draw, 1, 2)})
    answer = f"Done: {path} ends with {len(lines)} more lines."
    return Draft(draw.say(extension=extension, path=path), state, calls, answer)
