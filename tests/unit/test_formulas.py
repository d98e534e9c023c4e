from __future__ import annotations

import math
from typing import Any

import pytest

from plexsheet.workbook.schema import formulas

CELLS = {"my_rating": "I2", "was": "Y2", "action": "J2", "inferred": "L2"}


@pytest.mark.parametrize(
    ("rating", "was", "action", "said"),
    [
        (None, None, "", ""),
        (3.0, 3.0, "", ""),
        (4.5, 3.0, "", "rate 4.5 (was 3)"),
        (4.5, None, "", "rate 4.5"),
        (None, 3.0, "", "remove (was 3)"),
        ("CLEAR", 3.0, "", "remove (was 3)"),
        (7.0, None, "", "7 is more than 5"),
        (0.0, 3.0, "", "0 is not a rating: type CLEAR to remove it"),
        (0.0, None, "", "0 is not a rating: type CLEAR to remove it"),
        (-1, None, "", "-1 is not a rating: type CLEAR to remove it"),
        ("gut", None, "", "gut is not a rating"),
        (True, None, "", "TRUE is not a rating"),
        ("4½", None, "", "rate 4½"),
        (None, None, "accept", "accept 3.8"),
        (2.0, None, "ACCEPT", "ACCEPT and a rating contradict each other"),
        (3.0, 3.0, "CLEAR", "remove (was 3)"),
        (2.0, None, "EXCLUDE", "leave out of inference; rate 2"),
        (None, None, "INCLUDE", "infer again"),
        (2.0, 3.0, "MINE", "keep yours"),
        (2.0, 3.0, "PLEX", "keep what Plex has"),
        (2.0, 3.0, "ACEPT", "ACEPT is not an action"),
        (math.nan, math.nan, "", ""),
    ],
)
def test_will_do_says_what_an_edit_does(rating: Any, was: Any, action: str, said: str) -> None:
    row = {"my_rating": rating, "was": was, "action": action, "inferred": 3.8}
    assert formulas.will_do_text(row) == said


@pytest.mark.parametrize(
    ("year", "was", "said"),
    [
        (1970, 1969, "year 1970 (was 1969). rate 2"),
        (1970, None, "year 1970. rate 2"),
        (None, 1969, "year is kept. rate 2"),
        (1969, 1969, "rate 2"),
    ],
)
def test_will_do_says_a_new_year_first(year: Any, was: Any, said: str) -> None:
    row = {"my_rating": 2.0, "was": None, "action": "", "year": year, "year_was": was}
    assert formulas.will_do_text(row) == said


def test_formulas_look_at_their_own_row_in_functions_both_programs_know() -> None:
    formula = formulas.will_do(CELLS | {"year": "D2", "year_was": "Z2"})
    for unwanted in ("[@", "XLOOKUP", "FILTER(", "LET(", "!", "OFFSET", "INDIRECT"):
        assert unwanted not in formula
    assert len(formula) < 8192
    assert "2000" not in formula


@pytest.mark.parametrize(
    "condition", [formulas.rating_allowed("I2"), formulas.year_allowed("D2", 2027)]
)
def test_conditions_of_validations_are_short_enough_for_excel(condition: str) -> None:
    assert len(condition) < 255
