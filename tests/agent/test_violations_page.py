"""The page that explains the classes: its examples are run, and say what the checker says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tooldrill.agent.violation import ViolationClass
from tooldrill.check_lines import Tally, check_lines
from tooldrill.sources import load_registry

PAGE = (Path(__file__).parents[2] / "docs" / "violations.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^### `(\w+)`\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL))
OF_AN_EPISODE = {
    ViolationClass.NEEDLESS_CALL,
    ViolationClass.MISSING_CALL,
    ViolationClass.FABRICATED_SUCCESS,
    ViolationClass.NO_CONCLUSION,
}


def test_every_class_is_explained() -> None:
    assert set(SECTIONS) == set(ViolationClass) - OF_AN_EPISODE
    rows = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert set(rows) == OF_AN_EPISODE


@pytest.mark.parametrize("kind", list(SECTIONS))
def test_the_example_is_what_the_checker_says(kind: str) -> None:
    text = SECTIONS[kind]
    source = re.search(r"`(world:\w+)`", text)
    example = re.search(r"```json\n(.+?)\n```\n\n> (.+?)\n", text)
    assert source and example
    tally = Tally()
    (verdict,) = check_lines([example[1]], load_registry(source[1]), "native", tally)
    assert not tally.problems
    said = [(v["class"], v["message"]) for v in verdict["violations"]]
    assert said == [(kind, example[2])]
    json.dumps(verdict)
