"""Rows written as XML straight into a book that XlsxWriter made.

XlsxWriter makes the whole book, but with a single row of format samples in the sheets
of many rows; this module replaces that row by the real ones while copying the file.
That takes a fifth of the time and no memory per row.  Only public means: the samples
tell which format number each column has, and a .xlsx is a zip of XML parts.  A test
holds the outcome against XlsxWriter's own, cell for cell and part for part.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import IO, Any

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from plexsheet.workbook.schema.check import LIKE_AN_ESCAPE, cell_text
from plexsheet.workbook.schema.columns import Column
from plexsheet.workbook.schema.formulas import OPENS
from plexsheet.workbook.schema.grid import FIRST_ROW, Array, Grid, is_number_column
from plexsheet.workbook.writing.book import Book
from plexsheet.workbook.writing.data_sheets import cell_look

CHUNK_ROWS = 5_000
_LEVEL = 6
_ZIP64_FROM = 1_900_000_000  # bytes of one part; below, no reader needs to know of ZIP64

# Rows that hold a cell note stand there too, empty; they are among the real ones.
_SAMPLES = re.compile(rb'<row r="2".*(?=</sheetData>)', re.DOTALL)
_SAMPLE = re.compile(rb'<c r="[A-Z]+2" s="(\d+)"/>')
_DIMENSION = re.compile(rb'<dimension ref="[^"]*"/>')
_TABLE_NAME = re.compile(rb' displayName="([^"]*)"')
_TABLE_RANGE = re.compile(rb'( ref="A1:[A-Z]+)2"')
_SPECIAL = re.compile("[&<>]|_x[0-9a-fA-F]{4}_")


def write_samples(book: Book, sheet: Worksheet, grid: Grid) -> None:
    """One row of blanks that carry each column's format."""
    for index, column in enumerate(grid.columns):
        sheet.write_blank(1, index, None, book.format(cell_look(grid, column)))


def splice(made: BytesIO, target: IO[bytes], grids: Mapping[str, Grid]) -> None:
    """Copy a book, with the rows of some sheets put in.

    Args:
        made: XlsxWriter's file, its big sheets with samples only.
        target: where the finished file goes.
        grids: by part name (``xl/worksheets/sheet2.xml``), the rows of that part.
    """
    last_rows = {grid.table.encode(): str(grid.last_row).encode() for grid in grids.values()}
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(target, "w") as finished:
        for entry in source.infolist():
            copy = zipfile.ZipInfo(entry.filename, entry.date_time)
            copy.compress_type = zipfile.ZIP_DEFLATED
            copy.external_attr = entry.external_attr
            copy._compresslevel = _LEVEL  # type: ignore[attr-defined]
            content = source.read(entry)
            grid = grids.get(entry.filename)
            if entry.filename.startswith("xl/tables/"):
                content = _grown(content, last_rows)
            if grid is None:
                finished.writestr(copy, content)
            else:
                _write_part(finished, copy, content, grid)


def _grown(table: bytes, last_rows: Mapping[bytes, bytes]) -> bytes:
    """A table's part, its range down to the last row."""
    name = _TABLE_NAME.search(table)
    last_row = last_rows.get(name.group(1)) if name else None
    if last_row is None:
        return table
    return _TABLE_RANGE.sub(rb"\g<1>" + last_row + b'"', table)


def _write_part(
    finished: zipfile.ZipFile, entry: zipfile.ZipInfo, content: bytes, grid: Grid
) -> None:
    samples = _SAMPLES.search(content)
    if samples is None:
        raise ValueError(f"{entry.filename} has no row of samples")
    formats = [int(number) for number in _SAMPLE.findall(samples.group())]
    last = f"{xl_col_to_name(len(grid.columns) - 1)}{max(grid.rows + 1, 1)}"
    head = _DIMENSION.sub(f'<dimension ref="A1:{last}"/>'.encode(), content[: samples.start()])
    chunks = _chunks(grid, formats)
    first = next(chunks, b"")
    expected = len(first) * (grid.rows / CHUNK_ROWS + 1)
    with finished.open(entry, "w", force_zip64=expected > _ZIP64_FROM) as part:
        part.write(head)
        part.write(first)
        for chunk in chunks:
            part.write(chunk)
        part.write(content[samples.end() :])


def _chunks(grid: Grid, formats: list[int]) -> Iterator[bytes]:
    spans = f'" spans="1:{len(grid.columns)}">'
    for start in range(0, grid.rows, CHUNK_ROWS):
        rows = range(start + FIRST_ROW, min(start + CHUNK_ROWS, grid.rows) + FIRST_ROW)
        part = slice(start, start + CHUNK_ROWS)
        columns = [
            _cells(grid, index, values[part], rows, formats[index])
            for index, values in enumerate(grid.values)
        ]
        lines = [
            f'<row r="{row}{spans}{"".join(cells)}</row>'
            for row, cells in zip(rows, zip(*columns, strict=True), strict=True)
        ]
        yield "".join(lines).encode()


def _cells(grid: Grid, index: int, values: Array, rows: range, style: int) -> list[str]:
    """The cells of one column in some rows, ``""`` where nothing is to be written."""
    column = grid.columns[index]
    letter = xl_col_to_name(index)
    if column.name == "will_do" and grid.says_what_it_will_do:
        return _shared_formula(grid, values, rows, letter, style)
    openings = [f'<c r="{letter}{row}" s="{style}"' for row in rows]
    if column.type == "link":
        return [_opening(grid, row, opening) for row, opening in zip(rows, openings, strict=True)]
    if column.name in grid.links:
        return [
            _linked(grid, column.name, row, value, opening)
            for row, value, opening in zip(rows, values.tolist(), openings, strict=True)
        ]
    if is_number_column(values):
        return [
            f"{opening}><v>{value:.16g}</v></c>" if value == value else _nothing(column, opening)
            for value, opening in zip(values.tolist(), openings, strict=True)
        ]
    texts = _Texts()
    rests = [texts[value] if isinstance(value, str) else _rest(value) for value in values.tolist()]
    return [
        opening + rest if rest else _nothing(column, opening)
        for rest, opening in zip(rests, openings, strict=True)
    ]


def _nothing(column: Column, opening: str) -> str:
    """A blank: its format tells where one may type."""
    return f"{opening}/>" if column.editable else ""


def _rest(value: Any) -> str:
    """A cell of any kind but text after its opening; ``""`` for a blank."""
    if isinstance(value, bool):
        return f' t="b"><v>{value:d}</v></c>'
    if value is None or value != value:
        return ""
    return f"><v>{value:.16g}</v></c>"


class _Texts(dict[str, str]):
    """Cells of text after their opening, each different text made once."""

    def __missing__(self, value: str) -> str:
        made = self[value] = _text(value)
        return made


def _text(value: str) -> str:
    text = cell_text(value)
    if not text:
        return ""
    keep = ' xml:space="preserve"' if text[0].isspace() or text[-1].isspace() else ""
    return f' t="inlineStr"><is><t{keep}>{escaped(text)}</t></is></c>'


def escaped(text: str) -> str:
    """A cell's text as XML, in which ``_x0041_`` means itself and not the letter A.

    >>> escaped("a<b _x0041_")
    'a&lt;b _x005F_x0041_'
    """
    if _SPECIAL.search(text) is None:
        return text
    text = LIKE_AN_ESCAPE.sub("_x005F_", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _opening(grid: Grid, row: int, opening: str) -> str:
    """A cell that opens an item in Plex, ``""`` where there is nothing to open."""
    formula = grid.formula("open", row)
    return f'{opening} t="str"><f>{formula[1:]}</f><v>{OPENS}</v></c>' if formula else ""


def _linked(grid: Grid, name: str, row: int, value: float, opening: str) -> str:
    formula = grid.formula(name, row)
    if formula is None:
        return f"{opening}><v>{value:.16g}</v></c>" if value == value else ""
    return f"{opening}><f>{escaped(formula[1:])}</f><v>{value:.16g}</v></c>"


def _shared_formula(grid: Grid, values: Array, rows: range, letter: str, style: int) -> list[str]:
    """One formula for a whole column: written once, pointed to from the other rows."""
    formula = escaped((grid.formula("will_do", FIRST_ROW) or "=")[1:])
    area = f"{letter}{FIRST_ROW}:{letter}{grid.rows + 1}"
    master = f'<f t="shared" ref="{area}" si="0">{formula}</f>'
    return [
        f'<c r="{letter}{row}" s="{style}" t="str">'
        f"{master if row == FIRST_ROW else _SHARED}<v>{escaped(value)}</v></c>"
        for row, value in zip(rows, values.tolist(), strict=True)
    ]


_SHARED = '<f t="shared" si="0"/>'
