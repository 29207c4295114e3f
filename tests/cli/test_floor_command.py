"""`tooldrill floor`, as a shell sees it."""

import json

import pytest


@pytest.fixture
def files(save_results):
    """A small model with an unknown tool in every fourth task, and a bigger one without."""
    return [
        save_results("small [1B]", 300, 4),
        save_results("big", 300, None, size=2_000_000),
    ]


def test_the_floor_and_what_the_others_fail_on(files, shell):
    status, out, _ = shell("floor", *files)
    assert status == 0
    assert "The smallest that passes: big (the baseline was not run" in out
    assert "small [1B]: unknown_tool fails: 12.5%" in out


def test_a_baseline_is_named(files, shell):
    status, out, _ = shell("floor", files[1], "--baseline", files[0])
    assert (status, "big (no worse than small [1B] by more than 5 points)" in out) == (0, True)


def test_budgets_decide(files, shell):
    status, out, _ = shell("floor", files[0], "--budget", "unknown_tool=20%")
    assert (status, "The smallest that passes: small [1B]" in out) == (0, True)
    assert shell("floor", files[0], "--budget", "unknown_tool=off")[0] == 0
    status, out, _ = shell("floor", files[0])
    assert (status, "None passes" in out) == (1, True)
    status, out, _ = shell("floor", files[1], "--budget", "unknown_tool=0.001")
    assert (status, "more tasks could tell" in out) == (1, True)


def test_json_tells_every_reason(files, shell):
    told = json.loads(shell("floor", *files, "--json")[1])
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
def test_what_is_wrong_is_one_line(files, shell, arguments, told):
    status, _, err = shell("floor", files[0], *arguments)
    assert (status, told in err) == (2, True)
    assert shell("floor", files[0], files[0])[2].startswith("error: ")


def test_the_plot_tells_who_fails_and_on_what(files, save_results, shell, tmp_path):
    hostile = save_results("<img src=x onerror=alert(1)>", 300, 2)
    out = tmp_path / "floor.html"
    status, _, err = shell("floor", *files, hostile, "--plot", out)
    assert (status, str(out) in err) == (0, True)
    page = out.read_text("utf-8")
    data = page[page.rindex("Plotly.newPlot(") :]
    assert "fails: unknown_tool" in data
    assert "The smallest that passes: big" in data
    assert "<img" not in data
    assert "tokens per second" in data
    status, _, err = shell("floor", *files, "--plot", out)
    assert (status, "is there already" in err) == (2, True)
    assert shell("floor", *files, "--plot", out, "--force")[0] == 0
