"""The tokenizer's fields: ids, types, merges, the name of the cut."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import pytest
from tiny_llama import make_model, make_tokenizer
from tiny_sentencepiece import BYTES, NEWLINES, make_sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from tooldrill.agent.errors import TooldrillError
from tooldrill.export.gguf_writer import write_gguf
from tooldrill.export.sentencepiece import NEVER
from tooldrill.export.unsupported import UnsupportedError
from tooldrill.export.verify import check_tokens
from tooldrill.export.vocabulary import read_vocabulary
from tooldrill.training.base_model import load_tokenizer
from tooldrill.training.find_base import BaseModel, resolve
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


@pytest.mark.parametrize("name", ["smollm", "gpt-2", "llama-bpe", "qwen2", "qwen35"])
def test_a_cut_is_recognised_by_what_it_does(name: str) -> None:
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizer_from_name(name)
    assert name_of_pre_tokenizer(backend) == name


def test_no_cut_has_no_name() -> None:
    assert name_of_pre_tokenizer(Tokenizer(models.BPE())) is None


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


def test_a_tokenizer_that_composes_is_compared_on_composed_text(tmp_path: Path) -> None:
    tokenizer = make_tokenizer("qwen35")
    path = exported(tokenizer, tmp_path / "m.gguf")
    check_tokens(tokenizer, path, ["e\u0301"])
    tokenizer.backend_tokenizer.normalizer = normalizers.NFC()
    assert tokenizer.encode("e\u0301") == tokenizer.encode("\u00e9")
    check_tokens(tokenizer, path, ["e\u0301"])
    tokenizer.backend_tokenizer.normalizer = normalizers.NFD()
    with pytest.raises(TooldrillError, match="in training and"):
        check_tokens(tokenizer, path, ["\u00e9"])


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
