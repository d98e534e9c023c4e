"""Cell notes a person made in an .xlsx or .ods, so that a result workbook can keep them.

Only what stands below the header: the notes on headers are plexsheet's own.  Anything
unusual in these parts (too large, with a document type, not as spreadsheet programs
write them) is left alone: notes are a convenience, and the file was read without them.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, fromstring

from plexsheet.workbook.reading.archive import Elements, Refused
from plexsheet.workbook.reading.formula_scan import repeated
from plexsheet.workbook.reading.reader import read
from plexsheet.workbook.reading.user_workbook import Comments, UserWorkbook, user_workbook

MOST_BYTES = 8_000_000  # of one part, unpacked
MOST_ODS_BYTES = 100_000_000  # of the part that holds all sheets
MOST_NOTE_CHARS = 10_000
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})\Z")


def read_whole(path: Path, *, mapping: Mapping[str, str] | None = None) -> UserWorkbook:
    """All of a workbook for a result or the next export: every column, sheet and note.

    Args:
        path: of the file.
        mapping: header in the file to the column it means, for foreign lists.

    Raises:
        WorkbookError: it cannot be read.
        UsageError: there is no such file.
    """
    return user_workbook(read(path, mapping=mapping, extras=True), comments_of(path))


def comments_of(path: Path) -> Comments:
    """Notes below row 1: by name of the sheet, text by (row of the file, column from 0)."""
    try:
        with zipfile.ZipFile(path) as file:
            if "content.xml" in file.NameToInfo:
                return _annotations(file)
            return {name: dict(_comments(file, part)) for name, part in _sheets(file)}
    except (OSError, zipfile.BadZipFile, zlib.error, ParseError, KeyError, ValueError, Refused):
        return {}


def _annotations(file: zipfile.ZipFile) -> Comments:
    """Notes of an .ods, all of whose sheets are one part."""
    if file.getinfo("content.xml").file_size > MOST_ODS_BYTES:
        return {}
    found = _Annotations()
    with file.open("content.xml") as part:
        found.feed(part)
    return found.comments


class _Annotations(Elements):
    """Notes of the cells of each table, places counted with repetitions."""

    def __init__(self) -> None:
        super().__init__()
        self.comments: dict[str, dict[tuple[int, int], str]] = {}
        self._table, self._depth = "", 0
        self._row = self._rows = self._column = self._columns = 0
        self._inside: list[str] = []  # elements from an annotation on
        self._text = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A table, a row, a cell or a part of a note begins."""
        if name == "annotation" or self._inside:
            self._inside.append(name)
        elif name == "table":
            self._depth += 1
            if self._depth == 1:
                self._table, self._row = attributes.get("name", ""), 0
        elif name == "table-row":
            self._rows, self._column = repeated(attributes, "number-rows-repeated"), 0
        elif name in ("table-cell", "covered-table-cell"):
            self._columns, self._text = repeated(attributes, "number-columns-repeated"), ""

    def text(self, data: str) -> None:
        """Words of a note; its author and date stand beside them."""
        if "p" in self._inside and len(self._text) < MOST_NOTE_CHARS:
            self._text += data

    def end(self, name: str) -> None:
        """A part of a note, a cell, a row or a table ends."""
        if self._inside:
            self._inside.pop()
            self._text += "\n" * (name == "p")
        elif name == "table":
            self._depth -= 1
        elif name == "table-row":
            self._row += self._rows
        elif name in ("table-cell", "covered-table-cell"):
            if self._text.strip() and self._row > 0 and self._depth == 1:
                place = (self._row + 1, self._column)
                self.comments.setdefault(self._table, {})[place] = self._text.strip()
            self._column += self._columns


def _sheets(file: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Name and part of each sheet."""
    targets = dict(_related(file, "xl/workbook.xml", ""))
    for sheet in _parsed(file, "xl/workbook.xml").iter(f"{_MAIN}sheet"):
        part = targets.get(sheet.get(_RELATION, ""))
        if part:
            yield sheet.get("name", ""), part


def _comments(file: zipfile.ZipFile, part: str) -> Iterator[tuple[tuple[int, int], str]]:
    for _, target in _related(file, part, "/comments"):
        for comment in _parsed(file, target).iter(f"{_MAIN}comment"):
            found = _CELL.match(comment.get("ref", ""))
            text = "".join(run.text or "" for run in comment.iter(f"{_MAIN}t")).strip()
            if found and text and int(found.group(2)) > 1:
                yield (int(found.group(2)), _index(found.group(1))), text


def _related(file: zipfile.ZipFile, part: str, kind: str) -> Iterator[tuple[str, str]]:
    """Id and target of the parts a part points to, of a type ending in ``kind``."""
    folder, name = posixpath.split(part)
    relations = f"{folder}/_rels/{name}.rels"
    if relations not in file.NameToInfo:
        return
    for relation in _parsed(file, relations):
        if relation.get("Type", "").endswith(kind) and relation.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join(folder, relation.get("Target", "")))
            yield relation.get("Id", ""), target.removeprefix("/")


def _parsed(file: zipfile.ZipFile, part: str) -> Element:
    if file.getinfo(part).file_size > MOST_BYTES:
        raise ValueError(f"{part} is too large")
    content = file.read(part)
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise ValueError(f"{part} has a document type")
    return fromstring(content)  # noqa: S314  (small, and without entities)


def _index(letters: str) -> int:
    index = 0
    for letter in letters:
        index = 26 * index + ord(letter) - ord("A") + 1
    return index - 1
