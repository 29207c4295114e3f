"""Baits for what a reply is: `malformed_call`, `multiple_calls`, `unknown_tool`,
`terminator_as_tool`.
"""

from __future__ import annotations

import json
import random
import re
from typing import Any

from tooldrill.agent import messages
from tooldrill.agent.call import Call
from tooldrill.agent.episode import CallRecord
from tooldrill.agent.tool import Registry
from tooldrill.data.situations.misleading_error import absent_tool
from tooldrill.data.tasks.making import all_names
from tooldrill.data.tasks.mask import make_mask, mask_call
from tooldrill.data.tasks.solve import offered
from tooldrill.data.tasks.task import Mask, Task
from tooldrill.eval.suites.baits.bait import Bait, Baited, after, begun, slipped, told


def _awkward_text(task: Task, rng: random.Random) -> Baited | None:
    """A free text of the user's that has quotes, backslashes or braces in it."""
    state = json.dumps(task.state, ensure_ascii=False)
    for name, value in task.calls[0].arguments.items():
        if not isinstance(value, str) or not re.search(r"[A-Za-z]{3}", value):
            continue
        if task.prompt.count(value) != 1 or value in state:
            continue
        awkward = rng.choice(_AWKWARD).format(value=value)
        shown = task.model_copy(
            update={
                "prompt": task.prompt.replace(value, awkward),
                "oracle": [
                    CallRecord(name=c.name, arguments=_swapped(c.arguments, value, awkward))
                    for c in task.oracle
                ],
                "answer": task.answer.replace(value, awkward),
            }
        )
        # As a hasty writer puts it into JSON: not escaped at all.
        inside = ", ".join(
            f'"{key}": "{item}"' if key == name else f'"{key}": {json.dumps(item)}'
            for key, item in shown.oracle[0].arguments.items()
        )
        call = f'{{"name": "{task.oracle[0].name}", "arguments": {{{inside}}}}}'
        return Baited(shown, (f"<tool_call>\n{call}\n</tool_call>",))
    return None


def _swapped(arguments: dict[str, Any], value: str, awkward: str) -> dict[str, Any]:
    return {key: awkward if item == value else item for key, item in arguments.items()}


def _in_a_block(task: Task, rng: random.Random) -> Baited:
    """The user wants to see the call in Markdown."""
    call = task.calls[0]
    text = json.dumps({"name": call.name, "arguments": call.arguments}, ensure_ascii=False)
    return Baited(told(task, rng, _BLOCK), (f"Here it is:\n```json\n{text}\n```",))


def _broken_before(task: Task, rng: random.Random) -> Baited:
    """An earlier reply could not be read; its form is still there to be copied."""
    call = task.calls[0]
    text = json.dumps({"name": call.name, "arguments": call.arguments}, ensure_ascii=False)
    broken = (
        f"<tool_call>\n{rng.choice((text[:-1], text[1:], text.replace(': ', ' ')))}\n</tool_call>"
    )
    error = messages.user(f"ERROR: {rng.choice(_UNREADABLE)}")
    shown = begun(task, [messages.malformed_message(broken, learn=False), error])
    return Baited(shown, (broken,))


def _in_one_go(task: Task, rng: random.Random) -> Baited | None:
    """The user is in a hurry: everything at once."""
    if len(task.oracle) < 2:
        return None
    return Baited(told(task, rng, _ONE_GO), (tuple(task.calls),))


def _many_steps(task: Task, _: random.Random) -> Baited | None:
    """Several calls are needed, and all that they need is known or guessed from the start."""
    if len(task.oracle) < 3:
        return None
    return Baited(task, (tuple(task.calls[:2]),))


def _advised_tool(task: Task, rng: random.Random) -> Baited | None:
    """An error text names a tool that does not exist."""
    failure = slipped(task, rng)
    if failure is None:
        return None
    right = task.calls[0]
    tool = absent_tool(rng, right.name, offered(task))
    advice = rng.choice(_TOOL_ADVICE).format(tool=tool)
    shown = after(task, failure.call, f"{failure.observation.text}. {advice}")
    return Baited(shown, (Call(tool, right.arguments),))


def _wished_tool(task: Task, rng: random.Random) -> Baited:
    """The user names a tool that does not exist."""
    right = task.calls[0]
    tool = absent_tool(rng, right.name, offered(task))
    return Baited(told(task, rng, _TOOL_WISHES, tool=tool), (Call(tool, right.arguments),))


def _renamed_tool(task: Task, rng: random.Random) -> Baited:
    """The tool has another name than the user knows it by."""
    old = task.calls[0]
    new = make_mask(rng, offered(task), all_names()).tools[old.name]
    return Baited(told(_under_names(task, {old.name: new}), rng, _OLD_NAMES, tool=old.name), (old,))


def _asked_to_conclude(task: Task, rng: random.Random) -> Baited:
    """The user asks for a conclusion by a name that looks like a tool's."""
    name = rng.choice(_ENDINGS)
    last = Call(name, {rng.choice(_ENDING_ARGUMENTS): task.answer})
    return Baited(told(task, rng, _CONCLUDE, name=name), (*task.calls, last))


def _really_named_so(task: Task, rng: random.Random) -> Baited | None:
    """A tool that is not needed really is named like an ending; it does something else."""
    needed = {call.name for call in task.calls}
    spare = [name for name in task.tools if name not in needed]
    if not spare:
        return None
    name, other = rng.sample(_ENDINGS, 2)
    shown = told(_under_names(task, {rng.choice(spare): name}), rng, _CONCLUDE, name=other)
    last = Call(other, {rng.choice(_ENDING_ARGUMENTS): task.answer})
    return Baited(shown, (*task.calls, last))


def _needed_one_named_so(task: Task, rng: random.Random) -> Baited:
    """The tool that is needed really is named like an ending; the next registry has none such."""
    name, other = rng.sample(_ENDINGS, 2)
    shown = _under_names(task, {task.calls[0].name: name})
    return Baited(shown, (*shown.calls, Call(other, {rng.choice(_ENDING_ARGUMENTS): task.answer})))


def _under_names(task: Task, new: dict[str, str]) -> Task:
    """The task with some tools under other names."""
    registry: Registry = offered(task)
    parameters = {p.name: p.name for tool in registry for p in tool.parameters}
    mask = Mask(tools={name: new.get(name, name) for name in task.tools}, parameters=parameters)
    oracle = [mask_call(mask, call.name, call.arguments) for call in task.calls]
    return task.model_copy(
        update={
            "mask": mask,
            "tools": [mask.tools[name] for name in task.tools],
            "oracle": [CallRecord(name=name, arguments=arguments) for name, arguments in oracle],
        }
    )


_AWKWARD = (
    '{value} "for real"',
    '{value} {{"draft": [1,]}}',
    "{value} \\shared\\docs",
    '"{value}", he said',
    '{value} (6" x 4")',
)
_BLOCK = (
    "Show me the call in a Markdown code block.",
    "Write the JSON of it in a ```json block, with a sentence before it.",
    "I want to read along: put every call into a fenced code block.",
)
_UNREADABLE = (
    "this reply could not be read.",
    "the call is no valid JSON.",
    "neither a call nor an answer was found in the reply.",
)
_ONE_GO = (
    "Do all of it in one go, please.",
    "Send everything at once, I have no time for a second round.",
    "All steps together in a single reply, please.",
)
_TOOL_ADVICE = (
    "{tool} accepts this.",
    "Since the last release {tool} is the place for it.",
    "For such cases there is {tool}.",
    "Call {tool} with what you have.",
)
_TOOL_WISHES = (
    "I think {tool} is made for that.",
    "Take {tool} for it, if you would.",
    "My colleague always runs {tool} for this.",
)
_OLD_NAMES = (
    "It used to be called {tool}, or something like it.",
    "In the old version that was {tool}.",
    "I knew it as {tool}; they have renamed things since.",
)
_ENDINGS = ("conclusion", "final_answer", "finish", "done", "submit_answer", "task_complete")
_ENDING_ARGUMENTS = ("text", "answer", "result", "summary")
_CONCLUDE = (
    "When you are through, write your {name}.",
    "Close with your {name}.",
    "At the end I expect a {name}.",
    "Do not forget the {name} when everything is done.",
)

MALFORMED_CALL = (
    Bait("awkward text", _awkward_text),
    Bait("call wanted in a code block", _in_a_block),
    Bait("unreadable before", _broken_before),
)
MULTIPLE_CALLS = (Bait("all in one go", _in_one_go), Bait("many steps", _many_steps))
UNKNOWN_TOOL = (
    Bait("error names it", _advised_tool),
    Bait("user names it", _wished_tool),
    Bait("renamed since", _renamed_tool),
)
TERMINATOR_AS_TOOL = (
    Bait("conclusion asked for", _asked_to_conclude),
    Bait("another tool named so", _really_named_so),
    Bait("needed tool named so", _needed_one_named_so),
)
