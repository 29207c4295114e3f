"""Prompts of the `files` world in which something has to be looked up first, or only that."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft
from tooldrill.data.worlds.files.tasks import some_folder, some_lines

BOOK = Book()


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
    return Draft(prompt, some_folder(draw, {path: lines}), calls, answer, (facts[keys[0]],))


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
    state = some_folder(draw, {path: [*some_lines(draw, 1, 2), f"{needle}: {draw.phrase()}"]}, 2)
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
    state = some_folder(draw, {path: [f"{written}: {draw.phrase()}"]}, 2)
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
    state = some_folder(draw, {path: [line]}, 2)
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
    state = some_folder(draw, {f"{folder}/{name}": [draw.line()] for name in names})
    calls = [("list_dir", {"path": folder})]
    answer = f"{folder} contains {', '.join(names)}."
    return Draft(draw.say(folder=folder), state, calls, answer, tuple(names))


@BOOK.act(
    "Take the {key} from {source} and add it as the last line of {path}.",
    "{path} should end with the {key}; you find it in {source}.",
    "Look up the {key} in {source}, then write just that at the bottom of {path}.",
    "The {key} in {source} is also wanted as one more line in {path}.",
)
def carry_over(draw: Draw) -> Draft:
    source, path = draw.several(draw.path, 2)
    keys, facts = _facts(draw)
    state = some_folder(
        draw, {source: [f"{k}: {v}" for k, v in facts.items()], path: some_lines(draw, 1, 2)}, 0
    )
    value = facts[keys[1]]
    calls = [
        ("read_file", {"path": source}),
        ("append_file", {"path": path, "content": value}),
    ]
    answer = f"Done: the {keys[1]} {value} stands in {path}."
    return Draft(draw.say(source=source, path=path, key=keys[1]), state, calls, answer)


@BOOK.act(
    "How many lines does {path} have?",
    "Count the lines of {path} for me.",
    "How long is {path}, in lines?",
    "I wonder how many lines {path} has grown to.",
)
def count_lines(draw: Draw) -> Draft:
    # No digits in the name: the prompt must not give the answer away.
    path, lines = f"{draw.folder()}/{draw.topic()}.{draw.extension()}", some_lines(draw, 2, 4)
    calls = [("file_outline", {"path": path})]
    answer = f"{path} has {len(lines)} lines."
    return Draft(
        draw.say(path=path), some_folder(draw, {path: lines}), calls, answer, (str(len(lines)),)
    )
