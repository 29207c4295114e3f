"""The same request in another voice: wording around a draft's prompt, never what it asks.

State, oracle and answer stay as they are. Voices are composed: value forms, a register, remarks
beside the point, pasted text, typos; each has its own share. What is drawn depends on the generator
alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tooldrill.data.tasks.task import Split
from tooldrill.data.values.names import Draw
from tooldrill.data.voices.frames import Stage, frames_of
from tooldrill.data.voices.pastes import put_into_paste
from tooldrill.data.voices.registers import Framed, ended, frame, join, terse
from tooldrill.data.voices.sealed import Sealed, find_whole, seal_prompt
from tooldrill.data.voices.sentences import Kind, Reading, capitalised, read_request
from tooldrill.data.voices.typos import mistype
from tooldrill.data.voices.values import Wanted, reword_values, wanted
from tooldrill.data.worlds.book import Draft

# With other distractors after this many clashes the prompt does without.
_TRIES = 4


@dataclass(frozen=True)
class Voicing:
    """Shares of the voices, each decided for itself.

    Attributes:
        values: of the values that may be said in another form.
        register: of the prompts put in some speaker's way.
        asides: of the prompts with remarks beside the point.
        pastes: of the prompts inside a long message.
        typos: of the prompts with slips.
    """

    values: float = 0.5
    register: float = 0.5
    asides: float = 0.22
    pastes: float = 0.16
    typos: float = 0.2

    def scaled(self, strength: float) -> Voicing:
        """All shares times `strength`, at most 1."""
        return Voicing(
            *(
                min(1.0, share * strength)
                for share in (self.values, self.register, self.asides, self.pastes, self.typos)
            )
        )


DEFAULT = Voicing()
# For prompts that have remarks, pastes and slips of their own.
LIGHT = Voicing(asides=0.0, pastes=0.0, typos=0.0)


def revoice(
    draft: Draft,
    rng: random.Random,
    voicing: Voicing = DEFAULT,
    split: Split = Split.TRAIN,
) -> Draft:
    """The draft with another prompt; `voices` says what was done, `said` the values' new text.

    Args:
        draft: any draft; `said` helps to find its values, the oracle shows the others.
        rng: decides everything.
        voicing: how often which voice is taken.
        split: whose frames may be used.
    """
    frames, grammar = frames_of(split)
    stage = Stage(frames, grammar, Draw(rng))
    wants = wanted(draft.oracle)
    copied = [text for text, _ in wants.texts if len(text) > 1] + list(draft.answer_contains)
    said = [text for _, text in draft.said]
    sealed = seal_prompt(draft.prompt, said, copied)
    voices = [f"value:{kind}" for kind in reword_values(sealed, wants, rng, voicing.values)]
    if voices and _gives_away(sealed.opened(), draft.prompt, [], draft.answer_contains):
        # A date in words may name the very weekday that is asked for.
        sealed, voices = seal_prompt(draft.prompt, said, copied), []
    plain = sealed.text
    voiced = _voiced(draft, sealed, voicing, stage, list(_kept(draft, wants)))
    sealed.text, named = voiced
    news = zip(draft.said, sealed.values, strict=False)
    changed = bool(voices) or sealed.text != plain
    return replace(
        draft,
        prompt=sealed.opened() if changed else draft.prompt,
        said=tuple((name, new or old) for (name, old), new in news),
        voices=(*voices, *named),
    )


def _voiced(
    draft: Draft, sealed: Sealed, voicing: Voicing, stage: Stage, kept: list[str]
) -> tuple[str, list[str]]:
    """The sealed text in another voice, and the names of the voices."""
    draw, plain = stage.draw, sealed.text
    reading = read_request(plain)
    acts = bool(draft.oracle)
    wish = {
        name: draw.chance(getattr(voicing, name))
        for name in ("register", "asides", "pastes", "typos")
    }
    for attempt in range(_TRIES):
        if attempt == _TRIES - 1:
            wish["asides"] = wish["pastes"] = False
        text, voices = _attempt(plain, reading, acts, wish, stage)
        if not _gives_away(text, plain, kept, draft.answer_contains):
            return text, voices
    return plain, []


def _attempt(
    plain: str, reading: Reading, acts: bool, wish: dict[str, bool], stage: Stage
) -> tuple[str, list[str]]:
    draw, voices = stage.draw, []
    asks = reading.kind in (Kind.IMPERATIVE, Kind.REQUEST, Kind.QUESTION)
    framed = Framed("", plain, "", reading.open_end)
    if wish["register"]:
        name, framed = _in_register(plain, reading, asks or acts, stage)
        voices.append(f"register:{name}")
    if wish["asides"]:
        body = _with_asides(framed, acts, stage)
        voices += ["aside"] if body != framed.body else []
        framed = framed._replace(body=body)
    text = join(framed, draw)
    if wish["typos"]:
        typed = mistype(text, draw.rng)
        voices += ["typos"] if typed != text else []
        text = typed
    if wish["pastes"]:
        made = put_into_paste(text, asks, acts, stage)
        if made is not None:
            text = made[0]
            voices.append(f"paste:{made[1]}")
    return text, voices


def _in_register(plain: str, reading: Reading, asks: bool, stage: Stage) -> tuple[str, Framed]:
    draw = stage.draw
    names = ("terse", *stage.frames.registers)
    # Small talk asks for nothing, so nobody frames it as a wish.
    name = draw.pick(names) if asks else "terse"
    if name == "terse":
        return name, Framed("", terse(reading, plain, draw), "", reading.open_end)
    return name, frame(name, plain, reading, stage)


def _with_asides(framed: Framed, acts: bool, stage: Stage) -> str:
    """The body with one to three remarks before it, after it, or on both sides."""
    draw, body = stage.draw, framed.body
    gap = draw.pick((" ", " ", "\n", "\n\n"))
    # Behind a request that lacks its text a remark could be taken for it.
    side = draw.pick(("before", "before", "after", "both")) if acts else "before"
    if side != "before":
        # What follows a bare value must not be read as a part of it.
        seam = draw.pick(("\n", "\n\n")) if framed.open_end else gap
        if remarks := _remarks(acts, stage):
            body = (body if framed.open_end else ended(body)) + seam + remarks
    if side != "after" and (remarks := _remarks(acts, stage)):
        bridge = stage.grammar.expand(draw, draw.pick(stage.frames.bridges))
        body = gap.join(part for part in (remarks, bridge, body) if part)
    return body


def _remarks(acts: bool, stage: Stage) -> str:
    draw, frames = stage.draw, stage.frames
    count = draw.pick((1, 1, 2, 3))
    made = [stage.grammar.expand(draw, aside) for aside in draw.sample(frames.asides, count)]
    if not acts:
        # Where nothing can be done for want of a value, no number may seem to be the missing one.
        made = [remark for remark in made if not any(letter.isdigit() for letter in remark)]
    return " ".join(capitalised(remark) for remark in made)


def _kept(draft: Draft, wants: Wanted) -> Iterator[str]:
    """What no remark may mention: wanted values that could be mistaken."""
    texts = [text for _, text in draft.said] + [text for text, _ in wants.texts]
    numbers = [f"{number:g}" for number in wants.numbers]
    for text in dict.fromkeys(texts + numbers):
        if any(letter.isdigit() or letter.isupper() for letter in text):
            yield text


def _gives_away(text: str, plain: str, kept: list[str], answers: tuple[str, ...]) -> bool:
    """Whether the new words mention a wanted value, or what only the tools can tell."""
    if any(find_whole(text, item) >= 0 and find_whole(plain, item) < 0 for item in kept):
        return True
    new, old = " ".join(text.split()).casefold(), " ".join(plain.split()).casefold()
    items = [" ".join(item.split()).casefold() for item in answers]
    return any(find_whole(new, item) >= 0 and find_whole(old, item) < 0 for item in items)
