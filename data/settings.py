"""Settings of the data stage, as they stand in a config file."""

from __future__ import annotations

from pydantic import Field

from tooldrill.agent.settings import Settings


class DataSettings(Settings):
    """What is generated. Shares are fractions of the SFT traces."""

    seed: int = Field(0, description="Same seed, same bytes.")
    worlds: list[str] = Field(
        ["files", "inventory", "tickets"],
        min_length=1,
        description="Training worlds; a held-out world is refused.",
    )
    traces: int = Field(300, ge=1, description="SFT traces.")
    pairs: int = Field(150, ge=0, description="DPO preference pairs.")
    tools: tuple[int, int] = Field((2, 6), description="Fewest and most tools offered in a task.")
    sharing: int = Field(
        4, ge=1, description="Most tasks offered the same registry; training computes it once."
    )
    masking: float = Field(
        0.3, ge=0, le=1, description="Share with tools and parameters renamed at random."
    )
    recovery: float = Field(
        0.2, ge=0, le=1, description="Share with a failed call in context that is then repaired."
    )
    restraint: float = Field(0.1, ge=0, le=1, description="Share in which nothing is to be called.")
