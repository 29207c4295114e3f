"""Held-out wordings: remarks beside the point. Nothing here may be used in training."""

from __future__ import annotations

RULES: dict[str, tuple[str, ...]] = {
    "somebody": (
        "cousin {first}",
        "{person}, whom I barely know,",
        "the postman",
        "the choir master",
        "Doctor {last}",
        "a stranger called {first}",
        "the captain of {city}",
        "granny",
    ),
    "deed": (
        "adopted {few} kittens",
        "baked {some} muffins",
        "swam across the lake near {city}",
        "broke the {thing}",
        "wrote {many} verses about the {topic}",
        "sang for {some} guests",
        "fell in love with a barista",
        "repaired {few} bicycles",
        "cooked for {some} people",
        "invested {many} euros in {a_thing}",
    ),
    "moment": (
        "during the storm",
        "while I was in {city}",
        "a fortnight back",
        "shortly after {clock}",
        "as early as {month}",
        "the night before {weekday}",
        "on the top floor",
    ),
    "spot": ("the harbour", "the attic", "the tram", "the garden shed", "the library in {city}"),
    "flaw": ("is crawling with ants", "has flooded", "feels haunted", "cost {many} to repair"),
}

ASIDES: tuple[str, ...] = (
    "{somebody} {deed} {moment}.",
    "Believe it or not, {somebody} {deed}.",
    "Gossip of the day: {somebody} {deed} {moment}.",
    "{spot} {flaw}, which explains my mood.",
    "Greetings from {spot}, where {somebody} {deed}.",
    "Our village has {many} souls, {some} of them named {last}.",
    "Ever since {somebody} {deed}, we laugh a lot.",
    "Here the thermometer reads {some} and {spot} {flaw}.",
    "My horoscope for {date} mentioned {a_thing}.",
)

BRIDGES: tuple[str, ...] = (
    "",
    "",
    "Be that as it may.",
    "I digress.",
    "On to the matter at hand:",
    "Leaving that there:",
    "None of this concerns you, the next bit does.",
)
