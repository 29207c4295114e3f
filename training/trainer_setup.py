"""What TRL's trainers are given by us: arguments, their device, trackers, callbacks."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import TrainingArguments

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.progress import Progress
from tooldrill.training.checkpoints import MarkComplete
from tooldrill.training.divergence import StopOnDivergence
from tooldrill.training.hardware import Hardware
from tooldrill.training.processes import own_device, process_count
from tooldrill.training.settings import StageSettings, TrainingSettings
from tooldrill.training.telling import TellProgress

_PROJECT = "tooldrill"  # of trackers
# Transformers renamed the argument, and warns of the old name where it knows the new one.
_CHECKPOINTING = next(
    name
    for name in ("activation_checkpointing", "gradient_checkpointing")
    if name in TrainingArguments.__dataclass_fields__
)


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
