"""The list of reports: the one place to add one.

A line here makes a report callable, puts it into the menu, the documentation, the web page
and the workbook.  Nothing heavy is imported, since ``--help`` reads this list too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ALL = "all"  # the name that stands for every report


@dataclass(frozen=True)
class Entry:
    """One report.

    Attributes:
        name: as on the command line.
        maker: module of this package and function that makes it of a ``Subject``.
        menu: number or small letter in the menu of reports; t, p, c and x are taken.
        label: its name there.
        does: what it shows, in a few words.
        sheet: of the workbook: "Reports" holds several, others are lists of their own; ""
            where the workbook shows the same elsewhere.
        items: sheet of the list that belongs to it, if one does.
        limited: whether its maker takes the number of rows, to make no more than that.
    """

    name: str
    maker: str
    menu: str
    label: str
    does: str
    sheet: str = "Reports"
    items: str = ""
    limited: bool = False


# In the order a person reads them; the first four menu numbers are those of plex-rating-utils.
REPORTS: tuple[Entry, ...] = (
    Entry("coverage", "overview:coverage", "1", "Library Coverage", "how much is rated, by whom"),
    Entry("histogram", "overview:histogram", "2", "Rating Histogram", "tracks by half star"),
    Entry("run", "overview:run", "9", "Prior and run", "the library's level, the last run"),
    Entry("accuracy", "measured:accuracy", "5", "Accuracy", "how far off inference is"),
    Entry(
        "listening",
        "listening:listening",
        "l",
        "Listening",
        "plays against ratings",
        items="Most played",
    ),
    Entry("critics", "outliers:critics", "6", "Critics", "their ratings against yours"),
    Entry(
        "thresholds",
        "crossings:thresholds",
        "7",
        "Thresholds",
        "what enters and leaves 2 … 4 stars",
        items="Thresholds",
        limited=True,
    ),
    Entry("twins", "recordings:twins", "3", "Twins Inventory", "recordings on several albums", ""),
    Entry(
        "dissenters",
        "outliers:dissenters",
        "4",
        "Dissenters",
        "tracks unlike their album",
        "Dissenters",
    ),
    Entry(
        "rate-next",
        "advice:rate_next",
        "8",
        "Rate next",
        "what would teach the most",
        "",
        limited=True,
    ),
)
BY_NAME: Mapping[str, Entry] = {entry.name: entry for entry in REPORTS}
# Of the workbook, in their order.
SHEETS = tuple(
    dict.fromkeys(name for entry in REPORTS for name in (entry.sheet, entry.items) if name)
)
