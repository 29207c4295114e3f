"""Folders of models from anywhere: no pickle is opened, no code run, no file outside read."""

from __future__ import annotations

import json
import pickle
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file
from tiny_llama import save_tiny

from tooldrill.agent.errors import TooldrillError
from tooldrill.export.merge import merged_model
from tooldrill.model_shape import model_shape
from tooldrill.training.adapter import load_adapter
from tooldrill.training.base_model import load_model, load_tokenizer
from tooldrill.training.find_base import resolve
from tooldrill.training.safetensors_file import tensor_shapes
from tooldrill.training.settings import ModelSettings

CODE = """
from pathlib import Path
Path({marker!r}).write_text("ran")
from transformers import {config}, {model}

class OwnConfig({config}):
    model_type = "own"

class OwnModel({model}):
    config_class = OwnConfig
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def folder(tiny: Path, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    return Path(shutil.copytree(tiny, tmp_path / "m"))


def at(folder: Path, **more: Any) -> ModelSettings:
    return ModelSettings(path=str(folder), **more)


def use(folder: Path) -> None:
    base = resolve(at(folder))
    load_tokenizer(base)
    load_model(base)


def refusal(folder: Path) -> TooldrillError:
    with pytest.raises(TooldrillError) as caught:
        use(folder)
    assert "\n" not in caught.value.message
    assert caught.value.next_step
    return caught.value


class Bomb:
    """Unpickled, it writes a marker."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (self.marker, "ran")


def change_json(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt"])
def test_pickled_weights_are_never_opened(name: str, folder: Path, tmp_path: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(pickle.dumps(Bomb(tmp_path / "marker")))
    error = refusal(folder)
    assert name in error.message
    assert "pickle" in error.message
    assert "safetensors" in error.next_step
    assert not (tmp_path / "marker").exists()


def test_a_pickle_beside_good_weights_is_not_opened(folder: Path, tmp_path: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(tmp_path / "marker")))
    load_model(resolve(at(folder)))
    assert not (tmp_path / "marker").exists()


def test_a_pickled_adapter_is_not_opened(tiny: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    config = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 2, "target_modules": ["q_proj"]}
    (adapter / "adapter_config.json").write_text(json.dumps(config))
    (adapter / "adapter_model.bin").write_bytes(pickle.dumps(Bomb(tmp_path / "marker")))
    base = resolve(at(tiny))
    with pytest.raises(TooldrillError, match=r"adapter_model\.safetensors"):
        merged_model(base, adapter)
    with pytest.raises(TooldrillError, match=r"adapter_model\.safetensors"):
        load_adapter(load_model(base), adapter)
    assert not (tmp_path / "marker").exists()


def own_code(folder: Path, marker: Path) -> None:
    code = CODE.format(marker=str(marker), config="LlamaConfig", model="LlamaForCausalLM")
    (folder / "modeling_own.py").write_text(code)
    own = {"AutoConfig": "modeling_own.OwnConfig", "AutoModelForCausalLM": "modeling_own.OwnModel"}
    change_json(folder / "config.json", model_type="own", auto_map=own)


def test_code_of_a_model_is_run_only_when_the_setting_says_so(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where Transformers copies such code to; it asks at the terminal unless it is told.
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "c"))
    monkeypatch.setattr("builtins.input", lambda _: "y")
    marker = tmp_path / "marker"
    own_code(folder, marker)
    error = refusal(folder)
    assert "trust_remote_code=true" in error.next_step
    assert not marker.exists()
    trusted = resolve(at(folder, trust_remote_code=True))
    assert type(load_model(trusted)).__name__ == "OwnModel"
    assert marker.read_text() == "ran"


def test_code_for_generating_and_for_the_tokenizer_is_not_run(folder: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    code = f"from pathlib import Path\nPath({str(marker)!r}).write_text('ran')\n"
    (folder / "custom_generate").mkdir()
    (folder / "custom_generate/generate.py").write_text(code + "def generate(*a, **k): pass\n")
    (folder / "own.py").write_text(code + "class Own: pass\n")
    own = {"AutoTokenizer": ["own.Own", "own.Own"]}
    change_json(folder / "tokenizer_config.json", auto_map=own, tokenizer_class="Own")
    base = resolve(at(folder))
    for load in (load_tokenizer, load_model):
        try:
            load(base)
        except TooldrillError as error:
            assert "\n" not in error.message  # noqa: PT017 - it may load, or be refused
    assert not marker.exists()


@pytest.mark.parametrize(
    "name", ["../other/model.safetensors", "/etc/passwd", "a\\..\\b.safetensors", "weights.bin"]
)
def test_an_index_names_files_of_its_folder_only(name: str, folder: Path) -> None:
    (folder / "model.safetensors").rename(folder.parent / "model.safetensors")
    index = {"metadata": {}, "weight_map": {"model.norm.weight": name}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "no safetensors file beside it" in refusal(folder).message


def test_a_missing_shard_is_named(folder: Path) -> None:
    shard = "model-00001-of-00002.safetensors"
    (folder / "model.safetensors").rename(folder / shard)
    other = shard.replace("00001-of", "00002-of")
    index = {"metadata": {}, "weight_map": {"a": shard, "b": other}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert other in refusal(folder).message


def header(described: dict[str, Any] | bytes, data: int = 16, length: int | None = None) -> bytes:
    raw = described if isinstance(described, bytes) else json.dumps(described).encode()
    return struct.pack("<Q", len(raw) if length is None else length) + raw + b"\0" * data


def tensor(*offsets: int, kind: str = "F32", shape: tuple[int, ...] = (2,)) -> dict[str, Any]:
    return {"dtype": kind, "shape": shape, "data_offsets": offsets}


BROKEN = {
    "empty": b"",
    "cut in its length": b"\1\2\3",
    "2^63 bytes of header": header({}, length=2**63),
    "2^31 bytes of header": header({}, length=2**31),
    "no JSON": header(b"{" * 64),
    "deep JSON": header(b'{"a":' + b"[" * 100_000),
    "an unknown type": header({"a": tensor(0, 8, kind="X9"), "b": tensor(8, 16)}),
    "outside of the file": header({"a": tensor(0, 8), "b": tensor(8, 800, shape=(198,))}),
    "an overlap": header({"a": tensor(0, 8), "b": tensor(4, 12)}),
    "a hole": header({"a": tensor(0, 8), "b": tensor(12, 20)}, data=20),
    "backwards": header({"a": tensor(8, 0), "b": tensor(8, 16)}),
    "a size that is another": header({"a": tensor(0, 16)}),
    "an overflow": header({"a": tensor(0, 16, shape=(2**62, 2**62))}),
    "negative": header({"a": tensor(0, 16, shape=(-4,))}),
    "a name twice": header(
        b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},'
        b'"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}'
    ),
    "metadata that are numbers": header({"__metadata__": {"a": 1}, "a": tensor(0, 16, shape=(4,))}),
    "bytes after the end": header({"a": tensor(0, 8)}, data=64),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_weights_are_one_line_everywhere(case: str, folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(BROKEN[case])
    assert "model.safetensors is broken" in refusal(folder).message
    with pytest.raises(TooldrillError, match="is broken"):
        model_shape(str(folder))


@given(at=st.integers(0, 200), new=st.binary(min_size=1, max_size=8))
@settings(max_examples=30)
def test_any_bytes_are_a_safetensors_or_one_line(
    at: int, new: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    save_file({"a": np.ones((2, 3), np.float32), "b": np.ones(5, np.float16)}, path)
    raw = bytearray(path.read_bytes())
    raw[at : at + len(new)] = new
    path.write_bytes(raw)
    try:
        shapes = tensor_shapes(path)
    except TooldrillError as error:
        assert "\n" not in error.message  # noqa: PT017 - either is right
    else:
        assert len(shapes) <= 2


CONFIGS: dict[str, Any] = {
    "a million layers": {"num_hidden_layers": 10**9},
    "widths that no weights have": {"hidden_size": 2**40},
    "text for a number": {"hidden_size": "64"},
    "no number": {"vocab_size": float("nan")},
    "negative": {"num_attention_heads": -4},
}


@pytest.mark.parametrize("case", CONFIGS)
def test_a_config_that_its_weights_cannot_be_is_one_line(case: str, folder: Path) -> None:
    change_json(folder / "config.json", **CONFIGS[case])
    (key,) = CONFIGS[case]
    assert key in refusal(folder).message


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json"])
@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff\xfe{}", b"[" * 200_000])
def test_broken_json_is_one_line(name: str, content: bytes, folder: Path) -> None:
    (folder / name).write_bytes(content)
    refusal(folder)


def test_heads_of_none_are_one_line(folder: Path) -> None:
    change_json(folder / "config.json", num_attention_heads=0)
    assert "cannot load" in refusal(folder).message


def test_an_adapter_beside_the_weights_is_not_followed(folder: Path, tmp_path: Path) -> None:
    config = {"peft_type": "LORA", "base_model_name_or_path": str(tmp_path / "elsewhere")}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    assert "adapter" in refusal(folder).message
