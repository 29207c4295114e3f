"""Each importer on records in its published shape, and on broken ones. Nothing is executed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tooldrill.agent.tool import Registry, Tool
from tooldrill.data.ingest.contract import to_row
from tooldrill.data.ingest.conversation import Conversation, DroppedError, Given, Record
from tooldrill.data.ingest.formats import detect, import_record
from tooldrill.data.ingest.literals import call_list, json_or_literal, literal
from tooldrill.data.ingest.tool_lists import json_type, read_tools

Row = dict[str, Any]


def tool(name: str, **parameters: Any) -> Row:
    """An OpenAI tool; a parameter given as (type, default) is optional."""
    properties, required = {}, []
    for key, kind in parameters.items():
        if isinstance(kind, tuple):
            properties[key] = {"type": kind[0], "default": kind[1]}
        else:
            properties[key] = {"type": kind}
            required.append(key)
    schema = {"type": "object", "properties": properties, "required": required}
    function = {"name": name, "description": f"Does {name}.", "parameters": schema}
    return {"type": "function", "function": function}


WEATHER = tool("get_forecast", town="string", days=("integer", 1))
MAIL = tool("send_letter", to="string", body="string")


def imported(value: Any, name: str = "auto", **given: Any) -> tuple[str, Conversation]:
    return import_record(Record("r", value, given.pop("beside", None)), name, Given(**given))


def row_of(value: Any, name: str = "auto", **given: Any) -> Row:
    found, conversation = imported(value, name, **given)
    return to_row(conversation, "r", found)


def dropped(value: Any, name: str = "auto", **given: Any) -> str:
    with pytest.raises(DroppedError) as caught:
        row_of(value, name, **given)
    return caught.value.reason


def spoken(row: Row) -> list[Any]:
    """The messages in short: (role, calls or content)."""
    short: list[Any] = []
    for message in row["messages"]:
        calls = [(c["function"]["name"], c["function"]["arguments"])
                 for c in message.get("tool_calls", [])]  # fmt: skip
        short.append((message["role"], calls or message["content"]))
    return short


# xLAM / APIGen


def xlam(answers: Any, tools: Any = None, **extra: Any) -> Row:
    flat = {
        "name": "route.plan",
        "description": "Plan a route.",
        "parameters": {
            "origin": {"description": "From where.", "type": "str"},
            "stops": {"description": "On the way.", "type": "List[str], optional"},
            "speed": {"description": "In km/h.", "type": "float", "default": 50.0},
        },
    }
    listed = json.dumps([flat] if tools is None else tools)
    return {"id": 7, "query": "From Ulm via Bonn, please", "tools": listed,
            "answers": json.dumps(answers), **extra}  # fmt: skip


def test_xlam_a_single_call_becomes_a_row() -> None:
    call = {"name": "route.plan", "arguments": {"origin": "Ulm", "stops": ["Bonn"]}}
    row = row_of(xlam([call]))
    assert row["source"] == "xlam"
    assert spoken(row) == [
        ("user", "From Ulm via Bonn, please"),
        ("assistant", [("route.plan", {"origin": "Ulm", "stops": ["Bonn"]})]),
    ]
    schema = row["tools"][0]["function"]["parameters"]
    assert schema["required"] == ["origin"]
    assert schema["properties"]["stops"]["type"] == "array"
    assert schema["properties"]["stops"]["items"] == {"type": "string"}
    assert schema["properties"]["speed"] == {
        "type": "number", "description": "In km/h.", "default": 50.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([], "no_reply"),
        ([{"name": "route.plan", "arguments": {"origin": "U"}}] * 2, "parallel_calls"),
        ([{"name": "route.plan", "arguments": {"origin": 3}}], "violation:wrong_type"),
        ([{"name": "route.plan", "arguments": {}}], "violation:missing_argument"),
        ([{"name": "fly", "arguments": {}}], "violation:unknown_tool"),
        ([{"arguments": {}}], "bad_call_syntax"),
        ([{"name": "route.plan", "arguments": "{'origin': open('x')}"}], "bad_arguments"),
    ],
)
def test_xlam_what_cannot_be_used_is_named(answers: Any, reason: str) -> None:
    assert dropped(xlam(answers)) == reason


def test_xlam_broken_texts() -> None:
    assert dropped({**xlam([]), "answers": "[{"}) == "bad_call_syntax"
    assert dropped({**xlam([]), "tools": "[{"}) == "bad_tools"
    assert dropped({**xlam([]), "tools": "[]"}) == "no_tools"
    call = {"name": "route.plan", "arguments": {"origin": "U"}}
    assert dropped({**xlam([call]), "query": " "}) == "no_prompt"


# Hermes


def hermes(*turns: tuple[str, str], tools: str | None = None) -> Row:
    listed = tools if tools is not None else json.dumps([WEATHER, MAIL])
    system = f"You call functions within <tools></tools> tags. <tools>\n{listed}\n</tools> Go."
    said = [("system", system), *turns]
    return {"id": "h1", "conversations": [{"from": f, "value": v} for f, v in said]}


def test_hermes_a_dialogue_with_an_observation() -> None:
    row = row_of(
        hermes(
            ("human", "Rain in Ulm?"),
            ("gpt", 'I look.\n<tool_call>\n{"name": "get_forecast", "arguments": {"town": "Ulm"}}\n'
             "</tool_call>"),
            ("tool", '<tool_response>\n{"rain": true}\n</tool_response>'),
            ("gpt", "Yes."),
        )
    )  # fmt: skip
    assert spoken(row) == [
        ("user", "Rain in Ulm?"),
        ("assistant", [("get_forecast", {"town": "Ulm"})]),
        ("tool", '{"rain": true}'),
        ("assistant", "Yes."),
    ]
    assert row["messages"][1]["content"] == "I look."
    assert row["messages"][2]["name"] == "get_forecast"
    assert row["kind"] == "act"
    assert [t["function"]["name"] for t in row["tools"]] == ["get_forecast", "send_letter"]


def test_hermes_python_spelling_and_tools_one_per_line() -> None:
    body = "{'arguments': {'town': 'Ulm', 'days': 2}, 'name': 'get_forecast'}"
    call = f"<tool_call>\n{body}\n</tool_call>"
    lines = json.dumps(WEATHER) + "\n" + json.dumps(MAIL)
    row = row_of(hermes(("human", "Ulm?"), ("gpt", call), tools=lines))
    assert spoken(row)[-1] == ("assistant", [("get_forecast", {"town": "Ulm", "days": 2})])
    assert len(row["tools"]) == 2


def two_calls() -> str:
    calls = [{"name": "get_forecast", "arguments": {"town": t}} for t in ("Ulm", "Bonn")]
    return "\n".join(f"<tool_call>\n{json.dumps(c)}\n</tool_call>" for c in calls)


def test_hermes_parallel_calls_are_taken_apart_when_each_has_its_observation() -> None:
    seen = "<tool_response>\nsun\n</tool_response><tool_response>\nfog\n</tool_response>"
    row = row_of(hermes(("human", "?"), ("gpt", two_calls()), ("tool", seen), ("gpt", "So.")))
    assert spoken(row) == [
        ("user", "?"),
        ("assistant", [("get_forecast", {"town": "Ulm"})]), ("tool", "sun"),
        ("assistant", [("get_forecast", {"town": "Bonn"})]), ("tool", "fog"),
        ("assistant", "So."),
    ]  # fmt: skip
    one = ("tool", "<tool_response>sun</tool_response>")
    assert dropped(hermes(("human", "?"), ("gpt", two_calls()), one, ("gpt", "So."))) == (
        "parallel_calls"
    )
    assert dropped(hermes(("human", "?"), ("gpt", two_calls()))) == "parallel_calls"


def test_hermes_roles_of_their_own_for_calls() -> None:
    value = {
        "conversations": [
            {"from": "human", "value": "Ulm?"},
            {"from": "function_call",
             "value": '{"name": "get_forecast", "arguments": {"town": "Ulm"}}'},
            {"from": "observation", "value": '{"sun": 1}'},
            {"from": "gpt", "value": "Sun."},
        ],
        "tools": json.dumps([WEATHER["function"]]),
    }  # fmt: skip
    assert spoken(row_of(value))[1] == ("assistant", [("get_forecast", {"town": "Ulm"})])


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("<tool_call>{broken</tool_call>", "bad_call_syntax"),
        ('<tool_call>{"name": "get_forecast", "arguments": {"town": "U"}}', "bad_call_syntax"),
        ('<tool_call>{"name": "get_forecast", "arguments": {"town": "U"}}</tool_call> ok?',
         "bad_call_syntax"),
        ('<tool_call>{"name": "get_forecast", "arguments": {"city": "U"}}</tool_call>',
         "violation:invented_argument"),
        ('<tool_call>{"name": "get_forecast", "arguments": {"town": "U", "body": "x"}}</tool_call>',
         "violation:borrowed_argument"),
        ("", "empty_reply"),
    ],
)  # fmt: skip
def test_hermes_broken_replies(reply: str, reason: str) -> None:
    assert dropped(hermes(("human", "?"), ("gpt", reply))) == reason


def test_hermes_without_tools() -> None:
    value = {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}
    assert dropped(value) == "no_tools"
    assert dropped({"conversations": [{"from": "human"}]}) == "bad_turn"


# ToolACE


def toolace(*turns: tuple[str, str]) -> Row:
    quotes = {
        "name": "Stock Quotes API",
        "description": "Quotes.",
        "parameters": {
            "type": "dict",
            "properties": {
                "symbol": {"type": "string", "description": "Which."},
                "limit": {"type": "int"},
                "from": {"type": "string"},
                "filters": {"type": "dict"},
                "live": {"type": "bool"},
            },
            "required": ["symbol"],
        },
        "required": None,
    }
    other = {"name": "ping", "description": "P.", "parameters": {"type": "dict", "properties": {}}}
    system = (
        "You compose functions [see below]. Here is the list:\n"
        f"{json.dumps([quotes, other])}\nAnswer as [f1(a=b), f2(c=d)] only."
    )
    return {"system": system, "conversations": [{"from": f, "value": v} for f, v in turns]}


def test_toolace_calls_with_odd_names_and_values() -> None:
    call = (
        """[Stock Quotes API(symbol="A, (B) = 'C'", limit=-3, from="2024", """
        """filters={'a': [1, 2.5, None]}, live=true)]"""
    )
    row = row_of(toolace(("user", "Quotes!"), ("assistant", call)))
    assert row["source"] == "toolace"
    assert spoken(row)[1] == (
        "assistant",
        [("Stock_Quotes_API", {"symbol": "A, (B) = 'C'", "limit": -3, "from": "2024",
                               "filters": {"a": [1, 2.5, None]}, "live": True})],
    )  # fmt: skip
    kinds = {
        k: v["type"] for k, v in row["tools"][0]["function"]["parameters"]["properties"].items()
    }
    assert kinds == {"symbol": "string", "limit": "integer", "from": "string",
                     "filters": "object", "live": "boolean"}  # fmt: skip


def test_toolace_parallel_results_and_prose() -> None:
    two = "[Stock Quotes API(symbol='A'), ping()]"
    results = '[{"name": "Stock Quotes API", "results": 1}, {"name": "ping", "results": 2}]'
    row = row_of(toolace(("user", "?"), ("assistant", two), ("tool", results), ("assistant", "Ok")))
    assert [role for role, _ in spoken(row)] == [
        "user", "assistant", "tool", "assistant", "tool", "assistant",
    ]  # fmt: skip
    assert spoken(row)[4] == ("tool", '{"name": "ping", "results": 2}')
    assert dropped(toolace(("user", "?"), ("assistant", two))) == "parallel_calls"
    asked = row_of(toolace(("user", "Quotes"), ("assistant", "Of which symbol?")))
    assert (asked["kind"], spoken(asked)[1]) == ("restrain", ("assistant", "Of which symbol?"))


def test_toolace_nothing_is_executed(tmp_path: Path) -> None:
    target = tmp_path / "made"
    for value in (
        f"open({str(target)!r}, 'w').close()",
        f"__import__('pathlib').Path({str(target)!r}).touch()",
        "(lambda: 1)()",
        "[x for x in (1,)]",
        "f'{1}'",
        "1 + 1",
        "b'raw'",
    ):
        call = f"[Stock Quotes API(symbol={value})]"
        assert dropped(toolace(("user", "?"), ("assistant", call))) == "bad_call_syntax"
        with pytest.raises(ValueError, match="not a literal"):
            literal(value)
    assert not target.exists()


def test_toolace_deep_nesting_is_refused_not_crashed() -> None:
    for value in ("[" * 5000 + "]" * 5000, "-" * 100_000 + "1", "(" * 300 + "1" + ")" * 300):
        call = f"[Stock Quotes API(symbol={value})]"
        assert dropped(toolace(("user", "?"), ("assistant", call))) == "bad_call_syntax"


def test_call_lists_and_what_only_looks_like_one() -> None:
    assert call_list("[1] is the source.", ["f"]) is None
    assert call_list("[see above]", ["f"]) is None
    assert call_list("f(a=1)", ["f"]) is None
    (call,) = call_list('[f(a="x]", b=[1,2])]', ["f"]) or []
    assert (call.name, call.arguments) == ("f", {"a": "x]", "b": [1, 2]})
    for text in ("[f(1)]", "[f(a=1, a=2)]", "[f(a=1]", "[f(a='x)]"):
        with pytest.raises(DroppedError, match="bad_call_syntax"):
            call_list(text, ["f"])


# Glaive


def glaive(chat: str, tools: str | None = None) -> Row:
    listed = tools if tools is not None else "\n\n".join(
        json.dumps(t["function"], indent=4) for t in (WEATHER, MAIL)
    )  # fmt: skip
    return {"system": f"SYSTEM: You may use these functions. -\n{listed}\n", "chat": chat}


def test_glaive_a_dialogue() -> None:
    chat = (
        "USER: Write to Eva: it's late\n\n\nASSISTANT: <functioncall> "
        """{"name": "send_letter", "arguments": '{"to": "Eva", "body": "it\\'s late"}'} """
        '<|endoftext|>\n\n\nFUNCTION RESPONSE: {"status": "sent"}\n\n\n'
        "ASSISTANT: It is on its way. <|endoftext|>\n\n\nUSER: Thanks\n\n\n"
        "ASSISTANT: You are welcome. <|endoftext|>"
    )
    row = row_of(glaive(chat))
    assert spoken(row) == [
        ("user", "Write to Eva: it's late"),
        ("assistant", [("send_letter", {"to": "Eva", "body": "it's late"})]),
        ("tool", '{"status": "sent"}'),
        ("assistant", "It is on its way."),
        ("user", "Thanks"),
        ("assistant", "You are welcome."),
    ]
    assert row["source"] == "glaive"


def test_glaive_other_spellings_and_faults() -> None:
    head = "USER: Ulm?\n\nASSISTANT: <functioncall> "
    plain = row_of(glaive(head + '{"name": "get_forecast", "arguments": {"town": "Ulm"}}'))
    text = row_of(glaive(head + """{"name": "get_forecast", "arguments": '{"town": "Ulm"}'}"""))
    assert plain["messages"] == text["messages"]
    empty = """{"name": "get_forecast", "arguments": '{}'}"""
    assert dropped(glaive(head + empty)) == "violation:missing_argument"
    assert dropped(glaive(head + "{oops")) == "bad_call_syntax"
    assert dropped(glaive(head + "{}", tools="")) == "no_tools"
    assert dropped(glaive("ASSISTANT: hello")) == "no_prompt"
    double = "USER: a\n\nASSISTANT: b\n\nASSISTANT: c"
    assert dropped(glaive(double)) == "broken_order"


# OpenAI chat


def openai_call(identity: str, name: str, arguments: Any) -> Row:
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments}}


def chat(*messages: Row, **extra: Any) -> Row:
    return {"messages": list(messages), "tools": [WEATHER, MAIL], **extra}


ASK = {"role": "user", "content": "Ulm?"}


def test_openai_arguments_as_text_or_object_and_ids_out_of_order() -> None:
    value = chat(
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Ulm?"}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                openai_call("a", "get_forecast", '{"town": "Ulm"}'),
                openai_call("b", "get_forecast", {"town": "Bonn", "days": 2}),
            ],
        },
        {"role": "tool", "tool_call_id": "b", "content": "fog"},
        {"role": "tool", "tool_call_id": "a", "content": "sun"},
        {"role": "assistant", "content": "Sun, fog."},
        {"role": "user", "content": "Thanks"},
    )
    row = row_of(value)
    assert spoken(row) == [
        ("system", "Be brief."), ("user", "Ulm?"),
        ("assistant", [("get_forecast", {"town": "Ulm"})]), ("tool", "sun"),
        ("assistant", [("get_forecast", {"town": "Bonn", "days": 2})]), ("tool", "fog"),
        ("assistant", "Sun, fog."),
    ]  # fmt: skip
    assert all(set(m) <= {"role", "content", "name", "tool_calls"} for m in row["messages"])


def test_openai_legacy_functions() -> None:
    value = {
        "functions": [WEATHER["function"]],
        "messages": [
            ASK,
            {"role": "assistant", "content": None,
             "function_call": {"name": "get_forecast", "arguments": '{"town": "Ulm"}'}},
            {"role": "function", "name": "get_forecast", "content": "sun"},
            {"role": "assistant", "content": "Sun."},
        ],
    }  # fmt: skip
    assert spoken(row_of(value))[1:3] == [
        ("assistant", [("get_forecast", {"town": "Ulm"})]), ("tool", "sun"),
    ]  # fmt: skip


def called(arguments: Any, name: str = "get_forecast") -> Row:
    return {"role": "assistant", "content": "", "tool_calls": [openai_call("a", name, arguments)]}


def seen(text: str, identity: str = "a") -> Row:
    return {"role": "tool", "tool_call_id": identity, "content": text}


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([ASK, called("{")], "bad_arguments"),
        ([ASK, called("[1]")], "bad_arguments"),
        ([ASK, called({"town": "U"}), {"role": "user", "content": "well?"},
          {"role": "assistant", "content": "no"}], "missing_observation"),
        ([ASK, called({"town": "U"}), seen("x", "zz"), called({"town": "U"})], "stray_observation"),
        ([ASK, called({"town": "U"}), seen("x"), seen("y")], "stray_observation"),
        ([ASK, seen("x")], "stray_observation"),
        ([ASK], "no_reply"),
        ([{"role": "user", "content": [{"type": "image_url"}]}], "not_text"),
        ([{"role": "critic", "content": ""}], "unknown_role"),
        ([ASK, {"role": "assistant", "content": "a"}, {"role": "system", "content": "s"},
          {"role": "assistant", "content": "a"}], "broken_order"),
        ([ASK, called({"town": "U", "days": 2**63})], "number_too_large"),
        ([ASK, called('{"town": "U", "days": NaN}')], "violation:wrong_type"),
        ([ASK, called({"town": "\ud800"})], "bad_text"),
        (["hello"], "bad_turn"),
    ],
)  # fmt: skip
def test_openai_what_cannot_be_used_is_named(messages: list[Any], reason: str) -> None:
    assert dropped(chat(*messages)) == reason


def test_openai_own_rows_come_back_unchanged_and_heldout_ones_do_not() -> None:
    damage = {"kind": "truncated", "name": "get_forecast", "arguments": {}, "cut": 0.5}
    wrong = {"role": "assistant", "content": "oops {", "malformed": True, "weight": 0,
             "damage": damage}  # fmt: skip
    refused = {"role": "user", "content": "ERROR: unreadable", "refuses_damage": True}
    reply = {"role": "assistant", "content": "Sun."}
    value = chat(ASK, wrong, refused, reply, kind="recover", world="tickets", template="tickets.x")
    row = row_of(value)
    assert row["messages"] == [ASK, wrong, refused, reply]
    assert (row["kind"], row["world"], row["template"]) == ("recover", "tickets", "tickets.x")
    assert row["violation"] == "malformed_call"
    assert dropped({**value, "split": "heldout"}) == "heldout_world"


def test_openai_calls_in_text_are_read_only_when_a_protocol_is_given() -> None:
    step = {"thought": "t", "action": "get_forecast", "args": {"town": "Ulm"}}
    end = {"thought": "", "conclusion": "Sun."}
    value = chat(
        ASK,
        {"role": "assistant", "content": json.dumps(step)},
        {"role": "user", "content": "sunny"},
        {"role": "assistant", "content": json.dumps(end)},
    )
    assert row_of(value)["kind"] == "restrain"
    assert spoken(row_of(value, protocol="react_json")) == [
        ("user", "Ulm?"), ("assistant", [("get_forecast", {"town": "Ulm"})]), ("tool", "sunny"),
        ("assistant", "Sun."),
    ]  # fmt: skip
    native = '<tool_call>{"name": "get_forecast", "arguments": {"town": "Ulm"}}</tool_call>'
    value["messages"][1]["content"] = native
    value["messages"][2]["content"] = "<tool_response>\nsunny\n</tool_response>"
    value["messages"][3]["content"] = "Sun."
    assert spoken(row_of(value, protocol="native"))[2] == ("tool", "sunny")


# ReAct logs

LOG: list[Row] = [
    {"step": 1, "thought": "look", "action": "get_forecast", "args": {"town": "Ulm"},
     "observation": "sun"},
    {"step": 2, "conclusion": "Sun in Ulm."},
]  # fmt: skip
REGISTRY = Registry([Tool.from_openai(WEATHER), Tool.from_openai(MAIL)])


def test_react_logs_with_the_prompt_from_anywhere() -> None:
    row = row_of(LOG, registry=REGISTRY, prompt="Ulm?")
    assert spoken(row) == [
        ("user", "Ulm?"), ("assistant", [("get_forecast", {"town": "Ulm"})]), ("tool", "sun"),
        ("assistant", "Sun in Ulm."),
    ]  # fmt: skip
    assert row["messages"][1]["content"] == "look"
    assert row_of(LOG, registry=REGISTRY, beside="Ulm?") == row
    assert row_of({"task": "Ulm?", "log": LOG}, registry=REGISTRY) == row
    assert row["tools"] == REGISTRY.to_openai()


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (LOG[:1], "no_conclusion"),
        ([LOG[0], {**LOG[1], "forced": True}], "forced_conclusion"),
        ([{**LOG[0], "action": None}, LOG[1]], "bad_step"),
        ([{k: v for k, v in LOG[0].items() if k != "observation"}, LOG[1]], "missing_observation"),
        ([{**LOG[0], "args": {"city": "Ulm"}}, LOG[1]], "violation:invented_argument"),
        ([{**LOG[0], "args": {"city": "Ulm"}, "observation": "ERROR: no"}, LOG[1]],
         "unrepaired:invented_argument"),
    ],
)  # fmt: skip
def test_react_broken_logs(log: list[Row], reason: str) -> None:
    assert dropped(log, registry=REGISTRY, prompt="Ulm?") == reason


def test_react_needs_tools_and_a_prompt() -> None:
    assert dropped(LOG, prompt="Ulm?") == "no_tools"
    assert dropped(LOG, registry=REGISTRY) == "no_prompt"


# Detection


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (xlam([]), "xlam"),
        (hermes(("human", "a")), "hermes"),
        (toolace(("user", "a")), "toolace"),
        (glaive("USER: a"), "glaive"),
        (chat(ASK), "openai"),
        (LOG, "react"),
        ({"steps": LOG, "prompt": "x"}, "react"),
        ({"task": "t", "messages": [], "steps": [], "outcome": "concluded"}, "episodes"),
        ({"text": "hello"}, None),
        ([1, 2], None),
        ("text", None),
        (None, None),
    ],
)
def test_formats_are_told_by_their_keys(value: Any, name: str | None) -> None:
    assert detect(value) == name


def test_an_unknown_record_is_dropped_with_its_keys() -> None:
    with pytest.raises(DroppedError, match="unknown_format: an object with the keys text, url"):
        imported({"text": "", "url": ""})
    assert dropped(xlam([]), "hermes") == "unknown_format"


# Tool lists


@pytest.mark.parametrize(
    ("text", "schema"),
    [
        ("str, optional", {"type": "string"}),
        ("List[Dict[str, int]]", {"type": "array", "items": {"type": "object"}}),
        ("Optional[float]", {"type": "number"}),
        ("Union[int, str]", {"type": ["integer", "string"]}),
        ("Union[int, Any]", {}),
        ("Callable[[int], str]", {}),
        ("dict", {"type": "object"}),
        ("any", {}),
    ],
)
def test_names_of_types(text: str, schema: Row) -> None:
    assert json_type(text) == schema


def test_tool_lists_that_make_no_registry() -> None:
    twice = [WEATHER, WEATHER]
    nameless = [{"function": {"description": "x"}}]
    wrong = [tool("f", a="string") | {}]
    wrong[0]["function"]["parameters"]["properties"]["a"] = {"pattern": "("}
    for value in (twice, nameless, wrong, ["x"], 3, [{"name": "a b"}, {"name": "a_b"}]):
        with pytest.raises(DroppedError, match="bad_tools"):
            read_tools(value)


def test_json_or_literal() -> None:
    assert json_or_literal('{"a": null}') == json_or_literal("{'a': None}") == {"a": None}
