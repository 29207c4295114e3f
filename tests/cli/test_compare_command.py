"""`tooldrill compare` and `tooldrill report FILE...`, as a shell sees them."""

import json

import pytest


@pytest.fixture
def files(save_results):
    """A model with 5 violations in 40 episodes, and one with none."""
    return [save_results("small", 40, 8), save_results("big", 40, None)]


def test_compare_shows_each_difference(files, shell):
    status, out, _ = shell("compare", *files)
    assert status == 0
    assert "small minus big, 40 tasks" in out
    assert "-12.5 points" in out  # tasks without a violation
    assert "-6.2 points" in out  # 5 of 80 replies
    assert "tasks with unknown_tool" in out


def test_conditions_set_the_exit_status(files, shell):
    status, out, _ = shell("compare", *files, "--fail-if", "discipline < 0.9")
    assert (status, "ok  discipline < 0.9" in out) == (0, True)
    both = ("--fail-if", "discipline < 0.98", "--fail-if", "unknown_tool > 0.5")
    status, out, _ = shell("compare", *files, *both)
    assert (status, out.count("FAILED"), out.count("ok  ")) == (1, 1, 1)


def test_no_worse_than_sets_it_too(files, shell):
    small, big = files
    status, out, _ = shell("compare", small, big, "--no-worse-than", big, "--margin", "0.02")
    assert (status, "FAILED  discipline against big" in out) == (1, True)
    status, _, _ = shell("compare", big, small, "--no-worse-than", small, "--margin", "0.02")
    assert status == 0


def test_json_is_one_object(files, shell):
    status, out, _ = shell("compare", *files, "--json", "--fail-if", "clean < 1")
    told = json.loads(out)
    assert status == 1
    assert told["failed"] is True
    assert told["classes"]["unknown_tool"]["paired"]["only_second"] == 5
    assert told["discipline"]["value"] == pytest.approx(-5 / 80)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("--fail-if", "disciplin < 1"), "did you mean discipline?"),
        (("--on", "luck"), "name one of discipline, success, clean"),
        (("--no-worse-than", "nowhere.json"), "no results file at nowhere.json"),
    ],
)
def test_what_is_wrong_ends_with_2_and_a_next_step(files, shell, change, told):
    status, _, err = shell("compare", *files, *change)
    assert status == 2
    assert told in err


def test_a_file_is_not_compared_with_itself(files, shell):
    status, _, err = shell("compare", files[0], files[0])
    assert (status, "compared with itself" in err) == (2, True)


def test_a_report_is_made_of_any_files(files, shell, tmp_path):
    page = tmp_path / "out" / "mine.html"
    status, out, _ = shell("report", *files, "--out", page, "--title", "Mine & yours")
    assert status == 0
    assert str(page) in out
    html, markdown = page.read_text("utf-8"), page.with_suffix(".md").read_text("utf-8")
    assert "Mine &amp; yours" in html
    assert "Baseline not run" in html
    assert "| small " in markdown
    assert "| big " in markdown


def test_a_baseline_is_named_as_such(files, shell, tmp_path):
    page = tmp_path / "mine.html"
    status, _, _ = shell("report", files[0], "--baseline", files[1], "--out", page)
    assert status == 0
    assert "Against the baseline big" in page.with_suffix(".md").read_text("utf-8")


def test_models_of_one_name_are_told_apart_by_their_files(files, shell, tmp_path):
    other = tmp_path / "again.json"
    other.write_text((tmp_path / "small.json").read_text("utf-8"), "utf-8")
    page = tmp_path / "mine.html"
    assert shell("report", files[0], other, "--out", page)[0] == 0
    markdown = page.with_suffix(".md").read_text("utf-8")
    assert "small (small)" in markdown
    assert "small (again)" in markdown


def test_a_report_never_overwrites_unasked(files, shell, tmp_path):
    page = tmp_path / "mine.html"
    page.with_suffix(".md").write_text("my notes", "utf-8")
    status, _, err = shell("report", files[0], "--out", page)
    assert (status, "mine.md is there already" in err) == (2, True)
    assert page.with_suffix(".md").read_text("utf-8") == "my notes"
    assert shell("report", files[0], "--out", page, "--force")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("{0}",), "add --out report.html"),
        (("{0}", "--out", "x.pdf"), "does not end in .html"),
        (("{0}", "{0}", "--out", "x.html"), "is named twice"),
        (("{0}", "x=y", "--out", "x.html"), "x=y is no results file"),
        (("demo.yaml", "--out", "x.html"), "go with results files"),
    ],
)
def test_what_cannot_be_reported_is_one_line(files, shell, arguments, told):
    status, _, err = shell("report", *(one.format(*files) for one in arguments))
    assert status == 2
    assert told in err
