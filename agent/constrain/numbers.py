"""Numbers as JSON writes them, and whole numbers between bounds, as GBNF.

A number has at most 19 digits before the point and an exponent that no float overflows at: a model
that has begun to repeat a digit would otherwise never come to the end of its call.
"""

from __future__ import annotations

import math
from typing import Any

from tooldrill.agent.constrain.rules import either

DIGITS = 19
_LARGEST = 10**DIGITS - 1
_WHOLE = f'("0" | [1-9] [0-9]{{0,{DIGITS - 1}}})'
_EXPONENT = '[eE] ("-" [0-9]{1,3} | "+"? ([0-9]{1,2} | "1" [0-9] [0-9] | "2" [0-8] [0-9]))'

INTEGER = f'"-"? {_WHOLE}'
UNSIGNED = f'{_WHOLE} ("." [0-9]{{1,24}})? ({_EXPONENT})?'
NUMBER = f'"-"? {UNSIGNED}'


def whole_number(schema: dict[str, Any]) -> str | None:
    """Any whole number within the schema's bounds; None when there is none."""
    lows = [math.ceil(schema["minimum"])] if "minimum" in schema else []
    lows += [math.floor(schema["exclusiveMinimum"]) + 1] if "exclusiveMinimum" in schema else []
    highs = [math.floor(schema["maximum"])] if "maximum" in schema else []
    highs += [math.ceil(schema["exclusiveMaximum"]) - 1] if "exclusiveMaximum" in schema else []
    if not lows and not highs:
        return INTEGER
    low, high = max([-_LARGEST, *lows]), min([_LARGEST, *highs])
    parts = []
    if low < 0 and (negative := _positive(max(1, -high), -low)):
        parts.append(f'"-" {negative}')
    if high >= 0 and (positive := _positive(max(0, low), high)):
        parts.append(positive)
    return either(parts) if parts else None


def _positive(low: int, high: int) -> str | None:
    """The numbers from `low` to `high`, neither of them negative; None when there are none."""
    parts = []
    for length in range(len(str(low)), len(str(high)) + 1):
        first = max(low, 10 ** (length - 1) if length > 1 else 0)
        last = min(high, 10**length - 1)
        if first <= last:
            parts.append(_same_length(str(first), str(last)))
    return either(parts) if parts else None


def _same_length(low: str, high: str) -> str:
    """The numbers between two of the same length, leading zeros kept."""
    if not low:
        return ""
    left = len(low) - 1
    if low[1:] == "0" * left and high[1:] == "9" * left:
        return _digits(low[0], high[0], left)
    if low[0] == high[0]:
        return f'"{low[0]}" {_same_length(low[1:], high[1:])}'
    parts = [f'"{low[0]}" {_same_length(low[1:], "9" * left)}']
    if int(low[0]) + 1 < int(high[0]):
        parts.append(_digits(str(int(low[0]) + 1), str(int(high[0]) - 1), left))
    parts.append(f'"{high[0]}" {_same_length("0" * left, high[1:])}')
    return either(parts)


def _digits(first: str, last: str, left: int) -> str:
    lead = f"[{first}-{last}]" if first != last else f'"{first}"'
    return f"{lead} [0-9]{{{left}}}" if left else lead
