"""Workbooks and lists into raw cells, whatever program saved them and however badly.

The file is copied first, so that it stays as it is and cannot change half-way.  A
child process with limits on memory and time opens the copy (``workbook.child``);
this side looks at sheet names and headers, asks for the columns that matter, and gets
them as plain buffers.  Formulas are never evaluated and links never followed.

What stops the whole file is raised as ``WorkbookError`` with its F code; what stops a
sheet, and what is only to be said, is in ``RawWorkbook.messages``.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from plexsheet import ratings
from plexsheet.errors import UsageError, WorkbookError
from plexsheet.messages import Message, say
from plexsheet.workbook.reading.child import Child, running, stopped
from plexsheet.workbook.reading.csv_book import SEPARATOR_WORDS
from plexsheet.workbook.reading.frames import _NUMBERS, CELLS, EDITABLE, TEXTS, sheet_from
from plexsheet.workbook.reading.raw import (
    RawExtra,
    RawSheet,
    RawWorkbook,
)
from plexsheet.workbook.schema import layout
from plexsheet.workbook.schema.columns import IDENTITY, PROOFS, RATED_ON
from plexsheet.workbook.schema.finding import header_key, sheet_of
from plexsheet.workbook.schema.layout import Layout
from plexsheet.workbook.schema.meta import FORMAT_VERSION, LIST, META_SHEET, POINTS, meta_of

XLS_ROWS = 65_536
OLD_LOCK_S = 600.0
SCALE_EXAMPLES = 3


def read(
    path: Path,
    *,
    scale: float = 5,
    mapping: Mapping[str, str] | None = None,
    extras: bool = False,
    proofs: bool = False,
) -> RawWorkbook:
    """Read a workbook or list.

    Args:
        path: .xlsx, .xlsm, .ods, .xlsb, .xls or .csv; its content decides, not its name.
        scale: highest rating of the file: 5, or 10 for a foreign list declared so.
        mapping: header in the file to the column it means, for foreign lists.
        extras: whether all columns, sheets of the person's own and the sheet Start are read as
            well, as a result workbook needs them.
        proofs: whether lengths and positions are read, which prove what a row is of, and when
            it was rated.

    Raises:
        WorkbookError: the file is stopped as a whole: F01, F03, F04 (it contradicts itself),
            F06 or F15.
        UsageError: there is no such file, or it cannot be read; ``mapping`` names a column
            that does not exist; or ``scale`` is given for a file whose ratings are in stars.
    """
    path = Path(path)
    if mapping:
        unknown = layout.unknown_targets(mapping)
        if unknown:
            raise UsageError(
                f"--map: there is no column '{unknown[0]}'. Columns are Key, My rating, Year, "
                "Artist, Album, Title and the others that the sheet Help lists."
            )
        mapping = layout.canonical_mapping(mapping)
    with tempfile.TemporaryDirectory(prefix="plexsheet-") as folder:
        copy = Path(folder) / "book"
        content_hash = copied(path, copy)
        said = lock_notice(path)
        with running(copy) as child:
            book = _Book(path, content_hash, child, scale, mapping, extras, proofs)
            return book.read(said)


def copied(path: Path, copy: Path) -> str:
    """Copy a file; SHA-256 of what was copied, hexadecimal.

    Raises:
        UsageError: there is no such file, or it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as source, copy.open("wb") as target:
            while chunk := source.read(1 << 20):
                digest.update(chunk)
                target.write(chunk)
    except FileNotFoundError as error:
        raise UsageError(f"There is no file {path}.") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from error
    return digest.hexdigest()


def lock_notice(path: Path) -> list[Message]:
    """What to say when a spreadsheet program has the file open (F02); ``[]`` otherwise."""
    locks = (path.parent / f"~${path.name}", path.parent / f".~lock.{path.name}#")
    for lock in locks:
        try:
            age = time.time() - lock.stat().st_mtime
        except OSError:
            continue
        return [say("F02", variant="old-lock" if age > OLD_LOCK_S else "last-save")]
    return []


# ---------------------------------------------------------------- one book


class _Book:
    """One open file, taken apart sheet by sheet."""

    def __init__(
        self,
        path: Path,
        content_hash: str,
        child: Child,
        scale: float,
        mapping: Mapping[str, str] | None,
        extras: bool,
        proofs: bool,
    ) -> None:
        self._extras_wanted = extras
        self._also = (*PROOFS, RATED_ON) if proofs else ()
        self._path, self._hash, self._child = path, content_hash, child
        self._scale, self._mapping = scale, mapping
        self._opened: dict[str, Any] = {}
        self._names: dict[str, str] = {}  # title of a sheet to the name plexsheet has for it
        self._said: list[Message] = []
        self._stopped: dict[str, str] = {}
        self._sheets: dict[str, RawSheet] = {}
        self._decimal = ""
        self._legacy = False
        self._points = False

    def read(self, said: Sequence[Message]) -> RawWorkbook:
        """Everything of it."""
        self._opened, _ = self._child.ask("open")
        self._said += said
        self._names, doubled = layout.told_apart(self._opened["sheets"])
        meta = self._meta()
        if meta.get("kind") == LIST:
            raise stopped("F03", "list")
        self._declared(meta)
        self._said += doubled
        self._stopped |= {m.sheet: m.code for m in doubled if m.code == "F12" and sheet_of(m.sheet)}
        known = [title for title, name in self._names.items() if sheet_of(name)]
        if known:
            there = [self._names[title] for title in known]
            self._said += layout.missing_sheets([*there, *self._stopped])
        for title in known or self._lists():
            self._read_sheet(title)
        self._say_text()
        if not self._stopped and not self._has_rows(meta):
            raise self._nothing()
        self._say_scale(meta)
        start, own = self._extras() if self._extras_wanted else ({}, [])
        return RawWorkbook(
            path=self._path,
            content_hash=self._hash,
            format=self._opened["format"],
            meta=meta,
            sheets=self._sheets,
            messages=tuple(self._said),
            stopped=self._stopped,
            extra_sheets=tuple(own),
            start=start,
            scale=self._scale,
            mapping=self._mapping or {},
            legacy=self._legacy,
        )

    def _lists(self) -> list[str]:
        """Sheets to look at when no name tells: a list has its header in row 1."""
        return [title for title in self._opened["sheets"] if title not in self._names][:20]

    def _has_rows(self, meta: Mapping[str, str]) -> bool:
        """Whether there is anything to compare: a sheet read as blank is no "nothing changed"."""
        if any(len(sheet) for sheet in self._sheets.values()):
            return True
        expected = [meta.get(f"rows {name}") for name in self._sheets]
        return bool(expected) and all(rows == "0" for rows in expected)

    def _nothing(self) -> WorkbookError:
        return (
            stopped("F03", "empty")
            if self._sheets or not self._opened["sheets"]
            else (stopped("F03"))
        )

    # ------------------------------------------------------------ what it says of itself

    def _meta(self) -> dict[str, str]:
        properties = dict(
            meta_of(
                (name.removeprefix("plexsheet "), value)
                for name, value in self._opened["properties"].items()
                if name.startswith("plexsheet ")
            )
        )
        meta: dict[str, str] = {}
        sheet = next((t for t, name in self._names.items() if name == META_SHEET), None)
        if sheet is not None:
            rows = self._child.ask("values", sheet=sheet)[0]["rows"]
            pairs = [(str(row[0]), _plain_text(row[1])) for row in rows if len(row) > 1]
            meta = dict(meta_of(pairs))
        for name, value in properties.items():
            if meta.get(name, value) != value:
                what = name.replace("_", " ")
                raise stopped("F04", "carriers", what=what, meta=meta[name], properties=value)
        found = properties | meta
        self._check_format(found.get("format_version", ""))
        return found

    def _declared(self, meta: Mapping[str, str]) -> None:
        """What the result of a foreign list says of its headers and its scale."""
        self._points = meta.get("scale") == POINTS
        if self._points:
            self._scale = ratings.HIGHEST
        if not self._mapping:
            self._mapping = _mapping_of(meta.get("mapping", ""))

    def _check_format(self, said: str) -> None:
        if not said.isascii() or not said.isdigit():
            return
        if int(said) > FORMAT_VERSION:
            raise stopped("F06", format=int(said), known=FORMAT_VERSION)
        if int(said) < FORMAT_VERSION:
            self._said.append(say("F07"))

    def _say_text(self) -> None:
        if self._opened["format"] == "csv":
            separator = self._opened["separator"]
            self._said.append(
                say(
                    "F17",
                    encoding=self._opened["encoding"],
                    separator=SEPARATOR_WORDS.get(separator, f"'{separator}'"),
                    decimal="decimal comma" if self._decimal == "," else "decimal point",
                )
            )

    def _say_scale(self, meta: Mapping[str, str]) -> None:
        """What a declared scale did to the ratings, with examples; ours are in stars."""
        if self._scale == ratings.HIGHEST_STARS:
            return
        ours = any("Was" in sheet.columns for sheet in self._sheets.values())
        if not self._points and (ours or self._legacy or "export_id" in meta):
            raise UsageError(
                f"--scale is for lists of other programs; the ratings of {self._path.name} are in "
                "stars. Nothing was changed. Leave --scale out."
            )
        found = [_numbers(sheet) for sheet in self._sheets.values()]
        said = [number for numbers in found for number in numbers]
        factor = ratings.HIGHEST_STARS / self._scale
        shown = [f"{number:g} → {number * factor:.4g}" for number in dict.fromkeys(said)]
        self._said.append(
            say(
                "F18",
                scale=f"{self._scale:g}",
                highest=f"{max(said):g}" if said else "none",
                examples=", ".join(shown[:SCALE_EXAMPLES]) or "none",
            )
        )

    # ------------------------------------------------------------ sheets

    def _read_sheet(self, title: str) -> None:
        head = self._child.ask("head", sheet=title)[0]["rows"]
        named = self._names.get(title, "")
        if layout.is_report(named, head):
            return
        found, said = layout.of_sheet(title, head, self._mapping, name=named)
        stop = next((message for message in said if message.code in ("F11", "F12", "F13")), None)
        if stop and not named:
            if self._mapping and head:
                self._check_mapping(found.headers)
            if stop.code == "F11" and stop.text.count("'Key'") and "My rating" not in found.columns:
                return  # not a list of ratings at all
        self._said += said
        if stop:
            self._stopped[found.name] = stop.code
        elif found.name in self._sheets:
            again = say(
                "F12",
                variant="sheets",
                sheet=found.name,
                first=self._sheets[found.name].title,
                second=title,
            )
            self._said.append(again)
            self._stopped[found.name] = "F12"
            del self._sheets[found.name]
        elif found.name not in self._stopped:
            self._legacy |= found.legacy
            self._sheets[found.name] = self._taken(found)

    def _check_mapping(self, headers: Sequence[str]) -> None:
        there = {header_key(text) for text in headers}
        for said in self._mapping or {}:
            if header_key(said) not in there:
                listed = ", ".join(text for text in headers[:30] if text)
                raise stopped("F03", "map", value=said, columns=listed)

    def _taken(self, found: Layout) -> RawSheet:
        titles = IDENTITY[found.sheet] if found.sheet else ("Artist", "Album", "Title")
        names = (*TEXTS, *(title for title in titles if title))
        texts = [name for name in names if name in found.columns]
        cells = [name for name in (*CELLS, *self._also) if name in found.columns]
        if self._extras_wanted:
            cells += [name for name in found.columns if name not in (*cells, *texts)]
        head, buffers = self._child.ask(
            "take",
            sheet=found.title,
            cells=[*(found.columns[name] for name in cells), *found.own],
            texts=[found.columns[name] for name in texts],
            numbers=[found.columns[name] for name in _NUMBERS if name in found.columns],
            closer=[found.columns[name] for name in EDITABLE if name in found.columns],
        )
        if self._opened["format"] == "xls" and head["rows"] + 1 >= XLS_ROWS:
            raise stopped("F15", "xls", sheet=found.title)
        self._decimal = head["decimal"] or self._decimal
        return sheet_from(found, cells, texts, head, buffers)

    # ------------------------------------------------------------ extras

    def _extras(self) -> tuple[dict[str, str], list[RawExtra]]:
        start: dict[str, str] = {}
        own = []
        read = {sheet.title for sheet in self._sheets.values()}
        for title in self._opened["sheets"]:
            if self._names.get(title) == "Start":
                rows = self._child.ask("values", sheet=title)[0]["rows"]
                start = {str(row[0]): _plain_text(row[1]) for row in rows if len(row) > 1}
            elif title not in read and title not in self._names and not sheet_of(title):
                answer, _ = self._child.ask("values", sheet=title)
                own.append(RawExtra(title, answer["rows"], answer["cut"]))
        return start, own


def _mapping_of(said: str) -> Mapping[str, str] | None:
    """The headers a result of a foreign list declares; None where it declares none, or wrongly.

    >>> _mapping_of('{"Score": "My rating"}'), _mapping_of("[]"), _mapping_of("")
    ({'Score': 'My rating'}, None, None)
    """
    try:
        found = json.loads(said)
    except ValueError:
        return None
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
        return None
    return None if layout.unknown_targets(found) else layout.canonical_mapping(found)


def _numbers(sheet: RawSheet) -> list[float]:
    """The ratings of a sheet that are finite numbers, in its order."""
    if "My rating" not in sheet.columns:
        return []
    numbers = sheet.columns["My rating"].numbers
    return list(numbers[np.isfinite(numbers)].tolist())


def _plain_text(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return f"{value:.15g}" if isinstance(value, float | int) else str(value).strip()


# ---------------------------------------------------------------- buffers into columns
