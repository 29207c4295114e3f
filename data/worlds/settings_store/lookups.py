"""Prompts of the `config` world that ask for something, and the call that finds it out."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft, OracleCall
from tooldrill.data.worlds.settings_store.keys import Store

BOOK = Book()


@BOOK.act(
    "What is {key} right now?",
    "Current value of {key}?",
    "Tell me what {key} is set to.",
    "I have to write {key} into a report. What do we use?",
    "{key}, please - just read it out.",
)
def value_now(draw: Draw) -> Draft:
    store = Store(draw)
    key = draw.pick((store.number, store.text))(store.section())
    value = store.value(key)
    store.set(key, value)
    calls: list[OracleCall] = [("get_setting", {"key": key})]
    return Draft(draw.say(key=key), store.state, calls, f"{key} is {value}.", (str(value),))


@BOOK.act(
    "What does {profile} use for {key}?",
    "And in {profile}, what is {key} there?",
    "{profile} / {key} = ?",
    "I am not asking about ours but about {profile}: which value has {key}?",
    "Look at the profile {profile} and tell me its {key}.",
)
def value_elsewhere(draw: Draw) -> Draft:
    store = Store(draw)
    key, profile = store.text(store.section()), store.other_profile()
    value = store.value(key)
    store.set(key, value, profile)
    calls: list[OracleCall] = [("get_setting", {"key": key, "profile": profile})]
    prompt, answer = draw.say(key=key, profile=profile), f"{profile} uses {value}."
    return Draft(prompt, store.state, calls, answer, (value,))


@BOOK.act(
    "How high may {key} go at most?",
    "Is there an upper limit for {key}? Which?",
    "I would like to know the largest number that {key} accepts.",
    "{key}: maximum?",
    "What is the most we could give {key}?",
)
def upper_limit(draw: Draw) -> Draft:
    store = Store(draw)
    key = store.number(store.section())
    high = str(store.keys[key]["high"])
    calls: list[OracleCall] = [("get_setting", {"key": key, "with_details": True})]
    return Draft(draw.say(key=key), store.state, calls, f"{key} goes up to {high}.", (high,))


@BOOK.act(
    "Which settings under {prefix} did we change?",
    "{prefix}: what is not at its default there?",
    "Below {prefix}, show me only what somebody has set by hand.",
    "I only care for our own values in {prefix}, not for the defaults. Which are there?",
)
def set_by_hand(draw: Draw) -> Draft:
    store = Store(draw, 2)
    prefix = store.section()
    keys = [store.number(prefix), store.text(prefix), store.switch(prefix)]
    changed = draw.pick(keys)
    store.set(changed, store.value(changed))
    calls: list[OracleCall] = [("list_settings", {"prefix": prefix, "changed_only": True})]
    answer = f"Only {changed} was changed."
    return Draft(draw.say(prefix=prefix), store.state, calls, answer, (changed,))


@BOOK.act(
    "Where do {left} and {right} differ below {prefix}?",
    "{left} behaves unlike {right}. It must be something in {prefix}; which key is it?",
    "Compare {prefix} between {left} and {right}. What is not the same?",
    "diff {left} {right}, only {prefix}",
)
def difference(draw: Draw) -> Draft:
    store = Store(draw, 2)
    prefix = store.section()
    key, _ = store.text(prefix), store.switch(prefix)
    left, right = store.active, store.other_profile()
    store.set(key, store.value(key), right)
    arguments = {"left": left, "right": right, "prefix": prefix}
    calls: list[OracleCall] = [("compare_profiles", arguments)]
    prompt = draw.say(left=left, right=right, prefix=prefix)
    return Draft(prompt, store.state, calls, f"They differ in {key}.", (key,))
