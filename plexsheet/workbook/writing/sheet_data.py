"""The library, its inference and what belongs to whom, as the columns of the sheets (pure).

Pure: columns in, columns out, in the order the rows stand in a fresh export.  Ratings
leave here in stars, dates as the day numbers spreadsheets count in; a blank is NaN or
``""``.  ``bases`` is the same on the ten-point scale: what the state keeps, so that an
edit can later be told from what was shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet import ratings
from plexsheet.inference.model import Evidence, Inference
from plexsheet.library import KINDS, Kind, Library, rows_of
from plexsheet.ownership import SOURCES
from plexsheet.ratings import exact_points, exact_stars
from plexsheet.workbook.schema import check
from plexsheet.workbook.schema.columns import (
    SHEET_OF_KIND,
    SheetName,
)
from plexsheet.workbook.writing.why import EVIDENCE_WORDS, why_texts

Array = NDArray[Any]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Values = dict[str, Array]  # column name to values, row for row with the sheet

_TYPES_THAT_SAY_MORE = ("Live", "Compilation")
_EXCEL_DAY_ZERO = 25_569  # 1970-01-01 as spreadsheets count days
_DAY_S = 86_400


class OwnedRatings(Protocol):
    """What belongs to the person: see ``plexsheet.ownership``."""

    @property
    def evidence(self) -> Evidence:
        """Which ratings are theirs."""

    @property
    def source(self) -> Mapping[Kind, Array]:
        """For each kind, shape (items,), one of ``SOURCES``."""


@dataclass(frozen=True)
class View:
    """Everything the four sheets are made of.

    Attributes:
        library, inference, owned: row for row with each other.
        counts_upward: shape (tracks,), ``""`` where a track speaks for its album, else the
            rule that excludes it.
        rounding: step of inferred values in stars, None as they are.
        utc_offset_s: seconds to add to an epoch for the person's own clock.
        shown: for each kind, shape (items,), which of them the sheets show; None for all.
    """

    library: Library
    inference: Inference
    owned: OwnedRatings
    counts_upward: Array | None = None
    rounding: float | None = 0.05
    utc_offset_s: Callable[[int], int] = field(default=lambda epoch: 0)
    shown: Mapping[Kind, NDArray[np.bool_]] | None = None

    def manual(self, kind: Kind) -> NDArray[np.bool_]:
        """Where the rating is the person's own, shape (items,)."""
        return self.owned.evidence.manual[kind]

    def mine(self, kind: Kind) -> Floats:
        """What My rating shows, in stars, NaN blank, shape (items,)."""
        stars = ratings.stars_array(self.library.ratings(kind))
        return np.where(self.manual(kind), stars, np.nan)

    def inferred(self, kind: Kind) -> Floats:
        """What Inferred shows, in stars, NaN blank, shape (items,)."""
        value = self.inference.of(kind).value
        return ratings.stars_array(ratings.rounded(value, self.rounding))


def sheet_tables(view: View) -> dict[SheetName, Values]:
    """The columns of the sheets of whole kinds and of Twins by name, in sheet order."""
    orders = row_orders(view.library)
    groups = _with_shown(view, twin_groups(view, orders["track"]))
    made: dict[Kind, Values] = {
        "artist": _artist_columns(view),
        "album": _album_columns(view),
        "track": _track_columns(view, groups),
    }
    twins = _twin_columns(view, groups, made["track"])
    tables: dict[SheetName, Values] = {
        SHEET_OF_KIND[kind]: _in_order(made.pop(kind), _shown(view, kind, orders[kind]))
        for kind in KINDS
    }
    return tables | {"Twins": twins}


def _shown(view: View, kind: Kind, order: NDArray[np.intp]) -> NDArray[np.intp]:
    """Those rows of an order that the sheets show."""
    return order if view.shown is None else order[view.shown[kind][order]]


def _in_order(values: Values, order: Ints) -> Values:
    """Columns in the order of the rows; each old one is let go, or memory would hold two tables."""
    return {name: values.pop(name)[order] for name in list(values)}


def bases(view: View) -> dict[Kind, pd.DataFrame]:
    """What each sheet showed, for the state to keep: one row per item, in sheet order.

    Columns: ``key``; ``mine``, ``in_plex``, ``inferred`` 0-10 as shown (to 0.01 star), NaN
    blank; ``source`` as its place in ``columns.SOURCES``; ``check``; ``year`` of albums.
    """
    orders = row_orders(view.library)
    return {
        kind: _base(view, kind).iloc[_shown(view, kind, orders[kind])].reset_index(drop=True)
        for kind in KINDS
    }


def _base(view: View, kind: Kind) -> pd.DataFrame:
    table = view.library.table(kind)
    codes = {word: code for code, word in enumerate(SOURCES)}
    source = view.owned.source[kind]
    columns = {
        "key": table["key"].to_numpy(),
        "mine": np.round(exact_points(view.mine(kind)), 2),
        "in_plex": view.library.ratings(kind),
        "source": np.fromiter((codes[word] for word in source), np.uint8, len(source)),
        "inferred": np.round(exact_points(view.inferred(kind)), 2),
        "check": _checks(view.library, kind),
    }
    if kind == "album":
        columns["year"] = table["year"].to_numpy()
    return pd.DataFrame(columns)


def _checks(library: Library, kind: Kind) -> Ints:
    table = library.table(kind)
    parents = {"artist": (), "album": ("artist",), "track": ("artist", "album")}[kind]
    texts = [table[name].tolist() for name in ("title", *parents)]
    return check.check_numbers(kind, table["key"].tolist(), *texts)


# Row order


def row_orders(library: Library) -> dict[Kind, NDArray[np.intp]]:
    """The order of each kind's rows on its sheet: by name; albums by year; tracks by number."""
    artists, albums, tracks = library.artists, library.albums, library.tracks
    artist_rank = _text_rank(artists["sort_title"])
    artist_of_album = _rank_of(albums["artist_key"].to_numpy(), library.keys("artist"), artist_rank)
    album_order = np.lexsort(
        (albums["key"], _text_rank(albums["sort_title"]), albums["year"], artist_of_album)
    )
    album_rank = np.empty(len(albums), dtype=np.int64)
    album_rank[album_order] = np.arange(len(albums))
    artist_of_track = _rank_of(tracks["artist_key"].to_numpy(), library.keys("artist"), artist_rank)
    album_of_track = _rank_of(tracks["album_key"].to_numpy(), library.keys("album"), album_rank)
    track_order = np.lexsort(
        (tracks["key"], tracks["index"], tracks["disc"], album_of_track, artist_of_track)
    )
    return {
        "artist": np.lexsort((artists["key"], artist_rank)),
        "album": album_order,
        "track": track_order,
    }


def _text_rank(texts: pd.Series) -> Ints:
    folded = [text.casefold() for text in texts]
    rank = {text: place for place, text in enumerate(sorted(set(folded)))}
    return np.fromiter((rank[text] for text in folded), np.int64, len(folded))


def _rank_of(parents: Ints, keys: Ints, rank: Ints) -> Ints:
    """Rank of each row's parent; rows without one come last."""
    row = rows_of(keys, parents)
    ranks = np.append(rank, len(rank))  # row -1 takes the appended one
    return ranks[row]


# Columns


def _common(view: View, kind: Kind) -> Values:
    table = view.library.table(kind)
    inferred = view.inference.of(kind)
    blank = np.full(len(table), "", dtype=object)
    mine = view.mine(kind)
    return {
        "key": np.array([str(key) for key in table["key"].tolist()], dtype=object),
        "title": table["title"].to_numpy(),
        "my_rating": mine,
        "action": blank,
        "will_do": blank,
        "open": table["key"].to_numpy(np.float64),
        "inferred": view.inferred(kind),
        "error": np.round(exact_stars(inferred.error), 2),
        "confidence": np.round(inferred.confidence),
        "in_plex": ratings.stars_array(view.library.ratings(kind)),
        "source": view.owned.source[kind],
        "why": why_texts(inferred),
        "note": blank,
        "was": mine,
        "check": check.check_texts(_checks(view.library, kind)),
    }


def _artist_columns(view: View) -> Values:
    library = view.library
    keys = library.keys("artist")
    artist_of_album = rows_of(keys, library.albums["artist_key"].to_numpy())
    artist_of_track = rows_of(keys, library.tracks["artist_key"].to_numpy())
    return _common(view, "artist") | {
        "sort_title": library.artists["sort_title"].to_numpy(),
        "albums": _counts(artist_of_album, len(keys)),
        "rated_albums": _counts(artist_of_album[view.manual("album")], len(keys)),
        "rated_tracks": _counts(artist_of_track[view.manual("track")], len(keys)),
        "tracks": _counts(artist_of_track, len(keys)),
        "genres": library.artists["genres"].to_numpy(),
    }


def _album_columns(view: View) -> Values:
    albums = view.library.albums
    album_of_track = rows_of(
        view.library.keys("album"), view.library.tracks["album_key"].to_numpy()
    )
    tracks = _counts(album_of_track, len(albums))
    rated = _counts(album_of_track[view.manual("track")], len(albums))
    with np.errstate(invalid="ignore", divide="ignore"):
        coverage = np.round(100 * rated / tracks)
    year = _known(albums["year"])
    return _common(view, "album") | {
        "artist": albums["artist"].to_numpy(),
        "year": year,
        "format": album_types(albums),
        "critic": ratings.stars_array(albums["critic_rating"]),
        "tracks": tracks,
        "rated_tracks": rated,
        "coverage": coverage,
        "genres": albums["genres"].to_numpy(),
        "plays": albums["view_count"].to_numpy(np.float64),
        "added": _days(albums["added_at"], view.utc_offset_s),
        "rated_on": _days(albums["last_rated_at"], view.utc_offset_s),
        "year_was": year,
    }


def _track_columns(view: View, groups: TwinGroups) -> Values:
    tracks = view.library.tracks
    excluded = view.counts_upward
    if excluded is None:
        excluded = np.full(len(tracks), "", dtype=object)
    shown = np.where(groups.number > 0, groups.number, np.nan)
    return _common(view, "track") | {
        "artist": tracks["artist"].to_numpy(),
        "album": tracks["album"].to_numpy(),
        "track_artist": tracks["track_artist"].to_numpy(),
        "disc": _known(tracks["disc"]),
        "index": _known(tracks["index"]),
        "length": minutes_and_seconds(tracks["duration_ms"].to_numpy()),
        "open": _or_own(tracks["album_key"], tracks["key"]),
        "twin_group": shown,
        "counts": np.where(excluded == "", "Yes", excluded),
        "plays": tracks["view_count"].to_numpy(np.float64),
        "last_played": _days(tracks["last_viewed_at"], view.utc_offset_s),
        "added": _days(tracks["added_at"], view.utc_offset_s),
        "rated_on": _days(tracks["last_rated_at"], view.utc_offset_s),
    }


def album_types(albums: pd.DataFrame) -> Array:
    """Live or Compilation where an album is one, else Album, EP or Single, ``""`` unknown."""
    kinds = []
    for plain, more in zip(albums["format"], albums["subformat"], strict=True):
        words = [word.strip() for word in more.split(";")]
        kinds.append(next((word for word in _TYPES_THAT_SAY_MORE if word in words), plain))
    return np.array(kinds, dtype=object)


def _counts(group: NDArray[np.intp], groups: int) -> Floats:
    return np.bincount(group[group >= 0], minlength=groups).astype(np.float64)


def _known(values: Any) -> Floats:
    """Numbers of which 0 means unknown: NaN there."""
    numbers = np.asarray(values, dtype=np.float64)
    return np.where(numbers == 0, np.nan, numbers)


def minutes_and_seconds(milliseconds: Ints) -> Floats:
    """Lengths as numbers that show as minutes and seconds: 345 is 3:45; NaN where 0.

    >>> minutes_and_seconds(np.array([225_400, 0]))
    array([345.,  nan])
    """
    seconds = np.rint(milliseconds / 1000)
    return np.where(milliseconds == 0, np.nan, 100 * (seconds // 60) + seconds % 60)


def _or_own(albums: pd.Series, tracks: pd.Series) -> Floats:
    """Key of the page that shows each track: its album's, its own where it has none."""
    return np.where(albums == 0, tracks, albums).astype(np.float64)


def _days(epochs: pd.Series, utc_offset_s: Callable[[int], int]) -> Floats:
    """Epoch seconds as whole days of the person's calendar, NaN where 0."""
    seconds = epochs.to_numpy()
    hours, place = np.unique(seconds // 3600, return_inverse=True)
    offsets = np.array([utc_offset_s(int(hour) * 3600) for hour in hours], dtype=np.int64)
    local = seconds + (offsets[place] if len(hours) else 0)
    return np.where(seconds == 0, np.nan, local // _DAY_S + _EXCEL_DAY_ZERO)


# Twins


@dataclass(frozen=True)
class TwinGroups:
    """The groups of the Twins sheet.

    Attributes:
        number: shape (tracks,), the group's number on the sheet, from 1; 0 without a group.
        order: rows of the tracks table in the sheet's order.
        disagree: shape (tracks,), true where manual ratings in the group differ.
    """

    number: Ints
    order: NDArray[np.intp]
    disagree: NDArray[np.bool_]


def twin_groups(view: View, track_order: NDArray[np.intp]) -> TwinGroups:
    """Groups as the sheet shows them, those that disagree first, then as tracks stand.

    Copies that a decision parted stay under one number, or the decision could not be
    taken back on the sheet.
    """
    shown = _shown_groups(view)
    member = np.flatnonzero(shown >= 0)
    place = np.empty(len(track_order), dtype=np.int64)
    place[track_order] = np.arange(len(track_order))
    groups, index = np.unique(shown[member], return_inverse=True)
    first = np.full(len(groups), len(place))
    np.minimum.at(first, index, place[member])
    low, high = _extremes(view.mine("track")[member], index, len(groups))
    disagree = high - low > 0.005  # NaN, where none is rated, is no disagreement
    rank = np.empty(len(groups), dtype=np.int64)
    rank[np.lexsort((first, ~disagree))] = np.arange(1, len(groups) + 1)
    number = np.zeros(len(shown), dtype=np.int64)
    number[member] = rank[index]
    differs = np.zeros(len(shown), dtype=bool)
    differs[member] = disagree[index]
    return TwinGroups(number, member[np.lexsort((place[member], number[member]))], differs)


def _with_shown(view: View, groups: TwinGroups) -> TwinGroups:
    """The groups of which at least one copy is shown on Tracks."""
    if view.shown is None:
        return groups
    wanted = np.unique(groups.number[view.shown["track"]])
    kept = np.isin(groups.number[groups.order], wanted[wanted > 0])
    return replace(groups, order=groups.order[kept])


def _shown_groups(view: View) -> Ints:
    shown = view.inference.twin_group.astype(np.int64).copy()
    decisions = view.owned.evidence.twin_decisions
    if not decisions:
        return shown
    rows = rows_of(view.library.keys("track"), np.fromiter(decisions, np.int64, len(decisions)))
    fresh = int(shown.max(initial=-1)) + 1
    of_label: dict[str, int] = {}
    for row, decision in zip(rows.tolist(), decisions.values(), strict=True):
        if row < 0:
            continue
        label = decision.group or f"alone {decision.key}"
        if label not in of_label:
            of_label[label], fresh = fresh, fresh + 1
        together = shown == shown[row] if shown[row] >= 0 else np.array([row])
        shown[together] = of_label[label]
    return shown


def _extremes(values: Floats, group: Ints, groups: int) -> tuple[Floats, Floats]:
    low, high = np.full(groups, np.inf), np.full(groups, -np.inf)
    known = ~np.isnan(values)
    np.minimum.at(low, group[known], values[known])
    np.maximum.at(high, group[known], values[known])
    return low, high


def _medians(values: Floats, group: Ints, groups: int) -> Floats:
    """Median of each group's known values, NaN where none is known."""
    medians = pd.Series(values).groupby(group).median()
    return np.asarray(medians.reindex(range(groups)).to_numpy(), dtype=np.float64)


def _twin_columns(view: View, groups: TwinGroups, track: Values) -> Values:
    rows = groups.order
    tracks = view.library.tracks.iloc[rows]
    number = groups.number[rows]
    albums = view.library.albums
    album = rows_of(view.library.keys("album"), tracks["album_key"].to_numpy())
    types = np.append(album_types(albums), "")
    seconds = tracks["duration_ms"].to_numpy() / 1000
    middle = _medians(np.where(seconds > 0, seconds, np.nan), number, len(rows) + 1)
    decisions = view.owned.evidence.twin_decisions
    decided = [decisions.get(key) for key in tracks["key"].tolist()]
    blank = np.full(len(rows), "", dtype=object)
    evidence = view.inference.twin_evidence[rows]
    return {
        "group": number.astype(np.float64),
        **{name: track[name][rows] for name in ("key", "artist", "title", "album", "in_plex")},
        **{name: track[name][rows] for name in ("length", "source", "check", "open")},
        "year": _known(tracks["year"]),
        "format": types[album],
        "off_median_s": np.where(seconds > 0, np.round(seconds - middle[number], 1), np.nan),
        "group_value": _group_values(view, groups),
        "evidence": np.array([EVIDENCE_WORDS.get(word, word) for word in evidence], dtype=object),
        "decision": object_array([one.decision if one else "" for one in decided]),
        "sub_group": object_array([one.sub_group if one else "" for one in decided]),
        "note": blank,
        "was_decision": object_array(
            [f"{one.decision} {one.sub_group}".strip() if one else "" for one in decided]
        ),
    }


def _group_values(view: View, groups: TwinGroups) -> Array:
    """Stars the copies of a group share, or DISAGREE, in the sheet's order."""
    rows = groups.order
    number = groups.number[rows]
    mine, inferred = view.mine("track")[rows], view.inferred("track")[rows]
    own = _medians(mine, number, len(rows) + 1)
    expected = _medians(np.where(np.isnan(mine), inferred, np.nan), number, len(rows) + 1)
    value = np.round(np.where(np.isnan(expected), own, expected), 2)[number]
    return object_array(
        [
            "DISAGREE" if differs else "" if np.isnan(stars) else stars
            for stars, differs in zip(value.tolist(), groups.disagree[rows].tolist(), strict=True)
        ]
    )


def object_array(values: list[Any]) -> Array:
    """Values of any sort as an array of objects, shape (values,)."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
