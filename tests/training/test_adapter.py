"""LoRA's options reach PEFT; what does not fit is one line."""

from __future__ import annotations

from typing import Any

import pytest
from tiny_llama import make_model, make_tokenizer

from tooldrill.agent.errors import TooldrillError
from tooldrill.training.adapter import new_adapter
from tooldrill.training.quantized_base import require_quantization
from tooldrill.training.settings import HardwareSettings, LoraSettings


def adapter(**settings: Any) -> Any:
    made = LoraSettings.model_validate(settings)
    return new_adapter(make_model(make_tokenizer()), made, 0)


def test_options_are_pefts() -> None:
    made = adapter(
        rank=8, alpha=8, rslora=True, dora=True, init="gaussian",
        rank_pattern={"down_proj": 2}, alpha_pattern={"down_proj": 4},
        extra={"layers_to_transform": [0, 2], "layers_pattern": "layers"},
        targets=["down_proj", "q_proj"],
    )  # fmt: skip
    shapes = {n: tuple(p.shape) for n, p in made.named_parameters() if "lora_A" in n}
    assert len(shapes) == 4
    assert {n.split(".")[4] for n in shapes} == {"0", "2"}
    assert {s[0] for n, s in shapes.items() if "down_proj" in n} == {2}
    assert {s[0] for n, s in shapes.items() if "q_proj" in n} == {8}
    assert any("lora_magnitude_vector" in n for n, _ in made.named_parameters())
    layer = made.get_base_model().model.layers[0]
    assert layer.self_attn.q_proj.scaling["default"] == pytest.approx(8 / 8**0.5)
    assert layer.mlp.down_proj.scaling["default"] == pytest.approx(4 / 2**0.5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"extra": {"layer_to_transform": [1]}}, "no layer_to_transform"),
        ({"extra": {"r": 64}}, "extra: r has a setting of its own"),
        ({"targets": ["queries"]}, "queries"),
        ({"targets": ["q_proj", "queries"]}, "targets: no module is named queries"),
        ({"rank_pattern": {"down": 2}}, "rank_pattern: no module is named down"),
        ({"targets": ["q_proj"], "alpha_pattern": {"v_proj": 2}}, "alpha_pattern: no module"),
        ({"extra": {"modules_to_save": ["head"]}}, "modules_to_save: no module is named head"),
        ({"targets": ["q_proj", "lm_head"]}, "lm_head takes no adapter"),
        ({"targets": ["q_proj", "embed_tokens"]}, "embed_tokens takes no adapter"),
        ({"init": "no such"}, "no such"),
        ({"init": "pissa_niter_4"}, "another part out of the weights at each loading"),
        ({"init": "eva"}, "made from data before training"),
    ],
)
def test_what_peft_does_not_know_is_one_line(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(TooldrillError, match=message) as caught:
        adapter(**settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("device", ["mps", None])
def test_four_bits_without_cuda_are_refused_with_the_reason(
    device: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(TooldrillError, match="there is no CUDA device here") as caught:
        require_quantization(HardwareSettings(device=device))
    assert "training.quantization.enabled=false" in caught.value.next_step
