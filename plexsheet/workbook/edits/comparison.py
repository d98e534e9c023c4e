"""Two workbooks compared (pure).

A sheet is its rows by Key, a row its cells by header.  Comparing is by Key and header, so
order, filters and columns of one's own do not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from plexsheet.workbook.schema.columns import IDENTITY, SHEETS, SheetName

Cells = Mapping[str, Any]  # header to value: float, text, or None where blank
Sheet = Mapping[int, Cells]  # by Key, in the file's order
Sheets = Mapping[SheetName, Sheet]

COMPARED: Mapping[SheetName, tuple[str, ...]] = {
    "Artists": ("My rating", "Action", "In Plex", "Source", "Inferred", "Note"),
    "Albums": ("My rating", "Action", "Year", "In Plex", "Source", "Inferred", "Note"),
    "Tracks": ("My rating", "Action", "In Plex", "Source", "Inferred", "Note"),
    "Twins": ("Decision", "Sub-group", "Note"),
}
WITHIN_STARS = 0.0075  # less is the same number in other decimals


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
