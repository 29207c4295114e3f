"""The reference model's log-probabilities, computed once and kept by content.

DPO compares the model in training with the one it began as. That one never changes, so each reply's
log-probability is computed before the first step, in the same layout, and written to the
user's cache under a hash of the weights: another run over the same pairs, one that was killed on
the way, or a longer one computes only what is new.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from tooldrill.agent.atomic import write_text
from tooldrill.agent.cache import cache_folder
from tooldrill.agent.progress import Progress, silent
from tooldrill.training.engine.batches import PreferenceBatches
from tooldrill.training.engine.layout import FOREST, Layout
from tooldrill.training.engine.packing import plan_steps
from tooldrill.training.examples import Preference
from tooldrill.training.processes import agreed, gathered, is_first, process_count, process_rank

Pair = tuple[float, float]

# Packs of each process between two times of writing the cache.
_KEPT = 32


def reference_log_probs(
    model: Any,
    preferences: Sequence[Preference],
    groups: Sequence[str],
    *,
    budget: int,
    layout: Layout = FOREST,
    dtype: str = "float32",
    progress: Progress = silent,
) -> list[Pair]:
    """The summed log-probabilities (nats) of each preference's chosen and rejected reply.

    Args:
        model: as it is before training, with TRL's fused head.
        groups: what each preference shares with others, see `plan_steps`.
        budget: most tokens computed at once; layout: how the model computes them.
        dtype: what the caller has it compute in, by autocast.
    """
    path = cache_folder() / "reference" / f"{fingerprint(model, dtype)}.json"
    known: dict[str, Pair] = _read(path)
    keys = [_key(preference) for preference in preferences]
    known = agreed(known)
    missing = list({key: i for i, key in enumerate(keys) if key not in known}.values())
    if missing:
        wanted = [preferences[i] for i in missing]
        their_groups = [groups[i] for i in missing]
        for found in _compute(model, wanted, their_groups, budget, layout, progress):
            known |= {keys[missing[index]]: pair for index, pair in found.items()}
            if is_first():
                path.parent.mkdir(parents=True, exist_ok=True)
                write_text(path, json.dumps(known))
    return [known[key] for key in keys]


def fingerprint(model: Any, dtype: str) -> str:
    """A hash of every weight and of how it is computed with."""
    digest = hashlib.sha256(dtype.encode())
    for name, weights in sorted(model.state_dict().items()):
        digest.update(f"{name} {tuple(weights.shape)} {weights.dtype}".encode())
        whole = weights.detach().cpu().contiguous().flatten().view(torch.uint8)
        digest.update(memoryview(whole.numpy()))
    config = model.get_base_model().config.to_dict()
    digest.update(json.dumps(config, sort_keys=True, default=str).encode())
    return digest.hexdigest()[:32]


def _compute(  # noqa: PLR0917 - as they come from above
    model: Any,
    preferences: Sequence[Preference],
    groups: Sequence[str],
    budget: int,
    layout: Layout,
    progress: Progress,
) -> Iterator[dict[int, Pair]]:
    """Pairs by their index, some packs at a time; the same in all processes."""
    rows = [p.rows for p in preferences]
    plan = plan_steps(rows, groups, batch_size=len(rows), budget=budget, layout=layout)
    collate = PreferenceBatches(preferences)
    training, block = model.training, _KEPT * process_count()
    model.eval()
    for first in range(0, len(plan.packs), block):
        found: dict[int, Pair] = {}
        for place, members in enumerate(plan.packs[first : first + block], first):
            if place % process_count() == process_rank():
                progress(place, len(plan.packs), "log-probabilities of the reference")
                found |= _pairs(model, collate, members)
        yield gathered(found)
    model.train(training)


def _pairs(model: Any, collate: PreferenceBatches, members: list[int]) -> dict[int, Pair]:
    """Those of one pack."""
    device = next(model.parameters()).device
    batch = collate([{"members": members, "share": 1.0}])
    ids, present = batch["input_ids"].to(device), batch["attention_mask"].to(device)
    labels = ids.masked_fill(batch["completion_mask"].to(device) == 0, -100)
    with torch.no_grad():
        output = model(input_ids=ids, attention_mask=present, labels=labels, fused_lm_head=True)
    chosen, rejected = output.log_probs.sum(1).float().cpu().chunk(2)
    return {
        member: (chosen[place].item(), rejected[place].item())
        for place, member in enumerate(members)
    }


def _key(preference: Preference) -> str:
    sides = [preference.prompt_ids, preference.chosen_ids, preference.rejected_ids]
    return hashlib.sha256(json.dumps(sides).encode()).hexdigest()[:32]


def _read(path: Path) -> dict[str, Pair]:
    """What is in the cache; one that cannot be read is as good as none."""
    try:
        content = json.loads(path.read_text("utf-8"))
        return {str(key): (float(pair[0]), float(pair[1])) for key, pair in content.items()}
    except (OSError, ValueError, TypeError, AttributeError, IndexError):
        return {}
