"""A tiny tokenizer of SentencePiece's kind: Llama 2's with a space put before, Gemma's without."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tiny_llama import TEXT
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, trainers
from transformers import PreTrainedTokenizerFast

SPECIAL = ["<unk>", "<s>", "</s>"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
NEWLINES = ["\n\n", "\n\n\n"]


def make_sentencepiece(
    *, prefix: bool, vocabulary: int = 300, newlines: Sequence[str] = NEWLINES
) -> PreTrainedTokenizerFast:
    steps = [normalizers.Prepend("\u2581")] * prefix + [normalizers.Replace(" ", "\u2581")]
    learned = Tokenizer(models.BPE())
    learned.normalizer = normalizers.Sequence(steps)
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, max_token_length=12, show_progress=False)
    learned.train_from_iterator(TEXT, trainer)
    model = json.loads(learned.to_str())["model"]
    tokens = [*SPECIAL, *BYTES, *sorted(model["vocab"], key=model["vocab"].get)]
    merges = [tuple(merge) for merge in model["merges"]]
    vocab = {token: row for row, token in enumerate(tokens)}
    backend = Tokenizer(
        models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    )
    backend.normalizer = normalizers.Sequence(steps) if prefix else steps[0]
    backend.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    backend.add_special_tokens(SPECIAL)
    backend.add_tokens([AddedToken(token, normalized=False) for token in newlines])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, unk_token="<unk>", bos_token="<s>", eos_token="</s>",
        pad_token="</s>",
    )  # fmt: skip
