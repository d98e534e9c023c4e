"""The CSV files of plex-rating-utils: artists, albums and tracks with its headers.

``ratingType`` says whose a rating is.  An unrated row says ``manual``, since what is typed
there becomes the person's.  UTF-8 with a byte-order mark, so that Excel reads names right;
text that a spreadsheet would take for a formula is made harmless, see ``csv_text``.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plexsheet.library import KINDS, Kind, Library
from plexsheet.ratings import to_stars
from plexsheet.workbook.schema.csv_text import safe
from plexsheet.workbook.writing.writer import made_folder, replacing

HEADERS: Mapping[Kind, tuple[str, ...]] = {
    "artist": (
        "ratingKey",
        "artistName",
        "sortName",
        "albumCount",
        "genres",
        "userRating",
        "ratingType",
    ),
    "album": (
        "ratingKey",
        "albumName",
        "sortName",
        "artistName",
        "releaseYear",
        "genres",
        "userRating",
        "ratingType",
    ),
    "track": (
        "ratingKey",
        "trackTitle",
        "trackArtist",
        "albumName",
        "albumArtist",
        "userRating",
        "ratingType",
    ),
}
FILE_NAMES: Mapping[Kind, str] = {
    "artist": "artists.csv",
    "album": "albums.csv",
    "track": "tracks.csv",
}


def write_csv(
    folder: Path, library: Library, source: Mapping[Kind, NDArray[Any]], *, separator: str = ","
) -> dict[str, int]:
    """Write artists.csv, albums.csv and tracks.csv into a folder, made if missing.

    Args:
        folder: where to.
        library: as Plex holds it.
        source: for each kind, shape (items,), whose each rating is (``ownership.Owned``).
        separator: between columns.

    Returns:
        Rows written per ``artists``, ``albums``, ``tracks``.

    Raises:
        UsageError: a file cannot be written.
    """
    made_folder(folder)
    return {
        f"{kind}s": write_kind(
            folder / FILE_NAMES[kind], kind, library, source, separator=separator
        )
        for kind in KINDS
    }


def write_kind(
    path: Path,
    kind: Kind,
    library: Library,
    source: Mapping[Kind, NDArray[Any]],
    *,
    separator: str = ",",
) -> int:
    """Write one kind of item into a file, whole or not at all; returns the rows written."""
    rows = list(_rows(kind, library, source[kind]))
    with replacing(path) as file:
        file.write("\ufeff".encode())
        lines = _Encoded(file)
        writer = csv.writer(lines, delimiter=separator, lineterminator="\r\n")
        writer.writerow(HEADERS[kind])
        writer.writerows(rows)
    return len(rows)


class _Encoded:
    """What ``csv`` writes, as UTF-8 into a binary file."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write one line."""
        return int(self._file.write(text.encode("utf-8", "replace")))


def _rows(kind: Kind, library: Library, source: NDArray[Any]) -> Iterator[tuple[Any, ...]]:
    table = library.table(kind)
    stars = [
        "" if math.isnan(rating) else f"{to_stars(rating):g}"
        for rating in table["user_rating"].tolist()
    ]
    types = np.where(np.isin(source.astype(str), ("Inferred", "Twin")), "inferred", "manual")
    described = [_harmless(column) for column in _described(kind, library)]
    columns = [table["key"].tolist(), *described, stars, types.tolist()]
    yield from zip(*columns, strict=True)


def _harmless(column: list[Any]) -> list[Any]:
    return [safe(cell) if isinstance(cell, str) else cell for cell in column]


def _described(kind: Kind, library: Library) -> list[list[Any]]:
    """The columns between rating key and rating."""
    table = library.table(kind)
    if kind == "track":
        own = table["track_artist"].where(table["track_artist"] != "", table["artist"])
        texts = (table["title"], own, table["album"], table["artist"])
        return [column.tolist() for column in texts]
    genres = [text.replace("; ", ", ") for text in table["genres"]]
    first = [table["title"].tolist(), table["sort_title"].tolist()]
    if kind == "artist":
        counts = library.albums["artist_key"].value_counts()
        return [*first, [int(counts.get(key, 0)) for key in table["key"]], genres]
    years = [year or "" for year in table["year"].tolist()]
    return [*first, table["artist"].tolist(), years, genres]
