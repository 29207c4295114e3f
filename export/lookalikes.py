"""Ordinary tokens whose text llama.cpp takes for an end of reply, whatever their type says.

llama.cpp makes control tokens of them when it loads a file. Qwen's vocabulary, for one, holds a
`</s>` that its tokenizer never makes of a text; llama.cpp would, and would end the reply there.
"""

from __future__ import annotations

from typing import Any

import gguf

# As of llama.cpp's llama-vocab.cpp, 2026.
_ENDS = frozenset({
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>",
    "<end_of_turn>", "<|endoftext|>", "</s>", "<|eom_id|>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]",
    "<|end_of_text|>", "<end_of_utterance>", "<eos>", "<turn|>", "<|tool_response>",
    "<\uff5cend\u2581of\u2581sentence\uff5c>", "[e~[",
})  # fmt: skip


def without_lookalikes(tokenizer: Any, tokens: list[str], types: list[gguf.TokenType]) -> list[str]:
    """The tokens, with other texts for those that no text becomes and that look like an end."""
    return [
        f"[UNREACHABLE{row}]"
        if text in _ENDS
        and kind is gguf.TokenType.NORMAL
        and tokenizer.encode(text, add_special_tokens=False) != [row]
        else text
        for row, (text, kind) in enumerate(zip(tokens, types, strict=True))
    ]
