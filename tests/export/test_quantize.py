"""What the quantizer really wrote, read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import pytest

from tooldrill.agent.engines.gguf_header import read_gguf_header
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.hashing import sha256_file
from tooldrill.export.gguf_writer import write_gguf
from tooldrill.export.merge import merged_model
from tooldrill.export.quantize import describe, quantize
from tooldrill.export.settings import Quantization
from tooldrill.export.tensor_types import file_size
from tooldrill.training.base_model import load_tokenizer
from tooldrill.training.find_base import resolve
from tooldrill.training.settings import ModelSettings


def f16_file(folder: Path, out: Path) -> Path:
    base = resolve(ModelSettings(path=str(folder)))
    write_gguf(merged_model(base, None), load_tokenizer(base), "x", out, base=base, name="t")
    return out


def test_q8_0_takes_eight_and_a_half_bits(tiny: Path, tmp_path: Path) -> None:
    quantize(f16_file(tiny, tmp_path / "a.gguf"), tmp_path / "b.gguf", "Q8_0")
    made = describe(tmp_path / "b.gguf", "Q8_0")
    matrices, vectors = made.types["Q8_0"], made.types["F32"]
    # A Q8_0 block: 32 weights of 8 bits and an F16 scale.
    assert made.bits_per_weight == pytest.approx((8.5 * matrices + 32 * vectors) / made.parameters)
    assert matrices + vectors == made.parameters
    assert made.fallbacks == []
    assert made.bytes == (tmp_path / "b.gguf").stat().st_size
    assert made.sha256 == sha256_file(tmp_path / "b.gguf")


def test_rows_that_do_not_divide_by_256_are_reported(tiny: Path, tmp_path: Path) -> None:
    quantize(f16_file(tiny, tmp_path / "a.gguf"), tmp_path / "b.gguf", "Q4_K_M")
    made = describe(tmp_path / "b.gguf", "Q4_K_M")
    reader = gguf.GGUFReader(tmp_path / "b.gguf")
    matrices = [t for t in reader.tensors if len(t.shape) > 1]
    assert sum(f.tensors for f in made.fallbacks) == len(matrices) == 22
    assert not {"Q4_K", "Q6_K"} & set(made.types)
    assert {f.type for f in made.fallbacks} == {t.tensor_type.name for t in matrices}
    assert {f.reason for f in made.fallbacks} <= {
        "rows of 64 are no multiple of 256", "rows of 128 are no multiple of 256",
    }  # fmt: skip
    assert "in Q5_0" in made.told
    assert "no multiple of 256" in made.told
    share = sum(int(t.n_elements) for t in matrices) / made.parameters
    assert sum(f.share for f in made.fallbacks) == pytest.approx(share)
    assert "token_embd" in {name for f in made.fallbacks for name in f.names}


def test_rows_of_256_do_not_fall_back(make_folder: Any, tmp_path: Path) -> None:
    wide = make_folder(hidden_size=256, intermediate_size=256, num_hidden_layers=1)
    quantize(f16_file(wide, tmp_path / "a.gguf"), tmp_path / "b.gguf", "Q4_K_M")
    made = describe(tmp_path / "b.gguf", "Q4_K_M")
    assert made.fallbacks == []
    assert {"Q4_K", "Q6_K", "F32"} == set(made.types)


@pytest.fixture(scope="module")
def wide(make_folder: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_folder(hidden_size=256, intermediate_size=512, num_hidden_layers=1)
    return f16_file(folder, tmp_path_factory.mktemp("wide") / "a.gguf")


# Bits of a block's weights, with what its scales take: ggml's block sizes.
BITS = {
    "Q6_K": {"Q6_K": 6.5625},
    "Q5_K_M": {"Q5_K": 5.5, "Q6_K": 6.5625},
    "Q4_K_M": {"Q4_K": 4.5, "Q5_K": 5.5, "Q6_K": 6.5625},
    "Q4_0": {"Q4_0": 4.5, "Q6_K": 6.5625},
    "IQ4_XS": {"IQ4_XS": 4.25, "Q5_K": 5.5, "Q6_K": 6.5625},
}


@pytest.mark.parametrize("quantization", list(BITS))
def test_each_quantization_has_its_own_types_and_real_bits(
    wide: Path, tmp_path: Path, quantization: Quantization
) -> None:
    quantize(wide, tmp_path / "b.gguf", quantization)
    made = describe(tmp_path / "b.gguf", quantization)
    bits = {**BITS[quantization], "F32": 32.0}
    assert made.fallbacks == []
    assert next(iter(BITS[quantization])) in made.types
    assert made.types.keys() <= bits.keys()
    total = sum(bits[kind] * count for kind, count in made.types.items())
    assert made.bits_per_weight == pytest.approx(total / made.parameters)
    asked = file_size(shapes(wide), quantization)
    data = int(made.bits_per_weight * made.parameters / 8)
    assert data <= asked <= 1.35 * data, "what is asked of the disk is enough, and not far more"


@pytest.mark.parametrize("quantization", ["F16", *BITS, "Q8_0"])
def test_the_size_asked_of_the_disk_covers_fallbacks(
    tiny: Path, tmp_path: Path, quantization: Quantization
) -> None:
    source = f16_file(tiny, tmp_path / "a.gguf")
    made = source
    if quantization != "F16":
        made = tmp_path / "b.gguf"
        quantize(source, made, quantization)
    data = sum(tensor.bytes for tensor in read_gguf_header(made).tensors)
    assert data <= file_size(shapes(source), quantization) <= 1.5 * data


def test_rows_that_do_not_divide_by_32_stay_f16(make_folder: Any, tmp_path: Path) -> None:
    odd = make_folder(intermediate_size=144, num_hidden_layers=1)
    quantize(f16_file(odd, tmp_path / "a.gguf"), tmp_path / "b.gguf", "Q8_0")
    (fallback,) = describe(tmp_path / "b.gguf", "Q8_0").fallbacks
    assert (fallback.type, fallback.names) == ("F16", ["ffn_down"])
    assert fallback.reason == "rows of 144 are no multiple of 32"


def shapes(path: Path) -> list[tuple[str, tuple[int, ...]]]:
    return [(tensor.name, tensor.shape[::-1]) for tensor in read_gguf_header(path).tensors]


def test_a_truncated_source_is_one_line_and_leaves_nothing(tiny: Path, tmp_path: Path) -> None:
    source = f16_file(tiny, tmp_path / "a.gguf")
    source.write_bytes(source.read_bytes()[:-1000])
    with pytest.raises(TooldrillError, match="not a whole GGUF") as raised:
        quantize(source, tmp_path / "b.gguf", "Q8_0")
    assert "\n" not in raised.value.message
    assert [p.name for p in tmp_path.iterdir()] == ["a.gguf"]
