"""Reports and Dissenters: the reports of the command line, with charts.

Short reports stand below each other on one sheet, each with its chart to the right; the
list that one wants to filter has a sheet of its own.  A chart that would show
nothing is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from xlsxwriter.chart import Chart
from xlsxwriter.worksheet import Worksheet

from plexsheet.workbook.schema import styles
from plexsheet.workbook.schema.columns import SHEET_ROWS
from plexsheet.workbook.schema.styles import Look
from plexsheet.workbook.writing.book import Book, safe

BLOCKS = "Reports"  # the sheet that reports share; the others are lists, each on its own

CHART_COLUMN = 9
CHART_ROWS = 17  # rows a chart is high, heading and note included
_CHART_SIZE = {"width": 560, "height": 300}
_FIRST_WIDTH, _WIDTH = 32, 14
_LINKS = 20_000  # of the 65,530 a sheet can hold

FORMATS: dict[str, str] = {
    "text": "@",
    "count": "#,##0",
    "stars": "0.0#",
    "signed": "+0.0#;-0.0#;0.0",
    "number": "0.0#",
    "percent": '0.0" %"',
    "link": "@",
}
LINED_UP = {"stars": "0.00", "number": "0.00", "signed": "+0.00;-0.00;0.00"}
# From dark to light, so that neighbours differ in black and white too.
SHADES = (styles.SLATE, styles.GOLD, "#8FB3D9", "#D9DDE2", "#F2E3BC")


class TableColumn(Protocol):
    """A column of a report."""

    @property
    def header(self) -> str:
        """What stands above it."""

    @property
    def format(self) -> str:
        """A key of ``FORMATS``."""


class ReportChart(Protocol):
    """What a chart shows and how: see ``plexsheet.reports.report.Chart``."""

    @property
    def title(self) -> str:
        """Above it."""

    @property
    def series(self) -> Sequence[str]:
        """Headers of the columns drawn."""

    @property
    def across(self) -> bool:
        """Whether bars lie."""

    @property
    def stacked(self) -> str:
        """``""``, ``sum`` or ``share``."""

    @property
    def unit(self) -> str:
        """Of the numbers."""


class ReportTable(Protocol):
    """A report as a table: see ``plexsheet.reports.report``."""

    @property
    def name(self) -> str:
        """As on the command line."""

    @property
    def title(self) -> str:
        """As above the table."""

    @property
    def layout(self) -> Sequence[TableColumn]:
        """The columns."""

    @property
    def rows(self) -> Sequence[Sequence[Any]]:
        """Values by column, None unknown."""

    @property
    def note(self) -> str:
        """How to read it, or why it is empty."""

    @property
    def sheet(self) -> str:
        """Where it stands: on ``BLOCKS``, on a sheet of its own, or with ``""`` nowhere."""

    @property
    def chart(self) -> ReportChart | None:
        """Its picture."""

    @property
    def items(self) -> ReportTable | None:
        """A list that belongs to it."""


def add_reports(book: Book, reports: Sequence[ReportTable]) -> None:
    """The sheets of reports; none where there are no reports."""
    blocks = [report for report in reports if report.sheet == BLOCKS]
    if blocks:
        _add_blocks(book, blocks)
    for part in (part for report in reports for part in (report, report.items)):
        if part is not None and part.sheet not in ("", BLOCKS):
            add_list(book, part, part.sheet)


# One sheet of short reports


def _add_blocks(book: Book, blocks: Sequence[ReportTable]) -> None:
    sheet = book.sheet("Reports")
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, _FIRST_WIDTH)
    sheet.set_column(1, CHART_COLUMN - 1, _WIDTH)
    top = 0
    for report in blocks:
        height = _block(book, sheet, report, top)
        chart = _chart(book, report, top + 2)
        if chart is not None:
            sheet.insert_chart(top, CHART_COLUMN, chart, {"x_offset": 12, "y_offset": 4})
            height = max(height, CHART_ROWS)
        top += height + 1
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _block(book: Book, sheet: Worksheet, report: ReportTable, top: int) -> int:
    """Title, note, header and rows; returns how many rows they take."""
    for place in range(CHART_COLUMN):
        book.write(sheet, top, place, None if place else report.title, styles.HEADING)
    sheet.set_row(top, 21)
    book.write(sheet, top + 1, 0, report.note, styles.SUBTITLE)
    for index, column in enumerate(report.layout):
        right = index > 0 and column.format != "text"
        look = styles.HEADER | {"text_wrap": True} | ({"align": "right"} if right else {})
        book.write(sheet, top + 2, index, column.header, look)
    if any(len(column.header) > _WIDTH for column in report.layout[1:]):
        sheet.set_row(top + 2, 31)
    for row, values in enumerate(report.rows, start=top + 3):
        for index, (column, value) in enumerate(zip(report.layout, values, strict=True)):
            book.write(sheet, row, index, value, _cell_look(column, index, value))
    return 3 + len(report.rows) + 1


def _cell_look(column: TableColumn, index: int, value: Any) -> Look:
    look = styles.FONT | {"num_format": _number_format(column, value, index), "bottom": 4}
    look |= {"bottom_color": styles.LINE}
    return look | ({"align": "left"} if index == 0 else {})


def _number_format(column: TableColumn, value: Any, index: int) -> str:
    """Whole numbers without decimals; others with two, so that their points stand in line."""
    if column.format == "number" and isinstance(value, int):
        return FORMATS["count"]
    if column.format == "percent" and value is not None and float(value).is_integer():
        return '0" %"'
    return FORMATS[column.format] if index == 0 else (FORMATS | LINED_UP)[column.format]


# Charts


def _chart(book: Book, report: ReportTable, header: int) -> Chart | None:
    """The chart of a report, None where it has none or would show nothing.

    Args:
        book: the workbook.
        report: written at ``header``.
        header: row of the report's header on the sheet.
    """
    spec = report.chart
    if spec is None or not _says_something(report, spec.series):
        return None
    headers = [column.header for column in report.layout]
    kind = {"type": "bar" if spec.across else "column"}
    kind |= {"subtype": _SUBTYPES[spec.stacked]} if spec.stacked else {}
    chart = book.file.add_chart(kind)
    last = header + len(report.rows)
    named = 1 if report.layout[1].format == "text" else 0  # the last column that says what a row is
    for shade, name in zip(SHADES, spec.series, strict=False):
        if name not in headers:
            continue
        place = headers.index(name)
        chart.add_series(
            {
                "name": ["Reports", header, place],
                "categories": ["Reports", header + 1, 0, last, named],
                "values": ["Reports", header + 1, place, last, place],
                "fill": {"color": shade},
                "border": {"color": "#FFFFFF", "width": 0.5},
                "gap": 45,
                "overlap": 100 if spec.stacked else 0,
            }
        )
    _dress(chart, spec)
    return chart


def _says_something(report: ReportTable, series: Sequence[str]) -> bool:
    headers = [column.header for column in report.layout]
    places = [headers.index(name) for name in series if name in headers]
    return any(row[place] for row in report.rows for place in places)


_SUBTYPES = {"sum": "stacked", "share": "percent_stacked"}


def _dress(chart: Chart, spec: ReportChart) -> None:
    font = {"name": "Calibri", "size": 10, "color": styles.INK}
    chart.set_title({"name": spec.title, "name_font": font | {"size": 13}, "overlay": False})
    chart.set_legend({"position": "bottom", "font": font})
    lines = {"visible": True, "line": {"color": styles.LINE, "width": 0.5}}
    flat = {"num_font": font, "line": {"color": styles.LINE}}
    named = {"name": spec.unit, "name_font": font | {"bold": False}} if spec.unit else {}
    values = {"num_font": font, "line": {"none": True}, "major_gridlines": lines, "min": 0} | named
    if spec.across:
        chart.set_x_axis(values if not spec.stacked else values | {"num_format": "0%"})
        chart.set_y_axis(flat | {"reverse": True})
    else:
        chart.set_x_axis(flat)
        chart.set_y_axis(values)
    chart.set_size(_CHART_SIZE)
    chart.set_chartarea({"border": {"color": styles.LINE}})


# Lists


def add_list(book: Book, report: ReportTable, title: str) -> None:
    """A list on a sheet of its own, as a table to filter."""
    sheet = book.sheet(title)
    rows = report.rows[:SHEET_ROWS]
    last = max(len(rows), 1)
    header = book.format(styles.HEADER)
    columns = [{"header": safe(c.header), "header_format": header} for c in report.layout]
    table = f"tbl{title.title().replace(' ', '')}"
    style = {"name": table, "columns": columns, "style": "Table Style Light 1"}
    sheet.add_table(0, 0, last, len(columns) - 1, style)
    sheet.set_row(0, 24)
    for index, column in enumerate(report.layout):
        texts = [str(row[index]) for row in rows[:500] if row[index] is not None]
        longest = 7 if column.format == "link" else max(map(len, texts), default=0)
        sheet.set_column(index, index, min(max(longest + 2, len(column.header) + 4), 40))
        for row, values in enumerate(rows, start=1):
            _list_cell(book, sheet, row, index, column, values[index])
    if report.note:
        sheet.write_comment(0, 0, report.note, {"author": "plexsheet", "width": 300, "height": 90})
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _list_cell(
    book: Book, sheet: Worksheet, row: int, index: int, column: TableColumn, value: Any
) -> None:
    if column.header == "Key":
        book.write(sheet, row, index, str(value), styles.TEXT | {"font_color": styles.GREY})
    elif column.format == "link" and value and row <= _LINKS:
        sheet.write_url(row, index, value, book.format(styles.LINK | {"align": "center"}), "open")
    else:
        look = styles.FONT | {"num_format": _number_format(column, value, index)}
        book.write(sheet, row, index, value, look)
