"""One training step as a job: run here, or by the processes of a launcher.

A launcher (`accelerate launch ...`, `torchrun ...`) starts this module in each process:

    accelerate launch --num_processes 2 -m tooldrill.training.jobs runs/x/sft/job.json

Distributing the model and the gradients is the launcher's and Accelerate's work, nothing here.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from tooldrill.agent.atomic import write_text
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.progress import Progress, silent
from tooldrill.training.settings import ModelSettings, TrainingSettings

_POLL = 0.3  # seconds
_GRACE = 20.0  # seconds that the processes get to end
_PARENT = "TOOLDRILL_PARENT"
_LOG = "launcher.log"
# How torchrun and accelerate tell of a process that was the first to end, by signal 9.
_KILLED = re.compile(r"failed \(exitcode: -9\)|died with <Signals.SIGKILL")
# How they are told how many to start; torchrun also takes words, such as gpu.
_COUNTED = re.compile(r"--(?:num[-_]processes|nproc[-_]per[-_]node)[ =]")
_COUNT = re.compile(_COUNTED.pattern + r"(\d+)")
_MACHINES = re.compile(r"--num[-_]machines[ =](?!1\b)")


class Job(BaseModel):
    """What one step of training needs.

    Attributes:
        data: the SFT or DPO set.
        sft_adapter: where DPO begins.
        out: the stage's folder.
    """

    model_config = ConfigDict(extra="forbid")

    step: Literal["sft", "dpo"]
    model: ModelSettings
    training: TrainingSettings
    data: Path
    out: Path
    sft_adapter: Path | None = None


def launched_here(launcher: str | None) -> int | None:
    """How many processes a launcher starts on this machine; None where its command does not say."""
    if launcher is None:
        return 1
    found = _COUNT.search(launcher)
    if found and not _MACHINES.search(launcher):
        return int(found[1])
    # torchrun starts one by default; accelerate what its own config says.
    return 1 if launcher.startswith("torchrun") and not _COUNTED.search(launcher) else None


def run_job(job: Job, progress: Progress = silent) -> None:
    """Trains, in this process or, with `training.launcher`, in those of the launcher.

    Raises:
        TooldrillError: what training raises, and when the launcher fails.
    """
    if job.training.launcher:
        _launch(job, job.training.launcher, progress)
    else:
        _train(job, progress)


def _train(job: Job, progress: Progress) -> None:
    from tooldrill.training.dpo import train_dpo
    from tooldrill.training.sft import train_sft

    if job.step == "sft":
        train_sft(job.model, job.training, job.data, job.out, progress)
        return
    assert job.sft_adapter is not None
    train_dpo(job.model, job.training, job.data, job.sft_adapter, job.out, progress)


def _launch(job: Job, launcher: str, progress: Progress) -> None:
    """Starts the processes and waits; what they say goes to a log, what they do to `progress`."""
    job.out.mkdir(parents=True, exist_ok=True)
    file, told, failed = (job.out / name for name in ("job.json", "progress.json", "error.json"))
    alone = job.training.model_copy(update={"launcher": None})
    write_text(file, job.model_copy(update={"training": alone}).model_dump_json(indent=1))
    for left_over in (told, failed):
        left_over.unlink(missing_ok=True)
    command = [*shlex.split(launcher), "-m", "tooldrill.training.jobs", str(file)]
    # The environment's own programs first: `torchrun` beside this Python, not another one.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, _PARENT: str(os.getpid()), "PATH": path}
    with (job.out / _LOG).open("ab") as log:
        begun = log.tell()
        try:
            child = subprocess.Popen(
                command, stdout=log, stderr=log, env=environment, start_new_session=True
            )
        except OSError as error:
            raise TooldrillError(
                f"training.launcher: cannot start {command[0]}: {error.strerror}",
                "give a command such as `accelerate launch --num_processes 2`",
            ) from error
        try:
            while child.poll() is None:
                time.sleep(_POLL)
                _pass_on(told, progress)
        finally:
            _end(child)
    _pass_on(told, progress)
    _raise_failure(failed, child.returncode, job.out / _LOG, begun)


def _pass_on(told: Path, progress: Progress) -> None:
    if told.is_file():
        progress(*json.loads(told.read_text("utf-8")))


def _end(child: subprocess.Popen[bytes]) -> None:
    """Nothing of the launcher's is left behind, whatever ended the wait."""
    if child.poll() is not None:
        return
    os.killpg(child.pid, signal.SIGTERM)
    try:
        child.wait(_GRACE)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _raise_failure(failed: Path, status: int, log: Path, begun: int) -> None:
    """Raises TooldrillError with what a process said, or with what became of it.

    Args:
        status: of the launcher; begun: where in its log this attempt begins.
    """
    if failed.is_file():
        error = json.loads(failed.read_text("utf-8"))
        raise TooldrillError(error["message"], error["next_step"])
    if not status:
        return
    with log.open("rb") as file:
        file.seek(begun)
        said = file.read().decode("utf-8", "replace")
    if status in (-signal.SIGKILL, 128 + signal.SIGKILL) or _KILLED.search(said):
        raise TooldrillError(
            "a training process was killed (signal 9): most likely the system ran out of memory",
            "set training.hardware.tokens to half, training.hardware.gradient_checkpointing=true, "
            f"or launch fewer processes; what was set stands in {log.with_name('hardware.json')}",
        )
    raise TooldrillError(f"the launcher ended with status {status}", f"see the end of {log}")


def main(path: str) -> None:
    """What each of the launcher's processes runs."""
    from tooldrill.training.processes import is_first

    job = Job.model_validate_json(Path(path).read_text("utf-8"))
    parent = int(os.environ.get(_PARENT, "0"))

    def tell(done: int, total: int, note: str = "") -> None:
        if parent and not _alive(parent):
            sys.exit("the command that started this is gone")
        if is_first():
            write_text(job.out / "progress.json", json.dumps([done, total, note]))

    try:
        _train(job, tell)
    except TooldrillError as error:
        content = {"message": error.message, "next_step": error.next_step}
        write_text(job.out / "error.json", json.dumps(content))
        sys.exit(1)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    main(sys.argv[1])
