"""What is harvested: how much, in which shape, on which side of the split, and without harm."""

from __future__ import annotations

import platform
import random
import socket
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.names import plain
from tooldrill.agent.signature import SignatureLevel, signature
from tooldrill.agent.tool import Tool
from tooldrill.data.forge.world import forge_world
from tooldrill.data.harvest import (
    catalog,
    harvest_single,
    harvest_singles,
    service,
    service_names,
    sources,
    to_row,
)
from tooldrill.data.harvest.forge_side import belongs_to_other_forge
from tooldrill.data.harvest.operation import LONGEST_SIGNATURE, MOST_PARAMETERS
from tooldrill.data.harvest.patterns import simple_pattern
from tooldrill.data.harvest.prose import imperative, noun_phrase, short_label, summary, words
from tooldrill.data.harvest.styles import STYLES
from tooldrill.data.sets.build import build
from tooldrill.data.sets.card import data_card
from tooldrill.data.sets.stats import stats
from tooldrill.data.settings import DataSettings, Mixture
from tooldrill.data.tasks.task import Split
from tooldrill.data.worlds.catalog import get_world, world_names
from tooldrill.manifest import versions


def test_tools_by_the_thousand() -> None:
    assert sources() == ("aws", "google", "stdlib")
    assert len(service_names("aws")) > 350 and len(service_names("google")) > 250
    made = [
        operation
        for source in ("aws", "google")
        for name in service_names(source, Split.TRAIN)[:60]
        for operation in service(name).operations
    ]
    made += [o for name in service_names("stdlib") for o in service(name).operations]
    assert len(made) > 3000
    assert sum(o.source == "stdlib" for o in made) > 300
    assert sum("enum" in s for o in made for s in o.parameters.values()) > 700


def test_every_tool_can_be_shown_and_compiles() -> None:
    for name in ("aws:s3", "aws:dynamodb", "google:calendar", "google:drive", "stdlib:shutil"):
        registry = service(name).registry.compiled()
        assert len(registry) >= 8
        for tool in registry:
            assert len(tool.parameters) <= MOST_PARAMETERS
            assert len(signature(tool, SignatureLevel.TYPED)) <= LONGEST_SIGNATURE
            assert len(tool.description) <= 200 and "<" not in tool.description.split(" ")[0]
            assert all(len(p.description) <= 120 for p in tool.parameters)


def test_a_known_method_is_read_as_its_author_wrote_it() -> None:
    tool = service("google:calendar").registry["calendar.events.delete"]
    assert {p.name for p in tool.parameters if p.required} == {"calendarId", "eventId"}
    updates = service("google:calendar").registry["calendar.events.quickAdd"].schema
    assert "text" in updates["required"]
    put = service("aws:dynamodb").registry["dynamodb.DeleteTable"]
    assert put.schema["required"] == ["TableName"]
    shorten = service("stdlib:textwrap").registry["textwrap.shorten"]
    assert [p.schema["type"] for p in shorten.parameters] == ["string", "integer"]
    copy = service("stdlib:shutil").registry["shutil.copy"]
    assert copy.schema["properties"]["follow_symlinks"] == {"type": "boolean", "default": True}


def test_what_is_shown_of_an_operation_is_fixed() -> None:
    first = service("aws:rds").operation("CreateDBInstance")
    catalog.service.cache_clear()
    assert service("aws:rds").operation("CreateDBInstance") == first != None  # noqa: E711


def test_the_split_goes_by_name() -> None:
    for source in sources():
        train = set(service_names(source, Split.TRAIN))
        heldout = set(service_names(source, Split.HELDOUT))
        assert not train & heldout and train | heldout == set(service_names(source))
        assert 0.03 < len(heldout) / len(train | heldout) < 0.2
        listed = {f"{source}:{name}" for name in catalog.HELDOUT_EXAMPLES[source]}
        assert listed <= heldout | ({*listed} - set(service_names(source)))
    assert all(catalog.is_heldout(f"aws:{n}") for n in ("lambda", "lambda-core", "lambda-web"))


def test_training_examples_come_from_training_services() -> None:
    train = {name for source in sources() for name in service_names(source, Split.TRAIN)}
    for single in harvest_singles(5, 60):
        assert single.service in train and single.split is Split.TRAIN


def test_no_tool_of_a_heldout_world_is_harvested(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {
        plain(tool.name)
        for world in world_names(Split.HELDOUT)
        for tool in get_world(world).registry
    }
    for single in harvest_singles(6, 80):
        assert not names & {plain(tool.name) for tool in single.registry}
    operation = service("aws:s3").operation("DeleteBucket")
    assert operation is not None and not catalog.clashes(operation)
    sets = (frozenset({frozenset({"bucket"})}), frozenset({"deletebucket"}))
    monkeypatch.setattr(catalog, "_heldout_surface", lambda: (frozenset(), sets[0]))
    assert catalog.clashes(operation)
    monkeypatch.setattr(catalog, "_heldout_surface", lambda: (sets[1], frozenset()))
    assert catalog.clashes(operation)


@pytest.mark.slow
def test_heldout_examples_share_no_name_and_no_parameter_set_with_training() -> None:
    heldout = harvest_singles(7, 120, Split.HELDOUT)
    train = harvest_singles(7, 1200, Split.TRAIN, sharing=12)
    tools = [tool for single in train for tool in single.registry]
    names = {plain(tool.name) for tool in tools}
    sets = {frozenset(plain(n) for n in tool.parameter_names) for tool in tools}
    assert {single.split for single in heldout} == {Split.HELDOUT}
    for single in heldout:
        assert catalog.is_heldout(single.service)
        for tool in single.registry:
            assert plain(tool.name) not in names
            assert frozenset(plain(n) for n in tool.parameter_names) not in sets


def test_what_a_forged_world_of_the_other_split_could_have_is_recognised() -> None:
    """Whatever worlds are forged: of the words that real tools share with them, none is missed."""
    for split, other in ((Split.TRAIN, Split.HELDOUT), (Split.HELDOUT, Split.TRAIN)):
        for number in range(60):
            plan = forge_world(number, other).blueprint
            if plan.style.tools != "opaque":
                for op in plan.ops:
                    nameless = replace(op, name="arn:of:nothing").tool()
                    setless = Tool(op.name, "", {"type": "object", "properties": {}})
                    assert belongs_to_other_forge(setless, split), op.name
                    assert belongs_to_other_forge(nameless, split), nameless.parameter_names


def test_no_training_tool_is_one_that_a_heldout_forged_world_could_have() -> None:
    shown = [tool for single in harvest_singles(12, 80) for tool in single.registry]
    assert not any(belongs_to_other_forge(tool, Split.TRAIN) for tool in shown)
    forged = [tool for n in range(150) for tool in forge_world(n, Split.HELDOUT).registry]
    assert not {tool.name for tool in shown} & {tool.name for tool in forged}
    assert not {t.parameter_names for t in shown if t.parameters} & {
        tool.parameter_names for tool in forged
    }


def test_most_real_tools_are_not_given_up_for_it() -> None:
    tools = [
        style.apply(operation)
        for name in ("aws:s3", "aws:dynamodb", "google:calendar", "google:drive")
        for operation in service(name).operations
        for style in STYLES[operation.source]
    ]
    kept = [tool for tool in tools if not belongs_to_other_forge(tool, Split.TRAIN)]
    assert len(kept) > 0.93 * len(tools)


def test_a_missing_package_is_told_before_anything_is_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bare = dict(catalog._SOURCES)
    bare["aws"] = bare["aws"]._replace(documents=lambda: {})
    monkeypatch.setattr(catalog, "_SOURCES", bare)
    settings = DataSettings(traces=4, pairs=0, mixture=Mixture(worlds=0, forge=1, harvest=1))
    with pytest.raises(TooldrillError) as caught:
        build(settings, tmp_path / "data")
    assert str(caught.value.message) == "data.mixture.harvest: botocore is not installed"
    assert "tooldrill[harvest]" in caught.value.next_step
    assert list(tmp_path.iterdir()) == []
    without = settings.model_copy(update={"mixture": Mixture(worlds=0, forge=1, harvest=0)})
    assert build(without, tmp_path / "data").traces > 0


def test_versions_of_what_is_harvested_stand_on_the_card() -> None:
    settings = DataSettings(mixture=Mixture(worlds=0, forge=0, harvest=1))
    counts = stats([to_row(harvest_single(random.Random(1)), "x")])
    card = data_card(settings, counts, None)
    for package in ("botocore", "google-api-python-client", "faker"):
        assert f"| {package} | {version(package)} |" in card
    assert f"| python | {platform.python_version()} |" in card
    assert "botocore" not in data_card(DataSettings(), counts, None)
    assert {"botocore", "google-api-python-client"} <= set(versions())


def test_nothing_is_written_and_no_network_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError(f"not to be called: {args[:2]}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(Path, "write_bytes", refuse)
    monkeypatch.setattr(Path, "write_text", refuse)
    monkeypatch.setattr("os.makedirs", refuse)
    catalog.service.cache_clear()
    assert len(harvest_singles(8, 20)) == 20


def test_without_packages_there_is_less_and_then_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = {
        name: source._replace(documents=lambda: {}) if source.package else source
        for name, source in catalog._SOURCES.items()
    }
    monkeypatch.setattr(catalog, "_SOURCES", bare)
    assert sources() == ("stdlib",)
    assert harvest_single(random.Random(1)).service.startswith("stdlib:")
    with pytest.raises(TooldrillError) as caught:
        harvest_single(random.Random(1), sources=("aws", "google"))
    assert "pip install" in caught.value.next_step and "botocore" in caught.value.next_step
    with pytest.raises(TooldrillError):
        harvest_single(random.Random(1), sources=("azure",))


def test_patterns_that_are_kept_make_values_that_match() -> None:
    kept = simple_pattern("^pcx-[a-z0-9]{8,17}$")
    assert kept is not None and kept.matches(kept.value(random.Random(1)))
    assert not kept.matches("pcx-A") and not kept.matches("pcx-" + "a" * 18)
    for foreign in (r"(a|b)c", r"^[^/]+$", r"[a-z", r"\S+", r"^arn:(aws|aws-cn):.*$"):
        assert simple_pattern(foreign) is None


def test_words_of_documentation() -> None:
    assert words("DBInstanceIds") == ("DB", "instance", "ids")
    assert words("max_results2") == ("max", "results2")
    assert short_label("UserPoolId") == "user pool" and short_label("Name") == "name"
    assert summary("<note><p>No.</p></note><p>Deletes the <i>bucket</i>. More.</p>", 30) == (
        "Deletes the bucket. More."
    )
    assert summary("Deletes the bucket. And much more of it.", 25) == "Deletes the bucket."
    assert noun_phrase("The name of the bucket to which the object goes.") == "name of the bucket"
    assert noun_phrase("Absolute time of capture.") == ""
    assert [imperative(w) for w in ("Deletes", "Modifies", "Attaches", "This", "Access")] == [
        "delete", "modify", "attach", "", "",
    ]  # fmt: skip
