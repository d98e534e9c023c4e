"""Reports as tables: a small library worked out by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexsheet.config.settings import InferenceSettings
from plexsheet.inference import infer
from plexsheet.inference.model import Evidence
from plexsheet.library import KINDS, Identity, Library, table
from plexsheet.reports import catalogue, data, page, tables, text
from plexsheet.reports.advice import rate_next
from plexsheet.reports.report import Measured, RunFigures, Subject, link

NAN = math.nan
CLASSIC = InferenceSettings(model="classic")


def library():
    """Two artists, three albums, eleven tracks, one pair of twins."""
    return Library(
        Identity("serv", "Server", "uuid", 1, "Music", "1", "me"),
        table("artist", {"key": [1, 2], "title": ["Ann", "Bob"], "user_rating": [NAN, 8.0]}),
        table(
            "album",
            {
                "key": [10, 11, 12],
                "title": ["First", "Best of", "Blue"],
                "artist_key": [1, 1, 2],
                "artist": ["Ann", "Ann", "Bob"],
                "year": [1999, 2005, 2010],
                "user_rating": [NAN, NAN, 6.0],
                "critic_rating": [7.0, NAN, 5.0],
            },
        ),
        table(
            "track",
            {
                "key": range(100, 111),
                "title": [*"ABCDE", "A", *"GHIJK"],
                "album_key": [10] * 5 + [11] * 3 + [12] * 3,
                "album": ["First"] * 5 + ["Best of"] * 3 + ["Blue"] * 3,
                "artist_key": [1] * 8 + [2] * 3,
                "artist": ["Ann"] * 8 + ["Bob"] * 3,
                "duration_ms": [200_000] * 11,
                "view_count": [0, 0, 0, 0, 50, 0, 0, 9, 0, 0, 0],
                # A disagrees with its twin; D dissents; G was inferred
                "user_rating": [10.0, 9.0, 10.0, 2.0, NAN, 8.0, 3.0, NAN, NAN, NAN, NAN],
            },
        ),
    )


def subject(**changes):
    lib = library()
    evidence = Evidence.all_manual(lib)
    manual = dict(evidence.manual)
    manual["track"] = manual["track"] & (lib.keys("track") != 106)
    excluded = dict(evidence.excluded)
    excluded["track"] = lib.keys("track") == 110
    evidence = replace(evidence, manual=manual, excluded=excluded)
    return Subject(lib, evidence, infer(lib, evidence, CLASSIC), settings=CLASSIC, **changes)


def rows(report):
    return [dict(zip(report.columns, row, strict=True)) for row in report.rows]


def test_coverage_counts_every_item_once():
    report = tables.build("coverage", subject())

    assert report.rows[0] == ("Artists", 2, 1, 0, 0, 1, 0, 50.0)
    assert report.rows[1] == ("Albums", 3, 1, 0, 0, 2, 0, 33.3)
    assert report.rows[2] == ("Tracks", 11, 5, 1, 0, 4, 1, 54.5)
    assert report.rows[3] == ("All", 16, 7, 1, 0, 7, 1, 50.0)
    assert report.summary["unrated"] == 7


def test_coverage_takes_whose_a_rating_is_from_the_caller():
    words = {
        kind: np.full(n, "Twin", dtype=object) for kind, n in zip(KINDS, (2, 3, 11), strict=True)
    }

    report = tables.build("coverage", subject(source=words))

    assert report.rows[3][1:] == (16, 0, 0, 16, 0, 0, 100.0)


def test_histogram_has_every_half_star_and_tells_manual_from_inferred():
    report = tables.build("histogram", subject())

    assert [row[0] for row in report.rows] == [half / 2 for half in range(1, 11)]
    assert {row[0]: row[1] for row in report.rows if row[1]} == {1.0: 1, 4.0: 1, 4.5: 1, 5.0: 2}
    assert report.summary["inferred"] == 5
    assert sum(row[2] for row in report.rows) == 5


def standing(about, **track):
    """The same library where a run would leave tracks (by row, "r6") at these ratings."""
    after = {kind: about.library.ratings(kind).copy() for kind in KINDS}
    for row, rating in track.items():
        after["track"][int(row[1:])] = rating
    return replace(about, after=after)


def test_thresholds_count_what_enters_and_leaves_at_each_line():
    # Row 6 stands at 1.5 stars, rows 7 and 8 are unrated.
    report = tables.build("thresholds", standing(subject(), r6=6.2, r7=8.0, r8=3.0))

    found = {row["Stars"]: (row["Tracks in"], row["Tracks out"]) for row in rows(report)}
    assert found == {2.0: (2, 0), 2.5: (2, 0), 3.0: (2, 0), 4.0: (1, 0)}
    assert report.summary["enter"] == 7
    assert report.summary["leave"] == 0
    assert report.summary["newly_rated_tracks"] == 2


def test_a_rating_at_the_threshold_is_above_it():
    report = tables.build("thresholds", standing(subject(), r6=4.0))

    assert rows(report)[0]["Tracks in"] == 1


def test_what_loses_its_rating_leaves_every_line_it_was_above():
    about = standing(subject(), r6=np.nan)
    ratings = about.library.ratings("track").copy()
    ratings[6] = 6.0
    tracks = about.library.tracks.assign(user_rating=ratings)
    report = tables.build(
        "thresholds", replace(about, library=replace(about.library, tracks=tracks))
    )

    assert [row["Tracks out"] for row in rows(report)] == [1, 1, 1, 0]
    assert [row["Leaves"] for row in rows(report.items)] == ["2 · 2.5 · 3"]


def test_the_items_that_cross_a_line_are_listed_those_at_high_lines_first():
    report = tables.build("thresholds", standing(subject(), r6=6.2, r7=8.0, r8=3.0))

    listed = [(row["Key"], row["Was"], row["Becomes"], row["Enters"]) for row in rows(report.items)]
    assert listed == [(107, None, 4.0, "2 · 2.5 · 3 · 4"), (106, 1.5, 3.1, "2 · 2.5 · 3")]
    assert len(tables.build("thresholds", standing(subject(), r6=6.2, r7=8.0), 1).items.rows) == 1


def test_what_the_last_run_moved_is_counted_beside_what_the_next_would():
    gone = {"key": [107, 9999], "before": [np.nan, np.nan], "after": [6.0, 6.0]}
    none = pd.DataFrame({name: [] for name in gone}).astype({"key": np.int64})
    moved = {"artist": none, "album": none, "track": pd.DataFrame(gone)}

    report = tables.build("thresholds", replace(standing(subject()), moved=moved))

    assert [row["When"] for row in rows(report)] == ["Next run"] * 4 + ["Last run"] * 4
    assert [row["Tracks in"] for row in rows(report)] == [0, 0, 0, 0, 1, 1, 1, 0]
    assert report.summary["last_run_enter"] == 3
    assert [(row["When"], row["Key"]) for row in rows(report.items)] == [("Last run", 107)]


def test_every_report_is_in_the_menu_once_and_its_maker_is_there():
    letters = [entry.menu for entry in catalogue.REPORTS]

    assert len(set(letters)) == len(letters)
    assert all(len(one) == 1 and one == one.lower() and one not in "tpcx" for one in letters)
    assert all(tables.maker(entry).__doc__ for entry in catalogue.REPORTS)
    assert catalogue.SHEETS == ("Reports", "Most played", "Thresholds", "Dissenters")


def test_twins_list_every_copy_and_put_disagreements_first():
    report = tables.build("twins", subject())

    assert [row["Verdict"] for row in rows(report)] == ["DISAGREE"] * 2
    assert [row["Album"] for row in rows(report)] == ["First", "Best of"]
    assert [row["Group value"] for row in rows(report)] == [4.5, 4.5]
    assert [row["Year"] for row in rows(report)] == [1999, 2005]
    assert report.summary == {"groups": 1, "copies": 2, "disagreements": 1}


def test_dissenters_compare_a_track_with_the_others_only():
    report = tables.build("dissenters", subject())

    first = rows(report)[0]
    assert first["Title"] == "D"
    assert first["My rating"] == 1.0
    assert first["Others' mean"] == pytest.approx((10 + 9 + 10) / 3 / 2, abs=0.01)
    assert first["n"] == 3
    assert first["Difference"] == pytest.approx(1 - 29 / 6, abs=0.01)
    assert first["z"] < -2
    assert first["Link"] == link(subject().library.identity, 103)


def test_tracks_near_the_others_do_not_dissent():
    about = subject()
    about.library.tracks.loc[3, "user_rating"] = 9.0

    assert tables.build("dissenters", about).rows == []


def test_critics_are_compared_with_tracks_and_albums():
    report = rows(tables.build("critics", subject()))

    assert report[0]["n"] == 4
    assert report[0]["Bias"] == pytest.approx((31 / 4 - 7) / 2, abs=0.01)
    assert report[1]["n"] == 1
    assert report[1]["Bias"] == 0.5
    assert report[2]["n"] == 1


def test_slopes_against_critics_need_three_scores():
    assert [row["Slope"] for row in rows(tables.build("critics", subject()))] == [None] * 3


def test_the_weight_of_critics_in_use_is_named():
    about = subject()

    assert tables.build("critics", about).summary["weight"] == 0.75
    learned = replace(about, inference=replace(about.inference, model="learned"))
    with_slope = replace(learned, critic={"slope": 0.1, "error": 0.05, "n": 4})
    assert tables.build("critics", learned).summary["slope"] is None
    assert "learned from 4 ratings" in tables.build("critics", with_slope).note
    assert "0.1 ± 0.05" in tables.build("critics", with_slope).note


def test_the_critics_slope_comes_from_the_fit():
    about = subject()
    slope = {"slope": 0.21, "error": 0.04, "n": 12}
    fitted = replace(about.inference, model="learned", details={"critic": slope})

    summary = tables.build("critics", replace(about, inference=fitted)).summary

    assert (summary["n"], summary["slope"], summary["slope_error"]) == (12, 0.21, 0.04)


def test_accuracy_is_shown_in_stars_beside_the_means():
    one = Measured("learned, by album", "track", 100, 1.8, 2.0, 0.79)

    report = tables.build("accuracy", subject(measured=[one]))

    assert report.rows == [("learned, by album", "Track", 100, 0.9, 1.0, 90.0, 79.0)]
    assert report.summary["error_stars"] == 0.9


def test_accuracy_comes_from_the_fit_where_it_has_it():
    about = subject()
    few = {"n": 1, "error": None, "mean_error": None, "coverage": None}
    of_tracks = {"n": 40, "error": 1.5, "mean_error": 2.0, "coverage": 0.8}
    of_albums = {"n": 9, "error": 1.0, "mean_error": 2.0, "coverage": 0.7}
    details = {"left_out": {"track": of_tracks, "album": of_albums, "artist": few}}
    fitted = replace(about, inference=replace(about.inference, details=details))

    report = tables.build("accuracy", fitted)

    assert [row[1:5] for row in report.rows] == [
        ("Track", 40, 0.75, 1.0),
        ("Album", 9, 0.5, 1.0),
    ]
    assert tables.build("accuracy", about).rows == []


def test_rate_next_names_what_is_played_and_unsure():
    report = rate_next(subject())

    keys = [row["Key"] for row in rows(report)]
    assert keys[0] == 104 or rows(report)[0]["Plays"] > 0
    manual = {100, 101, 102, 103, 105, 110, 12, 2}
    assert not manual & set(keys)
    assert len({(row["Artist"], row["Title"]) for row in rows(report)}) == len(keys)


def test_rate_next_is_as_long_as_asked():
    assert len(tables.build("rate-next", subject(), top=1).rows) == 1


def test_the_run_tells_prior_and_counts():
    figures = RunFigures("classic", prior_after=7.0, prior_before=6.5, written={"track": 5})

    report = tables.build("run", subject(run=figures))

    assert report.summary["shift_stars"] == 0.25
    assert report.summary["tracks_written"] == 5
    assert tables.build("run", subject()).summary["ratings"] == 7


def test_an_unknown_report_is_refused_with_the_names():
    with pytest.raises(ValueError, match="coverage"):
        tables.build("nothing", subject())


def test_a_link_has_the_server_and_the_key_but_no_token():
    address = link(subject().library.identity, 103)

    assert address.startswith("https://app.plex.tv/desktop/#!/server/serv/details")
    assert address.endswith("%2Flibrary%2Fmetadata%2F103")
    assert "oken" not in address


def empty():
    none = Library(
        Identity("", "", "", 0, "", "", ""), *(table(kind, {"key": []}) for kind in KINDS)
    )
    evidence = Evidence.all_manual(none)
    return Subject(none, evidence, infer(none, evidence, CLASSIC), settings=CLASSIC)


@pytest.mark.parametrize("name", list(catalogue.BY_NAME))
def test_an_empty_library_has_every_report(name):
    report = tables.build(name, empty())

    assert text.text(report)
    assert data.as_json(report)["report"] == name


RATINGS = st.lists(
    st.one_of(st.just(NAN), st.sampled_from([0.5, 4.0, 10.0])), min_size=11, max_size=11
)


@given(RATINGS, st.lists(st.booleans(), min_size=11, max_size=11))
def test_any_ratings_give_plain_cells_that_every_form_can_hold(ratings, excluded):
    lib = library()
    lib.tracks["user_rating"] = np.array(ratings)
    evidence = Evidence.all_manual(lib)
    evidence = replace(evidence, excluded={**evidence.excluded, "track": np.array(excluded)})
    about = Subject(lib, evidence, infer(lib, evidence, CLASSIC), settings=CLASSIC)

    for report in tables.build_all(about):
        for row in report.rows:
            assert len(row) == len(report.columns)
            assert all(type(cell) in {str, int, float, type(None)} for cell in row)
            assert all(math.isfinite(cell) for cell in row if isinstance(cell, float))
        json.dumps(data.as_json(report), allow_nan=False)
        alone = data.csv_text(replace(report, items=None))
        assert alone.count("\r\n") == len(report.rows) + 1
        assert max(len(line) for line in text.text(report, 100).splitlines()) <= 100
    coverage = tables.build("coverage", about)
    assert all(row[1] == sum(row[2:7]) for row in coverage.rows)
    assert page.page(tables.build_all(about), "Music").count("<section") == len(catalogue.REPORTS)
