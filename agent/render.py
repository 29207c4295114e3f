"""Chat templates: from messages and tools to the text the model reads.

Templates run in a sandbox, with what Transformers gives them (`template_environment`), so that the
same template gives the same text here, in training and in llama-server.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib import resources
from typing import Any

import jinja2

from tooldrill.agent.episode import Message
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.base import CallProtocol, Tools
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.protocols.dialects.base import Dialect
from tooldrill.agent.protocols.native import Native
from tooldrill.agent.template_environment import changes_lists, template_environment
from tooldrill.agent.template_form import FOLDS, Fold, TemplateForm, find_form

CHATML = "tooldrill-chatml"
BUNDLED_TEMPLATES = (CHATML, "tooldrill-gemma", "tooldrill-llama3", "tooldrill-phi")
_NONE: Mapping[str, Any] = {}
_THINKING, _NO_THINKING = {"enable_thinking": True}, {"enable_thinking": False}
_SET_NO_THINKING = "{% set enable_thinking = false %}"
# What a template can lead to, on purpose or by accident; `range` of a million overflows.
_TEMPLATE_ERRORS = (
    jinja2.TemplateError, RecursionError, TypeError, ValueError, ArithmeticError, LookupError,
    AttributeError, MemoryError,
)  # fmt: skip


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
        self._copy = copy.deepcopy if changes_lists(source) else _as_it_is
        try:
            self._template = template_environment().from_string(source)
        except jinja2.TemplateSyntaxError as error:
            raise TooldrillError(
                f"the chat template is not valid Jinja (line {error.lineno}): {error.message}",
                "give another with model.chat_template, or `tooldrill` for the bundled one",
            ) from error
        except (RecursionError, SyntaxError) as error:
            raise TooldrillError(
                "the chat template is nested too deeply",
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
            "export it with model.chat_template=tooldrill, or use the protocol react_json",
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
        return self._folded(chat, tools, add_generation_prompt=add_generation_prompt)[1]

    def fold_of(self, chat: Sequence[Message], tools: Tools | None) -> Fold:
        """How the template must be given a conversation so that it takes it.

        Raises:
            TooldrillError: as `render`.
        """
        if any(message.get("tool_calls") for message in chat):
            chat = self.form.messages(chat)
        return self._folded(chat, tools, add_generation_prompt=True)[0]

    def _folded(
        self, chat: Sequence[Message], tools: Tools | None, *, add_generation_prompt: bool
    ) -> tuple[Fold, str]:
        """The first fold of the conversation that the template takes, and its text."""
        refused: TooldrillError | None = None
        for fold in FOLDS:
            try:
                prompt = add_generation_prompt
                return fold, self._rendered(fold(chat), tools, add_generation_prompt=prompt)
            except TooldrillError as error:
                refused = refused or error
        assert refused is not None  # the loop has returned or met a refusal
        raise refused

    def prompt_when(self, variables: Mapping[str, Any]) -> str | None:
        """The prompt of a short question under further variables; None where it is refused."""
        try:
            question = [{"role": "user", "content": "?"}]
            return self._rendered(question, None, add_generation_prompt=True, variables=variables)
        except TooldrillError:
            return None

    def _rendered(
        self,
        chat: Sequence[Message],
        tools: Tools | None,
        *,
        add_generation_prompt: bool,
        variables: Mapping[str, Any] = _NONE,
    ) -> str:
        try:
            return self._template.render(
                messages=self._copy(chat),
                tools=self._copy(tools),
                add_generation_prompt=add_generation_prompt,
                **self._special,
                **variables,
            )
        except _TEMPLATE_ERRORS as error:
            said = " ".join(str(error).split())[:500] or type(error).__name__
            raise TooldrillError(
                f"the chat template refuses the conversation: {said}",
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


def with_own_thinking(source: str) -> str:
    """The template, with `enable_thinking` set in it where it does not think by itself.

    llama-server sets that variable for every template that looks at it, to true: Qwen3.5's small
    models would get prompts that no training has shown them.

    Raises:
        TooldrillError: when it is not valid Jinja.
    """
    template = ChatTemplate(source)
    by_itself, on, off = (
        template.prompt_when(thinking) for thinking in ({}, _THINKING, _NO_THINKING)
    )
    return _SET_NO_THINKING + source if by_itself == off != on else source


def _as_it_is(value: Any) -> Any:
    return value
