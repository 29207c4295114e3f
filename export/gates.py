"""Whether a link of the chain is near enough, and what is said where it is not.

A failure names the link, the first text and token at which it parts, and the tensor, where one is
known. The numbers are `compare`'s and `tensors`'.
"""

from __future__ import annotations

from tooldrill.agent.errors import TooldrillError
from tooldrill.export.compare import DeltaTally
from tooldrill.export.records import Delta, TensorCheck
from tooldrill.export.samples import Samples
from tooldrill.export.settings import ExportSettings

AGAIN = "report this with verify.json: the exporter and llama.cpp disagree about this model"


def require_merged(
    tally: DeltaTally, delta: Delta, samples: Samples, settings: ExportSettings
) -> None:
    """Adapter to merged weights.

    Raises:
        TooldrillError: beyond the gate.
    """
    breach = _breach(delta, settings.max_kl_merged, settings.min_top1_f16)
    if breach:
        where = place_told(tally, settings.max_kl_merged, samples)
        raise TooldrillError(
            f"the merged model is not the base with its adapter: {breach}; {where}",
            "train a plain LoRA (training.lora.extra={}), or export the adapter alone",
        )


def require_f16(
    tally: DeltaTally,
    delta: Delta,
    samples: Samples,
    settings: ExportSettings,
    tensors: TensorCheck | None,
) -> None:
    """Merged weights to the F16 file.

    Raises:
        TooldrillError: beyond the gate, or where a tensor differs.
    """
    breach = _breach(delta, settings.max_kl_f16, settings.min_top1_f16)
    if breach is None and (tensors is None or tensors.differing is None):
        return
    told = breach or f"mean KL {delta.mean_kl:.2g} nats"
    parts = [place_told(tally, settings.max_kl_f16, samples), _tensor_told(tensors)]
    raise TooldrillError(
        f"the F16 file is not the merged model: {'; '.join([told, *filter(None, parts)])}", AGAIN
    )


def breach_of_quantized(delta: Delta, settings: ExportSettings) -> str | None:
    """What is beyond the gate of merged weights to a quantized file; None where nothing is."""
    return _breach(delta, settings.max_kl_quantized, settings.min_top1_quantized)


def place_told(tally: DeltaTally, limit: float, samples: Samples) -> str:
    """Where two models part first, with the text before it; empty where they do nowhere."""
    place = tally.first_beyond(limit)
    if place is None:
        return ""
    text, position = place
    tokens = samples.items[text].tokens[: position + 1]
    return f"first at text {text}, token {position} ({tokens[-1]}), after {samples.shown(tokens)!r}"


def _breach(delta: Delta, max_kl: float | None, min_top1: float | None) -> str | None:
    told = []
    # Written so that a NaN is a breach.
    if max_kl is not None and not delta.mean_kl <= max_kl:
        told.append(f"mean KL {delta.mean_kl:.2g} nats (at most {max_kl:g})")
    agreeing = delta.top1 + delta.near_ties
    if min_top1 is not None and not agreeing >= min_top1:
        told.append(f"same top token {agreeing:.1%} (at least {min_top1:.0%})")
    return ", ".join(told) or None


def _tensor_told(tensors: TensorCheck | None) -> str:
    if tensors is None:
        return ""
    if tensors.differing is None:
        return f"its {tensors.tensors} tensors are the model's, so their layout is wrong"
    off = f", by up to {tensors.off_by:.3g}" if tensors.off_by is not None else ""
    return f"the first tensor that differs is {tensors.differing}{off}"
