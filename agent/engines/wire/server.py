"""What a server says of itself: which program it is, its models, what llama-server has loaded.

All of it is for the results file and for choosing a model; a server that says nothing will do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from tooldrill.agent.errors import TooldrillError

LLAMA_SERVER, VLLM = "llama-server", "vLLM"
# What `owned_by` says in the list of models.
_PROGRAMS = {"llamacpp": LLAMA_SERVER, "vllm": VLLM, "library": "Ollama"}


@dataclass(frozen=True)
class ServedModel:
    """One entry of a server's list.

    Attributes:
        aliases: other names it answers to.
        program: the server's program, None where its list does not tell.
        meta: what llama-server tells of the weights: size, parameters, context, file type.
    """

    id: str
    aliases: tuple[str, ...] = ()
    program: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)

    def answers_to(self, name: str) -> bool:
        """Whether it is the model of that name; a file's name will do where it has a path."""
        return name in (self.id, _file_name(self.id), self.short_name, *self.aliases)

    @property
    def short_name(self) -> str:
        """As reports call it: without the folders of another machine and the ending of a file."""
        if not self.id.endswith(".gguf"):
            return self.id
        return (_file_name(self.id) or self.id).removesuffix(".gguf")


def read_models(body: Any) -> list[ServedModel]:
    """The models in the answer of `/models`; empty where it is not what the API says."""
    data = body.get("data") if isinstance(body, dict) else None
    models: list[ServedModel] = []
    for item in data if isinstance(data, list) else []:
        if isinstance(item, dict) and isinstance(item.get("id"), str):
            aliases = tuple(str(name) for name in item.get("aliases") or ())
            program = _PROGRAMS.get(str(item.get("owned_by")))
            models.append(ServedModel(item["id"], aliases, program, item.get("meta") or {}))
    return models


def choose_model(wanted: str | None, models: Sequence[ServedModel], url: str) -> ServedModel:
    """The model to ask for: the one wanted, else the server's only or first one.

    Raises:
        TooldrillError: when none is wanted and the server lists none; when llama-server, which
            takes any name and answers with what it has, has no model of that name.
    """
    if wanted is None:
        if not models:
            raise TooldrillError(f"{url} lists no models", "add --model NAME")
        return models[0]
    found = next((one for one in models if one.answers_to(wanted)), None)
    if found is None and models and models[0].program == LLAMA_SERVER:
        names = ", ".join(one.id for one in models[:5])
        raise TooldrillError(
            f"{url} serves {names}, not {wanted}",
            "leave the model's name out, or give that one; --name says what reports call it",
        )
    return found or ServedModel(wanted, program=models[0].program if models else None)


def describe(model: ServedModel, props: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a server for the results file; what it does not tell is left out.

    Args:
        props: the answer of llama-server's `/props`, empty for any other server.
    """
    settings = props.get("default_generation_settings") or {}
    caps = props.get("chat_template_caps") or {}
    facts = {
        "program": model.program,
        "build": props.get("build_info"),
        "file": _file_name(props.get("model_path")),
        "quantization": _quantization(props.get("model_ftype") or model.meta.get("ftype")),
        "size": model.meta.get("size"),
        "parameters": model.meta.get("n_params"),
        "context": settings.get("n_ctx") or model.meta.get("n_ctx"),
        "slots": props.get("total_slots"),
        "template_knows_tools": caps.get("supports_tool_calls"),
    }
    return {key: value for key, value in facts.items() if value not in (None, "")}


def _file_name(path: Any) -> str | None:
    """The last part: the folders of another machine say nothing about the model."""
    if not isinstance(path, str) or not path:
        return None
    return (PureWindowsPath if "\\" in path else PurePosixPath)(path).name


def _quantization(said: Any) -> str | None:
    """llama.cpp's name of a file type (`Q4_K - Medium`) as its files are called (`Q4_K_M`)."""
    if not isinstance(said, str) or not said:
        return None
    name, _, size = said.removeprefix("(guessed) ").partition(" - ")
    return f"{name}_{size[0]}" if size in ("Small", "Medium", "Large") else name
