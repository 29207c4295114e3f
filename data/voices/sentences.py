"""What kind of sentence a request is, so that a frame can hold it without breaking its grammar.

The rules are few and careful: where they are unsure the request counts as a statement, and then
only whole sentences are put around it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from tooldrill.data.values.words import word_list
from tooldrill.data.voices.sealed import MARKS


class Kind(StrEnum):
    """What frames a request can take."""

    IMPERATIVE = "imperative"  # `Put it there.`
    REQUEST = "request"  # `Could you put it there?`
    QUESTION = "question"  # `What is on Friday?`
    STATEMENT = "statement"  # anything else in one sentence
    SEVERAL = "several"  # more than one sentence


@dataclass(frozen=True)
class Reading:
    """A request taken apart.

    Attributes:
        core: what to do as a verb phrase without capital and full stop (`put it there`); for
            questions the question without its mark; else the text as it is.
        open_end: whether it ends in a bare value, so that nothing may follow on the same line.
    """

    kind: Kind
    core: str
    open_end: bool


_VERBS = frozenset(
    word_list(
        """
        accept add adjust allow append apply approve archive arrange assign attach ban bring
        build calculate cancel carry check clean clear close compare compute connect
        continue convert copy correct create cut deactivate decrease define delete deliver
        determine disable display divide double download drop duplicate edit email empty
        enable enter erase establish estimate exclude explain export extend extract fetch
        fill find finish fix flag flip fold format forward free generate get give glue grab
        hand hide hire import include increase insert inspect install invite join keep kill
        launch leave let load locate look lower make merge migrate mute open paint pause pay
        pick print produce publish pull purge push put query raise read rebuild recalculate
        reduce refresh register reject release reload remove rename repair reply replace
        reprice reschedule reserve reset resize resolve restart restore resume retrieve
        retry return reverse revoke rewrite round run save say scan search see select sell
        send separate set shift ship shorten show shut sort split squeeze start stick stop
        strike sum swap switch take tell terminate throw toggle transfer translate trim turn
        unassign unlink unlock unmute unsubscribe update upgrade upload use wipe withdraw
        work write
        """
    )
)
# These are nouns as well: verbs only where an object follows.
_EITHER = frozenset(
    word_list(
        """
        block book change charge count cost exit filter group label limit link list lock log
        mail map mark measure message move name note order page pack park phone place plan
        plot post press price quote range rank rate record report request review schedule
        score sign sample share stock store submit tag test text time track value vote watch
        weigh zip cross
        """
    )
)
_OBJECT = re.compile(
    rf"(?:the|a|an|all|my|our|their|his|her|this|that|these|those|every|each|everything|up|me|what|"
    rf"how|any|down|out|both|it|them)\b|[{MARKS}\"']"
)
_NOT_NEXT = frozenset(word_list("us of it's"))
_YOU = re.compile(r"(?:[Cc]an|[Cc]ould|[Ww]ould|[Ww]ill) you (?:please |kindly )?(.+)", re.DOTALL)
_END = re.compile(rf"(?<=[.!?])[\"')]?\s+(?=[A-Z\"'{MARKS}])|\n")
_PLEASE = re.compile(r"^(?:[Pp]lease|[Kk]indly),? |,? please(?=[.!?]?$)")
_BARE_END = re.compile(
    rf"(?:\n|:|/|<-|->|=|\bsays?|with|as) ?[{MARKS}][.!]?$|[:=>-] ?[^.!?]*[{MARKS}]$"
)
_ASKS = frozenset(
    word_list(
        """
        what who whom whose which when where why how is are was were do does did has have
        had am can could will would may shall should
        """
    )
)


def read_request(text: str) -> Reading:
    """What kind of request a sealed prompt is."""
    text = text.strip()
    open_end = bool(_BARE_END.search(text))
    if len(_END.split(text)) > 1:
        return Reading(Kind.SEVERAL, text, open_end)
    bare = _PLEASE.sub("", text)
    if (asked := _YOU.fullmatch(bare.removesuffix("?"))) and bare.endswith("?"):
        core = asked[1]
        # `Could you write X? as X`: the mark is the request's, whatever stands before it.
        if _is_command(core):
            return Reading(Kind.REQUEST, core, open_end)
        return Reading(Kind.QUESTION, _lower_first(bare.removesuffix("?")), open_end)
    if _is_command(bare):
        core = _lower_first(bare).rstrip("!") if bare.endswith("!") else _lower_first(bare)
        return Reading(Kind.IMPERATIVE, core.removesuffix("."), open_end)
    first = re.match(r"[A-Za-z]+", bare)
    if bare.endswith("?") and first and first[0].lower() in _ASKS:
        return Reading(Kind.QUESTION, _lower_first(bare.removesuffix("?")), open_end)
    return Reading(Kind.STATEMENT, text, open_end)


_INVERTED = re.compile(
    r"(what|who|where|when|which \w+) (is|are|was|were) ((?:the|my|our|their|his|her) [^,;:?]+)"
)
_SUBJECT = re.compile(
    r"(?:who|which \w+|what) (?!is\b|was\b|has\b|does\b)[a-z]+s\b(?! we | you ).+"
)


def as_clause(question: str) -> str | None:
    """The question as a clause after `tell me`, where that is safe; None where it is not.

    `what is the price of it` becomes `what the price of it is`.
    """
    # A second verb (`which file is the one that has ...`) would need more than a swap.
    if re.search(r"\b(that|which|who|according|if|when|because|and|now|today)\b", question[5:]):
        return None
    if found := _INVERTED.fullmatch(question):
        return f"{found[1]} {found[3]} {found[2]}"
    return question if _SUBJECT.fullmatch(question) else None


def capitalised(text: str) -> str:
    """The text with its first letter large, if it begins with one."""
    return text[:1].upper() + text[1:]


def _is_command(text: str) -> bool:
    words = text.split(maxsplit=1)
    if len(words) < 2:
        return False
    first, rest = words[0].lower(), words[1]
    if rest.split()[0].lower() in _NOT_NEXT:
        return False
    return first in _VERBS or (first in _EITHER and _OBJECT.match(rest) is not None)


def _lower_first(text: str) -> str:
    return text if re.match(r"I\b", text) else text[:1].lower() + text[1:]
