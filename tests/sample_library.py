"""A library for workbook tests: the demo's rows as tables, without a server in between."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from plexsheet import library
from plexsheet.config.settings import InferenceSettings
from plexsheet.demo.library import VARIOUS, Row, generate
from plexsheet.inference.model import Evidence, Inference, Inferred
from plexsheet.library import KINDS, Identity, Kind, Library
from plexsheet.workbook.schema.meta import Meta
from plexsheet.workbook.writing.sheet_data import View

IDENTITY = Identity("srv-1", "Attic", "section-uuid", 3, "Music", "1", "Anna")
META = Meta(
    "e-0001", "srv-1", "Attic", "section-uuid", "Music", "1", "Anna", 1_795_347_060,
    "2026-11-22 12:31", "0.1.0", config_digest="c0ffee",
)  # fmt: skip


@dataclass
class Owned:
    evidence: Evidence
    source: dict[Kind, Any] = field(default_factory=dict)


def make_library(tracks: int, seed: int = 0) -> Library:
    """A library of so many tracks, with albums and artists numbered as they come."""
    rows = pd.DataFrame(list(generate(tracks, seed)), columns=Row._fields)
    rows["album_artist"] = np.where(
        rows["album_artist"] == "", rows["artist"], rows["album_artist"]
    )
    rows["artist_key"] = pd.factorize(rows["album_artist"])[0] + 1
    rows["album_key"] = rows.groupby(["artist_key", "album"], sort=False).ngroup() + 100_001
    artists = rows.drop_duplicates("artist_key")
    albums = rows.drop_duplicates("album_key")
    return Library(
        IDENTITY,
        library.table(
            "artist",
            {
                "key": artists["artist_key"],
                "title": artists["album_artist"],
                "genres": artists["genre"],
                "user_rating": _floats(artists["artist_user_rating"]),
                "added_at": artists["added_at"],
            },
        ),
        library.table(
            "album",
            {
                "key": albums["album_key"],
                "title": albums["album"],
                "artist_key": albums["artist_key"],
                "artist": albums["album_artist"],
                "year": albums["year"],
                "critic_rating": _floats(albums["critic_rating"]),
                "user_rating": _floats(albums["album_user_rating"]),
                "genres": albums["genre"],
                "format": np.where(albums["compilation"], "", "Album"),
                "subformat": np.where(albums["compilation"], "Compilation", albums["subformat"]),
                "added_at": albums["added_at"],
                "view_count": albums["view_count"],
            },
        ),
        library.table(
            "track",
            {
                "key": np.arange(len(rows)) + 1_000_001,
                "title": rows["track"],
                "album_key": rows["album_key"],
                "artist_key": rows["artist_key"],
                "album": rows["album"],
                "artist": rows["album_artist"],
                "track_artist": np.where(
                    rows["album_artist"] == VARIOUS, rows["artist"], ""
                ).astype(object),
                "disc": rows["disc"],
                "index": rows["index"],
                "year": rows["year"],
                "duration_ms": rows["duration_ms"],
                "user_rating": _floats(rows["user_rating"]),
                "last_rated_at": rows["rated_at"],
                "added_at": rows["added_at"],
                "last_viewed_at": rows["last_viewed_at"],
                "view_count": rows["view_count"],
            },
        ),
    )  # fmt: skip


def _floats(values: Any) -> Any:
    return values.astype(np.float64)


def make_view(lib: Library, settings: InferenceSettings | None = None) -> View:
    """A view of a library as after a first inference was written."""
    from plexsheet.inference import infer

    evidence = Evidence.all_manual(lib)
    inference = infer(lib, evidence, settings or InferenceSettings())
    source = {
        kind: np.where(evidence.manual[kind], "Manual", "Unrated").astype(object) for kind in KINDS
    }
    return View(lib, inference, Owned(evidence, source))


def quick_view(lib: Library, **changes: Any) -> View:
    """A view whose inference is made up at once: for tests of looks, text and speed."""
    evidence = Evidence.all_manual(lib)
    source = {
        kind: np.where(evidence.manual[kind], "Manual", "Unrated").astype(object) for kind in KINDS
    }
    titles = lib.tracks["artist"] + lib.tracks["title"].str.casefold()
    places, names = pd.factorize(titles)
    several = np.bincount(places, minlength=len(names)) > 1
    groups = np.where(several[places], places, -1) if len(places) else places
    words = np.where(groups >= 0, "name", "").astype(object)
    made = [_proposals(len(lib.table(kind))) for kind in KINDS]
    inference = Inference("classic", 6.6, *made, groups, words)
    return replace(View(lib, inference, Owned(evidence, source)), **changes)


def _proposals(rows: int) -> Inferred:
    rng = np.random.default_rng(rows)
    artist, genre = rng.normal(0, 1, rows), rng.normal(0, 0.3, rows)
    value = np.clip(6.6 + artist + genre, 0.5, 10)
    counts = rng.integers(1, 60, rows).astype(float)
    parts = {"library": value - artist - genre, "artist": artist, "genre": genre}
    error = rng.uniform(0.5, 2, rows)
    return Inferred(value, error, 100 - 40 * error, counts, parts, {"artist": counts})


@cache
def small_view() -> View:
    """Some six hundred tracks, inferred with the learned model."""
    return make_view(make_library(600, seed=3))


def reports_of(view: View) -> list[Any]:
    """All reports about a view."""
    from plexsheet.reports.report import Subject
    from plexsheet.reports.tables import build_all

    subject = Subject(view.library, view.owned.evidence, view.inference, view.owned.source)
    return build_all(subject)


def export(path: Path, view: View, **options: Any) -> Path:
    """A workbook of a view."""
    from plexsheet.workbook.writing.writer import export_workbook

    export_workbook(path, view, meta=META, **options)
    return path
