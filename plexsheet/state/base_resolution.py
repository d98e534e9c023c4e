"""Which earlier imports of an export a file goes back to: what its cells are compared with.

Copies of one export share its id.  The base kept for the id follows every import, which is
right for the file that was imported and saved again, and wrong for another copy: there a
cell never touched would look as if the person had set it back, and an old copy would undo
newer ratings.  So each earlier import is asked for: a file goes back to it when it is the
same file, by its place on the disk, or when it still shows most of what that import wrote.
To what it does not go back, it is compared as before that import.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.library import KINDS, Kind, rows_of
from plexsheet.ratings import same_array
from plexsheet.state import runs
from plexsheet.state.runs import Run
from plexsheet.state.store import State
from plexsheet.workbook.edits import rate_next
from plexsheet.workbook.reading.raw import RawWorkbook
from plexsheet.workbook.schema import cell_values
from plexsheet.workbook.schema.columns import KIND_OF_SHEET

PLACE = "place"  # under which a run's notes keep where its file lay
# The same of the file whose preview was confirmed in its result, unchanged: it has gone along,
# for it shows what the run wrote.
ALONG = "along"


@dataclass(frozen=True)
class Change:
    """What one run changed in the base of one kind.

    Attributes:
        before: the rows as they were: ``key`` and the columns of the base.
    """

    run: Run
    before: pd.DataFrame


@dataclass(frozen=True)
class Cells:
    """Ratings (0-10) and years a file shows for one kind of item, by key."""

    keys: NDArray[np.int64]
    mine: NDArray[np.float64]
    year: NDArray[np.float64]


def bases(
    state: State, scope: int, export_id: str, raw: RawWorkbook, place: str = ""
) -> dict[Kind, pd.DataFrame] | None:
    """What the cells of a file are compared with, by kind.

    Args:
        state: what is remembered.
        scope: of which library.
        export_id: the export the file was made by.
        raw: the file.
        place: where it lies on the disk; "" for a copy that says nothing of where it was.

    Returns:
        The bases; None where nothing is known of the export.  A column ``moved`` tells which
        rows any import changed: the file may still show what was in Plex before.
    """
    if not export_id:
        return None
    found = {kind: state.base(scope, export_id, kind) for kind in KINDS}
    known = {kind: base for kind, base in found.items() if base is not None}
    changes = _changes(state, export_id)
    for kind, base in known.items():
        if kind in changes:
            shown = Shown(place, raw.meta.get("of", ""), int(raw.meta.get("after") or 0))
            known[kind] = compared_with(base, changes[kind], _cells(raw, kind), shown)
    return known or None


def compared_with(
    base: pd.DataFrame, changes: Sequence[Change], cells: Cells, shown: Shown
) -> pd.DataFrame:
    """A base without the changes a file does not go back to.

    Args:
        base: as the last import left it.
        changes: of it, newest first.
        cells: of the file.
        shown: where it lies, and whose preview it is.
    """
    at_the_time = {name: base[name].to_numpy(copy=True) for name in base.columns}
    result = {name: column.copy() for name, column in at_the_time.items()}
    decided = np.zeros(len(base), dtype=bool)  # by a later import the file goes back to
    moved = np.zeros(len(base), dtype=bool)
    taken_back: dict[int, NDArray[np.bool_]] = {}
    for change in changes:
        rows = rows_of(base["key"].to_numpy(), change.before["key"].to_numpy())
        before, rows = change.before[rows >= 0], rows[rows >= 0]
        moved[rows] = True
        if change.run.undoes:
            taken_back.setdefault(change.run.undoes, np.zeros(len(base), dtype=bool))[rows] = True
        else:
            gone = taken_back.get(change.run.id, np.zeros(len(base), dtype=bool))[rows]
            if _goes_back_to(change.run, before[~gone], rows[~gone], at_the_time, cells, shown):
                decided[rows[~gone]] = True
            else:
                _set(result, before, rows, ~gone & ~decided[rows])
        _set(at_the_time, before, rows, np.ones(len(rows), dtype=bool))
    return pd.DataFrame(result | {"moved": moved})


def _set(
    columns: dict[str, NDArray[np.generic]],
    values: pd.DataFrame,
    rows: NDArray[np.intp],
    chosen: NDArray[np.bool_],
) -> None:
    for name, column in columns.items():
        if name in values.columns:
            column[rows[chosen]] = values[name].to_numpy()[chosen]


def _goes_back_to(
    run: Run,
    before: pd.DataFrame,
    rows: NDArray[np.intp],
    after: dict[str, NDArray[np.generic]],
    cells: Cells,
    where: Shown,
) -> bool:
    """Whether a file is the one a run imported, saved again; or a copy made after it."""
    if where.follows(run):
        return True
    there = rows_of(cells.keys, before["key"].to_numpy())
    changed = np.zeros(len(rows), dtype=bool)
    shown = np.zeros(len(rows), dtype=bool)
    for name, column in (("mine", cells.mine), ("year", cells.year)):
        if name in before.columns:
            then = after[name][rows].astype(float)
            differs = (there >= 0) & ~same_array(before[name].to_numpy(dtype=float), then)
            changed |= differs
            shown |= differs & same_array(column[there] if len(column) else then * np.nan, then)
    return bool(2 * shown.sum() > changed.sum() or not changed.any())


@dataclass(frozen=True)
class Shown:
    """Which file on the disk a file is, or shows the edits of.

    Attributes:
        place: where it lies; ``""`` where that says nothing.
        of: of a preview, the digest of where the file lies whose edits it shows.
        after: of a preview, the last run before it was made.
    """

    place: str = ""
    of: str = ""
    after: int = 0

    def follows(self, run: Run) -> bool:
        """Whether the file that lies there is the one a run imported, or went along with."""
        went = {run.notes.get(ALONG, ""), place_digest(run.notes.get(PLACE, ""))} - {""}
        return place_digest(self.place) in went or (run.id <= self.after and self.of in went)


def place_digest(place: str) -> str:
    """A place on the disk as a workbook may carry it; ``""`` for none."""
    return hashlib.sha256(place.encode()).hexdigest()[:16] if place else ""


def _cells(raw: RawWorkbook, kind: Kind) -> Cells:
    sheets = [
        sheet
        for sheet in raw.sheets.values()
        if sheet.sheet is not None
        and KIND_OF_SHEET.get(sheet.sheet) == kind
        and "My rating" in sheet.columns
    ]
    keys = [np.zeros(0, np.int64), *(sheet.keys for sheet in sheets)]
    mine, year = [np.zeros(0)], [np.zeros(0)]
    for sheet in sheets:
        ratings = sheet.columns["My rating"]
        mine.append(cell_values.rating_column(ratings.states, ratings.numbers, scale=raw.scale)[0])
        blank = np.full(len(sheet), np.nan)
        shown = sheet.columns["Year"].numbers if "Year" in sheet.columns else blank
        year.append(np.nan_to_num(shown))
    cells = Cells(np.concatenate(keys), np.concatenate(mine), np.concatenate(year))
    return _with_rate_next(cells, raw, kind)


def _with_rate_next(cells: Cells, raw: RawWorkbook, kind: Kind) -> Cells:
    """The same, with what was typed on Rate next."""
    sheet = raw.sheets.get(rate_next.SHEET)
    for part, of in rate_next.parts(sheet) if sheet is not None else ():
        if of == kind and "My rating" in part.columns:
            ratings = part.columns["My rating"]
            mine = cell_values.rating_column(ratings.states, ratings.numbers, scale=raw.scale)[0]
            rows = rows_of(cells.keys, part.keys) if len(cells.keys) else np.full(len(part), -1)
            typed = (rows >= 0) & ~rate_next.untouched(part, raw.scale)
            cells.mine[rows[typed]] = mine[typed]
    return cells


def _changes(state: State, export_id: str) -> dict[Kind, list[Change]]:
    """What runs changed in the bases of an export, by kind, newest first."""
    found: dict[Kind, list[Change]] = {}
    for number in runs.runs_that_changed(state, export_id):
        run = runs.run_of(state, number)
        if run is None:
            continue
        for export, kind, before in state.base_changes(number):
            if export == export_id:
                found.setdefault(kind, []).append(Change(run, before))
    return found
