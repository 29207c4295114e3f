"""Prompts of the `files` world, in many voices, and the calls that answer them."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from typing import Any

from tooldrill.data.names import Draw, number_word
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


def _folder(draw: Draw, files: dict[str, list[str]], distractors: int = 1) -> dict[str, Any]:
    """A state with the given files and a few others beside them."""
    files = dict(files)
    while distractors > 0:
        path = draw.path()
        if path not in files:
            files[path] = draw.several(draw.line, draw.number(1, 2))
            distractors -= 1
    order = sorted(files)
    return {"files": {path: "\n".join(files[path]) + "\n" for path in order}}


def _lines(draw: Draw, low: int = 2, high: int = 4) -> list[str]:
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
    state = _folder(draw, {path: _lines(draw)})
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
    state = _folder(draw, {path: _lines(draw, 1, 2)})
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
    state = _folder(draw, {f"{folder}/{old}": _lines(draw, 1, 2)}, 0)
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
    state = _folder(draw, {path: _lines(draw)})
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
    lines = [*_lines(draw, 1, 2), f"{draw.phrase()} in {old}"]
    draw.rng.shuffle(lines)
    calls = [("replace_in_file", {"path": path, "old": old, "new": new})]
    answer = f"Done: {path} now says {new}."
    return Draft(draw.say(path=path, old=old, new=new), _folder(draw, {path: lines}), calls, answer)


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
    return Draft(draw.say(path=path, old=old, new=new), _folder(draw, {path: lines}), calls, answer)


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
    lines = _lines(draw, 1, 3)
    lines.insert(draw.number(0, len(lines)), f"{anchor}: {draw.phrase()}")
    calls = [(tool, {"path": path, "anchor": anchor, "content": line})]
    answer = f"Done: the line stands {where} {anchor} in {path}."
    needs = ("insert_before", "insert_after") if draw.chance(0.5) else ()
    prompt = draw.say(path=path, line=line, anchor=anchor)
    return Draft(prompt, _folder(draw, {path: lines}), calls, answer, needs=needs)


@BOOK.act(
    "What is the {key} according to {path}?",
    "Look into {path} and tell me the {key}.",
    "{path} should say what the {key} is. Well?",
    "I need the {key}; it is written down in {path}.",
)
def look_up(draw: Draw) -> Draft:
    path = draw.path()
    keys, facts = _facts(draw)
    calls = [("read_file", {"path": path})]
    prompt = draw.say(path=path, key=keys[0])
    lines = draw.sample([f"{k}: {v}" for k, v in facts.items()], len(facts))
    answer = f"The {keys[0]} is {facts[keys[0]]}."
    return Draft(prompt, _folder(draw, {path: lines}), calls, answer, (facts[keys[0]],))


def _facts(draw: Draw) -> tuple[list[str], dict[str, str]]:
    facts = {
        "phone number": f"{draw.number(200, 999)}-{draw.number(1000, 9999)}",
        "contact": draw.person(),
        "budget": str(draw.number(300, 9999)),
        "deadline": str(draw.fake.date()),
        "meeting place": draw.city(),
        "supplier": draw.company(),
    }
    keys = draw.sample(list(facts), 3)
    return keys, {key: facts[key] for key in keys}


@BOOK.act(
    "One of my files mentions {needle}. Add the line '{line}' to the end of that file.",
    "I wrote about {needle} somewhere. Find the place and put '{line}' at the bottom there.",
    "Whichever file has {needle} in it needs a last line: {line}",
    "Where did I note {needle}? That file should also end with '{line}'.",
)
def find_and_append(draw: Draw) -> Draft:
    path, line, needle = draw.path(), draw.line(), draw.company()
    state = _folder(draw, {path: [*_lines(draw, 1, 2), f"{needle}: {draw.phrase()}"]}, 2)
    calls = [
        ("grep_search", {"pattern": needle}),
        ("append_file", {"path": path, "content": line}),
    ]
    return Draft(
        draw.say(needle=needle, line=line), state, calls, f"Done: added the line to {path}."
    )


@BOOK.act(
    "Which file talks about {needle}? I do not remember whether I used capitals.",
    "Find the file with {needle} in it, in capitals or not.",
    "where is {needle} mentioned, upper or lower case alike?",
    "Someone typed {needle} into a file, maybe all in capitals. Tell me which one.",
)
def find_any_case(draw: Draw) -> Draft:
    path = draw.path()
    needle = f"{draw.fake.last_name()} {draw.topic()}".lower()
    written = needle.upper() if draw.chance(0.5) else needle.title()
    state = _folder(draw, {path: [f"{written}: {draw.phrase()}"]}, 2)
    calls = [("grep_search", {"pattern": needle, "ignore_case": True})]
    answer = f"It is in {path}."
    return Draft(draw.say(needle=needle), state, calls, answer, (path,))


@BOOK.act(
    "There is exactly one .{extension} file somewhere in here. What does it say?",
    "Find my only .{extension} file and tell me what is in it.",
    "What did I write in the .{extension} file? I forgot its name and its folder.",
    "Somewhere below this folder lies a file ending in .{extension}. Read it to me.",
)
def find_and_read(draw: Draw) -> Draft:
    extension = draw.pick(("ini", "yaml", "tex", "rst", "json", "cfg", "tsv", "bak"))
    path, line = f"{draw.folder()}/{draw.file_name(extension)}", draw.line()
    state = _folder(draw, {path: [line]}, 2)
    calls = [("glob_match", {"pattern": f"*.{extension}"}), ("read_file", {"path": path})]
    return Draft(draw.say(extension=extension), state, calls, f"{path} says: {line}", (line,))


@BOOK.act(
    "Which files are in the folder {folder}?",
    "Tell me what lies in {folder}.",
    "contents of the {folder} folder?",
    "I put some files into {folder} last week. What are they called?",
)
def show_folder(draw: Draw) -> Draft:
    folder = draw.folder() + str(draw.number(1, 99))
    names = sorted(draw.several(draw.file_name, draw.number(1, 3)))
    state = _folder(draw, {f"{folder}/{name}": [draw.line()] for name in names})
    calls = [("list_dir", {"path": folder})]
    answer = f"{folder} contains {', '.join(names)}."
    return Draft(draw.say(folder=folder), state, calls, answer, tuple(names))


@BOOK.act(
    "How many lines does {path} have?",
    "Count the lines of {path} for me.",
    "How long is {path}, in lines?",
    "I wonder how many lines {path} has grown to.",
)
def count_lines(draw: Draw) -> Draft:
    # No digits in the name: the prompt must not give the answer away.
    path, lines = f"{draw.folder()}/{draw.topic()}.{draw.extension()}", _lines(draw, 2, 4)
    calls = [("file_outline", {"path": path})]
    answer = f"{path} has {len(lines)} lines."
    return Draft(
        draw.say(path=path), _folder(draw, {path: lines}), calls, answer, (str(len(lines)),)
    )


@BOOK.act(
    "Take the {key} from {source} and add it as the last line of {path}.",
    "{path} should end with the {key}; you find it in {source}.",
    "Look up the {key} in {source}, then write just that at the bottom of {path}.",
    "The {key} in {source} is also wanted as one more line in {path}.",
)
def carry_over(draw: Draw) -> Draft:
    source, path = draw.several(draw.path, 2)
    keys, facts = _facts(draw)
    state = _folder(
        draw, {source: [f"{k}: {v}" for k, v in facts.items()], path: _lines(draw, 1, 2)}, 0
    )
    value = facts[keys[1]]
    calls = [
        ("read_file", {"path": source}),
        ("append_file", {"path": path, "content": value}),
    ]
    answer = f"Done: the {keys[1]} {value} stands in {path}."
    return Draft(draw.say(source=source, path=path, key=keys[1]), state, calls, answer, (value,))


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
    state = _folder(draw, {path: [f"{draw.phrase()} in {old}", f"{anchor}: {draw.phrase()}"]})
    calls = [
        ("replace_in_file", {"path": path, "old": old, "new": new}),
        ("insert_after", {"path": path, "anchor": anchor, "content": below}),
        ("append_file", {"path": path, "content": last}),
    ]
    prompt = draw.say(path=path, old=old, new=new, below=below, anchor=anchor, last=last)
    return Draft(prompt, state, calls, f"Done: all three changes are in {path}.")


@BOOK.restrain(
    "Thanks, {name} is happy with the files now!",
    "Great work on the folder, that was quick.",
    "Hi! I am {name}. I will have some files for you later.",
    "Never mind, {name} sorted it out already.",
    "Good evening! Nothing to do for now, just saying hello.",
)
def chat(draw: Draw) -> Draft:
    reply = draw.pick(
        (
            "You are welcome! Tell me when there is something to do.",
            "Glad to hear it. I am here when you need me.",
            "Thank you! Just ask when you need a file read or changed.",
        )
    )
    return Draft(draw.say(name=draw.first_name()), _folder(draw, {}, 1), [], reply)


@BOOK.restrain(
    "My line reads '{line}'. What is its first word? No need to open anything.",
    "'{line}' - which word does this begin with?",
    "Just reading along: {line}. Say the first word of that, please.",
)
def first_word(draw: Draw) -> Draft:
    line = draw.line()
    word = line.split()[0].strip(":,")
    return Draft(
        draw.say(line=line), _folder(draw, {}, 1), [], f"The first word is {word}.", (word,)
    )


@BOOK.restrain(
    "Please {wish}.",
    "I would like you to {wish}.",
    "Could you {wish}? {name} asked for it.",
    "{name} wants you to {wish}, can you?",
)
def beyond_files(draw: Draw) -> Draft:
    path = draw.path()
    wish, short = draw.pick(
        (
            (f"print {path} on the office printer", "print"),
            (f"send {path} to {draw.first_name()} by e-mail", "send e-mail"),
            (f"run {path} as a program", "run programs"),
            (f"order a taxi to {draw.city()}", "order a taxi"),
            (f"translate a phone call with {draw.person()}", "join phone calls"),
            (f"check the weather in {draw.city()}", "check the weather"),
        )
    )
    answer = f"Sorry, I cannot {short}: none of my tools can do that."
    return Draft(
        draw.say(wish=wish, name=draw.first_name()),
        _folder(draw, {path: [draw.line()]}),
        [],
        answer,
    )


@BOOK.restrain(
    "Add '{line}' to the end of {path}.",
    "Save a new file {path} that says '{line}'.",
    "Write '{line}' into {path}, please.",
)
def read_only(draw: Draw) -> Draft:
    path, line = draw.path(), draw.line()
    answer = f"Sorry, I cannot change {path}: I can only read files."
    without = (
        "append_file",
        "write_file",
        "replace_in_file",
        "insert_after",
        "insert_before",
    )
    return Draft(draw.say(path=path, line=line), _folder(draw, {}, 1), [], answer, without=without)
