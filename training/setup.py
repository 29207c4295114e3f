"""What SFT and DPO both begin with: tokenizer, template, model and the machine's settings."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict
from transformers import TrainingArguments

from tooldrill.agent.atomic import write_text
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.progress import Progress
from tooldrill.agent.protocols.base import CallProtocol
from tooldrill.agent.render import ChatTemplate
from tooldrill.training import base_model
from tooldrill.training.checkpoints import MarkComplete
from tooldrill.training.divergence import StopOnDivergence
from tooldrill.training.engine.choose_layout import lay_out
from tooldrill.training.engine.layout import Layout
from tooldrill.training.examples import Encoder
from tooldrill.training.find_base import BaseModel as Base
from tooldrill.training.find_base import resolve
from tooldrill.training.hardware import Hardware, Shape, fit_memory, settle
from tooldrill.training.out_of_memory import less_weights, out_of_memory_told
from tooldrill.training.processes import (
    agreed,
    is_first,
    join,
    own_device,
    process_count,
    processes_here,
    sharded,
    told_processes,
)
from tooldrill.training.quantized_base import (
    computing_in_float32,
    load_quantized,
    require_optimizer,
    require_quantization,
)
from tooldrill.training.recipe import require_recipe
from tooldrill.training.settings import (
    ModelSettings,
    StageSettings,
    TrainingSettings,
)
from tooldrill.training.telling import TellProgress

_PROJECT = "tooldrill"  # of trackers
# Transformers renamed the argument, and warns of the old name where it knows the new one.
_CHECKPOINTING = next(
    name
    for name in ("activation_checkpointing", "gradient_checkpointing")
    if name in TrainingArguments.__dataclass_fields__
)


class TrainSummary(BaseModel):
    """What one training run came to.

    Attributes:
        adapter: folder of the adapter.
        examples: sequences (SFT) or pairs (DPO).
        tokens: tokens of all steps, every example on its own; computed: what the model had to,
            fewer by shared prefixes or more by padding; learned of them carry a loss.
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
    """A base model ready to be wrapped with an adapter, and how it and the machine are used."""

    model: Any
    hardware: Hardware
    layout: Layout
    choices: list[str]


def require_possible(settings: TrainingSettings, stage: StageSettings) -> None:
    """Says what cannot be done here, before anything is loaded.

    Raises:
        TooldrillError: for a package that is not there, a schedule or an optimizer that is not
            known, and four bits where they make no sense.
    """
    require_trackers(settings.report_to)
    require_recipe(stage)
    require_optimizer(stage, settings.hardware)
    if settings.quantization.enabled:
        require_quantization(settings.hardware)


def prepare_texts(model: ModelSettings, settings: TrainingSettings, stage: StageSettings) -> Texts:
    """Loads the tokenizer and its template.

    Raises:
        TooldrillError: for a model or a template that is not there, and as `require_possible`.
    """
    require_possible(settings, stage)
    base = resolve(model)
    tokenizer = base_model.load_tokenizer(base)
    source = base_model.chat_template(base, model, tokenizer)
    tokenizer.chat_template = source
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    template = ChatTemplate(source, tokenizer.bos_token or "", tokenizer.eos_token or "")
    encoder = Encoder(tokenizer, template, settings.max_length)
    return Texts(base, tokenizer, encoder, [template.protocol(name) for name in stage.protocols])


def prepare_model(
    base: Base, settings: TrainingSettings, longest: int, out: Path, unshared: int | None = None
) -> Prepared:
    """Loads the base model and settles how the machine is used.

    A run that goes on keeps what was settled when it began (`out/hardware.json`): with another
    number of tokens at once, its steps would be cut otherwise.

    Args:
        longest: tokens of the longest example; unshared: where its rows share nothing, if more.

    Raises:
        TooldrillError: when the model cannot be loaded, or the settings ask for what is not here.
    """
    wanted = settings.hardware
    join(cpu=wanted.device == "cpu" or not torch.cuda.is_available())
    cuda = torch.cuda.is_available()
    with out_of_memory_told("loading the model", less_weights(cuda=cuda)):
        weights = _load(base, settings)
    config = weights.config.get_text_config()
    shape = Shape(config.num_hidden_layers, config.hidden_size, longest)
    kept = _kept(out)
    hardware = agreed(settle(wanted, shape, kept))
    torch.set_num_threads(max(1, hardware.threads // processes_here()))
    # Where one process has its GPU to itself, kernels are tried on it; FSDP places shards itself.
    if hardware.device.startswith("cuda") and not settings.quantization.enabled and not sharded():
        with out_of_memory_told("loading the model", less_weights(cuda=cuda)):
            weights.to(device=own_device(hardware.device), dtype=_frozen_dtype(hardware))
    with computing_in_float32(weights):
        layout = lay_out(weights, hardware.attention, one_call=sharded())
    if not layout.shares:
        needs = replace(
            shape, longest=unshared or longest, scores=_scores(weights, layout, longest)
        )
        hardware = agreed(fit_memory(hardware, wanted, needs, kept))
    if is_first():
        _keep(hardware, out)
    choices = [*hardware.reasons, f"processes: {told_processes()}", layout.told]
    return Prepared(weights, hardware, layout, choices)


def _scores(model: Any, layout: Layout, longest: int) -> int:
    """Scores that a layer of eager attention keeps of a token, over the widest call."""
    if model.config._attn_implementation != "eager":
        return 0
    heads = getattr(model.config.get_text_config(), "num_attention_heads", 0)
    return int(heads) * max(longest, layout.most or longest)


def _frozen_dtype(hardware: Hardware) -> torch.dtype | None:
    """Autocast rounds frozen weights for every product: keeping them rounded saves two thirds."""
    return torch.bfloat16 if hardware.dtype == "bfloat16" else None


def _load(base: Base, settings: TrainingSettings) -> Any:
    if settings.quantization.enabled:
        return load_quantized(base, settings)
    return base_model.load_model(base)


def _kept(out: Path) -> Hardware | None:
    """What was settled when the run began; None for a new one, or one of another version."""
    try:
        return Hardware(**json.loads((out / "hardware.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


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
    if "wandb" in names:  # Transformers asks for its project here, not in its arguments
        os.environ.setdefault("WANDB_PROJECT", _PROJECT)


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
        # Transformers logs the mean loss in the place of one that is no number.
        "logging_nan_inf_filter": False,
        "report_to": settings.report_to or "none",
        # Trackers show runs by name: of runs/demo/sft/checkpoints, "demo sft".
        "project": _PROJECT,
        "run_name": " ".join(checkpoints.absolute().parts[-3:-1]),
        "disable_tqdm": True,
        "ddp_find_unused_parameters": False,
        "use_cpu": hardware.device == "cpu",
        "ddp_backend": "gloo" if hardware.device == "cpu" and process_count() > 1 else None,
        "dataloader_pin_memory": hardware.device.startswith("cuda"),
        "bf16": hardware.dtype == "bfloat16",
        "fp16": hardware.dtype == "float16",
        _CHECKPOINTING: hardware.gradient_checkpointing,
        "remove_unused_columns": False,
        # Routers are not trained; dense models of a family with experts (Granite 4.0) have none.
        "router_aux_loss_coef": 0.0,
        "max_length": None,
    }


def keep_to_device(arguments: Any, hardware: Hardware) -> Any:
    """Trainer arguments that stay on the one GPU of a run without a launcher.

    Transformers takes the first GPU, whichever was set, and spreads the model over all there are
    (DataParallel), as copies that know nothing of our forward pass.
    """
    if process_count() == 1 and hardware.device.startswith("cuda"):
        device = own_device(hardware.device)
        torch.cuda.set_device(device)
        # Where the arguments keep what they found; there is no setting for it.
        arguments.__dict__["_setup_devices"] = device
        arguments._n_gpu = 1
    return arguments


def callbacks(progress: Progress) -> list[Any]:
    """Progress for the user, markers for whole checkpoints, an end when the loss is no number."""
    return [TellProgress(progress), MarkComplete(), StopOnDivergence()]
