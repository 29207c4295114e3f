"""What the terminal agent prints: nothing that a terminal would obey, and JSON that parses."""

from __future__ import annotations

import json

import pytest

from tooldrill.agent.episode import CallRecord, Episode, Outcome, Step
from tooldrill.cli.agent_view import JsonView, TerminalView, said_call

HOSTILE = "\x1b[2J\x1b]0;owned\x07[red]ünï[/red]"


def steps() -> list[Step]:
    call = CallRecord(name="read_file", arguments={"path": HOSTILE})
    return [
        Step(reply="<raw>", thought=HOSTILE, calls=[call], observation="x" * 9000 + HOSTILE),
        Step(reply=HOSTILE, conclusion=HOSTILE),
    ]


def episode() -> Episode:
    return Episode(
        task="agent", tools=[], messages=[], steps=steps(), outcome=Outcome.CONCLUDED,
        conclusion=HOSTILE,
    )  # fmt: skip


def test_a_terminal_is_shown_text_and_no_commands(capsys: pytest.CaptureFixture[str]) -> None:
    view = TerminalView()
    for step in steps():
        view.step(step)
    view.end(episode())
    shown = capsys.readouterr()
    assert "\x1b" not in shown.out + shown.err
    assert "\x07" not in shown.out + shown.err
    assert "[red]ünï[/red]" in shown.out  # markup of a model is text
    assert shown.out.count("\n") == 1  # the conclusion alone
    assert "read_file(path=" in shown.err
    assert "characters not shown]" in shown.err
    assert len(shown.err) < 4000


def test_each_line_of_json_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    view = JsonView()
    for step in steps():
        view.step(step)
        view.text("a piece")
    view.end(episode())
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [Step.model_validate(event["step"]) for event in events[:-1]] == steps()
    assert events[-1]["outcome"] == "concluded"
    assert events[-1]["conclusion"] == HOSTILE


def test_a_call_is_one_line() -> None:
    said = said_call("grep", {"pattern": 'a "b"\nc', "deep": {"x": [1, None, True]}})
    assert said == 'grep(pattern="a \\"b\\"\\nc", deep={"x": [1, null, true]})'
