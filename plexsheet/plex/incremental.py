"""The library of an earlier read, brought up to date with what changed since (pure).

Pure: tables in, tables out.  Plex can say which items were rated, changed or added
since a time; it cannot say which were removed or lost their rating.  Totals tell: when
the number of items, or of rated items, is not what the merged tables hold, the snapshot
is of no use and the whole library is read again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from plexsheet.library import KINDS, Kind, Library, rows_of, table


def merged(
    library: Library,
    changed: Mapping[Kind, pd.DataFrame],
    totals: Mapping[Kind, int],
    rated: Mapping[Kind, int],
    read_at: int,
) -> Library | None:
    """A library with the items of an incremental read put in.

    Args:
        library: as read earlier.
        changed: for each kind the items rated, changed or added since, schema columns.
        totals: for each kind how many items Plex holds now.
        rated: for each kind how many of them are rated now.
        read_at: epoch seconds by the server's clock when the incremental read began.

    Returns:
        The library as it is now; None where the totals say that something was removed or
        cleared that no listing shows.
    """
    tables = {kind: _put(kind, library.table(kind), changed[kind]) for kind in KINDS}
    for kind, now in tables.items():
        if len(now) != totals[kind] or int(now["user_rating"].notna().sum()) != rated[kind]:
            return None
    return replace(
        library,
        artists=tables["artist"],
        albums=tables["album"],
        tracks=tables["track"],
        read_at=read_at,
    )


def _put(kind: Kind, old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``new`` in the place of those with their key, or after the last; in key order."""
    if not len(new):
        return old
    stays = rows_of(new["key"].to_numpy(), old["key"].to_numpy()) < 0
    columns = {
        str(name): np.concatenate([old[name].to_numpy()[stays], new[name].to_numpy()])
        for name in old
    }
    order = np.argsort(columns["key"], kind="stable")
    return table(kind, {name: values[order] for name, values in columns.items()})
