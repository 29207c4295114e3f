"""`tooldrill floor`, as a shell sees it."""

import json

import pytest

from tests.eval.conftest import Build
from tooldrill.agent.violation import Violation, ViolationClass
from tooldrill.cli.main import main

UNKNOWN = Violation(kind=ViolationClass.UNKNOWN_TOOL, tool="x", message="no such tool")


@pytest.fixture
def files(tmp_path):
    """A small model with an unknown tool in every fourth task, and a bigger one without."""
    paths = []
    for name, size, every in (("small [1B]", 1_000_000, 4), ("big", 2_000_000, 1000)):
        episodes = []
        for number in range(1, 301):
            steps = [Build.call(violations=[UNKNOWN] if number % every == 0 else []), Build.end()]
            episode = Build.episode(Build.task(number=number), *steps)
            update = {"success": True, "template": f"files.t{number}"}
            episodes.append(episode.model_copy(update=update))
        results = Build.results(episodes, name)
        model = results.model.model_copy(update={"size": size})
        path = tmp_path / f"{size}.json"
        results.model_copy(update={"model": model}).save(path)
        paths.append(str(path))
    return paths


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    told = capsys.readouterr()
    return end.value.code or 0, told.out, told.err


def test_the_floor_and_what_the_others_fail_on(files, capsys):
    status, out, _ = run(capsys, "floor", *files)
    assert status == 0
    assert "The smallest that passes: big (the baseline was not run" in out
    assert "small [1B]: unknown_tool fails: 12.5%" in out


def test_a_baseline_is_named(files, capsys):
    status, out, _ = run(capsys, "floor", files[1], "--baseline", files[0])
    assert (status, "big (no worse than small [1B] by more than 5 points)" in out) == (0, True)


def test_budgets_decide(files, capsys):
    status, out, _ = run(capsys, "floor", files[0], "--budget", "unknown_tool=20%")
    assert (status, "The smallest that passes: small [1B]" in out) == (0, True)
    assert run(capsys, "floor", files[0], "--budget", "unknown_tool=off")[0] == 0
    status, out, _ = run(capsys, "floor", files[0])
    assert (status, "None passes" in out) == (1, True)
    status, out, _ = run(capsys, "floor", files[1], "--budget", "unknown_tool=0.001")
    assert (status, "more tasks could tell" in out) == (1, True)


def test_json_tells_every_reason(files, capsys):
    told = json.loads(run(capsys, "floor", *files, "--json")[1])
    assert (told["smallest"], told["baseline"]) == ("big", None)
    assert [one["answer"] for one in told["models"]] == ["fails", "passes"]
    assert {reason["subject"] for reason in told["models"][0]["reasons"]} == {
        "call_rate",
        *told["budgets"],
    }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--budget", "unknown_tol=0.1"), "did you mean unknown_tool?"),
        (("--budget", "unknown_tool=2"), "write unknown_tool=0.02"),
        (("--budget", "unknown_tool"), "write unknown_tool=0.02"),
        (("--baseline", "nowhere.json"), "no results file at nowhere.json"),
    ],
)
def test_what_is_wrong_is_one_line(files, capsys, arguments, told):
    status, _, err = run(capsys, "floor", files[0], *arguments)
    assert (status, told in err) == (2, True)
    assert run(capsys, "floor", files[0], files[0])[2].startswith("error: ")
