"""The library file of iTunes and Music: a property list, often hundreds of megabytes.

``Rating`` counts to 100.  A rating marked ``Rating Computed`` is the player's guess from the
album, and ``Album Rating`` belongs to the album: neither is the person's rating of the song.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from plexsheet.matching.rows import ListOptions, ListRow
from plexsheet.matching.sources.base import Head, ListSource, UnreadableList
from plexsheet.matching.sources.values import (
    NotARating,
    decoded_path,
    epoch,
    length_ms,
    points,
    whole,
    year_of,
)
from plexsheet.matching.sources.xml import stream

TRACKS_DEPTH = 3  # plist, the library, Tracks
_NOT_MUSIC = ("Movie", "TV Show", "Podcast", "Has Video")


class _Reader:
    """Follows the nesting of dictionaries and keeps the pairs of one song at a time."""

    def __init__(self, add: Callable[[dict[str, str]], None]) -> None:
        self.add = add
        self.depth = 0
        self.key = ""
        self.section = ""
        self.pairs: dict[str, str] = {}
        self.seen = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if name == "dict":
            self.depth += 1
            if self.depth == TRACKS_DEPTH - 1:
                self.section = self.key
                self.seen |= self.key == "Tracks"
            elif self.depth == TRACKS_DEPTH:
                self.pairs = {}

    def end(self, name: str, text: str) -> None:
        """An element ends."""
        if name == "dict":
            if self.depth == TRACKS_DEPTH and self.section == "Tracks":
                self.add(self.pairs)
            self.depth -= 1
        elif name == "key":
            self.key = text
        elif self.depth == TRACKS_DEPTH and self.section == "Tracks":
            self.pairs[self.key] = name if name in ("true", "false") else text


def read(path: Path, options: ListOptions) -> Iterable[ListRow]:
    """Songs of the section ``Tracks``; films, podcasts and streams are passed over."""
    rows: list[ListRow] = []
    reader = _Reader(lambda pairs: rows.append(_row(len(rows) + 1, pairs)))
    stream(path, reader.start, reader.end)
    if not reader.seen:
        raise UnreadableList("it has no list of tracks")
    return [row for row in rows if row.title or row.file]


def _row(number: int, pairs: dict[str, str]) -> ListRow:
    if any(pairs.get(mark) == "true" for mark in _NOT_MUSIC):
        return ListRow(number)
    row = ListRow(
        number,
        title=pairs.get("Name", ""),
        artist=pairs.get("Artist", ""),
        album_artist=pairs.get("Album Artist", ""),
        album=pairs.get("Album", ""),
        disc=whole(pairs.get("Disc Number")),
        number=whole(pairs.get("Track Number")),
        length_ms=length_ms(pairs.get("Total Time", ""), "ms"),
        year=year_of(pairs.get("Year")),
        file=decoded_path(pairs.get("Location", "")),
        plays=whole(pairs.get("Play Count")),
        last_played=epoch(pairs.get("Play Date UTC", "")),
    )
    if pairs.get("Rating Computed") != "true":
        row.written = pairs.get("Rating", "")
        try:
            row.rating = points(float(row.written or 0), 100)
        except (ValueError, NotARating):
            row.problem = f"“{row.written}” is not a rating of 0 to 100"
    return row


def _recognises(head: Head) -> bool:
    start = head.text[:2000]
    return "<plist" in start or "doctype plist" in start


SOURCE = ListSource("itunes", "iTunes or Music library (XML)", _recognises, read)
