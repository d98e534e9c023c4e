"""What to rate next: the items whose rating would teach the most (pure)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.inference.exclusions import counts_upward
from plexsheet.library import Kind, rows_of
from plexsheet.reports.report import Cell, Report, ReportColumn, Subject, link, number, stars

ROWS = 20
PER_ARTIST = 2  # rating ten albums of one artist teaches less than it seems
LAYOUT = (
    ReportColumn("Key", "count", minor=True),
    ReportColumn("Kind"),
    ReportColumn("Artist"),
    ReportColumn("Title"),
    ReportColumn("Plays", "count"),
    ReportColumn("Inferred", "stars"),
    ReportColumn("Confidence", "percent"),
    ReportColumn("Rows it would settle", "count", bar=True),
    ReportColumn("Link", "link"),
)


def rate_next(subject: Subject, rows: int = ROWS) -> Report:
    """Unrated tracks and albums whose rating would teach the most.

    A rating teaches by how unsure its item is, how many other unrated rows lean on it
    (tracks of the same album, unless it is an intro or the like; other copies of the
    recording) and how much of that is played:
    ``error · ∜(1 + rows) · (1 + log₂(1 + plays))``, so that what is played most comes first.
    One row per album, two per artist, so that the list does not circle around one place.
    """
    candidates = pd.concat([_candidates(subject, "album"), _candidates(subject, "track")])
    ranked = candidates.sort_values(
        ["score", "kind", "key"], ascending=[False, False, True], kind="stable"
    )
    ranked = ranked[~ranked["album"].duplicated() | (ranked["album"] < 0)]
    ranked = ranked[ranked.groupby("artist").cumcount() < PER_ARTIST].head(rows)
    listed = [_row(subject, one) for one in ranked.to_dict("records")]
    summary: dict[str, Cell] = {
        "rows": len(listed),
        "settled": int(ranked["settles"].sum()),
        "unrated": int(subject.open("track").sum()),
    }
    note = "Rating these tells most about the rest: often played, unsure, with many rows behind."
    return Report("rate-next", "Rate next", LAYOUT, listed, summary, note, bars="size")


def _candidates(subject: Subject, kind: Kind) -> pd.DataFrame:
    """Unrated items of a kind with their scores.

    Columns: kind, row, key, album (its row), artist (row of the album artist), plays,
    settles, score.
    """
    library, inferred = subject.library, subject.inference.of(kind)
    album = rows_of(library.keys("album"), library.tracks["album_key"].to_numpy())
    plays = library.tracks["view_count"].to_numpy()
    open_ = subject.open("track")
    albums = len(library.albums)
    waiting = np.bincount(album[open_ & (album >= 0)], minlength=albums)
    if kind == "album":
        of_album = np.arange(albums)
        settles = waiting
        plays = np.bincount(album[album >= 0], plays[album >= 0], minlength=albums)
    else:
        of_album = album
        copies = _open_copies(subject, open_)
        counts, _ = counts_upward(library, subject.settings.exclusions)
        in_album = np.where(album >= 0, np.append(waiting, 1)[album] - open_, 0)
        settles = np.where(counts, in_album, 0) + copies
    score = inferred.error * (1 + settles) ** 0.25 * (1 + np.log2(1 + plays))
    table = pd.DataFrame(
        {
            "kind": kind,
            "row": np.arange(len(score)),
            "key": library.keys(kind),
            "album": of_album,
            "artist": rows_of(library.keys("artist"), library.table(kind)["artist_key"].to_numpy()),
            "plays": plays.astype(np.int64),
            "settles": settles.astype(np.int64),
            "score": score,
        }
    )
    kept: pd.DataFrame = table[subject.open(kind) & ~np.isnan(score)]
    return kept


def _open_copies(subject: Subject, open_: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many other unrated copies of its recording each track has."""
    group = subject.inference.twin_group
    counts = np.bincount(group[open_ & (group >= 0)], minlength=int(group.max(initial=-1)) + 1)
    return np.where(group >= 0, np.append(counts, 0)[group] - open_, 0).astype(np.int64)


def _row(subject: Subject, one: Mapping[Hashable, Any]) -> tuple[Cell, ...]:
    kind: Kind = one["kind"]
    row = int(one["row"])
    item, inferred = subject.library.table(kind).iloc[row], subject.inference.of(kind)
    artist = item["artist"] if kind == "album" else item["track_artist"] or item["artist"]
    return (
        int(item["key"]),
        kind.capitalize(),
        artist,
        item["title"],
        int(one["plays"]),
        stars(float(inferred.value[row])),
        number(float(inferred.confidence[row]), 0),
        int(one["settles"]),
        link(subject.library.identity, int(item["key"])),
    )
