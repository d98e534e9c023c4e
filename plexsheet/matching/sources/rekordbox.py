"""rekordbox's XML export: ``Rating`` 0-255, one star for every 51."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from plexsheet.matching.rows import ListOptions, ListRow
from plexsheet.matching.sources.base import Head, ListSource
from plexsheet.matching.sources.values import (
    NotARating,
    decoded_path,
    length_ms,
    points,
    whole,
    year_of,
)
from plexsheet.matching.sources.xml import stream


def read(path: Path, options: ListOptions) -> Iterable[ListRow]:
    """Tracks of the collection; those of playlists only name a key."""
    rows: list[ListRow] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "TRACK" and "Name" in attributes:
            rows.append(_row(len(rows) + 1, attributes))

    stream(path, start, lambda name, text: None)
    return rows


def _row(number: int, track: dict[str, str]) -> ListRow:
    title, mix = track.get("Name", ""), track.get("Mix", "")
    row = ListRow(
        number,
        title=f"{title} ({mix})" if mix and mix.casefold() not in title.casefold() else title,
        artist=track.get("Artist", ""),
        album=track.get("Album", ""),
        disc=whole(track.get("DiscNumber")),
        number=whole(track.get("TrackNumber")),
        length_ms=length_ms(track.get("TotalTime", ""), "s"),
        year=year_of(track.get("Year")),
        file=decoded_path(track.get("Location", "")),
        written=track.get("Rating", ""),
        plays=whole(track.get("PlayCount")),
    )
    try:
        row.rating = points(float(row.written or 0), 255)
    except (ValueError, NotARating):
        row.problem = f"“{row.written}” is not a rating of 0 to 255"
    return row


def _recognises(head: Head) -> bool:
    return "<dj_playlists" in head.text[:2000]


SOURCE = ListSource("rekordbox", "rekordbox (XML)", _recognises, read)
