"""What a grammar ruled out is reported as such, and not as a zero that the model earned."""

import pytest

from tooldrill.agent.violation import ViolationClass
from tooldrill.eval.grade import grade
from tooldrill.eval.measure import measure
from tooldrill.eval.report import write_report
from tooldrill.eval.table import IMPOSSIBLE, class_rows

UNKNOWN, TYPE = ViolationClass.UNKNOWN_TOOL, ViolationClass.WRONG_TYPE


@pytest.fixture
def results(build):
    def make(*impossible):
        episodes = []
        for number, ruled_out in enumerate(impossible):
            task = build.task(number=number)
            episode = grade(build.episode(task, build.call(), build.end()), task, True)
            episodes.append(episode.model_copy(update={"impossible": ruled_out}))
        return build.results(episodes)

    return make


def test_only_what_was_ruled_out_in_every_episode_is_impossible(results):
    assert measure(results([UNKNOWN, TYPE], [UNKNOWN])).impossible == {UNKNOWN}
    assert measure(results([UNKNOWN], [])).impossible == frozenset()
    assert measure(results()).impossible == frozenset()


def test_tables_say_impossible_beside_a_model_that_was_free(results, tmp_path):
    held, free = results([UNKNOWN], [UNKNOWN]), results([], [])
    rows = {row.kind: row.cells for row in class_rows([measure(held), measure(free)])}
    assert rows[UNKNOWN][0] == IMPOSSIBLE
    assert rows[UNKNOWN][1].startswith("0 (<")
    assert rows[TYPE][0].startswith("0 (<")
    shown = class_rows([measure(held), measure(free)], seen_only=True)
    assert [row.kind for row in shown] == [UNKNOWN]
    paths = write_report([held, free], tmp_path)
    for text in (paths.html.read_text("utf-8"), paths.markdown.read_text("utf-8")):
        assert IMPOSSIBLE in text
        assert "unknown_tool" not in text.partition("Not seen in any model:")[2].split(".")[0]


def test_what_was_seen_all_the_same_is_never_hidden(build):
    task = build.task()
    episode = build.episode(task, build.call(), build.end("I am a language model."))
    seen = grade(episode, task, False)
    kinds = {v.kind for v in seen.violations}
    for step in seen.steps:
        kinds |= {v.kind for v in step.violations}
    everything = seen.model_copy(update={"impossible": list(ViolationClass)})
    for row in class_rows([measure(build.results([everything]))]):
        assert (row.cells == [IMPOSSIBLE]) == (row.kind not in kinds)
