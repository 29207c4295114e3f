"""The pages of a release: model card, adapter card, data card. Words are in `templates`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from huggingface_hub import ModelCardData

from tooldrill.export.records import Delta, ExportSummary, GgufFile
from tooldrill.export.release.base_facts import BaseFacts
from tooldrill.export.release.facts import DataFacts, Measured, Provenance, Table
from tooldrill.export.release.markdown import render
from tooldrill.export.release.served import ServedModel

_TAGS = ["gguf", "llama.cpp", "tool-calling", "function-calling", "agent", "tooldrill"]
# Settings that say nothing of what was learned.
_NO_RECIPE = ("enabled", "save_every")


def model_card(
    summary: ExportSummary,
    base: BaseFacts,
    served: ServedModel,
    provenance: Provenance,
    *,
    names: Mapping[str, str],
    adapter: bool,
) -> str:
    """`README.md`, with the hub's metadata in front.

    Args:
        names: file names in the folder, by those of the export stage.
        adapter: whether the adapter lies there as safetensors.
    """
    lora = summary.adapter_gguf
    trained = adapter or provenance.training is not None
    relation = "finetune" if trained else "quantized"
    return render(
        "model_card.md",
        metadata=_metadata(base, relation, library="gguf", tags=_TAGS),
        title=summary.name,
        base=base,
        trained=trained,
        main=names[preferred(summary).file],
        files=file_table(summary, names),
        near=nearness_table(summary),
        tokens=summary.verification.tokens,
        served=served,
        protocols=_protocols(provenance),
        lora=names[lora.file] if lora else None,
        no_lora=summary.no_adapter_gguf,
        training=provenance.training,
        steps=training_table(provenance),
        hyperparameters=list(_hyperparameters(provenance)),
        data=provenance.data,
        measured=provenance.measured,
        measured_file=_measured_file(summary, names, provenance.measured),
    )


def adapter_card(summary: ExportSummary, base: BaseFacts, provenance: Provenance) -> str:
    """`adapter/README.md`."""
    return render(
        "adapter_card.md",
        metadata=_metadata(base, "adapter", library="peft", tags=["lora", *_TAGS[2:]]),
        title=summary.name,
        base=base,
        measured=provenance.measured,
    )


def data_card(facts: DataFacts) -> str:
    """`DATA.md`."""
    return render("data_card.md", data=facts)


def preferred(summary: ExportSummary) -> GgufFile:
    """The file that most should take: the smallest of eight bits and more, else the largest."""
    enough = [file for file in summary.files if file.bits_per_weight >= 8]
    if enough:
        return min(enough, key=lambda file: file.bits_per_weight)
    return max(summary.files, key=lambda file: file.bits_per_weight)


def file_table(summary: ExportSummary, names: Mapping[str, str]) -> Table:
    """Sizes, real bits per weight, and tensors that did not get their type."""
    rows = [
        [
            names[file.file],
            f"{file.bytes / 1e6:,.1f}",
            f"{file.bits_per_weight:.2f}",
            _fallbacks(file) or "-",
        ]
        for file in summary.files
    ]
    if summary.adapter_gguf:
        lora = summary.adapter_gguf
        rows.append([names[lora.file], f"{lora.bytes / 1e6:,.1f}", "-", "the adapter alone"])
    return Table(
        title="Files", columns=["file", "MB", "bits per weight", "stored otherwise"], rows=rows
    )


def nearness_table(summary: ExportSummary) -> Table:
    """What each link of the chain from the trained adapter to a file changes."""
    columns = ["", "positions", "mean KL, nats", "same most likely token", "perplexity"]
    rows = [_nearness(name, delta) for name, delta in _links(summary)]
    return Table(title="Files against the trained model", columns=columns, rows=rows)


def _links(summary: ExportSummary) -> Iterator[tuple[str, Delta]]:
    merge, lora = summary.verification.merge, summary.adapter_gguf
    if merge is not None and merge.quantized_base is not None and merge.quantized_base.difference:
        yield "from four bits to whole weights", merge.quantized_base.difference
    if merge is not None and merge.delta is not None:
        yield "merging the adapter", merge.delta
    for check in summary.verification.logits:
        yield check.quantization, check
    if lora is not None and lora.check is not None:
        yield "the adapter on the base's F16 file", lora.check.logits


def training_table(provenance: Provenance) -> Table | None:
    """A row per step of training."""
    if provenance.training is None:
        return None
    rows = [
        [
            step.step,
            f"{step.examples:,}",
            f"{step.tokens:,}",
            f"{step.learned:,}",
            f"{step.steps:,}",
            f"{step.final_loss:.4g}",
            f"{step.seconds / 60:,.1f}",
        ]
        for step in provenance.training.steps
    ]
    columns = ["step", "examples", "tokens", "learned", "updates", "last loss", "minutes"]
    return Table(title="Training", columns=columns, rows=rows)


def _metadata(base: BaseFacts, relation: str, *, library: str, tags: list[str]) -> str:
    """The front matter; YAML is made by the library, so that no value can break out of it."""
    licence = base.licence
    data = ModelCardData(
        language=["en"],
        license=licence.identifier if licence else None,
        license_name=licence.name if licence else None,
        license_link=licence.link if licence else None,
        library_name=library,
        pipeline_tag="text-generation",
        base_model=base.repository,
        base_model_relation=relation if base.repository else None,
        tags=tags,
    )
    return data.to_yaml()


def _fallbacks(file: GgufFile) -> str:
    return ", ".join(f"{100 * one.share:.0f}% {one.type}" for one in file.fallbacks)


def _nearness(name: str, delta: Delta) -> list[str]:
    before, after = delta.perplexity_before, delta.perplexity
    told = None not in (before, after)
    return [
        name,
        f"{delta.positions:,}",
        f"{delta.mean_kl:.2g}",
        f"{100 * delta.top1:.1f}%",
        f"{before:.4g} to {after:.4g}" if told else "-",
    ]


def _protocols(provenance: Provenance) -> list[str]:
    """The protocols it was trained on; none where nothing is known."""
    if provenance.training is None:
        return []
    found = [p for step in provenance.training.steps for p in step.settings.get("protocols", [])]
    return list(dict.fromkeys(map(str, found)))


def _hyperparameters(provenance: Provenance) -> Iterator[tuple[str, str]]:
    if provenance.training is None:
        return
    yield "adapter", _settings(provenance.training.adapter)
    for step in provenance.training.steps:
        yield step.step, _settings(step.settings)


def _settings(values: Mapping[str, Any]) -> str:
    told = {k: v for k, v in values.items() if v not in (None, {}) and k not in _NO_RECIPE}
    return ", ".join(f"{key} {_shown(value)}" for key, value in told.items())


def _shown(value: Any) -> str:
    return " and ".join(map(str, value)) if isinstance(value, list) else str(value)


def _measured_file(
    summary: ExportSummary, names: Mapping[str, str], measured: Measured | None
) -> str | None:
    """The name of the very file that was evaluated, when it lies here."""
    if measured is None:
        return None
    same = (file for file in summary.files if file.sha256 == measured.file_sha256)
    return next((names[file.file] for file in same), None)
