"""A review workbook decided in a real LibreOffice, and imported by hand or by the watcher."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.driver import Tool, rows_of_sheet
from tests.functional.test_match import LIST, SONGS, a_list, key_of, library, review
from tests.libreoffice import open_document
from tests.plex.server import DemoPlex
from tests.watching import SETTLE_S, watching

pytestmark = [pytest.mark.libreoffice, pytest.mark.xdist_group("libreoffice")]


@pytest.fixture
def tool(tmp_path: Path) -> Iterator[Tool]:
    with DemoPlex(library(SONGS)) as plex:
        yield Tool(tmp_path, plex, WATCH={"SETTLE_SEC": SETTLE_S})


def decided(tool: Tool, saved: Path) -> dict[int, float]:
    """Decide in LibreOffice, save; what Plex should hold then."""
    target = review(tool, a_list(tool.folder / "list.csv", *LIST))
    rows = {row["Title"]: row for row in rows_of_sheet(target, "Matches")}
    with open_document(target) as document:
        document.recalculate()
        assert document.errors("Matches") == []
        document.set_by_key("Matches", rows["One More Time"]["Key"], "Choice", 2)
        document.set_by_key("Matches", rows["Feeling God"]["Key"], "Action", "TAKE")
        document.set_by_key("Matches", rows["Taxman"]["Key"], "Action", "SKIP")
        document.recalculate()
        will_do = [row["Will do"] for row in _table(document)]
        assert will_do == ["rate 4.5 (candidate 2)", "rate 4", "rate 5", ""]
        document.store_as(saved)
    second = rows["One More Time"]["Candidates"].splitlines()[1]
    album = "Discovery" if "Discovery" in second else "One More Time"
    plex = tool.plex
    return {
        key_of(plex, "One More Time", album): 9.0,
        key_of(plex, "Feeling Good", "I Put a Spell on You"): 8.0,
        key_of(plex, "Sinnerman", "Pastel Blues"): 10.0,
    }


def _table(document) -> list[dict[str, object]]:
    header, *rows = document.values("Matches")
    return [dict(zip(header, row, strict=False)) for row in rows if row[0]]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".xlsx", ".ods"])
def test_exactly_what_was_decided_is_written(tool, tmp_path, suffix):
    saved = tmp_path / f"decided{suffix}"
    expected = decided(tool, saved)

    result = tool("import", saved, "--yes", "--json")

    assert result.exit_code == 0, result.output
    assert tool.plex.ratings("track") == expected
    assert tool("import", saved, "--yes", "--json").json["counts"]["applied"] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals as on Unix")
def test_a_review_workbook_dropped_into_the_watched_folder(tool, tmp_path):
    saved = tmp_path / "decided.xlsx"
    expected = decided(tool, saved)
    folder = tmp_path / "workbooks"
    folder.mkdir()

    with watching(tool, folder, "--auto-apply") as watcher:
        (folder / "inbox" / "decided.xlsx").write_bytes(saved.read_bytes())
        told = watcher.wait_for("applied")

    assert told["counts"]["applied"] == 3
    assert tool.plex.ratings("track") == expected
