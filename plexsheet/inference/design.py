"""What may speak for a rating: families of effects, as sparse columns over the tracks (pure).

A family is a kind of effect (artist, album, year …); each of its levels (one artist, one
album …) is a column.  A track's expected rating is the library's level plus the effects
of its levels.  Smooth families (year, duration …) have a column per knot; their
covariance between knots is in ``root``, so that every column's effect is independent.

Only names, numbers and counts are read here, never a rating.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from plexsheet.inference import names
from plexsheet.inference.listening import LENGTHS, Listening, variables
from plexsheet.library import Library, rows_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

PERIOD_YEARS = 5
YEAR_KNOTS_APART = 2.0
YEAR_LENGTH = 8.0
KNOTS = 25
LOG_LENGTH = 0.5  # of smooths in the logarithm of a duration, number or size
LEAST_LOG_SPREAD = 0.1  # of logarithms, below which their differences say nothing
LEAST_SCORE_SPREAD = 0.25  # of critics' scores, the same


@dataclass(frozen=True)
class Family:
    """A family of effects.

    Attributes:
        name: as in the figures a model reports.
        part: the part of the explanation it counts towards.
        expected: prior mean of the logarithm of its variance ratio (effect to noise).
        spread: prior standard deviation of the same, its own.
        shared: whether the library's overall signal shifts it too.
        of_item: whether it belongs to a typical track of an album or artist, so that a
            rating given to the album or artist speaks of it.
    """

    name: str
    part: str
    expected: float
    spread: float = 0.8
    shared: bool = True
    of_item: bool = True


FAMILIES = (
    Family("artist", "artist", -2.3),
    Family("artist period", "artist", -2.8),
    Family("album", "album", -2.8),
    Family("track artist", "track artist", -2.2, of_item=False),
    Family("song", "song", -0.7, spread=0.3, shared=False, of_item=False),
    Family("title", "song", -2.0, of_item=False),
    Family("genre", "genre", -2.5),
    Family("year", "year", -2.7),
    Family("duration", "length", -3.2),
    Family("artist duration", "length", -3.3),
    Family("album duration", "length", -3.7),
    Family("position", "position", -4.4),
    Family("artist position", "position", -4.2),
    Family("album words", "words", -4.3),
    Family("track words", "words", -4.4, of_item=False),
    Family("plays", "listening", -2.2),
    Family("play rank", "listening", -1.5),
    Family("skips", "listening", -2.6),
    Family("last played", "listening", -2.1),
    Family("added", "listening", -2.1),
    Family("artist plays", "listening", -2.1),
    Family("album plays", "listening", -3.8),
    Family("critic", "critic", -4.5),
    Family("album size", "other", -3.4),
    Family("artist size", "other", -3.4),
    Family("missing", "other", -3.5),
    Family("filler", "other", -1.0),
)
PARTS = ("library", *dict.fromkeys(family.part for family in FAMILIES))


@dataclass(frozen=True)
class Block:
    """The columns of one family.

    Attributes:
        family: which.
        tracks: shape (tracks, levels), each level's weight in each track.
        lent: the same, of levels that speak for a track and hear nothing of it: those a
            filler's album and artist have without it.
        root: shape (levels, levels) where the levels' covariance is ``root @ root.T``;
            None where levels are independent.
    """

    family: Family
    tracks: sparse.csr_array
    root: Floats | None = None
    lent: sparse.csr_array | None = None


@dataclass(frozen=True)
class Design:
    """All families over one library.

    Attributes:
        blocks: one per family that says something here, in the order of ``FAMILIES``.
        twins: shape (tracks,), true where the track's song is on two or more albums.
        fillers: shape (tracks,), true where a track does not speak for its album and artist.
        listening: what was played, where that says something.
    """

    blocks: tuple[Block, ...]
    twins: Bools
    fillers: Bools
    listening: Listening | None = None


@dataclass(frozen=True)
class _Facts:
    """What the blocks are made of, one entry per track; -1 or NaN where there is none."""

    artist: Ints
    album: Ints
    album_row: Ints
    track_artist: Ints
    year: Floats
    duration: Floats
    position: Floats
    title: NDArray[np.object_]
    bare: NDArray[np.object_]


def build(
    library: Library,
    songs: Ints | None = None,
    listening: Listening | None = None,
    fillers: Bools | None = None,
) -> Design:
    """The families' columns over a library's tracks.

    Args:
        library: names, numbers and counts; its ratings are not read.
        songs: shape (tracks,), twin groups found elsewhere, -1 for none.  By default
            artist and title on two or more albums.
        listening: what was played; None leaves it out.
        fillers: shape (tracks,), tracks that do not speak for their album and artist; by
            default none.
    """
    facts = _facts(library)
    song = _songs(facts) if songs is None else songs
    apart = np.zeros(len(song), dtype=bool) if fillers is None else fillers
    made = dict(_blocks(library, facts, song, apart))
    if listening is not None:
        made |= dict(_listening_blocks(listening, facts))
    blocks = tuple(made[family.name] for family in FAMILIES if family.name in made)
    heard = listening if "plays" in made else None
    return Design(blocks, song >= 0, apart, heard)


def _listening_blocks(listening: Listening, facts: _Facts) -> Iterator[tuple[str, Block]]:
    """Families of listening, those left out that are unknown everywhere or all the same."""
    by_name = {family.name: family for family in FAMILIES}
    for name, values in variables(listening, facts.artist, facts.album).items():
        knots = _knots(values)
        if len(knots) > 1:
            yield name, _smooth(by_name[name], values, knots, LENGTHS[name])


def _facts(library: Library) -> _Facts:
    tracks, albums = library.tracks, library.albums
    artist_row = rows_of(library.keys("artist"), tracks["artist_key"].to_numpy())
    album_row = rows_of(library.keys("album"), tracks["album_key"].to_numpy())
    artist_name = names.folded(library.artists["title"].to_numpy())
    nobody = np.array([n in names.UNKNOWN or n in names.VARIOUS for n in artist_name], dtype=bool)
    album_name = names.folded(albums["title"].to_numpy())
    nothing = np.array([n in names.UNKNOWN for n in album_name], dtype=bool)
    position = tracks["index"].to_numpy()
    duration = tracks["duration_ms"].to_numpy()
    year = tracks["year"].to_numpy().astype(np.float64)
    return _Facts(
        artist=_only(artist_row, nobody),
        album=_only(album_row, nothing),
        album_row=album_row.astype(np.int64),
        track_artist=_performers(library),
        year=np.where((year > 1000) & (year < 3000), year, np.nan),
        duration=np.where(duration > 0, np.log(np.maximum(duration, 1) / 1000), np.nan),
        position=np.where(position > 0, np.log1p(np.maximum(position, 0)), np.nan),
        title=names.folded(tracks["title"].to_numpy()),
        bare=names.bare(tracks["title"].to_numpy()),
    )


def _only(row: NDArray[np.intp], never: Bools) -> Ints:
    """Rows kept where there is one and it is not one of ``never``."""
    kept = np.append(~never, False)
    return np.where(kept[row], row, -1).astype(np.int64)


def _performers(library: Library) -> Ints:
    """Number of each track's own artist, by folded name; -1 for nobody in particular."""
    tracks = library.tracks
    given = tracks["track_artist"].to_numpy()
    name = np.where(given == "", tracks["artist"].to_numpy(), given)
    performer = names.folded(name)
    codes, unique = pd.factorize(performer)
    nobody = np.array([n in names.UNKNOWN or n in names.VARIOUS for n in unique], dtype=bool)
    return _only(codes, nobody)


def _songs(facts: _Facts) -> Ints:
    """Songs: track artist and title on two or more albums; -1 elsewhere."""
    title = pd.factorize(facts.title)[0]
    named = (facts.track_artist >= 0) & (facts.title != "")
    song = _pairs(np.where(named, facts.track_artist, -1), title)
    return _spread(song, facts.album_row, least=2)


def _spread(level: Ints, over: Ints, least: int) -> Ints:
    """Levels that occur with ``least`` or more different values of ``over``; else -1."""
    both = np.unique(np.column_stack([level, over])[level >= 0], axis=0)
    enough = np.bincount(both[:, 0], minlength=int(level.max(initial=-1)) + 1) >= least
    return _only(level, ~enough)


def _pairs(first: Ints, second: Ints) -> Ints:
    """A number for each pair of levels; -1 where either is -1."""
    known = (first >= 0) & (second >= 0)
    pair = first * (int(second.max(initial=0)) + 1) + second
    numbers = np.full(len(first), -1, dtype=np.int64)
    numbers[known] = pd.factorize(pair[known])[0]
    return numbers


def _blocks(
    library: Library, facts: _Facts, song: Ints, fillers: Bools
) -> Iterator[tuple[str, Block]]:
    by_name = {family.name: family for family in FAMILIES}
    period = np.where(np.isnan(facts.year), -1, np.nan_to_num(facts.year) // PERIOD_YEARS)
    long = standardised(facts.duration, LEAST_LOG_SPREAD)
    late = standardised(facts.position, LEAST_LOG_SPREAD)
    own = {
        "artist": (facts.artist, None),
        "artist period": (_pairs(facts.artist, period.astype(np.int64)), None),
        "album": (facts.album, None),
        "track artist": (facts.track_artist, None),
        "artist duration": (facts.artist, long),
        "album duration": (facts.album, long),
        "artist position": (facts.artist, late),
    }
    for name, (level, weight) in own.items():
        yield name, _apart(by_name[name], level, weight, fillers)
    for name, level in (("song", song), ("title", _titles(facts))):
        yield name, Block(by_name[name], columns(level, None))
    smooth = {
        "duration": facts.duration,
        "position": facts.position,
        "album size": _log_sizes(facts.album),
        "artist size": _log_sizes(facts.artist),
    }
    for name, values in smooth.items():
        yield name, _smooth(by_name[name], values, _knots(values), LOG_LENGTH)
    yield "year", _smooth(by_name["year"], facts.year, _year_knots(facts.year), YEAR_LENGTH)
    yield from _album_blocks(library, facts, by_name)
    words = names.word_bag(facts.title, least=3)
    yield "track words", Block(by_name["track words"], words)
    yield "missing", Block(by_name["missing"], _missing(library, facts))
    if fillers.any():
        one = np.where(fillers, 0, -1).astype(np.int64)
        yield "filler", Block(by_name["filler"], columns(one, None))


def _apart(family: Family, level: Ints, weight: Floats | None, fillers: Bools) -> Block:
    """Levels of which fillers have their own; those of the other tracks are lent to them."""
    if not fillers.any():
        return Block(family, columns(level, weight))
    own = fillers & (level >= 0)
    levels = 2 * (int(level.max(initial=-1)) + 1)
    apart = np.where(own, level + levels // 2, level)
    lent = columns(np.where(own, level, -1), weight, levels)
    return Block(family, columns(apart, weight, levels), lent=lent)


def _titles(facts: _Facts) -> Ints:
    codes = np.where(facts.bare == "", -1, pd.factorize(facts.bare)[0]).astype(np.int64)
    counts = np.bincount(codes[codes >= 0], minlength=int(codes.max(initial=-1)) + 1)
    return _only(codes, counts < 2)


def _album_blocks(
    library: Library, facts: _Facts, by_name: dict[str, Family]
) -> Iterator[tuple[str, Block]]:
    """Families read from the album: its words, genres and critics' score."""
    albums = library.albums
    at = columns(facts.album_row, None, len(albums))
    title = names.folded(albums["title"].to_numpy())
    yield "album words", Block(by_name["album words"], at @ names.word_bag(title, least=2))
    yield "genre", Block(by_name["genre"], at @ _genres(albums["genres"].to_numpy()))
    critic = standardised(albums["critic_rating"].to_numpy(), LEAST_SCORE_SPREAD)
    one = np.zeros(len(albums), dtype=np.int64)
    yield (
        "critic",
        Block(by_name["critic"], at @ columns(np.where(critic == 0, -1, one), critic, 1)),
    )


def _genres(texts: NDArray[np.object_]) -> sparse.csr_array:
    """Genres of each album: several share the weight so that their variance is one's."""
    numbers: dict[str, int] = {}
    rows, levels, weights = [], [], []
    for row, text in enumerate(texts):
        found = sorted({part.strip().casefold() for part in text.split(";")} - {""})
        for genre in found:
            rows.append(row)
            levels.append(numbers.setdefault(genre, len(numbers)))
            weights.append(1 / np.sqrt(len(found)))
    return sparse.csr_array((weights, (rows, levels)), shape=(len(texts), len(numbers)))


def _missing(library: Library, facts: _Facts) -> sparse.csr_array:
    kind = names.folded(library.albums["subformat"].to_numpy())
    compilation = np.array(["compilation" in words for words in kind], dtype=bool)
    genreless = library.albums["genres"].to_numpy() == ""
    indicators = [
        facts.album < 0,
        np.isnan(facts.position),
        np.isnan(facts.year),
        np.append(genreless, True)[facts.album_row],
        np.append(compilation, False)[facts.album_row],
    ]
    return sparse.csr_array(np.column_stack(indicators).astype(np.float64))


def standardised(values: Floats, least: float) -> Floats:
    """Values less their mean, over their ``deviation``; 0 where NaN.

    >>> standardised(np.array([200.0, 200.0, 200.3, np.nan]), least=0.5).round(1)
    array([-0.2, -0.2,  0.4,  0. ])
    """
    known = values[~np.isnan(values)]
    mean = known.mean() if len(known) else 0.0
    return np.asarray(np.nan_to_num((values - mean) / deviation(values, least)))


def deviation(values: Floats, least: float) -> float:
    """Standard deviation of what is known, at least ``least``: small differences stay small."""
    known = values[~np.isnan(values)]
    return max(float(known.std()), least) if len(known) else least


def columns(level: NDArray[np.int64], weight: Floats | None, levels: int = 0) -> sparse.csr_array:
    """One column per level, ``weight`` (1 by default) in the rows of that level, none for -1."""
    known = level >= 0
    ends = np.concatenate([[0], np.cumsum(known)])
    values = np.ones(len(level)) if weight is None else weight
    width = max(levels, int(level.max(initial=-1)) + 1)
    return sparse.csr_array((values[known], level[known], ends), shape=(len(level), width))


def _log_sizes(level: Ints) -> Floats:
    """Logarithm of how many tracks the library holds of each track's level; NaN for none."""
    counts = np.bincount(level[level >= 0], minlength=int(level.max(initial=-1)) + 1)
    size = np.append(counts, 0)[level]
    return np.where(level >= 0, np.log(np.maximum(size, 1)), np.nan)


def _knots(values: Floats) -> Floats:
    """Evenly spread knots over the values seen, extremes cut at one in a thousand."""
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return np.zeros(1)
    low, high = np.quantile(known, [0.001, 0.999])
    return np.linspace(low, high, KNOTS) if high - low > 1e-9 else np.array([low])


def _year_knots(years: Floats) -> Floats:
    known = years[~np.isnan(years)]
    if len(known) == 0:
        return np.zeros(1)
    low, high = np.quantile(known, [0.001, 0.999])
    return np.linspace(low, high, min(100, int((high - low) / YEAR_KNOTS_APART) + 2))


def _smooth(family: Family, values: Floats, knots: Floats, length: float) -> Block:
    """A smooth curve: linear between knots whose heights are a Matérn-3/2 process.

    Source:
        Rasmussen and Williams, Gaussian Processes for Machine Learning, section 4.2.1.
    """
    known = ~np.isnan(values)
    place = np.interp(values[known], knots, np.arange(len(knots)))
    left = np.minimum(place.astype(np.int64), max(len(knots) - 2, 0))
    right = np.minimum(left + 1, len(knots) - 1)
    share = place - left
    level = np.column_stack([left, right]).ravel()
    weight = np.column_stack([1 - share, share]).ravel()
    ends = np.concatenate([[0], 2 * np.cumsum(known)])
    hats = sparse.csr_array((weight, level, ends), shape=(len(values), len(knots)))
    apart = np.sqrt(3) * np.abs(knots[:, None] - knots) / length
    covariance = (1 + apart) * np.exp(-apart) + 1e-8 * np.eye(len(knots))
    return Block(family, hats, np.linalg.cholesky(covariance))
