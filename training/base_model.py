"""Loading the base model for training and export, its tokenizer and its chat template.

One code path serves the embedded SmolLM2, a local folder, a GGUF file and a hub name. What a GGUF
needs beyond that (its vocabulary's cut, a copy that loads fast) is in `gguf_base`; where a model
lies is found by `find_base`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from tooldrill.agent import render
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.turns import FITTING, fitting_template
from tooldrill.training import gguf_base
from tooldrill.training.find_base import BaseModel
from tooldrill.training.own_tokenizer import own_tokenizer
from tooldrill.training.quiet import quiet_transformers
from tooldrill.training.settings import ModelSettings


def load_model(base: BaseModel, dtype: str = "float32") -> Any:
    """The model with its weights in `dtype` on the CPU; quantized weights are dequantized.

    Raises:
        TooldrillError: when it cannot be loaded, or the hub cannot be reached.
    """
    torch_dtype = getattr(torch, dtype)
    with failures_told("model", base), quiet_transformers():
        if base.gguf_path:
            return answering_peft(gguf_base.load_model(base.gguf_path, torch_dtype))
        return answering_peft(
            AutoModelForCausalLM.from_pretrained(
                base.folder, dtype=torch_dtype, **only_trusted(base)
            )
        )


def only_trusted(base: BaseModel) -> dict[str, Any]:
    """What Transformers is told of a model's files: no pickles, and no code but by the setting.

    Without a word on code Transformers asks at the terminal.
    """
    return {"use_safetensors": True, "trust_remote_code": base.trust_remote_code}


def answering_peft(model: Any) -> Any:
    """The model, which answers to the name that PEFT (0.21) asks for as to Transformers' new one.

    Transformers 5.23 warns whoever asks `is_gradient_checkpointing`; PEFT does at each wrapping.
    """
    kind = type(model)
    if hasattr(kind, "is_activation_checkpointing"):
        kind.is_gradient_checkpointing = kind.is_activation_checkpointing
    return model


def load_tokenizer(base: BaseModel) -> Any:
    """The tokenizer, which cuts text as llama.cpp does when the base is a GGUF.

    Raises:
        TooldrillError: as `load_model`.
    """
    with failures_told("tokenizer", base), quiet_transformers():
        if base.gguf_path:
            return gguf_base.load_tokenizer(base.gguf_path)
        return own_tokenizer(base.folder, trust_remote_code=base.trust_remote_code)


def chat_template(base: BaseModel, settings: ModelSettings, tokenizer: Any) -> str:
    """The Jinja source that training, the loop and the exported GGUF all use.

    The model's own when it knows tools, else the bundled one with the model's own turns;
    `settings.chat_template` overrides.

    Raises:
        TooldrillError: when the template file is missing or is not Jinja, or when the model's own
            turns would be other tokens in training than in the loop.
    """
    chosen = settings.chat_template
    named = _named_templates(tokenizer)
    if chosen is None:
        for source in filter(None, (named.get("tool_use"), named.get("default"))):
            if render.knows_tools(source):
                return render.with_own_thinking(source)
    own = named.get("default", named.get("tool_use"))
    if chosen in render.BUNDLED_TEMPLATES:
        return render.bundled_template(chosen)
    if chosen not in (None, FITTING):
        return _template_file(Path(chosen).expanduser(), base)
    bos, eos = tokenizer.bos_token or "", tokenizer.eos_token or ""
    vocabulary = tokenizer.get_vocab()
    name, source = fitting_template(own, bos, eos, lambda text: text in vocabulary)
    if name == FITTING:
        _require_whole_turns(render.ChatTemplate(source, bos, eos), tokenizer, base)
    return source


def _named_templates(tokenizer: Any) -> dict[str, str]:
    """The tokenizer's chat templates by name; the only one is called `default`.

    Transformers takes `tool_use` where tools are given and there is one, as llama-server does.
    """
    own = tokenizer.chat_template
    if isinstance(own, list):
        return {one["name"]: one["template"] for one in own}
    return own if isinstance(own, dict) else {} if own is None else {"default": own}


def _require_whole_turns(template: render.ChatTemplate, tokenizer: Any, base: BaseModel) -> None:
    """Refuses turns whose tokens change when a reply is read again with what stands before it."""
    asked = [{"role": "user", "content": "One?"}]
    answered = [*asked, {"role": "assistant", "content": "Two, three."}]
    prompt = template.text(asked, None, add_generation_prompt=True)
    whole = template.text(answered, None, add_generation_prompt=False).rstrip()
    texts = (prompt, whole.removeprefix(prompt), whole)
    first, reply, both = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts)
    if first + reply != both:
        raise TooldrillError(
            f"the turns of {base.name}'s own chat template do not begin and end with tokens",
            "give a template that knows tools as model.chat_template, a Jinja file",
        )


def _template_file(path: Path, base: BaseModel) -> str:
    step = f"give a Jinja file, `{FITTING}`, or null to use what fits {base.name}"
    try:
        source = path.read_text("utf-8")
        render.ChatTemplate(source)
    except OSError as error:
        raise TooldrillError(
            f"model.chat_template: cannot read {path}: {error.strerror}", step
        ) from error
    except TooldrillError as error:
        raise TooldrillError(f"model.chat_template: {path}: {error.message}", step) from error
    return render.with_own_thinking(source)


@contextmanager
def failures_told(what: str, base: BaseModel) -> Iterator[None]:
    """Tells in one line why `what` (model, tokenizer) cannot be loaded in the block.

    Raises:
        TooldrillError: for a missing, cut-off, foreign or gated model. Transformers raises nearly
            anything for a broken one, and the tokenizers bare exceptions.
    """
    try:
        yield
    except (TooldrillError, MemoryError):
        raise
    except Exception as error:
        raise _cannot_load(what, base, error) from error


def _cannot_load(what: str, base: BaseModel, error: Exception) -> TooldrillError:
    if "trust_remote_code" in str(error):
        return TooldrillError(
            f"the {what} of {base.folder} needs Python code of its own, which is not run unasked",
            "read the *.py files beside its config.json, then set model.trust_remote_code=true",
        )
    reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    if base.gguf_file is None and not Path(base.folder).is_dir():
        step = f"download it once: hf download {base.folder}, or give a local folder as model.path"
    else:
        step = "check the files with another tool, or give another model.path"
    return TooldrillError(f"cannot load the {what} of {base.folder}: {reason[:200]}", step)
