"""The cells of a matrix: which there are, what they are called, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tooldrill.eval.cells import base, cells
from tooldrill.eval.planned import planned_episodes
from tooldrill.eval.settings import EvalSettings

MATRIX = {
    "loop.constrain": ["off", "call"],
    "engine.cache_type": ["f16", "q8_0", "q4_0"],
    "tools": [[3, 3]],
}


def names(settings, suite=None):
    return [cell.name for cell in cells(settings) if cell.suite == suite]


def test_without_suites_and_matrix_there_is_one():
    (cell,) = cells(EvalSettings())
    assert (cell.suite, cell.name, cell.is_main) == (None, "", True)
    assert base(cell.settings) == base(EvalSettings())


def test_each_key_is_varied_alone_and_what_is_the_base_already_is_left_out():
    settings = EvalSettings(matrix=MATRIX, suites=["contract"])
    alone = ["", "loop.constrain=call", "engine.cache_type=q8_0", "engine.cache_type=q4_0"]
    assert names(settings) == [*alone, "tools=[3, 3]"]
    # How many tools a suite offers is the suite's own.
    assert names(settings, "contract") == alone
    found = {cell.name: cell.settings for cell in cells(settings)}
    assert found["loop.constrain=call"].loop.constrain == "call"
    assert found["loop.constrain=call"].engine.cache_type == "f16"
    assert found["tools=[3, 3]"].tools == (3, 3)


def test_a_product_has_every_combination_once():
    matrix = {key: MATRIX[key] for key in ("loop.constrain", "engine.cache_type")}
    found = names(EvalSettings(matrix=matrix, matrix_mode="product"))
    assert len(found) == len(set(found)) == 2 * 3
    assert "loop.constrain=call, engine.cache_type=q4_0" in found


def test_null_is_a_value_like_any_other():
    base = {"loop": {"watchdog": {"same_results": 3}}}
    for mode in ("each", "product"):
        settings = EvalSettings(
            **base, matrix={"loop.watchdog.same_results": [None]}, matrix_mode=mode
        )
        assert names(settings) == ["", "loop.watchdog.same_results=null"]


def test_sections_can_be_varied_whole():
    settings = EvalSettings(
        matrix={
            "loop.sampling": [{"temperature": 0.8, "seed": 1}, {"temperature": 0.8, "seed": 2}],
            "loop.watchdog.enabled": [True],
            "loop.signatures": ["none", "names", "signature"],
            "loop.protocol": ["react_json"],
            "quantization": ["Q4_K_M"],
        }
    )
    found = [cell.settings for cell in cells(settings)]
    assert [one.loop.sampling.seed for one in found[1:3]] == [1, 2]
    assert found[3].loop.watchdog.enabled
    assert [one.loop.signatures for one in found[4:7]] == ["none", "names", "signature"]
    assert (found[7].loop.protocol, found[8].quantization) == ("react_json", "Q4_K_M")


@pytest.mark.parametrize(
    ("matrix", "told"),
    [
        ({"loop.contsrain": ["off"]}, "'loop.contsrain' cannot be varied"),
        ({"seed": [1]}, "'seed' cannot be varied"),
        ({"loop.constrain": ["hard"]}, "loop.constrain cannot be 'hard'"),
        ({"loop.watchdog.nothing": [1]}, "loop.watchdog.nothing cannot be 1"),
        ({"loop.constrain.more": [1]}, "loop.constrain.more cannot be 1"),
        ({"tools": [3]}, "tools cannot be 3"),
    ],
)
def test_what_cannot_be_varied_is_refused_in_one_line(matrix, told):
    with pytest.raises(ValidationError) as caught:
        EvalSettings(matrix=matrix)
    (problem,) = caught.value.errors()
    assert told in problem["msg"]
    assert "\n" not in problem["msg"]


def test_planned_episodes_count_every_cell():
    settings = EvalSettings(tasks=10, suites=["contract"], matrix={"loop.constrain": ["call"]})
    assert planned_episodes(settings, 3) == 3 * 2 * (10 + 240)
    few = settings.model_copy(update={"suite_tasks": 20})
    assert planned_episodes(few, 3) == 3 * 2 * (10 + 20)
