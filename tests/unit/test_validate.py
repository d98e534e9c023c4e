from __future__ import annotations

import copy
import datetime
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from plexsheet.plan.model import Edit
from plexsheet.workbook.edits.rules import Validated
from plexsheet.workbook.edits.validate import stranger_keys, validate
from tests.raw_sheets import Formula, Rows, Wrong, album, bases_of, book, sheet, track

ROWS = [track(100 + n, stars) for n, stars in enumerate([4, None, 3.5, 1, None, 5, 2, None])]
ALBUMS = [album(10 + n, stars) for n, stars in enumerate([4, None, 3])]
BASES = bases_of(track=ROWS, album=ALBUMS)


def judge(rows: Rows, name: Any = "Tracks", bases: Any = BASES, **options: Any) -> Validated:
    return validate(book(sheet(name, rows)), bases, next_year=2027, **options)


def edited(row: int, header: str, value: Any, rows: Rows = ROWS) -> Rows:
    changed = copy.deepcopy(rows)
    changed[row][header] = value
    return changed


def one(result: Validated) -> Edit:
    assert not result.stopped
    assert len(result.edits) == 1, result
    return result.edits[0]


def codes(result: Validated) -> list[tuple[int, str]]:
    return [(message.row, message.code) for message in result.messages]


def test_an_unedited_file_has_no_edits_and_nothing_to_say() -> None:
    result = judge(copy.deepcopy(ROWS))

    assert (result.edits, result.messages, dict(result.stopped)) == ((), (), {})
    assert result.rows == {"Tracks": 8}
    assert result.rated == {"Tracks": 5}
    assert result.unchanged == {"Tracks": 8}


def test_a_typed_rating_is_an_edit_that_knows_its_base() -> None:
    edit = one(judge(edited(2, "My rating", 4.5)))

    assert (edit.sheet, edit.row, edit.kind, edit.key) == ("Tracks", 4, "track", 102)
    assert (edit.field, edit.base, edit.wanted, edit.action) == ("rating", 7.0, 9.0, "")
    assert (edit.base_in_plex, edit.base_source, edit.inferred) == (7.0, 1, 7.0)
    assert edit.title == "Title 102"


def test_a_number_in_a_blank_cell_is_an_edit_even_when_it_is_the_inferred_one() -> None:
    edit = one(judge(edited(1, "My rating", 3.5)))

    assert math.isnan(edit.base)
    assert (edit.wanted, edit.base_source) == (7.0, 0)


@pytest.mark.parametrize("value", [4, 4.0, "4", " 4 ", "★★★★", Formula(4), 4.0000001])
def test_the_same_rating_in_another_form_is_no_edit(value: Any) -> None:
    result = judge(edited(0, "My rating", value))

    assert (result.edits, result.messages) == ((), ())


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (7, "E11"),
        (0, "E13"),
        (-1, "E12"),
        ("gut", "E10"),
        ("1.234,5", "E16"),
        (True, "E10"),
        (datetime.date(2026, 5, 4), "E14"),
        (Wrong("#N/A"), "E15"),
        (Formula(None), "E15"),
        ("9/10", "E10"),
        ("80 %", "E10"),
    ],
)
def test_a_refused_cell_stops_its_row_and_no_other(value: Any, code: str) -> None:
    rows = edited(3, "My rating", 3)
    rows[0]["My rating"] = value

    result = judge(rows)

    assert codes(result) == [(2, code)]
    assert [edit.row for edit in result.edits] == [5]
    message = result.messages[0]
    assert (message.sheet, message.key, message.kind) == ("Tracks", 100, "track")
    assert (message.field, message.title, message.was) == ("rating", "Title 100", 8.0)


@pytest.mark.parametrize(
    ("value", "wanted", "code"),
    [("4,5", 9.0, "I19"), ("4½", 9.0, "I19"), (Formula(4.5), 9.0, "W17")],
)
def test_remarks_come_with_the_edit(value: Any, wanted: float, code: str) -> None:
    result = judge(edited(1, "My rating", value))

    edit = one(result)
    assert (edit.wanted, edit.codes) == (wanted, (code,))
    assert codes(result) == [(3, code)]


def test_clear_in_either_column_removes_the_rating() -> None:
    for header in ("My rating", "Action"):
        edit = one(judge(edited(0, header, "clear")))
        assert math.isnan(edit.wanted)
        assert (edit.action, edit.base) == ("CLEAR", 8.0)


def test_an_emptied_cell_asks_for_removal_without_an_action() -> None:
    edit = one(judge(edited(0, "My rating", None)))

    assert math.isnan(edit.wanted)
    assert (edit.action, edit.base) == ("", 8.0)


def test_where_a_format_cannot_tell_blanks_from_errors_nothing_is_removed() -> None:
    raw = book(sheet("Tracks", edited(0, "My rating", None), certain=False))

    result = validate(raw, BASES, next_year=2027)

    assert result.edits == ()
    assert codes(result) == [(2, "W23")]


def test_accept_takes_the_inferred_value() -> None:
    edit = one(judge(edited(1, "Action", "ACCEPT")))

    assert (edit.field, edit.action, edit.inferred) == ("rating", "ACCEPT", 7.0)
    assert math.isnan(edit.wanted)


def test_exclude_and_include_are_edits_of_their_own_beside_a_rating() -> None:
    rows = edited(1, "Action", "EXCLUDE")
    rows[1]["My rating"] = 2

    result = judge(rows)

    assert [(e.field, e.action) for e in result.edits] == [("exclude", "EXCLUDE"), ("rating", "")]


@pytest.mark.parametrize(
    ("action", "rating", "code"),
    [
        ("ACEPT", None, "E20"),
        ("CLEAR", 3, "E21"),
        ("ACCEPT", 3, "E21"),
        ("ACCEPT", "CLEAR", "E21"),
        (4, 4, "E20"),
    ],
)
def test_actions_that_make_no_sense_stop_the_row(action: Any, rating: Any, code: str) -> None:
    rows = edited(0, "Action", action)
    rows[0]["My rating"] = rating

    result = judge(rows)

    assert result.edits == ()
    assert [c for _, c in codes(result)] == [code]


def test_accept_without_an_inferred_value() -> None:
    rows = [track(1, None, Inferred=None)]

    result = judge(edited(0, "Action", "ACCEPT", rows), bases=bases_of(track=rows))

    assert codes(result) == [(2, "E22")]


def test_mine_settles_a_conflict_with_or_without_a_new_value() -> None:
    kept = one(judge(edited(0, "Action", "MINE")))
    rows = edited(0, "Action", "mine")
    rows[0]["My rating"] = 2
    new = one(judge(rows))

    assert (kept.wanted, kept.action) == (8.0, "MINE")
    assert (new.wanted, new.action) == (4.0, "MINE")
    assert judge(edited(0, "Action", "PLEX")).edits == ()


# Keys


def test_a_rating_without_a_key_is_refused_and_an_own_row_without_a_rating_is_not() -> None:
    rows = copy.deepcopy(ROWS)
    rows += [
        {"Key": None, "Title": "mine", "My rating": 4},
        {"Key": None, "Title": "a note of mine", "My rating": None},
        {"Key": None, "Title": "x", "Action": "CLEAR"},
    ]

    assert codes(judge(rows)) == [(10, "E01"), (12, "E01")]


def test_unknown_keys_and_rows_of_other_sheets() -> None:
    rows = [*copy.deepcopy(ROWS), track(998877, None), track(11, None), track(555, None)]
    for row in rows[-3:]:
        row["My rating"] = 4

    result = judge(rows, strangers={555: "track"})

    assert codes(result) == [(10, "E02"), (11, "E07"), (12, "E08")]
    assert "Key 998877 is not in this library" in result.messages[0].text
    assert "This Key is an album; it was found on Tracks." in result.messages[1].text
    assert stranger_keys(book(sheet("Tracks", rows)), BASES).tolist() == [555, 998877]


def test_new_rows_are_taken_when_allowed_and_have_no_base() -> None:
    rows = [*copy.deepcopy(ROWS), track(555, None)]
    rows[-1]["My rating"] = 4

    edit = one(judge(rows, strangers={555: "track"}, allow_new_rows=True))

    assert (edit.key, edit.wanted, edit.base_source) == (555, 8.0, -1)


def test_unknown_rows_without_an_edit_are_nobodys_business() -> None:
    assert codes(judge([*copy.deepcopy(ROWS), track(998877, 4)])) == []


def test_a_damaged_key_is_healed_by_its_check() -> None:
    rows = edited(2, "My rating", 4.5)
    rows[2]["Key"] = "1.02E+02"

    result = judge(rows)

    assert one(result).key == 102
    assert codes(result) == [(4, "I03")]
    assert "'1.02E+02'" in result.messages[0].text


def test_a_damaged_key_that_nothing_identifies_is_refused() -> None:
    rows = edited(2, "My rating", 4.5)
    rows[2]["Key"] = "1.02E+02"
    unknown, contradicted = copy.deepcopy(rows), copy.deepcopy(rows)
    unknown[2]["Check"] = None
    contradicted[2]["Title"] = "Something else"

    assert codes(judge(unknown)) == [(4, "E03")]
    result = judge(contradicted)
    assert codes(result) == [(4, "E03")]
    assert "(it should be 102)" in result.messages[0].text


def test_a_key_that_belongs_to_another_title_is_refused() -> None:
    rows = edited(2, "My rating", 4.5)
    rows[2]["Key"] = "103"
    del rows[3]

    result = judge(rows, title_of=lambda kind, key: "Let It Be")

    assert result.edits == ()
    assert codes(result) == [(4, "E05")]
    assert result.messages[0].text == (
        "Row 4 says 'Title 102' but its Key belongs to 'Let It Be'. Not applied."
    )


def test_a_damaged_check_does_no_harm_while_the_remembered_one_fits() -> None:
    rows = edited(2, "My rating", 4.5)
    for value in (None, "0", "hello there", 12):
        rows[2]["Check"] = value
        assert one(judge(rows)).key == 102


@pytest.mark.parametrize("title", ["Title 102 ", "Title\n102", "TITLE 102"])
def test_titles_are_compared_as_programs_leave_them(title: str) -> None:
    rows = edited(2, "My rating", 4.5)
    rows[2]["Title"] = title

    result = judge(rows)

    assert bool(result.edits) == (title != "TITLE 102")


def test_one_key_on_two_rows() -> None:
    same = [*edited(0, "My rating", 3), track(100, 4)]
    same[-1]["My rating"] = 3
    other = copy.deepcopy(same)
    other[-1]["My rating"] = 2
    untouched = [*copy.deepcopy(ROWS), track(100, 4)]

    once, never, fine = judge(same), judge(other), judge(untouched)

    assert one(once).wanted == 6.0
    assert codes(once) == [(10, "I04")]
    assert never.edits == ()
    assert codes(never) == [(2, "E04"), (10, "E04")]
    assert never.messages[0].text == (
        "Key 100 appears on rows 2 and 10 with 3 and 2. Neither was applied."
    )
    assert (fine.edits, fine.messages) == ((), ())


def test_one_key_on_a_continued_sheet() -> None:
    first = sheet("Tracks", edited(0, "My rating", 3))
    second = replace(sheet("Tracks", edited(0, "My rating", 2)), name="Tracks 2")

    result = validate(book(first, second), BASES, next_year=2027)

    assert result.edits == ()
    assert [message.code for message in result.messages] == ["E04", "E04"]


# Scrambles


def many(n: int = 400) -> Rows:
    stars = np.random.default_rng(3).choice([None, 2, 3, 3.5, 4, 5], n)
    return [track(1000 + i, None if s is None else float(s)) for i, s in enumerate(stars)]


def test_titles_sorted_away_from_their_keys_stop_the_sheet_and_no_other() -> None:
    rows = many()
    bases = bases_of(track=rows, album=ALBUMS)
    moved = copy.deepcopy(rows)
    for row, other in zip(moved[:100], rows[1:101], strict=True):
        for header in ("Artist", "Album", "Title", "My rating"):
            row[header] = other[header]
    raw = book(sheet("Tracks", moved), sheet("Albums", edited(0, "My rating", 2, ALBUMS)))

    result = validate(raw, bases, next_year=2027)

    assert result.stopped == {"Tracks": "S01"}
    assert [edit.sheet for edit in result.edits] == ["Albums"]
    assert "Nothing on Tracks was changed" in result.messages[0].text


def test_ratings_sorted_alone_stop_the_sheet_unless_accepted() -> None:
    rows = many()
    bases = bases_of(track=rows)
    moved = copy.deepcopy(rows)
    ratings = sorted(row["My rating"] or 9 for row in rows)
    for row, stars in zip(moved, ratings, strict=True):
        row["My rating"] = None if stars == 9 else stars

    assert judge(moved, bases=bases).stopped == {"Tracks": "S02"}
    assert judge(moved, bases=bases).edits == ()
    assert len(judge(moved, bases=bases, accept_scramble=["tracks"]).edits) > 100


def test_a_shifted_column_names_its_first_row() -> None:
    rows = many()
    moved = copy.deepcopy(rows)
    ratings = [row["My rating"] for row in rows]
    del ratings[49]
    for row, stars in zip(moved, [*ratings, None], strict=True):
        row["My rating"] = stars

    result = judge(moved, bases=bases_of(track=rows))

    assert result.stopped == {"Tracks": "S03"}
    assert "every rating sits one row too high, as after deleting one cell" in (
        result.messages[0].text
    )


# Base


def test_without_the_state_the_was_columns_of_the_file_are_the_base() -> None:
    edit = one(judge(edited(2, "My rating", 4.5), bases=None))

    assert (edit.base, edit.base_in_plex, edit.base_source) == (7.0, 7.0, 1)
    assert judge(copy.deepcopy(ROWS), bases=None).edits == ()


def test_without_any_base_the_library_as_it_is_stands_in_and_it_is_said() -> None:
    rows = edited(2, "My rating", 4.5)
    for row in rows:
        for header in ("Was", "In Plex", "Inferred", "Source"):
            del row[header]

    result = judge(rows, bases=None, current=BASES)

    edit = one(result)
    assert (edit.base, edit.wanted, edit.base_source) == (7.0, 9.0, -1)
    assert result.two_way
    assert [message.code for message in result.messages] == ["F16"]


def test_the_state_outranks_the_was_columns() -> None:
    rows = copy.deepcopy(ROWS)
    rows[0]["Was"] = 1

    assert judge(rows).edits == ()


def test_a_list_that_does_not_say_its_kind_is_parted_by_its_keys() -> None:
    rows = [{"Key": "100", "My rating": 1}, {"Key": "10", "My rating": 2}]
    rows += [{"Key": "9", "My rating": 3}]

    result = validate(book(sheet(None, rows)), None, BASES, next_year=2027)

    assert [(e.kind, e.key, e.wanted) for e in result.edits] == [
        ("album", 10, 4.0),
        ("track", 100, 2.0),
    ]
    assert ("E02", 9) in [(m.code, m.key) for m in result.messages]


# Years, read-only cells


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(1969, "1969"), ("1969", "1969"), (datetime.date(1969, 9, 26), "1969-09-26")],
)
def test_a_year_is_an_edit_of_the_release_date(value: Any, wanted: str) -> None:
    edit = one(judge(edited(1, "Year", value, ALBUMS), "Albums"))

    assert (edit.field, edit.base, edit.wanted_text) == ("released", 1970.0, wanted)


def test_years_that_are_none_are_refused_and_an_emptied_one_is_kept() -> None:
    assert codes(judge(edited(1, "Year", "19O9", ALBUMS), "Albums")) == [(3, "E30")]
    emptied = judge(edited(1, "Year", None, ALBUMS), "Albums")
    assert (emptied.edits, codes(emptied)) == ((), [(3, "W60")])
    assert judge(edited(1, "Year", "1970", ALBUMS), "Albums").edits == ()


def test_a_changed_read_only_cell_is_said_and_the_row_goes_on() -> None:
    rows = edited(0, "In Plex", 2)
    rows[0]["My rating"] = 3

    result = judge(rows)

    assert one(result).wanted == 6.0
    assert codes(result) == [(2, "W60")]


# plex-rating-utils


def legacy(rows: Rows) -> Validated:
    lacking = ("Was", "In Plex", "Inferred", "Source", "Action", "Check")
    plain = [{k: v for k, v in row.items() if k not in lacking} for row in rows]
    current = bases_of(
        track=[
            *ROWS,
            track(200, None, Source="Inferred", **{"In Plex": 3.5}),
        ]
    )
    raw = book(sheet("Tracks", plain), legacy=True)
    return validate(raw, None, current, next_year=2027)


def as_listed() -> Rows:
    rows = copy.deepcopy(ROWS)
    for row in rows:
        row["ratingType"] = "Manual" if row["My rating"] else ""
    return [*rows, track(200, 3.5, ratingType="Inferred")]


def test_a_list_of_plex_rating_utils_unedited_changes_nothing() -> None:
    result = legacy(as_listed())

    assert result.edits == ()
    assert [message.code for message in result.messages] == ["F16"]


def test_rating_type_says_whose_a_rating_is() -> None:
    rows = as_listed()
    rows[0]["My rating"] = 2  # manual
    rows[1]["My rating"] = 3  # no type yet
    rows[8]["My rating"] = 1  # still inferred
    rows[2]["ratingType"] = "infered"

    result = legacy(rows)

    assert [(e.key, e.wanted) for e in result.edits] == [(100, 4.0), (101, 6.0)]
    assert [(m.code, m.key) for m in result.messages[1:]] == [("E20", 102), ("W60", 200)]


def test_an_inferred_rating_declared_manual_becomes_the_persons() -> None:
    rows = as_listed()
    rows[8]["ratingType"] = "manual"

    edit = one(legacy(rows))

    assert (edit.key, edit.wanted) == (200, 7.0)
