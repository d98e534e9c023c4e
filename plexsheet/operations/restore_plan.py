"""The ratings of an older workbook put back, in a library that may have changed since (pure).

Each row is found in the library as it is today by what it says of its item: titles, length and
position, the guid where that is remembered; where those fit several, by the file; and only where
exactly one item fits.  Its rating cell is read as an import reads it:
what it refuses is told, and never taken for an empty cell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import MAXYEAR, UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plexsheet.identity import Lookup, seen_now
from plexsheet.library import KINDS, Kind, Library
from plexsheet.messages import Message, text
from plexsheet.operations.row_identity import cells_at, described, item_of
from plexsheet.ownership import Owned
from plexsheet.plan.model import Plan, RowOutcome, from_records
from plexsheet.ratings import same, show_stars
from plexsheet.workbook.edits import rate_next, scramble
from plexsheet.workbook.edits.comparison import Cells, label
from plexsheet.workbook.edits.validate import validate
from plexsheet.workbook.reading.raw import RawSheet, RawWorkbook
from plexsheet.workbook.schema import cell_values
from plexsheet.workbook.schema.cell_values import EMPTY, CellReading
from plexsheet.workbook.schema.columns import RATED_ON, SHEET_OF_KIND
from plexsheet.workbook.schema.layout import RATING_TYPE


@dataclass(frozen=True)
class OldRow:
    """A row of the older workbook.

    Attributes:
        sheet: its sheet's name.
        row: its number in the file.
        cells: what it says of the item: artist, album, title, length.
        rating: what its rating cell says, or why that is not clear.
        typed: the rating cell as the person sees it.
        rated_at: when it was given, epoch seconds, 0 unknown: the day of *Rated on*.
    """

    sheet: str
    row: int
    cells: Cells
    rating: CellReading = EMPTY
    typed: str = ""
    rated_at: int = 0


@dataclass(frozen=True)
class OldSheet:
    """The rows of one kind of item.

    Attributes:
        rows: by Key.
        unclear: rows with a rating whose Key is missing or damaged.
    """

    rows: Mapping[int, OldRow] = field(default_factory=dict)
    unclear: Sequence[OldRow] = ()


def old_sheets(raw: RawWorkbook) -> dict[Kind, OldSheet]:
    """The rows of a workbook by kind and Key, continued sheets together."""
    found: dict[Kind, OldSheet] = {}
    for kind in KINDS:
        rows: dict[int, OldRow] = {}
        unclear: list[OldRow] = []
        sheets = [one for one in raw.sheets.values() if one.sheet == SHEET_OF_KIND[kind]]
        for sheet in sheets:
            for key, row in _rows(sheet, raw.scale):
                if key <= 0:
                    unclear += [row] if row.rating.kind != "blank" else []
                else:
                    rows[key] = _one_of(key, rows[key], row) if key in rows else row
        rows |= _rated_on_rate_next(raw, kind, rows)
        if sheets:
            found[kind] = OldSheet(rows, unclear)
    return found


def _rated_on_rate_next(
    raw: RawWorkbook, kind: Kind, rows: Mapping[int, OldRow]
) -> dict[int, OldRow]:
    """Ratings that were typed on Rate next, where the item's own row has none."""
    sheet = raw.sheets.get(rate_next.SHEET)
    parts = rate_next.parts(sheet) if sheet is not None else ()
    typed = [row for part, of in parts if of == kind for row in _rows(part, raw.scale)]
    return {
        key: row
        for key, row in typed
        if row.rating.kind != "blank" and key in rows and rows[key].rating.kind == "blank"
    }


def _rows(sheet: RawSheet, scale: float) -> list[tuple[int, OldRow]]:
    ratings = sheet.columns.get("My rating")
    found = []
    for place, key in enumerate(sheet.keys.tolist()):
        reading = cell_values.rating(*ratings.cell(place), scale=scale) if ratings else EMPTY
        reading = _owned(reading, sheet, place)
        if reading.kind == "blank" and not sheet.certain:
            reading = replace(reading, code="W23", variant="unsure")
        if key <= 0 and reading.kind != "blank":
            said = {"row": int(sheet.rows[place]), "value": sheet.text("Key", place)}
            code, variant = ("E03", "unknown") if key else ("E01", "")
            reading = CellReading("refused", code=code, variant=variant, values=said)
        cells = cells_at(sheet, place)
        typed = ratings.shown(place) if ratings else ""
        row = OldRow(sheet.name, int(sheet.rows[place]), cells, reading, typed)
        found.append((key, replace(row, rated_at=_rated_at(sheet, place))))
    return found


def _rated_at(sheet: RawSheet, place: int) -> int:
    """The day a row says it was rated, as epoch seconds; 0 where it says none."""
    try:
        day = datetime.fromisoformat(sheet.text(RATED_ON, place)[:10])
    except ValueError:
        return 0
    return max(int(day.replace(tzinfo=UTC).timestamp()), 0)


def _owned(reading: CellReading, sheet: RawSheet, place: int) -> CellReading:
    """The rating if it is the person's: lists of plex-rating-utils hold inferred ones, too."""
    if RATING_TYPE not in sheet.columns:
        return reading
    said = sheet.text(RATING_TYPE, place)
    if said.casefold() == "inferred":
        return EMPTY
    if said.casefold() not in ("manual", ""):
        return CellReading("refused", code="E20", variant="type", values={"value": said})
    return reading


def _one_of(key: int, first: OldRow, second: OldRow) -> OldRow:
    """One row of two with the same Key: where they differ, neither says what the rating was."""
    if first.rating.code == "E04":
        return first
    one, other = first.rating, second.rating
    if (one.kind, one.code) == (other.kind, other.code) and same(one.rating, other.rating):
        return first
    values = {
        "key": key,
        "rows": f"{first.row} and {second.row}",
        "values": f"{first.typed or 'nothing'} and {second.typed or 'nothing'}",
    }
    return replace(first, rating=CellReading("refused", code="E04", values=values))


def torn(raw: RawWorkbook) -> list[Message]:
    """Sheets whose ratings do not stand on their rows, as after sorting one column (S01-S03).

    Told by what the file itself says it showed when it was made; without that nothing is.
    """
    carrying = {name: sheet for name, sheet in raw.sheets.items() if "Was" in sheet.columns}
    judged = validate(replace(raw, sheets=carrying), next_year=MAXYEAR)
    return [message for message in judged.messages if message.code in scramble.CODES]


# Finding


@dataclass(frozen=True)
class FoundRows:
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
    rows: Mapping[int, Cells],
    library: Library,
    guids: Mapping[int, int],
    *,
    files: Mapping[int, Sequence[int]] | None = None,
    same_library: bool = True,
) -> FoundRows:
    """Find the rows of a sheet in a library whose rating keys may be others.

    What a row says of its item is the proof: its titles, length and position, and a guid that
    is remembered for it.  Its Key only says where to look first.

    Args:
        kind: of the items.
        rows: what the workbook says of the items, by Key.
        library: as it is now.
        guids: Key in the workbook to the number of the guid it had, where known.
        files: Key to the keys that have its file, for tracks that titles do not tell apart.
        same_library: whether the workbook says that it came from this one.
    """
    keys = np.fromiter(rows, dtype=np.int64, count=len(rows))
    then = described(
        (key, replace(item_of(kind, cells), guid=guids.get(key, 0))) for key, cells in rows.items()
    )
    if not same_library:
        then["key"] = 0
    lookup = Lookup(kind, seen_now(kind, library.table(kind)))
    places = {key: place for place, key in enumerate(rows)}
    carriers = {places[key]: found for key, found in (files or {}).items() if key in places}
    located = lookup.locate(then, carriers)
    here = ~located.lost
    by = {way: int((located.ways == way).sum()) for way in ("key", "guid", "titles", "file")}
    found = dict(zip(keys[here].tolist(), located.keys[here].tolist(), strict=True))
    return FoundRows(found, by, tuple(keys[located.lost].tolist()))


# Putting back


def restore_plan(
    sheets: Mapping[Kind, OldSheet],
    library: Library,
    owned: Owned,
    *,
    guids: Mapping[Kind, Mapping[int, int]],
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
    for kind, sheet in sheets.items():
        paths = files if kind == "track" else None
        rows = {key: row.cells for key, row in sheet.rows.items()}
        found = find(kind, rows, library, guids[kind], files=paths, same_library=same_library)
        for way, count in found.by.items():
            found_by[way] = found_by.get(way, 0) + count
        one = _Restoring(kind, library, owned.source[kind], tags[kind], exact)
        for row in sheet.unclear:
            one.refuse(row, 0, math.nan)
        for key, row in sheet.rows.items():
            one.row(row, key, found.keys.get(key))
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

    def row(self, row: OldRow, old_key: int, key: int | None) -> None:
        """One row of the workbook; ``key`` is what its item has today."""
        mine = row.rating.rating
        now = self.now[key] if key is not None else math.nan
        if row.rating.kind == "refused":
            self.refuse(row, old_key, now)
        elif key is None:
            if not math.isnan(mine):
                message = (
                    "No item of this library fits, or more than one: the rating "
                    f"{show_stars(mine)} was not put back."
                )
                self._outcome(row, old_key, math.nan, "Error", "E06", message)
        elif math.isnan(mine):
            self._blank(row, key, now)
        elif not (same(mine, now) and self.source[key] == "Manual"):
            self._change(row, key, now)
            code = "I53" if key != old_key else ""
            self._outcome(row, key, now, "Would apply", code, text(code) if code else "")

    def refuse(self, row: OldRow, key: int, now: float) -> None:
        """A row whose rating is not clear."""
        reading = row.rating
        message = text(reading.code, reading.variant, **reading.values)
        self._outcome(row, key, now, "Error", reading.code, message)

    def _blank(self, row: OldRow, key: int, now: float) -> None:
        """A row without a rating: what was given since stays, but where all is to be as then."""
        if self.source[key] != "Manual":
            return
        if not self.exact:
            message = "Rated since the workbook was made; --exact would remove it."
            self._outcome(row, key, now, "Kept", "", message)
        elif row.rating.code:
            message = text(row.rating.code, row.rating.variant, stars=show_stars(now))
            self._outcome(row, key, now, "Error", row.rating.code, message)
        else:
            self._change(row, key, now)
            self._outcome(row, key, now, "Would apply", "", "")

    def _change(self, row: OldRow, key: int, now: float) -> None:
        mine = row.rating.rating
        self.records.append(
            {
                "kind": self.kind,
                "key": key,
                "field": "rating",
                "before": now,
                "after": mine,
                "after_text": str(row.rated_at or "") if not math.isnan(mine) else "",
                "reason": "restore",
                "owner_after": "none" if math.isnan(mine) else "person",
                "tags_remove": self.tags.get(key, ()),
                "title": label(SHEET_OF_KIND[self.kind], row.cells),
                "sheet": row.sheet,
                "row": row.row,
            }
        )

    def _outcome(
        self, row: OldRow, key: int, now: float, what: Any, code: str, message: str
    ) -> None:
        title = label(SHEET_OF_KIND[self.kind], row.cells)
        yours = row.typed if row.rating.kind == "refused" else row.rating.rating
        place = (row.sheet, row.row, self.kind, key, title, "rating")
        self.outcomes.append(RowOutcome(*place, now, yours, now, what, code, message))
