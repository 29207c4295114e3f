"""The F16 file computes what the transformers model computes, and says so in its header."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch

from tooldrill.agent.engines.gguf_header import read_gguf_header
from tooldrill.agent.engines.gguf_model import GgufModel
from tooldrill.agent.errors import TooldrillError
from tooldrill.export.compare import kl_divergence
from tooldrill.export.gguf_writer import write_gguf
from tooldrill.export.layouts import base as layout_base
from tooldrill.export.layouts.rope import to_rotary_pairs
from tooldrill.export.logits import LogitReader
from tooldrill.export.merge import merged_model
from tooldrill.training.base_model import load_model, load_tokenizer
from tooldrill.training.find_base import resolve
from tooldrill.training.settings import ModelSettings

TEMPLATE = "{% for m in messages %}{{ m['content'] }}{% endfor %}{# tools: tool_call #}"
LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 5000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}


def export(folder: Path, out: Path) -> Any:
    base = resolve(ModelSettings(path=str(folder)))
    model = merged_model(base, None)
    write_gguf(model, load_tokenizer(base), TEMPLATE, out, base=base, name="tiny-test")
    return model


@torch.no_grad()
def both_logits(model: Any, path: Path) -> tuple[np.ndarray, np.ndarray]:
    tokens = [int(t) for t in torch.randint(0, 400, (96,), generator=torch.manual_seed(1))]
    reader = LogitReader(path, len(tokens))
    given = reader.logits(tokens)
    reader.close()
    return model(torch.tensor([tokens])).logits[0].numpy(), given


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"tie_word_embeddings": False},
        {"num_key_value_heads": 4},
        {"head_dim": 32},
        {"attention_bias": True},
        {"rope_parameters": LLAMA3_ROPE},
        {"rope_parameters": {"rope_type": "linear", "rope_theta": 5000.0, "factor": 4.0}},
    ],
    ids=["tied", "untied", "no-gqa", "head-dim", "bias", "llama3-rope", "linear-rope"],
)
def test_logits_are_the_models(make_folder: Any, tmp_path: Path, config: dict[str, Any]) -> None:
    model = export(make_folder(**config), tmp_path / "m.gguf")
    expected, given = both_logits(model, tmp_path / "m.gguf")
    assert kl_divergence(expected, given).mean() < 2e-5
    assert np.abs(expected - given).max() < 0.05
    names = {t.name for t in read_gguf_header(tmp_path / "m.gguf").tensors}
    assert ("output.weight" in names) == (config.get("tie_word_embeddings") is False)


def test_without_the_rotary_order_the_logits_differ(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout_base, "to_rotary_pairs", lambda weights, heads: weights)
    model = export(tiny, tmp_path / "m.gguf")
    assert kl_divergence(*both_logits(model, tmp_path / "m.gguf")).mean() > 1e-2


def test_rotary_order_interleaves_the_halves_of_every_head() -> None:
    rows = torch.arange(8.0)
    assert to_rotary_pairs(rows, 1).tolist() == [0, 4, 1, 5, 2, 6, 3, 7]
    assert to_rotary_pairs(rows, 2).tolist() == [0, 2, 1, 3, 4, 6, 5, 7]
    columns = rows[:, None].repeat(1, 3)
    assert to_rotary_pairs(columns, 2)[:, 2].tolist() == [0, 2, 1, 3, 4, 6, 5, 7]


def test_transformers_reads_back_the_same_weights(tiny: Path, tmp_path: Path) -> None:
    model = export(tiny, tmp_path / "m.gguf")
    again = load_model(resolve(ModelSettings(path=str(tmp_path / "m.gguf"))))
    expected, read = model.state_dict(), again.state_dict()
    assert expected.keys() == read.keys()
    for name, weights in expected.items():
        stored = weights.half().float() if weights.dim() > 1 else weights
        assert torch.equal(read[name], stored), name


def test_header_says_what_the_model_is(tiny: Path, tmp_path: Path) -> None:
    (tiny / "README.md").write_text("---\nlicense: apache-2.0\ntags: [x]\n---\n# Tiny\n")
    model = export(tiny, tmp_path / "m.gguf")
    header = read_gguf_header(tmp_path / "m.gguf")
    said = {
        key: header.metadata[key]
        for key in header.metadata
        if key.startswith("llama.") or key.startswith("general.")
    }
    assert said == {
        "general.architecture": "llama",
        "general.type": "model",
        "general.name": "tiny-test",
        "general.size_label": said["general.size_label"],
        "general.file_type": 1,
        "general.license": "apache-2.0",
        "general.finetune": "tooldrill",
        "general.tags": ["tool-calling", "tooldrill"],
        "general.base_model.count": 1,
        "general.base_model.0.name": "tiny",
        "llama.context_length": 512,
        "llama.embedding_length": 64,
        "llama.block_count": 3,
        "llama.feed_forward_length": 128,
        "llama.attention.head_count": 4,
        "llama.attention.head_count_kv": 2,
        "llama.attention.layer_norm_rms_epsilon": pytest.approx(model.config.rms_norm_eps),
        "llama.vocab_size": model.config.vocab_size,
        "llama.rope.freq_base": 5000.0,
        "llama.rope.dimension_count": 16,
    }
    assert {t.type for t in header.tensors if len(t.shape) == 1} == {"F32"}
    assert {t.type for t in header.tensors if len(t.shape) == 2} == {"F16"}
    loaded = GgufModel(tmp_path / "m.gguf", vocabulary_only=True)
    assert loaded.chat_template == TEMPLATE
    assert (loaded.bos_text, loaded.eos_text) == ("<|im_start|>", "<|im_end|>")
    assert loaded.ends_reply(2)
    loaded.close()


def test_a_weight_beyond_f16_is_refused_and_nothing_is_left(tiny: Path, tmp_path: Path) -> None:
    base = resolve(ModelSettings(path=str(tiny)))
    model = merged_model(base, None)
    with torch.no_grad():
        model.model.layers[2].mlp.up_proj.weight[0, 0] = 1e5
    with pytest.raises(TooldrillError, match=r"blk\.2\.ffn_up\.weight holds a weight"):
        write_gguf(model, load_tokenizer(base), TEMPLATE, tmp_path / "m.gguf", base=base, name="x")
    assert list(tmp_path.iterdir()) == []


def test_a_base_in_bf16_loses_nothing_in_bf16(tiny: Path, tmp_path: Path) -> None:
    base = resolve(ModelSettings(path=str(tiny)))
    model = merged_model(base, None)
    with torch.no_grad():
        for weights in model.parameters():
            weights.copy_(weights.to(torch.bfloat16))
    path = tmp_path / "m.gguf"
    write_gguf(model, load_tokenizer(base), TEMPLATE, path, base=base, name="x", kind="BF16")
    header = read_gguf_header(path)
    assert header.metadata["general.file_type"] == gguf.LlamaFileType.MOSTLY_BF16
    assert {t.type for t in header.tensors if len(t.shape) == 2} == {"BF16"}
    stored = {t.name: t for t in gguf.GGUFReader(path).tensors}
    values = gguf.dequantize(stored["blk.1.ffn_up.weight"].data, gguf.GGMLQuantizationType.BF16)
    assert np.array_equal(values, model.model.layers[1].mlp.up_proj.weight.detach().numpy())
    # llama.cpp rounds what is multiplied with BF16 weights to BF16, too.
    assert kl_divergence(*both_logits(model, path)).mean() < 1e-3
