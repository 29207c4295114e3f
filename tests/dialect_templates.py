"""Small chat templates, one for each dialect, and the dialect that must be found in it."""

# ruff: noqa: RUF001 - DeepSeek's marks stand here as they are written

from __future__ import annotations

from tooldrill.agent.protocols.dialects.bare_json import BareJson
from tooldrill.agent.protocols.dialects.base import Dialect, JsonStyle
from tooldrill.agent.protocols.dialects.braced import Braced
from tooldrill.agent.protocols.dialects.hermes import Hermes
from tooldrill.agent.protocols.dialects.json_list import COHERE, JsonList
from tooldrill.agent.protocols.dialects.layouts import DEEPSEEK, DEEPSEEK_R1, HARMONY, KIMI
from tooldrill.agent.protocols.dialects.named_json import NamedJson
from tooldrill.agent.protocols.dialects.pythonic import Pythonic
from tooldrill.agent.protocols.dialects.tag_forms import GLM, MINIMAX
from tooldrill.agent.protocols.dialects.tagged import Tagged

END = "<|over|>"

_HEAD = (
    "{%- if tools -%}{{ '<|turn|>tools\n' + (tools | tojson) + '<|over|>\n' }}{%- endif -%}"
    "{%- for m in messages -%}{{ '<|turn|>' + m.role + '\n' }}"
)
_TAIL = (
    "{{ '<|over|>\n' }}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|turn|>assistant\n' }}{%- endif -%}"
)


def template_with(calls: str, *, content: str = "{{ m.content }}") -> str:
    """A template whose assistant turns hold their text, then what `calls` makes of `m.tool_calls`.

    Args:
        calls: Jinja; `m.tool_calls` is not empty there.
    """
    return f"{_HEAD}{content}{{%- if m.tool_calls -%}}{calls}{{%- endif -%}}{_TAIL}"


def _each(call: str, between: str = "") -> str:
    """Jinja for every call, `c` being its function."""
    return (
        "{%- for t in m.tool_calls -%}{%- set c = t.function -%}"
        + (f"{{{{ {between!r} if not loop.first else '' }}}}" if between else "")
        + call
        + "{%- endfor -%}"
    )


_BREAK = "{{ '\n' if m.content else '' }}"
_JSON = "{{ c | tojson }}"
_PARAMETERS = "{% for k, v in c.arguments.items() %}"
_HERMES = _BREAK + _each("{{ '<tool_call>\n' }}" + _JSON + "{{ '\n</tool_call>' }}", "\n")
_TAGGED = "{{ '\n\n' if m.content else '' }}" + _each(
    "{{ '<tool_call>\n<function=' + c.name + '>\n' }}"
    + _PARAMETERS
    + "{{ '<parameter=' + k + '>\n' }}"
    + "{{ v | tojson if v is mapping or (v is sequence and v is not string) else v | string }}"
    + "{{ '\n</parameter>\n' }}{% endfor %}{{ '</function>\n</tool_call>' }}",
    "\n",
)
_PYTHONIC_ARGUMENTS = (
    "{{ '(' }}"
    + _PARAMETERS
    + "{{ ', ' if not loop.first else '' }}{{ k + '=' }}"
    + "{{ VALUE }}{% endfor %}{{ ')' }}"
)
_PYTHONIC = (
    "{{ '<|tool_call_start|>[' }}"
    + _each("{{ c.name }}" + _PYTHONIC_ARGUMENTS.replace("VALUE", "v | tojson"), ", ")
    + "{{ ']<|tool_call_end|>' }}"
)
# Strings between quotes that nothing escapes, as LFM2.5's template writes them.
_UNESCAPED = _PYTHONIC.replace(
    "v | tojson", '"\'" + v + "\'" if v is string else (v | tojson if v is mapping else v | string)'
)
_LISTED = (
    "{{ '[TOOL_CALLS][' }}"
    + _each("{{ (c | tojson)[:-1] + ', \"id\": \"' + t.id + '\"}' }}", ", ")
    + "{{ ']' }}"
)
_NAMED = _each("{{ '[TOOL_CALLS]' + c.name + '[ARGS]' + (c.arguments | tojson) }}")
_BARE = (
    "{%- if m.tool_calls | length > 1 -%}{{ raise_exception('one call only') }}{%- endif -%}"
    + _each(
        "{{ '{\"name\": \"' + c.name + '\", \"parameters\": ' + (c.arguments | tojson) + '}' }}"
    )
)
# A template that joins texts takes arguments as JSON text only.
_AS_TEXT = _each(
    "{{ '<tool_call>{\"name\": \"' + c.name + '\", ' }}"
    + "{{ '\"arguments\": ' + c.arguments + '}</tool_call>' }}",
    "\n",
)
_PLAIN_VALUE = "{{ v if v is string else v | tojson }}"
_GLM = "{{ GAP if m.content else '' }}" + _each(
    "{{ '<tool_call>' + c.name + GAP }}"
    + _PARAMETERS
    + "{{ '<arg_key>' + k + '</arg_key>' + GAP + '<arg_value>' }}"
    + _PLAIN_VALUE
    + "{{ '</arg_value>' + GAP }}{% endfor %}{{ '</tool_call>' }}"
    + "{{ GAP if not loop.last else '' }}"
)
_MINIMAX = (
    _BREAK
    + "{{ '<minimax:tool_call>\n' }}"
    + _each(
        "{{ '<invoke name=\"' + c.name + '\">\n' }}"
        + _PARAMETERS
        + "{{ '<parameter name=\"' + k + '\">' }}"
        + _PLAIN_VALUE
        + "{{ '</parameter>\n' }}{% endfor %}{{ '</invoke>\n' }}"
    )
    + "{{ '</minimax:tool_call>' }}"
)
_ARGUMENTS = "{{ c.arguments | tojson }}"
_DEEPSEEK = (
    "{{ '<｜tool▁calls▁begin｜>' }}"
    + _each(
        "{{ '<｜tool▁call▁begin｜>' + c.name + '<｜tool▁sep｜>' }}"
        + _ARGUMENTS
        + "{{ '<｜tool▁call▁end｜>' }}"
    )
    + "{{ '<｜tool▁calls▁end｜>' }}"
)
_DEEPSEEK_R1 = (
    "{{ '<｜tool▁calls▁begin｜>' }}"
    + _each(
        "{{ '<｜tool▁call▁begin｜>' + t.type + '<｜tool▁sep｜>' + c.name + '\n```json\n' }}"
        + _ARGUMENTS
        + "{{ '\n```<｜tool▁call▁end｜>' }}",
        "\n",
    )
    + "{{ '<｜tool▁calls▁end｜>' }}"
)
_KIMI = (
    "{{ '<|tool_calls_section_begin|>' }}"
    + _each(
        "{{ '<|tool_call_begin|>functions.' + c.name + ':' + loop.index0 | string }}"
        + "{{ '<|tool_call_argument_begin|>' }}"
        + _ARGUMENTS
        + "{{ '<|tool_call_end|>' }}"
    )
    + "{{ '<|tool_calls_section_end|>' }}"
)
_COHERE = (
    "{{ '<|START_ACTION|>[\n' }}"
    + _each(
        '{{ \'    {"tool_call_id": "\' + loop.index0 | string + \'", "tool_name": "\' }}'
        + '{{ c.name + \'", "parameters": \' }}'
        + _ARGUMENTS
        + "{{ '}' + (',' if not loop.last else '') + '\n' }}"
    )
    + "{{ ']<|END_ACTION|>' }}"
)
_GEMMA_VALUE = (
    "{%- macro written(v) -%}{%- if v is string -%}{{ '<|\"|>' + v + '<|\"|>' }}"
    "{%- elif v is boolean -%}{{ v | tojson }}"
    "{%- elif v is mapping -%}{{ '{' }}{%- for k, x in v | dictsort -%}"
    "{{ ',' if not loop.first else '' }}{{ k }}{{ ':' }}{{ written(x) }}{%- endfor -%}{{ '}' }}"
    "{%- elif v is sequence -%}{{ '[' }}{%- for x in v -%}"
    "{{ ',' if not loop.first else '' }}{{ written(x) }}{%- endfor -%}{{ ']' }}"
    "{%- else -%}{{ v }}{%- endif -%}{%- endmacro -%}"
)
_GEMMA = _each("{{ '<|tool_call>call:' + c.name }}{{ written(c.arguments) }}{{ '<tool_call|>' }}")
# Each message of a turn names its channel, and only one call is written.
_HARMONY = (
    "{%- set c = m.tool_calls[0].function -%}"
    "{{ ' to=functions.' + c.name + '<|channel|>commentary json<|message|>' }}" + _ARGUMENTS
)
_HARMONY_TEXT = (
    "{%- if m.role != 'assistant' -%}{{ m.content }}"
    "{%- elif not m.tool_calls -%}{{ '<|channel|>final<|message|>' + m.content }}"
    "{%- elif m.content -%}{{ '<|channel|>analysis<|message|>' + m.content }}"
    "{{ '<|end|><|start|>assistant' }}{%- endif -%}"
)
_COHERE_TEXT = (
    "{%- if m.role != 'assistant' -%}{{ m.content }}"
    "{%- elif not m.tool_calls -%}{{ '<|START_RESPONSE|>' + m.content + '<|END_RESPONSE|>' }}"
    "{%- endif -%}"
)
_NO_TEXT = "{{ m.content if not m.tool_calls else '' }}"

WRITTEN: dict[str, tuple[str, Dialect]] = {
    "hermes": (template_with(_HERMES), Hermes("\n")),
    "hermes ascii": (
        template_with(_HERMES.replace("c | tojson", "c | tojson(ensure_ascii=true)")),
        Hermes("\n", JsonStyle(ascii=True)),
    ),
    "hermes compact": (
        template_with(_HERMES.replace("c | tojson", "c | tojson(separators=(',', ':'))")),
        Hermes("\n", JsonStyle(compact=True)),
    ),
    "hermes from text": (template_with(_BREAK + _AS_TEXT), Hermes()),
    "tagged": (template_with(_TAGGED), Tagged()),
    "tagged json": (
        template_with(_TAGGED.replace("v | string", "(v if v is string else v | tojson)")),
        Tagged(words="json"),
    ),
    "pythonic": (
        template_with(_PYTHONIC),
        Pythonic("double", lists="json", objects="json", words="json"),
    ),
    "pythonic unescaped": (template_with(_UNESCAPED), Pythonic("single", objects="json")),
    "json_list": (template_with(_LISTED), JsonList(ids=True)),
    "named_json": (template_with(_NAMED), NamedJson()),
    "bare_json": (
        template_with(_BARE, content=_NO_TEXT),
        BareJson(),
    ),
    "glm": (template_with(_GLM.replace("GAP", "'\n'")), Tagged("", "json", GLM)),
    "glm without breaks": (
        template_with(_GLM.replace("GAP", "''")),
        Tagged("", "json", GLM, ""),
    ),
    "minimax": (template_with(_MINIMAX), Tagged("", "json", MINIMAX)),
    "deepseek": (template_with(_DEEPSEEK), NamedJson(layout=DEEPSEEK)),
    "deepseek_r1": (template_with(_DEEPSEEK_R1), NamedJson(layout=DEEPSEEK_R1)),
    "kimi": (template_with(_KIMI), NamedJson(layout=KIMI)),
    "cohere": (
        template_with(_COHERE, content=_COHERE_TEXT),
        JsonList(("<|START_ACTION|>", "<|END_ACTION|>"), form=COHERE),
    ),
    "gemma": (_GEMMA_VALUE + template_with(_GEMMA, content=_NO_TEXT), Braced()),
    "harmony": (
        template_with(_HARMONY, content=_HARMONY_TEXT),
        NamedJson(layout=HARMONY),
    ),
}  # fmt: skip
