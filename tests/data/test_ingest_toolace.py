"""ToolACE rows: calls in brackets, of tools with names of several words."""

from __future__ import annotations

from pathlib import Path

import pytest
from ingest_rows import (
    dropped,
    row_of,
    spoken,
    toolace,
)

from tooldrill.data.ingest.conversation import DroppedError
from tooldrill.data.ingest.literals import literal
from tooldrill.data.ingest.written_calls import written_calls


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
    assert spoken(row_of(toolace(("user", "?"), ("assistant", two)))) == [
        ("user", "?"), ("assistant", [("Stock_Quotes_API", {"symbol": "A"})]),
    ]  # fmt: skip
    late = [("user", "?"), ("assistant", two), ("tool", '["only one"]'), ("assistant", "Ok")]
    assert dropped(toolace(*late)) == "parallel_calls"
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


def test_what_calls_and_what_only_looks_like_it() -> None:
    assert written_calls("[1] is the source.", ["f"]) is None
    assert written_calls("[see above]", ["f"]) is None
    assert written_calls("[f] (see below)", ["f"]) is None
    assert written_calls("f(a=1)", ["f"]) is None
    before, (call,) = written_calls('[f(a="x]", b=[1,2])]', ["f"]) or ("?", [])
    assert (before, call.name, call.arguments) == ("", "f", {"a": "x]", "b": [1, 2]})
    for text in ("[f(1)]", "[f(a=1, a=2)]", "[f(a=1]", "[f(a='x)]", "[f(a=1) g(b=2)]", "[f(a=b)]",
                 "[unknown(1)]"):  # fmt: skip
        with pytest.raises(DroppedError, match="bad_call_syntax"):
            written_calls(text, ["f"])


def test_toolace_names_with_brackets_and_commas() -> None:
    text = '[Price (Live)(id="A", page-size=2), Books, Films (q={"a": null}), f( )]'
    _, calls = written_calls(text, ["Price", "Price (Live)", "Books, Films", "f"]) or ("", [])
    assert [(c.name, c.arguments) for c in calls] == [
        ("Price (Live)", {"id": "A", "page-size": 2}), ("Books, Films", {"q": {"a": None}}),
        ("f", {}),
    ]  # fmt: skip


def test_toolace_a_call_with_text_around_it_is_no_conclusion() -> None:
    """Learned as one, it would teach to write calls as prose."""
    call = '[Stock Quotes API(symbol="A")]'
    row = row_of(toolace(("user", "?"), ("assistant", f"I look it up. {call}")))
    assert spoken(row)[1] == ("assistant", [("Stock_Quotes_API", {"symbol": "A"})])
    assert row["messages"][1]["content"] == "I look it up."
    after = toolace(("user", "?"), ("assistant", f"{call} Then I go on."))
    assert dropped(after) == "bad_call_syntax"
    assert dropped(toolace(("user", "?"), ("assistant", '[Other(a="1")]'))) == (
        "violation:unknown_tool"
    )


def test_toolace_a_result_that_reports_an_error_is_not_learned_from() -> None:
    call = '[Stock Quotes API(symbol="A")]'
    result = '[{"name": "Stock Quotes API", "results": {"error": "no such symbol"}}]'
    end = ("assistant", "There is no such symbol.")
    row = row_of(toolace(("user", "?"), ("assistant", call), ("tool", result), end))
    assert [m.get("weight", 1) for m in row["messages"]] == [1, 0, 1, 1]
    assert row["kind"] == "recover"
