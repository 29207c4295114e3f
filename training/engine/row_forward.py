"""A backbone's forward that computes the rows of a padded batch in calls of its own making.

TRL's trainers call the model with a padded batch. Here the rows are taken out of it, computed
however a layout says, and their hidden states are put back into the padded shape. Collation,
losses, metrics and checkpoints stay TRL's, and none of them notices.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

Tokens = list[int]


@dataclass(frozen=True)
class Computed:
    """What the calls for some rows came to.

    Attributes:
        output: the original forward's, of the last call.
        states: shape (T, H), hidden states of all calls.
        places: for each row, shape (n,), where its tokens lie among them.
    """

    output: Any
    states: torch.Tensor
    places: list[torch.Tensor]


# Takes the original forward, the rows, their device and the caller's further arguments.
Compute = Callable[[Any, list[Tokens], torch.device, dict[str, Any]], Computed]


def by_rows(original: Any, compute: Compute) -> Any:
    """The forward of a backbone, for batches that come as token ids and a 2-D mask.

    Args:
        original: the backbone's own; whatever else comes (generation, a cache) is left to it.
    """

    @functools.wraps(original)
    def forward(
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> Any:
        padded = input_ids is not None and attention_mask is not None and attention_mask.dim() == 2
        if not padded or kwargs.get("past_key_values") is not None:
            return original(input_ids=input_ids, attention_mask=attention_mask, **kwargs)
        assert input_ids is not None and attention_mask is not None
        present = attention_mask.bool()
        rows = [ids[mask].tolist() for ids, mask in zip(input_ids, present, strict=True)]
        found = compute(original, rows, input_ids.device, {**kwargs, "use_cache": False})
        places = torch.zeros(input_ids.shape, dtype=torch.long, device=input_ids.device)
        places[present] = torch.cat(found.places).to(input_ids.device)
        # Padding shows the first token's state; its label is always -100.
        found.output.last_hidden_state = found.states[places]
        return found.output

    return forward


def by_calls(
    calls: list[list[int]], rows: list[Tokens], call: Callable[[list[Tokens]], Any]
) -> Computed:
    """Computes rows in several calls.

    Args:
        calls: places of the rows of each.
        call: takes a call's rows; returns the output with the hidden states of their tokens alone,
            end to end, as `last_hidden_state` (T, H).
    """
    outputs = [call([rows[place] for place in places]) for places in calls]
    found: list[torch.Tensor] = [torch.empty(0, dtype=torch.long)] * len(rows)
    start = 0
    for place in (place for places in calls for place in places):
        found[place] = torch.arange(start, start + len(rows[place]))
        start += len(rows[place])
    states = torch.cat([output.last_hidden_state for output in outputs])
    return Computed(outputs[-1], states, found)
