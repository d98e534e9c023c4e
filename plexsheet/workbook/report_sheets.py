"""Reports, Dissenters and Rate next: the same reports as on the command line, with charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from plexsheet.workbook.book import Book


class Report(Protocol):
    """A report as a table: see ``plexsheet.reports``."""

    @property
    def name(self) -> str:
        """Stable short name."""

    @property
    def title(self) -> str:
        """What a person reads above it."""

    @property
    def columns(self) -> Sequence[str]:
        """Headers."""

    @property
    def rows(self) -> Sequence[Sequence[Any]]:
        """Values, by column."""

    @property
    def summary(self) -> Mapping[str, Any]:
        """Figures about the whole."""

    @property
    def note(self) -> str:
        """A sentence about how to read it."""


def add_reports(book: Book, reports: Sequence[Report]) -> None:
    """The sheets of reports."""
