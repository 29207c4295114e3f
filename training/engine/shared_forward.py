"""A model whose backbone computes what the rows of a batch share only once.

TRL's trainers call the model with a padded batch. Here the backbone's forward is replaced by one
that packs the batch into a prefix forest, runs the original forward on it with its own positions
and mask, and scatters the hidden states back into the padded shape. Collation, losses, metrics and
checkpoints stay TRL's, and none of them notices.

Whether a model computes the same on a forest is looked up where its config says so, and tried in
any case: see `share_prefixes`.
"""

from __future__ import annotations

import functools
from typing import Any

import torch

from tooldrill.training.engine import tree_attention
from tooldrill.training.engine.prefix_tree import build_tree

# Relative difference of a token's hidden state; rounding alone stays a hundred times below.
_TOLERANCE = 1e-3
# The kinds of layers that a mask can tell everything; others carry a state from token to token.
_MASKED = {"attention", "full_attention", "sliding_attention"}


def share_prefixes(model: Any, kernel: tree_attention.Kernel = "branches") -> str | None:
    """Replaces the forward of `model`'s backbone if that leaves its numbers as they are.

    Rows that share prefixes are computed both ways and compared. Where recurrent layers, attention
    sinks, soft caps and the like make a difference, the model is left as it was.

    Args:
        model: a Transformers causal language model, before PEFT wraps it.
        kernel: how to attend over a forest, see `tree_attention`.

    Returns:
        None, or why the model cannot share prefixes.
    """
    config = model.config.get_text_config()
    others = set(getattr(config, "layer_types", None) or ()) - _MASKED
    if others:
        return f"it has {', '.join(sorted(others))} layers"
    tree_attention.register()
    backbone = model.base_model
    before = model.config._attn_implementation
    original = backbone.forward
    try:
        model.set_attn_implementation(f"tooldrill_{kernel}")
        reason = _difference(original, backbone)
    except Exception as error:  # whatever a foreign architecture raises means: not this one
        reason = f"{type(error).__name__}: {str(error).splitlines()[0][:120]}"
    if reason is not None:
        model.set_attn_implementation(before)
        return reason
    backbone.forward = _sharing(original)
    return None


def _difference(original: Any, backbone: Any) -> str | None:
    """Why the forest's hidden states are not the plain ones; None where they are."""
    config = backbone.config.get_text_config()
    window = getattr(config, "sliding_window", None) or 0
    length = 24 if window > 1024 else window + 24
    device = next(backbone.parameters()).device
    step = max(1, config.vocab_size // 97)
    trunk = [(7 * i + 3) * step % config.vocab_size for i in range(length)]
    rows = [
        trunk + [5 * step % config.vocab_size] * 6,
        [*trunk, 11 * step % config.vocab_size, *trunk[:7]],
        trunk[: length // 2] + trunk[:9],
    ]
    width = max(map(len, rows))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in rows], device=device)
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows], device=device)
    training = backbone.training
    backbone.eval()
    try:
        with torch.no_grad():
            plain = original(input_ids=ids, attention_mask=mask, use_cache=False)
            shared = _sharing(original)(input_ids=ids, attention_mask=mask, use_cache=False)
    finally:
        backbone.train(training)
    present = mask.bool()
    wanted = plain.last_hidden_state[present].float()
    found = shared.last_hidden_state[present].float()
    error = float(((found - wanted).norm(dim=-1) / wanted.norm(dim=-1)).max())
    # bfloat16 keeps three digits, so the same sums in another order differ in the third.
    tolerance = _TOLERANCE if backbone.dtype == torch.float32 else 30 * _TOLERANCE
    return None if error < tolerance else f"hidden states would differ by {error:.1%}"


def _sharing(original: Any) -> Any:
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
        return _shared(original, input_ids, attention_mask, kwargs)

    return forward


def _shared(
    original: Any, input_ids: torch.Tensor, attention_mask: torch.Tensor, kwargs: dict[str, Any]
) -> Any:
    present = attention_mask.bool()
    rows = [ids[mask].tolist() for ids, mask in zip(input_ids, present, strict=True)]
    tree = build_tree(rows)
    device = input_ids.device
    kwargs = {**kwargs, "position_ids": tree.positions[None].to(device), "use_cache": False}
    output = original(
        input_ids=tree.tokens[None].to(device),
        attention_mask=tree_attention.as_mask(tree.ends).to(device),
        **kwargs,
    )
    packed = output.last_hidden_state[0]
    places = torch.zeros(input_ids.shape, dtype=torch.long, device=device)
    places[present] = torch.cat(tree.places).to(device)
    # Padding shows the first token's state; its label is always -100.
    output.last_hidden_state = packed[places]
    return output
