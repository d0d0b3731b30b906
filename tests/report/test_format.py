from __future__ import annotations

import pytest

from bakeoff.report.format import (
    BYTES,
    COUNTS,
    Score,
    Unit,
    column,
    count,
    duration,
    listing,
    noun,
    p_digits,
    percent,
    plain,
    probability,
    quantity,
    ratio,
    short,
    significant,
    size,
)


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (3670, "3,670"), (-1234.4, "−1,234")])
def test_counts_have_separators(number, text):
    assert count(number) == text


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (999, "999"), (1000, "1 k"), (1_240_000, "1.24 M"), (999_999, "1 M"), (2.5e9, "2.5 G"),
                                              (None, "–"), (float("nan"), "–")])
def test_large_numbers_are_said_in_short(number, text):
    assert quantity(number) == text


@pytest.mark.parametrize(("number", "text"), [(512, "512 B"), (1_240_000, "1.24 MB"), (16_500_000_000, "16.5 GB"), (None, "–")])
def test_bytes_have_units(number, text):
    assert size(number) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 s"), (0.0004, "0.4 ms"), (0.25, "250 ms"), (1.234, "1.2 s"), (12.3, "12 s"), (59.7, "1m"),
                                               (370, "6m 10s"), (3600, "1h"), (3900, "1h 05m"), (-5, "−5.0 s"), (None, "–")])
def test_times_are_said_as_people_say_them(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(("number", "text"), [(0.0123456, "0.0123"), (12345, "12,345"), (2.5, "2.5"), (-0.5, "−0.5"), (float("inf"), "–")])
def test_three_digits_without_trailing_zeros(number, text):
    assert significant(number) == text


@pytest.mark.parametrize(("share", "text"), [(0, "0 %"), (0.001, "< 1 %"), (0.125, "12 %"), (0.999, "> 99 %"), (1, "100 %"), (None, "–")])
def test_what_is_not_quite_nothing_or_all_is_never_rounded_to_it(share, text):
    assert percent(share) == text


@pytest.mark.parametrize(("p", "text"), [(0.0001, "p < .001"), (0.0314, "p = .031"), (0.42, "p = .42"), (1.0, "p = 1.00"), (None, "–")])
def test_p_below_a_thousandth_is_said_so(p, text):
    assert probability(p) == text
    assert p_digits(p) == text.removeprefix("p ").removeprefix("= ")


@pytest.mark.parametrize(("number", "text"), [(0.16, "1/6"), (1.0, "1 ×"), (1.37, "1.4 ×"), (37.2, "37 ×"), (1234, "1,200 ×"), (0, "–")])
def test_ratios_are_fractions_or_multiples(number, text):
    assert ratio(number) == text


@pytest.mark.parametrize(("names", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (list("abc"), "a, b and c"),
                                             (list("abcdefghij"), "a, b, c, d, e, f and 4 more")])
def test_names_are_listed_in_a_sentence(names, text):
    assert listing(names) == text


@pytest.mark.parametrize(("kind", "number", "text"), [("image", 1, "1 image"), ("image", 3670, "3,670 images"), ("series", 2, "2 series"),
                                                       ("smell", 2, "2 examples")])
def test_examples_are_called_by_their_kind(kind, number, text):
    assert noun(kind, number) == text


def test_names_cannot_act_on_a_terminal_or_turn_the_reading_direction():
    assert plain("\x1b[31mred\x07 \u202egnp.exe\u202c a\tb\nc") == "�[31mred� �gnp.exe� a b c"
    assert plain("👩‍👩‍👧 שלום é") == "👩‍👩‍👧 שלום é"


def test_long_names_are_cut_and_accents_stay_with_their_letter():
    assert short("abcdefgh", 5) == "abcd…"
    assert short("e\u0301" * 6, 4) == "e\u0301…"
    assert short("abc", 3) == "abc"


def test_a_column_is_aligned_on_the_decimal_point():
    assert [text + pad for text, pad in column(["412", "61.2", "0.05", "–"])] == ["412.00", "61.20", "0.05", "–"]
    assert [pad for _, pad in column(["1", "22"])] == ["", ""]


def test_a_column_has_one_unit():
    unit = Unit.fitting([900.0, 61_000.0, 412_000.0, None], COUNTS)
    assert unit.name == "thousand"
    assert [unit(number) for number in (900.0, 61_000.0, 412_000.0, None, 1.0, 0.0)] == ["0.90", "61.0", "412", "–", "< 0.01", "0"]
    assert Unit.fitting([], BYTES).name == "kB"


def test_shares_are_three_digits_without_a_zero():
    score = Score.of([0.868, 0.1, None])
    assert (score(0.8684), score(1.0), score(None), score(-0.0001)) == (".868", "1.000", "–", ".000")
    assert (score.signed(-0.0123), score.signed(0.02), score.signed(0.00001)) == ("−.012", "+.020", ".000")
    assert score.interval(0.842, 0.891) == ".842 – .891"
    assert score.interval(None, 0.9) == ""
    assert score.signed_interval(-0.01, 0.02) == "−.010 … +.020"


@pytest.mark.parametrize(("values", "value", "text"), [([12_345.0, 13_000.0], 12_345.6, "12,346"),
                                                     ([0.0456, 0.05], 0.0456, "0.0456"), ([67.4], 67.4, "67.4")])
def test_values_with_a_unit_have_three_digits(values, value, text):
    assert Score.of(values, "°C")(value) == text
