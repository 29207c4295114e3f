"""What the checker does to imported conversations: kept, kept at weight 0, or dropped."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tooldrill.agent.call import Call
from tooldrill.agent.messages import (
    call_message,
    conclusion_message,
    malformed_message,
    observation_message,
    user,
)
from tooldrill.agent.tool import Registry, Tool
from tooldrill.data.ingest.contract import to_row
from tooldrill.data.ingest.conversation import Conversation, DroppedError
from tooldrill.data.ingest.observations import is_error
from tooldrill.data.tasks.task import Split
from tooldrill.data.worlds.catalog import get_world, world_names


def tool(name: str, *required: str, **optional: str) -> Tool:
    kinds = {**dict.fromkeys(required, "string"), **optional}
    properties = {key: {"type": kind} for key, kind in kinds.items()}
    return Tool(name, name, {"type": "object", "properties": properties, "required": [*required]})


SHOP = Registry([tool("order_tea", "sort", grams="integer"), tool("brew", "pot", hot="boolean")])
RIGHT = call_message(Call("order_tea", {"sort": "green"}))
SEEN = observation_message("order_tea", "ordered")
END = conclusion_message("Ordered.")


def wrong(name: str = "order_tea", **arguments: Any) -> dict[str, Any]:
    return call_message(Call(name, arguments))


def refused(name: str = "order_tea") -> dict[str, Any]:
    return observation_message(name, "ERROR: refused")


def row(*messages: dict[str, Any], registry: Registry = SHOP, **said: str) -> dict[str, Any]:
    return to_row(Conversation(list(messages), registry, **said), "id", "test")


def reason(*messages: dict[str, Any], registry: Registry = SHOP, **said: str) -> str:
    with pytest.raises(DroppedError) as caught:
        row(*messages, registry=registry, **said)
    return caught.value.reason


ASK = user("Green tea, please.")


def weights(made: dict[str, Any]) -> list[int]:
    return [m.get("weight", 1) for m in made["messages"] if m["role"] == "assistant"]


def test_a_clean_conversation_is_kept_whole() -> None:
    made = row(ASK, RIGHT, SEEN, END)
    assert made["messages"] == [ASK, RIGHT, SEEN, END]
    assert {k: v for k, v in made.items() if k not in ("messages", "tools")} == {
        "trace_id": "id", "world": "", "split": "train", "template": "", "kind": "act",
        "violation": "", "source": "test",
    }  # fmt: skip
    assert made["tools"] == SHOP.to_openai()


@pytest.mark.parametrize(
    ("breach", "kind"),
    [
        (wrong(sort="green", hot=True), "borrowed_argument"),
        (wrong(sort="green", size=1), "invented_argument"),
        (wrong(), "missing_argument"),
        (wrong(sort=1), "wrong_type"),
        (wrong("order_coffee", sort="green"), "unknown_tool"),
        (malformed_message("<tool_call>{"), "malformed_call"),
    ],
)
def test_a_refused_breach_that_is_repaired_stays_as_context(
    breach: dict[str, Any], kind: str
) -> None:
    refusal = user("ERROR: no") if breach.get("malformed") else refused()
    made = row(ASK, breach, refusal, RIGHT, SEEN, END)
    assert weights(made) == [0, 1, 1]
    assert (made["kind"], made["violation"]) == ("recover", kind)
    # The same, carried out as if nothing were wrong, teaches the breach.
    unseen = user("fine") if breach.get("malformed") else SEEN
    assert reason(ASK, breach, unseen, RIGHT, SEEN, END) == f"violation:{kind}"
    # Refused and left at that, nobody knows what would have been right.
    assert reason(ASK, breach, refusal) == f"unrepaired:{kind}"


def test_repair_means_the_same_tool() -> None:
    breach = wrong(sort=1)
    brewed = [call_message(Call("brew", {"pot": "a"})), observation_message("brew", "ok")]
    assert reason(ASK, breach, refused(), *brewed, END) == "unrepaired:wrong_type"
    assert weights(row(ASK, breach, refused(), *brewed, RIGHT, SEEN, END)) == [0, 1, 1, 1]


def test_finishing_as_a_call_is_repaired_by_finishing() -> None:
    finish = wrong("final_answer", text="done")
    made = row(ASK, RIGHT, SEEN, finish, refused("final_answer"), END)
    assert weights(made) == [1, 0, 1]
    assert made["violation"] == "terminator_as_tool"


def test_an_error_that_breaks_no_rule_is_not_learned_either() -> None:
    made = row(ASK, wrong(sort="blue"), observation_message("order_tea", "ERROR: none left"),
               RIGHT, SEEN, END)  # fmt: skip
    assert weights(made) == [0, 1, 1]
    assert (made["kind"], made["violation"]) == ("recover", "")
    assert reason(ASK, wrong(sort="blue"), refused()) == "ends_with_error"
    assert reason(ASK, RIGHT, SEEN, {**END, "weight": 0}) == "ends_with_error"


def test_the_same_failing_call_again_is_a_breach() -> None:
    again = wrong(sort="blue")
    made = row(ASK, again, refused(), again, refused(), RIGHT, SEEN, END)
    assert weights(made) == [0, 0, 1, 1]
    assert made["violation"] == "repeated_failure"


def test_a_call_at_the_end_needs_no_observation() -> None:
    assert weights(row(ASK, RIGHT)) == [1]
    trimmed = row(ASK, RIGHT, SEEN)
    assert trimmed["messages"] == [ASK, RIGHT]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("ERROR: x", True),
        ("Error: x", True),
        ('{"error": "x"}', True),
        ('{"status": "failed"}', True),
        ('{"error": null, "value": 1}', False),
        ('{"status": "ok"}', False),
        ("{", False),
        ("No errors found", False),
        ("[1]", False),
        ("{'error': 'no such town', 'code': None}", True),
        ('{"name": "f", "content": {"error": "x"}}', True),
        ('[{"name": "f", "results": {"status": "Error"}}]', True),
        ('[{"results": {"error": "x"}}, {"results": {"value": 1}}]', False),
        ('{"success": false, "message": "full"}', True),
        ('{"results": [], "error": "", "success": true}', False),
        ('{"status": {"error": 0}}', False),
    ],
)
def test_what_counts_as_an_error(text: str, error: bool) -> None:
    assert is_error(text) is error


def test_heldout_worlds_tools_parameters_and_wordings_do_not_come_in() -> None:
    for name in world_names(Split.HELDOUT):
        assert reason(ASK, END, world=name) == "heldout_world"
        for one in get_world(name).registry:
            assert reason(ASK, END, registry=Registry([*SHOP, one])) == "heldout_tool"
            if one.parameters:
                renamed = Registry([*SHOP, Tool("x_y", "", one.schema)])
                assert reason(ASK, END, registry=renamed) == "heldout_parameters"
    assert reason(ASK, END, world="forge-h-000007") == "heldout_world"
    camel = Registry([tool("bookEvent", "a")])
    assert reason(ASK, END, registry=camel) == "heldout_tool"


def test_a_request_in_a_heldout_wording_does_not_come_in() -> None:
    found = 0
    for name in world_names(Split.HELDOUT):
        for wording in get_world(name).book.wordings:
            filled = wording.replace("{", "").replace("}", "")
            if len(wording.partition("{")[0].split()) < 6:
                continue
            found += 1
            assert reason(user(f"Hello! {filled.upper()}"), END) == "heldout_wording"
    assert found > 5


def test_training_worlds_do_come_in() -> None:
    for name in world_names(Split.TRAIN):
        registry = get_world(name).registry
        assert row(ASK, END, registry=registry, world=name)["world"] == name


def test_the_row_is_json() -> None:
    made = row(ASK, RIGHT, SEEN, END)
    assert json.loads(json.dumps(made)) == made


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "order_tea", "arguments": {"sort": "green"}}',
        '<tool_call>{"name": "order_tea", "arguments": {}}</tool_call>',
        'Gladly.\n```json\n{"tool": "order_tea", "args": {"sort": "green"}}\n```',
        'order_tea(sort="green")',
    ],
)
def test_a_call_that_was_left_in_the_text_is_no_conclusion(text: str) -> None:
    assert reason(ASK, conclusion_message(text)) == "call_in_text"
    # As context, with weight 0, it teaches nothing.
    unlearned = {**conclusion_message(text), "weight": 0}
    assert weights(row(ASK, unlearned, user("Well?"), RIGHT)) == [0, 1]
    assert row(ASK, conclusion_message('Stock: {"green": 4}'))["kind"] == "restrain"


def test_thinking_is_left_out_of_every_reply() -> None:
    thought = {**RIGHT, "content": "<think>\nGreen it is.\n</think>\n\nI order."}
    made = row(ASK, thought, SEEN, conclusion_message("</think>\nOrdered."))
    assert [m["content"] for m in made["messages"]] == [
        ASK["content"], "I order.", "ordered", "Ordered.",
    ]  # fmt: skip
    raw = malformed_message("<think>hm")
    kept = row(ASK, raw, user("ERROR: no"), RIGHT, SEEN, END)["messages"][1]
    assert kept["content"] == "<think>hm"
