"""How far off inference is, in stars (pure)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from plexsheet.inference.model import Inference
from plexsheet.reports.report import Cell, Column, Measured, Report, Subject, number, stars

LAYOUT = (
    Column("Model and test"),
    Column("Kind"),
    Column("n", "count"),
    Column("Off by", "number"),
    Column("Mean off by", "number"),
    Column("Error left %", "percent"),
    Column("80 % interval holds %", "percent"),
)


def accuracy(subject: Subject) -> Report:
    """Errors on the person's own ratings, of those that were measured."""
    measured = [*subject.measured, *_from_fit(subject.inference, subject.measured)]
    rows = [_row(one) for one in measured]
    note = (
        "How far off a rating is when it is inferred from the others (root mean square, in "
        "stars), against always saying the library's mean."
    )
    if not rows:
        note = "Nothing was measured: there are too few ratings, or only the learned model knows."
    summary: dict[str, Cell] = {"tests": len(rows)}
    if measured:
        first = measured[0]
        summary |= {
            "n": first.ratings,
            "error_stars": stars(first.error),
            "mean_error_stars": stars(first.mean_error),
            "coverage": number(first.coverage),
        }
    return Report("accuracy", "Accuracy", LAYOUT, rows, summary, note)


def _from_fit(inference: Inference, measured: Sequence[Measured]) -> list[Measured]:
    """What the model itself found by leaving out one rating at a time."""
    details = inference.details
    names = ("n", "error", "mean_error", "coverage")
    if measured or any(details.get(name) is None for name in names):
        return []  # too few ratings to leave one out
    n, error, mean_error, coverage = (float(details[name]) for name in names)
    if n == 0 or math.isnan(error):
        return []
    what = f"{inference.model}, leaving one out"
    return [Measured(what, "track", int(n), error, mean_error, coverage)]


def _row(one: Measured) -> tuple[Cell, ...]:
    left = 100 * one.error / one.mean_error if one.mean_error > 0 else math.nan
    return (
        one.what,
        one.kind.capitalize(),
        one.ratings,
        stars(one.error),
        stars(one.mean_error),
        number(left, 1),
        number(100 * one.coverage, 1),
    )
