from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexsheet import library
from plexsheet.inference.model import Evidence, Inference, Inferred, TwinDecision
from plexsheet.library import KINDS, Identity, Library
from plexsheet.workbook.schema import check
from plexsheet.workbook.schema.columns import SHEETS
from plexsheet.workbook.schema.finding import exported
from plexsheet.workbook.writing import sheet_data, why

NAN = np.nan
IDENTITY = Identity("server", "Attic", "uuid", 1, "Music", "1", "Anna")


@dataclass
class Owned:
    evidence: Evidence
    source: dict[Any, Any] = field(default_factory=dict)


def small() -> Library:
    """Two artists, three albums, five tracks; sheet order differs from key order."""
    return Library(
        IDENTITY,
        library.table(
            "artist", {"key": [1, 2], "title": ["The Zoo", "Ada"], "sort_title": ["Zoo", "Ada"]}
        ),
        library.table(
            "album",
            {
                "key": [10, 11, 12],
                "title": ["Late", "Early", "Solo"],
                "artist_key": [1, 1, 2],
                "artist": ["The Zoo", "The Zoo", "Ada"],
                "year": [1999, 1970, 0],
                "format": ["Album", "Album", "EP"],
                "subformat": ["", "Live; Other", ""],
                "user_rating": [NAN, 8, NAN],
                "added_at": [1_700_000_000, 0, 0],
            },
        ),
        library.table(
            "track",
            {
                "key": [100, 101, 102, 103, 104],
                "title": ["B", "A", "A", "Hum", "A"],
                "album_key": [10, 10, 11, 12, 12],
                "artist_key": [1, 1, 1, 2, 2],
                "artist": ["The Zoo"] * 3 + ["Ada"] * 2,
                "album": ["Late", "Late", "Early", "Solo", "Solo"],
                "index": [2, 1, 1, 1, 2],
                "duration_ms": [60_000, 200_000, 204_400, 0, 180_000],
                "user_rating": [NAN, 8, 6, 7.3333, NAN],
            },
        ),
    )


def inferred(rows: int, value: float = 7.0) -> Inferred:
    ones = np.ones(rows)
    parts = {"library": 6 * ones, "artist": (value - 6) * ones}
    return Inferred(value * ones, ones, 50 * ones, ones, parts, {"artist": 3 * ones})


def view_of(lib: Library, groups: list[int], **decisions: TwinDecision) -> sheet_data.View:
    evidence = replace(
        Evidence.all_manual(lib), twin_decisions={d.key: d for d in decisions.values()}
    )
    source = {
        kind: np.where(evidence.manual[kind], "Manual", "Unrated").astype(object) for kind in KINDS
    }
    proposals = [inferred(len(lib.table(kind))) for kind in KINDS]
    words = np.array(["name" if g >= 0 else "" for g in groups], dtype=object)
    inference = Inference("classic", 6.0, *proposals, np.array(groups), words)
    return sheet_data.View(lib, inference, Owned(evidence, source))


@pytest.fixture
def view() -> sheet_data.View:
    return view_of(small(), [-1, 0, 0, -1, -1])


def test_every_exported_column_has_values_of_one_length(view: sheet_data.View) -> None:
    made = sheet_data.sheet_tables(view)
    assert set(made) == set(SHEETS) - {"Rate next"}  # that one comes of a report
    for sheet in made:
        assert set(made[sheet]) == {c.name for c in exported(sheet)}
        assert len({len(values) for values in made[sheet].values()}) == 1


def test_rows_stand_by_artist_then_year_then_number(view: sheet_data.View) -> None:
    made = sheet_data.sheet_tables(view)
    assert made["Artists"]["title"].tolist() == ["Ada", "The Zoo"]
    assert made["Albums"]["title"].tolist() == ["Solo", "Early", "Late"]
    assert made["Tracks"]["key"].tolist() == ["103", "104", "102", "101", "100"]


def test_my_rating_shows_the_persons_stars_and_was_the_same(view: sheet_data.View) -> None:
    made = sheet_data.sheet_tables(view)["Tracks"]
    np.testing.assert_equal(made["my_rating"], [3.67, NAN, 3, 4, NAN])
    np.testing.assert_equal(made["was"], made["my_rating"])


def test_counts_dates_and_types_of_albums(view: sheet_data.View) -> None:
    made = sheet_data.sheet_tables(view)["Albums"]
    assert made["tracks"].tolist() == [2, 1, 2]
    assert made["rated_tracks"].tolist() == [1, 1, 1]
    assert made["coverage"].tolist() == [50, 100, 50]
    assert made["format"].tolist() == ["EP", "Live", "Album"]
    np.testing.assert_equal(made["year"], [NAN, 1970, 1999])
    np.testing.assert_equal(made["added"], [NAN, NAN, 45_244])  # 14 Nov 2023


def test_dates_are_the_days_of_the_persons_own_calendar(view: sheet_data.View) -> None:
    late = replace(view, utc_offset_s=lambda _: 7 * 3600)  # 22:13 UTC is the next morning there
    assert sheet_data.sheet_tables(late)["Albums"]["added"][2] == 45_245


def test_bases_hold_what_was_shown_on_the_ten_point_scale(view: sheet_data.View) -> None:
    base = sheet_data.bases(view)["track"]
    np.testing.assert_equal(base["mine"].to_numpy(), [7.34, NAN, 6, 8, NAN])
    assert base["in_plex"][0] == pytest.approx(7.3333)
    assert base["source"].tolist() == [1, 0, 1, 1, 0]
    assert base["check"][0] == check.check_number("track", 103, "Hum", "Ada", "Solo")
    assert base.dtypes.astype(str).to_dict() == {
        "key": "int64",
        "mine": "float64",
        "in_plex": "float64",
        "source": "uint8",
        "inferred": "float64",
        "check": "int64",
    }


def test_copies_rated_differently_disagree_and_come_first() -> None:
    made = sheet_data.sheet_tables(view_of(small(), [0, 1, 1, 0, 1]))
    twins = made["Twins"]
    assert twins["group"].tolist() == [1, 1, 1, 2, 2]
    assert twins["key"].tolist() == ["104", "102", "101", "103", "100"]
    assert twins["group_value"].tolist() == ["DISAGREE"] * 3 + [3.5] * 2  # what key 100 would get
    np.testing.assert_equal(twins["off_median_s"], [-20, 4.4, 0, NAN, 0])
    assert made["Tracks"]["twin_group"].tolist() == [2, 1, 1, 1, 2]


def test_copies_parted_by_a_decision_stay_on_the_sheet_under_one_number() -> None:
    view = view_of(
        small(),
        [-1, 0, 0, -1, -1],
        a=TwinDecision(101, "SPLIT", "g", "a"),
        b=TwinDecision(104, "SPLIT", "g", "b"),
        c=TwinDecision(100, "NEVER"),
    )

    twins = sheet_data.sheet_tables(view)["Twins"]

    rows = zip(twins["key"], twins["group"], twins["decision"], twins["sub_group"], strict=True)
    assert list(rows) == [
        ("104", 1, "SPLIT", "b"),
        ("102", 1, "", ""),
        ("101", 1, "SPLIT", "a"),
        ("100", 2, "NEVER", ""),
    ]
    assert twins["was_decision"].tolist() == ["SPLIT b", "", "SPLIT a", "NEVER"]


def test_an_empty_library_gives_empty_sheets() -> None:
    empty = Library(IDENTITY, *(library.table(kind, {"key": []}) for kind in KINDS))
    made = sheet_data.sheet_tables(view_of(empty, []))
    assert all(len(values) == 0 for sheet in made.values() for values in sheet.values())
    assert [len(base) for base in sheet_data.bases(view_of(empty, [])).values()] == [0, 0, 0]


@given(
    st.lists(
        st.tuples(st.floats(0, 10) | st.just(NAN), st.floats(-3, 3), st.integers(0, 2000)),
        min_size=1,
        max_size=20,
    )
)
def test_why_of_all_rows_is_why_of_each(rows: list[tuple[float, float, int]]) -> None:
    value, part, count = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    parts = {"library": value - part, "artist": part, "genre": np.round(part, 1)}
    one = Inferred(value, value, value, value, parts, {"artist": count})
    each = [one.why(row).replace(" -0.0", " 0.0") for row in range(len(rows))]
    assert why.why_texts(one).tolist() == each
