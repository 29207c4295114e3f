"""The user's folder: complete, without a second copy, the same again, and nobody else's files."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from tiny_releases import FILES

from tooldrill.agent.errors import TooldrillError
from tooldrill.export.release.build import build_release
from tooldrill.export.release.check import check_release
from tooldrill.export.release.facts import (
    DataFacts,
    Measured,
    Provenance,
    Release,
    Table,
    TrainingFacts,
    TrainingStep,
    read_provenance,
)
from tooldrill.export.release.folder import SUMS, Linked, read_sums, require_ours, write_folder
from tooldrill.training.settings import ModelSettings

EVIL = 'x](http://evil.example) <img src=a> | `y` **z** """\nPARAMETER stop "a"\n# Heading'


def known(release: Release, sha256: str | None = None) -> Release:
    """The release with all that can be known of it."""
    step = TrainingStep(
        step="sft", examples=240, tokens=83636, learned=16346, steps=60, seconds=281.4,
        final_loss=0.20512, settings={"enabled": True, "protocols": ["native"], "epochs": 2.0},
    )  # fmt: skip
    rates = Table(
        title="Rates", columns=["model", "Success"], rows=[["sft", "35.6% (27.3-44.8)"]], note="W."
    )
    facts = Provenance(
        training=TrainingFacts(
            steps=[step], adapter={"rank": 16}, max_length=1024, four_bits=False,
            versions={"peft": "0.21"},
        ),
        data=DataFacts(
            seed=7, traces=240, pairs=64, worlds=["files"], mixture={"worlds": 1.0},
            settings={"tools": [2, 6]}, held_out=["calendar"], licence=["Apache-2.0."],
            listing=[Table(title="SFT", columns=["kind", "rows"], rows=[["act", "9"]], note="N.")],
        ),
        measured=Measured(
            model="sft", file_sha256=sha256 or release.summary.files[1].sha256,
            quantization="Q8_0", sentences=["It solves 35.6%."], conditions=["60 tasks."],
            tables=[rates], results=[{"model": "sft", "success": {"count": 21, "total": 59}}],
        ),
    )  # fmt: skip
    return replace(release, provenance=facts)


def tree(folder: Path) -> dict[str, Path]:
    return {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_folder_has_everything_and_no_second_copy(exported: Release, tmp_path: Path) -> None:
    assert build_release(known(exported), tmp_path / "r")
    found = tree(tmp_path / "r")
    assert sorted(found) == sorted([
        *FILES, "README.md", "DATA.md", "Modelfile", "chat_template.jinja", "config.yaml",
        "results.json", "verification.json", SUMS, "adapter/README.md", "adapter/tooldrill.json",
        "adapter/adapter_config.json", "adapter/adapter_model.safetensors",
    ])  # fmt: skip
    assert exported.adapter is not None
    assert all(found[name].samefile(exported.folder / name) for name in FILES)
    weights = "adapter_model.safetensors"
    assert found[f"adapter/{weights}"].samefile(exported.adapter / weights)
    assert found["config.yaml"].read_text() == "name: tiny\n"
    assert check_release(tmp_path / "r").problems == []


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum")
def test_the_sums_are_those_of_sha256sum(exported: Release, tmp_path: Path) -> None:
    build_release(exported, tmp_path / "r")
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", SUMS], cwd=tmp_path / "r", capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert {line.split(": ")[0] for line in done.stdout.splitlines()} == set(
        tree(tmp_path / "r")
    ) - {SUMS}


def test_the_same_again_touches_nothing_and_a_change_only_its_pages(
    exported: Release, tmp_path: Path
) -> None:
    out = tmp_path / "r"
    build_release(exported, out)
    before = {name: path.stat().st_mtime_ns for name, path in tree(out).items()}
    assert not build_release(exported, out)
    assert {name: path.stat().st_mtime_ns for name, path in tree(out).items()} == before
    assert build_release(known(exported), out)
    now = {name: path.stat().st_mtime_ns for name, path in tree(out).items()}
    changed = {name for name in now if now[name] != before.get(name)}
    assert {"README.md", "results.json", "DATA.md", SUMS} <= changed
    assert not changed & {*FILES, "adapter/adapter_model.safetensors"}
    # What is no longer known is taken away again; what is somebody's own stays.
    (out / "mine.txt").write_text("my own notes")
    build_release(exported, out)
    assert "results.json" not in tree(out)
    assert (out / "mine.txt").read_text() == "my own notes"
    assert "mine.txt" not in (read_sums(out) or {})
    build_release(replace(exported, adapter=None), out)
    assert not (out / "adapter").exists()


def test_no_path_of_this_machine_is_told(exported: Release, tmp_path: Path) -> None:
    build_release(known(exported), tmp_path / "r")
    assert exported.adapter is not None
    private = str(exported.adapter.parent)
    assert private in (exported.adapter / "adapter_config.json").read_text()
    texts = {n: p for n, p in tree(tmp_path / "r").items() if n not in FILES}
    assert [name for name, path in texts.items() if private.encode() in path.read_bytes()] == []
    config = json.loads(texts["adapter/adapter_config.json"].read_text())
    assert config["base_model_name_or_path"] == "tiny"


def test_where_a_link_is_impossible_the_file_is_copied_once(
    exported: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_disk(source: Path, target: Path) -> None:
        raise OSError(errno.EXDEV, "another disk")

    monkeypatch.setattr(os, "link", other_disk)
    assert build_release(exported, tmp_path / "r")
    copied = tmp_path / "r" / FILES[0]
    assert not copied.samefile(exported.folder / FILES[0])
    assert check_release(tmp_path / "r").problems == []
    inode = copied.stat().st_ino
    assert not build_release(exported, tmp_path / "r")
    assert copied.stat().st_ino == inode


def test_a_folder_that_was_not_finished_says_so(tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(b"x" * 100)
    assert write_folder(tmp_path / "r", {"a": "one", "sub/b": Linked(big)})
    assert read_sums(tmp_path / "r") is not None
    with pytest.raises(FileNotFoundError):
        write_folder(tmp_path / "r", {"a": "two", "c": Linked(tmp_path / "gone")})
    assert read_sums(tmp_path / "r") is None
    assert "no whole release" in check_release(tmp_path / "r").problems[0]
    assert write_folder(tmp_path / "r", {"a": "two"})
    assert read_sums(tmp_path / "r") == {
        "a": "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3"
    }


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    require_ours(tmp_path / "new")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(TooldrillError, match="holds files and is no release"):
        require_ours(tmp_path)
    with pytest.raises(TooldrillError, match="is a file"):
        require_ours(tmp_path / "notes.txt")
    write_folder(tmp_path / "r", {"a": "one"})
    require_ours(tmp_path / "r")


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "b/../../a"])
def test_sums_that_name_what_lies_elsewhere_are_none(tmp_path: Path, name: str) -> None:
    (tmp_path / "a").write_text("mine")
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / SUMS).write_text(f"{'0' * 64}  {name}\n")
    assert read_sums(tmp_path / "r") is None
    write_folder(tmp_path / "r", {"x": "y"})
    assert (tmp_path / "a").read_text() == "mine"


def test_damage_is_found(exported: Release, tmp_path: Path) -> None:
    out = tmp_path / "r"
    build_release(exported, out)
    (out / FILES[1]).unlink()
    shutil.copy(exported.folder / FILES[1], out)
    with (out / FILES[1]).open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\xff" if file.read(1) != b"\xff" else b"\x00")
    (out / "Modelfile").unlink()
    assert check_release(out).problems == [
        "Modelfile is missing", f"{FILES[1]} is not what {SUMS} says"
    ]  # fmt: skip


def test_what_an_adapter_tells_of_itself_is_read_again(exported: Release, tmp_path: Path) -> None:
    release = known(exported)
    build_release(release, tmp_path / "r")
    assert read_provenance(tmp_path / "r/adapter") == release.provenance
    assert exported.adapter is not None
    assert read_provenance(exported.adapter) == Provenance()
    (tmp_path / "tooldrill.json").write_text('{"training": 3}')
    with pytest.raises(TooldrillError, match="is not what a release writes"):
        read_provenance(tmp_path)


def test_names_of_others_are_only_text(exported: Release, tmp_path: Path) -> None:
    """In the cards as Markdown reads them: no link, image, HTML or heading that is not ours."""
    base = tmp_path / EVIL.replace("/", "_")
    shutil.copytree(exported.model.path, base)
    facts = known(exported).provenance
    assert facts.measured is not None and facts.data is not None and facts.training is not None
    table = Table(title=EVIL, columns=["a", EVIL], rows=[[EVIL, "b"]], note=EVIL)
    evil = facts.model_copy(
        update={
            "measured": facts.measured.model_copy(
                update={"sentences": [EVIL], "tables": [table], "model": EVIL}
            ),
            "data": facts.data.model_copy(update={"worlds": [EVIL], "listing": [table]}),
            "training": facts.training.model_copy(update={"versions": {EVIL: EVIL}}),
        }
    )
    summary = exported.summary.model_copy(update={"name": EVIL})
    plain = _shape(exported, known(exported), tmp_path / "plain")
    changed = replace(exported, summary=summary, model=ModelSettings(path=str(base)))
    assert _shape(exported, replace(changed, provenance=evil), tmp_path / "evil") == plain


def _shape(exported: Release, release: Release, out: Path) -> list[tuple[str, list[str]]]:
    """What stands in each page beside text: kinds of blocks, links, HTML; and Modelfile's lines."""
    build_release(release, out)
    reader = MarkdownIt("commonmark").enable("table")
    found = []
    for name in ("README.md", "DATA.md", "adapter/README.md"):
        text = (out / name).read_text().partition("\n---\n")[2] or (out / name).read_text()
        tokens = reader.parse(text)
        inner = [child for token in tokens for child in token.children or ()]
        kinds = [token.type for token in tokens]
        kinds += [c.type for c in inner if c.type in ("link_open", "image", "html_inline")]
        kinds += [str(c.attrs.get("href")) for c in inner if c.type == "link_open"]
        found.append((name, kinds))
    lines = (out / "Modelfile").read_text().splitlines()
    found.append(("Modelfile", [line.split(" ")[0] for line in lines]))
    return found
