"""Settings of the export stage, as they stand in a config file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tooldrill.agent.settings import Settings

Quantization = Literal["F16", "BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q4_0", "IQ4_XS"]
# What is written of the model's own weights; all others are made of F16.
Unquantized = Literal["F16", "BF16"]
AdapterType = Literal["F32", "F16"]
MergeInto = Literal["original", "dequantized"]


class ExportSettings(Settings):
    """Which GGUF files are made, and how near to the trained model they must be."""

    quantizations: list[Quantization] = Field(
        ["F16", "Q8_0", "Q4_K_M"],
        min_length=1,
        description="F16, BF16, Q8_0, Q6_K, Q5_K_M, Q4_K_M, Q4_0, IQ4_XS; F16 is always made and "
        "compared, and kept if it is here.",
    )
    merge_into: MergeInto = Field(
        "original",
        description="After training in four bits: the base's own weights, or `dequantized`, "
        "those that the adapter learned over (needs bitsandbytes).",
    )
    max_kl_merged: float = Field(
        1e-5, gt=0, description="Mean KL divergence in nats, adapter to merged; beyond: failure."
    )
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
    max_kl_quantized: float | None = Field(
        1.0, gt=0, description="Mean KL, merged model to each other file; null: only reported."
    )
    min_top1_quantized: float | None = Field(
        None, ge=0, le=1, description="Share of equal top tokens of these; null: only reported."
    )
    adapter_gguf: bool = Field(
        True, description="Also write the adapter as a GGUF for llama.cpp's --lora."
    )
    adapter_gguf_type: AdapterType = Field(
        "F32", description="Of its matrices; F16 halves the file and rounds what passes through it."
    )
