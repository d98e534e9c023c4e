"""Types of albums, and years of tracks, which listings do not carry (pure)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.library import rows_of

Keys = NDArray[np.int64]

_MOST = 7  # subformats asked for; each is a request
_WORTHWHILE = ("Live", "Compilation", "Soundtrack", "Remix", "Demo", "DJ-mix", "Mixtape/Street")


def worthwhile(subformats: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """The subformats (id, name) to ask for, those that tell inference most first."""

    def place(choice: tuple[int, str]) -> int:
        return _WORTHWHILE.index(choice[1]) if choice[1] in _WORTHWHILE else len(_WORTHWHILE)

    return sorted(subformats, key=place)[:_MOST]


def put_type(albums: pd.DataFrame, column: str, keys: Keys, name: str) -> None:
    """Add a type to the albums of these rating keys, after "; " where there is one."""
    rows = rows_of(albums["key"].to_numpy(), keys)
    texts = albums[column].to_numpy(dtype=object, copy=True)
    for row in rows[rows >= 0].tolist():
        known = texts[row].split("; ") if texts[row] else []
        texts[row] = "; ".join(known if name in known else [*known, name])
    albums[column] = texts


def keep_types(albums: pd.DataFrame, known: pd.DataFrame | None, ours: Keys | None = None) -> bool:
    """Take format and subformat over from an earlier read, where nobody changed an album since."""
    if not len(albums):
        return True
    if known is None:
        return False
    rows = rows_of(known["key"].to_numpy(), albums["key"].to_numpy())
    if (rows < 0).any():
        return False
    changed = known["updated_at"].to_numpy()[rows] != albums["updated_at"].to_numpy()
    if ours is not None:
        changed &= ~np.isin(albums["key"].to_numpy(), ours)
    if changed.any():
        return False
    for name in ("format", "subformat"):
        albums[name] = known[name].to_numpy()[rows]
    return True


def fill_years(tracks: pd.DataFrame, albums: pd.DataFrame) -> None:
    """A track's year is its album's; the track itself often carries none."""
    rows = rows_of(albums["key"].to_numpy(), tracks["album_key"].to_numpy())
    years = tracks["year"].to_numpy(copy=True)
    missing = (years == 0) & (rows >= 0)
    years[missing] = albums["year"].to_numpy()[rows[missing]]
    tracks["year"] = years
