"""The names in a recipe that only Transformers knows: schedule and optimizer, judged at the start.

What an optimizer of bitsandbytes needs is told by `quantized_base`.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace

import torch
from transformers import Trainer, get_scheduler
from transformers.trainer_utils import SchedulerType
from transformers.training_args import OptimizerNames

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.names import nearest
from tooldrill.training.quantized_base import is_bitsandbytes
from tooldrill.training.settings import StageSettings

# They follow an evaluation's figures, and training has no evaluation: the rate would never change.
_FOLLOWING = {SchedulerType.REDUCE_ON_PLATEAU.value, "greedy"}
# They make the update of a whole matrix smaller; an adapter's is small.
_FOR_WHOLE_WEIGHTS = ("galore_", "apollo_", "lomo", "adalomo")
_PLAIN = "cosine, linear, constant_with_warmup, polynomial, inverse_sqrt"


def require_recipe(stage: StageSettings) -> None:
    """Says so where Transformers does not know a name, or wants more than a config can say.

    Raises:
        TooldrillError: naming the key's value and what to use.
    """
    _require_known("optimizer", stage.optimizer, (kind.value for kind in OptimizerNames))
    _require_known("schedule", stage.schedule, (kind.value for kind in SchedulerType))
    if stage.optimizer.startswith(_FOR_WHOLE_WEIGHTS):
        raise TooldrillError(
            f"optimizer {stage.optimizer} is for training whole weights, and here an adapter is",
            "use adamw_torch",
        )
    if not is_bitsandbytes(stage.optimizer):
        _require_made(stage)
    if stage.schedule in _FOLLOWING:
        raise TooldrillError(
            f"schedule {stage.schedule} follows an evaluation, and training has none",
            f"use one of {_PLAIN}",
        )
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    try:
        get_scheduler(stage.schedule, optimizer, num_warmup_steps=1, num_training_steps=2)
    except (TypeError, ValueError) as error:
        raise TooldrillError(
            f"schedule {stage.schedule} needs settings of its own: {str(error).splitlines()[0]}",
            f"use one of {_PLAIN}",
        ) from error


def _require_made(stage: StageSettings) -> None:
    """Raises TooldrillError for an optimizer that cannot be made, for want of a package say."""
    arguments = SimpleNamespace(
        optim=OptimizerNames(stage.optimizer), optim_args=None, learning_rate=1e-3, adam_beta1=0.9,
        adam_beta2=0.999, adam_epsilon=1e-8, weight_decay=stage.weight_decay,
    )  # fmt: skip
    try:
        Trainer.get_optimizer_cls_and_kwargs(arguments)
    except (ImportError, ValueError, RuntimeError) as error:
        raise TooldrillError(
            f"optimizer {stage.optimizer}: {str(error).splitlines()[0]}", "or use adamw_torch"
        ) from error


def _require_known(key: str, given: str, names: Iterable[str]) -> None:
    known = list(names)
    if given not in known:
        near = nearest(given, known)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(known)}"
        raise TooldrillError(f"{key} {given!r} is not known to Transformers", hint)
