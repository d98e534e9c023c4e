"""Excel's binary workbook (.xlsb), as far as a table of texts and numbers goes.

No library writes it, and no program here: the records are those of [MS-XLSB] that hold
cells, with text in the cells.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

Cell = str | float | bool | None
Sheets = Mapping[str, Sequence[Sequence[Cell]]]

BEGIN_SHEET, END_SHEET, DIMENSION = 129, 130, 148
BEGIN_BOOK, END_BOOK = 131, 132
BEGIN_SHEETS, END_SHEETS, SHEET = 143, 144, 156
BEGIN_DATA, END_DATA, ROW = 145, 146, 0
BOOL, REAL, TEXT = 4, 5, 6
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"


def write_xlsb(path: Path, sheets: Sheets) -> Path:
    """Write rows of cells, each sheet from A1 on; None is a cell that is not there."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        binary = 'Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled'
        book.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{TYPES}"><Default Extension="rels" ContentType='
            '"application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Default {binary}.main"/></Types>',
        )
        book.writestr("_rels/.rels", _relations(["xl/workbook.bin"], "officeDocument"))
        parts = [f"worksheets/sheet{number}.bin" for number in range(1, len(sheets) + 1)]
        book.writestr("xl/_rels/workbook.bin.rels", _relations(parts, "worksheet"))
        book.writestr("xl/workbook.bin", b"".join(_book(sheets)))
        for part, rows in zip(parts, sheets.values(), strict=True):
            book.writestr(f"xl/{part}", b"".join(_sheet(rows)))
    return path


def _relations(targets: Sequence[str], kind: str) -> str:
    lines = "".join(
        f'<Relationship Id="rId{number}" Type="{DOCUMENT}/{kind}" Target="{target}"/>'
        for number, target in enumerate(targets, start=1)
    )
    return f'<Relationships xmlns="{RELATIONS}">{lines}</Relationships>'


def _book(sheets: Sheets) -> Iterator[bytes]:
    yield _record(BEGIN_BOOK)
    yield _record(BEGIN_SHEETS)
    for number, name in enumerate(sheets, start=1):
        yield _record(SHEET, struct.pack("<II", 0, number) + _text(f"rId{number}") + _text(name))
    yield _record(END_SHEETS)
    yield _record(END_BOOK)


def _sheet(rows: Sequence[Sequence[Cell]]) -> Iterator[bytes]:
    width = max(map(len, rows), default=1)
    yield _record(BEGIN_SHEET)
    yield _record(DIMENSION, struct.pack("<IIII", 0, max(len(rows) - 1, 0), 0, width - 1))
    yield _record(BEGIN_DATA)
    for number, row in enumerate(rows):
        yield _record(ROW, struct.pack("<IIHBBBI", number, 0, 300, 0, 0, 0, 0))
        for place, cell in enumerate(row):
            at = struct.pack("<II", place, 0)
            if isinstance(cell, bool):
                yield _record(BOOL, at + bytes([cell]))
            elif isinstance(cell, str):
                yield _record(TEXT, at + _text(cell))
            elif cell is not None:
                yield _record(REAL, at + struct.pack("<d", cell))
    yield _record(END_DATA)
    yield _record(END_SHEET)


def _text(text: str) -> bytes:
    encoded = text.encode("utf-16-le")
    return struct.pack("<I", len(encoded) // 2) + encoded


def _record(number: int, content: bytes = b"") -> bytes:
    head = bytes([number]) if number < 128 else bytes([number & 127 | 128, number >> 7])
    size, left = b"", len(content)
    while True:
        size += bytes([left & 127 | (128 if left > 127 else 0)])
        left >>= 7
        if not left:
            return head + size + content
