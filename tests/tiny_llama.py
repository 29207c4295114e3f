"""A tiny llama with a real byte-level BPE tokenizer, for tests of training and export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tooldrill.training.pretokenizers import pre_tokenizer_from_name

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEXT = [
    'def append_file(path, content):\n    return {"path": path, "ok": True}\n',
    "The quick brown fox jumps over 13 lazy dogs, doesn't it?  Yes: it does.\n\n" * 3,
    '<tool_call>{"name": "read_file", "arguments": {"path": "a.txt", "line": 10}}</tool_call>',
    "Größe, naïve, 日本語, русский, 🙂 and more words to merge: reading writing reading writing",
]


def make_tokenizer(cut: str = "smollm", vocabulary: int = 400) -> PreTrainedTokenizerFast:
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizer_from_name(cut)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=SPECIAL,
        initial_alphabet=list(pre_tokenizer_from_name("gpt-2").alphabet()),
        show_progress=False,
    )
    backend.train_from_iterator(TEXT, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token=SPECIAL[1],
        eos_token=SPECIAL[2],
        unk_token=SPECIAL[0],
        pad_token=SPECIAL[2],
    )


def make_model(tokenizer: PreTrainedTokenizerFast, **config: Any) -> LlamaForCausalLM:
    torch.manual_seed(0)
    settings: dict[str, Any] = {
        "vocab_size": len(tokenizer) + 5,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "rope_parameters": {"rope_type": "default", "rope_theta": 5000.0},
        "tie_word_embeddings": True,
        "initializer_range": 0.15,  # wide, so that attention is far from uniform
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    model = LlamaForCausalLM(LlamaConfig(**{**settings, **config})).eval()
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if name.endswith(("norm.weight", ".bias")):
                weights.add_(torch.randn_like(weights) * 0.2)
    return model


def save_tiny(folder: Path, cut: str = "smollm", **config: Any) -> Path:
    """Saves a tiny model with the given config values and returns its folder."""
    tokenizer = make_tokenizer(cut)
    make_model(tokenizer, **config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
