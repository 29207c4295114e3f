"""Files get their names at the end, and a kill between any two of them leaves none in pieces."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tooldrill.agent.errors import TooldrillError
from tooldrill.export.building import SUMMARY, building, publish
from tooldrill.export.disk import require_room, require_space
from tooldrill.export.records import ExportSummary, GgufFile, Verification

OLD, NEW = b"of the earlier export", b"of this one"

KILLED = """
    import os, pathlib, signal, sys
    from tooldrill.export.building import publish

    left = int(sys.argv[1])

    def deadly(name):
        work = getattr(pathlib.Path, name)

        def done(self, *args, **named):
            global left
            result = work(self, *args, **named)
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(pathlib.Path, name, done)

    deadly("replace")
    deadly("unlink")
    out = pathlib.Path(sys.argv[2])
    publish(sorted((out / ".building-1").glob("*.gguf")), out, "m")
"""


def record(file: str) -> GgufFile:
    quantization = file.removesuffix(".gguf").removeprefix("m-")
    return GgufFile.model_validate({
        "quantization": quantization, "file": file, "bytes": 1, "sha256": "", "parameters": 1,
        "bits_per_weight": 8.0, "types": {},
    })  # fmt: skip


def write_summary(out: Path, *files: str) -> None:
    summary = ExportSummary(
        name="m", base="b", adapter=None, folder=str(out), files=[record(f) for f in files],
        verification=Verification(), seconds={},
    )  # fmt: skip
    (out / SUMMARY).write_text(summary.model_dump_json())


def filled(out: Path) -> Path:
    """An earlier export of F16 and Q8_0, and F16 and Q4_0 ready to take its place."""
    making = out / ".building-1"
    making.mkdir(parents=True)
    for name in ("m-F16.gguf", "m-Q8_0.gguf", "of-somebody-else.gguf"):
        (out / name).write_bytes(OLD)
    for name in ("m-F16.gguf", "m-Q4_0.gguf"):
        (making / name).write_bytes(NEW)
    write_summary(out, "m-F16.gguf", "m-Q8_0.gguf")
    return making


def test_what_is_not_of_this_export_goes(tmp_path: Path) -> None:
    making = filled(tmp_path)
    publish(sorted(making.glob("*.gguf")), tmp_path, "m")
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.gguf")} == {
        "m-F16.gguf": NEW, "m-Q4_0.gguf": NEW, "of-somebody-else.gguf": OLD,
    }  # fmt: skip
    assert not (tmp_path / SUMMARY).exists()


def test_names_in_a_summary_lead_nowhere_else(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "precious.gguf").write_bytes(OLD)
    summary: dict[str, Any] = {
        "name": "m", "base": "b", "adapter": None, "folder": "x", "verification": {}, "seconds": {},
        "files": [{**record("m-F16.gguf").model_dump(), "file": "../precious.gguf"}],
    }  # fmt: skip
    (out / SUMMARY).write_text(ExportSummary.model_validate(summary).model_dump_json())
    publish([], out, "m")
    assert (tmp_path / "precious.gguf").read_bytes() == OLD


@pytest.mark.slow
def test_killed_between_any_two_steps_every_named_file_is_whole(tmp_path: Path) -> None:
    ended = False
    for moment in range(12):
        out = tmp_path / str(moment)
        filled(out)
        command = [sys.executable, "-c", textwrap.dedent(KILLED), str(moment), str(out)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        assert not (out / SUMMARY).exists(), "a summary would say that this is whole"
        assert {path.read_bytes() for path in out.glob("*.gguf")} <= {OLD, NEW}
        ended = done.returncode == 0
        if ended:
            break
    assert ended
    assert moment >= 4


def test_what_a_killed_export_left_goes_with_the_next(tmp_path: Path) -> None:
    (tmp_path / ".building-99").mkdir()
    (tmp_path / ".building-99" / "half.gguf").write_bytes(OLD)
    (tmp_path / f".{SUMMARY}.99.tmp").write_text("{")
    (tmp_path / ".hidden").write_text("somebody's")
    with building(tmp_path) as folder:
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted([folder.name, ".hidden"])
    assert [path.name for path in tmp_path.iterdir()] == [".hidden"]


def test_a_disk_without_room_is_told_with_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 1_000_000_000

    monkeypatch.setattr("shutil.disk_usage", lambda _path: Usage)
    require_room(tmp_path / "not" / "yet", {"F16": 900_000_000})
    with pytest.raises(TooldrillError) as raised:
        require_room(tmp_path, {"F16": 900_000_000, "Q8_0": 500_000_000}, "x=[Q8_0]")
    assert "434 MB are missing (F16 900 MB, Q8_0 500 MB)" in raised.value.message
    assert "\n" not in raised.value.message
    assert "leave something out: x=[Q8_0]" in raised.value.next_step
    require_space(tmp_path / "a", 1_000_000_000)
    with pytest.raises(TooldrillError, match="has 1,000 MB free"):
        require_space(tmp_path / "a", 1_000_000_001)
