"""A beginning that is copied is what the test would have made itself, or it is not copied."""

from __future__ import annotations

from pathlib import Path

import pytest

from plexsheet.demo.store import TRACK
from tests import beginnings
from tests.driver import Tool, rows_of_sheet
from tests.plex.server import DemoPlex
from tests.truth import items, later

TRACKS = 60


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty one: what comes first is made, what comes second is copied."""
    monkeypatch.setattr(beginnings, "shelf", tmp_path / "shelf")
    return tmp_path / "shelf"


def begun(folder: Path, plex: DemoPlex, **settings: object) -> Tool:
    folder.mkdir()
    tool = Tool(folder, plex, **settings)
    tool.infer()
    tool.export()
    return tool


def kept(shelf: Path) -> int:
    return sum(path.is_dir() for path in shelf.iterdir())


def test_what_is_copied_goes_on_as_what_was_made(tmp_path: Path, shelf: Path) -> None:
    with DemoPlex(tracks=TRACKS) as first, DemoPlex(tracks=TRACKS) as second:
        before = second.ratings()
        made, copied = (
            begun(tmp_path / name, plex) for name, plex in (("made", first), ("copied", second))
        )

        assert kept(shelf) == 2  # a first inference, an export after it
        assert second.ratings() == first.ratings() != before
        assert second.store.checkpoint() == first.store.checkpoint()
        assert rows_of_sheet(copied.workbook, "Tracks") == rows_of_sheet(made.workbook, "Tracks")
        assert copied("verify").exit_code == 0
        assert copied.importing().json["counts"]["applied"] == 0
        later(second)
        assert copied("infer", "--yes", "--json").json["counts"]["written"] == 0
        assert copied("undo", "1", "--yes").exit_code == 0
        assert second.ratings() == before


def test_another_rating_another_setting_or_another_clock_is_another_beginning(
    tmp_path: Path, shelf: Path
) -> None:
    with DemoPlex(tracks=TRACKS) as plex:
        begun(tmp_path / "usual", plex)
    with DemoPlex(tracks=TRACKS) as plex:
        plex.rate(next(iter(plex.ratings("track"))), 1.0)
        begun(tmp_path / "rated", plex)
    with DemoPlex(tracks=TRACKS) as plex:
        begun(tmp_path / "rounded", plex, ROUNDING=1)
    with DemoPlex(tracks=TRACKS) as plex:
        later(plex)
        begun(tmp_path / "later", plex)

    assert kept(shelf) == 8


def test_a_test_that_has_done_something_of_its_own_gets_no_copy(
    tmp_path: Path, shelf: Path
) -> None:
    with DemoPlex(tracks=TRACKS) as plex:
        tool = begun(tmp_path / "first", plex)
        key = plex.items("track")[0]["key"]
        plex.rate(key, 10.0)
        later(plex)

        tool.infer()

        assert plex.rating(key) == 10.0
        assert kept(shelf) == 2
    with DemoPlex(tracks=TRACKS) as plex:  # nothing on the server tells that it was changed
        tool = begun(tmp_path / "second", plex)
        items(plex, TRACK)[0].views += 1

        tool.infer()

        assert kept(shelf) == 2
    with DemoPlex(tracks=TRACKS, faults={"ignore_tags": True}) as plex:
        begun(tmp_path / "odd", plex)

    assert kept(shelf) == 2
