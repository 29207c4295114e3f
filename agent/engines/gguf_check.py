"""Whether a GGUF file is a model, or an adapter, that llama.cpp can be given.

llama.cpp refuses most of what is wrong with a file, but on some of it ends the whole process:
assertions on the metadata, a vocabulary in which a text stands twice, a byte without a token. What
it does so for is refused here before, from the header alone. Weights are not looked at: numbers
that are none make bad replies, nothing worse.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

from tooldrill.agent.engines.gguf_header import GgufHeader, read_gguf_header
from tooldrill.agent.engines.gguf_vocabulary import UnfitError, require_vocabulary
from tooldrill.agent.errors import TooldrillError

MOST_LAYERS = 512
MOST_EXPERTS = 1024
MOST_PARTS = 1000
_ARCHITECTURE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_SPLIT = re.compile(r"(.*)-(\d{5})-of-(\d{5})\.gguf")
_NUMBERS = ("UINT8", "INT8", "UINT16", "INT16", "UINT32", "INT32", "UINT64", "INT64")
# What is read as text without a look at its type, by llama.cpp or here.
_TEXTS = ("general.type", "general.name", "tokenizer.ggml.model", "tokenizer.ggml.pre")
_ROTARY = ("none", "linear", "yarn", "longrope")
# Weights that kernels compute with. The others hold counts or are of the training of ggml's own.
_NO_WEIGHTS = ("I8", "I16", "I32", "I64", "F64", "Q8_1", "Q8_K")


# Architectures whose graphs are built for heads of one size, and that rotate all of a head.
_ALL_ROTATED = ("llama", "qwen2", "qwen3", "granite", "smollm3")
_ONE_SIZE = (*_ALL_ROTATED, "gemma3", "granitehybrid", "phi3", "qwen35", "lfm2")


def check_gguf(path: Path) -> GgufHeader:
    """The header of a model's file, all of whose parts are there and sound.

    Raises:
        TooldrillError: as `read_gguf_header`, when a part is missing, and for what llama.cpp would
            end the process on.
    """
    header, parts = read_parts(path)
    with_weights = {t.name: t.shape for part in parts for t in part.tensors}
    try:
        for part in parts:
            _require_texts(part)
            _require_weights(part)
        if header.metadata.get("general.type", "model") == "adapter":
            raise UnfitError("it is an adapter; give the model and, with --adapter, this file")
        require_vocabulary(header)
        _require_shape(header, with_weights)
    except UnfitError as error:
        raise _unfit(path, error) from error
    return header


def check_adapter(path: Path) -> GgufHeader:
    """The header of a LoRA adapter's file.

    Raises:
        TooldrillError: as `check_gguf`.
    """
    header = read_gguf_header(path)
    try:
        _require_texts(header)
        _require_weights(header)
        for key, kind in {"adapter.type": "STRING", "adapter.lora.alpha": "FLOAT32"}.items():
            if header.kinds.get(key, kind) != kind or isinstance(header.metadata.get(key), list):
                raise UnfitError(f"{key} is of the wrong type")
        for tensor in header.tensors:
            if tensor.name.endswith((".lora_a", ".lora_b")) and len(tensor.shape) != 2:
                raise UnfitError(f"{tensor.name} is no matrix")
    except UnfitError as error:
        raise _unfit(path, error) from error
    return header


def read_parts(path: Path) -> tuple[GgufHeader, list[GgufHeader]]:
    """The header of a model, and those of all its parts (itself, mostly).

    Raises:
        TooldrillError: for a part that is missing or broken, or a file that is not the first part.
    """
    header = read_gguf_header(path)
    count = header.metadata.get("split.count", 1)
    if not isinstance(count, int) or not 0 <= count <= MOST_PARTS:
        raise _unfit(path, f"it says that it has {str(count)[:40]} parts")
    if count <= 1:
        return header, [header]
    named = _SPLIT.fullmatch(path.name)
    if not named or int(named[3]) != count or header.metadata.get("split.no") != 0:
        first = f"{named[1]}-00001-of-{named[3]}.gguf" if named else "NAME-00001-of-0000N.gguf"
        raise TooldrillError(
            f"{path} is one of {count} parts, and not the first by its name and content",
            f"give the first one under its own name, {first}, with the others beside it",
        )
    others = [
        read_gguf_header(path.with_name(f"{named[1]}-{number:05d}-of-{named[3]}.gguf"))
        for number in range(2, count + 1)
    ]
    for number, other in enumerate(others, 1):
        if other.kinds.get("split.no") != "UINT16" or other.metadata["split.no"] != number:
            raise _unfit(path, f"its part {number + 1} calls itself another")
    return header, [header, *others]


def _unfit(path: Path, reason: object) -> TooldrillError:
    return TooldrillError(
        f"{path} cannot be used: {reason}",
        "make it again (tooldrill export CONFIG --force), or take the model from another source",
    )


def _require_texts(header: GgufHeader) -> None:
    for key, kind in header.kinds.items():
        value = header.metadata[key]
        if key == "general.architecture" and (
            kind != "STRING" or not isinstance(value, str) or not _ARCHITECTURE.fullmatch(value)
        ):
            raise UnfitError(f"its architecture is {str(value)[:40]!r}")
        template = key.startswith("tokenizer.chat_template") and not key.endswith("templates")
        if (template or key in _TEXTS) and not isinstance(value, str):
            raise UnfitError(f"{key} is no text")


def _require_weights(header: GgufHeader) -> None:
    for tensor in header.tensors:
        if tensor.type in _NO_WEIGHTS and tensor.name.endswith((".weight", ".lora_a", ".lora_b")):
            raise UnfitError(f"{tensor.name} is of type {tensor.type}, which no weights are")
        # Norms and biases, which kernels take in this type alone.
        if len(tensor.shape) < 2 and tensor.type not in ("F32", *_NO_WEIGHTS):
            raise UnfitError(f"{tensor.name} is a vector of type {tensor.type}")


def _require_shape(header: GgufHeader, tensors: dict[str, tuple[int, ...]]) -> None:
    """What the metadata say of the layers, as far as they can be compared with the tensors."""
    if not tensors:
        return  # a vocabulary alone
    told = _Told(header)
    layers = told.number("block_count")
    if layers is None or not 1 <= layers <= MOST_LAYERS:
        raise UnfitError(f"it says that it has {layers} layers")
    numbers = {int(m[1]) for name in tensors if (m := re.match(r"blk\.(\d{1,6})\.", name))}
    if numbers and max(numbers) + 1 != layers:
        raise UnfitError(f"it says that it has {layers} layers, and has {max(numbers) + 1}")
    widest = max(max(shape, default=1) for shape in tensors.values())
    for key, numbers_told in told.counts():
        if any(not 0 <= number <= widest for number in numbers_told):
            raise UnfitError(f"{key} does not fit its tensors, the widest of which has {widest:,}")
    _require_numbers(told, header)
    _require_heads(told, header.architecture)
    if (rotary := told.text("rope.scaling.type")) not in (None, *_ROTARY):
        raise UnfitError(f"its rotary scaling is {rotary!r}")
    if (told.number("nextn_predict_layers") or 0) > layers:
        raise UnfitError("it says that it predicts with more layers than it has")
    _require_experts(told)


def _require_numbers(told: _Told, header: GgufHeader) -> None:
    for key, value in header.metadata.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise UnfitError(f"{key} is no number")
    for name in ("attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon"):
        if told.real(name) < 0:
            raise UnfitError(f"{name} is negative")


def _require_heads(told: _Told, architecture: str) -> None:
    """Heads of one size, in keys and values, of which no more is rotated than there is."""
    heads, width = (
        max(told.numbers("attention.head_count"), default=0),
        told.number("embedding_length"),
    )
    if not heads:
        return
    usual = (width or 0) // heads
    key, value = (told.number(f"attention.{name}_length") or usual for name in ("key", "value"))
    rotated = told.number("rope.dimension_count")
    if key != value and architecture in _ONE_SIZE:
        raise UnfitError(f"its keys have {key} numbers for each head, its values {value}")
    if rotated is None:
        return
    whole = architecture in _ALL_ROTATED
    if rotated % 2 or not (rotated == key if whole else 0 <= rotated <= key):
        raise UnfitError(f"it rotates {rotated} of {key} numbers of each head")


def _require_experts(told: _Told) -> None:
    experts = told.number("expert_count") or 0
    used = max(told.numbers("expert_used_count"), default=0)
    groups = told.number("expert_group_count") or 0
    group_used = told.number("expert_group_used_count") or 0
    fits = 0 < used <= experts <= MOST_EXPERTS and groups < experts
    if experts and groups > 1:
        fits = fits and experts % groups == 0 and 0 < group_used < groups
    if not fits if experts else used or groups:
        raise UnfitError(f"it says that it uses {used} of {experts} experts in {groups} groups")


class _Told:
    """The values that stand under the name of the architecture."""

    # Parts of the names of what is a width, a number of heads, or the size of a state.
    _COUNTS = (
        "embedding_length",
        "feed_forward_length",
        "head_count",
        "key_length",
        "value_length",
    )
    _STATES = ("ssm.", "shortconv.")

    def __init__(self, header: GgufHeader) -> None:
        self._header = header
        self._prefix = f"{header.architecture}."

    def text(self, name: str) -> str | None:
        value = self._header.metadata.get(self._prefix + name)
        return value if isinstance(value, str) else None

    def real(self, name: str) -> float:
        value = self._header.metadata.get(self._prefix + name, 0.0)
        return value if isinstance(value, float) else 0.0

    def number(self, name: str) -> int | None:
        found = self.numbers(name)
        return found[0] if len(found) == 1 else None

    def numbers(self, name: str) -> list[int]:
        """The value, or the values of all layers.

        Raises:
            UnfitError: when it is no whole number.
        """
        key = self._prefix + name
        value = self._header.metadata.get(key)
        if value is None:
            return []
        if self._header.kinds[key] not in _NUMBERS:
            raise UnfitError(f"{key} is no whole number")
        return value if isinstance(value, list) else [value]

    def counts(self) -> Iterator[tuple[str, list[int]]]:
        for key, kind in self._header.kinds.items():
            name = key.removeprefix(self._prefix)
            counted = name.startswith(self._STATES) or any(part in name for part in self._COUNTS)
            if counted and name != key and kind in _NUMBERS:
                yield key, self.numbers(name)
