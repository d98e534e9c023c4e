"""Help: what to type, what each column is, and every message with its cure."""

from __future__ import annotations

from collections.abc import Sequence

from xlsxwriter.worksheet import Worksheet

from plexsheet.workbook.schema import help as content
from plexsheet.workbook.schema import styles
from plexsheet.workbook.writing.book import Book, safe

WIDTHS = (24, 46, 52, 70)


def add_help(book: Book) -> Worksheet:
    """The Help sheet: three tables below each other."""
    sheet = book.sheet("Help")
    for column, width in enumerate(WIDTHS):
        sheet.set_column(column, column, width)
    row = _table(book, sheet, 0, "tblHelp", content.TOPIC_HEADERS, content.TOPICS)
    row = _table(book, sheet, row + 1, "tblColumns", content.COLUMN_HEADERS, content.column_rows())
    _table(book, sheet, row + 1, "tblMessages", content.MESSAGE_HEADERS, content.message_rows())
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    return sheet


def _table(
    book: Book,
    sheet: Worksheet,
    top: int,
    name: str,
    headers: content.Row,
    rows: Sequence[content.Row],
) -> int:
    """One table from a row on; returns the first row below it."""
    look = book.format(styles.HEADER)
    columns = [{"header": text, "header_format": look} for text in headers]
    options = {
        "name": name,
        "columns": columns,
        "style": "Table Style Light 1",
        "autofilter": False,
    }
    sheet.add_table(top, 0, top + len(rows), len(headers) - 1, options)
    wrapped = book.format(styles.WRAPPED)
    for row, texts in enumerate(rows, start=top + 1):
        for column, text in enumerate(texts):
            sheet.write_string(row, column, safe(text), wrapped)
        lines = max(-(-len(text) // int(w * 1.15)) for text, w in zip(texts, WIDTHS, strict=True))
        sheet.set_row(row, 15.5 * max(lines, 1))
    return top + len(rows) + 1
