"""Every report by name (pure)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from plexsheet.reports.advice import rate_next
from plexsheet.reports.measured import accuracy
from plexsheet.reports.outliers import critics, dissenters
from plexsheet.reports.overview import coverage, histogram, run, thresholds
from plexsheet.reports.recordings import twins
from plexsheet.reports.report import Report, Subject

REPORTS: Mapping[str, Callable[[Subject], Report]] = {
    "coverage": coverage,
    "histogram": histogram,
    "run": run,
    "accuracy": accuracy,
    "critics": critics,
    "thresholds": thresholds,
    "twins": twins,
    "dissenters": dissenters,
    "rate-next": rate_next,
}


def build(name: str, subject: Subject, top: int | None = None) -> Report:
    """One report.

    Args:
        name: a key of ``REPORTS``.
        subject: what it is about.
        top: at most so many rows; all of them with None (rate-next: twenty).

    Raises:
        ValueError: there is no such report.
    """
    if name not in REPORTS:
        raise ValueError(f"no report {name!r}; there are {', '.join(REPORTS)}")
    if name == "rate-next" and top is not None:
        return rate_next(subject, top)
    return REPORTS[name](subject).top(top)


def build_all(subject: Subject, top: int | None = None) -> list[Report]:
    """Every report, in the order a person reads them."""
    return [build(name, subject, top) for name in REPORTS]
