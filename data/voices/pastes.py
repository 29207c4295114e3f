"""Long messy messages: a request of one sentence beside, under or within pasted text."""

from __future__ import annotations

import re
from functools import partial
from itertools import cycle

from tooldrill.data.values.names import Draw
from tooldrill.data.voices.frames import HOLE, Paste, Stage
from tooldrill.data.voices.grammar import MAKERS, Grammar

SHORTEST, LONGEST = 300, 1500

# How many people a paste knows, by slot.
_CAST = (("nick", 4), ("first", 5), ("person", 2))
_STAMP = re.compile(
    r"(?P<open>\[?)(?P<day>\d{4}-\d\d-\d\d )?(?P<time>\d\d:\d\d(?::\d\d,\d{3})?)(?=[\] ])"
)


def put_into_paste(request: str, asks: bool, acts: bool, stage: Stage) -> tuple[str, str] | None:
    """The message and the kind of its paste; None when the request is too long for it.

    Args:
        request: the request as it is put, sealed.
        asks: whether it is a command or question, so that a lead may say so.
        acts: whether something is to be done; if not, the request comes last, so that no pasted
            text can be taken for the one it lacks.
        stage: the split's wordings and what decides.
    """
    frames, grammar, draw = stage
    room = LONGEST - len(request) - 150
    if room < 200:
        return None
    paste = draw.pick(frames.pastes)
    target = draw.number(max(SHORTEST - len(request), 150), room)
    lines = _lines(paste, target, grammar, draw)
    if paste.inside and asks and acts and "\n" not in request and draw.chance(0.5):
        before, after = draw.pick(paste.inside).split(HOLE)
        at = draw.number(1, len(lines) - 1)
        lines.insert(at, grammar.expand(draw, before) + request + after)
        return "\n".join(lines), paste.name
    lead = draw.pick(frames.leads) if asks and draw.chance(0.5) else draw.pick(frames.arrows)
    ask = grammar.expand(draw, lead) + request
    body = "\n".join(lines)
    if not acts or draw.chance(0.55):
        return f"{grammar.expand(draw, draw.pick(paste.below))}{body}\n\n{ask}", paste.name
    return f"{ask}\n\n{grammar.expand(draw, draw.pick(paste.above))}{body}", paste.name


def _lines(paste: Paste, target: int, grammar: Grammar, draw: Draw) -> list[str]:
    """Head, lines and tail: as many as fit into `target` characters, at least one line."""
    cast = {slot: draw.several(partial(MAKERS[slot], draw), number) for slot, number in _CAST}

    def line(options: tuple[str, ...]) -> str:
        # Shuffled for each line, so that nobody in it speaks to himself.
        turns = {slot: cycle(draw.sample(names, len(names))) for slot, names in cast.items()}
        return grammar.expand(draw, draw.pick(options), turns)

    head, tail = line(paste.head), line(paste.tail)
    made = [head]
    size = len(head) + len(tail) + 2
    while size < target:
        new = line(paste.lines)
        if size + len(new) > target and len(made) > 1 and size >= SHORTEST:
            break
        made.append(new)
        size += len(new) + 1
    if len(made) == 1:
        made.append(line(paste.lines))
    return _in_order([*made, tail] if tail else made)


def _in_order(lines: list[str]) -> list[str]:
    """The lines with the times at their beginnings put in order, all on one day."""
    stamps = [(number, _STAMP.match(line)) for number, line in enumerate(lines)]
    found = [(number, stamp) for number, stamp in stamps if stamp is not None]
    times = sorted(stamp["time"] for _, stamp in found)
    for (number, stamp), time in zip(found, times, strict=True):
        day = found[0][1]["day"] or ""
        rest = lines[number][stamp.end() :]
        lines[number] = stamp["open"] + (day if stamp["day"] else "") + time + rest
    return lines
