"""ReAct step logs, whose tools and request lie elsewhere."""

from __future__ import annotations

import pytest
from ingest_rows import (
    LOG,
    REGISTRY,
    Row,
    dropped,
    row_of,
    spoken,
)


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
