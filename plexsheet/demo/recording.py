"""A library played back from the recording in a bug report.

``plexsheet report-bug FILE.zip --recording`` keeps Plex's listings with every word, id and
time replaced.  Put together again they are rows like those of any demo library, so that
what went wrong with that library can be looked at without having it.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

from plexsheet.demo.library import Row

RECORDING = "recording.jsonl"
FILTERED = {"mood", "album.subformat", "album.format", "genre"}
ARTIST, ALBUM, TRACK = "8", "9", "10"


def read_recording(path: str | Path) -> Iterator[Row]:
    """Rows of the library in a bug report.

    Raises:
        ValueError: the zip has no recording, or no listing of tracks in it.
        OSError: the file cannot be read.
    """
    items: dict[str, dict[str, dict[str, str]]] = {ARTIST: {}, ALBUM: {}, TRACK: {}}
    genres: dict[str, str] = {}
    subformats = _Subformats()
    for kind, query, answer in _listings(path):
        subformats.learn(query, answer)
        if FILTERED & set(query):
            continue
        for element in answer:
            if number := element.get("ratingKey"):
                items[kind][number] = dict(element.attrib)
                genres[number] = "; ".join(tag.get("tag", "") for tag in element.iter("Genre"))
    if not items[TRACK]:
        raise ValueError(f"There is no library in {path}: it lists no tracks.")
    for track in items[TRACK].values():
        album = items[ALBUM].get(track.get("parentRatingKey", ""), {})
        artist = items[ARTIST].get(track.get("grandparentRatingKey", ""), {})
        key = album.get("ratingKey", "")
        yield _row(track, album, artist)._replace(
            genre=genres.get(key, ""), subformat=subformats.of.get(key, "")
        )


class _Subformats:
    """Which albums are live, compilations ...: told by filters, whose names come before."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def learn(self, query: dict[str, str], answer: ElementTree.Element) -> None:
        for choice in answer.iter("Directory"):
            if "ratingKey" not in choice.attrib:
                self._names[choice.get("key", "")] = choice.get("title", "")
        if name := self._names.get(query.get("album.subformat", "")):
            for album in answer:
                key = album.get("ratingKey", "")
                self.of[key] = "; ".join(filter(None, (self.of.get(key), name)))


def _listings(path: str | Path) -> Iterator[tuple[str, dict[str, str], ElementTree.Element]]:
    try:
        with zipfile.ZipFile(path) as report:
            text = report.read(RECORDING).decode("utf-8")
    except (KeyError, zipfile.BadZipFile) as error:
        raise ValueError(f"There is no {RECORDING} in {path}.") from error
    for line in text.splitlines():
        kept = json.loads(line)
        address = urlsplit(kept["path"])
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        kind = query.get("type", "")
        if "/library/sections/" in address.path and kind in (ARTIST, ALBUM, TRACK) and kept["body"]:
            yield kind, query, ElementTree.fromstring(kept["body"])  # noqa: S314 - our own


def _row(track: dict[str, str], album: dict[str, str], artist: dict[str, str]) -> Row:
    credited = track.get("grandparentTitle", "")
    return Row(
        artist=track.get("originalTitle", "") or credited,
        album_artist=credited,
        album=track.get("parentTitle", ""),
        track=track.get("title", ""),
        disc=_number(track, "parentIndex"),
        index=_number(track, "index"),
        duration_ms=_number(track, "duration"),
        year=_number(album, "year"),
        critic_rating=_rating(album, "rating"),
        user_rating=_rating(track, "userRating"),
        album_user_rating=_rating(album, "userRating"),
        artist_user_rating=_rating(artist, "userRating"),
        guid=track.get("guid", ""),
        release_date=album.get("originallyAvailableAt", ""),
        studio=album.get("studio", ""),
        added_at=_number(track, "addedAt"),
        rated_at=_number(track, "lastRatedAt"),
        view_count=_number(track, "viewCount"),
        last_viewed_at=_number(track, "lastViewedAt"),
        skip_count=_number(track, "skipCount"),
    )


def _number(item: dict[str, Any], name: str) -> int:
    return int(item.get(name) or 0)


def _rating(item: dict[str, Any], name: str) -> float | None:
    return float(item[name]) if item.get(name) else None
