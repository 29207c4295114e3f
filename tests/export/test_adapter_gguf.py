"""llama.cpp with the adapter's file computes what PEFT does, for every family and scale."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from peft import PeftModel
from random_adapters import linear_names, save_adapter
from safetensors.torch import load_file
from tiny_families import GRANITE4, LINEAR, MAMBA, SCALES, make_family, roughen
from tiny_llama import make_tokenizer
from transformers import Gemma3Config, Gemma3ForConditionalGeneration

from tooldrill.agent.errors import TooldrillError
from tooldrill.export.adapter import placing
from tooldrill.export.adapter.making import make_adapter
from tooldrill.export.compare import kl_divergence
from tooldrill.export.gguf_writer import write_gguf
from tooldrill.export.layouts.base import kind_of
from tooldrill.export.layouts.registry import MODEL_TYPES, layout_for
from tooldrill.export.layouts.stored import StoredTensor
from tooldrill.export.logits import LogitReader
from tooldrill.export.records import AdapterFile
from tooldrill.export.streamed import open_streamed
from tooldrill.training.base_model import load_model
from tooldrill.training.find_base import BaseModel, resolve
from tooldrill.training.settings import ModelSettings

TOKENS = 90
MIXED = [0, 1, 0, 0, 1]
WINDOWED = [("sliding_attention", "full_attention")[kind] for kind in MIXED]
CONVOLVED = [("conv", "full_attention")[kind] for kind in MIXED]
MAMBAS = [("mamba", "attention")[kind] for kind in MIXED]
DELTAS = [("linear_attention", "full_attention")[1 - kind] for kind in MIXED]
UNTIED = {"tie_word_embeddings": False}
GEMMA = {
    "head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 16, "layer_types": WINDOWED,
}  # fmt: skip
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {"head_dim": 32}),
    "llama untied": ("llama", {**UNTIED, "attention_bias": True}),
    "mistral": ("mistral", {"num_key_value_heads": 1}),
    "qwen2": ("qwen2", UNTIED),
    "qwen3": ("qwen3", {"head_dim": 24}),
    "qwen3.5": (
        "qwen3_5_text", {**LINEAR, **UNTIED, "head_dim": 32, "layer_types": DELTAS}
    ),
    "gemma3": ("gemma3_text", {**GEMMA, **UNTIED}),
    "lfm2": ("lfm2", {"layer_types": CONVOLVED}),
    "granite": ("granite", {**SCALES, **UNTIED}),
    "granite4": ("granitemoehybrid", {**GRANITE4, "layer_types": ["attention"] * 5}),
    "granite4 h": (
        "granitemoehybrid", {**GRANITE4, **MAMBA, "layer_types": MAMBAS, "mamba_n_groups": 2}
    ),
    "smollm3": ("smollm3", {}),
    "phi3": ("phi3", UNTIED),
}  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return make_tokenizer()


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bases are written in F32: what is left of a difference is the adapter's."""
    monkeypatch.setattr(StoredTensor, "dtype", np.dtype(np.float32))


def save_base(model: Any, tokenizer: Any, folder: Path) -> BaseModel:
    """Saves a base for transformers, and `base.gguf` beside it for llama.cpp."""
    model.save_pretrained(folder / "base")
    base = resolve(ModelSettings(path=str(folder / "base")))
    write_gguf(model, tokenizer, "x", folder / "base.gguf", base=base, name="tiny")
    return base


def fresh(base: BaseModel) -> Any:
    """The base as the stage has it: its weights are read as they are needed."""
    return open_streamed(base, None) or load_model(base)


@torch.no_grad()
def difference(tuned: Any, folder: Path, adapters: list[Path]) -> float:
    """Mean KL from PEFT's model to llama.cpp over `base.gguf`."""
    tokens = [int(t) for t in torch.randint(0, 400, (TOKENS,), generator=torch.manual_seed(1))]
    reader = LogitReader(folder / "base.gguf", TOKENS, adapters)
    given = reader.logits(tokens)
    reader.close()
    return float(kl_divergence(tuned(torch.tensor([tokens])).logits[0].numpy(), given).mean())


def assert_same(tuned: Any, folder: Path, adapter: Path) -> None:
    # GELU is a table of F16 values in llama.cpp; what fp32 sums leave is a tenth of this.
    assert abs(difference(tuned, folder, [adapter])) < 5e-7
    assert difference(tuned, folder, []) > 0.05, "the adapter does nothing"


def matrices(path: Path) -> dict[str, Any]:
    return {tensor.name: tensor.data for tensor in gguf.GGUFReader(path).tensors}


def scaled_apart(targets: list[str]) -> dict[str, Any]:
    """rsLoRA with ranks and alphas of their own: by name, by pattern, and both on one module."""
    return {
        "target_modules": targets, "use_rslora": True,
        "rank_pattern": {targets[0]: 3, rf"layers\.1\..*{targets[1]}": 6},
        "alpha_pattern": {targets[0]: 5, targets[-1]: 3},
    }  # fmt: skip


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("case", list(CASES))
def test_llama_cpp_computes_what_peft_does(case: str, tokenizer: Any, tmp_path: Path) -> None:
    kind, own = CASES[case]
    model = make_family(kind, tokenizer, **own)
    base = save_base(model, tokenizer, tmp_path)
    targets = linear_names(model, head=own.get("tie_word_embeddings") is False)
    if "lm_head" in targets:
        targets.insert(0, "embed_tokens")
    tuned = save_adapter(model, tmp_path / "adapter", **scaled_apart(targets))
    path = tmp_path / "lora.gguf"
    made = make_adapter(tmp_path / "adapter", base, fresh(base), path, name="x")
    assert_same(tuned, tmp_path, path)
    assert set(made.ranks) == {3, 4, 6}
    assert made.tensors > made.folded > 0


def test_every_family_and_every_kind_of_tensor_has_a_case(tokenizer: Any) -> None:
    assert set(MODEL_TYPES) - {kind for kind, _ in CASES.values()} == {"qwen3_5", "gemma3"}
    kinds = set()
    for kind, own in CASES.values():
        model = make_family(kind, tokenizer, **own)
        layout = layout_for(model.config)
        untied = own.get("tie_word_embeddings") is False
        names = {*linear_names(model, head=untied), *(["embed_tokens"] if untied else [])}
        for name, weights in model.named_parameters():
            if name.split(".")[-2] in names and name.endswith(".weight"):
                kinds |= {kind_of(tensor.name) for tensor in layout.stored(name, weights)}
    assert kinds == placing.ADAPTED


@pytest.mark.usefixtures("exact")
def test_of_a_multimodal_model_the_text_part_is_written(tokenizer: Any, tmp_path: Path) -> None:
    ids = {f"{n}_token_id": getattr(tokenizer, f"{n}_token_id") for n in ("bos", "eos", "pad")}
    text = {
        **GEMMA, **ids, "vocab_size": len(tokenizer) + 5, "hidden_size": 64,
        "intermediate_size": 96, "num_hidden_layers": 5, "num_attention_heads": 4,
        "num_key_value_heads": 2, "max_position_embeddings": 512, "initializer_range": 0.15,
    }  # fmt: skip
    vision = {
        "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
        "num_attention_heads": 2, "image_size": 28, "patch_size": 14, "vision_use_head": False,
    }  # fmt: skip
    config = Gemma3Config(text_config=text, vision_config=vision, mm_tokens_per_image=4)
    torch.manual_seed(0)
    model = Gemma3ForConditionalGeneration(config).eval()
    roughen(model)
    base = save_base(model, tokenizer, tmp_path)
    # As `all-linear` does, the vision tower gets an adapter too; the GGUF has no such part.
    tuned = save_adapter(model, tmp_path / "adapter")
    assert any(
        "vision" in name for name in load_file(tmp_path / "adapter/adapter_model.safetensors")
    )
    path = tmp_path / "lora.gguf"
    made = make_adapter(tmp_path / "adapter", base, fresh(base), path, name="x")
    assert made.tensors == 5 * 7
    assert_same(tuned, tmp_path, path)


def plain(tokenizer: Any, folder: Path, kind: str = "qwen3", **config: Any) -> AdapterFile:
    """Writes `lora.gguf` for a family whose matrices GGUF stores as transformers does."""
    model = make_family(kind, tokenizer)
    base = save_base(model, tokenizer, folder)
    save_adapter(model, folder / "adapter", **config)
    return make_adapter(folder / "adapter", base, fresh(base), folder / "lora.gguf", name="x")


@pytest.mark.parametrize(("rslora", "alpha"), [(False, 8.0), (True, 8 * math.sqrt(3))])
def test_where_one_alpha_says_it_the_matrices_are_the_adapters_bit_for_bit(
    rslora: bool, alpha: float, tokenizer: Any, tmp_path: Path
) -> None:
    made = plain(tokenizer, tmp_path, r=3, use_rslora=rslora)
    assert made.alpha == pytest.approx(alpha)
    assert (made.folded, made.ranks) == (0, {3: made.tensors})
    trained = load_file(tmp_path / "adapter/adapter_model.safetensors")
    written = matrices(tmp_path / "lora.gguf")
    assert len(written) == len(trained) == 2 * made.tensors
    prefix = "base_model.model.model.layers.0.mlp.down_proj.lora_"
    for side in "AB":
        given = written[f"blk.0.ffn_down.weight.lora_{side.lower()}"]
        assert np.array_equal(given, trained[f"{prefix}{side}.weight"].numpy())


def test_alpha_is_right_for_most_and_the_others_are_folded(tokenizer: Any, tmp_path: Path) -> None:
    made = plain(tokenizer, tmp_path, alpha_pattern={"down_proj": 2}, rank_pattern={"q_proj": 2})
    # llama.cpp knows each tensor's rank, so a rank of its own needs no factor.
    assert (made.alpha, made.folded) == (8.0, 5)
    assert made.scales == {2.0: 25, 0.5: 5, 4.0: 5}
    trained = load_file(tmp_path / "adapter/adapter_model.safetensors")
    down = trained["base_model.model.model.layers.0.mlp.down_proj.lora_B.weight"].numpy()
    assert np.array_equal(
        matrices(tmp_path / "lora.gguf")["blk.0.ffn_down.weight.lora_b"], down / 4
    )


def test_the_file_says_what_it_is(tokenizer: Any, tmp_path: Path) -> None:
    made = plain(tokenizer, tmp_path)
    fields = {
        name: field.contents()
        for name, field in gguf.GGUFReader(tmp_path / "lora.gguf").fields.items()
    }
    assert fields["general.type"] == "adapter"
    assert fields["adapter.type"] == "lora"
    assert fields["adapter.lora.alpha"] == made.alpha == 8
    assert fields["general.architecture"] == "qwen3"
    assert fields["general.base_model.0.name"] == "base"
    assert made.bytes == (tmp_path / "lora.gguf").stat().st_size


def test_f16_halves_the_file_and_refuses_what_it_cannot_store(
    tokenizer: Any, tmp_path: Path
) -> None:
    whole = plain(tokenizer, tmp_path)
    model = make_family("qwen3", tokenizer)
    base = resolve(ModelSettings(path=str(tmp_path / "base")))
    half = make_adapter(
        tmp_path / "adapter", base, fresh(base), tmp_path / "half.gguf", name="x", dtype="F16"
    )
    values = 4 * sum(matrix.size for matrix in matrices(tmp_path / "lora.gguf").values())
    assert whole.bytes - half.bytes == values // 2
    save_adapter(model, tmp_path / "large", size=1e6)
    with pytest.raises(TooldrillError, match="float16 cannot store") as raised:
        make_adapter(
            tmp_path / "large", base, fresh(base), tmp_path / "no.gguf", name="x", dtype="F16"
        )
    assert "adapter_gguf_type=F32" in raised.value.next_step
    assert not (tmp_path / "no.gguf").exists()


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("init", ["pissa", "olora", "orthogonal", "gaussian"])
def test_an_initialisation_that_changed_the_base_is_taken_back(
    init: str, tokenizer: Any, tmp_path: Path
) -> None:
    model = make_family("llama", tokenizer)
    base = save_base(model, tokenizer, tmp_path)
    save_adapter(model, tmp_path / "adapter", init_lora_weights=init, alpha_pattern={"q_proj": 3})
    path = tmp_path / "lora.gguf"
    made = make_adapter(tmp_path / "adapter", base, fresh(base), path, name="x")
    altering = init in ("pissa", "olora")
    assert made.subtracted == (init if altering else None)
    assert set(made.ranks) == {8 if altering else 4}
    assert_same(
        PeftModel.from_pretrained(load_model(base), tmp_path / "adapter").eval(), tmp_path, path
    )


def test_an_adapter_of_tied_embeddings_does_not_reach_llama_cpp(
    tokenizer: Any, tmp_path: Path
) -> None:
    """Made for a base whose output is its own; over tied ones llama.cpp would end the process."""
    for number, tied in enumerate((False, True)):
        folder = tmp_path / str(number)
        model = make_family("llama", tokenizer, tie_word_embeddings=tied)
        base = save_base(model, tokenizer, folder)
        if not tied:
            save_adapter(model, tmp_path / "adapter", target_modules=["embed_tokens"])
            make_adapter(tmp_path / "adapter", base, fresh(base), tmp_path / "lora.gguf", name="x")
            LogitReader(folder / "base.gguf", 8, [tmp_path / "lora.gguf"]).close()
            continue
        with pytest.raises(TooldrillError, match="are the output of base"):
            LogitReader(folder / "base.gguf", 8, [tmp_path / "lora.gguf"])
