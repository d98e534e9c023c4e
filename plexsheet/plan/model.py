"""What a plan is: every write to come, with before, after and reason, as inert data (pure).

Import, inference, undo, restore, tag sync and clean-up all end in one of these, and
`apply` carries out that same value and nothing else: a preview is the plan, printed.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from plexsheet.library import FLOAT, INT, TEXT, Kind

Field = Literal["rating", "released", "tags", "exclude", "twin"]
WITHDRAWN = "inferred"  # ``wanted_text`` of a rating that is to be inferred again
FIELDS: tuple[Field, ...] = ("rating", "released", "tags", "exclude", "twin")
Happened = Literal[
    "Applied", "Would apply", "Held", "Error", "Conflict", "Healed", "Unchanged", "Kept"
]

# One row per write.  ``rating`` rows may change tags too, in the same request; ``tags`` rows
# change tags alone (or, without any, only who owns the rating); ``exclude`` (0 or 1 in before
# and after) and ``twin`` rows are decisions kept in the state and send nothing to Plex.
CHANGE: Mapping[str, str] = {
    "kind": TEXT,  # artist, album, track
    "key": INT,  # rating key
    "field": TEXT,  # one of FIELDS
    "before": FLOAT,  # 0-10, NaN unrated: what Plex held when the plan was made
    "after": FLOAT,
    "before_text": TEXT,  # released and twin rows; a date, a bare year, or ""
    "after_text": TEXT,  # of a rating given elsewhere: the epoch second when
    "reason": TEXT,  # edit, accept, clear, emptied, inferred, twin, undo, restore, cleanup, …
    "owner_after": TEXT,  # whose the rating is afterwards; "same" where that does not change
    "why": TEXT,  # inferred or twin where owner_after is plexsheet, else ""
    "tags_add": TEXT,  # tuple of mood names
    "tags_remove": TEXT,
    "shares": INT,  # another track's key when Plex keeps one rating for both; 0 otherwise
    "title": TEXT,  # label for people
    "sheet": TEXT,
    "row": INT,  # row in the file, 0 none
}
_DEFAULTS: Mapping[str, Any] = {
    "before": np.nan,
    "after": np.nan,
    "before_text": "",
    "after_text": "",
    "owner_after": "same",
    "why": "",
    "tags_add": (),
    "tags_remove": (),
    "shares": 0,
    "title": "",
    "sheet": "",
    "row": 0,
}


@dataclass(frozen=True)
class RowOutcome:
    """What became, or would become, of one row of a file, or of one written item.

    Attributes:
        sheet, row: where it stands in the file; ``""`` and 0 when there is no file.
        was, yours, plex_now: base, wanted value and Plex's: 0-10 and NaN, or text.
        outcome: "Would apply" in a plan, the others in both plan and outcome.
        code, message: ROUNDTRIP section 6's, ``""`` where there is nothing to say.
    """

    sheet: str
    row: int
    kind: str
    key: int
    title: str
    field: str
    was: float | str
    yours: float | str
    plex_now: float | str
    outcome: Happened
    code: str = ""
    message: str = ""


@dataclass(frozen=True)
class Plan:
    """Every write to come.

    Attributes:
        kind: "import", "infer", "undo", "cleanup", "restore", "sync-tags", "reconstruct",
            "take-back", "match".
        changes: table of ``CHANGE``.
        outcomes: what is already known about rows: held, refused, unchanged, and "Would
            apply" for those in ``changes``.
        notes: figures for the report, JSON-ready: counts, ``stopped`` (sheets held as a
            whole, with code and text), ``confirm`` (numbers that would release them).
        guesses: of an inference, what is kept of the items it writes, to be compared with
            what the person gives them later; columns of ``state.guesses.GUESS``.
    """

    kind: str
    changes: pd.DataFrame
    outcomes: tuple[RowOutcome, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)
    guesses: Mapping[Kind, pd.DataFrame] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.changes)

    def digest(self) -> str:
        """Sixteen characters that tell plans apart that write something else."""
        names = ["kind", "key", "field", "before", "after", "after_text"]
        written = self.changes[names].sort_values(names[:3])
        return hashlib.sha256(written.to_csv(index=False).encode()).hexdigest()[:16]


def changes(columns: Mapping[str, Any], rows: int | None = None) -> pd.DataFrame:
    """A table of ``CHANGE`` from columns, or single values that hold for every row.

    Args:
        columns: name to values of one length, or to one value; ``kind``, ``key``,
            ``field`` and ``reason`` are required.
        rows: number of rows; taken from ``key`` when not given.

    Raises:
        ValueError: not a column, or one is missing.

    >>> changes({"kind": "track", "key": [7], "field": "rating", "reason": "edit"})["why"][0]
    ''
    """
    unknown, missing = set(columns) - set(CHANGE), {"kind", "key", "field", "reason"} - set(columns)
    if unknown or missing:
        raise ValueError(f"not columns of a plan: {sorted(unknown)}; missing: {sorted(missing)}")
    n = len(columns["key"]) if rows is None else rows
    filled = {**_DEFAULTS, **columns}
    return pd.DataFrame({name: _column(filled[name], CHANGE[name], n) for name in CHANGE})


def _column(value: Any, dtype: str, rows: int) -> Any:
    array = np.empty(rows, dtype=dtype)
    if isinstance(value, str | tuple) or np.isscalar(value):
        if isinstance(value, tuple):
            for i in range(rows):
                array[i] = value
        else:
            array[:] = value
    elif dtype == TEXT:
        for i, one in enumerate(value):
            array[i] = one
    else:
        array[:] = np.asarray(value, dtype=dtype)
    return array


def no_changes() -> pd.DataFrame:
    """An empty table of ``CHANGE``."""
    return changes({"kind": "", "key": [], "field": "", "reason": ""})


def together(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Several tables of ``CHANGE`` as one."""
    full = [table for table in tables if len(table)]
    return pd.concat(full, ignore_index=True) if full else no_changes()


def from_records(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A table of ``CHANGE`` from dictionaries, missing entries filled."""
    if not records:
        return no_changes()
    names = set().union(*records)
    return changes(
        {name: [record.get(name, _DEFAULTS.get(name)) for record in records] for name in names}
    )


@dataclass(frozen=True)
class Edit:
    """What a person changed in one row.

    Attributes:
        sheet, row: where, as the spreadsheet program counts.
        kind, key: the item.
        field: what it changes: the rating, the release date, whether inference counts the
            item, or which recordings it is a twin of.
        base: what the cell showed when the workbook was made: 0-10, a year, NaN blank.
        base_in_plex: the rating Plex held then, 0-10.
        base_source: place in ``columns.SOURCES``; -1 where there is no base.
        wanted: 0-10; NaN removes the rating, or leaves it to ``action``.
        wanted_text: of a release date ``1969`` or ``1969-09-26``; of a twin decision the
            word, the group's label and the sub-group, tabs between, ``""`` takes it back; of
            a rating ``WITHDRAWN`` where the person wants it inferred again, or the epoch
            second when it was given elsewhere.
        action: ``""``, ACCEPT, CLEAR, EXCLUDE, INCLUDE, MINE or PLEX.
        inferred: what the workbook proposed, 0-10.
        title: of the item, as the row says it.
        codes: remarks on how the cell was read (I03, I19, W17).
    """

    sheet: str
    row: int
    kind: Kind
    key: int
    field: Field
    base: float = math.nan
    base_in_plex: float = math.nan
    base_source: int = -1
    wanted: float = math.nan
    wanted_text: str = ""
    action: str = ""
    inferred: float = math.nan
    title: str = ""
    codes: tuple[str, ...] = ()
