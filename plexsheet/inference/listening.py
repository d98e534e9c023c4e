"""What the person played, as evidence of what they would rate (pure).

Plays, skips, the last play and the day added say much about a track nobody rated.  Raw
counts favour what was added first, so beside them stands each track's rank among those
added around the same time.  A count says nothing where nothing was played yet, or where
the server is new; then there is no listening at all, and the other families stand alone.

Our own ratings steer playlists and playlists steer plays.  ``guarded`` keeps that out:
plays since a rating of ours was written count only as far as they differ from those of
other tracks written with the same value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.library import Library

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

DAY_S = 86_400
MOST_PLAYS = 1000.0  # a count above it is no count: 6,553,701 was seen
NEW_DAYS = 30  # of plays after everything was added on one day, before they are compared
BLOCK_TRACKS = 200  # added around the same time, compared with each other
LEAST_LAST_BLOCK = 100
STEP = 0.1  # points: tracks written with one value, to this step, are compared …
LIKE = 25  # … where they are fewer than so many with their neighbours …
UNUSUAL = 0.2  # of so many alike, those played most and least are
QUARTER_STAR = 0.5  # … within so many points
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
LENGTHS = {
    "plays": 1.0,
    "play rank": 1.0,
    "skips": 1.0,
    "last played": 1.0,
    "added": 0.25,
    "artist plays": 1.0,
    "album plays": 1.0,
}


@dataclass(frozen=True)
class Listening:
    """What was played, one entry per track.

    Attributes:
        plays: effective plays, 0 and up.
        skips: 0 and up.
        unplayed_s: seconds between the last play and ``newest``, -1 never played.
        added: epoch seconds, 0 unknown.
        newest: the last time anything was played or added, epoch seconds; 0 unknown.
        elsewhere: whether plays in another player are counted in.
    """

    plays: Floats
    skips: Floats
    unplayed_s: Ints
    added: Ints
    newest: int
    elsewhere: bool = False

    @staticmethod
    def of(library: Library) -> Listening:
        """As Plex counts, absurd counts capped."""
        tracks = library.tracks
        played = tracks["last_viewed_at"].to_numpy()
        added = np.maximum(tracks["added_at"].to_numpy(), 0)
        newest = int(max(played.max(initial=0), added.max(initial=0)))
        return Listening(
            _counts(tracks["view_count"].to_numpy()),
            _counts(tracks["skip_count"].to_numpy()),
            np.where(played > 0, newest - played, -1),
            added,
            newest,
        )

    def says_something(self) -> bool:
        """Whether anything was played, on a server that has been in use for a while.

        A server is new while all was added on one day and its last play is less than
        ``NEW_DAYS`` days later: counts then say what was tried first, unless plays from
        elsewhere tell of earlier years.
        """
        if not (self.plays > 0).any():
            return False
        if self.elsewhere:
            return True
        days = self.added[self.added > 0] // DAY_S
        if not len(days) or days.min() < days.max():
            return True
        last = self.newest - self.unplayed_s.min(where=self.unplayed_s >= 0, initial=self.newest)
        return bool(last // DAY_S - days.max() >= NEW_DAYS)


@dataclass(frozen=True)
class Elsewhere:
    """What was played in other players, by the lists that were matched.

    Attributes:
        plays: shape (tracks,), 0 and up.
        last_played: shape (tracks,), epoch seconds, 0 unknown.
        sources: for each player its tracks, their plays and the last of them (epoch seconds).
    """

    plays: Floats
    last_played: Ints
    sources: Mapping[str, tuple[int, int, int]]


def together(now: Listening, elsewhere: Elsewhere) -> Listening:
    """Plays in Plex and in other players as one; ours had no part in the latter.

    >>> none = np.zeros(2)
    >>> here = Listening(np.array([1.0, 0]), none, np.array([10, -1]), none.astype(int), 100)
    >>> both = together(here, Elsewhere(np.array([0, 5.0]), np.array([0, 40]), {}))
    >>> both.plays.tolist(), both.unplayed_s.tolist()
    ([1.0, 5.0], [10, 60])
    """
    last = np.where(now.unplayed_s >= 0, now.newest - now.unplayed_s, 0)
    last = np.maximum(last, elsewhere.last_played)
    newest = max(now.newest, int(last.max(initial=0)))
    return replace(
        now,
        plays=_counts(now.plays + elsewhere.plays),
        unplayed_s=np.where(last > 0, newest - last, -1),
        newest=newest,
        elsewhere=True,
    )


@dataclass(frozen=True)
class Written:
    """Counts as they stood when ratings of ours were written, one entry per track.

    Attributes:
        value: shape (tracks,), 0-10, what was written; NaN where none of ours stands.
        plays: shape (tracks,), effective plays then.
        counted, skips: shape (tracks,), plays and skips as Plex counted them then.
        unplayed_s: shape (tracks,), as in ``Listening`` then.
        usual_s: shape (tracks,), what was ``usual`` then.
    """

    value: Floats
    plays: Floats
    counted: Floats
    skips: Floats
    unplayed_s: Ints
    usual_s: Ints


def usual(listening: Listening, theirs: Bools) -> int:
    """Median of ``unplayed_s`` of the tracks the person rated and played; 0 without any.

    Time goes by for all tracks, also while nothing is played; what counts is how much longer
    ago one was played than others.
    """
    played = listening.unplayed_s[theirs & (listening.unplayed_s >= 0)]
    return int(np.median(played)) if len(played) else 0


def guarded(now: Listening, written: Written, usual_s: int) -> Listening:
    """Listening without what our own ratings brought about.

    Where a rating of ours stands, plays since it was written count as far as they differ from
    those of tracks written with the same value (``_steered``).  The skips, and how much longer
    ago than ``usual`` the last play was, stay as they were.

    >>> count, none, never = np.array([0.0, 5.0, 6.0]), np.zeros(3), -np.ones(3, int)
    >>> written = Written(np.array([np.nan, 8.0, 8.1]), none, none, none, never, never)
    >>> guarded(Listening(count, none, never, never, 0), written, 0).plays
    array([0. , 0. , 0.5])
    """
    ours = ~np.isnan(written.value)
    since = now.plays - _counts(written.counted)
    gained = np.zeros(len(since))
    low, high = _steered(written.value[ours], since[ours])
    gained[ours] = since[ours] - np.clip(since[ours], low, high)
    effective = np.maximum(0.0, written.plays + gained)
    ago = np.maximum(written.unplayed_s - written.usual_s + usual_s, 0)
    return replace(
        now,
        plays=np.where(ours, effective, now.plays),
        skips=np.where(ours, _counts(written.skips), now.skips),
        unplayed_s=np.where(ours, np.where(written.unplayed_s < 0, -1, ago), now.unplayed_s),
    )


def _steered(value: Floats, since: Floats) -> tuple[Floats, Floats]:
    """The range of plays since that says nothing, by the tracks written with the same value.

    For a few tracks that is their median.  Of ``LIKE`` or more it leaves out the fifth played
    least and the fifth played most.  A playlist ends somewhere and may have taken only some of
    the tracks with the last value it took, so what is usual for values just apart says nothing
    either.

    Returns:
        Its two ends, each of shape (tracks,).
    """
    step = np.round(value / STEP).astype(np.int64)
    order = np.argsort(step, kind="stable")
    sorted_step, sorted_since = step[order], since[order]
    present, reach = np.unique(step), int(QUARTER_STAR / STEP) // 2
    ends = np.zeros((2, len(present)))
    for place, one in enumerate(present.tolist()):
        for apart in range(reach + 1):
            low, high = np.searchsorted(sorted_step, [one - apart, one + apart + 1])
            if high - low >= LIKE:
                break
        shares = (UNUSUAL, 1 - UNUSUAL) if high - low >= LIKE else (0.5, 0.5)
        ends[:, place] = np.quantile(sorted_since[low:high], shares)
    near = np.abs(present[:, None] - present) <= reach
    low = np.where(near, ends[0], np.inf).min(axis=1)
    high = np.where(near, ends[1], -np.inf).max(axis=1)
    row = np.searchsorted(present, step)
    return low[row], high[row]


@dataclass(frozen=True)
class Heard:
    """What there is to say of the plays behind each item's value.

    Attributes:
        plays: shape (items,), as Plex counts them.
        share: shape (items,), share of what was added around then that was played less; NaN
            where that is not told.
        month: shape (items,), of the last play, months since January 1970; -1 never.
    """

    plays: Ints
    share: Floats
    month: Ints

    @staticmethod
    def of(library: Library, listening: Listening) -> Heard:
        """Of the tracks of a library."""
        tracks = library.tracks
        last = tracks["last_viewed_at"].to_numpy()
        month = last.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
        return Heard(
            np.maximum(tracks["view_count"].to_numpy(), 0),
            share_below(listening),
            np.where(last > 0, month, -1),
        )

    @staticmethod
    def within(tracks: Heard, row: Ints, items: int) -> Heard:
        """Of albums or artists: ``row`` is each track's, -1 for none."""
        plays = np.bincount(row[row >= 0], tracks.plays[row >= 0], minlength=items)
        none = np.full(items, np.nan)
        return Heard(plays.astype(np.int64), none, np.full(items, -1, dtype=np.int64))

    def text(self, row: int) -> str:
        """In brackets, as ``(14 plays, more than 83 % of what was added around then)``."""
        plays, share, month = int(self.plays[row]), float(self.share[row]), int(self.month[row])
        found = "never played" if plays == 0 else "1 play" if plays == 1 else f"{plays:,} plays"
        if plays and not np.isnan(share):
            found += f", more than {int(100 * share)} % of what was added around then"
        if plays and month >= 0:
            found += f"; last played in {MONTHS[month % 12]} {1970 + month // 12}"
        return f" ({found})"

    def texts(self) -> NDArray[np.object_]:
        """``text`` of every item; made once for items that say the same."""
        percent = np.where(np.isnan(self.share), -1, 100 * np.nan_to_num(self.share))
        same = pd.DataFrame({"p": self.plays, "s": percent.astype(np.int64), "m": self.month})
        code = same.groupby(["p", "s", "m"], sort=False).ngroup().to_numpy()
        first = np.unique(code, return_index=True)[1]
        texts = np.array([self.text(row) for row in first.tolist()], dtype=object)
        return texts[code] if len(texts) else np.zeros(0, dtype=object)


def variables(listening: Listening, artist: Ints, album: Ints) -> dict[str, Floats]:
    """What the families of listening are smooth in.

    Args:
        listening: of every track.
        artist, album: shape (tracks,), -1 for none.

    Returns:
        For each name of ``LENGTHS`` shape (tracks,), NaN unknown.  All are NaN where
        listening says nothing.
    """
    if not listening.says_something():
        return {name: np.full(len(listening.plays), np.nan) for name in LENGTHS}
    plays = np.log1p(listening.plays)
    found = {
        "plays": plays,
        "play rank": play_rank(listening),
        "skips": _skips(listening),
        "last played": _last_played(listening),
        "added": _added(listening.added),
        "artist plays": _means(plays, artist),
        "album plays": _means(plays, album),
    }
    return {name: found[name] for name in LENGTHS}


def play_rank(listening: Listening) -> Floats:
    """Normal score of each track's plays among those added around the same time.

    Tracks in the order of the day they were added; a block ends at a change of day once it
    holds ``BLOCK_TRACKS``, and a last one under ``LEAST_LAST_BLOCK`` joins the one before.
    """
    from scipy.special import ndtri

    return np.asarray(ndtri(share_below(listening)), dtype=np.float64)


def share_below(listening: Listening) -> Floats:
    """Share of the tracks added around the same time that were played less, ties halved."""
    block = pd.Series(listening.plays).groupby(_blocks(listening.added))
    return ((block.rank() - 0.5) / block.transform("size")).to_numpy(dtype=np.float64)


def _blocks(added: Ints) -> Ints:
    days, day, counts = np.unique(added // DAY_S, return_inverse=True, return_counts=True)
    block = np.zeros(len(days), dtype=np.int64)
    held = 0
    for i, count in enumerate(counts.tolist()):
        block[i:] += held >= BLOCK_TRACKS
        held = count if held >= BLOCK_TRACKS else held + count
    if held < LEAST_LAST_BLOCK:
        block[block == block.max(initial=0)] -= block.max(initial=0) > 0
    return block[day]


def _skips(listening: Listening) -> Floats:
    heard = (listening.plays > 0) | (listening.skips > 0)
    odds = np.log((listening.skips + 0.5) / (listening.plays + 0.5))
    return np.where(heard, odds, np.nan)


def _last_played(listening: Listening) -> Floats:
    months = np.maximum(listening.unplayed_s, 0) / (30 * DAY_S)
    return np.where(listening.unplayed_s >= 0, np.log1p(months), np.nan)


def _added(added: Ints) -> Floats:
    """From 0, the first day, to 1, the last; NaN where unknown or all on one day."""
    known = added[added > 0] // DAY_S
    span = int(known.max(initial=0) - known.min(initial=0)) if len(known) else 0
    if span == 0:
        return np.full(len(added), np.nan)
    return np.where(added > 0, (added // DAY_S - known.min()) / span, np.nan)


def _means(values: Floats, level: Ints) -> Floats:
    """Mean over each track's level; NaN for none."""
    known = level >= 0
    size = int(level.max(initial=-1)) + 1
    total = np.bincount(level[known], values[known], minlength=size)
    mean = total / np.maximum(np.bincount(level[known], minlength=size), 1)
    return np.where(known, np.append(mean, np.nan)[level], np.nan)


def _counts(values: NDArray[np.float64] | Ints) -> Floats:
    return np.clip(values.astype(np.float64), 0.0, MOST_PLAYS)
