"""What the export stage reports: its files, and how near each is to the trained model.

Plain data, written to `export.json` and `verify.json`; nothing heavy is imported here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tooldrill.export.settings import AdapterType, MergeInto, Quantization

# Who wrote the F16 file.
Converter = Literal["tooldrill", "llama.cpp"]
SampleOrigin = Literal["held-out worlds", "file", "neutral"]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Fallback(_Record):
    """Tensors that did not get a type of their quantization, as K-quants need rows of 256.

    Attributes:
        type: the GGML type they got; tensors: how many; share: of all the file's weights.
        names: kinds of tensor, such as `attn_q`.
        reason: why, such as `rows of 576 are no multiple of 256`.
    """

    type: str
    tensors: int
    share: float
    names: list[str]
    reason: str = ""


class GgufFile(_Record):
    """A GGUF file that was made.

    Attributes:
        bits_per_weight: of the tensors' data, metadata not counted.
        types: weights by GGML type.
    """

    quantization: Quantization
    file: str
    bytes: int
    sha256: str
    parameters: int
    bits_per_weight: float
    types: dict[str, int]
    fallbacks: list[Fallback] = Field(default_factory=list)

    @property
    def told(self) -> str:
        """Its size in one line: megabytes, bits per weight, and what fell back and why."""
        size = f"{self.bytes / 1e6:,.0f} MB, {self.bits_per_weight:.2f} bits per weight"
        if not self.fallbacks:
            return size
        kinds = " and ".join(
            f"{one.tensors} tensor{'s' if one.tensors > 1 else ''} in {one.type}"
            for one in self.fallbacks
        )
        reasons = ", ".join(dict.fromkeys(one.reason for one in self.fallbacks if one.reason))
        return f"{size}; {kinds}: {reasons}" if reasons else f"{size}; {kinds}"


class TokenCheck(_Record):
    """Texts whose token ids were equal, and the tokens in them."""

    texts: int
    tokens: int


class Delta(_Record):
    """What one link of the chain changes: the same positions of the same texts, before and after.

    Attributes:
        positions: after how many tokens the two were compared.
        mean_kl: of the next-token distribution, before to after, in nats.
        max_difference: largest absolute difference of a logit.
        top1: share of positions with the same most likely token.
        near_ties: share where it differs, but before the link the logits of both are nearly equal.
        worst_text, worst_position: where the divergence is largest, counted from 0; the position is
            that of the token after which it is measured.
        learned: how many of the positions are followed by a token that training learns (of neutral
            text: all).
        perplexity_before, perplexity: on those tokens; None where there are none.
    """

    positions: int
    mean_kl: float
    max_difference: float
    top1: float
    near_ties: float
    worst_text: int
    worst_position: int
    learned: int = 0
    perplexity_before: float | None = None
    perplexity: float | None = None


class LogitCheck(Delta):
    """One GGUF against the merged model."""

    quantization: Quantization


class QuantizedBase(_Record):
    """What it changes that the adapter learned over four bits and is merged into whole weights.

    Attributes:
        merged_into: the base that the exported model is made of.
        difference: from the model as it was trained, over dequantized weights, to the adapter over
            the original ones.
        unmeasured: why there is no difference to tell, and how to measure it.
    """

    merged_into: MergeInto
    difference: Delta | None = None
    unmeasured: str | None = None


class MergeCheck(_Record):
    """From the base with the adapter beside it, as PEFT computes it, to the merged weights.

    Attributes:
        delta: None without an adapter.
        quantized_base: where the adapter was trained over four bits.
    """

    delta: Delta | None = None
    quantized_base: QuantizedBase | None = None


class TensorCheck(_Record):
    """The F16 file's tensors against those of the merged model, bit for bit.

    Attributes:
        tensors: how many are equal.
        differing: the first that is not, or that is missing; off_by: its largest difference.
    """

    tensors: int
    differing: str | None = None
    off_by: float | None = None


class SampleFacts(_Record):
    """What was compared on.

    Attributes:
        origin: `held-out worlds` (drawn for the purpose), `file`, or `neutral` text.
        learned: positions that are followed by a learned token.
    """

    origin: SampleOrigin
    texts: int
    tokens: int
    positions: int
    learned: int


class GreedyCheck(_Record):
    """Greedy continuations, merged model against the F16 file.

    Attributes:
        equal: continuations that were token for token the same.
        near_ties: those that parted where the merged model's two best logits were nearly equal.
    """

    prompts: int
    tokens: int
    equal: int
    near_ties: int


class Verification(_Record):
    """What `verify.json` holds: the chain from the adapter to each file, link by link.

    Attributes:
        samples: the texts.
        merge: adapter to merged weights.
        tokens: token ids of transformers and of llama.cpp.
        tensors: merged weights to F16 file; None where llama.cpp's script wrote it.
        logits: merged model to each file.
        greedy: merged model to F16, writing by itself.
        failure: why the gate was not passed: the link, the text and its token, the tensor.
    """

    samples: SampleFacts | None = None
    merge: MergeCheck | None = None
    tokens: TokenCheck | None = None
    tensors: TensorCheck | None = None
    logits: list[LogitCheck] = Field(default_factory=list)
    greedy: GreedyCheck | None = None
    seconds: float = 0.0
    failure: str | None = None


class AdapterCheck(_Record):
    """From PEFT over the base in fp32 to llama.cpp with the base's F16 file and `--lora`."""

    logits: Delta
    greedy: GreedyCheck


class AdapterFile(_Record):
    """The adapter as a GGUF file for llama.cpp's `--lora`.

    Attributes:
        tensors: of the base that it adds to.
        ranks: how many of them by rank.
        scales: how many by what B A is multiplied with, as PEFT does.
        alpha: the only one that llama.cpp knows; it multiplies with alpha / rank.
        folded: how many had the rest of their scale multiplied into B.
        subtracted: the initialisation (PiSSA, OLoRA) that was taken back, which doubles the ranks.
        check: None where it was loaded, but not compared, as `unchecked` says.
    """

    file: str
    bytes: int
    sha256: str
    type: AdapterType
    tensors: int
    ranks: dict[int, int]
    scales: dict[float, int]
    alpha: float
    folded: int
    subtracted: str | None = None
    check: AdapterCheck | None = None
    unchecked: str | None = None


class ExportSummary(_Record):
    """What `export.json` holds.

    Attributes:
        name: the model's name, first part of the file names.
        folder: where the files lie.
        converter: who wrote the F16 file.
        adapter_gguf: the adapter's own file.
        no_adapter_gguf: why it has none.
        made_from: what decided the files' contents, as hashes; checked_with: how they were checked.
            An export of the same is not made again.
        seconds: by step.
    """

    name: str
    base: str
    adapter: str | None
    folder: str
    converter: Converter = "tooldrill"
    files: list[GgufFile]
    adapter_gguf: AdapterFile | None = None
    no_adapter_gguf: str | None = None
    verification: Verification
    made_from: dict[str, str] = Field(default_factory=dict)
    checked_with: dict[str, str] = Field(default_factory=dict)
    seconds: dict[str, float]

    def path(self, quantization: Quantization) -> Path:
        """The file of a quantization.

        Raises:
            KeyError: when it was not made.
        """
        files = {file.quantization: file.file for file in self.files}
        return Path(self.folder) / files[quantization]
