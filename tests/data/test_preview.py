"""What is learned, to the character: exact segments, then how they are shown."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

import pytest

from tooldrill.agent.call import Call
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.messages import (
    call_message,
    conclusion_message,
    observation_message,
    user,
)
from tooldrill.agent.protocols.catalog import PROTOCOLS, get_protocol
from tooldrill.agent.render import ChatTemplate, bundled_template
from tooldrill.data.corrupt.damage import damaged_message, for_protocol, refusal_of
from tooldrill.data.pairs import make_pairs
from tooldrill.data.sets.blocks import make_traces
from tooldrill.data.sets.preview import LEARNED_BRACKETS, LEARNED_STYLE, previews, to_html, to_text
from tooldrill.data.sets.segments import Segment, renderings, segments, side_row
from tooldrill.data.settings import DataSettings
from tooldrill.data.tasks.task import Split
from tooldrill.data.traces import Trace
from tooldrill.data.worlds.catalog import world_names

TEMPLATE = ChatTemplate(bundled_template(), "", "<|im_end|>")
STOP = "<|im_end|>"
TOOL = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Add a line.",
        "parameters": {
            "type": "object",
            "properties": {"text": {"type": "string"}},
            "required": ["text"],
        },
    },
}
WRONG = damaged_message(Call("add", {"text": "<b>"}), "markdown_fence", learn=False)
ROW = {
    "trace_id": "demo-1",
    "violation": "malformed_call",
    "tools": [TOOL],
    "messages": [
        user("Add it."),
        WRONG,
        refusal_of(WRONG),
        call_message(Call("add", {"text": "<b>"})),
        observation_message("add", "added"),
        conclusion_message("It is in.\n"),
    ],
}


@pytest.fixture(scope="module")
def traces() -> list[Trace]:
    worlds = list(world_names(Split.TRAIN))
    settings = DataSettings(worlds=worlds, traces=60, recovery=0.3, voices=0.0, situations=0.0)
    return make_traces(settings, settings.worlds, settings.traces)


def learned(pieces: list[Segment]) -> list[str]:
    return [piece.text for piece in pieces if piece.learned]


def test_the_learned_text_of_a_native_row() -> None:
    pieces = segments(ROW, TEMPLATE, get_protocol("native"))
    assert learned(pieces) == [
        '<tool_call>{"name": "add", "arguments": {"text": "<b>"}}</tool_call><|im_end|>',
        "It is in.\n<|im_end|>",
    ]
    assert pieces[0].text.endswith("<|im_start|>assistant\n")
    assert '```json\n{"name": "add"' in pieces[0].text
    assert pieces[-1] == Segment("\n")


def test_the_learned_text_of_the_same_row_in_react_json() -> None:
    pieces = segments(ROW, TEMPLATE, get_protocol("react_json"))
    assert learned(pieces) == [
        '{"thought": "", "action": "add", "args": {"text": "<b>"}}<|im_end|>',
        '{"thought": "", "conclusion": "It is in.\\n"}<|im_end|>',
    ]
    assert '```json\n{"thought": "", "action": "add"' in pieces[0].text
    assert "ERROR: Write the JSON object itself" in pieces[0].text


@pytest.mark.parametrize("name", list(PROTOCOLS))
def test_segments_join_to_the_full_rendering_and_alternate(name: str, traces: list[Trace]) -> None:
    protocol = get_protocol(name)
    for trace in traces:
        row = trace.row()
        pieces = segments(row, TEMPLATE, protocol)
        full = TEMPLATE.render(
            for_protocol(row["messages"], protocol),
            row["tools"],
            protocol,
            add_generation_prompt=False,
        )
        assert "".join(piece.text for piece in pieces) == full
        runs = [len(list(group)) for _, group in groupby(piece.learned for piece in pieces)]
        assert set(runs) == {1}


@pytest.mark.parametrize("name", list(PROTOCOLS))
def test_every_learned_segment_is_one_turn_up_to_its_stop_token(
    name: str, traces: list[Trace]
) -> None:
    protocol = get_protocol(name)
    for trace in traces:
        messages = trace.row()["messages"]
        turns = [m for m in messages if m["role"] == "assistant" and m.get("weight", 1) != 0]
        texts = learned(segments(trace.row(), TEMPLATE, protocol))
        assert texts == [protocol.write(turn) + STOP for turn in turns]


def test_a_turn_of_weight_0_is_not_learned(traces: list[Trace]) -> None:
    protocol = get_protocol("native")
    wrong = 0
    for trace in traces:
        row = trace.row()
        turns = [m for m in row["messages"] if m["role"] == "assistant"]
        wrong += sum(m.get("weight", 1) == 0 for m in turns)
        # In order and one by one: a wrong conclusion may say what the right one says later.
        right = [protocol.write(m) + STOP for m in turns if m.get("weight", 1) != 0]
        assert learned(segments(row, TEMPLATE, protocol)) == right
    assert wrong >= 18


def test_of_a_pair_only_the_reply_is_learned(traces: list[Trace]) -> None:
    protocol = get_protocol("native")
    for pair in make_pairs(traces, 30, seed=0):
        chosen = segments(side_row(pair, "chosen"), TEMPLATE, protocol)
        rejected = segments(side_row(pair, "rejected"), TEMPLATE, protocol)
        assert chosen[0] == rejected[0]
        assert learned(chosen) == [protocol.write(pair["chosen"][0]) + STOP]
        assert learned(rejected) == [protocol.write(pair["rejected"][0]) + STOP]


FORGETFUL = ChatTemplate(  # writes "..." for all assistant turns but the last message
    "{% for m in messages %}<{{ m.role }}>"
    "{% if m.role != 'assistant' or loop.last %}{{ m.content }}{% else %}...{% endif %}<end>\n"
    "{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
)
TALK: dict[str, Any] = {
    "trace_id": "demo-2",
    "tools": [],
    "messages": [
        user("a"), conclusion_message("b"), user("c"),
        {**conclusion_message("x"), "weight": 0}, user("d"), conclusion_message("e"),
    ],
}  # fmt: skip


def test_where_a_template_rewrites_earlier_turns_each_learned_turn_has_a_text_of_its_own() -> None:
    native = get_protocol("native")
    with pytest.raises(TooldrillError, match="demo-2") as caught:
        segments(TALK, FORGETFUL, native)
    assert "chat_template" in caught.value.next_step
    texts = [[tuple(piece) for piece in pieces] for pieces in renderings(TALK, FORGETFUL, native)]
    assert texts == [
        [("<user>a<end>\n<assistant>", 0.0), ("b<end>", 1.0), ("\n", 0.0)],
        [
            ("<user>a<end>\n<assistant>...<end>\n<user>c<end>\n<assistant>...<end>\n<user>d<end>\n"
             "<assistant>", 0.0),
            ("e<end>", 1.0),
            ("\n", 0.0),
        ],
    ]  # fmt: skip
    titles = [title for title, _ in previews(TALK, FORGETFUL, native)]
    assert titles == ["demo-2 turn 1 of 2", "demo-2 turn 2 of 2"]


def test_a_turn_counts_as_often_as_its_weight_says() -> None:
    row = {**TALK, "messages": [user("a"), {**conclusion_message("b"), "weight": 2.5}]}
    (pieces,) = renderings(row, TEMPLATE, get_protocol("native"))
    assert [piece.weight for piece in pieces if piece.learned] == [2.5]
    row["messages"][1]["weight"] = -1
    with pytest.raises(TooldrillError, match="the weight -1"):
        renderings(row, TEMPLATE, get_protocol("native"))


def test_the_terminal_colours_exactly_what_is_learned() -> None:
    pieces = segments(ROW, TEMPLATE, get_protocol("native"))
    text = to_text(pieces)
    assert text.plain == "".join(piece.text for piece in pieces)
    marked = [text.plain[s.start : s.end] for s in text.spans if s.style == LEARNED_STYLE]
    assert marked == learned(pieces)


def test_without_colours_brackets_show_exactly_what_is_learned() -> None:
    [(_, pieces)] = previews(ROW, TEMPLATE, get_protocol("native"))
    plain = to_text(pieces, colours=False).plain
    opening, closing = LEARNED_BRACKETS
    marked = re.findall(f"{opening}(.*?){closing}", plain, re.DOTALL)
    assert marked == learned(pieces) != []
    assert plain.replace(opening, "").replace(closing, "") == "".join(p.text for p in pieces)


def test_the_page_marks_exactly_what_is_learned_and_escapes_it() -> None:
    [(title, pieces)] = previews(ROW, TEMPLATE, get_protocol("native"))
    page = to_html([(title, pieces)])
    assert "<h2>demo-1 malformed_call</h2>" in page
    marked = re.findall(r"<mark>(.*?)</mark>", page.split("<pre>")[1], re.DOTALL)
    assert len(marked) == 2
    assert "&lt;b&gt;" in marked[0]
    assert "<b>" not in page
    assert "http" not in page


def test_a_pair_is_shown_twice(traces: list[Trace]) -> None:
    [pair] = make_pairs(traces, 1, seed=1)
    shown = previews(pair, TEMPLATE, get_protocol("react_json"))
    assert [title.split()[-1] for title, _ in shown] == ["chosen", "rejected"]
    assert all(len(learned(pieces)) == 1 for _, pieces in shown)
