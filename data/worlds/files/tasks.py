"""Prompts of the `files` world that need calls, and the calls that answer them."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from typing import Any

from tooldrill.data.values.names import Draw, number_word
from tooldrill.data.worlds.book import Book, Draft

BOOK = Book(
    asides=(
        "I am tidying up my notes before the weekend.",
        "Sorry for the mess in this folder.",
        "I only have my phone here, so you have to do this for me.",
        "We are almost done with the paperwork.",
        "The printer is broken again, so everything stays on disk.",
    )
)


def some_folder(draw: Draw, files: dict[str, list[str]], distractors: int = 1) -> dict[str, Any]:
    """A state with the given files and a few others beside them."""
    files = dict(files)
    while distractors > 0:
        path = draw.path()
        if path not in files:
            files[path] = draw.several(draw.line, draw.number(1, 2))
            distractors -= 1
    order = sorted(files)
    return {"files": {path: "\n".join(files[path]) + "\n" for path in order}}


def some_lines(draw: Draw, low: int = 2, high: int = 4) -> list[str]:
    """Different lines of text."""
    return draw.several(draw.line, draw.number(low, high))


@BOOK.act(
    "Add the line '{line}' to the end of {path}.",
    'Please put "{line}" at the bottom of {path}.',
    "{path}: one more line at the end, {line}",
    "I forgot something in {path}. It should end with: {line}",
    "Could you note '{line}' as the last thing in {path}?",
)
def append_line(draw: Draw) -> Draft:
    path, line = draw.path(), draw.line()
    state = some_folder(draw, {path: some_lines(draw)})
    calls = [("append_file", {"path": path, "content": line})]
    needs = ("write_file",) if draw.chance(0.5) else ()
    prompt = draw.say(path=path, line=line)
    return Draft(prompt, state, calls, f"Done: added the line to {path}.", needs=needs)


@BOOK.act(
    "The last line of {path} stops in the middle. Continue it with '{rest}', without a line break.",
    "Finish the last line of {path} by sticking '{rest}' right behind it, on the same line.",
    'Glue "{rest}" directly onto what {path} ends with; no new line, please.',
    "{path} lacks its tail '{rest}'. It belongs on the very line where the text breaks off.",
)
def continue_line(draw: Draw) -> Draft:
    path = draw.path()
    words = draw.line().split()
    head, rest = " ".join(words[:-1]), " " + words[-1]
    state = some_folder(draw, {path: some_lines(draw, 1, 2)})
    state["files"][path] += head
    arguments = {"path": path, "content": rest, "ensure_newline": False}
    return Draft(
        draw.say(path=path, rest=rest),
        state,
        [("append_file", arguments)],
        f"Done: the last line of {path} is complete.",
    )


@BOOK.act(
    "Make a new file {path} that says: {line}",
    "I need {path}, with nothing in it but '{line}'.",
    'Start a file called {path} containing "{line}".',
    "Could you save the text '{line}' as {path}?",
    "new file {path} <- {line}",
)
def create_file(draw: Draw) -> Draft:
    folder, line = draw.folder(), draw.line()
    old, new = draw.several(draw.file_name, 2)
    path = f"{folder}/{new}"
    state = some_folder(draw, {f"{folder}/{old}": some_lines(draw, 1, 2)}, 0)
    calls = [("write_file", {"path": path, "content": line})]
    return Draft(draw.say(path=path, line=line), state, calls, f"Done: {path} was created.")


@BOOK.act(
    "Throw away what is in {path} and put just '{line}' there.",
    "{path} is outdated: its whole text becomes '{line}'. Yes, you may lose the old version.",
    'Replace the complete contents of {path} by "{line}".',
    "Nothing in the old {path} matters any more. It should only say: {line}",
)
def start_over(draw: Draw) -> Draft:
    path, line = draw.path(), draw.line()
    state = some_folder(draw, {path: some_lines(draw)})
    calls = [("write_file", {"path": path, "content": line, "overwrite": True})]
    return Draft(
        draw.say(path=path, line=line), state, calls, f"Done: {path} now only has the new text."
    )


@BOOK.act(
    "In {path}, change {old} to {new}.",
    "{path} says {old}, but it has to be {new}. Can you correct that?",
    "There is a mistake in {path}: {new} is right, {old} is wrong.",
    "fix {path}: {old} -> {new}",
    "Somebody wrote {old} in {path}. I meant {new}.",
)
def correct_name(draw: Draw) -> Draft:
    path = draw.path()
    old, new = draw.several(draw.city, 2)
    lines = [*some_lines(draw, 1, 2), f"{draw.phrase()} in {old}"]
    draw.rng.shuffle(lines)
    calls = [("replace_in_file", {"path": path, "old": old, "new": new})]
    answer = f"Done: {path} now says {new}."
    return Draft(
        draw.say(path=path, old=old, new=new), some_folder(draw, {path: lines}), calls, answer
    )


@BOOK.act(
    "Everywhere {path} mentions {old}, it should be {new}.",
    "{old} has left; {new} takes over all the work. Update every mention in {path}.",
    "Change all occurrences of {old} in {path} to {new}.",
    "Not a single {old} may remain in {path}: write {new} instead, each time.",
)
def correct_everywhere(draw: Draw) -> Draft:
    path = draw.path()
    old, new = draw.several(draw.person, 2)
    times = draw.number(2, 3)
    lines = [f"{old}: {phrase}" for phrase in draw.several(draw.phrase, times)]
    calls = [("replace_in_file", {"path": path, "old": old, "new": new, "count": 0})]
    answer = f"Done: {number_word(times)} mentions in {path} now say {new}."
    return Draft(
        draw.say(path=path, old=old, new=new), some_folder(draw, {path: lines}), calls, answer
    )


@BOOK.act(
    "In {path}, put the line '{line}' right under the one about {anchor}.",
    'Below "{anchor}" in {path} there should be a line "{line}".',
    "{path}: {line} goes directly beneath {anchor}.",
    "Could '{line}' follow the line with {anchor} in {path}?",
)
def add_below(draw: Draw) -> Draft:
    return _beside(draw, "insert_after", "below")


@BOOK.act(
    "In {path}, put the line '{line}' right over the one about {anchor}.",
    'I want "{line}" on its own line just ahead of "{anchor}" in {path}.',
    "{path}: {line} goes directly on top of {anchor}.",
    "Could '{line}' come immediately before the line with {anchor} in {path}?",
)
def add_above(draw: Draw) -> Draft:
    return _beside(draw, "insert_before", "above")


def _beside(draw: Draw, tool: str, where: str) -> Draft:
    path, line, anchor = draw.path(), draw.line(), draw.company()
    lines = some_lines(draw, 1, 3)
    lines.insert(draw.number(0, len(lines)), f"{anchor}: {draw.phrase()}")
    calls = [(tool, {"path": path, "anchor": anchor, "content": line})]
    answer = f"Done: the line stands {where} {anchor} in {path}."
    needs = ("insert_before", "insert_after") if draw.chance(0.5) else ()
    prompt = draw.say(path=path, line=line, anchor=anchor)
    return Draft(prompt, some_folder(draw, {path: lines}), calls, answer, needs=needs)


@BOOK.act(
    "Three changes in {path}: {old} becomes {new}, the line '{below}' goes under the one with "
    "{anchor}, and the file ends with '{last}'.",
    "Please edit {path}. Write {new} instead of {old}. Put '{below}' directly below {anchor}. "
    "Then add '{last}' at the very end.",
    "{path}: 1) {old} -> {new} 2) new line '{below}' beneath {anchor} 3) last line '{last}'",
)
def three_edits(draw: Draw) -> Draft:
    path, anchor = draw.path(), draw.company()
    old, new = draw.several(draw.city, 2)
    below, last = draw.several(draw.line, 2)
    state = some_folder(draw, {path: [f"{draw.phrase()} in {old}", f"{anchor}: {draw.phrase()}"]})
    calls = [
        ("replace_in_file", {"path": path, "old": old, "new": new}),
        ("insert_after", {"path": path, "anchor": anchor, "content": below}),
        ("append_file", {"path": path, "content": last}),
    ]
    prompt = draw.say(path=path, old=old, new=new, below=below, anchor=anchor, last=last)
    return Draft(prompt, state, calls, f"Done: all three changes are in {path}.")
