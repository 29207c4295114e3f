"""TRL's trainers, fed with packs of token ids that are already made, and with less to compute.

Data preparation is taken out of their hands (their renderings of a conversation differ between SFT
and DPO, and cannot give a turn weight 0), the output head where theirs is slow, and the reference
model, whose log-probabilities come with the batch. Losses, optimizers and checkpoints are theirs.
"""

from __future__ import annotations

import types
from collections.abc import Sequence
from typing import Any

import torch
from trl import DPOTrainer, SFTTrainer

from tooldrill.training.engine.batches import is_empty
from tooldrill.training.engine.fused_lora import fuse_lora
from tooldrill.training.engine.fused_mlp import fuse_mlps
from tooldrill.training.engine.fused_norm import fuse_norms
from tooldrill.training.engine.learned_head import can_score_learned_only, score_learned_only
from tooldrill.training.engine.loss_weights import weigh_log_probs
from tooldrill.training.examples import IGNORED
from tooldrill.training.processes import gathered_list, process_count


class _Prepared:
    """A TRL trainer that takes its rows as they are."""

    model: Any
    args: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fuse_mlps(self.model)
        fuse_lora(self.model)
        fuse_norms(self.model)
        causal = self.model.get_base_model()
        if can_score_learned_only(causal):
            score_learned_only(causal)
        weigh_log_probs(causal)

    def training_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """One pack's gradients; an empty one has none, and no process computes anything then."""
        if is_empty(inputs):
            return torch.zeros((), device=self.args.device)
        return super().training_step(model, inputs, *args, **kwargs)  # type: ignore[misc]

    def _send_telemetry(self) -> None:
        """Nothing about a user's training is sent anywhere."""

    def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
        return dataset


class PreparedSftTrainer(_Prepared, SFTTrainer):  # type: ignore[misc]
    """Takes the batches of `ExampleBatches`."""

    def _get_num_items_in_batch(self, batch_samples: list[Any], device: Any) -> Any:
        """The sum of the learned tokens' weights over the whole step, not their number."""
        weights = [
            batch["loss_weights"][:, 1:][batch["labels"][:, 1:] != IGNORED].sum()
            for batch in batch_samples
        ]
        total = torch.stack(weights).sum().to(device)
        if self.args.average_tokens_across_devices and self.args.world_size > 1:
            total = self.accelerator.gather(total).sum()
        return total


class PreparedDpoTrainer(_Prepared, DPOTrainer):  # type: ignore[misc]
    """Takes the batches of `PreferenceBatches`; logs margins and lengths by violation class.

    Args:
        violations: the violation class of each preference.
        sft_weight: of an added term, the chosen reply's negative log-probability per token (RPO,
            arXiv:2404.19733). TRL's own is a mean over a batch's tokens, which would change with
            how a step is cut into packs.
    """

    def __init__(
        self, *args: Any, violations: Sequence[str], sft_weight: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._violations = violations
        self._sft_weight = sft_weight
        self._seen: list[torch.Tensor] = []
        self._watch(self.model.get_base_model())
        if process_count() > 1:
            self.accelerator.gather = _gatherer(self.accelerator.gather)

    def _precompute_ref_logps(self, dataset: Any, name: str, batch_size: int) -> Any:
        """They come with the batch."""
        return dataset

    def _watch(self, causal: Any) -> None:
        """Keeps each row's log-probability; PEFT calls `forward` past any hook of the module."""
        patched = causal.forward

        def forward(_model: Any, *args: Any, **kwargs: Any) -> Any:
            output = patched(*args, **kwargs)
            if getattr(output, "log_probs", None) is not None:
                self._seen.append(output.log_probs.sum(1))
            return output

        causal.forward = types.MethodType(forward, causal)

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, **kwargs: Any
    ) -> Any:
        """TRL's mean over the pack's pairs, weighted so that all pairs of a step count alike."""
        members, share = inputs.pop("members"), inputs.pop("share")
        self._seen.clear()
        loss = super().compute_loss(model, inputs, return_outputs, **kwargs)
        loss, outputs = loss if return_outputs else (loss, None)
        log_probs = self._seen.pop()
        if self._sft_weight:
            chosen, _ = (log_probs / inputs["completion_mask"].sum(1)).chunk(2)
            loss = loss - self._sft_weight * chosen.mean()
        self._diagnose(log_probs.detach().cpu(), members.tolist(), inputs)
        return (loss * share, outputs) if return_outputs else loss * share

    def _diagnose(
        self, log_probs: torch.Tensor, members: list[int], inputs: dict[str, Any]
    ) -> None:
        chosen, rejected = log_probs.chunk(2)
        lengths = inputs["completion_mask"].sum(1).cpu()
        chosen_length, rejected_length = lengths.chunk(2)
        chosen_gain = chosen - inputs["ref_chosen_logps"].cpu()
        margin = chosen_gain - (rejected - inputs["ref_rejected_logps"].cpu())
        figures = {
            "margin": self.beta * margin,
            "accuracy": (margin > 0).float(),
            "length_difference": (chosen_length - rejected_length).float(),
        }
        told = [
            (f"{name}/{self._violations[member]}", values[place].item())
            for place, member in enumerate(members)
            for name, values in figures.items()
        ]
        told += [("chosen_gain_per_token", gain) for gain in (chosen_gain / chosen_length).tolist()]
        metrics = self._metrics["train" if self.model.training else "eval"]
        # The same in all processes: by the gain they decide, together, whether to go on.
        for name, value in gathered_list(told):
            metrics[name].append(value)


def _gatherer(gather: Any) -> Any:
    """Gathers from processes that hold different numbers of pairs.

    TRL gathers figures of each pair as if all held as many; packs are cut by tokens and differ.
    """

    def of_any_length(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.dim() == 0:
            found: torch.Tensor = gather(tensor)
            return found
        values = gathered_list(tensor.tolist())
        return torch.tensor(values, dtype=tensor.dtype, device=tensor.device)

    return of_any_length
