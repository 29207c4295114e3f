"""llama.cpp's own script for what the exporter cannot write.

Its contract (what it is given, how it may end) is tested with a script of our own in its place;
the real one runs where $LLAMA_CPP_DIR names a checkout.
"""

from __future__ import annotations

import json
import os
import textwrap
from pathlib import Path
from typing import Any

import pytest
from published_tokenizers import QWEN2
from same_logits import both_logits
from tiny_families import make_family
from tiny_llama import make_model, make_tokenizer, save_tiny
from tiny_sentencepiece import make_sentencepiece
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.pre_tokenizers import ByteLevel, Split
from transformers import PreTrainedTokenizerFast

from tooldrill.agent.engines.gguf_header import read_gguf_header
from tooldrill.agent.errors import TooldrillError
from tooldrill.export.awkward import awkward_texts
from tooldrill.export.compare import kl_divergence
from tooldrill.export.layouts import registry
from tooldrill.export.llama_cpp_script import SCRIPT, VARIABLE, convert_with_script
from tooldrill.export.lookalikes import rename_in_file
from tooldrill.export.run import export_model
from tooldrill.export.same_tokens import check_tokens
from tooldrill.export.settings import ExportSettings
from tooldrill.export.unsupported import UnsupportedError
from tooldrill.training.gguf_tokenizer import bpe_tokenizer
from tooldrill.training.own_tokenizer import as_llama_cpp_reads
from tooldrill.training.settings import ModelSettings

F16 = ExportSettings(quantizations=["F16", "Q8_0"])
CHECKOUT = os.environ.get(VARIABLE)

# Does with the installed package what llama.cpp's script does with its own.
WRITES = """
    import argparse, gguf_of_this_checkout
    from pathlib import Path
    from tooldrill.export.gguf_writer import write_gguf
    from tooldrill.training.base_model import load_model, load_tokenizer
    from tooldrill.training.find_base import BaseModel
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    for name in ("outfile", "outtype", "model-name"):
        parser.add_argument(f"--{name}")
    given = parser.parse_args()
    assert given.outtype == "f16"
    base = BaseModel("x", str(given.folder))
    write_gguf(
        load_model(base), load_tokenizer(base), (given.folder / "chat_template.jinja").read_text(),
        Path(given.outfile), base=base, name=given.model_name,
    )
"""
FAILS = """
    import sys
    print("INFO: reading", file=sys.stderr)
    raise NotImplementedError("BPE pre-tokenizer was not recognized")
"""
FORGETS = WRITES.replace('(given.folder / "chat_template.jinja").read_text()', '"another"')


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModelSettings:
    """A llama, in a process whose exporter does not know llama."""
    monkeypatch.delitem(registry._LAYOUTS, "llama")
    monkeypatch.delenv(VARIABLE, raising=False)
    return ModelSettings(path=str(save_tiny(tmp_path / "base")))


def checkout(folder: Path, script: str) -> Path:
    (folder / "gguf-py").mkdir(parents=True)
    (folder / "gguf-py" / "gguf_of_this_checkout.py").touch()
    (folder / SCRIPT).write_text(textwrap.dedent(script))
    return folder


@pytest.mark.slow
def test_the_script_makes_the_file_and_it_is_verified(
    forgotten: ModelSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(checkout(tmp_path / "llama.cpp", WRITES)))
    summary = export_model(forgotten, None, F16, None, tmp_path / "out")
    assert summary.converter == "llama.cpp"
    metadata = read_gguf_header(summary.path("Q8_0")).metadata
    assert "<tool_call>" in metadata["tokenizer.chat_template"]
    assert metadata["general.name"] == summary.name
    assert summary.verification.logits[0].mean_kl < 1e-4
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert left == {"verify.json", "export.json", *(file.file for file in summary.files)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (FAILS, "NotImplementedError: BPE pre-tokenizer was not recognized"),
        ("raise SystemExit(3)", "it ended with status 3"),
        (FORGETS, "did not embed the chat template"),
    ],
    ids=["fails", "says nothing", "forgets the template"],
)
def test_a_failure_is_one_line_and_leaves_nothing(
    forgotten: ModelSettings, tmp_path: Path, script: str, reason: str
) -> None:
    folder = checkout(tmp_path / "llama.cpp", script)
    settings = F16.model_copy(update={"llama_cpp_dir": str(folder)})
    with pytest.raises(TooldrillError, match=reason) as raised:
        export_model(forgotten, None, settings, None, tmp_path / "out")
    assert "\n" not in raised.value.message
    assert str(folder) in raised.value.next_step
    assert list((tmp_path / "out").iterdir()) == []


def test_without_a_checkout_both_ways_out_are_named(
    forgotten: ModelSettings, tmp_path: Path
) -> None:
    with pytest.raises(UnsupportedError, match="its architecture is 'llama'") as raised:
        export_model(forgotten, None, F16, None, tmp_path / "out")
    assert "use a base of the family" in raised.value.next_step
    assert "LLAMA_CPP_DIR" in raised.value.next_step


def test_a_folder_without_the_script_is_named(forgotten: ModelSettings, tmp_path: Path) -> None:
    settings = F16.model_copy(update={"llama_cpp_dir": str(tmp_path)})
    with pytest.raises(TooldrillError, match=r"export\.llama_cpp_dir: .* holds no convert"):
        export_model(forgotten, None, settings, None, tmp_path / "out")


@pytest.mark.slow
@pytest.mark.skipif(CHECKOUT is None, reason=f"${VARIABLE} names no checkout of llama.cpp")
def test_the_real_script_converts_a_family_that_the_exporter_does_not_know(
    tmp_path: Path,
) -> None:
    """Its logits; its vocabulary knows no tokenizer but real ones."""
    tokenizer: Any = make_sentencepiece(prefix=True, newlines=())
    experts = {"num_local_experts": 4, "num_experts_per_tok": 2}
    model = make_family("mixtral", tokenizer, spare_rows=0, **experts)
    path = tmp_path / "m.gguf"
    convert_with_script(Path(str(CHECKOUT)), model, tokenizer, "{{ 1 }}", path, name="tiny")
    metadata = read_gguf_header(path).metadata
    assert metadata["tokenizer.chat_template"] == "{{ 1 }}"
    assert metadata["general.name"] == "tiny"
    assert kl_divergence(*both_logits(model, path)).mean() < 1e-4
    assert [left.name for left in tmp_path.iterdir()] == ["m.gguf"]


@pytest.mark.slow
@pytest.mark.skipif(CHECKOUT is None, reason=f"${VARIABLE} names no checkout of llama.cpp")
def test_the_real_script_knows_the_real_qwen_and_gets_no_lookalikes(tmp_path: Path) -> None:
    """Its vocabulary holds a `</s>` that llama.cpp would end replies at."""
    tokenizer = bpe_tokenizer(Path(str(CHECKOUT)) / "models" / "ggml-vocab-qwen2.gguf")
    backend = tokenizer.backend_tokenizer
    steps = [Split(Regex(QWEN2), "isolated"), ByteLevel(add_prefix_space=False, use_regex=False)]
    backend.pre_tokenizer = pre_tokenizers.Sequence(steps)
    backend.normalizer = normalizers.NFC()
    config = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1}
    model = make_model(tokenizer, vocab_size=len(tokenizer), **config)
    tokenizer, path = as_llama_cpp_reads(tokenizer), tmp_path / "m.gguf"
    convert_with_script(Path(str(CHECKOUT)), model, tokenizer, "{{ 1 }}", path, name="tiny")
    assert read_gguf_header(path).metadata["tokenizer.ggml.pre"] == "qwen2"
    assert check_tokens(tokenizer, path, ["<s>a</s>b"]).texts > 1000


def test_a_lookalike_is_renamed_in_the_file_that_the_script_reads(tmp_path: Path) -> None:
    plain = make_tokenizer()
    described = json.loads(plain.backend_tokenizer.to_str())
    model = described["model"]
    model["vocab"]["</s>"] = row = len(plain)
    model["merges"].append(["</", "s>"])
    for part in ("</", "s>"):
        model["vocab"].setdefault(part, len(model["vocab"]))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(described)))
    assert row not in tokenizer.encode("a</s>")
    tokenizer.save_pretrained(tmp_path)
    rename_in_file(tokenizer, tmp_path / "tokenizer.json")
    again = PreTrainedTokenizerFast.from_pretrained(tmp_path)
    assert again.convert_ids_to_tokens(row) == f"[UNREACHABLE{row}]"
    texts = awkward_texts([], 200)
    assert [again.encode(t) for t in texts] == [tokenizer.encode(t) for t in texts]
