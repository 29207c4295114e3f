"""`tooldrill agent` on a scripted model behind real HTTP: what a user is told, and when it asks."""

from __future__ import annotations

import io
import json
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from scripted_endpoint import Answer, Scripted, error, reply, serve, short_pauses

from tooldrill.agent.episode import Episode, Outcome, Step
from tooldrill.cli.main import main

TOOLS = '''
"""Tools of a test."""
from pathlib import Path


def put(name: str, text: str) -> str:
    """Writes a file."""
    Path(name).write_text(text)
    return f"wrote {name}"


def shout(times: int) -> str:
    """Says much."""
    return "HEAD" + "x" * times + "TAIL"


def stumble() -> str:
    """Fails."""
    raise RuntimeError("out of milk")
'''
END = reply(content="All done.")


def call(name: str, /, **arguments: Any) -> Answer:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return reply(content="", tool_calls=[{"id": "1", "type": "function", "function": function}])


class Done(NamedTuple):
    """A command that has ended."""

    status: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Agent = Callable[..., Done]


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """The command takes over the signal by which it is asked to stop."""
    before = signal.getsignal(signal.SIGTERM)
    with short_pauses():
        yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def tooldrill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Agent:
    """The command in a folder with tools in `mine/tools.py` and a workspace `ws`."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "ws").mkdir()
    (tmp_path / "mine/tools.py").write_text(TOOLS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TOOLDRILL_API_KEY", raising=False)

    def run(*arguments: str, typed: str = "") -> Done:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        shown = capsys.readouterr()
        return Done(int(ended.value.code or 0), shown.out, shown.err)

    return run


def agent(tooldrill: Agent, scripted: Scripted, *options: str, typed: str = "") -> Done:
    arguments = ["agent", "Do it.", "--endpoint", scripted.url, "--workspace", "ws"]
    if "--tools" not in options:
        arguments += ["--tools", "python:mine/tools.py"]
    return tooldrill(*arguments, *options, typed=typed)


def lines(done: Done) -> list[str]:
    """What explains an error: one line and a next step, and nothing else."""
    assert done.status == 2
    assert "Traceback" not in done.err
    found = [line for line in done.err.splitlines() if line.startswith(("error: ", "next:  "))]
    assert [line[:7] for line in found] == ["error: ", "next:  "]
    return found


MISTAKES: dict[str, tuple[list[str], str]] = {
    "no model": ([], "no model is given"),
    "no such file": (["--model", "gone.gguf"], "no GGUF file at gone.gguf"),
    "no GGUF": (["--model", "mine/tools.py"], "mine/tools.py is not a GGUF file"),
    "a folder": (["--model", "mine"], "no GGUF file at mine"),
    "an adapter for a server": (
        ["--endpoint", "http://127.0.0.1:9/v1", "--adapter", "a.gguf"],
        "an adapter needs the model it is for",
    ),
    "nobody there": (["--endpoint", "http://127.0.0.1:9/v1"], "does not answer"),
    "a key of no setting": (
        ["--endpoint", "http://127.0.0.1:9/v1", "--server", "timout=3"],
        "unknown key; did you mean eval.endpoint.timeout?",
    ),
    "a value of another type": (
        ["--endpoint", "http://127.0.0.1:9/v1", "--server", "timeout=soon"],
        "must be a number",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_model_that_cannot_be_had(tooldrill: Agent, case: str) -> None:
    options, said = MISTAKES[case]
    done = tooldrill("agent", "Do it.", "--tools", "files", "--workspace", "ws", *options)
    assert said in lines(done)[0]


BROKEN = {
    "a syntax error": ("def f(:\n    pass\n", "broken.py", "line 1"),
    "an import that fails": ("import no_such_module\n", "broken.py", "no_such_module"),
    "no function": ("x = 1\n", "broken.py", "defines no public function"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_tools_that_cannot_be_had(tooldrill: Agent, tmp_path: Path, case: str) -> None:
    code, *said = BROKEN[case]
    (tmp_path / "mine/broken.py").write_text(code)
    with serve(END) as scripted:
        done = agent(tooldrill, scripted, "--tools", "python:mine/broken.py")
        assert all(word in lines(done)[0] for word in said)
        assert scripted.requests == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--tools", "nothing"], "no tool source 'nothing'"),
        (["--tools", "mcp:http://127.0.0.1:9/mcp"], "are reached over the network"),
        (["--tools", "mcp:http://127.0.0.1:9/mcp", "--allow-network"], "cannot be reached"),
        (["--workspace", "gone"], "no folder at"),
        (["--readable", "gone"], "nothing at gone"),
        (["--save", "ws"], "ws is there already"),
        (["--save", "gone/a.json"], "no folder at gone"),
    ],
)
def test_places_and_sources_that_are_none(tooldrill: Agent, options: list[str], said: str) -> None:
    with serve(END) as scripted:
        assert said in lines(agent(tooldrill, scripted, *options))[0]
        assert scripted.requests == []


@pytest.mark.parametrize("task", ["", " \n"])
def test_an_empty_task(tooldrill: Agent, task: str) -> None:
    done = tooldrill("agent", task, "--tools", "files", "--endpoint", "http://127.0.0.1:9/v1")
    assert lines(done)[0] == "error: the task is empty"


def test_an_mcp_server_that_needs_the_network_is_told_of_the_flag(
    tooldrill: Agent, tmp_path: Path
) -> None:
    script = tmp_path / "mine/server.py"
    script.write_text("import socket\nsocket.socket()\n")
    with serve(END) as scripted:
        done = agent(tooldrill, scripted, "--tools", f"mcp:{sys.executable} {script}")
    first, second = lines(done)
    assert "Permission denied" in first
    assert "(it ran without --allow-shell and --allow-network here)" in second


def test_the_steps_as_json(tooldrill: Agent, tmp_path: Path) -> None:
    answers = [call("put", name="a.txt", text="hi"), call("put", name="a.txt"), call("stumble")]
    with serve(*answers, END) as scripted:
        done = agent(tooldrill, scripted, "--json", "--save", "episode.json")
    assert done.status == 0
    *told, ending = done.events
    assert all(list(event) == ["step"] for event in told)
    steps = [Step.model_validate(event["step"]) for event in told]
    assert [step.observation for step in steps[:1]] == ["wrote a.txt"]
    assert [[str(v.kind) for v in step.violations] for step in steps] == [
        [], ["missing_argument"], [], [],
    ]  # fmt: skip
    assert steps[2].error and "out of milk" in str(steps[2].observation)
    assert ending == {
        "outcome": "concluded", "conclusion": "All done.", "spent": None, "forced": False,
        "failure": None, "seconds": ending["seconds"],
    }  # fmt: skip
    assert (tmp_path / "ws/a.txt").read_text() == "hi"
    kept = Episode.model_validate_json((tmp_path / "episode.json").read_text())
    assert kept.steps == steps
    assert "episode written to episode.json" in done.err


def test_only_the_conclusion_is_on_standard_output(tooldrill: Agent) -> None:
    with serve(call("put", name="a.txt", text="hi"), END) as scripted:
        done = agent(tooldrill, scripted)
    assert (done.status, done.out) == (0, "All done.\n")
    assert 'put(name="a.txt", text="hi")\nwrote a.txt\n' in done.err
    assert done.err.startswith("put(name, text)\nshout(times)\nstumble()\ntools write in ")
    assert "2 replies, 0 violations" in done.err


def test_a_server_that_goes_away_is_told_and_nothing_goes_on(
    tooldrill: Agent, tmp_path: Path
) -> None:
    away = error(503, "Loading model", type="unavailable_error")
    with serve(call("put", name="a.txt", text="hi"), away) as scripted:
        done = agent(tooldrill, scripted, "--server", "patience=0.2", "--save", "episode.json")
    first, second = lines(done)
    assert "has been away for 0.2 s" in first
    assert second == (
        "next:  start it again, then run the same command: the task begins anew; what the tools "
        "have done stays done"
    )
    kept = Episode.model_validate_json((tmp_path / "episode.json").read_text())
    assert (kept.outcome, len(kept.steps)) == (Outcome.FAILED, 1)


def test_steps_that_run_out(tooldrill: Agent, tmp_path: Path) -> None:
    """A conclusion that had to be demanded is one, and is told from one of the model's own."""
    for answers, outcome, status in (
        ([call("shout", times=1)], Outcome.NO_CONCLUSION, 1),
        ([call("shout", times=1), END], Outcome.CONCLUDED, 0),
    ):
        saved = tmp_path / f"{outcome}.json"
        with serve(*answers) as scripted:
            done = agent(tooldrill, scripted, "--steps", "1", "--save", str(saved))
        assert done.status == status
        kept = Episode.model_validate_json(saved.read_text())
        assert (kept.outcome, kept.forced, kept.spent) == (outcome, True, "steps")
    assert "no conclusion: the steps ran out" not in done.err
    gone = tooldrill("data", "ingest", "no_conclusion.json", "concluded.json", "--out", "set")
    assert gone.status == 2
    assert (
        "dropped 1: no_conclusion (first no_conclusion.json: agent, after 2 replies: the steps "
        "ran out)"
    ) in gone.err
    assert (
        "dropped 1: forced_conclusion (first concluded.json: agent, after 2 replies: the steps "
        "had run out)"
    ) in gone.err
    pairs = tooldrill("data", "failures", "concluded.json", "--out", "set")
    assert "is an episode of tooldrill agent" in lines(pairs)[0]


def test_a_concluded_episode_is_ingested(tooldrill: Agent, tmp_path: Path) -> None:
    answers = [call("put", name="a.txt"), call("put", name="a.txt", text="hi"), END]
    with serve(*answers) as scripted:
        agent(tooldrill, scripted, "--save", "episode.json")
    done = tooldrill("data", "ingest", "episode.json", "--out", "set")
    assert (done.status, done.out) == (0, f"{Path('set/sft.jsonl')}: 1 rows\n")
    (row,) = map(json.loads, (tmp_path / "set/sft.jsonl").read_text().splitlines())
    replies = [m for m in row["messages"] if m["role"] == "assistant"]
    assert [m.get("weight", 1) for m in replies] == [0, 1, 1]
    assert (row["kind"], row["violation"]) == ("recover", "missing_argument")


@pytest.mark.parametrize(
    ("typed", "written", "said"),
    [
        ("y\n", True, "wrote a.txt"),
        ("YES\n", True, "wrote a.txt"),
        ("n\n", False, "ERROR: the user did not allow this call of put"),
        ("\n", False, "ERROR: the user did not allow this call of put"),
        ("yikes\n", False, "ERROR: the user did not allow this call of put"),
        ("", False, "no answer: standard input has ended"),
    ],
)
def test_a_person_is_asked(
    tooldrill: Agent, tmp_path: Path, typed: str, written: bool, said: str
) -> None:
    with serve(call("put", name="a.txt", text="hi"), END) as scripted:
        done = agent(tooldrill, scripted, "--confirm", typed=typed)
    assert done.err.count('carry out put(name="a.txt", text="hi")? [y/N] ') == 1
    assert said in done.err
    assert (tmp_path / "ws/a.txt").exists() is written
    assert done.status == 0


def test_reading_is_not_asked_about(tooldrill: Agent, tmp_path: Path) -> None:
    (tmp_path / "ws/a.txt").write_text("secret plans")
    with serve(call("read_file", path="a.txt"), END) as scripted:
        done = agent(tooldrill, scripted, "--tools", "files", "--confirm")
    assert "carry out" not in done.err
    assert "secret plans" in done.err


def test_a_huge_observation_fits_the_context(tooldrill: Agent) -> None:
    for options, most in (
        ([], 4096),
        (["--context", "32768"], 20_000),
        (["--observation", "300"], 300),
    ):
        with serve(call("shout", times=900_000), END) as scripted:
            done = agent(tooldrill, scripted, "--json", *options)
        observation = done.events[0]["step"]["observation"]
        assert observation.startswith("HEAD") and observation.endswith("TAIL")
        assert len(observation) - observation.count("\n") <= most + 64
        assert observation.count("x") == most - len("HEADTAIL")
        assert scripted.requests[1]["messages"][-1]["content"] == observation
    with serve(call("shout", times=900_000), END) as scripted:
        done = agent(tooldrill, scripted)
    assert "characters not shown]" in done.err
    assert len(done.err) < 4000


def test_an_observation_of_megabytes_is_an_error_to_the_model(tooldrill: Agent) -> None:
    with serve(call("shout", times=3_000_000), END) as scripted:
        done = agent(tooldrill, scripted, "--json")
    step = done.events[0]["step"]
    assert step["error"]
    assert step["observation"].startswith("ERROR: shout: done, but its answer of 3,000,008 char")
    assert "HEADxxx" in step["observation"] and step["observation"].endswith("xxxTAIL")
    assert len(step["observation"]) <= 4096 + 64
    assert scripted.requests[1]["messages"][-1]["content"] == step["observation"]


def test_an_engine_that_fails(tooldrill: Agent, tmp_path: Path) -> None:
    too_long = error(400, "the request exceeds the available context size", n_ctx=512)
    with serve(call("shout", times=1), too_long) as scripted:
        done = agent(tooldrill, scripted, "--json", "--save", "episode.json")
    first, second = lines(done)
    assert "the engine failed: " in first and "context" in first
    assert "longer context" in second and "--observation" in second
    *told, ending = done.events
    assert len(told) == 1
    assert ending["outcome"] == "failed" and "context" in ending["failure"]
    kept = Episode.model_validate_json((tmp_path / "episode.json").read_text())
    assert (kept.outcome, len(kept.steps)) == (Outcome.FAILED, 1)


def test_how_a_server_is_asked(tooldrill: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sesame")
    options = ["--server", "api_key_env=MY_KEY", "--server", "body={top_k: 3}"]
    with serve(END) as scripted:
        assert agent(tooldrill, scripted, *options).status == 0
        assert scripted.headers[0]["Authorization"] == "Bearer sesame"
        assert scripted.requests[0]["top_k"] == 3
    with serve(END) as scripted:
        assert agent(tooldrill, scripted, "--api-key", "other").status == 0
        assert scripted.headers[0]["Authorization"] == "Bearer other"
