"""Ending a run whose numbers no longer are any, at the step where that happens."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.distributed.tensor import DTensor
from transformers import TrainerCallback

from tooldrill.training.processes import gathered_list


class StopOnDivergence(TrainerCallback):  # type: ignore[misc]
    """Stops at the first loss that is not finite, and keeps no checkpoint of that step.

    Once a loss is not a number the weights are not either: all further steps would be in vain.
    """

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, float], **kwargs: Any
    ) -> None:
        if not math.isfinite(logs.get("loss", 0.0)):
            control.should_training_stop = True
            control.should_save = False


def is_finite(model: Any) -> bool:
    """Whether all trained weights are numbers, in every process; to be called in each of them.

    A step whose loss was one can leave weights that are none.
    """
    own = [
        part.to_local() if isinstance(part, DTensor) else part
        for part in model.parameters()
        if part.requires_grad
    ]
    return all(gathered_list([all(bool(torch.isfinite(part).all()) for part in own)]))
