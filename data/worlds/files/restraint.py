"""Prompts of the `files` world that need no call."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from tooldrill.data.tasks.task import Ending
from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft
from tooldrill.data.worlds.files.tasks import some_folder

BOOK = Book()


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
    return Draft(draw.say(name=draw.first_name()), some_folder(draw, {}, 1), [], reply)


@BOOK.restrain(
    "My line reads '{line}'. What is its first word? No need to open anything.",
    "'{line}' - which word does this begin with?",
    "Just reading along: {line}. Say the first word of that, please.",
)
def first_word(draw: Draw) -> Draft:
    line = draw.line()
    word = line.split()[0].strip(":,")
    return Draft(
        draw.say(line=line), some_folder(draw, {}, 1), [], f"The first word is {word}.", (word,)
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
        some_folder(draw, {path: [draw.line()]}),
        [],
        answer,
        ending=Ending.ADMIT,
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
    return Draft(
        draw.say(path=path, line=line),
        some_folder(draw, {}, 1),
        [],
        answer,
        without=without,
        ending=Ending.ADMIT,
    )
