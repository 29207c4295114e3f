"""The command as a user meets it: in a process of its own, with its exit status and its lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def tooldrill(
    *arguments: str, cwd: Path = ROOT, text: str = ""
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-c", "from tooldrill.cli.main import main; main()", *arguments],
        capture_output=True, text=True, cwd=cwd, input=text, env=environment,
        timeout=120, check=False,
    )  # fmt: skip


def best_seconds(*command: str) -> float:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, *command], capture_output=True, check=True)
        times.append(time.perf_counter() - start)
    return min(times)


def test_help_is_quick() -> None:
    bare = best_seconds("-c", "pass")
    helped = best_seconds("-c", "from tooldrill.cli.main import main; main(['--help'])")
    # A bare interpreter takes about 0.03 s: this keeps help far below half a second.
    assert helped < 10 * bare


HEAVY = ("torch", "transformers", "numpy", "llama_cpp", "datasets", "rich.progress", "plotly",
         "scipy", "jinja2", "ruamel", "tooldrill.config")  # fmt: skip


def modules_after(arguments: list[str]) -> set[str]:
    code = (
        "import sys\nfrom tooldrill.cli.main import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
        "print('|'.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Usage: tooldrill" in done.stdout
    return set(done.stderr.strip().split("|"))


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["agent", "--help"], ["serve-check", "--help"]]
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    loaded = modules_after(arguments)
    assert "tooldrill.cli.app" in loaded
    assert not loaded & set(HEAVY)


def test_the_first_help_needs_no_pydantic() -> None:
    # Typer brings it in for a command's own parameters, but not for the list of commands.
    assert "pydantic" not in modules_after(["--help"])


def test_validating_needs_no_torch() -> None:
    code = (
        "import sys\nfrom tooldrill.cli.main import main\n"
        "try:\n    main(['validate', 'configs/demo.yaml'])\nexcept SystemExit as end:\n"
        "    assert not end.code\n"
        "print(bool({'torch', 'transformers'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stderr.strip() == "False"
    assert done.stdout.startswith("configs/demo.yaml: fine")


COMMANDS = [
    "run", "validate", "schema", "doctor", "tools", "check", "data.build", "data.preview",
    "data.stats", "train.sft", "train.dpo", "export", "eval", "report", "agent",
    "serve-check",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    words = command.split(".")
    done = tooldrill(*words, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"Usage: tooldrill {' '.join(words)}")


def bad_config(folder: Path, text: str) -> str:
    path = folder / "bad.yaml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("text", "arguments", "expected"),
    [
        (
            "name: a\nmodle: {}\n",
            ["validate"],
            "bad.yaml:2: modle: unknown key; did you mean model?",
        ),
        ("name: a\nmodel: {path: ./gone}\n", ["run"], "model.path: nothing lies at ./gone"),
        ("name: a\nmodel: {path: no-such-model}\n", ["train", "sft"], "no model at no-such-model"),
        ("name: a\n", ["train", "sft"], "data/sft.parquet, which is not there"),
        ("name: a\n", ["run", "--from", "eval"], "which is not there"),
        ("name: a\n", ["run", "--from", "eval", "--until", "sft"], "comes after --until sft"),
        ("name: a\n", ["data", "preview"], "no data set at"),
        ("name: a\n", ["eval", "--model", "gone.gguf", "--out", "o.json"], "no GGUF file at"),
    ],
)
def test_a_mistake_is_one_line_and_a_next_step(
    tmp_path: Path, text: str, arguments: list[str], expected: str
) -> None:
    config = bad_config(tmp_path, text)
    at = 2 if arguments[0] in ("train", "data") else 1
    done = tooldrill(*arguments[:at], config, *arguments[at:], cwd=tmp_path)
    lines = done.stderr.strip().splitlines()
    assert done.returncode == 2
    assert len(lines) == 2, done.stderr
    assert lines[0].startswith("error: ")
    assert expected in lines[0]
    assert lines[1].startswith("next:  ")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["validate", "gone.yaml"], "no config file at gone.yaml"),
        (["tools", "gone:x"], "no tool source 'gone:x'"),
        (["tools", "world:fils"], "no world named 'fils'"),
        (["tools", "openai:gone.json"], "no registry file at gone.json"),
        (["check", "gone.jsonl", "--tools", "world:files"], "no file at gone.jsonl"),
        (["agent", "hi", "--model", "gone.gguf", "--tools", "world:files"], "gone.gguf"),
        (["eval"], "nothing to evaluate"),
        (["eval", "eval.tasks=3", "--model", "gone.gguf", "--out", "x.json"], "gone.gguf"),
        (["eval", "eval.taks=3", "--model", "gone.gguf", "--out", "x.json"], "eval.taks"),
        (["eval", "a=b.yaml"], "nothing to evaluate"),
    ],
)
def test_other_mistakes_too(tmp_path: Path, arguments: list[str], expected: str) -> None:
    done = tooldrill(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert any(line.startswith("error: ") and expected in line for line in done.stderr.splitlines())
    assert "next:  " in done.stderr


def test_a_broken_gguf_is_told(tmp_path: Path) -> None:
    (tmp_path / "cut.gguf").write_bytes(b"GGUF\x03\x00\x00\x00" + b"\x00" * 20)
    config = bad_config(tmp_path, "name: a\nmodel: {path: cut.gguf}\n")
    done = tooldrill("run", config, "--dry-run", cwd=tmp_path)
    assert done.returncode == 2
    assert "cut.gguf is not a whole GGUF file" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_schema_is_printed_as_json() -> None:
    schema = json.loads(tooldrill("schema").stdout)
    assert schema["properties"]["name"]["pattern"]
    assert schema["$defs"]["SftSettings"]["additionalProperties"] is False


TOOLS = '''
def append_file(path: str, content: str, ensure_newline: bool = True) -> str:
    """Append text to a file.

    Args:
        path: where.
    """
    return "ok"


def write_file(path: str, content: str, overwrite: bool = False) -> str:
    """Write a file."""
    return "ok"
'''


def test_tools_are_printed_and_saved_equal(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(TOOLS)
    done = tooldrill("tools", "python:mine.py", "--save", "reg.json", cwd=tmp_path)
    assert done.stdout.splitlines() == [
        "append_file(path, content, ensure_newline=true)",
        "write_file(path, content, overwrite=false)",
    ]
    saved = tooldrill("tools", "openai:reg.json", "--json", cwd=tmp_path)
    live = tooldrill("tools", "python:mine.py", "--json", cwd=tmp_path)
    assert json.loads(saved.stdout) == json.loads(live.stdout)
    names = tooldrill("tools", "openai:reg.json", "--level", "names", cwd=tmp_path)
    assert names.stdout.split() == ["append_file", "write_file"]


def test_check_answers_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(TOOLS)
    good = {"name": "write_file", "arguments": {"path": "a", "content": "b"}}
    bad = {"name": "append_file", "arguments": {"path": "a", "content": "b", "overwrite": True}}
    lines = [
        {"id": 1, "calls": [good]},
        {"id": "two", "calls": [bad]},
        {"id": 3, "reply": f"<tool_call>{json.dumps(good)}</tool_call>"},
        {"id": 4, "calls": [good], "history": [{**good, "error": True}]},
        {"id": 5, "calls": [bad],
         "history": [{**bad, "error": True, "rejected_arguments": ["overwrite"]}]},
    ]  # fmt: skip
    text = "\n".join(json.dumps(line) for line in lines)
    done = tooldrill("check", "-", "--tools", "python:mine.py", cwd=tmp_path, text=text)
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    found = [(v["id"], v["ok"], [one["class"] for one in v["violations"]]) for v in verdicts]
    assert found == [
        (1, True, []),
        ("two", False, ["borrowed_argument"]),
        (3, True, []),
        (4, False, ["repeated_failure"]),
        (5, False, ["sticky_argument", "repeated_failure"]),
    ]
    assert verdicts[1]["violations"][0]["owners"] == ["write_file"]
    assert done.returncode == 1
    assert done.stderr.startswith("5 checked, 2 clean; ")


def test_check_tells_the_line_and_answers_the_others(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(TOOLS)
    text = '{"id": 1, "calls": []}\n\nnonsense\n{"id": 3}\n{"id": 4, "calls": []}\n'
    done = tooldrill("check", "-", "--tools", "python:mine.py", cwd=tmp_path, text=text)
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [1, 4]
    assert done.returncode == 2
    assert [line.split(":")[1].strip() for line in done.stderr.splitlines()[:2]] == [
        "line 3", "line 4",
    ]  # fmt: skip


def test_clean_calls_exit_with_zero(tmp_path: Path) -> None:
    line = json.dumps({"id": 1, "reply": "All done."})
    done = tooldrill("check", "-", "--tools", "world:files", cwd=tmp_path, text=line)
    assert (done.returncode, json.loads(done.stdout)["ok"]) == (0, True)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_stop_is_one_line(tmp_path: Path, name: str) -> None:
    code = (
        "import os, signal, tooldrill.cli.check as check\n"
        "from tooldrill.cli.main import main\n"
        "import tooldrill.check_lines as lines\n"
        f"lines.check_lines = lambda *a: os.kill(os.getpid(), signal.{name}) or iter([])\n"
        "main(['check', '-', '--tools', 'world:files'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, input="", check=False
    )
    assert done.returncode == 130
    assert done.stderr.strip() == "stopped; run the same command to go on"
