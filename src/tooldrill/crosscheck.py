"""What is wrong between the values of a config, each of which is fine alone.

Called even when something is wrong elsewhere, so that these problems are reported with the rest.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tooldrill.agent.names import nearest
from tooldrill.agent.render import BUNDLED_TEMPLATES
from tooldrill.data.settings import DataSettings
from tooldrill.eval.settings import BaselineSettings, EvalSettings
from tooldrill.export.settings import ExportSettings
from tooldrill.training.settings import (
    SMOOTHED_LOSSES,
    DpoSettings,
    ModelSettings,
    TrainingSettings,
)
from tooldrill.yaml_source import KeyPath, Problem

OWN_NAMES = ("base", "sft", "dpo", "rounds")


class Sections(Protocol):
    """What is looked at of a run's config."""

    @property
    def model(self) -> ModelSettings: ...
    @property
    def data(self) -> DataSettings: ...
    @property
    def training(self) -> TrainingSettings: ...
    @property
    def export(self) -> ExportSettings: ...
    @property
    def eval(self) -> EvalSettings: ...


def cross_check(config: Sections) -> list[Problem]:
    """All problems between the values of a config that is otherwise valid."""
    return [
        *_model(config.model),
        *_data(config.data),
        *_training(config.training, config.data),
        *_eval(config.eval, config.export),
    ]


def _model(model: ModelSettings) -> Iterator[Problem]:
    looks_local = model.path.startswith((".", "/", "~")) or model.path.lower().endswith(".gguf")
    if looks_local and not Path(model.path).expanduser().exists():
        yield Problem(("model", "path"), f"nothing lies at {model.path}")
    template = model.chat_template
    bundled = ("tooldrill", *BUNDLED_TEMPLATES)
    if template and template not in bundled and not Path(template).expanduser().is_file():
        near = nearest(template, bundled)
        hint = f"; did you mean {near}?" if near else ""
        yield Problem(("model", "chat_template"), f"no file at {template}{hint}")


def _data(data: DataSettings) -> Iterator[Problem]:
    yield from _worlds(("data", "worlds"), data.worlds, split="train")
    yield from _tools(("data", "tools"), data.tools)
    if data.recovery + data.restraint > 1:
        yield Problem(("data", "recovery"), "recovery and restraint are together more than 1")


def _training(training: TrainingSettings, data: DataSettings) -> Iterator[Problem]:
    if training.dpo.enabled and not training.sft.enabled:
        yield Problem(
            ("training", "dpo", "enabled"), "DPO starts from the SFT adapter: enable training.sft"
        )
    if training.dpo.enabled and data.pairs == 0:
        yield Problem(("data", "pairs"), "DPO is enabled and needs pairs")
    if training.rounds.count and not training.dpo.enabled:
        yield Problem(("training", "rounds"), "rounds go on from DPO: enable training.dpo")
    yield from _smoothing(training.dpo)
    for step, stage in (("sft", training.sft), ("dpo", training.dpo)):
        if len(set(stage.protocols)) < len(stage.protocols):
            yield Problem(("training", step, "protocols"), "a protocol is listed twice")
    if training.launcher is not None:
        yield from _launcher(training.launcher)


def _smoothing(dpo: DpoSettings) -> Iterator[Problem]:
    path = ("training", "dpo", "label_smoothing")
    if dpo.label_smoothing and dpo.loss not in SMOOTHED_LOSSES:
        fitting = ", ".join(SMOOTHED_LOSSES)
        yield Problem(path, f"does nothing with {dpo.loss}, only with {fitting}")
    elif dpo.loss == "exo_pair" and not dpo.label_smoothing:
        yield Problem(path, "exo_pair needs more than 0: 0.001 comes close to none")


def _launcher(command: str) -> Iterator[Problem]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        yield Problem(("training", "launcher"), f"is no command: {str(error).lower()}")
        return
    if not words:
        yield Problem(("training", "launcher"), "is empty; null trains in this process")


def _eval(evaluation: EvalSettings, export: ExportSettings) -> Iterator[Problem]:
    from tooldrill.eval.suites.catalog import SUITES

    yield from _worlds(("eval", "worlds"), evaluation.worlds, split="heldout")
    yield from _tools(("eval", "tools"), evaluation.tools)
    if evaluation.recovery + evaluation.restraint > 1:
        yield Problem(("eval", "recovery"), "recovery and restraint are together more than 1")
    if evaluation.quantization not in export.quantizations:
        made = ", ".join(export.quantizations)
        yield Problem(
            ("eval", "quantization"),
            f"{evaluation.quantization} is not among export.quantizations ({made})",
        )
    for quantization in evaluation.matrix.get("quantization", []):
        if quantization not in export.quantizations:
            yield Problem(("eval", "matrix"), f"{quantization} is not among export.quantizations")
    for index, suite in enumerate(evaluation.suites):
        if suite in evaluation.suites[:index]:
            yield Problem(("eval", "suites", index), f"{suite} is listed twice")
        elif suite not in SUITES and not Path(suite).is_dir():
            near = nearest(suite, list(SUITES))
            hint = f"; did you mean {near}?" if near else f"; there are {', '.join(SUITES)}"
            yield Problem(("eval", "suites", index), f"no suite and no folder {suite}{hint}")
    names = list(OWN_NAMES)
    for index, baseline in enumerate(evaluation.baselines):
        path: KeyPath = ("eval", "baselines", index)
        if baseline.name in names:
            yield Problem((*path, "name"), f"{baseline.name!r} is taken by another model")
        names.append(baseline.name)
        yield from _baseline(path, baseline)


def _baseline(path: KeyPath, baseline: BaselineSettings) -> Iterator[Problem]:
    if baseline.gguf is not None and not Path(baseline.gguf).expanduser().is_file():
        yield Problem((*path, "gguf"), f"no file at {baseline.gguf}")
    url = baseline.endpoint
    if url is not None and not url.startswith(("http://", "https://")):
        yield Problem((*path, "endpoint"), "must begin with http:// or https://")


def _tools(path: KeyPath, tools: tuple[int, int]) -> Iterator[Problem]:
    fewest, most = tools
    if not 1 <= fewest <= most:
        yield Problem(path, f"must be [fewest, most] with 1 <= fewest <= most, not {list(tools)}")


def _worlds(path: KeyPath, names: list[str], split: str) -> Iterator[Problem]:
    from tooldrill.data.worlds.catalog import WORLDS

    fitting = [name for name, world in WORLDS.items() if str(world.split) == split]
    for index, name in enumerate(names):
        here = (*path, index)
        if name in names[:index]:
            yield Problem(here, f"{name} is listed twice")
        elif name not in WORLDS:
            near = nearest(name, fitting)
            hint = f"did you mean {near}?" if near else f"there are {', '.join(fitting)}"
            yield Problem(here, f"no world named {name}; {hint}")
        elif name not in fitting:
            kind = "held out for evaluation" if split == "train" else "a training world"
            yield Problem(here, f"{name} is {kind}; use {', '.join(fitting)}")
