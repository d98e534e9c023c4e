"""Traktor's collection.nml: ``RANKING`` 0-255, one star for every 51.

``RATING`` in the same file is a comment of the person's, not a rating.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from plexsheet.matching.rows import ListOptions, ListRow
from plexsheet.matching.sources.base import Head, ListSource
from plexsheet.matching.sources.values import (
    NotARating,
    epoch,
    length_ms,
    points,
    whole,
    year_of,
)
from plexsheet.matching.sources.xml import stream

_KEPT = ("ENTRY", "LOCATION", "ALBUM", "INFO")


def read(path: Path, options: ListOptions) -> Iterable[ListRow]:
    """Entries of the collection; those of playlists only point to them."""
    rows: list[ListRow] = []
    found: dict[str, dict[str, str]] = {}
    inside = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal inside
        if name == "COLLECTION":
            inside = True
        elif name == "ENTRY":
            found.clear()
        if name in _KEPT:
            found[name] = attributes

    def end(name: str, text: str) -> None:
        nonlocal inside
        if name == "COLLECTION":
            inside = False
        elif name == "ENTRY" and inside:
            rows.append(_row(len(rows) + 1, found))

    stream(path, start, end)
    return rows


def _row(number: int, found: dict[str, dict[str, str]]) -> ListRow:
    entry, info = found.get("ENTRY", {}), found.get("INFO", {})
    album, place = found.get("ALBUM", {}), found.get("LOCATION", {})
    folder = place.get("DIR", "").replace("/:", "/")
    row = ListRow(
        number,
        title=entry.get("TITLE", ""),
        artist=entry.get("ARTIST", ""),
        album=album.get("TITLE", ""),
        number=whole(album.get("TRACK")),
        length_ms=length_ms(info.get("PLAYTIME_FLOAT") or info.get("PLAYTIME", ""), "s"),
        year=year_of(info.get("RELEASE_DATE")),
        file=folder + place.get("FILE", "") if place.get("FILE") else "",
        written=info.get("RANKING", ""),
        plays=whole(info.get("PLAYCOUNT")),
        last_played=epoch(info.get("LAST_PLAYED", "")),
    )
    try:
        row.rating = points(float(row.written or 0), 255)
    except (ValueError, NotARating):
        row.problem = f"“{row.written}” is not a rating of 0 to 255"
    return row


def _recognises(head: Head) -> bool:
    return "<nml" in head.text[:2000]


SOURCE = ListSource("traktor", "Traktor collection (NML)", _recognises, read)
