"""Two workbooks compared, and an older one's rows found in a changed library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plexsheet import library as lib
from plexsheet.compare import ROW, Sheets, compare, counts, find, rating_of, restore_plan
from plexsheet.library import Identity, Library
from plexsheet.ownership import owned
from plexsheet.state.store import State

WHO = Identity("s", "Attic", "u", 3, "Music", "1", "Anna")
NO_KEYS = {kind: np.empty(0, np.int64) for kind in lib.KINDS}
NOTHING: Any = {kind: {} for kind in lib.KINDS}


def track(title: str, mine: float | None, *, row: int = 2, length: float = 200.0) -> dict[str, Any]:
    return {
        "Artist": "Nina",
        "Album": "Live",
        "Title": title,
        "Length s": length,
        "My rating": mine,
        ROW: row,
    }


def library(titles: list[str], ratings: list[float], keys: list[int] | None = None) -> Library:
    n = len(titles)
    tracks = lib.table(
        "track",
        {
            "key": keys or list(range(1, n + 1)),
            "title": titles,
            "album": ["Live"] * n,
            "artist": ["Nina"] * n,
            "duration_ms": [200_000 + 10_000 * i for i in range(n)],
            "user_rating": ratings,
        },
    )
    return Library(WHO, lib.table("artist", {"key": [9]}), lib.table("album", {"key": [8]}), tracks)


def plan_of(folder: Path, sheets: Sheets, now: Library, **options: Any) -> Any:
    with State(folder / "state.db") as state:
        whose = owned(now, state.shadows(1), NO_KEYS)
    return restore_plan(sheets, now, whose, guids=NOTHING, tags=NOTHING, **options)


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


def test_rows_are_found_under_their_key_by_guid_and_by_titles():
    now = library(["A", "B", "C"], [np.nan] * 3, keys=[1, 20, 30])
    sheet = {1: track("A", 4.0), 2: track("B", 4.0), 3: track("C", 4.0), 4: track("D", 4.0)}

    found = find("track", sheet, now, {2: [20]})

    assert found.keys == {1: 1, 2: 20, 3: 30}
    assert found.by == {"key": 1, "guid": 1, "titles": 1, "file": 0}
    assert found.lost == (4,)


def test_of_two_items_with_one_name_the_one_of_the_same_length_is_meant():
    now = library(["A", "A"], [np.nan] * 2, keys=[10, 20])

    assert find("track", {1: track("A", 4.0, length=211.0)}, now, {}).keys == {1: 20}
    assert find("track", {1: track("A", 4.0, length=205.0)}, now, {}).keys == {}


def test_of_two_items_that_titles_do_not_tell_apart_the_one_with_the_file_is_meant():
    now = library(["A", "A"], [np.nan] * 2, keys=[10, 20])
    rows = {1: track("A", 4.0, length=205.0), 2: track("A", 3.0, length=205.0)}

    found = find("track", rows, now, {}, files={1: [20], 2: [10, 20]})

    assert found.keys == {1: 20}
    assert found.by["file"] == 1
    assert found.lost == (2,)


def test_two_rows_never_lay_claim_to_one_item():
    now = library(["A"], [np.nan], keys=[10])

    assert find("track", {1: track("A", 4.0), 2: track("A", 3.0)}, now, {}).keys == {}


def test_a_key_of_another_library_is_worth_nothing_without_its_titles():
    now = library(["Other"], [np.nan], keys=[1])
    sheet = {1: track("A", 4.0)}

    assert find("track", sheet, now, {}, same_library=True).keys == {1: 1}
    assert find("track", sheet, now, {}, same_library=False).keys == {}


def test_restoring_writes_what_differs_and_leaves_ratings_given_since(tmp_path: Path):
    now = library(["A", "B", "C", "D"], [8.0, 4.0, np.nan, 6.0])
    sheets: Sheets = {
        "Tracks": {
            1: track("A", 4.0, row=2),
            2: track("B", 3.0, row=3),
            3: track("C", 5.0, row=4),
            4: track("D", None, row=5),
            5: track("E", 2.0, row=6),
        }
    }

    plan = plan_of(tmp_path, sheets, now)

    assert plan.changes[["key", "before", "after", "owner_after", "row"]].fillna(
        -1
    ).values.tolist() == [
        [2, 4.0, 6.0, "person", 3],
        [3, -1, 10.0, "person", 4],
    ]
    assert [(o.row, o.outcome, o.code) for o in plan.outcomes] == [
        (3, "Would apply", ""),
        (4, "Would apply", ""),
        (5, "Kept", ""),
        (6, "Error", "E06"),
    ]


def test_restoring_exactly_also_removes_what_was_given_since(tmp_path: Path):
    now = library(["A"], [6.0])

    plan = plan_of(tmp_path, {"Tracks": {1: track("A", None)}}, now, exact=True)

    assert plan.changes["owner_after"].tolist() == ["none"]
    assert np.isnan(plan.changes["after"].tolist()[0])


@pytest.mark.parametrize("value", [None, "", "x", 0, -1, 6, True])
def test_what_is_no_rating_is_not_restored(value: Any):
    assert np.isnan(rating_of({"My rating": value}))
