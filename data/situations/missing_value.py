"""A value is missing: the prompt no longer says what a required argument needs.

The right reply asks for exactly that, in words. Only values that nothing but the prompt tells are
taken out, and only those of the first call: nothing useful could be done before asking.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

from tooldrill.agent.tool import Parameter
from tooldrill.data.situations.scene import is_plain, staged, words_of
from tooldrill.data.tasks.solve import offered
from tooldrill.data.tasks.task import Ending, Task, TaskKind

NAME = "missing_value"


def situation(task: Task, rng: random.Random) -> Task | None:
    """The task with one needed value left unsaid."""
    if not is_plain(task):
        return None
    tool = offered(task)[task.oracle[0].name]
    arguments = task.oracle[0].arguments
    required = [p for p in tool.parameters if p.required and p.name in arguments]
    for parameter in rng.sample(required, len(required)):
        value = arguments[parameter.name]
        vague = _vague(parameter, value, task, rng)
        prompt = _without(task, value, vague)
        if prompt is None or _in_state(value, task.state):
            continue
        # To ask back with the user's own vague words is to ask for it, too.
        about = words_of(parameter.name, parameter.description, vague)
        about += _NUMBER_WORDS if isinstance(value, int | float) else ()
        return staged(
            task,
            NAME,
            kind=TaskKind.RESTRAIN,
            prompt=prompt,
            oracle=[],
            answer=_question(parameter, rng),
            answer_contains=[],
            answer_mentions=list(dict.fromkeys([parameter.name, *about])),
            ending=Ending.ASK,
            claim=task.answer,
        )
    return None


def _without(task: Task, value: Any, vague: str) -> str | None:
    """The prompt with the value's one mention made vague; None when that cannot be done."""
    for text in _sayings(task, value):
        # Quotes around the value go with it: what is vague is not quoted. A part of something
        # longer (`.json`, `#12`) cannot be made vague.
        pattern = rf"(?<![^\s(])(['\"“`]?){re.escape(text)}(['\"”`]?)(?!\w)(?![.,]\d)"
        found = list(re.finditer(pattern, task.prompt))
        if len(found) != 1 or task.prompt.count(text) != 1:
            continue
        start, end = found[0].span()
        prompt = task.prompt[:start] + vague + task.prompt[end:]
        return prompt[:1].upper() + prompt[1:] if start == 0 else prompt
    return None


def _sayings(task: Task, value: Any) -> Iterator[str]:
    """The texts that may say the value in the prompt."""
    literal = str(value).strip()
    if isinstance(value, bool) or not literal:
        return
    # A placeholder that says the value in other words reads like it once words are dropped.
    for text in task.said.values():
        if text.strip() and _same(text, literal):
            yield text.strip()
    yield literal


def _same(text: str, literal: str) -> bool:
    """Whether a saying is the value but for case, separators and a unit or currency around it."""
    plain = re.sub(r"[\W_]+", "", text).lower()
    wanted = re.sub(r"[\W_]+", "", literal).lower()
    if not wanted:
        return False
    if wanted.isdigit():
        # `EUR 16` says 16; `C16` is a code of something else.
        whole = re.findall(r"(?<![A-Za-z\d])\d+(?![A-Za-z\d])", text.replace(",", ""))
        return whole == re.findall(r"\d+", literal)
    return plain == wanted


def _in_state(value: Any, state: Any) -> bool:
    """Whether the state tells the value, so that a lookup could find it."""
    if isinstance(state, dict):
        items = [*state.keys(), *state.values()]
        return any(_in_state(value, item) for item in items)
    if isinstance(state, list):
        return any(_in_state(value, item) for item in state)
    if isinstance(value, str):
        return isinstance(state, str) and value.lower() in state.lower()
    return bool(state == value)


def _vague(parameter: Parameter, value: Any, task: Task, rng: random.Random) -> str:
    if isinstance(value, int | float):
        return rng.choice(_VAGUE_NUMBERS)
    noun = " ".join(words_of(parameter.name)[:2])
    if task.mask is not None or len(noun) < 4:
        return rng.choice(_VAGUE)
    return rng.choice((*_VAGUE, *_VAGUE_NAMED)).format(noun=noun)


def _question(parameter: Parameter, rng: random.Random) -> str:
    about = parameter.description.strip().split("\n")[0].rstrip(".")
    lowered = about[:1].lower() + about[1:]
    if not about:
        return rng.choice(_BARE_QUESTIONS).format(name=parameter.name)
    return rng.choice(_QUESTIONS).format(name=parameter.name, about=lowered)


_VAGUE = (
    "what we agreed on",
    "the usual",
    "you know what",
    "that thing I mentioned",
    "the same as last time",
    "what I told your colleague",
    "something (I will say what)",
)
_VAGUE_NAMED = (
    "the {noun} we talked about",
    "the usual {noun}",
    "the right {noun}",
    "the {noun} from yesterday's call",
)
_VAGUE_NUMBERS = ("some", "a few", "the usual number", "what we agreed on", "X", "a certain amount")

_NUMBER_WORDS = ("number", "amount", "quantity", "how many", "how much", "figure", "value")

_QUESTIONS = (
    "One thing is missing before I can do that: {about}. What should I use for {name}?",
    "Which {name} do you mean? I need it to go on ({about}).",
    "You did not say {name}, that is: {about}. Could you tell me?",
    "What is the {name}? ({about})",
    "Please tell me the {name} first: {about}.",
    "I can do that as soon as I know the {name} ({about}). Which one should it be?",
)
_BARE_QUESTIONS = (
    "Which {name} do you mean?",
    "One thing is missing before I can do that: the {name}. What should it be?",
    "Please tell me the {name} first.",
)
