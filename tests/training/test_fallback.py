"""Models that cannot share prefixes: their rows end to end, side by side or one by one; exact."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch.nn import functional
from transformers import AutoConfig, AutoModelForCausalLM, set_seed

from tooldrill.agent.errors import TooldrillError
from tooldrill.training.config_shape import shares_prefixes
from tooldrill.training.engine import choose_layout
from tooldrill.training.engine.choose_layout import lay_out

SHAPE = {
    "vocab_size": 97, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 4,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "initializer_range": 0.2,
    "max_position_embeddings": 512, "tie_word_embeddings": True,
}  # fmt: skip
GRANITE = {"num_local_experts": 0, "shared_intermediate_size": 48, "mamba_n_heads": 8}
LINEAR = {
    "linear_num_key_heads": 2, "linear_num_value_heads": 4,
    "linear_key_head_dim": 8, "linear_value_head_dim": 8,
}  # fmt: skip
FAMILIES: dict[str, dict[str, Any]] = {
    "gemma2": {"sliding_window": 6, "query_pre_attn_scalar": 8, "attn_logit_softcapping": 2.0},
    "gpt_oss": {"sliding_window": 6, "num_local_experts": 4, "num_experts_per_tok": 2},
    "lfm2": {"layer_types": ["conv", "full_attention"] * 2},
    "qwen3_5_text": LINEAR,
    "granitemoehybrid": {**GRANITE, "layer_types": ["mamba", "attention"] * 2},
}
PACKED = {"gemma2": "softcap", "gpt_oss": "s_aux"}
Gradients = dict[str, torch.Tensor]


def tiny(family: str) -> Any:
    set_seed(1)
    config = AutoConfig.for_model(family, **{**SHAPE, **FAMILIES[family]})
    model = AutoModelForCausalLM.from_config(config)
    for name, weights in model.named_parameters():
        if name.endswith("sinks"):  # zeros would be like any other score
            torch.nn.init.normal_(weights, std=2.0)
    return model


def adapted(model: Any) -> Any:
    set_seed(2)
    lora = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False)
    return get_peft_model(model, lora).eval()


def preferences() -> list[tuple[list[int], list[int], list[int]]]:
    """Prompts with a trunk in common, each with a chosen and a rejected reply."""
    rng = random.Random(0)

    def some(count: int) -> list[int]:
        return [rng.randrange(97) for _ in range(count)]

    trunk = some(20)
    prompts = [trunk, trunk + some(9), some(3)]
    return [(prompt, some(5 + 2 * n), some(4)) for n, prompt in enumerate(prompts)]


def rows() -> tuple[list[list[int]], list[int]]:
    """All chosen, then all rejected, as TRL's loss reads them; and how long each prompt is."""
    pairs = preferences()
    chosen = [prompt + reply for prompt, reply, _ in pairs]
    rejected = [prompt + reply for prompt, _, reply in pairs]
    return chosen + rejected, [len(prompt) for prompt, _, _ in pairs] * 2


def padded(made: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(map(len, made))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in made])
    return ids, torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in made])


def log_probs(model: Any, ids: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1]
    return functional.log_softmax(logits, -1).gather(2, ids[:, 1:, None])[..., 0]


def losses(sums: torch.Tensor) -> dict[str, torch.Tensor]:
    """Of the rows' log-probabilities: SFT's of all, and DPO's between the halves."""
    chosen, rejected = sums.chunk(2)
    return {"sft": -sums.mean(), "dpo": -functional.logsigmoid(0.1 * (chosen - rejected)).mean()}


def gradients(model: Any, loss: torch.Tensor) -> Gradients:
    model.zero_grad()
    torch.autograd.backward(loss, retain_graph=True)
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


def one_by_one(family: str) -> dict[str, tuple[float, Gradients]]:
    model = adapted(tiny(family))
    made, prompts = rows()
    found = [
        log_probs(model, torch.tensor([row]), None)[0, prompt - 1 :].sum()
        for row, prompt in zip(made, prompts, strict=True)
    ]
    return {
        name: (loss.item(), gradients(model, loss))
        for name, loss in losses(torch.stack(found)).items()
    }


def counted(model: Any) -> list[int]:
    """Tokens of every call from here on."""
    seen: list[int] = []
    embedding = model.get_input_embeddings()
    embedding.register_forward_pre_hook(lambda _m, args: seen.append(args[0].numel()))
    return seen


def assert_exact(model: Any, wanted: dict[str, tuple[float, Gradients]]) -> None:
    made, prompts = rows()
    ids, mask = padded(made)
    learned = mask[:, 1:] * (torch.arange(1, ids.shape[1]) >= torch.tensor(prompts)[:, None])
    sums = (log_probs(model, ids, mask) * learned).sum(1)
    for name, loss in losses(sums).items():
        value, expected = wanted[name]
        assert loss.item() == pytest.approx(value, rel=1e-4)
        found = gradients(model, loss)
        assert found.keys() == expected.keys()
        for key, gradient in expected.items():
            assert (found[key] - gradient).norm() <= 1e-4 * gradient.norm(), (name, key)


@pytest.mark.parametrize("family", FAMILIES)
def test_loss_and_lora_gradients_equal_those_of_rows_one_by_one(family: str) -> None:
    base = tiny(family)
    assert shares_prefixes(base.config.to_dict()) is False  # as estimates are told beforehand
    layout = lay_out(base)
    assert layout.kind == ("packed" if family in PACKED else "padded")
    assert PACKED.get(family, "layers") in layout.told
    model = adapted(base)
    seen = counted(model)
    assert_exact(model, one_by_one(family))
    made, _ = rows()
    assert sum(seen) == layout.computed(made)
    if layout.kind == "packed":
        assert seen == [sum(map(len, made))]


@pytest.mark.parametrize("family", ["gemma2", "lfm2"])
@pytest.mark.parametrize("most", [30, 70])
def test_cut_into_several_calls_they_are_the_same(
    family: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose_layout, "MOST", most)
    base = tiny(family)
    layout = lay_out(base)
    model = adapted(base)
    seen = counted(model)
    assert_exact(model, one_by_one(family))
    made, _ = rows()
    assert 1 < len(seen) <= len(made)
    assert max(seen) <= max(most, *map(len, made))
    assert sum(seen) == layout.computed(made)


@pytest.mark.parametrize("family", ["gpt_oss", "lfm2"])
def test_with_checkpointing_they_are_the_same(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose_layout, "MOST", 30)
    base = tiny(family)
    lay_out(base)
    base.gradient_checkpointing_enable({"use_reentrant": False})
    model = adapted(base).train()
    assert model.is_gradient_checkpointing
    assert_exact(model, one_by_one(family))


def test_where_padding_changes_numbers_rows_are_computed_one_by_one() -> None:
    """A model that looks at how wide its batch is: no row of it may be padded."""
    base = tiny("lfm2")
    plain = base.model.forward

    def forward(input_ids: torch.Tensor, **kwargs: Any) -> Any:
        output = plain(input_ids=input_ids, **kwargs)
        output.last_hidden_state = output.last_hidden_state * (1 + input_ids.shape[1] / 100)
        return output

    base.model.forward = forward
    made, _ = rows()
    alone = [base.model(torch.tensor([row])).last_hidden_state[0] for row in made]
    layout = lay_out(base)
    assert layout.kind == "single"
    assert "padded, hidden states would differ" in layout.told
    seen = counted(base)
    ids, mask = padded(made)
    states = base.model(input_ids=ids, attention_mask=mask).last_hidden_state
    assert seen == [len(row) for row in made]
    for found, wanted in zip(states, alone, strict=True):
        torch.testing.assert_close(found[: len(wanted)], wanted)
    base.model.forward = forward
    with pytest.raises(TooldrillError, match="FSDP"):
        lay_out(base, one_call=True)


@pytest.mark.parametrize("family", ["gpt_oss", "qwen3_5_text"])
def test_where_processes_must_keep_step_there_is_one_call(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose_layout, "MOST", 30)
    base = tiny(family)
    layout = lay_out(base, one_call=True)
    model = adapted(base)
    seen = counted(model)
    assert_exact(model, one_by_one(family))
    made, _ = rows()
    assert seen == [layout.computed(made)]


def test_the_model_keeps_its_own_attention() -> None:
    for family in FAMILIES:
        model = tiny(family)
        before = model.config._attn_implementation
        lay_out(model)
        assert model.config._attn_implementation == before
