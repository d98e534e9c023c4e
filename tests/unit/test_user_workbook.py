from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl

from plexsheet.workbook.reading.reader import read
from plexsheet.workbook.reading.user_content import free_header, free_sheet_name, reserved_names
from plexsheet.workbook.reading.user_workbook import UserWorkbook, user_content_of, user_workbook

TRACKS = [
    ["key", "Title", "My rating", "Mood", "Note", "ADDED"],
    ["100", "A", 4.5, "fast", "", datetime(2024, 1, 5)],
    [101.0, 1984.0, "gut", None, "ask", date(2024, 1, 6)],
    [None] * 6,
    ["102", "C", datetime(2026, 5, 4), 3, "", "2024-01-07"],
]


def seen(folder: Path, *sheets: tuple[str, list[list[Any]]]) -> UserWorkbook:
    """A file with these sheets, as the program reads it."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(folder / "file.xlsx")
    return user_workbook(read(folder / "file.xlsx", extras=True))


def test_a_file_is_sorted_into_the_four_sheets_and_the_persons_own(tmp_path: Path) -> None:
    book = seen(tmp_path, ("Start", [["x"]]), ("TRACKS", TRACKS), ("Party", [["a"]]))
    assert [(sheet.name, sheet.sheet) for sheet in book.sheets] == [("Tracks", "Tracks")]
    assert [sheet.name for sheet in book.extra_sheets] == ["Party"]


def test_values_keep_their_kind_and_rows_their_place(tmp_path: Path) -> None:
    sheet = seen(tmp_path, ("Tracks", TRACKS)).sheets[0]
    assert sheet.headers == ("key", "Title", "My rating", "Mood", "Note", "ADDED")
    assert list(sheet.column("key")) == ["100", "101", None, "102"]
    assert list(sheet.column("title")) == ["A", "1984", None, "C"]
    assert list(sheet.column("my_rating")) == [4.5, "gut", None, "2026-05-04"]
    assert list(sheet.column("added")) == [45_296, 45_297, None, 45_298]
    assert sheet.column("album") is None
    assert [sheet.place(row) for row in (1, 2, 5, 6)] == [-1, 0, 3, -1]


def test_notes_and_own_columns_travel_by_key(tmp_path: Path) -> None:
    more = [TRACKS[0], ["200", "x", *"xxxx"]]
    user_content = user_content_of(seen(tmp_path, ("Tracks", TRACKS), ("Tracks 2", more)))
    assert user_content.notes["Tracks"] == {101: "ask", 200: "x"}
    assert [(own.header, dict(own.values)) for own in user_content.columns["Tracks"]] == [
        ("Mood", {100: "fast", 102: 3, 200: "x"})
    ]


def test_headers_and_sheet_names_are_made_fit_and_unique() -> None:
    taken = {"key", "mood"}
    assert [free_header(h, taken) for h in ("Mood", "MOOD", "", "<r>x</r>")] == [
        "Mood 2", "MOOD 3", "Column", "\u200b<r>x</r>",
    ]  # fmt: skip
    names = reserved_names()
    made = [free_sheet_name(n, names) for n in ("Help", "a" * 40, "Tracks", "[x]:y", "", "History")]
    assert made == ["Help 2", "a" * 31, "Sheet 2", "x y", "Sheet", "History 2"]
