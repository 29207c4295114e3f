"""A model whose backbone computes what the rows of a batch share only once.

TRL's trainers call the model with a padded batch. Here the backbone's forward is replaced by one
that packs the batch into a prefix tree, runs the original forward on it with its own positions and
mask, and scatters the hidden states back into the padded shape. Collation, losses, metrics and
checkpoints stay TRL's, and none of them notices.
"""

from __future__ import annotations

import functools
from typing import Any

import torch

from tooldrill.training.prefix_tree import build_tree


def can_share(config: Any) -> bool:
    """Whether every layer is full attention, so that one 4-D mask says all there is to say."""
    layers = getattr(config, "layer_types", None) or ["full_attention"]
    recurrent = any(hasattr(config, name) for name in ("ssm_cfg", "mamba_d_state", "rwkv_version"))
    return set(layers) == {"full_attention"} and not recurrent


def share_prefixes(model: Any) -> None:
    """Replaces the forward of `model`'s backbone; harmless for calls without a padded batch.

    Args:
        model: a Transformers causal language model (before PEFT wraps it), see `can_share`.
    """
    backbone = model.base_model
    original = backbone.forward

    @functools.wraps(original)
    def forward(
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> Any:
        padded = input_ids is not None and attention_mask is not None and attention_mask.dim() == 2
        if not padded or kwargs.get("past_key_values") is not None:
            return original(input_ids=input_ids, attention_mask=attention_mask, **kwargs)
        return _shared(original, backbone, input_ids, attention_mask, kwargs)

    backbone.forward = forward


def _shared(
    original: Any,
    backbone: Any,
    input_ids: torch.Tensor | None,
    attention_mask: torch.Tensor | None,
    kwargs: dict[str, Any],
) -> Any:
    assert input_ids is not None and attention_mask is not None
    present = attention_mask.bool()
    rows = [ids[mask].tolist() for ids, mask in zip(input_ids, present, strict=True)]
    tree = build_tree(rows)
    device = input_ids.device
    kwargs = {**kwargs, "position_ids": tree.positions[None].to(device), "use_cache": False}
    output = original(
        input_ids=tree.tokens[None].to(device),
        attention_mask=_mask(tree.visible, backbone).to(device),
        **kwargs,
    )
    packed = output.last_hidden_state[0]
    places = torch.zeros(input_ids.shape, dtype=torch.long, device=device)
    places[present] = torch.cat(tree.places).to(device)
    # Padding shows the first token's state; its label is always -100.
    output.last_hidden_state = packed[places]
    return output


def _mask(visible: torch.Tensor, backbone: Any) -> torch.Tensor:
    """The 4-D mask in the form that the model's attention takes, shape (1, 1, T, T)."""
    if backbone.config._attn_implementation == "sdpa":
        return visible[None, None]
    additive = torch.zeros(visible.shape, dtype=backbone.dtype)
    return additive.masked_fill_(~visible, torch.finfo(backbone.dtype).min)[None, None]
