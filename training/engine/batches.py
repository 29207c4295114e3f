"""From planned packs to the padded batches that TRL's losses read.

The trainers' datasets hold only which examples belong to a pack; the token ids stay here. Padding
costs nothing: the forward pass computes the pack as a prefix forest. A pack without members becomes
a batch without rows, see `is_empty`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from datasets import Dataset
from torch.nn.utils.rnn import pad_sequence

from tooldrill.training.engine.packing import StepPlan
from tooldrill.training.examples import IGNORED, Example, Preference, Row

Batch = dict[str, torch.Tensor]


def packs_dataset(plan: StepPlan) -> Dataset:
    """One row per pack: its members, and its share of the step's examples times the packs."""
    shares = [
        len(members) * plan.packs_per_step / plan.step_size(place) if members else 0.0
        for place, members in enumerate(plan.packs)
    ]
    return Dataset.from_dict({"members": plan.packs, "share": shares})


def is_empty(batch: Mapping[str, torch.Tensor]) -> bool:
    """Whether a batch has no rows: a step that needs fewer packs than others begins with such."""
    return batch["input_ids"].numel() == 0


class ExampleBatches:
    """Collates packs of SFT examples: `input_ids`, `attention_mask`, `labels`, `loss_weights`."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self._examples = examples

    def __call__(self, packs: Sequence[Mapping[str, Any]]) -> Batch:
        chosen = [row for pack in packs for i in pack["members"] for row in self._rows(i)]
        batch = _padded([row.input_ids for row in chosen])
        batch["labels"] = _pad([torch.tensor(row.labels) for row in chosen], IGNORED)
        weights = [torch.tensor(row.weights) for row in chosen]
        batch["loss_weights"] = _pad(weights, 0.0)
        return batch

    def _rows(self, index: int) -> list[Row]:
        return self._examples[index].sequences


class PreferenceBatches:
    """Collates packs of preferences as TRL's DPO loss reads them: all chosen, then all rejected.

    Attributes:
        reference: the reference model's log-probabilities of both replies, for each preference;
            zeros until they are known.
    """

    def __init__(self, preferences: Sequence[Preference]) -> None:
        self._preferences = preferences
        self.reference: Sequence[tuple[float, float]] = [(0.0, 0.0)] * len(preferences)

    def __call__(self, packs: Sequence[Mapping[str, Any]]) -> Batch:
        members = [i for pack in packs for i in pack["members"]]
        chosen = [self._preferences[i] for i in members]
        sides = [(p.prompt_ids, p.chosen_ids) for p in chosen]
        sides += [(p.prompt_ids, p.rejected_ids) for p in chosen]
        batch = _padded([prompt + reply for prompt, reply in sides])
        masks = [torch.tensor([0] * len(prompt) + [1] * len(reply)) for prompt, reply in sides]
        batch["completion_mask"] = _pad(masks, 0)
        batch["ref_chosen_logps"] = torch.tensor([self.reference[i][0] for i in members])
        batch["ref_rejected_logps"] = torch.tensor([self.reference[i][1] for i in members])
        batch["members"] = torch.tensor(members)
        batch["share"] = torch.tensor([float(pack["share"]) for pack in packs]).mean()
        return batch


def _padded(rows: Sequence[Sequence[int]]) -> Batch:
    """Token ids and mask, shape (B, L); (0, 0) without rows."""
    ids = [torch.tensor(row) for row in rows]
    masks = [torch.ones(len(row), dtype=torch.long) for row in rows]
    return {"input_ids": _pad(ids, 0), "attention_mask": _pad(masks, 0)}


def _pad(rows: list[torch.Tensor], value: float) -> torch.Tensor:
    if not rows:
        return torch.full((0, 0), value)
    return pad_sequence(rows, batch_first=True, padding_value=value)
