"""Whether a folder is a model as `save_pretrained` leaves it, before Transformers is given it.

Folders come from anywhere. Pickled weights are not taken, an index may not name files outside of
its folder, the headers of all weights are read, and a config may not announce a model that is much
larger than its weights: Transformers would build it. Python code in the folder is not looked at; it
is run only with `model.trust_remote_code`. Loading is `base_model`'s work.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tooldrill.agent.errors import TooldrillError
from tooldrill.training.safetensors_file import Shapes, tensor_shapes

CONFIG = "config.json"
_INDEX = "model.safetensors.index.json"
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_LONGEST_JSON = 256 << 20  # bytes; an index of ten thousand tensors has one MiB
_WIDTHS = ("hidden_size", "intermediate_size", "vocab_size", "num_attention_heads", "head_dim")


def require_model_folder(folder: Path) -> None:
    """Refuses a folder that holds no model, or one that cannot be trusted to be what it says.

    Raises:
        TooldrillError: with the file and what is wrong with it.
    """
    if not (folder / CONFIG).is_file():
        raise _no_config(folder)
    config = read_json(folder / CONFIG)
    if (folder / "adapter_config.json").is_file():
        raise TooldrillError(
            f"model.path: {folder} holds an adapter beside its config.json, and Transformers would "
            "load the base that the adapter names",
            "move adapter_config.json and the adapter's weights elsewhere, or merge them first",
        )
    shapes: Shapes = {}
    for path in _weights(folder):
        shapes |= tensor_shapes(path)
    for part in (config, config.get("text_config")):
        if isinstance(part, dict):
            _require_size(part, shapes, folder)


def read_json(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds.

    Raises:
        TooldrillError: when it cannot be read, is no JSON, or holds something else.
    """
    step = "download it again, or save the model with save_pretrained()"
    try:
        if path.stat().st_size > _LONGEST_JSON:
            raise TooldrillError(f"{path} is longer than any such file", step)
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise TooldrillError(f"cannot read {path}: {error.strerror}", step) from error
    except (ValueError, RecursionError) as error:
        raise TooldrillError(f"{path} is no JSON: {str(error)[:200]}", step) from error
    if not isinstance(value, dict):
        raise TooldrillError(f"{path} holds no JSON object", step)
    return value


def _no_config(folder: Path) -> TooldrillError:
    ggufs = sorted(file.name for file in folder.glob("*.gguf"))
    return TooldrillError(
        f"model.path: {folder} has no config.json",
        f"name the GGUF file: model.path={folder / ggufs[0]}"
        if ggufs
        else "give the folder that holds config.json and *.safetensors",
    )


def _weights(folder: Path) -> list[Path]:
    """The files with the weights, which all lie in the folder itself."""
    index = folder / _INDEX
    if not (folder / "model.safetensors").is_file() and index.is_file():
        named = read_json(index).get("weight_map")
        if not isinstance(named, dict) or not named:
            raise TooldrillError(f"{index} names no files", "download the model again")
        return [folder / _plain(name, index) for name in sorted(map(str, set(named.values())))]
    found = sorted(folder.glob("*.safetensors"))
    if found:
        return found
    pickled = next((file for kind in _PICKLED for file in sorted(folder.glob(kind))), None)
    raise TooldrillError(
        f"model.path: {folder} has config.json but no *.safetensors"
        + (f": {pickled.name} is a pickle, which can run code" if pickled else ""),
        "download the safetensors, or load and save the model in a place without secrets: "
        "save_pretrained()"
        if pickled
        else "download the weights too, or save the model with save_pretrained()",
    )


def _plain(name: str, index: Path) -> str:
    """A file's name as it may stand in an index: one in the same folder, of safetensors."""
    if Path(name).name != name or "\\" in name or not name.endswith(".safetensors"):
        raise TooldrillError(
            f"{index} names {name[:100]!r}, which is no safetensors file beside it",
            "take the model from a source that you trust",
        )
    return name


def _require_size(config: dict[str, Any], shapes: Shapes, folder: Path) -> None:
    """Raises TooldrillError for a model that its weights cannot be."""
    widest = max((max(shape, default=1) for shape in shapes.values()), default=1)
    most = dict.fromkeys(_WIDTHS, widest) | {"num_hidden_layers": len(shapes)}
    for key, limit in most.items():
        value = config.get(key)
        # Some families give a list, a number for each layer; Transformers knows which.
        if value is None or isinstance(value, list):
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= limit:
            raise TooldrillError(
                f"{folder / CONFIG}: {key} is {str(value)[:40]}, and the weights have room for "
                f"{limit:,}",
                "download config.json and all of the weights again",
            )
