"""The model that a command works with, as its options name it: a GGUF file, or a served one.

The options themselves stand in `arguments`; which of them a command has is its own affair.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tooldrill.agent.engines.base import Engine
    from tooldrill.agent.settings import EndpointSettings, EngineSettings


def require_model(model: str | None, endpoint: str | None, adapters: Sequence[str] = ()) -> None:
    """Refuses what can be refused before anything is loaded.

    Raises:
        TooldrillError: when there is neither file nor endpoint, the file is no GGUF file, or
            adapters are given for a served model.
    """
    from tooldrill.agent.errors import TooldrillError

    if adapters and (model is None or endpoint is not None):
        raise TooldrillError("an adapter needs the model it is for", "add --model FILE.gguf")
    if endpoint is not None:
        return
    if model is None:
        raise TooldrillError("no model is given", "add --model FILE.gguf, or --endpoint URL")
    if not Path(model).expanduser().is_file():
        raise TooldrillError(
            f"no GGUF file at {model}", "give a file, or add --endpoint URL for a served model"
        )
    from tooldrill.agent.engines.gguf_check import check_gguf

    check_gguf(Path(model).expanduser())


def server_overrides(server: Sequence[str] | None) -> list[str]:
    """What `--server KEY=VALUE` is in a config."""
    return [f"eval.endpoint.{one}" for one in server or ()]


def endpoint_settings(server: Sequence[str] | None) -> EndpointSettings:
    """The defaults with what `--server KEY=VALUE` says, checked as a config is.

    Raises:
        TooldrillError: for a key that is none, or a value that does not fit.
    """
    from tooldrill.agent.settings import EndpointSettings

    if not server:
        return EndpointSettings()
    from tooldrill.config import default_config

    return default_config(server_overrides(server)).eval.endpoint


def open_model(
    model: str | None,
    endpoint: str | None,
    engine: EngineSettings,
    asked: EndpointSettings,
    api_key: str | None,
) -> Engine:
    """The engine of a model that `require_model` let pass.

    Raises:
        TooldrillError: when it cannot be loaded, or the server does not answer.
    """
    if endpoint is not None:
        from tooldrill.agent.engines.endpoint import EndpointEngine

        return EndpointEngine(endpoint, model, asked, api_key=api_key)
    assert model is not None
    from tooldrill.agent.engines.llama import LlamaEngine

    return LlamaEngine(Path(model).expanduser(), engine)
