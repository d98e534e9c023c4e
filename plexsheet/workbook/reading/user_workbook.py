"""A person's workbook as it came back: everything in it, by value and in their order.

The import itself needs a few columns only (``reader``).  A result workbook and
``export --from`` need the rest too: their order of rows and columns, columns and sheets
of their own, notes.  Pure: cells in, tables out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np

from plexsheet.workbook.reading.raw import RawColumn, RawSheet, RawWorkbook
from plexsheet.workbook.reading.user_content import ExtraSheet, OwnColumn, UserContent
from plexsheet.workbook.schema.cell_values import BLANK, NUMBER, STATE_BITS
from plexsheet.workbook.schema.columns import SHEETS, Column, SheetName
from plexsheet.workbook.schema.finding import column_of
from plexsheet.workbook.schema.grid import FIRST_ROW, Array

Cells = Sequence[Sequence[Any]]  # rows of text, numbers, truth values, dates, None or "" blank

# Cell notes: by name of a sheet, text by (row of the file, column from 0).
Comments = Mapping[str, Mapping[tuple[int, int], str]]

_DAY_ZERO = datetime(1899, 12, 30)
MOST_BLANK_ROWS = 50_000  # kept, so that rows keep their numbers
_NUMBERS = ("stars", "number", "length", "percent")


@dataclass(frozen=True)
class UserSheet:
    """One of the four sheets (or a continued one) as a file holds it.

    Attributes:
        name: as in the file.
        sheet: which of the four.
        headers: as in the file, from its first column on.
        columns: for each header, shape (rows,), objects.
        file_rows: shape (rows,), ascending, which row of the file each was.
        comments: cell notes of the person's own: text by (row of the file, header).
    """

    name: str
    sheet: SheetName
    headers: tuple[str, ...]
    columns: tuple[Array, ...]
    file_rows: Array
    comments: Mapping[tuple[int, str], str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows below the header."""
        return len(self.columns[0]) if self.columns else 0

    def place(self, file_row: int) -> int:
        """Where a row of the file is among the rows, -1 where it is not."""
        place = int(np.searchsorted(self.file_rows, file_row))
        found = place < self.rows and self.file_rows[place] == file_row
        return place if found else -1

    def column(self, name: str) -> Array | None:
        """Values of a column of plexsheet's by its name, None where the file has none."""
        for header, values in zip(self.headers, self.columns, strict=True):
            known = column_of(self.sheet, header)
            if known is not None and known.name == name:
                return values
        return None


@dataclass(frozen=True)
class UserWorkbook:
    """All of a file.

    Attributes:
        sheets: those of the four that are there, in the file's order.
        extra_sheets: the person's own.
        not_carried: what cannot be taken over, as sentences.
    """

    sheets: tuple[UserSheet, ...] = ()
    extra_sheets: tuple[ExtraSheet, ...] = ()
    not_carried: tuple[str, ...] = ()


def user_workbook(raw: RawWorkbook, comments: Comments | None = None) -> UserWorkbook:
    """A file as the reader gave it, all of its columns and extras read."""
    sheets = [
        _of_raw(sheet, (comments or {}).get(sheet.title, {})) for sheet in raw.sheets.values()
    ]
    extra = [ExtraSheet(one.name, one.rows) for one in raw.extra_sheets]
    cut = [
        f"Sheet '{one.name}' is too large: its first {len(one.rows):,} rows were taken over."
        for one in raw.extra_sheets
        if one.cut
    ]
    skipped = [
        f"Sheet '{name}' was skipped ({code}), so it is not in this file; yours still has it."
        for name, code in raw.stopped.items()
        if name not in raw.sheets
    ]
    return UserWorkbook(tuple(s for s in sheets if s), tuple(extra), (*cut, *skipped))


def _of_raw(raw: RawSheet, comments: Mapping[tuple[int, int], str]) -> UserSheet | None:
    if raw.sheet is None:
        return None
    found = sorted((*raw.columns.values(), *raw.own), key=lambda column: column.index)
    columns = [_typed(column_of(raw.sheet, column.header), _values(column)) for column in found]
    last = int(raw.rows[-1]) if len(raw) else FIRST_ROW - 1
    rows = raw.rows
    if last - FIRST_ROW + 1 - len(raw) <= MOST_BLANK_ROWS:  # keep the person's row numbers
        rows = np.arange(FIRST_ROW, last + 1)
        columns = [_spread(values, raw.rows - FIRST_ROW, len(rows)) for values in columns]
    headers = tuple(column.header for column in found)
    kept = _by_header(comments, raw.headers)
    return UserSheet(raw.name, raw.sheet, headers, tuple(columns), rows, kept)


def _values(column: RawColumn) -> list[Any]:
    kinds = column.states & STATE_BITS
    values: list[Any] = column.numbers.tolist()
    texts = column.texts.dense(slice(0, len(values)))
    for row in np.flatnonzero(kinds != NUMBER).tolist():
        kind = kinds[row]
        values[row] = texts[row] or (None if kind == BLANK else bool(values[row]))
    return values


def _spread(values: Array, places: Array, rows: int) -> Array:
    """Values at their places among rows that are otherwise blank."""
    spread = as_objects([None] * rows)
    spread[places] = values
    return spread


def _by_header(
    comments: Mapping[tuple[int, int], str], header: Sequence[str]
) -> dict[tuple[int, str], str]:
    return {
        (row, header[index]): text
        for (row, index), text in comments.items()
        if index < len(header) and header[index]
    }


def _typed(column: Column | None, values: list[Any]) -> Array:
    """Values as the column's cells hold them; what does not fit stays as it was typed."""
    kind = column.type if column is not None else ""
    if kind == "date":
        return as_objects([_day(value) for value in values])
    if kind in _NUMBERS:
        return as_objects([plain(value) for value in values])
    if kind:
        return as_objects([_as_text(value) for value in values])
    return as_objects([plain(value) for value in values])


def _day(value: Any) -> Any:
    if isinstance(value, datetime):
        return float((value - _DAY_ZERO).days)
    if isinstance(value, date):
        return float((datetime(value.year, value.month, value.day) - _DAY_ZERO).days)
    if isinstance(value, str):
        try:
            return float((datetime.fromisoformat(value) - _DAY_ZERO).days)
        except ValueError:
            return plain(value)
    return plain(value)


def plain(value: Any) -> Any:
    """A value as text, number, truth value or None: dates and times as ISO text.

    >>> plain(datetime(2026, 5, 4)), plain("")
    ('2026-05-04', None)
    """
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return None if value == "" or value != value else value


def _as_text(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return plain(value)
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.15g}"


def as_objects(values: Sequence[Any]) -> Array:
    """An object array, whatever the values are."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def key_of(value: Any) -> int:
    """The rating key a cell holds, 0 where it holds none.

    >>> key_of(" 120034 "), key_of("1.2E+05"), key_of(None)
    (120034, 0, 0)
    """
    text = str(value or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def user_content_of(seen: UserWorkbook) -> UserContent:
    """Notes, cell notes, own columns and own sheets of a file, for the next export."""
    notes: dict[SheetName, dict[int, str]] = {sheet: {} for sheet in SHEETS}
    columns: dict[SheetName, dict[str, dict[int, Any]]] = {sheet: {} for sheet in SHEETS}
    comments: dict[SheetName, dict[tuple[int, str], str]] = {sheet: {} for sheet in SHEETS}
    for sheet in seen.sheets:
        keys = [key_of(value) for value in _or_empty(sheet.column("key"))]
        for header, values in zip(sheet.headers, sheet.columns, strict=True):
            known = column_of(sheet.sheet, header)
            present = {k: v for k, v in zip(keys, values, strict=True) if k and v is not None}
            if known is not None and known.name == "note":
                notes[sheet.sheet] |= {key: str(value) for key, value in present.items()}
            elif known is None and (present or header):
                columns[sheet.sheet].setdefault(header, {}).update(present)
        for (row, header), text in sheet.comments.items():
            if sheet.place(row) >= 0 and keys[sheet.place(row)]:
                comments[sheet.sheet][keys[sheet.place(row)], header] = text
    own = {
        sheet: [OwnColumn(header, values) for header, values in found.items()]
        for sheet, found in columns.items()
    }
    return UserContent(notes, own, seen.extra_sheets, comments)


def _or_empty(values: Array | None) -> Array:
    return as_objects([]) if values is None else values
