"""What a grammar costs, and what it does: `make bench-constrain`.

The same held-out tasks over the same GGUF, with `loop.constrain` off, call and full, in turns and
each in a process of its own: episodes a minute, tokens a second, the time in which grammars are
made and tokens are chosen, and what became of the replies. Replies differ, and with them the
prompts after them: what a grammar costs is told by the time for choosing, not by the whole. The
best of the rounds is taken, as the others were disturbed. Not a test.

MODEL=FILE.gguf takes a file instead of the embedded SmolLM2-135M, which was never trained on
tools and needs the grammar at almost every call. PROTOCOLS=native,react_json compares both.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from tooldrill.agent.settings import ConstrainMode, EngineSettings, LoopSettings

TASKS = int(os.environ.get("TASKS", "8"))
ROUNDS = int(os.environ.get("ROUNDS", "1"))
PARALLEL = int(os.environ.get("PARALLEL", "8"))
PROTOCOLS = os.environ.get("PROTOCOLS", "native").split(",")
MODES: tuple[ConstrainMode, ...] = get_args(ConstrainMode)
COLUMNS = (
    *("episodes/min", "tokens/s", "x", "choosing", "us/token"),
    *("malformed", "violations", "cut off", "replies"),
)


def main() -> None:
    """Prints the table."""
    name = os.environ.get("MODEL", "embedded SmolLM2-135M")
    print(f"{TASKS} held-out tasks, {PARALLEL} at once, best of {ROUNDS}, {Path(name).name}")
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}\n")
    print(f"{'':18}" + "".join(f"{column:>13}" for column in COLUMNS))
    for protocol in PROTOCOLS:
        best: dict[str, dict[str, Any]] = {}
        for _ in range(ROUNDS):
            for mode in MODES:
                row = _measured(protocol, mode)
                if mode not in best or row["seconds"] < best[mode]["seconds"]:
                    best[mode] = row
        for mode, row in best.items():
            print(f"{protocol + ' ' + mode:18}" + _shown(row, best["off"]), flush=True)


def _shown(row: dict[str, Any], free: dict[str, Any]) -> str:
    """A line of the table; `x` is the speed in tokens a second, compared with free replies.

    `choosing` is the share of the time that is spent on it, `us/token` its microseconds per token.
    """
    speed, usual = (one["tokens"] / one["seconds"] for one in (row, free))
    shares = [f"{row[key] / row['replies']:.1%}" for key in ("malformed", "violations", "cut")]
    columns = [
        *(f"{60 * TASKS / row['seconds']:.1f}", f"{speed:.1f}", f"{speed / usual:.2f}"),
        f"{row['choosing'] / row['seconds']:.1%}",
        f"{1e6 * row['choosing'] / row['tokens']:.0f}",
        *(*shares, str(row["replies"])),
    ]
    return "".join(f"{column:>13}" for column in columns)


def _measured(protocol: str, mode: str) -> dict[str, Any]:
    command = [sys.executable, __file__, protocol, mode]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row


def _run(protocol: str, mode: str) -> dict[str, Any]:
    """One way, timed without loading the model and opening the tasks' worlds."""
    from tooldrill.agent import run
    from tooldrill.agent.engines import llama
    from tooldrill.agent.engines.constrained import ConstrainedSampler
    from tooldrill.agent.engines.sampling import Sampler
    from tooldrill.agent.loop import Job, run_episodes
    from tooldrill.agent.render import bundled_template
    from tooldrill.agent.violation import ViolationClass
    from tooldrill.data.tasks.solve import open_task
    from tooldrill.eval.settings import EvalSettings
    from tooldrill.eval.suite import heldout_tasks
    from tooldrill.training.find_base import resolve
    from tooldrill.training.settings import ModelSettings

    tasks = heldout_tasks(EvalSettings(tasks=TASKS))
    opened = [open_task(task) for task in tasks]
    jobs = [
        Job(task.id, list(one.messages), one.registry, one.session, min(task.max_steps, 12))
        for task, one in zip(tasks, opened, strict=True)
    ]
    named = os.environ.get("MODEL")
    model = Path(named) if named else resolve(ModelSettings()).gguf_path
    assert model is not None
    clock = _Clock()
    run.reply_grammar = clock.timed(run.reply_grammar)  # type: ignore[attr-defined]
    llama.GrammarState = clock.timed(llama.GrammarState)  # type: ignore[misc,attr-defined]
    sampler: Any = Sampler if mode == "off" else ConstrainedSampler
    sampler.choose = clock.timed(sampler.choose)
    engine = llama.LlamaEngine(
        model,
        EngineSettings(context=4096, parallel=PARALLEL, gpu_layers=0),
        None if named else bundled_template(),
    )
    loop = LoopSettings.model_validate({"protocol": protocol, "constrain": mode})
    start = time.perf_counter()
    episodes = run_episodes(jobs, engine, loop)
    seconds = time.perf_counter() - start
    engine.close()
    for one in opened:
        one.close()
    steps = [step for episode in episodes for step in episode.steps]
    kinds = [{violation.kind for violation in step.violations} for step in steps]
    return {
        "seconds": seconds,
        "choosing": clock.seconds,
        "replies": len(steps),
        "tokens": sum(step.reply_tokens for step in steps),
        "malformed": sum(ViolationClass.MALFORMED_CALL in kind for kind in kinds),
        "violations": sum(bool(kind) for kind in kinds),
        "cut": sum(step.stop == "length" for step in steps),
    }


class _Clock:
    """Adds up the time spent in functions."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **more: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*args, **more)
            finally:
                self.seconds += time.perf_counter() - start

        return wrapped


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(_run(*sys.argv[1:])))
    else:
        main()
