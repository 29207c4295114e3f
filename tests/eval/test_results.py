import json

import pytest

from tooldrill.agent.engines.base import AdapterInfo, EngineInfo
from tooldrill.agent.errors import TooldrillError
from tooldrill.eval.grade import grade
from tooldrill.eval.results import Results, suite_of


@pytest.fixture
def saved(build, tmp_path):
    task = build.task()
    episode = build.episode(task, build.unreadable(), build.end("done \u2028 \N{SNOWMAN}"))
    results = build.results([grade(episode, task, success=False)])
    path = tmp_path / "out" / "base.json"
    results.save(path)
    return results, path


def test_round_trip(saved):
    results, path = saved
    assert Results.load(path) == results
    assert [entry.name for entry in path.parent.iterdir()] == ["base.json"]


def test_violations_are_written_with_their_class(saved):
    _, path = saved
    raw = json.loads(path.read_text("utf-8"))
    assert raw["episodes"][0]["steps"][0]["violations"][0]["class"] == "malformed_call"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text[: len(text) // 2], "damaged or is not JSON"),
        (lambda text: "", "damaged or is not JSON"),
        (lambda text: "[" * 200_000, "damaged or is not JSON"),
        (lambda text: "[1, 2]", "not a tooldrill results file"),
        (lambda text: '{"messages": []}', "not a tooldrill results file"),
        (lambda text: text.replace('"schema_version": 1', '"schema_version": 99'), "schema 99"),
        (lambda text: text.replace('"outcome": "concluded"', '"outcome": 4'), "episodes.0.outcome"),
    ],
)
def test_broken_and_foreign_files_get_one_line(saved, change, words):
    _, path = saved
    path.write_text(change(path.read_text("utf-8")), "utf-8")
    with pytest.raises(TooldrillError) as caught:
        Results.load(path)
    assert words in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.next_step


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(TooldrillError):
            Results.load(path)


def test_binary_file_gets_one_line(tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF\xff\xfe\x00\x80")
    with pytest.raises(TooldrillError, match="not JSON"):
        Results.load(path)


def test_suite_hash_knows_content_and_order(build):
    first, second = build.task(number=0), build.task(number=1)
    suite = suite_of([first, second], seed=3)
    assert (suite.tasks, suite.worlds, suite.seed) == (2, ["files"], 3)
    assert suite_of([build.task(number=0), second]).sha256 == suite.sha256
    assert suite_of([second, first]).sha256 != suite.sha256
    assert suite_of([first.model_copy(update={"prompt": "x"}), second]).sha256 != suite.sha256


def test_tasks_are_kept_and_files_without_them_still_load(build, saved):
    results, path = saved
    assert results.tasks == []
    older = json.loads(path.read_text("utf-8"))
    del older["tasks"]
    path.write_text(json.dumps(older), "utf-8")
    assert Results.load(path) == results
    task = build.task()
    with_task = results.model_copy(update={"tasks": [task]})
    with_task.save(path)
    assert Results.load(path).tasks == [task]
    raw = json.loads(path.read_text("utf-8"))
    raw["tasks"][0]["id"] = "another"
    path.write_text(json.dumps(raw), "utf-8")
    with pytest.raises(TooldrillError, match="not those that `task_ids` names"):
        Results.load(path)


def test_what_the_replies_came_from_is_kept(build, tmp_path):
    info = EngineInfo(
        kind="llama.cpp",
        model="base.gguf",
        source="models/base.gguf",
        sha256="e" * 64,
        adapters=[
            AdapterInfo(path="lora.gguf", scale=0.5, sha256="f" * 64),
            AdapterInfo(path="more.gguf", scale=1.0, sha256="0" * 64),
        ],
        settings={"threads": 2, "flash_attention": False, "cache_type": "q8_0", "server": {"n": 1}},
    )
    task = build.task()
    graded = grade(build.episode(task, build.end()), task, success=False)
    results = build.results([graded]).model_copy(update={"engine": info})
    path = tmp_path / "base.json"
    results.save(path)
    loaded = Results.load(path)
    assert loaded.engine == info
    assert loaded == results
    raw = json.loads(path.read_text("utf-8"))
    assert raw["engine"]["adapters"][0] == {"path": "lora.gguf", "scale": 0.5, "sha256": "f" * 64}
    # Files written before it was kept have none.
    del raw["engine"]
    path.write_text(json.dumps(raw), "utf-8")
    assert Results.load(path).engine is None
