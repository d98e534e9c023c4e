"""Spreadsheets of other programs as rows of plain values, nothing assumed of what they hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from plexsheet.workbook.reading.archive import Refused

Rows = list[Sequence[Any]]


def sheets_of(path: Path) -> Iterator[tuple[str, Rows]]:
    """Name and rows of each sheet that is not empty, headers included.

    Raises:
        Refused: it is damaged.
    """
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(str(path))
        for name in book.sheet_names:
            rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            if rows:
                yield name, [*rows]
    except (CalamineError, OSError) as error:
        raise Refused("F01") from error
