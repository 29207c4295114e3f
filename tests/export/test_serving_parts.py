"""The parts of serve-check that need no server: finding and building one, scenes, messages."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import jsonschema_rs
import pytest

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.messages import call_message, observation_message, user
from tooldrill.agent.protocols.base import calls_of
from tooldrill.agent.protocols.dialects.call_ids import call_id
from tooldrill.export.serving import build
from tooldrill.export.serving.binary import built_server, find_server
from tooldrill.export.serving.client import wire
from tooldrill.export.serving.scenes import CONFIRM, CONFIRMED, SCENES, TEN, WRITTEN


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without llama-server: an empty PATH and an empty cache."""
    monkeypatch.delenv("LLAMA_SERVER", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def test_the_server_is_searched_for_in_this_order(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TooldrillError, match="no llama-server") as caught:
        find_server()
    assert caught.value.next_step.startswith("make llama-server")
    program(built_server(), "echo version: built")
    assert find_server().version == "built"
    program(nowhere / "bin/llama-server", "echo version: on path")
    assert find_server().version == "on path"
    # llama.cpp writes its version to standard error.
    chosen = program(nowhere / "mine", "echo version: 12 '(abc)' >&2")
    monkeypatch.setenv("LLAMA_SERVER", str(chosen))
    assert find_server().version == "12 (abc)"
    named = program(nowhere / "named", "echo version: named")
    assert find_server(named).path == named


@pytest.mark.parametrize("script", ["echo hello", "echo version: 1; exit 3"])
def test_what_is_no_llama_server_is_refused(nowhere: Path, script: str) -> None:
    with pytest.raises(TooldrillError, match="--version says"):
        find_server(program(nowhere / "other", script))
    with pytest.raises(TooldrillError, match="cannot run"):
        find_server(nowhere / "absent")


def archive(work: Path, names: list[str]) -> Path:
    path = work / "archive/llama_cpp_python-1.tar.gz"
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w:gz") as packed:
        for name in names:
            packed.addfile(tarfile.TarInfo(name), io.BytesIO())
    return path


def test_the_archive_is_fetched_and_unpacked_once(tmp_path: Path) -> None:
    packed = archive(tmp_path, ["llama_cpp_python-1/vendor/llama.cpp/CMakeLists.txt"])
    assert build.download(tmp_path) == packed
    source = build.unpack(packed, tmp_path)
    assert (source.name, source.parent.name) == ("llama.cpp", "vendor")
    packed.write_bytes(b"damaged")
    assert build.unpack(packed, tmp_path) == source


def test_an_archive_without_llama_cpp_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TooldrillError, match=r"no vendor/llama\.cpp"):
        build.unpack(archive(tmp_path, ["llama_cpp_python-1/README.md"]), tmp_path)


def test_nothing_is_downloaded_by_cmake_and_the_users_options_win(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CMAKE_ARGS", "-DGGML_CUDA=on '-DX=a b'")
    command = build.configure_command(["cmake"], tmp_path / "source", tmp_path / "objects")
    assert command[-2:] == ["-DGGML_CUDA=on", "-DX=a b"]
    assert {"-DLLAMA_OPENSSL=OFF", "-DLLAMA_BUILD_UI=OFF", "-DLLAMA_USE_PREBUILT_UI=OFF"} < set(
        command
    )


def test_the_binary_gets_its_place_whole_and_a_second_build_does_nothing(
    nowhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(TooldrillError, match="left no llama-server"):
        build.install(nowhere, built_server())
    assert not built_server().exists()
    program(nowhere / "objects/bin/llama-server", "echo version: 5")
    build.install(nowhere / "objects", built_server())
    assert find_server().version == "5"
    assert build.build() == built_server()
    assert "up to date" in capsys.readouterr().out
    assert [path.name for path in built_server().parent.iterdir()] == ["llama-server"]


def test_without_cmake_the_build_says_what_to_install(nowhere: Path) -> None:
    archive(built_server().parent / "work", ["llama_cpp_python-1/README.md"])
    with pytest.raises(TooldrillError, match=r"cmake is not installed|no vendor"):
        build.build()


def test_history_gets_ids_that_match_and_arguments_as_text() -> None:
    thought, call = WRITTEN["unicode and quotes"]
    messages = [user("?"), call_message(call, thought), observation_message(call.name, "ok")]
    _, assistant, tool = wire([*messages, *messages])[3:]
    (item,) = assistant["tool_calls"]
    assert (item["id"], tool["tool_call_id"]) == (call_id(2), call_id(2))
    assert json.loads(item["function"]["arguments"]) == call.arguments
    assert set(tool) == {"role", "content", "tool_call_id"}


def test_the_scenes_keep_the_contract_themselves() -> None:
    """Every call in them is of a tool offered, with arguments that its schema allows."""
    schemas = {
        item["function"]["name"]: item["function"]["parameters"] for item in (*TEN, *CONFIRM)
    }
    assert len(TEN) == 10
    calls = [call for scene in SCENES for message in scene.messages for call in calls_of(message)]
    for call in (*calls, CONFIRMED, *(call for _, call in WRITTEN.values())):
        jsonschema_rs.validate(schemas[call.name], call.arguments)
    assert {scene.hoped for scene in SCENES if scene.hoped} <= schemas.keys()
