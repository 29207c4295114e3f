"""What was drawn for one example, and the three examples that can be made of it.

A call; an answer because no tool fits; an answer that asks for what is missing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tooldrill.agent.call import Call
from tooldrill.agent.checker import check_calls
from tooldrill.agent.tool import Registry, Tool
from tooldrill.data.harvest.clauses import Clause, clause, quoted
from tooldrill.data.harvest.example import Single, Statement
from tooldrill.data.harvest.operation import Operation
from tooldrill.data.harvest.prose import noun_phrase, short_label, singular
from tooldrill.data.harvest.values import Argument
from tooldrill.data.harvest.voices import compose, to_asker, upper_first
from tooldrill.data.harvest.wording import Asked, asked, core
from tooldrill.data.tasks.task import Split, TaskKind
from tooldrill.data.values.names import Draw

_CLEAR = frozenset({"create", "delete", "read", "write"})  # verbs that never stand for each other
_NAMES = frozenset({"name", "title", "project", "domain", "user"})  # kinds given to something new
_ANCHORS = _NAMES | {"id", "arn", "resource", "path", "uuid", "email", "url", "region", "token"}

_NO_TOOL = (
    "I would like to {c}, but none of my tools can do that.",
    "I have no tool to {c}.",
    "That is not possible here: nothing I have can {c}.",
    "I cannot {c}: there is no tool for it among mine.",
    "Sorry, I have nothing with which to {c}.",
    "None of the tools at hand does that, so I cannot {c}.",
)
_NO_TOOL_ASKED = (
    "I cannot look that up: none of my tools does that.",
    "I have no tool that could answer this.",
    "Sorry, nothing I have can tell.",
)
_MISSING = (
    "I need the {n} for that: what is it?",
    "What is the {n}? Without it I cannot go on.",
    "Please tell me the {n} first.",
    "You did not say the {n}. What should it be?",
    "Happy to do it once I know the {n}.",
)


_WHICH = "Which {n} do you mean?"


@dataclass(frozen=True)
class Plan:
    """What was drawn.

    Attributes:
        named: the operations with their tools, the wanted one first.
        arguments: what the wanted one is called with, all required ones among them.
    """

    draw: Draw
    split: Split
    service: str
    template: str
    named: tuple[tuple[Operation, Tool], ...]
    arguments: tuple[Argument, ...]

    @property
    def target(self) -> Operation:
        return self.named[0][0]

    @property
    def tool(self) -> Tool:
        return self.named[0][1]

    @property
    def ask(self) -> Asked:
        return asked(self.target)

    def act(self) -> Single | None:
        """A call; None when something of it could not be said or is not valid."""
        registry = self._registry([tool for _, tool in self.named])
        call = Call(self.tool.name, {a.name: a.value for a in self.arguments})
        said, prompt, statements = self._request(self.arguments)
        if not said:
            return None
        if check_calls([call], registry):
            return None
        if not all(_stands(statement.text, prompt) for statement in statements):
            return None
        return Single(
            prompt, registry, call, _concluding(said), self.template,
            TaskKind.ACT, self.split, self.service, statements,
        )  # fmt: skip

    def no_tool(self) -> Single | None:
        """The same request where the tool for it is not offered, nor one that could do it too."""
        others = [
            tool
            for operation, tool in self.named[1:]
            if not could_mean(asked(operation), self.ask) and operation.source != "stdlib"
        ]
        if len(others) < 2:
            return None
        said, prompt, _ = self._request(self.arguments)
        if not said:
            return None
        if said.endswith("?"):
            answer = self.draw.pick(_NO_TOOL_ASKED)
        else:
            answer = self.draw.pick(_NO_TOOL).replace("{c}", to_asker(said))
        return self._restrained(prompt, self._registry(others), answer, "no_tool")

    def missing(self) -> Single | None:
        """The request without something that the tool requires."""
        needed = [
            a
            for a in self.arguments
            if a.name in self._required
            and len(a.leaves) == 1
            and isinstance(a.value, str | int)
            # Of a switch, or of a page's token, nobody would be asked.
            and not isinstance(a.value, bool)
        ]
        if not needed:
            return None
        gone = self.draw.pick(needed)
        kept = [a for a in self.arguments if a is not gone]
        said, prompt, _ = self._request(kept)
        if not said:
            return None
        leaf = gone.leaves[0]
        noun = noun_phrase(leaf.description) or leaf.label
        noun = re.sub(r"\barn(s?)\b", r"ARN\1", noun)
        if noun in ("name", "id", "ARN") and self.ask.object:
            noun = f"{noun} of the {singular(' '.join(self.ask.object))}"
        forms = _MISSING if " of " in noun else (*_MISSING, _WHICH)
        answer = self.draw.pick(forms).replace("{n}", noun)
        registry = self._registry([tool for _, tool in self.named])
        return self._restrained(prompt, registry, answer, "missing")

    @property
    def _required(self) -> frozenset[str]:
        return frozenset(p.name for p in self.tool.parameters if p.required)

    def _restrained(self, prompt: str, registry: Registry, answer: str, why: str) -> Single:
        absent = () if self.tool.name in registry else (self.tool.name,)
        return Single(
            prompt, registry, None, upper_first(answer), f"{self.template}.{why}",
            TaskKind.RESTRAIN, self.split, self.service, (), absent,
        )  # fmt: skip

    def _registry(self, tools: Sequence[Tool]) -> Registry:
        return Registry(self.draw.sample(tools, len(tools)))

    def _request(self, arguments: Sequence[Argument]) -> tuple[str, str, tuple[Statement, ...]]:
        """What is asked, the whole message, and where in it each value is said."""
        draw, ask = self.draw, self.ask
        anchor = next((a for a in arguments if self._is_anchor(a)), None)
        value, named = "", False
        statements: list[Statement] = []
        if anchor is not None and draw.chance(0.85):
            leaf = anchor.leaves[0]
            value = quoted(draw, leaf, leaf.said)
            named = (
                ask.verb_class == "create" and leaf.kind is not None and (leaf.kind.name in _NAMES)
            )
            statements.append(Statement(leaf.path, leaf.value, leaf.said))
        said = core(draw, self.target, value, named=named)
        plural = ask.plural and ask.group == "read"
        taken: set[str] = set()
        rest = [a for a in arguments if not (value and a is anchor)]
        clauses = [clause(draw, a, taken, plural) for a in draw.sample(rest, len(rest))]
        for one in clauses:
            statements += [Statement(*stated) for stated in one.stated]
        return said, compose(draw, said, _in_order(clauses)), tuple(statements)

    def _is_anchor(self, argument: Argument) -> bool:
        """Whether the argument says which one is meant, so that it can stand beside the object."""
        leaf = argument.leaves[0]
        if len(argument.leaves) > 1 or len(leaf.path) > 1 or leaf.kind is None:
            return False
        if leaf.kind.name not in _ANCHORS or not self.ask.verb or not self.ask.object:
            return False
        short = short_label(leaf.name).lower().split()
        things = self.ask.things
        if leaf.label.lower() in ("name", "id", "arn", "identifier"):
            return not (self.ask.plural and self.ask.group == "read")
        return things[-len(short) :] == tuple(singular(word) for word in short)


def _concluding(said: str) -> str:
    """What would be said when the call is done."""
    if said.endswith("?"):
        return "Here is what I found."
    return f"Done: {to_asker(said)}."


def could_mean(other: Asked, wanted: Asked) -> bool:
    """Whether a request for `wanted` could be met by `other`, as far as the names say."""
    ours, theirs = set(wanted.things), set(other.things)
    if not (ours <= theirs or theirs <= ours):
        return False
    both_clear = other.group in _CLEAR and wanted.group in _CLEAR
    return not both_clear or other.group == wanted.group


def _stands(text: str, prompt: str) -> bool:
    """Whether the text stands in the prompt as words of its own."""
    at = prompt.find(text)
    while at >= 0:
        before, after = prompt[max(0, at - 1) : at], prompt[at + len(text) :][:1]
        if not (_joins(before, text[:1]) or _joins(text[-1:], after)):
            return True
        at = prompt.find(text, at + 1)
    return False


def _joins(left: str, right: str) -> bool:
    """Whether two characters belong to one word."""
    return all(c.isalnum() or c == "_" for c in (left or " ", right or " "))


def _in_order(clauses: Sequence[Clause]) -> list[Clause]:
    """What says where or of what first, switches last: so it reads as people write."""

    def place(one: Clause) -> int:
        if one.text.startswith(("and ", "but ")):
            return 2
        return 0 if _PLACES.match(one.text) else 1

    return sorted(clauses, key=place)


# `for projects/acme`: a place without a name for it.
_PLACES = re.compile(r"(of|for|on|in|under|below|over in|at|over) (account )?\S+$")
