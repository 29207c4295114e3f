"""Settings of the training stage, as they stand in a config file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tooldrill.agent.settings import ProtocolName, Settings


class ModelSettings(Settings):
    """The base model."""

    path: str = Field(
        "smollm2-135m",
        description="`smollm2-135m` (the embedded one), a local folder, a GGUF file or a hub name.",
    )
    chat_template: str | None = Field(
        None,
        description="A Jinja file, `tooldrill` for the bundled one, or null: the model's own if it "
        "knows tools, else the bundled one.",
    )


class LoraSettings(Settings):
    """The adapter (passed to PEFT)."""

    rank: int = Field(16, ge=1)
    alpha: int = Field(32, ge=1)
    dropout: float = Field(0.0, ge=0, lt=1)
    targets: str | list[str] = Field("all-linear", description="Module names, or all-linear.")


class HardwareSettings(Settings):
    """What the machine is asked for; null lets the probe decide (see `tooldrill doctor`)."""

    dtype: Literal["float32", "bfloat16", "float16"] | None = None
    device: str | None = Field(None, description="cpu, cuda, cuda:1, mps.")
    threads: int | None = Field(None, ge=1)
    gradient_checkpointing: bool | None = None


class SftSettings(Settings):
    """Supervised fine-tuning."""

    enabled: bool = True
    protocols: list[ProtocolName] = Field(["native"], min_length=1)
    epochs: float = Field(1.0, gt=0)
    max_steps: int | None = Field(None, ge=1, description="Stops earlier than `epochs`.")
    learning_rate: float = Field(1e-3, gt=0)
    batch_size: int = Field(4, ge=1, description="Examples per step; those sharing a prefix meet.")
    gradient_accumulation: int = Field(1, ge=1)
    warmup: float = Field(0.05, ge=0, lt=1, description="Share of the steps.")
    save_every: int = Field(20, ge=1, description="Steps between checkpoints.")
    seed: int = 0


class DpoSettings(Settings):
    """Preference tuning after SFT."""

    enabled: bool = True
    protocols: list[ProtocolName] = Field(["native"], min_length=1)
    loss: Literal["sigmoid", "ipo"] = "sigmoid"
    beta: float = Field(0.1, gt=0)
    sft_weight: float = Field(0.2, ge=0, description="Weight of an added SFT term (RPO alpha).")
    epochs: float = Field(1.0, gt=0)
    max_steps: int | None = Field(None, ge=1)
    learning_rate: float = Field(1e-4, gt=0)
    batch_size: int = Field(4, ge=1, description="Pairs per step.")
    gradient_accumulation: int = Field(1, ge=1)
    warmup: float = Field(0.1, ge=0, lt=1)
    save_every: int = Field(20, ge=1)
    seed: int = 0


class TrainingSettings(Settings):
    """Everything between the data and the adapter."""

    lora: LoraSettings = LoraSettings()
    hardware: HardwareSettings = HardwareSettings()
    max_length: int = Field(1024, ge=64, description="Longest example; longer ones are refused.")
    sft: SftSettings = SftSettings()
    dpo: DpoSettings = DpoSettings()
