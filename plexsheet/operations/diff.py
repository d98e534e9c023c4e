"""Compare two workbooks, row by Key and cell by header."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from plexsheet.messages import Message
    from plexsheet.workbook.edits.comparison import Difference, Sheets
    from plexsheet.workbook.reading.raw import RawWorkbook
    from plexsheet.workbook.schema.columns import SheetName


def diff(old: Path, new: Path) -> tuple[list[Difference], list[Message]]:
    """What changed from one workbook to another, and why sheets of either were not read.

    Raises:
        WorkbookError: one of them cannot be read.
    """
    from plexsheet.operations.restore import unread_sheets
    from plexsheet.workbook.edits.comparison import compare
    from plexsheet.workbook.reading.reader import read

    books = [read(path) for path in (old, new)]
    found = compare(*map(sheets_of, books))
    return list(found), [note for book in books for note in unread_sheets(book)]


def sheets_of(raw: RawWorkbook) -> Sheets:
    """The sheets of a workbook that can be compared, by Key."""
    from plexsheet.workbook.edits.comparison import COMPARED

    sheets: dict[SheetName, dict[int, dict[str, Any]]] = {}
    for sheet in raw.sheets.values():
        if sheet.sheet is not None and sheet.sheet in COMPARED:
            sheets.setdefault(sheet.sheet, {}).update(_rows(sheet))
    return sheets


def _rows(sheet: Any) -> dict[int, dict[str, Any]]:
    """Rows with a sound Key."""
    from plexsheet.workbook.edits.comparison import COMPARED
    from plexsheet.workbook.schema.columns import IDENTITY

    wanted = {*COMPARED[sheet.sheet], *(name for name in IDENTITY[sheet.sheet] if name)}
    columns = [(name, column) for name, column in sheet.columns.items() if name in wanted]
    found: dict[int, dict[str, Any]] = {}
    for row, key in enumerate(sheet.keys.tolist()):
        if key > 0:
            found[key] = {name: column.value(row) for name, column in columns}
    return found
