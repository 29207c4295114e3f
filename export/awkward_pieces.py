"""Pieces of text that tokenizers are known to cut differently, drawn at random.

A writer aims at one source of disagreement: marks that combine, numerals that are not 0-9, runs of
spaces, contractions, quotes and brackets of code. `awkward` puts their pieces together.
"""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable
from typing import Any

Writer = Callable[[random.Random], str]

# First and last code point of letters (and marks) of a script that Unicode has had for long.
SCRIPTS: dict[str, tuple[int, int]] = {
    "latin": (0x61, 0x7A), "capitals": (0x41, 0x5A), "latin 1": (0xC0, 0xD6),
    "latin extended": (0x100, 0x17F), "vietnamese": (0x1EA0, 0x1EF9), "phonetic": (0x250, 0x2AF),
    "greek": (0x3B1, 0x3C9), "greek capitals": (0x391, 0x3A1), "old greek": (0x1F00, 0x1F15),
    "cyrillic": (0x410, 0x44F), "armenian": (0x561, 0x586), "hebrew": (0x5D0, 0x5EA),
    "hebrew points": (0x5B0, 0x5BD), "arabic": (0x621, 0x63A), "arabic points": (0x64B, 0x652),
    "syriac": (0x712, 0x72F), "thaana": (0x780, 0x7B0), "devanagari": (0x904, 0x94D),
    "bengali": (0x995, 0x9A8), "gurmukhi": (0xA15, 0xA28), "gujarati": (0xA95, 0xAA8),
    "tamil": (0xBAE, 0xBB9), "telugu": (0xC15, 0xC28), "kannada": (0xC95, 0xCA8),
    "malayalam": (0xD15, 0xD28), "sinhala": (0xD9A, 0xDB1), "thai": (0xE01, 0xE3A),
    "thai marks": (0xE40, 0xE4E), "lao": (0xE94, 0xE97), "tibetan": (0xF40, 0xF47),
    "burmese": (0x1000, 0x1021), "georgian": (0x10D0, 0x10F0), "ethiopic": (0x1200, 0x1248),
    "cherokee": (0x13A0, 0x13F4), "khmer": (0x1780, 0x17B3), "mongolian": (0x1820, 0x1842),
    "hiragana": (0x3041, 0x3096), "katakana": (0x30A1, 0x30FA), "half width": (0xFF66, 0xFF9D),
    "full width": (0xFF21, 0xFF5A), "bopomofo": (0x3105, 0x312D), "han": (0x4E00, 0x9FA5),
    "rare han": (0x20000, 0x2A6D6), "hangul": (0xAC00, 0xD7A3), "jamo": (0x1100, 0x1112),
    "vowel jamo": (0x1161, 0x1175), "final jamo": (0x11A8, 0x11C2), "gothic": (0x10330, 0x1034A),
    "mathematical": (0x1D400, 0x1D454), "ligatures": (0xFB00, 0xFB06),
}  # fmt: skip
DIGITS = {
    "ascii": 0x30, "arabic": 0x660, "persian": 0x6F0, "devanagari": 0x966, "thai": 0xE50,
    "full width": 0xFF10, "mathematical": 0x1D7CE,
}  # fmt: skip
NUMERALS = ["½", "Ⅷ", "²", "₃", "①", "㊀", "三", "৴", "𐄇", "1️⃣", "٪"]
SPACES = [" ", "\n", "\t", "\r\n", "\r", "\u00a0", "\u3000", "\u2009", "\u2028", "\u0085", "\v"]
MARKS = [0x300, 0x301, 0x303, 0x308, 0x30A, 0x323, 0x327, 0x328, 0x338, 0x345, 0x20DD, 0x3099]
EMOJI = [
    "🙂", "👩‍👩‍👧‍👦", "👩🏽‍💻", "🇫🇷", "🇫🇷🇩🇪🇫", "👍🏿", "❤️", "❤", "🏳️‍🌈",
    "🏴\U000e0067\U000e0062\U000e007f", "🧑🏻‍🤝‍🧑🏿",
    "☎️", "⌚", "▶️", "🀄", "🫠",
]  # fmt: skip
UNSEEN = [
    "\u200b", "\u200c", "\u200d", "\u200e", "\u202e", "\u2066", "\u2069", "\u2060", "\ufeff",
    "\u00ad", "\u034f", "\ufe0f", "\ufffc", "\ufffd", "\ue000", "\U000f0000", "\U000e0001",
]  # fmt: skip
CONTROLS = [chr(code) for code in (*range(1, 9), *range(14, 32), 127, *range(0x80, 0x85))]
SIGNS: list[str] = [*string.punctuation, *"…—–«»“”‘’¿¡§¶†‡•°±×÷€£¥₹™©®→≠≤∑√∞、。「」・！？（）،؛؟"]  # noqa: RUF001
ENDINGS = ["s", "t", "re", "ve", "m", "ll", "d", "S", "T", "RE", "Ve", "LL", "D", "a", "em", "tis"]
CODE = [
    "def {0}({1}: int = 0) -> str:\n    return f'{{{1}:>8}}'  # {2}\n",
    "for (int {0} = 0; {0} < {1}.size(); ++{0}) {{\n\t{1}[{0}] <<= 2; // {2}\n}}\n",
    "if (a&&b||!{0}) {{ return {1}?.{2} ?? `${{{0}}}`; }}",
    "SELECT {0}, count(*) FROM {1} WHERE {2}<>'x''y' GROUP BY 1; -- {0}\n",
    "<div class=\"{0} {1}\" data-{2}='1'>&nbsp;&#39;</div>\n<!-- {0} -->",
    "fn {0}<'a>({1}: &'a [u8]) -> Option<&'a str> {{ {2}::from({1}).ok()? }}\n",
    "#include <{0}.h>\n#define {1}(x) ((x)->{2} ? *x : ~0u)\r\n",
    "./{0}.sh --{1}=2 2>&1 | grep -E '^[a-z]+$' && echo \"$({2})\" > /dev/null",
    "C:\\Users\\{0}\\{1} (1).{2}",
    "func ({0} *T) {1}() (err error) {{\n\tdefer func() {{ {2} <- 1 }}()\n}}",
    "- {0}\n  - {1}: [1, 2]\n  - &a {2}: |\n      text\n\n",
    "| {0} | {1} |\n|---|:-:|\n| **{2}** | `x` |\n",
    "\\begin{{{0}}} $\\frac{{1}}{{2}}^{{{1}}}_{2}$ \\end{{{0}}}",
    "{0}={1}==!{2}!=<=>=->=>::...",
    "@{0}.{1}\nclass {2}(Base, metaclass=M):\n    '''Doc.'''\n\n\n    x = lambda *a, **k: None\n",
    "(defun {0} ({1}) (let ((x '({2} . nil))) `(,@x ,{1})))",
]


def word(draw: random.Random) -> str:
    """Letters of one script, one to twelve."""
    first, last = SCRIPTS[draw.choice(list(SCRIPTS))]
    return "".join(chr(draw.randint(first, last)) for _ in range(draw.randint(1, 12)))


def name(draw: random.Random) -> str:
    """An identifier of code, in one of the usual cases."""
    parts = [
        "".join(draw.choices(string.ascii_lowercase, k=draw.randint(1, 7)))
        for _ in range(draw.randint(1, 3))
    ]
    joined = ["_".join(parts), "".join(p.title() for p in parts), "-".join(parts), "".join(parts)]
    return draw.choice([*joined, joined[0].upper()]) + draw.choice(["", "", "2", "_", "XL"])


def marked(draw: random.Random) -> str:
    """Letters under combining marks, alone and stacked."""
    letters = draw.choices("aeioucnszAEO가がи", k=draw.randint(1, 6))
    return "".join(
        letter + "".join(chr(c) for c in draw.choices(MARKS, k=draw.randint(0, 3)))
        for letter in letters
    )


def contraction(draw: random.Random) -> str:
    """A word, an apostrophe of some kind and what may follow it."""
    stem = draw.choice(["don", "I", "WE", "they", "o", "", "it", "x1", "École", "she", "Y'all"])
    return stem + draw.choice(["'", "\u2019", "`", "''", " '"]) + draw.choice(ENDINGS)


def spaces(draw: random.Random) -> str:
    """A run of one kind of space, or of several."""
    if draw.random() < 0.6:
        return draw.choice(SPACES) * draw.choice([1, 1, 2, 3, 4, 5, 8, 16, 31, 64, 130])
    return "".join(draw.choices(SPACES[:5], k=draw.randint(2, 9)))


def number(draw: random.Random) -> str:
    """Digits of some script, grouped or not."""
    zero = DIGITS[draw.choice(["ascii", "ascii", "ascii", *DIGITS])]
    runs = ["".join(chr(zero + draw.randint(0, 9)) for _ in range(draw.choice([1, 2, 3, 3, 4, 7])))
            for _ in range(draw.randint(1, 4))]  # fmt: skip
    return draw.choice(["", "-", "+", "$", "0x", "#", " "]) + draw.choice(
        [",", ".", "_", " ", "'", "-", "/", ":", "e", ""]
    ).join(runs)


def digits(draw: random.Random) -> str:
    """A long run of digits, or a numeral of another kind."""
    run = "".join(draw.choices(string.digits, k=draw.choice([5, 9, 20, 61])))
    return draw.choice([run, draw.choice(NUMERALS), draw.choice("09") * draw.choice([6, 40])])


def code(draw: random.Random) -> str:
    """Some lines of a programming or markup language."""
    return draw.choice(CODE).format(name(draw), name(draw), draw.choice([name, word])(draw))


def json_text(draw: random.Random) -> str:
    """A value, or a call with it, compact, spaced or indented."""
    value = _value(draw, depth=3)
    ascii_only, indent = draw.random() < 0.5, draw.choice([None, None, 1, 2, 4])
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    call = json.dumps({"name": name(draw), "arguments": {name(draw): value}}, ensure_ascii=False)
    thought = json.dumps({"thought": contraction(draw), "action": name(draw), "args": value})
    tagged = f"<tool_call>\n{call}\n</tool_call>"
    return draw.choice(
        [text, call, tagged, thought, text.replace(" ", ""), text.replace(",", " ,")]
    )


def address(draw: random.Random) -> str:
    """Addresses, hashes, dates: long strings without a space."""
    raw = draw.randbytes(draw.choice([3, 16, 40]))
    a, b = name(draw), name(draw)
    return draw.choice([
        f"https://{a}.example.org:8080/{b}/%7E{a}?q={b}&n=10#:~:text={a}",
        f"{a}@{b}.co.uk", f"file:///{a}/./../{b}.tar.gz", base64.b64encode(raw).decode(),
        raw.hex(), "2024-02-29T23:59:60.000Z", "+49 (0)30 1234-567", f"{a}://{b}", "::1/128",
        "192.168.0.255", f"git@{a}:{b}.git", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    ])  # fmt: skip


def sign(draw: random.Random) -> str:
    """One sign, maybe repeated."""
    times = draw.choice([1, 1, 1, 2, 3, 7, 30])
    return draw.choice(SIGNS) * times


def mixed_signs(draw: random.Random) -> str:
    """Several signs in a row."""
    return "".join(draw.choices(SIGNS, k=draw.randint(2, 8)))


def emoji(draw: random.Random) -> str:
    """Pictures, most of several characters."""
    return "".join(draw.choices(EMOJI, k=draw.choice([1, 1, 2, 5])))


def unseen(draw: random.Random) -> str:
    """What shows nothing: joiners, direction marks, controls, private characters."""
    return "".join(draw.choices([*UNSEEN, *CONTROLS], k=draw.choice([1, 1, 2])))


WRITERS: list[Writer] = [
    word, word, name, marked, contraction, spaces, number, digits, code, json_text, address,
    sign, mixed_signs, emoji, unseen,
]  # fmt: skip


def _value(draw: random.Random, depth: int) -> Any:
    kinds = 8 if depth else 6
    match draw.randrange(kinds):
        case 0:
            return draw.choice([None, True, False, "", 0, -1, 1e-7, 3.5, 10**12])
        case 1:
            return draw.randint(-1000, 10**6)
        case 2 | 3:
            return draw.choice([word, name, code, contraction, marked])(draw)
        case 4:
            return draw.choice(
                ['say "x"', "a\\b\\n", "\t\u0001/", "</s><|im_end|>", "{}", "é\u2028"]
            )
        case 5:
            return draw.choice([emoji, address, number])(draw)
        case 6:
            return [_value(draw, depth - 1) for _ in range(draw.randint(0, 4))]
        case _:
            return {name(draw): _value(draw, depth - 1) for _ in range(draw.randint(0, 3))}
