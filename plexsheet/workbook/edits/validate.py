"""Raw cells into edits and problems, compared with what the workbook showed (pure).

A sheet whose identity or rating column was scrambled is stopped as a whole; a row with
a cell that cannot be understood is stopped alone, with a sentence; everything else
becomes an ``Edit``.  What an edit does to Plex is decided by the merge, which knows
what Plex holds now.

The comparison runs on whole columns; Python objects exist for edited rows only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet import ratings
from plexsheet.library import KINDS, Kind
from plexsheet.messages import say
from plexsheet.plan.model import Edit, Field
from plexsheet.workbook.edits import rate_next
from plexsheet.workbook.edits.row_base import Bases
from plexsheet.workbook.edits.rules import Rules, Validated
from plexsheet.workbook.edits.sheet_rows import SheetRows
from plexsheet.workbook.reading.raw import RawSheet, RawWorkbook
from plexsheet.workbook.schema.columns import KIND_OF_SHEET, SHEET_OF_KIND


def validate(
    raw: RawWorkbook,
    bases: Bases | None = None,
    current: Bases | None = None,
    *,
    next_year: int,
    allow_new_rows: bool = False,
    accept_scramble: Collection[str] = (),
    strangers: Mapping[int, Kind] | None = None,
    siblings: Mapping[int, tuple[int, ...]] | None = None,
    title_of: Callable[[Kind, int], str] | None = None,
) -> Validated:
    """Judge every row of a file.

    Args:
        raw: as read.
        bases: what the state remembers of the file's export, by kind; None where it does not
            know the export.  Then a file's own ``Was`` columns count, and without them
            ``current``.
        current: the library as Plex holds it now, in the form of a base; needed only for
            files without a base.
        next_year: highest year accepted.
        allow_new_rows: take rows that were not in the export.
        accept_scramble: sheets whose values really were swapped.
        strangers: kind of each of ``stranger_keys`` that Plex has.
        siblings: for a track the others that share its rating in Plex.
        title_of: title of an item, ``""`` unknown.
    """
    rules = Rules(
        next_year,
        allow_new_rows,
        frozenset(name.casefold() for name in accept_scramble),
        strangers or {},
        siblings or {},
        title_of or (lambda kind, key: ""),
    )
    elsewhere = rate_next.edited_here(raw)
    made = [
        SheetRows(raw, sheet, kind, bases, current, rules, elsewhere).judged()
        for whole in raw.sheets.values()
        for sheet, kind in _by_kind(whole, bases or current)
    ]
    return _across_sheets(_without(_joined(made), rate_next.differing(raw)))


def stranger_keys(raw: RawWorkbook, bases: Bases) -> NDArray[np.int64]:
    """Keys of a file that none of its bases has; whether Plex has them decides what is said."""
    keys = [sheet.keys[sheet.keys > 0] for sheet in raw.sheets.values()]
    known = [bases[kind]["key"].to_numpy() for kind in KINDS if kind in bases]
    none = np.zeros(0, dtype=np.int64)
    return np.setdiff1d(np.concatenate([none, *keys]), np.concatenate([none, *known]))


def _by_kind(sheet: RawSheet, known: Bases | None) -> Iterable[tuple[RawSheet, Kind]]:
    """A sheet and its kind; a list that does not say its kind is parted by its keys."""
    if sheet.sheet == rate_next.SHEET:
        yield from rate_next.parts(sheet)
        return
    if sheet.sheet is not None:
        yield sheet, KIND_OF_SHEET[sheet.sheet]
        return
    left = np.ones(len(sheet), dtype=bool)
    for kind in KINDS:
        table = (known or {}).get(kind, pd.DataFrame({"key": []}))
        here = left & np.isin(sheet.keys, table["key"].to_numpy())
        left &= ~here
        if kind == "track":
            here |= left  # keys nobody has: refused one by one
        if here.any():
            yield replace(sheet.take(np.flatnonzero(here)), sheet=SHEET_OF_KIND[kind]), kind


def _joined(parts: Sequence[Validated]) -> Validated:
    def added(name: str) -> dict[str, int]:
        totals: dict[str, int] = defaultdict(int)
        for part in parts:
            for sheet, count in getattr(part, name).items():
                totals[sheet] += count
        return dict(totals)

    messages = [message for part in parts for message in part.messages]
    two_way = any(part.two_way for part in parts)
    if two_way:
        messages.insert(0, say("F16"))
    return Validated(
        tuple(edit for part in parts for edit in part.edits),
        tuple(messages),
        {sheet: code for part in parts for sheet, code in part.stopped.items()},
        added("rows"),
        added("rated"),
        added("unchanged"),
        two_way,
        {place: check for part in parts for place, check in part.checks.items()},
    )


def _without(
    made: Validated, differing: Mapping[tuple[Kind, int], tuple[rate_next.Place, rate_next.Place]]
) -> Validated:
    """The same without items edited differently on Rate next and on their own sheet (E04)."""
    if not differing:
        return made
    said = []
    for (_, key), places in differing.items():
        rows = " and ".join(f"{place.row} of {place.sheet}" for place in places)
        values = " and ".join(place.said or "nothing" for place in places)
        said += [
            say("E04", sheet=place.sheet, row=place.row, key=key, rows=rows, values=values)
            for place in places
        ]
    kept = tuple(edit for edit in made.edits if (edit.kind, edit.key) not in differing)
    return replace(made, edits=kept, messages=(*made.messages, *said))


def _across_sheets(made: Validated) -> Validated:
    """One item edited on two sheets (``Tracks`` and ``Tracks 2``): once, or not at all."""
    seen: dict[tuple[Kind, int, Field], list[Edit]] = defaultdict(list)
    for edit in made.edits:
        seen[edit.kind, edit.key, edit.field].append(edit)
    doubled = [edits for edits in seen.values() if len({edit.sheet for edit in edits}) > 1]
    if not doubled:
        return made
    dropped: set[int] = set()
    messages = list(made.messages)
    for edits in doubled:
        shown = [_wish(edit) for edit in edits]
        same = len(set(shown)) == 1
        superfluous = edits[1:] if same else edits
        dropped |= {id(edit) for edit in superfluous}
        rows = " and ".join(f"{edit.row} of {edit.sheet}" for edit in edits)
        code, values = ("I04" if same else "E04"), " and ".join(shown)
        messages += [
            say(code, sheet=edit.sheet, row=edit.row, key=edit.key, rows=rows, values=values)
            for edit in superfluous
        ]
    kept = tuple(edit for edit in made.edits if id(edit) not in dropped)
    return replace(made, edits=kept, messages=tuple(messages))


def _wish(edit: Edit) -> str:
    if edit.wanted_text:
        return edit.wanted_text.replace("\t", " ").strip()
    return edit.action or ratings.show_stars(edit.wanted)


# ---------------------------------------------------------------- one sheet
