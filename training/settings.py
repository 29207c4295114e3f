"""Settings of the training stage, as they stand in a config file."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from tooldrill.agent.settings import ProtocolName, Settings


class ModelSettings(Settings):
    """The base model."""

    path: str = Field(
        "smollm2-135m",
        description="`smollm2-135m` (the embedded one), a local folder, a GGUF file or a hub name.",
    )
    chat_template: str | None = Field(
        None,
        description="A Jinja file; `tooldrill` for the bundled one with the model's own turns "
        "(`tooldrill-chatml`, `-gemma`, `-llama3`, `-phi` name the turns); or null: the model's "
        "own if it knows tools, else `tooldrill`.",
    )
    trust_remote_code: bool = Field(
        False, description="Run the Python code that comes with the model: read it first."
    )


class LoraSettings(Settings):
    """The adapter (passed to PEFT)."""

    rank: int = Field(16, ge=1)
    alpha: int = Field(32, ge=1)
    dropout: float = Field(0.0, ge=0, lt=1)
    targets: str | list[str] = Field("all-linear", description="Module names, or all-linear.")
    rslora: bool = Field(False, description="Scale by alpha / sqrt(rank) (arXiv:2312.03732).")
    dora: bool = Field(False, description="Learn magnitudes apart (arXiv:2402.09353).")
    init: bool | str = Field(
        True, description="init_lora_weights: true, gaussian, pissa, olora, orthogonal..."
    )
    rank_pattern: dict[str, int] = Field({}, description="Other ranks for some modules.")
    alpha_pattern: dict[str, int] = Field({}, description="Other alphas for some modules.")
    extra: dict[str, Any] = Field({}, description="Anything else that peft.LoraConfig takes.")


class HardwareSettings(Settings):
    """What the machine is asked for; null lets the probe decide (see `tooldrill doctor`)."""

    dtype: Literal["float32", "bfloat16", "float16"] | None = None
    device: str | None = Field(None, description="cpu, cuda, cuda:1, mps.")
    threads: int | None = Field(None, ge=1)
    gradient_checkpointing: bool | None = None
    tokens: int | None = Field(
        None, ge=64, description="Most tokens computed at once; a step is cut into such packs."
    )
    attention: Literal["branches", "dense", "flex"] | None = Field(
        None, description="How shared prefixes are attended to; all give the same numbers."
    )


class QuantizationSettings(Settings):
    """The frozen base in four bits while training (QLoRA, arXiv:2305.14314); for CUDA, or a CPU
    that is named in `hardware.device`."""

    enabled: bool = False
    double: bool = Field(True, description="Quantize the quantization's constants too.")


class StageSettings(Settings):
    """What both steps of training have."""

    enabled: bool = True
    protocols: list[ProtocolName] = Field(["native"], min_length=1)
    epochs: float = Field(1.0, gt=0)
    max_steps: int | None = Field(None, ge=1, description="Instead of `epochs`.")
    warmup: float = Field(0.05, ge=0, lt=1, description="Share of the steps.")
    schedule: str = Field("cosine", description="Any of Transformers' lr_scheduler_type.")
    optimizer: str = Field(
        "adamw_torch", description="Any of Transformers' optim: paged_adamw_8bit with QLoRA."
    )
    weight_decay: float = Field(0.0, ge=0)
    max_grad_norm: float = Field(1.0, gt=0)
    save_every: int = Field(20, ge=1, description="Steps between checkpoints.")
    seed: int = 0


class SftSettings(StageSettings):
    """Supervised fine-tuning."""

    learning_rate: float = Field(1e-3, gt=0)
    batch_size: int = Field(4, ge=1, description="Examples per step; those sharing a prefix meet.")


DpoLoss = Literal[
    "sigmoid",
    "hinge",
    "ipo",
    "exo_pair",
    "nca_pair",
    "robust",
    "bco_pair",
    "sppo_hard",
    "aot",
    "aot_unpaired",
    "apo_zero",
    "apo_down",
    "discopop",
    "sigmoid_norm",
]


# Those in which TRL (1.16) makes use of label_smoothing.
SMOOTHED_LOSSES = ("exo_pair", "robust", "aot", "aot_unpaired")


class DpoSettings(StageSettings):
    """Preference tuning after SFT."""

    loss: DpoLoss = Field("sigmoid", description="Any of TRL's.")
    beta: float = Field(0.1, gt=0)
    label_smoothing: float = Field(0.0, ge=0, lt=0.5, description="For robust, exo_pair and aot.")
    sft_weight: float = Field(
        0.2, ge=0, description="Weight of an added SFT term, per token (RPO, arXiv:2404.19733)."
    )
    collapse: float | None = Field(
        0.5,
        gt=0,
        description="Stop when the chosen replies lost so much log-probability, in nats per token "
        "on average over 8 steps; null never stops.",
    )
    learning_rate: float = Field(1e-4, gt=0)
    batch_size: int = Field(4, ge=1, description="Pairs per step.")
    warmup: float = Field(0.1, ge=0, lt=1)


class RoundsSettings(Settings):
    """The model works on training tasks and learns from its own violations; `rounds: 2` will do."""

    count: int = Field(0, ge=0, description="How many times, after DPO and with its settings.")
    tasks: int = Field(200, ge=1, description="Training tasks that it works on in each.")
    mixed: float = Field(0.5, ge=0, lt=1, description="Share of made pairs among those of a round.")


Tracker = Literal["tensorboard", "trackio", "wandb"]


class TrainingSettings(Settings):
    """Everything between the data and the adapter."""

    lora: LoraSettings = LoraSettings()
    quantization: QuantizationSettings = QuantizationSettings()
    hardware: HardwareSettings = HardwareSettings()
    max_length: int = Field(4096, ge=64, description="Longest example; longer ones are refused.")
    launcher: str | None = Field(
        None,
        description="Several processes: `accelerate launch --num_processes 2`; on CPUs `torchrun`.",
    )
    report_to: list[Tracker] = Field(["tensorboard"], description="Where curves are sent.")
    sft: SftSettings = SftSettings()
    dpo: DpoSettings = DpoSettings()
    rounds: RoundsSettings = RoundsSettings()

    @property
    def has_plain_lora(self) -> bool:
        """Whether the adapter is LoRA and no more, over layers that are not quantized."""
        lora = self.lora
        return not (self.quantization.enabled or lora.dropout or lora.dora or lora.extra)

    @field_validator("rounds", mode="before")
    @classmethod
    def _only_a_number(cls, value: Any) -> Any:
        return {"count": value} if isinstance(value, int) else value
