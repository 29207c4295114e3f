"""Replies that once fitted a grammar although what is wrong with them was called impossible."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from grammar_texts import fits, next_pieces, vocabulary

from tooldrill.agent.checker import check_reply
from tooldrill.agent.constrain.calls import can_be_written
from tooldrill.agent.constrain.free_text import free_text
from tooldrill.agent.constrain.grammar import Grammar, reply_grammar
from tooldrill.agent.constrain.rules import Rules, any_text, literal
from tooldrill.agent.engines.constrained import ConstrainedSampler, GrammarState
from tooldrill.agent.engines.sampling import Sampler
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.base import CallProtocol
from tooldrill.agent.protocols.dialects.catalog import DIALECTS, all_variants
from tooldrill.agent.protocols.native import Native
from tooldrill.agent.protocols.react_json import ReactJson
from tooldrill.agent.reading import read_reply
from tooldrill.agent.settings import ConstrainMode, SamplingSettings
from tooldrill.agent.tool import Registry, Tool
from tooldrill.agent.violation import ViolationClass as V

REACT = ReactJson()
BARE, PYTHON, TAGGED = (Native(DIALECTS[name]) for name in ("bare_json", "pythonic", "tagged"))
INTEGER, NUMBER = {"type": "integer"}, {"type": "number"}
BOGUS = '{"name": "made_up", "parameters": {}}'


def tool(properties: dict[str, Any], name: str = "do_it", **more: Any) -> Tool:
    return Tool(name, "", {"type": "object", "properties": properties, **more})


def grammar(*tools: Tool, protocol: CallProtocol = REACT, mode: ConstrainMode = "full") -> Grammar:
    made = reply_grammar(Registry(tools), protocol, mode)
    assert made is not None
    return made


def react(arguments: str) -> str:
    return f'{{"action": "do_it", "args": {arguments}}}'


def tags(inside: str) -> str:
    return f"<tool_call><function=do_it>{inside}</function></tool_call>"


@pytest.mark.parametrize("mode", ["call", "full"])
@pytest.mark.parametrize(
    ("protocol", "made", "text", "kind"),
    [
        (REACT, tool({"x": {**NUMBER, "exclusiveMinimum": 0}}), react('{"x": 0}'), V.INVALID_VALUE),
        (REACT, tool({"x": {**NUMBER, "maximum": 0}}), react('{"x": 1}'), V.INVALID_VALUE),
        (REACT, tool({"x": {"$ref": "#"}}), react('{"x": 1}'), V.WRONG_TYPE),
        (
            REACT,
            tool({"x": {"$ref": "#a"}}, **{"$defs": {"q": {"$anchor": "a", **INTEGER}}}),
            react('{"x": "k"}'),
            V.WRONG_TYPE,
        ),
        (
            REACT,
            tool({"x": {"$ref": "#/$defs/a%20b"}}, **{"$defs": {"a b": INTEGER}}),
            react('{"x": "k"}'),
            V.WRONG_TYPE,
        ),
        (
            REACT,
            tool({"x": {"prefixItems": [INTEGER, {"type": "string"}]}}),
            react('{"x": ["a"]}'),
            V.WRONG_TYPE,
        ),
        (
            REACT,
            tool({"x": {"prefixItems": [INTEGER], "unevaluatedItems": False}}),
            react('{"x": [1, 2]}'),
            V.INVALID_VALUE,
        ),
        (
            REACT,
            tool({"x": {"allOf": [{"prefixItems": [{}]}, {"items": INTEGER}]}}),
            react('{"x": ["a"]}'),
            V.WRONG_TYPE,
        ),
        (
            REACT,
            tool(
                {
                    "x": {
                        "allOf": [
                            {"properties": {"a": {}}},
                            {"type": "object", "additionalProperties": INTEGER},
                        ]
                    }
                }
            ),
            react('{"x": {"a": "b"}}'),
            V.WRONG_TYPE,
        ),
        (
            PYTHON,
            tool({"a": INTEGER}, minProperties=1),
            "<|tool_call_start|>[do_it()]<|tool_call_end|>",
            V.INVALID_VALUE,
        ),
        (TAGGED, tool({"a": INTEGER}, minProperties=1), tags(""), V.INVALID_VALUE),
        (
            TAGGED,
            tool({"a": INTEGER, "b": INTEGER}, dependentRequired={"a": ["b"]}),
            tags("<parameter=a>1</parameter>"),
            V.MISSING_ARGUMENT,
        ),
        (TAGGED, tool({"a": False}), tags("<parameter=a>1</parameter>"), V.INVALID_VALUE),
        (
            TAGGED,
            tool({"a": {"enum": [1, 7], "minimum": 3}}),
            tags("<parameter=a>1</parameter>"),
            V.INVALID_VALUE,
        ),
        (BARE, tool({}), f"<think>so</think>{BOGUS}", V.UNKNOWN_TOOL),
        (BARE, tool({}), f"so</think>\n{BOGUS}", V.UNKNOWN_TOOL),
    ],
)
def test_what_fits_has_nothing_impossible(
    protocol: CallProtocol, made: Tool, text: str, kind: V, mode: ConstrainMode
) -> None:
    registry = Registry([made])
    found = {one.kind for one in check_reply(read_reply(text, protocol, registry), registry)}
    assert found == {kind}
    held = grammar(made, protocol=protocol, mode=mode)
    assert not (found & held.impossible and fits(held, text))
    # Nor does it help to say of everything that it may happen.
    assert {V.MULTIPLE_CALLS, V.UNKNOWN_TOOL} <= held.impossible


def test_names_are_free() -> None:
    """Rules of the grammar's own are not mistaken for those of a tool or a type of that name."""
    for name in ("anything", "text-value", "tag-string", "string", "space", "root", "thinking"):
        for protocol in (REACT, TAGGED):
            reference = {"$ref": f"#/$defs/{name}"}
            node = {"type": "object", "properties": {"n": reference}, "additionalProperties": False}
            values = {"type": "array", "items": {"anyOf": [{"type": "string"}, reference]}}
            made = grammar(
                tool({"y": INTEGER}, name, required=["y"]),
                tool({"x": values, "z": {}}, **{"$defs": {name: node}}),
                protocol=protocol,
            )
            for value in ('["a", {"n": {}}]', "[1]", '[{"n": 1}]'):
                text = react(f'{{"x": {value}, "z": [null]}}')
                if protocol is TAGGED:
                    text = tags(f"<parameter=x>{value}</parameter><parameter=z>a</parameter>")
                assert fits(made, text) == (value[1] == '"'), (name, text)
            named = react('{"y": 1}').replace("do_it", name)
            if protocol is TAGGED:
                named = tags("<parameter=y>1</parameter>").replace("do_it", name)
            assert fits(made, named), named


def test_a_type_that_nothing_fits_is_left_out_wherever_it_is_named() -> None:
    node = {"type": "object", "properties": {"e": {"enum": []}}, "required": ["e"]}
    reference = {"$ref": "#/$defs/node"}
    choice = {"anyOf": [reference, reference, INTEGER]}
    made = grammar(tool({"x": choice, "y": reference}, **{"$defs": {"node": node}}))
    assert fits(made, react('{"x": 1}'))
    assert not fits(made, react('{"x": }'))
    assert not fits(made, react('{"y": }'))
    assert fits(grammar(tool({"a": {"enum": []}}), protocol=TAGGED), tags(""))


def test_thinking_stays_free_and_has_an_end() -> None:
    mark = "</tool_call> [TOOL_CALLS] { Hm.</think>\n"
    made = grammar(tool({}), protocol=Native())
    assert fits(made, "[TOOL_CALLS] {} Hm.</think>\nDone.", in_thought=True)
    assert not fits(made, "Hm.", in_thought=True)
    assert not fits(made, f"<think>{mark[:-9]}")
    assert fits(made, f"<think>{mark}Done.")
    assert fits(grammar(tool({}), protocol=Native(), mode="call"), "Hm.", in_thought=True)


def test_first_characters_of_a_conclusion_may_be_escapes() -> None:
    made = grammar(tool({}))
    right = [r"\u00c9tat", r"\u3042", r"\u4e00", r"\ud83d\ude00", r"\u0041", r" \n\u00e9"]
    wrong = [r"\u0020", r"\u00a0", r"\u2003", r"\u3000", r"\u1680", r"\n", r"\ud83d"]
    assert [one for one in right if not fits(made, f'{{"conclusion": "{one}"}}')] == []
    assert [one for one in wrong if fits(made, f'{{"conclusion": "{one}"}}')] == []


def test_python_s_long_escapes_are_characters() -> None:
    made = grammar(tool({"x": {"type": "string"}}), protocol=PYTHON)
    call = "<|tool_call_start|>[do_it(x='{}')]<|tool_call_end|>"
    assert fits(made, call.format(r"\U000e0001\U0010ffff"))
    assert not fits(made, call.format(r"\U0000d800"))
    assert not fits(made, call.format(r"\U00110000"))


def test_of_thousands_of_values_those_and_no_others_fit() -> None:
    words = [f"{number * 7919 % 100_003} street" for number in range(3000)]
    made = grammar(tool({"x": {"enum": [*words, "", "7919"]}}, required=["x"]))
    for word in (*words[::500], "", "7919"):
        assert fits(made, react(f'{{"x": "{word}"}}')), word
    for word in ("791", "7919 ", "7919 streets", "1 street"):
        assert not fits(made, react(f'{{"x": "{word}"}}')), word
    # One way to go on for each character that may follow, not for each value.
    begun = react('{"x": "')[:-1]
    assert {piece[:1] for piece in next_pieces(made, begun)} <= set('0123456789"')


def test_texts_that_begin_alike_are_each_allowed() -> None:
    texts = ["", "a", "ab", "abc", "b", 'q"', "q\\", "éa", "éb"]
    made = Grammar({"root": any_text({text: literal("!") for text in texts})}, {}, frozenset())
    assert [text for text in texts if not fits(made, f"{text}!")] == []
    assert [text for text in ("ac", "q", "é", "abcd", "ba") if fits(made, f"{text}!")] == []


def test_free_text_knows_every_mark_wherever_it_stands() -> None:
    import re
    from itertools import product

    for marks, banned in ((["abab"], ["ba b"]), (["aab"], ["bb"]), (["ab", "ba"], ["aaa"])):
        rules = Rules()
        root = free_text(rules, "text", dict.fromkeys(marks, literal("!")), banned)
        made = Grammar({**rules.bodies, "root": root}, {}, frozenset())
        for letters in product("ab", repeat=6):
            text = "".join(letters)
            first = re.search("|".join(marks), text)
            shown = text[: first.end()] if first else text
            allowed = not any(word in shown for word in banned)
            end = "!" if first else ""
            assert fits(made, shown + end) == allowed, (marks, banned, shown)
            assert not first or not fits(made, shown)


def test_bytes_that_are_no_text_do_not_pass_for_characters() -> None:
    """To llama.cpp E0 83 A9 is an "é"; in the reply it would be three characters."""
    model = vocabulary()
    pieces = {model.piece(token): token for token in range(model.vocabulary_size)}
    state = GrammarState(model, Grammar({"root": "[^x]*"}, {}, frozenset()))
    for byte in (b"\xe2", b"\x82", b"\xac", b"\xe0"):
        assert state.accept(pieces[byte])
    assert state.allowed(np.array([pieces[b"\x83"]]))[0]
    assert not state.accept(pieces[b"\x83"])
    assert state.accept(pieces[b"\xa0"])


@pytest.mark.parametrize("settings", [{}, {"temperature": 0.9, "top_k": 40, "min_p": 0.01}])
def test_looking_at_few_tokens_chooses_as_looking_at_all(settings: dict[str, Any]) -> None:
    class Unhurried(Sampler):
        @property
        def decided_by(self) -> int | None:
            return None

    model = vocabulary()
    made = grammar(tool({"path": {"type": "string"}}, required=["path"]))
    chosen = []
    for kind in (Sampler, Unhurried):
        rng = np.random.default_rng(5)
        sampler = ConstrainedSampler(
            kind(SamplingSettings(seed=3, **settings), model.vocabulary_size),
            GrammarState(model, made),
        )
        rows = rng.normal(size=(30, model.vocabulary_size)).astype(np.float32)
        chosen.append([sampler.choose(row) for row in rows])
    assert chosen[0] == chosen[1]


def test_a_dialect_with_marks_around_its_answers_is_refused_in_one_line() -> None:
    refused = [dialect for dialect in all_variants() if not can_be_written(dialect)]
    assert {dialect.name for dialect in refused} == {"harmony", "gemma", "cohere"}
    for dialect in refused:
        with pytest.raises(TooldrillError, match="cannot be constrained") as caught:
            grammar(tool({}), protocol=Native(dialect))
        assert "loop.constrain=off" in caught.value.next_step
