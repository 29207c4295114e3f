"""llama-server's replies as the model wrote them, which other servers do not give.

Asked with `tool_choice: none`, llama-server shows the model the same prompt with the same tools,
but neither reads the calls nor holds them to a grammar. Its template, which it publishes, tells in
which dialect they are written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tooldrill.agent.constrain.grammar import IN_THOUGHT, ROOT
from tooldrill.agent.engines.base import Turn
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.messages import calls_message
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.protocols.dialects.catalog import HERMES
from tooldrill.agent.protocols.thinking import PLAIN, THINK
from tooldrill.agent.render import ChatTemplate


def served_template(props: Mapping[str, Any]) -> ChatTemplate | None:
    """The template that the server renders with when tools are given; None where it is not known.

    Args:
        props: the answer of `/props`.
    """
    source = props.get("chat_template_tool_use") or props.get("chat_template")
    if not isinstance(source, str) or not source:
        return None
    marks = (str(props.get(key) or "") for key in ("bos_token", "eos_token"))
    try:
        return ChatTemplate(source, *marks)
    except TooldrillError:
        return None  # llama-server's Jinja may take what ours does not


def knows_tools(props: Mapping[str, Any]) -> bool:
    """Whether the template shows tools; so it is assumed of a server that does not say."""
    caps = props.get("chat_template_caps")
    return not isinstance(caps, dict) or bool(caps.get("supports_tools", True))


def writes_readable_calls(template: ChatTemplate) -> bool:
    """Whether the template's calls are in a known dialect, and come as they were written.

    Where answers and thinking have marks of their own (gpt-oss, Gemma 4, Cohere) llama-server takes
    the reply apart even when it is asked not to.
    """
    try:
        return template.dialect.frame == PLAIN
    except TooldrillError:
        return False


def in_hermes(text: str, template: ChatTemplate) -> str:
    """A reply in the template's dialect in Hermes' notation; as it is, where it makes no call."""
    if not writes_readable_calls(template):
        return text
    reply = template.protocol("native").parse(text)
    if not reply.calls:
        return text
    return get_protocol("native", HERMES).write(calls_message(reply.calls, reply.thought))


def grammar_text(turn: Turn, template: ChatTemplate | None) -> str:
    """The turn's grammar as llama-server takes it: from `root`, wherever the prompt has ended.

    Raises:
        TooldrillError: when the template refuses the conversation.
    """
    assert turn.grammar is not None
    if template is None:
        return turn.grammar.text
    prompt = template.render(turn.messages, turn.tools, turn.protocol, add_generation_prompt=True)
    if not prompt.rstrip().endswith(THINK):
        return turn.grammar.text
    bodies = dict(turn.grammar.bodies)
    bodies[ROOT], bodies[IN_THOUGHT] = bodies[IN_THOUGHT], bodies[ROOT]
    return "".join(f"{name} ::= {body}\n" for name, body in bodies.items())
