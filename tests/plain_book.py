"""The workbook as XlsxWriter alone would write it: the yardstick for rows written past it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from plexsheet.reports.report import Report
from plexsheet.workbook.reading.user_content import UserContent
from plexsheet.workbook.writing.book import Book
from plexsheet.workbook.writing.data_sheets import add_sheet, write_rows
from plexsheet.workbook.writing.help_sheet import add_help
from plexsheet.workbook.writing.report_sheets import add_reports
from plexsheet.workbook.writing.sheet_data import View
from plexsheet.workbook.writing.start import add_start
from plexsheet.workbook.writing.writer import (
    SUBTITLE,
    add_extra_sheets,
    data_tables,
    lay_out,
    sheet_lines,
)
from tests.sample_library import META


def export_plain(
    path: Path, view: View, *, reports: Sequence[Report], user_content: UserContent
) -> Path:
    """An export every cell of which XlsxWriter wrote."""
    laid_out = lay_out(data_tables(view, reports), META, user_content)
    made = BytesIO()
    book = Book(made, META)
    next_year = datetime.fromtimestamp(META.exported_at, UTC).year + 1
    add_start(book, META, laid_out, subtitle=SUBTITLE)
    for grid in laid_out:
        write_rows(book, add_sheet(book, grid, next_year=next_year), grid)
    add_reports(book, reports)
    add_help(book)
    add_extra_sheets(book, user_content.extra_sheets)
    book.hidden_meta(META, sheet_lines(laid_out))
    book.close()
    path.write_bytes(made.getbuffer())
    return path
