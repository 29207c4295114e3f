"""Transformers and llama-server make the same prompt tokens with every family's chat template.

Those that this project ships, and the published ones where $LLAMA_CPP_DIR names a checkout (it
keeps them for its own tests). Behind each is a tiny model with the family's tokenizer.
"""

from __future__ import annotations

import copy
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from published_tokenizers import FAMILIES, save_published
from real_llama_server import real_server
from tiny_llama import make_model
from tiny_served import CONTEXT

from tooldrill.agent.render import BUNDLED_TEMPLATES, bundled_template, with_own_thinking
from tooldrill.export.gguf_writer import write_gguf
from tooldrill.export.llama_cpp_script import VARIABLE
from tooldrill.export.serving.client import ServedModel
from tooldrill.export.serving.llama_server import llama_server
from tooldrill.training.find_base import BaseModel
from tooldrill.training.own_tokenizer import own_tokenizer

pytestmark = pytest.mark.slow

CHECKOUT = os.environ.get(VARIABLE)
SHIPPED = {
    "tooldrill-chatml": "smollm2", "tooldrill-gemma": "gemma 3", "tooldrill-llama3": "llama 3",
    "tooldrill-phi": "phi 4 mini",
}  # fmt: skip
PUBLISHED = {
    "meta-llama-Llama-3.1-8B-Instruct": "llama 3",
    "meta-llama-Llama-3.2-3B-Instruct": "llama 3",
    "Qwen-Qwen2.5-7B-Instruct": "qwen 2",
    "Qwen-Qwen3-0.6B": "qwen 3",
    "Qwen3.5-4B": "qwen 3.5",
    "HuggingFaceTB-SmolLM3-3B": "smollm3",
    "LFM2.5-Instruct": "lfm2",
    "ibm-granite-granite-3.3-2B-Instruct": "granite 3",
    "ibm-granite-granite-4.0": "granite 4",
    "ibm-granite-granite-4.1": "granite 4",
    "mistralai-Mistral-Nemo-Instruct-2407": "mistral tekken",
    "microsoft-Phi-3.5-mini-instruct": "phi-3",
    "google-gemma-2-2b-it": "gemma 3",
}
# These show no tools, and Gemma 2's takes no system message.
TALK_ONLY = {"microsoft-Phi-3.5-mini-instruct", "google-gemma-2-2b-it"}

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "append_file",
            "description": 'Adds text to a file: "größer" & <b>.',
            "parameters": {
                "type": "object",
                "properties": {
                    "path": {"type": "string", "description": "Where — é ☃"},
                    "count": {"type": "integer", "default": 2},
                    "mode": {"type": "string", "enum": ["a", "b"]},
                },
                "required": ["path"],
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "get_time",
            "description": "The time.",
            "parameters": {"type": "object", "properties": {}, "required": []},
        },
    },
]  # fmt: skip
ASKED = [{"role": "user", "content": "Append it, {{ please }}: it's 日本語 🙂\n\n  x = 12"}]
SYSTEM = [{"role": "system", "content": "Be brief.\nUse tools."}]
ANSWERED = [*ASKED, {"role": "assistant", "content": "Done it."}, {"role": "user", "content": "?"}]
CALL = {
    "id": "callabc01", "type": "function",
    "function": {
        "name": "append_file", "arguments": {"path": "a/ü.txt", "count": 3, "mode": 'x "y"\n\\'},
    },
}  # fmt: skip
CALLED = [
    *SYSTEM, *ASKED,
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "callabc01", "name": "append_file", "content": "ok: 3 lines"},
]  # fmt: skip
CONVERSATIONS: dict[str, tuple[list[dict[str, Any]], list[Any]]] = {
    "asked": (ASKED, []),
    "answered": (ANSWERED, []),
    "system": ([*SYSTEM, *ANSWERED], []),
    "tools": (ASKED, TOOLS),
    "system and tools": ([*SYSTEM, *ASKED], TOOLS),
    "called": (CALLED, TOOLS),
    "called and answered": ([*CALLED, *ANSWERED[1:]], TOOLS),
}


def source_of(name: str) -> str:
    if name in BUNDLED_TEMPLATES:
        return bundled_template(name)
    if CHECKOUT is None:
        pytest.skip(f"${VARIABLE} names no checkout of llama.cpp")
    path = Path(CHECKOUT) / "models" / "templates" / f"{name}.jinja"
    return with_own_thinking(path.read_text("utf-8"))


def for_server(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As the OpenAI API has them: arguments are a text."""
    sent = copy.deepcopy(messages)
    for message in sent:
        for call in message.get("tool_calls", []):
            call["function"]["arguments"] = json.dumps(call["function"]["arguments"])
    return sent


def test_every_family_has_a_template() -> None:
    assert set(SHIPPED) == set(BUNDLED_TEMPLATES)
    families = {FAMILIES[f].kind for f in [*SHIPPED.values(), *PUBLISHED.values()]}
    assert families == {one.kind for one in FAMILIES.values()}


@pytest.mark.parametrize("name", [*SHIPPED, *PUBLISHED])
def test_prompts_are_the_same_tokens(name: str, tmp_path: Path) -> None:
    source = source_of(name)
    binary = real_server()
    folder = save_published({**SHIPPED, **PUBLISHED}[name], tmp_path)
    tokenizer, path = own_tokenizer(str(folder)), folder / "m.gguf"
    model = make_model(tokenizer, max_position_embeddings=CONTEXT)
    base = BaseModel(folder.name, str(folder))
    write_gguf(model, tokenizer, source, path, base=base, name=folder.name)
    # llama-server tells Llama 3.1 today's date; without it that template has one of its own.
    today = time.strftime("%d %b %Y")
    compared = 0
    with llama_server(binary, path, context=CONTEXT, options=["-t", "1"]) as server:
        served = ServedModel(server.url)
        for case, (messages, tools) in CONVERSATIONS.items():
            if name in TALK_ONLY and (tools or (case == "system" and "gemma" in name)):
                continue
            expected = tokenizer.apply_chat_template(
                copy.deepcopy(messages), tools=tools or None, chat_template=source,
                add_generation_prompt=True, return_dict=False, date_string=today,
            )  # fmt: skip
            given = served.prompt_ids(for_server(messages), tools)
            assert isinstance(given, list), f"{case}: {given}"
            texts = [tokenizer.decode(ids) for ids in (expected, given)]
            assert texts[1] == texts[0], case
            assert given == expected, case
            compared += 1
        served.close()
    assert compared >= 2
