"""Prompts of the `config` world that need no call."""

# ruff: noqa: D103 - a template says what it is about in its wordings

from __future__ import annotations

from tooldrill.data.tasks.task import Ending
from tooldrill.data.values.names import Draw
from tooldrill.data.worlds.book import Book, Draft
from tooldrill.data.worlds.settings_store.keys import Store, section

BOOK = Book()


@BOOK.restrain(
    "The {topic} servers hum along nicely today.",
    "{name} says the last change did wonders. Cheers!",
    "Just so you know, {name} takes over the night shift.",
    "all quiet here, {name} went home",
    "I will have some settings for {name}'s team next week.",
)
def config_pleasantries(draw: Draw) -> Draft:
    reply = draw.pick(
        (
            "Good to know. I have not changed anything.",
            "Thanks for telling me! Come back when a setting needs attention.",
            "Noted; the store stays as it is.",
        )
    )
    prompt = draw.say(name=draw.first_name(), topic=draw.topic())
    return Draft(prompt, Store(draw, 2).state, [], reply)


@BOOK.restrain(
    "In the name {key}, which is the last part? You need not look it up.",
    "What stands behind the last dot of {key}?",
    "{key} - how would one call just its tail, after the final dot?",
    "Settle a bet: the part of {key} that follows the last dot is...?",
)
def last_part(draw: Draw) -> Draft:
    store = Store(draw, 1)
    key = store.switch(section(draw))
    tail = key.rpartition(".")[2]
    return Draft(draw.say(key=key), store.state, [], f"It is {tail}.", (tail,))


@BOOK.restrain(
    "Now {wish}.",
    "While you are at it, {wish}, would you?",
    "{name} needs you to {wish}.",
    "Are you able to {wish}? Then please do.",
    "next task: {wish}",
)
def beyond_config(draw: Draw) -> Draft:
    wish, short = draw.pick(
        (
            (f"reboot the machine {section(draw)}", "reboot machines"),
            (f"order more memory from {draw.company()}", "order hardware"),
            (f"open an account for {draw.person()}", "open accounts"),
            (f"write a test for the {draw.topic()} module", "write tests"),
            (f"measure how fast the line to {draw.city()} is", "measure a network"),
            (f"call {draw.company()} about the outage", "call anybody"),
        )
    )
    prompt = draw.say(wish=wish, name=draw.first_name())
    answer = f"That is out of my reach: I cannot {short}, only work on the settings."
    return Draft(prompt, Store(draw, 2).state, [], answer, ending=Ending.ADMIT)


@BOOK.restrain(
    "Rename {key} to {new}.",
    "{key} has a silly name. {new} would be better, change that.",
    "Could {key} be called {new}, please?",
)
def no_renaming(draw: Draw) -> Draft:
    store = Store(draw, 1)
    key, new = store.number(section(draw)), f"{section(draw)}.{draw.word()}"
    answer = f"I have no tool that renames a setting, so {key} keeps its name."
    prompt = draw.say(key=key, new=new)
    return Draft(prompt, store.state, [], answer, without=("rename_key",), ending=Ending.ADMIT)


@BOOK.restrain(
    "Take back what was changed last.",
    "undo the latest change please, {name} is furious",
    "Revert that last one, {name} did not want it.",
    "The change {name} made a minute ago has to be undone.",
    "One step back, please! {name} agrees.",
)
def no_undoing(draw: Draw) -> Draft:
    store = Store(draw, 1)
    key = store.text(section(draw))
    store.set(key, store.value(key))
    answer = "I am afraid that undoing is not among my tools."
    prompt = draw.say(name=draw.first_name())
    # What was set once could be unset, which comes to the same.
    without = ("undo_changes", "unset_setting")
    return Draft(prompt, store.state, [], answer, without=without, ending=Ending.ADMIT)


@BOOK.restrain(
    "Change {key}.",
    "{key} is wrong, fix it.",
    "{name} complains about {key}. Set it to something better.",
    "Would you adjust {key}, please?",
    "{key} needs another value.",
)
def no_value_given(draw: Draw) -> Draft:
    store = Store(draw, 2)
    key = draw.pick((store.number, store.text))(section(draw))
    answer = draw.pick((f"Which value should {key} get?", f"To what should I set {key}?"))
    return Draft(
        draw.say(key=key, name=draw.first_name()), store.state, [], answer, ending=Ending.ASK
    )


@BOOK.restrain(
    "Copy everything from {profile}.",
    "I want all values of {profile} copied over.",
    "{profile} has the good settings; copy them for me.",
    "Please clone {profile}.",
)
def copy_without_target(draw: Draw) -> Draft:
    store = Store(draw, 2)
    profile = store.other_profile()
    answer = f"Into which profile should I copy the values of {profile}?"
    return Draft(draw.say(profile=profile), store.state, [], answer, ending=Ending.ASK)


@BOOK.restrain(
    "{key} is {value} already, I have just set it myself. So that is settled.",
    "No change to {key} please: it stands at {value}, exactly as agreed.",
    "I wanted {value} for {key}, and that is what it has. Leave it.",
    "False alarm about {key}. It has been {value} all along.",
)
def config_settled(draw: Draw) -> Draft:
    store = Store(draw, 1)
    key = store.number(section(draw))
    value = store.value(key)
    store.set(key, value)
    answer = f"Good, then {key} stays at {value}."
    return Draft(draw.say(key=key, value=value), store.state, [], answer)
