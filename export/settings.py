"""Settings of the export stage, as they stand in a config file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tooldrill.agent.settings import Settings

Quantization = Literal["F16", "Q8_0", "Q4_K_M"]


class ExportSettings(Settings):
    """Which GGUF files are made, and how near to the trained model they must be."""

    quantizations: list[Quantization] = Field(["F16", "Q8_0", "Q4_K_M"], min_length=1)
    max_kl_f16: float = Field(
        1e-3, gt=0, description="Mean KL divergence in nats, merged model to F16; beyond: failure."
    )
    llama_cpp_dir: str | None = Field(
        None,
        description="A checkout of llama.cpp whose script converts what tooldrill cannot; "
        "null: $LLAMA_CPP_DIR.",
    )
    min_top1_f16: float = Field(
        0.98, ge=0, le=1, description="Share of positions with the same most likely token."
    )
