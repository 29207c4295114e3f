"""`tooldrill check` as a filter: what it reads, what it refuses, what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tooldrill.check_lines import Tally, check_lines
from tooldrill.sources import load_registry

CALL = {"name": "delete_contact", "arguments": {"contact_id": 1}}


def run(*arguments: str, text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [str(Path(sys.executable).with_name("tooldrill")), "check", *arguments]
    return subprocess.run(command, input=text, capture_output=True, check=False)


def problems(text: str) -> list[str]:
    tally = Tally()
    assert list(check_lines([text], load_registry("world:contacts"), "native", tally)) == []
    return tally.problems


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("{", "line 1: This is not valid JSON"),
        ("[]", "line 1: Write one JSON object"),
        ('{"id": 1}', 'give either "reply" or "calls"'),
        ('{"reply": 3}', "reply: "),
        ('{"id": [1], "reply": ""}', "id: "),
        ('{"calls": [{"name": "f", "arguments": "{}"}]}', "give the arguments as an object"),
        ('{"calls": [{"function": {"name": "f"}}]}', "calls.0"),
        ('{"calls": [{"name": "f", "arguments": {"a": NaN}}]}', "line 1: "),
        ('{"calls": [{"name": "f", "arguments": {"a": 1, "a": 2}}]}', 'Give "a" only once'),
        ('{"reply": "\udcff"}', "not UTF-8"),
        ('{"reply": "", "else": 1}', "else: "),
    ],
)
def test_a_bad_line_says_what_to_change(line: str, part: str) -> None:
    (problem,) = problems(line)
    assert part in problem
    assert problem.startswith("line 1: ") and "\n" not in problem


def test_good_lines_are_answered_beside_bad_ones(tmp_path: Path) -> None:
    lines: list[Any] = [{"id": 1, "calls": [CALL]}, "x", {"id": "b", "calls": [CALL, CALL]}]
    text = "\r\n".join(json.dumps(line) if isinstance(line, dict) else line for line in lines)
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + text.encode() + b"\n\n\xff\n")
    for done in (
        run("--tools", "world:contacts", str(file)),
        run("--tools", "world:contacts", "-", text=file.read_bytes()),
    ):
        verdicts = [json.loads(line) for line in done.stdout.splitlines()]
        assert [(v["id"], v["ok"]) for v in verdicts] == [(1, True), ("b", False)]
        assert set(verdicts[1]["violations"][0]) == {
            "class", "tool", "argument", "path", "owners", "suggestion", "message",
        }  # fmt: skip
        assert done.returncode == 2
        errors = done.stderr.decode()
        assert "line 2" in errors and "line 5: not UTF-8" in errors
        assert "2 checked, 1 clean; multiple_calls 1" in errors


@pytest.mark.parametrize(("lines", "status"), [([CALL], 0), ([{**CALL, "name": "x"}], 1)])
def test_the_exit_status(lines: list[Any], status: int, tmp_path: Path) -> None:
    text = "".join(json.dumps({"id": 1, "calls": [call]}) + "\n" for call in lines)
    assert run("--tools", "world:contacts", "-", text=text.encode()).returncode == status


def test_history_makes_sticky_and_repeated() -> None:
    past = {**CALL, "arguments": {"contact_id": 1, "force": True}, "error": True}
    line = {"calls": [{"name": "leave_group", "arguments":
                       {"contact_id": 1, "group": "g", "force": True}}],
            "history": [{**past, "rejected_arguments": ["force"]}]}  # fmt: skip
    (verdict,) = check_lines([json.dumps(line)], load_registry("world:contacts"), "native", Tally())
    assert [v["class"] for v in verdict["violations"]] == ["sticky_argument"]
    line = {"calls": [{"name": past["name"], "arguments": past["arguments"]}], "history": [past]}
    (verdict,) = check_lines([json.dumps(line)], load_registry("world:contacts"), "native", Tally())
    assert [v["class"] for v in verdict["violations"]] == ["invented_argument", "repeated_failure"]
