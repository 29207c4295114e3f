"""GGUF files that are broken by accident or on purpose end in one line, before llama.cpp."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from hostile_files import (
    BOOL,
    F32,
    I32,
    LIST,
    TEXT,
    U16,
    U32,
    U64,
    Gguf,
    Tensor,
    items,
    small,
    text,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tooldrill.agent.engines.gguf_check import check_adapter, check_gguf
from tooldrill.agent.engines.gguf_header import read_gguf_header
from tooldrill.agent.engines.gguf_model import GgufModel
from tooldrill.agent.errors import TooldrillError

HUGE = 2**63
WORDS = [f"<0x{byte:02X}>" for byte in range(256)]


def write(path: Path, file: Gguf) -> Path:
    path.write_bytes(file.bytes())
    return path


def with_tensor(*changed: Tensor) -> Gguf:
    """The small model with its first tensors replaced."""
    whole = small()
    return replace(whole, tensors=(*changed, *whole.tensors[len(changed) :]))


def refusal(path: Path) -> str:
    with pytest.raises(TooldrillError) as caught:
        check_gguf(path)
    assert "\n" not in caught.value.message
    assert caught.value.next_step
    return caught.value.message


def test_the_small_model_passes_and_loads(tmp_path: Path) -> None:
    path = write(tmp_path / "s.gguf", small())
    assert check_gguf(path).architecture == "llama"
    model = GgufModel(path)
    assert model.vocabulary_size == 256
    assert model.chat_template == "{{ messages[0].content }}"
    model.close()


FORMS = {
    "version 1": (small().having(version=1), "version is 1"),
    "version 4": (small().having(version=4), "version is 4"),
    "big-endian": (small().having(big_endian=True), "big-endian"),
    "2^63 tensors": (small().having(counts=(HUGE, None)), "room for"),
    "2^63 values": (small().having(counts=(None, HUGE)), "room for"),
    "a key twice": (small().having(twice=("general.name",)), "stands twice"),
    "no key": (small().saying("", U32, 1), "no name"),
    "an unknown type": (small().saying("a", 99, 1), "of type 99"),
    "an array of arrays": (
        small().saying("a", LIST, items(LIST, [], 1) + items(U32, [1])), "array of arrays",
    ),
    "2^63 numbers": (small().saying("a", LIST, items(U32, [1], HUGE)), "room for"),
    "alignment 0": (small().saying("general.alignment", U32, 0), "power of two"),
    "alignment 3": (small().saying("general.alignment", U32, 3), "power of two"),
    "alignment 2^31": (small().saying("general.alignment", U32, 2**31), "begins at|holds"),
    "alignment as text": (small().saying("general.alignment", TEXT, "32"), "32-bit"),
    "alignment of 64 bits": (small().saying("general.alignment", U64, 32), "32-bit"),
    "2^31 dimensions": (
        with_tensor(Tensor("token_embd.weight", (8,), dimensions=2**31)), "dimensions",
    ),
    "a width of 0": (with_tensor(Tensor("token_embd.weight", (8, 0))), "cannot be 8 x 0"),
    "a product over 2^63": (
        with_tensor(Tensor("token_embd.weight", (2**40, 2**40), offset=0)), "cannot be",
    ),
    "a width over all bytes": (
        with_tensor(Tensor("token_embd.weight", (8, 2**50), offset=0)), "begins at|holds",
    ),
    "an unknown weight type": (with_tensor(Tensor("token_embd.weight", (8,), 77)), "type 77"),
    "a part of a block": (with_tensor(Tensor("a", (8, 256), 8)), "8 x 256 weights"),
    "an offset outside": (with_tensor(Tensor("a", (8, 256), offset=2**60)), "begins"),
    "an overlap": (
        with_tensor(Tensor("token_embd.weight", (8, 256)), Tensor("b", (8,), offset=0)), "begins",
    ),
    "a tensor twice": (
        with_tensor(Tensor("a", (8, 256)), Tensor("a", (8,))), "the same name",
    ),
    "a long name": (with_tensor(Tensor("a" * 64, (8, 256))), "no name of a tensor"),
    "a name with a line end": (with_tensor(Tensor("a\nb", (8, 256))), "no name of a tensor"),
    "weights cut off": (small().having(weights=100), "holds"),
}  # fmt: skip


@pytest.mark.parametrize("case", FORMS)
def test_a_header_that_cannot_be_is_one_line(case: str, tmp_path: Path) -> None:
    file, reason = FORMS[case]
    write(tmp_path / "x.gguf", file)
    with pytest.raises(TooldrillError, match=reason) as caught:
        read_gguf_header(tmp_path / "x.gguf")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("written", "reason"),
    [(b"\xff" * 8 + b"small", "ends inside a text"), (text(b"sm\xffll"), "not UTF-8")],
)
def test_a_text_that_cannot_be_is_one_line(written: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(small().bytes().replace(text("small"), written, 1))
    assert reason in refusal(tmp_path / "x.gguf")


# What llama.cpp, given the file, would end the process on (seen so), or compute nonsense from.
UNFIT = {
    "architecture as a number": (small().saying("general.architecture", U32, 1), "architecture"),
    "a name that is no text": (small().saying("general.name", U32, 1), "general.name"),
    "a template that is no text": (small().saying("tokenizer.chat_template", U32, 1), "no text"),
    "no vocabulary": (small().having("tokenizer.ggml.model"), "no tokens"),
    "tokens that are numbers": (
        small().saying("tokenizer.ggml.tokens", LIST, items(U32, [1, 2])), "list of texts",
    ),
    "a token twice": (
        small().saying("tokenizer.ggml.tokens", LIST, items(TEXT, [*WORDS[:255], "<0x00>"])),
        "same text",
    ),
    "a token twice before its zero byte": (
        small().saying("tokenizer.ggml.tokens", LIST, items(TEXT, [*WORDS, "a\0b", "a\0c"])),
        "same text",
    ),
    "too few scores": (
        small().saying("tokenizer.ggml.scores", LIST, items(F32, [0.0])), "1 of 256",
    ),
    "scores that are texts": (
        small().saying("tokenizer.ggml.scores", LIST, items(TEXT, WORDS)), "wrong type",
    ),
    "types of true and false": (
        small().saying("tokenizer.ggml.token_type", LIST, items(BOOL, [True] * 256)), "wrong type",
    ),
    "a byte without a token": (
        small().saying("tokenizer.ggml.tokens", LIST, items(TEXT, [*WORDS[:255], "zz"])).saying(
            "tokenizer.ggml.token_type", LIST, items(I32, [1] * 256)),
        "no token for the byte 255",
    ),
    "a byte token that is none": (
        small().saying("tokenizer.ggml.tokens", LIST, items(TEXT, [*WORDS[:255], "zz"])),
        "stands for no byte",
    ),
    "no layers": (small().saying("llama.block_count", U32, 0), "0 layers"),
    "2^32 layers": (small().saying("llama.block_count", U32, 2**32 - 1), "layers"),
    "layers that are not there": (small().saying("llama.block_count", U32, 9), "has 1"),
    "a width that no tensor has": (
        small().saying("llama.embedding_length", U32, 2**31), "does not fit",
    ),
    "heads as text": (small().saying("llama.attention.head_count", TEXT, "2"), "no whole number"),
    "unknown rotary scaling": (small().saying("llama.rope.scaling.type", TEXT, "x"), "rotary"),
    "more rotated than there is": (
        small().saying("llama.rope.dimension_count", U32, 64), "rotates",
    ),
    "keys and values of two sizes": (
        small().saying("llama.attention.key_length", U32, 2), "each head",
    ),
    "an epsilon below zero": (
        small().saying("llama.attention.layer_norm_rms_epsilon", F32, -1.0), "negative",
    ),
    "no number": (small().saying("llama.rope.freq_base", F32, float("nan")), "no number"),
    "experts of nothing": (small().saying("llama.expert_used_count", U32, 4), "experts"),
    "more experts used than there are": (
        small().saying("llama.expert_used_count", U32, 4).saying("llama.expert_count", U32, 2),
        "4 of 2 experts",
    ),
    "a norm in halves": (
        with_tensor(Tensor("token_embd.weight", (8, 256)), Tensor("output_norm.weight", (16,), 1)),
        "vector",
    ),
    "integers for weights": (with_tensor(Tensor("token_embd.weight", (8, 256), 26)), "type I32"),
    "an adapter for a model": (small().saying("general.type", TEXT, "adapter"), "--adapter"),
    "65535 parts": (small().saying("split.count", U16, 65535), "parts"),
    "a part under another name": (small().saying("split.count", U16, 2), "not the first"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNFIT)
def test_what_llama_cpp_would_end_the_process_on_is_one_line(case: str, tmp_path: Path) -> None:
    file, reason = UNFIT[case]
    assert reason in refusal(write(tmp_path / "x.gguf", file))


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    parts = small().saying("split.count", U16, 2).saying("split.no", U16, 0)
    first = write(tmp_path / "m-00001-of-00002.gguf", parts)
    assert "m-00002-of-00002.gguf" in refusal(first)
    write(tmp_path / "m-00002-of-00002.gguf", small().saying("split.no", U32, 1))
    assert "part 2" in refusal(first)


def test_an_adapter_is_looked_at_as_one(tmp_path: Path) -> None:
    fields = {"general.architecture": (TEXT, "llama"), "general.type": (TEXT, "adapter"),
              "adapter.type": (TEXT, "lora"), "adapter.lora.alpha": (F32, 8.0)}  # fmt: skip
    pair = (Tensor("a.lora_a", (8, 2)), Tensor("a.lora_b", (2, 8)))
    whole = Gguf(fields, pair)
    assert check_adapter(write(tmp_path / "a.gguf", whole)).tensors[0].shape == (8, 2)
    wrong = {
        "alpha": whole.saying("adapter.lora.alpha", U32, 8),
        "type": whole.saying("adapter.type", U32, 8),
        "matrix": replace(whole, tensors=(Tensor("a.lora_a", (8, 2, 3)), pair[1])),
        "I32": replace(whole, tensors=(Tensor("a.lora_a", (8, 2), 26), pair[1])),
    }
    for reason, file in wrong.items():
        with pytest.raises(TooldrillError, match=reason):
            check_adapter(write(tmp_path / "a.gguf", file))


def test_a_file_cut_off_anywhere_is_one_line(tmp_path: Path) -> None:
    whole = small().bytes()
    path = tmp_path / "cut.gguf"
    for length in [*range(0, 700, 5), *range(700, len(whole) - 300, 411)]:
        path.write_bytes(whole[:length])
        assert "whole GGUF" in refusal(path) or length < 4


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    assert "no GGUF file" in refusal(tmp_path / "pipe.gguf")


CHANGES = st.lists(
    st.tuples(st.integers(4, len(small().bytes()) - 1), st.binary(min_size=1, max_size=8)),
    min_size=1, max_size=4,
)  # fmt: skip


@given(changes=CHANGES)
@settings(max_examples=40)
def test_any_bytes_pass_or_are_one_line_in_little_time_and_memory(
    changes: list[tuple[int, bytes]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    raw = bytearray(small().bytes())
    for at, new in changes:
        raw[at : at + len(new)] = new
    path = tmp_path_factory.getbasetemp() / "any.gguf"
    path.write_bytes(raw)
    tracemalloc.start()
    began = time.process_time()
    said = ""
    try:
        check_gguf(path)
    except TooldrillError as error:
        said = error.message
    taken, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "\n" not in said
    assert peak < 100 * len(raw)
    assert taken < 1


CHILD = """
import os, random, resource, signal, sys
from pathlib import Path
os.environ["GGML_NO_BACKTRACE"] = "1"
from hostile_files import small
from tooldrill.agent.engines.gguf_check import check_gguf
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.engines.base import Turn
from tooldrill.agent.engines.llama import LlamaEngine
from tooldrill.agent.messages import user
from tooldrill.agent.protocols.catalog import get_protocol
from tooldrill.agent.settings import EngineSettings, SamplingSettings

ENGINE = EngineSettings(context=256, parallel=1, threads=1, gpu_layers=0)
REACT = get_protocol("react_json")
TURN = Turn("a", [user("Gr\u00f6\u00dfe, 3 x")], [], REACT, SamplingSettings(), 4, 0)

path, rng, ran = Path(sys.argv[1]), random.Random(5), 0
whole = small().bytes()
for number in range(int(os.environ["CHANGED"])):
    raw = bytearray(whole)
    for _ in range(rng.choice([1, 1, 2])):
        at = rng.randrange(4, min(len(raw), 9000))
        raw[at] = rng.choice([0, 1, raw[at] ^ 1, raw[at] ^ 128, (raw[at] + 1) % 256, 255])
    path.write_bytes(raw)
    try:
        check_gguf(path)
    except TooldrillError:
        continue
    ran += 1
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
        signal.setitimer(signal.ITIMER_PROF, 60)
        try:
            engine = LlamaEngine(path, ENGINE)
            engine.submit(TURN)
            engine.collect()
        except TooldrillError:
            pass
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if status:
        sys.exit(f"change {number}: status {status}")
assert ran > 8, ran
print("survived", ran)
"""


@pytest.mark.slow
def test_llama_cpp_survives_what_passes(tmp_path: Path) -> None:
    """In processes of their own: an abort would end this one."""
    here = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path / "x.gguf")],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env={"PYTHONPATH": str(here), "CHANGED": "60", "OMP_NUM_THREADS": "1", "PATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-600:]
    assert "survived" in done.stdout
