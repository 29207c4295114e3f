"""What the export stage reports: its files, and how near each is to the trained model.

Plain data, written to `export.json` and `verify.json`; nothing heavy is imported here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tooldrill.export.settings import Quantization

# Who wrote the F16 file.
Converter = Literal["tooldrill", "llama.cpp"]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Fallback(_Record):
    """Tensors that did not get a type of their quantization, as K-quants need rows of 256.

    Attributes:
        type: the GGML type they got; tensors: how many; share: of all the file's weights.
        names: kinds of tensor, such as `attn_q`.
    """

    type: str
    tensors: int
    share: float
    names: list[str]


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


class TokenCheck(_Record):
    """Texts whose token ids were equal, and the tokens in them."""

    texts: int
    tokens: int


class LogitCheck(_Record):
    """One GGUF against the merged model, on the same positions.

    Attributes:
        mean_kl: of the next-token distribution, merged model to GGUF, in nats.
        max_difference: largest absolute difference of a logit.
        top1: share of positions with the same most likely token.
        near_ties: share where it differs, but the merged model's logits of both are nearly equal.
        worst_text, worst_position: where the divergence is largest.
    """

    quantization: Quantization
    positions: int
    mean_kl: float
    max_difference: float
    top1: float
    near_ties: float
    worst_text: int
    worst_position: int


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
    """What `verify.json` holds; `failure` says why the gate was not passed."""

    tokens: TokenCheck | None = None
    logits: list[LogitCheck] = Field(default_factory=list)
    greedy: GreedyCheck | None = None
    seconds: float = 0.0
    failure: str | None = None


class ExportSummary(_Record):
    """What `export.json` holds.

    Attributes:
        name: the model's name, first part of the file names.
        folder: where the files lie.
        converter: who wrote the F16 file.
        seconds: by step.
    """

    name: str
    base: str
    adapter: str | None
    folder: str
    converter: Converter = "tooldrill"
    files: list[GgufFile]
    verification: Verification
    seconds: dict[str, float]

    def path(self, quantization: Quantization) -> Path:
        """The file of a quantization.

        Raises:
            KeyError: when it was not made.
        """
        files = {file.quantization: file.file for file in self.files}
        return Path(self.folder) / files[quantization]
