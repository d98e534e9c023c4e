"""A demo library as rows, one per track: generated, or read from a TSV.

The generated one is plausible where inference and twins look: artists, albums and
tracks differ in quality, what is listened to is rated, greatest hits repeat earlier
recordings, live albums repeat the songs but not the recordings, intros are short, and
critics agree with the owner only a little.  The same size and seed give the same rows.
"""

from __future__ import annotations

import csv
import gzip
import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from plexsheet.demo import names

VARIOUS = "Various Artists"
NO_ARTIST = "[Unknown Artist]"
NO_ALBUM = "[Unknown Album]"

ADDED_FIRST = 1_560_000_000  # when the first track of a demo library came into Plex, epoch seconds
ADDED_DAYS, DAYS_APART = 1000, 3  # an album every third day, and round again
PLAYED_FIRST = 1_650_000_000  # of the last plays, when all was there


class Row(NamedTuple):
    """One track with what is known of its album and artist; 0, None and "" are unknown."""

    artist: str = ""
    album_artist: str = ""
    album: str = ""
    track: str = ""
    disc: int = 0
    index: int = 0  # type: ignore[assignment]  # hides tuple.index, which nobody needs here
    duration_ms: int = 0
    year: int = 0
    genre: str = ""  # "; " between several
    critic_rating: float | None = None  # 0-10, of the album
    user_rating: float | None = None  # 0-10
    subformat: str = ""  # "Live", "Compilation", ... "; " between several
    moods: str = ""  # "; " between several
    album_user_rating: float | None = None
    artist_user_rating: float | None = None
    compilation: bool = False
    guid: str = ""
    release_date: str = ""  # YYYY-MM-DD
    studio: str = ""
    file: str = ""
    country: str = ""
    added_at: int = 0  # epoch seconds
    rated_at: int = 0
    view_count: int = 0
    last_viewed_at: int = 0
    skip_count: int = 0
    listeners: int = 0


# --- a TSV ---------------------------------------------------------------------------


def read_tsv(path: str | Path) -> Iterator[Row]:
    """Rows of a tab-separated file, plain or ``.gz``: a header line, no quoting, UTF-8.

    Columns are the fields of `Row` by name, in any order; unknown columns are ignored and
    an empty field is not known.

    Raises:
        ValueError: a number that is not one, named with its line.
        OSError: the file cannot be read.
    """
    path = Path(path)
    opener = gzip.open if path.suffix == ".gz" else open
    csv.field_size_limit(10_000_000)
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        lines = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        header = [name.strip().lstrip("\ufeff") for name in next(lines, [])]
        columns = [(i, name) for i, name in enumerate(header) if name in Row._fields]
        yield from _parse(lines, columns)


def _parse(lines: Iterable[list[str]], columns: list[tuple[int, str]]) -> Iterator[Row]:
    casts = [(i, name, _CASTS.get(name)) for i, name in columns]
    for number, line in enumerate(lines, start=2):
        width = len(line)
        try:
            values: dict[str, Any] = {
                name: cast(line[i]) if cast else line[i]
                for i, name, cast in casts
                if i < width and line[i]
            }
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
        yield Row(**values)


def _integer(text: str) -> int:
    return int(float(text))


def _flag(text: str) -> bool:
    return text.strip().lower() in {"1", "true", "yes"}


_CASTS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("disc", "index", "duration_ms", "year", "added_at", "rated_at"), _integer),
    **dict.fromkeys(("view_count", "last_viewed_at", "skip_count", "listeners"), _integer),
    **dict.fromkeys(("critic_rating", "user_rating"), float),
    **dict.fromkeys(("album_user_rating", "artist_user_rating"), float),
    "compilation": _flag,
}


# --- a generated library -------------------------------------------------------------


class _Song(NamedTuple):
    """A song and its quality on the 0-10 scale, to be repeated on other albums."""

    title: str
    duration_ms: int
    quality: float
    genre: str
    listeners: int
    guid: str


def generate(tracks: int, seed: int = 0, *, shared_guids: bool = False) -> Iterator[Row]:
    """Rows of a demo library of exactly so many tracks, grouped by artist and album.

    Args:
        tracks: how many; 0 or more.
        seed: another seed is another library.
        shared_guids: whether every second track on a greatest hits album has the Plex guid of
            the original, so that the two share one rating.

    >>> rows = list(generate(500))
    >>> len(rows), rows == list(generate(500)), rows == list(generate(500, seed=1))
    (500, True, False)
    """
    if tracks < 0:
        raise ValueError(f"tracks must be 0 or more, not {tracks}")
    maker = _Maker(seed, shared_guids)
    count = albums = 0
    album = ("", "")
    while count < tracks:
        for row in maker.artist_or_compilation():
            if count == tracks:
                return
            albums += (row.album_artist, row.album) != album
            album = (row.album_artist, row.album)
            day = albums * DAYS_APART % ADDED_DAYS
            yield row._replace(added_at=ADDED_FIRST + 86_400 * day + count % 60)
            count += 1


class _Maker:
    """Makes one artist after the other from one stream of random numbers."""

    def __init__(self, seed: int, shared_guids: bool) -> None:
        self.random = random.Random(f"plexsheet demo {seed}")  # noqa: S311 - a library, no secret
        self.shared_guids = shared_guids
        self.used_names: set[str] = set()
        self.pool: list[tuple[str, _Song]] = []  # songs a sampler can draw from
        self.artists = 0
        self.guids = 0

    def artist_or_compilation(self) -> Iterator[Row]:
        self.artists += 1
        if self.artists % 15 == 0 and len(self.pool) > 20:
            yield from self.compilation()
        else:
            yield from self.artist()

    # names

    def unique(self, make: str) -> str:
        name = make
        while name in self.used_names:
            name = f"{make} {self.surname()}"
        self.used_names.add(name)
        return name

    def surname(self) -> str:
        pick = self.random.choice
        return (pick(names.SYLLABLES) + pick(names.SYLLABLES) + pick(names.ENDINGS)).capitalize()

    def artist_name(self) -> str:
        pick = self.random.choice
        style = self.random.randrange(6)
        if style == 0:
            return f"The {pick(names.ADJECTIVES)} {pick(names.NOUNS)}s"
        if style == 1:
            return f"{pick(names.NOUNS)} & {pick(names.NOUNS)}"
        if style == 2:
            return f"{pick(names.ADJECTIVES)} {pick(names.NOUNS)}"
        return f"{pick(names.FIRST_NAMES)} {self.surname()}"

    def title(self) -> str:
        pick = self.random.choice
        style = self.random.randrange(9)
        adjective, noun, verb = pick(names.ADJECTIVES), pick(names.NOUNS), pick(names.VERBS)
        return (
            f"{adjective} {noun}",
            f"{verb} the {noun}",
            f"{noun} Song",
            f"{noun} in the {pick(names.NOUNS)}",
            f"Don't {verb} Me",
            f"{verb} It (Like a {noun})",
            f"{noun}s",
            f"The {noun} We {verb}",
            f"{adjective}, {pick(names.ADJECTIVES)} {noun}",
        )[style]

    def release_date(self, year: int) -> str:
        return f"{year}-{self.random.randint(1, 12):02}-{self.random.randint(1, 28):02}"

    # what an artist has made

    def artist(self) -> Iterator[Row]:
        draw = self.random
        name = self.unique(self.artist_name())
        loved = draw.random() ** 3  # how much the owner listens to this artist, 0-1
        level = 6.2 + draw.gauss(0, 0.9) + 0.8 * (loved - 0.25)
        genre = draw.choice(names.GENRES)
        base = Row(
            artist=name,
            album_artist=name,
            country=draw.choice(names.COUNTRIES),
            artist_user_rating=_stars(level) if loved > 0.3 and draw.random() < 0.3 else None,
        )
        year = draw.randint(1968, 2016)
        songs: list[_Song] = []
        for _ in range(1 + min(int(draw.expovariate(0.45)), 9)):
            made = self.album(base, level, loved, genre, year)
            yield from made[0]
            songs += made[1]
            year += draw.randint(1, 4)
        if len(songs) > 16 and draw.random() < 0.5:
            yield from self.greatest_hits(base, songs, loved, year)
        if len(songs) > 12 and draw.random() < 0.3:
            yield from self.live_album(base, songs, loved, year)
        self.pool += [(name, song) for song in songs[:3]]
        self.pool = self.pool[-600:]

    def album(
        self, base: Row, level: float, loved: float, genre: tuple[str, ...], year: int
    ) -> tuple[list[Row], list[_Song]]:
        draw = self.random
        quality = level + draw.gauss(0, 0.7)
        heard = draw.random() < 0.15 + 0.8 * loved  # an album is heard, or hardly
        short = draw.random() < 0.12  # an EP
        album = self.frame(base, self.title(), quality, heard, year, genre)
        count = draw.randint(3, 6) if short else draw.randint(8, 15)
        opening = draw.random() < 0.12
        discs = 2 if count > 13 else 1
        rows, songs = [], []
        for number in range(count):
            if (opening and number == 0) or draw.random() < 0.015:
                song = self.filler(quality, number, album.genre)
            else:
                song = self.song(quality, album.genre)
                songs.append(song)
            disc = 1 + number * discs // count
            index = number + 1 if discs == 1 else number % -(-count // discs) + 1
            rows.append(self.row(album, song, disc, index, heard))
        return rows, songs

    def frame(
        self,
        base: Row,
        title: str,
        quality: float,
        heard: bool,
        year: int,
        genre: tuple[str, ...],
    ) -> Row:
        """What all tracks of an album have in common."""
        draw = self.random
        dated = draw.random() < 0.9
        critic = round(min(9.8, max(3.0, 7.2 + 0.25 * (quality - 6.2) + draw.gauss(0, 0.9))), 1)
        return base._replace(
            album=title,
            year=year,
            release_date=self.release_date(year) if dated else "",
            studio=draw.choice(names.STUDIOS) if draw.random() < 0.7 else "",
            genre="; ".join(genre[: draw.randint(1, len(genre))]),
            critic_rating=critic if draw.random() < 0.45 else None,
            album_user_rating=_stars(quality) if heard and draw.random() < 0.12 else None,
        )

    def song(self, quality: float, genre: str) -> _Song:
        draw = self.random
        seconds = min(620.0, max(95.0, draw.gauss(232, 55)))
        self.guids += 1
        return _Song(
            title=self.title(),
            duration_ms=int(seconds * 1000) + draw.randrange(1000),
            quality=quality + draw.gauss(0, 1.2),
            genre=genre,
            listeners=int(draw.paretovariate(0.6)),
            guid=f"plex://track/{self.guids * 0x9E3779B97F4A7C15F39C + 7:024x}"[:37],
        )

    def filler(self, quality: float, number: int, genre: str) -> _Song:
        draw = self.random
        title = "Intro" if number == 0 else draw.choice(("Interlude", "Skit", "Outro", "Segue"))
        return _Song(title, draw.randint(14_000, 58_000), quality - 2.5, genre, 1, "")

    def row(self, album: Row, song: _Song, disc: int, index: int, heard: bool) -> Row:
        draw = self.random
        rated = heard and draw.random() < 0.43
        liked = min(max(1 + 0.35 * (song.quality - 6.2), 0.1), 2.5)  # what is liked is played
        views = int(liked * draw.expovariate(0.2 if heard else 1.5))
        moods = draw.sample(names.MOODS, draw.randint(1, 3)) if draw.random() < 0.12 else []
        return album._replace(
            track=song.title,
            disc=disc,
            index=index,
            duration_ms=song.duration_ms,
            user_rating=_stars(song.quality) if rated else None,
            rated_at=draw.randint(1_620_000_000, 1_725_000_000) if rated else 0,
            moods="; ".join(moods),
            view_count=views,
            last_viewed_at=draw.randint(PLAYED_FIRST, 1_728_000_000) if views else 0,
            skip_count=1 if draw.random() < 0.06 * 4 ** (1 - liked) else 0,
            listeners=song.listeners,
        )

    def greatest_hits(
        self, base: Row, songs: list[_Song], loved: float, year: int
    ) -> Iterator[Row]:
        draw = self.random
        heard = draw.random() < 0.3 + 0.6 * loved
        title = draw.choice(
            ("Greatest Hits", "The Best of " + base.artist, "Anthology", "Essentials")
        )
        album = self.frame(base, title, 6.2, heard, year, (songs[0].genre,))
        album = album._replace(subformat="Compilation", critic_rating=None)
        best = sorted(songs, key=lambda song: -song.quality)[: draw.randint(10, 16)]
        for index, song in enumerate(best, start=1):
            yield self.twin(album, song, index, heard)

    def twin(self, album: Row, song: _Song, index: int, heard: bool) -> Row:
        """The same recording again, cut a little differently, rated much the same."""
        draw = self.random
        again = song._replace(
            duration_ms=song.duration_ms + draw.randint(-900, 900),
            quality=song.quality + draw.gauss(0, 0.3),
        )
        shared = self.shared_guids and index % 2 == 0
        row = self.row(album, again, 1, index, heard)
        return row._replace(guid=song.guid) if shared else row

    def live_album(self, base: Row, songs: list[_Song], loved: float, year: int) -> Iterator[Row]:
        draw = self.random
        heard = draw.random() < 0.2 + 0.5 * loved
        album = self.frame(
            base, f"Live at {draw.choice(names.PLACES)}", 5.8, heard, year, (songs[0].genre,)
        )
        album = album._replace(subformat="Live")
        marked = draw.random() < 0.5
        for index, song in enumerate(draw.sample(songs, 10), start=1):
            played = song._replace(
                title=f"{song.title} (Live)" if marked else song.title,
                duration_ms=int(song.duration_ms * draw.uniform(1.05, 1.5)),
                quality=song.quality - 0.5 + draw.gauss(0, 0.8),
            )
            yield self.row(album, played, 1, index, heard)

    def compilation(self) -> Iterator[Row]:
        """A sampler: songs of other artists, credited track by track."""
        draw = self.random
        heard = draw.random() < 0.4
        year = draw.randint(1990, 2022)
        base = Row(album_artist=VARIOUS, compilation=True, subformat="Compilation")
        title = (
            f"{draw.choice(names.ADJECTIVES)} {draw.choice(names.NOUNS)} Vol. {self.artists // 15}"
        )
        album = self.frame(base, title, 6.2, heard, year, ("Pop/Rock",))
        for index, (artist, song) in enumerate(draw.sample(self.pool, 14), start=1):
            yield self.twin(album._replace(artist=artist), song, index, heard)


def _stars(quality: float) -> float:
    """A rating in half stars, 1-10."""
    return float(min(10, max(1, round(quality))))
