"""Reports for other programs: CSV and JSON (pure)."""

from __future__ import annotations

import csv
import io
from typing import Any

from plexsheet.reports.report import Cell, Report
from plexsheet.workbook.schema.csv_text import safe


def as_json(report: Report) -> dict[str, Any]:
    """A report as JSON-ready values: rows as objects by header, unknown as null."""
    items = {"items": _objects(report.items)} if report.items else {}
    return {
        "report": report.name,
        "title": report.title,
        "rows": _objects(report),
        **items,
        "summary": dict(report.summary),
        "note": report.note,
    }


def _objects(report: Report) -> list[dict[str, Any]]:
    return [dict(zip(report.columns, row, strict=True)) for row in report.rows]


def csv_text(report: Report, separator: str = ",") -> str:
    """A report as CSV: a header line, then rows; unknown cells are empty.

    A list that belongs to the report follows after an empty line and its title.  Text that a
    spreadsheet would take for a formula begins with an apostrophe, see ``csv_text``.
    """
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, delimiter=separator, lineterminator="\r\n")
    writer.writerow(report.columns)
    writer.writerows([_cell(cell) for cell in row] for row in report.rows)
    if report.items:
        lines.write(f"\r\n{report.items.title}\r\n{csv_text(report.items, separator)}")
    return lines.getvalue()


def _cell(cell: Cell) -> Cell:
    if cell is None:
        return ""
    return safe(cell) if isinstance(cell, str) else cell
