"""Tasks of one's own through the loop: each in a workspace of its own, its tools under limits."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tooldrill.agent import messages
from tooldrill.agent.environment import Environment
from tooldrill.agent.episode import CallRecord, Episode, Message
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.limits.opening import limited_environment
from tooldrill.agent.limits.removal import remove_folder
from tooldrill.agent.limits.settings import ToolLimits
from tooldrill.agent.sources.python import load_functions
from tooldrill.agent.tool import Registry
from tooldrill.data.tasks.task import Split, Task, TaskKind
from tooldrill.eval.suites.own_expect import accepted, met
from tooldrill.eval.suites.own_format import SETUP, TOOLS, OwnSuite, OwnTask
from tooldrill.eval.suites.task_set import TaskSet


def own_set(suite: OwnSuite) -> TaskSet:
    """The suite's tasks as results files keep them; `state` holds the line they came from."""
    name = f"own:{suite.folder.resolve().name}"
    tasks = [_task(one, name, suite) for one in suite.tasks]
    return TaskSet(tasks, name, open_one=_opener(suite))


def _opener(suite: OwnSuite) -> Callable[[Task], OpenedOwn]:
    lines = {one.id: one for one in suite.tasks}
    has_setup = SETUP in load_functions(str(suite.folder / TOOLS))

    def open_own(task: Task) -> OpenedOwn:
        return OpenedOwn(task, lines[task.id], suite, has_setup=has_setup)

    return open_own


class OpenedOwn:
    """A task of one's own, ready for its next reply.

    Raises:
        TooldrillError: when the tools cannot be run here, or `setup` fails.
    """

    def __init__(self, task: Task, line: OwnTask, suite: OwnSuite, *, has_setup: bool) -> None:
        self.task = task
        self.registry: Registry = suite.registry
        self.messages: list[Message] = [messages.user(line.prompt), *line.history]
        self._expect = line.expect
        with ExitStack() as stack:
            self._workspace = Path(tempfile.mkdtemp(prefix="tooldrill-task-")).resolve()
            stack.callback(remove_folder, self._workspace)
            for path, text in line.files.items():
                target = self._workspace / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(text.encode())
            tools = (suite.folder / TOOLS).resolve()
            limits = ToolLimits(workspace=self._workspace, readable=(tools.parent,))
            if has_setup:
                _set_up(tools, limits, task.id)
            source = f"python:{tools}:{','.join(suite.registry.names)}"
            _, environment = stack.enter_context(limited_environment(source, limits))
            self.session: Environment = environment
            self._stack = stack.pop_all()

    def judge(self, episode: Episode) -> bool:
        """Whether the episode is as the task expects."""
        return met(self._expect, episode, self._workspace, self.registry)

    def close(self) -> None:
        """Ends the tools and removes the workspace."""
        self._stack.close()


def _set_up(tools: Path, limits: ToolLimits, task: str) -> None:
    with limited_environment(f"python:{tools}:{SETUP}", limits) as (_, environment):
        answer = environment.call(SETUP, {"workspace": str(limits.workspace)})
    if answer.error:
        raise TooldrillError(
            f"setup failed before task {task!r}: {answer.text}", f"mend `setup` in {tools}"
        )


def _task(line: OwnTask, world: str, suite: OwnSuite) -> Task:
    expect = line.expect
    return Task(
        id=line.id,
        world=world,
        split=Split.HELDOUT,
        template=f"{world}.{line.id}",
        kind=TaskKind.RESTRAIN if expect.no_call else TaskKind.ACT,
        prompt=line.prompt,
        state={"line": line.model_dump(mode="json"), "tools.py": suite.code},
        tools=list(suite.registry.names),
        oracle=[
            CallRecord(
                name=call.name,
                arguments={name: accepted(value)[0] for name, value in call.arguments.items()},
            )
            for call in expect.calls
        ],
        answer="",
        answer_contains=expect.answer_contains,
        history=line.history,
        max_steps=line.max_steps,
    )
