"""Tokens, minutes and memory of each stage before it runs.

Time is work over speed. Work is counted in floating-point operations: a forward pass takes 2 per
weight and token that is computed, the backward pass of a LoRA run 2 more (weights get no gradient,
activations do), checkpointing another forward pass, a DPO step one of the reference. The output
layer works on learned tokens alone. Speed is the processor's own matrix-multiplication rate, probed
in 0.3 s, times the share of it that the stage was measured to reach; a GPU's speed is not known
here. The shares and the tokens per example below were measured on the embedded model (135M) with
two cores and are rough elsewhere: expect a factor of two.

Memory is that of the largest pack. How large it gets was looked up in the plans of six data sets
(150 to 300 rows of 2 to 24 tools, two of them built otherwise than by default). Whether a model
shares prefixes at all is read from its config, and told where that does not say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, sqrt

from tooldrill.config import RunConfig
from tooldrill.eval.planned import planned_episodes
from tooldrill.layout import BASE, DPO, ROUNDS, SFT
from tooldrill.machine import matmul_rate, this_machine
from tooldrill.model_shape import ModelShape, model_shape
from tooldrill.training.activations import LEARNED_SHARE, MOST_TOKENS, ROOM, tokens_held
from tooldrill.training.engine.layout import MOST
from tooldrill.training.jobs import launched_here
from tooldrill.training.settings import TrainingSettings
from tooldrill.training_memory import (
    Weights,
    base_bytes,
    base_weights,
    computing,
    on_gpu,
    training_memory,
)

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
# The longest example, of the mean one. Where nothing is shared, the largest step of B examples is
# as much more than B mean ones as their mean spreads: 1 + (LONGEST - 1) / sqrt(B).
LONGEST = 2.1
UNSHARED_LARGEST = (1.0, LONGEST - 1)
EXPORT_SECONDS_PER_WEIGHT = 6e-8
VERIFY_TOKENS = 900
TRACES_PER_SECOND = 120.0
START_SECONDS = 8.0
PROCESS_MEMORY = 0.9e9
BITS = {
    "F16": 16.0, "BF16": 16.0, "Q8_0": 8.5, "Q6_K": 6.6, "Q5_K_M": 5.7, "Q4_K_M": 4.9, "Q4_0": 4.7,
    "IQ4_XS": 4.4,
}  # fmt: skip


@dataclass(frozen=True)
class Estimate:
    """What a stage will take; None where it cannot be told: a model not here, a GPU's speed.

    Attributes:
        tokens: processed by the model; memory: peak of one process, in bytes.
        gpu: whether that is a GPU's memory; free: bytes that one process may take there, None for
            all that is free of the machine's (or, of a GPU, for one that is not seen here).
        processes: how many on this machine take it each; None where the launcher does not say.
        note: what the numbers take for granted.
    """

    tokens: int | None
    seconds: float | None
    memory: float | None
    gpu: bool = False
    free: float | None = None
    processes: int | None = 1
    note: str = ""


@dataclass(frozen=True)
class Work:
    """What there is to train on.

    Attributes:
        tokens: of all rows; computed: share of them that is left when shared prefixes are computed
            once, where they are; learned: share of them that carries a loss.
        largest: tokens of the longest example, and of the largest step.
        passes: operations per weight and computed token.
    """

    tokens: float
    computed: float
    learned: float
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
    shared = _shares(shape)
    work = Work(
        tokens,
        computed=SFT_COMPUTED if shared else 1.0,
        learned=SFT_COMPUTED * LEARNED_SHARE,
        largest=_largest(length, settings.batch_size, SFT_LARGEST if shared else UNSHARED_LARGEST),
        passes=4,
    )
    return _training(config, shape, rate, work)


def _dpo(config: RunConfig, shape: ModelShape | None, rate: float) -> Estimate:
    settings = config.training.dpo
    prompt = PROMPT_TOKENS + PROMPT_TOKENS_PER_TOOL * _mean(config.data.tools)
    length = 2 * (prompt + REPLY_TOKENS)
    shared = _shares(shape)
    alone = prompt + 2 * REPLY_TOKENS if shared else length  # a pair's prompt is computed once
    pairs = config.data.pairs * len(settings.protocols)
    steps = settings.max_steps or settings.epochs * pairs / settings.batch_size
    tokens = length * min(steps * settings.batch_size, settings.epochs * pairs)
    work = Work(
        tokens,
        computed=DPO_COMPUTED if shared else 1.0,
        learned=DPO_COMPUTED * LEARNED_SHARE,
        largest=_largest(alone, settings.batch_size, DPO_LARGEST if shared else UNSHARED_LARGEST),
        passes=6,
    )
    return _training(config, shape, rate, work)


def _rounds(config: RunConfig, shape: ModelShape | None, rate: float) -> Estimate:
    """Each round's loop, and DPO on about a pair per task; what the model breaks is not known."""
    rounds = config.training.rounds
    data = {"pairs": round(rounds.tasks / (1 - rounds.mixed))}
    tuned = config.model_copy(update={"data": config.data.model_copy(update=data)})
    training = _dpo(tuned, shape, rate)
    worked = config.eval.model_copy(update={"tasks": rounds.tasks, "suites": [], "matrix": {}})
    loop = _eval(config.model_copy(update={"eval": worked}), shape, rate, models=1)
    tokens = rounds.count * ((training.tokens or 0) + (loop.tokens or 0))
    seconds: float | None = None
    memory = training.memory
    if training.seconds is not None and loop.seconds is not None:
        seconds = rounds.count * (training.seconds + loop.seconds)
        memory = max(training.memory or 0, loop.memory or 0)
    return replace(training, tokens=tokens, seconds=seconds, memory=memory)


def _largest(length: float, batch_size: int, curve: tuple[float, float]) -> tuple[float, float]:
    """Tokens of the longest example and of the largest step, for a mean example of `length`."""
    longest = LONGEST * length
    whole = batch_size * length * (curve[0] + curve[1] / sqrt(batch_size))
    return longest, max(longest, whole)


def _shares(shape: ModelShape | None) -> bool:
    return shape is None or shape.shares is not False


def _training(config: RunConfig, shape: ModelShape | None, rate: float, work: Work) -> Estimate:
    """The cost of SFT or DPO."""
    settings = config.training
    if shape is None:
        return Estimate(ceil(work.tokens), None, None)
    weights = base_weights(settings)
    gpu, processes = on_gpu(weights), launched_here(settings.launcher)
    free = _free_gpu(settings) if gpu else this_machine().available / (processes or 1)
    memory, checkpointing = _memory(settings, shape, weights, work, free or 0.0)
    passes = work.passes + (2 if checkpointing else 0)
    layers = passes * (shape.parameters - shape.embeddings) * work.computed
    head = 4 * shape.decoder.hidden * shape.decoder.vocabulary * work.learned
    seconds = work.tokens * (layers + head) / (rate * TRAINING_SHARE)
    return Estimate(
        ceil(work.tokens),
        None if gpu else START_SECONDS + seconds,
        memory,
        gpu=gpu,
        free=free,
        processes=processes,
        note=_note(config.model.path, shape),
    )


def _note(path: str, shape: ModelShape) -> str:
    if shape.shares is None:
        return f"that {path} shares prefixes is assumed: it is tried once the model is loaded"
    return "" if shape.shares else f"{path} cannot share prefixes: each row is computed whole"


def _free_gpu(settings: TrainingSettings) -> float | None:
    """Bytes of the GPU that is set, of the smallest where none is; None where none is seen."""
    memory = [float(gpu.memory) for gpu in this_machine().gpus]
    number = (settings.hardware.device or "").partition(":")[2]
    if number.isdecimal() and int(number) < len(memory):
        return memory[int(number)]
    return min(memory, default=None)


def _memory(
    settings: TrainingSettings, shape: ModelShape, weights: Weights, work: Work, free: float
) -> tuple[float, bool]:
    """Peak bytes of a process, and whether activations are recomputed.

    What nothing is set for follows from the free memory as in `training.hardware`, but that it is
    looked up now and not once the model is loaded.
    """
    hardware = settings.hardware
    room = ROOM * max(0.0, free - base_bytes(shape, weights))
    how = computing(settings, weights)
    longest, step = work.largest
    scores = 0 if how.gpu else round(shape.scored_heads * max(longest, MOST))

    def held(checkpointing: bool) -> int:
        fitting = tokens_held(room, shape.decoder, how, checkpointing=checkpointing, scores=scores)
        return min(fitting, MOST_TOKENS)

    checkpointing = hardware.gradient_checkpointing
    if checkpointing is None:
        checkpointing = held(False) < longest
    tokens = min(step, max(longest, hardware.tokens or held(checkpointing)))
    memory = training_memory(
        shape, settings, weights, tokens, checkpointing=checkpointing, scores=scores
    )
    return memory, checkpointing


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
    episodes = planned_episodes(settings, models or len(_conditions(config)))
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
    cell = 2 * 2 * shape.decoder.layers * shape.decoder.keys  # keys and values, two bytes each
    return Estimate(tokens, START_SECONDS + work / rate, PROCESS_MEMORY + weights + cells * cell)


def _conditions(config: RunConfig) -> list[str]:
    training = config.training
    rounds = training.dpo.enabled and training.rounds.count > 0
    wanted = {BASE: True, SFT: training.sft.enabled, DPO: training.dpo.enabled, ROUNDS: rounds}
    return [name for name, enabled in wanted.items() if enabled]


def _mean(tools: tuple[int, int]) -> float:
    return sum(tools) / 2
