"""One song of a list against one track: how each field agrees, and what contradicts (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from rapidfuzz import fuzz

from plexsheet.matching.catalogue import Catalogue
from plexsheet.matching.normalise import Album, Artist, Title
from plexsheet.matching.rows import ListRow

SAME_LENGTH_MS, NEAR_LENGTH_MS = 3_000, 5_000  # farther apart is another recording
NEAR_NAME = 84.0  # of 100: spelling of an artist or album that may be a slip
_DIGITS = re.compile(r"\d+")


class Field(IntEnum):
    """How a field of a row agrees with a track's."""

    DIFFERS = 0
    UNKNOWN = 1
    NEAR = 2
    SAME = 3


@dataclass(frozen=True, slots=True)
class Folded:
    """A row of a list with its names folded."""

    row: ListRow
    title: Title
    artist: Artist
    album_artist: Artist
    album: Album

    @property
    def performer(self) -> Artist:
        """Who plays it: the artist, or where that is nobody the album's."""
        return self.artist if self.artist.key else self.album_artist

    @property
    def number(self) -> int:
        """Track number, or the one that stands before the title."""
        return self.row.number or self.title.lead


@dataclass(frozen=True, slots=True)
class Pair:
    """A row and a track compared.

    Attributes:
        place: of the track in the catalogue.
        artist, album, length, number: how they agree.
        off_ms: lengths apart, -1 where one is unknown.
        against: contradictions, as words for people.
        likeness: of the titles, 0-100; 100 where they fold to the same.
    """

    place: int
    artist: Field
    album: Field
    length: Field
    number: Field
    off_ms: int
    against: tuple[str, ...] = ()
    likeness: float = 100.0


def compared(song: Folded, library: Catalogue, place: int, likeness: float = 100.0) -> Pair:
    """Compare a row with a track whose title is the same, or alike by so much.

    Args:
        song: the row.
        library: the tracks.
        place: which track.
        likeness: of the titles, 0-100.
    """
    artist = artist_field(song, library, place)
    album = album_field(song.album, library.albums[place])
    length, off_ms = length_field(song.row.length_ms, library.lengths[place])
    number = number_field(song, library, place)
    against = _against(song, library, place, artist, album, length, off_ms)
    return Pair(place, artist, album, length, number, off_ms, against, likeness)


def artist_field(song: Folded, library: Catalogue, place: int) -> Field:
    """How the performers agree; the album's artist alone proves nothing, and denies nothing."""
    mine, theirs = song.performer, library.performers[place]
    if not mine.key or not theirs.key:
        return Field.UNKNOWN
    if mine.key == theirs.key:
        return Field.SAME
    if mine.first in theirs.parts or theirs.first in mine.parts:
        return Field.NEAR
    if len(mine.key) > 4 and fuzz.ratio(mine.key, theirs.key, score_cutoff=NEAR_NAME):
        return Field.NEAR
    over = library.album_artists[place].key
    if over and (over == song.artist.key or over == song.album_artist.key):
        return Field.UNKNOWN
    return Field.DIFFERS


def album_field(mine: Album, theirs: Album) -> Field:
    """How the albums agree; "Greatest Hits 1" and "Greatest Hits 2" differ."""
    if not mine.key or not theirs.key:
        return Field.UNKNOWN
    if mine.key == theirs.key:
        return Field.SAME
    if _DIGITS.findall(mine.key) != _DIGITS.findall(theirs.key):
        return Field.DIFFERS
    short, long = sorted((mine.key, theirs.key), key=len)
    begins = len(short) > 4 and long.startswith(short)
    alike = fuzz.ratio(mine.key, theirs.key, score_cutoff=NEAR_NAME)
    return Field.NEAR if begins or alike else Field.DIFFERS


def length_field(mine_ms: int, theirs_ms: int) -> tuple[Field, int]:
    """How the lengths agree, and by how much they differ (-1 unknown)."""
    if not mine_ms or not theirs_ms:
        return Field.UNKNOWN, -1
    off_ms = abs(mine_ms - theirs_ms)
    if off_ms <= SAME_LENGTH_MS:
        return Field.SAME, off_ms
    return (Field.NEAR if off_ms <= NEAR_LENGTH_MS else Field.DIFFERS), off_ms


def number_field(song: Folded, library: Catalogue, place: int) -> Field:
    """How disc and track number agree."""
    number, mine, theirs = song.number, song.row.disc, library.discs[place]
    if not number or not library.numbers[place]:
        return Field.UNKNOWN
    discs = not mine or not theirs or mine == theirs
    return Field.SAME if number == library.numbers[place] and discs else Field.DIFFERS


def _against(
    song: Folded,
    library: Catalogue,
    place: int,
    artist: Field,
    album: Field,
    length: Field,
    off_ms: int,
) -> tuple[str, ...]:
    """What speaks against it, in words."""
    said = []
    if artist is Field.DIFFERS:
        said.append("other artist")
    if length is Field.DIFFERS:
        said.append(f"{round(off_ms / 1000)} s longer or shorter")
    theirs = library.titles[place]
    if song.title.marks != theirs.marks:
        odd = set(song.title.marks) ^ set(theirs.marks)
        said.append("only one says " + ", ".join(sorted(odd or song.title.marks)))
    lead = _lead_against(song, library, place)
    if lead:
        said.append(lead)
    live = _live_against(song, library, place, album, length)
    if live:
        said.append(live)
    return tuple(said)


def _lead_against(song: Folded, library: Catalogue, place: int) -> str:
    """A number before one title that is not the number of the other track."""
    mine, theirs = song.title.lead, library.titles[place].lead
    if mine == theirs:
        return ""
    known = {mine, theirs, song.row.number, library.numbers[place]} - {0}
    return "another number before the title" if len(known) > 1 else ""


def _live_against(song: Folded, library: Catalogue, place: int, album: Field, length: Field) -> str:
    """A live recording against another: by the titles, else by the albums."""
    mine, theirs = song.title, library.titles[place]
    if mine.live and theirs.live:
        apart = mine.place and theirs.place and mine.place != theirs.place
        return "another concert" if apart and length is not Field.SAME else ""
    if mine.live:
        return "" if library.live[place] else "only the list's is live"
    if theirs.live:
        return "" if song.album.live else "only the one in Plex is live"
    if album is Field.SAME or song.album.live == library.live[place]:
        return ""
    if song.album.live:
        return "only the list's album is live"
    return "" if not song.album.key and length is Field.SAME else "only the album in Plex is live"
