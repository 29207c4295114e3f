"""The wordings of voices: how many there are, and that held-out ones are nowhere in training."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from itertools import product

from tooldrill.data.tasks.task import Split
from tooldrill.data.voices.frames import HOLE, frames_of
from tooldrill.data.voices.revoice import Voicing, revoice
from tooldrill.data.worlds.book import Draft
from tooldrill.data.worlds.catalog import WORLDS, get_world

NEVER = Voicing(0.0, 0.0, 0.0, 0.0, 0.0)


def test_frames_fit_into_a_line() -> None:
    for split in Split:
        frames, grammar = frames_of(split)
        for text in frames.texts():
            assert max(map(len, text.split("\n"))) <= 100, text
        for register in frames.registers.values():
            for framed in register.commands + register.questions + register.clauses:
                assert framed.count(HOLE) == 1
        assert grammar.rules is not None


def test_there_are_hundreds_of_thousands_of_framings() -> None:
    """Wordings alone, names and numbers not counted."""
    frames, grammar = frames_of(Split.TRAIN)

    def ways(texts: tuple[str, ...]) -> int:
        total = 0
        for text in set(texts):
            one = 1
            for slot in re.findall(r"\{(\w+)\}", text):
                one *= grammar.count(slot)
            total += one
        return total

    asides = ways(frames.asides)
    registers = sum(
        ways(r.commands) * ways(r.openers) * ways(r.closers) for r in frames.registers.values()
    )
    assert asides > 10_000
    assert registers > 10_000
    assert asides * registers > 10**8


def test_the_splits_share_no_run_of_five_words() -> None:
    runs = {split: five_word_runs(list(frames_of(split)[0].texts())) for split in Split}
    assert len(runs[Split.TRAIN]) > 200
    assert len(runs[Split.HELDOUT]) > 100
    assert not runs[Split.TRAIN] & runs[Split.HELDOUT]
    texts = {split: {t for t in frames_of(split)[0].texts() if " " in t} for split in Split}
    assert not texts[Split.TRAIN] & texts[Split.HELDOUT]


def test_training_frames_share_no_run_with_heldout_worlds() -> None:
    frames = five_word_runs(list(frames_of(Split.TRAIN)[0].texts()))
    for name, world in WORLDS.items():
        if world.split is Split.HELDOUT:
            assert not frames & five_word_runs(list(get_world(name).book.wordings)), name


def five_word_runs(texts: list[str]) -> set[tuple[str, ...]]:
    """Five words in a row between gaps."""
    found = set()
    for text in texts:
        for part in re.split(r"\{\w+\}|@|\n", text.casefold()):
            words = re.findall(r"[a-z']+", part)
            found |= set(zip(*(words[n:] for n in range(5)), strict=False))
    return found


def test_splits_use_their_own_frames() -> None:
    call = ("append_file", {"path": "notes.md", "content": "x y"})
    draft = Draft("Put 'x y' into notes.md.", {}, [call], "Done.")
    only = replace(NEVER, register=1.0, asides=1.0)
    prompts = {
        split: {revoice(draft, random.Random(n), only, split).prompt for n in range(400)}
        for split in Split
    }
    terse_or_bare = 60
    assert len(prompts[Split.TRAIN] & prompts[Split.HELDOUT]) < terse_or_bare
    for one, other in product(Split, Split):
        if one is not other:
            openers = {t for r in frames_of(one)[0].registers.values() for t in r.closers}
            plain = [o for o in openers if len(o) > 12 and "{" not in o]
            assert plain
            assert not any(o in prompt for o in plain for prompt in prompts[other])
