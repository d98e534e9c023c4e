"""A list of another player as rows of one form (pure).

Every source, whatever its format, ends in these rows: lengths in milliseconds, ratings on the
ten-point scale, unknown numbers 0 and unknown texts ``""``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from plexsheet.ratings import UNRATED


@dataclass(slots=True)
class ListRow:
    """One song of a list.

    Attributes:
        row: where it stands, as the file counts: of a table the row of the spreadsheet program
            (the header is row 1), of other files the song's number from 1.
        title, artist, album_artist, album: as the list writes them.
        disc, number, year: 0 where unknown.
        length_ms: 0 where unknown.
        file: path or address of the audio file, decoded.
        ids: MusicBrainz ids of the recording or the track.
        rating: 0-10, NaN where the person gave none.
        written: the rating as the list writes it.
        problem: why a rating that is there could not be read.
        rated_at, last_played: epoch seconds, 0 unknown.
        plays: how often it was played there.
    """

    row: int
    title: str = ""
    artist: str = ""
    album_artist: str = ""
    album: str = ""
    disc: int = 0
    number: int = 0
    length_ms: int = 0
    year: int = 0
    file: str = ""
    ids: tuple[str, ...] = ()
    rating: float = UNRATED
    written: str = ""
    problem: str = ""
    rated_at: int = 0
    plays: int = 0
    last_played: int = 0

    @property
    def name(self) -> str:
        """The title; of an untagged file its name, which Plex takes for the title too."""
        return self.title or PurePosixPath(self.file).stem

    @property
    def rated(self) -> bool:
        """Whether the person rated it there, readable or not."""
        return bool(self.problem) or not math.isnan(self.rating)


@dataclass(frozen=True)
class ForeignList:
    """A list as read.

    Attributes:
        name: of the file or folder.
        format: short name of the source, as ``--from`` takes it.
        label: the format as people call it.
        rows: in the order of the file.
    """

    name: str
    format: str
    label: str
    rows: Sequence[ListRow]


@dataclass(frozen=True)
class ListOptions:
    """What the person said about a list.

    Attributes:
        mapping: header of a table to the field it means.
        scale: its highest rating: 5, 10, 100 or 255; 0 where not said.
        favourite: rating, 0-10, of songs in a list of favourites; NaN where not said.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    scale: int = 0
    favourite: float = UNRATED
