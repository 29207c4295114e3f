"""What the grammars allow and refuse, token by token over the real vocabulary."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from grammar_texts import fits, next_pieces, refused_at, vocabulary

from tooldrill.agent.constrain.calls import can_be_written
from tooldrill.agent.constrain.grammar import Grammar, GrammarError, reply_grammar
from tooldrill.agent.constrain.numbers import whole_number
from tooldrill.agent.engines.constrained import ConstrainedSampler, GrammarState, NoTokenError
from tooldrill.agent.engines.sampling import Sampler
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.base import CallProtocol
from tooldrill.agent.protocols.dialects.catalog import DIALECTS, all_variants
from tooldrill.agent.protocols.native import Native
from tooldrill.agent.protocols.react_json import ReactJson
from tooldrill.agent.settings import ConstrainMode, SamplingSettings
from tooldrill.agent.tool import Registry, Tool
from tooldrill.agent.violation import ViolationClass as V

REACT, HERMES = ReactJson(), Native(DIALECTS["hermes"])
ARGUMENTS = {V.BORROWED_ARGUMENT, V.STICKY_ARGUMENT, V.INVENTED_ARGUMENT, V.MISSING_ARGUMENT}
OF_CALLS = {V.MULTIPLE_CALLS, V.UNKNOWN_TOOL, V.TERMINATOR_AS_TOOL, *ARGUMENTS, V.WRONG_TYPE}


def tool(properties: dict[str, Any], required: list[str] | None = None, **more: Any) -> Tool:
    schema = {"type": "object", "properties": properties, "required": required or [], **more}
    return Tool("do_it", "", schema)


def grammar(*tools: Tool, protocol: CallProtocol = REACT, mode: ConstrainMode = "full") -> Grammar:
    made = reply_grammar(Registry(tools), protocol, mode)
    assert made is not None
    return made


def allows(schema: dict[str, Any], value: str) -> bool:
    """Whether the value, as JSON, may be given to a parameter of that schema."""
    made = grammar(tool({"x": schema}, ["x"], **schema.pop("root", {})))
    return fits(made, f'{{"action": "do_it", "args": {{"x": {value}}}}}')


@pytest.mark.parametrize(
    ("schema", "right", "wrong"),
    [
        ({"type": "string"}, ['""', r'"\u00e9"', r'"\ud83d\ude00"'], ["1", r'"\ud83d"', '"a\nb"']),
        ({"type": "integer"}, ["0", "-7", "12345678901"], ["1.5", "01", '"1"', "1e3", "-"]),
        ({"type": "integer", "minimum": 1, "maximum": 120}, ["1", "99", "120"], ["0", "121", "-5"]),
        ({"type": "integer", "exclusiveMinimum": -3}, ["-2", "500"], ["-3", "-40"]),
        ({"type": "number"}, ["0", "-1.5", "2e10", "1E-7"], ["1.", ".5", "1e999", "NaN"]),
        ({"type": "number", "minimum": 0}, ["0.5"], ["-0.5"]),
        ({"type": "boolean"}, ["true", "false"], ["True", '"true"', "1", "null"]),
        ({"type": "null"}, ["null"], ["None"]),
        ({"type": ["string", "null"]}, ["null", '"a"'], ["1"]),
        ({"enum": ["a", "b c", 3]}, ['"a"', '"b c"', "3"], ['"c"', "4", '"b"']),
        ({"type": "string", "enum": ["é", 'q"']}, ['"é"', r'"\u00e9"', r'"q\""'], ['"e"']),
        ({"const": {"a": [1]}}, ['{"a": [1]}', '{"a":[1]}'], ['{"a": [2]}']),
        ({"type": "string", "minLength": 2, "maxLength": 3}, ['"ab"', '"日本"'], ['"a"', '"abcd"']),
        ({"type": "array", "items": {"type": "integer"}}, ["[]", "[1, 2]"], ['["a"]', "[1,]", "1"]),
        ({"type": "array", "minItems": 1, "maxItems": 2}, ["[1]", "[1, {}]"], ["[]", "[1,2,3]"]),
        (
            {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}],
             "minItems": 2, "maxItems": 2},
            ['[1, "a"]'], ["[1]", '["a", 1]', '[1, "a", 2]'],
        ),
        (
            {"prefixItems": [{"type": "integer"}, {"type": "string"}], "items": {"type": "null"}},
            ["[]", "[1]", '[1, "a"]', '[1, "a", null, null]'], ['["a"]', "[1, null]", '[1 "a"]'],
        ),
        (
            {"type": "object", "properties": {"a": {"type": "integer"}, "b": {}},
             "required": ["a"], "additionalProperties": False},
            ['{"a": 1}', '{"a": 1, "b": [null]}'], ["{}", '{"a": 1, "c": 1}', '{"a": 1, "a": 2}'],
        ),
        (
            {"type": "object", "properties": {"a": {"type": "integer"}},
             "additionalProperties": {"type": "boolean"}},
            ['{"a": 1, "ab": true}', '{"b": true}', "{}"],
            ['{"b": 1}', '{"a": true}', r'{"\u0061": true}'],
        ),
        ({"additionalProperties": {"type": "integer"}}, ['{"x": 1}'], ['{"x": "y"}']),
        ({"anyOf": [{"type": "integer"}, {"type": "array"}]}, ["1", "[]"], ['"a"']),
        (
            {"oneOf": [
                {"type": "object", "properties": {"kind": {"const": "dot"}}, "required": ["kind"]},
                {"type": "object", "required": ["kind", "size"],
                 "properties": {"kind": {"const": "box"}, "size": {"type": "integer"}}}]},
            ['{"kind": "dot"}', '{"kind": "box", "size": 2}'], ['{"kind": "box"}', '{"kind": "x"}'],
        ),
        ({"allOf": [{"type": "integer"}, {"minimum": 5}]}, ["5"], ["4", '"5"']),
        (
            {"$ref": "#/$defs/node", "root": {"$defs": {"node": {
                "type": "object", "properties": {"next": {"$ref": "#/$defs/node"}},
                "additionalProperties": False}}}},
            ['{"next": {"next": {}}}'], ['{"next": 1}', '{"nest": {}}'],
        ),
    ],
    ids=str,
)  # fmt: skip
def test_a_schema_allows_its_values_and_no_others(
    schema: dict[str, Any], right: list[str], wrong: list[str]
) -> None:
    assert [value for value in right if not allows(dict(schema), value)] == []
    assert [value for value in wrong if allows(dict(schema), value)] == []


@pytest.mark.parametrize(
    ("low", "high"), [(0, 9), (7, 13), (-3, 4), (95, 1203), (100, 199), (-120, -7), (0, 0)]
)
def test_whole_numbers_between_bounds_are_those(low: int, high: int) -> None:
    import re

    body = whole_number({"minimum": low, "maximum": high})
    assert body is not None
    pattern = re.compile(body.replace('"', "").replace(" ", ""))
    numbers = range(low - 150, high + 150)
    assert [n for n in numbers if pattern.fullmatch(str(n))] == list(range(low, high + 1))


def test_arguments_stand_in_declared_order_and_optional_ones_may_be_left_out() -> None:
    made = grammar(tool({"a": {}, "b": {}, "c": {}}, ["b"]))

    def fitting(orders: list[str]) -> list[str]:
        given = {order: ", ".join(f'"{name}": 1' for name in order) for order in orders}
        call = '{"action": "do_it", "args": {ARGS}}'
        return [order for order in orders if fits(made, call.replace("ARGS", given[order]))]

    assert fitting(["b", "ab", "bc", "abc"]) == ["b", "ab", "bc", "abc"]
    assert fitting(["", "a", "ba", "ac", "bb", "abcb"]) == []


def test_only_the_tools_names_can_follow_the_key() -> None:
    made = grammar(Tool("read", "", {"type": "object"}), Tool("write", "", {"type": "object"}))
    begun = '{"thought": "t", "action": "'
    pieces = set(next_pieces(made, begun))
    names = ('read"', 'write"')
    assert pieces == {name[:n] for name in names for n in range(1, 9)} & pieces
    assert {"read", "write"} <= pieces
    assert refused_at(made, begun + 'final_answer", "args": {}}') == begun


VARIANTS = list(filter(can_be_written, all_variants()))


@pytest.mark.parametrize("mode", ["call", "full"])
@pytest.mark.parametrize("dialect", VARIANTS, ids=str)
def test_a_reply_is_a_call_or_an_answer(dialect: Any, mode: ConstrainMode) -> None:
    from tooldrill.agent.call import Call

    registry = Registry([tool({"x": {"type": "integer"}}, ["x"])])
    made = grammar(*registry, protocol=Native(dialect), mode=mode)
    call = dialect.write([Call("do_it", {"x": 1})], registry)
    assert fits(made, call)
    assert fits(made, f"<think>\nA {dialect.marks[0]} in thinking.\n</think>\n\n{call}")
    assert fits(made, "It is done.")
    # In bare JSON text before an object makes it no call: it is part of an answer.
    assert fits(made, "I look first." + (dialect.lead or "") + call)
    assert not fits(made, f"{call}\nDone.")
    assert not fits(
        made, dialect.write([Call("do_it", {"x": 1}), Call("do_it", {"x": 2})], registry)
    )
    assert not fits(made, dialect.write([Call("do_that", {"x": 1})], registry))
    assert not fits(made, dialect.write([Call("do_it", {"x": "a"})], registry))
    assert not fits(made, call[:-1])
    assert fits(made, "") == (mode == "call")
    assert fits(made, "Done. [TOOL_CALLS]" if "[TOOL" not in call else "Done. <tool_use>") == (
        mode == "call"
    )


def test_react_json_is_one_object() -> None:
    made = grammar(tool({}))
    right = ['{"thought": "t", "conclusion": "It\\n is \\"done\\"."}', '{"action": "do_it"}',
             ' {"conclusion": "é"} ',
             '<think>{"action": "x"}</think>\n{"conclusion": "a"}']  # fmt: skip
    wrong = ["Done.", '{"conclusion": ""}', '{"conclusion": " \\n"}', '{"thought": "t"}', "{}",
             '{"action": "do_it", "conclusion": "a"}', '{"conclusion": "a"} {"conclusion": "b"}',
             'Well: {"conclusion": "a"}', '```json\n{"conclusion": "a"}\n```']  # fmt: skip
    assert [text for text in right if not fits(made, text)] == []
    assert [text for text in wrong if fits(made, text)] == []
    loose = grammar(tool({}), mode="call")
    assert fits(loose, "Done.")
    assert fits(loose, 'Well: {"conclusion": "a"}')
    assert not fits(loose, 'Well: {"action": "x"}')


def test_a_prompt_that_opens_the_thinking_is_gone_on_with() -> None:
    inside = 'I may {"action": "x"} it.</think>\n'
    made = grammar(tool({}))
    assert fits(made, inside + '{"action": "do_it"}', in_thought=True)
    assert not fits(made, inside + '{"action": "x"}', in_thought=True)
    assert not fits(made, inside + '{"action": "do_it"}')


def test_without_tools_nothing_can_be_called() -> None:
    for mode in ("call", "full"):
        assert not fits(grammar(mode=mode), '{"action": "do_it"}')
        assert not fits(grammar(protocol=HERMES, mode=mode), "<tool_call>{}</tool_call>")
        assert fits(grammar(protocol=HERMES, mode=mode), "Nothing to do.")


def test_what_is_said_to_be_impossible_is_what_the_grammar_can_say() -> None:
    assert grammar(tool({"x": {"type": "integer"}})).impossible == OF_CALLS | {V.INVALID_VALUE}
    assert grammar(tool({"x": {"type": "string", "pattern": "^a"}})).impossible == OF_CALLS
    conditional = tool({"x": {}, "y": {}}, dependentRequired={"x": ["y"]})
    assert grammar(conditional).impossible == {
        V.MULTIPLE_CALLS,
        V.UNKNOWN_TOOL,
        V.TERMINATOR_AS_TOOL,
    }
    made = reply_grammar(Registry([tool({})]), REACT, "full", repair=True)
    assert made is not None
    assert not made.impossible
    assert reply_grammar(Registry([tool({})]), REACT, "off") is None


def test_what_cannot_be_constrained_is_one_clear_line() -> None:
    cases = [
        ((tool({"x": {"enum": []}}, ["x"]),), REACT, "'do_it'.*x"),
        ((Tool("a b", "", {"type": "object"}),), Native(DIALECTS["pythonic"]), "'a b'"),
    ]  # fmt: skip
    for tools, protocol, reason in cases:
        with pytest.raises(TooldrillError, match=reason) as caught:
            grammar(*tools, protocol=protocol)
        assert "\n" not in caught.value.message
        assert caught.value.next_step


def test_a_grammar_that_llama_cpp_refuses_names_tool_and_rule(
    capfd: pytest.CaptureFixture[str],
) -> None:
    endless = {"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}, {"type": "null"}]}}}
    made = grammar(
        tool({}), Tool("turns", "", {**tool({"x": {"$ref": "#/$defs/a"}}, **endless).schema})
    )
    with pytest.raises(GrammarError, match=r"tool 'turns': a ::= ") as caught:
        GrammarState(vocabulary(), made)
    assert caught.value.next_step
    broken = Grammar({"root": "word", "word": '"a'}, {"word": "turns"}, frozenset())
    with pytest.raises(GrammarError, match=r"tool 'turns': word ::= "):
        GrammarState(vocabulary(), broken)
    capfd.readouterr()


def test_no_token_can_end_the_process() -> None:
    """llama.cpp aborts when told of a token that the grammar refuses: here it is never told."""
    model = vocabulary()
    made = grammar(tool({"x": {"type": "string"}}), protocol=HERMES, mode="call")
    rng = np.random.default_rng(0)
    for _ in range(20):
        state = GrammarState(model, made)
        for token in model.tokenize('Well <tool_call>{"name"', special=False):
            assert state.accept(token)
        for token in rng.integers(0, model.vocabulary_size, 200):
            before = state.allowed(np.arange(50))
            if not state.accept(int(token)):
                assert (state.allowed(np.arange(50)) == before).all()


@pytest.mark.parametrize("temperature", [0.0, 0.9])
def test_the_sampler_goes_on_with_what_is_allowed(temperature: float) -> None:
    model = vocabulary()
    settings = SamplingSettings(temperature=temperature, top_k=40, seed=3)
    made = Grammar({"root": '"ab" | "ac"'}, {}, frozenset())
    wanted = [model.tokenize(text, special=False)[0] for text in ("a", "c", "b")]
    for likely in wanted:
        plain = Sampler(settings, model.vocabulary_size)
        sampler = ConstrainedSampler(plain, GrammarState(model, made))
        logits = np.full(model.vocabulary_size, -20, np.float32)
        logits[[*wanted, likely]] = [3, 2, 1, 9]
        first = sampler.choose(logits)
        assert model.piece(first) in (b"a", b"ab", b"ac")
        text = model.piece(first)
        while not model.ends_reply(token := sampler.choose(logits)):
            text += model.piece(token)
        assert text in (b"ab", b"ac")


def test_a_grammar_without_a_token_left_says_so() -> None:
    model = vocabulary()
    # The embedded vocabulary has no token that begins this character.
    made = Grammar({"root": "[\\U00040000]"}, {}, frozenset())
    sampler = ConstrainedSampler(
        Sampler(SamplingSettings(), model.vocabulary_size), GrammarState(model, made)
    )
    with pytest.raises(NoTokenError):
        sampler.choose(np.zeros(model.vocabulary_size, np.float32))
