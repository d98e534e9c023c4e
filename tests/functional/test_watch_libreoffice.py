"""A real LibreOffice saving a workbook in the watched folder, again and again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.driver import Tool
from tests.effort import enough
from tests.libreoffice import open_document
from tests.plex.server import DemoPlex
from tests.watching import SETTLE_S, watching

pytestmark = [
    pytest.mark.libreoffice,
    pytest.mark.xdist_group("libreoffice"),
    pytest.mark.skipif(sys.platform == "win32", reason="signals as on Unix"),
]
TRACKS = 160
SAVES = {".xlsx": enough(20, 5), ".ods": enough(4, 2)}


@pytest.fixture
def tool(tmp_path: Path) -> Iterator[Tool]:
    with DemoPlex(tracks=TRACKS) as plex:
        made = Tool(tmp_path, plex, WATCH={"SETTLE_SEC": SETTLE_S})
        made.workbook = tmp_path / "workbooks" / "music.xlsx"
        made.workbook.parent.mkdir()
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("suffix", SAVES)
def test_every_save_in_place_is_one_import_of_one_change(tool, suffix):
    rated = tool.plex.ratings("track")
    unrated = [item["key"] for item in tool.plex.items("track") if item["key"] not in rated]
    keys = unrated[: SAVES[suffix]]
    folder = tool.workbook.parent
    path = tool.export()
    with open_document(path) as document:
        if suffix == ".ods":
            path.unlink()
            path = path.with_suffix(suffix)
            document.store_as(path)
        with watching(tool, folder, "--auto-apply") as watcher:
            watcher.wait_for("nothing")
            for number, key in enumerate(keys):
                document.set_by_key("Tracks", key, "My rating", 0.5 * (number % 10 + 1))
                document.store()
                told = watcher.wait_for("applied")
                assert told["counts"] == {**told["counts"], "applied": 1, "errors": 0, "held": 0}
            assert not watcher.told("failed")
            watcher.nothing_else()
            assert len(watcher.told("applied")) == len(keys)

    assert [tool.plex.rating(key) for key in keys] == [n % 10 + 1 for n in range(len(keys))]
    writes = [w.key for w in tool.plex.writes if w.via != "demo" and w.field == "userRating"]
    assert writes == keys


def test_yes_typed_in_libreoffice_carries_a_preview_out(tool):
    rated = tool.plex.ratings("track")
    key = next(item["key"] for item in tool.plex.items("track") if item["key"] not in rated)
    folder = tool.workbook.parent
    with watching(tool, folder) as watcher:
        with open_document(tool.export()) as document:
            document.set_by_key("Tracks", key, "My rating", 4.5)
            document.store()
        result = folder / watcher.wait_for("preview")["result"]
        assert tool.plex.rating(key) is None

        with open_document(result) as document:
            document.type_in("Start", "B35", "yes")
            document.store()
        watcher.wait_for("applied")

    assert tool.plex.rating(key) == 9.0
