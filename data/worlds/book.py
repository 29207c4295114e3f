"""How a world's tasks are worded: templates, their prompts, and the drafts they draw.

Every wording is kept as data, so that a test can prove that no held-out prompt was seen in
training. What a task becomes afterwards (tools offered, history, mask) is `tasks.making`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tooldrill.data.tasks.task import Ending
from tooldrill.data.values.names import Draw

OracleCall = tuple[str, dict[str, Any]]

# A prompt opens with something beside the point this often: attention to what matters is a skill.
ASIDE_SHARE = 0.2


@dataclass(frozen=True)
class Draft:
    """What a template makes of one draw: a task without its id, tools and world.

    Attributes:
        prompt: the user's message.
        state: the world's state before the episode.
        oracle: the calls that solve it; empty when nothing is to be called.
        answer: what the oracle concludes with.
        answer_contains: strings a conclusion must contain.
        needs: tools that must be offered beside the oracle's own (siblings that tempt).
        without: tools that must not be offered (the request then cannot be met).
        ending: what a conclusion must be, where what it contains does not tell.
        said: the values in the prompt: placeholder and text as it stands there, in order.
        voices: how the prompt was reworded, see `tooldrill.data.voices`.
    """

    prompt: str
    state: dict[str, Any]
    oracle: list[OracleCall]
    answer: str
    answer_contains: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    ending: Ending | None = None
    said: tuple[tuple[str, str], ...] = ()
    voices: tuple[str, ...] = ()


Make = Callable[[Draw], Draft]


@dataclass(frozen=True)
class Template:
    """One way to draw tasks: several wordings and the function that fills them.

    Attributes:
        restrain: whether its drafts ask for no call.
        asides: sentences beside the point that may open a prompt.
    """

    name: str
    restrain: bool
    wordings: tuple[str, ...]
    make: Make
    asides: tuple[str, ...] = ()

    def draft(self, rng: random.Random) -> Draft:
        """One draft; everything random in it comes from `rng`."""
        draw = Draw(rng, self.wordings)
        draft = self.make(draw)
        draft = replace(draft, said=draft.said or draw.said)
        if self.asides and draw.chance(ASIDE_SHARE):
            return replace(draft, prompt=f"{draw.pick(self.asides)} {draft.prompt}")
        return draft


@dataclass
class Book:
    """The templates of a world, in the order they were written."""

    asides: tuple[str, ...] = ()
    templates: list[Template] = field(default_factory=list)

    def act(self, *wordings: str) -> Callable[[Make], Make]:
        """Registers the decorated function as a template that needs calls, under its own name."""
        return self._register(wordings, restrain=False)

    def restrain(self, *wordings: str) -> Callable[[Make], Make]:
        """Registers a template in which any call is needless."""
        return self._register(wordings, restrain=True)

    def __add__(self, other: Book) -> Book:
        """The templates of both, all with the asides of both."""
        joined = Book(self.asides + other.asides)
        joined.templates = [
            # A joke or a greeting needs no excuse before it.
            t if t.restrain else replace(t, asides=joined.asides)
            for t in self.templates + other.templates
        ]
        return joined

    @property
    def wordings(self) -> tuple[str, ...]:
        """Every prompt text of the world, placeholders included."""
        return tuple(w for t in self.templates for w in t.wordings) + self.asides

    def _register(self, wordings: tuple[str, ...], *, restrain: bool) -> Callable[[Make], Make]:
        def register(make: Make) -> Make:
            name = make.__name__
            asides = () if restrain else self.asides
            self.templates.append(Template(name, restrain, wordings, make, asides))
            return make

        return register
