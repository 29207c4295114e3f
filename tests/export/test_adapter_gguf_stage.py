"""The stage's part: the adapter's file beside the others, compared with PEFT, or the reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_adapters import save_adapter

from tooldrill.agent.errors import TooldrillError
from tooldrill.export.adapter import checking, writing
from tooldrill.export.adapter.run import export_adapter
from tooldrill.export.gguf_writer import write_gguf
from tooldrill.export.run import export_model
from tooldrill.export.samples import neutral_samples
from tooldrill.export.settings import ExportSettings
from tooldrill.training.base_model import load_model, load_tokenizer
from tooldrill.training.find_base import resolve
from tooldrill.training.settings import ModelSettings

F16 = ExportSettings(quantizations=["F16"])
FILE = "tiny-tooldrill-lora.gguf"


def tune(folder: Path, out: Path, **config: Any) -> Path:
    save_adapter(load_model(resolve(ModelSettings(path=str(folder)))), out, **config)
    return out


def export(folder: Path, adapter: Path | None, out: Path, settings: ExportSettings = F16) -> Any:
    samples = out.with_suffix(".jsonl")
    turns = [{"role": "user", "content": "One?"}, {"role": "assistant", "content": "Two. " * 30}]
    samples.write_text((json.dumps({"messages": turns}) + "\n") * 3)
    return export_model(ModelSettings(path=str(folder)), adapter, settings, samples, out)


def alone(folder: Path, adapter: Path, out: Path) -> Any:
    """The adapter's part without the rest of the stage, on neutral text."""
    base = resolve(ModelSettings(path=str(folder)))
    out.mkdir()
    (out / "f16").write_bytes(b"x" * 2000)
    samples = neutral_samples(load_tokenizer(base))
    return export_adapter(adapter, base, out / FILE, out / "f16", samples=samples, settings=F16)


def test_the_file_lies_beside_the_others_and_was_compared(tiny: Path, tmp_path: Path) -> None:
    adapter = tune(tiny, tmp_path / "adapter", use_rslora=True, alpha_pattern={"v_proj": 3})
    out = tmp_path / "out"
    summary = export(tiny, adapter, out)
    assert sorted(path.name for path in out.iterdir()) == [
        "export.json", "tiny-tooldrill-F16.gguf", FILE, "verify.json",
    ]  # fmt: skip
    made = summary.adapter_gguf
    assert (made.file, summary.no_adapter_gguf, made.unchecked) == (FILE, None, None)
    assert (made.alpha, made.folded, made.tensors) == (16, 3, 21)
    assert made.check.logits.mean_kl < 2e-5
    assert made.check.logits.learned > 50
    assert made.check.greedy.equal + made.check.greedy.near_ties == made.check.greedy.prompts == 2
    assert "adapter" in summary.seconds
    told = json.loads((out / "export.json").read_text())["adapter_gguf"]
    assert (told["file"], told["scales"]) == (FILE, {"4.0": 18, "1.5": 3})


def test_what_cannot_be_expressed_is_told_and_the_rest_is_exported(
    tiny: Path, tmp_path: Path
) -> None:
    adapter = tune(tiny, tmp_path / "adapter", use_dora=True)
    summary = export(tiny, adapter, tmp_path / "out")
    assert summary.adapter_gguf is None
    assert "it is a DoRA" in summary.no_adapter_gguf
    assert "use the merged GGUF" in summary.no_adapter_gguf
    assert not (tmp_path / "out" / FILE).exists()
    assert summary.path("F16").is_file()


def test_it_can_be_left_out(tiny: Path, tmp_path: Path) -> None:
    adapter = tune(tiny, tmp_path / "adapter")
    off = F16.model_copy(update={"adapter_gguf": False})
    summary = export(tiny, adapter, tmp_path / "out", off)
    assert (summary.adapter_gguf, summary.no_adapter_gguf) == (None, None)
    assert not list((tmp_path / "out").glob("*lora*"))


@pytest.mark.parametrize(("factor", "said"), [(1.5, "mean KL"), (float("nan"), "mean KL nan")])
def test_a_file_that_is_not_the_adapter_stops_the_export(
    factor: float, said: str, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = tune(tiny, tmp_path / "adapter")
    cast = writing._cast
    monkeypatch.setattr(writing, "_cast", lambda *given: cast(*given) * np.float32(factor))
    with pytest.raises(TooldrillError, match=f"is not what PEFT computes: {said}") as raised:
        alone(tiny, adapter, tmp_path / "out")
    assert "export.adapter_gguf=false" in raised.value.next_step
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"f16", FILE}


def test_a_reply_that_parts_is_found(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = tune(tiny, tmp_path / "adapter")
    greedy = checking.LogitReader.greedy
    monkeypatch.setattr(checking.LogitReader, "greedy", lambda *a: [t ^ 1 for t in greedy(*a)])
    with pytest.raises(TooldrillError, match="greedy reply 0 parts where logits are"):
        alone(tiny, adapter, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"f16", FILE}


def test_over_a_large_base_it_is_only_loaded(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = tune(tiny, tmp_path / "adapter")
    merged = alone(tiny, adapter, tmp_path / "small")[0]
    assert merged.check is not None
    monkeypatch.setattr(checking, "MAX_BASE", 1000)
    loaded: list[Path] = []
    monkeypatch.setattr("tooldrill.export.adapter.run.check_loads", lambda *a: loaded.extend(a))
    made = alone(tiny, adapter, tmp_path / "large")[0]
    assert made.check is None
    assert made.unchecked == "the base's F16 file would have 0 GB"
    assert [path.name for path in loaded] == [FILE, "f16"]


def test_llama_cpp_has_to_take_it(tiny: Path, make_folder: Any, tmp_path: Path) -> None:
    alone(tiny, tune(tiny, tmp_path / "adapter"), tmp_path / "out")
    bases = [resolve(ModelSettings(path=str(f))) for f in (tiny, make_folder(intermediate_size=96))]
    for number, base in enumerate(bases):
        path = tmp_path / f"{number}.gguf"
        write_gguf(load_model(base), load_tokenizer(base), "x", path, base=base, name="x")
    checking.check_loads(tmp_path / "out" / FILE, tmp_path / "0.gguf")
    with pytest.raises(TooldrillError, match="incorrect shape"):
        checking.check_loads(tmp_path / "out" / FILE, tmp_path / "1.gguf")
