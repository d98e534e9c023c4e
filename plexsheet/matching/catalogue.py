"""The library as matching sees it: folded names, and every way to find a track (pure)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from plexsheet.library import Library, rows_of
from plexsheet.matching.normalise import (
    Album,
    Artist,
    Title,
    albums,
    artists,
    own_title,
    titles,
)

LONG_PATH, SHORT_PATH = 3, 2  # parts of a path's end that are compared


@dataclass(frozen=True)
class Extras:
    """What a listing tells beyond the library, read where a list can use it.

    Attributes:
        files: rating key to paths of its files.
        ids: rating key to MusicBrainz ids.
    """

    files: Mapping[int, Sequence[str]] = field(default_factory=dict)
    ids: Mapping[int, Sequence[str]] = field(default_factory=dict)


class Catalogue:
    """The tracks of a library, by place from 0, and indexes over them.

    Args:
        library: as read.
        extras: files and ids, where they were read.
    """

    def __init__(self, library: Library, extras: Extras | None = None) -> None:
        tracks = library.tracks
        self.extras = extras or Extras()
        self.keys: list[int] = tracks["key"].tolist()
        self.shown_title: list[str] = tracks["title"].tolist()
        self.shown_album: list[str] = tracks["album"].tolist()
        self.album_artist_name: list[str] = tracks["artist"].tolist()
        own: list[str] = tracks["track_artist"].tolist()
        self.shown_artist = [a or b for a, b in zip(own, self.album_artist_name, strict=True)]
        names = zip(self.shown_title, self.shown_artist, self.album_artist_name, strict=True)
        self.titles: list[Title] = titles([own_title(*some) for some in names])
        self.performers: list[Artist] = artists(self.shown_artist)
        self.album_artists: list[Artist] = artists(self.album_artist_name)
        self.albums: list[Album] = albums(self.shown_album)
        self.numbers: list[int] = tracks["index"].tolist()
        self.discs: list[int] = tracks["disc"].tolist()
        self.lengths: list[int] = tracks["duration_ms"].tolist()
        self.live = self._live(library)
        self.rank = self._ranks(library)

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def by_title(self) -> dict[str, list[int]]:
        """Title key to places."""
        return _index(title.key for title in self.titles)

    @cached_property
    def by_first(self) -> dict[str, list[int]]:
        """First artist to places."""
        return _index(artist.first for artist in self.performers)

    @cached_property
    def by_album(self) -> dict[str, list[int]]:
        """Album key to places."""
        return _index(album.key for album in self.albums)

    @cached_property
    def by_id(self) -> dict[str, list[int]]:
        """MusicBrainz id to places."""
        found: dict[str, list[int]] = defaultdict(list)
        for place, key in enumerate(self.keys):
            for one in self.extras.ids.get(key, ()):
                found[one.casefold()].append(place)
        return found

    @cached_property
    def by_path(self) -> dict[str, list[int]]:
        """The last two and the last three parts of each file's path to places."""
        found: dict[str, list[int]] = defaultdict(list)
        for place, key in enumerate(self.keys):
            ends = {end for path in self.extras.files.get(key, ()) for end in path_ends(path)}
            for end in ends:
                found[end].append(place)
        return found

    def _live(self, library: Library) -> list[bool]:
        """Whether the album of each track is live, by Plex's word or by its title."""
        rows = rows_of(library.albums["key"].to_numpy(), library.tracks["album_key"].to_numpy())
        kinds = [*library.albums["subformat"].tolist(), ""]
        plex = [kind for kind in kinds if kind]
        known = {kind: "Live" in kind.split("; ") for kind in plex} | {"": False}
        return [
            album.live or known[kinds[row]]
            for album, row in zip(self.albums, rows.tolist(), strict=True)
        ]

    def _ranks(self, library: Library) -> NDArray[np.int64]:
        """Shape (tracks,): which copy of a recording stands for all, lowest first.

        A studio album before other releases, then the oldest, then the lowest key.
        """
        table = library.albums
        rows = rows_of(table["key"].to_numpy(), library.tracks["album_key"].to_numpy())
        other = [
            bool(sub) or (form not in ("", "Album"))
            for sub, form in zip(table["subformat"], table["format"], strict=True)
        ]
        odd = np.append(np.array(other, dtype=np.int64), 1)[rows]
        years = library.tracks["year"].to_numpy(copy=True)
        years[years == 0] = 9999
        order = np.lexsort((library.tracks["key"].to_numpy(), years, odd))
        ranks = np.empty(len(order), dtype=np.int64)
        ranks[order] = np.arange(len(order))
        return ranks

    def described(self, place: int) -> str:
        """A track in one line, for people."""
        album = f", {self.shown_album[place]}" if self.shown_album[place] else ""
        seconds = round(self.lengths[place] / 1000)
        length = f" ({seconds // 60}:{seconds % 60:02d})" if seconds else ""
        return f"{self.shown_artist[place]} – {self.shown_title[place]}{album}{length}"


def _index(keys: object) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):  # type: ignore[arg-type, var-annotated]
        if key:
            found[key].append(place)
    return found


def path_ends(path: str) -> tuple[str, ...]:
    r"""The last three and the last two parts of a path, as they are compared.

    >>> path_ends("C:\\Music\\Nina\\Pastel Blues\\Sinnerman.MP3")
    ('nina/pastel blues/sinnerman.mp3', 'pastel blues/sinnerman.mp3')
    """
    parts = [part for part in _one_form(path).split("/") if part]
    return tuple(
        "/".join(parts[-count:]) for count in (LONG_PATH, SHORT_PATH) if len(parts) > count
    )


def _one_form(path: str) -> str:
    import unicodedata

    plain = path.replace("\\", "/")
    return (plain if plain.isascii() else unicodedata.normalize("NFC", plain)).casefold()
