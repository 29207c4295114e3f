"""Harvested examples: valid calls, every value said in the request, answers where none fits."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tooldrill.agent.checker import check_calls
from tooldrill.agent.tool import Parameter
from tooldrill.agent.violation import ViolationClass
from tooldrill.data.harvest import (
    Single,
    harvest_pair,
    harvest_single,
    harvest_singles,
    moment,
    refused_once,
    to_row,
)
from tooldrill.data.harvest.kinds import UNSAYABLE, kind_of
from tooldrill.data.harvest.prose import words
from tooldrill.data.harvest.switches import switch_phrases
from tooldrill.data.harvest.texts import About
from tooldrill.data.harvest.values import draw_argument
from tooldrill.data.harvest.voices import to_asker
from tooldrill.data.tasks.task import TaskKind
from tooldrill.data.values.names import Draw, number_word

MANY = 400


@pytest.fixture(scope="module")
def many() -> list[Single]:
    return harvest_singles(11, MANY)


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> dict[tuple[str | int, ...], Any]:
    if isinstance(value, dict):
        items: list[tuple[str | int, Any]] = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    else:
        return {path: value}
    return {p: leaf for key, inner in items for p, leaf in leaves(inner, (*path, key)).items()}


def reads_as_time(text: str, value: str) -> bool:
    """Whether the text is a day or moment that means `value`, read back with strptime."""
    days = ("%Y-%m-%d", "%B %d, %Y", "%d %B %Y", "%A, %d %B %Y", "%d %b %Y")
    forms = [*days, "%Y-%m-%dT%H:%M:%SZ"]
    forms += [f for day in days for f in (f"{day} %H:%M UTC", f"%H:%M UTC on {day}")]
    meant = datetime.fromisoformat(value.replace("Z", "+00:00")).replace(tzinfo=UTC)
    for form in forms:
        try:
            if datetime.strptime(text, form).replace(tzinfo=UTC) == meant:
                return True
        except ValueError:
            continue
    return False


def means(text: str, value: Any, label: str) -> bool:
    """An independent reading of what a person said."""
    if isinstance(value, bool):
        opposite = switch_phrases(label, not value)
        return text in switch_phrases(label, value) and text not in opposite
    if isinstance(value, int | float):
        said, _, unit = text.partition(" ")
        number = next((n for n in range(21) if number_word(n) == said), None)
        told = float(said) if number is None else float(number)
        return told * (60 if unit.startswith("minute") and "minute" not in label else 1) == value
    if value in text:
        return True
    if re.match(r"\d{4}-\d\d-\d\d", value) and reads_as_time(text, value):
        return True
    return text.replace(" ", "") == re.sub(r"[_\- ]", "", value).lower()


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 2**64))
def test_every_call_is_valid_and_every_value_is_said(seed: int) -> None:
    single = harvest_single(random.Random(seed))
    assert 2 <= len(single.registry) <= 12
    assert 0 < len(single.prompt) <= 1200
    if single.call is None:
        assert single.kind is TaskKind.RESTRAIN and single.answer and not single.statements
        return
    assert check_calls([single.call], single.registry) == []
    said = {statement.path: statement for statement in single.statements}
    found = leaves(single.call.arguments)
    assert set(said) == set(found)
    for path, value in found.items():
        statement = said[path]
        assert statement.text in single.prompt
        name = next(part for part in reversed(path) if isinstance(part, str))
        assert means(statement.text, value, " ".join(words(name))), (statement, single.prompt)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**64))
def test_a_map_is_said_with_its_keys(seed: int) -> None:
    single = harvest_single(random.Random(seed), sources=("aws",))
    if single.call is None:
        return
    tool = single.registry[single.call.name]
    for parameter in tool.parameters:
        value = single.call.arguments.get(parameter.name)
        if isinstance(value, dict) and "properties" not in parameter.schema:
            texts = {s.path[-1]: s.text for s in single.statements if s.path[0] == parameter.name}
            assert all(str(key) in texts[key] and texts[key] in single.prompt for key in value)


def test_switches_are_said_both_ways_and_differently() -> None:
    labels = ("dry run", "include deleted", "show hidden", "skip archived", "only active",
              "enabled",
              "versioning enabled", "disable logging", "force", "recursive", "no echo", "debug",
              "overwrite", "follow symlinks", "validate only", "exclude shared")  # fmt: skip
    for label in labels:
        on, off = switch_phrases(label, True), switch_phrases(label, False)
        assert on and off and not set(on) & set(off)
    assert "without archived" in switch_phrases("skip archived", True)
    assert "including archived" in switch_phrases("skip archived", False)
    assert "with logging off" in switch_phrases("disable logging", True)


def test_equal_seeds_give_equal_examples() -> None:
    one = harvest_singles(3, 12)
    again = harvest_singles(3, 12)
    assert [to_row(s, "x") for s in one] == [to_row(s, "x") for s in again]
    assert [s.prompt for s in one] == [s.prompt for s in harvest_singles(3, 30)[:12]]
    assert [s.prompt for s in one] != [s.prompt for s in harvest_singles(4, 12)]


def test_another_process_makes_the_same() -> None:
    code = (
        "from tooldrill.data.harvest import harvest_singles, to_row; import json, hashlib;"
        "rows = [to_row(s, 'x') for s in harvest_singles(9, 16)];"
        "print(hashlib.sha256(json.dumps(rows).encode()).hexdigest())"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(made) == 1 and len(made.pop().strip()) == 64


def test_requests_vary(many: list[Single]) -> None:
    assert len({s.prompt for s in many}) == len(many)
    openings = Counter(" ".join(s.prompt.split()[:2]) for s in many)
    assert openings.most_common(1)[0][1] < MANY * 0.1
    assert len({s.service for s in many}) >= 70
    kinds = Counter(s.template.rpartition(".")[2] for s in many if s.kind is TaskKind.RESTRAIN)
    assert kinds["no_tool"] >= MANY * 0.03 and kinds["missing"] >= MANY * 0.02
    assert sum(kinds.values()) < MANY * 0.25


def test_most_values_are_said_without_the_parameters_name(many: list[Single]) -> None:
    named = total = 0
    for single in many:
        for name in single.call.arguments if single.call else ():
            said = " ".join(re.findall(r"[a-z0-9]+", single.prompt.lower()))
            total += 1
            named += f" {' '.join(words(name)).lower()} " in f" {said} "
    assert named / total < 0.4


def test_what_no_tool_fits_is_not_offered(many: list[Single]) -> None:
    without = [s for s in many if s.template.endswith("no_tool")]
    for single in without:
        assert single.absent_tools and not set(single.absent_tools) & set(single.registry.names)


def test_a_row_ends_with_the_reply(many: list[Single]) -> None:
    for number, single in enumerate(many):
        row = to_row(single, f"h{number}")
        assert row["source"] == "harvest" and row["trace_id"] == f"h{number}"
        assert [m["role"] for m in row["messages"]] == ["user", "assistant"]
        assert ("tool_calls" in row["messages"][-1]) == (single.call is not None)
        assert row["tools"] == single.registry.to_openai() and row["violation"] == ""


def test_a_refused_try_is_not_learned_and_is_repaired(many: list[Single]) -> None:
    rng = random.Random(1)
    made = [r for s in many[:60] if (r := refused_once(s, rng)) is not None]
    assert len(made) >= 40
    for single in made:
        row = to_row(single, "x")
        wrong, observation, right = row["messages"][1:]
        assert wrong["weight"] == 0 and "weight" not in right
        assert observation["content"].startswith("ERROR")
        assert row["violation"] and row["kind"] == "recover"
        assert not check_calls([single.call] if single.call else [], single.registry, single.past)


def test_pairs_break_the_rule_they_are_about(many: list[Single]) -> None:
    rng = random.Random(2)
    seen: Counter[str] = Counter()
    for single in many[:120]:
        for kind in ViolationClass:
            pair = harvest_pair(rng, single, kind, "p")
            if pair is None:
                continue
            seen[kind] += 1
            assert pair["violation"] == kind
            assert pair["chosen"] == [moment(single).right] != pair["rejected"]
            assert pair["prompt"][0]["content"] == single.prompt
    impossible = {ViolationClass.NO_CONCLUSION}  # an example ends with its call
    assert set(seen) == {str(kind) for kind in ViolationClass if kind not in impossible}
    assert seen[ViolationClass.BORROWED_ARGUMENT] >= 60


def test_values_are_such_as_their_parameters_take() -> None:
    def made(name: str, source: str = "aws", text: str = "", service: str = "s3") -> str:
        about = About(name, text, {"type": "string"}, source, service, "router-input")
        return kind_of(about).make(Draw(random.Random(5)), about)

    assert made("Arn", service="mediaconnect").split(":")[2] == "mediaconnect"
    assert made("Arn").split(":")[5].startswith("router-input")
    assert made("RoleArn").startswith("arn:aws:iam::")
    assert made("SubnetIds").startswith("subnet-") and made("VpcId").startswith("vpc-")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", made("startDate", "google"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:00Z", made("endTime", "google"))
    assert re.fullmatch(r"(rate|cron)\(.+\)", made("ScheduleExpression"))
    assert re.fullmatch(r"\w+![A-Z]\d+:[A-Z]\d+", made("range", "google", service="sheets"))
    assert made("serviceAccount", "google").endswith(".iam.gserviceaccount.com")
    assert "@" in made("owners", "google") and made("accountId").isdigit()
    assert json.loads(made("output", text="The JSON output of the task."))
    assert re.fullmatch(r"[a-z_A-Z]+( desc| asc)?", made("orderBy", "google"))
    assert len(made("regionCode", "google")) == 2


def test_what_names_one_of_unlisted_things_is_not_made_up() -> None:
    for name in ("DeviceType", "ClientType", "status", "StorageClass", "GrantTypes"):
        about = About(name, "", {"type": "string"}, "aws", "s3")
        assert kind_of(about) is UNSAYABLE, name
        parameter = Parameter(name, {"type": "string"}, required=False)
        assert draw_argument(Draw(random.Random(1)), parameter, "aws", "s3") is None
    about = About("Auth", "The type of authentication.", {"type": "string"}, "aws", "s3")
    assert kind_of(about) is UNSAYABLE


@pytest.mark.parametrize(
    ("name", "said"),
    [("MaxItems", "7"), ("TimeoutMs", "7 ms"), ("params", "7"), ("sizeGb", "7 GB")],
)
def test_a_unit_is_a_word_of_its_own(name: str, said: str) -> None:
    schema = {"type": "integer", "minimum": 7, "maximum": 7}
    made = draw_argument(Draw(random.Random(2)), Parameter(name, schema, True), "aws", "s3")
    assert made is not None
    assert made.leaves[0].said in (said, said.replace("7", "seven"))


def test_a_value_keeps_its_first_letter(many: list[Single]) -> None:
    for single in many:
        for statement in single.statements:
            if isinstance(statement.value, str) and statement.text == statement.value:
                pattern = rf"(?<!\w){re.escape(statement.text)}(?!\w)"
                assert re.search(pattern, single.prompt), (statement, single.prompt)


def test_verbs_agree_and_values_are_not_spoken_back_changed(many: list[Single]) -> None:
    for single in many:
        assert not re.search(r"\b(keys|types|names|labels|tags) is\b", single.prompt)
        assert "can you tell me" not in single.prompt.lower().split("tell me, ")[-1][:4]
    assert to_asker("get me the arn:aws:x:me-south-1:our policy") == (
        "get you the arn:aws:x:me-south-1:our policy"
    )
    assert to_asker("show our buckets") == "show your buckets"


def test_one_operation_is_not_asked_for_again_and_again(many: list[Single]) -> None:
    made = [s for s in many if s.call is not None]
    tools = Counter((s.service, s.registry[s.call.name].description) for s in made if s.call)
    assert tools.most_common(1)[0][1] <= 4
    assert len(tools) > 0.85 * len(made)


def test_optional_parameters_are_neither_always_nor_never_given(many: list[Single]) -> None:
    given = left = 0
    for single in (s for s in many if s.call is not None):
        assert single.call is not None
        optional = [p.name for p in single.registry[single.call.name].parameters if not p.required]
        given += sum(name in single.call.arguments for name in optional)
        left += sum(name not in single.call.arguments for name in optional)
    assert 0.15 < given / (given + left) < 0.6
