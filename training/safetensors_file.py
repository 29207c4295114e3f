"""The header of a safetensors file: the shapes of its tensors, and whether the file is sound.

The library does the checking (it reads the header alone: lengths, offsets, types, the file's size);
here its errors become one line. Nothing heavy is imported.
"""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open

from tooldrill.agent.errors import TooldrillError

Shapes = dict[str, tuple[int, ...]]


def tensor_shapes(path: Path) -> Shapes:
    """The shape of each tensor.

    Raises:
        TooldrillError: when the file is missing, cut off, or says of itself what cannot be.
    """
    if not path.is_file():
        raise TooldrillError(f"{path} is missing", "download or save the model again")
    try:
        with safe_open(str(path), framework="numpy") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise TooldrillError(
            f"{path} is broken: {said[0][:200]}",
            "download it again and compare its sha256 with the source's",
        ) from error
