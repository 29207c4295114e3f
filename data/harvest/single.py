"""Single calls over harvested tools: a request, the registry it is asked of, the call it means.

Nothing is executed, so there is no observation. Every value of the call is stated in the request;
requests that no tool fits, or that lack something required, are answered instead.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from tooldrill.agent.tool import Tool
from tooldrill.data.harvest.catalog import SOURCES, need_sources, service
from tooldrill.data.harvest.example import Single, Statement
from tooldrill.data.harvest.forge_side import belongs_to_other_forge
from tooldrill.data.harvest.operation import Operation
from tooldrill.data.harvest.palette import draw_operations, draw_service, draw_source
from tooldrill.data.harvest.plan import Plan
from tooldrill.data.harvest.styles import STYLES, tools_of
from tooldrill.data.harvest.values import Argument, draw_argument
from tooldrill.data.harvest.wording import asked
from tooldrill.data.tasks.task import Split
from tooldrill.data.values.names import Draw

__all__ = [
    "MISSING_SHARE",
    "NO_TOOL_SHARE",
    "Single",
    "Statement",
    "harvest_single",
    "harvest_singles",
]

NO_TOOL_SHARE = 0.08
MISSING_SHARE = 0.06
_MOST_OPTIONAL = 4
_TRIES = 200
_HOME_TRIES = 12
_LONGEST_PROMPT = 1200
_ASKED_OF = 3  # of so many operations one is asked for while its service is at hand


def harvest_single(
    rng: random.Random,
    split: Split = Split.TRAIN,
    sources: Sequence[str] = SOURCES,
    home: str | None = None,
) -> Single:
    """One example; equal generators give equal examples.

    Args:
        sources: which to draw from; those that are not installed are passed over.
        home: the service (`aws:s3`) to draw from first; another where it has nothing to ask for.

    Raises:
        TooldrillError: when none of the sources is installed.
    """
    there = need_sources(tuple(sources))
    draw = Draw(rng)
    chance = rng.random()
    for attempt in range(_TRIES):
        name = home if home is not None and attempt < _HOME_TRIES else None
        plan = _plan(draw, split, name or draw_service(draw, draw_source(draw, there), split))
        made = None if plan is None else _make(plan, chance)
        if made is not None and len(made.prompt) <= _LONGEST_PROMPT:
            return made
    raise RuntimeError("no operation of these services can be asked for")


def _make(plan: Plan, chance: float) -> Single | None:
    if chance < NO_TOOL_SHARE:
        return plan.no_tool()
    if chance < NO_TOOL_SHARE + MISSING_SHARE:
        return plan.missing()
    return plan.act()


def harvest_singles(
    seed: int | str,
    count: int,
    split: Split = Split.TRAIN,
    sources: Sequence[str] = SOURCES,
    sharing: int = 4,
) -> list[Single]:
    """`count` examples, `sharing` of each service: reading one costs as much as two examples."""
    there = need_sources(tuple(sources))
    made: list[Single] = []
    while len(made) < count:
        rng = random.Random(f"harvest:{seed}:{len(made)}")
        draw = Draw(rng)
        home = draw_service(draw, draw_source(draw, there), split)
        # A small service is left before all there is to ask of it was asked.
        left = min(sharing, count - len(made), max(1, len(service(home).names) // _ASKED_OF))
        made += [harvest_single(rng, split, there, home) for _ in range(left)]
    return made


def _plan(draw: Draw, split: Split, name: str) -> Plan | None:
    home = service(name)
    source = home.source
    operations = draw_operations(draw, home, split)
    style = draw.pick(STYLES[source])
    named = [
        (operation, tool)
        for operation, tool in tools_of(style, operations)
        if not belongs_to_other_forge(tool, split)
    ]
    if len(named) < 2 or named[0][0] is not operations[0]:
        return None
    target, tool = named[0]
    arguments = _arguments(draw, target, tool)
    if arguments is None:
        return None
    template = f"harvest.{source}.{style.name}"
    return Plan(draw, split, home.name, template, tuple(named), tuple(arguments))


def _arguments(draw: Draw, operation: Operation, tool: Tool) -> list[Argument] | None:
    """A value for each required parameter and some of the others; None when one is unsayable."""
    required = [p for p in tool.parameters if p.required]
    optional = [p for p in tool.parameters if not p.required]
    most = 1 if len(required) > 3 else _MOST_OPTIONAL
    count = draw.pick((0, 0, 1, 1, 1, 2, 2, 3, most))
    if asked(operation).group == "write":
        # To change something is to say what it becomes.
        count = max(1, count)
    count = min(len(optional), count)
    chosen = {p.name for p in draw.sample(optional, count)}
    found: list[Argument] = []
    owner = "-".join(asked(operation).things)
    for parameter in tool.parameters:
        if not parameter.required and parameter.name not in chosen:
            continue
        made = draw_argument(draw, parameter, operation.source, operation.service, owner)
        if made is None and parameter.required:
            return None
        if made is not None:
            found.append(made)
    return found
