"""An older workbook's rows found in a changed library, and its ratings put back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plexsheet import library as lib
from plexsheet.identity import number_of
from plexsheet.library import Identity, Library
from plexsheet.operations.restore_plan import OldRow, OldSheet, find, restore_plan
from plexsheet.ownership import owned
from plexsheet.state.store import State
from plexsheet.workbook.schema import cell_values

WHO = Identity("s", "Attic", "u", 3, "Music", "1", "Anna")
NO_KEYS = {kind: np.empty(0, np.int64) for kind in lib.KINDS}
NOTHING: Any = {kind: {} for kind in lib.KINDS}


def track(title: str, length: float = 200.0) -> dict[str, Any]:
    return {"Artist": "Nina", "Album": "Live", "Title": title, "Length s": length}


def row(title: str, mine: float | str | None, line: int = 2, length: float = 200.0) -> OldRow:
    if isinstance(mine, str):
        reading = cell_values.rating(cell_values.TEXT, np.nan, mine)
    elif mine is None:
        reading = cell_values.EMPTY
    else:
        reading = cell_values.rating(cell_values.NUMBER, mine, "")
    return OldRow("Tracks", line, track(title, length), reading)


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


def plan_of(folder: Path, rows: dict[int, OldRow], now: Library, **options: Any) -> Any:
    with State(folder / "state.db") as state:
        whose = owned(now, state.shadows(1), NO_KEYS)
    sheets = {"track": OldSheet(rows)}
    return restore_plan(sheets, now, whose, guids=NOTHING, tags=NOTHING, **options)


def test_rows_are_found_under_their_key_by_guid_and_by_titles():
    now = library(["A", "B (remastered)", "C"], [np.nan] * 3, keys=[1, 20, 30])
    now.tracks["guid"] = ["", "plex://track/b", ""]
    sheet = {1: track("A"), 2: track("B"), 3: track("C", 220.0), 4: track("D")}
    sheet[2] = track("B (Remaster)", 210.0)

    found = find("track", sheet, now, {2: number_of("plex://track/b")})

    assert found.keys == {1: 1, 2: 20, 3: 30}
    assert found.by == {"key": 1, "guid": 1, "titles": 1, "file": 0}
    assert found.lost == (4,)


def test_of_two_items_with_one_name_the_one_of_the_same_length_is_meant():
    now = library(["A", "A"], [np.nan] * 2, keys=[10, 20])

    assert find("track", {1: track("A", length=211.0)}, now, {}).keys == {1: 20}
    assert find("track", {1: track("A", length=205.0)}, now, {}).keys == {}


def test_of_two_items_that_titles_do_not_tell_apart_the_one_with_the_file_is_meant():
    now = library(["A", "A"], [np.nan] * 2, keys=[10, 20])
    rows = {1: track("A", length=205.0), 2: track("A", length=205.0)}

    found = find("track", rows, now, {}, files={1: [20], 2: [10, 20]})

    assert found.keys == {1: 20}
    assert found.by["file"] == 1
    assert found.lost == (2,)


def test_two_rows_never_lay_claim_to_one_item():
    now = library(["A"], [np.nan], keys=[10])

    assert find("track", {1: track("A"), 2: track("A")}, now, {}).keys == {}


@pytest.mark.parametrize("same_library", [True, False])
def test_a_key_is_worth_nothing_without_its_titles(same_library: bool):
    """Also one of this library: after a backup was restored the same number is another song."""
    now = library(["Other"], [np.nan], keys=[1])
    sheet = {1: track("A")}

    assert find("track", sheet, now, {}, same_library=same_library).keys == {}


def test_of_a_list_of_nowhere_the_key_counts_for_nothing_and_the_titles_for_all():
    now = library(["A", "B"], [np.nan] * 2, keys=[1, 2])
    sheet = {1: track("B", 210.0), 2: track("A")}

    assert find("track", sheet, now, {}, same_library=False).keys == {1: 2, 2: 1}


def test_restoring_writes_what_differs_and_leaves_ratings_given_since(tmp_path: Path):
    now = library(["A", "B", "C", "D"], [8.0, 4.0, np.nan, 6.0])
    rows = {
        1: row("A", 4.0, 2, 200.0),
        2: row("B", 3.0, 3, 210.0),
        3: row("C", 5.0, 4, 220.0),
        4: row("D", None, 5, 230.0),
        5: row("E", 2.0, 6),
    }

    plan = plan_of(tmp_path, rows, now)

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

    plan = plan_of(tmp_path, {1: row("A", None)}, now, exact=True)

    assert plan.changes["owner_after"].tolist() == ["none"]
    assert np.isnan(plan.changes["after"].tolist()[0])


@pytest.mark.parametrize(
    ("typed", "code"), [("x", "E10"), (0, "E13"), (-1, "E12"), (6, "E11"), ("1.234,5", "E16")]
)
def test_what_is_no_rating_is_told_and_takes_none_away(tmp_path: Path, typed: Any, code: str):
    now = library(["A"], [6.0])

    plan = plan_of(tmp_path, {1: row("A", typed)}, now, exact=True)

    assert not len(plan)
    assert [(o.outcome, o.code) for o in plan.outcomes] == [("Error", code)]


def test_ratings_are_read_as_people_type_them(tmp_path: Path):
    now = library(["A", "B", "C"], [6.0, 6.0, 6.0])
    rows = {
        1: row("A", "4,5"),
        2: row("B", "★★★★", length=210.0),
        3: row("C", "CLEAR", length=220.0),
    }

    plan = plan_of(tmp_path, rows, now)

    assert plan.changes[["key", "after"]].values.tolist() == [[1, 9.0], [2, 8.0]]
    assert [o.outcome for o in plan.outcomes] == ["Would apply", "Would apply", "Kept"]
