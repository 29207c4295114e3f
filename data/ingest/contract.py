"""From an imported conversation to a row of the SFT set, or the reason why it is none.

Every call is checked against the conversation's own tools. A breach is kept only as context: its
turn has weight 0, it was answered with an error, and a later turn repairs it. Thinking is left out:
it is the model's own, and not what is to be learned.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile
from typing import Any

from tooldrill.agent.call import Call, PastCall
from tooldrill.agent.checker import check_calls, rejected_arguments
from tooldrill.agent.episode import Message
from tooldrill.agent.messages import call_message
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.protocols.thinking import split_thinking
from tooldrill.agent.tool import Registry
from tooldrill.agent.violation import ViolationClass
from tooldrill.data.ingest.conversation import Conversation, DroppedError
from tooldrill.data.ingest.heldout import refuse_heldout
from tooldrill.data.ingest.observations import is_error
from tooldrill.data.tasks.task import Split, TaskKind

Row = dict[str, Any]

_LARGEST = 2**63 - 1


@dataclass(frozen=True)
class _Turn:
    """One assistant message and what the checker says of it.

    Attributes:
        at: its index in the messages.
        call: None for a conclusion and for what could not be read.
        breach: the first class it violates.
        error: whether it was answered with an error.
    """

    at: int
    call: Call | None
    breach: ViolationClass | None
    error: bool
    learn: bool

    @property
    def right(self) -> bool:
        return self.learn and self.breach is None and not self.error


def to_row(conversation: Conversation, trace_id: str, source: str) -> Row:
    """The row, in the shape of `tooldrill.data.traces.Trace.row`.

    Args:
        trace_id: unique in the set.
        source: where it comes from, as the column says it.

    Raises:
        DroppedError: when it cannot be used.
    """
    messages = _one_call_each([_spoken(message) for message in conversation.messages])
    _require_order(messages)
    _require_plain_conclusions(messages)
    registry = conversation.registry
    requests = [str(m["content"]) for m in messages if m["role"] == "user"]
    refuse_heldout(conversation.world, registry, requests)
    turns = list(_judged(messages, registry))
    _require_use(turns)
    wrong = {turn.at for turn in turns if not turn.right}
    messages = messages[: turns[-1].at + 1]  # nothing after the last reply is learned
    row: Row = {
        "messages": [{**m, "weight": 0} if i in wrong else m for i, m in enumerate(messages)],
        "tools": registry.to_openai(),
        "trace_id": trace_id,
        "world": conversation.world,
        "split": str(Split.TRAIN),
        "template": conversation.template,
        "kind": conversation.kind or str(_kind(turns)),
        "violation": str(next((t.breach for t in turns if t.breach), conversation.violation)),
        "source": source,
    }
    _require_storable(row)
    return row


def ends_with_several(conversation: Conversation) -> bool:
    """Whether the last turn makes several calls, of which a row keeps the first alone."""
    last = conversation.messages[-1] if conversation.messages else {}
    return len(last.get("tool_calls") or ()) > 1


def without_thinking(text: str) -> str:
    """A reply without the thinking before it, nor the tokens that end a turn.

    Raises:
        DroppedError: when the thinking never ended.
    """
    thinking = split_thinking(text)
    if thinking is None:
        raise DroppedError("endless_thinking", text.strip()[:80])
    return text if thinking.rest == text else thinking.rest.strip()


def _spoken(message: Message) -> Message:
    if message["role"] != "assistant" or message.get("malformed"):
        return message
    text = str(message.get("content") or "")
    spoken = without_thinking(text)
    return message if spoken == text else {**message, "content": spoken}


def _one_call_each(messages: list[Message]) -> list[Message]:
    """Turns with several calls taken apart, each call followed by its own observation.

    Where the conversation ends with several calls, the first is what a loop that makes one at a
    time would make: it is kept alone.
    """
    made: list[Message] = []
    index = 0
    while index < len(messages):
        message = messages[index]
        index += 1
        answers = list(takewhile(lambda m: m["role"] == "tool", messages[index:]))
        calls = message.get("tool_calls") or []
        if message["role"] == "tool" or (answers and not calls):
            raise DroppedError("stray_observation", "an observation that no call asked for")
        index += len(answers)
        if len(calls) <= 1:
            if len(answers) > len(calls):
                raise DroppedError("stray_observation", "more observations than calls")
            if calls and not answers and index < len(messages):
                raise DroppedError("missing_observation", calls[0]["function"]["name"])
            made += [message, *answers]
            continue
        if not answers and index == len(messages):
            made.append({**message, "tool_calls": calls[:1]})
            continue
        if len(answers) != len(calls):
            raise DroppedError(
                "parallel_calls", f"{len(calls)} calls in a turn, {len(answers)} observations"
            )
        made += _apart(message, answers)
    return made


def _apart(message: Message, answers: list[Message]) -> Iterator[Message]:
    thought = str(message.get("content") or "")
    for item, answer in zip(message["tool_calls"], answers, strict=True):
        call = Call(item["function"]["name"], item["function"]["arguments"])
        yield call_message(call, thought, learn=message.get("weight", 1) != 0)
        yield answer
        thought = ""


def _require_order(messages: list[Message]) -> None:
    """Refuses an order that no loop could have made."""
    roles = [m["role"] for m in messages]
    if "assistant" not in roles:
        raise DroppedError("no_reply")
    first = next((index for index, role in enumerate(roles) if role != "system"), 0)
    if roles[first] != "user" or not str(messages[first]["content"]).strip():
        raise DroppedError("no_prompt")
    if "system" in roles[first:]:
        raise DroppedError("broken_order", "a system message after the first one of the user")
    for before, after in pairwise(roles):
        if before == after == "assistant":
            raise DroppedError("broken_order", "two replies with nothing between them")
    if any(m["role"] == "assistant" and not _says_something(m) for m in messages):
        raise DroppedError("empty_reply")


def _require_plain_conclusions(messages: list[Message]) -> None:
    """Refuses a conclusion that is a call in some notation: learned, it would be prose."""
    for message in messages:
        learned = message["role"] == "assistant" and message.get("weight", 1) != 0
        if not learned or message.get("tool_calls") or message.get("malformed"):
            continue
        text = str(message["content"])
        if get_protocol("native").parse(text).conclusion is None:
            raise DroppedError("call_in_text", text.strip()[:80])


def _says_something(message: Message) -> bool:
    return bool(message.get("tool_calls") or str(message.get("content") or "").strip())


def _judged(messages: list[Message], registry: Registry) -> Iterator[_Turn]:
    past: list[PastCall] = []
    for index, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        answer = messages[index + 1] if index + 1 < len(messages) else None
        error = answer is not None and is_error(str(answer["content"]))
        turn = _Turn(index, None, None, False, message.get("weight", 1) != 0)
        if message.get("malformed"):
            yield replace(turn, breach=ViolationClass.MALFORMED_CALL, error=error)
            past.append(PastCall(Call(""), error))
        elif message.get("tool_calls"):
            function = message["tool_calls"][0]["function"]
            call = Call(function["name"], function["arguments"])
            found = check_calls([call], registry, past)
            yield replace(turn, call=call, breach=found[0].kind if found else None, error=error)
            past.append(PastCall(call, error, rejected_arguments(found)))
        else:
            yield turn


def _require_use(turns: list[_Turn]) -> None:
    """Refuses a conversation with a breach that is not made good, and one that ends in error."""
    for number, turn in enumerate(turns):
        if turn.breach is None:
            continue
        if turn.learn and not turn.error:
            raise DroppedError(f"violation:{turn.breach}", _named(turn))
        if not any(_repairs(later, turn) for later in turns[number + 1 :]):
            raise DroppedError(f"unrepaired:{turn.breach}", _named(turn))
    if not turns[-1].right:
        raise DroppedError("ends_with_error", _named(turns[-1]))


def _repairs(later: _Turn, wrong: _Turn) -> bool:
    """Whether the turn is what the wrong one should have been, as far as can be told."""
    if not later.right:
        return False
    if wrong.breach is ViolationClass.TERMINATOR_AS_TOOL:
        return later.call is None
    if wrong.call is None or wrong.breach is ViolationClass.UNKNOWN_TOOL:
        return True
    if wrong.breach is ViolationClass.REPEATED_FAILURE:
        return True
    return later.call is not None and later.call.name == wrong.call.name


def _named(turn: _Turn) -> str:
    return turn.call.name if turn.call else ""


def _kind(turns: list[_Turn]) -> TaskKind:
    if all(turn.call is None and turn.breach is None for turn in turns):
        return TaskKind.RESTRAIN
    return TaskKind.ACT if all(turn.right for turn in turns) else TaskKind.RECOVER


def _require_storable(row: Row) -> None:
    """Refuses what JSON or Parquet would change or refuse."""
    try:
        json.dumps(row, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise DroppedError("bad_text", "half of a surrogate pair") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise DroppedError("not_json", str(error)) from error
    if _has_large_number([row["messages"], row["tools"]]):
        raise DroppedError("number_too_large", "an integer beyond 64 bits")


def _has_large_number(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_large_number(inner) for inner in value.values())
    if isinstance(value, list):
        return any(_has_large_number(inner) for inner in value)
    return isinstance(value, int) and not -_LARGEST <= value <= _LARGEST
