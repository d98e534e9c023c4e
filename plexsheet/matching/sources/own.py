"""A workbook of plexsheet, by the titles in it: for a library whose keys are other ones."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from plexsheet.matching.rows import ListOptions, ListRow
from plexsheet.matching.sources.base import Head, ListSource, UnreadableList
from plexsheet.matching.sources.headers import key_of
from plexsheet.matching.sources.table import find_columns, of_tables, sheets
from plexsheet.workbook.reading.archive import Refused, sniff

_MAPPING = {"My rating": "rating", "Title": "title", "Artist": "album_artist"}


def read(path: Path, options: ListOptions) -> Iterable[ListRow]:
    """Rows of the sheets of tracks; only the person's own ratings, not inferred ones."""
    try:
        sniff(path)
    except Refused as error:
        raise UnreadableList("it is not a workbook that can be opened") from error
    tables = [rows for name, rows in sheets(path) if key_of(name).startswith("tracks")]
    if not tables:
        raise UnreadableList("it has no sheet of tracks")
    made: list[ListRow] = []
    for rows in tables:
        columns = find_columns(rows, {})
        if columns is not None and "rating" in columns.place:
            said = replace(options, mapping={**_MAPPING, **options.mapping}, scale=5)
            listed = of_tables([rows], said, path.name)
            if columns.names.get("length") == "Length":
                for row in listed:
                    row.length_ms = _clock_ms(row.length_ms)
            made += listed
    for row in made:
        row.artist = row.artist or row.album_artist
    return made


def _clock_ms(shown_ms: int) -> int:
    """A length in our column Length, which holds 905 and shows it as 9:05.

    >>> _clock_ms(905_000)
    545000
    """
    minutes, seconds = divmod(shown_ms // 1000, 100)
    return (60 * minutes + seconds) * 1000


def _recognises(head: Head) -> bool:
    if not head.data.startswith(b"PK"):
        return False
    try:
        with zipfile.ZipFile(head.path) as archive:
            if "docProps/custom.xml" in archive.namelist():
                return b"plexsheet" in archive.open("docProps/custom.xml").read(20_000)
            if "meta.xml" in archive.namelist():
                return b"plexsheet" in archive.open("meta.xml").read(50_000)
    except (zipfile.BadZipFile, OSError, RuntimeError):
        return False
    return False


SOURCE = ListSource("plexsheet", "plexsheet workbook", _recognises, read)
