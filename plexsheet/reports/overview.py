"""The library at a glance: coverage, histogram, the run (pure)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from plexsheet.library import KINDS, Kind
from plexsheet.reports.report import (
    PLURALS,
    SOURCES_SHOWN,
    Cell,
    Chart,
    Report,
    ReportColumn,
    Subject,
    stars,
)

HALF_STARS = tuple(half / 2 for half in range(1, 11))


def coverage(subject: Subject) -> Report:
    """How much of the library is rated, and by whom: as Plex holds it now."""
    counts = {kind: _by_source(subject, kind) for kind in KINDS}
    total = [sum(column) for column in zip(*counts.values(), strict=True)]
    named = {PLURALS[kind]: counts[kind] for kind in KINDS} | {"All": total}
    rows = [(name, *of, _percent(sum(of[1:4]), of[0])) for name, of in named.items()]
    layout = (
        ReportColumn("Kind"),
        ReportColumn("Items", "count"),
        *(
            ReportColumn("Twins" if word == "Twin" else word, "count", bar=True)
            for word in SOURCES_SHOWN
        ),
        ReportColumn("Rated %", "percent", minor=True),
    )
    summary = dict(zip(("items", *map(str.lower, SOURCES_SHOWN)), total, strict=True))
    note = "Twins are inferred from another copy of the recording. Unrated is not manual."
    names = tuple(column.header for column in layout if column.bar)
    chart = Chart("Whose ratings", names, across=True, stacked="share")
    return Report("coverage", "Coverage", layout, rows, summary, note, bars="share", chart=chart)


def _by_source(subject: Subject, kind: Kind) -> list[int]:
    """How many items there are, and how many of each of ``SOURCES_SHOWN``."""
    words = subject.sources(kind)
    return [len(words), *(int((words == word).sum()) for word in SOURCES_SHOWN)]


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None


def histogram(subject: Subject, kind: Kind = "track") -> Report:
    """Items by half star: rated by the person, and as inferred."""
    given, open_ = subject.given(kind), subject.open(kind)
    inferred = np.where(open_, subject.standing(kind), np.nan)
    columns = [_by_half_star(given), _by_half_star(inferred)]
    rows = [
        (half, int(mine), int(ours), int(mine + ours))
        for half, mine, ours in zip(HALF_STARS, *columns, strict=True)
    ]
    layout = (
        ReportColumn("Stars", "stars"),
        ReportColumn("Manual", "count", bar=True),
        ReportColumn("Inferred", "count", bar=True),
        ReportColumn("All", "count"),
    )
    summary: dict[str, Cell] = {
        "kind": kind,
        "manual": int(columns[0].sum()),
        "inferred": int(columns[1].sum()),
        "manual_mean_stars": _mean_stars(given),
        "inferred_mean_stars": _mean_stars(inferred),
    }
    note = f"{PLURALS[kind]} to the nearest half star; inferred as of this run."
    names = ("Manual", "Inferred")
    chart = Chart(f"{PLURALS[kind]} by stars", names, stacked="sum", unit=PLURALS[kind])
    return Report("histogram", "Histogram", layout, rows, summary, note, bars="size", chart=chart)


def _by_half_star(ratings: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many ratings (0-10, NaN none) fall on each of ``HALF_STARS``."""
    known = ratings[~np.isnan(ratings)]
    half = np.clip(np.floor(known + 0.5), 1, 10).astype(np.int64)
    return np.asarray(np.bincount(half, minlength=11)[1:])


def _mean_stars(ratings: NDArray[np.float64]) -> float | None:
    known = ratings[~np.isnan(ratings)]
    return stars(float(known.mean())) if len(known) else None


def run(subject: Subject) -> Report:
    """The library's level before and after, and what the last inference run did."""
    layout = (ReportColumn("What"), ReportColumn("Figure", "number"))
    figures = subject.run
    if figures is None:
        rows: list[tuple[str, float | int | None]] = [
            ("Prior, stars", stars(subject.inference.prior)),
            ("Ratings it was learned from", _evidence(subject)),
        ]
        note = f"The {subject.inference.model} model; nothing was written yet."
        summary = {"prior_stars": rows[0][1], "ratings": rows[1][1]}
        return Report("run", "Prior and run", layout, [*rows], {**summary}, note)
    shift = figures.prior_after - figures.prior_before
    named = {
        "prior_before_stars": ("Prior at the start, stars", stars(figures.prior_before)),
        "prior_after_stars": ("Prior at the end, stars", stars(figures.prior_after)),
        "shift_stars": ("Shift, stars", stars(shift)),
        **{
            f"{PLURALS[kind].lower()}_written": (
                f"{PLURALS[kind]} written",
                figures.written.get(kind, 0),
            )
            for kind in KINDS
        },
        "cleared": ("Withdrawn for want of confidence", figures.cleared),
        "drift_skipped": ("Left as they are: hardly moved", figures.drift_skipped),
        "taken_over": ("Taken over by you", figures.taken_over),
        **({"requests": ("Requests to Plex", figures.requests)} if figures.requests else {}),
        "seconds": ("Seconds", None if math.isnan(figures.seconds) else round(figures.seconds, 1)),
    }
    note = f"The {figures.model} model."
    summary = {name: figure for name, (_, figure) in named.items()}
    return Report("run", "Prior and run", layout, list(named.values()), {**summary}, note)


def _evidence(subject: Subject) -> int:
    return sum(int((~np.isnan(subject.given(kind))).sum()) for kind in KINDS)
