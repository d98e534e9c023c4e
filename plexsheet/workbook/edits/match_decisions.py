"""The sheet Matches: which songs of a foreign list are taken over, as the person decides (pure).

A row is taken where Action says TAKE or Choice names a candidate; everything else stays as it
is.  A candidate is proved by the Check that was written beside its key, since its titles do not
stand in the row.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from plexsheet.ratings import same_array, show_stars
from plexsheet.workbook.edits.row_base import RowBase
from plexsheet.workbook.reading.raw import RawSheet
from plexsheet.workbook.schema import cell_values
from plexsheet.workbook.schema.cell_values import BLANK, STATE_BITS, CellReading
from plexsheet.workbook.schema.check import check_of_text, check_texts

Refusal = tuple[int, str, str, str, Mapping[str, object]]  # row, code, variant, field, values


@dataclass(frozen=True)
class Choice:
    """One of the songs a row may mean: its key, its Check, and its rating when written (0-10)."""

    key: int
    check: int
    in_plex: float


@dataclass(frozen=True)
class Taken:
    """A row to be taken over.

    Attributes:
        row: place in the sheet.
        action: ``""``, MINE or PLEX, as the merge takes it.
        rating: 0-10.
    """

    row: int
    candidate: Choice
    rating: float
    action: str = ""


@dataclass
class MatchDecisions:
    """What a sheet Matches asks for: rows taken, rows refused, and remarks on rows taken."""

    taken: list[Taken] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


def candidates_text(candidates: Sequence[Choice]) -> str:
    """Candidates as the hidden column keeps them.

    >>> candidates_text([Choice(7, 0, 8.0), Choice(9, 1, math.nan)])
    '7:00000000:8 9:00000001:'
    """
    checks = check_texts(np.array([one.check for one in candidates], dtype=np.int64))
    return " ".join(
        f"{one.key}:{check}:{'' if math.isnan(one.in_plex) else f'{one.in_plex:g}'}"
        for one, check in zip(candidates, checks.tolist(), strict=True)
    )


def candidates_of(text: str) -> list[Choice]:
    """Candidates as read back; what was damaged is left out from there on."""
    found: list[Choice] = []
    for token in text.split():
        key, _, rest = token.partition(":")
        check, _, rating = rest.partition(":")
        number = check_of_text(check)
        try:
            in_plex = float(rating) if rating else math.nan
        except ValueError:
            break
        if not key.isdecimal() or number is None:
            break
        found.append(Choice(int(key), number, in_plex))
    return found


def match_decisions(
    sheet: RawSheet,
    row_base: RowBase,
    mine: NDArray[np.float64],
    readings: Mapping[int, CellReading],
) -> MatchDecisions:
    """The rows of a sheet Matches that are to be taken over.

    Args:
        sheet: as read.
        row_base: of its rows.
        mine: shape (rows,), My rating, 0-10.
        readings: of rating cells that are not plain.
    """
    found = MatchDecisions()
    for row in _rows_of_interest(sheet, row_base, mine, readings):
        _decide(sheet, row_base, row, float(mine[row]), readings.get(row), found)
    _one_row_per_song(sheet, found)
    return found


def _rows_of_interest(
    sheet: RawSheet,
    row_base: RowBase,
    mine: NDArray[np.float64],
    readings: Mapping[int, CellReading],
) -> list[int]:
    typed = ~same_array(mine, row_base.mine)
    typed[[row for row, reading in readings.items() if reading.kind != "blank"]] = True
    for header in ("Action", "Choice"):
        if header in sheet.columns:
            typed |= sheet.columns[header].states & STATE_BITS != BLANK
    return [int(row) for row in np.flatnonzero(typed)]


def _decide(
    sheet: RawSheet,
    row_base: RowBase,
    row: int,
    mine: float,
    reading: CellReading | None,
    found: MatchDecisions,
) -> None:
    action = _cell(sheet, "Action", row, cell_values.take)
    choice = _cell(sheet, "Choice", row, cell_values.choice)
    for cell in (action, choice, *([reading] if reading else ())):
        if cell.kind == "refused":
            found.refused.append((row, cell.code, cell.variant, "rating", cell.values))
            return
    if action.word in ("SKIP", "PLEX"):
        return
    if not action.word and not choice.word:
        if not math.isnan(mine) and mine != row_base.mine[row]:
            values = {"stars": show_stars(mine)}
            found.refused.append((row, "E23", "", "rating", values))
        return
    if math.isnan(mine):
        found.refused.append((row, "E23", "blank", "rating", {}))
        return
    candidates = candidates_of(sheet.text("Choices", row))
    number = int(choice.word or 0)
    if number > len(candidates):
        values = {"value": choice.word, "most": str(len(candidates))}
        found.refused.append((row, "E20", "choice", "rating", values))
        return
    own = Choice(int(row_base.keys[row]), int(row_base.written[row]), float(row_base.in_plex[row]))
    chosen = candidates[number - 1] if number else own
    if chosen.key <= 0:
        found.refused.append((row, "E01", "", "rating", {}))
        return
    word = "MINE" if action.word == "MINE" else ""
    found.taken.append(Taken(row, chosen, mine, word))


def _cell(sheet: RawSheet, header: str, row: int, read: cell_values.Reader) -> CellReading:
    return read(*sheet.columns[header].cell(row)) if header in sheet.columns else cell_values.EMPTY


def _one_row_per_song(sheet: RawSheet, found: MatchDecisions) -> None:
    """Several rows for one song: the same rating is taken once, different ones not at all."""
    by_key: dict[int, list[Taken]] = defaultdict(list)
    for one in found.taken:
        by_key[one.candidate.key].append(one)
    for several in by_key.values():
        if len(several) < 2:
            continue
        said = [show_stars(one.rating) for one in several]
        alike = len(set(said)) == 1
        values = {
            "rows": " and ".join(str(sheet.rows[one.row]) for one in several),
            "values": " and ".join(said),
            "key": several[0].candidate.key,
        }
        for one in several[alike:]:
            found.taken.remove(one)
            found.refused.append((one.row, "I04" if alike else "E04", "", "rating", values))
