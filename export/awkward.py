"""Texts on which two tokenizers are likely to disagree, for comparing them.

Each list aims at one known source of disagreement: spaces before digits, runs of blank lines,
contractions, marks that combine, numerals that are not 0-9, text that looks like a special token.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

_SPACES = ["", " ", "  ", "   ", "\t", "\n", "\n\n", "\r\n", " \n ", "\t\t\n", "    ", "\u00a0"]
_DIGITS = [
    "0",
    "7",
    "12",
    "007",
    "2024",
    "1234567",
    "3.14",
    "-4.5e-10",
    "1,000",
    "٣٤",
    "½",
    "Ⅷ",
    "²",
]
_WORDS = [
    "hello", "Don't", "I'LL", "we've", "naïve", "Straße", "ÉCOLE", "file_name", "camelCase",
    "日本語", "한국어", "русский", "العربية", "हिन्दी", "ไทย", "עברית", "Ελληνικά", "ﬁne", "e\u0301",
]  # fmt: skip
_SIGNS = [
    "…",
    "—",
    "«»",
    "¿?",
    "!!!",
    "://",
    "\\n",
    "\\",
    "''",
    '"',
    "`",
    "#!",
    "@",
    "%20",
    "$",
    "€",
]
_EMOJI = ["🙂", "👩‍👩‍👧‍👦", "🇫🇷", "👍🏽", "❤️", "1️⃣", "🏴\U000e0067\U000e0062\U000e007f"]
_INVISIBLE = ["\u200b", "\u200d", "\ufeff", "\u00ad", "\u2028", "\u3000", "\x00a", "\x7f", "\ufffd"]
_CODE = [
    "def f(x: int = 0) -> str:\n    return f'{x:>8}'\n",
    "if (a&&b||!c) {\n\treturn a[i]++ << 2;\n}",
    "SELECT * FROM t WHERE a<>'b' -- c\n",
    '<div class="x">&nbsp;&#39;</div>',
    "C:\\Users\\x\\file (1).txt",
    "./run.sh --flag=1 2>&1 | grep -E '^[a-z]+$'",
    "0x1F 0b101 1_000 1e-5 .5 5.",
    "\tindented\n\t\ttwice\n  mixed \t \n",
    "a=b==c!=d<=e>=f->g=>h::i",
    "- item\n* item\n1. item\n\n| a | b |\n|---|---|\n",
]
_JSON = [
    '{"name": "append_file", "arguments": {"path": "a.txt", "content": "x\\n\\"y\\""}}',
    '{"a":[1,2.5,-3,null,true,false,""],"b":{"c":"\\u00e9"}}',
    '<tool_call>{"name": "grep_search", "arguments": {"pattern": "^\\\\s*$"}}</tool_call>',
    '{"thought": "it\'s done", "conclusion": "2 of 10 files"}',
    '[{"x": 1}, {"x":  2},\n {"x":\t3}]',
]
_LOOKALIKES = [
    "<|im_start",
    "|im_end|>",
    "<| im_end |>",
    "<s>",
    "</s>",
    "[INST]",
    "<tool_call",
    "<0x0A>",
]


def awkward_texts(special_tokens: Sequence[str], count: int = 360) -> list[str]:
    """At least `count` texts: every piece, the special tokens in context, and mixtures.

    The same every time. A tokenizer's own special tokens must be read as one token each.
    """
    pieces = [
        *_DIGITS, *_WORDS, *_SIGNS, *_EMOJI, *_INVISIBLE, *_CODE, *_JSON, *_LOOKALIKES,
    ]  # fmt: skip
    texts = [*_SPACES[1:], *pieces]
    texts += [space + digit for space in _SPACES for digit in _DIGITS[:4]]
    for token in special_tokens:
        texts += [token, f" {token}", f"{token}\n", f"a {token} b", f"{token}{token}"]
    draw = random.Random(0)
    mixed = [*pieces, *special_tokens]
    while len(texts) < count or len(texts) % 60:
        chosen = draw.choices(mixed, k=draw.randint(2, 8))
        texts.append("".join(draw.choice(_SPACES) + piece for piece in chosen))
    return texts
