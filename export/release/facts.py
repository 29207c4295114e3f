"""What the cards of a release tell, as plain data: training, data, measured results.

They are gathered by whoever knows the run, and travel with the adapter as `adapter/tooldrill.json`,
so that a release made from that adapter elsewhere tells the same. Nothing is computed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tooldrill.agent.errors import TooldrillError
from tooldrill.export.records import ExportSummary
from tooldrill.training.settings import ModelSettings

FACTS_FILE = "tooldrill.json"


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Table(_Facts):
    """A table of texts: a row has as many cells as there are columns."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    note: str = ""


class TrainingStep(_Facts):
    """One step of training: SFT, DPO or a round.

    Attributes:
        examples: sequences or pairs; tokens: of all steps; learned: of them with a loss.
        settings: the step's section of the config.
        choices: what the machine was asked to do, and why.
    """

    step: str
    examples: int
    tokens: int
    learned: int
    steps: int
    seconds: float
    final_loss: float
    settings: dict[str, Any]
    choices: list[str] = Field(default_factory=list)


class TrainingFacts(_Facts):
    """How the adapter was trained.

    Attributes:
        adapter: the adapter's section of the config.
        four_bits: whether the base was quantized while it was trained.
        versions: of Python and the packages.
    """

    steps: list[TrainingStep]
    adapter: dict[str, Any]
    max_length: int | None
    four_bits: bool
    versions: dict[str, str]


class DataFacts(_Facts):
    """What the adapter was trained on.

    Attributes:
        settings: the data section of the config.
        held_out: worlds that the evaluation uses and the data must not.
        licence: sentences, one per source.
        listing: what is in it, counted: tables of the data stage's own card.
    """

    seed: int
    traces: int
    pairs: int
    worlds: list[str]
    mixture: dict[str, float]
    settings: dict[str, Any]
    held_out: list[str]
    licence: list[str]
    listing: list[Table] = Field(default_factory=list)


class Measured(_Facts):
    """What the evaluation found.

    Attributes:
        model: what the sentences and tables call this model.
        file_sha256: of the GGUF file that was evaluated; quantization: what it was.
        sentences: the verdict, the most important first.
        conditions: how the episodes were run.
        tables: rates with intervals, violations by class.
        results: the same as numbers, one mapping per model, for programs.
    """

    model: str
    file_sha256: str
    quantization: str
    sentences: list[str]
    conditions: list[str]
    tables: list[Table]
    results: list[dict[str, Any]]


class Provenance(_Facts):
    """Everything known about where the weights come from; None where nothing is known."""

    training: TrainingFacts | None = None
    data: DataFacts | None = None
    measured: Measured | None = None


@dataclass(frozen=True)
class Release:
    """What a release is made of.

    Attributes:
        summary: what the export stage said; folder: where its files lie.
        adapter: the PEFT folder; None when the base itself was exported.
        config: the resolved config, as YAML.
    """

    summary: ExportSummary
    folder: Path
    model: ModelSettings
    adapter: Path | None
    config: str
    provenance: Provenance


def read_provenance(adapter: Path) -> Provenance:
    """What an adapter's folder tells of itself; an empty one where it tells nothing.

    Raises:
        TooldrillError: when the file is there and is not what `Provenance` writes.
    """
    path = adapter / FACTS_FILE
    if not path.is_file():
        return Provenance()
    try:
        return Provenance.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise TooldrillError(
            f"{path} is not what a release writes: {where}: {first['msg']}",
            "take the file away: the cards then say that nothing is known of the training",
        ) from error
