"""Facts for the documents of the `library` world, each with a sentence beside it that misleads.

A fact is a sentence that answers a question; its decoy names the same place and another value.
"""

from __future__ import annotations

from typing import NamedTuple

from tooldrill.data.values.names import Draw


class Fact(NamedTuple):
    """Something a document says.

    Attributes:
        place: what it is about; both sentences contain it.
        sentence: what is so.
        decoy: what was only planned, promised or estimated.
        question: `what the works at Reyes Lock cost in the end`.
        value: the answer.
    """

    place: str
    sentence: str
    decoy: str
    question: str
    value: str


def fact(draw: Draw) -> Fact:
    """A fact about a place that no other document names."""
    kind = draw.pick(("Lock", "Pier", "Mill", "Yard", "Bridge", "Signal House", "Basin"))
    place = f"{draw.brand()} {kind}"
    low, high = sorted(draw.numbers(1200, 98000, 2))
    first, second = draw.several(draw.person, 2)
    year = draw.number(1860, 1990)
    return draw.pick(
        (
            Fact(
                place,
                f"In the end the works at {place} cost {high} dollars.",
                f"The works at {place} had first been estimated at {low} dollars.",
                f"what the works at {place} cost in the end",
                str(high),
            ),
            Fact(
                place,
                f"{place} was at last opened by {first}.",
                f"{second} had promised to open {place} but fell ill.",
                f"who opened {place}",
                first,
            ),
            Fact(
                place,
                f"Work at {place} began in {year}.",
                f"For {place} the council had announced a start in {year - draw.number(1, 9)}.",
                f"in which year work at {place} really began",
                str(year),
            ),
            Fact(
                place,
                f"As built, {place} measures {low} centimetres across.",
                f"Drawings show {place} with {high} centimetres instead.",
                f"how wide {place} is as built, in centimetres",
                str(low),
            ),
        )
    )
