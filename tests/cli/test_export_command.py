"""`tooldrill export` as a user meets it: the release of an adapter, and sending it to a server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from local_hub import COMMIT, TOKEN, LocalHub, local_hub
from tiny_releases import FILES, save_base_and_adapter

from tooldrill.cli.main import main
from tooldrill.config import load_config
from tooldrill.export.release.check import check_release
from tooldrill.export.release.folder import SUMS

CONFIG = """
name: tiny
model: {path: tiny}
export: {quantizations: [F16, Q8_0], adapter_gguf: false}
"""
CODE = "from tooldrill.cli.main import main; main()"


def tooldrill(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs the command in the folder; the hub's client finds no login of whoever runs the tests."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    environment = {
        **kept, "COLUMNS": "200", "NO_COLOR": "1", "OMP_NUM_THREADS": "1",
        "HF_HOME": str(folder / "hf"), "TOOLDRILL_CACHE": str(folder / "cache"), **variables,
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "-c", CODE, *arguments], cwd=folder, env=environment, text=True,
        capture_output=True, check=False,
    )  # fmt: skip


def errors(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 2, done.stderr
    return [line for line in done.stderr.splitlines() if line.startswith(("error:", "next:"))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny base, an adapter of it, and a config."""
    made = tmp_path_factory.mktemp("work")
    save_base_and_adapter(made)
    (made / "tiny.yaml").write_text(CONFIG)
    return made


@pytest.fixture(scope="module")
def release(folder: Path) -> Path:
    """The release of the adapter, made by the command."""
    done = tooldrill(folder, "export", "--config", "tiny.yaml", "--adapter", "adapter")
    assert done.returncode == 0, done.stderr
    out = done.stdout.splitlines()[-1].removeprefix("release").strip()
    return folder / out


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with local_hub() as server:
        yield server


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "which run?"),
        (["tiny.yaml", "--private"], "are for --push-to-hub"),
        (["tiny.yaml", "--dry-run"], "are for --push-to-hub"),
        (["tiny.yaml", "--push-to-hub", "tiny"], "'tiny' names no owner"),
        (["tiny.yaml", "--push-to-hub", "a/b/c"], "Repo id must be in the form"),
        (["tiny.yaml", "--push-to-hub", "me/a--b"], "Cannot have -- or .."),
        (["tiny.yaml", "--adapter", "shipped"], "no adapter is shipped for tiny.yaml"),
        (["tiny.yaml", "--adapter", "nowhere"], "no adapter in nowhere"),
        (["tiny.yaml", "--adapter", "adapter", "--release", "."], "holds files and is no release"),
        (["--config", "tiny.yaml", "model.paht=x"], "unknown key"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    folder: Path,
    arguments: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit) as ended:
        main(["export", *arguments])
    lines = capsys.readouterr().err.splitlines()
    assert (ended.value.code, len(lines)) == (2, 2)
    assert said in lines[0]


@pytest.mark.slow
def test_an_adapter_gives_a_whole_release_without_a_run(folder: Path, release: Path) -> None:
    assert release == folder / f"runs/tiny/release-{folder.name}"
    checked = check_release(release)
    assert checked.problems == []
    assert {name for name, _ in checked.files} >= {*FILES, "adapter/adapter_model.safetensors"}
    assert load_config(release / "config.yaml") == load_config(folder / "tiny.yaml")
    again = tooldrill(folder, "export", "tiny.yaml", "--adapter", "adapter")
    assert ": up to date" in again.stderr
    assert not (folder / "runs/tiny/data").exists()


@pytest.mark.slow
def test_a_release_may_lie_anywhere(folder: Path, release: Path) -> None:
    arguments = ["export", "tiny.yaml", "--adapter", "adapter", "--release", "elsewhere/r"]
    done = tooldrill(folder, *arguments)
    assert done.stdout.splitlines()[-1] == "release  elsewhere/r"
    there = folder / "elsewhere/r"
    assert (there / SUMS).read_text() == (release / SUMS).read_text()


@pytest.mark.slow
def test_a_dry_run_tells_and_sends_nothing(folder: Path, release: Path, hub: LocalHub) -> None:
    push = ["export", "tiny.yaml", "--adapter", "adapter", "--push-to-hub", "me/tiny", "--dry-run"]
    done = tooldrill(folder, *push, **hub.environment)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    sizes = {line.split()[1]: int(line.split()[0].replace(",", "")) for line in lines
             if line.startswith("  ") and not line.endswith("files")}  # fmt: skip
    assert sizes == {
        path.relative_to(release).as_posix(): path.stat().st_size
        for path in release.rglob("*") if path.is_file()
    }  # fmt: skip
    assert f"to       {hub.url}/me/tiny (if it is not there yet: made, public)" in lines
    assert "token    there is one" in lines
    assert any("licence of the base model is not known" in line for line in lines)
    assert lines[-1] == "nothing was sent"
    assert hub.asked == []
    assert TOKEN not in done.stdout + done.stderr
    without = tooldrill(folder, *push, **{**hub.environment, "HF_TOKEN": ""})
    assert "token    there is none" in without.stdout


@pytest.mark.slow
def test_a_release_is_sent_as_it_lies_there(folder: Path, release: Path, hub: LocalHub) -> None:
    push = ["export", "tiny.yaml", "--adapter", "adapter", "--push-to-hub", "me/tiny", "--private"]
    (release / "mine.txt").write_text("not part of it")
    done = tooldrill(folder, *push, **hub.environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"sent     {hub.url}/me/tiny/commit/{COMMIT}"
    repository = hub.repositories["me/tiny"]
    assert repository.private
    names = {name for name, _ in check_release(release).files}
    assert repository.branches == {"main": {name: (release / name).read_bytes() for name in names}}
    (release / "mine.txt").unlink()
    # Again, to a branch: what the hub has already is not sent again.
    sent = len(hub.puts)
    assert sent == len([name for name in names if name.endswith((".gguf", ".safetensors"))])
    done = tooldrill(folder, *push, "--revision", "v1", **hub.environment)
    assert done.returncode == 0, done.stderr
    assert len(hub.puts) == sent
    assert repository.branches["v1"] == repository.branches["main"]
    kept = [path for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in kept if TOKEN.encode() in path.read_bytes()]


@pytest.mark.slow
def test_a_broken_line_is_one_line_and_the_next_try_goes_on(
    folder: Path, release: Path, hub: LocalHub
) -> None:
    push = ["export", "tiny.yaml", "--adapter", "adapter", "--push-to-hub", "me/tiny"]
    hub.breaks_at = "/commit/"
    told = errors(tooldrill(folder, *push, **hub.environment))
    assert len(told) == 2
    assert "could not be reached" in told[0]
    assert "not sent again" in told[1]
    sent = list(hub.puts)
    assert len(sent) == 3
    assert hub.repositories["me/tiny"].branches == {"main": {}}
    hub.breaks_at = None
    assert tooldrill(folder, *push, **hub.environment).returncode == 0
    assert hub.puts == sent
    assert SUMS in hub.repositories["me/tiny"].branches["main"]


@pytest.mark.slow
def test_a_hub_that_refuses_or_is_away_is_one_line(
    folder: Path, release: Path, hub: LocalHub
) -> None:
    push = ["export", "tiny.yaml", "--adapter", "adapter", "--push-to-hub", "me/tiny"]
    wrong = errors(tooldrill(folder, *push, **{**hub.environment, "HF_TOKEN": "hf_wrong"}))
    assert "the hub refuses me/tiny (401)" in wrong[0]
    assert "hf auth login" in wrong[1]
    none = errors(tooldrill(folder, *push, **{**hub.environment, "HF_TOKEN": ""}))
    assert "no token" in none[0]
    away = {**hub.environment, "HF_ENDPOINT": "http://127.0.0.1:9"}
    assert "could not be reached" in errors(tooldrill(folder, *push, **away))[0]
    assert "hf_wrong" not in "".join((*wrong, *none))
