"""Cell notes a person made in an .xlsx, so that a result workbook can keep them.

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

from plexsheet.workbook.reader import read
from plexsheet.workbook.seen import Remarks, SeenBook, seen_of_raw

MOST_BYTES = 8_000_000  # of one part, unpacked
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})\Z")


def read_whole(path: Path, *, mapping: Mapping[str, str] | None = None) -> SeenBook:
    """All of a workbook for a result or the next export: every column, sheet and note.

    Args:
        path: of the file.
        mapping: header in the file to the column it means, for foreign lists.

    Raises:
        WorkbookError: it cannot be read.
        UsageError: there is no such file.
    """
    return seen_of_raw(read(path, mapping=mapping, extras=True), remarks_of(path))


def remarks_of(path: Path) -> Remarks:
    """Notes below row 1: by name of the sheet, text by (row of the file, column from 0)."""
    try:
        with zipfile.ZipFile(path) as file:
            return {name: dict(_remarks(file, part)) for name, part in _sheets(file)}
    except (OSError, zipfile.BadZipFile, zlib.error, ParseError, KeyError, ValueError):
        return {}


def _sheets(file: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Name and part of each sheet."""
    targets = dict(_related(file, "xl/workbook.xml", ""))
    for sheet in _parsed(file, "xl/workbook.xml").iter(f"{_MAIN}sheet"):
        part = targets.get(sheet.get(_RELATION, ""))
        if part:
            yield sheet.get("name", ""), part


def _remarks(file: zipfile.ZipFile, part: str) -> Iterator[tuple[tuple[int, int], str]]:
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
