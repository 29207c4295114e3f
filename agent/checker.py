"""From calls to violations: the tool contract, checked without a model's opinion.

Pure functions of (calls, registry, what happened earlier). What cannot be read at all is found by
the protocol; what the task needed is found by the evaluation's grader.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from tooldrill.agent.call import Call, PastCall, Reply
from tooldrill.agent.environment import ERROR_PREFIX
from tooldrill.agent.signature import signature
from tooldrill.agent.tool import Registry, Tool
from tooldrill.agent.violation import UNKNOWN_ARGUMENT_CLASSES, Violation, ViolationClass

# Ways to write "I am finished" as a call, compared without case and separators.
TERMINATORS = frozenset(
    """answer complete completed complete_task conclude conclusion done end end_task exit final
    final_answer final_response finalize finish finished give_answer output quit reply respond
    response result return stop submit submit_answer task_complete task_done terminate""".replace(
        "_", ""
    ).split()
)

# Breaches after which the call is not carried out.
BLOCKING = frozenset(
    {
        ViolationClass.MALFORMED_CALL,
        ViolationClass.UNKNOWN_TOOL,
        ViolationClass.TERMINATOR_AS_TOOL,
        ViolationClass.BORROWED_ARGUMENT,
        ViolationClass.STICKY_ARGUMENT,
        ViolationClass.INVENTED_ARGUMENT,
        ViolationClass.MISSING_ARGUMENT,
        ViolationClass.WRONG_TYPE,
        ViolationClass.INVALID_VALUE,
    }
)


def check_reply(
    reply: Reply, registry: Registry, history: Sequence[PastCall] = ()
) -> list[Violation]:
    """All violations of one reply: the protocol's first, then those of its calls in order."""
    return [*reply.problems, *check_calls(reply.calls, registry, history)]


def check_calls(
    calls: Iterable[Call], registry: Registry, history: Sequence[PastCall] = ()
) -> list[Violation]:
    """All violations of the calls against the registry and the episode so far."""
    found: list[Violation] = []
    for call in calls:
        tool = registry.get(call.name)
        if tool is None:
            found.append(_no_such_tool(call, registry))
        else:
            found.extend(_arguments(call, tool, registry, history))
        if any(past.error and past.call.fingerprint == call.fingerprint for past in history):
            found.append(_repeated(call))
    return found


def refusal(violations: Sequence[Violation], registry: Registry) -> str:
    """The observation that answers a refused call: what is wrong, then the exact signature."""
    sentences = list(dict.fromkeys(v.message for v in violations if v.kind in BLOCKING))
    text = f"{ERROR_PREFIX}: {' '.join(sentences)}"
    tool = next((registry[v.tool] for v in violations if v.tool and v.tool in registry), None)
    return f"{text} Signature: {signature(tool)}" if tool else text


def rejected_arguments(violations: Iterable[Violation]) -> tuple[str, ...]:
    """Names of the arguments refused because the tool has no such parameter."""
    names = (v.argument for v in violations if v.kind in UNKNOWN_ARGUMENT_CLASSES and v.argument)
    return tuple(dict.fromkeys(names))


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The most similar of `names`, ignoring case and separators; None when nothing is near."""
    plain = {_plain(candidate): candidate for candidate in names}
    match = difflib.get_close_matches(_plain(name), plain, n=1, cutoff=0.6)
    return plain[match[0]] if match else None


def _plain(name: str) -> str:
    return "".join(ch for ch in name.lower() if ch.isalnum())


def _no_such_tool(call: Call, registry: Registry) -> Violation:
    if _plain(call.name) in TERMINATORS:
        return Violation(
            kind=ViolationClass.TERMINATOR_AS_TOOL,
            tool=call.name,
            message=f'"{call.name}" is not a tool: to finish, answer without a call.',
        )
    suggestion = nearest(call.name, registry.names)
    hint = f' Did you mean "{suggestion}"?' if suggestion else ""
    return Violation(
        kind=ViolationClass.UNKNOWN_TOOL,
        tool=call.name,
        suggestion=suggestion,
        message=f'There is no tool "{call.name}".{hint} Tools: {", ".join(registry.names)}.',
    )


def _arguments(
    call: Call, tool: Tool, registry: Registry, history: Sequence[PastCall]
) -> Iterable[Violation]:
    for name, value in call.arguments.items():
        checker = tool.checkers.get(name)
        if checker is not None:
            for problem in checker.problems(value):
                yield Violation(
                    kind=problem.kind,
                    tool=tool.name,
                    argument=name,
                    path=f"$.{name}{problem.path}",
                    message=f'{tool.name}: "{name}{problem.path}" {problem.reason}.',
                )
        elif not tool.open_ended:
            yield _no_such_parameter(name, tool, registry, history)
    for name in tool.required_names:
        if name not in call.arguments:
            yield Violation(
                kind=ViolationClass.MISSING_ARGUMENT,
                tool=tool.name,
                argument=name,
                path=f"$.{name}",
                message=f'{tool.name} needs "{name}".',
            )


def _no_such_parameter(
    name: str, tool: Tool, registry: Registry, history: Sequence[PastCall]
) -> Violation:
    owners = registry.owners(name)
    # An argument that was refused and now comes back is the wrong lesson kept, whoever owns it.
    if any(name in past.rejected_arguments for past in history):
        kind = ViolationClass.STICKY_ARGUMENT
    elif owners:
        kind = ViolationClass.BORROWED_ARGUMENT
    else:
        kind = ViolationClass.INVENTED_ARGUMENT
    absent = tool.parameter_names
    suggestion = nearest(name, absent)
    whose = f" ({', '.join(owners)} {'has' if len(owners) == 1 else 'have'} it)" if owners else ""
    hint = f' Did you mean "{suggestion}"?' if suggestion else ""
    return Violation(
        kind=kind,
        tool=tool.name,
        argument=name,
        path=f"$.{name}",
        owners=owners,
        suggestion=suggestion,
        message=f'{tool.name} has no parameter "{name}"{whose}.{hint}',
    )


def _repeated(call: Call) -> Violation:
    return Violation(
        kind=ViolationClass.REPEATED_FAILURE,
        tool=call.name,
        message=f"This same call of {call.name} has already failed: change it or its arguments.",
    )
