import pytest

from tooldrill.agent.episode import Hint, Outcome, TriggerName
from tooldrill.agent.violation import Violation, ViolationClass
from tooldrill.data.tasks.task import TaskKind
from tooldrill.eval.comparison import compare
from tooldrill.eval.grade import grade
from tooldrill.eval.measure import HintCount, measure
from tooldrill.eval.table import hint_text


@pytest.fixture
def mixed(build):
    """One solved, one repaired, one refused, one failed by the engine, one needless."""
    tasks = [
        build.task(number=0),
        build.task(number=1),
        build.task(number=2),
        build.task(number=3),
        build.task(TaskKind.RESTRAIN, number=4),
    ]
    steps = [
        [build.call(), build.end()],
        [build.call(error=True), build.call(path="b.txt"), build.end()],
        [build.end("I am a language model.")],
        [],
        [build.call(), build.end()],
    ]
    verdicts = [True, True, False, False, True]
    episodes = []
    for task, own, success in zip(tasks, steps, verdicts, strict=True):
        outcome = None if own else Outcome.FAILED
        episodes.append(grade(build.episode(task, *own, outcome=outcome), task, success))
    return build.results(episodes)


def test_counts(mixed):
    m = measure(mixed)
    assert (m.episodes, m.excluded, m.replies) == (4, 1, 8)
    assert (m.success.count, m.success.total) == (3, 4)
    # The refusal lacks its call; the needless call is one reply of two.
    assert (m.discipline.count, m.discipline.total) == (6, 8)
    assert (m.clean.count, m.clean.total) == (2, 4)
    assert (m.call_rate.count, m.call_rate.total) == (2, 3)
    assert (m.over_refusal.count, m.over_refusal.total) == (1, 3)
    assert (m.recovery.count, m.recovery.total) == (1, 1)
    assert m.violations[ViolationClass.MISSING_CALL].count == 1
    assert m.violations[ViolationClass.NEEDLESS_CALL].count == 1
    assert sum(rate.count for rate in m.violations.values()) == 2


def test_means(mixed):
    m = measure(mixed)
    assert m.steps == 2.0
    assert m.reply_tokens == (24 + 44 + 4 + 24) / 4
    assert m.prompt_tokens == (220 + 320 + 120 + 220) / 4
    assert m.seconds == pytest.approx((0.75 + 1.25 + 0.25 + 0.75) / 4)


def recovery(build, *steps, success):
    task = build.task()
    return measure(build.results([grade(build.episode(task, *steps), task, success)])).recovery


def test_recovery_needs_success(build):
    rate = recovery(build, build.call(error=True), build.call(path="b"), build.end(), success=False)
    assert (rate.count, rate.total) == (0, 1)


def test_recovery_needs_another_call(build):
    same = recovery(build, build.call(error=True), build.call(), build.end(), success=True)
    assert (same.count, same.total) == (0, 1)


def test_recovery_needs_discipline(build):
    steps = [build.call(error=True), build.unreadable(), build.call(path="b"), build.end()]
    rate = recovery(build, *steps, success=True)
    assert (rate.count, rate.total) == (1, 2)


def test_an_error_in_the_last_step_offers_no_recovery(build):
    rate = recovery(build, build.call(), build.call(error=True), success=False)
    assert rate.total == 0


def test_a_failed_history_offers_one(build):
    task = build.task(TaskKind.RECOVER, history=build.failed_history())
    episode = build.episode(task, build.call(path="b.txt"), build.end())
    rate = measure(build.results([grade(episode, task, True)])).recovery
    assert (rate.count, rate.total) == (1, 1)


def test_no_episode_no_numbers(build):
    m = measure(build.results([build.episode(build.task(), outcome=Outcome.FAILED)]))
    assert (m.episodes, m.excluded, m.steps) == (0, 1, None)
    assert m.success.value is None


def test_comparison_is_by_task_and_leaves_failed_episodes_out(build, mixed):
    better = [
        episode.model_copy(update={"success": True, "violations": []})
        for episode in mixed.episodes
        if episode.outcome is not Outcome.FAILED
    ]
    comparison = compare(build.results(better, "tuned", suite="1" * 64), mixed)
    assert (comparison.name, comparison.reference, comparison.same_suite) == (
        "tuned",
        "base",
        False,
    )
    assert comparison.success.tasks == 4
    assert (comparison.success.only_first, comparison.success.only_second) == (0, 1)
    assert comparison.clean.only_second == 2


def hinted(build, *hints):
    """An episode with a hint after each of its calls: trigger and whether it helped."""
    steps = [
        build.call(injected=Hint(trigger=trigger, text="Look again.", helped=helped))
        for trigger, helped in hints
    ]
    return build.episode(build.task(), *steps, build.end())


def test_hints_are_counted_by_trigger(build):
    rate, circle = TriggerName.ERROR_RATE, TriggerName.SAME_RESULTS
    episodes = [
        hinted(build, (rate, True), (rate, False), (circle, True)),
        hinted(build, (rate, True), (rate, None)),
        build.episode(build.task(), outcome=Outcome.FAILED),
    ]
    m = measure(build.results(episodes))
    assert m.hints == {rate: HintCount(4, 3, 2), circle: HintCount(1, 1, 1)}
    assert [hint_text(m.hints.get(name)) for name in (rate, circle, TriggerName.LOOPING_TEXT)] == [
        "4 given, 2 helped, 1 without a reply after",
        "1 given, 1 helped",
        "0",
    ]
    assert measure(build.results([build.episode(build.task(), build.end())])).hints == {}


def test_a_forced_conclusion_is_no_refusal_and_no_chance_to_recover(build):
    task = build.task()
    wrong = build.unreadable()
    forced = build.episode(task, wrong, wrong, build.end()).model_copy(
        update={"forced": True, "spent": "steps"}
    )
    m = measure(build.results([grade(forced, task, success=False)]))
    assert (m.forced, m.over_refusal.count, m.over_refusal.total) == (1, 0, 1)
    assert m.recovery.total == 1
    free = build.episode(task, wrong, wrong, build.end())
    m = measure(build.results([grade(free, task, success=False)]))
    assert (m.forced, m.over_refusal.count, m.recovery.total) == (0, 1, 2)


def test_a_call_where_none_could_be_made_is_no_call(build):
    """When a conclusion is forced, no tools are offered."""
    wrong = build.unreadable()
    forced = build.episode(build.task(), wrong, build.call(error=True))
    forced = forced.model_copy(update={"forced": True, "spent": "steps"})
    assert measure(build.results([forced])).call_rate.count == 0
    free = build.episode(build.task(), wrong, build.call(error=True))
    assert measure(build.results([free])).call_rate.count == 1


def test_rates_are_clustered_by_template(build):
    """The same replies say less where they are of few templates that agree within."""

    broken = Violation(kind=ViolationClass.INVENTED_ARGUMENT, message="no such parameter")

    def measured(templates):
        episodes = []
        for number in range(24):
            good = number % 6 < 3
            steps = [build.call() if good else build.call(violations=[broken])]
            episode = build.episode(build.task(number=number), *steps, build.end())
            template = f"t{number % 6 if templates == 6 else number}"
            update = {"template": template, "success": good}
            episodes.append(episode.model_copy(update=update))
        return measure(build.results(episodes, "m"))

    few, many = measured(6), measured(24)
    for name in ("success", "clean", "discipline"):
        narrow, wide = getattr(many, name), getattr(few, name)
        assert narrow.value == wide.value
        assert wide.effective < 0.5 * narrow.effective, name
