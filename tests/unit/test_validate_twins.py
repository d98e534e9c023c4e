from __future__ import annotations

from typing import Any

import pytest

from plexsheet.workbook.edits.rules import Validated
from plexsheet.workbook.edits.validate import validate
from tests.raw_sheets import Rows, book, check, sheet

GROUPS = {17: (101, 102, 103), 18: (201, 202)}


def rows_of(**cells: tuple[str | None, str | None]) -> Rows:
    """The sheet with Decision and Sub-group typed on some keys (``k101=("SPLIT", "a")``)."""
    rows: Rows = []
    for group, keys in GROUPS.items():
        for key in keys:
            word, letter = cells.get(f"k{key}", (None, None))
            row: dict[str, Any] = {
                "Group": group,
                "Key": str(key),
                "Artist": "A",
                "Title": f"T {group}",
                "Album": f"Album {key}",
                "Decision": word,
                "Sub-group": letter,
                "Was decision": None,
            }
            rows.append(row | {"Check": check("Twins", row)})
    return rows


def judge(rows: Rows, siblings: Any = None) -> Validated:
    return validate(book(sheet("Twins", rows)), None, None, next_year=2027, siblings=siblings)


def wishes(result: Validated) -> dict[int, str]:
    assert all(edit.field == "twin" for edit in result.edits)
    return {edit.key: edit.wanted_text for edit in result.edits}


def refusals(result: Validated) -> dict[int, str]:
    return {message.key: message.code for message in result.messages}


def test_nothing_typed_nothing_decided() -> None:
    result = judge(rows_of())

    assert (result.edits, result.messages, result.two_way) == ((), (), False)


def test_split_gives_each_row_its_letter_and_blank_rows_follow() -> None:
    rows = rows_of(k101=("SPLIT", "a"), k102=("split", "A"), k103=(None, "b"))

    assert wishes(judge(rows)) == {
        101: "SPLIT\t101\ta",
        102: "SPLIT\t101\ta",
        103: "SPLIT\t101\tb",
    }


def test_never_and_same_concern_the_rows_they_stand_on() -> None:
    rows = rows_of(k101=("NEVER", None), k201=("SAME", None), k202=("SAME", None))

    assert wishes(judge(rows)) == {
        101: "NEVER\t101\t",
        201: "SAME\t201\t",
        202: "SAME\t201\t",
    }


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"k101": ("SPLIT", "a"), "k102": ("SPLIT", "b")}, "E40"),
        ({"k101": ("SPLIT", None)}, "E40"),
        ({"k101": ("SPLIT", "a"), "k102": ("SAME", None), "k103": ("SPLIT", "b")}, "E40"),
        ({"k101": (None, "a")}, "E40"),
        ({"k101": ("MAYBE", None)}, "E20"),
        ({"k101": ("SPLIT", "12")}, "E20"),
    ],
)
def test_half_decisions_are_refused_and_other_groups_go_on(
    cells: dict[str, tuple[str | None, str | None]], code: str
) -> None:
    result = judge(rows_of(**cells, k201=("NEVER", None)))

    assert set(refusals(result).values()) == {code}
    assert wishes(result) == {201: "NEVER\t201\t"}


def test_e40_names_the_group() -> None:
    result = judge(rows_of(k101=("SPLIT", None)))

    assert result.messages[0].text == "SPLIT needs a sub-group letter on each row of group 17."


def test_copies_that_share_one_rating_cannot_be_parted() -> None:
    siblings = {201: (202,), 202: (201,)}
    parted = rows_of(k201=("SPLIT", "a"), k202=("SPLIT", "b"))
    together = rows_of(k201=("SPLIT", "a"), k202=("SPLIT", "a"))
    never = rows_of(k201=("NEVER", None))

    assert refusals(judge(parted, siblings)) == {201: "E41", 202: "E41"}
    assert judge(parted, siblings).edits == ()
    assert refusals(judge(never, siblings)) == {201: "E41", 202: "E41"}
    assert set(wishes(judge(together, siblings))) == {201, 202}


def test_a_decision_taken_back_goes_back_to_what_is_computed() -> None:
    rows = rows_of()
    for row in rows[:3]:
        row["Was decision"] = "SPLIT a"
    rows[0] |= {"Decision": "SPLIT", "Sub-group": "a"}
    kept = [dict(row) for row in rows]
    for row in kept[:3]:
        row |= {"Decision": "SPLIT", "Sub-group": "a"}
    for row in rows[:3]:
        row |= {"Decision": None, "Sub-group": None}

    assert judge(kept).edits == ()
    assert wishes(judge(rows)) == {101: "", 102: "", 103: ""}


def test_a_row_whose_key_belongs_to_another_title_decides_nothing() -> None:
    rows = rows_of(k201=("NEVER", None))
    rows[3]["Title"] = "Another"

    result = judge(rows)

    assert result.edits == ()
    assert refusals(result) == {201: "E05"}
