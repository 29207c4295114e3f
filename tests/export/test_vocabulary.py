"""The tokenizer's fields: ids, types, merges, the name of the cut."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import gguf
import llama_cpp
import pytest
from published_tokenizers import save_published
from tiny_llama import make_model, make_tokenizer
from tiny_sentencepiece import BYTES, NEWLINES, make_sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from tooldrill.agent.engines.gguf_model import GgufModel
from tooldrill.agent.errors import TooldrillError
from tooldrill.export.gguf_writer import write_gguf
from tooldrill.export.same_tokens import check_tokens
from tooldrill.export.sentencepiece import NEVER
from tooldrill.export.unsupported import UnsupportedError
from tooldrill.export.vocabulary import read_vocabulary, stop_tokens
from tooldrill.training.base_model import load_tokenizer
from tooldrill.training.find_base import BaseModel, resolve
from tooldrill.training.own_tokenizer import own_tokenizer
from tooldrill.training.pretokenizers import name_of_pre_tokenizer, pre_tokenizer_from_name
from tooldrill.training.settings import ModelSettings


@pytest.fixture
def base(tiny: Path) -> BaseModel:
    return resolve(ModelSettings(path=str(tiny)))


@pytest.fixture
def tokenizer(base: BaseModel) -> Any:
    return load_tokenizer(base)


def test_every_row_has_its_token_and_type(tokenizer: Any, base: BaseModel) -> None:
    tokenizer.add_tokens([AddedToken("<note>", special=False, normalized=False)])
    rows = len(tokenizer) + 4
    vocabulary = read_vocabulary(tokenizer, rows, base)
    note = tokenizer.convert_tokens_to_ids("<note>")
    assert vocabulary.tokens == [
        *tokenizer.convert_ids_to_tokens(range(len(tokenizer))),
        *(f"[PAD{row}]" for row in range(rows - 4, rows)),
    ]
    assert vocabulary.types[:4] == [gguf.TokenType.CONTROL] * 3 + [gguf.TokenType.NORMAL]
    assert vocabulary.types[note] == gguf.TokenType.USER_DEFINED
    assert vocabulary.types[-4:] == [gguf.TokenType.UNUSED] * 4
    assert vocabulary.special == {"bos": 1, "eos": 2, "unk": 0, "pad": 2}
    assert vocabulary.pre == "smollm"


def test_merges_keep_their_rank(tokenizer: Any, base: BaseModel) -> None:
    merges = read_vocabulary(tokenizer, len(tokenizer), base).merges
    described = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    assert [merge.split(" ") for merge in merges] == [list(pair) for pair in described]
    assert len(merges) > 50


def test_a_tokenizer_that_begins_with_bos_says_so(tokenizer: Any, base: BaseModel) -> None:
    assert read_vocabulary(tokenizer, len(tokenizer), base).add_bos is False
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<|im_start|> $A", special_tokens=[("<|im_start|>", 1)]
    )
    assert read_vocabulary(tokenizer, len(tokenizer), base).add_bos is True


def test_more_tokens_than_rows_is_refused(tokenizer: Any, base: BaseModel) -> None:
    with pytest.raises(TooldrillError, match="but the model only 100 rows"):
        read_vocabulary(tokenizer, 100, base)


def test_an_unknown_cut_is_refused_with_the_known_ones(tokenizer: Any, base: BaseModel) -> None:
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\d{2}"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    with pytest.raises(TooldrillError, match="not known") as raised:
        read_vocabulary(tokenizer, len(tokenizer), base)
    assert "smollm" in raised.value.next_step


def test_a_tokenizer_that_is_not_bpe_is_refused(base: BaseModel) -> None:
    words = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel({"a": 0, "?": 1}, unk_token="?"))
    )
    with pytest.raises(UnsupportedError, match="neither byte-level BPE nor a SentencePiece"):
        read_vocabulary(words, 10, base)


TURNS = (
    "{%- for m in messages -%}{{ '<|' + m.role + '|>' + m.content + 'END' }}{%- endfor -%}"
    "{{ '<|assistant|>' if add_generation_prompt }}"
)


@pytest.mark.parametrize(
    ("template", "end"),
    [
        (TURNS.replace("END", "<|over|>"), "<|over|>"),
        (TURNS.replace("END", "<|im_end|>\\n"), "<|im_end|>"),
        (TURNS.replace("END", "<|said|><|over|>"), "<|over|>"),
        (TURNS.replace("END", "\\n\\n"), None),  # nothing ends a turn
        (TURNS.replace("END", "<over>"), None),  # plain text
        ("{{ messages[0].content }}", None),
        (None, None),
    ],
)
def test_what_ends_a_turn_is_its_own_token(
    template: str | None, end: str | None, tokenizer: Any, base: BaseModel, tmp_path: Path
) -> None:
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|over|>", "<|said|>"]})
    vocabulary = read_vocabulary(tokenizer, len(tokenizer), base, template)
    token = None if end is None else tokenizer.convert_tokens_to_ids(end)
    assert vocabulary.special.get("eot") == token
    if template is None:
        return
    path = tmp_path / "m.gguf"
    write_gguf(make_model(tokenizer), tokenizer, template, path, base=base, name="tiny")
    written = gguf.GGUFReader(path).fields.get("tokenizer.ggml.eot_token_id")
    assert (None if written is None else written.contents()) == token


@pytest.mark.parametrize(
    ("name", "whole_words"),
    [("smollm", False), ("gpt-2", False), ("llama-bpe", True), ("dbrx", False), ("qwen2", False),
     ("qwen35", False), ("tekken", True), ("gpt-4o", False)],
)  # fmt: skip
def test_a_cut_is_recognised_by_what_it_does(name: str, whole_words: bool) -> None:
    backend = Tokenizer(models.BPE(ignore_merges=whole_words))
    backend.pre_tokenizer = pre_tokenizer_from_name(name)
    assert name_of_pre_tokenizer(backend) == name


def test_no_cut_has_no_name() -> None:
    assert name_of_pre_tokenizer(Tokenizer(models.BPE())) is None


def stopping_at(tokenizer: Any, stops: list[int], path: Path) -> list[int]:
    """The tokens that end a reply in the file of a model with these stop tokens."""
    model = make_model(tokenizer)
    model.generation_config.eos_token_id = stops
    base = BaseModel("tiny", str(path.parent))
    write_gguf(model, tokenizer, TURNS.replace("END", "<|over|>"), path, base=base, name="tiny")
    with closing(GgufModel(path, vocabulary_only=True)) as loaded:
        return [row for row in range(loaded.vocabulary_size) if loaded.ends_reply(row)]


def test_llama_cpp_stops_where_the_model_does(tokenizer: Any, tmp_path: Path) -> None:
    extra = ["<|over|>", "<|also|>", "<|third|>"]
    tokenizer.add_special_tokens({"additional_special_tokens": extra})
    over, also, third = tokenizer.convert_tokens_to_ids(extra)
    known = [0, 2]  # <|endoftext|> and <|im_end|>, by their names
    path = tmp_path / "m.gguf"
    assert stopping_at(tokenizer, [2], path) == [*known, over]
    assert stopping_at(tokenizer, [2, over, 0, also, also, 99999], path) == [*known, over, also]
    with pytest.raises(UnsupportedError, match=r"2 tokens of its own .*also.*third") as raised:
        stopping_at(tokenizer, [2, also, third], path)
    assert "generation_config.json" in raised.value.next_step


def test_a_models_stop_tokens_are_found(tokenizer: Any) -> None:
    model = make_model(tokenizer)
    assert stop_tokens(model) == [2]
    model.generation_config = None
    assert stop_tokens(model) == [2]
    model.config.eos_token_id = None
    assert stop_tokens(model) == []


def test_a_prompt_is_never_ended_by_the_file(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<|im_start|> $A <|im_end|>", special_tokens=[("<|im_start|>", 1), ("<|im_end|>", 2)]
    )
    with closing(GgufModel(exported(tokenizer, tmp_path / "m.gguf"), vocabulary_only=True)) as file:
        read = llama_cpp.llama_vocab_get_add_eos(file.vocab), file.prompt_tokens("a")
    assert read == (False, [1, *tokenizer.encode("a", add_special_tokens=False)])


@pytest.mark.parametrize(
    ("name", "published", "problem"),
    [("phi-3-mini", "phi-3", None), ("my-base", "phi-3", "swallows the spaces after it"),
     ("Phi3-merged", "llama 3", "expects Phi 3's tokens"), ("phi-4", "phi 4 mini", None)],
)  # fmt: skip
def test_phi_3_is_known_by_its_name_as_llama_cpp_knows_it(
    name: str, published: str, problem: str | None, tmp_path: Path
) -> None:
    tokenizer = own_tokenizer(str(save_published(published, tmp_path)))
    if problem is None:
        read_vocabulary(tokenizer, len(tokenizer), BaseModel(name, "."))
        return
    with pytest.raises(UnsupportedError, match=problem):
        read_vocabulary(tokenizer, len(tokenizer), BaseModel(name, "."))


def exported(tokenizer: Any, path: Path) -> Path:
    base = BaseModel("tiny", str(path.parent))
    write_gguf(make_model(tokenizer), tokenizer, "x", path, base=base, name="tiny")
    return path


@pytest.mark.parametrize("prefix", [True, False], ids=["as llama 2", "as gemma"])
def test_a_sentencepiece_vocabulary_gives_the_same_tokens(prefix: bool, tmp_path: Path) -> None:
    tokenizer = make_sentencepiece(prefix=prefix)
    vocabulary = read_vocabulary(tokenizer, len(tokenizer), BaseModel("tiny", "."))
    assert (vocabulary.model, vocabulary.space_prefix) == ("llama", prefix)
    kinds = dict(zip(vocabulary.tokens, vocabulary.types, strict=True))
    assert kinds["<unk>"] == gguf.TokenType.UNKNOWN
    assert kinds["<s>"] == gguf.TokenType.CONTROL
    assert {kinds[byte] for byte in BYTES} == {gguf.TokenType.BYTE}
    assert {kinds[newlines] for newlines in NEWLINES} == {gguf.TokenType.USER_DEFINED}
    merged = [score for score in vocabulary.scores if score != NEVER]
    assert sorted(merged, reverse=True) == merged == [-float(i) for i in range(len(merged))]
    checked = check_tokens(tokenizer, exported(tokenizer, tmp_path / "m.gguf"))
    assert checked.tokens > 5000


def test_an_ordinary_token_does_not_end_replies_by_its_looks(tmp_path: Path) -> None:
    plain = make_tokenizer()
    described = json.loads(plain.backend_tokenizer.to_str())
    described["model"]["vocab"]["</s>"] = row = len(plain)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(described)),
        bos_token="<|im_start|>", eos_token="<|im_end|>", pad_token="<|im_end|>",
    )  # fmt: skip
    assert row not in tokenizer.encode("</s>")
    assert read_vocabulary(tokenizer, row + 1, BaseModel("x", ".")).tokens[row] != "</s>"
    check_tokens(tokenizer, exported(tokenizer, tmp_path / "m.gguf"), ["a</s>b"])
