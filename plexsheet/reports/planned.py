"""What an inference would write, item by item (pure)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.inference.model import Inference
from plexsheet.library import KINDS, Kind, Library, rows_of
from plexsheet.reports.report import (
    Cell,
    Report,
    ReportColumn,
    link,
    number,
    performers,
    stars,
    stars_list,
)

LAYOUT = (
    ReportColumn("Kind"),
    ReportColumn("Artist"),
    ReportColumn("Album"),
    ReportColumn("Title"),
    ReportColumn("What"),
    ReportColumn("In Plex", "stars"),
    ReportColumn("Becomes", "stars"),
    ReportColumn("Change", "signed"),
    ReportColumn("Source"),
    ReportColumn("Confidence", "percent"),
    ReportColumn("± stars", "stars"),
    ReportColumn("Tags"),
    ReportColumn("Key", "count"),
    ReportColumn("Open", "link"),
)
NOTE = (
    "What “infer” would write, one item per row; the largest changes of each kind come first. "
    "This is a list to look at and filter: what is typed here is not imported."
)
SOURCES = {"inferred": "Inferred", "twin": "Twin"}


def planned(library: Library, inference: Inference | None, changes: pd.DataFrame) -> Report:
    """The changes of a plan of inference as a list.

    Args:
        library: as read.
        inference: what the plan was made of; None only where nothing changes.
        changes: a table of ``plan.model.CHANGE``.
    """
    rows: list[tuple[Cell, ...]] = []
    for kind in KINDS:
        mine = changes[changes["kind"] == kind]
        if inference is None or mine.empty:
            continue
        size = (mine["after"].fillna(0) - mine["before"].fillna(0)).abs()
        rows += _rows(library, inference, kind, mine.loc[size.sort_values(ascending=False).index])
    counts = changes["kind"].value_counts()
    summary: dict[str, Cell] = {f"{kind}s": int(counts.get(kind, 0)) for kind in KINDS}
    return Report("preview", "Preview", LAYOUT, rows, summary, NOTE, sheet="Preview")


def _rows(
    library: Library, inference: Inference, kind: Kind, mine: pd.DataFrame
) -> list[tuple[Cell, ...]]:
    keys = mine["key"].to_numpy()
    row = rows_of(library.keys(kind), keys)
    inferred = inference.of(kind)
    before, after = mine["before"].to_numpy(), mine["after"].to_numpy()
    columns: list[list[Any]] = [
        [kind.capitalize()] * len(mine),
        *_names(library, kind, row),
        [_what(*one) for one in zip(mine["field"], before, after, strict=True)],
        stars_list(before),
        stars_list(after),
        stars_list(after - before),
        [SOURCES.get(why, "") for why in mine["why"]],
        [number(value, 0) for value in inferred.confidence[row].tolist()],
        [stars(value) for value in inferred.error[row].tolist()],
        [_tags(*one) for one in zip(mine["tags_add"], mine["tags_remove"], strict=True)],
        keys.tolist(),
        [link(library.identity, key) for key in keys.tolist()],
    ]
    return list(zip(*columns, strict=True))


def _names(
    library: Library, kind: Kind, row: NDArray[np.intp]
) -> tuple[list[str], list[str], list[str]]:
    """Artist, album and title of some items, each where the kind has it."""
    table, none = library.table(kind), [""] * len(row)
    titles = table["title"].to_numpy()[row].tolist()
    if kind == "artist":
        return titles, none, none
    if kind == "album":
        return table["artist"].to_numpy()[row].tolist(), titles, none
    return performers(library, row), table["album"].to_numpy()[row].tolist(), titles


def _what(field: str, before: float, after: float) -> str:
    if field != "rating":
        return "tags"
    return "clear" if np.isnan(after) else "rate" if np.isnan(before) else "change"


def _tags(add: tuple[str, ...], remove: tuple[str, ...]) -> str:
    return " ".join([*(f"+{name}" for name in add), *(f"−{name}" for name in remove)])
