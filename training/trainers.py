"""TRL's trainers, fed with token ids that are already made and with prefixes computed once.

Only data preparation is taken out of their hands (their renderings of a conversation differ between
SFT and DPO, and cannot give a turn weight 0); losses, optimizers and checkpoints are theirs.
"""

from __future__ import annotations

from typing import Any

from trl import DPOTrainer, SFTTrainer


class PreparedSftTrainer(SFTTrainer):  # type: ignore[misc]
    """Takes rows of `input_ids` and `labels` as they are."""

    def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
        return dataset


class PreparedDpoTrainer(DPOTrainer):  # type: ignore[misc]
    """Takes rows of `prompt_ids`, `chosen_ids` and `rejected_ids` as they are."""

    def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
        return dataset
