"""What is known of each row of a sheet: its base, and whether its Key is its own (pure).

The base is what the row showed when the workbook was made: from the state where the
export is known there, else from the row's own ``Was`` columns, else what Plex holds now
(then the comparison has two sides only).

Identity is told twice, by Key and by Check.  A row is sound when its titles fit its
Key by either: the Check that travelled in the row, or the one remembered for the Key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.library import Kind, rows_of
from plexsheet.ownership import SOURCES
from plexsheet.ratings import points_array
from plexsheet.workbook.reading.raw import RawColumn, RawSheet, Texts
from plexsheet.workbook.schema.cell_values import NUMBER, STATE_BITS, TEXT
from plexsheet.workbook.schema.check import ALPHABET, CHECK_CHARS, check_numbers, check_of_text
from plexsheet.workbook.schema.columns import IDENTITY

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Bases = Mapping[Kind, pd.DataFrame]
Origin = Literal["state", "was", "plex", "none"]

NO_CHECK = -1
_CHUNK = 50_000


@dataclass
class RowBase:
    """Row for row with a sheet; ratings 0-10.

    Attributes:
        kind: of its items.
        keys: rating keys; 0 blank, -1 damaged and not healed.
        origin: where the base comes from.
        place: the row's place in the state's base or in Plex's table, -1 without.
        mine, in_plex, inferred: what the row showed, NaN blank.
        source: code of ``SOURCES``; -1 where only the file says it.
        year: 0 blank.
        check: the Check remembered for the Key, ``NO_CHECK`` without.
        written: the Check in the row, ``NO_CHECK`` without.
        titled: the Check that the row's Key and titles come to, ``NO_CHECK`` without titles.
        known: whether the row has a base at all.
        moved: whether an import changed it since the export.
        healed: rows whose damaged Key was found again by Check: row to what the cell said.
    """

    kind: Kind
    keys: Ints
    origin: Origin
    place: NDArray[np.intp]
    mine: Floats
    in_plex: Floats
    inferred: Floats
    source: NDArray[np.int64]
    year: Ints
    check: Ints
    written: Ints
    titled: Ints
    known: Bools
    moved: Bools
    healed: dict[int, str]

    def mismatched(self) -> Bools:
        """Where the Key does not belong to the titles beside it; shape (rows,)."""
        told = (self.written != NO_CHECK) | (self.check != NO_CHECK)
        fits = (self.titled == self.written) | (self.titled == self.check)
        return np.asarray(told & (self.titled != NO_CHECK) & (self.keys > 0) & ~fits)

    def source_of(self, sheet: RawSheet, row: int) -> int:
        """Whose the rating in Plex was: code of ``SOURCES``, -1 where nothing says so."""
        if self.source[row] >= 0 or self.origin != "was":
            return int(self.source[row])
        word = sheet.text("Source", row).strip().capitalize()
        return SOURCES.index(word) if word in SOURCES else 0


def row_base_of(sheet: RawSheet, kind: Kind, bases: Bases | None, current: Bases | None) -> RowBase:
    """What is known of each row of a sheet.

    Args:
        sheet: as read.
        kind: of its items.
        bases: what the state remembers of the file's export: ``key``, ``mine``,
            ``in_plex``, ``source``, ``inferred``, ``check``, for albums ``year``; None
            where it does not know the export.
        current: the same for the library as Plex holds it now; None where not read.
    """
    written = _written(sheet)
    remembered = (bases or current or {}).get(kind)
    keys, healed = _healed(sheet, kind, written, remembered)
    origin: Origin = "none"
    if bases is not None:
        origin = "state"
    elif "Was" in sheet.columns or "Was decision" in sheet.columns:
        origin = "was"
    elif current is not None:
        origin = "plex"
    place, found = _looked_up(remembered, keys)
    row_base = RowBase(
        kind=kind,
        keys=keys,
        origin=origin,
        place=place,
        mine=found("mine", np.nan),
        in_plex=found("in_plex", np.nan),
        inferred=found("inferred", np.nan),
        source=found("source", -1).astype(np.int64),
        year=found("year", 0).astype(np.int64),
        check=found("check", NO_CHECK).astype(np.int64),
        written=written,
        titled=_titled(sheet, kind, keys),
        known=(place >= 0) if origin in ("state", "plex") else np.full(len(sheet), origin == "was"),
        moved=found("moved", 0).astype(bool),
        healed=healed,
    )
    if origin in ("was", "none"):
        _from_file(row_base, sheet)
    elif origin == "state" and "Was" in sheet.columns:
        _strangers_from_file(row_base, sheet)
    if origin == "plex":
        row_base.source = np.full(len(sheet), -1, dtype=np.int64)
    return row_base


def _looked_up(
    table: pd.DataFrame | None, keys: Ints
) -> tuple[NDArray[np.intp], Callable[[str, float], NDArray[Any]]]:
    """Place of each key in a table of bases, and its columns row for row by name."""
    place = np.full(len(keys), -1, dtype=np.intp)
    if table is not None and len(table):
        place = rows_of(table["key"].to_numpy(dtype=np.int64), keys)
    found = place >= 0

    def column(name: str, unknown: float) -> NDArray[Any]:
        values = np.full(len(keys), unknown, dtype=float if unknown != unknown else np.int64)
        if table is None or name not in table:
            return values
        held = table[name].to_numpy()
        values[found] = held[place[found]]
        return values

    return place, column


def _from_file(row_base: RowBase, sheet: RawSheet) -> None:
    row_base.mine = _stars(sheet, "Was")
    row_base.in_plex = _stars(sheet, "In Plex") if "In Plex" in sheet.columns else row_base.mine
    row_base.inferred = _stars(sheet, "Inferred")
    row_base.year = _years(sheet)
    row_base.source = np.full(len(sheet), -1, dtype=np.int64)


def _strangers_from_file(row_base: RowBase, sheet: RawSheet) -> None:
    """Rows the export did not have: what they say they were tells whether they were edited."""
    strange = row_base.place < 0
    if strange.any():
        row_base.mine = np.where(strange, _stars(sheet, "Was"), row_base.mine)
        row_base.year = np.where(strange, _years(sheet), row_base.year)


def _numbers(column: RawColumn) -> Floats:
    """Numbers of a column, those that a program keeps as text included; NaN elsewhere."""
    kinds = column.states & STATE_BITS
    numbers = np.where(kinds == NUMBER, column.numbers, np.nan)
    for row in np.flatnonzero(kinds == TEXT).tolist():
        with suppress(ValueError):
            numbers[row] = float(column.texts.at(row).strip().replace(",", "."))
    return numbers


def _stars(sheet: RawSheet, header: str) -> Floats:
    """A column of stars on the ten-point scale, NaN where there is no number in range."""
    if header not in sheet.columns:
        return np.full(len(sheet), np.nan)
    stars = _numbers(sheet.columns[header])
    with np.errstate(invalid="ignore"):
        return np.where((stars > 0) & (stars <= 5), points_array(stars), np.nan)


def was_of(sheet: RawSheet) -> Floats:
    """What My rating was by the rows themselves, 0-10, NaN blank or not said."""
    return _stars(sheet, "Was")


def _years(sheet: RawSheet) -> Ints:
    if "Year was" not in sheet.columns:
        return np.zeros(len(sheet), dtype=np.int64)
    years = _numbers(sheet.columns["Year was"])
    with np.errstate(invalid="ignore"):
        sound = (years >= 1) & (years <= 9999)
    return np.where(sound, np.nan_to_num(years), 0).astype(np.int64)


# ---------------------------------------------------------------- Check


def _written(sheet: RawSheet) -> Ints:
    """The Check numbers in the rows."""
    n = len(sheet)
    if "Check" not in sheet.columns:
        return np.full(n, NO_CHECK, dtype=np.int64)
    texts = sheet.columns["Check"].texts
    lengths = np.diff(texts.ends, prepend=0)
    if len(texts.places) == n and n and np.all(lengths == CHECK_CHARS):
        codes = _CHECK_DIGITS[np.frombuffer(texts.blob, np.uint8).reshape(n, CHECK_CHARS)]
        if not np.any(codes < 0):
            weights = np.int64(32) ** np.arange(CHECK_CHARS - 1, -1, -1, dtype=np.int64)
            return np.asarray(codes @ weights)
    numbers = np.full(n, NO_CHECK, dtype=np.int64)
    for first in range(0, n, _CHUNK):
        part = slice(first, min(first + _CHUNK, n))
        for row, text in enumerate(texts.dense(part), first):
            number = check_of_text(text) if text else None
            numbers[row] = NO_CHECK if number is None else number
    return numbers


_CHECK_DIGITS = np.full(256, -1, dtype=np.int64)
for _value, _letter in enumerate(ALPHABET):
    _CHECK_DIGITS[ord(_letter)] = _value


def _titled(sheet: RawSheet, kind: Kind, keys: Ints) -> Ints:
    """The Check that each row's Key and titles come to."""
    n = len(sheet)
    headers = [header for header in IDENTITY[sheet.sheet] if header] if sheet.sheet else []
    if not headers or any(header not in sheet.columns for header in headers):
        return np.full(n, NO_CHECK, dtype=np.int64)
    numbers = np.empty(n, dtype=np.int64)
    for first in range(0, n, _CHUNK):
        part = slice(first, min(first + _CHUNK, n))
        texts = [sheet.columns[header].texts.dense(part) for header in headers]
        numbers[part] = check_numbers(kind, keys[part].tolist(), *texts)
    numbers[_blank([sheet.columns[header].texts for header in headers], n)] = NO_CHECK
    return numbers


def _blank(columns: Sequence[Texts], rows: int) -> Bools:
    """Rows that have no text in any of some columns: their titles speak neither for nor against."""
    blank = np.ones(rows, dtype=bool)
    for texts in columns:
        blank[texts.places[np.diff(texts.ends, prepend=0) > 0]] = False
    return blank


def _healed(
    sheet: RawSheet, kind: Kind, written: Ints, remembered: pd.DataFrame | None
) -> tuple[Ints, dict[int, str]]:
    """Keys, damaged ones found again where Check and titles leave one candidate."""
    damaged = np.flatnonzero(sheet.keys == -1)
    if not len(damaged) or remembered is None:
        return sheet.keys, {}
    keys = sheet.keys.copy()
    healed = {}
    candidates = candidates_by_check(remembered)
    for row in damaged.tolist():
        key = candidates.get(int(written[row]))
        if key is not None and _fits(sheet, kind, row, key, int(written[row])):
            keys[row] = key
            healed[row] = sheet.text("Key", row)
    return keys, healed


def candidates_by_check(remembered: pd.DataFrame) -> dict[int, int]:
    """Check number to the one key that has it."""
    unique = remembered.drop_duplicates("check", keep=False)
    return dict(zip(unique["check"].tolist(), unique["key"].tolist(), strict=True))


def _fits(sheet: RawSheet, kind: Kind, row: int, key: int, written: int) -> bool:
    """Whether the row's titles, where it has them, fit a key."""
    headers = [header for header in IDENTITY[sheet.sheet] if header] if sheet.sheet else []
    if not headers or any(header not in sheet.columns for header in headers):
        return True
    texts = [[sheet.text(header, row)] for header in headers]
    return bool(check_numbers(kind, [key], *texts)[0] == written)
