"""Which part of a library an export shows: ``--only`` (pure).

    artist:"miles davis" year:1955..1969 unrated

Terms stand beside each other and all must hold, as in the queries of beets or the smart
playlists of a media manager.  Words are looked for anywhere in a name; ``=`` before them
asks for the whole name, a comma gives alternatives, two dots a range.

An item is judged by what it is itself: ``rating``, ``added`` and ``unrated`` look at the
artist, album or track of each row.  What it lacks it has from what stands above or below
it: a track has its album's genres and year, an artist is from 1959 if an album is.
"""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet import ratings
from plexsheet.errors import UsageError
from plexsheet.library import KINDS, Kind, Library, rows_of

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Masks = Mapping[Kind, Bools]

FIELDS = ("artist", "album", "title", "genre", "year", "rating", "added", "unrated")
_RANGE = re.compile(r"([^.]+(?:\.\d+)?)?\.\.([^.]+(?:\.\d+)?)?")
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


@dataclass(frozen=True)
class Term:
    """One condition: a name of ``FIELDS`` and what stands after its colon."""

    field: str
    value: str


def terms_of(texts: Sequence[str]) -> tuple[Term, ...]:
    """The terms of one or several ``--only``.

    Raises:
        UsageError: something is no term, or its value no number, range or date.

    >>> terms_of(['artist:"Miles Davis" unrated'])
    (Term(field='artist', value='Miles Davis'), Term(field='unrated', value=''))
    """
    found = []
    for text in texts:
        try:
            words = shlex.split(text)
        except ValueError:
            raise _wrong(text, "a quotation mark is not closed") from None
        found += [_term(word) for word in words]
    if texts and not found:
        raise _wrong(" ".join(texts), "nothing is asked for")
    return tuple(found)


def _term(word: str) -> Term:
    field, colon, value = word.partition(":")
    field = field.strip().casefold()
    term = Term(field, value.strip())
    if field not in FIELDS or (field == "unrated") == bool(colon):
        raise _wrong(
            word, f"it is not one of {', '.join(f'{one}:' for one in FIELDS[:-1])} unrated"
        )
    if field != "unrated" and not term.value:
        raise _wrong(word, "nothing stands after the colon")
    if field in ("year", "rating"):
        _bounds(term, float)
    elif field == "added":
        _bounds(term, _first_moment)
    return term


def _wrong(word: str, why: str) -> UsageError:
    return UsageError(
        f"--only: “{word}” is not understood: {why}. Nothing was written. Write for example: "
        "--only 'artist:\"miles davis\" year:1955..1969', --only rating:4.., --only unrated."
    )


def shown_items(library: Library, manual: Masks, terms: Sequence[Term]) -> dict[Kind, Bools]:
    """Which artists, albums and tracks satisfy all terms; each shape (items,).

    Args:
        library: as read.
        manual: where a rating is the person's own; ``unrated`` is the rest.
        terms: none of them: everything is shown.
    """
    whole = _Whole(library, manual)
    shown = {kind: np.ones(len(library.table(kind)), dtype=bool) for kind in KINDS}
    for term in terms:
        for kind, holds in whole.where(term).items():
            shown[kind] &= holds
    return shown


class _Whole:
    """A library with the ways between artists, albums and tracks."""

    def __init__(self, library: Library, manual: Masks) -> None:
        self.library, self.manual = library, manual
        artists, albums = library.keys("artist"), library.keys("album")
        self.artist_of_album = rows_of(artists, library.albums["artist_key"].to_numpy())
        self.artist_of_track = rows_of(artists, library.tracks["artist_key"].to_numpy())
        self.album_of_track = rows_of(albums, library.tracks["album_key"].to_numpy())

    def where(self, term: Term) -> dict[Kind, Bools]:
        """Where one term holds."""
        if term.field == "unrated":
            return {kind: ~self.manual[kind] for kind in KINDS}
        if term.field == "rating":
            return {kind: self._rated(kind, term) for kind in KINDS}
        if term.field == "added":
            return {kind: self._added(kind, term) for kind in KINDS}
        if term.field == "year":
            return self._of_albums(_within(self._column("album", "year"), *_bounds(term, float)))
        return self._named(term)

    def _column(self, kind: Kind, name: str) -> Floats:
        return self.library.table(kind)[name].to_numpy().astype(np.float64)

    def _rated(self, kind: Kind, term: Term) -> Bools:
        stars = ratings.stars_array(self.library.ratings(kind))
        low, high = _bounds(term, float)
        return _within(stars, low - 0.001, high + 0.001)

    def _added(self, kind: Kind, term: Term) -> Bools:
        low, high = _bounds(term, _first_moment)
        if np.isfinite(high):
            high = _last_moment(term.value.split("..")[-1])
        return _within(self._column(kind, "added_at"), low, high)

    def _named(self, term: Term) -> dict[Kind, Bools]:
        artists, albums, tracks = (self.library.table(kind) for kind in KINDS)
        holds = _matcher(term.value)
        if term.field == "artist":
            own = holds(tracks["track_artist"])
            return {
                "artist": holds(artists["title"]),
                "album": holds(albums["artist"]),
                "track": holds(tracks["artist"]) | own,
            }
        if term.field == "album":
            return self._of_albums(holds(albums["title"]))
        if term.field == "title":
            return self._of_tracks(holds(tracks["title"]))
        of_artists, of_albums = holds(artists["genres"]), holds(albums["genres"])
        without = albums["genres"].to_numpy() == ""
        of_albums |= without & _taken(of_artists, self.artist_of_album)
        found = self._of_albums(of_albums)
        return found | {"artist": of_artists | found["artist"]}

    def _of_albums(self, albums: Bools) -> dict[Kind, Bools]:
        """Albums, the artists who made them, the tracks on them."""
        artists = np.zeros(len(self.library.artists), dtype=bool)
        rows = self.artist_of_album[albums]
        artists[rows[rows >= 0]] = True
        return {"artist": artists, "album": albums, "track": _taken(albums, self.album_of_track)}

    def _of_tracks(self, tracks: Bools) -> dict[Kind, Bools]:
        """Tracks, the albums and artists they are of."""
        artists = np.zeros(len(self.library.artists), dtype=bool)
        albums = np.zeros(len(self.library.albums), dtype=bool)
        artists[self.artist_of_track[tracks & (self.artist_of_track >= 0)]] = True
        albums[self.album_of_track[tracks & (self.album_of_track >= 0)]] = True
        return {"artist": artists, "album": albums, "track": tracks}


def _taken(parents: Bools, rows: NDArray[np.intp]) -> Bools:
    """What holds of each row's parent; false for a row without one."""
    return np.append(parents, False)[rows]


def _folded(text: str) -> str:
    """A name as it is compared: case and accents do not matter."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in plain if not unicodedata.combining(character))


def _matcher(value: str) -> Callable[[pd.Series], Bools]:
    """Whether names hold one of the words, or are one of them where ``=`` stands before it.

    Genres are several names between semicolons.
    """
    words = [_folded(word.strip()) for word in value.split(",") if word.strip()]

    def names_one(text: str) -> bool:
        names = [name.strip() for name in _folded(text).split(";")]
        return any(
            word[1:].strip() in names if word.startswith("=") else any(word in n for n in names)
            for word in words
        )

    def holds(texts: pd.Series) -> Bools:
        codes, different = pd.factorize(texts)
        return np.array([names_one(text) for text in different], dtype=bool)[codes]

    return holds


def _bounds(term: Term, read: Callable[[str], float]) -> tuple[float, float]:
    """The ends of a value or range, infinite where one is left open.

    Raises:
        UsageError: an end cannot be read.
    """
    found = _RANGE.fullmatch(term.value)
    low, high = (found[1], found[2]) if found else (term.value, term.value)
    try:
        return (read(low) if low else -np.inf), (read(high) if high else np.inf)
    except ValueError:
        like = "2026, 2026-03 or 2026-03-15" if read is _first_moment else "4, 3.5..5 or ..1969"
        raise _wrong(f"{term.field}:{term.value}", f"write it as {like}") from None


def _within(values: Floats, low: float, high: float) -> Bools:
    """Values from low to high; what is unknown (0 or NaN) is not."""
    return np.asarray((values >= low) & (values <= high) & (values != 0))


def _first_moment(text: str) -> float:
    """Epoch seconds at which a year, month or day begins; UTC."""
    found = _DATE.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    return datetime(int(found[1]), int(found[2] or 1), int(found[3] or 1), tzinfo=UTC).timestamp()


def _last_moment(text: str) -> float:
    """Epoch seconds at which a year, month or day ends."""
    first = datetime.fromtimestamp(_first_moment(text), UTC)
    parts = text.count("-")
    if parts == 0:
        return first.replace(year=first.year + 1).timestamp() - 1
    if parts == 2:
        return first.timestamp() + 86_399
    year, month = divmod(first.month, 12)
    return first.replace(year=first.year + year, month=month + 1).timestamp() - 1
