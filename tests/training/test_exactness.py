"""A trainer's step against the plain computation: each sequence alone, no trees, PyTorch's losses.

The weights are a real model's, SmolLM2-135M, with grouped queries and tied embeddings, and once
with a sliding window put over them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional
from transformers import MistralConfig, MistralForCausalLM
from trl import DPOConfig, SFTConfig

from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.render import ChatTemplate, bundled_template
from tooldrill.data.sets.build import build
from tooldrill.data.sets.reading import read_rows
from tooldrill.data.settings import DataSettings
from tooldrill.training import base_model
from tooldrill.training.adapter import new_adapter
from tooldrill.training.engine.batches import ExampleBatches, PreferenceBatches, packs_dataset
from tooldrill.training.engine.packing import plan_steps
from tooldrill.training.engine.shared_forward import share_prefixes
from tooldrill.training.examples import IGNORED, Encoder, Example, Preference
from tooldrill.training.find_base import resolve
from tooldrill.training.reference import reference_log_probs
from tooldrill.training.settings import LoraSettings, ModelSettings
from tooldrill.training.trainers import PreparedDpoTrainer, PreparedSftTrainer

pytestmark = pytest.mark.slow

BASE = resolve(ModelSettings())
LAYERS = 2  # of 30: every kind of computation is in each of them
Gradients = dict[str, torch.Tensor]


def smollm2(window: int | None) -> Any:
    """The first layers of SmolLM2, as Mistral when there is a window; a lively adapter on top."""
    model = base_model.load_model(BASE)
    if window is not None:
        config = model.config.to_dict()
        for name in ("model_type", "architectures", "transformers_version"):
            config.pop(name, None)
        other = MistralForCausalLM(MistralConfig(**config, sliding_window=window))
        other.load_state_dict(model.state_dict())
        model = other
    model.model.layers = model.model.layers[:LAYERS]
    model.config.num_hidden_layers = LAYERS
    return model


def adapted(model: Any) -> Any:
    wrapped = new_adapter(model, LoraSettings(rank=4, alpha=8, init=False), 0)
    with torch.no_grad():
        for name, weights in wrapped.named_parameters():
            if "lora" in name:
                weights.mul_(0.1)
    return wrapped.eval()


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rows") / "set"
    build(DataSettings(worlds=["tickets"], traces=5, pairs=4, tools=(2, 2), sharing=8), folder)
    return folder


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    tokenizer = base_model.load_tokenizer(BASE)
    return Encoder(tokenizer, ChatTemplate(bundled_template(), eos_token="<|im_end|>"), 4096)


def log_probs(model: Any, ids: list[int]) -> torch.Tensor:
    """Shape (n - 1,): each token's log-probability after those before it."""
    logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, :-1]
    return functional.log_softmax(logits, -1).gather(1, torch.tensor(ids)[1:, None])[:, 0]


def gradients(model: Any) -> Gradients:
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


def assert_same(found: Gradients, wanted: Gradients) -> None:
    assert found.keys() == wanted.keys()
    assert len(wanted) == 2 * 7 * LAYERS
    for name, gradient in wanted.items():
        assert (found[name] - gradient).norm() / gradient.norm() < 1e-4, name


def arguments(out: Path, packs: int) -> dict[str, Any]:
    return {
        "output_dir": str(out), "use_cpu": True, "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": packs, "report_to": "none", "max_length": None,
        "remove_unused_columns": False, "train_sampling_strategy": "sequential", "bf16": False,
        "gradient_checkpointing": False, "disable_tqdm": True, "max_steps": 1,
        "learning_rate": 0.0, "max_grad_norm": 1e9, "logging_steps": 1, "save_strategy": "no",
        "lr_scheduler_type": "constant",
    }  # fmt: skip


class KeepGradients:
    """The gradients as they stand right before the optimizer's step, all packs added up."""

    def __init__(self, trainer: Any) -> None:
        self.found: Gradients = {}
        make = trainer.create_optimizer

        def created(*args: Any, **kwargs: Any) -> Any:
            optimizer = make(*args, **kwargs)
            optimizer.register_step_pre_hook(lambda *_: self.found.update(gradients(trainer.model)))
            return optimizer

        trainer.create_optimizer = created


@pytest.mark.parametrize(("window", "budget"), [(None, 10_000), (None, 900), (48, 10_000)])
def test_a_step_of_sft(
    window: int | None, budget: int, rows: Path, encoder: Encoder, tmp_path: Path
) -> None:
    native = get_protocol("native")
    examples = [encoder.example(row, native) for row in read_rows(rows / "sft.jsonl")]
    # One turn counts double, as a row's `weight: 2` would make it.
    examples[0].sequences[0].weights[:] = [2.0 * w for w in examples[0].sequences[0].weights]
    wanted_loss, wanted = plain_sft(adapted(smollm2(window)), examples)

    base = smollm2(window)
    assert share_prefixes(base) is None
    plan = plan_steps([e.rows for e in examples], ["a"] * 5, batch_size=5, budget=budget)
    assert plan.packs_per_step == (1 if budget > 5000 else len(plan.packs))
    trainer = PreparedSftTrainer(
        model=adapted(base),
        args=SFTConfig(**arguments(tmp_path, plan.packs_per_step)),
        train_dataset=packs_dataset(plan),
        data_collator=ExampleBatches(examples),
        processing_class=encoder._tokenizer,
    )
    kept = KeepGradients(trainer)
    trainer.train()
    assert trainer.state.log_history[0]["loss"] == pytest.approx(wanted_loss, rel=1e-4)
    assert_same(kept.found, wanted)


def plain_sft(model: Any, examples: list[Example]) -> tuple[float, Gradients]:
    loss, total = torch.tensor(0.0), 0.0
    for row in (row for example in examples for row in example.sequences):
        weights = torch.tensor(row.weights)[1:] * (torch.tensor(row.labels)[1:] != IGNORED)
        loss = loss - (log_probs(model, row.input_ids) * weights).sum()
        total += float(weights.sum())
    (loss / total).backward()
    return (loss / total).item(), gradients(model)


@pytest.mark.parametrize("loss_type", ["sigmoid", "ipo"])
def test_a_step_of_dpo(
    loss_type: str, rows: Path, encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOOLDRILL_CACHE", str(tmp_path / "cache"))
    pairs = [encoder.preference(r, get_protocol("native")) for r in read_rows(rows / "dpo.jsonl")]
    # One right reply has several wrong ones: they share it, and all that stands before.
    assert len({tuple(pair.rows[0]) for pair in pairs}) < len(pairs)
    reference = [(-40.0 - i, -41.0 - 2 * i) for i in range(len(pairs))]
    wanted_loss, wanted = plain_dpo(adapted(smollm2(None)), pairs, reference, loss_type)

    base = smollm2(None)
    assert share_prefixes(base) is None
    plan = plan_steps([p.rows for p in pairs], ["a"] * len(pairs), batch_size=4, budget=900)
    assert plan.packs_per_step > 1
    batches = PreferenceBatches(pairs)
    trainer = PreparedDpoTrainer(
        model=adapted(base),
        args=DPOConfig(
            **arguments(tmp_path, plan.packs_per_step),
            loss_type=[loss_type], beta=0.1, precompute_ref_log_probs=True,
        ),
        train_dataset=packs_dataset(plan),
        data_collator=batches,
        processing_class=encoder._tokenizer,
        violations=[pair.violation for pair in pairs],
    )  # fmt: skip
    own = reference_log_probs(trainer.model, pairs, ["a"] * len(pairs), budget=900)
    with torch.no_grad():
        plain = adapted(smollm2(None))
        for pair, found in zip(pairs, own, strict=True):
            wanted_pair = [float(side) for side in reply_log_probs(plain, pair)]
            assert list(found) == pytest.approx(wanted_pair, rel=1e-4)
    batches.reference = reference
    kept = KeepGradients(trainer)
    trainer.train()
    assert trainer.state.log_history[0]["loss"] == pytest.approx(wanted_loss, rel=1e-4)
    assert_same(kept.found, wanted)


def reply_log_probs(model: Any, pair: Preference) -> tuple[Any, Any]:
    start = len(pair.prompt_ids) - 1
    chosen, rejected = (log_probs(model, ids)[start:].sum() for ids in pair.rows)
    return chosen, rejected


def plain_dpo(
    model: Any, pairs: list[Preference], reference: list[tuple[float, float]], loss_type: str
) -> tuple[float, Gradients]:
    losses = []
    for pair, (chosen_before, rejected_before) in zip(pairs, reference, strict=True):
        chosen, rejected = reply_log_probs(model, pair)
        gains = chosen - chosen_before, rejected - rejected_before
        if loss_type == "sigmoid":
            losses.append(-functional.logsigmoid(0.1 * (gains[0] - gains[1])))
        else:  # per token, as the authors of IPO told TRL's
            margin = gains[0] / len(pair.chosen_ids) - gains[1] / len(pair.rejected_ids)
            losses.append((margin - 1 / (2 * 0.1)) ** 2)
    loss = torch.stack(losses).mean()
    loss.backward()
    return loss.item(), gradients(model)
