"""What made each rating whose it is, event by event; see ``ownership`` for what follows.

An event is written in the transaction that settles its row of the journal, so that the two
never disagree.  An event of a run that takes back names the one that holds again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from plexsheet.library import KIND_NUMBER, Kind
from plexsheet.ownership import BEFORE_ALL, Event

if TYPE_CHECKING:
    from plexsheet.state.store import State

_COLUMNS = "id, kind, key, field, owner, how, at, run, value, rated_at, restores"
_FEW = 400  # keys asked for by name; for more all events of the kind are read

Histories = dict[int, list[Event]]


@dataclass(frozen=True, slots=True)
class Happening:
    """An event to be recorded; the names are those of ``Event``."""

    kind: Kind
    key: int
    identity: int
    field: str
    owner: str
    how: str
    at: int
    value: float
    rated_at: int


def record(db: Any, scope: int, run: int, undoes: int, happened: Iterable[Happening]) -> None:
    """Write events down.

    Args:
        db: the connection, inside a transaction.
        scope: of which library.
        run: what did it; 0 where no run did.
        undoes: the run it takes back, 0 for none.
        happened: in order.
    """
    db.executemany(
        "INSERT INTO event (scope, kind, key, identity, field, owner, how, at, run, value, "
        "rated_at, restores) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                *(
                    scope,
                    KIND_NUMBER[one.kind],
                    one.key,
                    one.identity,
                    one.field,
                    one.owner,
                    one.how,
                ),
                *(one.at, run, None if one.value != one.value else one.value, one.rated_at),
                _restored(db, scope, undoes, one) if undoes else 0,
            )
            for one in happened
        ),
    )


def _restored(db: Any, scope: int, undoes: int, one: Happening) -> int:
    """The event that holds again when what a run did to an item is taken back."""
    where = (scope, KIND_NUMBER[one.kind], one.key, one.field)
    before = db.execute(
        "SELECT id, restores FROM event WHERE scope = ? AND kind = ? AND key = ? AND field = ? "
        "AND id < (SELECT min(id) FROM event WHERE scope = ? AND kind = ? AND key = ? "
        "AND field = ? AND run = ?) ORDER BY id DESC LIMIT 1",
        (*where, *where, undoes),
    ).fetchone()
    if before is None:
        return BEFORE_ALL
    return int(before[1] or before[0])


def histories(
    state: State, scope: int, kind: Kind, keys: Collection[int], field: str = "rating"
) -> Histories:
    """The events of items, oldest first, by rating key; items without any are absent."""
    wanted = np.unique(np.fromiter((int(key) for key in keys), dtype=np.int64)).tolist()
    where, values = "", tuple[int, ...]()
    if len(wanted) <= _FEW:
        where, values = f"AND key IN ({', '.join('?' * len(wanted))}) ", tuple(wanted)
    rows = state.database.read(
        f"SELECT {_COLUMNS} FROM event WHERE scope = ? AND kind = ? AND field = ? "  # noqa: S608
        f"{where}ORDER BY id",
        (scope, KIND_NUMBER[kind], field, *values),
    )
    asked, found = set(wanted), Histories()
    for number, _, key, name, owner, how, at, run, value, rated_at, restores in rows:
        if key in asked:
            held = float("nan") if value is None else value
            event = Event(number, kind, key, name, owner, how, at, run, held, rated_at, restores)
            found.setdefault(key, []).append(event)
    return found
