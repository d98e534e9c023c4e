"""How often the songs of a library were played elsewhere, by the lists of other players.

Never written to Plex; inference may count them as listening.  One list per format is kept: a
newer iTunes library takes the place of the older one, and adds to what Rhythmbox counted.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from plexsheet.inference.listening import Elsewhere
from plexsheet.library import Library, rows_of
from plexsheet.state.store import State
from plexsheet.workbook.schema.check import check_numbers


def remember(
    state: State, scope: int, source: str, plays: Iterable[tuple[int, int, int, int]]
) -> int:
    """Remember the plays of one list in place of the last of its format.

    Args:
        state: where to.
        scope: of the library.
        source: name of the format.
        plays: for each track its key, its Check, times played, and epoch seconds of the last
            time, 0 unknown.

    Returns:
        How many tracks.
    """
    rows = [(scope, source, *one) for one in plays]
    with state.database.transaction() as database:
        database.execute(
            "DELETE FROM foreign_plays WHERE scope = ? AND source = ?", (scope, source)
        )
        database.executemany(
            'INSERT INTO foreign_plays (scope, source, key, "check", plays, last_played)'
            " VALUES (?, ?, ?, ?, ?, ?)",
            rows,
        )
    return len(rows)


def elsewhere(state: State, scope: int, library: Library) -> Elsewhere | None:
    """Plays in other players as evidence; None where none are known."""
    held = known(state, scope, library)
    if not len(held):
        return None
    row, times = held["row"].to_numpy(dtype=np.int64), held["last_played"].to_numpy(dtype=np.int64)
    plays = np.zeros(len(library.tracks))
    np.add.at(plays, row, held["plays"].to_numpy(dtype=float))
    last = np.zeros(len(library.tracks), dtype=np.int64)
    np.maximum.at(last, row, times)
    sources = {
        str(name): (len(part), int(part["plays"].sum()), int(part["last_played"].max()))
        for name, part in held.groupby("source")
    }
    return Elsewhere(plays, last, sources)


def known(state: State, scope: int, library: Library) -> pd.DataFrame:
    """Plays elsewhere of the tracks of a library.

    Tracks whose titles are not those remembered with the key are left out: after a library is
    rebuilt the same key is another song.

    Returns:
        Columns ``source``, ``row`` (place in ``library.tracks``), ``plays``, ``last_played``.
    """
    held = pd.DataFrame(
        state.database.read(
            'SELECT source, key, "check", plays, last_played FROM foreign_plays WHERE scope = ?',
            (scope,),
        ),
        columns=["source", "key", "check", "plays", "last_played"],
    )
    tracks = library.tracks
    row = rows_of(tracks["key"].to_numpy(), held["key"].to_numpy(dtype=np.int64))
    held["row"] = row
    held = held[row >= 0].reset_index(drop=True)
    there = tracks.iloc[held["row"].to_numpy(dtype=np.int64)]
    checks = check_numbers(
        "track", there["key"].tolist(), there["title"].tolist(), there["artist"].tolist(),
        there["album"].tolist(),
    )  # fmt: skip
    same = held["check"].to_numpy(dtype=np.int64) == checks
    return pd.DataFrame(held.loc[same, ["source", "row", "plays", "last_played"]])
