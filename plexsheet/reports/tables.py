"""Every report by name (pure)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module

from plexsheet.reports.catalogue import BY_NAME, Entry
from plexsheet.reports.report import Report, Subject


def maker(entry: Entry) -> Callable[..., Report]:
    """What makes a report."""
    module, _, function = entry.maker.partition(":")
    made: Callable[..., Report] = getattr(import_module(f"plexsheet.reports.{module}"), function)
    return made


def build(name: str, subject: Subject, top: int | None = None) -> Report:
    """One report.

    Args:
        name: one of ``catalogue.REPORTS``.
        subject: what it is about.
        top: at most so many rows, of a list below them too; all of them with None (rate-next:
            twenty).

    Raises:
        ValueError: there is no such report.
    """
    entry = BY_NAME.get(name)
    if entry is None:
        raise ValueError(f"no report {name!r}; there are {', '.join(BY_NAME)}")
    limited = entry.limited and top is not None
    made = maker(entry)(subject, top) if limited else maker(entry)(subject).top(top)
    items = made.items and replace(made.items, sheet=entry.items)
    return replace(made, sheet=entry.sheet, items=items)


def build_all(subject: Subject, top: int | None = None) -> list[Report]:
    """Every report, in the order a person reads them."""
    return [build(name, subject, top) for name in BY_NAME]
