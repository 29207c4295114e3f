"""Training wordings: pasted text in long messages, and what points at the request in them.

Whatever asks for something in a paste is addressed to somebody else by name.
"""

from __future__ import annotations

from tooldrill.data.voices.frames import Paste

PASTE_RULES: dict[str, tuple[str, ...]] = {
    "chore": (
        "bring the {thing} to {place}",
        "water the plants in {place}",
        "pick up the keys from {first}",
        "book a table for {some} at the new place",
        "check the smoke detectors",
        "drive {first} to the station at {clock}",
        "wash the blue van",
        "collect {few} dollars from everybody for {first}",
        "take the {thing} home",
        "let the electrician in on {weekday}",
        "print {some} name badges",
    ),
    "news": (
        "{who} {did} {when}.",
        "Our {topic} paper is {some} pages long now, I read about {few} of them.",
        "{company} offered us {many} dollars, {first} thinks it should be {many}.",
        "In {city} they had {many} visitors on {weekday}.",
        "{place} {fault}.",
        "We agreed on {date}, {clock}, but {first} cannot come then.",
        "As for the {phrase} idea: nobody knows what it means.",
        "{first} and {first} share room {some} in {city}, {first} stays with {person}.",
        "Nobody from {dept} {did} this time.",
        "{person} is away from {date} to {date}, {first} covers for her.",
        "It was {weather}, {some} of {many} chairs stayed empty.",
        "{first} prefers the {thing}, I like the {thing}.",
        "Last {month} it cost {many} dollars, in {year} only {many}.",
        "The {thing} was delivered on {date}; the box said {hex}.",
    ),
    "subject": (
        "{topic} for {month}",
        "Re: {topic}",
        "AW: {topic} / {company}",
        "Fwd: {phrase}",
        "Re: Re: visit of {company} on {weekday}",
        "{thing} no. {many}",
    ),
    "level": ("INFO ", "WARN ", "ERROR", "DEBUG"),
    "part_name": ("scheduler", "worker", "cache", "http", "session", "{word}", "queue", "auth"),
    "module": ("{word}/{word}.py", "lib/{word}.py", "{word}/core.py", "app/{word}/{word}.py"),
    "trouble": (
        "retry {few}/9 after {many} ms",
        "connection to {word}.example lost",
        "slow answer ({many} ms) from {word}",
        "checksum {hex} expected, {hex} found",
        "session {hex} closed after {some} s",
        "{many} rows read, {few} skipped",
        "unexpected token near column {some}",
    ),
    "sign_off": ("Best", "Regards", "See you", "Greetings", "Cheers", "LG"),
}

PASTES: tuple[Paste, ...] = (
    Paste(
        name="mail",
        head=(
            "From: {person} <{mail}>\nTo: {mail}\nDate: {weekday}, {date} {year} {clock}\n"
            "Subject: {subject}\n\nHi {first},\n",
            "On {weekday}, {date} {year} at {clock} {person} <{mail}> wrote:\n\nDear {first},\n",
            "-----Original Message-----\nFrom: {person}\nSent: {date} {year} {clock}\n"
            "Cc: {person}; {person}\nSubject: {subject}\n\n{first},\n",
        ),
        lines=(
            "{news}",
            "{news} {news}",
            "{news} {news} {news}",
            "{first}, you wanted to {chore}, remember?",
            "> {news}\n> {news}",
            "@{first}: please {chore}. {news}",
        ),
        tail=(
            "\n{sign_off},\n{first}\n-- \n{person}\n{company}, {street}, {city}\nTel. {phone}",
            "\n{sign_off}\n{person} | {company} | {phone}",
            "\n{sign_off}, {first}\n\nThis message is confidential and meant for {person} only.",
        ),
        below=(
            "This came in {when}, only so that you know the background:\n",
            "Below is what {first} wrote to {first}, skip it if you like.\n",
            "(mail from {person}, for context only)\n",
            "",
        ),
        above=(
            "The rest is only the old thread:\n",
            "(what follows was attached automatically)\n",
            "---------- Forwarded message ----------\n",
            "Context, nothing to do there:\n",
        ),
    ),
    Paste(
        name="chat",
        head=(
            "[{clock}] {nick}: morning all",
            "[{clock}] {nick} joined #{topic}",
            "{nick} ({clock}): anyone here?",
        ),
        lines=(
            "[{clock}] {nick}: {news}",
            "[{clock}] {nick}: lol, {news}",
            "[{clock}] {nick}: @{nick} can you {chore}?",
            "[{clock}] {nick}: sure, {weekday} works",
            "[{clock}] {nick}: {many}? I thought {many}",
            "[{clock}] {nick}: {phone} is {first}, not me",
            "[{clock}] {nick}: +1",
        ),
        tail=("[{clock}] {nick}: ok bye", "[{clock}] {nick} left", "[{clock}] {nick}: afk"),
        below=(
            "From our channel:\n",
            "(copied from the chat of {dept})\n",
            "they talked about it\n",
        ),
        above=(
            "Here is the chat in case you wonder where that comes from:\n",
            "the channel, as a reference:\n",
            "chat log, the others sort the rest out among themselves:\n",
        ),
    ),
    Paste(
        name="notes",
        head=(
            "Notes, {weekday} {date}, {clock}\nChair: {first}, minutes: {person}",
            "# Weekly round {isodate}\nminutes: {person}, absent: {first}",
            "MEETING {date} / {place}",
        ),
        lines=(
            "- {news}",
            "- {topic}: {news}",
            "* {first}: will {chore} until {weekday}",
            "- decided: {first} is going to {chore}",
            "  - {news}",
            "- open question from {first}: {many} or {many}?",
        ),
        tail=("Next round: {date}, {clock}", "End {clock}.", "(no further points)"),
        below=(
            "My notes from {weekday}, and what I have to say is under them:\n",
            "Minutes:\n",
            "",
        ),
        above=(
            "These are the notes behind it, the others do their own parts:\n",
            "Minutes of {weekday}, for the record:\n",
        ),
        inside=("- you, reading this for me: @", "- ***my point for you*** @"),
    ),
    Paste(
        name="log",
        head=(
            "{isodate} {clock}:{seconds} INFO  [main] {word} started, pid {many}",
            'Traceback (most recent call last):\n  File "{module}", line {some}, in {word}',
            "--- {word}.log (last lines) ---",
        ),
        lines=(
            "{isodate} {clock}:{seconds} {level} [{part_name}-{few}] {trouble}",
            "{isodate} {clock}:{seconds} {level} [{part_name}] {trouble}; {trouble}",
            '  File "{module}", line {many}, in {word}_{word}',
            "    at {word}.{word}.{word}({word}.java:{many})",
        ),
        tail=(
            "RuntimeError: {trouble}",
            "{isodate} {clock}:{seconds} INFO  [main] {word} stopped",
            "... {many} more lines",
        ),
        below=(
            "My terminal shows this, {first} looks into it:\n",
            "Ignore the log, {first} already has it:\n",
        ),
        above=(
            "The log got into my clipboard as well, {first} is on it:\n",
            "(for {first} in {dept}:)\n",
        ),
    ),
    Paste(
        name="todo",
        head=("To do, {weekday}", "My list for {date}:", "## {month} list"),
        lines=(
            "[x] {chore} (done {when})",
            "[x] call {company}, {phone}",
            "[ ] {first}: {chore}",
            "[ ] {chore} -> {first} does that",
            "[x] {topic} for {first}, {few} pages",
            "~~{chore}~~ not needed any more",
        ),
        tail=("[x] coffee", "(all the rest is for next week, not for you)", ""),
        below=("This is my list; the line for you stands under it.\n", "So far today:\n"),
        above=("The list it comes from, the rest is done or taken:\n", "my whole list, fyi:\n"),
        inside=(
            "[ ] YOU, please: @",
            "[ ] <- the one for you: @",
            "[ ] assistant: @",
        ),
    ),
    Paste(
        name="forward",
        head=(
            "> {person} wrote on {date}:",
            ">> {first}, {news}",
            "> Forwarded by {person}, {company}",
        ),
        lines=(
            "> {news}",
            "> {news} {news}",
            ">> {news}",
            "> {first}, could you {chore}? {news}",
            "> > {news}",
        ),
        tail=("> {sign_off}, {first}", "> {person}, {street}, {city}", "> sent from my phone"),
        below=("fyi, {first} sent me this:\n", "I was copied on this:\n", ""),
        above=("That is how it started:\n", "(quoted, {first} handles the remainder)\n"),
    ),
)

LEADS: tuple[str, ...] = (
    "What I need from you: ",
    "What I need from you:\n",
    "My request: ",
    "Your part of it: ",
    "So for you there is only this:\n",
    "To you I have only one request. ",
)

ARROWS: tuple[str, ...] = (
    "",
    "",
    "",
    "-> ",
    "\u2192 ",
    "TL;DR: ",
    "In short: ",
    ">>> ",
    "***\n",
)
