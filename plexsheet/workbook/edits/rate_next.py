"""The sheet Rate next: albums and tracks that stand on a sheet of their kind as well (pure).

An item can be rated in two places of one file.  After an import one of them shows the new
rating and the other still shows what both did at first; read alone, that one would look as
if the rating had been taken back.  So a cell that is as the file was made says nothing
where the item's other place was edited.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from plexsheet import ratings
from plexsheet.library import KINDS, Kind
from plexsheet.workbook.edits.row_base import was_of
from plexsheet.workbook.reading.raw import RawSheet, RawWorkbook
from plexsheet.workbook.schema import cell_values
from plexsheet.workbook.schema.cell_values import BLANK
from plexsheet.workbook.schema.columns import SHEET_OF_KIND

Bools = NDArray[np.bool_]
SHEET = "Rate next"
# Header of the title on each kind's own sheet.
_TITLES: Mapping[Kind, str] = {"artist": "Artist", "album": "Album", "track": "Title"}


def parts(sheet: RawSheet) -> Iterable[tuple[RawSheet, Kind]]:
    """The rows of each kind, under the headers of that kind's own sheet.

    A row whose Kind says none of them goes with the tracks, where its Key is looked at.
    """
    words = [word.strip().casefold() for word in sheet.columns["Kind"].texts.dense(_all(sheet))]
    kinds = np.array([word if word in KINDS else "track" for word in words], dtype=object)
    for kind in KINDS:
        rows = np.flatnonzero(kinds == kind)
        if len(rows):
            part = sheet.take(rows)
            columns = dict(part.columns)
            if "Title" in columns:
                columns[_TITLES[kind]] = columns["Title"]
            yield replace(part, sheet=SHEET_OF_KIND[kind], columns=columns), kind


def untouched(sheet: RawSheet, scale: float) -> Bools:
    """Rows whose rating is what the row itself says it was, and which have no Action.

    A row that does not say what it was counts where it is blank.  Shape (rows,).
    """
    column = sheet.columns["My rating"]
    mine, plain = cell_values.rating_column(column.states, column.numbers, scale=scale)
    same = plain & ratings.same_array(mine, was_of(sheet))
    if "Action" in sheet.columns:
        same &= sheet.columns["Action"].states == BLANK
    return np.asarray(same)


def edited_here(raw: RawWorkbook) -> Mapping[Kind, NDArray[np.int64]]:
    """Keys of items that are edited on Rate next, by kind."""
    sheet = raw.sheets.get(SHEET) or raw.set_aside.get(SHEET)
    if sheet is None:
        return {}
    return {kind: part.keys[~untouched(part, raw.scale)] for part, kind in parts(sheet)}


@dataclass(frozen=True)
class Place:
    """Where in a file an item was edited, and what was typed there, as a sentence quotes it."""

    sheet: str
    row: int
    said: str


def differing(raw: RawWorkbook) -> Mapping[tuple[Kind, int], tuple[Place, Place]]:
    """Items edited in both places and not alike; cells that are no rating are judged elsewhere."""
    found: dict[tuple[Kind, int], tuple[Place, Place]] = {}
    whole = raw.sheets.get(SHEET)
    for part, kind in parts(whole) if whole is not None else ():
        here = _edited(part, part.keys, raw.scale)
        for sheet in raw.sheets.values():
            if sheet.sheet == SHEET_OF_KIND[kind]:
                there = _edited(sheet, part.keys, raw.scale)
                found |= {
                    (kind, key): (there[key], here[key])
                    for key in here.keys() & there.keys()
                    if here[key].said != there[key].said
                }
    return found


def _edited(sheet: RawSheet, keys: NDArray[np.int64], scale: float) -> dict[int, Place]:
    rows = np.flatnonzero(np.isin(sheet.keys, keys) & (sheet.keys > 0))
    few = sheet.take(rows)
    found = {}
    for row in np.flatnonzero(~untouched(few, scale)).tolist():
        rating = cell_values.rating(*few.columns["My rating"].cell(row), scale=scale)
        if rating.kind != "refused":
            words = (_word(rating), few.text("Action", row).strip().upper())
            said = " ".join(filter(None, words))
            found[int(few.keys[row])] = Place(sheet.name, int(few.rows[row]), said)
    return found


def _word(rating: cell_values.CellReading) -> str:
    if rating.kind == "value":
        return ratings.show_stars(rating.rating)
    return "CLEAR" if rating.kind == "clear" else ""


def _all(sheet: RawSheet) -> slice:
    return slice(0, len(sheet))
