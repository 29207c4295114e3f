"""Runs stages in order, each only when its config or its inputs changed, and goes on after a kill.

A stage writes into its own folder. `started.json` says what it was begun from, `manifest.json` that
it is whole. Begun from the same things and not whole: the stage is called again in the same folder
and goes on from its checkpoints. Anything else: the folder is emptied first. What the stages are is
told by `stages`.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.meter import Meter
from tooldrill.agent.progress import Progress
from tooldrill.config import RunConfig
from tooldrill.lock import locked
from tooldrill.manifest import (
    MANIFEST,
    STARTED,
    Manifest,
    config_difference,
    input_difference,
    output_files,
    stamp_all,
    versions,
)


@dataclass(frozen=True)
class Run:
    """A run: its config, and where that came from (for the commands that errors name)."""

    config: RunConfig
    config_path: Path = Path("CONFIG")
    overrides: tuple[str, ...] = ()

    @property
    def arguments(self) -> str:
        """What follows a command, on a shell's line."""
        return shlex.join([str(self.config_path), *self.overrides])

    @property
    def folder(self) -> Path:
        return self.config.folder

    def stage_folder(self, name: str) -> Path:
        return self.folder / name


@dataclass(frozen=True)
class Stage:
    """One step of the pipeline.

    Attributes:
        name: its word on the command line and its folder.
        command: how it is run alone, without the config.
        config: the part of the config it depends on.
        inputs: files it reads, by stage: the stage that makes them ("" for none) to paths. A path
            that does not exist is a missing input.
        work: does it; called again in a folder with partial work, it goes on.
        check: raises TooldrillError for settings that cannot work here; asked before anything of
            an earlier attempt is removed.
        seed: the seed to record.
        enabled: whether this config wants the stage.
        keeps: its work tells itself, by hashes, what in its folder is still of use: the folder is
            not emptied when config or inputs changed, only when it is begun afresh by force.
    """

    name: str
    command: str
    config: Callable[[Run], dict[str, Any]]
    inputs: Callable[[Run], dict[str, list[Path]]]
    work: Callable[[Run, Path, Progress], None]
    check: Callable[[Run], None] = lambda _run: None
    seed: Callable[[Run], int | None] = lambda _run: None
    enabled: Callable[[Run], bool] = lambda _run: True
    keeps: bool = False


@dataclass(frozen=True)
class Status:
    """Whether a stage has to run, and why.

    Attributes:
        done: nothing to do.
        resumable: partial work from the same config and inputs lies there.
        reason: a few words, for the user.
    """

    done: bool
    resumable: bool
    reason: str


class Reporter(Protocol):
    """Shows what the pipeline does."""

    def skipped(self, stage: Stage, status: Status) -> None: ...

    def working(self, stage: Stage, status: Status) -> AbstractContextManager[Progress]: ...

    def finished(self, stage: Stage, manifest: Manifest) -> None: ...


def status(stage: Stage, run: Run, before: Sequence[Stage] = ()) -> Status:
    """What would happen now.

    Args:
        before: stages that will run before this one: if it reads from one, it cannot be known to be
            up to date.
    """
    folder = run.stage_folder(stage.name)
    inputs = stage.inputs(run)
    for other in before:
        if inputs.get(other.name):
            return Status(False, False, f"after {other.name}")
    manifest = Manifest.read(folder / MANIFEST)
    started = Manifest.read(folder / STARTED)
    record = manifest or started
    if record is None:
        return Status(False, False, "not run yet")
    reason = _difference(stage, run, record, inputs)
    if reason is not None:
        return Status(False, False, reason)
    if manifest is None:
        return Status(False, True, "was interrupted, goes on")
    broken = _broken_output(folder, manifest)
    if broken is not None:
        return Status(False, False, broken)
    return Status(True, False, "up to date")


def run_stages(
    stages: Sequence[Stage], run: Run, reporter: Reporter, *, force: bool = False
) -> dict[str, Manifest]:
    """Runs what has to be run, in order.

    Args:
        force: begin every one of these stages afresh.

    Returns:
        The manifests of all the stages, by name.

    Raises:
        TooldrillError: when an input is missing, or the folder is in use.
    """
    manifests: dict[str, Manifest] = {}
    with locked(run.folder):
        for stage in stages:
            if not stage.enabled(run):
                continue
            manifests[stage.name] = _run_one(stage, run, reporter, force)
    return manifests


def require_inputs(stage: Stage, run: Run, stages: Sequence[Stage]) -> None:
    """Says which command makes the first input that is missing.

    Raises:
        TooldrillError: naming the file and the command.
    """
    commands = {other.name: other.command for other in stages}
    for source, paths in stage.inputs(run).items():
        for path in paths:
            if path.exists():
                continue
            command = commands.get(source)
            step = f"run `{command} {run.arguments}` first" if command else f"put a file at {path}"
            raise TooldrillError(f"{stage.name} needs {path}, which is not there", step)


def recorded(stages: Sequence[Stage], run: Run) -> dict[str, Manifest]:
    """The manifests that lie in the run's folder."""
    found = {s.name: Manifest.read(run.stage_folder(s.name) / MANIFEST) for s in stages}
    return {name: manifest for name, manifest in found.items() if manifest is not None}


def _run_one(stage: Stage, run: Run, reporter: Reporter, force: bool) -> Manifest:
    folder = run.stage_folder(stage.name)
    inputs = stage.inputs(run)
    now = status(stage, run)
    if now.done and not force:
        reporter.skipped(stage, now)
        manifest = Manifest.read(folder / MANIFEST)
        assert manifest is not None
        return manifest
    stage.check(run)
    fresh = force or not now.resumable
    record = _begin(stage, run, folder, inputs, fresh=fresh, empty=force or not stage.keeps)
    with Meter() as meter:
        try:
            with reporter.working(stage, now) as progress:
                stage.work(run, folder, progress)
        except BaseException:
            # Time spent counts even if the stage has to be started again.
            _add(record, meter).write(folder / STARTED)
            raise
    record = _add(record, meter).model_copy(
        update={"outputs": stamp_all(output_files(folder)), "versions": versions()}
    )
    record.write(folder / MANIFEST)
    (folder / STARTED).unlink(missing_ok=True)
    reporter.finished(stage, record)
    return record


def _begin(
    stage: Stage,
    run: Run,
    folder: Path,
    inputs: dict[str, list[Path]],
    *,
    fresh: bool,
    empty: bool,
) -> Manifest:
    earlier = Manifest.read(folder / STARTED)
    known = (Manifest.read(folder / MANIFEST) or earlier or _nothing(stage)).inputs
    if fresh:
        # The records go first: killed in between, nothing here passes for whole or resumable.
        (folder / MANIFEST).unlink(missing_ok=True)
        (folder / STARTED).unlink(missing_ok=True)
        if empty:
            shutil.rmtree(folder, ignore_errors=True)
        earlier = None
    folder.mkdir(parents=True, exist_ok=True)
    record = Manifest(
        stage=stage.name,
        config=stage.config(run),
        inputs=stamp_all(_named(run, inputs), known),
        seed=stage.seed(run),
        seconds=earlier.seconds if earlier else 0.0,
        attempts=earlier.attempts + 1 if earlier else 1,
        peak_memory=earlier.peak_memory if earlier else 0,
    )
    record.write(folder / STARTED)
    return record


def _add(record: Manifest, meter: Meter) -> Manifest:
    return record.model_copy(
        update={
            "seconds": record.seconds + meter.seconds,
            "peak_memory": max(record.peak_memory, meter.peak_memory),
        }
    )


def _difference(
    stage: Stage, run: Run, record: Manifest, inputs: dict[str, list[Path]]
) -> str | None:
    changed = config_difference(record.config, stage.config(run))
    if changed is not None:
        return f"config changed ({changed})"
    named = _named(run, inputs)
    missing = next((name for name, path in named.items() if not path.is_file()), None)
    if missing is not None:
        return f"input is missing ({missing})"
    changed = input_difference(record.inputs, stamp_all(named, record.inputs))
    return f"input changed ({changed})" if changed else None


def _broken_output(folder: Path, manifest: Manifest) -> str | None:
    for name, stamped in manifest.outputs.items():
        path = folder / name
        if not path.is_file():
            return f"output is missing ({name})"
        if stamp_all({name: path}, {name: stamped})[name].sha256 != stamped.sha256:
            return f"output was changed ({name})"
    return None


def _named(run: Run, inputs: dict[str, list[Path]]) -> dict[str, Path]:
    """Input files by name, relative to the run's folder: a moved run is still up to date."""
    named: dict[str, Path] = {}
    for path in _files(inputs):
        inside = path.is_relative_to(run.folder)
        name = path.relative_to(run.folder) if inside else path.absolute()
        named[name.as_posix()] = path
    return named


def _files(inputs: dict[str, list[Path]]) -> Iterator[Path]:
    for paths in inputs.values():
        for path in paths:
            if path.is_dir():
                yield from output_files(path).values()
            else:
                yield path


def _nothing(stage: Stage) -> Manifest:
    return Manifest(stage=stage.name, config={}, inputs={})
