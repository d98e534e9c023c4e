"""Inference as a person meets it: run after run into Plex, settings honoured, reports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from plexsheet.demo.library import Row
from tests.driver import Tool, rows_of_sheet
from tests.plex.server import DemoPlex

KINDS = ("artist", "album", "track")
INFERRED = "rating_inferred"


def album_of(artist: str, album: str, rating: float, rated: int, tracks: int = 10) -> list[Row]:
    return [
        Row(
            artist=artist,
            album=album,
            track=f"{album} song {number}",
            index=number + 1,
            duration_ms=200_000,
            user_rating=rating if number < rated else None,
        )
        for number in range(tracks)
    ]


LOVED_AND_HATED = [*album_of("X", "Loved", 10.0, 6), *album_of("Y", "Hated", 2.0, 6)]


def value(plex: DemoPlex, kind: str, title: str) -> float:
    (found,) = (item for item in plex.items(kind) if item["title"] == title)
    return plex.rating(found["key"])


def moods(plex: DemoPlex) -> dict[int, list[str]]:
    return {
        item["key"]: [mood.casefold() for mood in item["tags"].get("mood", [])]
        for kind in KINDS
        for item in plex.items(kind)
    }


@pytest.fixture
def plex() -> Iterator[DemoPlex]:
    with DemoPlex(tracks=400) as plex:
        yield plex


@pytest.mark.slow
@pytest.mark.parametrize("model", ["learned", "classic"])
def test_a_loved_album_stands_above_a_hated_one_after_any_number_of_runs(
    tmp_path: Path, model: str
) -> None:
    with DemoPlex(LOVED_AND_HATED) as plex:
        tool = Tool(tmp_path, plex, MODEL=model, ROUNDING="none")
        seen = []
        for _ in range(3):
            tool.infer()
            seen.append(plex.ratings())

        assert seen[0] == seen[1] == seen[2]
        assert value(plex, "album", "Loved") - value(plex, "album", "Hated") > 3
        assert value(plex, "artist", "X") - value(plex, "artist", "Y") > 1
        loved, hated = (
            [value(plex, "track", f"{album} song {n}") for n in range(6, 10)]
            for album in ("Loved", "Hated")
        )
        assert min(loved) - max(hated) > 3
        if model == "classic":  # (C·p + sum) / (C + n) with C = 3 and p = 6
            assert value(plex, "album", "Loved") == pytest.approx(78 / 9, abs=0.01)
            assert value(plex, "album", "Hated") == pytest.approx(30 / 9, abs=0.01)


def test_the_object_of_infer_says_what_would_be_and_what_was_written(
    tmp_path: Path, plex: DemoPlex
) -> None:
    tool = Tool(tmp_path, plex)

    preview = tool("infer", "--preview", "--json").json
    assert not plex.writes
    done = tool.infer()

    assert set(done) == {
        "error", "run", "preview", "model", "prior", "counts", "rows", "requests", "seconds"
    }  # fmt: skip
    assert (preview["preview"], preview["run"], done["preview"]) == (True, None, False)
    assert preview["counts"] | {"written": 0} == done["counts"] | {"written": 0}
    counts = done["counts"]
    assert counts["written"] == counts["artists"] + counts["albums"] + counts["tracks"] > 100
    assert preview["prior"] == done["prior"]
    shown = {(row["kind"], row["key"]): row["becomes"] for row in preview["rows"]}
    assert len(shown) == counts["written"]
    assert {row["outcome"] for row in preview["rows"]} == {"Would apply"}
    assert {row["outcome"] for row in done["rows"]} == {"Applied"}
    assert all(plex.rating(key) == pytest.approx(2 * shown[kind, key]) for kind, key in shown)


def test_a_preview_can_be_a_workbook_that_is_looked_at_and_not_imported(
    tmp_path: Path, plex: DemoPlex
) -> None:
    tool, file = Tool(tmp_path, plex), tmp_path / "plan.xlsx"

    found = tool("infer", "--preview", "--output", file, "--json").json

    rows = rows_of_sheet(file, "Preview")
    assert found["file"] == str(file)
    assert [int(row["Key"]) for row in rows] == [row["key"] for row in found["rows"]]
    assert [row["Becomes"] or None for row in rows] == [row["becomes"] for row in found["rows"]]
    assert list(openpyxl.load_workbook(file)["Preview"].tables) == ["tblPreview"]
    assert tool("infer", "--preview", "--output", file).exit_code == 2, "replaced unasked"
    refused = tool("import", file, "--yes")
    assert refused.exit_code == 3
    assert "nothing in it is imported" in refused.words
    assert not plex.writes


def test_the_summary_tells_the_level_at_start_and_end_and_what_was_taken_over(
    tmp_path: Path, plex: DemoPlex
) -> None:
    tool = Tool(tmp_path, plex)
    tool.infer()
    tags = moods(plex)
    ours = [item["key"] for item in plex.items("track") if INFERRED in tags[item["key"]]]
    for key in ours[:3]:
        plex.rate(key, 1.0)

    again = tool("infer", "--yes").output

    assert "3 inferred ratings are now yours" in again
    assert "library level before" in again
    assert "left as they are" in again
    for key in ours[:3]:
        assert plex.rating(key) == 1.0
        assert INFERRED not in moods(plex)[key]


def test_values_of_too_little_confidence_stay_unrated_and_are_withdrawn(
    tmp_path: Path, plex: DemoPlex
) -> None:
    theirs = plex.ratings()
    assert Tool(tmp_path, plex)("infer", "--yes").exit_code == 0
    everything = plex.ratings()

    strict = Tool(tmp_path, plex, MIN_CONFIDENCE=35)
    result = strict("infer", "--yes", "--json")

    left = plex.ratings()
    assert result.json["counts"]["cleared"] == len(everything) - len(left) > 20
    assert theirs.items() <= left.items()
    assert len(left) > len(theirs)
    tags = moods(plex)
    assert not any(INFERRED in tags[key] for key in set(everything) - set(left))
    confidence = {row["Key"]: row["Confidence"] for row in rows_of_sheet(strict.export(), "Tracks")}
    for key in set(left) - set(theirs):
        assert confidence.get(str(key), confidence.get(float(key), 35)) >= 34.5


@pytest.mark.slow
@pytest.mark.parametrize(("rounding", "step"), [(0.5, 1.0), (1, 2.0), (0.05, 0.1)])
def test_written_values_stand_on_the_steps_of_the_rounding(
    tmp_path: Path, plex: DemoPlex, rounding: float, step: float
) -> None:
    theirs = set(plex.ratings())
    tool = Tool(tmp_path, plex, ROUNDING=rounding)
    tool.infer()

    written = np.array([v for key, v in plex.ratings().items() if key not in theirs])

    np.testing.assert_allclose(written / step, np.round(written / step), atol=1e-4)
    assert len(set(written)) > 1


def test_ten_new_ratings_do_not_make_values_hop_to_the_neighbouring_step(
    tmp_path: Path,
) -> None:
    with DemoPlex(tracks=2000) as plex:
        tool = Tool(tmp_path, plex, ROUNDING=0.5, LISTENING=False)
        first = tool.infer()["counts"]["written"]
        unrated = [key for key, tags in moods(plex).items() if INFERRED in tags]
        tracks = {item["key"] for item in plex.items("track")}
        for key in [key for key in unrated if key in tracks][:: len(unrated) // 10][:10]:
            plex.rate(key, 7.0)

        again = tool.infer()["counts"]

        assert again["written"] < 0.05 * first


def twins_of(title: str, *ratings: float | None) -> list[Row]:
    return [
        Row(
            artist="X",
            album=f"Album {number}",
            track=title,
            index=1 + len(title) % 5,
            duration_ms=200_000 + number,
            user_rating=rating,
        )
        for number, rating in enumerate(ratings)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("model", ["learned", "classic"])
def test_copies_rated_differently_are_left_alone_and_reported(tmp_path: Path, model: str) -> None:
    rows = [
        *album_of("X", "Album 0", 6.0, 5),
        *album_of("Y", "Other", 5.0, 5),
        *twins_of("Apart", 10.0, 2.0, None),
        *twins_of("Together", 10.0, None),
    ]
    with DemoPlex(rows) as plex:
        tool = Tool(tmp_path, plex, MODEL=model)
        tool.infer()

        stars = sorted(plex.rating(i["key"]) for i in plex.items("track") if i["title"] == "Apart")
        assert (stars[0], stars[-1]) == (2.0, 10.0)
        assert 4.0 < stars[1] < 8.0
        report = tool("report", "twins", "--json").json

    assert report["summary"]["disagreements"] == 1
    verdicts = [(row["Title"], row["Verdict"]) for row in report["rows"]]
    assert verdicts == [("Apart", "DISAGREE")] * 3 + [("Together", "")] * 2


def test_the_accuracy_report_sets_learned_beside_classic_and_the_mean(
    tmp_path: Path, plex: DemoPlex
) -> None:
    for number, album in enumerate(plex.items("album")[:8]):
        plex.rate(album["key"], 4.0 + number % 4)

    report = Tool(tmp_path, plex)("report", "accuracy", "--json").json

    tests = {(row["Model and test"], row["Kind"]): row for row in report["rows"]}
    for model in ("learned", "classic"):
        for hidden in ("a fifth hidden", "whole albums hidden"):
            row = tests[f"{model}, {hidden}", "Track"]
            assert 0 < row["Off by"] < 1.5 * row["Mean off by"]
    assert 60 < tests["learned, a fifth hidden", "Track"]["80 % interval holds %"] < 95
    assert tests["classic, a fifth hidden", "Track"]["80 % interval holds %"] is None
    quick = tests["learned, leaving one out", "Track"]
    slow = tests["learned, a fifth hidden", "Track"]
    assert quick["Off by"] == pytest.approx(slow["Off by"], rel=0.25)
    for test in ("learned, leaving one out", "learned, a fifth hidden", "classic, a fifth hidden"):
        assert tests[test, "Album"]["n"] >= 8


def test_the_reports_sheet_says_how_far_off_the_models_are(tmp_path: Path, plex: DemoPlex) -> None:
    tool = Tool(tmp_path, plex)

    cells = [
        cell for row in rows_of_sheet(tool.export(), "Reports") for cell in row.values() if cell
    ]

    assert "learned, leaving one out" in cells
    assert "classic, a fifth hidden" in cells


def test_the_critics_report_tells_number_bias_and_learned_slope(
    tmp_path: Path, plex: DemoPlex
) -> None:
    report = Tool(tmp_path, plex)("report", "critics", "--json").json

    tracks = report["rows"][0]
    assert tracks["n"] == report["summary"]["n"] > 5
    assert tracks["Bias"] is not None
    assert abs(report["summary"]["slope"]) < 1
    assert 0 < report["summary"]["slope_error"] < 1
    assert "± " in report["note"]


def test_each_row_of_the_workbook_explains_its_value(tmp_path: Path, plex: DemoPlex) -> None:
    tool = Tool(tmp_path, plex, ROUNDING="none")

    rows = rows_of_sheet(tool.export(), "Tracks")

    for row in rows:
        first, *others = re.split(r", (?=[a-z ]+ [+−])", row["Why"].split(" → ")[0])
        assert first.startswith("library ")
        total = float(first.split()[1])
        for part in others:
            word = next(w for w in part.split() if w[0] in "+−")
            total += float(word.replace("−", "-"))
        assert total == pytest.approx(
            float(row["Why"].split(" → ")[1]), abs=0.05 * (len(others) + 5)
        )
        assert 0 <= row["Confidence"] <= 100
        assert 0 < row["± stars"] < 3
