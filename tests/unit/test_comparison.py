"""Two workbooks compared as a person would."""

from __future__ import annotations

from typing import Any

import pytest

from plexsheet.workbook.edits.comparison import Sheets, compare, counts


def track(title: str, mine: float | None) -> dict[str, Any]:
    return {"Artist": "Nina", "Album": "Live", "Title": title, "My rating": mine}


def test_a_changed_an_added_and_a_removed_row_are_told():
    old: Sheets = {"Tracks": {1: track("A", 4.0), 2: track("B", 3.0)}}
    new: Sheets = {"Tracks": {1: track("A", 4.5), 3: track("C", None)}}

    found = compare(old, new)

    assert [(d.key, d.column, d.old, d.new, d.what) for d in found] == [
        (1, "My rating", 4.0, 4.5, "changed"),
        (3, "", None, None, "added"),
        (2, "", None, None, "removed"),
    ]
    assert counts(found) == {"Tracks My rating": 1, "Tracks added": 1, "Tracks removed": 1}


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        (4.0, 4.004, True),
        (4.0, 4.01, False),
        (None, "", True),
        (None, 4.0, False),
        (4.0, "4", False),
    ],
)
def test_cells_are_compared_as_a_person_would(old: Any, new: Any, same: bool):
    before: Sheets = {"Tracks": {1: track("A", old)}}
    after: Sheets = {"Tracks": {1: track("A", new)}}

    assert (compare(before, after) == []) is same


def test_a_column_missing_from_one_file_is_not_a_difference():
    without = {"Artist": "Nina", "Title": "A"}

    assert compare({"Tracks": {1: without}}, {"Tracks": {1: track("A", 4.0)}}) == []
