"""Prompts of the `config` world that need several calls: later arguments come from observations."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from typing import Any

from tooldrill.data.values.names import Draw
from tooldrill.data.values.spoken import in_words
from tooldrill.data.worlds.book import Book, Draft, OracleCall
from tooldrill.data.worlds.settings_store.keys import Store

BOOK = Book(
    asides=(
        "It is Friday afternoon, I know.",
        "The new colleague asked me and I had no idea.",
        "We had this very thing last year.",
    )
)


@BOOK.act(
    "{key} should last {span}. I do not remember which unit it is in.",
    "Give {key} {span}; look up first what it is measured in.",
    "{span} would be right for {key}, so convert that to whatever it counts.",
    "Please see in which unit {key} is kept and make it {span}.",
)
def in_its_unit(draw: Draw) -> Draft:
    store = Store(draw, 3)
    unit, bigger = draw.pick((("seconds", "minutes"), ("minutes", "hours")))
    key, count = store.number(store.section(), unit), draw.number(2, 14)
    span = f"{in_words(count)} {bigger}"
    calls: list[OracleCall] = [
        ("get_setting", {"key": key, "with_details": True}),
        ("set_number", {"key": key, "value": count * 60}),
    ]
    return Draft(draw.say(key=key, span=span), store.state, calls, f"Done: {key} is {span}.")


@BOOK.act(
    "Use as much as {key} allows.",
    "Raise {key} to the very top of its range.",
    "{key} can never be too large. Find out where it ends and set that.",
    "Set {key} to its maximum, whatever that is.",
)
def to_the_top(draw: Draw) -> Draft:
    store = Store(draw)
    key = store.number(store.section())
    high = store.keys[key]["high"]
    calls: list[OracleCall] = [
        ("get_setting", {"key": key, "with_details": True}),
        ("set_number", {"key": key, "value": high}),
    ]
    answer = f"Done: {key} is {high}."
    return Draft(draw.say(key=key), store.state, calls, answer, (str(high),))


@BOOK.act(
    "{key} is protected, but today it has to become {value}. Protect it again afterwards.",
    "Open {key} just long enough to make it {value}, then close it.",
    "I know there is a lock on {key}. Lift it, put {value} in, put the lock back without a reason.",
    "{key}: unlock, {value}, lock.",
)
def despite_the_lock(draw: Draw) -> Draft:
    store = Store(draw)
    key = store.number(store.section())
    value = store.value(key)
    store.locks[key] = draw.phrase()
    calls: list[OracleCall] = [
        ("unlock_key", {"key": key}),
        ("set_number", {"key": key, "value": value}),
        ("lock_key", {"key": key}),
    ]
    prompt = draw.say(key=key, value=draw.spoken_number(value))
    return Draft(prompt, store.state, calls, f"Done: {key} is {value} and locked again.")


@BOOK.act(
    "{target} of ours should say the same as {source} does in {profile}.",
    "Look what {source} is in {profile} and use that for our own {target}.",
    "Take the value of {source} from the {profile} profile and put it into {target} here.",
    "{profile}'s {source} is the right one. Write it to {target} as well (in our profile).",
)
def same_as_there(draw: Draw) -> Draft:
    store = Store(draw, 3)
    part = store.section()
    source, profile = store.text(part), store.other_profile()
    target = store.text(part, like=source)
    value = store.value(source)
    store.set(source, value, profile)
    calls: list[OracleCall] = [
        ("get_setting", {"key": source, "profile": profile}),
        ("set_text", {"key": target, "value": value}),
    ]
    answer = f"Done: {target} is {value}."
    prompt = draw.say(source=source, target=target, profile=profile)
    return Draft(prompt, store.state, calls, answer, (value,))


@BOOK.act(
    "Everything of ours under {prefix} goes back to its default.",
    "We have tinkered with {prefix} too much. Unset whatever was changed there.",
    "Clean {prefix}: no value that differs from the defaults may remain.",
    "{prefix} as delivered, please. See first what we have set there.",
)
def clean_section(draw: Draw) -> Draft:
    store = Store(draw, 1)
    prefix = store.section()
    keys = [store.number(prefix), store.text(prefix), store.text(prefix), store.switch(prefix)]
    changed = sorted(draw.sample(keys[:3], draw.number(2, 3)))
    for key in changed:
        store.set(key, store.value(key))
    calls: list[OracleCall] = [("list_settings", {"prefix": prefix, "changed_only": True})]
    calls += [("unset_setting", {"key": key}) for key in changed]
    answer = f"Done: {len(changed)} settings have their default again."
    return Draft(draw.say(prefix=prefix), store.state, calls, answer)


@BOOK.act(
    "Swap the values of {one} and {two}.",
    "{one} and {two} were mixed up: each should have what the other has.",
    "Exchange what stands in {one} with what stands in {two}.",
    "{one} <-> {two}, values only",
)
def swapped(draw: Draw) -> Draft:
    store = Store(draw, 2)
    part = store.section()
    one = store.text(part)
    two = store.text(part, like=one)
    first = store.value(one)
    store.set(one, first)
    second = store.value(two)
    store.set(two, second)
    calls: list[OracleCall] = [
        ("get_setting", {"key": one}),
        ("get_setting", {"key": two}),
        ("set_text", {"key": one, "value": second}),
        ("set_text", {"key": two, "value": first}),
    ]
    answer = f"Done: {one} is {second} and {two} is {first}."
    return Draft(draw.say(one=one, two=two), store.state, calls, answer)


@BOOK.act(
    "{old} gets a new name, {new}. Rename all of its settings that way.",
    "Every key that begins with {old}. should begin with {new}. instead.",
    "We are moving {old} to {new}: the keys have to follow, their last part stays.",
    "{old}.* -> {new}.*",
)
def move_section(draw: Draw) -> Draft:
    store = Store(draw, 1)
    old, new = draw.several(store.section, 2)
    keys = sorted(
        make(old) for make in (store.number, store.text, store.switch)[: draw.number(2, 3)]
    )
    calls: list[OracleCall] = [("list_settings", {"prefix": old})]
    calls += [("rename_key", {"key": key, "new_key": new + key[len(old) :]}) for key in keys]
    answer = f"Done: {len(keys)} keys begin with {new}."
    return Draft(draw.say(old=old, new=new), store.state, calls, answer)


@BOOK.act(
    "If {key} is above {limit}, bring it down to {limit}. What was it before?",
    "{key} must not exceed {limit}. Check, correct it if need be, and tell me what you found.",
    "What is {key} at? More than {limit} is too much, in that case make it {limit}.",
    "Cap {key} at {limit}, and let me know the value it had.",
)
def capped(draw: Draw) -> Draft:
    store, above = Store(draw), draw.chance(0.5)
    key = store.number(store.section())
    low, high = store.keys[key]["low"], store.keys[key]["high"]
    limit = draw.number(low + 3, high - 2)
    value = draw.number(limit + 1, high) if above else draw.number(low + 1, limit - 1)
    store.set(key, value)
    calls: list[OracleCall] = [("get_setting", {"key": key})]
    calls += [("set_number", {"key": key, "value": limit})] if above else []
    answer = f"It was {value}, so {f'I made it {limit}' if above else 'it stays as it is'}."
    prompt = draw.say(key=key, limit=limit)
    return Draft(prompt, store.state, calls, answer, (str(value),))


@BOOK.act(
    "{profile} works and {active}, ours, does not. Look where they differ in {prefix} and make "
    "ours equal, one setting at a time.",
    "Compare {prefix} here ({active}) with {profile}; whatever is different, take over from there "
    "by hand.",
    "Our {active} has to look like {profile} under {prefix}. Find the differences and set each "
    "value.",
)
def level(draw: Draw) -> Draft:
    store = Store(draw, 1)
    prefix = store.section()
    profile, calls = store.other_profile(), list[OracleCall]()
    arguments: dict[str, Any] = {"left": store.active, "right": profile, "prefix": prefix}
    calls.append(("compare_profiles", arguments))
    makers = draw.sample((store.number, store.text, store.text), draw.number(2, 3))
    store.switch(prefix)
    for key in sorted(make(prefix) for make in makers):
        value = store.value(key)
        store.set(key, value, profile)
        tool = "set_number" if store.keys[key]["type"] == "number" else "set_text"
        calls.append((tool, {"key": key, "value": value}))
    answer = f"Done: under {prefix}, {store.active} is like {profile} now."
    prompt = draw.say(profile=profile, prefix=prefix, active=store.active)
    return Draft(prompt, store.state, calls, answer, needs=("copy_settings",))


@BOOK.act(
    "Big day for {flag}: {key} is locked, open it and make it what {source} is in {profile}. Lock "
    "it again with the reason '{reason}', then {flag} goes to {percent}% of everyone.",
    "Please do all of this: find out {source} in {profile}, unlock {key}, give it that value, lock "
    "it ('{reason}'), and let {percent} percent of all users have {flag}.",
    "1. {source} of {profile}? 2. unlock {key} 3. same value there 4. lock, reason '{reason}' "
    "5. {flag} for {percent} percent",
)
def launch_day(draw: Draw) -> Draft:
    store, reason = Store(draw, 1), draw.line()
    source = store.text(store.section())
    key = store.text(store.section(), like=source)
    store.locks[key], profile = draw.phrase(), store.other_profile()
    value, flag, percent = store.value(source), draw.pick(list(store.flags)), draw.number(11, 90)
    store.set(source, value, profile)
    calls: list[OracleCall] = [
        ("get_setting", {"key": source, "profile": profile}),
        ("unlock_key", {"key": key}),
        ("set_text", {"key": key, "value": value}),
        ("lock_key", {"key": key, "reason": reason}),
        ("roll_out_flag", {"flag": flag, "percent": percent}),
    ]
    answer = f"Done: {key} is {value} and locked; {percent}% of everyone get {flag}."
    prompt = draw.say(
        key=key, source=source, profile=profile, reason=reason, flag=flag, percent=percent
    )
    return Draft(prompt, store.state, calls, answer)
