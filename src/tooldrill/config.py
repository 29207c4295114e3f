"""One config file is one run: the models, and reading a file with all its problems at once.

The settings of a stage belong to the stage; this module joins them, lays overrides over the file
and says what is wrong where. What cannot be seen in one value alone is judged by `crosscheck`.
"""

from __future__ import annotations

import copy
import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.settings import Settings
from tooldrill.config_keys import annotation_at, dotted, section_model, suggestion
from tooldrill.crosscheck import cross_check
from tooldrill.data.settings import DataSettings
from tooldrill.eval.settings import EvalSettings
from tooldrill.export.settings import ExportSettings
from tooldrill.overrides import apply_overrides
from tooldrill.training.settings import ModelSettings, TrainingSettings
from tooldrill.yaml_source import KeyPath, Problem, Source, read_source


class RunConfig(Settings):
    """Everything a run depends on."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        max_length=64,
        description="Name of the run: its folder under `runs` and the stem of its GGUF files.",
    )
    seed: int | None = Field(
        None,
        description="Fills data.seed, training.sft.seed and training.dpo.seed where they are not "
        "given. The evaluation keeps its own, so that runs are compared on the same tasks.",
    )
    runs: str = Field("runs", min_length=1, description="Folder that holds the runs.")
    model: ModelSettings = ModelSettings()
    data: DataSettings = DataSettings()
    training: TrainingSettings = TrainingSettings()
    export: ExportSettings = ExportSettings()
    eval: EvalSettings = EvalSettings()

    @property
    def folder(self) -> Path:
        """Where the run lies."""
        return Path(self.runs).expanduser() / self.name


class ConfigError(TooldrillError):
    """A config with problems: one line each in `lines`."""

    def __init__(self, lines: Sequence[str], next_step: str) -> None:
        super().__init__("\n".join(lines), next_step)
        self.lines = tuple(lines)


def load_config(path: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Reads, overrides and validates a config file.

    Raises:
        ConfigError: with every problem there is, each with its place and the nearest valid key.
        TooldrillError: when the file cannot be read at all.
    """
    return _resolved(read_source(path), overrides, f"`tooldrill validate {path}`")


def default_config(overrides: Sequence[str]) -> RunConfig:
    """The defaults under overrides, for commands that do without a file.

    Raises:
        ConfigError: with every problem of the overrides.
    """
    return _resolved(Source("", {"name": "defaults"}), overrides, "the same command again")


def _resolved(source: Source, overrides: Sequence[str], again: str) -> RunConfig:
    apply_overrides(source, overrides, RunConfig)
    _drop_empty_sections(source.tree, ())
    _spread_seed(source.tree)
    problems = [*source.problems, *_not_finite(source.tree, ())]
    config, invalid = _validate(source.tree)
    problems += invalid
    judged = config or _without(source.tree, [problem.path for problem in problems])
    if judged is not None:
        seen = {problem.path for problem in problems}
        problems += [p for p in cross_check(judged) if not _touches(p.path, seen)]
    if problems or config is None:
        lines = sorted(
            dict.fromkeys(_line(source, problem) for problem in problems), key=_file_order
        )
        count = "it" if len(lines) == 1 else f"these {len(lines)}"
        raise ConfigError(
            lines,
            f"mend {count} and run {again}; `tooldrill schema` lists every key with its meaning",
        )
    return config


def dump_resolved(config: RunConfig) -> str:
    """The whole config with every default filled in, as YAML that loads back equal."""
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 100
    stream = io.StringIO()
    yaml.dump(config.model_dump(mode="json"), stream)
    return stream.getvalue()


def _validate(tree: dict[str, Any]) -> tuple[RunConfig | None, list[Problem]]:
    # Strict JSON mode: a string is no number and true is no 1, but a list may fill a tuple.
    text = json.dumps(tree)
    try:
        return RunConfig.model_validate_json(text, strict=True), []
    except ValidationError as error:
        merged: dict[KeyPath, list[str]] = {}
        for details in error.errors(include_url=False):
            path = _real_path(details["loc"], tree)
            messages = merged.setdefault(path, [])
            message = _message(details, path)
            if message not in messages:
                messages.append(message)
        return None, [Problem(path, ", or ".join(found)) for path, found in merged.items()]


def _real_path(loc: tuple[int | str, ...], tree: Any) -> KeyPath:
    """The part of pydantic's location that stands in the config (it adds names of union members).

    A missing key is the one thing that is not there and belongs to the path.
    """
    path: KeyPath = ()
    node = tree
    for key in loc:
        inside = (isinstance(node, dict) and key in node) or (
            isinstance(node, list) and isinstance(key, int) and key < len(node)
        )
        if not inside:
            missing = isinstance(node, dict) and isinstance(key, str) and key.isidentifier()
            return (*path, key) if missing else path
        path = (*path, key)
        node = node[key]
    return path


def _message(details: ErrorDetails, path: KeyPath) -> str:
    kind = details["type"]
    if kind == "extra_forbidden":
        return f"unknown key; {suggestion(RunConfig, path)}"
    if kind == "missing":
        return "missing"
    text = details["msg"].removeprefix("Value error, ").removeprefix("Input ")
    for long, short in (
        ("should be ", "must be "),
        ("a valid dictionary or object to extract fields from", "a mapping of keys to values"),
        ("an object", "a mapping of keys to values"),
        ("a valid ", "a "),
        ("a array", "a list"),
        ("a integer", "an integer"),
    ):
        text = text.replace(long, short)
    given = details["input"]
    if kind == "value_error" or isinstance(given, dict | list):
        return text
    return f"{text}, not {json.dumps(given, ensure_ascii=False)}"


def _without(tree: dict[str, Any], wrong: Sequence[KeyPath]) -> RunConfig | None:
    """The config with defaults in the place of what is wrong, to look for further problems in."""
    left = copy.deepcopy(tree)
    left.setdefault("name", "unnamed")
    for path in wrong:
        if path == ("name",):
            left["name"] = "unnamed"
        elif path:
            _remove(left, path)
    return _validate(left)[0]


def _remove(tree: dict[str, Any], path: KeyPath) -> None:
    """Takes a value away; of a list that has something wrong in it, the whole list."""
    node: Any = tree
    for index, key in enumerate(path):
        if not isinstance(node, dict) or not isinstance(key, str):
            return
        last = index == len(path) - 1 or isinstance(path[index + 1], int)
        if last:
            node.pop(key, None)
            return
        node = node.get(key)


def _touches(path: KeyPath, wrong: Iterable[KeyPath]) -> bool:
    """Whether something at the path, around it or inside it is known to be wrong."""
    return any(
        other and (path[: len(other)] == other or other[: len(path)] == path) for other in wrong
    )


def _drop_empty_sections(node: Any, path: KeyPath) -> None:
    """`data:` with nothing under it means the defaults, as if it were not there."""
    if not isinstance(node, dict):
        return
    for key in list(node):
        here = (*path, key)
        try:
            section = section_model(annotation_at(RunConfig, here))
        except KeyError:
            continue
        if section is not None and node[key] is None:
            del node[key]
        elif section is not None:
            _drop_empty_sections(node[key], here)


def _spread_seed(tree: dict[str, Any]) -> None:
    seed = tree.get("seed")
    if not isinstance(seed, int):
        return
    for path in (("data",), ("training", "sft"), ("training", "dpo")):
        node: Any = tree
        for key in path:
            node = node.setdefault(key, {}) if isinstance(node, dict) else None
        if isinstance(node, dict):
            node.setdefault("seed", seed)


def _not_finite(node: Any, path: KeyPath) -> Iterator[Problem]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _not_finite(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _not_finite(value, (*path, index))
    elif isinstance(node, float) and not math.isfinite(node):
        yield Problem(path, "must be a finite number")


def _line(source: Source, problem: Problem) -> str:
    place = problem.origin or source.origin(problem.path)
    where = f"{dotted(problem.path)}: " if problem.path else ""
    return f"{place}: {where}{problem.message}"


def _file_order(line: str) -> tuple[int, int]:
    """By line number, as one mends a file; what came by argument last."""
    if line.startswith("argument "):
        return (1, 0)
    number = line.split(": ", 1)[0].rpartition(":")[2]
    return (0, int(number) if number.isdecimal() else 0)
