"""Runs: which there were, which is open, and how each ended."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from plexsheet.errors import OpenRun
from plexsheet.plan.model import RowOutcome
from plexsheet.state.store import State

SETTLED = ("verified", "held", "failed")


@dataclass(frozen=True)
class Origin:
    """Which file a plan came from; all empty where it came from none.

    Attributes:
        export_id: of the workbook, whose base follows what is applied.
        content_hash: by which the same file is known again; "" to not remember it.
    """

    file: str = ""
    export_id: str = ""
    content_hash: str = ""


@dataclass(frozen=True)
class Run:
    """One run as the history shows it.

    Attributes:
        status: "open" (interrupted or running), "done", "stopped" (ended, nothing written),
            "taken back".
        started, finished: epoch seconds; finished is 0 while open.
        undoes: the run it takes back, 0 for none.
        counts: rows by status.
    """

    id: int
    scope: int
    kind: str
    status: str
    started: float
    finished: float
    origin: Origin
    undoes: int
    notes: Mapping[str, Any]
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Rows of the plan."""
        return sum(self.counts.values())

    @property
    def ended(self) -> int:
        """Rows about which nothing is in doubt any more."""
        return sum(self.counts.get(status, 0) for status in SETTLED)


def run_of(state: State, number: int) -> Run | None:
    """One run, or None."""
    found = _runs(state, "WHERE id = ?", (number,))
    return found[0] if found else None


def runs(state: State, scope: int) -> list[Run]:
    """All runs of a library, newest first."""
    return _runs(state, "WHERE scope = ? ORDER BY id DESC", (scope,))


def runs_that_changed(state: State, export_id: str) -> list[int]:
    """Numbers of the runs that changed the base of an export, newest first."""
    rows = state.database.read(
        "SELECT DISTINCT run FROM base_change WHERE export = ? ORDER BY run DESC", (export_id,)
    )
    return [number for (number,) in rows]


def open_run(state: State, scope: int) -> Run | None:
    """The run that was interrupted and not settled, or None."""
    found = _runs(state, "WHERE scope = ? AND status = 'open' ORDER BY id DESC LIMIT 1", (scope,))
    return found[0] if found else None


def refuse_open_run(state: State, scope: int) -> None:
    """Refuse to go on over a run that is not settled.

    Raises:
        OpenRun: there is one.
    """
    run = open_run(state, scope)
    if run is not None:
        raise OpenRun(
            f"Run {run.id} ({run.kind}) stopped after {run.ended} of {run.total}. Nothing was "
            "changed now. “plexsheet resume” goes on with it, “plexsheet resume --take-back” "
            "undoes what it did."
        )


_RUN = "id, scope, kind, status, started, finished, file, export, content_hash, undoes, notes"


def _runs(state: State, where: str, values: tuple[object, ...]) -> list[Run]:
    rows = state.database.read(
        f"SELECT {_RUN} FROM run {where}",  # noqa: S608
        values,
    )
    found = []
    for number, scope, kind, status, started, finished, *rest in rows:
        origin, undoes, notes = Origin(*rest[:3]), rest[3] or 0, json.loads(rest[4])
        counts = state.database.read(
            "SELECT status, count(*) FROM journal WHERE run = ? GROUP BY status", (number,)
        )
        found.append(
            Run(
                id=number,
                scope=scope,
                kind=kind,
                status=status,
                started=started,
                finished=finished or 0.0,
                origin=origin,
                undoes=undoes,
                notes=notes,
                counts=dict(counts),
            )
        )
    return found


def planned_outcomes(state: State, run: int) -> list[RowOutcome]:
    """What the plan of a run said about rows, as it was written down."""
    rows = state.database.read("SELECT outcomes FROM run WHERE id = ?", (run,))
    if not rows or rows[0][0] is None:
        return []
    return [RowOutcome(**record) for record in json.loads(zlib.decompress(rows[0][0]))]


def touched(state: State, run: int) -> bool:
    """Whether a run may have changed anything."""
    found = state.database.read(
        "SELECT 1 FROM journal WHERE run = ? AND (sent > 0 OR status = 'verified') LIMIT 1", (run,)
    )
    return bool(found)


def finish(state: State, run: int, status: str) -> None:
    """Close a run."""
    with state.database.transaction() as db:
        db.execute(
            "UPDATE run SET status = ?, finished = ? WHERE id = ?", (status, time.time(), run)
        )


def give_up(state: State, run: int, message: str) -> None:
    """Rows never written will not be any more."""
    with state.database.transaction() as db:
        db.execute(
            "UPDATE journal SET status = 'held', message = ? WHERE run = ? AND status = 'planned'",
            (message, run),
        )
