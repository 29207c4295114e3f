"""What training tells while it runs: progress for the user, a loss curve for the report."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback

from tooldrill.agent.progress import Progress


class TellProgress(TrainerCallback):  # type: ignore[misc]
    """Reports steps and loss to a `Progress`."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._note = ""

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._progress(state.global_step, state.max_steps, self._note)

    def on_log(
        self,
        args: Any,
        state: Any,
        control: Any,
        logs: dict[str, float],
        **kwargs: Any,
    ) -> None:
        if "loss" in logs:
            self._note = f"loss {logs['loss']:.3f}"

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._progress(state.global_step, state.max_steps, self._note)


def curve_of(history: list[dict[str, Any]]) -> list[dict[str, float]]:
    """The logged steps: step, loss and what else the trainer logged."""
    return [
        {key: float(value) for key, value in entry.items() if isinstance(value, int | float)}
        for entry in history
        if "loss" in entry
    ]
