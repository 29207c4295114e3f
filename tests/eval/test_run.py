import json
from types import SimpleNamespace

import pytest

from tooldrill.agent.episode import Outcome
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.settings import EngineSettings, LoopSettings, SamplingSettings
from tooldrill.agent.violation import ViolationClass
from tooldrill.data.from_models.failures import own_failures
from tooldrill.data.from_models.rollouts import read_rollouts
from tooldrill.data.ingest.report import Report
from tooldrill.data.tasks.making import make_tasks
from tooldrill.data.tasks.solve import OpenedTask, open_task
from tooldrill.data.tasks.task import TaskKind
from tooldrill.eval.measure import measure
from tooldrill.eval.results import ModelInfo, Results
from tooldrill.eval.run import evaluate, partial_path
from tooldrill.eval.suites.task_set import TaskSet

MODEL = ModelInfo(name="rule", source="test", sha256="b" * 64)
LOOP = LoopSettings(max_steps=8)


@pytest.fixture(scope="module")
def tasks():
    return make_tasks(["files", "inventory"], 20, 3, (2, 4), recovery=0.2, restraint=0.2)


def written(name, arguments):
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': arguments})}\n</tool_call>"


def oracle(tasks):
    """The perfect model: the oracle's calls, then its answer."""
    by_prompt = {task.prompt: task for task in tasks}

    def reply(turn):
        task = by_prompt[turn.messages[0]["content"]]
        calls = [m for m in turn.messages if m["role"] == "assistant"]
        done = len(calls) - sum(m["role"] == "assistant" for m in task.history)
        if done >= len(task.oracle):
            return task.answer
        return written(task.oracle[done].name, task.oracle[done].arguments)

    return reply


def silent(turn):
    return "I have done what you asked for."


def always_calls(turn):
    """A call with every required argument, of the right type, whatever was asked."""
    function = turn.tools[0]["function"]
    samples = {"string": "x", "integer": 1, "number": 1.0, "boolean": True, "array": []}
    schema = function["parameters"]
    arguments = {
        name: schema["properties"][name].get("enum", [None])[0]
        or samples.get(schema["properties"][name].get("type"), "x")
        for name in schema["required"]
    }
    return written(function["name"], arguments)


def repeats(turn):
    return written(turn.tools[0]["function"]["name"], {"verbose": True})


def run(tasks, engine, out, loop=LOOP, seed=None, **more):
    return evaluate(engine, MODEL, TaskSet(tasks, seed=seed), loop, EngineSettings(), out, **more)


def test_the_oracle_scores_fully(tasks, rule_engine, tmp_path):
    out = tmp_path / "oracle.json"
    results = run(tasks, rule_engine(oracle(tasks)), out, seed=3)
    m = measure(results)
    assert (m.discipline.value, m.success.value, m.recovery.value) == (1.0, 1.0, 1.0)
    assert (m.call_rate.value, m.over_refusal.value) == (1.0, 0.0)
    assert m.recovery.total == 4
    assert results.task_ids == [e.task for e in results.episodes] == [task.id for task in tasks]
    assert results.suite.seed == 3
    assert results.tasks == tasks
    assert Results.load(out) == results
    assert [path.name for path in tmp_path.iterdir()] == ["oracle.json"]


def test_doing_nothing_does_not_score_well(tasks, rule_engine, tmp_path):
    m = measure(run(tasks, rule_engine(silent), tmp_path / "silent.json"))
    must_call = sum(task.kind is not TaskKind.RESTRAIN for task in tasks)
    assert m.call_rate.value == 0.0
    assert m.over_refusal.value == 1.0
    assert m.discipline.count == len(tasks) - must_call
    assert m.violations[ViolationClass.MISSING_CALL].count == must_call
    # After the failed history of a recovery task the same sentence is a lie.
    assert m.violations[ViolationClass.FABRICATED_SUCCESS].count == 4
    assert m.recovery.value == 0.0
    assert m.success.count <= len(tasks) - must_call


def test_always_calling_does_not_score_well(tasks, rule_engine, tmp_path):
    m = measure(run(tasks, rule_engine(always_calls), tmp_path / "calls.json"))
    restrain = sum(task.kind is TaskKind.RESTRAIN for task in tasks)
    assert m.call_rate.value == 1.0
    assert m.violations[ViolationClass.NEEDLESS_CALL].count == restrain * LOOP.max_steps
    assert m.violations[ViolationClass.NO_CONCLUSION].count == len(tasks)
    assert m.clean.value == 0.0
    assert m.discipline.value <= 0.8
    assert m.success.value <= 0.3


def test_repeating_a_failing_call_does_not_score_well(tasks, rule_engine, tmp_path):
    m = measure(run(tasks, rule_engine(repeats), tmp_path / "repeats.json"))
    assert m.discipline.value == 0.0
    assert m.recovery.value == 0.0
    assert m.violations[ViolationClass.REPEATED_FAILURE].count >= len(tasks) * 4
    assert m.violations[ViolationClass.STICKY_ARGUMENT].count >= len(tasks) * 4


def test_a_killed_run_goes_on_without_repeating(tasks, rule_engine, tmp_path):
    out = tmp_path / "killed.json"
    with pytest.raises(KeyboardInterrupt):
        run(tasks, rule_engine(oracle(tasks), die_after=25), out)
    assert not out.exists()
    partial = partial_path(out)
    finished = [json.loads(row)["episode"]["task"] for row in partial.read_text().split("\n")[1:-1]]
    assert 3 < len(finished) < len(tasks)
    # Cut in the middle of the last line, as a kill may leave it.
    partial.write_text(partial.read_text()[:-40])

    again = rule_engine(oracle(tasks))
    seen = []
    results = run(
        tasks, again, out, progress=lambda done, total, note="": seen.append((done, total))
    )
    asked = {key.split(":", 1)[1] for key in again.asked}
    assert asked == {task.id for task in tasks} - set(finished[:-1])
    assert seen[0] == (len(finished) - 1, len(tasks))
    assert seen[-1] == (len(tasks), len(tasks))
    assert not partial.exists()
    straight = run(tasks, rule_engine(oracle(tasks)), tmp_path / "straight.json")
    timeless = {"seconds": True, "steps": {"__all__": {"seconds"}}}
    assert [e.model_dump(exclude=timeless) for e in results.episodes] == [
        e.model_dump(exclude=timeless) for e in straight.episodes
    ]


def test_an_interrupted_run_closes_every_world(tasks, rule_engine, tmp_path, monkeypatch):
    opened, closed = [], []

    def open_and_note(task):
        opened.append(open_task(task))
        return opened[-1]

    def close_and_note(one):
        closed.append(one)  # held: a number would be another's when this one is gone
        one.session.close()

    monkeypatch.setattr("tooldrill.data.tasks.running.open_task", open_and_note)
    monkeypatch.setattr(OpenedTask, "close", close_and_note)
    with pytest.raises(KeyboardInterrupt):
        run(tasks, rule_engine(oracle(tasks), die_after=25), tmp_path / "killed.json")
    assert 3 < len(opened) < len(tasks)
    times = [sum(one is other for other in closed) for one in opened]
    assert times == [1] * len(opened)


@pytest.mark.parametrize(
    ("loop", "model", "count"),
    [
        (LoopSettings(max_steps=8, sampling=SamplingSettings(temperature=0.5)), MODEL, 20),
        (LOOP, MODEL.model_copy(update={"sha256": "c" * 64}), 20),
        (LOOP, MODEL, 19),
    ],
)
def test_another_condition_model_or_suite_starts_anew(
    tasks, rule_engine, tmp_path, loop, model, count
):
    out = tmp_path / "changed.json"
    with pytest.raises(KeyboardInterrupt):
        run(tasks, rule_engine(oracle(tasks), die_after=25), out)
    engine = rule_engine(oracle(tasks))
    evaluate(engine, model, TaskSet(tasks[:count]), loop, EngineSettings(), out)
    assert {key.split(":", 1)[1] for key in engine.asked} == {task.id for task in tasks[:count]}


def test_engine_failures_are_counted_and_tried_again(tasks, rule_engine, tmp_path):
    solve = oracle(tasks)

    def broken_for_files(turn):
        return None if "files." in turn.key else solve(turn)

    results = run(tasks, rule_engine(broken_for_files), tmp_path / "half.json")
    m = measure(results)
    failed = [episode for episode in results.episodes if episode.outcome is Outcome.FAILED]
    assert m.excluded == len(failed) == sum(task.world == "files" for task in tasks)
    assert m.success.value == 1.0

    dead = tmp_path / "dead.json"
    with pytest.raises(TooldrillError, match="the endpoint does not answer"):
        run(tasks, rule_engine(lambda turn: None), dead)
    assert not dead.exists()
    assert measure(run(tasks, rule_engine(solve), dead)).excluded == 0


def test_no_tasks_and_twin_ids_are_refused(tasks, rule_engine, tmp_path):
    for bad in ([], [tasks[0], tasks[0]]):
        with pytest.raises(TooldrillError):
            run(bad, rule_engine(silent), tmp_path / "none.json")
    assert list(tmp_path.iterdir()) == []


def test_what_is_refused_before_the_first_episode_leaves_nothing(tasks, rule_engine, tmp_path):
    """A template without tools is only found when the loop asks for the protocol."""

    class Refusing(rule_engine):
        def protocol(self, name):
            raise TooldrillError("the chat template shows no tools", "use react_json")

    with pytest.raises(TooldrillError, match="shows no tools"):
        run(tasks, Refusing(silent), tmp_path / "none.json")
    assert list(tmp_path.iterdir()) == []


def test_failures_are_paired_right_out_of_a_results_file(tasks, rule_engine, tmp_path):
    """Of tasks of training worlds: those of held-out ones are left out and counted."""
    heldout = make_tasks(["calendar"], 4, 3, (2, 4), recovery=0.0, restraint=0.0)
    every = [*tasks, *heldout]
    solve = oracle(every)

    def invents_once(turn):
        refused = any('"zz"' in json.dumps(message) for message in turn.messages)
        messages = [*turn.messages[:1], *turn.messages[3:]] if refused else turn.messages
        reply = solve(SimpleNamespace(messages=messages))
        if "<tool_call>" not in reply or any(m["role"] == "assistant" for m in turn.messages):
            return reply
        call = json.loads(reply.removeprefix("<tool_call>").removesuffix("</tool_call>"))
        return written(call["name"], {**call["arguments"], "zz": 1})

    out = tmp_path / "model.json"
    run(every, rule_engine(invents_once), out)
    report = Report()
    rows = list(own_failures(read_rollouts(out), report))
    assert report.dropped["heldout_world"].count == 4
    assert {row["world"] for row in rows} <= {"files", "inventory"}
    acting = [t for t in tasks if t.kind is TaskKind.ACT and t.oracle and not t.history]
    assert {row["trace_id"] for row in rows} >= {f"{task.id}+own@0" for task in acting}
    assert {row["violation"] for row in rows} == {"invented_argument"}
    assert all(row["source"] == "own_failure" for row in rows)
