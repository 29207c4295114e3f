"""The parts of serve-check that need no server: finding and building one, scenes."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import jsonschema_rs
import pytest

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.base import calls_of
from tooldrill.agent.protocols.json_text import dump
from tooldrill.agent.tool import Registry
from tooldrill.export.serving import build
from tooldrill.export.serving.binary import built_server, find_server
from tooldrill.export.serving.scenes import CONFIRM, CONFIRMED, NUMBERS, SCENES, TEN, WRITTEN


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
    # A bare name is a file here, before it is one on PATH.
    monkeypatch.chdir(nowhere)
    program(nowhere / "llama-server", "echo version: here")
    assert find_server(Path("./llama-server")).version == "here"


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
    assert build.install(nowhere / "objects", built_server()) == "5"
    assert find_server().version == "5"
    (built_server().parent / "work").mkdir()  # as left when it was killed right then
    assert build.build() == built_server()
    assert "up to date" in capsys.readouterr().out
    assert [path.name for path in built_server().parent.iterdir()] == ["llama-server"]


def test_what_the_build_needs_is_told_before_anything_is_downloaded(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "find_spec", lambda _: None)  # no cmake of pip's either
    for variable in ("CC", "CXX", "CMAKE_ARGS"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(TooldrillError, match="cmake is not installed") as caught:
        build.build()
    assert "pip install cmake" in caught.value.next_step
    program(nowhere / "bin/cmake", "exit 1")
    with pytest.raises(TooldrillError, match=r"no C compiler was found: cc, gcc, clang") as caught:
        build.build()
    assert "build-essential" in caught.value.next_step
    program(nowhere / "bin/gcc", "exit 1")
    monkeypatch.setenv("CXX", "/opt/none/g++ -m64")
    with pytest.raises(TooldrillError, match=r"no C\+\+ compiler was found: /opt/none/g\+\+$"):
        build.build()
    assert not built_server().parent.exists()
    monkeypatch.setenv("CMAKE_ARGS", "-DCMAKE_CXX_COMPILER=/elsewhere/g++")
    build.require_compilers()
    monkeypatch.delenv("CMAKE_ARGS")
    program(nowhere / "bin/g++", "exit 1")
    monkeypatch.setenv("CXX", "g++ -m64")
    build.require_compilers()


def test_a_step_that_fails_is_told_and_ctrl_c_too(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("cmake", "cc", "c++"):
        program(nowhere / "bin" / name, "echo broken >&2; exit 7")
    archive(built_server().parent / "work", ["llama_cpp_python-1/vendor/llama.cpp/CMakeLists.txt"])
    with pytest.raises(SystemExit) as caught:
        build.main()
    assert caught.value.code == 2
    told = capfd.readouterr().err
    assert "error: cmake failed with status 7" in told
    assert "goes on from there" in told
    program(nowhere / "bin/cmake", f"kill -INT {os.getpid()}; exec /bin/sleep 9")
    with pytest.raises(SystemExit) as caught:
        build.main()
    assert caught.value.code == 130
    told = capfd.readouterr().err
    assert "next:  make llama-server goes on from here" in told
    assert "Traceback" not in told
    assert (built_server().parent / "work/source").is_dir()


def test_a_binary_that_does_not_run_gets_no_place(nowhere: Path) -> None:
    program(nowhere / "objects/llama-server", "exit 132")
    with pytest.raises(TooldrillError, match="--version says"):
        build.install(nowhere / "objects", built_server())
    assert not built_server().exists()


def test_the_scenes_keep_the_contract_themselves() -> None:
    """Every call in them is of a tool offered, with arguments that its schema allows."""
    schemas = {
        item["function"]["name"]: item["function"]["parameters"] for item in (*TEN, *CONFIRM)
    }
    assert len(TEN) == 10
    messages = [m for scene in SCENES for m in (*scene.messages, scene.reply)]
    calls = [call for message in messages for call in calls_of(message)]
    for call in (*calls, CONFIRMED, *(call for _, call in WRITTEN.values())):
        jsonschema_rs.validate(schemas[call.name], call.arguments)
    for scene in (*SCENES, NUMBERS):
        offered = Registry.from_openai(scene.tools)
        assert not [call for call in calls_of(scene.reply) if call.name not in offered]
        assert not scene.hoped or scene.told in dump(scene.hoped.arguments)
    (heat,) = calls_of(NUMBERS.messages[1])
    (tool,) = NUMBERS.tools
    assert heat.arguments.keys() == tool["function"]["parameters"]["properties"].keys()
