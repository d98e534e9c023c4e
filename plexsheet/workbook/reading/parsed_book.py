"""Sheets parsed in Python: the second reader, for files that the first one cannot read.

calamine expects files the way Excel and LibreOffice write them.  Other programs indent
their XML, leave out column numbers or keep to rarer parts of the standards; what they
write is sound all the same.  The parsers here follow the standards only: slower, whole
sheets in memory, and strict about limits.

Runs in the child process of the reader and imports the standard library alone.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from plexsheet.workbook.reading.formula_scan import Marks

MAX_ROWS = 1_048_576
MAX_COLUMNS = 16_384
MAX_CELLS = 40_000_000  # of a file, repeated ones included

Cell = Any  # float, str, bool, or one of datetime's

_DAY_ZERO = datetime.datetime(1899, 12, 30)
_DAY_ZERO_1904 = datetime.datetime(1904, 1, 1)
_DATE_LETTERS = re.compile(r"[dmyhs]", re.IGNORECASE)
_NOT_A_CODE = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|[_*].')
_ELAPSED = re.compile(r"\[[hms]+\]", re.IGNORECASE)
_BUILT_IN_DATES = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])


@dataclass
class ParsedSheet:
    """Rows of one sheet as they are found; blanks are ``""``.

    Attributes:
        rows: from the first row of the sheet, each from column A, blank ends left out.
        marks: formulas and errors anywhere on it.
    """

    rows: list[list[Cell]] = field(default_factory=list)
    marks: Marks = field(default_factory=Marks)
    cells: int = 0

    def put(
        self, row: int, column: int, value: Cell, *, formula: bool = False, error: str | None = None
    ) -> None:
        """Note a cell, row and column from 0.

        Raises:
            MemoryError: it lies outside what a sheet can hold, or there are too many.
        """
        if formula or error is not None:
            self.marks.add(row, column, formula, error)
        if value == "" or error is not None:
            return
        self.cells += 1
        if row >= MAX_ROWS or column >= MAX_COLUMNS or self.cells > MAX_CELLS:
            raise MemoryError
        while len(self.rows) <= row:
            self.rows.append([])
        cells = self.rows[row]
        if len(cells) < column:
            cells.extend([""] * (column - len(cells)))
        if len(cells) == column:
            cells.append(value)
        else:
            cells[column] = value


class ParsedBook:
    """A file of parsed sheets.

    Attributes:
        format: of the file.
        names: of its sheets, in their order.
    """

    def __init__(self, format_: str, sheets: Mapping[str, ParsedSheet]) -> None:
        self.format, self._sheets = format_, sheets
        self.names = list(sheets)

    def rows(self, sheet: str) -> Iterator[Sequence[Cell]]:
        """Rows of a sheet from its first, each from column A; rows may differ in length."""
        yield from self._sheets[sheet].rows

    def decimals(self, sheet: str, columns: Sequence[int]) -> str:
        """Not a text file."""
        return ""

    def marks(self, sheet: str, columns: Sequence[int]) -> Marks:
        """Formulas and errors in some columns."""
        found, wanted = Marks(), set(columns)
        whole = self._sheets[sheet].marks
        places = zip(whole.rows, whole.columns, whole.formulas, strict=True)
        for place, (row, column, formula) in enumerate(places):
            if column in wanted:
                found.add(row, column, formula, whole.errors.get(place))
        return found


def is_date_format(number: int, code: str = "") -> bool:
    """Whether cells with a number format show a date or a time of day.

    >>> is_date_format(14), is_date_format(170, '0.0"days"'), is_date_format(171, "yyyy-mm-dd")
    (True, False, True)
    """
    if not code:
        return number in _BUILT_IN_DATES
    if _ELAPSED.search(code):
        return True
    return _DATE_LETTERS.search(_NOT_A_CODE.sub("", code)) is not None


def date_of(days: float, *, from_1904: bool = False) -> Cell:
    """The date that a number of days stands for; the number itself where it is none."""
    try:
        zero = _DAY_ZERO_1904 if from_1904 else _DAY_ZERO
        return without_midnight(zero + datetime.timedelta(days=days))
    except (OverflowError, ValueError):
        return days


def date_of_text(text: str) -> Cell | None:
    """The date or time a text says as ISO 8601 does; None where it says none."""
    try:
        return without_midnight(datetime.datetime.fromisoformat(text.strip().removesuffix("Z")))
    except ValueError:
        return None


def without_midnight(moment: datetime.datetime) -> Cell:
    """A date where the time of day is midnight."""
    return moment.date() if moment.time() == datetime.time() else moment
