"""Everything a workbook can change is taken back whole; what the person changed since is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plexsheet.demo.store import TRACK
from tests.driver import Tool, rows_of_sheet, set_cells
from tests.plex.server import DemoPlex
from tests.truth import items

KINDS = ("artist", "album", "track")
TAG, TWIN_TAG = "Rating_Inferred", "Twin"


@pytest.fixture
def plex() -> Iterator[DemoPlex]:
    with DemoPlex(tracks=150) as demo:
        for item in items(demo, TRACK)[:20]:
            demo.store.put_tags(item, "mood", ["Calm", "Lively"])
        yield demo


@pytest.fixture
def tool(tmp_path: Path, plex: DemoPlex) -> Tool:
    made = Tool(tmp_path, plex)
    made.infer()  # run 1
    return made


def picture(plex: DemoPlex) -> dict[int, Any]:
    """All of a library that plexsheet could change, whatever it is."""
    names = ("userRating", "year", "originallyAvailableAt", "tags", "locks", "title")
    return {
        item["key"]: {name: item[name] for name in names}
        for kind in KINDS
        for item in plex.items(kind)
    }


def of_source(tool: Tool, sheet: str, source: str) -> list[int]:
    return [int(r["Key"]) for r in rows_of_sheet(tool.workbook, sheet) if r["Source"] == source]


def everything_edited(tool: Tool) -> dict[str, int]:
    """A workbook with every sort of edit: ratings, actions, years, twins; keys by what was done."""
    tool.export()
    tracks, albums = of_source(tool, "Tracks", "Inferred"), of_source(tool, "Albums", "Inferred")
    artists, manual = of_source(tool, "Artists", "Inferred"), of_source(tool, "Tracks", "Manual")
    of_a_day = {a["key"] for a in tool.plex.items("album") if a["originallyAvailableAt"]}
    dated = next(
        r
        for r in rows_of_sheet(tool.workbook, "Albums")
        if int(r["Key"]) in of_a_day.difference(albums[:1])
    )
    keys = {
        "over ours": tracks[0],
        "accepted": tracks[1],
        "excluded": tracks[2],
        "cleared": tracks[3],
        "changed": manual[0],
        "emptied": manual[1],
        "removed": manual[2],
        "album": albums[0],
        "artist": artists[0],
        "year": int(dated["Key"]),
    }
    set_cells(
        tool.workbook,
        [
            ("Tracks", str(keys["over ours"]), "My rating", 5),
            ("Tracks", str(keys["accepted"]), "Action", "ACCEPT"),
            ("Tracks", str(keys["excluded"]), "Action", "EXCLUDE"),
            ("Tracks", str(keys["cleared"]), "Action", "CLEAR"),
            ("Tracks", str(keys["changed"]), "My rating", 0.75),
            ("Tracks", str(keys["emptied"]), "My rating", None),
            ("Tracks", str(keys["removed"]), "Action", "CLEAR"),
            ("Albums", str(keys["album"]), "My rating", 1.5),
            ("Artists", str(keys["artist"]), "My rating", 2.5),
            ("Albums", str(keys["year"]), "Year", "1955-03-04"),
        ],
    )
    return keys


def imported(tool: Tool) -> int:
    result = tool.importing()
    assert result.exit_code == 0, result.output
    assert result.json["counts"]["applied"] == 10
    return int(result.json["run"])


def test_every_sort_of_edit_is_taken_back_and_brought_back(tool: Tool, plex: DemoPlex):
    keys = everything_edited(tool)
    before = picture(plex)
    run = imported(tool)
    after = picture(plex)
    assert plex.rating(keys["over ours"]) == 10.0
    assert plex.rating(keys["excluded"]) is None
    assert after[keys["year"]]["originallyAvailableAt"] == "1955-03-04"

    undone = tool("undo", str(run), "--yes", "--json")

    assert undone.exit_code == 0, undone.output
    assert undone.json["counts"]["left_alone"] == 0, undone.output
    assert picture(plex) == before
    assert tool("verify", "--json").json["rows"] == []
    again = tool("infer", "--preview", "--json").json["counts"]
    assert (again["written"], again["taken_over"]) == (0, 0)

    assert tool("undo", str(undone.json["run"]), "--yes").exit_code == 0
    assert picture(plex) == after
    assert tool("verify", "--json").json["rows"] == []


def test_a_workbook_taken_back_can_be_imported_again(tool: Tool, plex: DemoPlex):
    everything_edited(tool)
    run = imported(tool)
    after = picture(plex)
    tool("undo", str(run), "--yes")

    assert tool.importing().json["counts"]["applied"] == 10

    assert picture(plex) == after


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sheet", "taken_back"),
    [
        ("Tracks", {"over ours", "accepted", "excluded", "cleared", "changed", "emptied"}),
        ("Albums", {"album", "year"}),
        ("Artists", {"artist"}),
        ("Twins", set()),
    ],
)
def test_one_sheet_of_a_run_is_taken_back(
    tool: Tool, plex: DemoPlex, sheet: str, taken_back: set[str]
):
    keys = everything_edited(tool)
    before = picture(plex)
    run = imported(tool)
    after = picture(plex)

    assert tool("undo", str(run), "--sheet", sheet, "--yes").exit_code == 0

    now = picture(plex)
    back = {name for name, key in keys.items() if now[key] == before[key] != after[key]}
    tracks = {"removed"} if sheet == "Tracks" else set()
    assert back == taken_back | tracks
    assert all(now[key] == after[key] for name, key in keys.items() if name not in back)


def test_what_was_changed_since_is_left_alone_and_told(tool: Tool, plex: DemoPlex):
    """Three outcomes: put back, left alone, gone."""
    keys = everything_edited(tool)
    run = imported(tool)
    plex.rate(keys["changed"], 9.0)
    plex.delete(keys["over ours"])

    result = tool("undo", str(run), "--yes", "--json")

    assert result.exit_code == 1  # one could not be put back
    assert plex.rating(keys["changed"]) == 9.0
    rows = tool("history", str(result.json["run"]), "--json").json["rows"]
    told = {row["key"]: row["code"] for row in rows}
    assert told[keys["changed"]] == "I56"
    assert told[keys["over ours"]] == "U82"
    assert told[keys["album"]] == "U80"
    assert plex.rating(keys["emptied"]) is not None


def test_an_undo_while_a_later_run_stands_on_it_names_that_run(tool: Tool, plex: DemoPlex):
    """The first inference cannot be taken back through the second that replaced its values."""
    for key in list(plex.ratings("track"))[:20]:  # more at once would be refused
        plex.rate(key, 10.0)
    second = tool.infer()
    assert second["counts"]["written"] > 5
    now = plex.ratings()

    preview = tool("undo", "1", "--preview")

    assert f"run {second['run']} wrote it since" in " ".join(preview.stdout.split())
    assert plex.ratings() == now


# Everything inferred


def leftover_tags(plex: DemoPlex, theirs: dict[int, float]) -> list[int]:
    """Our tags where they have no business: one unrated and one rated item of each kind."""
    left = []
    for kind in KINDS:
        items = [item for item in plex.items(kind) if item["key"] not in theirs]
        rated = [item for item in plex.items(kind) if item["key"] in theirs]
        for item in (*items[:1], *rated[:1]):
            moods = [*plex.find(item["key"]).names("mood"), TAG, "rating_twin"]
            plex.tag(item["key"], "mood", list(dict.fromkeys(moods)))
            left.append(item["key"])
    return left


def moods_of(plex: DemoPlex) -> dict[int, set[str]]:
    return {i["key"]: set(i["tags"].get("mood", ())) for k in KINDS for i in plex.items(k)}


@pytest.mark.slow
@pytest.mark.parametrize("lost", [False, True], ids=["state at hand", "state lost"])
def test_undo_inferred_sweeps_left_over_tags_on_a_word_and_spares_their_ratings(
    tmp_path: Path, plex: DemoPlex, lost: bool
):
    """Also on albums and artists, also where nothing is remembered of them."""
    theirs = plex.ratings()
    album, artist = plex.items("album")[0]["key"], plex.items("artist")[0]["key"]
    for key in (album, artist):
        plex.rate(key, 7.0)
        theirs[key] = 7.0
    tool = Tool(tmp_path, plex, TWIN_LOGIC={"TWIN_TAG": "rating_twin"})
    moods = moods_of(plex)
    tool.infer()
    leftover_tags(plex, theirs)
    if lost:
        for file in tmp_path.glob("plexsheet.db*"):
            file.unlink()
    before, marked = plex.ratings(), moods_of(plex)
    unproven = {key for key in marked if TAG in marked[key] and (lost or key in theirs)}

    told = tool("undo", "--inferred", "--yes")

    assert "S08" in tool("undo", "--inferred", "--preview").words
    if lost:  # nothing proves whose they are
        assert (told.exit_code, plex.ratings(), moods_of(plex)) == (3, before, marked)
    else:
        assert (told.exit_code, plex.ratings()) == (1, theirs)
        assert {key for key, names in moods_of(plex).items() if TAG in names} == unproven
    given = ("undo", "--inferred", "--yes", "--confirm", len(unproven & set(before)))
    assert tool(*given).exit_code == 0
    assert plex.ratings() == (before if lost else theirs)
    assert moods_of(plex) == moods
    assert tool("verify", "--json").json["rows"] == []


def test_undo_inferred_takes_few_requests(tool: Tool, plex: DemoPlex):
    """Batch-wise: one value, cleared, for hundreds of items at once."""
    plex.reset_requests()

    assert tool("undo", "--inferred", "--yes").exit_code == 0

    assert plex.requests["PUT /library/sections/{id}/all"] <= 8
    assert plex.requests["PUT /:/rate"] == 0
    assert sum(plex.requests.values()) < 45


def test_undo_inferred_can_be_undone(tool: Tool, plex: DemoPlex):
    before = picture(plex)
    run = tool("undo", "--inferred", "--yes", "--json").json["run"]

    assert tool("undo", str(run), "--yes").exit_code == 0

    assert picture(plex) == before
    assert tool("infer", "--preview", "--json").json["counts"]["written"] == 0
