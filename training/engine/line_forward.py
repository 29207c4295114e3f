"""A backbone that computes each row on a line of its own: rows of like length side by side.

For models whose layers carry a state from one row into the next when they stand in one sequence.
Padding stands on the right, where no earlier token sees it; where even that changes a model's
numbers, every row is a call of its own.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence

from tooldrill.training.engine.layout import Layout
from tooldrill.training.engine.row_forward import Computed, Tokens, by_calls, by_rows


def by_lines(original: Any, layout: Layout) -> Any:
    """The forward of a backbone whose rows are computed in the batches that `layout` makes."""

    def compute(
        original: Any, rows: list[Tokens], device: torch.device, kwargs: dict[str, Any]
    ) -> Computed:
        def call(some: list[Tokens]) -> Any:
            ids = pad_sequence([torch.tensor(row) for row in some], batch_first=True).to(device)
            sizes = torch.tensor([len(row) for row in some], device=device)
            present = torch.arange(ids.shape[1], device=device) < sizes[:, None]
            mask = None if bool(present.all()) else present.long()
            output = original(input_ids=ids, attention_mask=mask, **kwargs)
            output.last_hidden_state = output.last_hidden_state[present]
            return output

        return by_calls(layout.calls([len(row) for row in rows]), rows, call)

    return by_rows(original, compute)
