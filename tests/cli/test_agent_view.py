"""What the terminal agent prints: nothing that a terminal would obey, and JSON that parses."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import subprocess
import sys

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


SHOW = """
from tooldrill.agent.episode import Episode, Outcome, Step
from tooldrill.cli.agent_view import TerminalView
view = TerminalView()
for reply, said in {replies}:
    for piece in reply:
        view.text(piece)
    view.step(Step(reply=reply, thought="" if said else reply, conclusion=said))
view.end(Episode(task="a", tools=[], messages=[], steps=[], outcome=Outcome.CONCLUDED,
                 conclusion=said))
"""


@pytest.mark.parametrize(
    ("replies", "times"),
    [
        ([("I look.", None), ("All is done.\n", "All is done.")], 1),
        ([("<think>Well.</think>All is done.", "All is done.")], 1),
        # Not as it stands there, or not in the last reply: it is said.
        ([('{"conclusion": "All is done."}', "All is done.")], 2),
        ([("All is done.", None), ('{"conclusion": "\\u0041ll is done."}', "All is done.")], 2),
    ],
)
def test_a_conclusion_is_seen_once_on_a_terminal(
    replies: list[tuple[str, str | None]], times: int
) -> None:
    shown, out = on_a_terminal(SHOW.format(replies=replies), both=True)
    assert shown.count("All is done.") == times
    assert out == ""
    # Standard output that goes elsewhere gets it, and it alone.
    shown, out = on_a_terminal(SHOW.format(replies=replies), both=False)
    assert out == "All is done.\n"


def on_a_terminal(code: str, *, both: bool) -> tuple[str, str]:
    """What a program shows on a terminal, and what it writes to standard output beside it."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=theirs if both else subprocess.PIPE,
        stderr=theirs,
        text=True,
        env={**os.environ, "TERM": "xterm", "NO_COLOR": "1"},
    ) as program:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # how a terminal says that nobody is left
            while piece := os.read(ours, 4096):
                shown += piece
        out = "" if program.stdout is None else program.stdout.read()
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;]*m", "", shown.decode()), out


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
