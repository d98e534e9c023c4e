"""What the reader hands over: the cells of a file, judged by nobody yet (pure).

Columns are numpy arrays; texts stay bytes until somebody looks at one, so that a
hundred thousand rows cost a few megabytes and only edited rows become objects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from plexsheet.messages import Message
from plexsheet.workbook.schema.cell_values import (
    BLANK,
    DATE,
    ERROR,
    NUMBER,
    STATE_BITS,
    TEXT,
    shown,
)
from plexsheet.workbook.schema.columns import SheetName

Ints = NDArray[np.int64]
Format = Literal["xlsx", "xlsb", "ods", "fods", "xls", "csv"]


@dataclass(frozen=True)
class Texts:
    """Texts of some rows of a column.

    Attributes:
        places: shape (texts,), rows that have one, ascending.
        ends: shape (texts,), where each ends in ``blob``.
        blob: all of them in UTF-8.
    """

    places: Ints
    ends: Ints
    blob: bytes

    def at(self, row: int) -> str:
        """The text of a row, ``""`` where it has none."""
        place = int(np.searchsorted(self.places, row))
        if place == len(self.places) or self.places[place] != row:
            return ""
        start = int(self.ends[place - 1]) if place else 0
        return self.blob[start : int(self.ends[place])].decode("utf-8", "replace")

    def take(self, rows: NDArray[np.intp]) -> Texts:
        """The texts of some rows, ascending; row numbers counted anew."""
        kept = np.flatnonzero(np.isin(self.places, rows))
        starts = np.concatenate(([0], self.ends[:-1]))[kept]
        parts = [self.blob[a:b] for a, b in zip(starts, self.ends[kept], strict=True)]
        lengths = np.fromiter(map(len, parts), np.int64, len(parts))
        places = np.searchsorted(rows, self.places[kept]).astype(np.int64)
        return Texts(places, np.cumsum(lengths), b"".join(parts))

    def dense(self, rows: slice) -> list[str]:
        """The texts of consecutive rows, ``""`` where there is none."""
        found = [""] * (rows.stop - rows.start)
        first, last = np.searchsorted(self.places, [rows.start, rows.stop])
        start = int(self.ends[first - 1]) if first else 0
        for place, end in zip(
            self.places[first:last].tolist(), self.ends[first:last].tolist(), strict=True
        ):
            found[place - rows.start] = self.blob[start:end].decode("utf-8", "replace")
            start = end
        return found


NO_TEXTS = Texts(np.zeros(0, np.int64), np.zeros(0, np.int64), b"")


@dataclass(frozen=True)
class RawColumn:
    """One column of a sheet.

    Attributes:
        header: as in the file.
        index: place in the file, from 0.
        states: shape (rows,), of ``grammar`` (BLANK, NUMBER, …), FORMULA as a flag.
        numbers: shape (rows,), NaN where the cell is no number.
        texts: of text, date and error cells.
    """

    header: str
    index: int
    states: NDArray[np.uint8]
    numbers: NDArray[np.float64]
    texts: Texts = NO_TEXTS

    def cell(self, row: int) -> tuple[int, float, str]:
        """State, number and text of one cell, as ``grammar`` takes them."""
        return int(self.states[row]), float(self.numbers[row]), self.texts.at(row)

    def shown(self, row: int) -> str:
        """One cell as the person sees it."""
        return shown(*self.cell(row))

    def value(self, row: int) -> Any:
        """One cell by value: a number, a text, a truth value, or None where blank."""
        state, number, text = self.cell(row)
        kind = state & STATE_BITS
        if kind == NUMBER:
            return number
        if kind in (TEXT, DATE, ERROR):
            return text
        return None if kind == BLANK else bool(number)

    def take(self, rows: NDArray[np.intp]) -> RawColumn:
        """Some rows of it, ascending."""
        return replace(
            self,
            states=self.states[rows],
            numbers=self.numbers[rows],
            texts=self.texts.take(rows),
        )


@dataclass(frozen=True)
class RawSheet:
    """One sheet, row for row as in the file.

    Attributes:
        name: as plexsheet calls it, continued ones included: ``Albums``, ``Tracks 2``.
        sheet: which of the four; None for a list that does not say what its rows are.
        title: as in the file.
        rows: shape (rows,), row numbers of the spreadsheet program (the header is row 1).
        headers: row 1 of the file, every column in its order.
        keys: shape (rows,), rating keys; 0 blank, -1 damaged.
        columns: by header as ``columns.SHEETS`` declares it.
        own: columns of the person's own, in their order.
        certain: whether an empty cell is known to be empty (not so in .xls, which does not
            tell it from an error).
    """

    name: str
    sheet: SheetName | None
    title: str
    rows: Ints
    headers: tuple[str, ...]
    keys: Ints
    columns: Mapping[str, RawColumn]
    own: tuple[RawColumn, ...] = ()
    certain: bool = True

    def __len__(self) -> int:
        return len(self.rows)

    def text(self, header: str, row: int) -> str:
        """A cell of a known column as the person sees it; ``""`` without that column."""
        return self.columns[header].shown(row) if header in self.columns else ""

    def take(self, rows: NDArray[np.intp]) -> RawSheet:
        """Some rows of it, ascending."""
        return replace(
            self,
            rows=self.rows[rows],
            keys=self.keys[rows],
            columns={name: column.take(rows) for name, column in self.columns.items()},
            own=tuple(column.take(rows) for column in self.own),
        )


@dataclass(frozen=True)
class RawExtra:
    """A sheet of the person's own by value; ``cut`` tells that the rest was left out."""

    name: str
    rows: Sequence[Sequence[Any]]
    cut: bool = False


@dataclass(frozen=True)
class RawWorkbook:
    """A file as read.

    Attributes:
        path: the file as it was named.
        content_hash: SHA-256 of its bytes, hexadecimal.
        format: by its content.
        meta: what it says of itself, under the names of ``meta.Meta``; ``{}`` without.
        sheets: by name, in the order of the file.
        messages: what was met on the way (F10-F14, F17, F18).
        stopped: names of sheets that could not be read, with the code that says why.
        extra_sheets: sheets of the person's own, when asked for.
        start: cells of the sheet Start, when asked for: label in A to value in B.
        scale: highest rating: 5 stars, or 10 where the person declared it.
        mapping: headers of a foreign list, and the column each means.
        legacy: whether it is a CSV of plex-rating-utils (``ratingType`` tells whose a
            rating is).
        set_aside: sheets that were read and are not to be imported, by name.
    """

    path: Path
    content_hash: str
    format: Format
    meta: Mapping[str, str]
    sheets: Mapping[str, RawSheet]
    messages: tuple[Message, ...] = ()
    stopped: Mapping[str, str] = field(default_factory=dict)
    extra_sheets: tuple[RawExtra, ...] = ()
    start: Mapping[str, str] = field(default_factory=dict)
    scale: float = 5
    mapping: Mapping[str, str] = field(default_factory=dict)
    legacy: bool = False
    set_aside: Mapping[str, RawSheet] = field(default_factory=dict)
