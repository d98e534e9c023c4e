"""The whole loop with titles that spreadsheets, XML and Python like to misread."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from plexsheet.demo.library import Row
from plexsheet.workbook.reading import csv_book
from tests.driver import Tool, rows_of_sheet, set_cells
from tests.plex.server import DemoPlex

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")

ODD = [
    "=1+1", "+49", "-", "@x", "NA", "None", "nan", "007", "1/2", "March 7", "1E5", "TRUE",
    "<r>x</r>", "<b>&amp;</b>", "🎵 Für Élise", "שלום עולם", "\u202eabc\u202c", "مرحبا",
    "bell\x07", "http://127.0.0.1/", "x" * 40_000,
]  # fmt: skip


def kept(title: str) -> str:
    """What a cell can hold of a title."""
    return "".join(c for c in title if c >= " ")[:32_767]


@pytest.fixture
def tool(tmp_path: Path) -> Iterator[Tool]:
    rows = [
        Row(
            artist=title,
            album_artist=title,
            album=title,
            track=title,
            index=1,
            duration_ms=200_000,
            genre="Jazz",
            user_rating=6.0 if number % 3 == 0 else None,
        )
        for number, title in enumerate(ODD)
    ]
    with DemoPlex(rows) as plex:
        yield Tool(tmp_path, plex)


def test_titles_are_text_both_ways(tool: Tool) -> None:
    tool.export()

    shown = {kept(str(row["Title"])) for row in rows_of_sheet(tool.workbook, "Tracks")}
    assert shown == {kept(title) for title in ODD}
    book = openpyxl.load_workbook(tool.workbook)
    for sheet, column in (("Artists", "Artist"), ("Albums", "Album"), ("Tracks", "Title")):
        headers = [cell.value for cell in book[sheet][1]]
        cells = next(book[sheet].iter_cols(headers.index(column) + 1, headers.index(column) + 1, 2))
        texts = [cell for cell in cells if cell.value is not None]
        assert {cell.data_type for cell in texts} <= {"s", "inlineStr"}, sheet
        away = [c.hyperlink for c in texts if c.hyperlink and c.hyperlink.target]
        assert not away, "a link that leaves the workbook"
    book.close()

    unedited = tool.importing()
    assert unedited.exit_code == 0, unedited.output
    assert not tool.plex.writes


def test_each_of_them_can_be_rated(tool: Tool) -> None:
    tool.export()
    keys = [str(row["Key"]) for row in rows_of_sheet(tool.workbook, "Tracks")]
    set_cells(tool.workbook, [("Tracks", key, "My rating", 1.5) for key in keys])

    result = tool.importing("--confirm", len(keys))

    assert result.exit_code == 0, result.output
    assert result.json["counts"]["applied"] == len(ODD)
    assert {tool.plex.rating(int(key)) for key in keys} == {3.0}


def test_csv_is_harmless_in_a_spreadsheet_and_comes_back_as_it_was(tool: Tool) -> None:
    folder = tool.folder / "lists"
    assert tool("export", "--csv", folder).exit_code == 0

    for file in folder.iterdir():
        for line in csv.reader(file.read_text("utf-8-sig").splitlines()):
            assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for cell in line), line
        read = [*csv_book.opened(file).rows()]
        assert {"=1+1", "+49", "-", "@x"} <= {cell for row in read for cell in row}
    found = tool("import", folder / "tracks.csv", "--preview", "--json").json["counts"]
    assert (found["would_apply"], found["errors"], found["conflicts"]) == (0, 0, 0)
