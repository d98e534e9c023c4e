"""What enters and leaves at 2, 2.5, 3 and 4 stars: what smart playlists go by (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.library import KINDS, Kind, rows_of
from plexsheet.ratings import exact_points
from plexsheet.reports.report import (
    PLURALS,
    Cell,
    Chart,
    Report,
    ReportColumn,
    Subject,
    link,
    performers,
    stars_list,
)

Floats = NDArray[np.float64]

LINES_STARS = (2.0, 2.5, 3.0, 4.0)
NEXT, LAST = "Next run", "Last run"
LAYOUT = (
    ReportColumn("Stars", "stars"),
    ReportColumn("When"),
    *(
        ReportColumn(f"{PLURALS[kind]} {way}", "count", minor=kind == "artist")
        for kind in KINDS
        for way in ("in", "out")
    ),
)
ITEMS = (
    ReportColumn("Key", "count", minor=True),
    ReportColumn("When", minor=True),
    ReportColumn("Kind"),
    ReportColumn("Artist"),
    ReportColumn("Title"),
    ReportColumn("Was", "stars"),
    ReportColumn("Becomes", "stars"),
    ReportColumn("Enters"),
    ReportColumn("Leaves"),
    ReportColumn("Link", "link"),
)
NOTE = (
    "How many come to stand at or above each line (in), and how many no longer do (out), as a "
    "smart playlist counts: what has no rating is below every line."
)


def thresholds(subject: Subject, most: int | None = None) -> Report:
    """What enters and leaves at 2, 2.5, 3 and 4 stars, and which items do.

    Counted twice: for what inference would write now, and for what the last run wrote.

    Args:
        subject: the library and its inference.
        most: how many items are listed; all with None.
    """
    whens = {NEXT: _coming(subject)}
    if subject.moved is not None:
        whens[LAST] = _gone_by(subject, subject.moved)
    rows: list[tuple[Cell, ...]] = [
        (line, when, *(count for kind in KINDS for count in _counts(moves[kind], line)))
        for when, moves in whens.items()
        for line in LINES_STARS
    ]
    chart = Chart("Tracks at the lines", ("Tracks in", "Tracks out"), unit="Tracks")
    items = Report("thresholds", "Items that cross a line", ITEMS, _items(subject, whens, most))
    return Report(
        "thresholds", "Thresholds", LAYOUT, rows, _summary(whens), NOTE, chart=chart, items=items
    )


def _summary(whens: Mapping[str, Mapping[Kind, pd.DataFrame]]) -> dict[str, Cell]:
    summary: dict[str, Cell] = {}
    for when, before in ((NEXT, ""), (LAST, "last_run_")):
        moves = list(whens[when].values()) if when in whens else []
        if when in whens:
            summary |= {
                f"{before}enter": sum(int(one["enters"].sum()) for one in moves),
                f"{before}leave": sum(int(one["leaves"].sum()) for one in moves),
            }
    fresh = {kind: int(np.isnan(moves["was"]).sum()) for kind, moves in whens[NEXT].items()}
    return summary | {f"newly_rated_{PLURALS[kind].lower()}": n for kind, n in fresh.items()}


def _coming(subject: Subject) -> dict[Kind, pd.DataFrame]:
    """What an inference run would change."""
    found = {}
    for kind in KINDS:
        was, becomes = subject.library.ratings(kind), subject.standing(kind)
        rows = np.flatnonzero(subject.open(kind) & _differ(was, becomes))
        found[kind] = _moves(rows, was[rows], becomes[rows])
    return found


def _gone_by(subject: Subject, moved: Mapping[Kind, pd.DataFrame]) -> dict[Kind, pd.DataFrame]:
    """What the last run changed, of the items still there."""
    found = {}
    for kind in KINDS:
        rows = rows_of(subject.library.keys(kind), moved[kind]["key"].to_numpy())
        here = moved[kind][rows >= 0]
        found[kind] = _moves(rows[rows >= 0], here["before"].to_numpy(), here["after"].to_numpy())
    return found


def _differ(was: Floats, becomes: Floats) -> NDArray[np.bool_]:
    return np.asarray(~((was == becomes) | (np.isnan(was) & np.isnan(becomes))))


def _moves(rows: NDArray[np.intp], was: Floats, becomes: Floats) -> pd.DataFrame:
    """Ratings before and after, 0-10, with how many lines each enters and leaves.

    Columns: row, was, becomes, low (lines at or below the lower of both), enters, leaves.
    """
    under, over = _lines_below(was), _lines_below(becomes)
    columns = {"row": rows, "was": was, "becomes": becomes, "low": np.minimum(under, over)}
    ways = {"enters": np.maximum(over - under, 0), "leaves": np.maximum(under - over, 0)}
    return pd.DataFrame(columns | ways)


def _lines_below(ratings: Floats) -> NDArray[np.int64]:
    """How many lines each rating is at or above; none where unrated."""
    known = np.nan_to_num(np.round(ratings, 6))
    return np.asarray(np.searchsorted(exact_points(LINES_STARS), known, side="right"))


def _counts(moves: pd.DataFrame, line: float) -> tuple[int, int]:
    """How many enter and leave at a line."""
    number = LINES_STARS.index(line)
    crosses = (moves["low"] <= number) & (number < moves["low"] + moves["enters"] + moves["leaves"])
    return int((crosses & (moves["enters"] > 0)).sum()), int(
        (crosses & (moves["leaves"] > 0)).sum()
    )


def _items(
    subject: Subject, whens: Mapping[str, Mapping[Kind, pd.DataFrame]], most: int | None
) -> list[tuple[Cell, ...]]:
    """Each item that crosses a line, those at the highest lines first."""
    listed: list[tuple[Cell, ...]] = []
    for when, moves in whens.items():
        crossing = [
            moves[kind][moves[kind]["enters"] + moves[kind]["leaves"] > 0].assign(kind=kind)
            for kind in KINDS[::-1]
        ]
        table = pd.concat(crossing, ignore_index=True)
        table["high"] = table["low"] + table["enters"] + table["leaves"]
        order = table.sort_values(["high", "becomes"], ascending=False, kind="stable")
        left = None if most is None else max(most - len(listed), 0)
        listed += _rows(subject, when, order.head(len(order) if left is None else left))
    return listed


def _rows(subject: Subject, when: str, table: pd.DataFrame) -> list[tuple[Cell, ...]]:
    made: dict[int, tuple[Cell, ...]] = {}
    for kind in KINDS:
        mine = table[table["kind"] == kind]
        rows = mine["row"].to_numpy()
        keys = subject.library.keys(kind)[rows].tolist()
        columns: list[list[Any]] = [
            keys,
            [when] * len(mine),
            [kind.capitalize()] * len(mine),
            *_named(subject, kind, rows),
            stars_list(mine["was"].to_numpy()),
            stars_list(mine["becomes"].to_numpy()),
            _lines(mine["low"], mine["enters"]),
            _lines(mine["low"], mine["leaves"]),
            [link(subject.library.identity, key) for key in keys],
        ]
        made |= dict(zip(mine.index.tolist(), zip(*columns, strict=True), strict=True))
    return [made[place] for place in table.index.tolist()]


def _named(subject: Subject, kind: Kind, rows: NDArray[np.intp]) -> tuple[list[str], list[str]]:
    """Artist and title of some items; an artist is its own."""
    table = subject.library.table(kind)
    titles = table["title"].to_numpy()[rows].tolist()
    if kind == "artist":
        return titles, [""] * len(titles)
    if kind == "track":
        return performers(subject.library, rows), titles
    return table["artist"].to_numpy()[rows].tolist(), titles


def _lines(low: pd.Series[Any], crossed: pd.Series[Any]) -> list[str]:
    """The lines that are crossed, as "2.5 · 3"."""
    words = [f"{line:g}" for line in LINES_STARS]
    pairs = zip(low.tolist(), crossed.tolist(), strict=True)
    return [" · ".join(words[at : at + count]) for at, count in pairs]
