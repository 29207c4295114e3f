"""Replies as many models write them: which are read, which are no call as the protocol says."""

# ruff: noqa: E501, RUF001 - replies stand here as they are written

from __future__ import annotations

import pytest

from tooldrill.agent.checker import check_text
from tooldrill.agent.tool import Registry

REGISTRY = Registry.from_openai(
    [
        {"name": "get_weather", "parameters": {"type": "object", "required": ["city"],
         "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}},
        {"name": "write_file", "parameters": {"type": "object", "required": ["path", "content"],
         "properties": {"path": {"type": "string"}, "content": {"type": "string"}}}},
    ]
)  # fmt: skip

# A breach is malformed unless its name says otherwise.
OTHER = {
    "two": "multiple_calls",
    "name space": "unknown_tool",
    "functions.": "unknown_tool",
    "action conclusion": "terminator_as_tool",
    "action finish": "terminator_as_tool",
    "multi-action": "multiple_calls",
}

NATIVE = {
    (
        "ok",
        "hermes",
    ): '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>',
    (
        "ok",
        "qwen3 think",
    ): '<think>\nI should call <tool_call> now? {"name":"x"}\n</think>\n\n<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>',
    (
        "ok",
        "qwen3 nothink",
    ): '<think>\n\n</think>\n\n<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>',
    (
        "ok",
        "think preopened",
    ): 'Let me see.\n</think>\n\n<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>',
    (
        "ok",
        "think preopened same line",
    ): 'Let me see. </think> <tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>',
    ("ok", "think then inline conclusion"): "Let me see.</think> The answer is 5.",
    ("ok", "final"): "The weather in Paris is 21 degrees.",
    (
        "ok",
        "final with json listing",
    ): 'Here is the config:\n```json\n{"name": "demo", "version": 1}\n```\n',
    (
        "ok",
        "final package.json",
    ): '```json\n{"name": "demo", "scripts": {"a":"b"}, "type": "module"}\n```',
    ("ok", "final python code"): 'Use this:\n```python\nget_weather(city="Paris")\n```',
    ("ok", "final mention"): "I used get_weather(city='Paris') and it says sunny.",
    (
        "ok",
        "final openapi",
    ): 'The tool def: {"name": "get_weather", "description": "x", "parameters": {"type":"object","properties":{}}}',
    (
        "ok",
        "prose + call",
    ): 'Let me check the weather.\n<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>',
    (
        "bad",
        "prose after",
    ): '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>\nI\'ll wait for the result.',
    (
        "bad",
        "two",
    ): '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>\n<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>',
    (
        "bad",
        "hallucinated result",
    ): '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>\n<tool_response>\n{"t":3}\n</tool_response>\nIt is 3',
    (
        "bad",
        "llama3 pytag",
    ): '<|python_tag|>{"name": "get_weather", "parameters": {"city": "Paris"}}<|eom_id|>',
    ("bad", "llama3 bare"): '{"name": "get_weather", "parameters": {"city": "Paris"}}',
    (
        "bad",
        "llama3 bare semicolons",
    ): '{"name": "get_weather", "parameters": {"city": "Paris"}}; {"name": "get_weather", "parameters": {"city": "Rome"}}',
    ("bad", "llama3.2 py"): "[get_weather(city='Paris')]",
    ("bad", "llama3.2 py two"): "[get_weather(city='Paris'), get_weather(city='Rome')]",
    ("bad", "pytag builtin"): '<|python_tag|>brave_search.call(query="x")',
    ("bad", "llama func"): '<function=get_weather>{"city": "Paris"}</function>',
    ("bad", "mistral"): '[TOOL_CALLS] [{"name": "get_weather", "arguments": {"city": "Paris"}}]',
    ("bad", "mistral new"): '[TOOL_CALLS]get_weather[ARGS]{"city": "Paris"}',
    ("bad", "mistral no token"): 'get_weather[ARGS]{"city": "Paris"}',
    ("bad", "gemma tool_code"): '```tool_code\nget_weather(city="Paris")\n```',
    ("bad", "gemma json"): '```json\n{"name": "get_weather", "parameters": {"city": "Paris"}}\n```',
    (
        "bad",
        "gemma json list",
    ): '```json\n[{"name": "get_weather", "arguments": {"city": "Paris"}}]\n```',
    ("bad", "gemma python fence bare"): '```python\nget_weather(city="Paris")\n```',
    (
        "bad",
        "functiongemma",
    ): "<start_function_call>call:get_weather{city:<escape>Paris<escape>}<end_function_call>",
    (
        "bad",
        "qwen coder",
    ): "<tool_call>\n<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n</function>\n</tool_call>",
    (
        "bad",
        "qwen coder nowrap",
    ): "<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n</function>",
    (
        "bad",
        "glm",
    ): "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Paris</arg_value>\n</tool_call>",
    (
        "bad",
        "deepseek",
    ): '<|tool▁calls▁begin|><|tool▁call▁begin|>function<|tool▁sep|>get_weather\n```json\n{"city":"Paris"}\n```<|tool▁call▁end|><|tool▁calls▁end|>',
    (
        "bad",
        "deepseek real",
    ): '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n{"city":"Paris"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
    (
        "bad",
        "deepseek v3.1",
    ): '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{"city":"Paris"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
    (
        "bad",
        "deepseek v3.2 dsml",
    ): '<｜DSML｜function_calls>\n<｜DSML｜invoke name="get_weather">\n<｜DSML｜parameter name="city" string="true">Paris</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>',
    (
        "bad",
        "harmony",
    ): '<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{"city":"Paris"}<|call|>',
    (
        "bad",
        "harmony2",
    ): '<|start|>assistant<|channel|>commentary to=functions.get_weather<|message|>{"city":"Paris"}',
    (
        "bad",
        "kimi",
    ): '<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>{"city":"Paris"}<|tool_call_end|><|tool_calls_section_end|>',
    ("bad", "granite"): '<|tool_call|>[{"name": "get_weather", "arguments": {"city": "Paris"}}]',
    (
        "bad",
        "phi4",
    ): '<|tool_call|>[{"name": "get_weather", "arguments": {"city": "Paris"}}]<|/tool_call|>',
    ("bad", "phi4 functools"): 'functools[{"name": "get_weather", "arguments": {"city": "Paris"}}]',
    ("bad", "lfm2"): '<|tool_call_start|>[get_weather(city="Paris")]<|tool_call_end|>',
    (
        "bad",
        "cohere",
    ): '<|START_ACTION|>[{"tool_call_id": "0", "tool_name": "get_weather", "parameters": {"city": "Paris"}}]<|END_ACTION|>',
    (
        "bad",
        "cohere old",
    ): 'Action: ```json\n[{"tool_name": "get_weather", "parameters": {"city": "Paris"}}]```',
    (
        "bad",
        "minimax",
    ): '<minimax:tool_call>\n<invoke name="get_weather">\n<parameter name="city">Paris</parameter>\n</invoke>\n</minimax:tool_call>',
    (
        "bad",
        "anthropic",
    ): '<function_calls>\n<invoke name="get_weather"><parameter name="city">Paris</parameter></invoke></function_calls>',
    (
        "bad",
        "react text",
    ): 'Thought: need weather\nAction: get_weather\nAction Input: {"city": "Paris"}',
    ("bad", "react text paren"): 'Thought: x\nAction: get_weather(city="Paris")',
    ("bad", "react_json"): '{"thought": "x", "action": "get_weather", "args": {"city": "Paris"}}',
    (
        "bad",
        "prose + bare",
    ): 'Sure! I\'ll call:\n{"name": "get_weather", "arguments": {"city": "Paris"}}',
    (
        "bad",
        "openai shape",
    ): '{"tool_calls":[{"type":"function","function":{"name":"get_weather","arguments":"{\\"city\\":\\"Paris\\"}"}}]}',
    (
        "bad",
        "type function",
    ): '{"type": "function", "name": "get_weather", "parameters": {"city": "Paris"}}',
    ("bad", "xlam"): '[{"name": "get_weather", "arguments": {"city": "Paris"}}]',
    ("bad", "key as name"): '{"get_weather": {"city": "Paris"}}',
    ("bad", "bare tool"): 'get_weather{"city": "Paris"}',
    ("bad", "bare call pos"): 'get_weather("Paris")',
    ("bad", "py with spaces"): 'get_weather( city = "Paris" )',
    ("bad", "multi-line pycall"): 'get_weather(\n  city="Paris"\n)',
    (
        "bad",
        "args as string",
    ): '<tool_call>{"name": "get_weather", "arguments": "{\\"city\\": \\"Paris\\"}"}</tool_call>',
    (
        "bad",
        "parameters key",
    ): '<tool_call>{"name": "get_weather", "parameters": {"city": "Paris"}}</tool_call>',
    ("bad", "flat"): '<tool_call>{"name": "get_weather", "city": "Paris"}</tool_call>',
    ("bad", "args null"): '<tool_call>{"name": "get_weather", "arguments": null}</tool_call>',
    (
        "bad",
        "trailing comma",
    ): '<tool_call>{"name": "get_weather", "arguments": {"city": "Paris",}}</tool_call>',
    (
        "bad",
        "single",
    ): "<tool_call>{'name': 'get_weather', 'arguments': {'city': 'Paris'}}</tool_call>",
    (
        "bad",
        "python True",
    ): '<tool_call>{"name": "get_weather", "arguments": {"city": None}}</tool_call>',
    ("bad", "cut"): '<tool_call>{"name": "get_weather", "arguments": {"city": "Par',
    ("bad", "no close"): '<tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}}',
    (
        "bad",
        "extra brace",
    ): '<tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}}}</tool_call>',
    (
        "bad",
        "missing brace",
    ): '<tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}</tool_call>',
    (
        "bad",
        "fence in tag",
    ): '<tool_call>\n```json\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n```\n</tool_call>',
    (
        "bad",
        "fence around tag",
    ): '```\n<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>\n```',
    (
        "bad",
        "fence xml",
    ): '```xml\n<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>\n```',
    (
        "bad",
        "list in tag",
    ): '<tool_call>[{"name": "get_weather", "arguments": {"city": "Paris"}},{"name": "get_weather", "arguments": {"city": "Paris"}}]</tool_call>',
    (
        "bad",
        "two in tag",
    ): '<tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}}\n{"name": "get_weather", "arguments": {"city": "Paris"}}</tool_call>',
    (
        "bad",
        "double open",
    ): '<tool_call><tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}}</tool_call>',
    (
        "bad",
        "uppercase tag",
    ): '<TOOL_CALL>{"name": "get_weather", "arguments": {"city": "Paris"}}</TOOL_CALL>',
    (
        "bad",
        "tool_calls tag",
    ): '<tool_calls>{"name": "get_weather", "arguments": {"city": "Paris"}}</tool_calls>',
    (
        "bad",
        "tag space",
    ): '< tool_call >{"name": "get_weather", "arguments": {"city": "Paris"}}</ tool_call >',
    (
        "bad",
        "toolcall",
    ): '<toolcall>{"name": "get_weather", "arguments": {"city": "Paris"}}</toolcall>',
    (
        "bad",
        "raw newline",
    ): '<tool_call>{"name": "write_file", "arguments": {"path": "a", "content": "a\nb"}}</tool_call>',
    (
        "bad",
        "invalid escape",
    ): '<tool_call>{"name": "write_file", "arguments": {"path": "C:\\d", "content": "a"}}</tool_call>',
    (
        "bad",
        "unended think",
    ): '<think>hmm <tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>',
    ("bad", "empty"): "",
    ("bad", "ws"): "  \n",
    ("bad", "thinkonly"): "<think>a</think>",
    ("bad", "only eos"): "<|im_end|>",
    (
        "bad",
        "dup keys",
    ): '<tool_call>{"name": "get_weather", "arguments": {"city": "a", "city": "b"}}</tool_call>',
    (
        "bad",
        "extra top",
    ): '<tool_call>{"name": "get_weather", "arguments": {"city": "a"}, "days": 3}</tool_call>',
    (
        "ok",
        "id",
    ): '<tool_call>{"id": "1", "name": "get_weather", "arguments": {"city": "a"}}</tool_call>',
    (
        "bad",
        "name space",
    ): '<tool_call>{"name": " get_weather", "arguments": {"city": "a"}}</tool_call>',
    (
        "bad",
        "functions.",
    ): '<tool_call>{"name": "functions.get_weather", "arguments": {"city": "a"}}</tool_call>',
    (
        "ok",
        "tag in content",
    ): '<tool_call>{"name": "write_file", "arguments": {"path": "a", "content": "</tool_call> <think> <tool_call>"}}</tool_call>',
    (
        "ok",
        "unicode sep",
    ): '<tool_call>{"name": "write_file", "arguments": {"path": "a", "content": "a\u2028b \ufeff"}}</tool_call>',
    (
        "ok",
        "crlf",
    ): '<tool_call>\r\n{"name": "get_weather", "arguments": {"city": "Paris"}}\r\n</tool_call>',
}

REACT_JSON = {
    ("ok", "plain"): '{"thought":"a","action":"get_weather","args":{"city":"x"}}',
    ("ok", "nothought"): '{"action":"get_weather","args":{"city":"x"}}',
    ("ok", "concl"): '{"thought":"a","conclusion":"done"}',
    (
        "ok",
        "think",
    ): '<think>\nfoo {"action":"x"}\n</think>\n\n{"thought":"a","action":"get_weather","args":{"city":"x"}}',
    ("ok", "preopened"): 'foo\n</think>\n{"thought":"a","conclusion":"done"}',
    ("bad", "fence"): '```json\n{"thought":"a","action":"get_weather","args":{"city":"x"}}\n```',
    ("bad", "prose"): 'Sure!\n{"thought":"a","action":"get_weather","args":{"city":"x"}}',
    ("bad", "after"): '{"thought":"a","action":"get_weather","args":{"city":"x"}}\nDone',
    (
        "bad",
        "two",
    ): '{"thought":"a","action":"get_weather","args":{"city":"x"}}\n{"thought":"a","conclusion":"done"}',
    (
        "bad",
        "two calls",
    ): '{"thought":"a","action":"get_weather","args":{"city":"x"}}\n{"thought":"b","action":"get_weather","args":{"city":"y"}}',
    ("bad", "both"): '{"thought":"a","action":"get_weather","args":{"city":"x"},"conclusion":"y"}',
    ("bad", "action conclusion"): '{"thought":"a","action":"conclusion","args":{"conclusion":"x"}}',
    ("bad", "action finish"): '{"thought":"a","action":"Finish","args":{"answer":"x"}}',
    ("bad", "final_answer key"): '{"thought":"a","final_answer":"x"}',
    ("bad", "action_input"): '{"thought":"a","action":"get_weather","action_input":{"city":"x"}}',
    (
        "bad",
        "native",
    ): '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>',
    ("bad", "thoughts only"): '{"thought":"a"}',
    ("bad", "args list"): '{"thought":"a","action":"get_weather","args":["x"]}',
    ("bad", "args str"): '{"thought":"a","action":"get_weather","args":"city=x"}',
    ("bad", "flat"): '{"thought":"a","action":"get_weather","city":"x"}',
    ("bad", "list"): '[{"thought":"a","action":"get_weather","args":{"city":"x"}}]',
    ("bad", "prose only"): "I am done.",
    ("bad", "num"): "42",
    ("ok", "eos"): '{"thought":"a","conclusion":"done"}<|im_end|>',
    (
        "bad",
        "obs",
    ): '{"thought":"a","action":"get_weather","args":{"city":"x"}}\nObservation: {"t":1}',
    (
        "bad",
        "multi-action",
    ): '{"thought":"a","action":["get_weather","get_weather"],"args":[{"city":"x"},{"city":"y"}]}',
    ("ok", "conclusion obj"): '{"thought":"a","conclusion":{"x":1}}',
    ("bad", "conclusion empty"): '{"thought":"a","conclusion":""}',
    ("ok", "both null"): '{"thought":"a","action":null,"args":{},"conclusion":"x"}',
    ("bad", "THOUGHT caps"): '{"Thought":"a","Action":"get_weather","Args":{"city":"x"}}',
    ("bad", "cut"): '{"thought":"a","action":"get_weather","args":{"city":"x',
}


def check(protocol: str, verdict: str, label: str, text: str) -> None:
    found = [str(v.kind) for v in check_text(text, REGISTRY, protocol)]
    expected = OTHER.get(label, "malformed_call")
    if (protocol, label) == ("react_json", "two"):
        expected = "malformed_call"  # the design's table: two objects
    assert found == ([] if verdict == "ok" else [expected])


@pytest.mark.parametrize(("verdict", "label"), list(NATIVE))
def test_native(verdict: str, label: str) -> None:
    check("native", verdict, label, NATIVE[verdict, label])


@pytest.mark.parametrize(("verdict", "label"), list(REACT_JSON))
def test_react_json(verdict: str, label: str) -> None:
    check("react_json", verdict, label, REACT_JSON[verdict, label])
