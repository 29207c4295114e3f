"""A suite of one's own: read line by line, run with real tools under limits, judged."""

import json

import pytest

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.settings import EngineSettings, LoopSettings
from tooldrill.agent.violation import ViolationClass
from tooldrill.eval.measure import measure
from tooldrill.eval.results import ModelInfo, Results
from tooldrill.eval.run import evaluate
from tooldrill.eval.suites.own_format import load_own_suite, read_own_suite
from tooldrill.eval.suites.own_running import own_set

TOOLS = '''
"""Notes in a folder."""
from pathlib import Path


def setup(workspace: str) -> None:
    """Lays out the archive."""
    Path(workspace, "archive").mkdir()
    Path(workspace, "archive", "old.txt").write_text("old")


def add_note(title: str, text: str, pinned: bool = False, stars: int = 0) -> str:
    """Write a note.

    Args:
        title: the file's name.
        text: what it says.
    """
    Path(title).write_text(text)
    return "written"


def find_notes(word: str) -> list[str]:
    """The notes that hold a word."""
    return sorted(str(p) for p in Path().rglob("*") if p.is_file() and word in p.read_text())
'''
ADD = {"name": "add_note", "arguments": {"title": ["milk", "Milk"], "text": "buy milk"}}


def line(name="a", prompt="Note that I must buy milk.", **more):
    more.setdefault("expect", {"calls": [ADD]})
    return {"id": name, "prompt": prompt, **more}


@pytest.fixture
def save(tmp_path):
    def write(*lines, tools=TOOLS):
        folder = tmp_path / "notes"
        folder.mkdir(exist_ok=True)
        (folder / "tools.py").write_text(tools)
        rows = [one if isinstance(one, str) else json.dumps(one) for one in lines]
        (folder / "tasks.jsonl").write_text("".join(f"{row}\n" for row in rows))
        return folder

    return write


@pytest.fixture
def run(rule_engine):
    """Runs the suite in a folder with the replies written for each task."""

    def evaluated(folder, replies, out):
        def policy(turn):
            said = sum(message["role"] == "assistant" for message in turn.messages)
            return replies[turn.key.split(":", 1)[1]][said]

        suite = load_own_suite(folder)
        model = ModelInfo(name="m", source="test", sha256="b" * 64)
        return evaluate(
            rule_engine(policy), model, own_set(suite), LoopSettings(), EngineSettings(), out
        )

    return evaluated


def call(name, **arguments):
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': arguments})}\n</tool_call>"


def solved(results):
    return {one.task: one.success for one in results.episodes}


def test_tasks_are_run_with_their_files_and_judged_by_all_that_is_expected(save, run, tmp_path):
    add = call("add_note", title="milk", text="buy milk")
    files = {"expect": {"files": {"milk": "buy milk", "archive/old.txt": "old", "no": None}}}
    find = {"name": "find_notes", "arguments": {"word": "beans"}}
    found = {"calls": [find], "answer_contains": ["list/one.txt"]}
    folder = save(
        line("call"),
        line("default"),
        line("beside"),
        line("other value"),
        line("files", **files),
        line("files missed", **files),
        line("found", files={"list/one.txt": "beans"}, expect=found),
        line("said too little", files={"list/one.txt": "beans"}, expect=found),
        line("quiet", expect={"no_call": True}),
        line("loud", expect={"no_call": True}),
    )
    find_beans = call("find_notes", word="beans")
    replies = {
        "call": [add, "Done."],
        "default": [call("add_note", title="Milk", text="buy milk", pinned=False), "Done."],
        "beside": [find_beans, call("add_note", title="milk", text="buy milk", stars=1), "Done."],
        "other value": [call("add_note", title="MILK", text="buy milk"), "Done."],
        "files": [call("find_notes", word="x"), add, "Done."],
        "files missed": [call("add_note", title="no", text="buy milk"), "Done."],
        "found": [find_beans, "It is in list/one.txt."],
        "said too little": [find_beans, "It is there."],
        "quiet": ["Hello."],
        "loud": [find_beans, "Hello."],
    }
    results = run(folder, replies, tmp_path / "r.json")
    assert solved(results) == {
        "call": True, "default": True, "beside": False, "other value": False, "files": True,
        "files missed": False, "found": True, "said too little": False, "quiet": True,
        "loud": False,
    }  # fmt: skip
    # What `setup` laid out could be found, and the observation is the tool's own.
    observed = {one.task: one.steps[0].observation for one in results.episodes}
    assert observed["found"] == '["list/one.txt"]'
    assert Results.load(tmp_path / "r.json").tasks == own_set(load_own_suite(folder)).tasks
    measures = measure(results)
    assert measures.violations[ViolationClass.NEEDLESS_CALL].count == 1
    assert measures.success.count == 5


def test_a_call_that_failed_or_broke_the_contract_does_not_count(save, run, tmp_path):
    tools = TOOLS.replace('return "written"', 'raise OSError("disk full")')
    folder = save(line("fails"), line("invented"), tools=tools)
    wrong = call("add_note", title="milk", text="buy milk", force=True)
    right = call("add_note", title="milk", text="buy milk")
    replies = {"fails": [right, "Done."], "invented": [wrong, "Done."]}
    results = run(folder, replies, tmp_path / "r.json")
    assert solved(results) == {"fails": False, "invented": False}
    first, second = results.episodes
    assert "disk full" in first.steps[0].observation
    assert [v.kind for v in second.steps[0].violations] == [ViolationClass.INVENTED_ARGUMENT]
    classes = measure(results).violations
    assert classes[ViolationClass.FABRICATED_SUCCESS].count == 2


def test_order_and_one_call_for_each_expected(save, run, tmp_path):
    def wants(ordered, *words):
        calls = [{"name": "find_notes", "arguments": {"word": word}} for word in words]
        return {"calls": calls, "ordered": ordered}

    folder = save(
        line("in order", expect=wants(True, "a", "b")),
        line("out of order", expect=wants(True, "a", "b")),
        line("any order", expect=wants(False, "a", "b")),
        line("twice", expect=wants(False, "a", "a")),
        line("once", expect=wants(False, "a", "a")),
        # The first would take the only call that the second accepts.
        line("overlap", expect=wants(False, ["a", "b"], "a")),
    )
    a, b = call("find_notes", word="a"), call("find_notes", word="b")
    replies = {
        "in order": [a, b, "Done."],
        "out of order": [b, a, "Done."],
        "any order": [b, a, "Done."],
        "twice": [a, a, "Done."],
        "once": [a, b, "Done."],
        "overlap": [a, b, "Done."],
    }
    assert solved(run(folder, replies, tmp_path / "r.json")) == {
        "in order": True, "out of order": False, "any order": True, "twice": True, "once": False,
        "overlap": True,
    }  # fmt: skip


def test_values_are_compared_as_json(save, run, tmp_path):
    stars = {"title": "t", "text": "x", "stars": 1}
    folder = save(*(line(n, expect={"calls": [{**ADD, "arguments": stars}]}) for n in "ab"))
    replies = {
        "a": [call("add_note", title="t", text="x", stars=1), "Done."],
        "b": [call("add_note", title="t", text="x", stars=2), "Done."],
    }
    assert solved(run(folder, replies, tmp_path / "r.json")) == {"a": True, "b": False}


def test_a_history_stands_before_the_first_reply(save, run, tmp_path):
    history = [
        {"role": "assistant", "content": "Which note?"},
        {"role": "user", "content": "The one on milk."},
    ]
    folder = save(line("h", history=history))
    replies = {"h": ["never said", call("add_note", title="milk", text="buy milk"), "Done."]}
    results = run(folder, replies, tmp_path / "r.json")
    assert solved(results) == {"h": True}
    assert len(results.episodes[0].steps) == 2


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{", "Invalid JSON"),
        (line(color="red"), "color: there is no such field"),
        ({"prompt": "x", "expect": {"no_call": True}}, "id: Field required"),
        (line(expect={}), "expect: expects nothing"),
        (line(expect={"calls": [ADD], "no_call": True}), "contradict each other"),
        (line(files={"../x": ""}), "files: '../x' is no relative path"),
        (line(expect={"files": {"/etc/x": ""}}), "'/etc/x' is no relative path"),
        (line(max_steps=0), "max_steps: Input should be greater"),
        (line(history=[{"role": "assistant", "content": "x"}]), "ends with the assistant"),
        (line(history=[{"content": "x"}]), "message 0 has no role"),
        (line(expect={"calls": [{"name": "setup"}]}), "no tool 'setup', only add_note, find_notes"),
        (line(expect={"calls": [{"name": "find_notes"}]}), "expect.calls.0: "),
        (
            line(expect={"calls": [{"name": "find_notes", "arguments": {"word": ["a", 3]}}]}),
            "expect.calls.0.arguments.word: ",
        ),
        (
            line(expect={"calls": [{"name": "find_notes", "arguments": {"word": "a", "n": 1}}]}),
            "expect.calls.0.arguments.n: ",
        ),
        (line(expect={"calls": [{"name": "find_notes", "arguments": {"word": []}}]}), "[[]]"),
    ],
)
def test_what_is_wrong_is_said_by_line(row, said, save):
    suite, problems = read_own_suite(save(line("first"), row))
    assert suite is None
    assert {problem.line for problem in problems} == {2}
    assert said in str(problems[0])
    assert str(problems[0]).startswith("tasks.jsonl:2: ")
    assert "\n" not in str(problems[0])


def test_all_problems_are_said_and_the_first_is_raised(save):
    folder = save(line("a"), line("b", color=1, size=2), "", line("a"))
    _, problems = read_own_suite(folder)
    assert [problem.line for problem in problems] == [2, 2, 4]
    assert "line 1" in problems[2].text
    with pytest.raises(TooldrillError, match=r"tasks.jsonl:2: .* \(and 2 more\)") as caught:
        load_own_suite(folder)
    assert "--validate" in caught.value.next_step


@pytest.mark.parametrize(
    ("tools", "said"),
    [
        ("def f(:", "tools.py: "),
        ("def setup(workspace: str) -> None: ...", "tools.py: defines no tool"),
        ("x = 1", "tools.py: "),
    ],
)
def test_tools_that_cannot_be_read(tools, said, save):
    _, problems = read_own_suite(save(line(), tools=tools))
    (problem,) = problems
    assert str(problem).startswith(said)
    assert "\n" not in str(problem)


def test_missing_files_and_no_tasks(save, tmp_path):
    assert "no such file" in str(read_own_suite(tmp_path / "nowhere")[1][0])
    assert "holds no task" in str(read_own_suite(save())[1][0])


def test_other_tools_make_other_tasks(save):
    before = own_set(load_own_suite(save(line()))).tasks
    after = own_set(load_own_suite(save(line(), tools=TOOLS.replace("written", "saved")))).tasks
    assert before != after


def test_a_setup_that_fails_ends_the_run_in_one_line(save, run, tmp_path):
    folder = save(line(), tools=TOOLS.replace('archive").mkdir()', 'a", "b").mkdir()'))
    with pytest.raises(TooldrillError, match="setup failed before task 'a'") as caught:
        run(folder, {"a": ["Done."]}, tmp_path / "r.json")
    assert "tools.py" in caught.value.next_step
    assert not list(tmp_path.glob("r.json*"))
