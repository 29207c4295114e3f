"""Little tokenizers with the marks of the families that the bundled templates are made for."""

from __future__ import annotations

from typing import Any

from tiny_llama import make_tokenizer
from tokenizers.processors import TemplateProcessing

# The family's marks, and whether its tokenizer puts <bos> before every text.
FAMILIES = {
    "tooldrill-chatml": (["<|im_start|>", "<|im_end|>"], False),
    "tooldrill-gemma": (["<start_of_turn>", "<end_of_turn>"], True),
    "tooldrill-llama3": (["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"], True),
    "tooldrill-phi": (["<|system|>", "<|user|>", "<|assistant|>", "<|end|>"], False),
}


def tokenizer_of(family: str) -> Any:
    """The tokenizer of a family, its last mark being what ends a turn."""
    marks, opens = FAMILIES[family]
    # Llama 3 keeps line breaks in one piece; GPT-2's cut does not, where text follows them.
    return tokenizer_with(marks, opens, "llama-bpe" if family == "tooldrill-llama3" else "smollm")


def tokenizer_with(marks: list[str], opens: bool, cut: str = "smollm") -> Any:
    """A tokenizer that has the marks as tokens; `opens`: it puts <bos> before every text."""
    tokenizer = make_tokenizer(cut)
    tokenizer.add_special_tokens(
        {"bos_token": "<bos>", "eos_token": "<eos>", "additional_special_tokens": marks}
    )
    if opens:
        tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
            single="<bos> $A", special_tokens=[("<bos>", tokenizer.bos_token_id)]
        )
    return tokenizer
