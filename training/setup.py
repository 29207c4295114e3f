"""What SFT and DPO both begin with: tokenizer, template, model and the machine's settings."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict

from tooldrill.agent.atomic import write_text
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.progress import Progress
from tooldrill.agent.protocols.base import CallProtocol
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.render import ChatTemplate
from tooldrill.training import base_model
from tooldrill.training.checkpoints import MarkComplete
from tooldrill.training.engine.shared_forward import share_prefixes
from tooldrill.training.examples import Encoder
from tooldrill.training.find_base import BaseModel as Base
from tooldrill.training.find_base import resolve
from tooldrill.training.hardware import Hardware, Shape, settle
from tooldrill.training.processes import (
    agreed,
    is_first,
    join,
    process_count,
    processes_here,
)
from tooldrill.training.quantized_base import load_quantized, require_quantization
from tooldrill.training.settings import (
    HardwareSettings,
    ModelSettings,
    StageSettings,
    TrainingSettings,
)
from tooldrill.training.telling import TellProgress


class TrainSummary(BaseModel):
    """What one training run came to.

    Attributes:
        adapter: folder of the adapter.
        examples: sequences (SFT) or pairs (DPO).
        tokens: tokens of all steps, every example on its own; computed of them were left once
            shared prefixes were computed once; learned of them carry a loss.
        seconds: of this process's part of the training.
        curve: logged steps, with `step` and `loss`.
        choices: what the machine was asked to do, and why.
        stopped: why it ended early, None when it did not.
    """

    model_config = ConfigDict(extra="forbid")

    adapter: Path
    examples: int
    tokens: int
    computed: int
    learned: int
    steps: int
    seconds: float
    final_loss: float
    curve: list[dict[str, float]]
    choices: list[str]
    stopped: str | None = None


@dataclass(frozen=True)
class Texts:
    """What turns rows into token ids."""

    base: Base
    tokenizer: Any
    encoder: Encoder
    protocols: list[CallProtocol]


@dataclass(frozen=True)
class Prepared:
    """A base model ready to be wrapped with an adapter, and how to use the machine."""

    model: Any
    hardware: Hardware
    choices: list[str]


def prepare_texts(model: ModelSettings, settings: TrainingSettings, stage: StageSettings) -> Texts:
    """Loads the tokenizer and its template.

    Raises:
        TooldrillError: for a model, a template or a tracker that is not there.
    """
    require_trackers(settings.report_to)
    base = resolve(model)
    tokenizer = base_model.load_tokenizer(base)
    source = base_model.chat_template(base, model, tokenizer)
    tokenizer.chat_template = source
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    template = ChatTemplate(source, tokenizer.bos_token or "", tokenizer.eos_token or "")
    encoder = Encoder(tokenizer, template, settings.max_length)
    return Texts(base, tokenizer, encoder, [get_protocol(name) for name in stage.protocols])


def prepare_model(base: Base, settings: TrainingSettings, longest: int, out: Path) -> Prepared:
    """Loads the base model and settles how the machine is used.

    A run that goes on keeps what was settled when it began (`out/hardware.json`): with another
    number of tokens at once, its steps would be cut otherwise.

    Args:
        longest: tokens of the longest example.
    """
    join(cpu=settings.hardware.device == "cpu" or not torch.cuda.is_available())
    quantization = settings.quantization
    if quantization.enabled:
        require_quantization(settings.hardware)
        weights = load_quantized(base, quantization, settings.hardware.dtype)
    else:
        weights = base_model.load_model(base)
    config = weights.config.get_text_config()
    shape = Shape(config.num_hidden_layers, config.hidden_size, longest)
    hardware = agreed(settle(_kept(settings.hardware, out), shape))
    if is_first():
        _keep(hardware, out)
    torch.set_num_threads(max(1, hardware.threads // processes_here()))
    choices = [*hardware.reasons, f"processes: {process_count()}"]
    reason = share_prefixes(weights, hardware.attention)
    if reason is None:
        choices.append("shared prefixes: computed once")
    else:
        choices.append(f"shared prefixes: computed for every example, since {reason}")
    return Prepared(weights, hardware, choices)


def _kept(settings: HardwareSettings, out: Path) -> HardwareSettings:
    path = out / "hardware.json"
    if not path.is_file():
        return settings
    before = json.loads(path.read_text("utf-8"))
    chosen = {key: before[key] for key in HardwareSettings.model_fields}
    return HardwareSettings.model_validate(chosen | settings.model_dump(exclude_none=True))


def _keep(hardware: Hardware, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "hardware.json", json.dumps(asdict(hardware), indent=1))


def require_trackers(names: Sequence[str]) -> None:
    """Says what is missing before anything is loaded.

    Raises:
        TooldrillError: when a tracker is not installed.
    """
    missing = next((name for name in names if importlib.util.find_spec(name) is None), None)
    if missing is not None:
        raise TooldrillError(
            f"training.report_to: {missing} is not installed", f"pip install {missing}"
        )


def trainer_arguments(
    settings: TrainingSettings,
    stage: StageSettings,
    learning_rate: float,
    hardware: Hardware,
    checkpoints: Path,
) -> dict[str, Any]:
    """What TRL's two configs have in common; the numbers of steps come with the plan."""
    return {
        "output_dir": str(checkpoints),
        "learning_rate": learning_rate,
        "lr_scheduler_type": stage.schedule,
        "optim": stage.optimizer,
        "weight_decay": stage.weight_decay,
        "max_grad_norm": stage.max_grad_norm,
        "per_device_train_batch_size": 1,
        "train_sampling_strategy": "sequential",
        "seed": stage.seed,
        "data_seed": stage.seed,
        "save_steps": stage.save_every,
        "save_total_limit": 3,
        "logging_steps": 1,
        "report_to": settings.report_to or "none",
        "disable_tqdm": True,
        "ddp_find_unused_parameters": False,
        "use_cpu": hardware.device == "cpu",
        "ddp_backend": "gloo" if hardware.device == "cpu" and process_count() > 1 else None,
        "dataloader_pin_memory": hardware.device.startswith("cuda"),
        "bf16": hardware.dtype == "bfloat16",
        "fp16": hardware.dtype == "float16",
        "gradient_checkpointing": hardware.gradient_checkpointing,
        "remove_unused_columns": False,
        # Routers are not trained; dense models of a family with experts (Granite 4.0) have none.
        "router_aux_loss_coef": 0.0,
        "max_length": None,
    }


def callbacks(progress: Progress) -> list[Any]:
    """Progress for the user and markers for whole checkpoints."""
    return [TellProgress(progress), MarkComplete()]
