"""A model's own tokenizer, reading text as llama.cpp will read it.

Two things stand between: transformers 5 builds the tokenizers of some classes from their vocabulary
alone (SmolLM2's `GPT2Tokenizer` no longer cuts digits apart), so `tokenizer.json` is read as it is;
and llama.cpp lacks a few steps that a tokenizer may have (it composes no characters, for one). What
it lacks is left out of training too, so that a model is trained on the tokens that it will get.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from tokenizers import normalizers
from tokenizers.models import BPE
from transformers import AutoTokenizer, PreTrainedTokenizerFast
from transformers.utils import cached_file

from tooldrill.training.pretokenizers import CUTS, name_of_pre_tokenizer

SPACE = "\u2581"
_FILE = "tokenizer.json"
_STEPS = "steps_as_published"


def own_tokenizer(folder: str, *, trust_remote_code: bool = False) -> Any:
    """The tokenizer of a local folder or hub name.

    Raises:
        OSError, ValueError: as transformers does for what is missing, damaged or out of reach.
    """
    own = cached_file(
        folder,
        _FILE,
        _raise_exceptions_for_gated_repo=False,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
    )
    kind = PreTrainedTokenizerFast if own else AutoTokenizer
    return as_llama_cpp_reads(kind.from_pretrained(folder, trust_remote_code=trust_remote_code))


def as_llama_cpp_reads(tokenizer: Any, cut: str | None = None) -> Any:
    """The tokenizer itself, without the steps that llama.cpp does not have.

    What this exporter does not know stays as it is; the export then says what it does not know.

    Args:
        cut: llama.cpp's name for the cut, where the model's GGUF says it.
    """
    backend = tokenizer.backend_tokenizer
    model = backend.model
    if not isinstance(model, BPE):
        return tokenizer
    setattr(tokenizer, _STEPS, (backend.normalizer, backend.pre_tokenizer, model.ignore_merges))
    if model.byte_fallback:
        _without_metaspace(backend)
        return tokenizer
    known = CUTS.get(cut or name_of_pre_tokenizer(backend) or "")
    if known is not None:
        backend.pre_tokenizer = known.make()
        model.ignore_merges = known.whole_words
        if isinstance(backend.normalizer, normalizers.NFC):
            backend.normalizer = None
    return tokenizer


def as_published(tokenizer: Any) -> Any:
    """A copy with the steps back that `as_llama_cpp_reads` took, for others to recognise it by."""
    copied = copy.deepcopy(tokenizer)
    steps = getattr(copied, _STEPS, None)
    if steps is not None:
        backend = copied.backend_tokenizer
        backend.normalizer, backend.pre_tokenizer, backend.model.ignore_merges = steps
    return copied


def _without_metaspace(backend: Any) -> None:
    """Marks spaces in a normalizer instead, as Llama 2 was published and llama.cpp does.

    Of the three schemes llama.cpp has `always` and `never`. `first` puts a space before a text that
    does not begin with a special token; conversations do, so that it is `never` to them.
    """
    if backend.normalizer is not None or backend.pre_tokenizer is None:
        return
    step = json.loads(backend.pre_tokenizer.__getstate__())
    if (step["type"], step.get("replacement"), step.get("split")) != ("Metaspace", SPACE, False):
        return
    spaces = normalizers.Replace(" ", SPACE)
    always = step["prepend_scheme"] == "always"
    backend.pre_tokenizer = None
    backend.normalizer = (
        normalizers.Sequence([normalizers.Prepend(SPACE), spaces]) if always else spaces
    )
