"""Whose a rating is: the person's, ours, or nobody's (pure).

It follows from events, never from equal numbers.  A rating becomes the person's by an edit, by
ACCEPT, by a number they typed, also the one that stood there, or by rating in Plex after our
last write, also with the value that stood there; it becomes ours only by our own write.

plexsheet remembers what it wrote as Plex gave it back (the shadow state).  A rating
that still stands as we left it is inferred; every other rating is the person's own.  Only
what was read back counts, so a server that rounds never makes an inferred rating look like
the person's; and tracks for which Plex keeps one rating stand and fall together.

What was done to an item is a list of events.  What takes a run back asks for what happened
after it (``since``): whatever became the person's then is left alone, whatever its value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.inference.model import Evidence, TwinDecision
from plexsheet.library import KINDS, SHARING, Kind, Library, rows_of
from plexsheet.ratings import READ_BACK_WITHIN, near


class Source(IntEnum):
    """Whose a rating is, by its code in a base; ``SOURCES`` has the words."""

    UNRATED = 0
    MANUAL = 1
    INFERRED = 2
    TWIN = 3
    EXCLUDED = 4


SOURCES = tuple(source.name.capitalize() for source in Source)

Bools = NDArray[np.bool_]
BEFORE_ALL = -1  # an event that brings back what was there before the first one
UNKNOWN = -1  # a time of rating that was not kept
LATE_S = 120  # so long after an event without a time of rating, one in Plex is another's


@dataclass(frozen=True, slots=True)
class Event:
    """What made the rating of an item whose it is, or a decision about the item.

    Attributes:
        field: "rating", "exclude" or "twin".
        owner: "person", "plexsheet" or "none".
        how: edit, accept, clear, inferred, undo, … as plans name it; "plex": given in Plex.
        at: when, epoch seconds by our clock; for "plex" by the server's.
        run: which did it, 0 for none.
        value: as read back, 0-10, NaN unrated.
        rated_at: ``lastRatedAt`` as read back, ``UNKNOWN`` where it was not kept.
        restores: the event that holds again through this one, ``BEFORE_ALL`` for the state
            before the first; 0: it holds itself.
    """

    id: int
    kind: Kind
    key: int
    field: str
    owner: str
    how: str
    at: int
    run: int
    value: float
    rated_at: int
    restores: int = 0

    @property
    def holds(self) -> int:
        """Number of the event that holds through this one."""
        return self.restores or self.id


def since(
    history: Sequence[Event], run: int, now: float = math.nan, now_at: int = 0, *, seen: bool = True
) -> Event | None:
    """What happened to a rating after a run; None where it stands as the run left it.

    Args:
        history: of the item, oldest first; events of the run among them.
        run: the one in question.
        now, now_at: rating and ``lastRatedAt`` as Plex holds them.
        seen: whether Plex was asked; False for decisions, of which it knows nothing.
    """
    own = next((event for event in reversed(history) if event.run == run), None)
    if own is None:
        return None
    last = history[-1]
    if seen and given_since(last, now, now_at):
        owner = "none" if math.isnan(now) else "person"
        at = now_at if now_at > last.rated_at else 0
        return Event(0, last.kind, last.key, last.field, owner, "plex", at, 0, now, now_at)
    if last.holds == own.holds:
        return None
    held = next((event for event in history if event.id == last.holds), last)
    both_ours = held.owner == own.owner == "plexsheet" and near(held.value, own.value)
    return None if both_ours else held


def given_since(event: Event, now: float, now_at: int) -> bool:
    """Whether a rating was given or removed in Plex after an event, also the same value again."""
    if not near(event.value, now):
        return True
    if event.rated_at == UNKNOWN:
        return now_at > event.at + LATE_S
    return bool(rated_since(now_at, event.rated_at))


@dataclass(frozen=True)
class Owned:
    """Whose the ratings of a library are.

    Attributes:
        evidence: what inference may build on.
        source: for each kind, shape (items,), Manual, Inferred, Twin, Unrated or Excluded.
        taken_over: columns kind, key, shadow (0-10, what we wrote), now (0-10, NaN cleared),
            tags: inferred ratings that the person changed, cleared or confirmed since.
        cleared: for each kind, keys whose inferred rating the person removed.
    """

    evidence: Evidence
    source: Mapping[Kind, NDArray[Any]]
    taken_over: pd.DataFrame
    cleared: Mapping[Kind, NDArray[np.int64]]


def owned(
    library: Library,
    shadow: Mapping[Kind, pd.DataFrame],
    excluded: Mapping[Kind, NDArray[np.int64]],
    twin_decisions: Mapping[int, TwinDecision] | None = None,
) -> Owned:
    """Whose each rating of a library is.

    Args:
        library: as read now.
        shadow: for each kind what plexsheet last wrote: key, value, last_rated_at, why, tags.
        excluded: for each kind the keys the person marked EXCLUDE.
        twin_decisions: what they decided on the Twins sheet.
    """
    manual: dict[Kind, Bools] = {}
    barred: dict[Kind, Bools] = {}
    source: dict[Kind, NDArray[Any]] = {}
    cleared: dict[Kind, NDArray[np.int64]] = {}
    lost = []
    for kind in KINDS:
        ours, why, gone = _ours(library, kind, shadow[kind])
        rated = ~np.isnan(library.ratings(kind))
        manual[kind] = rated & ~ours
        barred[kind] = np.isin(library.keys(kind), excluded[kind])
        words = np.where(manual[kind], "Manual", "Unrated").astype(object)
        words[ours] = np.where(why[ours] == "twin", "Twin", "Inferred")
        words[barred[kind]] = "Excluded"
        source[kind] = words
        lost.append(gone)
        cleared[kind] = gone["key"].to_numpy()[np.isnan(gone["now"].to_numpy())]
    taken = pd.concat(lost, ignore_index=True)
    return Owned(Evidence(manual, barred, dict(twin_decisions or {})), source, taken, cleared)


def _ours(
    library: Library, kind: Kind, shadow: pd.DataFrame
) -> tuple[Bools, NDArray[Any], pd.DataFrame]:
    """Where a rating stands as we left it, why it was written, and what was taken over."""
    table = library.table(kind)
    entry = rows_of(shadow["key"].to_numpy(), table["key"].to_numpy())
    known = entry >= 0
    value = np.full(len(table), np.nan)
    rated_at = np.zeros(len(table), dtype=np.int64)
    why = np.full(len(table), "", dtype=object)
    value[known] = shadow["value"].to_numpy()[entry[known]]
    rated_at[known] = shadow["last_rated_at"].to_numpy()[entry[known]]
    why[known] = shadow["why"].to_numpy()[entry[known]]
    now, now_at = table["user_rating"].to_numpy(), table["last_rated_at"].to_numpy()
    ours = known & stands(now, now_at, value, rated_at)
    if kind == "track" and len(shadow):
        shared = _shared(table, ours, known, why)
        ours = ours | shared
        ours &= ~_shared_with_theirs(table, ours)
    lost = np.flatnonzero(known & ~ours)
    gone = pd.DataFrame(
        {
            "kind": np.full(len(lost), kind, dtype=object),
            "key": table["key"].to_numpy()[lost],
            "shadow": value[lost],
            "now": now[lost],
            "tags": shadow["tags"].to_numpy()[entry[lost]],
        }
    )
    return ours, why, gone


def stands(now: Any, now_at: Any, value: Any, rated_at: Any) -> Bools:
    """Whether ratings stand as they were left: the same value, not given again since.

    Args:
        now: ratings as read now, 0-10, NaN unrated.
        now_at: when they were given, as read now.
        value: as read back after our write.
        rated_at: the same.
    """
    with np.errstate(invalid="ignore"):
        near = np.abs(np.asarray(now) - np.asarray(value)) <= READ_BACK_WITHIN
    return np.asarray(near & ~rated_since(now_at, rated_at))


def rated_since(now_at: Any, rated_at: Any) -> Bools:
    """Whether ratings were given since by somebody else, as their times tell.

    An earlier time tells it too: a rating put back with the date it was once given.  No time
    at all tells nothing.

    Args:
        now_at: when they were given, as read now, epoch seconds, 0 unknown.
        rated_at: as read back after our write; ``UNKNOWN`` where nothing of ours stands.

    >>> rated_since([7, 8, 6, 0], 7).tolist()
    [False, True, True, False]
    """
    now_at, rated_at = np.asarray(now_at), np.asarray(rated_at)
    return np.asarray((now_at != rated_at) & ((now_at > 0) | (rated_at < 0)))


def _shared(table: pd.DataFrame, ours: Bools, known: Bools, why: NDArray[Any]) -> Bools:
    """Tracks that show an inferred rating through another track with the same guid.

    ``why`` is filled in for them.
    """
    group = guid_groups(table["guid"].to_numpy())
    found: Bools = np.zeros(len(table), dtype=bool)
    if not (group >= 0).any():
        return found
    now, now_at = table["user_rating"].to_numpy(), table["last_rated_at"].to_numpy()
    source = np.full(group.max() + 1, -1, dtype=np.intp)
    givers = np.flatnonzero(ours & (group >= 0))
    source[group[givers]] = givers
    takers = np.flatnonzero(~ours & ~known & (group >= 0) & ~np.isnan(now))
    giver = source[group[takers]]
    takers, giver = takers[giver >= 0], giver[giver >= 0]
    same = np.abs(now[takers] - now[giver]) <= READ_BACK_WITHIN
    same &= now_at[takers] <= now_at[giver]
    found[takers[same]] = True
    why[takers[same]] = why[giver[same]]
    return found


def _shared_with_theirs(table: pd.DataFrame, ours: Bools) -> Bools:
    """Tracks whose rating, inferred once, is that of another the person rated.

    Plex keeps one rating for both, so writing one would overwrite the other.
    """
    group = guid_groups(table["guid"].to_numpy())
    now = table["user_rating"].to_numpy()
    theirs = np.flatnonzero(~ours & (group >= 0) & ~np.isnan(now))
    rating = np.full(int(group.max(initial=-1)) + 2, np.nan)
    rating[group[theirs]] = now[theirs]
    with np.errstate(invalid="ignore"):
        same = np.abs(rating[group] - now) <= READ_BACK_WITHIN
    return np.asarray(ours & (group >= 0) & same)


def guid_groups(guids: NDArray[Any]) -> NDArray[np.int64]:
    """Group number of each track by guid where Plex keeps one rating for several, else -1.

    >>> guid_groups(np.array(["plex://track/1", "local://2", "plex://track/1"], dtype=object))
    array([ 0, -1,  0])
    """
    codes, names = pd.factorize(guids)
    counts = np.bincount(codes, minlength=len(names))
    sharing = np.array([str(name).startswith(SHARING) for name in names], dtype=bool)
    kept = (counts > 1) & sharing
    number = np.where(kept, np.cumsum(kept) - 1, -1)
    return np.asarray(number[codes], dtype=np.int64)


def leaders(guids: NDArray[Any], keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """For tracks that share a rating, the lowest key among them; 0 for that one and all others.

    >>> leaders(np.array(["plex://1", "local://2", "plex://1"], dtype=object), np.array([4, 5, 6]))
    array([0, 0, 4])
    """
    group = guid_groups(guids)
    first = np.full(int(group.max(initial=-1)) + 2, np.iinfo(np.int64).max)
    member = group >= 0
    np.minimum.at(first, group[member], keys[member])
    leader = np.where(member, first[group], keys)
    return np.where(leader == keys, 0, leader)
