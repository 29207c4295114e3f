"""Words out of documentation and identifiers: plain sentences, noun phrases, labels.

What authors wrote is shortened here, never reworded. How a request is worded: see `wording`.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache

from tooldrill.data.values.words import word_list

# Boxes beside the text: they warn of other things than what the operation does.
_BOXES = re.compile(r"<(important|note|caution|warning)>.*?(</\1>|$)", re.DOTALL)
# In front of the description proper: for which fleets, for which clients.
_LEAD = re.compile(r"<b>\s*This API works with[^<]*</b>[^<]*")
_TAG = re.compile(r"<[^>]+>")
_SPACE = re.compile(r"\s+")
_SENTENCE_END = re.compile(r"(?<!e\.g)(?<!i\.e)(?<!etc)(?<!vs)[.!?](?=\s+[A-Z*`]|$)")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)|\[([^\]]+)\]\[[^\]]*\]")
_MARKED = re.compile(r"^((Required|Optional|Input only|Immutable|Identifier)\.\s*)+")

_WORD = re.compile(r"[A-Z]+\d*(?=[A-Z][a-z])|[A-Z]?[a-z]+\d*|[A-Z]+\d*|\d+")
_ACRONYM_PLURAL = re.compile(r"([A-Z]{2,})s(?=[A-Z]|$)")

# Longest documentation that is looked at: the first sentences are all that is ever shown.
_READ = 2500


def plain_text(documentation: str) -> str:
    """Documentation without HTML, boxes and Markdown links, on one line."""
    text = documentation[:_READ]
    if "<" in text:
        text = html.unescape(_TAG.sub(" ", _BOXES.sub(" ", _LEAD.sub(" ", text))))
    text = _LINK.sub(lambda match: match[1] or match[2], text)
    return _SPACE.sub(" ", text).replace(" .", ".").replace(" ,", ",").strip()


def sentences(text: str) -> list[str]:
    """The sentences of plain text, without their final stop."""
    found, start = [], 0
    for match in _SENTENCE_END.finditer(text):
        found.append(text[start : match.start()].strip())
        start = match.end()
    found.append(text[start:].strip())
    return [sentence for sentence in found if sentence]


def summary(documentation: str, limit: int) -> str:
    """The first sentences that fit into `limit` characters; a longer first one is cut at a word."""
    text = _MARKED.sub("", plain_text(documentation))
    kept = ""
    for sentence in sentences(text):
        longer = f"{kept} {sentence}.".strip()
        if len(longer) > limit:
            break
        kept = longer
    if kept or not text:
        return kept
    cut = text[: limit - 1].rsplit(" ", 1)[0].rstrip(" ,;:(-")
    return f"{cut}…"


@lru_cache(maxsize=65536)
def words(identifier: str) -> tuple[str, ...]:
    """The words of an identifier in lower case, short acronyms as they are.

    `DBInstanceId` -> (`DB`, `instance`, `id`); `max_results` -> (`max`, `results`).
    """
    joined = _ACRONYM_PLURAL.sub(lambda m: m[1].capitalize() + "s", identifier)
    found = _WORD.findall(joined.replace("IPv4", "Ipv4").replace("IPv6", "Ipv6"))
    return tuple(w if w.isupper() and 1 < len(w) <= 4 else w.lower() for w in found)


def label(identifier: str) -> str:
    """The identifier as words: `user pool id`."""
    return " ".join(words(identifier))


_TAILS = frozenset({"id", "ids", "name", "names", "arn", "arns", "identifier", "identifiers"})


def short_label(identifier: str) -> str:
    """The thing an identifier is of: `user pool` for `UserPoolId`."""
    found = list(words(identifier))
    while len(found) > 1 and found[-1].lower() in _TAILS:
        found.pop()
    return " ".join(found)


_NOUN_PHRASE = re.compile(
    r"^(?:(?:Specifies|Indicates|Contains|Defines|Represents|Provides|Returns) )?"
    r"(?:(?:The|A|An|the|a|an|Your|your) |(?=(?:Name|ID|Identifier|Type) of ))(?P<noun>.+)$"
)
_PHRASE_END = re.compile(
    r"\s(?:to|that|which|for|whose|where|when|used|in|on|with|from|by|if|is|are|you|being|as|and|"
    r"or|must|can|should|will|at|we|it|has|have|this|into|containing|associated)\b|[,.;:(]|\s-\s"
)
_PLAIN = re.compile(r"^[A-Za-z][A-Za-z' -]*$")
_MOST_WORDS = 5
_PROPER = frozenset({"Amazon", "Google", "Cloud", "Kubernetes", "Lambda", "Region", "Docker"})
_DANGLING = frozenset({"the", "a", "an", "your", "one", "following", "number of", "list"})


@lru_cache(maxsize=65536)
def noun_phrase(description: str) -> str:
    """What a parameter is by its description: `name of the bucket`; empty when there is none."""
    text = re.sub(r"\s*\([^)]*\)", "", description)
    match = _NOUN_PHRASE.match(text)
    if match is None:
        return ""
    noun = text[match.start("noun") :]
    noun = _PHRASE_END.split(noun, maxsplit=1)[0].strip()
    noun = noun.replace("Amazon Resource Name", "ARN").replace(" specified ", " ")
    split = noun.split()
    if not _PLAIN.match(noun) or not 1 <= len(split) <= _MOST_WORDS or split[-1] == "of":
        return ""
    if split[-1].lower() in _DANGLING:
        return ""
    first = split[0]
    if first in _PROPER:
        return noun
    return noun if first.isupper() or not first[1:].islower() else noun[0].lower() + noun[1:]


_VOWEL = re.compile(r"^(?:[aeioAEIO]|u[^ns]|un[^i]|[FHLMNRSX](?:[A-Z]|\b))")


def a_or_an(noun: str) -> str:
    """The noun with its indefinite article."""
    return f"{'an' if _VOWEL.match(noun) else 'a'} {noun}"


_NO_PLURAL = (
    "ss", "us", "is", "news", "dns", "aws", "tls", "alias", "ios", "kubernetes", "canvas", "lens",
    "redis", "https", "bias", "atlas", "gas", "analytics", "nfs", "efs", "sns", "sqs", "eks", "ecs",
    "rds", "kms", "sms", "gps", "vhs", "xss", "cors", "os",
)  # fmt: skip


def is_plural(word: str) -> bool:
    """Whether an English noun looks plural."""
    low = word.lower()
    return low.endswith("apis") or (low.endswith("s") and not low.endswith(_NO_PLURAL))


def singular(word: str) -> str:
    """The singular of a regular English plural; other words as they are."""
    if not is_plural(word) or len(word) < 4:
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes", "zzes", "buses", "statuses", "aliases")):
        return word[:-2]
    return word[:-1]


_THIRD_PERSON = re.compile(r"^[A-Z][a-z]+s$")
_NO_VERBS = frozenset(
    word_list(
        """
        This Does Has Is Was As Its Days Resources Settings Details Options Policies Versions
        Status Always Less Access Users Tags Instances Files
        """
    )
)


def imperative(word: str) -> str:
    """`delete` for `Deletes`; empty when the word is no verb in the third person."""
    if not _THIRD_PERSON.match(word) or word in _NO_VERBS or word.endswith("ss"):
        return ""
    low = word.lower()
    if low.endswith("ies"):
        return low[:-3] + "y"
    if low.endswith(("sses", "xes", "ches", "shes", "zzes")):
        return low[:-2]
    return low[:-1]
