"""What changed between two workbooks, as a workbook of one table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import xlsxwriter

from plexsheet.workbook.writing.book import safe
from plexsheet.workbook.writing.writer import replacing

if TYPE_CHECKING:
    from plexsheet.workbook.edits.comparison import Difference


def write_differences(path: Path, found: Sequence[Difference]) -> None:
    """Write differences as a workbook of one table."""
    headers = ("Sheet", "Key", "Item", "Column", "Old", "New", "What")
    with replacing(path) as file:
        book = xlsxwriter.Workbook(file, {"strings_to_formulas": False, "strings_to_urls": False})
        sheet = book.add_worksheet("Changes")
        sheet.write_row(0, 0, headers, book.add_format({"bold": True}))
        for row, one in enumerate(found, 1):
            cells = (one.sheet, str(one.key), one.item, one.column, one.old, one.new, one.what)
            for column, value in enumerate(cells):
                if isinstance(value, str):
                    sheet.write_string(row, column, safe(value))
                elif value is not None:
                    sheet.write_number(row, column, value)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(len(found), 1), len(headers) - 1)
        sheet.set_column(2, 2, 44)
        book.close()
