"""Every family's tokenizer, from a folder as the hub has it, cuts text as its GGUF does."""

from __future__ import annotations

import json
import os
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from gguf import TokenType
from published_tokenizers import FAMILIES, save_published
from tiny_llama import make_model
from transformers import AutoTokenizer

from tooldrill.agent.engines.gguf_model import GgufModel
from tooldrill.agent.errors import TooldrillError
from tooldrill.export.awkward import FIXED, LOOKALIKES, awkward_texts
from tooldrill.export.gguf_writer import write_gguf
from tooldrill.export.layouts.registry import MODEL_TYPES
from tooldrill.export.llama_cpp_script import VARIABLE
from tooldrill.export.same_tokens import check_tokens
from tooldrill.export.vocabulary import read_vocabulary
from tooldrill.training.find_base import BaseModel
from tooldrill.training.gguf_tokenizer import bpe_tokenizer
from tooldrill.training.own_tokenizer import own_tokenizer

TEXTS = 3000
# llama.cpp compiles these patterns anew for every text, a millisecond or two.
SLOW = {"phi 4 mini": 1500, "mistral tekken": 1500}


@dataclass
class Exported:
    family: str
    tokenizer: Any
    path: Path
    base: BaseModel


@pytest.fixture(
    scope="module",
    params=[pytest.param(f, marks=pytest.mark.slow) if f in SLOW else f for f in FAMILIES],
)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    folder = save_published(request.param, tmp_path_factory.mktemp("family"))
    tokenizer = own_tokenizer(str(folder))
    base, path = BaseModel(folder.name, str(folder)), folder / "m.gguf"
    model = make_model(tokenizer, num_hidden_layers=1)
    write_gguf(model, tokenizer, "x", path, base=base, name=folder.name)
    return Exported(request.param, tokenizer, path, base)


def test_every_family_is_here() -> None:
    multimodal = {"qwen3_5", "gemma3"}  # with the tokenizer of their text part
    assert {one.kind for one in FAMILIES.values()} == set(MODEL_TYPES) - multimodal


def test_ids_are_the_same_on_thousands_of_texts(exported: Exported) -> None:
    count = SLOW.get(exported.family, TEXTS)
    checked = check_tokens(exported.tokenizer, exported.path, awkward=count)
    # Of Phi 3, spaces beyond ASCII after a token that swallows spaces are left out.
    assert checked.texts >= (0.99 if exported.family == "phi-3" else 1) * count
    assert checked.tokens > 10 * count


def test_the_file_says_what_the_family_publishes(exported: Exported) -> None:
    one, tokenizer = FAMILIES[exported.family], exported.tokenizer
    vocabulary = read_vocabulary(tokenizer, len(tokenizer) + 5, exported.base, "x")
    assert vocabulary.pre == one.pre
    assert vocabulary.model == ("llama" if one.cut is None else "gpt2")
    assert vocabulary.space_prefix == (one.normalizer == "always")
    assert vocabulary.add_bos == one.opens
    with closing(GgufModel(exported.path, vocabulary_only=True)) as model:
        opened = tokenizer("a")["input_ids"]
        assert model.prompt_tokens("a") == opened
        assert (opened[0] == tokenizer.bos_token_id) == one.opens
        assert model.ends_reply(tokenizer.convert_tokens_to_ids(one.eos))
        for token in [*one.special, *one.plain]:
            assert model.tokenize(token) == [tokenizer.convert_tokens_to_ids(token)], token
    kinds = dict(zip(vocabulary.tokens, vocabulary.types, strict=True))
    assert {kinds[t] for t in one.special if t != "<unk>"} == {TokenType.CONTROL}
    assert {kinds[t] for t in one.plain} <= {TokenType.USER_DEFINED}
    assert [t for t, kind in kinds.items() if kind is TokenType.UNUSED] == [
        f"[PAD{row}]" for row in range(len(tokenizer), len(tokenizer) + 5)
    ]


def test_tokens_say_which_bytes_they_stand_for(exported: Exported) -> None:
    text = "naïve 日本語\n\t {\"a\": 'x'} 🙂\x01"
    with closing(GgufModel(exported.path, vocabulary_only=True)) as model:
        read = b"".join(model.piece(token) for token in model.tokenize(text)).decode()
    assert read.removeprefix(" ") == text


def test_the_steps_of_tokenizer_json_are_kept_whatever_class_is_named(tmp_path: Path) -> None:
    folder = save_published("smollm2", tmp_path)
    own, guessed = own_tokenizer(str(folder)), AutoTokenizer.from_pretrained(folder)
    ids = own.encode("a  12")
    assert own.convert_ids_to_tokens(ids)[-2:] == ["1", "2"]
    if guessed.encode("a  12") == ids:
        pytest.fail("transformers reads GPT2Tokenizer as it is again: own_tokenizer can go")


def test_without_a_tokenizer_json_transformers_builds_one(tmp_path: Path) -> None:
    folder = save_published("smollm2", tmp_path)
    model = json.loads((folder / "tokenizer.json").read_text())["model"]
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.json").write_text(json.dumps(model["vocab"]))
    merges = "\n".join(" ".join(merge) for merge in model["merges"])
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}\n", "utf-8")
    assert own_tokenizer(str(folder)).encode(" hello")


def test_a_composing_tokenizer_is_trained_on_what_llama_cpp_reads(tmp_path: Path) -> None:
    folder = save_published("qwen 3", tmp_path)
    own, published = own_tokenizer(str(folder)), AutoTokenizer.from_pretrained(folder)
    assert published.encode("e\u0301") == published.encode("\u00e9") != own.encode("e\u0301")
    assert published.encode("\u00e9") == own.encode("\u00e9")


def test_marks_are_cut_as_llama_cpp_cuts_them(tmp_path: Path) -> None:
    folder = save_published("mistral tekken", tmp_path)
    own, published = own_tokenizer(str(folder)), AutoTokenizer.from_pretrained(folder)
    ascii_text = "The camelCase of HTTPServer isn't in a/b.py:\n\n  x = 10"
    assert own.encode(ascii_text) == published.encode(ascii_text)
    cut = [t.backend_tokenizer.pre_tokenizer.pre_tokenize_str("हि") for t in (own, published)]
    assert [len(pieces) for pieces in cut] == [2, 1]


def test_a_space_before_the_text_only_is_never_in_a_conversation(tmp_path: Path) -> None:
    folder = save_published("mistral v3", tmp_path)
    own, published = own_tokenizer(str(folder)), AutoTokenizer.from_pretrained(folder)
    said = "<s>[INST] Hi there[/INST] Hello</s>[INST]again[/INST]"
    assert own.encode(said, add_special_tokens=False) == published.encode(
        said, add_special_tokens=False
    )
    assert own.encode("Hi")[1:] != published.encode("Hi")[1:]


@pytest.mark.parametrize("family", ["smollm2", "llama 3", "qwen 3", "granite 4"])
def test_a_file_gives_the_tokenizer_back(family: str, tmp_path: Path) -> None:
    folder = save_published(family, tmp_path)
    tokenizer, path = own_tokenizer(str(folder)), folder / "m.gguf"
    model = make_model(tokenizer, num_hidden_layers=1)
    base = BaseModel(folder.name, str(folder))
    write_gguf(model, tokenizer, "x", path, base=base, name="tiny")
    again = bpe_tokenizer(path)
    assert again is not None
    # The first two are tokens that no merge makes.
    texts = ["xylophone", " xylophone", *awkward_texts(sorted(tokenizer.added_tokens_encoder), 300)]
    assert [again(t)["input_ids"] for t in texts] == [tokenizer(t)["input_ids"] for t in texts]
    roles = ("bos_token", "eos_token", "pad_token", "unk_token")
    assert [getattr(again, r) for r in roles] == [getattr(tokenizer, r) for r in roles]
    assert again.chat_template == "x"
    assert len(again) == len(tokenizer) + 5  # rows without a token, which llama.cpp has too


def test_texts_that_a_vocabulary_cannot_write_are_not_compared(tmp_path: Path) -> None:
    """SmolLM2 has no token for some control characters: both leave those out, each in its way."""
    folder = save_published("smollm2", tmp_path)
    described = json.loads((folder / "tokenizer.json").read_text())
    vocab = described["model"]["vocab"]
    gone = vocab.pop("\u0106")  # the byte 6
    vocab["unused"] = gone
    described["model"]["merges"] = [
        m for m in described["model"]["merges"] if not any("\u0106" in part for part in m)
    ]
    for token in [t for t in vocab if "\u0106" in t]:
        vocab[f"unused{token.replace(chr(0x106), '')}"] = vocab.pop(token)
    (folder / "tokenizer.json").write_text(json.dumps(described))
    tokenizer, path = own_tokenizer(str(folder)), folder / "m.gguf"
    base = BaseModel("tiny", str(folder))
    write_gguf(make_model(tokenizer), tokenizer, "x", path, base=base, name="tiny")
    odd = [" \x06\u200b", "a\x06"]
    without = check_tokens(tokenizer, path, [], awkward=200).texts
    assert check_tokens(tokenizer, path, odd, awkward=200).texts == without
    assert check_tokens(tokenizer, path, ["fine"], awkward=200).texts == without + 1


def test_texts_are_many_distinct_and_the_same_every_time() -> None:
    texts = awkward_texts(["<|im_end|>"], TEXTS)
    assert len(set(texts)) == len(texts) == TEXTS
    assert texts == awkward_texts(["<|im_end|>"], TEXTS)
    assert texts[:500] == awkward_texts(["<|im_end|>"], 500)
    assert {*FIXED, *LOOKALIKES} <= set(texts)
    together = "".join(texts)
    assert len(set(together)) > 2000
    assert sum("<|im_end|>" in text for text in texts) > 300
    longest = Counter(map(len, texts))
    assert max(longest) > 300
    assert not any(0xD800 <= ord(c) < 0xE000 for c in together), "no text at all"


def test_a_wrong_cut_of_any_family_is_noticed(tmp_path: Path) -> None:
    """Each family's texts, in a file that names the next family's cut."""
    folder = save_published("llama 3", tmp_path)
    tokenizer = own_tokenizer(str(folder))
    base, path = BaseModel("tiny", str(folder)), folder / "m.gguf"
    model = make_model(tokenizer, num_hidden_layers=1)
    for wrong in ("dbrx", "qwen2", "qwen35", "gpt-2", "smollm", "gpt-4o", "tekken"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "tooldrill.export.vocabulary._pre_tokenizer_name", lambda *_, name=wrong: name
            )
            write_gguf(model, tokenizer, "x", path, base=base, name="tiny")
        with pytest.raises(TooldrillError, match=r"in training and .* in llama\.cpp"):
            check_tokens(tokenizer, path)


CHECKOUT = os.environ.get(VARIABLE)


@pytest.mark.slow
@pytest.mark.skipif(CHECKOUT is None, reason=f"${VARIABLE} names no checkout of llama.cpp")
@pytest.mark.parametrize("name", ["llama-bpe", "qwen2", "qwen35", "starcoder", "refact", "gpt-2"])
def test_real_vocabularies_are_cut_alike(name: str) -> None:
    """Those that llama.cpp keeps for its own tests. Qwen's `</s>` is `lookalikes`' subject."""
    path = Path(str(CHECKOUT)) / "models" / f"ggml-vocab-{name}.gguf"
    tokenizer = bpe_tokenizer(path)
    texts = awkward_texts(sorted(tokenizer.added_tokens_encoder), TEXTS)
    with closing(GgufModel(path, vocabulary_only=True)) as model:
        for text in texts:
            if "</s>" not in text:
                assert tokenizer.encode(text, add_special_tokens=False) == model.tokenize(text)
