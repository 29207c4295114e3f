"""Ordinary tokens whose text llama.cpp takes for an end of reply, whatever their type says.

llama.cpp makes control tokens of them when it loads a file. Qwen's vocabulary, for one, holds a
`</s>` that its tokenizer never makes of a text; llama.cpp would, and would end the reply there. So
such tokens get another text, in the files written here as in what llama.cpp's script is given.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

# What llama.cpp ends replies at, as of its llama-vocab.cpp of 2026.
ENDS = frozenset({
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>",
    "<end_of_turn>", "<|endoftext|>", "</s>", "<|eom_id|>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]",
    "<|end_of_text|>", "<end_of_utterance>", "<eos>", "<turn|>", "<|tool_response>",
    "<\uff5cend\u2581of\u2581sentence\uff5c>", "[e~[",
})  # fmt: skip


def renamed_lookalikes(tokenizer: Any) -> dict[str, str]:
    """Other texts for the tokens that no text becomes and that look like an end."""
    vocabulary = tokenizer.get_vocab()
    return {
        text: f"[UNREACHABLE{vocabulary[text]}]"
        for text in sorted(ENDS & vocabulary.keys() - tokenizer.added_tokens_encoder.keys())
        if tokenizer.encode(text, add_special_tokens=False) != [vocabulary[text]]
    }


def rename_in_file(tokenizer: Any, path: Path) -> None:
    """Gives them those texts in a `tokenizer.json`."""
    renamed = renamed_lookalikes(tokenizer)
    if not renamed:
        return
    described = json.loads(path.read_text("utf-8"))
    model = described["model"]
    model["vocab"] = {renamed.get(text, text): row for text, row in model["vocab"].items()}
    model["merges"] = [
        merge for merge in model["merges"]
        if not renamed.keys() & {*(merge if isinstance(merge, list) else merge.split(" ")),
                                 "".join(merge).replace(" ", "")}
    ]  # fmt: skip
    path.write_text(json.dumps(described, ensure_ascii=False), "utf-8")
