"""Requests: what is asked, from the operation's own verb and description, in a person's voice.

The verb becomes what people say for it (nobody "describes" instances), the object comes from the
operation's name or the first sentence of its description.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tooldrill.data.harvest.operation import Operation
from tooldrill.data.harvest.prose import (
    a_or_an,
    imperative,
    is_plural,
    sentences,
    singular,
    words,
)
from tooldrill.data.values.names import Draw
from tooldrill.data.values.words import word_list

# Verbs that ask for the same thing, with ways to say them of `{o}`, an object with its article.
CLASSES: dict[str, tuple[str, ...]] = {
    "read": (
        "show me {o}", "get me {o}", "look up {o}", "pull up {o}", "fetch {o}", "check {o}",
        "let me see {o}", "find {o}", "tell me about {o}", "get {o}",
    ),
    "create": ("create {o}", "set up {o}", "make {o}", "add {o}", "create {o}"),
    "delete": ("delete {o}", "remove {o}", "get rid of {o}", "drop {o}", "delete {o}"),
    "update": ("update {o}", "change {o}", "adjust {o}", "modify {o}"),
    "put": ("put {o} in place", "write {o}", "set {o}", "store {o}"),
    "start": ("start {o}", "kick off {o}", "launch {o}", "get {o} going"),
    "stop": ("stop {o}", "halt {o}", "shut {o} down"),
    "cancel": ("cancel {o}", "call off {o}", "abort {o}"),
    "enable": ("enable {o}", "turn on {o}", "switch {o} on"),
    "disable": ("disable {o}", "turn off {o}", "switch {o} off"),
}  # fmt: skip
_VERBS = {
    "read": "get list describe fetch retrieve read show lookup view",
    "create": "create insert add new register",
    "delete": "delete remove deregister",
    "update": "update patch modify edit change",
    "put": "put",
    "start": "start launch begin initiate",
    "stop": "stop halt",
    "cancel": "cancel abort",
    "enable": "enable activate",
    "disable": "disable deactivate",
}
CLASS_OF = {verb: name for name, verbs in _VERBS.items() for verb in verbs.split()}
_OTHER_VERBS = frozenset(
    word_list(
        """
        abandon accept access acknowledge acquire advance advertise aggregate allocate allow
        alter amend analyze annotate appeal append apply approve archive assign associate assume
        attach augment authorize batch bind build bulk bundle calculate check claim classify
        clear clone close collect commit compare complete compose compress compute confirm
        connect continue convert copy count deauthorize debug decline decode decompress decrease
        decrypt dedent define deidentify deliver demote deny deploy deprecate deprovision
        destroy detach detect disallow disassociate discard disconnect discover dismiss dispose
        dissociate distribute download drain drop encode encrypt end enroll enumerate escalate
        escape establish estimate evaluate evict exchange execute expire export extend failover
        filter finalize find finish flush forget format generate grant guess hide ignore
        impersonate import increase indent index infer ingest initialize inject insert inspect
        install instantiate invalidate invite invoke issue join lease leave link load lock
        manage mark match merge migrate monitor mount move normalize notify open optimize
        override parse pause peer perform poll populate predict prepare preview probe process
        promote provide provision publish pull purchase purge push query quote rate rebalance
        reboot rebuild recall receive recognize record recrawl recreate redact redeem redrive
        refresh regenerate register reidentify reject rejoin release reload rename render renew
        reopen reorder repair replace replicate report request reschedule resend reserve reset
        resize resolve respond restart restore resume resync retire retry reverse revert revoke
        rollback rotate route run save scale scan schedule search seek select send set share
        shorten shrink sign simulate skip snapshot split stream submit subscribe suggest
        summarize suspend swap switch sync synchronize synthesize tag terminate test train
        transfer transition translate trash trigger troubleshoot truncate tune unapprove
        unarchive unassign undelete undeploy undo unenroll unhide unlink unlock unquote
        unregister unshare unsubscribe untag untrash upgrade upload upsert validate verify wait
        watch wipe withdraw wrap write
        """
    )
)
_GROUPS = {
    "put": "write", "update": "write", "set": "write", "replace": "write", "search": "read",
    "query": "read", "scan": "read", "find": "read", "discover": "read", "view": "read",
}  # fmt: skip
_QUESTIONS = ("which {o} are there", "what {o} do we have", "do we have any {o}",
              "can you tell me which {o} exist")  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What an operation does, read from its name.

    Attributes:
        verb: its first word; empty when that is no verb.
        object: the words of what it is done to.
    """

    verb: str
    object: tuple[str, ...]

    @property
    def verb_class(self) -> str:
        return CLASS_OF.get(self.verb, self.verb)

    @property
    def head(self) -> str:
        """The noun that the object is about: `tags` in `tags for resource`."""
        before = [i for i, word in enumerate(self.object) if word in _PREPOSITIONS]
        at = before[0] - 1 if before and before[0] else len(self.object) - 1
        return self.object[at] if self.object else ""

    @property
    def joined(self) -> bool:
        """Whether a preposition stands inside the object."""
        return any(word in _PREPOSITIONS for word in self.object)

    @property
    def plural(self) -> bool:
        return self.verb == "list" or is_plural(self.head)

    @property
    def group(self) -> str:
        """The verb's class, classes that one wording could mean taken together."""
        return _GROUPS.get(self.verb_class, self.verb_class)

    @property
    def things(self) -> tuple[str, ...]:
        """The object's words as they compare."""
        return tuple(singular(word).lower() for word in self.object)

    @property
    def key(self) -> tuple[str, tuple[str, ...], bool]:
        """Equal for two operations that one request could mean."""
        return self.group, self.things, self.plural and self.group == "read"


def asked(operation: Operation) -> Asked:
    """Verb and object of the operation."""
    found = words(operation.method)
    resource = words(operation.resource)
    first, rest = (found[0].lower(), found[1:]) if found else ("", ())
    if first in ("batch", "bulk") and rest and _is_verb(rest[0].lower()):
        first, rest = rest[0].lower(), rest[1:]
        resource = resource or ()
    if operation.source == "stdlib" or not _is_verb(first):
        return Asked("", (*found, *resource))
    if not resource:
        return Asked(first, rest)
    if rest:
        owned = tuple(singular(word) for word in resource)
        # `getGoogleUpdated` of `lodging`: what it is like stands before the thing.
        like = rest[-1].lower().endswith("ed")
        return Asked(first, (*rest, *owned) if like else (*owned, *rest))
    owner = resource if first == "list" else (*resource[:-1], singular(resource[-1]))
    return Asked(first, owner)


def _is_verb(word: str) -> bool:
    return word in CLASS_OF or word in _OTHER_VERBS


_UNSAID = re.compile(
    r"https?:|\bAPI\b|[Dd]eprecated|operation|request|method|\d{3}|[<>{}\[\]`*|=]"
    r"|with the (specified|given)"
)
_CUT = re.compile(
    r"\s*\([^)]*\)|,? (?:which|that you|where|whose|so that|when you|if you|for more|by using)\b.*"
    r"|[;:].*| - .*|,? (?:or|and|then) [a-z]+s (?:an?|the|it|any|all|one)\b.*"
)
# Where things lie is said by the value of `parent`.
_WITHIN = re.compile(
    r"\s+(?:in|under|within|of|for) (?:an?|the) (?:given |specified )?"
    r"(?:projects?|parents?|locations?)(?:,? (?:and|or) (?:an? |the )?(?:region|location))*(?=$|,)"
)
_PREPOSITIONS = frozenset(
    word_list(
        """
        for by from in to of with on within per via
        """
    )
)
_SPECIFIED = re.compile(
    r"\b(the|an?|your)? ?(specified|given|provided|requested|supplied|specific) ", re.IGNORECASE
)
_LONGEST_CORE = 90


def described_core(operation: Operation) -> str:
    """The first sentence of the description as a request; empty when it makes none."""
    first = next(iter(sentences(operation.description)), "")
    if not first or first.endswith("…") or _UNSAID.search(first):
        return ""
    text = _WITHIN.sub("", _CUT.sub("", first)).strip(" ,")
    head, _, rest = text.partition(" ")
    verb = imperative(head) or (head.lower() if _is_verb(head.lower()) else "")
    if head in ("Return", "Returns", "Gets", "Retrieves", "Describes", "Provides"):
        verb = "give me"
    if not verb or not rest or len(text) > _LONGEST_CORE:
        return ""
    if rest.startswith(("of ", "to ", ",")) or _is_verb(imperative(rest.split(" ")[0].title())):
        # `Return (code, output) of ...` without its brackets; `Batch adds testers`.
        return ""
    rest = _SPECIFIED.sub(
        lambda m: f"{'the' if not m[1] or m[1].lower() != 'your' else 'my'} ", rest
    )
    return f"{verb} {rest}"


def says_object(core: str, ask: Asked) -> bool:
    """Whether the words of the object stand in the sentence, so that no sibling could be meant."""
    text = {singular(w).lower() for w in re.findall(r"[A-Za-z]+", core)}
    return all(singular(word).lower() in text for word in ask.object)


def core(draw: Draw, operation: Operation, anchor: str, *, named: bool) -> str:
    """What is asked, as an imperative in lower case; a question when it ends with `?`.

    Args:
        anchor: the value that says which one; empty when a clause says it.
        named: whether the anchor is a name that is given to something new.

    Returns:
        Nothing when neither the name nor the description says what is done.
    """
    ask = asked(operation)
    described = described_core(operation)
    if not ask.verb:
        return described
    if not anchor and described and says_object(described, ask) and draw.chance(0.4):
        return described
    if not ask.object:
        return described
    said = " ".join(ask.object)
    if (
        ask.plural
        and not anchor
        and not ask.joined
        and ask.verb_class == "read"
        and (draw.chance(0.3))
    ):
        return draw.pick(_QUESTIONS).format(o=said) + "?"
    known = CLASSES.get(ask.verb_class)
    forms = known if known and draw.chance(0.85) else (f"{_spoken(ask.verb)} {{o}}",)
    return draw.pick(forms).replace("{o}", _object(draw, ask, said, anchor, named))


def _spoken(verb: str) -> str:
    return {"describe": "show", "list": "list", "put": "set", "insert": "add"}.get(verb, verb)


def _object(draw: Draw, ask: Asked, said: str, anchor: str, named: bool) -> str:
    one = " ".join((*ask.object[:-1], singular(ask.object[-1])))
    if anchor and named:
        return draw.pick(
            (f"{a_or_an(one)} called {anchor}", f"a new {one} called {anchor}",
             f"{a_or_an(one)} named {anchor}", f"the {one} {anchor}")
        )  # fmt: skip
    if anchor and ask.joined:
        return f"the {said} {anchor}"
    if anchor:
        return draw.pick(
            (f"the {one} {anchor}", f"{one} {anchor}", f"the {one} {anchor}", f"the {anchor} {one}")
        )
    if ask.plural:
        return draw.pick((f"the {said}", f"all {said}", f"our {said}", f"the {said}"))
    if ask.verb_class == "create":
        return draw.pick((a_or_an(said), f"a new {said}"))
    return draw.pick((f"the {said}", f"the {said}", f"our {said}"))
