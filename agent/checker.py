"""From calls to violations: the tool contract, checked without a model's opinion.

Pure functions of (reply or calls, registry, protocol, what happened earlier). What cannot be read
at all is found by the protocol; what the task needed is found by the evaluation's grader.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tooldrill.agent.call import Call, PastCall, Reply
from tooldrill.agent.environment import ERROR_PREFIX
from tooldrill.agent.names import nearest, plain
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.protocols.dialects.catalog import get_dialect
from tooldrill.agent.reading import read_reply
from tooldrill.agent.signature import signature
from tooldrill.agent.tool import Registry, Tool
from tooldrill.agent.value_problems import Problem, json_path, path_text
from tooldrill.agent.violation import UNKNOWN_ARGUMENT_CLASSES, Violation, ViolationClass

# Ways to write "I am finished" as a call, compared without case and separators.
TERMINATORS = frozenset(
    """answer attempt_completion complete completed complete_task conclude conclude_task conclusion
    done end end_conversation end_task exit final final_answer final_response finalize
    finalize_answer finish finish_task finished give_answer give_final_answer no_tool none output
    quit reply reply_to_user respond respond_to_user response result return return_answer stop
    submit submit_answer submit_final_answer task_complete task_completed task_done
    terminate""".replace("_", "").split()
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


# Names of tools listed in a message; of more, a reader gets no help.
_LISTED_TOOLS = 20
_LONGEST_NAME = 80


def check_text(
    text: str,
    registry: Registry,
    protocol: str = "native",
    history: Sequence[PastCall] = (),
    dialect: str = "hermes",
) -> list[Violation]:
    """All violations of one reply, given as the model wrote it.

    Args:
        protocol: how it is to be read, `native` or `react_json`.
        history: the episode's earlier calls, in order.
        dialect: how the model's chat template writes native calls (`protocols.dialects`).

    Raises:
        TooldrillError: when there is no such protocol or dialect.
    """
    spoken = get_protocol(protocol, get_dialect(dialect))
    return check_reply(read_reply(text, spoken, registry), registry, history)


def check_reply(
    reply: Reply, registry: Registry, history: Sequence[PastCall] = ()
) -> list[Violation]:
    """All violations of one reply: the protocol's first, then those of its calls in order."""
    return [*reply.problems, *check_calls(reply.calls, registry, history)]


def check_calls(
    calls: Iterable[Call], registry: Registry, history: Sequence[PastCall] = ()
) -> list[Violation]:
    """All violations of the calls against the registry and the episode so far.

    How many calls a reply may make is the protocol's matter. Arguments must be JSON values.
    """
    failed: set[str] = set()
    for past in history:
        # A call that has worked since may be made again.
        (failed.add if past.error else failed.discard)(past.call.fingerprint)
    refused = {name for past in history for name in past.rejected_arguments}
    found: list[Violation] = []
    for call in calls:
        tool = registry.get(call.name)
        if tool is None:
            found.append(_no_such_tool(call, registry))
        elif not tool.checker.accepts(call.arguments):
            found.extend(_arguments(call, tool, registry, refused))
        if failed and call.fingerprint in failed:
            found.append(_repeated(call))
    return found


def refusal(violations: Sequence[Violation], registry: Registry) -> str:
    """The observation that answers a refused call: what is wrong, then the exact signature."""
    blocking = [v for v in violations if v.kind in BLOCKING] or list(violations)
    sentences = dict.fromkeys(v.message for v in blocking)
    text = f"{ERROR_PREFIX}: {' '.join(sentences)}"
    named = (name for v in blocking for name in (v.tool, v.suggestion) if name)
    tool = next((registry[name] for name in named if name in registry), None)
    return f"{text} Signature: {signature(tool)}" if tool else text


def rejected_arguments(violations: Iterable[Violation]) -> tuple[str, ...]:
    """Names of the arguments refused because the tool has no such parameter."""
    names = (
        v.argument
        for v in violations
        # A field that does not exist inside an argument does not refuse the argument.
        if v.kind in UNKNOWN_ARGUMENT_CLASSES and v.argument and v.path == json_path((v.argument,))
    )
    return tuple(dict.fromkeys(names))


def _no_such_tool(call: Call, registry: Registry) -> Violation:
    if plain(call.name) in TERMINATORS:
        return Violation(
            kind=ViolationClass.TERMINATOR_AS_TOOL,
            tool=call.name,
            message=f'"{_cut(call.name)}" is not a tool: to finish, give the answer, not a call.',
        )
    suggestion = nearest(call.name, registry.names)
    hint = f' Did you mean "{suggestion}"?' if suggestion else ""
    return Violation(
        kind=ViolationClass.UNKNOWN_TOOL,
        tool=call.name,
        suggestion=suggestion,
        message=f'There is no tool "{_cut(call.name)}".{hint} Tools: {_listed(registry.names)}.',
    )


def _arguments(
    call: Call, tool: Tool, registry: Registry, refused: set[str]
) -> Iterator[Violation]:
    for problem in tool.checker.problems(call.arguments):
        if problem.kind is not ViolationClass.INVENTED_ARGUMENT:
            yield _as_violation(problem, tool)
        elif len(problem.path) > 1:
            yield _as_violation(problem, tool, nearest(str(problem.path[-1]), problem.known))
        else:
            yield _no_such_parameter(str(problem.path[0]), tool, registry, refused)


def _as_violation(problem: Problem, tool: Tool, suggestion: str | None = None) -> Violation:
    named = problem.kind in (ViolationClass.MISSING_ARGUMENT, ViolationClass.INVENTED_ARGUMENT)
    # Of what is missing or unknown, the sentence is about the object that lacks it.
    holder = path_text(problem.path[:-1] if named else problem.path)
    about = f'{tool.name}: "{holder}"' if holder else tool.name
    hint = f' Did you mean "{suggestion}"?' if suggestion else ""
    return Violation(
        kind=problem.kind,
        tool=tool.name,
        argument=str(problem.path[0]) if problem.path else None,
        path=json_path(problem.path),
        suggestion=suggestion,
        message=f"{about} {problem.reason}.{hint}",
    )


def _no_such_parameter(name: str, tool: Tool, registry: Registry, refused: set[str]) -> Violation:
    owners = registry.owners(name)
    # An argument that was refused and now comes back is the wrong lesson kept, whoever owns it.
    if name in refused:
        kind = ViolationClass.STICKY_ARGUMENT
    elif owners:
        kind = ViolationClass.BORROWED_ARGUMENT
    else:
        kind = ViolationClass.INVENTED_ARGUMENT
    suggestion = nearest(name, [p.name for p in tool.parameters])
    again = " It was refused before: leave it out." if name in refused else ""
    whose = f" ({_listed(owners)} {'has' if len(owners) == 1 else 'have'} it)" if owners else ""
    hint = f' Did you mean "{suggestion}"?' if suggestion else ""
    return Violation(
        kind=kind,
        tool=tool.name,
        argument=name,
        path=json_path((name,)),
        owners=owners,
        suggestion=suggestion,
        message=f'{tool.name} has no parameter "{_cut(name)}"{whose}.{hint}{again}',
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_LISTED_TOOLS]) or "none"
    left = len(names) - _LISTED_TOOLS
    return f"{shown} and {left} more" if left > 0 else shown


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 3] + "..."


def _repeated(call: Call) -> Violation:
    return Violation(
        kind=ViolationClass.REPEATED_FAILURE,
        tool=call.name,
        message=f"This same call of {call.name} has already failed: change it or its arguments.",
    )
