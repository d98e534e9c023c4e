from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexsheet.messages import text as sentence
from plexsheet.workbook.schema import cell_values
from plexsheet.workbook.schema.cell_values import BLANK, BOOL, DATE, ERROR, FORMULA, NUMBER, TEXT

NAN = math.nan
NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("stars", "rating"),
    [(5, 10.0), (0.5, 1.0), (4.5, 9.0), (3.67, 7.34), (3.666666, 7.34), (0.01, 0.02), (1, 2.0)],
)
def test_a_number_of_stars_is_kept_to_a_hundredth(stars: float, rating: float) -> None:
    reading = cell_values.rating(NUMBER, stars, "")

    assert (reading.kind, reading.rating, reading.code) == ("value", rating, "")


@pytest.mark.parametrize(
    ("said", "rating"),
    [
        ("4.5", 9.0),
        ("4,5", 9.0),
        (f"{NBSP} 4,5{NBSP}", 9.0),
        ("4½", 9.0),
        ("4 ½", 9.0),
        ("½", 1.0),
        ("★★★★½", 9.0),
        ("★★★★☆", 8.0),
        ("★", 2.0),
        ("4.5/5", 9.0),
        ("4,5 / 5", 9.0),
        ("4.5★", 9.0),
        ("4", 8.0),
        (".5", 1.0),
        ("3,667", 7.34),
    ],
)
def test_a_rating_typed_as_text_is_read_and_said(said: str, rating: float) -> None:
    reading = cell_values.rating(TEXT, NAN, said)

    assert (reading.kind, reading.rating, reading.code) == ("value", rating, "I19")


@pytest.mark.parametrize("said", ["CLEAR", "clear", " Clear\u00a0"])
def test_clear_removes_in_any_case(said: str) -> None:
    assert cell_values.rating(TEXT, NAN, said).kind == "clear"


@pytest.mark.parametrize("said", ["", " ", NBSP, "\u200b", "\ufeff \t\n"])
def test_blanks_of_every_kind_are_blank(said: str) -> None:
    assert cell_values.rating(TEXT, NAN, said).kind == "blank"
    assert cell_values.rating(BLANK, NAN, "").kind == "blank"


@pytest.mark.parametrize(
    ("state", "number", "said", "code"),
    [
        (NUMBER, 0, "", "E13"),
        (NUMBER, -0.0, "", "E13"),
        (NUMBER, 0.001, "", "E13"),
        (NUMBER, -1, "", "E12"),
        (NUMBER, 7, "", "E11"),
        (NUMBER, 5.01, "", "E11"),
        (NUMBER, 42, "", "E11"),
        (NUMBER, NAN, "", "E10"),
        (NUMBER, math.inf, "", "E10"),
        (TEXT, NAN, "0", "E13"),
        (TEXT, NAN, "☆☆☆☆☆", "E13"),
        (TEXT, NAN, "-1", "E12"),
        (TEXT, NAN, "−0,5", "E12"),
        (TEXT, NAN, "7", "E11"),
        (TEXT, NAN, "★★★★★★", "E11"),
        (TEXT, NAN, "6/5", "E11"),
        (TEXT, NAN, "9/10", "E10"),
        (TEXT, NAN, "80 %", "E10"),
        (TEXT, NAN, "gut", "E10"),
        (TEXT, NAN, "nan", "E10"),
        (TEXT, NAN, "inf", "E10"),
        (TEXT, NAN, "None", "E10"),
        (TEXT, NAN, "1e0", "E10"),
        (TEXT, NAN, "=4", "E10"),
        (TEXT, NAN, "٤", "E10"),
        (TEXT, NAN, "x" * 32_767, "E10"),
        (TEXT, NAN, "1.234,5", "E16"),
        (TEXT, NAN, "1,234.5", "E16"),
        (TEXT, NAN, "1 234", "E16"),
        (TEXT, NAN, "#N/A", "E15"),
        (TEXT, NAN, "#DIV/0!", "E15"),
        (TEXT, NAN, "Err:502", "E15"),
        (TEXT, NAN, "4. Mai", "E14"),
        (TEXT, NAN, "4-May", "E14"),
        (TEXT, NAN, "2026-05-04", "E14"),
        (TEXT, NAN, "04.05.2026", "E14"),
        (DATE, NAN, "2026-05-04", "E14"),
        (BOOL, 1, "", "E10"),
        (ERROR, NAN, "#N/A", "E15"),
        (ERROR, NAN, "", "E15"),
        (BLANK | FORMULA, NAN, "", "E15"),
        (TEXT | FORMULA, NAN, "", "E15"),
        (ERROR | FORMULA, NAN, "#REF!", "E15"),
        (NUMBER | FORMULA, 7, "", "E11"),
    ],
)
def test_everything_else_is_refused_with_its_code(
    state: int, number: float, said: str, code: str
) -> None:
    reading = cell_values.rating(state, number, said)

    assert (reading.kind, reading.code) == ("refused", code)
    assert sentence(reading.code, reading.variant, **reading.values)


def test_sentences_quote_the_cell() -> None:
    def said(state: int, number: float, text: str) -> str:
        reading = cell_values.rating(state, number, text)
        return sentence(reading.code, reading.variant, **reading.values)

    assert said(NUMBER, 7, "").endswith("(On a ten-point scale this would be 3.5: type 3.5 if "
                                        "you mean that.)")  # fmt: skip
    assert said(NUMBER, 42, "").startswith("42 is more than 5 stars. Not applied.")
    assert "ten-point" not in said(NUMBER, 42, "")
    assert "(4 May)" in said(DATE, NAN, "2026-05-04")
    assert said(ERROR, NAN, "#N/A") == "The formula shows #N/A. Not applied."
    assert said(NUMBER | FORMULA, 4, "") == "Taken from a formula: 4."
    assert said(TEXT, NAN, "4,5") == "'4,5' read as 4.5."


def test_a_declared_ten_point_scale_halves_numbers_and_leaves_stars() -> None:
    assert cell_values.rating(NUMBER, 7, "", scale=10).rating == 7.0
    assert cell_values.rating(TEXT, NAN, "7,5", scale=10).rating == 7.5
    assert cell_values.rating(TEXT, NAN, "★★★★", scale=10).rating == 8.0
    assert cell_values.rating(NUMBER, 11, "", scale=10).variant == "ten"


@pytest.mark.parametrize(
    ("said", "kind", "word", "code"),
    [
        ("ACCEPT", "value", "ACCEPT", ""),
        (" accept ", "value", "ACCEPT", ""),
        ("Mine", "value", "MINE", ""),
        ("", "blank", "", ""),
        ("ACEPT", "refused", "", "E20"),
        ("Infered", "refused", "", "E20"),
        ("4", "refused", "", "E20"),
    ],
)
def test_an_action_is_a_known_word_or_refused(said: str, kind: str, word: str, code: str) -> None:
    reading = cell_values.action(TEXT, NAN, said)

    assert (reading.kind, reading.word, reading.code) == (kind, word, code)


def test_a_mistyped_action_names_the_nearest_word_and_a_far_one_all_words() -> None:
    near, far = cell_values.action(TEXT, NAN, "ACEPT"), cell_values.action(TEXT, NAN, "zzz")

    assert sentence(near.code, near.variant, **near.values) == (
        "'ACEPT' is not an action. Did you mean ACCEPT? Not applied."
    )
    assert "ACCEPT, CLEAR, EXCLUDE" in sentence(far.code, far.variant, **far.values)


@pytest.mark.parametrize(
    ("state", "number", "said"), [(NUMBER, 4, ""), (BOOL, 1, ""), (DATE, NAN, "2026-05-04")]
)
def test_an_action_that_is_not_text_is_refused(state: int, number: float, said: str) -> None:
    assert cell_values.action(state, number, said).code == "E20"
    assert cell_values.action(BLANK | FORMULA, NAN, "").code == "E15"
    assert cell_values.action(ERROR, NAN, "#REF!").code == "E15"


@pytest.mark.parametrize(
    ("state", "number", "said", "word"),
    [
        (NUMBER, 1969, "", "1969"),
        (TEXT, NAN, " 1969 ", "1969"),
        (NUMBER, 1000, "", "1000"),
        (NUMBER, 2027, "", "2027"),
        (TEXT, NAN, "1969-09-26", "1969-09-26"),
        (DATE, NAN, "1969-09-26", "1969-09-26"),
        (DATE, NAN, "1969-09-26 00:00:00", "1969-09-26"),
    ],
)
def test_a_year_has_four_digits_or_is_a_full_date(
    state: int, number: float, said: str, word: str
) -> None:
    assert cell_values.year(state, number, said, last=2027).word == word


@pytest.mark.parametrize(
    ("state", "number", "said"),
    [
        (NUMBER, 999, ""),
        (NUMBER, 2028, ""),
        (NUMBER, 1969.5, ""),
        (NUMBER, 69, ""),
        (NUMBER, NAN, ""),
        (NUMBER, math.inf, ""),
        (TEXT, NAN, "19O9"),
        (TEXT, NAN, "26.09.1969"),
        (TEXT, NAN, "1969-02-30"),
        (TEXT, NAN, "2028-01-01"),
        (BOOL, 1, ""),
    ],
)
def test_other_years_are_refused(state: int, number: float, said: str) -> None:
    reading = cell_values.year(state, number, said, last=2027)

    assert reading.code == "E30"
    assert "between 1000 and 2027" in sentence(reading.code, reading.variant, **reading.values)


def test_decisions_and_sub_groups() -> None:
    assert cell_values.decision(TEXT, NAN, "split").word == "SPLIT"
    assert cell_values.decision(TEXT, NAN, "maybe").code == "E20"
    assert cell_values.sub_group(TEXT, NAN, "A").word == "a"
    assert cell_values.sub_group(TEXT, NAN, "ab").code == "E20"
    assert cell_values.sub_group(NUMBER, 1, "").code == "E20"
    assert cell_values.sub_group(BLANK, NAN, "").kind == "blank"


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("120034", 120034),
        (" 7 ", 7),
        ("120034.0", 120034),
        ("", 0),
        ("0", -1),
        ("-5", -1),
        ("1.2E+05", -1),
        ("120034.00", 120034),
        ("120.000", -1),  # a hundred and twenty thousand, or a hundred and twenty?
        ("120,000", -1),
        ("1,20E+05", -1),
        ("abc", -1),
        ("9" * 30, -1),
    ],
)
def test_keys_as_text(said: str, key: int) -> None:
    assert cell_values.key_of_text(said) == key


states = st.sampled_from([BLANK, NUMBER, TEXT, BOOL, DATE, ERROR])
cells = st.tuples(states, st.booleans(), st.floats(), st.text(max_size=50))


@given(cells)
def test_any_cell_has_a_meaning_or_a_sentence(cell: tuple[int, bool, float, str]) -> None:
    state, formula, number, said = cell
    state |= FORMULA * formula
    for reading in (
        cell_values.rating(state, number, said),
        cell_values.rating(state, number, said, scale=10),
        cell_values.action(state, number, said),
        cell_values.decision(state, number, said),
        cell_values.sub_group(state, number, said),
        cell_values.year(state, number, said, last=2027),
    ):
        if reading.code:
            assert sentence(reading.code, reading.variant, **reading.values)
        assert (reading.kind == "refused") <= bool(reading.code)
        if reading.kind == "value" and not reading.word:
            assert 0 < reading.rating <= 10


@given(st.lists(st.tuples(st.sampled_from([BLANK, NUMBER, NUMBER | FORMULA, TEXT]), st.floats())))
def test_the_fast_path_reads_plain_cells_as_the_slow_one(rows: list[tuple[int, float]]) -> None:
    state = np.array([s for s, _ in rows], dtype=np.uint8)
    number = np.array([x for _, x in rows], dtype=np.float64)

    values, plain = cell_values.rating_column(state, number)

    for (s, x), value, is_plain in zip(rows, values, plain, strict=True):
        slow = cell_values.rating(s, x, "")
        assert is_plain == (slow.kind in ("value", "blank") and not slow.code and s in (0, 1))
        if is_plain and slow.kind == "value":
            assert value == slow.rating
        else:
            assert math.isnan(value)
