"""Rhythmbox's rhythmdb.xml: one ``entry`` per song, ratings 0-5."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from plexsheet.matching.rows import ListOptions, ListRow
from plexsheet.matching.sources.base import ListSource
from plexsheet.matching.sources.values import (
    NotARating,
    decoded_path,
    epoch,
    length_ms,
    rating,
    whole,
)
from plexsheet.matching.sources.xml import stream

_FIRST_DAY = datetime(1, 1, 1, tzinfo=UTC)


def read(path: Path, options: ListOptions) -> Iterable[ListRow]:
    """Songs; radio stations and podcasts are passed over."""
    rows: list[ListRow] = []
    pairs: dict[str, str] = {}
    kind = ""

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal kind
        if name == "entry":
            kind = attributes.get("type", "song")
            pairs.clear()

    def end(name: str, text: str) -> None:
        if name != "entry":
            pairs[name] = text
        elif kind == "song":
            rows.append(_row(len(rows) + 1, pairs))

    stream(path, start, end)
    return rows


def _row(number: int, pairs: dict[str, str]) -> ListRow:
    days = whole(pairs.get("date"))
    ids = tuple(filter(None, (pairs.get("mb-trackid"),)))
    row = ListRow(
        number,
        title=pairs.get("title", ""),
        artist=pairs.get("artist", ""),
        album_artist=pairs.get("album-artist", ""),
        album=pairs.get("album", ""),
        disc=whole(pairs.get("disc-number")),
        number=whole(pairs.get("track-number")),
        length_ms=length_ms(pairs.get("duration", ""), "s"),
        year=(_FIRST_DAY + timedelta(days=days - 1)).year if 0 < days < 3_000_000 else 0,
        file=decoded_path(pairs.get("location", "")),
        ids=ids,
        written=pairs.get("rating", ""),
        plays=whole(pairs.get("play-count")),
        last_played=epoch(pairs.get("last-played", "")),
    )
    try:
        row.rating = rating(row.written, 5)
    except NotARating as error:
        row.problem = str(error)
    return row


SOURCE = ListSource(
    "rhythmbox", "Rhythmbox (XML)", lambda head: "<rhythmdb" in head.text[:2000], read
)
