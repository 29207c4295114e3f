"""What lies there is used again by its content, and never by its name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.hashing import sha256_file
from tooldrill.export import run
from tooldrill.export.records import ExportSummary
from tooldrill.export.run import export_model
from tooldrill.export.settings import ExportSettings, Quantization
from tooldrill.training.settings import ModelSettings

pytestmark = pytest.mark.slow

F16, Q8 = "tiny-F16.gguf", "tiny-Q8_0.gguf"


@pytest.fixture(scope="module")
def exported(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole export of a tiny base in F16 and Q8_0."""
    out = tmp_path_factory.mktemp("exported") / "out"
    settings = ExportSettings(quantizations=["F16", "Q8_0"])
    export_model(ModelSettings(path=str(tiny)), None, settings, None, out)
    return out


@pytest.fixture
def there(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported, tmp_path / "out"))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Files that are written from now on."""
    written: list[str] = []
    for name, at in (("convert", 3), ("quantize", 1)):
        work = getattr(run, name)

        def noted(*args: object, _work: object = work, _at: int = at, **named: object) -> object:
            path = args[_at]
            assert isinstance(path, Path)
            written.append(path.name)
            assert callable(_work)
            return _work(*args, **named)

        monkeypatch.setattr(run, name, noted)
    return written


def again(tiny: Path, out: Path, *quantizations: Quantization) -> ExportSummary:
    settings = ExportSettings(quantizations=list(quantizations))
    return export_model(ModelSettings(path=str(tiny)), None, settings, None, out)


def test_the_same_again_makes_and_reads_nothing(
    tiny: Path, there: Path, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "load_tokenizer", None)
    summary = again(tiny, there, "F16", "Q8_0")
    assert made == []
    assert summary.path("Q8_0") == there / Q8


def test_another_quantization_is_made_of_the_f16_file_that_is_there(
    tiny: Path, there: Path, made: list[str]
) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in there.glob("*.gguf")}
    summary = again(tiny, there, "F16", "Q8_0", "Q4_0")
    assert made == ["tiny-Q4_0.gguf"]
    assert [file.quantization for file in summary.files] == ["F16", "Q8_0", "Q4_0"]
    assert [check.quantization for check in summary.verification.logits] == ["F16", "Q8_0", "Q4_0"]
    assert before == {name: (there / name).stat().st_mtime_ns for name in before}


def test_what_is_no_longer_asked_for_is_used_and_then_goes(
    tiny: Path, there: Path, made: list[str]
) -> None:
    again(tiny, there, "Q4_0")
    assert made == ["tiny-Q4_0.gguf"]
    assert [path.name for path in there.glob("*.gguf")] == ["tiny-Q4_0.gguf"]


@pytest.mark.parametrize("name", [F16, Q8])
def test_a_damaged_file_is_made_again(tiny: Path, there: Path, made: list[str], name: str) -> None:
    whole = sha256_file(there / name)
    damaged = bytearray((there / name).read_bytes())
    damaged[-100] ^= 1
    (there / name).write_bytes(damaged)
    again(tiny, there, "F16", "Q8_0")
    assert made == [name]
    assert sha256_file(there / name) == whole


def test_files_of_another_base_with_the_same_names_are_made_again(
    tiny: Path, there: Path, made: list[str], tmp_path: Path
) -> None:
    other = Path(shutil.copytree(tiny, tmp_path / "tiny"))
    weights = load_file(other / "model.safetensors")
    weights["model.norm.weight"] = weights["model.norm.weight"] * 1.01
    save_file(weights, other / "model.safetensors", {"format": "pt"})
    again(other, there, "F16", "Q8_0")
    assert made == [F16, Q8]


def test_a_failed_export_leaves_the_earlier_one(
    tiny: Path, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: sha256_file(path) for path in there.glob("*.gguf")}

    def full(*_: object) -> None:
        raise TooldrillError("the disk is full", "free some")

    monkeypatch.setattr(run, "quantize", full)
    with pytest.raises(TooldrillError):
        again(tiny, there, "F16", "Q4_0")
    assert before == {path.name: sha256_file(path) for path in there.glob("*.gguf")}
    assert (there / "export.json").is_file()


def test_weights_that_run_away_are_no_bf16_either(tiny: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(tiny, tmp_path / "tiny"))
    weights = load_file(other / "model.safetensors")
    weights["model.layers.1.mlp.up_proj.weight"][0, 0] = torch.inf
    save_file(weights, other / "model.safetensors", {"format": "pt"})
    with pytest.raises(TooldrillError):
        again(other, tmp_path / "out", "BF16")
    assert not list((tmp_path / "out").glob("*.gguf"))
