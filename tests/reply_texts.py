"""Replies for the tests of protocols and dialects: values, mutations, what must hold of any."""

from __future__ import annotations

from hypothesis import strategies as st

from tooldrill.agent.call import Reply
from tooldrill.agent.violation import ViolationClass

CALL = '{"name": "f", "arguments": {"x": 1}}'

# Values that hold the protocols' own marks are data like any other.
texts = st.text() | st.sampled_from(
    ["<tool_call>", "a</tool_call>b", "</think>\n", "<think>", "```json\n{", '{"name": "f"}']
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


VALID = [
    f"I look first.\n<tool_call>{CALL}</tool_call>",
    f"<think>\nhm\n</think>\n<tool_call>{CALL}</tool_call>",
    '{"thought": "t", "action": "f", "args": {"x": [1, {"y": "a \\"b\\""}]}}',
    '{"thought": "t", "conclusion": "Done: {1}."}',
    "The record is {'name': 'Bob'}.",
]
SPLINTERS = st.sampled_from(
    [
        "",
        "{",
        "}",
        '"',
        "'",
        ",",
        "\\",
        "```",
        "\n",
        "<think>",
        "</think>",
        "\ud800",
        "NaN",
        "[" * 99,
        "<tool_call>",
        "</tool_call>",
        '{"name": "f", "arguments": {}}',
        '"x": 1, "x": 2',
        "9" * 5000,
    ]
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A valid reply, cut, with pieces lost, put in or doubled, perhaps in a fence."""
    text = draw(st.sampled_from(VALID))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 8)))
        middle = draw(st.sampled_from([draw(SPLINTERS), text[start:end] * 2]))
        text = text[:start] + middle + text[end:]
    text = text[: draw(st.none() | st.integers(0, len(text)))]
    return f"```json\n{text}\n```" if draw(st.booleans()) else text


def is_one_thing(reply: Reply) -> bool:
    """Calls, or a conclusion, or malformed: never two of them, unless it was mended."""
    kinds = [problem.kind for problem in reply.problems]
    unread = kinds[:1] == [ViolationClass.MALFORMED_CALL] and not reply.repaired
    several = [ViolationClass.MULTIPLE_CALLS] if len(reply.calls) > 1 else []
    expected = [ViolationClass.MALFORMED_CALL] * (unread or reply.repaired) + several
    readings = [bool(reply.calls), reply.conclusion is not None, unread]
    return readings.count(True) == 1 and kinds == expected


def in_protocol(name: str, arguments: str) -> str:
    """A call of f with the given text as its arguments."""
    if name == "native":
        return f'<tool_call>{{"name": "f", "arguments": {arguments}}}</tool_call>'
    return f'{{"thought": "", "action": "f", "args": {arguments}}}'
