"""OpenDocument spreadsheets (.ods, and .fods in one piece), parsed by the standard."""

from __future__ import annotations

import re
from pathlib import Path

from plexsheet.workbook.reading.archive import Elements, Refused, opened_part
from plexsheet.workbook.reading.formula_scan import repeated
from plexsheet.workbook.reading.parsed_book import (
    MAX_CELLS,
    Cell,
    ParsedBook,
    ParsedSheet,
    date_of_text,
)

_NUMBERS = ("float", "percentage", "currency")
_BLANKS = re.compile(r"\s+")
_CELLS = ("table-cell", "covered-table-cell")
_ASIDE = ("annotation", "shapes", "tracked-changes", "forms", "frame")  # no part of the cells


def read_open_document(path: Path, format_: str) -> ParsedBook:
    """All sheets of an ``ods`` or ``fods`` file.

    Raises:
        Refused: it is damaged, or holds no sheets.
        MemoryError: it holds more than is allowed.
    """
    content = _Content()
    if format_ == "fods":
        with path.open("rb") as source:
            content.feed(source)
    else:
        with opened_part(path, "content.xml") as source:
            content.feed(source)
    if not content.sheets:
        raise Refused("F01", "unread")
    return ParsedBook(format_, content.sheets)


class _Content(Elements):
    """The tables of a document, rows and columns counted with repetitions."""

    def __init__(self) -> None:
        super().__init__()
        self.sheets: dict[str, ParsedSheet] = {}
        self._sheet: ParsedSheet | None = None
        self._aside = 0  # depth inside something that is no cell
        self._row = self._rows = self._column = 0
        self._cells: list[tuple[int, int, Cell, bool, str | None]] = []
        self._attributes: dict[str, str] = {}
        self._lines: list[str] = []
        self._in_line = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._aside or name in _ASIDE:
            self._aside += 1
        elif name == "table":
            self._sheet = self.sheets.setdefault(attributes.get("name", ""), ParsedSheet())
            self._row = 0
        elif name == "table-row":
            self._rows, self._column = repeated(attributes, "number-rows-repeated"), 0
            self._cells = []
        elif name in _CELLS:
            self._attributes, self._lines, self._in_line = attributes, [], 0
        elif name == "p":
            self._lines.append("")
            self._in_line += 1
        elif self._in_line:
            self._add(_SPACES.get(name, "") * min(repeated(attributes, "c"), 1000))

    def text(self, data: str) -> None:
        if self._in_line and not self._aside:
            self._add(_BLANKS.sub(" ", data))

    def _add(self, text: str) -> None:
        if self._lines:
            self._lines[-1] += text

    def end(self, name: str) -> None:
        if self._aside:
            self._aside -= 1
        elif name == "p":
            self._in_line -= 1
        elif name in _CELLS:
            self._end_cell()
        elif name == "table-row":
            self._end_row()
        elif name == "table":
            self._sheet = None

    def _end_cell(self) -> None:
        repeat = repeated(self._attributes, "number-columns-repeated")
        formula = "formula" in self._attributes
        text = "\n".join(self._lines)
        is_error = self._attributes.get("calcext:value-type") == "error"
        error = text.strip()[:40] if is_error else None
        value: Cell = "" if is_error else _value(self._attributes, text)
        if value != "" or formula or is_error:
            self._cells.append((self._column, repeat, value, formula, error))
        self._column += repeat

    def _end_row(self) -> None:
        if self._sheet is not None and self._cells:
            if self._rows * sum(cell[1] for cell in self._cells) > MAX_CELLS:
                raise MemoryError
            for row in range(self._row, self._row + self._rows):
                for first, repeat, value, formula, error in self._cells:
                    for column in range(first, first + repeat):
                        self._sheet.put(row, column, value, formula=formula, error=error)
        self._row += self._rows


_SPACES = {"s": " ", "tab": "\t", "line-break": "\n"}


def _value(attributes: dict[str, str], text: str) -> Cell:
    kind = attributes.get("value-type", "")
    if kind in _NUMBERS:
        return _number(attributes.get("value", ""), text)
    if kind == "boolean":
        return attributes.get("boolean-value") == "true"
    if kind == "date":
        said = attributes.get("date-value", "")
        return date_of_text(said) or text or said
    if kind == "time":
        return text or attributes.get("time-value", "")
    return attributes.get("string-value", text) if kind == "string" else text


def _number(said: str, text: str) -> Cell:
    try:
        return float(said)
    except ValueError:
        return text
