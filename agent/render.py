"""Chat templates: from messages and tools to the text the model reads.

Templates come from model files, which are untrusted: they run in Jinja's sandbox. The filters and
globals are those that Transformers gives to chat templates, so that the same template gives the
same text here, in training and in llama-server.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from importlib import resources
from itertools import chain
from typing import Any

import jinja2
import jinja2.nodes
import jinja2.parser
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tooldrill.agent.episode import Message
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.base import CallProtocol, Tools
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.protocols.dialects.base import Dialect
from tooldrill.agent.protocols.native import Native
from tooldrill.agent.template_form import TemplateForm, find_form, refolded

CHATML = "tooldrill-chatml"
BUNDLED_TEMPLATES = (CHATML, "tooldrill-gemma", "tooldrill-llama3", "tooldrill-phi")


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
        if any(message.get("tool_calls") for message in chat):
            chat = self.form.messages(chat)
        return self.text(chat, shown, add_generation_prompt=add_generation_prompt)

    @cached_property
    def form(self) -> TemplateForm:
        """Which dialect the template writes, and in which form it takes calls."""
        return find_form(
            lambda chat, tools: self._rendered(chat, tools, add_generation_prompt=False)
        )

    @cached_property
    def closing(self) -> str:
        """What the template writes after the last turn only: its EOS token, or nothing.

        Where that token ends every turn it belongs to the turns.
        """
        eos = self._special["eos_token"]
        said = [{"role": "user", "content": "?"}, {"role": "assistant", "content": "!"}]
        try:
            ended, longer = (
                self._rendered(chat, None, add_generation_prompt=False).rstrip()
                for chat in (said, [*said, said[0]])
            )
        except TooldrillError:
            return ""
        only_last = eos and ended.endswith(eos) and not longer.startswith(ended)
        return eos if only_last and longer.startswith(ended.removesuffix(eos).rstrip()) else ""

    @property
    def dialect(self) -> Dialect:
        """How the template writes calls.

        Raises:
            TooldrillError: when it shows no tools, writes no calls, or in a way that is not known.
        """
        form = self.form
        if form.dialect is not None and form.shows_tools:
            return form.dialect
        if not form.shows_tools:
            problem = "shows no tools"
        else:
            problem = "writes calls in no known way" if form.writes_calls else "writes no calls"
        raise TooldrillError(
            f"the chat template {problem}, so no native tool calls can be made with it",
            "set model.chat_template=tooldrill, or use the protocol react_json",
        )

    def protocol(self, name: str) -> CallProtocol:
        """The protocol of that name, `native` in the template's own dialect.

        Raises:
            TooldrillError: for `native`, as `dialect`; when there is no such protocol.
        """
        return get_protocol(name, self.dialect) if name == Native.name else get_protocol(name)

    def text(
        self, chat: Sequence[Message], tools: Tools | None, *, add_generation_prompt: bool
    ) -> str:
        """Messages that are laid out already, as text.

        Raises:
            TooldrillError: as `render`.
        """
        refused: TooldrillError | None = None
        for form in chain([chat], refolded(chat)):
            try:
                return self._rendered(form, tools, add_generation_prompt=add_generation_prompt)
            except TooldrillError as error:
                refused = refused or error
        assert refused is not None  # the loop has returned or met a refusal
        raise refused

    def _rendered(
        self, chat: Sequence[Message], tools: Tools | None, *, add_generation_prompt: bool
    ) -> str:
        try:
            return self._template.render(
                messages=chat,
                tools=tools,
                add_generation_prompt=add_generation_prompt,
                **self._special,
            )
        except (jinja2.TemplateError, TypeError, ValueError) as error:
            raise TooldrillError(
                f"the chat template refuses the conversation: {error}",
                "set model.chat_template to `tooldrill`, or to a template that knows tools",
            ) from error


def bundled_template(name: str = CHATML) -> str:
    """One of `BUNDLED_TEMPLATES` as one text: its turns, then what all of them share."""
    return with_turns(_template_part(name))


def with_turns(turns: str) -> str:
    """The bundled template over the given turns (Jinja, see the files of `BUNDLED_TEMPLATES`)."""
    return turns + _template_part("_signatures") + _template_part("_conversation")


def _template_part(name: str) -> str:
    return (resources.files("tooldrill.agent") / f"templates/{name}.jinja").read_text("utf-8")


def knows_tools(source: str) -> bool:
    """Whether a template shows tools and writes calls, in whatever dialect.

    Raises:
        TooldrillError: when it is not valid Jinja.
    """
    form = ChatTemplate(source).form
    return form.shows_tools and form.writes_calls


def _environment() -> jinja2.Environment:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, _Generation]
    )
    environment.filters["tojson"] = _tojson
    environment.globals["raise_exception"] = _raise_exception
    # One moment for a template: a date that changes while it is used would change earlier turns.
    environment.globals["strftime_now"] = datetime.now().strftime
    return environment


class _Generation(Extension):
    """`{% generation %}`, by which Transformers marks what a model writes: here only its content.

    A block of its own, as there: what is set inside is not seen outside.
    """

    tags = {"generation"}  # noqa: RUF012 - jinja2 declares it so

    def parse(self, parser: jinja2.parser.Parser) -> jinja2.nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        block = jinja2.nodes.CallBlock(self.call_method("_content"), [], [], body)
        return block.set_lineno(line)

    def _content(self, caller: Callable[[], str]) -> str:
        return caller()


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )


def _raise_exception(message: str) -> None:
    raise jinja2.TemplateError(message)
