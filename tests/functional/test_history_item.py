"""One item over time: what runs wrote, what was changed in Plex between them, what stands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from plexsheet.demo.library import Row
from tests.driver import Tool, set_cells
from tests.plex.server import DemoPlex

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")


def rows(title: str) -> list[Row]:
    return [
        Row(
            artist=f"{title}s",
            album=title,
            track=f"{title} {number}",
            index=number,
            duration_ms=(200 + 30 * len(title) * number) * 1000,
            user_rating=8.0 if number < 3 else None,
        )
        for number in range(1, 7)
    ]


@pytest.fixture(scope="module", params=[0, -3600], ids=["", "its clock an hour behind"])
def plex(request: pytest.FixtureRequest) -> Iterator[DemoPlex]:
    with DemoPlex(tracks=120, faults={"clock_offset": request.param}) as server:
        yield server


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory, plex: DemoPlex) -> Tool:
    return Tool(tmp_path_factory.mktemp("history"), plex)


@pytest.fixture(scope="module")
def key(tool: Tool, plex: DemoPlex) -> int:
    """A track that was rated 4 by an import, 5 in Plex, and cleared by another import."""
    rated = plex.ratings("track")
    track = next(item for item in plex.items("track") if item["key"] not in rated)
    number = int(track["key"])
    set_cells(tool.export(), [("Tracks", str(number), "My rating", 4)])
    assert tool.importing().exit_code == 0
    plex.rate(number, 10.0)
    set_cells(tool.export(), [("Tracks", str(number), "Action", "CLEAR")])
    assert tool.importing().exit_code == 0
    return number


@pytest.mark.slow
def test_an_item_is_followed_through_runs_and_what_was_done_in_plex(tool: Tool, key: int):
    found = tool("history", "--item", key, "--json")

    assert found.exit_code == 0, found.output
    events = [(row["what"], row["was"], row["became"]) for row in found.json["rows"]]
    assert events == [
        ("export", None, None),
        ("import", None, 4.0),
        ("Plex", 4.0, 5.0),
        ("import", 5.0, None),
    ]
    assert [row["whose"] for row in found.json["rows"]][1:3] == ["person", "person"]
    assert found.json["item"]["key"] == key
    assert found.json["rows"][1]["run"] == 1
    shown = tool("history", "--item", key).words
    assert "changed in Plex" in shown
    assert "unrated → ★★★★" in shown


def test_another_song_that_had_the_key_is_not_this_items_past(tmp_path: Path):
    """A database made anew deals keys anew: the same number is another song."""
    with DemoPlex(rows("Old Song"), identity="same") as plex:
        tool = Tool(tmp_path, plex)
        tool.infer()
        key = next(item["key"] for item in plex.items("track") if item["title"] == "Old Song 3")
    with DemoPlex(rows("New Song"), identity="same") as plex:
        tool = Tool(tmp_path, plex)
        assert tool("report", "coverage", "--full").exit_code == 0
        found = tool("history", "--item", key)

    assert "New Song 3" in found.words
    assert "Its Key once was another item's, not shown here: Old Song 3." in found.words
    assert "infer" not in found.words


def test_an_item_is_found_by_its_name_and_nothing_is_guessed(tool: Tool, plex: DemoPlex, key: int):
    title = next(item["title"] for item in plex.items("track") if item["key"] == key)
    by_key = tool("history", "--item", key, "--json").json
    artist = by_key["item"]["artist"]

    named = tool("history", "--item", f"{artist} – {title}".upper(), "--json").json

    assert named["item"] == by_key["item"]
    assert named["rows"] == by_key["rows"]
    unknown = tool("history", "--item", f"{title[:-1]}")
    assert unknown.exit_code == 2
    assert "Nothing is known of an item" in unknown.words


def test_a_name_that_several_items_have_is_answered_with_their_keys(tool: Tool, plex: DemoPlex):
    tool("report", "coverage")
    titles = [item["title"] for item in plex.items("track")]
    twice = next(title for title in titles if titles.count(title) > 1)
    keys = [str(item["key"]) for item in plex.items("track") if item["title"] == twice]

    found = tool("history", "--item", twice)

    assert found.exit_code == 2
    assert all(one in found.words for one in keys)


def test_one_item_is_not_one_run(tool: Tool):
    assert tool("history", "1", "--item", "x").exit_code == 2


def test_before_anything_was_read_nothing_is_known(tmp_path: Path, plex: DemoPlex):
    assert Tool(tmp_path, plex)("history", "--item", "1").exit_code == 2
