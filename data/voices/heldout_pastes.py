"""Held-out wordings: pasted text in long messages. Nothing here may be used in training."""

from __future__ import annotations

from tooldrill.data.voices.frames import Paste

PASTE_RULES: dict[str, tuple[str, ...]] = {
    "errand": (
        "feed the parrot",
        "mow the lawn behind {spot}",
        "rehearse the {topic} song",
        "fetch {few} chairs from {spot}",
        "sweep the stage before {clock}",
        "lend {first} the {thing}",
    ),
    "tale": (
        "{somebody} {deed} {moment}.",
        "Attendance was {some}, up from {few}.",
        "Word has it that {spot} {flaw}.",
        "{company} sponsored {many} euros on {date}.",
        "Rehearsal moved from {clock} to {clock}.",
        "Lost property: {a_thing}, tag {hex}.",
    ),
    "state": ("ok", "failed", "skipped", "pending"),
}

PASTES: tuple[Paste, ...] = (
    Paste(
        name="mail",
        head=(
            "{person} <{mail}>, {isodate}, {clock}:\n\n{first} -",
            "Sender: {mail}\nReceived: {isodate} {clock}\n"
            "Topic: {topic} affairs\n\nTo all members,\n",
        ),
        lines=("{tale}", "{tale} {tale} {tale}", "{first}, do not forget to {errand}."),
        tail=("\nYours, {person}\n{company}\n{street}", "\n~ {first} ~ {phone}"),
        below=("Somebody mailed the following around, it is merely scenery:\n", ""),
        above=("Beneath this line sits an old mail of {first}:\n", "~~~ earlier mail ~~~\n"),
    ),
    Paste(
        name="chat",
        head=("<{nick}> ping\n<{nick}> pong", "{clock} - {first}: hola"),
        lines=(
            "<{nick}> {tale}",
            "<{nick}> {nick}: your turn to {errand}",
            "{clock} - {first}: {tale}",
            "<{nick}> no way, {many}?!",
        ),
        tail=("<{nick}> cu", "*** {nick} quit (timeout)"),
        below=("Overheard in the group:\n", "(group chat, they manage without you)\n"),
        above=("Screenshot text of the group, purely decorative:\n", "what the group said:\n"),
    ),
    Paste(
        name="notes",
        head=("Protocol no. {many}, {city}, {isodate}", "Scribbles {weekday}: chair {person}"),
        lines=("{few}) {tale}", "~ {tale}", "~ {first} volunteers to {errand}"),
        tail=("Adjourned at {clock}.", "signed {person}"),
        below=("Protocol first, my words at the bottom:\n", ""),
        above=("The protocol it stems from, in full:\n",),
        inside=("~ reader of these lines, yours is: @",),
    ),
    Paste(
        name="log",
        head=("job {hex} | host {word}-{few} | {isodate}", "$ ./{word} --quiet\nbuild {hex}"),
        lines=(
            "step {some}: {state} ({many} ms)",
            "[{hex}] {word}: {state}",
            "{clock}:{seconds} {word}.{word} {state} rc={few}",
        ),
        tail=("exit status {few}", "summary: {some} ok, {few} failed"),
        below=("Build output, {first} debugs that already:\n",),
        above=("Leftover console text, a matter for {first}:\n",),
    ),
    Paste(
        name="todo",
        head=("Chores of {weekday}", "backlog {isodate}"),
        lines=("(done) {errand}", "({first}) {errand}", "(cancelled) {errand}, {tale}"),
        tail=("(done) breathe", "eof"),
        below=("Chores; yours is the bottom one.\n",),
        above=("Other chores, all in good hands:\n",),
        inside=("(for the assistant) @", "(yours) @"),
    ),
    Paste(
        name="forward",
        head=("| {person} said {moment}:", "| circular of {company}"),
        lines=("| {tale}", "| {tale} {tale}", "| {first} will {errand}."),
        tail=("| yours truly, {first}", "| {city}, {date}"),
        below=("A circular reached me:\n", ""),
        above=("Source, a circular:\n",),
    ),
)

LEADS: tuple[str, ...] = (
    "The single thing I want of you: ",
    "Assignment: ",
    "You, however: ",
    "My sole wish:\n",
)

ARROWS: tuple[str, ...] = ("", "", "=> ", "Bottom line: ", "\u2014\n", "\u25ba ")
