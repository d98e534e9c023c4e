"""Twins, copy by copy: those the person rated differently first (pure)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.library import rows_of
from plexsheet.ratings import SAME_WITHIN
from plexsheet.reports.report import (
    Cell,
    Report,
    ReportColumn,
    Subject,
    link,
    performers,
    stars_list,
)

EVIDENCE = {"guid": "same guid", "name": "title, artist, length", "decision": "your decision"}
DISAGREE = "DISAGREE"


def twins(subject: Subject) -> Report:
    """Every group of twins, one row per copy: disagreements first, widest apart first."""
    copies = _copies(subject)
    order = copies.sort_values(["apart", "unheard", "group", "row"], ascending=[False, *[True] * 3])
    rows = _rows(subject, order)
    layout = (
        ReportColumn("Group", "count"),
        ReportColumn("Artist"),
        ReportColumn("Title"),
        ReportColumn("Album"),
        ReportColumn("Year", "count", minor=True),
        ReportColumn("Length s", "count", minor=True),
        ReportColumn("My rating", "stars"),
        ReportColumn("In Plex", "stars"),
        ReportColumn("Group value", "stars"),
        ReportColumn("Verdict"),
        ReportColumn("Evidence", minor=True),
        ReportColumn("Key", "count", minor=True),
        ReportColumn("Link", "link"),
    )
    groups = copies.drop_duplicates("group")
    summary: dict[str, Cell] = {
        "groups": len(groups),
        "copies": len(copies),
        "disagreements": int((groups["apart"] > 0).sum()),
    }
    follow = "take the mean of" if subject.inference.model == "classic" else "follow"
    note = (
        f"{DISAGREE}: you rated copies of one recording differently. Neither is changed; "
        f"copies without a rating {follow} yours."
    )
    return Report("twins", "Twins", layout, rows, summary, note)


def _copies(subject: Subject) -> pd.DataFrame:
    """One row per twin: its row in the tracks, group, and how far the person's ratings differ.

    Columns: row, group, given (0-10, NaN), value (of the group, 0-10), apart (0 where the
    person's ratings of the group agree), unheard (true without any).
    """
    group = subject.inference.twin_group
    row = np.flatnonzero(group >= 0)
    copies = pd.DataFrame({"row": row, "group": group[row], "given": subject.given("track")[row]})
    given = copies.groupby("group")["given"]
    apart = (given.transform("max") - given.transform("min")).fillna(0.0)
    copies["apart"] = apart.where(apart > SAME_WITHIN, 0.0)
    copies["unheard"] = given.transform("count") == 0
    inferred = pd.Series(subject.inference.track.value[row])
    copies["value"] = given.transform("mean").fillna(
        inferred.groupby(copies["group"].to_numpy()).transform("mean")
    )
    return copies


def _rows(subject: Subject, copies: pd.DataFrame) -> list[tuple[Cell, ...]]:
    row = copies["row"].to_numpy()
    tracks = subject.library.tracks.iloc[row]
    columns: list[list[Any]] = [
        (pd.factorize(copies["group"].to_numpy())[0] + 1).tolist(),
        performers(subject.library, row),
        tracks["title"].tolist(),
        tracks["album"].tolist(),
        [year or None for year in _years(subject, row).tolist()],
        [round(ms / 1000) or None for ms in tracks["duration_ms"].tolist()],
        stars_list(copies["given"].to_numpy()),
        stars_list(tracks["user_rating"].to_numpy()),
        stars_list(copies["value"].to_numpy()),
        [DISAGREE if apart > 0 else "" for apart in copies["apart"].tolist()],
        [EVIDENCE.get(word, "") for word in subject.inference.twin_evidence[row].tolist()],
        tracks["key"].tolist(),
        [link(subject.library.identity, key) for key in tracks["key"].tolist()],
    ]
    return list(zip(*columns, strict=True))


def _years(subject: Subject, row: NDArray[np.intp]) -> NDArray[np.int64]:
    """Year of the track, else of its album; 0 unknown."""
    library, tracks = subject.library, subject.library.tracks.iloc[row]
    album = rows_of(library.keys("album"), tracks["album_key"].to_numpy())
    year = tracks["year"].to_numpy()
    return np.where(year > 0, year, np.append(library.albums["year"].to_numpy(), 0)[album])
