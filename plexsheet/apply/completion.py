"""What follows when a run has ended: bases, remembered files, and the report of its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from plexsheet.library import KINDS, rows_of
from plexsheet.ownership import Source
from plexsheet.plan.model import RowOutcome
from plexsheet.state import journal, runs
from plexsheet.state.journal import JournalRow
from plexsheet.state.runs import Run
from plexsheet.state.store import State

BACKWARDS = {"undo", "take-back"}
FROM_FILES = {"import", "restore", "match"}
MOST_TOLD = 20_000  # rows put back are named one by one up to so many


def close(state: State, run: int, status: str = "done") -> None:
    """End a run: the base of its workbook follows, the file is known again."""
    record = runs.run_of(state, run)
    assert record is not None
    with state.database.transaction():
        _follow_bases(state, record)
        content = record.origin.content_hash
        if content and not record.notes.get("confirm"):
            state.record_import(record.scope, content, run)
        if record.undoes:
            state.forget_imports(record.undoes)
        if record.kind == "reconstruct" and record.notes.get("parted"):
            state.forget_lost(record.scope)
        runs.finish(state, run, status)


def _follow_bases(state: State, record: Run) -> None:
    done = journal.rows_in(state, record.id, ("verified",))
    if record.origin.export_id:
        for kind in KINDS:
            base = state.base(record.scope, record.origin.export_id, kind)
            changed = _followed(base, [row for row in done if row.kind == kind])
            if changed is not None:
                state.update_base(
                    record.scope, record.origin.export_id, kind, changed, run=record.id
                )
    for export, kind, before in state.base_changes(record.undoes) if record.undoes else []:
        back = before[np.isin(before["key"], [row.key for row in done if row.kind == kind])]
        if len(back):
            state.update_base(record.scope, export, kind, back, run=record.id)


def _followed(base: pd.DataFrame | None, rows: Sequence[JournalRow]) -> pd.DataFrame | None:
    """The rows of a base as the edits that were applied left them; None where none is in it."""
    if base is None or not rows:
        return None
    keys = np.unique(np.array([row.key for row in rows], dtype=np.int64))
    found = rows_of(base["key"].to_numpy(), keys)
    here = base.iloc[found[found >= 0]].set_index("key")
    if not len(here):
        return None
    held = here.to_dict("index")  # cell by cell in a table takes seconds for a few hundred rows
    for row in rows:
        if row.key in held:
            values = _base_values(row, held[row.key])
            held[row.key] |= {name: value for name, value in values.items() if name in here}
    columns = {name: [cells[name] for cells in held.values()] for name in here}
    return pd.DataFrame({"key": [*held]} | columns).astype({"key": np.int64, **here.dtypes})


def _base_values(row: JournalRow, base: Mapping[Any, Any]) -> dict[str, float | int]:
    """What a verified row makes of its row in the base."""
    if row.field == "released":
        return {"year": int(row.now_text[:4] or 0)}
    if row.field == "exclude":
        mine = not np.isnan(base.get("mine", np.nan))
        return {
            "source": Source.EXCLUDED
            if row.after == 1
            else Source.MANUAL
            if mine
            else Source.UNRATED
        }
    if row.field == "twin" or row.owner_after == "same":
        return {}
    if not row.row:  # a copy that shares the rating: its own cell shows what it did
        return {"in_plex": row.now}
    if row.owner_after == "person":
        return {"mine": row.now, "in_plex": row.now, "source": Source.MANUAL}
    ours = Source.TWIN if row.why == "twin" else Source.INFERRED
    source = base.get("source", Source.UNRATED)
    if source != Source.EXCLUDED:
        source = ours if row.owner_after == "plexsheet" else Source.UNRATED
    return {"mine": np.nan, "in_plex": row.now, "source": int(source)}


def outcomes(state: State, record: Run) -> list[RowOutcome]:
    """Rows of a run for the report.

    For a file, every row that was an edit; for a run that takes back, every row written or
    left alone; for others only those that were not written.
    """
    planned = runs.planned_outcomes(state, record.id)
    if record.kind not in FROM_FILES:
        statuses: tuple[str, ...] = ("planned", "sent", "applied", "held", "failed")
        if record.kind in BACKWARDS and record.total <= MOST_TOLD:
            statuses = ()
        rows = journal.rows_in(state, record.id, statuses)
        return planned + [journal.as_outcome(row) for row in rows]
    rows = journal.rows_in(state, record.id)
    became = {(row.sheet, row.row, row.field): row for row in rows if row.row}
    by_key = {(row.kind, row.key, row.field): row for row in rows}
    return [_became(one, became, by_key) for one in planned]


def _became(one: RowOutcome, by_line: Any, by_key: Any) -> RowOutcome:
    """A planned outcome as it turned out."""
    if one.outcome != "Would apply":
        return one
    names = ("tags", "exclude") if one.field == "exclude" else (one.field, "tags")
    for field in names:
        row = by_line.get((one.sheet, one.row, field)) or by_key.get((one.kind, one.key, field))
        if row is not None:
            end = journal.as_outcome(row)
            told = (end.code, end.message) if end.code else (one.code, one.message)
            return replace(
                one,
                key=end.key,
                plex_now=end.plex_now,
                outcome=end.outcome,
                code=told[0],
                message=told[1],
            )
    return replace(one, outcome="Applied")
