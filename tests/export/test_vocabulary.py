"""The tokenizer's fields: ids, types, merges, the name of the cut."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import pytest
from tokenizers import AddedToken, Regex, Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from tooldrill.agent.errors import TooldrillError
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
    with pytest.raises(TooldrillError, match="not byte-level BPE"):
        read_vocabulary(words, 10, base)


@pytest.mark.parametrize("name", ["smollm", "gpt-2", "llama-bpe", "qwen2"])
def test_a_cut_is_recognised_by_what_it_does(name: str) -> None:
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizer_from_name(name)
    assert name_of_pre_tokenizer(backend) == name


def test_no_cut_has_no_name() -> None:
    assert name_of_pre_tokenizer(Tokenizer(models.BPE())) is None
