"""How long an evaluation takes: `make bench-eval`.

`tooldrill eval` itself, in a process of its own, on EPISODES tasks of SUITE with WIDTH episodes at
once; then the first of these tasks again with other widths, whose replies must be equal. Not a
test.

MODEL=FILE.gguf takes a file instead of the embedded SmolLM2-135M, which is exported as Q8_0.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

from tooldrill.eval.results import Results

EPISODES = int(os.environ.get("EPISODES", "300"))
SUITE = os.environ.get("SUITE", "contract")
WIDTH = int(os.environ.get("WIDTH", "8"))
OTHER_WIDTHS = [int(width) for width in os.environ.get("OTHER_WIDTHS", "1,3").split(",")]
AGAIN = int(os.environ.get("AGAIN", "30"))
CONTEXT = int(os.environ.get("CONTEXT", "4096"))
LIMIT_MINUTES = 10


def main() -> None:
    """Prints the numbers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = Path(os.environ["MODEL"]) if "MODEL" in os.environ else _exported(folder)
        cores = psutil.cpu_count(logical=False)
        print(f"{EPISODES} episodes of `{SUITE}`, {model.name}, {WIDTH} at once, {cores} cores")
        print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}\n")
        results = _evaluated(model, EPISODES, WIDTH, folder)
        _print(results)
        for width in OTHER_WIDTHS:
            again = _evaluated(model, AGAIN, width, folder)
            print(f"{width} at once: {_equal(results, again)} of {AGAIN} episodes the same")


def _print(results: Results) -> None:
    minutes = results.seconds / 60
    steps = [step for episode in results.episodes for step in episode.steps]
    prompts = sum(step.prompt_tokens - step.cached_tokens for step in steps)
    rate = EPISODES / minutes
    print(f"{minutes:.1f} minutes, {rate:.1f} a minute (aim: {300 / LIMIT_MINUTES:.0f})")
    print(f"{len(steps)} replies of {sum(step.reply_tokens for step in steps)} tokens;", end=" ")
    print(f"{prompts} tokens of prompts computed")
    if results.peak_memory is not None:
        print(f"peak memory {results.peak_memory / 1e6:.0f} MB\n")


def _evaluated(model: Path, episodes: int, width: int, folder: Path) -> Results:
    out = folder / f"{episodes}-{width}.json"
    program = str(Path(sys.executable).with_name("tooldrill"))
    command = [program, "eval", f"eval.tasks={episodes}"]
    command += [f"eval.engine.parallel={width}", f"eval.engine.context={CONTEXT}"]
    command += ["--suite", SUITE, "--model", str(model), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return Results.load(out)


def _equal(whole: Results, part: Results) -> int:
    """Episodes with the same replies and the same verdict."""
    known = {episode.task: episode for episode in whole.episodes}
    return sum(
        [step.reply for step in one.steps] == [step.reply for step in known[one.task].steps]
        and one.success == known[one.task].success
        for one in part.episodes
    )


def _exported(folder: Path) -> Path:
    from tooldrill.export.run import export_model
    from tooldrill.export.settings import ExportSettings
    from tooldrill.training.settings import ModelSettings

    settings = ExportSettings(quantizations=["Q8_0"])
    export_model(ModelSettings(), None, settings, None, folder)
    return next(folder.glob("*-Q8_0.gguf"))


if __name__ == "__main__":
    main()
