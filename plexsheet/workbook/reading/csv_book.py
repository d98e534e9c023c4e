"""A text file as one sheet of cells: how its letters, columns and numbers are written.

Spreadsheet programs write CSV as their country does: UTF-8 with or without a mark,
UTF-16 or Windows-1252; comma, semicolon or tab between columns; comma or point before
decimals.  Each is decided once for the whole file and said aloud, never cell by cell.

The apostrophe by which an export keeps a text from being a formula is taken off again.

Runs in the reader's child process and imports the standard library alone.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from plexsheet.workbook.reading.archive import Refused
from plexsheet.workbook.schema.csv_text import plain

SEPARATORS = ",;\t|"
SEPARATOR_WORDS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_LOOKED_AT = 1 << 16  # characters that decide the separator
_WITH_POINT = re.compile(r"-?[0-9]*\.[0-9]+")
_WITH_COMMA = re.compile(r"-?[0-9]*,[0-9]+")
_NUMBER = {
    ".": re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{0,15})?"),
    ",": re.compile(r"-?[0-9]{1,15}(?:,[0-9]{0,15})?"),
}
csv.field_size_limit(1 << 20)


@dataclass(frozen=True)
class Text:
    """A text file and how it is written.

    Attributes:
        path: the file.
        encoding: Python's name of it.
        separator: between columns.
        skipped: lines before the header that only name the separator (``sep=;``).
    """

    path: Path
    encoding: str
    separator: str
    skipped: int = 0

    def rows(self) -> Iterator[list[str]]:
        """Rows of cells, header first.

        Raises:
            Refused: the text cannot be taken apart.
        """
        try:
            with self.path.open(encoding=self.encoding, newline="") as file:
                for _ in range(self.skipped):
                    file.readline()
                for row in csv.reader(file, delimiter=self.separator):
                    yield list(map(plain, row))
        except (csv.Error, UnicodeError) as error:
            raise Refused("F01") from error


def opened(path: Path) -> Text:
    """How a text file is written."""
    encoding = _encoding(path)
    with path.open(encoding=encoding, newline="", errors="replace") as file:
        start = file.read(_LOOKED_AT)
    first = start.partition("\n")[0]
    named = re.fullmatch(r"\s*sep=(.)\s*", first.rstrip("\r"), re.IGNORECASE)
    if named:
        return Text(path, encoding, named[1], skipped=1)
    return Text(path, encoding, _separator(start))


def encoding_word(encoding: str) -> str:
    """The encoding as a person may know it."""
    words = {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "cp1252": "Windows-1252"}
    return words.get(encoding, "UTF-16")


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(4096)
        if head.startswith(codecs.BOM_UTF8):
            return "utf-8-sig"
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if head[1::2].count(0) > len(head) // 4:
            return "utf-16-le"
        if head[::2].count(0) > len(head) // 4:
            return "utf-16-be"
        decoder = codecs.getincrementaldecoder("utf-8")()
        chunk = head
        try:
            while chunk:
                decoder.decode(chunk)
                chunk = file.read(1 << 20)
            decoder.decode(b"", True)
        except UnicodeDecodeError:
            return "cp1252" if _fits(path, "cp1252") else "latin-1"
    return "utf-8"


def _fits(path: Path, encoding: str) -> bool:
    try:
        with path.open(encoding=encoding) as file:
            while file.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return False
    return True


def _separator(start: str) -> str:
    """The separator under which the first rows have the most columns, all as many."""
    lines = [line for line in start.splitlines()[:20] if line.strip()][:10]
    best, most = ",", 1
    for separator in SEPARATORS:
        try:
            rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=separator))
        except csv.Error:
            continue
        widths = [len(row) for row in rows if row]
        width = widths[0] if widths else 0
        same = sum(one == width for one in widths) >= 0.8 * len(widths)
        if width > most and (same or best == ","):
            best, most = separator, width
    return best


def decimal_sign(columns: Sequence[Sequence[str]], separator: str) -> str:
    """The sign before decimals in some columns of numbers.

    Where points and commas both stand, the more frequent one; where neither does, what
    goes with the separator: a comma with semicolons, for a comma-separated file a point.

    >>> decimal_sign([["4,5", "3"]], ";"), decimal_sign([["4.5"]], ";"), decimal_sign([["4"]], ",")
    (',', '.', '.')
    """
    cells = [cell.strip() for column in columns for cell in column if cell]
    points = sum(_WITH_POINT.fullmatch(cell) is not None for cell in cells if "." in cell)
    commas = sum(_WITH_COMMA.fullmatch(cell) is not None for cell in cells if "," in cell)
    if points == commas:
        return "," if separator == ";" and not points else "."
    return "," if commas > points else "."


def typed(cells: Sequence[str], decimal: str) -> list[str | float]:
    """A column of numbers: what is a plain number becomes one, the rest stays text.

    >>> typed(["4,5", "", "4.5", " 3 "], ",")
    [4.5, '', '4.5', 3.0]
    """
    number = _NUMBER[decimal]
    stripped = [cell.strip() for cell in cells]
    return [
        float(cell.replace(",", ".")) if cell and number.fullmatch(cell) else cell
        for cell in stripped
    ]
