"""Texts on which two tokenizers are likely to disagree, for comparing them.

A few are fixed: what once was cut differently. The rest is drawn (`awkward_pieces`), the same every
time: pieces alone, pieces in a row, and the tokenizer's own special tokens whole, glued to text and
cut short.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import islice

from tooldrill.export.awkward_pieces import WRITERS, contraction, name, spaces, word

FIXED = [
    "  12", "x  12\n", " \n 3", "\n\n\n\n", "\r\n\r\n", "a \n b", "\t\t\n", "  \n  x", "0", "007",
    "1234567", "3.14", "-4.5e-10", "1,000,000", "½", "٣٤", "Don't", "I'LL", "we'Ve", "naïve",
    "Straße", "ÉCOLE", "écoleÉcole", "iPhoneЖЫв", "日本語", "한국어", "हिन्दी", "'\u017f I'\u017f",
    "ไทยเขียนติดกัน", "עִבְרִית", "👩‍👩‍👧‍👦", "<0x0A>",
    "e\u0301", "\u1112\u1161\u11ab", "ﬁne", "Ǆ", "ªº", "a\x00b", "\ufeffx", "\u2028",
    "\u2581x \u2581", "\u0120a", "\u010a", " ", "  ", "    ", "\u00a0", "\u3000",
]  # fmt: skip
# Text that begins or looks like a special token of some model.
LOOKALIKES = [
    "<|im_start", "|im_end|>", "<| im_end |>", "<|im_end|", "<s>", "</s>", "< /s>", "[INST]",
    "[/INST]", "[TOOL_CALLS]", "<tool_call", "<tool_call>", "</tool_call>", "<|eot_id|>", "<eos>",
    "<|endoftext|>", "<end_of_turn>", "<unk>", "<pad>", "<think>", "<|assistant|>", "[PAD0]",
    "<unused0>", "<|python_tag|>", "<start_of_turn>user", "<|", "|>", "<||>", "[UNUSED_TOKEN_1]",
]  # fmt: skip


def awkward_texts(special_tokens: Sequence[str], count: int = 1000) -> list[str]:
    """`count` distinct texts, the same every time; the more, the rarer what they hold.

    Args:
        special_tokens: the tokenizer's own, each of which must be read as one token.
    """
    return list(islice(_distinct(_texts(list(special_tokens))), count))


def _distinct(texts: Iterator[str]) -> Iterator[str]:
    seen: set[str] = set()
    for text in texts:
        if text not in seen:
            seen.add(text)
            yield text


def _texts(specials: list[str]) -> Iterator[str]:
    yield from FIXED
    yield from LOOKALIKES
    draw = random.Random(0)
    # A vocabulary may have hundreds of reserved tokens: some of them, and all of the named few.
    for token in specials if len(specials) <= 40 else draw.sample(specials, 40):
        yield from (token, f" {token}", f"{token} ", f"a {token}b", f"{token}\n\n{token}{token}")
    while True:
        yield draw.choice(WRITERS)(draw)
        yield _row(draw)
        yield _around(draw, draw.choice(specials or LOOKALIKES))


def _row(draw: random.Random) -> str:
    """Pieces one after the other, with a space, another or none between."""
    between = ["", "", " ", " ", "\n", spaces(draw)]
    pieces = [draw.choice(WRITERS)(draw) for _ in range(draw.randint(2, 5))]
    return "".join(piece + draw.choice(between) for piece in pieces)


def _around(draw: random.Random, token: str) -> str:
    """A special token beside text, and what is nearly one."""
    before, after = draw.choice([word, name, spaces, contraction])(draw), draw.choice(WRITERS)(draw)
    cut = draw.randint(1, max(len(token) - 1, 1))
    nearly = [token[:cut], token[cut:], token.upper(), token.replace("_", " "), token[::-1]]
    middle = draw.choice([token, token, draw.choice(nearly), draw.choice(LOOKALIKES)])
    return draw.choice([
        before + middle + after, middle + after, before + middle, f"{before} {middle} {after}",
        f"{middle}{middle}{after}", f"{before}\n{middle}\n{after}",
    ])  # fmt: skip
