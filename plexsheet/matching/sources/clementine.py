"""The database of Clementine and of Strawberry: SQLite, table ``songs``, ratings 0.0-1.0.

The file is copied first, its write-ahead log with it: the player may be running, and a
database that is open elsewhere is neither locked nor changed by us.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from plexsheet.matching.rows import ListOptions, ListRow
from plexsheet.matching.sources.base import ListSource, UnreadableList
from plexsheet.matching.sources.values import decoded_path, length_ms, whole
from plexsheet.ratings import HIGHEST, UNRATED

MAGIC = b"SQLite format 3\x00"
_NEEDED = {"title", "artist", "album", "rating"}
_COLUMNS = {
    "title": ("title",),
    "artist": ("artist",),
    "album_artist": ("albumartist",),
    "album": ("album",),
    "disc": ("disc",),
    "number": ("track",),
    "length": ("length", "length_nanosec"),
    "year": ("year",),
    "file": ("filename", "url"),
    "mbid": ("musicbrainz_recording_id",),
    "track_mbid": ("musicbrainz_track_id",),
    "rating": ("rating",),
    "plays": ("playcount",),
    "last_played": ("lastplayed",),
}


def read(path: Path, options: ListOptions) -> Iterable[ListRow]:
    """Songs of the player's collection, those whose file is gone too."""
    with tempfile.TemporaryDirectory(prefix="plexsheet-") as folder:
        copy = Path(folder) / "songs.db"
        shutil.copyfile(path, copy)
        log = path.with_name(path.name + "-wal")
        if log.exists():
            shutil.copyfile(log, copy.with_name("songs.db-wal"))
        try:
            with closing(sqlite3.connect(copy)) as database:
                database.text_factory = lambda raw: raw.decode("utf-8", "replace")
                return list(_songs(database))
        except sqlite3.DatabaseError as error:
            raise UnreadableList(f"it is damaged ({error})") from error


def _songs(database: sqlite3.Connection) -> Iterator[ListRow]:
    columns = {row[1].lower() for row in database.execute("PRAGMA table_info(songs)")}
    if not columns >= _NEEDED:
        raise UnreadableList("it is a database, but not one of Clementine or Strawberry")
    wanted = [
        next((name for name in names if name in columns), "NULL") for names in _COLUMNS.values()
    ]
    query = f"SELECT {', '.join(wanted)} FROM songs"  # noqa: S608 - names from our own list
    for number, values in enumerate(database.execute(query), start=1):
        yield _row(number, dict(zip(_COLUMNS, values, strict=True)))


def _row(number: int, song: dict[str, Any]) -> ListRow:
    stored = song["rating"]
    value = float(stored) if isinstance(stored, int | float) else -1.0
    row = ListRow(
        number,
        title=_text(song["title"]),
        artist=_text(song["artist"]),
        album_artist=_text(song["album_artist"]),
        album=_text(song["album"]),
        disc=_count(song["disc"]),
        number=_count(song["number"]),
        length_ms=length_ms(song["length"] or 0, "ns"),
        year=_count(song["year"]),
        file=decoded_path(_text(song["file"])),
        ids=tuple(filter(None, (_text(song["mbid"]), _text(song["track_mbid"])))),
        written=f"{value:.2g}" if value > 0 else "",
        plays=_count(song["plays"]),
        last_played=_count(song["last_played"]),
    )
    if value > 1:
        row.problem = f"{value:g} is more than 1"
    else:
        row.rating = round(value * HIGHEST, 2) if value > 0 else UNRATED
    return row


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")


def _count(value: Any) -> int:
    return whole(value) if not isinstance(value, int) else max(value, 0)


SOURCE = ListSource(
    "clementine",
    "Clementine or Strawberry (SQLite)",
    lambda head: head.data.startswith(MAGIC),
    read,
)
