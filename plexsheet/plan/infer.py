"""Inferred values against what stands in Plex: which to write (pure).

Written is what changes for a person's eye: a value that stands close enough to the new one
stays (``left_standing``), so that ten new ratings do not make thousands of values hop to the
neighbouring step.  Nothing here touches a rating of the person's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.inference.model import Inference
from plexsheet.library import KINDS, Kind, Library, rows_of
from plexsheet.ownership import Owned, guid_groups, leaders
from plexsheet.plan.model import Plan, changes, together
from plexsheet.ratings import READ_BACK_WITHIN, rounded

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
HARDLY = 0.1  # points: 0.05 stars, the smallest rounding step


@dataclass(frozen=True)
class TagNames:
    """Moods that mark what plexsheet wrote; ``""`` for none.

    Attributes:
        inferred: on every inferred rating, twins included (INFERRED_TAG).
        twin: on inferred ratings of twins (TWIN_TAG).
    """

    inferred: str = ""
    twin: str = ""

    def of(self, why: str) -> tuple[str, ...]:
        """The tags an item inferred for this reason carries."""
        wanted = (self.inferred, self.twin if why == "twin" else "")
        return tuple(dict.fromkeys(name for name in wanted if name))


def infer_plan(
    library: Library,
    owned: Owned,
    inference: Inference,
    shadow: Mapping[Kind, pd.DataFrame],
    *,
    phase: int = 0,
    rounding: float | None = 0.05,
    precision: bool = True,
    min_confidence: float = 0.0,
    start_at: str = "",
    tags: TagNames | None = None,
    server_step: float = 0.0,
    sharing: bool = True,
) -> Plan:
    """What inference changes in Plex.

    Args:
        library: as read now.
        owned: whose each rating is.
        inference: proposed values, one for each item.
        shadow: for each kind what plexsheet wrote last; says which items carry which tag.
        phase: 0 all, 1 albums with a rated track below them, 2 artists, 3 albums without
            one, 4 tracks without twins, 5 tracks with twins: each writes only its own.
        rounding: step of written values in stars; None writes them as computed.
        precision: whether a drift too small to matter is left alone (``drift``).
        min_confidence: 0-100; weaker values are not written, and removed where we wrote them.
        start_at: only items of artists whose sort title does not come before this.
        tags: which to put on; None for a server where tags cannot be written.
        server_step: points to which this server rounds what it is sent, 0 for not.
        sharing: whether Plex keeps one rating for tracks with the same guid, as far as is
            known; then copies of a track the person rated are left alone.

    Returns:
        A plan of kind "infer"; notes carry the figures of the report.
    """
    names = tags or TagNames()
    slack = left_standing(rounding, precision, sum(len(library.table(kind)) for kind in KINDS))
    tables, notes = [], {"drift_skipped": 0, "written": 0, "cleared": 0}
    for kind in KINDS:
        reached = chosen = _chosen(library, owned, inference, kind, phase, start_at)
        values = inference.of(kind).value.copy()
        values[inference.of(kind).confidence < min_confidence] = np.nan
        part = _Part(library, owned, inference, kind, values, shadow[kind], names)
        wanted = rounded(values, rounding)
        wanted[np.isnan(values)] = np.nan
        if sharing and kind == "track":
            wanted, chosen = part.one_per_guid(wanted, chosen)
        write, skipped = part.to_write(wanted, chosen, slack, server_step)
        if rounding and not server_step:
            wanted = part.gathered(wanted, write, slack, 2 * rounding)
        clear = part.ours & np.isnan(wanted) & chosen
        retag = part.to_retag(chosen & ~write & ~clear & ~np.isnan(wanted))
        notes["drift_skipped"] += int(skipped.sum())
        notes["written"] += int(write.sum())
        notes["cleared"] += int(clear.sum())
        notes[f"{kind}s"] = int(write.sum() + clear.sum())
        tables += [part.writes(write, wanted), part.clears(clear), part.retags(retag)]
        tables.append(_given_up(library, owned, kind, reached & ~write))
    notes["taken_over"] = int((~np.isnan(owned.taken_over["now"].to_numpy(dtype=float))).sum())
    figures: dict[str, Any] = {**notes, "model": inference.model, "prior": inference.prior}
    return Plan("infer", together(tables), (), figures | {"phase": phase})


def left_standing(rounding: float | None, precision: bool, items: int) -> float:
    """How far, in points, a value in Plex may be from the new one and stay.

    Half a rounding step: what rounding alone may do.  With ``precision`` at least 0.05 stars,
    and the drift that is too small for a library of so many items: after ten new ratings a
    whole library moves by less than that, and each different value is a request.

    >>> round(left_standing(0.05, True, 10_000), 4), left_standing(0.05, False, 10_000)
    (0.14, 0.05)
    >>> left_standing(0.5, True, 1000), left_standing(None, True, 1000)
    (0.52, 0.02)
    """
    half = rounding or 0.0  # half a step in stars is that many points
    if not precision:
        return half
    return (max(half, HARDLY) if rounding else 0.0) + drift(items)


def drift(items: int) -> float:
    """Change, in points, too small to be written for a library of so many items.

    >>> round(drift(1000), 4), drift(100), round(drift(100_000), 4)
    (0.02, 0.0, 0.06)
    """
    return 0.02 * max(0.0, math.log10(max(items, 1)) - 2)


def fewest(values: Floats, step: float, slack: float) -> Floats:
    """Multiples of a step within ``slack`` of each value, with few different ones among them.

    Args:
        values: shape (items,), 0-10, none NaN.
        step: above 0, in points.
        slack: at least half a step.

    >>> fewest(np.array([7.04, 7.06, 7.26]), 0.1, 0.08)
    array([7.1, 7.1, 7.3])
    """
    most = round(10 / step)
    lowest = np.clip(np.ceil((values - slack) / step - 1e-6), 1, most).astype(int)
    highest = np.clip(np.floor((values + slack) / step + 1e-6), 1, most).astype(int)
    chosen: list[int] = []
    ranges = sorted(set(zip(highest.tolist(), lowest.tolist(), strict=True)))
    for high, low in ranges:  # each that holds none of those chosen gets its highest
        if not chosen or chosen[-1] < low:
            chosen.append(high)
    grid = np.array([-np.inf, *chosen, np.inf])
    above = np.searchsorted(grid, values / step)
    below, over = grid[above - 1], grid[above]
    nearest = np.where(values / step - below < over - values / step, below, over)
    return np.asarray(np.round(nearest * step, 6))


class _Part:
    """The items of one kind, with what stands in Plex."""

    def __init__(
        self,
        library: Library,
        owned: Owned,
        inference: Inference,
        kind: Kind,
        values: Floats,
        shadow: pd.DataFrame,
        names: TagNames,
    ) -> None:
        self.kind, self.table, self.values, self.names = kind, library.table(kind), values, names
        self.keys = self.table["key"].to_numpy()
        self.now = self.table["user_rating"].to_numpy()
        self.manual = owned.evidence.manual[kind]
        self.ours: Bools = ~np.isnan(self.now) & ~self.manual
        self.values[owned.evidence.excluded[kind]] = np.nan
        self.why = np.full(len(self.keys), "inferred", dtype=object)
        if kind == "track":
            self.why[inference.twin_group >= 0] = "twin"
        entry = rows_of(shadow["key"].to_numpy(), self.keys)
        self.carried = np.full(len(self.keys), "", dtype=object)
        self.carried[entry >= 0] = shadow["tags"].to_numpy()[entry[entry >= 0]]
        self.known_why = np.full(len(self.keys), "", dtype=object)
        self.known_why[entry >= 0] = shadow["why"].to_numpy()[entry[entry >= 0]]
        self.shares = np.zeros(len(self.keys), dtype=np.int64)

    def one_per_guid(self, wanted: Floats, chosen: Bools) -> tuple[Floats, Bools]:
        """One value for tracks that share a rating; ``shares`` names the one that is written.

        Where one of them is the person's, none is touched: writing a copy would write theirs.
        """
        group = guid_groups(self.table["guid"].to_numpy())
        count = int(group.max(initial=-1)) + 1
        if not count:
            return wanted, chosen
        member = group >= 0
        personal = np.bincount(group[member & self.manual], minlength=count) > 0
        barred = np.bincount(group[member & np.isnan(wanted)], minlength=count) > 0
        theirs = member & personal[np.clip(group, 0, None)]
        rows = np.flatnonzero(member & ~theirs)
        self.shares[rows] = leaders(self.table["guid"].to_numpy()[rows], self.keys[rows])
        leader = np.where(self.shares[rows] > 0, rows_of(self.keys, self.shares[rows]), rows)
        wanted = wanted.copy()
        wanted[rows] = np.where(barred[group[rows]], np.nan, wanted[leader])
        self.values[rows] = np.where(barred[group[rows]], np.nan, self.values[leader])
        return wanted, chosen & ~theirs

    def to_write(
        self,
        wanted: Floats,
        chosen: Bools,
        slack: float,
        server_step: float,
    ) -> tuple[Bools, Bools]:
        """Where a value is written, and where one within ``slack`` points is left as it is."""
        allowed = chosen & ~self.manual & ~np.isnan(wanted)
        new = allowed & np.isnan(self.now)
        with np.errstate(invalid="ignore"):
            same = np.abs(self.now - wanted) <= READ_BACK_WITHIN
            if server_step:
                same |= np.abs(self.now - wanted) <= server_step / 2 + READ_BACK_WITHIN
            close = np.abs(self.values - self.now) <= slack + 1e-9
        standing = allowed & self.ours
        return new | (standing & ~same & ~close), standing & ~same & close

    def gathered(self, wanted: Floats, write: Bools, slack: float, step: float) -> Floats:
        """Wanted values, those that replace one of ours as few different ones as ``slack`` allows.

        Each different value is a request, also for a single item that moved a little.
        """
        again = write & ~np.isnan(self.now)
        few = fewest(self.values[again], step, slack)
        moved = np.abs(few - self.now[again]) > READ_BACK_WITHIN
        wanted = wanted.copy()
        wanted[again] = np.where(moved, few, wanted[again])
        return wanted

    def to_retag(self, standing: Bools) -> Bools:
        """Where a value stays and its tags, or the reason we keep for it, are not as wanted."""
        retag: Bools = np.zeros(len(self.keys), dtype=bool)
        for row_set, (carried, why) in self._sorts(standing & self.ours):
            add, remove = _difference(carried, self.names.of(why))
            if add or remove:
                retag |= row_set
        other_reason: Bools = np.asarray(self.known_why != self.why, dtype=bool)
        return retag | (standing & self.ours & other_reason)

    def writes(self, rows: Bools, wanted: Floats) -> pd.DataFrame:
        """Changes that set a value."""
        table = self._table(rows, "rating", "inferred", "plexsheet", wanted[rows])
        return self._tagged(table, rows, keep=True)

    def clears(self, rows: Bools) -> pd.DataFrame:
        """Changes that take a value of ours away."""
        table = self._table(rows, "rating", "no support", "none", np.nan)
        return self._tagged(table, rows, keep=False)

    def retags(self, rows: Bools) -> pd.DataFrame:
        """Changes of tags alone."""
        table = self._table(rows, "tags", "tags", "plexsheet", self.now[rows])
        return self._tagged(table, rows, keep=True)

    def _table(self, rows: Bools, field: str, reason: str, owner: str, after: Any) -> pd.DataFrame:
        return changes(
            {
                "kind": self.kind,
                "key": self.keys[rows],
                "field": field,
                "before": self.now[rows],
                "after": after,
                "reason": reason,
                "owner_after": owner,
                "why": self.why[rows] if owner == "plexsheet" else "",
                "shares": self.shares[rows] if field == "rating" else 0,
                "title": self.table["title"].to_numpy()[rows],
            }
        )

    def _tagged(self, table: pd.DataFrame, rows: Bools, *, keep: bool) -> pd.DataFrame:
        """The same changes with the tags they put on and take off."""
        add, remove = (table[name].to_numpy(copy=True) for name in ("tags_add", "tags_remove"))
        where = np.flatnonzero(rows)
        for row_set, (carried, why) in self._sorts(rows):
            on, off = _difference(carried, self.names.of(why) if keep else ())
            if on or off:
                for place in np.flatnonzero(row_set[where]).tolist():
                    add[place], remove[place] = on, off
        table["tags_add"], table["tags_remove"] = add, remove
        return table

    def _sorts(self, rows: Bools) -> list[tuple[Bools, tuple[str, str]]]:
        """Rows by the few combinations of tags carried and reason there are."""
        found = []
        pairs = pd.DataFrame({"carried": self.carried[rows], "why": self.why[rows]})
        for carried, why in pairs.drop_duplicates().itertuples(index=False):
            alike = rows & (self.carried == carried) & (self.why == why)
            found.append((alike, (carried, why)))
        return found


def _difference(carried: str, wanted: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tags to put on and to take off, from those carried (newline between) to those wanted."""
    have = tuple(carried.split("\n")) if carried else ()
    there, goal = {name.casefold() for name in have}, {name.casefold() for name in wanted}
    add = tuple(name for name in wanted if name.casefold() not in there)
    return add, tuple(name for name in have if name.casefold() not in goal)


def _chosen(
    library: Library, owned: Owned, inference: Inference, kind: Kind, phase: int, start_at: str
) -> Bools:
    """Which items of a kind this run may write."""
    table = library.table(kind)
    chosen: Bools = np.full(len(table), phase in _PHASES_OF[kind])
    if kind == "album" and phase in (1, 3):
        rated = library.tracks["album_key"].to_numpy()[owned.evidence.manual["track"]]
        below = np.isin(table["key"].to_numpy(), rated)
        chosen &= below if phase == 1 else ~below
    if kind == "track" and phase in (4, 5):
        twins = inference.twin_group >= 0
        chosen &= twins if phase == 5 else ~twins
    if start_at and chosen.any():
        first = start_at.casefold()
        titles = _artists_sort_titles(library, kind)
        chosen &= np.array([title.casefold() >= first for title in titles], dtype=bool)
    return chosen


def _artists_sort_titles(library: Library, kind: Kind) -> list[str]:
    """For each item the sort title of its artist; its own where the artist is not known."""
    own = library.table(kind)["sort_title"].to_numpy()
    if kind == "artist":
        return list(own)
    artists = library.table("artist")["sort_title"].to_numpy()
    row = rows_of(library.keys("artist"), library.table(kind)["artist_key"].to_numpy())
    return list(np.where(row >= 0, np.append(artists, "")[row], own))


_PHASES_OF: Mapping[Kind, tuple[int, ...]] = {
    "artist": (0, 2),
    "album": (0, 1, 3),
    "track": (0, 4, 5),
}


def _given_up(library: Library, owned: Owned, kind: Kind, chosen: Bools) -> pd.DataFrame:
    """Ratings that became the person's, or were removed by them: our tags come off."""
    taken = owned.taken_over
    rows = rows_of(library.keys(kind), taken["key"].to_numpy(dtype=np.int64))
    here = (taken["kind"].to_numpy() == kind) & (rows >= 0)
    here[here] = chosen[rows[here]]
    taken, rows = taken[here], rows[here]
    now = taken["now"].to_numpy(dtype=np.float64)
    return changes(
        {
            "kind": kind,
            "key": taken["key"].to_numpy(),
            "field": "tags",
            "before": now,
            "after": now,
            "reason": "taken over",
            "owner_after": np.where(np.isnan(now), "none", "person").astype(object),
            "tags_remove": [tuple(t.split("\n")) if t else () for t in taken["tags"]],
            "title": library.table(kind)["title"].to_numpy()[rows],
        }
    )
