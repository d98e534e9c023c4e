"""A report: a titled table with figures about the whole, whoever shows it (pure)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.config.settings import InferenceSettings
from plexsheet.inference.model import Evidence, Inference
from plexsheet.library import KINDS, Identity, Kind, Library, page_address
from plexsheet.ownership import SOURCES
from plexsheet.ratings import to_stars

Cell = str | int | float | None
Format = Literal["text", "count", "stars", "signed", "number", "percent", "link"]
Words = NDArray[Any]

SOURCES_SHOWN = (*SOURCES[1:4], SOURCES[0], SOURCES[4])  # what is rated first
PLURALS: Mapping[Kind, str] = {"artist": "Artists", "album": "Albums", "track": "Tracks"}


@dataclass(frozen=True)
class ReportColumn:
    """A column of a report.

    Attributes:
        header: what stands above it.
        format: what its cells are: ``stars`` 0.5-5, ``signed`` a difference in stars,
            ``percent`` 0-100, ``link`` a web address; None in any of them is unknown.
        bar: whether its cells are drawn as pieces of the row's bar.
        minor: whether it may be left out where there is little room.
    """

    header: str
    format: Format = "text"
    bar: bool = False
    minor: bool = False


@dataclass(frozen=True)
class Chart:
    """A picture of a report's rows.

    Attributes:
        title: above it.
        series: headers of the columns drawn; those a report lacks are left out.
        across: bars lie, one row each, else they stand.
        stacked: ``""`` side by side, ``sum`` on each other, ``share`` the same, all of one length.
        unit: of the numbers.
    """

    title: str
    series: tuple[str, ...]
    across: bool = False
    stacked: Literal["", "sum", "share"] = ""
    unit: str = ""


@dataclass(frozen=True)
class Report:
    """One report.

    Attributes:
        name: as on the command line.
        title: as above the table.
        layout: the columns.
        rows: one value per column each; numbers are plain ints and floats, unknown is None.
        summary: figures about the whole, by a name fit for a script.
        note: how to read it, or why it is empty.
        bars: what a row's bar shows: ``size``, long as the row's numbers are large; ``share``,
            every bar of one length, divided; ``""``, there is none.
        chart: its picture, where a page or workbook draws one.
        items: a list that belongs to it, named after it.
        sheet: of the workbook; see ``catalogue.Entry``.
    """

    name: str
    title: str
    layout: tuple[ReportColumn, ...]
    rows: Sequence[tuple[Cell, ...]]
    summary: Mapping[str, Cell] = field(default_factory=dict)
    note: str = ""
    bars: Literal["", "size", "share"] = ""
    chart: Chart | None = None
    items: Report | None = None
    sheet: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """Headers."""
        return tuple(column.header for column in self.layout)

    def pieces(self) -> list[list[float]]:
        """For each row the pieces of its bar, each a share (0-1) of the longest bar."""
        drawn = [place for place, column in enumerate(self.layout) if column.bar]
        if not self.bars or not drawn:
            return [[] for _ in self.rows]
        sizes = [[float(row[place] or 0) for place in drawn] for row in self.rows]
        longest = max((sum(of) for of in sizes), default=0.0)
        whole = [longest if self.bars == "size" else sum(of) for of in sizes]
        return [
            [size / (all_ or 1.0) for size in of] for of, all_ in zip(sizes, whole, strict=True)
        ]

    def charted(self) -> list[tuple[str, list[float]]]:
        """The chart's series, each with a number for every row; empty where all are nothing."""
        headers = self.columns
        names = [name for name in (self.chart.series if self.chart else ()) if name in headers]
        places = [headers.index(name) for name in names]
        drawn = [
            (name, [float(row[place] or 0) for row in self.rows])
            for name, place in zip(names, places, strict=True)
        ]
        return drawn if any(any(numbers) for _, numbers in drawn) else []

    def top(self, rows: int | None) -> Report:
        """The first rows, of the list that belongs to it too; all with None."""
        if rows is None:
            return self
        items = self.items and replace(self.items, rows=self.items.rows[:rows])
        return replace(self, rows=self.rows[:rows], items=items)


@dataclass(frozen=True)
class RunFigures:
    """What an inference run did.

    Attributes:
        model: which one.
        prior_before: the library's level at the run before, 0-10; NaN for a first run.
        prior_after: the same now.
        written: ratings written per kind.
        cleared: ratings taken away for want of confidence.
        drift_skipped: not rewritten since they hardly moved.
        taken_over: inferred ratings that the person has made their own since.
        seconds: how long it took.
        requests: sent to Plex; 0 where that was not counted.
    """

    model: str
    prior_after: float
    prior_before: float = math.nan
    written: Mapping[Kind, int] = field(default_factory=dict)
    cleared: int = 0
    drift_skipped: int = 0
    taken_over: int = 0
    seconds: float = math.nan
    requests: int = 0


@dataclass(frozen=True)
class Measured:
    """How far off inference was on ratings it had not seen; errors on the 0-10 scale.

    Attributes:
        what: the model and the test, as a person reads it: "learned, by album".
        kind: of what.
        ratings: how many were predicted.
        error: root mean square error; NaN unknown.
        mean_error: the same had the library's mean been the prediction.
        coverage: share (0-1) of ratings inside their 80 % interval; NaN without intervals.
    """

    what: str
    kind: Kind
    ratings: int
    error: float
    mean_error: float
    coverage: float = math.nan


@dataclass(frozen=True)
class Subject:
    """What reports are about.

    Attributes:
        library: as read.
        evidence: which ratings are the person's, what they excluded.
        inference: the proposals.
        source: for each kind, shape (items,), a word of ``ownership.SOURCES``: whose the rating in
            Plex is; by default worked out from the evidence and the ratings there.
        after: for each kind, shape (items,), 0-10, what will stand in Plex; by default the
            proposals, and the person's own ratings where they gave one.
        settings: of the inference.
        run: what the last run did, if any.
        measured: accuracy, measured elsewhere.
        critic: learned slope of the critics' scores: ``slope``, ``error``, ``n``.
        moved: for each kind what the last inference run changed: columns key, before, after
            (0-10, NaN unrated); None where that is not known.
        unheard: the same inference without listening, where that was made to compare.
        verdicts: guesses made before the person rated, columns of ``inference.prospective``.
    """

    library: Library
    evidence: Evidence
    inference: Inference
    source: Mapping[Kind, Words] | None = None
    after: Mapping[Kind, NDArray[np.float64]] | None = None
    settings: InferenceSettings = field(default_factory=InferenceSettings)
    run: RunFigures | None = None
    measured: Sequence[Measured] = ()
    critic: Mapping[str, float | int] | None = None
    moved: Mapping[Kind, pd.DataFrame] | None = None
    unheard: Inference | None = None
    verdicts: pd.DataFrame | None = None

    def sources(self, kind: Kind) -> Words:
        """Whose the rating in Plex is, shape (items,)."""
        if self.source is not None:
            return self.source[kind]
        rated = ~np.isnan(self.library.ratings(kind))
        words = np.where(rated, "Inferred", "Unrated").astype(object)
        if kind == "track":
            words[rated & (self.inference.twin_group >= 0)] = "Twin"
        words[self.evidence.manual[kind]] = "Manual"
        words[self.evidence.excluded[kind]] = "Excluded"
        return words

    def given(self, kind: Kind) -> NDArray[np.float64]:
        """The person's own ratings that count, shape (items,), 0-10, NaN elsewhere."""
        counts = self.evidence.manual[kind] & ~self.evidence.excluded[kind]
        return np.where(counts, self.library.ratings(kind), np.nan)

    def open(self, kind: Kind) -> NDArray[np.bool_]:
        """Items that inference may rate: neither the person's nor excluded, shape (items,)."""
        return ~self.evidence.manual[kind] & ~self.evidence.excluded[kind]

    def standing(self, kind: Kind) -> NDArray[np.float64]:
        """What will stand in Plex, shape (items,), 0-10, NaN unrated."""
        if self.after is not None:
            return self.after[kind]
        return np.where(self.open(kind), self.inference.of(kind).value, self.library.ratings(kind))


def sources(subject: Subject) -> dict[Kind, Words]:
    """Whose each rating in Plex is, for each kind."""
    return {kind: subject.sources(kind) for kind in KINDS}


def stars(rating: float) -> float | None:
    """A rating or difference of ratings (ten-point scale) in stars, to 0.01; None for NaN."""
    return None if math.isnan(rating) else to_stars(rating) + 0.0


def number(value: float, digits: int = 2) -> float | None:
    """A plain float; None for NaN."""
    return None if math.isnan(value) else round(float(value), digits) + 0.0


def stars_list(ratings: NDArray[np.float64]) -> list[float | None]:
    """``stars`` of each rating, shape (items,)."""
    return [stars(rating) for rating in ratings.tolist()]


def performers(library: Library, rows: NDArray[np.intp]) -> list[str]:
    """Who plays the tracks of these rows: the track's artist, else the album's."""
    own = library.tracks["track_artist"].to_numpy()[rows]
    return list(np.where(own == "", library.tracks["artist"].to_numpy()[rows], own))


def link(identity: Identity, key: int) -> str:
    """Web address of an item in Plex, without a token; ``""`` where the server is unknown."""
    address = page_address(identity.server_id)
    return f"{address}{key}" if address else ""
