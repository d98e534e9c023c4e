"""The process that opens a workbook: limited in memory and time, it may die alone.

``python -m plexsheet.workbook.reading.reader_process FILE`` answers requests on standard input, one
JSON line each, with frames on standard output: a JSON head with its length before it,
then plain buffers.  It knows nothing of what columns mean: the parent looks at the
first rows and says which columns it wants.

A hostile file can make a reader allocate without bounds, run for minutes or abort the
process.  Here that costs a child.  Only the standard library and calamine are
imported, so starting it is cheap.
"""

from __future__ import annotations

import datetime
import json
import math
import os
import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from plexsheet.workbook.reading import archive, csv_book, formula_scan
from plexsheet.workbook.reading.archive import Refused

MEMORY_BASE = 1_200_000_000
MEMORY_PER_BYTE = 25
HEAD_ROWS = 20
HEAD_COLUMNS = 2_000
CHUNK_ROWS = 4_096
MAX_EXTRA_CELLS = 300_000

# States of a cell, as in ``grammar``; imported from nowhere so that nothing heavy is.
BLANK, NUMBER, TEXT, BOOL, DATE = range(5)

Cell = Any  # float, int, str, bool, or one of datetime's
Rows = Iterator[Sequence[Cell]]


class OpenedBook(Protocol):
    """A file of sheets."""

    format: str
    names: list[str]

    def rows(self, sheet: str) -> Rows:
        """Rows of a sheet from its first, each from column A; rows may differ in length."""

    def decimals(self, sheet: str, columns: Sequence[int]) -> str:
        """The decimal sign of a text file; ``""`` for others."""

    def marks(self, sheet: str, columns: Sequence[int]) -> formula_scan.Marks | None:
        """Formulas and errors; None where this format does not tell."""


class CalamineBook:
    """A workbook of any spreadsheet format."""

    def __init__(self, path: Path, format_: str) -> None:
        from python_calamine import CalamineWorkbook, SheetTypeEnum

        self._path, self.format = path, format_
        self._book = CalamineWorkbook.from_path(str(path))
        self.names = list(self._book.sheet_names)
        # Sheets that are a chart have no cells; in .xlsb reading them fails.
        self._without_cells = {
            sheet.name
            for sheet in self._book.sheets_metadata
            if sheet.typ == SheetTypeEnum.ChartSheet
        }
        self._sheet: tuple[str, Any] = ("", None)

    def rows(self, sheet: str) -> Rows:
        """Rows of a sheet from its first, each from column A."""
        if sheet in self._without_cells:
            return iter(())
        if self._sheet[0] != sheet or self._sheet[1] is None:
            self._sheet = ("", None)
            self._sheet = (sheet, self._book.get_sheet_by_name(sheet))
        opened = self._sheet[1]
        margin = [""] * (opened.start[1] if opened.start else 0)
        if self.format == "xls":
            return ([*margin, *map(undated, row)] for row in opened.iter_rows())
        return (margin + row for row in opened.iter_rows()) if margin else opened.iter_rows()

    def decimals(self, sheet: str, columns: Sequence[int]) -> str:
        """Not a text file."""
        return ""

    def marks(self, sheet: str, columns: Sequence[int]) -> formula_scan.Marks | None:
        """Formulas and errors in .xlsx and .ods; None in the old binary format."""
        if not columns:
            return formula_scan.Marks()
        if self.format == "xlsx":
            return formula_scan.xlsx_marks(self._path, sheet, columns)
        if self.format == "ods":
            return formula_scan.ods_marks(self._path, sheet, columns)
        return None


def undated(cell: Cell) -> Cell:
    """A number up to 59 that was read as a date of early 1900, as that number again.

    In an .xls of Gnumeric calamine takes some plain formats for formats of dates.

    >>> undated(datetime.datetime(1900, 1, 4, 12)), undated(datetime.time(12))
    (4.5, 0.5)
    """
    if isinstance(cell, datetime.time):
        moment = datetime.timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second)
        return round(moment / datetime.timedelta(days=1), 5)
    if isinstance(cell, datetime.datetime) and cell < datetime.datetime(1900, 2, 28):
        return round((cell - datetime.datetime(1899, 12, 31)) / datetime.timedelta(days=1), 5)
    if type(cell) is datetime.date and cell < datetime.date(1900, 2, 28):
        return float((cell - datetime.date(1899, 12, 31)).days)
    return cell


class TextBook:
    """A CSV file: one sheet, its numbers still text until the decimal sign is known."""

    format = "csv"

    def __init__(self, path: Path) -> None:
        self.text = csv_book.opened(path)
        self.names = ["CSV"]

    def rows(self, sheet: str) -> Rows:
        """Rows of the file.

        Raises:
            Refused: a row has more cells than the header, so which is which is unclear.
        """
        width = 0
        for number, row in enumerate(self.text.rows(), start=1):
            width = width or len(row)
            if len(row) > width:
                if any(map(str.strip, row[width:])):
                    raise Refused("F01", "columns", row=number, cells=len(row), headers=width)
                row = row[:width]
            yield row

    def decimals(self, sheet: str, columns: Sequence[int]) -> str:
        """The decimal sign of some columns."""
        cells: list[list[str]] = [[] for _ in columns]
        for row in islice(self.text.rows(), 1, None):
            for place, column in enumerate(columns):
                if column < len(row) and row[column]:
                    cells[place].append(row[column])
        return csv_book.decimal_sign(cells, self.text.separator)

    def marks(self, sheet: str, columns: Sequence[int]) -> formula_scan.Marks | None:
        """A text file has no formulas; what looks like an error is text."""
        return formula_scan.Marks()


def _opened(path: Path, format_: str) -> OpenedBook:
    if format_ == "csv":
        return TextBook(path)
    if format_ in ("fods", "xlsb"):
        return parsed(path, format_)
    try:
        return CalamineBook(path, format_)
    except BaseException as error:  # noqa: BLE001 - a panic of the Rust reader is no Exception
        return _by_second_reader(path, format_, error)


def _by_second_reader(path: Path, format_: str, error: BaseException) -> OpenedBook:
    """A file that calamine does not read, read by the standard.

    Raises:
        Refused: neither reads it; a file that is whole is not called damaged.
    """
    readable = format_ in ("xlsx", "ods") and type(error).__name__ != "PasswordError"
    if not readable or isinstance(error, MemoryError | KeyboardInterrupt | Refused):
        raise error
    try:
        return parsed(path, format_)
    except Exception as second:
        if isinstance(second, MemoryError) or not archive.is_sound(path):
            raise
        raise Refused("F01", "unread") from second


def parsed(path: Path, format_: str) -> OpenedBook:
    """A file read by the second reader."""
    from plexsheet.workbook.reading import office_binary, office_xml, open_document

    if format_ == "xlsx":
        return office_xml.read_xlsx(path)
    if format_ == "xlsb":
        return office_binary.read_xlsb(path)
    return open_document.read_open_document(path, format_)


# ---------------------------------------------------------------- columns as buffers


class CellColumn:
    """One column as buffers: a state and a number per row, and the texts there are."""

    def __init__(self) -> None:
        self.states = bytearray()
        self.numbers = array("d")
        self.places = array("q")
        self.ends = array("q")
        self.blob = bytearray()

    def extend(self, cells: Sequence[Cell]) -> None:
        """Add cells below; the two usual cases, all blank and numbers only, at once."""
        blanks = cells.count("")
        if blanks == len(cells):
            self.states += bytes(blanks)
            self.numbers.extend([float("nan")] * blanks)
            return
        kinds = set(map(type, cells))
        if kinds == {float}:
            self.states += bytes([NUMBER]) * len(cells)
            self.numbers.extend(cells)
            return
        for cell in cells:
            self._add(cell)

    def _add(self, cell: Cell) -> None:
        if type(cell) is float:
            self._put(NUMBER, cell)
        elif cell == "":
            self._put(BLANK, float("nan"))
        elif isinstance(cell, str):
            self._put(TEXT, float("nan"), cell)
        elif isinstance(cell, bool):
            self._put(BOOL, float(cell))
        elif isinstance(cell, int):
            self._put(NUMBER, float(cell))
        else:
            self._put(DATE, float("nan"), said(cell))

    def _put(self, state: int, number: float, text: str = "") -> None:
        if text:
            self.places.append(len(self.states))
            self.blob += text.encode("utf-8", "surrogatepass")
            self.ends.append(len(self.blob))
        self.states.append(state)
        self.numbers.append(number)

    def buffers(self) -> list[bytes]:
        """States, numbers, places of texts, their ends, the texts."""
        return [
            bytes(self.states),
            self.numbers.tobytes(),
            self.places.tobytes(),
            self.ends.tobytes(),
            bytes(self.blob),
        ]


class TextColumn:
    """One column as texts, numbers written as a person would: one long blob and its ends."""

    def __init__(self) -> None:
        self.lengths = array("q")
        self.blob = bytearray()

    def extend(self, cells: Sequence[Cell]) -> None:
        """Add cells below."""
        try:
            joined = "".join(cells)
        except TypeError:
            cells = [cell if isinstance(cell, str) else said(cell) for cell in cells]
            joined = "".join(cells)
        if joined.isascii():
            self.lengths.extend(map(len, cells))
            self.blob += joined.encode()
            return
        for cell in cells:
            encoded = cell.encode("utf-8", "surrogatepass")
            self.lengths.append(len(encoded))
            self.blob += encoded

    def buffers(self) -> list[bytes]:
        """Lengths in bytes, the texts."""
        return [self.lengths.tobytes(), bytes(self.blob)]


def said(cell: Cell) -> str:
    """A cell that is not text, as text.

    >>> said(1984.0), said(True), said(datetime.date(2026, 5, 4))
    ('1984', 'TRUE', '2026-05-04')
    """
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float | int):
        return f"{cell:.15g}"
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(" ")
    return cell.isoformat() if hasattr(cell, "isoformat") else str(cell)


# ---------------------------------------------------------------- answering


class Answers:
    """What the parent asks of one open file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._format = archive.sniff(path)
        self._book: OpenedBook = _opened(path, self._format)

    def _rows(self, sheet: str) -> Rows:
        """Rows of a sheet, by the second reader where the first one fails."""
        try:
            return self._book.rows(sheet)
        except BaseException as error:  # noqa: BLE001 - a panic of the Rust reader is no Exception
            self._book = _by_second_reader(self._path, self._format, error)
            return self._book.rows(sheet)

    def open(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        """Format, sheet names, document properties, and how a text file is written."""
        text = self._book.text if isinstance(self._book, TextBook) else None
        return {
            "format": self._format,
            "sheets": self._book.names,
            "properties": archive.custom_properties(self._path, self._format),
            "encoding": csv_book.encoding_word(text.encoding) if text else "",
            "separator": text.separator if text else "",
        }, []

    def head(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        """The first rows of a sheet as text."""
        rows = islice(self._rows(request["sheet"]), HEAD_ROWS)
        return {"rows": [_said_row(row[:HEAD_COLUMNS]) for row in rows]}, []

    def values(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        """All cells of a small sheet by value; ``cut`` tells that there were more."""
        kept: list[list[Any]] = []
        cells = 0
        for row in self._rows(request["sheet"]):
            cells += len(row)
            if cells > MAX_EXTRA_CELLS:
                return {"rows": kept, "cut": True}, []
            kept.append([c if isinstance(c, str | bool) else _plain(c) for c in row])
        return {"rows": kept, "cut": False}, []

    def take(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        """Some columns of a sheet below its header, as buffers."""
        sheet, cells, texts = request["sheet"], request["cells"], request["texts"]
        decimal = self._book.decimals(sheet, request["numbers"])
        cell_columns = {column: CellColumn() for column in cells}
        text_columns = {column: TextColumn() for column in texts}
        count = 0
        rows = islice(self._rows(sheet), 1, None)
        for chunk in _transposed(rows, 1 + max([*cells, *texts], default=0)):
            count += len(chunk[0])
            for column, made in cell_columns.items():
                read = decimal and column in request["numbers"]
                made.extend(csv_book.typed(chunk[column], decimal) if read else chunk[column])
            for column, text in text_columns.items():
                text.extend(chunk[column])
        buffers = [made.buffers() for made in cell_columns.values()]
        buffers += [text.buffers() for text in text_columns.values()]
        marks = self._book.marks(sheet, request["closer"])
        found = marks or formula_scan.Marks()
        return {
            "rows": count,
            "decimal": decimal,
            "certain": marks is not None,
            "errors": found.errors,
        }, [*chain.from_iterable(buffers), *_of_marks(found)]


def _of_marks(marks: formula_scan.Marks) -> list[bytes]:
    return [
        array("q", marks.rows).tobytes(),
        array("q", marks.columns).tobytes(),
        bytes(marks.formulas),
    ]


def _transposed(rows: Rows, width: int) -> Iterator[list[Sequence[Cell]]]:
    """Chunks of rows as columns, at least ``width`` of them."""
    while chunk := list(islice(rows, CHUNK_ROWS)):
        lengths = set(map(len, chunk))
        widest = max(max(lengths), width)
        if lengths != {widest}:
            chunk = [[*row, *[""] * (widest - len(row))] for row in chunk]
        yield list(zip(*chunk, strict=True))


def _said_row(row: Sequence[Cell]) -> list[str]:
    return [cell if isinstance(cell, str) else said(cell) for cell in row]


def _plain(cell: Cell) -> Any:
    if isinstance(cell, float | int):
        return cell if cell == cell and abs(cell) < 1e300 else str(cell)
    return said(cell)


# ---------------------------------------------------------------- the process


def send(out: BinaryIO, head: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
    """One frame: length of the head, the head with the buffers' lengths, the buffers."""
    head = head | {"buffers": [len(buffer) for buffer in buffers]}
    encoded = json.dumps(head).encode()
    out.write(len(encoded).to_bytes(8, "little"))
    out.write(encoded)
    for buffer in buffers:
        out.write(buffer)
    out.flush()


def limit_resources(size: int, processor_s: float) -> None:
    """Bound address space and processor time of this process for a file of ``size`` bytes."""
    try:
        import resource
    except ImportError:  # Windows has no such limits; that of the clock remains
        return
    limits = {
        resource.RLIMIT_AS: MEMORY_BASE + MEMORY_PER_BYTE * size,
        resource.RLIMIT_CPU: math.ceil(processor_s),
        resource.RLIMIT_CORE: 0,
    }
    for name, limit in limits.items():
        _, hard = resource.getrlimit(name)
        most = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(name, (most, hard))


def refusal(error: BaseException) -> dict[str, Any]:
    """Why a file could not be read, as the head of a frame."""
    if isinstance(error, Refused):
        return {"refused": [error.code, error.variant, error.values]}
    if isinstance(error, MemoryError):
        return {"refused": ["F01", "large", {"limit": "its memory limit"}]}
    if type(error).__name__ == "PasswordError":
        return {"refused": ["F01", "password", {}]}
    return {"refused": ["F01", "", {}]}


def main(path: Path, processor_s: float, requests: BinaryIO, out: BinaryIO) -> None:
    """Answer requests until there are no more, or one cannot be answered."""
    limit_resources(path.stat().st_size, processor_s)
    try:
        answers = Answers(path)
        for line in requests:
            request = json.loads(line)
            answer: Callable[[dict[str, Any]], tuple[dict[str, Any], list[bytes]]]
            answer = getattr(answers, request["ask"])
            head, buffers = answer(request)
            send(out, head, buffers)
    except KeyboardInterrupt:
        return
    except BaseException as error:  # noqa: BLE001 - a panic of the Rust reader is no Exception
        send(out, refusal(error))


if __name__ == "__main__":
    out = sys.stdout.buffer
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # panics print; nothing of it is for the person
    main(Path(sys.argv[1]), float(sys.argv[2]), sys.stdin.buffer, out)
    os._exit(0)  # without freeing millions of cells one by one
