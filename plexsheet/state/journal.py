"""The rows of runs: what was meant, what happened, what it takes to take it back.

A row goes ``planned`` → ``sent`` → ``applied`` → ``verified``, or ends ``held`` or
``failed`` with a code.  ``sent`` is on the disk before the request leaves, so after any
interruption the rows in doubt are known, and reading Plex settles them.  Beside each row
stands what was there before: rating, moods, their lock, and our shadow entry.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from plexsheet.library import KIND_NUMBER, KINDS, Kind
from plexsheet.plan.model import FIELDS, Happened, RowOutcome
from plexsheet.state import events
from plexsheet.state.events import Happening
from plexsheet.state.runs import SETTLED
from plexsheet.state.store import State

LOCAL = ("exclude", "twin")  # decisions: kept in the state, nothing is sent
NOT_YET = "Not written yet: the run stopped before. “plexsheet resume” goes on with it."


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


def end_rows(state: State, scope: int, run: int, ended: Sequence[RowEnd]) -> None:
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
                for one in ended
            ),
        )
        for one in ended:
            if one.status == "verified":
                _follow(db, scope, run, one, written)
            elif one.tags:
                _left_behind(db, scope, run, one, written)
            elif one.theirs:
                where = (scope, KIND_NUMBER[one.row.kind], one.row.key)
                db.execute("DELETE FROM shadow WHERE scope = ? AND kind = ? AND key = ?", where)
        undoes = db.execute("SELECT coalesce(undoes, 0) FROM run WHERE id = ?", (run,)).fetchone()
        events.record(db, scope, run, undoes[0], _happenings(ended, written))


def _happenings(ended: Sequence[RowEnd], written: int) -> Iterator[Happening]:
    """What rows that ended made of their ratings and decisions."""
    for one in ended:
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
