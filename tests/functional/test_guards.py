"""One state database and many libraries and people: nothing meant for one reaches another."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.driver import Tool, set_cells
from tests.plex.server import DemoPlex


def edited(tool: Tool, plex: DemoPlex) -> int:
    """An export with one rating typed; the track's key."""
    tool.export()
    key = next(item["key"] for item in plex.items("track") if item["userRating"] is None)
    set_cells(tool.workbook, [("Tracks", str(key), "My rating", 5)])
    return int(key)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Jazz", ["'Music'", "'Jazz'", "plexsheet demo"]),
        ("Music", ["another 'Music'", "made anew", "plexsheet restore"]),
    ],
    ids=["another library", "another of the same name"],
)
def test_a_workbook_of_another_library_is_refused_with_both_names(
    tmp_path: Path, title: str, words: list[str]
):
    with DemoPlex(tracks=60) as here, DemoPlex(tracks=60, identity="b", title=title) as there:
        edited(Tool(tmp_path, here), here)
        tool = Tool(tmp_path, there, LIBRARY_NAME=title)

        result = tool.importing()

        assert result.exit_code == 3
        assert result.json["error"]["code"] == "F04"
        assert all(word in result.json["error"]["message"] for word in words)
        assert "Nothing was changed" in result.json["error"]["message"]
        assert here.writes == there.writes == []


def test_a_workbook_of_another_person_is_refused_with_both_names(tmp_path: Path):
    with DemoPlex(tracks=60, username="Anna") as plex:
        edited(Tool(tmp_path, plex), plex)

        result = Tool(tmp_path, plex, PLEX_TOKEN=plex.home_token).importing()

        assert result.exit_code == 3
        assert result.json["error"]["code"] == "F05"
        assert "Anna" in result.json["error"]["message"]
        assert "a user of" in result.json["error"]["message"]
        assert plex.writes == []


def test_what_is_remembered_of_one_library_touches_no_other(tmp_path: Path):
    """The same rating keys on two servers, in one state database."""
    with DemoPlex(tracks=60) as here, DemoPlex(tracks=60, identity="b") as there:
        first = Tool(tmp_path, here)
        first.infer()
        before, theirs = here.ratings(), there.ratings()
        assert set(theirs) < set(before)

        second = Tool(tmp_path, there)
        assert second("undo", "1", "--yes").exit_code == 2
        assert "no run 1 of this library" in second("undo", "1", "--yes").output
        assert second("undo", "--inferred", "--yes").exit_code == 0
        assert second("verify", "--json").json["counts"]["checked"] == 0

        assert there.ratings() == theirs
        assert there.writes == []
        assert here.ratings() == before
        assert Tool(tmp_path, here)("undo", "1", "--yes").exit_code == 0
        assert here.ratings() == theirs


def test_two_people_of_one_server_are_kept_apart(tmp_path: Path):
    """A Home user's ratings are their own; what was inferred for them too."""
    with DemoPlex(tracks=60) as plex:
        for item in plex.items("track")[:30]:
            plex.rate(item["key"], 8.0, account=2)
        owner, home = Tool(tmp_path, plex), Tool(tmp_path, plex, PLEX_TOKEN=plex.home_token)
        owners = plex.ratings()
        Tool(tmp_path, plex, PLEX_TOKEN=plex.home_token)
        home.infer()
        assert plex.ratings() == owners  # not one of the owner's was touched

        Tool(tmp_path, plex)
        assert owner("undo", "1", "--yes").exit_code == 2  # it is not theirs to take back
        owner.infer()
        assert {key: plex.rating(key) for key in owners} == owners

        assert plex.rating(plex.items("track")[0]["key"], account=2) == 8.0
