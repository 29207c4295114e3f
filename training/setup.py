"""What SFT and DPO both begin with: model, tokenizer, template and the machine's settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict

from tooldrill.agent.progress import Progress
from tooldrill.agent.protocols.base import CallProtocol
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.render import ChatTemplate
from tooldrill.training import base_model
from tooldrill.training.checkpoints import MarkComplete
from tooldrill.training.engine.shared_forward import share_prefixes
from tooldrill.training.examples import Encoder
from tooldrill.training.find_base import resolve
from tooldrill.training.hardware import Hardware, settle
from tooldrill.training.settings import (
    DpoSettings,
    ModelSettings,
    SftSettings,
    TrainingSettings,
)
from tooldrill.training.telling import TellProgress


class TrainSummary(BaseModel):
    """What one training run came to.

    Attributes:
        adapter: folder of the adapter.
        examples: sequences (SFT) or pairs (DPO).
        tokens: tokens of one epoch; learned of them carry a loss.
        seconds: of this process's part of the training.
        curve: logged steps, with `step` and `loss`.
        choices: what the machine was asked to do, and why.
    """

    model_config = ConfigDict(extra="forbid")

    adapter: Path
    examples: int
    tokens: int
    learned: int
    steps: int
    seconds: float
    final_loss: float
    curve: list[dict[str, float]]
    choices: list[str]


@dataclass(frozen=True)
class Setup:
    """A base model ready to be wrapped with an adapter."""

    model: Any
    tokenizer: Any
    encoder: Encoder
    protocols: list[CallProtocol]
    hardware: Hardware
    choices: list[str]


def prepare(
    model: ModelSettings, settings: TrainingSettings, stage: SftSettings | DpoSettings
) -> Setup:
    """Loads the base model and settles how the machine is used."""
    hardware = settle(settings.hardware)
    torch.set_num_threads(hardware.threads)
    base = resolve(model)
    tokenizer = base_model.load_tokenizer(base)
    source = base_model.chat_template(base, model, tokenizer)
    tokenizer.chat_template = source
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    weights = base_model.load_model(base)
    choices = list(hardware.reasons)
    reason = share_prefixes(weights)
    if reason is None:
        choices.append("shared prefixes: computed once")
    else:
        choices.append(f"shared prefixes: computed for every example ({reason})")
    template = ChatTemplate(source, tokenizer.bos_token or "", tokenizer.eos_token or "")
    return Setup(
        model=weights,
        tokenizer=tokenizer,
        encoder=Encoder(tokenizer, template, settings.max_length),
        protocols=[get_protocol(name) for name in stage.protocols],
        hardware=hardware,
        choices=choices,
    )


def trainer_arguments(
    stage: SftSettings | DpoSettings, hardware: Hardware, checkpoints: Path, examples: int
) -> dict[str, Any]:
    """What TRL's two configs have in common."""
    steps = stage.max_steps
    if steps is None:
        per_epoch = -(-examples // (stage.batch_size * stage.gradient_accumulation))
        steps = max(1, round(per_epoch * stage.epochs))
    return {
        "output_dir": str(checkpoints),
        "max_steps": steps,
        "learning_rate": stage.learning_rate,
        "per_device_train_batch_size": stage.batch_size,
        "gradient_accumulation_steps": stage.gradient_accumulation,
        "warmup_steps": round(steps * stage.warmup),
        "lr_scheduler_type": "cosine",
        "train_sampling_strategy": "sequential",
        "seed": stage.seed,
        "data_seed": stage.seed,
        "save_steps": stage.save_every,
        "save_total_limit": 2,
        "logging_steps": 1,
        "report_to": ["tensorboard"],
        "disable_tqdm": True,
        "use_cpu": hardware.device == "cpu",
        "dataloader_pin_memory": hardware.device.startswith("cuda"),
        "bf16": hardware.dtype == "bfloat16",
        "fp16": hardware.dtype == "float16",
        "gradient_checkpointing": hardware.gradient_checkpointing,
        "remove_unused_columns": False,
        "max_length": None,
    }


def callbacks(progress: Progress) -> list[Any]:
    """Progress for the user and markers for whole checkpoints."""
    return [TellProgress(progress), MarkComplete()]
