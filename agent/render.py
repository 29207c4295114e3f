"""Chat templates: from messages and tools to the text the model reads.

Templates come from model files, which are untrusted: they run in Jinja's sandbox. The filters and
globals are those that Transformers gives to chat templates, so that the same template gives the
same text here, in training and in llama-server.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from importlib import resources
from typing import Any

import jinja2
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tooldrill.agent.episode import Message
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.base import CallProtocol, Tools


class ChatTemplate:
    """A compiled chat template.

    Args:
        source: the Jinja text.
        bos_token: what `{{ bos_token }}` writes; eos_token likewise.

    Raises:
        TooldrillError: when the template is not valid Jinja.
    """

    def __init__(self, source: str, bos_token: str = "", eos_token: str = "") -> None:
        self.source = source
        self._special = {"bos_token": bos_token, "eos_token": eos_token}
        try:
            self._template = _environment().from_string(source)
        except jinja2.TemplateSyntaxError as error:
            raise TooldrillError(
                f"the chat template is not valid Jinja (line {error.lineno}): {error.message}",
                "give another with model.chat_template, or `tooldrill` for the bundled one",
            ) from error

    def render(
        self,
        messages: Sequence[Message],
        tools: Tools,
        protocol: CallProtocol,
        *,
        add_generation_prompt: bool,
    ) -> str:
        """The conversation as text, in the given protocol.

        Raises:
            TooldrillError: when the template refuses the conversation.
        """
        chat, shown = protocol.to_chat(messages, tools)
        try:
            return self._template.render(
                messages=chat,
                tools=shown,
                add_generation_prompt=add_generation_prompt,
                **self._special,
            )
        except (jinja2.TemplateError, TypeError, ValueError) as error:
            raise TooldrillError(
                f"the chat template refuses the conversation: {error}",
                "set model.chat_template to `tooldrill`, or to a template that knows tools",
            ) from error


def bundled_template() -> str:
    """The text of `templates/tooldrill.jinja`."""
    return (resources.files("tooldrill.agent") / "templates/tooldrill.jinja").read_text("utf-8")


def knows_tools(source: str) -> bool:
    """Whether a template shows tools and writes calls of its own."""
    return "tools" in source and "tool_call" in source


def _environment() -> jinja2.Environment:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
    )
    environment.filters["tojson"] = _tojson
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return environment


def _tojson(value: Any, ensure_ascii: bool = False, indent: int | None = None, **_: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)


def _raise_exception(message: str) -> None:
    raise jinja2.TemplateError(message)
