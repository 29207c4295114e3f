"""Tokenizers with the steps, marks and flags that the families publish, over a small vocabulary.

What a hub folder holds is written as such a folder holds it, so that the way in is tested too. The
merges are learned over whole texts: they cross every cut, so that no wrong cut goes unnoticed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tiny_llama import TEXT
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, trainers
from tokenizers.pre_tokenizers import ByteLevel, Digits, Metaspace, Split
from tokenizers.pre_tokenizers import Sequence as Steps
from tokenizers.processors import TemplateProcessing

from tooldrill.export.awkward import awkward_texts

SPACE = "\u2581"
ENDINGS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = rf"{ENDINGS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}|{REST}"
QWEN2 = rf"{ENDINGS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}|{REST}"
QWEN35 = (
    rf"{ENDINGS}|[^\r\n\p{{L}}\p{{N}}]?[\p{{L}}\p{{M}}]+|\p{{N}}"
    r"| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CASED = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+END"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*END"
    r"|\p{N}NUM| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
TEKKEN = CASED.replace("END", "").replace("NUM", "")
O200K = CASED.replace("END", f"{ENDINGS}?").replace("NUM", "{1,3}")
# No merge makes them: found only where a whole word may be a token.
WHOLE_WORDS = ["xylophone", "\u0120xylophone", "\u0120\u0142\u0142"]


@dataclass(frozen=True)
class Published:
    """One family's tokenizer.

    Attributes:
        kind, own_class: `model_type` of the model, class in `tokenizer_config.json`.
        cut: a pattern, or a step; None for SentencePiece.
        special, plain: added tokens; those in `swallowing` take the spaces after them.
        whole_words: `ignore_merges`.
        normalizer: by name; of SentencePiece also where its prefix comes from.
        pre: what llama.cpp calls the cut.
    """

    kind: str
    pre: str
    cut: Any
    special: Sequence[str]
    eos: str
    plain: Sequence[str] = ()
    bos: str | None = None
    pad: str | None = None
    opens: bool = False
    normalizer: str | None = None
    whole_words: bool = False
    own_class: str = "PreTrainedTokenizerFast"
    swallowing: Sequence[str] = ()


_DIGITS = "digits"
_LLAMA2 = ["<unk>", "<s>", "</s>"]
_MISTRAL = [
    *_LLAMA2, "[INST]", "[/INST]", "[TOOL_CALLS]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]",
    "[TOOL_RESULTS]", "[/TOOL_RESULTS]",
]  # fmt: skip
_CHATML = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
_QWEN = [*_CHATML, "<|object_ref_start|>", "<|vision_start|>", "<|image_pad|>"]
_QWEN_PLAIN = [
    "<tool_call>", "</tool_call>", "<|fim_prefix|>", "<|fim_pad|>", "<|repo_name|>",
    "<|file_sep|>", "<tool_response>", "</tool_response>", "<think>", "</think>",
]  # fmt: skip
_GRANITE = ["<|end_of_text|>", "<|start_of_role|>", "<|end_of_role|>", "<|tool_call|>"]
_LLAMA3 = [
    "<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>",
    "<|finetune_right_pad_id|>", "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>",
    "<|eot_id|>", "<|python_tag|>",
]  # fmt: skip
_PHI = ["<|assistant|>", "<|user|>", "<|system|>", "<|end|>", "<|placeholder1|>"]
_GEMMA_PLAIN = [
    "<unused0>", "<unused1>", "\n\n", "\n\n\n", "\n\n\n\n", SPACE * 2, SPACE * 3, SPACE * 4,
    "<table>", "</h1>", "\t\t",
]  # fmt: skip

FAMILIES: dict[str, Published] = {
    "smollm2": Published(
        "llama", "smollm", _DIGITS, [*_CHATML, "<repo_name>", "<reponame>", "<file_sep>"],
        "<|im_end|>", bos="<|im_start|>", pad="<|im_end|>", own_class="GPT2Tokenizer",
    ),
    "llama 3": Published(
        "llama", "llama-bpe", LLAMA3, _LLAMA3, "<|eot_id|>", bos="<|begin_of_text|>", opens=True,
        pad="<|finetune_right_pad_id|>", whole_words=True,
    ),
    "qwen 2": Published(
        "qwen2", "qwen2", QWEN2, _CHATML, "<|im_end|>", pad="<|endoftext|>", normalizer="NFC",
        own_class="Qwen2Tokenizer",
    ),
    "qwen 3": Published(
        "qwen3", "qwen2", QWEN2, _QWEN, "<|im_end|>", _QWEN_PLAIN, pad="<|endoftext|>",
        normalizer="NFC", own_class="Qwen2Tokenizer",
    ),
    "qwen 3.5": Published(
        "qwen3_5_text", "qwen35", QWEN35, _QWEN, "<|im_end|>", _QWEN_PLAIN, pad="<|endoftext|>",
        normalizer="NFC", own_class="Qwen2Tokenizer",
    ),
    "mistral v1": Published(
        "mistral", "default", None, _LLAMA2, "</s>", bos="<s>", opens=True, normalizer="always",
        own_class="LlamaTokenizer",
    ),
    "mistral v3": Published(
        "mistral", "default", None, _MISTRAL, "</s>", bos="<s>", opens=True, normalizer="first",
        own_class="LlamaTokenizer",
    ),
    "mistral tekken": Published(
        "mistral", "tekken", TEKKEN, _MISTRAL, "</s>", bos="<s>", opens=True, whole_words=True,
    ),
    "llama 2": Published(
        "llama", "default", None, _LLAMA2, "</s>", bos="<s>", opens=True, normalizer="always",
        own_class="LlamaTokenizer",
    ),
    "gemma 3": Published(
        "gemma3_text", "default", None,
        ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"],
        "<eos>", _GEMMA_PLAIN, bos="<bos>", pad="<pad>", opens=True, normalizer="never",
        own_class="GemmaTokenizer",
    ),
    "lfm2": Published(
        "lfm2", "llama-bpe", LLAMA3,
        ["<|pad|>", "<|startoftext|>", *_CHATML, "<|tool_list_start|>", "<|tool_list_end|>",
         "<|tool_call_start|>", "<|tool_call_end|>", "<|reserved_7|>"],
        "<|im_end|>", bos="<|startoftext|>", pad="<|pad|>", opens=True, whole_words=True,
    ),
    "granite 3": Published(
        "granite", "smollm", _DIGITS, [*_GRANITE, "<fim_prefix>", "<reponame>"],
        "<|end_of_text|>", bos="<|end_of_text|>", pad="<|end_of_text|>", own_class="GPT2Tokenizer",
    ),
    "granite 4": Published(
        "granitemoehybrid", "dbrx", LLAMA3, [*_GRANITE, "<|pad|>"], "<|end_of_text|>",
        ["<tool_call>", "</tool_call>"], bos="<|end_of_text|>", pad="<|pad|>",
        own_class="GPT2Tokenizer",
    ),
    "smollm3": Published(
        "smollm3", "llama-bpe", LLAMA3, [*_LLAMA3, "<|im_start|>", "<|im_end|>"], "<|im_end|>",
        ["<think>", "</think>", "<tool_call>", "</tool_call>"], pad="<|im_end|>",
        whole_words=True,
    ),
    "phi-3": Published(
        "phi3", "default", None, [*_LLAMA2[:2], "<|endoftext|>", *_PHI], "<|endoftext|>", ["</s>"],
        bos="<s>", pad="<|endoftext|>", normalizer="always", own_class="LlamaTokenizer",
        swallowing=["</s>", *_PHI],
    ),
    "phi 4 mini": Published(
        "phi3", "gpt-4o", O200K, ["<|endoftext|>", *_PHI[:4], "<|tool|>", "<|/tool|>"],
        "<|endoftext|>", bos="<|endoftext|>", pad="<|endoftext|>", own_class="GPT2Tokenizer",
    ),
}  # fmt: skip


def save_published(family: str, folder: Path) -> Path:
    """Writes `folder/NAME` as the family's model folder, tokenizer and configs only."""
    one = FAMILIES[family]
    folder = folder / family.replace(" ", "-")
    folder.mkdir(parents=True)
    backend = _bytes(one) if one.cut is not None else _pieces(one)
    backend.add_tokens([
        AddedToken(t, normalized=False, special=t in one.special, rstrip=t in one.swallowing)
        for t in [*one.special, *one.plain]
    ])  # fmt: skip
    if one.opens and one.bos:
        backend.post_processor = TemplateProcessing(
            single=f"{one.bos} $A", special_tokens=[(one.bos, backend.token_to_id(one.bos))]
        )
    backend.save(str(folder / "tokenizer.json"))
    unknown = "<unk>" if "<unk>" in one.special else None
    names = {"bos_token": one.bos, "eos_token": one.eos, "pad_token": one.pad, "unk_token": unknown}
    config = {"tokenizer_class": one.own_class, **{k: v for k, v in names.items() if v}}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "config.json").write_text(json.dumps({"model_type": one.kind}))
    return folder


def _bytes(one: Published) -> Tokenizer:
    vocab, merges = _learned(pieces=False)
    vocab = vocab | {word: len(vocab) + row for row, word in enumerate(WHOLE_WORDS)}
    backend = Tokenizer(models.BPE(vocab, merges, ignore_merges=one.whole_words))
    if one.cut == _DIGITS:
        steps = [Digits(individual_digits=True), ByteLevel(add_prefix_space=False)]
    else:
        # Both ways of writing the same cut are published.
        behavior = ("removed", True) if one.pre == "gpt-4o" else ("isolated", False)
        steps = [
            Split(Regex(one.cut), *behavior), ByteLevel(add_prefix_space=False, use_regex=False),
        ]  # fmt: skip
    backend.pre_tokenizer = Steps(steps)
    backend.normalizer = normalizers.NFC() if one.normalizer == "NFC" else None
    backend.decoder = decoders.ByteLevel()
    return backend


def _pieces(one: Published) -> Tokenizer:
    vocab, merges = _learned(pieces=True)
    first = [*one.special, *(f"<0x{byte:02X}>" for byte in range(256))]
    # A family with runs of spaces as added tokens has merges that make them, too.
    runs = [token for token in one.plain if set(token) == {SPACE}]
    merges = [(SPACE, SPACE), (SPACE * 2, SPACE), (SPACE * 2, SPACE * 2)][: len(runs)] + [
        pair for pair in merges if "".join(pair) not in runs
    ]
    tokens = dict.fromkeys([*first, *runs, *vocab])
    vocab = {token: row for row, token in enumerate(tokens)}
    backend = Tokenizer(
        models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    )
    spaces = normalizers.Replace(" ", SPACE)
    if one.normalizer == "always":
        backend.normalizer = normalizers.Sequence([normalizers.Prepend(SPACE), spaces])
    elif one.normalizer == "first":
        backend.pre_tokenizer = Metaspace(SPACE, prepend_scheme="first", split=False)
    else:
        backend.normalizer = spaces
        backend.pre_tokenizer = Split(" ", "merged_with_previous")
    steps = [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse()]
    backend.decoder = decoders.Sequence(steps)
    return backend


@cache
def _learned(*, pieces: bool) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Vocabulary, in order of its rows, and merges over texts that are not cut."""
    learned = Tokenizer(models.BPE())
    if pieces:
        learned.normalizer = normalizers.Replace(" ", SPACE)
    else:
        learned.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=False)
    trainer = trainers.BpeTrainer(
        vocab_size=1200, max_token_length=10, show_progress=False, limit_alphabet=500,
        initial_alphabet=[] if pieces else ByteLevel.alphabet(),
    )  # fmt: skip
    # No part of a special token is learned as a token of its own.
    texts = [re.sub(r"[<\[]", "", text) for text in [*TEXT, *awkward_texts([], 1500)]]
    learned.train_from_iterator(texts, trainer)
    model = json.loads(learned.to_str())["model"]
    rows = sorted(model["vocab"], key=model["vocab"].get)
    return {token: row for row, token in enumerate(rows)}, [tuple(m) for m in model["merges"]]
