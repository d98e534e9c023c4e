"""``plexsheet match``: a list of another player against a demo library of its songs."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from plexsheet.demo.library import Row
from plexsheet.matching.rows import ListOptions
from plexsheet.matching.sources import read_list
from plexsheet.state import foreign_plays
from plexsheet.state.store import open_state
from tests.conftest import SHARED
from tests.driver import Tool, rows_of_sheet, set_cells
from tests.plex.server import DemoPlex

# title, artist, album, number, length s
SONGS = [
    ("Sinnerman", "Nina Simone", "Pastel Blues", 9, 622),
    ("Feeling Good", "Nina Simone", "I Put a Spell on You", 7, 174),
    ("Taxman", "The Beatles", "Revolver", 1, 158),
    ("Taxman", "The Beatles", "Anthology 2", 7, 158),
    ("One More Time", "Daft Punk", "Discovery", 1, 320),
    ("One More Time", "Daft Punk", "One More Time", 1, 236),
    ("Aerodynamic", "Daft Punk", "Discovery", 2, 212),
]
YEARS = {"Pastel Blues": 1965, "Revolver": 1966, "Anthology 2": 1996}


def library(songs: Sequence[tuple[str, str, str, int, int]]) -> list[Row]:
    return [
        Row(artist=artist, album=album, track=title, index=number, duration_ms=1000 * length,
            year=YEARS.get(album, 2000), guid=f"local://{title}-{album}")
        for title, artist, album, number, length in songs
    ]  # fmt: skip


@pytest.fixture
def plex() -> Iterator[DemoPlex]:
    with DemoPlex(library(SONGS)) as demo:
        yield demo


def key_of(plex: DemoPlex, title: str, album: str) -> int:
    return next(
        int(item["key"])
        for item in plex.items("track")
        if item["title"] == title and item["album"] == album
    )


HEADER = ("Title", "Artist", "Album", "Length", "Rating (5)", "Play Count", "Date rated")


def a_list(path: Path, *rows: Sequence[object]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER, *((*row, *[""] * (7 - len(row))) for row in rows)])
    return path


LIST = (
    ("SINNERMAN (2003 Remaster)", "Nina Simone", "Pastel Blues", "10:22", 5, 12),
    ("Feeling God", "Nina Simone", "", "2:54", 4),
    ("Taxman", "Beatles, The", "", "", 3),
    ("One More Time", "Daft Punk", "", "", 4.5),
    ("Harder, Better", "Daft Punk", "Discovery", "3:44", 2),
    ("Aerodynamic", "Daft Punk", "Discovery", "", ""),
)


def test_a_preview_says_what_was_found_and_writes_nothing(tool, plex, tmp_path):
    path = a_list(tmp_path / "list.csv", *LIST)

    result = tool("match", path, "--json")

    assert result.exit_code == 1  # a plan not carried out for want of --yes
    assert result.json["preview"] and result.json["format"] == "table"
    assert result.json["counts"] == {
        "rows": 6, "rated": 5, "sure": 2, "likely": 1, "ambiguous": 1, "unmatched": 1,
        "skipped": 0, "same": 0, "conflicts": 0, "applied": 0,
    }  # fmt: skip
    outcomes = [(row["row"], row["stars"], row["outcome"]) for row in result.json["rows"]]
    assert outcomes == [
        (2, 5, "sure"), (3, 4, "likely"), (4, 3, "sure"), (5, 4.5, "ambiguous"),
        (6, 2, "unmatched"),
    ]  # fmt: skip
    assert all(row["reason"] for row in result.json["rows"] if row["outcome"] != "sure")
    assert len(result.json["rows"][3]["candidates"]) == 2
    assert not plex.writes and tool("match", path, "--preview").exit_code == 0


def test_yes_writes_the_sure_ones_as_the_persons_own_and_a_run_takes_them_back(
    tool, plex, tmp_path
):
    path = a_list(tmp_path / "list.csv", *LIST)

    result = tool("match", path, "--yes", "--json")

    assert result.exit_code == 0
    assert result.json["counts"]["applied"] == 2 and result.json["run"] == 1
    assert plex.rating("Sinnerman") == 10.0
    assert plex.rating(key_of(plex, "Taxman", "Revolver")) == 6.0  # the oldest studio album
    assert len(plex.ratings("track")) == 2
    assert tool("match", path, "--yes", "--json").json["counts"]["same"] == 2
    source = {row["Title"]: row["Source"] for row in rows_of_sheet(tool.export(), "Tracks")}
    assert source["Sinnerman"] == "Manual"

    assert tool("history", "--json").json["runs"][-1]["kind"] == "match"
    assert tool("undo", 1, "--yes").exit_code == 0
    assert plex.ratings("track") == {}


def test_all_copies_of_a_song_without_album(tool, plex, tmp_path):
    path = a_list(tmp_path / "list.csv", ("Taxman", "The Beatles", "", "", 3))

    tool("match", path, "--yes", "--copies", "all")

    assert sorted(plex.ratings("track").values()) == [6.0, 6.0]


@pytest.mark.parametrize(
    ("choice", "exit_code", "expected"), [("hold", 1, 4.0), ("mine", 0, 10.0), ("plex", 1, 4.0)]
)
def test_the_persons_other_rating_in_plex_is_a_conflict(
    tool, plex, tmp_path, choice, exit_code, expected
):
    plex.rate("Sinnerman", 4.0)
    path = a_list(tmp_path / "list.csv", ("Sinnerman", "Nina Simone", "Pastel Blues", "", 5))

    result = tool("match", path, "--yes", "--on-conflict", choice, "--json")

    assert result.exit_code == exit_code
    assert result.json["counts"]["conflicts"] == (choice != "mine")
    assert plex.rating("Sinnerman") == expected


def test_two_rows_for_one_song_with_different_ratings_are_both_shown_and_neither_written(
    tool, plex, tmp_path
):
    song = ("Sinnerman", "Nina Simone", "Pastel Blues", "")
    path = a_list(tmp_path / "list.csv", (*song, 5), (*song, 3))

    result = tool("match", path, "--yes", "--json")

    assert result.json["counts"]["skipped"] == 2 and not plex.ratings("track")
    assert {row["reason"] for row in result.json["rows"]} == {
        "Rows 2 and 3 are one song and give it 5 and 3: none is taken."
    }


def test_dates_are_kept_where_the_server_keeps_them(tool, plex, tmp_path):
    rows = [
        ("Sinnerman", "Nina Simone", "Pastel Blues", "", 5, "", "2012-03-04T05:06:07Z"),
        ("Feeling Good", "Nina Simone", "", "2:54", 4, "", "2013-03-04T05:06:07Z"),
    ]

    result = tool("match", a_list(tmp_path / "list.csv", *rows), "--yes")

    assert result.exit_code == 0 and "does not keep" not in result.words
    by_title = {item["title"]: item for item in plex.items("track")}
    assert by_title["Sinnerman"]["lastRatedAt"] == 1330837567
    assert by_title["Feeling Good"]["lastRatedAt"] == 1362373567


def test_a_server_that_keeps_no_dates_is_tried_once_and_said_once(tool, plex, tmp_path):
    plex.set_faults(ignore_dates=True)
    rows = [
        (title, artist, album, "", 5, "", "2012-03-04")
        for title, artist, album, _, _ in SONGS
        if title != "Feeling Good"
    ]
    path = a_list(tmp_path / "list.csv", *rows)

    first = tool("match", path, "--yes")
    again = a_list(
        tmp_path / "more.csv",
        ("Feeling Good", "Nina Simone", "", "2:54", 4, "", "2013-03-04"),
    )
    second = tool("match", again, "--yes")

    assert first.words.count("does not keep when a rating was given") == 1
    assert sum("ratedAt" in line for line in plex.log) == 1
    assert "does not keep" not in second.words and plex.rating("Feeling Good") == 8.0


def test_plays_are_remembered_and_never_sent(tool, plex, tmp_path):
    path = a_list(tmp_path / "list.csv", *LIST)

    assert "Plays of 1 track are" in tool("match", path, "--yes", "--with-plays").words
    tool("match", path, "--yes", "--with-plays")

    with open_state(tool.state) as state:
        reading = tool_library(tool)
        held = foreign_plays.known(state, 1, reading)
    assert held["plays"].tolist() == [12]
    report = tool("report", "listening", "--json").json
    assert "plays count from: table (12 plays of 1 tracks)" in report["note"]
    assert not [line for line in plex.log if "scrobble" in line]


def tool_library(tool: Tool):
    from plexsheet.plex.connection import connect

    return connect(tool.plex.url, tool.plex.token, "Music").read_library()


def test_files_and_ids_are_read_from_plex_only_where_a_list_has_them(tool, plex, tmp_path):
    tool("match", a_list(tmp_path / "list.csv", *LIST), "--preview")
    without = [line for line in plex.log if "includeGuids=1" in line or "Media" not in line]
    path = tmp_path / "list2.csv"
    path.write_text(
        "Title,Artist,Stars,File\n"
        "Misspelt altogether,?,4,D:/Music/Nina Simone/Pastel Blues/09 - Sinnerman.flac\n"
    )

    result = tool("match", path, "--yes", "--json")

    assert not [line for line in without if "type=10" in line and "includeGuids=1" in line]
    assert result.json["rows"][0]["evidence"] == "file path"
    assert plex.rating("Sinnerman") == 8.0


# Bad input


@pytest.mark.parametrize(
    ("name", "content", "words", "code"),
    [
        ("a.csv", b"", "it is empty", 3),
        ("a.csv", b"Title,Artist,Rating\nA,B,80\n", "--scale 100", 2),
        ("a.csv", b"Colour,Shape\nred,round\n", "--map", 2),
        ("a.csv", b"Title,Artist\nA,B\n", "--rating 5", 2),
        ("a.xml", b"<?xml version='1.0'?><plist><dict><key>Tracks", "breaks off", 3),
        ("a.xml", b"<?xml version='1.0'?><songs/>", "it is an XML file", 3),
        ("a.db", b"SQLite format 3\x00" + bytes(200), "it is damaged", 3),
        ("a.zip", b"PK\x03\x04nothing", "neither a table nor a library", 3),
        ("a.mp3", b"\xff\xfb\x90\x64" + bytes(413), "cannot be taken apart", 3),
    ],
)
def test_bad_input_is_one_sentence_and_nothing_is_written(
    tool, plex, tmp_path, name, content, words, code
):
    path = tmp_path / "in" / name
    path.parent.mkdir()
    path.write_bytes(content)

    result = tool("match", path, "--yes", "--json")

    assert result.exit_code == code
    assert words in result.json["error"]["message"] and "\n" not in result.json["error"]["message"]
    assert not plex.writes


@pytest.mark.parametrize(
    "words",
    [("--rating", "9"), ("--map", "nothing"), ("--review", "x.csv"), ("--scale", "7"),
     ("--from", "winamp"), ("--rating", "5")],
)  # fmt: skip
def test_options_that_cannot_be(tool, tmp_path, words):
    path = tmp_path / "list.xml"
    path.write_text("<rhythmdb></rhythmdb>")

    assert tool("match", path, *words).exit_code == 2


# Real excerpts


@pytest.mark.parametrize(
    "name", ["iTunes Music Library.xml", "traktor collection.nml", "clementine.db"]
)
def test_a_real_list_against_a_library_of_its_songs(tmp_path, name):
    path = SHARED / "foreign-lists" / name
    if not path.exists():
        pytest.skip(f"no real lists here ({path} does not exist)")
    listed = read_list(path, ListOptions()).rows
    rows = [
        Row(artist=r.artist or r.album_artist, album_artist=r.album_artist, album=r.album,
            track=r.name, disc=r.disc, index=r.number, duration_ms=r.length_ms, year=r.year,
            guid=f"local://{r.row}")
        for r in listed
        if r.name
    ]  # fmt: skip
    rated = [row for row in listed if row.rated]
    named = [row for row in rated if row.title and row.artist]
    with DemoPlex(rows) as plex:
        result = Tool(tmp_path, plex)("match", path, "--yes", "--json").json
        counts = result["counts"]

        assert counts["rated"] == len(rated)
        assert counts["applied"] >= 0.95 * len(named)
        assert counts["unmatched"] == 0
        titles = {int(item["key"]): item["title"] for item in plex.items("track")}
        wanted = {row.row: row.name for row in rated}
        for row in result["rows"]:
            if row["applied"]:
                assert titles[row["key"]] == wanted[row["row"]]
        assert len(plex.ratings("track")) == counts["applied"]


# The review workbook


def review(tool: Tool, path: Path) -> Path:
    target = tool.folder / "review.xlsx"
    result = tool("match", path, "--review", target, "--json")
    assert result.exit_code == 0 and result.json["review_file"] == str(target)
    return target


def test_the_review_workbook_shows_decisions_first_and_is_imported(tool, plex, tmp_path):
    target = review(tool, a_list(tmp_path / "list.csv", *LIST))
    rows = rows_of_sheet(target, "Matches")

    assert [row["Title"] for row in rows] == [
        "One More Time", "Feeling God", "SINNERMAN (2003 Remaster)", "Taxman",
    ]  # fmt: skip
    assert [row["Action"] for row in rows] == ["", "", "TAKE", "TAKE"]
    assert [row["Will do"] for row in rows] == ["", "", "rate 5", "rate 3"]
    lost = rows_of_sheet(target, "Not found")
    assert [(row["List row"], row["Title"]) for row in lost] == [(6, "Harder, Better")]
    assert not plex.writes

    result = tool("import", target, "--yes", "--json")

    assert result.exit_code == 0 and result.json["counts"]["applied"] == 2
    assert plex.rating("Sinnerman") == 10.0
    again = tool("import", result.json["result_file"], "--yes", "--json")
    assert again.json["counts"]["applied"] == 0 and again.exit_code == 0


def test_what_was_decided_and_nothing_else_is_written(tool, plex, tmp_path):
    target = review(tool, a_list(tmp_path / "list.csv", *LIST))
    rows = {row["Title"]: row for row in rows_of_sheet(target, "Matches")}
    keys = {title: row["Key"] for title, row in rows.items()}
    second = rows["One More Time"]["Candidates"].splitlines()[1]
    set_cells(
        target,
        [
            ("Matches", keys["One More Time"], "Choice", 2),
            ("Matches", keys["Feeling God"], "Action", "take"),
            ("Matches", keys["Feeling God"], "My rating", "3,5"),
            ("Matches", keys["Taxman"], "Action", "SKIP"),
            ("Matches", keys["SINNERMAN (2003 Remaster)"], "Action", "TAEK"),
        ],
    )

    result = tool("import", target, "--yes", "--json")

    album = "Discovery" if "Discovery" in second else "One More Time"
    assert plex.ratings("track") == {
        key_of(plex, "One More Time", album): 9.0,
        key_of(plex, "Feeling Good", "I Put a Spell on You"): 7.0,
    }
    assert result.exit_code == 1
    assert [row["code"] for row in result.json["rows"] if row["outcome"] == "Error"] == ["E20"]


def test_mistakes_in_a_review_workbook_cost_only_their_rows(tool, plex, tmp_path):
    target = review(tool, a_list(tmp_path / "list.csv", *LIST))
    keys = {row["Title"]: row["Key"] for row in rows_of_sheet(target, "Matches")}
    plex_key = keys["SINNERMAN (2003 Remaster)"]
    set_cells(
        target,
        [
            ("Matches", keys["One More Time"], "Choice", 5),
            ("Matches", keys["Feeling God"], "My rating", 2),
            ("Matches", keys["Taxman"], "My rating", None),
            ("Matches", plex_key, "Title in Plex", "Another Song"),
        ],
    )

    result = tool("import", target, "--yes", "--json")

    told = {row["code"] for row in result.json["rows"]}
    assert told == {"E20", "E23", "E05"} and not plex.writes


def test_a_key_that_is_another_song_by_now_is_not_rated(tool, plex, tmp_path):
    target = review(tool, a_list(tmp_path / "list.csv", *LIST))
    key = key_of(plex, "Sinnerman", "Pastel Blues")
    plex.store.get(key).title = "Whistle For Will"

    result = tool("import", target, "--yes", "--json")

    assert [row["code"] for row in result.json["rows"] if row["key"] == key] == ["E05"]
    assert plex.rating(key) is None and plex.rating(key_of(plex, "Taxman", "Revolver")) == 6.0


def test_what_changed_in_plex_since_the_review_is_a_conflict(tool, plex, tmp_path):
    target = review(tool, a_list(tmp_path / "list.csv", *LIST))
    plex.rate("Sinnerman", 2.0)

    result = tool("import", target, "--yes", "--json")

    assert result.json["counts"]["conflicts"] == 1 and plex.rating("Sinnerman") == 2.0


def test_yes_and_review_together_leave_what_is_not_sure_to_decide(tool, plex, tmp_path):
    path = a_list(tmp_path / "list.csv", *LIST)

    tool("match", path, "--yes", "--review", tmp_path / "rest.xlsx")

    rows = rows_of_sheet(tmp_path / "rest.xlsx", "Matches")
    assert [row["Action"] for row in rows] == ["", "", "", ""]
    assert {row["Title"]: row["In Plex"] for row in rows}["SINNERMAN (2003 Remaster)"] == 5
    assert len(plex.ratings("track")) == 2


def test_a_workbook_of_another_library_by_its_titles(tool, plex, tmp_path):
    plex.rate("Sinnerman", 9.0)
    workbook = tool.export()
    songs = [(t, a, album, n + 40, length) for t, a, album, n, length in reversed(SONGS)]
    with DemoPlex(library(songs)) as other:
        folder = tmp_path / "other"
        folder.mkdir()
        result = Tool(folder, other)("match", workbook, "--yes", "--json")

        assert result.json["format"] == "plexsheet"
        assert result.json["counts"]["applied"] == 1 and other.rating("Sinnerman") == 9.0


def test_loved_tracks(tool, plex, tmp_path):
    path = tmp_path / "loved.json"
    loved = [{"name": "Sinnerman", "artist": {"name": "Nina Simone"}}]
    path.write_text(json.dumps({"lovedtracks": {"track": loved}}))

    assert tool("match", path, "--yes").exit_code == 2
    assert tool("match", path, "--rating", "4.5", "--yes").exit_code == 0
    assert plex.rating("Sinnerman") == 9.0
