"""What every item ever seen was called: the identity that goes with all that is remembered.

Each item, as it was at one time, has a number; what is kept about it (shadow state, journal,
events, decisions, bases of exports) carries that number.  A retitled item, or another item under
the same key, gets a number of its own.  Numbers begin at 1; 0 says that nothing is known.

``seen`` counts the readings that met something new: an item first seen in a later reading
than another may be that other one under a new key, one seen before or beside it is not.

Stored are columns in parts, the different texts of each once; a part is only ever added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.identity import FEATURES, seen_now, unchanged
from plexsheet.library import KIND_NUMBER, KINDS, Kind, Library, rows_of
from plexsheet.state.bases import pack, unpack
from plexsheet.state.texts import apart, joined, texts_packed, texts_unpacked

if TYPE_CHECKING:
    from plexsheet.state.store import State

Numbers = NDArray[np.int64]
TEXTS = ("title", "artist", "album")
_COLUMNS = ("key", *FEATURES, "seen")
_MOST_PARTS = 40


class Identities:
    """The identities of one kind of item in one library, in the order of their numbers."""

    def __init__(self, state: State, scope: int, kind: Kind) -> None:
        self._state, self._scope, self._kind = state, scope, kind
        rows = state.database.read(
            "SELECT columns FROM identity WHERE scope = ? AND kind = ? ORDER BY part",
            (scope, KIND_NUMBER[kind]),
        )
        self._parts = len(rows)
        parts = [_unpacked(row[0]) for row in rows]
        self.table = pd.concat(parts, ignore_index=True) if parts else _empty()
        self._latest: tuple[Numbers, Numbers] | None = None

    def latest(self, keys: Numbers) -> Numbers:
        """The number last given to each key, 0 where none was."""
        if self._latest is None:
            last = ~self.table["key"].duplicated(keep="last").to_numpy()
            numbers = np.flatnonzero(last) + 1
            self._latest = self.table["key"].to_numpy()[last], numbers
        known, numbers = self._latest
        return np.append(numbers, 0)[rows_of(known, np.asarray(keys, dtype=np.int64))]

    def of(self, numbers: Numbers) -> pd.DataFrame:
        """Identities by number: ``key``, ``FEATURES`` and ``seen``; all unknown for 0."""
        rows = np.asarray(numbers, dtype=np.int64) - 1
        unknown = rows < 0
        columns = {}
        for name in _COLUMNS:
            values = self.table[name].to_numpy()
            missing = "" if name in TEXTS else 0
            if not len(values):
                columns[name] = np.full(len(rows), missing, dtype=values.dtype)
                continue
            columns[name] = values[np.maximum(rows, 0)]
            columns[name][unknown] = missing
        return pd.DataFrame(columns)

    def remember(self, seen: pd.DataFrame) -> Numbers:
        """Numbers of items as they are now, new ones where they are not as last seen.

        Args:
            seen: ``key`` and ``FEATURES``, keys unique.
        """
        numbers = self.latest(seen["key"].to_numpy())
        known = numbers > 0
        same = np.zeros(len(seen), dtype=bool)
        same[known] = unchanged(self.of(numbers[known]), seen[known])
        new = np.flatnonzero(~same)
        if len(new):
            numbers[new] = len(self.table) + 1 + np.arange(len(new))
            rows = seen.iloc[new].assign(
                seen=1 + int(self.table["seen"].max() if len(self.table) else 0)
            )
            self._add(rows[list(_COLUMNS)].reset_index(drop=True))
        return numbers

    def _add(self, rows: pd.DataFrame) -> None:
        self.table = pd.concat([self.table, rows], ignore_index=True)
        self._latest = None
        with self._state.database.transaction() as db:
            if self._parts >= _MOST_PARTS:
                where = (self._scope, KIND_NUMBER[self._kind])
                db.execute("DELETE FROM identity WHERE scope = ? AND kind = ?", where)
                self._parts, rows = 0, self.table
            db.execute(
                "INSERT INTO identity (scope, kind, part, columns) VALUES (?, ?, ?, ?)",
                (self._scope, KIND_NUMBER[self._kind], self._parts, _packed(rows)),
            )
        self._parts += 1


def remember(state: State, scope: int, library: Library) -> dict[Kind, Numbers]:
    """Remember what the items of a library are called; their numbers, row for row."""
    return {
        kind: state.identities(scope, kind).remember(seen_now(kind, library.table(kind)))
        for kind in KINDS
    }


def _empty() -> pd.DataFrame:
    columns: dict[str, NDArray[Any]] = {}
    for name in _COLUMNS:
        columns[name] = np.empty(0, dtype=object if name in TEXTS else np.int64)
    return pd.DataFrame(columns)


def _packed(rows: pd.DataFrame) -> bytes:
    numbers: dict[str, Any] = {
        name: rows[name].to_numpy() for name in _COLUMNS if name not in TEXTS
    }
    pieces = []
    for name in TEXTS:
        codes, different = pd.factorize(rows[name].to_numpy())
        numbers[name] = codes.astype(np.int32)
        pieces.append(texts_packed(different))
    return joined([pack(pd.DataFrame(numbers)), *pieces])


def _unpacked(blob: bytes) -> pd.DataFrame:
    body, *pieces = apart(blob)
    frame = unpack(body)
    columns: dict[str, Any] = {}
    texts = dict(zip(TEXTS, pieces, strict=True))
    for name in _COLUMNS:
        values = frame[name].to_numpy()
        columns[name] = texts_unpacked(texts[name])[values] if name in texts else values
    return pd.DataFrame(columns)
