"""How fast the loop is: `make bench-loop`.

The same held-out tasks over the same GGUF, each way in a process of its own: tooldrill's engine,
and one episode after another through `Llama.create_chat_completion` of llama-cpp-python, which
keeps the cache of the last prompt. Both are driven by tooldrill's loop and read the same prompts.
llama-cpp-python runs twice: with the threads it takes by itself (half of the cores, to generate),
and with tooldrill's. Greedy replies are compared. Not a test.

MODEL=FILE.gguf takes a file instead of the embedded SmolLM2-135M, which is exported as Q8_0.
PALETTE=WORLD,... takes the tasks of these worlds, in turn, and offers all tools of its world in
each, as an agent does, so that the prompts of a world's episodes begin alike; without it every task
has tools of its own.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tooldrill.agent.engines.base import Engine, EngineInfo, Generation, Turn
from tooldrill.agent.protocols.base import CallProtocol
from tooldrill.agent.render import ChatTemplate, knows_tools
from tooldrill.agent.settings import EngineSettings, LoopSettings, ProtocolName
from tooldrill.agent.tool import Registry

if TYPE_CHECKING:
    from tooldrill.data.tasks.solve import OpenedTask
    from tooldrill.eval.settings import EvalSettings

TASKS = int(os.environ.get("TASKS", "64"))
PARALLEL = [int(width) for width in os.environ.get("PARALLEL", "8,16,32").split(",")]
CONTEXT = int(os.environ.get("CONTEXT", "4096"))
THREADS = int(os.environ.get("THREADS", "0")) or None
PALETTE = os.environ.get("PALETTE", "")
AS_IT_COMES = "one by one, its threads"
ONE_BY_ONE = "one by one, ours"


def main() -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(os.environ["MODEL"]) if "MODEL" in os.environ else _exported(Path(folder))
        print(f"{TASKS} held-out tasks, {model.name}, {_threads()} threads, context {CONTEXT}")
        print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}\n")
        print(
            f"{'':24}{'episodes/min':>13}{'tokens/s':>10}{'seconds':>9}{'GiB':>6}"
            f"{'x its':>7}{'x ours':>7}"
        )
        rows = [(name, _measured(name, model)) for name in (AS_IT_COMES, ONE_BY_ONE)]
        rows += [
            (f"tooldrill, {width} at once", _measured(str(width), model)) for width in PARALLEL
        ]
    as_it_comes, stock = rows[0][1], rows[1][1]
    for name, row in rows:
        print(
            f"{name:24}{60 * TASKS / row['seconds']:>13.1f}{row['tokens'] / row['seconds']:>10.1f}"
            f"{row['seconds']:>9.1f}{row['memory']:>6.2f}"
            f"{as_it_comes['seconds'] / row['seconds']:>7.2f}"
            f"{stock['seconds'] / row['seconds']:>7.2f}"
        )
    print("\nreplies equal to those of one by one, and episodes in which all are:")
    for name, row in rows[2:]:
        print(f"{name:24}{_agreement(stock['replies'], row['replies'])}")
    print(f"\n{stock['steps']} replies of {stock['tokens']} tokens, {stock['prompt']} of prompts")


def _measured(engine: str, model: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, engine, str(model)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row


def _run(name: str, model: Path) -> dict[str, Any]:
    """One way, timed without loading the model and opening the tasks' worlds."""
    from tooldrill.agent.loop import Job, run_episodes
    from tooldrill.data.tasks.solve import open_task
    from tooldrill.eval.suite import heldout_tasks

    loop = LoopSettings()
    tasks = heldout_tasks(_suite())
    opened = [open_task(task) for task in tasks]
    jobs = [
        Job(task.id, list(one.messages), _tools(one), one.session, min(task.max_steps, 12))
        for task, one in zip(tasks, opened, strict=True)
    ]
    engine = _engine(name, model)
    start = time.perf_counter()
    episodes = run_episodes(jobs, engine, loop)
    seconds = time.perf_counter() - start
    engine.close()
    for one in opened:
        one.close()
    steps = [step for episode in episodes for step in episode.steps]
    return {
        "seconds": seconds,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "steps": len(steps),
        "tokens": sum(step.reply_tokens for step in steps),
        "prompt": sum(step.prompt_tokens for step in steps),
        "replies": [[step.reply for step in episode.steps] for episode in episodes],
    }


def _suite() -> EvalSettings:
    """Held-out tasks, or those of some worlds, each with all of its tools: agents' palettes."""
    from tooldrill.data.worlds.catalog import get_world
    from tooldrill.eval.settings import EvalSettings

    if not PALETTE:
        return EvalSettings(tasks=TASKS)
    worlds = PALETTE.split(",")
    size = max(len(get_world(world).registry.names) for world in worlds)
    return EvalSettings(tasks=TASKS, worlds=worlds, tools=(size, size))


def _tools(opened: OpenedTask) -> Registry:
    """The tools of a task; a palette's always in the same order."""
    if not PALETTE:
        return opened.registry
    return opened.registry.select(sorted(opened.registry.names))


def _engine(name: str, model: Path) -> Engine:
    from tooldrill.agent.engines.llama import LlamaEngine

    if name in {AS_IT_COMES, ONE_BY_ONE}:
        return ChatCompletion(model, None if name == AS_IT_COMES else _threads())
    settings = EngineSettings(context=CONTEXT, parallel=int(name), threads=_threads(), gpu_layers=0)
    return LlamaEngine(model, settings)


class ChatCompletion:
    """llama-cpp-python as its users drive it: one conversation after the other."""

    slots = 1

    def __init__(self, model: Path, threads: int | None) -> None:
        from llama_cpp import Llama
        from llama_cpp.llama_chat_format import (
            ChatFormatterResponse,
            chat_formatter_to_chat_completion_handler,
        )

        def rendered(*, messages: Any, **_kwargs: Any) -> ChatFormatterResponse:
            return ChatFormatterResponse(prompt=messages, added_special=True)

        self._llama = Llama(
            str(model), n_ctx=CONTEXT, n_threads=threads, n_threads_batch=threads,
            chat_handler=chat_formatter_to_chat_completion_handler(rendered), verbose=False,
        )  # fmt: skip
        source = self._llama.metadata["tokenizer.chat_template"]
        if not knows_tools(source):
            raise SystemExit(f"the chat template of {model.name} knows no tools")
        self._template = ChatTemplate(source)
        self._turn: Turn | None = None
        self.info = EngineInfo(kind="llama.cpp", model=model.name, source=str(model))

    def protocol(self, name: ProtocolName) -> CallProtocol:
        return self._template.protocol(name)

    def cannot_constrain(self, _protocol: CallProtocol, /) -> str | None:
        return "llama-cpp-python is compared without grammars"

    def submit(self, turn: Turn) -> None:
        self._turn = turn

    def collect(self) -> list[tuple[str, Generation]]:
        if self._turn is None:
            return []
        turn, self._turn = self._turn, None
        prompt = self._template.render(
            turn.messages, turn.tools, turn.protocol, add_generation_prompt=True
        )
        try:
            answer: Any = self._llama.create_chat_completion(
                prompt, temperature=0.0, repeat_penalty=1.0, max_tokens=turn.max_tokens
            )
        except ValueError as error:  # longer than the context
            return [(turn.key, Generation(failure=str(error)))]
        choice, usage = answer["choices"][0], answer["usage"]
        generation = Generation(
            text=choice["message"]["content"],
            prompt_tokens=usage["prompt_tokens"],
            reply_tokens=usage["completion_tokens"],
            stop=choice["finish_reason"],
        )
        return [(turn.key, generation)]

    def release(self, key: str) -> None:
        """The cache of the last prompt stays, whoever comes next."""

    def close(self) -> None:
        self._llama.close()


def _exported(folder: Path) -> Path:
    from tooldrill.export.run import export_model
    from tooldrill.export.settings import ExportSettings
    from tooldrill.training.settings import ModelSettings

    settings = ExportSettings(quantizations=["Q8_0"])
    export_model(ModelSettings(), None, settings, None, folder)
    return next(folder.glob("*-Q8_0.gguf"))


def _threads() -> int:
    from tooldrill.agent.engines.sequences import physical_cores

    return THREADS or physical_cores()


def _agreement(stock: list[list[str]], ours: list[list[str]]) -> str:
    """Replies are compared up to the first difference: what follows had other prompts."""
    pairs = list(zip(stock, ours, strict=True))
    same = sum(
        one == other
        for left, right in pairs
        for one, other in list(zip(left, right, strict=False))[: _equal(left, right) + 1]
    )
    seen = sum(min(_equal(left, right) + 1, len(left)) for left, right in pairs)
    return f"{same} of {seen}, {sum(left == right for left, right in pairs)} of {len(pairs)}"


def _equal(left: list[str], right: list[str]) -> int:
    """How many replies are equal before the first that is not."""
    together = zip(left, right, strict=False)
    return next((i for i, (one, other) in enumerate(together) if one != other), len(left))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(_run(sys.argv[1], Path(sys.argv[2]))))
    else:
        main()
