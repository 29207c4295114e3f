"""The whole stage on a tiny model: adapters, names, failures, kills."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model

from tooldrill.agent.engines.gguf_header import read_gguf_header
from tooldrill.agent.errors import TooldrillError
from tooldrill.export import run
from tooldrill.export.merge import merged_model
from tooldrill.export.records import ExportSummary
from tooldrill.export.run import export_model
from tooldrill.export.settings import ExportSettings
from tooldrill.training.base_model import load_model
from tooldrill.training.find_base import resolve
from tooldrill.training.settings import ModelSettings

QUICK = ExportSettings(quantizations=["F16", "Q8_0"])


def random_adapter(folder: Path, out: Path) -> Any:
    """Saves an adapter with nonzero B and returns the model that carries it."""
    torch.manual_seed(3)
    base = load_model(resolve(ModelSettings(path=str(folder))))
    tuned = get_peft_model(base, LoraConfig(r=4, lora_alpha=8, target_modules="all-linear"))
    with torch.no_grad():
        for name, weights in tuned.named_parameters():
            if "lora_" in name:
                weights.normal_(0, 0.1)
    tuned.save_pretrained(out)
    return tuned.eval()


def names(out: Path) -> list[str]:
    return sorted(path.name for path in out.iterdir())


@torch.no_grad()
def test_merging_changes_the_model_into_the_tuned_one(tiny: Path, tmp_path: Path) -> None:
    tuned = random_adapter(tiny, tmp_path / "adapter")
    base = resolve(ModelSettings(path=str(tiny)))
    merged = merged_model(base, tmp_path / "adapter")
    tokens = torch.arange(3, 40)[None]
    expected = tuned(tokens).logits
    assert torch.allclose(merged(tokens).logits, expected, atol=1e-4)
    assert not torch.allclose(merged_model(base, None)(tokens).logits, expected, atol=0.1)


def test_the_stage_leaves_verified_files_and_their_records(tiny: Path, tmp_path: Path) -> None:
    random_adapter(tiny, tmp_path / "adapter")
    samples = tmp_path / "sft.jsonl"
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    call = {"type": "function", "function": {"name": "f", "arguments": {"x": 1}}}
    row = {
        "messages": [
            {"role": "user", "content": "Call f."},
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "name": "f", "content": "1"},
            {"role": "assistant", "content": "Done."},
        ],
        "tools": [tool],
    }
    samples.write_text((json.dumps(row) + "\n") * 9)
    seen: list[tuple[int, int]] = []
    summary = export_model(
        ModelSettings(path=str(tiny)), tmp_path / "adapter", QUICK, samples, tmp_path / "out",
        lambda done, total, note="": seen.append((done, total)),
    )  # fmt: skip
    assert names(tmp_path / "out") == [
        "export.json",
        "tiny-tooldrill-F16.gguf",
        "tiny-tooldrill-Q8_0.gguf",
        "tiny-tooldrill-lora.gguf",
        "verify.json",
    ]
    assert ExportSummary.model_validate_json((tmp_path / "out/export.json").read_text()) == summary
    assert summary.path("Q8_0") == tmp_path / "out/tiny-tooldrill-Q8_0.gguf"
    assert [check.quantization for check in summary.verification.logits] == ["F16", "Q8_0"]
    assert summary.verification.logits[0].mean_kl < summary.verification.logits[1].mean_kl
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]
    assert (
        "<tool_call>" in read_gguf_header(summary.path("F16")).metadata["tokenizer.chat_template"]
    )


def test_f16_is_verified_even_when_it_is_not_kept(tiny: Path, tmp_path: Path) -> None:
    only = ExportSettings(quantizations=["Q8_0"])
    summary = export_model(ModelSettings(path=str(tiny)), None, only, None, tmp_path)
    assert names(tmp_path) == ["export.json", "tiny-Q8_0.gguf", "verify.json"]
    assert summary.verification.logits[0].quantization == "F16"


def test_a_file_that_fails_the_gate_never_gets_its_name(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = run.convert

    def write_another(_model: Any, *rest: Any, **named: Any) -> Any:
        another = merged_model(resolve(ModelSettings(path=str(tiny))), None)
        with torch.no_grad():
            another.model.layers[0].mlp.down_proj.weight.mul_(3)
        return written(another, *rest, **named)

    monkeypatch.setattr(run, "convert", write_another)
    with pytest.raises(TooldrillError, match="F16 file is not the merged model") as raised:
        export_model(ModelSettings(path=str(tiny)), None, QUICK, None, tmp_path)
    assert names(tmp_path) == ["verify.json"]
    assert json.loads((tmp_path / "verify.json").read_text())["failure"] == raised.value.message


@pytest.mark.slow
@pytest.mark.parametrize("note", ["quantizing to Q8_0", "verified"])
def test_a_killed_export_leaves_no_named_file_and_the_next_one_cleans_up(
    tiny: Path, tmp_path: Path, note: str
) -> None:
    script = f"""
        import os, signal
        from pathlib import Path
        from tooldrill.export.run import export_model
        from tooldrill.export.settings import ExportSettings
        from tooldrill.training.settings import ModelSettings

        def die(done, total, said=""):
            if said == {note!r}:
                os.kill(os.getpid(), signal.SIGKILL)

        export_model(ModelSettings(path={str(tiny)!r}), None,
                     ExportSettings(quantizations=["F16", "Q8_0"]), None,
                     Path({str(tmp_path)!r}), die)
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not list(tmp_path.glob("*.gguf"))
    assert any(n.startswith(".building-") for n in names(tmp_path))
    export_model(ModelSettings(path=str(tiny)), None, QUICK, None, tmp_path)
    assert names(tmp_path) == ["export.json", "tiny-F16.gguf", "tiny-Q8_0.gguf", "verify.json"]


def test_an_adapter_of_another_base_is_refused(
    make_folder: Any, tiny: Path, tmp_path: Path
) -> None:
    wider = make_folder(intermediate_size=160)
    random_adapter(wider, tmp_path / "adapter")
    with pytest.raises(
        TooldrillError, match=r"has 128 (in|out)puts, the adapter expects 160"
    ) as raised:
        export_model(
            ModelSettings(path=str(tiny)), tmp_path / "adapter", QUICK, None, tmp_path / "o"
        )
    assert "base_model_name_or_path" in raised.value.next_step
    assert names(tmp_path / "o") == []
    deeper = make_folder(num_hidden_layers=4)
    random_adapter(deeper, tmp_path / "adapter")
    with pytest.raises(TooldrillError, match=r"no linear layer model\.layers\.3"):
        merged_model(resolve(ModelSettings(path=str(tiny))), tmp_path / "adapter")


def test_a_missing_or_broken_adapter_is_one_line(tiny: Path, tmp_path: Path) -> None:
    base = resolve(ModelSettings(path=str(tiny)))
    with pytest.raises(TooldrillError, match=r"adapter_config\.json is missing"):
        merged_model(base, tmp_path / "none")
    random_adapter(tiny, tmp_path / "adapter")
    weights = tmp_path / "adapter/adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:200])
    with pytest.raises(TooldrillError, match="is broken"):
        merged_model(base, tmp_path / "adapter")


@pytest.mark.parametrize("text", ["", "not json\n", '{"rows": []}\n'])
def test_samples_that_are_no_conversations_are_refused(
    tiny: Path, tmp_path: Path, text: str
) -> None:
    (tmp_path / "s.jsonl").write_text(text)
    with pytest.raises(TooldrillError, match=r"s\.jsonl"):
        export_model(
            ModelSettings(path=str(tiny)), None, QUICK, tmp_path / "s.jsonl", tmp_path / "out"
        )


def test_a_full_disk_is_said_before_the_work(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 1000

    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage)
    with pytest.raises(TooldrillError, match=r"MB are missing \(F16 .*, Q8_0 .*\)"):
        export_model(ModelSettings(path=str(tiny)), None, QUICK, None, tmp_path)
    assert names(tmp_path) == []
