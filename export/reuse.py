"""What an earlier export left in the same folder, as far as it is of the same inputs and whole.

Inputs are compared by their contents and files by their SHA-256, never by names: a file that was
damaged, or made of another adapter, is made again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from pydantic import ValidationError

from tooldrill.agent.hashing import sha256_file
from tooldrill.agent.known_hashes import known_sha256
from tooldrill.export.base_weights import weight_files
from tooldrill.export.building import SUMMARY
from tooldrill.export.records import ExportSummary
from tooldrill.export.settings import ExportSettings, Quantization
from tooldrill.training.find_base import BaseModel
from tooldrill.training.settings import ModelSettings

# Raised when the same inputs give another file.
WRITER = 1
_PACKAGES = ("gguf", "llama-cpp-python", "transformers", "peft")
_BASE_FILES = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt", "README.md")
# Of the settings, those that decide what is in a file; all others decide how it is checked.
_CONTENT = frozenset({"merge_into", "llama_cpp_dir"})


@dataclass(frozen=True)
class Inputs:
    """What an export is made from, and checked with: names to hashes or values."""

    made_from: dict[str, str]
    checked_with: dict[str, str]


@dataclass(frozen=True)
class Earlier:
    """What lies in the folder already.

    Attributes:
        summary: of the earlier export; None when there is none that is of use.
        files: whole ones of the same inputs.
    """

    summary: ExportSummary | None = None
    files: dict[Quantization, Path] = field(default_factory=dict)


def read_inputs(
    model: ModelSettings,
    base: BaseModel,
    adapter: Path | None,
    samples: Path | None,
    settings: ExportSettings,
) -> Inputs:
    """Hashes of everything that decides what an export makes; large ones are remembered.

    Raises:
        OSError: when a file cannot be read.
    """
    made_from = {"writer": str(WRITER), "base": _digest(_base_files(base)), "name": base.name}
    made_from |= {name: metadata.version(name) for name in _PACKAGES}
    made_from["template"] = str(model.chat_template)
    template = Path(model.chat_template or "").expanduser()
    if template.is_file():
        made_from["template"] = sha256_file(template)
    if adapter is not None:
        made_from["adapter"] = _digest(path for path in adapter.glob("*") if path.is_file())
    values = settings.model_dump(mode="json", exclude={"quantizations"})
    made_from |= {key: str(values.pop(key)) for key in sorted(_CONTENT)}
    checked_with = {key: str(value) for key, value in values.items()}
    if samples is not None and samples.is_file():
        checked_with["samples"] = sha256_file(samples)
    return Inputs(made_from, checked_with)


def read_earlier(out: Path, inputs: Inputs) -> Earlier:
    """What of an earlier export in `out` can be used again."""
    try:
        summary = ExportSummary.model_validate_json((out / SUMMARY).read_bytes())
    except (OSError, ValidationError):
        return Earlier()
    if summary.made_from != inputs.made_from or summary.verification.failure:
        return Earlier()
    files = {
        file.quantization: out / file.file
        for file in summary.files
        if _is_whole(out / file.file, file.bytes, file.sha256)
    }
    return Earlier(summary, files)


def is_done(earlier: Earlier, inputs: Inputs, out: Path, settings: ExportSettings) -> bool:
    """Whether everything that is asked for lies there, and was checked as it is asked for."""
    summary = earlier.summary
    if summary is None or summary.checked_with != inputs.checked_with:
        return False
    made = [file.quantization for file in summary.files]
    if made != list(dict.fromkeys(settings.quantizations)) or set(earlier.files) != set(made):
        return False
    own = summary.adapter_gguf
    return own is None or _is_whole(out / own.file, own.bytes, own.sha256)


def _is_whole(path: Path, size: int, sha256: str) -> bool:
    return path.is_file() and path.stat().st_size == size and sha256_file(path) == sha256


def _base_files(base: BaseModel) -> list[Path]:
    if base.gguf_path is not None:
        return [base.gguf_path]
    folder = Path(base.folder)
    if not folder.is_dir():
        # A model of the hub: its files lie side by side in the hub's cache.
        folder = (weight_files(base.folder) or [folder / "none"])[0].parent
    return [path for pattern in _BASE_FILES for path in folder.glob(pattern)]


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(f"{path.name}\0{known_sha256(path)}\n".encode())
    return digest.hexdigest()
