"""Log-probabilities of learned tokens through a frozen head, a few hundred tokens at a time.

Logits are the widest tensor of a training step (vocabulary times learned tokens), and autograd
holds several of them at once. But how a token's log-probability changes with its hidden state,

    d log p(t) / d h = s W^T ((onehot(t) - p) (1 - (z / cap)^2)),   z = cap tanh(s W h / cap),

needs nothing from further on: it is worked out with the logits, chunk by chunk, and scaled by
whatever gradient arrives. Same multiplications, same numbers but for rounding, and no logits kept.

Not for heads that are trained or quantized: `learned_head` leaves those to autograd.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch.autograd.function import once_differentiable

# Logits at once: 32 MiB in float32, enough rows for a good multiplication.
_CHUNK = 2**23


class Scores(NamedTuple):
    """Figures of n learned tokens, each of shape (n,); only `log_probs` has a gradient."""

    log_probs: torch.Tensor
    entropy: torch.Tensor
    mean_logits: torch.Tensor
    is_top1: torch.Tensor


@dataclass(frozen=True)
class Head:
    """An output layer: z = cap tanh(scale (W h + b) / cap), without the cap where it is None.

    Attributes:
        layer: a linear layer, vocabulary by hidden size.
    """

    layer: Any
    scale: float
    cap: float | None

    @property
    def is_frozen(self) -> bool:
        return type(self.layer) is torch.nn.Linear and not any(
            parameter.requires_grad for parameter in self.layer.parameters()
        )

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        """States (n, H) to logits (n, V), in float32."""
        # Outside autocast: these log-probabilities are compared to a few hundredths.
        with torch.autocast(states.device.type, enabled=False):
            logits = self.layer(states.to(self.layer.weight.dtype)).float()
        if self.scale != 1:
            logits = logits * self.scale
        capped: torch.Tensor = self.cap * torch.tanh(logits / self.cap) if self.cap else logits
        return capped


def score(head: Head, states: torch.Tensor, targets: torch.Tensor) -> Scores:
    """Hidden states (n, H) and the tokens (n,) that should follow them."""
    if head.is_frozen:
        return Scores(*_FrozenScores.apply(states, targets, head))  # type: ignore[no-untyped-call]
    logits = head.logits(states)
    log_probs = torch.log_softmax(logits, dim=-1)
    learned = log_probs.gather(1, targets[:, None])[:, 0]
    with torch.no_grad():
        entropy = -(log_probs.exp() * log_probs).sum(-1)
        return Scores(learned, entropy, logits.mean(-1), logits.argmax(-1) == targets)


class _FrozenScores(torch.autograd.Function):
    """The four figures; the log-probabilities' slopes in the states are made on the way."""

    @staticmethod
    def forward(
        ctx: Any, states: torch.Tensor, targets: torch.Tensor, head: Head
    ) -> tuple[torch.Tensor, ...]:
        rows = max(16, _CHUNK // head.layer.out_features)
        slopes = torch.empty_like(states) if ctx.needs_input_grad[0] else None
        parts = []
        for start in range(0, len(states), rows):
            chunk = slice(start, start + rows)
            logits = head.logits(states[chunk])
            scores, probabilities = _figures(logits, targets[chunk])
            parts.append(scores)
            if slopes is not None:
                slopes[chunk] = _slopes(head, logits, probabilities, targets[chunk])
        empty = _figures(states.new_zeros(0, 1).float(), targets[:0])[0]
        found = Scores(*(torch.cat(column) for column in zip(empty, *parts, strict=True)))
        ctx.mark_non_differentiable(*found[1:])
        if slopes is not None:
            ctx.save_for_backward(slopes)
        return tuple(found)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor, *_: Any) -> tuple[torch.Tensor | None, ...]:
        (slopes,) = ctx.saved_tensors
        return (slopes * grad[:, None]).to(slopes.dtype), None, None


def _figures(logits: torch.Tensor, targets: torch.Tensor) -> tuple[Scores, torch.Tensor]:
    """The figures of a chunk, and its probabilities (n, V)."""
    total = torch.logsumexp(logits, dim=-1)
    probabilities = (logits - total[:, None]).exp_()
    learned = logits.gather(1, targets[:, None])[:, 0] - total
    entropy = total - torch.linalg.vecdot(probabilities, logits)
    top = logits.argmax(-1) == targets if logits.shape[0] else targets == -1
    return Scores(learned, entropy, logits.mean(-1), top), probabilities


def _slopes(
    head: Head, logits: torch.Tensor, probabilities: torch.Tensor, targets: torch.Tensor
) -> torch.Tensor:
    """How each log-probability changes with its state, (n, H). Overwrites the probabilities."""
    slopes = probabilities.neg_()
    slopes.scatter_add_(1, targets[:, None], torch.ones_like(slopes[:, :1]))
    if head.cap:
        slopes.mul_(1 - (logits / head.cap).square_())
    if head.scale != 1:
        slopes.mul_(head.scale)
    with torch.autocast(slopes.device.type, enabled=False):  # as the logits
        found: torch.Tensor = slopes.to(head.layer.weight.dtype) @ head.layer.weight
    return found
