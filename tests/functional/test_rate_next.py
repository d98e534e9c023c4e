"""Rating on the sheet Rate next: an edit like any other, and one place of two for the item."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from plexsheet.demo.server import DemoPlex
from tests.driver import Tool, rows_of_sheet, set_cells
from tests.songs import songs
from tests.truth import ratings

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")


def rated(tool: Tool) -> dict[int, float]:
    """What Plex holds, by rating key."""
    return {item.key: value for item, value in ratings(tool.plex).items() if value is not None}


@pytest.fixture
def tool(tmp_path: Path) -> Iterator[Tool]:
    with DemoPlex(library=songs()) as plex:
        made = Tool(tmp_path, plex)
        made.export()
        yield made


def listed(path: Path, kind: str) -> list[dict[str, Any]]:
    rows = [row for row in rows_of_sheet(path, "Rate next") if row["Kind"] == kind]
    assert rows
    return rows


def as_album(path: Path) -> str:
    """Let the first row of the list be about an unrated album; its Key."""
    album = next(row for row in rows_of_sheet(path, "Albums") if row["My rating"] == "")
    cells = {"Kind": "Album", "Artist": album["Artist"], "Album": None, "Title": album["Album"]}
    cells |= {"Check": album["Check"], "Key": album["Key"]}
    first = listed(path, "Track")[0]["Key"]
    set_cells(path, [("Rate next", first, name, value) for name, value in cells.items()])
    return str(album["Key"])


@pytest.mark.parametrize("kind", ["Track", "Album"])
def test_what_is_typed_there_is_written_and_both_places_of_the_result_show_it(
    tool: Tool, kind: str
) -> None:
    album = kind == "Album"
    key = as_album(tool.workbook) if album else listed(tool.workbook, "Track")[0]["Key"]
    set_cells(tool.workbook, [("Rate next", key, "My rating", 4.5)])

    result = tool.importing()

    assert result.exit_code == 0, result.output
    assert [(row["sheet"], row["outcome"]) for row in result.json["rows"]] == [
        ("Rate next", "Applied")
    ]
    assert rated(tool)[int(key)] == 9.0
    answer = Path(result.json["result_file"])
    for sheet in ("Rate next", f"{kind}s"):
        row = next(row for row in rows_of_sheet(answer, sheet) if row["Key"] == key)
        assert (row["My rating"], row["Was"], row["Source"]) == (4.5, 4.5, "Manual")
    again = tool("import", answer, "--yes", "--json")
    assert again.json["rows"] == []


def test_accept_there_makes_the_inferred_value_the_persons_own(tool: Tool) -> None:
    row = listed(tool.workbook, "Track")[0]
    set_cells(tool.workbook, [("Rate next", row["Key"], "Action", "ACCEPT")])

    assert tool.importing().exit_code == 0

    assert rated(tool)[int(row["Key"])] == pytest.approx(2 * row["Inferred"], abs=0.01)


def test_the_same_file_again_takes_nothing_back(tool: Tool) -> None:
    first, second, third = (row["Key"] for row in listed(tool.workbook, "Track")[:3])
    set_cells(
        tool.workbook,
        [("Rate next", first, "My rating", 4), ("Tracks", second, "My rating", 3)],
    )
    tool.importing()
    before = rated(tool)

    set_cells(tool.workbook, [("Tracks", third, "My rating", 2)])
    result = tool.importing()

    assert [(row["key"], row["outcome"]) for row in result.json["rows"]] == [
        (int(third), "Applied")
    ]
    assert rated(tool) == before | {int(third): 4.0}


def test_one_sheet_alone_takes_nothing_back_either(tool: Tool) -> None:
    first, second = (row["Key"] for row in listed(tool.workbook, "Track")[:2])
    set_cells(tool.workbook, [("Rate next", first, "My rating", 4)])
    tool.importing()
    before = rated(tool)

    set_cells(tool.workbook, [("Tracks", second, "My rating", 3)])
    tool.importing("--sheet", "Tracks")

    assert rated(tool) == before | {int(second): 6.0}


def test_different_edits_of_one_item_are_an_error_that_names_both(tool: Tool) -> None:
    row = listed(tool.workbook, "Track")[0]
    set_cells(
        tool.workbook,
        [("Rate next", row["Key"], "My rating", 4), ("Tracks", row["Key"], "My rating", 3)],
    )
    before = rated(tool)

    result = tool.importing()

    assert result.exit_code == 1
    told = {one["sheet"]: one for one in result.json["rows"]}
    assert set(told) == {"Rate next", "Tracks"}
    for one in told.values():
        assert one["code"] == "E04"
        assert "of Tracks and" in one["message"]
        assert "of Rate next" in one["message"]
        assert "3 and 4" in one["message"]
    assert rated(tool) == before


def test_an_edit_that_an_earlier_one_elsewhere_contradicts_waits(tool: Tool) -> None:
    key = listed(tool.workbook, "Track")[0]["Key"]
    set_cells(tool.workbook, [("Rate next", key, "My rating", 4)])
    tool.importing()

    set_cells(tool.workbook, [("Tracks", key, "My rating", 5)])
    result = tool.importing()

    assert {one["code"] for one in result.json["rows"]} == {"E04"}
    assert rated(tool)[int(key)] == 8.0


def test_the_same_edit_in_both_places_is_made_once(tool: Tool) -> None:
    key = listed(tool.workbook, "Track")[0]["Key"]
    set_cells(tool.workbook, [("Rate next", key, "My rating", 4), ("Tracks", key, "My rating", 4)])

    result = tool.importing()

    assert result.json["counts"]["applied"] == 1
    assert result.json["counts"]["errors"] == 0
    assert rated(tool)[int(key)] == 8.0


def test_titles_and_keys_are_proved_there_too(tool: Tool) -> None:
    key = listed(tool.workbook, "Track")[0]["Key"]
    edits = [("Rate next", key, "My rating", 4), ("Rate next", key, "Title", "Another song")]
    set_cells(tool.workbook, edits)

    result = tool.importing()

    assert [row["code"] for row in result.json["rows"]] == ["E05"]


def test_an_old_list_of_that_name_is_a_list_to_read_only(tool: Tool) -> None:
    book = openpyxl.load_workbook(tool.workbook)
    headers = [cell.value for cell in book["Rate next"][1]]
    for header in ("Check", "Was", "Will do", "Action", "My rating"):
        book["Rate next"].delete_cols(headers.index(header) + 1)
        headers.remove(header)
    book.save(tool.workbook)
    key = listed(tool.workbook, "Track")[0]["Key"]
    set_cells(tool.workbook, [("Tracks", key, "My rating", 4)])

    result = tool.importing()

    assert result.json["stopped_sheets"] == []
    assert [row["sheet"] for row in result.json["rows"]] == ["Tracks"]
    assert not [m for m in result.json["messages"] if m["sheet"] == "Rate next"]
