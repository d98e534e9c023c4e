"""What was guessed when an inferred rating was written, and what became of the guesses.

With each inferred write stand the values of the models then, and for tracks the plays
then.  When the person later rates the item, the guess becomes a verdict.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.library import KIND_NUMBER, KINDS, Kind, Library, rows_of
from plexsheet.state.bases import pack, unpack
from plexsheet.state.store import State

# One row per item; values 0-10, NaN where none was guessed (written before guesses were kept).
GUESS = {
    "key": "int64",
    "named": "int64",  # what the item was called, as ``names_of`` says; a key alone is no proof
    "heard": "float64",  # learned with listening
    "unheard": "float64",  # learned without
    "classic": "float64",
    "at": "float64",  # epoch seconds
    "plays": "float64",  # effective plays then; tracks only, as the rest
    "view_count": "int64",
    "skip_count": "int64",
    "unplayed_s": "int64",  # seconds between the last play and the library's newest date; -1 never
    "usual_s": "int64",  # the median of it over tracks the person rated
}
VERDICT = ("key", "rating", "heard", "unheard", "classic", "guessed_at", "rated_at")


def load(state: State, scope: int, kind: Kind) -> pd.DataFrame:
    """Open guesses of a kind, columns of ``GUESS``, by key."""
    rows = state.database.read(
        "SELECT columns FROM guess WHERE scope = ? AND kind = ?", (scope, KIND_NUMBER[kind])
    )
    if rows:
        return unpack(rows[0][0])
    return pd.DataFrame({name: np.empty(0, dtype) for name, dtype in GUESS.items()})


def keep(state: State, scope: int, kind: Kind, guesses: pd.DataFrame) -> None:
    """Set the open guesses of a kind; all others are forgotten."""
    columns = {name: guesses[name].to_numpy(dtype=dtype) for name, dtype in GUESS.items()}
    with state.database.transaction() as db:
        db.execute(
            "INSERT OR REPLACE INTO guess VALUES (?, ?, ?)",
            (scope, KIND_NUMBER[kind], pack(pd.DataFrame(columns).sort_values("key"))),
        )


def add(state: State, scope: int, kind: Kind, guesses: pd.DataFrame) -> None:
    """Put guesses in the place of earlier ones for the same items."""
    if len(guesses):
        both = pd.concat([load(state, scope, kind), guesses[list(GUESS)]], ignore_index=True)
        keep(state, scope, kind, both.drop_duplicates("key", keep="last"))


def names_of(library: Library, kind: Kind) -> NDArray[np.int64]:
    """A number for what each item is called, with its album and artist; shape (items,)."""
    table = library.table(kind)
    names = {"artist": ("title",), "album": ("title", "artist"), "track": ("title", "album")}
    number = np.zeros(len(table), dtype=np.uint64)
    for name in names[kind]:
        number = number * np.uint64(31) + pd.util.hash_array(table[name].to_numpy())
    return number.view(np.int64)


def follow(
    state: State, scope: int, library: Library, moved: Mapping[tuple[Kind, int], int]
) -> None:
    """Let open guesses follow their items to the keys they have now (kind and key to key)."""
    for kind in KINDS:
        new = {old: now for (one, old), now in moved.items() if one == kind}
        known = load(state, scope, kind) if new else pd.DataFrame({"key": []})
        at = known["key"].isin(list(new)).to_numpy()
        if not at.any():
            continue
        keys = np.array([new.get(key, key) for key in known["key"].tolist()], dtype=np.int64)
        named = names_of(library, kind)[rows_of(library.keys(kind), keys)]
        both = known.assign(key=keys, named=np.where(at, named, known["named"].to_numpy()))
        order = np.argsort(at, kind="stable")  # what moved outranks what is left of another
        keep(state, scope, kind, both.iloc[order].drop_duplicates("key", keep="last"))


def judge(state: State, scope: int, kind: Kind, verdicts: pd.DataFrame) -> None:
    """Record what the person gave to items that had been guessed; columns ``VERDICT``."""
    rows = zip(*(verdicts[name].tolist() for name in VERDICT), strict=True)
    with state.database.transaction() as db:
        db.executemany(
            f"INSERT INTO verdict (scope, kind, {', '.join(VERDICT)}) "  # noqa: S608
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((scope, KIND_NUMBER[kind], *row) for row in rows),
        )


def verdicts(state: State, scope: int) -> pd.DataFrame:
    """All verdicts in the order they were recorded: ``kind`` and the columns ``VERDICT``."""
    rows = state.database.read(
        f"SELECT kind, {', '.join(VERDICT)} FROM verdict WHERE scope = ? ORDER BY id",  # noqa: S608
        (scope,),
    )
    frame = pd.DataFrame(rows, columns=["kind", *VERDICT])
    frame["kind"] = [KINDS[number] for number in frame["kind"]]
    return frame


def accepted(state: State, scope: int, kind: Kind) -> set[int]:
    """Keys whose inferred rating the person took over as it was (ACCEPT): no rating of theirs."""
    rows = state.database.read(
        "SELECT DISTINCT key FROM journal JOIN run ON run.id = journal.run "
        "WHERE scope = ? AND journal.kind = ? AND reason = 'accept'",
        (scope, KIND_NUMBER[kind]),
    )
    return {key for (key,) in rows}
