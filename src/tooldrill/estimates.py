"""Tokens, minutes and memory of each stage before it runs.

Time is work over speed. Work is counted in floating-point operations: a forward pass takes 2 per
weight and token that is computed, the backward pass of a LoRA run 2 more (weights get no gradient,
activations do), checkpointing another forward pass, a DPO step one of the reference. The output
layer works on learned tokens alone. Speed is the processor's own matrix-multiplication rate, probed
in 0.3 s, times the share of it that the stage was measured to reach; a GPU's speed is not known
here. The shares and the tokens per example below were measured on the embedded model (135M) with
two cores and are rough elsewhere: expect a factor of two.

Memory is that of the largest pack. How large it gets was looked up in the plans of six data sets
(150 to 300 rows of 2 to 24 tools, two of them built otherwise than by default).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt

from tooldrill.config import RunConfig
from tooldrill.layout import BASE, DPO, ROUNDS, SFT
from tooldrill.machine import matmul_rate, this_machine
from tooldrill.model_shape import ModelShape, model_shape
from tooldrill.training.activations import MOST_TOKENS, ROOM, activation_bytes
from tooldrill.training.settings import TrainingSettings
from tooldrill.training_memory import LEARNED_SHARE, Weights, on_gpu, training_memory

# Tokens of an example: a constant part and a part per tool offered.
TRACE_TOKENS, TRACE_TOKENS_PER_TOOL = 420, 22
PROMPT_TOKENS, PROMPT_TOKENS_PER_TOOL = 330, 22
REPLY_TOKENS = 40
EPISODE_REPLIES = 2.5
# Share of the matrix-multiplication rate that is reached.
TRAINING_SHARE = 0.58
PREFILL_SHARE = 0.8
DECODING_SHARE = 0.15
# Prefixes that examples of a step share are computed once: what is left to compute.
SFT_COMPUTED, DPO_COMPUTED = 0.58, 0.22
# The largest step of a run, of B examples: a share a + b / sqrt(B) of B mean ones computed alone.
# Within 30% of those six plans for B of 4 and 16.
SFT_LARGEST, DPO_LARGEST = (0.1, 2.4), (0.05, 1.6)
# The longest example, of the mean one.
LONGEST = 2.1
EXPORT_SECONDS_PER_WEIGHT = 6e-8
VERIFY_TOKENS = 900
TRACES_PER_SECOND = 120.0
START_SECONDS = 8.0
PROCESS_MEMORY = 0.9e9
BITS = {"F16": 16.0, "Q8_0": 8.5, "Q6_K": 6.6, "Q5_K_M": 5.7, "Q4_K_M": 4.9}


@dataclass(frozen=True)
class Estimate:
    """What a stage will take; None where it cannot be told: a model not here, a GPU's speed.

    Attributes:
        tokens: processed by the model; memory: peak, in bytes.
    """

    tokens: int | None
    seconds: float | None
    memory: float | None


@dataclass(frozen=True)
class Work:
    """What there is to train on.

    Attributes:
        tokens: of all rows; computed: share of them that is left when shared prefixes are computed
            once; largest: tokens of the longest example, and of the largest step.
        passes: operations per weight and computed token.
    """

    tokens: float
    computed: float
    largest: tuple[float, float]
    passes: int


def estimate(config: RunConfig) -> dict[str, Estimate]:
    """An estimate for every stage, by name."""
    shape = model_shape(config.model.path)
    rate = matmul_rate()
    data = config.data
    rows = data.traces + data.pairs
    return {
        "data": Estimate(None, rows / TRACES_PER_SECOND, 0.3e9),
        SFT: _sft(config, shape, rate),
        DPO: _dpo(config, shape, rate),
        ROUNDS: _rounds(config, shape, rate),
        "export": _export(config, shape, rate),
        "eval": _eval(config, shape, rate),
        "report": Estimate(None, 5.0, 0.4e9),
    }


def _sft(config: RunConfig, shape: ModelShape | None, rate: float) -> Estimate:
    settings = config.training.sft
    length = TRACE_TOKENS + TRACE_TOKENS_PER_TOOL * _mean(config.data.tools)
    examples = config.data.traces * len(settings.protocols)
    steps = settings.max_steps or settings.epochs * examples / settings.batch_size
    tokens = length * min(steps * settings.batch_size, settings.epochs * examples)
    work = Work(tokens, SFT_COMPUTED, _largest(length, settings.batch_size, SFT_LARGEST), passes=4)
    return _training(config.training, shape, rate, work)


def _dpo(config: RunConfig, shape: ModelShape | None, rate: float) -> Estimate:
    settings = config.training.dpo
    prompt = PROMPT_TOKENS + PROMPT_TOKENS_PER_TOOL * _mean(config.data.tools)
    length = 2 * (prompt + REPLY_TOKENS)
    alone = prompt + 2 * REPLY_TOKENS  # a pair's prompt is computed once
    pairs = config.data.pairs * len(settings.protocols)
    steps = settings.max_steps or settings.epochs * pairs / settings.batch_size
    tokens = length * min(steps * settings.batch_size, settings.epochs * pairs)
    work = Work(tokens, DPO_COMPUTED, _largest(alone, settings.batch_size, DPO_LARGEST), passes=6)
    return _training(config.training, shape, rate, work)


def _rounds(config: RunConfig, shape: ModelShape | None, rate: float) -> Estimate:
    """Each round's loop, and DPO on about a pair per task; what the model breaks is not known."""
    rounds = config.training.rounds
    data = {"pairs": round(rounds.tasks / (1 - rounds.mixed))}
    tuned = config.model_copy(update={"data": config.data.model_copy(update=data)})
    training = _dpo(tuned, shape, rate)
    worked = config.eval.model_copy(update={"tasks": rounds.tasks})
    loop = _eval(config.model_copy(update={"eval": worked}), shape, rate, models=1)
    if training.seconds is None or loop.seconds is None:
        return Estimate(None, None, None)
    tokens = rounds.count * ((training.tokens or 0) + (loop.tokens or 0))
    memory = max(training.memory or 0, loop.memory or 0)
    return Estimate(tokens, rounds.count * (training.seconds + loop.seconds), memory)


def _largest(length: float, batch_size: int, curve: tuple[float, float]) -> tuple[float, float]:
    """Tokens of the longest example and of the largest step, for a mean example of `length`."""
    longest = LONGEST * length
    whole = batch_size * length * (curve[0] + curve[1] / sqrt(batch_size))
    return longest, max(longest, whole)


def _training(
    settings: TrainingSettings, shape: ModelShape | None, rate: float, work: Work
) -> Estimate:
    """The cost of SFT or DPO."""
    if shape is None:
        return Estimate(ceil(work.tokens), None, None)
    weights = base_weights(settings)
    memory, checkpointing = _memory(settings, shape, weights, work)
    if on_gpu(weights):
        return Estimate(ceil(work.tokens), None, memory)
    passes = work.passes + (2 if checkpointing else 0)
    head = 4 * LEARNED_SHARE * shape.hidden * shape.vocabulary
    operations = passes * (shape.parameters - shape.embeddings) + head
    seconds = operations * work.tokens * work.computed / (rate * TRAINING_SHARE)
    return Estimate(ceil(work.tokens), START_SECONDS + seconds, memory)


def base_weights(settings: TrainingSettings) -> Weights:
    """How training will hold the base, where the probe is not asked: in float32 on a processor."""
    device = settings.hardware.device or ("cuda" if this_machine().gpus else "cpu")
    if not device.startswith("cuda"):
        return "autocast" if settings.hardware.dtype == "bfloat16" else "float32"
    return "nf4" if settings.quantization.enabled else "bfloat16"


def _memory(
    settings: TrainingSettings, shape: ModelShape, weights: Weights, work: Work
) -> tuple[float, bool]:
    """Peak bytes, and whether activations are recomputed.

    What nothing is set for follows from the free memory as in `training.hardware`, but that it is
    looked up now and not once the model is loaded.
    """
    machine, hardware = this_machine(), settings.hardware
    gpus = [gpu.memory for gpu in machine.gpus]
    free = min(gpus, default=0) if on_gpu(weights) else machine.available
    room = ROOM * max(0.0, free - 4 * shape.parameters)
    size = 4 if weights == "float32" else 3
    longest, step = work.largest

    def held(checkpointing: bool) -> float:
        each = activation_bytes(shape.layers, shape.hidden, size, checkpointing=checkpointing)
        return min(room / each, MOST_TOKENS)

    checkpointing = hardware.gradient_checkpointing
    if checkpointing is None:
        checkpointing = held(False) < longest
    tokens = min(step, max(longest, hardware.tokens or held(checkpointing)))
    rank = settings.lora.rank
    return training_memory(shape, weights, rank, tokens, checkpointing=checkpointing), checkpointing


def _export(config: RunConfig, shape: ModelShape | None, rate: float) -> Estimate:
    if shape is None:
        return Estimate(None, None, None)
    models = len(_conditions(config))
    files = models - 1 + len(config.export.quantizations)
    checks = 2 * shape.parameters * VERIFY_TOKENS * (models + files) / (rate * PREFILL_SHARE)
    writing = EXPORT_SECONDS_PER_WEIGHT * shape.parameters * (models + files)
    memory = PROCESS_MEMORY + 8 * shape.parameters + 2 * shape.parameters
    return Estimate(None, START_SECONDS + writing + checks, memory)


def _eval(
    config: RunConfig, shape: ModelShape | None, rate: float, models: int | None = None
) -> Estimate:
    """The run's own models; a baseline's size is not known here."""
    settings = config.eval
    episodes = settings.tasks * (models or len(_conditions(config)))
    replies = episodes * min(EPISODE_REPLIES, settings.loop.max_steps)
    prompt = PROMPT_TOKENS + PROMPT_TOKENS_PER_TOOL * _mean(settings.tools)
    read = episodes * prompt + replies * REPLY_TOKENS
    written = replies * REPLY_TOKENS
    tokens = ceil(read + written)
    if shape is None:
        return Estimate(tokens, None, None)
    work = 2 * shape.parameters * (read / PREFILL_SHARE + written / DECODING_SHARE)
    weights = shape.parameters * BITS[settings.quantization] / 8
    cells = settings.engine.context * settings.engine.parallel
    cache = 2 * 2 * cells * shape.layers * shape.kv_width  # keys and values, two bytes each
    return Estimate(tokens, START_SECONDS + work / rate, PROCESS_MEMORY + weights + cache)


def _conditions(config: RunConfig) -> list[str]:
    training = config.training
    rounds = training.dpo.enabled and training.rounds.count > 0
    wanted = {BASE: True, SFT: training.sft.enabled, DPO: training.dpo.enabled, ROUNDS: rounds}
    return [name for name, enabled in wanted.items() if enabled]


def _mean(tools: tuple[int, int]) -> float:
    return sum(tools) / 2
