"""Every spoken form means exactly one value: read back, it is the same."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
import spoken_forms as read

from tooldrill.data.names import Draw
from tooldrill.data.voices import spoken


def test_integers_come_back() -> None:
    numbers = [*range(-30, 2500), 9900, 12_500, 400_000, 999_999, 1_000_000, 2_700_000]
    for number in numbers:
        for form in (*spoken.integer_forms(number), *spoken.round_words(number)):
            assert read.integer(form) == number, form
        assert read.integer(spoken.in_words(number).replace(" million", "")) == number


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (21, "twenty-one"),
        (100, "one hundred"),
        (312, "three hundred and twelve"),
        (1005, "one thousand and five"),
        (-7, "minus seven"),
        (48_100, "forty-eight thousand one hundred"),
    ],
)
def test_words_of_integers(number: int, words: str) -> None:
    assert spoken.in_words(number) == words


def test_decimals_come_back() -> None:
    for cents in range(-500, 12_000, 7):
        text = f"{cents / 100:.2f}".rstrip("0").rstrip(".")
        if "." in text:
            for form in spoken.decimal_forms(text):
                assert read.decimal(form) == pytest.approx(float(text)), form
    for percent in range(1, 100):
        for form in spoken.percent_forms(percent / 100):
            assert read.decimal(form) == pytest.approx(percent / 100), form


def test_dates_come_back_and_are_never_ambiguous() -> None:
    seen = set()
    for number in range(800):
        day = date(2025, 11, 1) + timedelta(days=number)
        for form in spoken.date_forms(day):
            assert read.day(form) == day, form
            seen.add(form.replace(str(day.year), "Y").replace(str(day.day), "D"))
    assert len(seen) > 100


def test_times_come_back_with_their_half_of_the_day() -> None:
    for hour in range(24):
        for minute in range(60):
            for form in spoken.time_forms(hour, minute):
                assert read.clock(form) == (hour, minute), form
    assert "half past two in the afternoon" in spoken.time_forms(14, 30)
    assert "noon" in spoken.time_forms(12, 0)
    assert not any("noon" in form for form in spoken.time_forms(0, 0))


def test_spans_come_back() -> None:
    for minutes in (*range(1, 400), 600, 1440, 2880, 10_080, 20_160, 30_240):
        for article in (True, False):
            forms = spoken.span_forms(minutes * 60, article=article)
            for form in forms:
                assert read.span(form) == minutes * 60, form
            if not article:
                assert not any(form.startswith(("a ", "an ", "half")) for form in forms)
    assert spoken.span_forms(45, article=True) == ()


def test_ordinals() -> None:
    assert [spoken.ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 30, 31)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "30th", "31st",
    ]  # fmt: skip


def test_odd_values_are_drawn_from_the_generator_alone() -> None:
    def drawn(seed: int) -> list[str]:
        draw = Draw(random.Random(seed))
        day = date(2026, 6, 5)
        return [
            draw.foreign_name(),
            draw.foreign_city(),
            draw.double_name(),
            draw.product_code(),
            draw.long_id(),
            draw.version(),
            draw.tagged_mail(),
            draw.spaced_path(),
            draw.spoken_date(day),
            draw.spoken_time(14, 30),
            draw.spoken_number(1200),
            draw.spoken_span(5400),
        ]

    assert drawn(3) == drawn(3)
    rows = [drawn(seed) for seed in range(300)]
    for column in list(zip(*rows, strict=True))[:8]:
        assert len(set(column)) > 240
        assert all(value.strip() == value and value for value in column)
    assert sum(not name.isascii() for name, *_ in rows) > 60
    assert sum(" " in row[7] for row in rows) == 300
    assert sum("+" in row[6] for row in rows) > 100
