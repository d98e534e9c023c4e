"""Binary workbooks (.xlsb): the records of [MS-XLSB] that hold cells.

Every .xlsb is read here.  SheetJS writes the short cell records, which leave the column
out where it is the next one; calamine skips them and so shifts a row's cells.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from plexsheet.workbook.reading.archive import Refused, part_of, relations_of
from plexsheet.workbook.reading.parsed_book import (
    Cell,
    ParsedBook,
    ParsedSheet,
    date_of,
    is_date_format,
)

_ROW, _TEXT_ITEM, _FORMAT, _STYLE, _SHEET, _BOOK = 0, 19, 44, 47, 156, 153
_BEGIN_STYLES, _END_STYLES = 617, 618
_FIRST_SHORT, _LAST_SHORT = 12, 18  # the cells 1 to 7 again, without their column
_FORMULAS = range(8, 12)
_RICH = 62
_ERRORS = {
    0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A",
}  # fmt: skip
Record = tuple[int, bytes]


def read_xlsb(path: Path) -> ParsedBook:
    """All sheets with cells.

    Raises:
        Refused: it is damaged, or holds no sheets.
        MemoryError: it holds more than is allowed.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return ParsedBook("xlsb", _sheets(archive))
    except (KeyError, IndexError, struct.error, zipfile.BadZipFile, OSError, EOFError) as error:
        raise Refused("F01") from error


def _sheets(archive: zipfile.ZipFile) -> dict[str, ParsedSheet]:
    texts = [_rich_text(content) for _, content in _part(archive, "sharedStrings", _TEXT_ITEM)]
    dates = _dates(archive)
    targets = relations_of(archive, "xl/_rels/workbook.bin.rels")
    sheets, from_1904 = {}, False
    for number, content in _records(archive.read("xl/workbook.bin")):
        if number == _BOOK:
            from_1904 = bool(content[0] & 1)
        elif number == _SHEET:
            relation, end = _text(content, 8)
            name, _ = _text(content, end)
            part = part_of(targets.get(relation, ""))
            sheet = _Sheet(texts, dates, from_1904=from_1904)
            if "worksheet" in part:
                sheet.read(archive.read(part))
            sheets[name] = sheet.sheet
    if not sheets:
        raise Refused("F01")
    return sheets


def _part(archive: zipfile.ZipFile, name: str, wanted: int) -> Iterator[Record]:
    part = f"xl/{name}.bin"
    if part in archive.NameToInfo:
        yield from (record for record in _records(archive.read(part)) if record[0] == wanted)


def _records(data: bytes) -> Iterator[Record]:
    """Number and content of each record; numbers and lengths take 7 bits of a byte each."""
    at, end = 0, len(data)
    while at < end:
        number, at = data[at], at + 1
        if number & 128:
            number, at = number & 127 | (data[at] & 127) << 7, at + 1
        size = shift = 0
        while True:
            byte, at = data[at], at + 1
            size |= (byte & 127) << shift
            shift += 7
            if not byte & 128 or shift > 21:
                break
        yield number, data[at : at + size]
        at += size


def _text(content: bytes, at: int) -> tuple[str, int]:
    """A text with its length before it, and where it ends; no text is ``""``."""
    (size,) = struct.unpack_from("<I", content, at)
    if size == 0xFFFFFFFF:
        return "", at + 4
    end = at + 4 + 2 * size
    return content[at + 4 : end].decode("utf-16-le", "replace"), end


def _rich_text(content: bytes) -> str:
    return _text(content, 1)[0]


def _dates(archive: zipfile.ZipFile) -> list[bool]:
    """For each cell style, whether it shows dates."""
    codes: dict[int, str] = {}
    formats: list[int] = []
    in_cells = False
    part = "xl/styles.bin"
    for number, content in _records(archive.read(part)) if part in archive.NameToInfo else ():
        if number == _FORMAT:
            codes[struct.unpack_from("<H", content)[0]] = _text(content, 2)[0]
        elif number in (_BEGIN_STYLES, _END_STYLES):
            in_cells = number == _BEGIN_STYLES
        elif number == _STYLE and in_cells:
            formats.append(struct.unpack_from("<H", content, 2)[0])
    return [is_date_format(number, codes.get(number, "")) for number in formats]


class _Sheet:
    """Cells of one worksheet."""

    def __init__(self, texts: list[str], dates: list[bool], *, from_1904: bool) -> None:
        self.sheet = ParsedSheet()
        self._texts, self._dates, self._from_1904 = texts, dates, from_1904

    def read(self, data: bytes) -> None:
        """Take all cells of the part."""
        row = column = -1
        for number, content in _records(data):
            if number == _ROW:
                row, column = struct.unpack_from("<I", content)[0], -1
            elif _FIRST_SHORT <= number <= _LAST_SHORT:
                column += 1
                self._put(row, column, number - _FIRST_SHORT + 1, content, 4)
            elif 1 <= number < _FIRST_SHORT or number == _RICH:
                column = struct.unpack_from("<I", content)[0]
                self._put(row, column, number, content, 8)

    def _put(self, row: int, column: int, kind: int, content: bytes, at: int) -> None:
        formula = kind in _FORMULAS
        kind = {8: 6, 9: 5, 10: 4, 11: 3}.get(kind, kind)
        error = _ERRORS.get(content[at], "") if kind == 3 else None
        style = int.from_bytes(content[at - 4 : at - 1], "little")
        value = self._value(kind, content, at, style)
        self.sheet.put(row, column, value, formula=formula, error=error)

    def _value(self, kind: int, content: bytes, at: int, style: int) -> Cell:
        if kind == 2:
            return self._number(_packed(struct.unpack_from("<I", content, at)[0]), style)
        if kind == 4:
            return bool(content[at])
        if kind == 5:
            return self._number(struct.unpack_from("<d", content, at)[0], style)
        if kind == 6:
            return _text(content, at)[0]
        if kind == 7:
            return self._texts[struct.unpack_from("<I", content, at)[0]]
        return _text(content, at + 1)[0] if kind == _RICH else ""

    def _number(self, number: float, style: int) -> Any:
        shows_date = style < len(self._dates) and self._dates[style]
        return date_of(number, from_1904=self._from_1904) if shows_date else number


def _packed(bits: int) -> float:
    """A number of 30 bits: whole or the upper half of a float, in hundredths or not."""
    if bits & 2:
        number = float((bits >> 2) - (1 << 30 if bits & 0x80000000 else 0))
    else:
        number = struct.unpack("<d", struct.pack("<Q", (bits & 0xFFFFFFFC) << 32))[0]
    return number / 100 if bits & 1 else number
