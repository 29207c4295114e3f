"""Every spoken form means exactly one value: read back, it is the same."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta

import pytest
import spoken_forms as read

from tooldrill.data.values import spoken
from tooldrill.data.values.names import Draw


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


def test_number_forms_begin_with_the_digits() -> None:
    assert spoken.number_forms(27) == ("27", "twenty-seven")
    assert spoken.number_forms(1e-7) == ("1e-07",)
    assert "two and a half" in spoken.number_forms(2.5)
    assert "three hundred and forty-two" in spoken.number_forms(342)
    assert "1,250" in spoken.number_forms(1250)
    for number in (0, 3, 12, 1250, -4):
        assert spoken.number_forms(number)[0] == str(number)
        for form in spoken.number_forms(number):
            assert read.integer(form) == number, form
    for number in (0.1, 24.5, -2.5, 99.75, 1234.5):
        assert spoken.number_forms(number)[0] == str(number)
        for form in spoken.number_forms(number):
            assert read.decimal(form) == pytest.approx(number), form


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
    assert "a quarter to seven in the evening" in spoken.time_forms(18, 45)
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
    assert {"two weeks", "a fortnight"} < set(spoken.span_forms(14 * 86400, article=True))


def test_ordinals() -> None:
    assert [spoken.ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 30, 31)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "30th", "31st",
    ]  # fmt: skip


def test_ordinals_in_words_go_to_twenty() -> None:
    assert spoken.ordinal_forms(3) == ("3rd", "third")
    assert spoken.ordinal_forms(20) == ("20th", "twentieth")
    assert spoken.ordinal_forms(21) == ("21st",)


def test_offsets_come_back() -> None:
    for minutes in range(-12 * 60, 14 * 60 + 1, 15):
        sign, size = "-" if minutes < 0 else "+", abs(minutes)
        for form in spoken.offset_forms(f"{sign}{size // 60:02}:{size % 60:02}"):
            assert read.offset(form) == minutes, form
    assert "five and a half hours ahead of UTC" in spoken.offset_forms("+05:30")
    assert "one hour behind UTC" in spoken.offset_forms("-01:00")


def test_a_drawn_day_lies_in_the_years_asked_for() -> None:
    days = [Draw(random.Random(seed)).day(2024, 2026) for seed in range(400)]
    assert {day.year for day in days} == {2024, 2025, 2026}
    assert {day.month for day in days} == set(range(1, 13))


def test_what_is_drawn_means_the_value() -> None:
    draw, day = Draw(random.Random(5)), date(2026, 6, 5)
    for _ in range(300):
        assert read.day(draw.spoken_date(day)) == day
        assert read.integer(draw.spoken_number(1250)) == 1250
        assert read.clock(draw.spoken_time(14, 30)) == (14, 30)
    said = [draw.spoken_number(7) for _ in range(300)]
    assert said.count("7") > 100
    assert set(said) == {"7", "seven"}


def test_a_drawn_time_can_end_a_sentence() -> None:
    draw = Draw(random.Random(6))
    for minute in range(1440):
        assert not draw.spoken_time(*divmod(minute, 60)).endswith(".")


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
        ]

    assert drawn(3) == drawn(3)
    rows = [drawn(seed) for seed in range(300)]
    for column in list(zip(*rows, strict=True))[:8]:
        assert len(set(column)) > 240
        assert all(value.strip() == value and value for value in column)
    assert sum(not name.isascii() for name, *_ in rows) > 60
    assert sum(" " in row[7] for row in rows) == 300
    assert sum("+" in row[6] for row in rows) > 100


def test_rare_names_are_drawn_as_often_as_common_ones() -> None:
    """By frequency `Smith` alone would come 40 times."""
    draw = Draw(random.Random(5))
    names = Counter(draw.brand() for _ in range(2000))
    assert max(names.values()) < 15
    assert len(names) > 800
