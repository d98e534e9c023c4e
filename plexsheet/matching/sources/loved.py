"""Loved tracks of Last.fm and ListenBrainz, and other lists of JSON objects.

They say that a song is loved, not how much: the person says with ``--rating`` what that is
worth.  A plain list of objects is read like a table, its names as headers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from plexsheet.matching.rows import ListOptions, ListRow
from plexsheet.matching.sources.base import Head, ListSource, UnreadableList, Unsaid
from plexsheet.matching.sources.table import of_tables
from plexsheet.matching.sources.values import epoch


def read(path: Path, options: ListOptions) -> Iterable[ListRow]:
    """Loved tracks; what was hated on ListenBrainz stays without a rating."""
    songs = list(_songs(_parsed(path)))
    if not songs:
        raise UnreadableList("it holds no songs")
    if not any(_is_loved(song) for song in songs):
        headers = list(dict.fromkeys(name for song in songs for name in song))
        table: list[list[Any]] = [list(headers)]
        table += [[song.get(name) for name in headers] for song in songs]
        return of_tables([table], options, path.name)
    if math.isnan(options.favourite):
        raise Unsaid(
            f"{path.name} lists loved tracks and no ratings. Say what they are worth: --rating 5."
        )
    return [_loved(number, song, options) for number, song in enumerate(songs, start=1)]


def _parsed(path: Path) -> Any:
    """The file as JSON: one value, or one to a line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableList("it is not UTF-8, as JSON must be") from error
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        try:
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        except (ValueError, RecursionError):
            where = f" in line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
            raise UnreadableList(f"its JSON is damaged{where}") from error


def _songs(value: Any) -> Iterator[dict[str, Any]]:
    """The objects that stand for songs: the pages and wrappers of both services opened."""
    if isinstance(value, list):
        for one in value:
            yield from _songs(one)
    elif isinstance(value, dict):
        inside = next(
            (value[name] for name in ("lovedtracks", "track", "feedback", "tracks", "payload")
             if isinstance(value.get(name), list | dict) and "track_metadata" not in value
             and not ("artist" in value and "name" in value)), None,
        )  # fmt: skip
        if inside is None:
            yield value
        else:
            yield from _songs(inside)


def _is_loved(song: dict[str, Any]) -> bool:
    named = isinstance(song.get("artist"), dict) and "name" in song
    return named or "track_metadata" in song or "recording_msid" in song


def _loved(number: int, song: dict[str, Any], options: ListOptions) -> ListRow:
    about = song.get("track_metadata") or {}
    mapped = about.get("mbid_mapping") or {}
    artist = song.get("artist") or {}
    date = song.get("date") or {}
    ids = (song.get("recording_mbid"), mapped.get("recording_mbid"), song.get("mbid"))
    hated = song.get("score", 1) in (-1, "-1", 0, "0")
    named = artist.get("name") or artist.get("#text", "") if isinstance(artist, dict) else artist
    return ListRow(
        number,
        title=str(song.get("name") or about.get("track_name") or ""),
        artist=str(about.get("artist_name") or named or ""),
        album=str(about.get("release_name") or ""),
        ids=tuple(dict.fromkeys(str(one) for one in ids if one)),
        rating=math.nan if hated else options.favourite,
        written="" if hated else "loved",
        rated_at=epoch(song.get("created") or (date.get("uts") if isinstance(date, dict) else 0)),
    )


def _recognises(head: Head) -> bool:
    return head.text.lstrip()[:1] in ("{", "[") and not head.path.is_dir()


SOURCE = ListSource("loved", "Last.fm or ListenBrainz loved tracks (JSON)", _recognises, read)
