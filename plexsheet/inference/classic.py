"""The formulas of plex-rating-utils, with its constants (pure).

From below: an album is the mean of its rated tracks and of C imaginary ones rated at the
prior, ``(C·p + Σ ratings) / (C + n)``; p is the library's mean, or its blend with the
critics' score of the album.  An artist is the same of its albums: each counts with the
person's rating of it, else with its own value from below when any of its tracks is rated.

From above: what has no evidence of its own takes its parent's level.  A level the person
gave is pulled to the library's mean by *gravity* on the way, for not everything on a
five-star album has five stars; an inferred one was pulled by C already.

Sideways: twins take the mean of the copies the person rated, else the mean of them all.

Evidence from below outranks a parent, and a rating the person gave outranks both: it
speaks for its item above and below, while ``value`` says what would stand there without.

Only the person's ratings enter.  Without any, the library's mean is taken to be 6.

Source:
    the documentation of plex-rating-utils 1.4.0, "More about computation" and
    "Config settings".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plexsheet.config.settings import InferenceSettings
from plexsheet.inference.exclusions import counting
from plexsheet.inference.model import Evidence, Inference, Inferred
from plexsheet.inference.twins import Twins
from plexsheet.library import KINDS, Kind, Library, rows_of
from plexsheet.ratings import HIGHEST

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Rows = NDArray[np.intp]

PARTS = ("library", "artist", "album", "critic", "gravity", "twins")
NO_RATINGS_MEAN = 6.0
NO_RATINGS_SPREAD = 3.0**0.5  # of ratings of one person, as real libraries have it


def infer(
    library: Library,
    evidence: Evidence,
    settings: InferenceSettings,
    *,
    twins: Twins | None = None,
) -> Inference:
    """What the person would have given, by the formulas above.

    Confidence is 100·n/(n + C): n counts the rated tracks of an album, the albums with
    evidence of an artist, the rated copies of a twin.  What is inherited has its parent's n
    (1 where the person rated the parent), what nothing is known of has 0.

    The error takes the spread s of ratings within an album as the noise: s/√(n + C) for a
    level (a normal mean with a prior worth C ratings); below an inherited level, the spread
    of siblings is added: s for tracks, s/√C for albums.

    Args:
        library: the items; of their ratings only those of ``evidence.manual`` are read.
        evidence: what the person rated and excluded.
        settings: the constants.
        twins: the same recordings on different albums, found earlier.

    Returns:
        One proposal per item; NaN for what the person excluded.
    """
    tree = _tree(library)
    given = {kind: _given(library, evidence, kind) for kind in KINDS}
    mean = _mean(given)
    formula = _Formula(mean, _spread(given["track"], tree, mean), settings)
    albums = _albums_from_below(library, given["track"], evidence, tree, formula)
    artists = _artists_from_below(given["album"], albums, evidence, tree, formula)
    from_artist = _handed_down(artists, given["artist"], settings.album_gravity, formula, "artist")
    albums = _inherited(albums, from_artist, tree.artist_of_album, formula.albums_apart)
    from_album = _handed_down(albums, given["album"], settings.track_gravity, formula, "album")
    tracks = _tracks(from_album, from_artist, evidence, tree, formula)
    found = Twins.none(len(library.tracks)) if twins is None else twins
    tracks = _shared(tracks, found, given["track"], evidence.excluded["track"], formula)
    levels = {"artist": artists, "album": albums, "track": tracks}
    done = {kind: _inferred(levels[kind], evidence.excluded[kind], formula) for kind in KINDS}
    return Inference(
        model="classic",
        prior=mean,
        artist=done["artist"],
        album=done["album"],
        track=done["track"],
        twin_group=found.group,
        twin_evidence=found.evidence,
        details=_details(formula, given),
    )


@dataclass(frozen=True)
class _Tree:
    """Row of each item's parent, -1 where it has none.

    Attributes:
        artist_of_album: shape (albums,).
        album_of_track: shape (tracks,).
        artist_of_track: shape (tracks,), the album artist.
        albums: how many there are.
        artists: how many there are.
    """

    artist_of_album: Rows
    album_of_track: Rows
    artist_of_track: Rows
    albums: int
    artists: int


def _tree(library: Library) -> _Tree:
    artists, albums = library.keys("artist"), library.keys("album")
    return _Tree(
        rows_of(artists, library.albums["artist_key"].to_numpy()),
        rows_of(albums, library.tracks["album_key"].to_numpy()),
        rows_of(artists, library.tracks["artist_key"].to_numpy()),
        len(albums),
        len(artists),
    )


@dataclass(frozen=True)
class _Formula:
    """The constants of one run, within their bounds.

    Attributes:
        mean: of the library, 0-10.
        spread: standard deviation of ratings within an album.
        settings: the person's.
    """

    mean: float
    spread: float
    settings: InferenceSettings

    @property
    def strength(self) -> float:
        """Worth of the prior, counted in ratings."""
        return max(self.settings.confidence_c, 0.0)

    @property
    def albums_apart(self) -> float:
        """Standard deviation of the levels of one artist's albums, as C implies it."""
        return float(self.error(0.0))

    def error(self, count: Any) -> Any:
        """Standard error of a level with so many ratings."""
        return self.spread / np.sqrt(np.maximum(count + self.strength, 1.0))

    def confidence(self, count: Floats) -> Floats:
        """0-100: the share of the ratings in ratings and prior."""
        worth = count + self.strength
        return 100 * np.divide(count, worth, out=np.zeros(len(count)), where=worth > 0)

    def critic_prior(self, scores: Floats) -> Floats:
        """The library's mean blended with critics' scores; the mean where there is none."""
        bias = max(self.settings.bias_critic, -HIGHEST + 1)
        critic = np.clip((scores + bias) / (HIGHEST + bias) * HIGHEST, 0, HIGHEST)
        mine, theirs = max(self.settings.weight_global, 0), max(self.settings.weight_critic, 0)
        if mine + theirs == 0:
            return np.full(len(scores), self.mean)
        blend = (mine * self.mean + theirs * critic) / (mine + theirs)
        return np.where(np.isnan(scores), self.mean, blend)


@dataclass(frozen=True)
class _Level:
    """Levels of items in the making, shape (items,) each.

    Attributes:
        value: 0-10, never NaN.
        count: how much of the person's stands behind it, in the formula's n.
        error: standard error.
        known: whether anything but the prior speaks for it.
        parts: contributions that sum to ``value``, the library's mean first.
        counts: of the parts that come from ratings.
    """

    value: Floats
    count: Floats
    error: Floats
    known: Bools
    parts: dict[str, Floats]
    counts: dict[str, Floats]

    def taken(self, rows: Rows) -> _Level:
        """Levels of rows of this; nothing known where a row is -1."""
        return _Level(
            np.append(self.value, 0.0)[rows],
            np.append(self.count, 0.0)[rows],
            np.append(self.error, 0.0)[rows],
            np.append(self.known, np.False_)[rows],
            {name: np.append(part, 0.0)[rows] for name, part in self.parts.items()},
            {name: np.append(count, 0.0)[rows] for name, count in self.counts.items()},
        )

    def where(self, mine: Bools, other: _Level) -> _Level:
        """These levels where ``mine``, the other's elsewhere."""
        zero = np.zeros(len(mine))
        return _Level(
            np.where(mine, self.value, other.value),
            np.where(mine, self.count, other.count),
            np.where(mine, self.error, other.error),
            np.where(mine, self.known, other.known),
            {
                name: np.where(mine, self.parts.get(name, zero), other.parts.get(name, zero))
                for name in {**self.parts, **other.parts}
            },
            {
                name: np.where(mine, self.counts.get(name, zero), other.counts.get(name, zero))
                for name in {**self.counts, **other.counts}
            },
        )


def _given(library: Library, evidence: Evidence, kind: Kind) -> Floats:
    """The person's ratings that count, NaN elsewhere."""
    counts = evidence.manual[kind] & ~evidence.excluded[kind]
    return np.where(counts, library.ratings(kind), np.nan)


def _mean(given: dict[Kind, Floats]) -> float:
    """Mean of the person's track ratings, else of their albums', else of their artists'."""
    for kind in ("track", "album", "artist"):
        ratings = given[kind][~np.isnan(given[kind])]
        if len(ratings):
            return float(ratings.mean())
    return NO_RATINGS_MEAN


def _spread(given: Floats, tree: _Tree, mean: float) -> float:
    """Standard deviation of ratings within albums; as if four had shown variance 3."""
    rated = np.flatnonzero(~np.isnan(given))
    album = tree.album_of_track[rated]
    means, counts = _shrunken(given[rated], album, np.full(tree.albums, mean), strength=0.0)
    squares = float(((given[rated] - np.append(means, mean)[album]) ** 2).sum())
    freedom = len(rated) - int((counts > 0).sum())
    return float(((squares + 4 * NO_RATINGS_SPREAD**2) / (max(freedom, 0) + 4)) ** 0.5)


def _shrunken(
    ratings: Floats, group: Rows, prior: Floats, *, strength: float
) -> tuple[Floats, Floats]:
    """``(C·p + Σ) / (C + n)`` of each group and its n; the prior where n is 0.

    Args:
        ratings: shape (items,), 0-10, NaN for none.
        group: shape (items,), -1 for none.
        prior: shape (groups,).
        strength: C, 0 or more.
    """
    counted = ~np.isnan(ratings) & (group >= 0)
    count = np.bincount(group[counted], minlength=len(prior)).astype(np.float64)
    total = np.bincount(group[counted], ratings[counted], minlength=len(prior))
    mean = prior.copy()
    np.divide(strength * prior + total, strength + count, out=mean, where=count > 0)
    return mean, count


def _albums_from_below(
    library: Library, given: Floats, evidence: Evidence, tree: _Tree, formula: _Formula
) -> _Level:
    """Albums from their rated tracks: those that count upward, or all where none does."""
    prior = formula.critic_prior(library.albums["critic_rating"].to_numpy())
    ratings = _speaking(library, given, tree, formula)
    value, count = _shrunken(ratings, tree.album_of_track, prior, strength=formula.strength)
    kept = np.ones(tree.albums)
    np.divide(formula.strength, formula.strength + count, out=kept, where=count > 0)
    critic = kept * (prior - formula.mean)
    parts = {"library": np.full(tree.albums, formula.mean), "critic": critic}
    parts["album"] = value - formula.mean - critic
    known = (count > 0) & ~evidence.excluded["album"]
    return _Level(value, count, formula.error(count), known, parts, {"album": count})


def _speaking(library: Library, given: Floats, tree: _Tree, formula: _Formula) -> Floats:
    """Ratings without those of tracks that do not count upward, unless an album has no other."""
    rated = np.flatnonzero(~np.isnan(given))
    names = library.tracks["title"].to_numpy()[rated]
    length_ms = library.tracks["duration_ms"].to_numpy()[rated]
    counts, _ = counting(names, length_ms, formula.settings.exclusions)
    album = tree.album_of_track[rated]
    heard = np.zeros(tree.albums + 1, dtype=bool)  # the last: of tracks without an album
    heard[album[counts]] = True
    speaking = given.copy()
    speaking[rated[~counts & heard[album]]] = np.nan
    return speaking


def _artists_from_below(
    given: Floats, albums: _Level, evidence: Evidence, tree: _Tree, formula: _Formula
) -> _Level:
    """Artists from their albums that are rated or have rated tracks."""
    level = np.where(albums.known, albums.value, np.nan)
    level = np.where(np.isnan(given), level, given)
    prior = np.full(tree.artists, formula.mean)
    value, count = _shrunken(level, tree.artist_of_album, prior, strength=formula.strength)
    known = (count > 0) & ~evidence.excluded["artist"]
    parts = {"library": prior, "artist": value - formula.mean}
    return _Level(value, count, formula.error(count), known, parts, {"artist": count})


def _handed_down(
    level: _Level, given: Floats, gravity: float, formula: _Formula, part: str
) -> _Level:
    """What children without evidence of their own take: a given rating pulled by gravity."""
    pull = min(max(gravity, 0.0), 1.0)
    rated = ~np.isnan(given)
    own = np.where(rated, given, formula.mean) - formula.mean
    one = np.ones(len(given))
    mine = _Level(
        formula.mean + (1 - pull) * own,
        one,
        formula.error(one),
        rated,
        {"library": formula.mean * one, part: own, "gravity": -pull * own},
        {part: one},
    )
    return mine.where(rated, level)


def _inherited(own: _Level, above: _Level, parents: Rows, siblings: float) -> _Level:
    """Own levels where there is evidence or the parent has none, else the parent's."""
    below = above.taken(parents)
    below = replace(below, error=np.hypot(below.error, siblings))
    return own.where(own.known | ~below.known, below)


def _tracks(
    from_album: _Level, from_artist: _Level, evidence: Evidence, tree: _Tree, formula: _Formula
) -> _Level:
    """Tracks from their album; from their artist where the album is excluded or not there."""
    tracks = len(tree.album_of_track)
    mean, zero = np.full(tracks, formula.mean), np.zeros(tracks)
    none = _Level(mean, zero, formula.error(zero), zero > 0, {"library": mean}, {})
    artist = from_artist.taken(tree.artist_of_track)
    fallback = artist.where(artist.known, none)
    rows = np.where(evidence.excluded["album"], -1, np.arange(tree.albums))
    row = np.append(rows, -1)[tree.album_of_track]
    level = from_album.taken(row).where(row >= 0, fallback)
    return replace(level, error=np.hypot(level.error, formula.spread))


def _shared(
    tracks: _Level, twins: Twins, given: Floats, excluded: Bools, formula: _Formula
) -> _Level:
    """Twins at the mean of the copies the person rated, else of all that are not excluded."""
    group, groups = twins.group, twins.groups
    rated = np.flatnonzero(~np.isnan(given) & (group >= 0))
    copies = np.bincount(group[rated], minlength=groups).astype(np.float64)
    ratings = np.bincount(group[rated], given[rated], minlength=groups)
    open_ = np.flatnonzero(~excluded & (group >= 0))
    size = np.maximum(np.bincount(group[open_], minlength=groups), 1)
    manual = copies > 0

    def mean_of(values: Floats) -> Floats:
        return np.asarray(np.bincount(group[open_], values[open_], minlength=groups) / size)

    value = np.where(manual, ratings / np.maximum(copies, 1), mean_of(tracks.value))
    count = np.where(manual, copies, mean_of(tracks.count))
    error = np.where(manual, formula.error(copies), mean_of(tracks.error))
    joined = group >= 0
    shared = np.where(joined, np.append(value, 0.0)[group], tracks.value)
    return _Level(
        shared,
        np.where(joined, np.append(count, 0.0)[group], tracks.count),
        np.where(joined, np.append(error, 0.0)[group], tracks.error),
        tracks.known | (joined & np.append(manual, np.False_)[group]),
        {**tracks.parts, "twins": shared - tracks.value},
        {**tracks.counts, "twins": np.where(joined, np.append(copies, 0.0)[group], 0.0)},
    )


def _inferred(level: _Level, excluded: Bools, formula: _Formula) -> Inferred:
    """Levels as proposals; nothing for what the person excluded."""
    count = np.where(excluded, 0.0, level.count)
    return Inferred(
        value=np.where(excluded, np.nan, level.value),
        error=np.where(excluded, np.nan, level.error),
        confidence=formula.confidence(count),
        ratings=count,
        parts=_ordered({p: np.where(excluded, 0.0, part) for p, part in level.parts.items()}),
        counts=_ordered({p: np.where(excluded, 0.0, n) for p, n in level.counts.items()}),
    )


def _ordered(parts: dict[str, Floats]) -> dict[str, Floats]:
    return {name: parts[name] for name in PARTS if name in parts}


def _details(formula: _Formula, given: dict[Kind, Floats]) -> dict[str, Any]:
    """The run's own figures, JSON-ready."""
    settings = formula.settings
    return {
        "mean": formula.mean,
        "spread": formula.spread,
        "ratings": {kind: int((~np.isnan(given[kind])).sum()) for kind in KINDS},
        "confidence_c": settings.confidence_c,
        "bias_critic": settings.bias_critic,
        "weight_critic": settings.weight_critic,
        "weight_global": settings.weight_global,
        "album_gravity": settings.album_gravity,
        "track_gravity": settings.track_gravity,
    }
