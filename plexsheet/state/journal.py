"""Runs and their rows: what was meant, what happened, what it takes to take it back.

A row goes ``planned`` → ``sent`` → ``applied`` → ``verified``, or ends ``held`` or
``failed`` with a code.  ``sent`` is on the disk before the request leaves, so after any
interruption the rows in doubt are known, and reading Plex settles them.  Beside each row
stands what was there before: rating, moods, their lock, and our shadow entry.
"""

from __future__ import annotations

import json
import math
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from plexsheet.errors import OpenRun
from plexsheet.library import KIND_NUMBER, KINDS, Kind, rows_of
from plexsheet.plan.model import FIELDS, Happened, Plan, RowOutcome
from plexsheet.state import events
from plexsheet.state.events import Happening
from plexsheet.state.store import State

LOCAL = ("exclude", "twin")  # decisions: kept in the state, nothing is sent
SETTLED = ("verified", "held", "failed")
NOT_YET = "Not written yet: the run stopped before. “plexsheet resume” goes on with it."


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
    def settled(self) -> int:
        """Rows about which nothing is in doubt any more."""
        return sum(self.counts.get(status, 0) for status in SETTLED)


@dataclass(frozen=True)
class Shadow:
    """A shadow entry as it stood when the plan was written down.

    Attributes:
        last_rated_at: -1 where the rating did not stand as we had left it: the person's.
    """

    value: float
    last_rated_at: int
    why: str
    tags: tuple[str, ...]


@dataclass(slots=True)
class JournalRow:
    """One row of the journal; see ``plan.model.CHANGE`` for the planned part.

    Attributes:
        ord: its place in the run.
        status: planned, sent, applied, verified, held or failed.
        sent: how often it was sent.
        now, now_text: what Plex held at the last look, 0-10.
        moods, locked: moods and their lock as read before the first sending; None unread.
        shadow: our entry before the run; None where there was none.
        identity: number of what the item was called when the plan was made, 0 unknown.
        rated_at: ``lastRatedAt`` as read back; -1 where it was not.
        sent_at: when it was sent last, epoch seconds by our clock; 0 never.
    """

    ord: int
    kind: Kind
    key: int
    field: str
    before: float
    after: float
    before_text: str
    after_text: str
    reason: str
    owner_after: str
    why: str
    tags_add: tuple[str, ...]
    tags_remove: tuple[str, ...]
    shares: int
    title: str
    sheet: str
    row: int
    status: str = "planned"
    sent: int = 0
    code: str = ""
    message: str = ""
    now: float = math.nan
    now_text: str = ""
    moods: tuple[str, ...] | None = None
    locked: bool = False
    shadow: Shadow | None = None
    identity: int = 0
    rated_at: int = -1
    sent_at: int = 0

    @property
    def tags(self) -> bool:
        """Whether it changes tags."""
        return bool(self.tags_add or self.tags_remove)


_COLUMNS = (
    "ord, kind, key, field, before, after, before_text, after_text, reason, owner_after, why, "
    "tags_add, tags_remove, shares, title, sheet, row, status, sent, code, message, now, now_text, "
    "moods, locked, shadow_value, shadow_at, shadow_why, shadow_tags, identity, rated_at, "
    "sent_at"
)


def begin(
    state: State, scope: int, plan: Plan, origin: Origin | None = None, undoes: int = 0
) -> int:
    """Write a whole plan down, on the disk before this returns.

    Returns:
        The run's number.

    Raises:
        OpenRun: an earlier run is not settled.
        StateError: it cannot be written; nothing was.
    """
    refuse_open_run(state, scope)
    origin = origin or Origin()
    outcomes = zlib.compress(json.dumps([asdict(o) for o in plan.outcomes]).encode())
    with state.database.transaction() as db:
        cursor = db.execute(
            "INSERT INTO run (scope, kind, status, started, file, export, content_hash, undoes, "
            "notes, outcomes) VALUES (?, ?, 'open', ?, ?, ?, ?, ?, ?, ?)",
            (
                scope,
                plan.kind,
                time.time(),
                origin.file,
                origin.export_id,
                origin.content_hash,
                undoes or None,
                json.dumps(dict(plan.notes), default=str),
                outcomes,
            ),
        )
        run = int(cursor.lastrowid or 0)
        db.executemany(
            f"INSERT INTO journal (run, status, {_PLANNED}) VALUES (?, 'planned', {_MARKS})",  # noqa: S608
            ((run, *values) for values in _records(state, scope, plan.changes)),
        )
    return run


_PLANNED = (
    "ord, kind, key, field, before, after, before_text, after_text, reason, owner_after, why, "
    "tags_add, tags_remove, shares, title, sheet, row, shadow_value, shadow_at, shadow_why, "
    "shadow_tags, identity"
)
_MARKS = ", ".join("?" * len(_PLANNED.split(",")))


def _records(state: State, scope: int, table: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    """Rows of a plan in the order they are carried out, with our shadow entries."""
    shadow = _shadow_columns(state, scope, table)
    order = execution_order(table)
    text = table["before_text"].to_numpy(), table["after_text"].to_numpy()
    columns: list[Iterable[Any]] = [
        range(len(table)),
        (KIND_NUMBER[kind] for kind in table["kind"].to_numpy()[order]),
        table["key"].to_numpy()[order].tolist(),
        table["field"].to_numpy()[order],
        _nullable(table["before"].to_numpy()[order]),
        _nullable(table["after"].to_numpy()[order]),
        *((value or None for value in values[order]) for values in text),
        table["reason"].to_numpy()[order],
        table["owner_after"].to_numpy()[order],
        (value or None for value in table["why"].to_numpy()[order]),
        *(
            ("\n".join(value) or None for value in table[name].to_numpy()[order])
            for name in ("tags_add", "tags_remove")
        ),
        (value or None for value in table["shares"].to_numpy()[order].tolist()),
        table["title"].to_numpy()[order],
        (value or None for value in table["sheet"].to_numpy()[order]),
        (value or None for value in table["row"].to_numpy()[order].tolist()),
        *(column[order].tolist() for column in shadow),
        _identities(state, scope, table)[order].tolist(),
    ]
    return zip(*columns, strict=True)


def _shadow_columns(state: State, scope: int, table: pd.DataFrame) -> list[Any]:
    """Value, time, why and tags of our entry for each row of a plan; None without one."""
    columns = [np.full(len(table), None, dtype=object) for _ in range(4)]
    kinds = table["kind"].to_numpy()
    for kind in KINDS:
        rows = np.flatnonzero(kinds == kind)
        if not len(rows):
            continue
        entries = state.shadow(scope, kind)
        found = rows_of(entries["key"].to_numpy(), table["key"].to_numpy()[rows])
        here, rows = found[found >= 0], rows[found >= 0]
        for column, name in zip(columns, ("value", "last_rated_at", "why", "tags"), strict=True):
            column[rows] = entries[name].to_numpy()[here].astype(object)
    return columns


def _identities(state: State, scope: int, table: pd.DataFrame) -> Any:
    """What the item of each row of a plan is called, by its number."""
    numbers = np.zeros(len(table), dtype=np.int64)
    kinds = table["kind"].to_numpy()
    for kind in KINDS:
        rows = np.flatnonzero(kinds == kind)
        if len(rows):
            keys = table["key"].to_numpy()[rows]
            numbers[rows] = state.identities(scope, kind).latest(keys)
    return numbers


def execution_order(table: pd.DataFrame) -> Any:
    """Row numbers of a plan in the order of writing.

    Decisions first; then artists, albums, tracks, with equal changes side by side so that
    few requests carry them; last those that share a rating with a row already written.
    """
    if not len(table):
        return np.empty(0, dtype=np.intp)
    tags = [pd.factorize(_joined(table[name]))[0] for name in ("tags_remove", "tags_add")]
    local = np.isin(table["field"].to_numpy().astype(str), LOCAL)
    part = np.where(local, 0, np.where(table["shares"].to_numpy() > 0, 2, 1))
    kinds = np.array([KIND_NUMBER[kind] for kind in table["kind"].to_numpy()])
    fields = pd.factorize(table["field"])[0]
    texts = pd.factorize(table["after_text"])[0]
    after = table["after"].to_numpy()
    key = table["key"].to_numpy()
    return np.lexsort((key, *tags, texts, after, fields, kinds, part))


def _joined(column: pd.Series[Any]) -> Any:
    joined = np.empty(len(column), dtype=object)
    joined[:] = ["\n".join(tags) for tags in column.to_numpy()]
    return joined


def _nullable(values: Any) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values.tolist()]


# Reading


def pending(
    state: State,
    run: int,
    limit: int = -1,
    statuses: Sequence[str] = ("planned",),
    fields: Sequence[str] = FIELDS,
) -> list[JournalRow]:
    """The next rows of a run in one of these states and of these fields, in order."""
    marks, columns = (", ".join("?" * len(values)) for values in (statuses, fields))
    rows = state.database.read(
        f"SELECT {_COLUMNS} FROM journal WHERE run = ? AND status IN ({marks}) "  # noqa: S608
        f"AND field IN ({columns}) ORDER BY ord LIMIT ?",
        (run, *statuses, *fields, limit),
    )
    return [_row(values) for values in rows]


def rows_in(state: State, run: int, statuses: Sequence[str] = ()) -> list[JournalRow]:
    """All rows of a run, or those in these states, in order."""
    if statuses:
        return pending(state, run, -1, statuses)
    rows = state.database.read(f"SELECT {_COLUMNS} FROM journal WHERE run = ? ORDER BY ord", (run,))  # noqa: S608
    return [_row(values) for values in rows]


def ratings_moved(state: State, run: int) -> dict[Kind, pd.DataFrame]:
    """The ratings a run changed, for each kind.

    Returns:
        Columns key, before and after (0-10, NaN unrated, after as read back).
    """
    rows = state.database.read(
        "SELECT kind, key, before, now FROM journal WHERE run = ? AND field = 'rating' "
        "AND status = 'verified'",
        (run,),
    )
    found = {}
    for kind in KINDS:
        mine = [row[1:] for row in rows if row[0] == KIND_NUMBER[kind]]
        columns = list(zip(*mine, strict=True)) or [(), (), ()]
        key, before, after = (
            np.array(column, dtype=dtype)
            for column, dtype in zip(columns, (np.int64, np.float64, np.float64), strict=True)
        )
        found[kind] = pd.DataFrame({"key": key, "before": before, "after": after})
    return found


def _row(values: tuple[Any, ...]) -> JournalRow:
    (number, kind, key, name, before, after, before_text, after_text, reason, owner, why) = values[
        :11
    ]
    (add, remove, shares, title, sheet, line, status, sent, code, message) = values[11:21]
    (now, now_text, moods, locked, shadow_value, shadow_at, shadow_why, shadow_tags) = values[21:29]
    identity, rated_at, sent_at = values[29:]
    shadow = None
    if shadow_value is not None:
        shadow = Shadow(shadow_value, shadow_at, shadow_why, names(shadow_tags))
    return JournalRow(
        ord=number,
        kind=KINDS[kind],
        key=key,
        field=name,
        before=math.nan if before is None else before,
        after=math.nan if after is None else after,
        before_text=before_text or "",
        after_text=after_text or "",
        reason=reason,
        owner_after=owner,
        why=why or "",
        tags_add=names(add),
        tags_remove=names(remove),
        shares=shares or 0,
        title=title,
        sheet=sheet or "",
        row=line or 0,
        status=status,
        sent=sent,
        code=code or "",
        message=message or "",
        now=math.nan if now is None else now,
        now_text=now_text or "",
        moods=None if moods is None else names(moods),
        locked=bool(locked),
        shadow=shadow,
        identity=identity,
        rated_at=-1 if rated_at is None else rated_at,
        sent_at=sent_at or 0,
    )


def names(joined: str | None) -> tuple[str, ...]:
    """Tag names kept as one text."""
    return tuple(joined.split("\n")) if joined else ()


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
            f"Run {run.id} ({run.kind}) stopped after {run.settled} of {run.total}. Nothing was "
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


# Writing


def mark_sent(
    state: State,
    run: int,
    rows: Sequence[JournalRow],
    answered: Sequence[JournalRow] = (),
    *,
    at: int,
) -> None:
    """Put on the disk that rows are about to be sent (``at``: epoch s), others were answered."""
    with state.database.transaction() as db:
        db.executemany(
            "UPDATE journal SET status = 'sent', sent = sent + 1, now = ?, moods = ?, locked = ?, "
            "shadow_at = ?, sent_at = ? WHERE run = ? AND ord = ?",
            (
                (
                    None if math.isnan(row.now) else row.now,
                    None if row.moods is None else "\n".join(row.moods),
                    int(row.locked),
                    row.shadow.last_rated_at if row.shadow else None,
                    at,
                    run,
                    row.ord,
                )
                for row in rows
            ),
        )
        db.executemany(
            "UPDATE journal SET status = 'applied' WHERE run = ? AND ord = ? AND status = 'sent'",
            ((run, row.ord) for row in answered),
        )
    for row in rows:
        row.status, row.sent, row.sent_at = "sent", row.sent + 1, at


def back_to_planned(state: State, run: int, rows: Sequence[JournalRow]) -> None:
    """Plex was read and did not take these: they are to be sent (again)."""
    with state.database.transaction() as db:
        db.executemany(
            "UPDATE journal SET status = 'planned' WHERE run = ? AND ord = ?",
            ((run, row.ord) for row in rows),
        )


def rekey(state: State, run: int, rows: Sequence[JournalRow]) -> None:
    """Items were found again under new keys: their rows not yet settled go there."""
    with state.database.transaction() as db:
        db.executemany(
            "UPDATE journal SET key = ?, identity = ? WHERE run = ? AND ord = ?",
            ((row.key, row.identity, run, row.ord) for row in rows),
        )


@dataclass(frozen=True)
class RowEnd:
    """How a row ended, and what that means for our shadow entry.

    Attributes:
        row: with ``now`` and ``now_text`` as read back.
        status: verified, held or failed.
        rated_at: ``lastRatedAt`` as read back.
        tags: our tags the item carries afterwards; None: as before.  On a held row: those that
            stand beside the person's rating now, and have to come off.
        theirs: a held row whose rating may be the person's: our entry is given up.
    """

    row: JournalRow
    status: str
    rated_at: int = 0
    code: str = ""
    message: str = ""
    tags: tuple[str, ...] | None = None
    theirs: bool = False


def settle(state: State, scope: int, run: int, settled: Sequence[RowEnd]) -> None:
    """Journal and shadow state in one transaction."""
    written = int(time.time())
    with state.database.transaction() as db:
        db.executemany(
            "UPDATE journal SET status = ?, code = ?, message = ?, now = ?, now_text = ?, "
            "moods = coalesce(moods, ?), locked = coalesce(locked, ?), shadow_at = ?, "
            "rated_at = ? WHERE run = ? AND ord = ?",
            (
                (
                    one.status,
                    one.code or None,
                    one.message or None,
                    None if math.isnan(one.row.now) else one.row.now,
                    one.row.now_text or None,
                    None if one.row.moods is None else "\n".join(one.row.moods),
                    None if one.row.moods is None else int(one.row.locked),
                    one.row.shadow.last_rated_at if one.row.shadow else None,
                    one.rated_at,
                    run,
                    one.row.ord,
                )
                for one in settled
            ),
        )
        for one in settled:
            if one.status == "verified":
                _follow(db, scope, run, one, written)
            elif one.tags:
                _left_behind(db, scope, run, one, written)
            elif one.theirs:
                where = (scope, KIND_NUMBER[one.row.kind], one.row.key)
                db.execute("DELETE FROM shadow WHERE scope = ? AND kind = ? AND key = ?", where)
        undoes = db.execute("SELECT coalesce(undoes, 0) FROM run WHERE id = ?", (run,)).fetchone()
        events.record(db, scope, run, undoes[0], _happenings(settled, written))


def _happenings(settled: Sequence[RowEnd], written: int) -> Iterator[Happening]:
    """What rows that ended made of their ratings and decisions."""
    for one in settled:
        row = one.row
        if one.status == "verified" and row.field in LOCAL:
            yield _happening(row, row.field, "person", row.reason, written, -1)
        elif one.status == "verified" and row.field != "released" and row.owner_after != "same":
            taken_over = row.reason == "taken over"
            at = one.rated_at if taken_over and one.rated_at > 0 else written
            how = "plex" if taken_over else row.reason
            yield _happening(row, "rating", row.owner_after, how, at, one.rated_at)
        elif one.status != "verified" and (one.tags or one.theirs):
            yield _happening(row, "rating", "person", "plex", written, -1)


def _happening(
    row: JournalRow, field: str, owner: str, how: str, at: int, rated_at: int
) -> Happening:
    return Happening(row.kind, row.key, row.identity, field, owner, how, at, row.now, rated_at)


def _follow(db: Any, scope: int, run: int, one: RowEnd, written: int) -> None:
    """Let the shadow entry of a verified row say what stands in Plex now."""
    row = one.row
    where = (scope, KIND_NUMBER[row.kind], row.key)
    if row.owner_after == "plexsheet" and not math.isnan(row.now):
        before = row.shadow.tags if row.shadow else ()
        tags = before if one.tags is None else one.tags
        db.execute(
            "INSERT OR REPLACE INTO shadow (scope, kind, key, value, last_rated_at, written_at, "
            "run, why, tags, identity) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(*where, row.now, one.rated_at, written, run, row.why or "inferred"),
                *("\n".join(tags), row.identity),
            ),
        )
    elif row.owner_after in {"person", "none"}:
        db.execute("DELETE FROM shadow WHERE scope = ? AND kind = ? AND key = ?", where)
    elif one.tags is not None:
        db.execute(
            "UPDATE shadow SET tags = ? WHERE scope = ? AND kind = ? AND key = ?",
            ("\n".join(one.tags), *where),
        )


def _left_behind(db: Any, scope: int, run: int, one: RowEnd, written: int) -> None:
    """Remember what we wrote and the person changed at once: a take-over, whose tags come off."""
    row = one.row
    db.execute(
        "INSERT OR REPLACE INTO shadow (scope, kind, key, value, last_rated_at, written_at, run, "
        "why, tags, identity) VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, ?)",
        (
            *(scope, KIND_NUMBER[row.kind], row.key, row.after, written, run),
            *(row.why or "inferred", "\n".join(one.tags or ()), row.identity),
        ),
    )


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


def as_outcome(row: JournalRow) -> RowOutcome:
    """A journal row as a row of a report."""
    text = row.field in {"released", "twin"}
    return RowOutcome(
        sheet=row.sheet,
        row=row.row,
        kind=row.kind,
        key=row.key,
        title=row.title,
        field=row.field,
        was=row.before_text if text else row.before,
        yours=row.after_text if text else row.after,
        plex_now=row.now_text if text else row.now,
        outcome=_happened(row),
        code=row.code,
        message=row.message or ("" if row.status in SETTLED else NOT_YET),
    )


def _happened(row: JournalRow) -> Happened:
    if row.status == "verified":
        return "Healed" if row.code == "I53" else "Applied"
    if row.status == "failed":
        return "Error"
    if row.status == "held":
        return "Conflict" if row.code == "C50" else "Error" if row.code == "E06" else "Held"
    return "Held"
