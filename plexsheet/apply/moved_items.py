"""Items that stand under another rating key than before, found again, and what is kept follows.

A file that was removed and added again gets a new key; after a database was rebuilt or
restored from a backup most keys belong to other items.  `identity` decides which item is the
one remembered; here the library is read for it, once and only when needed, and shadow state,
events and decisions go with their items.  Where titles cannot tell tracks apart (two called
Interlude on one album), the path of the file does: it is remembered for those, some at every
reading, and read again for the candidates alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.identity import Located, Lookup, guid_numbers, number_of
from plexsheet.library import KINDS, Kind, Library, rows_of
from plexsheet.messages import text
from plexsheet.plex.gateway import Gateway
from plexsheet.state import guesses
from plexsheet.state.identities import Identities
from plexsheet.state.store import Move, State
from plexsheet.workbook.schema.check import check_numbers

FILES_A_TIME = 100  # looked up at each reading: one request
MOST_FILES = 300  # candidates whose files are read
MANY, MANY_SHARE = 20, 0.1  # above both, most keys were dealt anew, or state and Plex parted


def many(count: int, total: int) -> bool:
    """Whether so many of so many remembered items are too many to be single cases.

    >>> many(20, 50), many(21, 50), many(50, 559), many(57, 559)
    (False, True, False, True)
    """
    return count > max(MANY, MANY_SHARE * total)


@dataclass(frozen=True)
class Followed:
    """What became of the items that something is remembered about.

    Attributes:
        total: how many there are.
        moved: kind and old key to the key the item has now.
        lost: kind and old key of those whose key stands for another item now and who were not
            found: what is kept about them waits for them to come back.
    """

    total: int
    moved: Mapping[tuple[Kind, int], int]
    lost: tuple[tuple[Kind, int], ...]

    @property
    def dealt_anew(self) -> bool:
        """Whether the keys of most of the library changed at once (S07)."""
        return many(len(self.moved), self.total)

    @property
    def notice(self) -> str:
        """What is said of it once, with its code; "" where only single items moved."""
        if not self.dealt_anew:
            return ""
        return "S07 " + text("S07", count=len(self.moved), lost=len(self.lost))


def follow(state: State, scope: int, library: Library, gateway: Gateway | None = None) -> Followed:
    """Let all that is kept about items follow them to the keys they have now.

    Args:
        state: what is remembered; what the items are called now is remembered too.
        scope: of the library.
        library: as read now, whole.
        gateway: to look files up where titles do not do; without, they are not.
    """
    moved: dict[tuple[Kind, int], int] = {}
    lost: list[tuple[Kind, int]] = []
    total = 0
    state.remember_items(scope, library)
    for kind in KINDS:
        known = state.remembered(scope, kind)
        total += int(known["key"].nunique())
        places = Present(kind, library, state, scope, gateway)
        moves = _moves(known, places)
        if moves:
            state.move(scope, kind, [move for move in moves if move[:2] != move[2:]])
        moved |= {(kind, old): new for old, _, new, _ in moves if new > 0 and new != old}
        gone = dict.fromkeys((kind, old) for old, _, new, _ in moves if new < 0 <= old)
        lost += gone
    guesses.follow(state, scope, library, moved)
    return Followed(total, moved, tuple(lost))


def _moves(known: pd.DataFrame, places: Present) -> list[Move]:
    """Where what is kept goes: items found, and those whose key is another's now put aside."""
    keys, numbers = known["key"].to_numpy(), known["identity"].to_numpy()
    now = places.numbers_at(keys)
    stale = now != numbers
    keys, numbers, now = keys[stale], numbers[stale], now[stale]
    if not len(keys):
        return []
    new = np.where(numbers == 0, np.where(now > 0, keys, 0), 0)  # nothing known: the key has to do
    asked = numbers > 0
    new[asked] = places.locate(keys[asked], numbers[asked]).keys
    gone = (new == 0) & (now > 0)
    aside = -pd.Series(numbers).groupby(keys).transform("max").to_numpy()
    new[gone] = aside[gone]
    found = np.where(new > 0, places.numbers_at(new), numbers)
    kept = new != 0
    rows = zip(*(part[kept].tolist() for part in (keys, numbers, new, found)), strict=True)
    return list(rows)


class Present:
    """The items of one kind as they are now, to look remembered ones up in."""

    def __init__(
        self, kind: Kind, library: Library, state: State, scope: int, gateway: Gateway | None
    ) -> None:
        self._known: Identities = state.identities(scope, kind)
        self._kind, self._state, self._scope, self._gateway = kind, state, scope, gateway
        self._keys = library.keys(kind)
        self._numbers = self._known.latest(self._keys)
        self._lookup: Lookup | None = None

    def numbers_at(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The identity of the item under each key, 0 where there is none."""
        return np.append(self._numbers, 0)[rows_of(self._keys, keys)]

    def locate(self, keys: NDArray[np.int64], numbers: NDArray[np.int64]) -> Located:
        """Where items are now, by the key and the identity kept of them."""
        return self.locate_named(self._known.of(numbers).assign(key=keys), numbers)

    def locate_named(
        self, remembered: pd.DataFrame, numbers: NDArray[np.int64] | None = None
    ) -> Located:
        """The same by ``key`` and ``FEATURES``; ``numbers`` where they have identities."""
        if self._lookup is None:
            table = self._known.of(self._numbers).assign(key=self._keys)
            self._lookup = Lookup(self._kind, table)
        found = self._lookup.locate(remembered)
        if self._kind == "track" and numbers is not None and found.lost.any():
            files = self._by_file(np.flatnonzero(found.lost), numbers)
            if files:
                return self._lookup.locate(remembered, files)
        return found

    def _by_file(self, lost: NDArray[np.intp], numbers: NDArray[np.int64]) -> dict[int, list[int]]:
        """For rows that were not found the tracks of today with the file they had."""
        had = self._state.files(self._scope)
        wanted = {row: file for row in lost.tolist() if (file := had.get(int(numbers[row]), 0))}
        if not wanted or self._gateway is None:
            return {}
        since = int(self._known.of(numbers[list(wanted)])["seen"].min())
        new = self._known.of(self._numbers)["seen"].to_numpy() > since
        newest = np.sort(self._keys[new])[::-1][:MOST_FILES]
        return by_file(wanted, self._gateway.read_files(newest)) if len(newest) else {}


class Finder:
    """Looks for items under new keys; reads the library once, and only when asked.

    What is kept about all of its items follows them then.

    Args:
        gateway: to which library.
        state: what it remembers.
        scope: of the library.
        export_id: the export whose rows are looked for; ``""`` for none.
        library: as read already, if it was, and followed.
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
        self._present: dict[Kind, Present] = {}
        self.followed: Followed | None = None

    def present(self, kind: Kind) -> Present:
        """The items there are now.

        Raises:
            PlexError: the library cannot be read.
        """
        if self._library is None:
            self._library = self._gateway.read_library()
            self.followed = follow(self._state, self._scope, self._library, self._gateway)
        if kind not in self._present:
            places = Present(kind, self._library, self._state, self._scope, self._gateway)
            self._present[kind] = places
        return self._present[kind]

    def find(self, kind: Kind, keys: Sequence[int]) -> dict[int, int]:
        """Old key to new key, for those of ``keys`` that exactly one other item fits.

        Raises:
            PlexError: the library cannot be read.
        """
        old = np.unique(np.asarray(keys, dtype=np.int64))
        numbers = self.identities(kind, old)
        old, numbers = old[numbers > 0], numbers[numbers > 0]
        if not len(old):
            return {}  # nothing remembered that could tell them from others
        found = self.present(kind).locate(old, numbers)
        here = found.moved(old)
        return dict(zip(old[here].tolist(), found.keys[here].tolist(), strict=True))

    def identities(self, kind: Kind, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """What items were called: in the export where that is known, else when last seen."""
        numbers = self.remembered_by_export(kind, keys)
        return np.where(numbers > 0, numbers, self.last_seen(kind, keys))

    def last_seen(self, kind: Kind, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The identity last seen under each key, 0 where none was."""
        return self._state.identities(self._scope, kind).latest(keys)

    def remembered_by_export(self, kind: Kind, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """The identity of each key when the export was made; 0 where that is not known."""
        base = self._state.base(self._scope, self._export, kind) if self._export else None
        if base is None:
            return np.zeros(len(keys), dtype=np.int64)
        rows = rows_of(base["key"].to_numpy(), keys)
        if "identity" in base:
            return np.asarray(np.append(base["identity"].to_numpy(), 0)[rows])
        checks = np.append(base["check"].to_numpy(), -1)[rows]
        return _by_check(kind, self._state.identities(self._scope, kind), keys, checks)

    def named(
        self, kind: Kind, keys: NDArray[np.int64], numbers: NDArray[np.int64]
    ) -> pd.DataFrame:
        """``key`` and ``FEATURES`` of identities, blank for number 0."""
        return self._state.identities(self._scope, kind).of(numbers).assign(key=keys)


def _by_check(
    kind: Kind, known: Identities, keys: NDArray[np.int64], checks: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The identity of each key whose titles give a Check; 0 where none does."""
    rows = np.flatnonzero(np.isin(known.table["key"].to_numpy(), keys))
    table = known.table.iloc[rows]
    texts = [table[name].tolist() for name in ("title", "artist", "album")]
    if kind == "artist":
        texts[1:] = [None, None]  # type: ignore[list-item]
    if kind == "album":
        texts[2] = None  # type: ignore[call-overload]
    told = check_numbers(kind, table["key"].tolist(), *texts).tolist()
    by = {
        pair: int(row) + 1
        for pair, row in zip(zip(table["key"].tolist(), told, strict=True), rows, strict=True)
    }
    pairs = zip(keys.tolist(), checks.tolist(), strict=True)
    return np.array([by.get(pair, 0) for pair in pairs], dtype=np.int64)


def by_file(wanted: Mapping[int, int], files: Mapping[int, Sequence[str]]) -> dict[int, list[int]]:
    """The tracks that have a file, for each that is looked for.

    Args:
        wanted: row to the ``number_of`` its file.
        files: of the candidates, by key.

    >>> by_file({0: number_of("/a.flac")}, {70: ["/a.flac"], 71: ["/b.flac"]})
    {0: [70]}
    """
    carriers: dict[int, list[int]] = {}
    for key, paths in files.items():
        for path in paths:
            carriers.setdefault(number_of(path), []).append(key)
    return {row: carriers[number] for row, number in wanted.items() if number in carriers}


def remember_files(
    gateway: Gateway, state: State, scope: int, library: Library, first: Collection[int] = ()
) -> bool:
    """Look up the files of some tracks that neither guid nor titles tell from others.

    Args:
        gateway: to the library; at most one request.
        state: what is remembered.
        scope: of the library.
        library: as read now.
        first: keys to begin with: those the person rated.

    Returns:
        Whether that is done for all of them.
    """
    keys = _alike(library.tracks)
    numbers = state.identities(scope, "track").latest(keys)
    known = state.files(scope)
    keys = keys[~np.isin(numbers, np.fromiter(known, dtype=np.int64, count=len(known)))]
    later = ~np.isin(keys, np.asarray(list(first), dtype=np.int64))
    chosen = keys[np.argsort(later, kind="stable")][:FILES_A_TIME]
    if len(chosen):
        found = gateway.read_files(chosen)
        paths = [next(filter(None, found.get(key, ())), "") for key in chosen.tolist()]
        identities = state.identities(scope, "track").latest(chosen).tolist()
        files = (number_of(path) if path else 0 for path in paths)
        state.remember_files(scope, dict(zip(identities, files, strict=True)))
    return len(chosen) == len(keys)


def _alike(tracks: pd.DataFrame) -> NDArray[np.int64]:
    """Keys of tracks with the titles of another, and no guid of their own."""
    numbers = guid_numbers(tracks["guid"].to_numpy())
    alike = tracks.duplicated(["artist", "album", "title"], keep=False).to_numpy(copy=True)
    alike &= (numbers == 0) | pd.Series(numbers).duplicated(keep=False).to_numpy()
    return np.asarray(tracks["key"].to_numpy()[alike], dtype=np.int64)
