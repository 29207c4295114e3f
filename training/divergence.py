"""Ending a run whose loss is no longer a number, at the step where it happens."""

from __future__ import annotations

import math
from typing import Any

from transformers import TrainerCallback


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
