"""What is fuzzed: each target takes bytes and fails on anything but a sentence.

Parts that run in this process are ours: the look at a zip directory, properties and
formulas, text files, the grammar of cells, the validator.  What calamine does with a
file may end its process, so ``whole_file`` goes through the reader and its child.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from plexsheet import messages
from plexsheet.errors import WorkbookError
from plexsheet.workbook.edits.validate import validate
from plexsheet.workbook.reading import archive, csv_book, formula_scan, reader
from plexsheet.workbook.reading.archive import Refused
from plexsheet.workbook.schema import cell_values
from tests import hostile
from tests.raw_sheets import Formula, Wrong, bases_of, book, sheet, track

Target = Callable[[bytes], None]
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
_CODES = {"F01", "F03", "F04", "F06", "F15"}


@contextlib.contextmanager
def _file(data: bytes, suffix: str = ".xlsx") -> Any:
    handle, name = tempfile.mkstemp(suffix=suffix, dir=MEMORY)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        yield Path(name)
    finally:
        Path(name).unlink()


def whole_file(data: bytes) -> None:
    """A file through the child: read, or refused with a code and one sentence."""
    with _file(data) as path:
        try:
            raw = reader.read(path, extras=True)
        except WorkbookError as error:
            assert error.code in _CODES, error.code
            assert "\n" not in error.message
            return
        assert raw.sheets or raw.stopped
        judged = validate(raw, None, next_year=2027)
        assert all(message.text for message in (*raw.messages, *judged.messages))
        assert path.read_bytes() == data


def parts(data: bytes) -> None:
    """One part of a sound workbook replaced: directory, properties, formulas."""
    with _file(b"") as path:
        if data[:1] < b"\x80":
            hostile.sound(path)
            names = ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml"]
            names.append("docProps/custom.xml")
        else:
            hostile.ods(path, "<table:table-cell/>")
            names = ["content.xml", "meta.xml", "mimetype", "META-INF/manifest.xml"]
        _replace(path, names[data[1] % 4] if len(data) > 1 else names[0], data[2:])
        with contextlib.suppress(Refused):
            format_ = archive.sniff(path)
            archive.custom_properties(path, format_)
            archive.sheet_parts(path)
            if format_ == "ods":
                formula_scan.ods_marks(path, "Tracks", [1])
            else:
                formula_scan.xlsx_marks(path, "Tracks", [1])


def _replace(path: Path, name: str, content: bytes) -> None:
    with zipfile.ZipFile(path) as source:
        held = {one: source.read(one) for one in source.namelist()}
    with zipfile.ZipFile(path, "w") as target:
        for one, old in (held | {name: content}).items():
            target.writestr(one, content if one == name else old)


def text_file(data: bytes) -> None:
    """A CSV: told how it is written, and taken apart."""
    with _file(data, ".csv") as path, contextlib.suppress(Refused):
        if archive.sniff(path) != "csv":
            return
        text = csv_book.opened(path)
        assert csv_book.encoding_word(text.encoding)
        rows = [row for row, _ in zip(text.rows(), range(1000), strict=False)]
        columns = [[row[i] for row in rows if len(row) > i] for i in range(3)]
        decimal = csv_book.decimal_sign(columns, text.separator)
        for column in columns:
            csv_book.typed(column, decimal)


def cells(data: bytes) -> None:
    """Cells of any kind in rows that were exported: an edit in range, or a sentence."""
    rows = [track(number + 1, 3.0 if number % 2 else None) for number in range(8)]
    headers = ("My rating", "Action", "Key", "Title", "In Plex")
    exported = [dict(row) for row in rows]
    for number, piece in enumerate(data.split(b"\0")[:16]):
        header = headers[piece[0] % len(headers)] if piece else "My rating"
        rows[number % 8][header] = _cell(piece[1:])
    raw = book(sheet("Tracks", rows))
    for bases in (bases_of(track=exported), None):
        judged = validate(raw, bases, next_year=2027)
        for message in judged.messages:
            assert message.code in messages.CODES
            assert message.text
            assert "\n" not in message.text
        for edit in judged.edits:
            assert edit.wanted != edit.wanted or 0 < edit.wanted <= 10
            assert not edit.action or edit.action in cell_values.ACTIONS


def _cell(piece: bytes) -> Any:
    text = piece[1:].decode("utf-8", "replace")
    kinds: tuple[Callable[[], Any], ...] = (
        lambda: text,
        lambda: _number(text),
        lambda: Formula(_number(text)),
        lambda: Formula(text or None),
        lambda: Wrong(text),
        lambda: bool(text),
        lambda: datetime.date.fromordinal(1 + len(text)),
        lambda: None,
    )
    return kinds[piece[0] % len(kinds)]() if piece else None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


TARGETS: dict[str, Target] = {
    "cells": cells,
    "text_file": text_file,
    "parts": parts,
    "whole_file": whole_file,
}


def seeds(name: str) -> list[bytes]:
    """Sound inputs of a target, to begin with."""
    with tempfile.TemporaryDirectory() as folder:
        xlsx = hostile.sound(Path(folder) / "a.xlsx").read_bytes()
        ods = hostile.ods(Path(folder) / "a.ods", "<table:table-cell/>").read_bytes()
    csv = 'Key,My rating\r\n1,4\r\n2,"4,5"\r\n'
    texts = [
        csv.encode(),
        csv.replace(",", ";").encode("utf-16"),
        b"sep=;\n" + csv.encode("cp1252"),
    ]
    typed = [
        b"\0\x004.5\0\x00\x004,5\0\0\x00CLEAR\0\x01\x00ACCEPT\0\x00\x017\0\x02\x001.2E+05",
        b"\0\x00\x03=\0\x00\x04#N/A\0\x00\x06x\0\x03\x00Abbey Road\0\x04\x015",
    ]
    part = b"\x00\x02" + hostile.sheet(hostile.HEADER + hostile.ROW)
    return {
        "cells": typed,
        "text_file": texts,
        "parts": [part, b"\x80\x00<a/>", b"\x80\x01<meta/>"],
        "whole_file": [xlsx, ods, *texts],
    }[name]
