"""A closer look at cells: which hold a formula, which show an error.

The reader proper (calamine) returns ``''`` for a true blank, for an error and for a
formula without a value alike, and a formula's last value like a typed one.  Before an
emptied cell may mean "remove the rating", the three must be told apart.

One pass over the sheet's XML finds formulas and errors in the columns asked for.  It
runs in the reader's child process.  Every program that writes .xlsx begins a cell with
``<c r="B7"``, so a byte pattern finds them at the speed of unzipping; a file that does
otherwise is parsed as XML, slower but surely.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from plexsheet.workbook.reading.archive import Elements, opened_part, sheet_parts
from plexsheet.workbook.schema.letters import letters_of

_CHUNK = 1 << 22
_TAIL = 70_000  # a cell's start, formula and value fit into this many bytes
MAX_MARKS = 4_000_000


@dataclass
class Marks:
    """Cells found: row and column from 0, whether a formula stands there, the error shown."""

    rows: list[int] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)
    formulas: list[bool] = field(default_factory=list)
    errors: dict[int, str] = field(default_factory=dict)  # by place in the lists

    def add(self, row: int, column: int, formula: bool, error: str | None) -> None:
        """Note one cell."""
        if len(self.rows) >= MAX_MARKS:
            raise MemoryError
        if error is not None:
            self.errors[len(self.rows)] = error
        self.rows.append(row)
        self.columns.append(column)
        self.formulas.append(formula)


def column_of_letters(letters: str) -> int:
    """Column counted from 0 of its letters.

    >>> column_of_letters("AB")
    27
    """
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def xlsx_marks(path: Path, sheet: str, columns: Iterable[int]) -> Marks:
    """Formulas and errors in some columns of a sheet of an .xlsx file.

    Raises:
        Refused: the sheet's part is missing or damaged.
    """
    part = sheet_parts(path).get(sheet, "")
    wanted = {letters_of(column): column for column in columns}
    with opened_part(path, part) as source:
        marks = _scan(source, wanted)
    if marks is not None:
        return marks
    parsed = _XlsxCells(set(wanted.values()))
    with opened_part(path, part) as source:
        parsed.feed(source)
    return parsed.marks


def _scan(source: IO[bytes], wanted: dict[str, int]) -> Marks | None:
    """Marks by byte pattern; None where cells are not written as it expects."""
    letters = "|".join(wanted).encode()
    pattern = re.compile(
        rb'<c r="(' + letters + rb')([0-9]{1,7})"'
        rb'(?:([^>]*\bt="e"[^>]*)>\s*(<f[ />])?(?:[^<]|<(?!v>|/c>))*(?:<v>([^<]{0,40}))?'
        rb"|[^>]*>\s*<f[ />])"
    )
    marks = Marks()
    data, done, seen = b"", 0, 0
    while True:
        chunk = source.read(_CHUNK)
        data = data[done:] + chunk
        done = _safe_end(data) if chunk else len(data)
        head = data[:done]
        cells = head.count(b'<c r="')
        seen += cells
        if cells != head.count(b"<c ") or b"<c\n" in head:
            return None
        for found in pattern.finditer(head):
            error = found[5].decode("ascii", "replace") if found[3] and found[5] else None
            formula = found[4] is not None or found[3] is None
            error = "" if found[3] and error is None else error
            marks.add(int(found[2]) - 1, wanted[found[1].decode()], formula, error)
        if not chunk:
            return marks if seen else None


def _safe_end(data: bytes) -> int:
    """Where the last cell begins, so that no cell is cut; all of it where that is far away."""
    last = data.rfind(b"<c ")
    return last if last > 0 and len(data) - last < _TAIL else max(len(data) - 8, 0)


class _XlsxCells(Elements):
    """Cells of a worksheet, parsed in full."""

    def __init__(self, wanted: set[int]) -> None:
        super().__init__()
        self.marks = Marks()
        self._wanted = wanted
        self._row = self._column = -1
        self._formula = self._error = self._in_value = False
        self._value = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            self._row = int(attributes["r"]) - 1 if _is_number(attributes) else self._row + 1
            self._column = -1
        elif name == "c":
            place = re.match(r"([A-Z]{1,3})([0-9]{1,7})$", attributes.get("r", ""))
            self._column = column_of_letters(place[1]) if place else self._column + 1
            self._row = int(place[2]) - 1 if place else self._row
            self._formula, self._error, self._value = False, attributes.get("t") == "e", ""
        elif name == "f":
            self._formula = True
        elif name == "v":
            self._in_value = True

    def text(self, data: str) -> None:
        if self._in_value and len(self._value) < 40:
            self._value += data

    def end(self, name: str) -> None:
        if name == "v":
            self._in_value = False
        elif name == "c" and self._column in self._wanted and (self._formula or self._error):
            error = self._value if self._error else None
            self.marks.add(self._row, self._column, self._formula, error)


def _is_number(attributes: dict[str, str]) -> bool:
    return re.fullmatch("[0-9]{1,7}", attributes.get("r", "")) is not None


# ---------------------------------------------------------------- OpenDocument


def ods_marks(path: Path, sheet: str, columns: Iterable[int]) -> Marks:
    """Formulas and errors in some columns of a sheet of an .ods file.

    Raises:
        Refused: the content is damaged.
    """
    parsed = _OdsCells(sheet, set(columns))
    with opened_part(path, "content.xml") as source:
        parsed.feed(source)
    return parsed.marks


class _OdsCells(Elements):
    """Cells of one table of content.xml; rows and columns are counted, with repetitions."""

    def __init__(self, sheet: str, wanted: set[int]) -> None:
        super().__init__()
        self.marks = Marks()
        self._sheet, self._wanted = sheet, wanted
        self._depth = 0  # of tables, from the wanted one
        self._row = self._column = self._row_repeat = self._repeat = 0
        self._formula = self._error = self._in_cell = False
        self._value = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "table" and (self._depth or attributes.get("name") == self._sheet):
            self._depth += 1
            self._row = 0
        elif self._depth != 1:
            return
        elif name == "table-row":
            self._row_repeat = repeated(attributes, "number-rows-repeated")
            self._column = 0
        elif name in ("table-cell", "covered-table-cell"):
            self._repeat = repeated(attributes, "number-columns-repeated")
            self._formula = "formula" in attributes
            self._error = attributes.get("calcext:value-type") == "error"
            self._in_cell, self._value = True, ""

    def text(self, data: str) -> None:
        if self._in_cell and self._error and len(self._value) < 40:
            self._value += data

    def end(self, name: str) -> None:
        if name == "table" and self._depth:
            self._depth -= 1
        elif self._depth != 1:
            return
        elif name == "table-row":
            self._row += self._row_repeat
        elif name in ("table-cell", "covered-table-cell"):
            self._in_cell = False
            if self._formula or self._error:
                self._mark()
            self._column += self._repeat

    def _mark(self) -> None:
        error = self._value.strip() if self._error else None
        last = self._column + self._repeat
        columns = [column for column in self._wanted if self._column <= column < last]
        for row in range(self._row, self._row + self._row_repeat) if columns else ():
            for column in columns:
                self.marks.add(row, column, self._formula, error)


def repeated(attributes: dict[str, str], name: str) -> int:
    """How many rows or columns an element of an .ods stands for; 1 where it says nothing."""
    said = attributes.get(name, "1")
    return int(said) if re.fullmatch("[0-9]{1,9}", said) else 1
