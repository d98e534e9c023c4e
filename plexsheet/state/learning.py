"""What a state of an older plexsheet knows of items, learned once when it is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from plexsheet.identity import FEATURES, seen_now
from plexsheet.library import KIND_NUMBER, KINDS, Kind
from plexsheet.state import snapshots
from plexsheet.state.bases import unpack
from plexsheet.state.identities import TEXTS, Identities

if TYPE_CHECKING:
    from plexsheet.state.store import State


def learn_identities(state: State) -> None:
    """Tell a state of an older plexsheet what stood behind the keys it knows, once.

    Titles come from the library as it was last read, guids from the list of all items seen.
    Of a library of which neither was kept nothing is known: the next reading tells.
    """
    if not state.database.read("SELECT 1 FROM sqlite_master WHERE name = 'known_items'"):
        return
    with state.database.transaction() as db:
        for (scope,) in db.execute("SELECT id FROM scope").fetchall():
            tables = snapshots.items(state, scope)
            for kind in KINDS:
                known = state.identities(scope, kind)
                guids = _guids_seen(db, scope, kind)
                if guids is not None:
                    known.remember(guids)
                if tables is not None:
                    known.remember(seen_now(kind, tables[kind]))
                _name_what_is_kept(db, scope, kind, known)
        db.execute("DROP TABLE known_items")
        db.execute("DROP TABLE file_by_key")


def _guids_seen(db: Any, scope: int, kind: Kind) -> pd.DataFrame | None:
    where = (scope, KIND_NUMBER[kind])
    row = db.execute(
        "SELECT columns FROM known_items WHERE scope = ? AND kind = ?", where
    ).fetchone()
    if row is None:
        return None
    seen = unpack(row[0])
    blank = np.full(len(seen), "", dtype=object)
    texts = dict.fromkeys(TEXTS, blank)
    return seen.assign(**texts, length_ms=0, disc=0, index=0)[["key", *FEATURES]]


def _name_what_is_kept(db: Any, scope: int, kind: Kind, known: Identities) -> None:
    """Give what is kept by key the identity last seen under that key.

    The journal keeps titles, so a row whose title is another is left without.
    """
    db.execute("CREATE TEMP TABLE seen (key INTEGER PRIMARY KEY, number INTEGER, title TEXT)")
    keys = np.unique(known.table["key"].to_numpy())
    numbers = known.latest(keys)
    titles = known.of(numbers)["title"].tolist()
    rows = zip(keys.tolist(), numbers.tolist(), titles, strict=True)
    db.executemany("INSERT INTO seen VALUES (?, ?, ?)", rows)
    number = "coalesce((SELECT number FROM seen WHERE seen.key = {0}.key), 0)"
    for table in ("shadow", "excluded", "event"):
        db.execute(
            f"UPDATE {table} SET identity = {number.format(table)} "  # noqa: S608
            "WHERE scope = ? AND kind = ?",
            (scope, KIND_NUMBER[kind]),
        )
    if kind == "track":
        db.execute(
            f"UPDATE twin_decision SET identity = {number.format('twin_decision')} "  # noqa: S608
            "WHERE scope = ?",
            (scope,),
        )
        db.execute(
            "INSERT OR IGNORE INTO file SELECT scope, seen.number, file_by_key.number "
            "FROM file_by_key JOIN seen ON seen.key = file_by_key.key WHERE scope = ?",
            (scope,),
        )
    db.execute(
        "UPDATE journal SET identity = coalesce((SELECT number FROM seen WHERE seen.key = "
        "journal.key AND seen.title IN ('', journal.title)), 0) "
        "WHERE kind = ? AND run IN (SELECT id FROM run WHERE scope = ?)",
        (KIND_NUMBER[kind], scope),
    )
    db.execute("DROP TABLE seen")
