"""TRL's trainers, fed with token ids that are already made and with less to compute.

Only data preparation is taken out of their hands (their renderings of a conversation differ between
SFT and DPO, and cannot give a turn weight 0), and the output head where theirs is slow. Losses,
optimizers and checkpoints are theirs.
"""

from __future__ import annotations

from typing import Any

from trl import DPOTrainer, SFTTrainer

from tooldrill.training.engine.learned_head import can_score_learned_only, score_learned_only


class _Prepared:
    """A TRL trainer that takes its rows as they are."""

    model: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        causal = self.model.get_base_model()
        if can_score_learned_only(causal):
            score_learned_only(causal)

    def _send_telemetry(self) -> None:
        """Nothing about a user's training is sent anywhere."""

    def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
        return dataset


class PreparedSftTrainer(_Prepared, SFTTrainer):  # type: ignore[misc]
    """Takes rows of `input_ids` and `labels`."""


class PreparedDpoTrainer(_Prepared, DPOTrainer):  # type: ignore[misc]
    """Takes rows of `prompt_ids`, `chosen_ids` and `rejected_ids`."""
