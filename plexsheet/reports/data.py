"""Reports for other programs: CSV and JSON (pure)."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from plexsheet.reports.report import Report


def as_json(report: Report) -> dict[str, Any]:
    """A report as JSON-ready values: rows as objects by header, unknown as null."""
    return {
        "report": report.name,
        "title": report.title,
        "rows": [dict(zip(report.columns, row, strict=True)) for row in report.rows],
        "summary": dict(report.summary),
        "note": report.note,
    }


def json_text(report: Report) -> str:
    """``as_json`` as text."""
    return json.dumps(as_json(report), ensure_ascii=False, indent=2, allow_nan=False)


def csv_text(report: Report, separator: str = ",") -> str:
    """A report as CSV: a header line, then rows; unknown cells are empty."""
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, delimiter=separator, lineterminator="\r\n")
    writer.writerow(report.columns)
    writer.writerows(["" if cell is None else cell for cell in row] for row in report.rows)
    return lines.getvalue()
