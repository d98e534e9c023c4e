"""Items that come back under a new Key are found again, by one fit and by no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from plexsheet.demo.library import Row
from tests.driver import Tool, set_cells
from tests.plex.server import DemoPlex

BY_GUID, BY_TITLE, TWO_ALIKE = "Known to Plex", "Only Once", "Interlude"


def rows() -> list[Row]:
    """A track with a guid of Plex's catalogue, one with titles of its own, two called alike."""
    plain = Row(
        artist="The Finders",
        album_artist="The Finders",
        album="Lost",
        track="Filler",
        duration_ms=200_000,
        year=1999,
        user_rating=6.0,
    )
    named = [
        plain._replace(track=BY_GUID, index=1, guid="plex://track/0123456789abcdef01234567"),
        plain._replace(track=BY_TITLE, index=2, guid="local://2"),
        plain._replace(track=TWO_ALIKE, index=0, guid="local://3", file="/music/lost/03.flac"),
        plain._replace(track=TWO_ALIKE, index=0, guid="local://4", file="/music/lost/04.flac"),
    ]
    filler = [
        plain._replace(track=f"Filler {n}", index=5 + n, guid=f"local://{5 + n}", user_rating=None)
        for n in range(12)
    ]
    return [*named, *filler]


@pytest.fixture
def plex() -> Iterator[DemoPlex]:
    with DemoPlex(rows()) as demo:
        yield demo


@pytest.fixture
def tool(tmp_path: Path, plex: DemoPlex) -> Tool:
    return Tool(tmp_path, plex)


def named(plex: DemoPlex, title: str) -> list[int]:
    """Keys of the tracks of a title, in their order on the album."""
    found = [(item["index"], item["key"]) for item in plex.items("track") if item["title"] == title]
    return [key for _, key in sorted(found)]


def test_edits_follow_their_items_to_new_keys(tool: Tool, plex: DemoPlex):
    """By guid, by titles, and by the file where two are called alike."""
    titles = (BY_GUID, BY_TITLE, TWO_ALIKE)
    old = [key for title in titles for key in named(plex, title)]
    tool.export()
    stars = dict(zip(old, (5, 4, 1.5, 2), strict=True))
    set_cells(tool.workbook, [("Tracks", str(k), "My rating", v) for k, v in stars.items()])
    new = {key: plex.rekey(key) for key in (old[0], old[1], old[3], old[2])}

    result = tool.importing()

    assert result.exit_code == 0, result.output
    told = {row["key"]: row["code"] for row in result.json["rows"]}
    assert told == dict.fromkeys(new.values(), "I53")
    assert {key: plex.rating(new[key]) for key in old} == {k: 2 * v for k, v in stars.items()}


def test_of_two_called_alike_one_that_is_gone_is_not_taken_for_the_other(
    tool: Tool, plex: DemoPlex
):
    first, second = named(plex, TWO_ALIKE)
    tool.export()
    set_cells(
        tool.workbook,
        [("Tracks", str(first), "My rating", 5), ("Tracks", str(second), "My rating", 1)],
    )
    plex.delete(first)
    new = plex.rekey(second)

    result = tool.importing()

    assert result.exit_code == 1
    told = {row["key"]: row["code"] for row in result.json["rows"]}
    assert told == {first: "E06", new: "I53"}
    assert plex.rating(new) == 2.0


def test_where_nothing_tells_two_apart_none_is_touched(tool: Tool, plex: DemoPlex):
    """Their files were moved too, so that nothing of the old ones is left."""
    first, second = named(plex, TWO_ALIKE)
    tool.export()
    set_cells(
        tool.workbook,
        [("Tracks", str(first), "My rating", 5), ("Tracks", str(second), "My rating", 1)],
    )
    before = [plex.rating(key) for key in (first, second)]
    for number, key in enumerate((first, second)):
        plex.find(plex.rekey(key)).file = f"/elsewhere/{number}.flac"

    result = tool.importing()

    assert result.exit_code == 1
    assert {row["code"] for row in result.json["rows"]} == {"E06"}
    assert [plex.rating(key) for key in named(plex, TWO_ALIKE)] == before


def test_what_was_inferred_stays_ours_under_a_new_key(tool: Tool, plex: DemoPlex):
    theirs = set(plex.ratings())
    tool.infer()
    tool.export()
    old = named(plex, "Filler 3")[0]
    new = plex.rekey(old)
    assert new not in theirs

    assert tool("verify", "--json").json["rows"] == []

    assert tool("undo", "--inferred", "--yes").exit_code == 0
    assert set(plex.ratings()) == theirs
    assert plex.rating(new) is None


def test_a_run_can_be_undone_after_its_items_came_back(tool: Tool, plex: DemoPlex):
    before = plex.ratings()
    tool.infer()
    tool.export()
    for title in ("Filler 1", "Filler 2"):
        plex.rekey(named(plex, title)[0])

    assert tool("undo", "1", "--yes").exit_code == 0

    assert plex.ratings() == before


def test_files_are_asked_for_once_and_only_where_they_tell_something(tool: Tool, plex: DemoPlex):
    def looked_up() -> int:
        return sum("checkFiles=0" in line and "excludeElements" not in line for line in plex.log)

    tool.export()
    first = looked_up()
    tool.export()

    assert first == 1
    assert looked_up() == 1
