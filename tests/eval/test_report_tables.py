"""What the report says beside rates: borrowed arguments, differences by class, and CSV."""

import csv
import io

import pytest

from tooldrill.agent.violation import Violation, ViolationClass
from tooldrill.eval.borrowing import Borrowing, borrowings
from tooldrill.eval.measure import measure
from tooldrill.eval.rates_csv import COLUMNS, rates_csv
from tooldrill.eval.report import write_report
from tooldrill.eval.statistics import clustered_rate
from tooldrill.eval.table import heat

HOSTILE = "<img src=x onerror=alert(1)>|"


def simple_rate(count, total):
    """Of observations that are each on their own."""
    return clustered_rate([(1, 1)] * count + [(0, 1)] * (total - count))


def borrowed(tool, argument, *owners):
    return Violation(
        kind=ViolationClass.BORROWED_ARGUMENT,
        tool=tool,
        argument=argument,
        owners=owners,
        message="",
    )


def results(build, name, *found):
    """An episode for each list of violations."""
    episodes = [
        build.episode(build.task(number=i), build.call(violations=violations), build.end())
        for i, violations in enumerate(found)
    ]
    return build.results(episodes, name)


@pytest.fixture
def pair(build):
    overwrite = borrowed("append_file", "overwrite", "write_file")
    hostile = borrowed(HOSTILE, "mode", "read_file", "write_file")
    return (
        results(build, "base", [overwrite, hostile], [overwrite], []),
        results(build, "=tuned()", [overwrite], [], []),
    )


def test_borrowings_are_counted_by_donor_and_victim(pair):
    assert borrowings(pair) == [
        Borrowing("overwrite", ("write_file",), "append_file", (2, 1)),
        Borrowing("mode", ("read_file", "write_file"), HOSTILE, (1, 0)),
    ]
    assert borrowings([]) == []


def test_the_report_shows_them_and_a_hostile_name_is_text(pair, tmp_path):
    paths = write_report(pair, tmp_path)
    page, markdown = paths.html.read_text("utf-8"), paths.markdown.read_text("utf-8")
    assert "| overwrite | write_file | append_file | 2 | 1 |" in markdown
    assert "<code>overwrite</code></th><td>write_file</td><td>append_file</td>" in page
    assert HOSTILE not in page
    assert HOSTILE not in markdown
    assert "&lt;img src=x onerror=alert(1)&gt;\\|" in markdown


def test_no_borrowing_no_table(build, tmp_path):
    paths = write_report([results(build, "base", [], [])], tmp_path)
    assert 'id="borrowed"' not in paths.html.read_text("utf-8")
    assert "Borrowed arguments" not in paths.markdown.read_text("utf-8")


def test_classes_are_compared_with_the_first_model(pair, tmp_path):
    paths = write_report(pair, tmp_path)
    row = "tasks with borrowed_argument"
    assert f"| {row} | -33.3 points |" in paths.markdown.read_text("utf-8")
    assert f'<th scope="row">{row}</th><td>-33.3 points</td>' in paths.html.read_text("utf-8")


def test_cells_are_shaded_by_their_rate(pair, tmp_path):
    page = write_report(pair, tmp_path).html.read_text("utf-8")
    # Two of six replies, and one of six.
    assert 'style="--heat:35%">33.3% (2)' in page
    assert 'style="--heat:24%">16.7% (1)' in page
    assert [heat(simple_rate(n, 100)) for n in (0, 1, 25, 100)] == [0, 6, 30, 60]
    assert heat(simple_rate(0, 0)) == 0


def test_csv_has_every_rate_of_every_model(pair, tmp_path):
    path = write_report(pair, tmp_path / "mine.html").csv
    assert path.name == "mine.csv"
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 2 * (7 + len(ViolationClass))
    base = {row["measure"]: row for row in rows if row["model"] == "base"}
    assert (base["borrowed_argument"]["count"], base["borrowed_argument"]["total"]) == ("2", "6")
    assert base["borrowed_argument"]["value"] == "0.333333"
    assert base["recovery"]["value"] == ""
    rate = measure(pair[0]).discipline
    assert float(base["discipline"]["low"]) == pytest.approx(rate.low, abs=1e-6)


def test_no_name_is_a_formula(pair):
    names = {
        row["model"] for row in csv.DictReader(io.StringIO(rates_csv(list(map(measure, pair)))))
    }
    assert names == {"base", "'=tuned()"}
