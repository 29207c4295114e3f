"""A tokenizer as GGUF stores it: tokens, their types, merges or scores, special ids.

Byte-level BPE is llama.cpp's `gpt2` tokenizer model; its `llama` model is in `sentencepiece`. That
both then cut text alike is proven by `verify`, not assumed here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import gguf

from tooldrill.agent.engines.gguf_header import read_gguf_header
from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.render import ChatTemplate
from tooldrill.agent.turns import reply_end
from tooldrill.export.lookalikes import ENDS, renamed_lookalikes
from tooldrill.export.sentencepiece import (
    SPACE,
    adds_prefix,
    is_sentencepiece,
    scores,
    token_type,
)
from tooldrill.export.unsupported import UnsupportedError
from tooldrill.training.find_base import BaseModel
from tooldrill.training.pretokenizers import KNOWN, name_of_pre_tokenizer

BYTE_LEVEL = "gpt2"
SENTENCEPIECE = "llama"


@dataclass(frozen=True)
class Vocabulary:
    """What a GGUF says about its tokenizer.

    Attributes:
        model: llama.cpp's name for the algorithm.
        pre: llama.cpp's name for how text is cut before merging.
        tokens, types: one per row of the embeddings; rows without a token are UNUSED.
        merges: in order of rank, the two parts separated by a space; byte-level BPE's.
        scores: of every token; SentencePiece's.
        special: ids by role (bos, eos, eot, eom, unk, pad), those that there are; eot ends a turn,
            eom is another token that ends replies.
    """

    model: str
    pre: str
    tokens: list[str]
    types: list[gguf.TokenType]
    merges: list[str]
    special: dict[str, int]
    add_bos: bool
    scores: list[float] = field(default_factory=list)
    space_prefix: bool = False


def read_vocabulary(
    tokenizer: Any,
    rows: int,
    base: BaseModel,
    template: str | None = None,
    stops: Sequence[int] = (),
) -> Vocabulary:
    """The vocabulary of a transformers tokenizer.

    Args:
        tokenizer: a fast tokenizer.
        rows: rows of the model's embeddings.
        base: a GGUF base says itself how it cuts text.
        template: the chat template, which tells what ends a turn.
        stops: further tokens that end the model's replies.

    Raises:
        UnsupportedError: when it is of another kind, its cut has no name of llama.cpp's, or its
            tokens swallow spaces or end replies as llama.cpp's cannot.
        TooldrillError: when it has more tokens than the model.
    """
    description = json.loads(tokenizer.backend_tokenizer.to_str())
    model = description["model"]
    pieces = is_sentencepiece(description)
    if not pieces and (model["type"] != "BPE" or model.get("byte_fallback")):
        raise UnsupportedError(
            f"the tokenizer of {base.name} is neither byte-level BPE nor a SentencePiece that"
            f" llama.cpp knows ({model['type']})",
            "use a base with another tokenizer (SmolLM2, Llama 3, Qwen, Gemma, ...)",
        )
    tokens, types = _tokens(model["vocab"], description["added_tokens"], rows, base)
    renamed = renamed_lookalikes(tokenizer)
    tokens = [renamed.get(text, text) for text in tokens]
    special = {
        role: token
        for role in ("bos", "eos", "unk", "pad")
        if (token := getattr(tokenizer, f"{role}_token_id")) is not None
    }
    end = _end_of_turn(tokenizer, template) if template is not None else None
    if end is not None:
        special["eot"] = end
    special |= _other_ends(special, stops, tokens, base)
    add_bos = "bos" in special and tokenizer("a")["input_ids"][0] == special["bos"]
    _check_swallowing(tokenizer, base)
    if pieces:
        types = [token_type(t, k, model["unk_token"]) for t, k in zip(tokens, types, strict=True)]
        return Vocabulary(
            SENTENCEPIECE, "default", tokens, types, [], special, add_bos,
            scores(tokens, model["merges"]), adds_prefix(description),
        )  # fmt: skip
    merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    pre = _pre_tokenizer_name(tokenizer, base)
    return Vocabulary(BYTE_LEVEL, pre, tokens, types, merges, special, add_bos)


def stop_tokens(model: Any) -> list[int]:
    """The tokens at which a transformers model ends its replies."""
    generation = getattr(model, "generation_config", None)
    stops = getattr(generation, "eos_token_id", None)
    if stops is None:
        stops = getattr(model.config.get_text_config(), "eos_token_id", None)
    if stops is None:
        return []
    return list(stops) if isinstance(stops, list | tuple) else [int(stops)]


def write_vocabulary(writer: gguf.GGUFWriter, vocabulary: Vocabulary) -> None:
    """Adds the tokenizer's fields to a file being written."""
    writer.add_tokenizer_model(vocabulary.model)
    writer.add_tokenizer_pre(vocabulary.pre)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.types)
    if vocabulary.scores:
        writer.add_token_scores(vocabulary.scores)
    else:
        writer.add_token_merges(vocabulary.merges)
    add = {
        "bos": writer.add_bos_token_id,
        "eos": writer.add_eos_token_id,
        "eot": writer.add_eot_token_id,
        "eom": writer.add_eom_token_id,
        "unk": writer.add_unk_token_id,
        "pad": writer.add_pad_token_id,
    }
    for role, token in vocabulary.special.items():
        add[role](token)
    writer.add_add_bos_token(vocabulary.add_bos)
    writer.add_add_eos_token(False)  # a prompt is no finished text, whatever the tokenizer adds
    writer.add_add_space_prefix(vocabulary.space_prefix)


def _end_of_turn(tokenizer: Any, template: str) -> int | None:
    """The token that ends a reply: the last special one of what the template writes after it.

    Without it llama.cpp ends a reply at the tokens whose names it knows, and goes on at all others.
    """
    marks = [getattr(tokenizer, f"{role}_token") or "" for role in ("bos", "eos")]
    ending = reply_end(ChatTemplate(template, *marks), *marks)
    if not ending:
        return None
    tokens = tokenizer(ending, add_special_tokens=False)["input_ids"]
    added = tokenizer.added_tokens_decoder
    return tokens[-1] if tokens[-1] in added and added[tokens[-1]].special else None


def _other_ends(
    special: dict[str, int], stops: Sequence[int], tokens: Sequence[str], base: BaseModel
) -> dict[str, int]:
    """Roles for the stop tokens that llama.cpp does not know by their text."""
    named = {special.get("eos"), special.get("eot")}
    unknown = [
        stop for stop in dict.fromkeys(stops)
        if stop < len(tokens) and stop not in named and tokens[stop] not in ENDS
    ]  # fmt: skip
    free = [role for role in ("eot", "eom") if role not in special]
    if len(unknown) > len(free):
        raise UnsupportedError(
            f"{base.name} ends its replies at {len(unknown)} tokens of its own"
            f" ({', '.join(tokens[stop] for stop in unknown)}), and GGUF can name {len(free)}",
            "take the needless ones out of eos_token_id in its generation_config.json",
        )
    return dict(zip(free[::-1], unknown, strict=False))


def _check_swallowing(tokenizer: Any, base: BaseModel) -> None:
    """Spaces after Phi 3's tokens are no tokens: llama.cpp does so by the name of the model."""
    named = any(name in base.name.lower() for name in ("phi-3", "phi3"))
    added = tokenizer.added_tokens_decoder.values()
    swallowing = [token.content for token in added if token.rstrip]
    if swallowing and not named:
        raise UnsupportedError(
            f"{swallowing[0]} swallows the spaces after it, which llama.cpp does for models that"
            " are named phi-3 only",
            f"give the folder of {base.name} a name with phi-3 in it",
        )
    if named and not {"</s>", "<unk>", "<s>", "<|endoftext|>"} <= tokenizer.get_vocab().keys():
        raise UnsupportedError(
            f"llama.cpp expects Phi 3's tokens of a model that is named {base.name}",
            "give its folder a name without phi-3 in it",
        )


def _tokens(
    vocab: dict[str, int], added: list[dict[str, Any]], rows: int, base: BaseModel
) -> tuple[list[str], list[gguf.TokenType]]:
    known = {number: (text, gguf.TokenType.NORMAL) for text, number in vocab.items()}
    for token in added:
        known[token["id"]] = (token["content"], _type_of_added(token))
    if max(known) >= rows:
        raise TooldrillError(
            f"the tokenizer of {base.name} has token {max(known)} but the model only {rows} rows",
            "use the tokenizer that came with the model, or resize its embeddings",
        )
    entries = [known.get(row, (f"[PAD{row}]", gguf.TokenType.UNUSED)) for row in range(rows)]
    return [text for text, _ in entries], [kind for _, kind in entries]


def _type_of_added(token: dict[str, Any]) -> gguf.TokenType:
    """A user-defined token is found in the raw text, so none that is written with other spaces."""
    if token["special"]:
        return gguf.TokenType.CONTROL
    marked = token["normalized"] and SPACE in token["content"]
    return gguf.TokenType.NORMAL if marked else gguf.TokenType.USER_DEFINED


def _pre_tokenizer_name(tokenizer: Any, base: BaseModel) -> str:
    if base.gguf_path:
        named = read_gguf_header(base.gguf_path).metadata.get("tokenizer.ggml.pre")
        if named:
            return str(named)
    name = name_of_pre_tokenizer(tokenizer.backend_tokenizer)
    if name is None:
        raise UnsupportedError(
            f"llama.cpp's name for the pre-tokenizer of {base.name} is not known",
            f"known cuts: {', '.join(KNOWN)}; start from a GGUF of this model, which names its own",
        )
    return name
