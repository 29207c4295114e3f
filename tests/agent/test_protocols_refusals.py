"""What strict JSON refuses is told with its place and with what to do."""

from __future__ import annotations

import pytest
from reply_texts import in_protocol

from tooldrill.agent.call import Call
from tooldrill.agent.protocols.catalog import PROTOCOLS, get_protocol
from tooldrill.agent.violation import ViolationClass


@pytest.mark.parametrize("name", list(PROTOCOLS))
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ('{"x": 1, "x": 2}', 'Give "x" only once'),
        ('{"x": {"y": 1, "y": 1}}', 'Give "y" only once'),
        ('{"x": NaN}', "NaN is not JSON"),
        ('{"x": -Infinity}', "-Infinity is not JSON"),
        ('{"x": 1e999}', "1e999 is too large"),
        ('{"x": ' + "7" * 5000 + "}", "5000 digits"),
        ('{"x": "\\ud83d"}', "half a character"),
        ('{"\ud83d": 1}', "half a character"),
        ("null", "as a JSON object"),
        ("[1]", "as a JSON object"),
        ('{"x": 1,}', "leave out the comma"),
        ("{'x': 1}", "double quotes"),
        ("{x: 1}", "every key in double quotes"),
        ('{"x": True}', "true, false and null"),
        ('{"x": "a\nb"}', "line break inside a string"),
        ('{"x": "C:\\d"}', "backslash"),
        ('{"x": "say "hi" now"}', "a quote inside a string"),
    ],
)
def test_what_strict_json_refuses_is_explained(name: str, arguments: str, told: str) -> None:
    text = in_protocol(name, arguments)
    (problem,) = get_protocol(name).parse(text).problems
    assert problem.kind is ViolationClass.MALFORMED_CALL
    assert told in problem.message
    assert "\n" not in problem.message and problem.message.endswith(".")
    assert len(problem.message) < 250


def test_pairs_of_surrogates_are_one_character() -> None:
    text = in_protocol("native", '{"x": "\\ud83d\\ude00"}')
    assert get_protocol("native").parse(text).calls == (Call("f", {"x": "\U0001f600"}),)


def test_broken_json_is_told_with_its_place() -> None:
    text = '<tool_call>\n{"name": "f",\n "arguments": {"x": 1,}}\n</tool_call>'
    (problem,) = get_protocol("native").parse(text).problems
    assert "line 3, column 23, near" in problem.message
    (cut,) = get_protocol("native").parse(text[:40]).problems
    assert "cut off" in cut.message
