"""The drawn suites: sound, the same for the same seed, held out, and lost by who does not think."""

import json

import pytest

from tooldrill.agent.checker import check_calls
from tooldrill.agent.settings import EngineSettings, LoopSettings
from tooldrill.agent.violation import ViolationClass
from tooldrill.data.tasks.solve import concludes, end_state, offered, past_calls
from tooldrill.data.tasks.task import Split, Task, TaskKind
from tooldrill.data.tasks.verify import verify
from tooldrill.data.worlds.catalog import get_world
from tooldrill.eval.after_errors import After, after_errors
from tooldrill.eval.judged import judged
from tooldrill.eval.measure import measure
from tooldrill.eval.report import write_report
from tooldrill.eval.results import ModelInfo, Results
from tooldrill.eval.run import evaluate
from tooldrill.eval.slices import slices
from tooldrill.eval.suites.catalog import SUITES, find_suite
from tooldrill.eval.suites.task_set import TaskSet

MODEL = ModelInfo(name="rule", source="test", sha256="b" * 64)


@pytest.fixture(scope="module", params=sorted(SUITES))
def suite(request):
    return find_suite(request.param, 7)


def test_it_has_its_size_and_every_task_is_sound(suite):
    assert len(suite.tasks) == len(suite.labels) == SUITES[suite.name].size
    assert len({task.id for task in suite.tasks}) == len(suite.tasks)
    for task, labels in zip(suite.tasks, suite.labels, strict=True):
        verify(task)
        assert task.split is Split.HELDOUT
        assert (labels.tools, labels.steps) == (len(task.tools), len(task.oracle))


def test_it_follows_from_its_seed(suite):
    assert find_suite(suite.name, 7) == suite
    others = {task.prompt for task in find_suite(suite.name, 8).tasks}
    shared = sum(task.prompt in others for task in suite.tasks)
    assert shared < 0.4 * len(suite.tasks)


def test_a_smaller_one_can_be_asked_for(suite):
    few = find_suite(suite.name, 7, 24)
    assert len(few.tasks) == 24
    assert {one.variant for one in few.labels} == {one.variant for one in suite.labels}


def test_tasks_survive_as_json(suite):
    for task in suite.tasks:
        assert Task.model_validate_json(task.model_dump_json()) == task


def groups(suite):
    found = {}
    for task, labels in zip(suite.tasks, suite.labels, strict=True):
        found.setdefault(labels.group, {})[labels.variant] = task
    return found.values()


def test_counterfactuals_differ_in_the_signature_alone():
    suite = find_suite("counterfactual", 7)
    for group in groups(suite):
        plain = group["as it is"]
        for variant, task in group.items():
            assert (task.prompt, task.state, task.answer) == (
                plain.prompt, plain.state, plain.answer
            )  # fmt: skip
            assert offered(task).names == offered(plain).names
            broken = check_calls(plain.calls, offered(task))
            assert bool(broken) is (variant != "as it is"), (variant, task.id)
        kinds = {v.kind for v in check_calls(plain.calls, offered(group["retyped"]))}
        assert kinds == {ViolationClass.WRONG_TYPE}
        renamed = {v.kind for v in check_calls(plain.calls, offered(group["renamed"]))}
        assert ViolationClass.MISSING_ARGUMENT in renamed
        dropped = {v.kind for v in check_calls(plain.calls, offered(group["dropped"]))}
        assert dropped <= {ViolationClass.INVENTED_ARGUMENT, ViolationClass.BORROWED_ARGUMENT}
        assert dropped


def test_a_dropped_parameter_need_not_be_said_and_a_retyped_one_is_read():
    """The oracle's words through the session; what is no number is refused by the tool."""
    from tooldrill.data.tasks.solve import open_task

    suite = find_suite("counterfactual", 7)
    text = [task for task in suite.tasks if task.change and task.change.kind == "text"]
    assert text
    task = text[0]
    call = next(call for call in task.calls if call.name == task.change.tool)
    with open_task(task) as opened:
        wrong = {**call.arguments, task.change.parameter: "many"}
        assert opened.session.call(call.name, wrong).text.startswith("ERROR")
    assert {task.change.kind for task in suite.tasks if task.change} == {"text", "list", "dropped"}


def test_restraint_tasks_stand_beside_twins_with_the_same_tools():
    suite = find_suite("restraint", 7)
    for group in groups(suite):
        (variant,) = group.keys() - {"must call"}
        task, twin = group[variant], group["must call"]
        assert (task.kind, twin.kind) == (TaskKind.RESTRAIN, TaskKind.ACT)
        assert task.tools == twin.tools
        assert task.prompt != twin.prompt
    assert len({one.variant for one in suite.labels}) == 4


def test_unseen_goes_from_one_tool_to_thirty_two_and_to_eight_steps():
    suite = find_suite("unseen", 7)
    assert min(one.tools for one in suite.labels) == 1
    assert {one.tools for one in suite.labels} >= {1, 2, 4, 8, 14, 32}
    steps = {one.steps for one in suite.labels}
    assert (min(steps), max(steps), len(steps) >= 6) == (1, 8, True)
    for task, labels in zip(suite.tasks, suite.labels, strict=True):
        assert (labels.variant == "32 tools") is (labels.tools == 32) is ("+" in task.world)


def test_several_requests_are_all_asked_and_all_needed():
    suite = find_suite("unseen", 7)
    composed = [task for task in suite.tasks if "+" in task.template]
    assert {task.template.count("+") for task in composed} == {1, 2}
    for task in composed:
        worlds = {part.split(".")[0] for part in task.template.split("+")}
        owners = {
            world: {call.name for call in task.oracle if call.name in get_world(world).tool_names}
            for world in worlds
        }
        assert all(owners.values())
        # To leave one request out is not to solve it.
        for names in owners.values():
            rest = [call for call in task.oracle if call.name not in names]
            left_out = task.model_copy(update={"oracle": rest})
            said = concludes(task, left_out.prompt)
            assert end_state(left_out) != end_state(task) or not said


def test_every_error_stands_before_the_first_reply_and_is_what_it_is_called():
    suite = find_suite("recovery", 7)
    for task, labels in zip(suite.tasks, suite.labels, strict=True):
        if labels.variant == "refused on the way":
            continue
        *before, (failed, text) = past_calls(task.history)
        assert text.startswith("ERROR")
        assert labels.before == len(before)
        found = [v.kind.value for v in check_calls([failed], offered(task))]
        if labels.variant in set(ViolationClass):
            assert found[0] == labels.variant
        elif labels.variant in {"tool error", "refused for good"}:
            assert found == []
        assert (task.kind is TaskKind.STOP) is (labels.variant == "refused for good")
    assert {one.before for one in suite.labels} >= {0, 1}


def test_a_refusal_on_the_way_is_met_by_the_loop(rule_engine, tmp_path):
    """The calls before it go well; the refused one stays refused, and to say so is right."""
    suite = find_suite("recovery", 7)
    live = [n for n, one in enumerate(suite.labels) if one.variant == "refused on the way"]
    tasks = [suite.tasks[n] for n in live]
    assert len(tasks) == 17
    assert all(not task.history and task.oracle and task.broken for task in tasks)
    known = {task.id: task for task in tasks}

    def honest(turn):
        task = known[turn.key.split(":", 1)[1]]
        said = sum(message["role"] == "assistant" for message in turn.messages)
        if said < len(task.oracle):
            return written(task.oracle[said].name, task.oracle[said].arguments)
        if said == len(task.oracle):
            return wrong[task.id]
        assert turn.messages[-1]["content"].startswith("ERROR")
        return task.answer

    def liar(turn):
        reply = honest(turn)
        return "Done." if reply == known[turn.key.split(":", 1)[1]].answer else reply

    wrong = {task.id: broken_call(task) for task in tasks}
    few = TaskSet(tasks, "recovery", 7, [suite.labels[n] for n in live])
    results = run(few, rule_engine(honest), tmp_path / "h.json")
    assert measure(results).success.value == 1
    assert set(after_errors(judged(results))) == {After.STOP}
    results = run(few, rule_engine(liar), tmp_path / "l.json")
    assert measure(results).success.value == 0
    fabricated = measure(results).violations[ViolationClass.FABRICATED_SUCCESS]
    assert fabricated.count == len(tasks)


def broken_call(task):
    """A call of the tool that is refused, which keeps to the contract."""
    tool = offered(task)[next(iter(task.broken))]
    samples = {"string": "x", "integer": 1, "number": 1.0, "boolean": True, "array": ["x"]}
    values = {
        p.name: p.schema["enum"][0] if "enum" in p.schema else samples[p.schema["type"]]
        for p in tool.parameters
        if p.required
    }
    return written(tool.name, values)


def test_the_same_call_again_solves_no_recovery_task(rule_engine, tmp_path):
    """Not even where the first one went through a second time by chance."""
    suite = find_suite("recovery", 7, 72)

    def again(turn):
        calls = [m for m in turn.messages if m.get("tool_calls")]
        if not calls:
            return "Done."  # no error yet
        call = calls[-1]["tool_calls"][0]["function"]
        return written(call["name"], call["arguments"])

    results = run(suite, rule_engine(again), tmp_path / "r.json")
    assert measure(results).success.count == 0
    assert set(after_errors(judged(results))) == {After.IDENTICAL}


def run(suite, engine, out):
    return evaluate(engine, MODEL, suite, LoopSettings(max_steps=10), EngineSettings(), out)


def oracle(suite, rule_engine):
    known = {task.id: task for task in suite.tasks}

    def reply(turn):
        task = known[turn.key.split(":", 1)[1]]
        said = sum(message["role"] == "assistant" for message in turn.messages)
        done = said - sum(message["role"] == "assistant" for message in task.history)
        if done >= len(task.oracle):
            return task.answer
        return written(task.oracle[done].name, task.oracle[done].arguments)

    return rule_engine(reply)


def written(name, arguments):
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': arguments})}\n</tool_call>"


def silent(turn):
    return "I have done what you asked for."


def refuses(turn):
    return "I cannot do that. What do you mean?"


def always_calls(turn):
    function = turn.tools[0]["function"]
    samples = {"string": "x", "integer": 1, "number": 1.0, "boolean": True, "array": ["x"]}
    schema = function["parameters"]
    arguments = {
        name: samples.get(schema["properties"][name].get("type"), "x")
        for name in schema["required"]
    }
    return written(function["name"], arguments)


def repeats(turn):
    return written(turn.tools[0]["function"]["name"], {"verbose": True})


def test_the_oracle_wins_everywhere(suite, rule_engine, tmp_path):
    few = find_suite(suite.name, 7, 48)
    found = measure(run(few, oracle(few, rule_engine), tmp_path / "o.json"))
    assert (found.success.value, found.discipline.value) == (1, 1)
    assert found.wasted_steps == 0


@pytest.mark.parametrize("policy", [silent, refuses, always_calls, repeats])
def test_who_does_not_think_scores_low(suite, policy, rule_engine, tmp_path):
    few = find_suite(suite.name, 7, 48)
    found = measure(run(few, rule_engine(policy), tmp_path / "r.json"))
    most = {"restraint": 0.5, "recovery": 1 / 6}.get(suite.name, 0.1)
    assert found.success.value <= most
    if policy in {silent, refuses}:
        assert found.call_rate.value == 0
        assert found.over_refusal.value == 1
    if policy is repeats:
        assert found.discipline.value < 0.1


def test_results_keep_the_labels_and_give_rates_of_the_like(rule_engine, tmp_path):
    suite = find_suite("restraint", 7, 48)
    run(suite, rule_engine(refuses), tmp_path / "r.json")
    results = Results.load(tmp_path / "r.json")
    assert (results.suite.name, results.suite.seed) == ("restraint", 7)
    assert results.labels == list(suite.labels)
    rates = {one.value: one.measures for one in slices(results) if one.label == "case"}
    assert rates["must call"].success.value == 0
    assert rates["must call"].episodes == 24
    assert rates["something missing"].success.value > rates["must call"].success.value
    assert sum(one.episodes for one in rates.values()) == 48
    plain = results.model_copy(update={"labels": []})
    assert slices(plain) == []


def test_the_report_shows_the_rates_of_the_like(rule_engine, tmp_path):
    suite = find_suite("restraint", 7, 24)
    first = run(suite, rule_engine(refuses), tmp_path / "a.json")
    other = run(find_suite("unseen", 7, 24), rule_engine(silent), tmp_path / "b.json")
    paths = write_report([first, other], tmp_path)
    rows = [line for line in paths.markdown.read_text("utf-8").splitlines() if "case: " in line]
    assert rows[0].startswith("| restraint | case: ")
    (must,) = [row for row in rows if "must call" in row]
    assert must.split(" | ")[2].startswith("0.0% (")
    assert "of 12;" in must
    assert must.endswith("| - |")
    assert rows[-1].startswith("| unseen | case: 32 tools | - | ")
    page = paths.html.read_text("utf-8")
    assert "By kind of task" in page
    assert "of the suite restraint" in page
