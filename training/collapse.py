"""Stopping DPO when it makes the right replies unlikely.

The loss rewards a margin; it can grow while both replies lose probability, and past a point the
model writes neither. What is watched is the chosen replies' log-probability per token against the
reference's (the degeneration is described in arXiv:2402.13228).
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

WINDOW = 8  # steps


class StopOnCollapse(TrainerCallback):  # type: ignore[misc]
    """Ends training when the mean over the last steps falls below `-limit` nats per token.

    Attributes:
        reason: why training was ended, None when it was not.
        healthy: the newest checkpoint at which less than half of the limit was lost.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._gains: deque[float] = deque(maxlen=WINDOW)
        self.reason: str | None = None
        self.healthy: Path | None = None
        self.healthy_step = 0

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, float], **kwargs: Any
    ) -> None:
        if "chosen_gain_per_token" not in logs:
            return
        self._gains.append(logs["chosen_gain_per_token"])
        if len(self._gains) == WINDOW and self._mean() < -self._limit:
            control.should_training_stop = True
            self.reason = (
                f"the chosen replies lost {-self._mean():.2f} nats per token by step "
                f"{state.global_step}"
            )

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.reason is None and self._gains and self._mean() > -self._limit / 2:
            self.healthy = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            self.healthy_step = state.global_step

    def _mean(self) -> float:
        return sum(self._gains) / len(self._gains)
