"""Stopping DPO when it makes the right replies unlikely.

The loss rewards a margin; it can grow while both replies lose probability, and past a point the
model writes neither. What is watched is the chosen replies' log-probability per token against the
reference's (the degeneration is described in arXiv:2402.13228).
"""

from __future__ import annotations

import shutil
from collections import deque
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from tooldrill.agent.atomic import atomic_directory
from tooldrill.agent.errors import TooldrillError

WINDOW = 8  # steps
_ADAPTER = ("adapter_config.json", "adapter_model.safetensors")
_STEP = "step"
_GAIN = "chosen_gain_per_token"  # as the trainer logs it


class StopOnCollapse(TrainerCallback):  # type: ignore[misc]
    """Ends training when the mean over the last steps falls below `-limit` nats per token.

    Args:
        keep: folder for the adapter of the newest checkpoint at which less than half of the limit
            was lost; the checkpoints themselves are removed as newer ones come.

    Attributes:
        reason: why training was ended, None when it was not.
    """

    def __init__(self, limit: float, keep: Path) -> None:
        self._limit = limit
        self._keep = keep
        self._gains: deque[float] = deque(maxlen=WINDOW)
        self.reason: str | None = None

    def restore(self, folder: Path) -> int:
        """Copies the adapter from before the collapse into `folder`; returns its step.

        Raises:
            TooldrillError: when there was no checkpoint yet.
        """
        if not self._keep.is_dir():
            raise TooldrillError(
                f"{self.reason}, before the first checkpoint",
                "lower training.dpo.learning_rate or training.dpo.save_every, and run with --force",
            )
        _copy_adapter(self._keep, folder)
        return int((self._keep / _STEP).read_text("utf-8"))

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """A run that goes on has the figures of the steps before: it stops where it would have."""
        self._gains.extend(entry[_GAIN] for entry in state.log_history if _GAIN in entry)
        self._judge(state.global_step)

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, float], **kwargs: Any
    ) -> None:
        if _GAIN not in logs:
            return
        self._gains.append(logs[_GAIN])
        self._judge(state.global_step)
        if self.reason is not None:
            control.should_training_stop = True

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.reason is None and self._gains and self._mean() > -self._limit / 2:
            if not state.is_world_process_zero:
                return
            with atomic_directory(self._keep) as folder:
                _copy_adapter(Path(args.output_dir) / f"checkpoint-{state.global_step}", folder)
                (folder / _STEP).write_text(str(state.global_step), "utf-8")

    def _judge(self, step: int) -> None:
        if self.reason is None and len(self._gains) == WINDOW and self._mean() < -self._limit:
            self.reason = (
                f"the chosen replies lost {-self._mean():.2f} nats per token by step {step}"
            )

    def _mean(self) -> float:
        return sum(self._gains) / len(self._gains)


def _copy_adapter(source: Path, target: Path) -> None:
    for name in _ADAPTER:
        shutil.copyfile(source / name, target / name)
