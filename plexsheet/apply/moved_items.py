"""Items that vanished from Plex, found again under a new rating key.

A file that was removed and added again gets a new key.  It is the same item when its guid
of Plex's catalogue is the one the old key had, or when titles and old key give the Check of
the old row; and only when exactly one item fits, since a wrong match would rate a stranger.
Where titles cannot tell tracks apart (two called Interlude on one album), the path of the file
does: it is remembered for those, some at every reading, and read again for the candidates alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.library import KINDS, Kind, Library, rows_of
from plexsheet.plex.gateway import Gateway
from plexsheet.state import journal
from plexsheet.state.store import State, guid_numbers, number_of
from plexsheet.workbook.schema.check import check_numbers

FILES_A_TIME = 100  # looked up at each reading: one request
MOST_FILES = 300  # candidates whose files are read
MOST_CANDIDATES = 2_000_000  # Checks computed at most: missing keys times new items


class Finder:
    """Looks for items under new keys; reads the library once, and only when asked.

    Args:
        gateway: to which library.
        state: which guids and Checks it remembers.
        scope: of the library.
        export_id: the export whose Checks count; ``""`` for the newest.
        library: as read already, if it was.
    """

    def __init__(
        self,
        gateway: Gateway,
        state: State,
        scope: int,
        export_id: str = "",
        library: Library | None = None,
    ) -> None:
        self._gateway, self._state, self._scope = gateway, state, scope
        self._export, self._library = export_id, library

    def find(self, kind: Kind, keys: Sequence[int]) -> dict[int, int]:
        """Old key to new key, for those of ``keys`` that exactly one item fits.

        Raises:
            PlexError: the library cannot be read.
        """
        known = self._state.known_items(self._scope, kind)
        base = self._base(kind)
        old = np.unique(np.asarray(keys, dtype=np.int64))
        if not len(known) and base is None:
            return {}  # nothing remembered that could tell them from others
        if self._library is None:
            self._library = self._gateway.read_library()
        table = self._library.table(kind)
        old = old[rows_of(table["key"].to_numpy(), old) < 0]
        found = by_guid(known, old, table)
        left = np.array([key for key in old.tolist() if key not in found], dtype=np.int64)
        if base is not None and len(left):
            strange = rows_of(base["key"].to_numpy(), table["key"].to_numpy()) < 0
            found |= by_check(kind, base, left, table[strange])
        found = _unique(found)
        left = np.array([key for key in old.tolist() if key not in found], dtype=np.int64)
        if kind == "track" and len(left):
            found |= self._by_file(left, table, base)
        return _unique(found)

    def _by_file(
        self, old: NDArray[np.int64], table: pd.DataFrame, base: pd.DataFrame | None
    ) -> dict[int, int]:
        """Old keys to the one new track with the same file."""
        files = self._state.files(self._scope)
        wanted = {key: files[key] for key in old.tolist() if files.get(key)}
        if not wanted:
            return {}
        keys = table["key"].to_numpy()
        strange = ~np.isin(keys, np.fromiter(files, dtype=np.int64, count=len(files)))
        if base is not None:
            strange &= ~np.isin(keys, base["key"].to_numpy())
        newest = np.sort(keys[strange])[::-1][:MOST_FILES]
        return by_file(wanted, self._gateway.read_files(newest)) if len(newest) else {}

    def move(self, run: int, kind: Kind, old: int, new: int) -> None:
        """Let journal, shadow state and decisions follow an item to its new key."""
        with self._state.database.transaction():
            journal.rekey(self._state, run, kind, old, new)
            self._state.rekey(self._scope, kind, old, new)

    def _base(self, kind: Kind) -> pd.DataFrame | None:
        export = self._export or next(iter(self._state.exports(self._scope)), "")
        return self._state.base(self._scope, export, kind) if export else None


def by_guid(known: pd.DataFrame, old: NDArray[np.int64], table: pd.DataFrame) -> dict[int, int]:
    """Old keys to the one item that carries their guid.

    Args:
        known: columns key and guid (a number, 0 for none) of items ever seen.
        old: keys that are gone.
        table: items there are now.
    """
    rows = rows_of(known["key"].to_numpy(), old)
    wanted = dict(
        zip(
            old[rows >= 0].tolist(), known["guid"].to_numpy()[rows[rows >= 0]].tolist(), strict=True
        )
    )
    numbers = guid_numbers(table["guid"].to_numpy())
    present = np.isin(numbers, [guid for guid in wanted.values() if guid])
    carriers: dict[int, list[int]] = {}
    keys = table["key"].to_numpy()[present].tolist()
    for guid, key in zip(numbers[present].tolist(), keys, strict=True):
        carriers.setdefault(guid, []).append(key)
    return {
        key: carriers[guid][0] for key, guid in wanted.items() if len(carriers.get(guid, ())) == 1
    }


def by_check(
    kind: Kind, base: pd.DataFrame, old: NDArray[np.int64], table: pd.DataFrame
) -> dict[int, int]:
    """Old keys to the one item whose titles give the old row's Check.

    Args:
        kind: of the items.
        base: columns key and check.
        old: keys that are gone.
        table: items that were not in the base.
    """
    rows = rows_of(base["key"].to_numpy(), old)
    found: dict[int, int] = {}
    if "check" not in base or len(table) * len(old) > MOST_CANDIDATES or not len(table):
        return found
    titles = table["title"].tolist()
    artists = table["artist"].tolist() if kind != "artist" else None
    albums = table["album"].tolist() if kind == "track" else None
    for key, row in zip(old.tolist(), rows.tolist(), strict=True):
        if row < 0:
            continue
        checks = check_numbers(kind, [key] * len(table), titles, artists, albums)
        same = np.flatnonzero(checks == base["check"].to_numpy()[row])
        if len(same) == 1:
            found[key] = int(table["key"].to_numpy()[same[0]])
    return found


def by_file(wanted: Mapping[int, int], files: Mapping[int, Sequence[str]]) -> dict[int, int]:
    """Old keys to the one track that has their file.

    Args:
        wanted: old key to the ``number_of`` its file.
        files: of the candidates, by key.

    >>> by_file({7: number_of("/a.flac")}, {70: ["/a.flac"], 71: ["/b.flac"]})
    {7: 70}
    """
    carriers: dict[int, list[int]] = {}
    for key, paths in files.items():
        for path in paths:
            carriers.setdefault(number_of(path), []).append(key)
    return {
        key: carriers[number][0]
        for key, number in wanted.items()
        if len(carriers.get(number, ())) == 1
    }


def remember_files(
    gateway: Gateway, state: State, scope: int, library: Library, first: Collection[int] = ()
) -> None:
    """Look up the files of some tracks that neither guid nor titles tell from others.

    Args:
        gateway: to the library; at most one request.
        state: what is remembered.
        scope: of the library.
        library: as read now.
        first: keys to begin with: those the person rated.
    """
    keys = _alike(library.tracks)
    known = state.files(scope)
    keys = keys[~np.isin(keys, np.fromiter(known, dtype=np.int64, count=len(known)))]
    later = ~np.isin(keys, np.asarray(list(first), dtype=np.int64))
    chosen = keys[np.argsort(later, kind="stable")][:FILES_A_TIME]
    if len(chosen):
        found = gateway.read_files(chosen)
        paths = {key: [path for path in found.get(key, ()) if path] for key in chosen.tolist()}
        numbers = {key: number_of(some[0]) if some else 0 for key, some in paths.items()}
        state.remember_files(scope, numbers)


def _alike(tracks: pd.DataFrame) -> NDArray[np.int64]:
    """Keys of tracks with the titles of another, and no guid of their own."""
    numbers = guid_numbers(tracks["guid"].to_numpy())
    alike = tracks.duplicated(["artist", "album", "title"], keep=False).to_numpy(copy=True)
    alike &= (numbers == 0) | pd.Series(numbers).duplicated(keep=False).to_numpy()
    return np.asarray(tracks["key"].to_numpy()[alike], dtype=np.int64)


def _unique(found: Mapping[int, int]) -> dict[int, int]:
    """Without those whose new key two old ones lay claim to."""
    claims = list(found.values())
    return {old: new for old, new in found.items() if claims.count(new) == 1}


def heal_keys(state: State, gateway: Gateway, library: Library) -> dict[tuple[Kind, int], int]:
    """Let shadow state and decisions follow items that came back under a new key.

    Args:
        state: what we remember.
        gateway: to the library; not asked, since the library is given.
        library: as read now.

    Returns:
        Kind and old key to the new key, for those that exactly one item fits.
    """
    scope = state.scope(gateway.identity)
    finder = Finder(gateway, state, scope, library=library)
    moved: dict[tuple[Kind, int], int] = {}
    for kind in KINDS:
        remembered = [state.shadow(scope, kind)["key"].to_numpy(), state.excluded(scope, kind)]
        if kind == "track":
            decided = state.twin_decisions(scope)
            remembered.append(np.fromiter(decided, dtype=np.int64, count=len(decided)))
        keys = np.unique(np.concatenate(remembered))
        missing = keys[~np.isin(keys, library.keys(kind))]
        found = finder.find(kind, missing.tolist()) if len(missing) else {}
        with state.database.transaction():
            for old, new in found.items():
                state.rekey(scope, kind, old, new)
                moved[kind, old] = new
    return moved
