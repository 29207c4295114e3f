"""From dataset rows to token ids and labels.

A row is rendered by the chat template in a protocol, cut into learned and unlearned segments by
`tooldrill.data.sets.segments`, and each segment is tokenized on its own, as the loop does,
which tokenizes the prompt and then generates. Nothing is truncated: an example that is too long is
refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tooldrill.agent.errors import TooldrillError
from tooldrill.agent.protocols.base import CallProtocol
from tooldrill.agent.protocols.native import Native
from tooldrill.agent.render import ChatTemplate
from tooldrill.data.corrupt.damage import is_expressible
from tooldrill.data.sets.segments import Segment, renderings, segments, side_row

Side = Literal["chosen", "rejected"]

IGNORED = -100  # the label of a token that is not learned (PyTorch's convention)


@dataclass(frozen=True)
class Row:
    """One sequence of n tokens.

    Attributes:
        input_ids: token ids.
        labels: the token id where it is learned, else -100.
        weights: how often the token's loss counts.
    """

    input_ids: list[int]
    labels: list[int]
    weights: list[float]


@dataclass(frozen=True)
class Example:
    """One SFT example: a sequence, or one for each learned turn (see `renderings`).

    Attributes:
        id: the trace and the protocol.
    """

    id: str
    sequences: list[Row]

    @property
    def rows(self) -> list[list[int]]:
        """The token ids."""
        return [sequence.input_ids for sequence in self.sequences]

    @property
    def learned(self) -> int:
        """How many tokens carry loss."""
        return sum(label != IGNORED for row in self.sequences for label in row.labels)


@dataclass(frozen=True)
class Preference:
    """One DPO pair; the chosen and the rejected reply follow the same prompt."""

    id: str
    violation: str
    prompt_ids: list[int]
    chosen_ids: list[int]
    rejected_ids: list[int]

    @property
    def rows(self) -> list[list[int]]:
        """The token ids of both sides."""
        return [self.prompt_ids + self.chosen_ids, self.prompt_ids + self.rejected_ids]


def spoken(
    rows: Iterable[dict[str, Any]], protocols: Sequence[CallProtocol]
) -> tuple[list[tuple[dict[str, Any], CallProtocol]], list[str]]:
    """Every row with every protocol that can tell it, and a sentence on what was left out.

    A dialect without types cannot tell some wrong types from right ones (see `faithful`).

    Raises:
        TooldrillError: when nothing is left, or a template puts marks around answers: a wrong reply
            would be shown as an answer that no model writes.
    """
    for protocol in protocols:
        if isinstance(protocol, Native) and protocol.dialect.frame.answer[0]:
            raise TooldrillError(
                f"answers of the dialect {protocol.dialect.name} have marks of their own, which "
                "training does not write",
                "set model.chat_template to `tooldrill`",
            )
    pairs = [(row, protocol) for row in rows for protocol in protocols]
    told = [(row, protocol) for row, protocol in pairs if is_expressible(row, protocol)]
    left_out = len(pairs) - len(told)
    note = f"left out: {left_out} of {len(pairs)} rows whose breach the call's dialect cannot show"
    if not told:
        raise TooldrillError(
            f"nothing to learn from: the call's dialect can show none of {len(pairs)} breaches",
            "give more pairs (data.pairs), or set model.chat_template to `tooldrill`",
        )
    return told, [note] if left_out else []


class Encoder:
    """Turns rows into token ids.

    Args:
        tokenizer: a Transformers tokenizer.
        template: the chat template used everywhere in the run.
        max_length: longest sequence, in tokens.
    """

    def __init__(self, tokenizer: Any, template: ChatTemplate, max_length: int) -> None:
        self._tokenizer = tokenizer
        self._template = template
        self._max_length = max_length
        # What the tokenizer puts before every text (BOS or nothing).
        added = tokenizer.added_tokens_decoder.items()
        self._stops = set(tokenizer.all_special_ids) | {i for i, token in added if token.special}
        self._opening: list[int] = tokenizer("")["input_ids"][:1]

    def example(self, row: dict[str, Any], protocol: CallProtocol) -> Example:
        """One SFT row in one protocol.

        Raises:
            TooldrillError: when nothing is learned, a learned turn does not end in a stop token, or
                it is longer than `max_length`.
        """
        name = f"{row['trace_id']}/{protocol.name}"
        found = renderings(row, self._template, protocol)
        sequences = [self._row(name, pieces) for pieces in found]
        if all(label == IGNORED for sequence in sequences for label in sequence.labels):
            raise TooldrillError(f"example {name}: no token is learned", "build the data again")
        return Example(name, sequences)

    def _row(self, name: str, pieces: Sequence[Segment]) -> Row:
        row = Row([], [], [])
        for index, piece in enumerate(pieces):
            tokens = self._tokens(piece.text, first=index == 0)
            if piece.learned:
                self._require_stop(name, tokens)
            row.input_ids.extend(tokens)
            row.labels.extend(tokens if piece.learned else [IGNORED] * len(tokens))
            row.weights.extend([piece.weight] * len(tokens))
        self._check_length(name, len(row.input_ids))
        return row

    def preference(self, row: dict[str, Any], protocol: CallProtocol) -> Preference:
        """One DPO row in one protocol; both replies end with the stop token.

        Raises:
            TooldrillError: when the replies are equal or it is longer than `max_length`.
        """
        name = f"{row['trace_id']}/{protocol.name}"
        prompt: list[int] = []
        replies = []
        sides: tuple[Side, Side] = ("chosen", "rejected")
        for side in sides:
            parts = segments(side_row(row, side), self._template, protocol)
            last = next(i for i, part in enumerate(parts) if part.learned)
            text = "".join(part.text for part in parts[:last])
            prompt = self._tokens(text, first=True)
            replies.append(self._tokens(parts[last].text, first=False))
            self._require_stop(name, replies[-1])
        if replies[0] == replies[1]:
            raise TooldrillError(f"pair {name}: both replies are the same", "build the data again")
        self._check_length(name, len(prompt) + max(map(len, replies)))
        return Preference(name, row.get("violation") or "", prompt, *replies)

    def _tokens(self, text: str, *, first: bool) -> list[int]:
        tokens: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        missing = first and tokens[: len(self._opening)] != self._opening
        return [*self._opening, *tokens] if missing else tokens

    def _require_stop(self, name: str, tokens: Sequence[int]) -> None:
        """A model that never learns to stop writes the next turn itself."""
        if tokens[-1] not in self._stops:
            raise TooldrillError(
                f"example {name}: a learned turn ends in {self._tokenizer.decode(tokens[-1:])!r}, "
                "which is no stop token",
                "set model.chat_template to `tooldrill`, or to one whose turns end with a token",
            )

    def _check_length(self, name: str, length: int) -> None:
        if length > self._max_length:
            raise TooldrillError(
                f"example {name} has {length} tokens, more than training.max_length "
                f"({self._max_length})",
                f"set training.max_length={length}, or offer fewer tools (data.tools)",
            )
