"""Whether a GGUF cuts text into the same tokens as the tokenizer of the training.

On texts that are made to find differences (`awkward`) and on the user's own samples. Which tokens a
model *should* read is `training.own_tokenizer`'s question.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

from tooldrill.agent.engines.gguf_model import GgufModel
from tooldrill.agent.errors import TooldrillError
from tooldrill.export.awkward import awkward_texts
from tooldrill.export.records import TokenCheck

OWN_WORDS = 200  # of either kind: a few milliseconds


def check_tokens(
    tokenizer: Any, path: Path, texts: Sequence[str] = (), awkward: int = 1000
) -> TokenCheck:
    """Token ids from transformers and from llama.cpp must be equal.

    Args:
        texts: of the user's own, before the awkward ones.
        awkward: how many of those: a thousand take about half a second.

    Raises:
        TooldrillError: at the first text with different ids.
    """
    model = GgufModel(path, vocabulary_only=True)
    try:
        specials = sorted(token.content for token in tokenizer.added_tokens_decoder.values())
        comparable = _comparable(tokenizer)
        drawn = [*_own_words(tokenizer), *awkward_texts(specials, awkward)]
        tried = [text for text in [*texts, *drawn] if comparable(text)]
        total = 0
        for text in tried:
            expected = tokenizer.encode(text, add_special_tokens=False)
            given = model.tokenize(text)
            if expected != given:
                raise _different_tokens(tokenizer, text, expected, given)
            total += len(expected)
        return TokenCheck(texts=len(tried), tokens=total)
    finally:
        model.close()


def _own_words(tokenizer: Any) -> list[str]:
    """Texts of the vocabulary's own tokens, first of those that no merge makes.

    Whether a word that is a token is that token, whatever the merges say, shows at these only.
    """
    backend = tokenizer.backend_tokenizer
    described = json.loads(backend.to_str())["model"]
    merges = described.get("merges") or []
    made = {m.replace(" ", "", 1) if isinstance(m, str) else "".join(m) for m in merges}
    tokens = sorted(set(described["vocab"]) - set(tokenizer.added_tokens_encoder))
    unmade = [token for token in tokens if len(token) > 1 and token not in made]
    draw = random.Random(0)
    chosen = [t for each in (unmade, tokens) for t in draw.sample(each, min(len(each), OWN_WORDS))]
    written = [backend.decoder.decode([token]) for token in chosen] if backend.decoder else []
    return [text for text in written if text and "\ufffd" not in text]


def _comparable(tokenizer: Any) -> Callable[[str], bool]:
    """Which texts both can be asked about.

    Some vocabularies lack tokens for a few bytes (SmolLM2: control characters), which both then
    leave out, but at different moments. And spaces that a token swallows after it are any of
    Unicode's to transformers and ASCII's to llama.cpp.
    """
    backend = tokenizer.backend_tokenizer
    missing: set[str] = set()
    if isinstance(backend.model, BPE) and not backend.model.byte_fallback:
        missing = set(ByteLevel.alphabet()) - set(tokenizer.get_vocab())
    written = ByteLevel(add_prefix_space=False, use_regex=False)
    swallowing = [t.content for t in tokenizer.added_tokens_decoder.values() if t.rstrip]
    ends = "|".join(map(re.escape, swallowing))
    odd = re.compile(rf"(?:{ends})[ \t-\r]*[^\S \t-\r]") if swallowing else None

    def comparable(text: str) -> bool:
        if odd is not None and odd.search(text):
            return False
        if not missing:
            return True
        return not any(missing & set(piece) for piece, _ in written.pre_tokenize_str(text))

    return comparable


def _different_tokens(
    tokenizer: Any, text: str, expected: Sequence[int], given: Sequence[int]
) -> TooldrillError:
    pairs = zip(expected, given, strict=False)
    at = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(expected), len(given)))
    shown = [show(tokenizer, ids[at]) if at < len(ids) else "its end" for ids in (expected, given)]
    return TooldrillError(
        f"token {at} of {text[:60]!r} is {shown[0]} in training and {shown[1]} in llama.cpp",
        "the pre-tokenizer's name is wrong for this model: report it with the model's name",
    )


def show(tokenizer: Any, token: int) -> str:
    """A token as messages name it."""
    return f"{token} ({tokenizer.convert_ids_to_tokens(int(token))!r})"
