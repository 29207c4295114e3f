"""pass^k over seeds, by hand and by its limits."""

import pytest

from tooldrill.agent.episode import Outcome
from tooldrill.eval.pass_hat import pass_hat, repeated
from tooldrill.eval.report import write_report


def run(build, solved, seed=0, temperature=0.8, name="m", failed=(), templates=None):
    """A run in which the tasks numbered in `solved` of eight were solved."""
    episodes = []
    for number in range(8):
        broken = number in failed
        steps = [] if broken else [build.call(), build.end()]
        episode = build.episode(
            build.task(number=number), *steps, outcome=Outcome.FAILED if broken else None
        )
        success = None if broken else number in solved
        template = f"t{number % (templates or 8)}"
        episodes.append(episode.model_copy(update={"success": success, "template": template}))
    results = build.results(episodes, name)
    sampling = results.condition.loop.sampling.model_copy(
        update={"seed": seed, "temperature": temperature}
    )
    loop = results.condition.loop.model_copy(update={"sampling": sampling})
    condition = results.condition.model_copy(update={"loop": loop})
    return results.model_copy(update={"condition": condition})


def test_by_hand(build):
    """Task 0 is solved three times of three, task 1 twice, task 2 once, the others never."""
    runs = [run(build, {0, 1, 2}, 0), run(build, {0, 1}, 1), run(build, {0}, 2)]
    found = pass_hat(runs)
    assert [found[k].value for k in (1, 2, 3)] == pytest.approx([2 / 8, (1 + 1 / 3) / 8, 1 / 8])
    assert all(one.low <= one.value <= one.high for one in found.values())
    assert {one.tasks for one in found.values()} == {8}


def test_a_model_that_is_always_right_stays_so_and_the_order_says_nothing(build):
    always = set(range(8))
    found = pass_hat([run(build, always, seed) for seed in range(3)])
    assert [one.value for one in found.values()] == [1, 1, 1]
    assert all(one.low < 1 for one in found.values())
    runs = [run(build, {0, 1}, 0), run(build, {5}, 1), run(build, {1, 5}, 2)]
    assert pass_hat(runs) == pass_hat(runs[::-1])


def test_a_task_whose_engine_failed_once_is_left_out_for_every_k(build):
    # With the failed run of task 7 kept, pass^2 would be of other tasks than pass^1.
    runs = [run(build, {0, 1}, 0, failed={7}), run(build, {0, 1}, 1)]
    found = pass_hat(runs)
    assert [one.tasks for one in found.values()] == [7, 7]
    assert [one.value for one in found.values()] == pytest.approx([2 / 7, 2 / 7])


def test_few_templates_widen_the_interval(build):
    def width(templates):
        one = pass_hat([run(build, {0, 2, 4, 6}, s, templates=templates) for s in (0, 1)])[1]
        return one.high - one.low

    assert width(2) > width(8)


def test_only_runs_that_differ_by_their_seed_alone_are_put_together(build):
    seeds = [run(build, {0}, seed) for seed in range(3)]
    found = repeated([*seeds, run(build, {0}, 9, temperature=0.5)])
    assert [(one.name, one.runs) for one in found] == [("m", 3)]
    assert repeated([run(build, {0}, seed, temperature=0) for seed in range(3)]) == []
    assert repeated([seeds[0], seeds[0]]) == []
    other = seeds[1].model_copy(
        update={"suite": seeds[1].suite.model_copy(update={"sha256": "1" * 64})}
    )
    assert repeated([seeds[0], other]) == []


def test_the_report_shows_it_where_there_are_seeds(build, tmp_path):
    runs = [run(build, {0, 1}, 0), run(build, {0}, 1)]
    paths = write_report(runs, tmp_path / "seeds")
    assert "| m, 2 seeds | k = 1 | k = 2 |" in paths.markdown.read_text("utf-8")
    assert "| pass^k | 18.8% (" in paths.markdown.read_text("utf-8")
    assert "<td>18.8% (" in paths.html.read_text("utf-8")
    alone = write_report(runs[:1], tmp_path / "alone")
    assert "pass^k" not in alone.markdown.read_text("utf-8")
