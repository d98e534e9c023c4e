"""Two workbooks compared, and the ratings of an older one put back (pure).

A sheet is its rows by Key, a row its cells by header.  Comparing is by Key and header, so
order, filters and columns of one's own do not matter.

To put back an older workbook's ratings, each row is found in the library as it is today:
under its Key, if the titles still agree; else by the guid the Key had; else by titles and
length; where those fit several, by the file; and only where exactly one item fits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.library import KINDS, Kind, Library
from plexsheet.ownership import Owned
from plexsheet.plan.model import Plan, RowOutcome, from_records
from plexsheet.ratings import same, show_stars
from plexsheet.workbook.check import normal_text
from plexsheet.workbook.columns import IDENTITY, SHEET_OF_KIND, SHEETS, SheetName
from plexsheet.workbook.messages import text

Cells = Mapping[str, Any]  # header to value: float, text, or None where blank
Sheet = Mapping[int, Cells]  # by Key, in the file's order
Sheets = Mapping[SheetName, Sheet]
ROW = ""  # no column's header: under it stands the row number in the file

COMPARED: Mapping[SheetName, tuple[str, ...]] = {
    "Artists": ("My rating", "Action", "In Plex", "Source", "Inferred", "Note"),
    "Albums": ("My rating", "Action", "Year", "In Plex", "Source", "Inferred", "Note"),
    "Tracks": ("My rating", "Action", "In Plex", "Source", "Inferred", "Note"),
    "Twins": ("Decision", "Sub-group", "Note"),
}
WITHIN_STARS = 0.0075  # less is the same number in other decimals
LENGTH_WITHIN_S = 3.0  # of one recording, ripped again


# Comparing


@dataclass(frozen=True)
class Difference:
    """One cell that differs, or a row that is in one file only.

    Attributes:
        column: the header; ``""`` where the whole row is ``added`` or ``removed``.
        old, new: stars, other numbers, text, or None where blank.
    """

    sheet: SheetName
    key: int
    item: str
    column: str
    old: Any
    new: Any
    what: str = "changed"

    def payload(self) -> dict[str, Any]:
        """One row of ``--json``."""
        return {
            "sheet": self.sheet,
            "key": self.key,
            "item": self.item,
            "column": self.column,
            "old": self.old,
            "new": self.new,
            "what": self.what,
        }


def compare(old: Sheets, new: Sheets) -> list[Difference]:
    """What changed from one workbook to another, sheet by sheet, in the new file's order.

    Args:
        old, new: as read; sheets that are in one file only are not compared.

    >>> a = {"Artists": {7: {"Artist": "Nina", "My rating": 4.0}}}
    >>> b = {"Artists": {7: {"Artist": "Nina", "My rating": 4.5}}}
    >>> [(d.column, d.old, d.new) for d in compare(a, b)]
    [('My rating', 4.0, 4.5)]
    """
    found: list[Difference] = []
    for sheet in SHEETS:
        if sheet in old and sheet in new:
            found += _compare_sheet(sheet, old[sheet], new[sheet])
    return found


def _compare_sheet(sheet: SheetName, old: Sheet, new: Sheet) -> list[Difference]:
    found = []
    for key, cells in new.items():
        item = label(sheet, cells)
        before = old.get(key)
        if before is None:
            found.append(Difference(sheet, key, item, "", None, None, "added"))
            continue
        for column in COMPARED[sheet]:
            was, now = before.get(column), cells.get(column)
            if column in before and column in cells and not _same_cell(was, now):
                found.append(Difference(sheet, key, item, column, was, now))
    for key, cells in old.items():
        if key not in new:
            item = label(sheet, cells)
            found.append(Difference(sheet, key, item, "", None, None, "removed"))
    return found


def _same_cell(old: Any, new: Any) -> bool:
    if isinstance(old, float | int) and isinstance(new, float | int):
        return abs(old - new) < WITHIN_STARS
    return bool((old or "") == (new or ""))


def label(sheet: SheetName, cells: Cells) -> str:
    """What an item is called in lists: artist, album and title where it has them."""
    title, artist, _album = IDENTITY[sheet]
    names = [cells.get(header) for header in (artist, title) if header]
    return " – ".join(str(name) for name in names if name)


def counts(differences: Iterable[Difference]) -> dict[str, int]:
    """How many differences of each sort, by sheet and column."""
    found: dict[str, int] = {}
    for one in differences:
        name = f"{one.sheet} {one.column or one.what}"
        found[name] = found.get(name, 0) + 1
    return found


# Putting back


@dataclass(frozen=True)
class Found:
    """Where the rows of an older workbook are today.

    Attributes:
        keys: Key in the workbook to rating key now.
        by: how many were found in which way: key, guid, titles, file.
        lost: Keys of which nothing, or more than one item, fits.
    """

    keys: Mapping[int, int]
    by: Mapping[str, int]
    lost: tuple[int, ...]


def find(
    kind: Kind,
    sheet: Sheet,
    library: Library,
    guids: Mapping[int, Sequence[int]],
    *,
    files: Mapping[int, Sequence[int]] | None = None,
    same_library: bool = True,
) -> Found:
    """Find the rows of a sheet in a library whose rating keys may be others.

    Args:
        kind: of the items.
        sheet: the workbook's rows.
        library: as it is now.
        guids: Key in the workbook to the keys that carry the guid it had, where known.
        files: the same for the file it had, for tracks that titles do not tell apart.
        same_library: whether it is the one the workbook came from: Plex never gives a key
            of one library to something else, so there a retitled item is still the same.
    """
    table = library.table(kind)
    names = _identities(kind, table)
    here = dict(zip(table["key"].tolist(), names, strict=True))
    lengths = _lengths(kind, table)
    places: dict[tuple[str, ...], list[int]] = {}
    for key, name in here.items():
        places.setdefault(name, []).append(key)
    keys: dict[int, int] = {}
    by = {"key": 0, "guid": 0, "titles": 0, "file": 0}
    for key, cells in sheet.items():
        name = _identity_of(kind, cells)
        if same_library and here.get(key) == name:
            way, fits = "key", [key]
        elif len(guids.get(key, ())) == 1:
            way, fits = "guid", list(guids[key])
        elif same_library and key in here:
            way, fits = "key", [key]
        else:
            length = cells.get("Length s")
            named = places.get(name, [])
            way, fits = "titles", _as_long(named, length, lengths)
            if len(fits) != 1 and files:
                way, fits = "file", [one for one in named if one in files.get(key, ())]
        if len(fits) == 1:
            keys[key] = fits[0]
            by[way] += 1
    claims = pd.Series(list(keys.values()), dtype=np.int64).value_counts()
    keys = {old: new for old, new in keys.items() if claims[new] == 1}
    return Found(keys, by, tuple(key for key in sheet if key not in keys))


def _identities(kind: Kind, table: pd.DataFrame) -> list[tuple[str, ...]]:
    columns = {"artist": ("title",), "album": ("artist", "title")}.get(
        kind, ("artist", "album", "title")
    )
    folded = [[normal_text(text).casefold() for text in table[name]] for name in columns]
    return list(zip(*folded, strict=True))


def _identity_of(kind: Kind, cells: Cells) -> tuple[str, ...]:
    title, artist, album = IDENTITY[SHEET_OF_KIND[kind]]
    headers = [header for header in (artist, album, title) if header]
    return tuple(normal_text(str(cells.get(header) or "")).casefold() for header in headers)


def _lengths(kind: Kind, table: pd.DataFrame) -> Mapping[int, float]:
    if kind != "track":
        return {}
    seconds = table["duration_ms"].to_numpy() / 1000
    return dict(zip(table["key"].tolist(), seconds.tolist(), strict=True))


def _as_long(keys: list[int], length: Any, lengths: Mapping[int, float]) -> list[int]:
    """Of several items with one name those of the row's length, where it says one."""
    if len(keys) < 2 or not isinstance(length, float | int):
        return keys
    return [key for key in keys if abs(lengths.get(key, math.inf) - length) <= LENGTH_WITHIN_S]


def restore_plan(
    sheets: Sheets,
    library: Library,
    owned: Owned,
    *,
    guids: Mapping[Kind, Mapping[int, Sequence[int]]],
    tags: Mapping[Kind, Mapping[int, tuple[str, ...]]],
    files: Mapping[int, Sequence[int]] | None = None,
    same_library: bool = True,
    exact: bool = False,
) -> Plan:
    """The writes that put the person's ratings back as an older workbook shows them.

    Args:
        sheets: the workbook.
        library, owned: as Plex holds them now.
        guids: see ``find``.
        tags: our moods on items of today, which come off what becomes the person's.
        files, same_library: see ``find``.
        exact: also remove ratings of theirs that the workbook does not have.
    """
    records: list[dict[str, Any]] = []
    outcomes: list[RowOutcome] = []
    found_by: dict[str, int] = {}
    for kind in KINDS:
        sheet = sheets.get(SHEET_OF_KIND[kind])
        if sheet is None:
            continue
        paths = files if kind == "track" else None
        found = find(kind, sheet, library, guids[kind], files=paths, same_library=same_library)
        for way, count in found.by.items():
            found_by[way] = found_by.get(way, 0) + count
        one = _Restoring(kind, library, owned.source[kind], tags[kind], exact)
        for key, cells in sheet.items():
            one.row(int(cells.get(ROW, 0)), key, cells, found.keys.get(key))
        records += one.records
        outcomes += one.outcomes
    return Plan("restore", from_records(records), tuple(outcomes), {"found_by": found_by})


class _Restoring:
    """Rows of one kind on their way into a plan."""

    def __init__(
        self,
        kind: Kind,
        library: Library,
        source: NDArray[Any],
        tags: Mapping[int, tuple[str, ...]],
        exact: bool,
    ) -> None:
        self.kind, self.tags, self.exact = kind, tags, exact
        keys = library.keys(kind).tolist()
        self.now = dict(zip(keys, library.ratings(kind).tolist(), strict=True))
        self.source = dict(zip(keys, source.tolist(), strict=True))
        self.records: list[dict[str, Any]] = []
        self.outcomes: list[RowOutcome] = []

    def row(self, line: int, old_key: int, cells: Cells, key: int | None) -> None:
        """One row of the workbook."""
        mine = rating_of(cells)
        if key is None:
            if not math.isnan(mine):
                message = (
                    "No item of this library fits, or more than one: the rating "
                    f"{show_stars(mine)} was not put back."
                )
                self._outcome(line, old_key, cells, mine, math.nan, "Error", "E06", message)
            return
        now, manual = self.now[key], self.source[key] == "Manual"
        if math.isnan(mine) and not manual:
            return
        if same(mine, now) and manual:
            return
        if math.isnan(mine) and not self.exact:
            message = "Rated since the workbook was made; --exact would remove it."
            self._outcome(line, key, cells, mine, now, "Kept", "", message)
            return
        self._change(line, key, cells, mine, now)
        code = "I53" if key != old_key else ""
        message = text(code) if code else ""
        self._outcome(line, key, cells, mine, now, "Would apply", code, message)

    def _change(self, line: int, key: int, cells: Cells, mine: float, now: float) -> None:
        sheet = SHEET_OF_KIND[self.kind]
        self.records.append(
            {
                "kind": self.kind,
                "key": key,
                "field": "rating",
                "before": now,
                "after": mine,
                "reason": "restore",
                "owner_after": "none" if math.isnan(mine) else "person",
                "tags_remove": self.tags.get(key, ()),
                "title": label(sheet, cells),
                "sheet": sheet,
                "row": line,
            }
        )

    def _outcome(
        self,
        line: int,
        key: int,
        cells: Cells,
        mine: float,
        now: float,
        what: Any,
        code: str,
        message: str,
    ) -> None:
        sheet = SHEET_OF_KIND[self.kind]
        title = label(sheet, cells)
        self.outcomes.append(
            RowOutcome(
                sheet, line, self.kind, key, title, "rating", now, mine, now, what, code, message
            )
        )


def rating_of(cells: Cells) -> float:
    """The rating 0-10 a row shows as the person's; NaN where blank or not a number.

    >>> rating_of({"My rating": 4.5})
    9.0
    """
    value = cells.get("My rating")
    if isinstance(value, bool) or not isinstance(value, float | int) or not 0 < value <= 5:
        return math.nan
    return round(2 * float(value), 2)
