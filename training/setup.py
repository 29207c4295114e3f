"""What SFT and DPO both begin with: tokenizer, template, model and the machine's settings."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict

from tooldrill.agent.atomic import write_text
from tooldrill.agent.protocols.base import CallProtocol
from tooldrill.agent.render import ChatTemplate
from tooldrill.training import base_model
from tooldrill.training.config_shape import decoder_of_model
from tooldrill.training.engine.choose_layout import lay_out
from tooldrill.training.engine.layout import Layout
from tooldrill.training.examples import Encoder
from tooldrill.training.find_base import BaseModel as Base
from tooldrill.training.find_base import resolve
from tooldrill.training.hardware import Hardware, Shape, fit_memory, settle
from tooldrill.training.out_of_memory import less_weights, out_of_memory_told
from tooldrill.training.processes import (
    agreed,
    is_first,
    join,
    own_device,
    process_count,
    processes_here,
    sharded,
    told_processes,
)
from tooldrill.training.quantized_base import (
    computing_in_float32,
    load_quantized,
    require_optimizer,
    require_quantization,
)
from tooldrill.training.recipe import require_recipe
from tooldrill.training.settings import (
    ModelSettings,
    StageSettings,
    TrainingSettings,
)
from tooldrill.training.trainer_setup import require_trackers


class TrainSummary(BaseModel):
    """What one training run came to.

    Attributes:
        adapter: folder of the adapter.
        examples: sequences (SFT) or pairs (DPO).
        tokens: tokens of all steps, every example on its own; computed: what the model had to,
            fewer by shared prefixes or more by padding; learned of them carry a loss.
        seconds: of this process's part of the training.
        curve: logged steps, with `step` and `loss`.
        choices: what the machine was asked to do, and why.
        stopped: why it ended early, None when it did not.
    """

    model_config = ConfigDict(extra="forbid")

    adapter: Path
    examples: int
    tokens: int
    computed: int
    learned: int
    steps: int
    seconds: float
    final_loss: float
    curve: list[dict[str, float]]
    choices: list[str]
    stopped: str | None = None


@dataclass(frozen=True)
class Texts:
    """What turns rows into token ids."""

    base: Base
    tokenizer: Any
    encoder: Encoder
    protocols: list[CallProtocol]


@dataclass(frozen=True)
class Prepared:
    """A base model ready to be wrapped with an adapter, and how it and the machine are used."""

    model: Any
    hardware: Hardware
    layout: Layout
    choices: list[str]


def require_possible(settings: TrainingSettings, stage: StageSettings) -> None:
    """Says what cannot be done here, before anything is loaded.

    Raises:
        TooldrillError: for a package that is not there, a schedule or an optimizer that is not
            known, and four bits where they make no sense.
    """
    require_trackers(settings.report_to)
    require_recipe(stage)
    require_optimizer(stage, settings.hardware)
    if settings.quantization.enabled:
        require_quantization(settings.hardware)


def prepare_texts(model: ModelSettings, settings: TrainingSettings, stage: StageSettings) -> Texts:
    """Loads the tokenizer and its template.

    Raises:
        TooldrillError: for a model or a template that is not there, and as `require_possible`.
    """
    require_possible(settings, stage)
    base = resolve(model)
    tokenizer = base_model.load_tokenizer(base)
    source = base_model.chat_template(base, model, tokenizer)
    tokenizer.chat_template = source
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    template = ChatTemplate(source, tokenizer.bos_token or "", tokenizer.eos_token or "")
    encoder = Encoder(tokenizer, template, settings.max_length)
    return Texts(base, tokenizer, encoder, [template.protocol(name) for name in stage.protocols])


def prepare_model(
    base: Base, settings: TrainingSettings, longest: int, out: Path, unshared: int | None = None
) -> Prepared:
    """Loads the base model and settles how the machine is used.

    A run that goes on keeps what was settled when it began (`out/hardware.json`): with another
    number of tokens at once, its steps would be cut otherwise.

    Args:
        longest: tokens of the longest example; unshared: where its rows share nothing, if more.

    Raises:
        TooldrillError: when the model cannot be loaded, or the settings ask for what is not here.
    """
    wanted = settings.hardware
    join(cpu=wanted.device == "cpu" or not torch.cuda.is_available())
    cuda = torch.cuda.is_available()
    with out_of_memory_told("loading the model", less_weights(cuda=cuda)):
        weights = _load(base, settings)
    decoder = decoder_of_model(weights.config.get_text_config())
    shape = Shape(decoder, longest, plain=settings.has_plain_lora)
    kept = _kept(out)
    hardware = agreed(settle(wanted, shape, kept))
    torch.set_num_threads(max(1, hardware.threads // processes_here()))
    # Where one process has its GPU to itself, kernels are tried on it; FSDP places shards itself.
    if hardware.device.startswith("cuda") and not settings.quantization.enabled and not sharded():
        with out_of_memory_told("loading the model", less_weights(cuda=cuda)):
            weights.to(device=own_device(hardware.device), dtype=_frozen_dtype(hardware))
    with computing_in_float32(weights):
        layout = lay_out(weights, hardware.attention, one_call=sharded())
    # Anew: by now the weights lie on their device, and it is known what rows share.
    shape = replace(shape, unloaded=_unloaded(weights, hardware))
    if not layout.shares:
        scores = _scores(weights, layout, longest)
        shape = replace(shape, longest=unshared or longest, scores=scores)
    hardware = agreed(fit_memory(hardware, wanted, shape, kept))
    if is_first():
        _keep(hardware, out)
    choices = [*hardware.reasons, f"processes: {told_processes()}", layout.told]
    return Prepared(weights, hardware, layout, choices)


def _scores(model: Any, layout: Layout, longest: int) -> int:
    """Scores that a layer of eager attention keeps of a token, over the widest call."""
    if model.config._attn_implementation != "eager":
        return 0
    heads = getattr(model.config.get_text_config(), "num_attention_heads", 0)
    return int(heads) * max(longest, layout.most or longest)


def _unloaded(model: Any, hardware: Hardware) -> float:
    """Bytes of weights that the trainer will yet put on the device of each process."""
    weights = next(model.parameters())
    if hardware.device.startswith(weights.device.type):
        return 0.0
    size = sum(part.numel() * part.element_size() for part in model.parameters())
    return float(size) / (process_count() if sharded() else 1)


def _frozen_dtype(hardware: Hardware) -> torch.dtype | None:
    """Autocast rounds frozen weights for every product: keeping them rounded saves two thirds."""
    return torch.bfloat16 if hardware.dtype == "bfloat16" else None


def _load(base: Base, settings: TrainingSettings) -> Any:
    if settings.quantization.enabled:
        return load_quantized(base, settings)
    return base_model.load_model(base)


def _kept(out: Path) -> Hardware | None:
    """What was settled when the run began; None for a new one, or one of another version."""
    try:
        return Hardware(**json.loads((out / "hardware.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _keep(hardware: Hardware, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "hardware.json", json.dumps(asdict(hardware), indent=1))
