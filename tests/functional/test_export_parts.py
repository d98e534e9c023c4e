"""Exports that show a part: chosen columns, chosen items; both import as ever."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

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
        yield Tool(tmp_path, plex)


def headers(path: Path, sheet: str) -> list[str]:
    return [cell.value for cell in openpyxl.load_workbook(path)[sheet][1]]


def test_columns_that_are_not_chosen_are_left_out_but_never_what_an_edit_needs(
    tool: Tool,
) -> None:
    result = tool("export", tool.workbook, "--columns", "tracks=Plays, title,Artist")

    assert result.exit_code == 0, result.output
    assert headers(tool.workbook, "Tracks") == [
        *("Artist", "Title", "My rating", "Action", "Plays", "Key", "Was", "Check")
    ]
    assert "Why" in headers(tool.workbook, "Albums")
    row = rows_of_sheet(tool.workbook, "Tracks")[0]
    set_cells(tool.workbook, [("Tracks", row["Key"], "My rating", 1.5)])
    assert tool.importing().json["counts"]["applied"] == 1


def test_the_settings_choose_columns_for_good_and_the_command_line_outranks_them(
    tool: Tool,
) -> None:
    settings = json.loads(tool.config.read_text())
    chosen = {"ALBUMS": ["Album", "Year"], "RATE_NEXT": ["Title"]}
    tool.config.write_text(json.dumps(settings | {"WORKBOOK_COLUMNS": chosen}))

    tool("export", tool.workbook, "--columns", "Rate next=Artist,Title")

    assert headers(tool.workbook, "Albums") == [
        *("Album", "My rating", "Action", "Year", "Key", "Was", "Year was", "Check")
    ]
    assert headers(tool.workbook, "Rate next") == [
        *("Kind", "Artist", "Title", "My rating", "Action", "Key", "Was", "Check")
    ]


@pytest.mark.parametrize("words", ["Tracks=Titel", "Songs=Title", "Tracks", "Tracks="])
def test_a_column_that_does_not_exist_is_said_before_plex_is_read(tool: Tool, words: str) -> None:
    result = tool("export", tool.workbook, "--columns", words)

    assert result.exit_code == 2
    assert "Nothing was written." in result.words
    assert not tool.workbook.exists()


def shown(tool: Tool, *only: str) -> dict[str, set[str]]:
    options = [word for term in only for word in ("--only", term)]
    result = tool("export", tool.workbook, "--force", *options)
    assert result.exit_code == 0, result.output
    return {
        sheet: {str(row[header]) for row in rows_of_sheet(tool.workbook, sheet) if row["Key"]}
        for sheet, header in (("Artists", "Artist"), ("Albums", "Album"), ("Tracks", "Title"))
    }


def test_only_one_artist(tool: Tool) -> None:
    found = shown(tool, "artist:=nina")

    assert found["Artists"] == {"Nina"}
    assert found["Albums"]
    assert {row["Artist"] for row in rows_of_sheet(tool.workbook, "Tracks")} == {"Nina"}


def test_only_what_is_unrated_of_some_albums(tool: Tool) -> None:
    found = shown(tool, "album:blue,red", "unrated")

    assert found["Albums"] <= {"Blue", "Red"}
    rows = rows_of_sheet(tool.workbook, "Tracks")
    assert rows
    assert {row["Album"] for row in rows} <= {"Blue", "Red"}
    assert {row["My rating"] for row in rows} == {""}


def test_only_ratings_of_a_range(tool: Tool) -> None:
    shown(tool, "rating:3..4")

    rows = rows_of_sheet(tool.workbook, "Tracks")
    assert rows
    assert all(3 <= row["In Plex"] <= 4 for row in rows)


def test_an_edit_of_a_part_comes_back_and_the_rest_stays_as_it_was(tool: Tool) -> None:
    shown(tool, "artist:nina")
    row = rows_of_sheet(tool.workbook, "Tracks")[0]
    before = rated(tool)
    set_cells(tool.workbook, [("Tracks", row["Key"], "My rating", 1.5)])

    result = tool.importing()

    assert result.json["counts"]["applied"] == 1
    assert result.json["messages"] == []
    assert rated(tool) == before | {int(row["Key"]): 3.0}


@pytest.mark.parametrize(
    "term", ["mood:sad", "unrated:yes", "artist:", "year:soon", "added:2026-1", 'artist:"x', " "]
)
def test_a_term_that_is_not_understood_is_said_with_an_example(tool: Tool, term: str) -> None:
    result = tool("export", tool.workbook, "--only", term)

    assert result.exit_code == 2
    assert "Nothing was written." in result.words
    assert "--only rating:4.." in result.words
    assert not tool.workbook.exists()


@pytest.mark.parametrize("term", ["artist:nobody", "rating:9..", "unrated rating:4.."])
def test_terms_that_nothing_fits_write_no_workbook(tool: Tool, term: str) -> None:
    result = tool("export", "none.xlsx", "--only", term)

    assert result.exit_code == 2
    assert f"nothing in the library fits “{term}”" in result.stderr
    assert not (tool.folder / "none.xlsx").exists()
