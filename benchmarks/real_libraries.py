"""Real libraries as plexsheet sees them, for the benchmarks and tests of accuracy.

Reads the tab-separated files of a folder of libraries (columns artist, album_artist,
album, track, disc, index, duration_ms, year, genre, critic_rating, user_rating,
album_user_rating, compilation) into a ``Library``, and deals the folds of the protocol:
``default_rng(0).integers(0, 5, units)`` per track and per album.
"""

from __future__ import annotations

import csv
import gzip
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.library import Identity, Library, table

NAMES = ("lib-a", "lib-b", "lib-c", "lib-d", "lib-e")
VARIOUS = "various artists"
FOLDS = 5


@dataclass(frozen=True)
class Real:
    """A real library with the folds of the protocol, one label per track."""

    name: str
    library: Library
    by_track: NDArray[np.int64]
    by_album: NDArray[np.int64]


def folder(given: str | None = None) -> Path:
    """Where the libraries are: as given, else beside the repository."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    root = Path(given) if given else Path(os.environ.get("PLEXSHEET_SHARED", beside)) / "libraries"
    return root.expanduser()


def read(path: Path) -> Real:
    """A library from its file, tracks in row order with keys from 1."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text, delimiter="\t", quoting=csv.QUOTE_NONE))
    frame = pd.DataFrame(rows).astype(object)
    artist = np.where(frame["album_artist"] != "", frame["album_artist"], frame["artist"])
    compilation = (frame["compilation"] == "1").to_numpy()
    artist = np.where(compilation & (frame["album_artist"] == ""), "Various Artists", artist)
    library = _library(path.name.split(".")[0], frame, artist, compilation)
    albums = library.tracks["album_key"].to_numpy()
    units = pd.factorize(albums)[0]
    return Real(
        library.identity.title,
        library,
        np.random.default_rng(0).integers(0, FOLDS, len(frame)),
        np.random.default_rng(0).integers(0, FOLDS, int(units.max()) + 1)[units],
    )


def _numbers(column: pd.Series) -> NDArray[np.float64]:
    return pd.to_numeric(column.replace("", None)).to_numpy(np.float64)


def _whole(column: pd.Series) -> NDArray[np.int64]:
    return np.nan_to_num(_numbers(column)).astype(np.int64)


def _library(
    name: str, frame: pd.DataFrame, artist: NDArray[np.object_], compilation: NDArray[np.bool_]
) -> Library:
    lowered = pd.Series(artist).str.lower()
    artist_code, artist_names = pd.factorize(lowered)
    album_id = lowered + "\t" + frame["album"].str.lower()
    album_code, album_names = pd.factorize(album_id)
    first_artist = pd.Series(artist).groupby(artist_code).first().to_numpy()
    first = frame.assign(artist_code=artist_code, artist=artist).groupby(album_code).first()
    genre = frame["genre"].groupby(album_code).agg(_commonest).to_numpy()
    in_compilation = pd.Series(compilation).groupby(album_code).max().to_numpy()
    artist_keys = 1_000_001 + np.arange(len(artist_names))
    album_keys = 2_000_001 + np.arange(len(album_names))
    return Library(
        Identity("real", "real", name, 1, name, "1", "someone"),
        table("artist", {"key": artist_keys, "title": first_artist}),
        table(
            "album",
            {
                "key": album_keys,
                "title": first["album"].to_numpy(),
                "artist": first["artist"].to_numpy(),
                "artist_key": artist_keys[first["artist_code"].to_numpy()],
                "year": _whole(first["year"]),
                "critic_rating": _numbers(first["critic_rating"]),
                "user_rating": _numbers(first["album_user_rating"]),
                "genres": genre,
                "subformat": np.where(in_compilation, "Compilation", ""),
            },
        ),
        table(
            "track",
            {
                "key": 1 + np.arange(len(frame)),
                "title": frame["track"].to_numpy(),
                "album_key": album_keys[album_code],
                "artist_key": artist_keys[artist_code],
                "album": frame["album"].to_numpy(),
                "artist": first_artist[artist_code],
                "track_artist": np.where(frame["artist"] == artist, "", frame["artist"]),
                "disc": _whole(frame["disc"]),
                "index": _whole(frame["index"]),
                "year": _whole(frame["year"]),
                "duration_ms": _whole(frame["duration_ms"]),
                "user_rating": _numbers(frame["user_rating"]),
                **_listening(frame),
            },
        ),
    )


def _listening(frame: pd.DataFrame) -> dict[str, NDArray[np.int64]]:
    """What was played, in the libraries that tell."""
    names = ("view_count", "skip_count", "last_viewed_at", "added_at")
    return {name: _whole(frame[name]) for name in names if name in frame}


def _commonest(values: pd.Series) -> str:
    known = values[values != ""]
    return str(known.value_counts().index[0]) if len(known) else ""
