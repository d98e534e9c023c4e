"""Workbooks of the Office Open XML family (.xlsx), strict ones included, parsed by the standard.

Names of elements are compared without their namespace, since transitional and strict
files differ in nothing else that matters here.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

from plexsheet.workbook.reading.archive import Elements, Refused, opened_part, sheet_parts
from plexsheet.workbook.reading.formula_scan import column_of_letters
from plexsheet.workbook.reading.parsed_book import (
    Cell,
    ParsedBook,
    ParsedSheet,
    date_of,
    date_of_text,
    is_date_format,
)

_ADDRESS = re.compile(r"([A-Z]{1,3})([0-9]{1,7})$")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


def read_xlsx(path: Path) -> ParsedBook:
    """All sheets with cells.

    Raises:
        Refused: a part is missing or damaged.
        MemoryError: it holds more than is allowed.
    """
    parts = sheet_parts(path)
    with zipfile.ZipFile(path) as archive:
        names = {name.casefold(): name for name in archive.namelist()}
    texts, styles, book = _Strings(), _Styles(), _Book()
    for elements, part in (
        (texts, "xl/sharedstrings.xml"),
        (styles, "xl/styles.xml"),
        (book, "xl/workbook.xml"),
    ):
        _feed(path, names.get(part, ""), elements)
    sheets = {}
    for name, part in parts.items():
        sheet = _Sheet(texts.found, styles.dates(), from_1904=book.from_1904)
        _feed(path, names.get(part.casefold(), ""), sheet)
        sheets[name] = sheet.sheet
    if not sheets:
        raise Refused("F01", "unread")
    return ParsedBook("xlsx", sheets)


def _feed(path: Path, part: str, elements: Elements) -> None:
    if part:
        with opened_part(path, part) as source:
            elements.feed(source)


def plain(text: str) -> str:
    r"""A text of a cell with what is written as ``_x000D_`` in place.

    >>> plain("a_x000D_b _x005F_x0041_")
    'a\rb _x0041_'
    """
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


class _Strings(Elements):
    """Shared texts, without their looks and their phonetic readings."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._parts: list[str] = []
        self._in_text, self._phonetic = False, False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "si":
            self._parts = []
        elif name == "rPh":
            self._phonetic = True
        elif name == "t":
            self._in_text = not self._phonetic

    def text(self, data: str) -> None:
        if self._in_text:
            self._parts.append(data)

    def end(self, name: str) -> None:
        if name == "si":
            self.found.append(plain("".join(self._parts)))
        elif name == "rPh":
            self._phonetic = False
        elif name == "t":
            self._in_text = False


class _Styles(Elements):
    """Which cell styles show dates."""

    def __init__(self) -> None:
        super().__init__()
        self._codes: dict[int, str] = {}
        self._formats: list[int] = []
        self._in_cells = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt" and attributes.get("numFmtId", "").isdecimal():
            code = attributes.get("formatCode", "")
            self._codes.setdefault(int(attributes["numFmtId"]), code)
        elif name == "cellXfs":
            self._in_cells = True
        elif name == "xf" and self._in_cells:
            number = attributes.get("numFmtId", "0")
            self._formats.append(int(number) if number.isdecimal() else 0)

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._in_cells = False

    def dates(self) -> list[bool]:
        """For each cell style, whether it shows dates."""
        return [is_date_format(number, self._codes.get(number, "")) for number in self._formats]


class _Book(Elements):
    """From which year days are counted."""

    def __init__(self) -> None:
        super().__init__()
        self.from_1904 = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "workbookPr":
            self.from_1904 = attributes.get("date1904", "0") in ("1", "true", "on")


class _Sheet(Elements):
    """Cells of one worksheet."""

    def __init__(self, texts: list[str], dates: list[bool], *, from_1904: bool) -> None:
        super().__init__()
        self.sheet = ParsedSheet()
        self._texts, self._dates, self._from_1904 = texts, dates, from_1904
        self._row = self._column = -1
        self._type, self._style = "n", 0
        self._formula = self._in_value = self._phonetic = False
        self._value: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self._begin(attributes)
        elif name == "row":
            number = attributes.get("r", "")
            self._row = int(number) - 1 if number.isdecimal() else self._row + 1
            self._column = -1
        elif name == "f":
            self._formula = True
        elif name == "rPh":
            self._phonetic = True
        elif name in ("v", "t"):
            self._in_value = not self._phonetic

    def _begin(self, attributes: dict[str, str]) -> None:
        place = _ADDRESS.match(attributes.get("r", ""))
        self._column = column_of_letters(place[1]) if place else self._column + 1
        self._row = int(place[2]) - 1 if place else self._row
        self._type = attributes.get("t", "n")
        style = attributes.get("s", "0")
        self._style = int(style) if style.isdecimal() else 0
        self._formula, self._value = False, []

    def text(self, data: str) -> None:
        if self._in_value:
            self._value.append(data)

    def end(self, name: str) -> None:
        if name in ("v", "t"):
            self._in_value = False
        elif name == "rPh":
            self._phonetic = False
        elif name == "c":
            text = "".join(self._value)
            error = text if self._type == "e" else None
            value: Cell = "" if error is not None else self._cell(text)
            self.sheet.put(self._row, self._column, value, formula=self._formula, error=error)

    def _cell(self, text: str) -> Cell:
        if text == "":
            return ""
        if self._type == "s":
            return self._texts[int(text)] if int(text) < len(self._texts) else ""
        if self._type in ("str", "inlineStr"):
            return plain(text)
        if self._type == "b":
            return text.strip() in ("1", "true")
        if self._type == "d":
            return date_of_text(text) or text
        return self._number(text)

    def _number(self, text: str) -> Any:
        try:
            number = float(text)
        except ValueError:
            return text
        shows_date = self._style < len(self._dates) and self._dates[self._style]
        return date_of(number, from_1904=self._from_1904) if shows_date else number
