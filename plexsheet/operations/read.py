"""The library as Plex holds it now: what changed since the last read, or everything.

Plex lists what was rated, changed, added or played since a time.  It cannot list what was
removed or lost its rating, so the numbers of items and of rated items are asked for as
well, and where they are not as expected the whole library is read.  What plexsheet wrote
itself and no listing showed (a batch edit may leave ``lastRatedAt`` alone) is read by key.

Nor does Plex say that a database restored from a backup gives a key to another item.  So the
items that are rated, the last of each kind, are looked at; where one is not as remembered,
the whole library is read, and all that is kept follows its items.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.apply.moved_items import Followed, follow, remember_files
from plexsheet.identity import seen_now, unchanged
from plexsheet.library import KINDS, Kind, Library, rows_of, table
from plexsheet.operations.prospective import compared
from plexsheet.operations.session import Session
from plexsheet.ownership import Owned, owned
from plexsheet.plex.answers import Changes
from plexsheet.plex.gateway import Gateway, Progress
from plexsheet.plex.incremental import merged
from plexsheet.plex.wire import PlexRejected
from plexsheet.ratings import READ_BACK_WITHIN, same_array
from plexsheet.state import foreign_plays, snapshots
from plexsheet.state.snapshots import Snapshot
from plexsheet.state.store import State

FULL_EVERY_S = 7 * 86_400  # a rating changed without a trace is noticed after a week at most
_FOLLOWED = "followed"
MOST_DATED = 1000  # albums whose dates are read again one by one
MARGIN_S = 60  # a server may note a time before it shows what happened then


def read_library(
    gateway: Gateway,
    state: State,
    scope: int,
    *,
    full: bool = False,
    progress: Progress | None = None,
) -> Library:
    """The library now, by as few requests as can tell; kept for the next time.

    Args:
        gateway: connected.
        state: holds the snapshot of the last read.
        scope: the library's number in the state.
        full: read everything, whatever the snapshot says.
        progress: told of each page of a full read: kind, items done, items in all.

    Raises:
        PlexError: reading failed.
        StateError: the snapshot cannot be read or kept.
    """
    version = gateway.server_version
    snapshot = None if full else snapshots.load(state, scope, gateway.identity)
    if snapshot is not None and _trusted(snapshot, version):
        library = _brought_up_to_date(gateway, state, scope, snapshot)
        if library is not None:
            snapshots.save(state, scope, library, snapshot, version)
            return library
    library = gateway.read_library(progress)
    snapshots.save(state, scope, library, None, version)
    return library


def _trusted(snapshot: Snapshot, version: str) -> bool:
    age_s = time.time() - snapshot.full_at
    return 0 <= age_s < FULL_EVERY_S and snapshot.server_version == version


def _brought_up_to_date(
    gateway: Gateway, state: State, scope: int, snapshot: Snapshot
) -> Library | None:
    """The snapshot with what changed since; None where only a full read can tell."""
    old = snapshot.library
    ours = snapshots.written_since(state, scope, snapshot.saved_at - MARGIN_S)
    try:
        changes = gateway.read_changes(old.read_at - MARGIN_S, old.albums, ours["album"])
        last = {kind: gateway.last_rated(kind, _rated(old, kind)) for kind in KINDS}
    except PlexRejected:
        return None  # a server without these filters
    rated = {kind: total for kind, (total, _) in last.items()}
    tables: dict[Kind, pd.DataFrame] = {}
    for kind in KINDS:
        table = _with_ours(gateway, old, changes, kind, ours[kind])
        if table is None:
            return None
        tables[kind] = table
    library = merged(old, tables, changes.totals, rated, changes.read_at)
    if library is None:
        return None
    library = _inherited(library, tables)
    shown = all(_shows(library.table(kind), kind, last[kind][1]) for kind in KINDS)
    return library if shown else None


def _rated(library: Library, kind: Kind) -> int:
    return int(np.count_nonzero(~np.isnan(library.ratings(kind))))


def _shows(table: pd.DataFrame, kind: Kind, now: pd.DataFrame) -> bool:
    """Whether items are in a table as Plex holds them now: the same items, the same ratings."""
    rows = rows_of(table["key"].to_numpy(), now["key"].to_numpy())
    if (rows < 0).any():
        return False
    known = table.iloc[rows]
    ratings = known["user_rating"].to_numpy(), now["user_rating"].to_numpy()
    return bool(_same_items(known, kind, now) and same_array(*ratings, READ_BACK_WITHIN).all())


def _same_items(known: pd.DataFrame, kind: Kind, now: pd.DataFrame) -> bool:
    return bool(unchanged(seen_now(kind, known), seen_now(kind, now)).all())


def _with_ours(
    gateway: Gateway, old: Library, changes: Changes, kind: Kind, ours: NDArray[np.int64]
) -> pd.DataFrame | None:
    """Items of a kind that changed, with those we wrote to and Plex did not list.

    None where one of those is another item than before.
    """
    listed, known = changes.tables[kind], old.table(kind)
    unlisted = np.setdiff1d(ours, listed["key"].to_numpy())
    if not len(unlisted):
        return listed
    dated = kind == "album" and len(unlisted) <= MOST_DATED  # a date may have been written too
    now = gateway.read_items(kind, unlisted) if dated else gateway.read_ratings(kind, unlisted)
    rows = rows_of(known["key"].to_numpy(), now["key"].to_numpy())
    now, rows = now[rows >= 0], rows[rows >= 0]
    reread = known.iloc[rows].reset_index(drop=True)
    if not _same_items(reread, kind, now.reset_index(drop=True)):
        return None
    # Only what we write: an item by itself has more genres than one in a listing.
    for name in ("user_rating", "last_rated_at", *(("year", "released") if dated else ())):
        reread[name] = now[name].to_numpy()
    return pd.concat([listed, reread], ignore_index=True)


def _inherited(library: Library, changed: Mapping[Kind, pd.DataFrame]) -> Library:
    """Names and years that albums and tracks repeat from what is above them, set anew.

    Plex does not call a track changed because its album was renamed.
    """
    albums, tracks = library.albums, library.tracks
    artist, album = changed["artist"], changed["album"]
    if len(artist):
        names = {"artist": artist["title"].to_numpy()}
        albums = _from_parent("album", albums, "artist_key", artist, names)
        tracks = _from_parent("track", tracks, "artist_key", artist, names)
    if len(album):
        album = albums.iloc[rows_of(albums["key"].to_numpy(), album["key"].to_numpy())]
        values = {name: album[name].to_numpy() for name in ("artist", "artist_key", "year")}
        tracks = _from_parent(
            "track", tracks, "album_key", album, values | {"album": album["title"].to_numpy()}
        )
    return replace(library, albums=albums, tracks=tracks)


def _from_parent(
    kind: Kind,
    children: pd.DataFrame,
    link: str,
    parents: pd.DataFrame,
    values: Mapping[str, NDArray[Any]],
) -> pd.DataFrame:
    """Children with columns set from the parents given, where those know the value."""
    rows = rows_of(parents["key"].to_numpy(), children[link].to_numpy())
    below = np.flatnonzero(rows >= 0)
    columns = {str(name): children[name].to_numpy() for name in children}
    differ = False
    for name, above in values.items():
        wanted = above[rows[below]]
        other = (columns[name][below] != wanted) & (
            wanted != (0 if wanted.dtype.kind == "i" else "")
        )
        if other.any():
            columns[name] = columns[name].copy()
            columns[name][below[other]] = wanted[other]
            differ = True
    return table(kind, columns) if differ else children


@dataclass(frozen=True)
class Reading:
    """A library as Plex holds it now, and whose its ratings are.

    Attributes:
        followed: what became of the items that something is remembered about.
    """

    library: Library
    owned: Owned
    followed: Followed


def read(session: Session, *, full: bool = False) -> Reading:
    """Read the library, and tell the person's ratings from inferred ones.

    Args:
        session: connected; told where most items stand under other keys (S07).
        full: read everything even where a recent snapshot would do.
    """
    state, scope = session.state, session.scope
    library = read_library(session.gateway, state, scope, full=full, progress=session.progress)
    content = snapshots.content(state, scope)
    if content and content == state.kv(scope, _FOLLOWED):  # the same items as when all was followed
        return _reading(session, library, Followed(0, {}, ()))
    reading = reading_of(session, library)
    theirs = library.keys("track")[reading.owned.evidence.manual["track"]]
    if remember_files(session.gateway, state, scope, library, theirs) and content:
        state.set_kv(scope, _FOLLOWED, content)
    return reading


def reading_of(session: Session, library: Library) -> Reading:
    """Whose the ratings of a library are, after all that is kept followed its items."""
    followed = follow(session.state, session.scope, library, session.gateway)
    tell_followed(session, followed)
    return _reading(session, library, followed)


def _reading(session: Session, library: Library, followed: Followed) -> Reading:
    state, scope = session.state, session.scope
    whose = owned(
        library, state.shadows(scope), state.exclusions(scope), state.twin_decisions(scope)
    )
    whose = compared(state, scope, library, whose)
    elsewhere = foreign_plays.elsewhere(state, scope, library)
    whose = replace(whose, evidence=replace(whose.evidence, elsewhere=elsewhere))
    return Reading(library, whose, followed)


def tell_followed(session: Session, followed: Followed | None) -> None:
    """Say once that most items stand under other keys now (S07)."""
    if followed is not None and followed.notice:
        session.tell(followed.notice)
