"""Prompts of the `config` world in which one call changes something, and the call.

Questions are in `settings_store_lookups`, longer ones in `settings_store_chains`.
"""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from typing import Any

from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft, OracleCall
from tooldrill.data.worlds.settings_store.keys import Store
from tooldrill.data.worlds.settings_store.state import shown

BOOK = Book(
    asides=(
        "The pager went off at four this morning.",
        "Nobody ever documents these things.",
        "I am in the middle of a deployment.",
        "The auditors are here again.",
        "Our old YAML files are finally gone, hooray.",
        "Traffic doubled since the campaign.",
        "Do not ask me why it is named like that.",
        "I am typing this from the server room, it is cold.",
        "Before I forget it again:",
    )
)


@BOOK.act(
    "{key} should be {value}.",
    "Make {key} {value}, please.",
    "{key} -> {value}",
    "We run out of steam, so {value} for {key} from now on.",
    "Could you change {key} so that it says {value}?",
    "{value} is what I want for {key}.",
)
def new_number(draw: Draw) -> Draft:
    store = Store(draw)
    key = store.number(store.section())
    return _set(draw, store, "set_number", key, store.value(key), needs=("set_text",))


@BOOK.act(
    "In {profile}, {key} should be {value}.",
    "{profile} needs {value} as its {key}.",
    "Set it to {value}: I mean {key}, but only for {profile}.",
    "{profile}: {key} = {value}",
    "Leave everyone else alone, just give {profile} the value {value} for {key}.",
)
def new_value_elsewhere(draw: Draw) -> Draft:
    store = Store(draw)
    key = draw.pick((store.number, store.text))(store.section())
    tool = "set_number" if store.keys[key]["type"] == "number" else "set_text"
    needs = ("set_text", "set_number")
    return _set(
        draw, store, tool, key, store.value(key), profile=store.other_profile(), needs=needs
    )


@BOOK.act(
    "{key} is {value} now.",
    "Point {key} at {value}.",
    "Please write {value} into {key}.",
    "They moved: {value} replaces whatever {key} has.",
    "new {key}: {value}",
)
def new_text(draw: Draw) -> Draft:
    store = Store(draw)
    key = store.text(store.section())
    return _set(draw, store, "set_text", key, store.value(key), needs=("set_number",))


def _set(
    draw: Draw,
    store: Store,
    tool: str,
    key: str,
    value: Any,
    *,
    profile: str = "",
    needs: tuple[str, ...],
) -> Draft:
    where = {"profile": profile} if profile else {}
    said = value if isinstance(value, str) else draw.spoken_number(value)
    prompt = draw.say(key=key, value=said, profile=profile)
    calls: list[OracleCall] = [(tool, {"key": key, "value": value, **where})]
    needs = tuple(name for name in needs if name != tool)
    return Draft(prompt, store.state, calls, f"Done: {key} is {value}.", needs=needs)


@BOOK.act(
    "Turn {key} on.",
    "{key} should be active.",
    "We want {key} after all, please enable it.",
    "Support asks for {key} to be switched on.",
    "{key}: yes",
)
def turn_on(draw: Draw) -> Draft:
    return _switch(draw, on=True)


@BOOK.act(
    "Turn {key} off.",
    "{key} has to stop.",
    "Please disable {key}, it does more harm than good.",
    "No more {key}!",
    "We can live without {key} for now.",
)
def turn_off(draw: Draw) -> Draft:
    return _switch(draw, on=False)


def _switch(draw: Draw, *, on: bool) -> Draft:
    store = Store(draw)
    key = store.switch(store.section())
    store.keys[key]["default"] = not on
    calls: list[OracleCall] = [("set_switch", {"key": key, "on": on})]
    answer = f"Done: {key} is {shown(on)}."
    return Draft(draw.say(key=key), store.state, calls, answer, needs=("set_text",))


@BOOK.act(
    "Put {key} back to its default.",
    "Forget what we set for {key}; the built-in value is fine.",
    "{key} needs no value of its own any more.",
    "reset {key}",
    "Whoever changed {key} was wrong. It should be as delivered.",
)
def back_to_default(draw: Draw) -> Draft:
    store = Store(draw)
    key = draw.pick((store.number, store.text))(store.section())
    store.set(key, store.value(key))
    calls: list[OracleCall] = [("unset_setting", {"key": key})]
    answer = f"Done: {key} has its default again."
    return Draft(draw.say(key=key), store.state, calls, answer, needs=("undo_changes",))


@BOOK.act(
    "{key} should be called {new} from now on.",
    "Rename {key}: the right spelling is {new}.",
    "We agreed on {new} as the name of what is {key} today.",
    "{key} => {new} (the name, not the value!)",
)
def better_name(draw: Draw) -> Draft:
    store = Store(draw)
    key = draw.pick((store.number, store.switch))(store.section())
    new = f"{store.section()}.{key.rpartition('.')[2]}"
    calls: list[OracleCall] = [("rename_key", {"key": key, "new_key": new})]
    answer = f"Done: it is called {new}."
    return Draft(draw.say(key=key, new=new), store.state, calls, answer, needs=("set_text",))


@BOOK.act(
    "Nobody may touch {key} any more. Give as the reason: {reason}",
    "Protect {key} against changes, because: {reason}",
    "Please lock {key} and note '{reason}' for whoever wonders.",
    "{key} is frozen! Reason: {reason}",
)
def freeze(draw: Draw) -> Draft:
    store, reason = Store(draw), draw.line()
    key = store.number(store.section())
    calls: list[OracleCall] = [("lock_key", {"key": key, "reason": reason})]
    prompt, answer = draw.say(key=key, reason=reason), f"Done: {key} is locked."
    return Draft(prompt, store.state, calls, answer)


@BOOK.act(
    "Take back the last {count} changes.",
    "The {count} most recent changes were nonsense, revert them.",
    "Oops. Undo my latest {count}, please.",
    "Go back {count} steps.",
    "Act as if the last {count} things somebody set had not happened.",
)
def take_back(draw: Draw) -> Draft:
    store = Store(draw, 1)
    for _ in range(draw.number(4, 6)):
        key = store.text(store.section())
        store.set(key, store.value(key))
    count = draw.number(2, 4)
    calls: list[OracleCall] = [("undo_changes", {"steps": count})]
    answer = f"Done: {count} changes are taken back."
    prompt = draw.say(count=draw.spoken_number(count))
    return Draft(prompt, store.state, calls, answer, needs=("unset_setting",))


@BOOK.act(
    "{percent} percent of {audience} should get {flag}.",
    "Roll {flag} out to {percent}% of {audience}.",
    "Let us try {flag} with {audience} first, {percent} percent of them.",
    "{flag}: {percent} % ({audience})",
    "Out of a hundred among {audience}, {percent} may see {flag}.",
)
def careful_rollout(draw: Draw) -> Draft:
    store = Store(draw, 2)
    flag, percent = draw.pick(list(store.flags)), draw.number(11, 90)
    audience = draw.pick(("staff", "testers"))
    arguments = {"flag": flag, "percent": percent, "audience": audience}
    spoken = draw.pick(_SPOKEN_AUDIENCE[audience])
    prompt = draw.say(flag=flag, percent=draw.spoken_number(percent), audience=spoken)
    answer = f"Done: {percent}% of {audience} get {flag}."
    return Draft(prompt, store.state, [("roll_out_flag", arguments)], answer)


_SPOKEN_AUDIENCE = {
    "staff": ("the staff", "our own people", "the employees", "our colleagues"),
    "testers": ("the testers", "those who test for us", "our test users"),
}


@BOOK.act(
    "Please take over these values:\n{lines}",
    "Ops sent me this, put all of it in:\n\n{lines}",
    "Import that:\n{lines}",
    "Here is what we use from today on. Read it in as it is.\n{lines}",
)
def take_over(draw: Draw) -> Draft:
    store, text = _pasted(draw)
    calls: list[OracleCall] = [("import_lines", {"text": text})]
    return Draft(draw.say(lines=text), store.state, calls, "Done: the values are set.")


@BOOK.act(
    "Would these lines be accepted? How many are there? Do not import them yet.\n{lines}",
    "Only a check, nothing is to change: how many of the lines below are valid?\n{lines}",
    "I want to know whether that could be imported, and how many values it has. Just test it:\n"
    "{lines}",
)
def only_check(draw: Draw) -> Draft:
    store, text = _pasted(draw)
    calls: list[OracleCall] = [("import_lines", {"text": text, "check_only": True})]
    count = f"{len(text.splitlines())} lines"
    answer = f"They would be accepted: {count} are valid."
    return Draft(draw.say(lines=text), store.state, calls, answer, (count,))


def _pasted(draw: Draw) -> tuple[Store, str]:
    """A store and lines that fit into it."""
    store = Store(draw, 1)
    part = store.section()
    makers = (store.number, store.text, store.switch, store.text)
    keys = [make(part) for make in draw.sample(makers, draw.number(2, 4))]
    return store, "\n".join(f"{key} = {shown(store.value(key))}" for key in keys)


@BOOK.act(
    "Bring what {source} has under {prefix} into {target} as well, even where {target} differs.",
    "{target} should have the same {prefix} values as {source}; replace whatever stands there.",
    "Copy {prefix} from {source} to {target} and overwrite, we trust {source} more.",
    "{source} => {target}, only {prefix}, existing values may go",
)
def bring_over(draw: Draw) -> Draft:
    store = Store(draw, 2)
    prefix = store.section()
    source, target = store.active, store.other_profile()
    for key in (store.text(prefix), store.number(prefix)):
        for profile in (source, target):
            store.set(key, store.value(key), profile)
    arguments = {"source": source, "target": target, "prefix": prefix, "overwrite": True}
    prompt = draw.say(source=source, target=target, prefix=prefix)
    answer = f"Done: {target} has the values of {source} under {prefix}."
    return Draft(prompt, store.state, [("copy_settings", arguments)], answer)
