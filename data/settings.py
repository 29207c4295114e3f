"""Settings of the data stage, as they stand in a config file."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from tooldrill.agent.settings import Settings


class Mixture(Settings):
    """How much of the set each source makes, relative to the others."""

    worlds: float = Field(1.0, ge=0, description="The worlds named in data.worlds.")
    forge: float = Field(1.0, ge=0, description="Generated worlds without end.")
    harvest: float = Field(
        0.0,
        ge=0,
        description="Single calls of real APIs; needs `pip install 'tooldrill[harvest]'`.",
    )


class DataFile(Settings):
    """Rows that were made elsewhere: by `tooldrill data ingest`, `teach` or `failures`."""

    path: Path = Field(description="A folder with sft.jsonl and/or dpo.jsonl, or one such file.")
    weight: float = Field(1.0, gt=0, description="Relative to data.mixture.")


class DataSettings(Settings):
    """What is generated. Shares are fractions of the SFT traces."""

    seed: int = Field(0, description="Same seed, same bytes.")
    worlds: list[str] = Field(
        ["files", "inventory", "tickets", "mail", "config", "convert", "library", "jobs"],
        min_length=1,
        description="Training worlds; a held-out world is refused.",
    )
    mixture: Mixture = Mixture()
    files: list[DataFile] = Field([], description="Rows made elsewhere, mixed in.")
    traces: int = Field(300, ge=1, description="SFT traces.")
    pairs: int = Field(150, ge=0, description="DPO preference pairs.")
    rejected: int = Field(
        3, ge=1, description="Pairs of one right reply; training computes its prompt once."
    )
    tools: tuple[int, int] = Field((3, 24), description="Fewest and most tools offered in a task.")
    sharing: int = Field(
        12, ge=1, description="Most tasks offered the same registry; training computes it once."
    )
    masking: float = Field(
        0.3, ge=0, le=1, description="Share with tools and parameters renamed at random."
    )
    recovery: float = Field(
        0.2, ge=0, le=1, description="Share with a failed call in context that is then repaired."
    )
    restraint: float = Field(0.1, ge=0, le=1, description="Share in which nothing is to be called.")
    voices: float = Field(
        0.6,
        ge=0,
        le=1,
        description="Share of requests reworded: other voices, messy messages, typos.",
    )
    situations: float = Field(
        0.15,
        ge=0,
        le=1,
        description="Share put into a trying situation: temptations, broken tools.",
    )
    longest: int = Field(
        12_000,
        ge=500,
        description="Characters of a conversation, its tools as signature lines; longer ones are "
        "left out. A token has about 3 of them.",
    )
    workers: int | None = Field(
        None, ge=1, description="Processes; the bytes do not depend on it. Default: the cores."
    )
