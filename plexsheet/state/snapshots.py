"""The library as last read, kept in the state database so that the next run reads changes only.

Numbers are packed as in a base; of each text column every different text is kept once, with
a number for each row.  What changed later is put beside it in parts, and now and then all
is written anew: a run after ten new ratings stores ten rows, not the library.
"""

from __future__ import annotations

import time
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.library import (
    FLOAT,
    INT,
    KIND_NUMBER,
    KINDS,
    SCHEMA,
    TEXT,
    Identity,
    Kind,
    Library,
    rows_of,
)
from plexsheet.library import table as library_table
from plexsheet.state.bases import pack, unpack
from plexsheet.state.texts import apart, joined, texts_packed, texts_unpacked

if TYPE_CHECKING:
    from plexsheet.state.store import State

_NAME = "snapshot"  # of the entry that says what the parts are
_FORMAT = 1
_OF_RATINGS = frozenset({"user_rating", "last_rated_at", "updated_at"})
_MOST_PARTS = 40
_WORTH_REWRITING = 0.1  # rows in parts, of all rows


@dataclass(frozen=True)
class Snapshot:
    """A library as it was read.

    Attributes:
        library: as Plex held it at ``library.read_at`` (by the server's clock).
        full_at: epoch seconds by our clock when it was last read whole.
        saved_at: epoch seconds by our clock when it was last brought up to date.
        server_version: of the server then.
    """

    library: Library
    full_at: float
    saved_at: float
    server_version: str


def load(state: State, scope: int, identity: Identity) -> Snapshot | None:
    """The snapshot of a library; None where there is none, or it cannot be made out."""
    known, tables = state.kv(scope, _NAME), items(state, scope)
    if tables is None:
        return None
    library = Library(
        identity, tables["artist"], tables["album"], tables["track"], read_at=known["read_at"]
    )
    return Snapshot(library, known["full_at"], known["saved_at"], known["server_version"])


def items(state: State, scope: int) -> dict[Kind, pd.DataFrame] | None:
    """The tables of the snapshot of a library; None where there is none that can be made out.

    One of an older plexsheet will do: what it did not keep is unknown.
    """
    known = state.kv(scope, _NAME)
    if not known or known["format"] != _FORMAT:
        return None
    try:
        return {kind: _table(state, scope, kind, known["parts"], of_any_age=True) for kind in KINDS}
    except (ValueError, KeyError, IndexError, zlib.error):
        return None  # damaged, or of another schema: it is only a copy of what Plex holds


def save(
    state: State, scope: int, library: Library, previous: Snapshot | None, server_version: str
) -> None:
    """Keep a library for the next run.

    Args:
        state: where.
        scope: whose library.
        library: as read now.
        previous: the snapshot it was made from, of which only the difference is stored; None
            when the whole library was read.
        server_version: as the server says.
    """
    known = state.kv(scope, _NAME) if previous is not None else None
    now = time.time()
    parts, rows = (known["parts"], known["rows"]) if known else (0, 0)
    changed = _changed(previous.library, library) if known and previous is not None else None
    if changed is not None:
        rows += sum(map(len, changed.values()))
    same = changed is not None and _only_rated(previous, changed)
    before = known.get("content") if known else None
    with state.database.transaction() as db:
        if changed is None or parts > _MOST_PARTS or rows > _WORTH_REWRITING * _rows(library):
            db.execute("DELETE FROM snapshot WHERE scope = ?", (scope,))
            changed, parts, rows = {kind: library.table(kind) for kind in KINDS}, 0, 0
        filled = {kind: table for kind, table in changed.items() if len(table)}
        db.executemany(
            "INSERT INTO snapshot VALUES (?, ?, ?, ?)",
            ((scope, KIND_NUMBER[kind], parts, _packed(kind, t)) for kind, t in filled.items()),
        )
        entry = {
            "format": _FORMAT,
            "read_at": library.read_at,
            "full_at": previous.full_at if previous else now,
            "saved_at": now,
            "server_version": server_version,
            "parts": parts + bool(filled),
            "rows": rows,
            "content": before if before and same else uuid.uuid4().hex,
        }
        state.set_kv(scope, _NAME, entry)


def content(state: State, scope: int) -> str:
    """A mark that is another one when anything but ratings changed in the library."""
    return str(state.kv(scope, _NAME, {}).get("content", ""))


def _only_rated(previous: Snapshot | None, changed: Mapping[Kind, pd.DataFrame]) -> bool:
    """Whether rows that changed differ in nothing but ratings and their times."""
    if previous is None:
        return False
    for kind, now in changed.items():
        before = previous.library.table(kind)
        at = rows_of(before["key"].to_numpy(), now["key"].to_numpy())
        if (at < 0).any():
            return False
        rest = [name for name in SCHEMA[kind] if name not in _OF_RATINGS]
        if (
            not now[rest]
            .reset_index(drop=True)
            .equals(before[rest].iloc[at].reset_index(drop=True))
        ):
            return False
    return True


def written_since(state: State, scope: int, moment: float) -> dict[Kind, NDArray[np.int64]]:
    """Keys of items to which something was sent, by runs that were at work after a moment.

    Args:
        state: where runs are recorded.
        scope: whose library.
        moment: epoch seconds by our clock.
    """
    rows = state.database.read(
        "SELECT DISTINCT journal.kind, key FROM journal JOIN run ON run.id = journal.run "
        "WHERE scope = ? AND (finished IS NULL OR finished >= ?) AND sent > 0 "
        "AND field IN ('rating', 'released', 'tags')",
        (scope, moment),
    )
    pairs = np.array(rows, dtype=np.int64).reshape(-1, 2)
    return {kind: pairs[pairs[:, 0] == number, 1] for kind, number in KIND_NUMBER.items()}


def _rows(library: Library) -> int:
    return sum(len(library.table(kind)) for kind in KINDS)


def _changed(old: Library, new: Library) -> dict[Kind, pd.DataFrame] | None:
    """For each kind the rows that are new or differ; None where rows are gone."""
    found: dict[Kind, pd.DataFrame] = {}
    for kind in KINDS:
        before, now = old.table(kind), new.table(kind)
        if now is before:
            found[kind] = now.iloc[:0]
            continue
        at = rows_of(before["key"].to_numpy(), now["key"].to_numpy())
        if int((at >= 0).sum()) != len(before):
            return None
        differs = at < 0
        for name, dtype in SCHEMA[kind].items():
            was, is_now = before[name].to_numpy()[at], now[name].to_numpy()
            unequal = np.asarray(was != is_now, dtype=bool)
            if dtype == FLOAT:
                unequal &= ~(np.isnan(was) & np.isnan(is_now))
            differs = differs | unequal
        found[kind] = now[differs]
    return found


def _table(
    state: State, scope: int, kind: Kind, parts: int, *, of_any_age: bool = False
) -> pd.DataFrame:
    blobs = state.database.read(
        "SELECT part, columns FROM snapshot WHERE scope = ? AND kind = ? ORDER BY part",
        (scope, KIND_NUMBER[kind]),
    )
    if any(part >= parts for part, _ in blobs):
        raise ValueError("parts that belong to no snapshot")
    columns = _joined([_unpacked(kind, blob) for _, blob in blobs])
    if columns and not of_any_age and len(columns) < len(SCHEMA[kind]):
        raise ValueError("kept by an older plexsheet, which did not read as much")
    return library_table(kind, columns or {"key": np.empty(0, np.int64)})


def _joined(parts: list[dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """The first part with the rows of later ones in their place, in key order."""
    if len(parts) < 2:
        return parts[0] if parts else {}
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    keys = columns["key"]
    order = np.argsort(keys, kind="stable")  # of one key the latest part comes last
    last = np.append(keys[order][1:] != keys[order][:-1], True)
    return {name: values[order[last]] for name, values in columns.items()}


# Bytes


def _packed(kind: Kind, table: pd.DataFrame) -> bytes:
    """A table of the schema as bytes: its numbers, then the different texts of each column."""
    numbers: dict[str, NDArray[Any]] = {}
    texts: list[bytes] = []
    titles = table["title"].to_numpy()
    for name, dtype in SCHEMA[kind].items():
        values = table[name].to_numpy()
        if dtype != TEXT:
            numbers[name] = values
            continue
        if name == "sort_title":  # mostly the title
            values = np.where(values == titles, "", values)
        codes, different = pd.factorize(values)
        numbers[name] = codes.astype(np.int32)
        texts.append(texts_packed(different))
    body = pack(pd.DataFrame(numbers))
    return joined([body, *texts])


def _unpacked(kind: Kind, blob: bytes) -> dict[str, NDArray[Any]]:
    pieces = apart(blob)
    columns = {str(name): column.to_numpy() for name, column in unpack(pieces[0]).items()}
    names = [name for name, dtype in SCHEMA[kind].items() if dtype == TEXT]
    for name, piece in zip(names, pieces[1:], strict=True):
        columns[name] = texts_unpacked(piece)[columns[name]]
    same = columns["sort_title"] == ""
    columns["sort_title"] = np.where(same, columns["title"], columns["sort_title"])
    for name, dtype in SCHEMA[kind].items():
        if dtype in (INT, FLOAT) and name in columns:  # an older plexsheet kept fewer
            columns[name] = columns[name].astype(dtype, copy=False)
    return columns
