"""A list as a workbook of its own: to filter and sort, not to import."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from plexsheet.workbook.schema.columns import SHEET_ROWS
from plexsheet.workbook.schema.meta import Meta
from plexsheet.workbook.writing.book import Book
from plexsheet.workbook.writing.report_sheets import ReportTable, add_list
from plexsheet.workbook.writing.writer import replacing


def write_list(path: Path, report: ReportTable, meta: Meta) -> int:
    """Write a report as a workbook of one sheet.

    Returns:
        Rows written: all that a sheet can hold.

    Raises:
        UsageError: it cannot be written.
    """
    content = BytesIO()
    book = Book(content, meta)
    add_list(book, report, report.sheet)
    book.close()
    with replacing(path) as file:
        file.write(content.getbuffer())
    return min(len(report.rows), SHEET_ROWS)
