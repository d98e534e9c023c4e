"""What goes into inference and what comes out, whichever model runs (pure).

Both models are pure functions ``(Library, Evidence, InferenceSettings) -> Inference``.
Only ratings the person gave are evidence: what plexsheet inferred earlier never
enters, so running inference again, with or without writing, changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from plexsheet.inference.listening import (
    Elsewhere,
    Heard,
    Listening,
    Written,
    guarded,
    together,
    usual,
)
from plexsheet.library import KINDS, Kind, Library

if TYPE_CHECKING:
    from plexsheet.inference.fitting import Fit

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class TwinDecision:
    """What the person decided on the Twins sheet about one track."""

    key: int
    decision: Literal["SAME", "SPLIT", "NEVER"]
    group: str = ""  # tracks with one non-empty label and SAME are twins
    sub_group: str = ""  # letter, SPLIT only


@dataclass(frozen=True)
class Evidence:
    """What the person said: which ratings are theirs, what they excluded and decided.

    Attributes:
        manual: for each kind, shape (items,), true where the rating in Plex is the
            person's own.  Where it is true, ``user_rating`` is not NaN.
        excluded: for each kind, shape (items,), true where they typed EXCLUDE: counts
            for nothing and receives nothing.
        twin_decisions: by rating key of a track.
        written: counts of plays as they stood when ratings of ours were written; None where
            none was.
        elsewhere: plays in other players; None where none are known.
    """

    manual: Mapping[Kind, Bools]
    excluded: Mapping[Kind, Bools]
    twin_decisions: Mapping[int, TwinDecision] = field(default_factory=dict)
    written: Written | None = None
    elsewhere: Elsewhere | None = None

    def listening(self, library: Library) -> Listening:
        """What was played, here and elsewhere, without what our own ratings brought about."""
        heard = self.heard_here(library)
        return heard if self.elsewhere is None else together(heard, self.elsewhere)

    def heard_here(self, library: Library) -> Listening:
        """What was played in Plex, without what our own ratings brought about."""
        now = Listening.of(library)
        if self.written is None:
            return now
        return guarded(now, self.written, usual(now, self.manual["track"]))

    @staticmethod
    def all_manual(library: Library) -> Evidence:
        """Every rating of the library taken as the person's; nothing excluded."""
        return Evidence(
            {kind: ~np.isnan(library.ratings(kind)) for kind in KINDS},
            {kind: np.zeros(len(library.keys(kind)), dtype=bool) for kind in KINDS},
        )


@dataclass(frozen=True)
class Inferred:
    """Proposals for the items of one kind, row for row with the library's table.

    Attributes:
        value: shape (items,), 0-10; NaN where nothing is proposed (excluded).  Manual items
            have a value too: what would be inferred with their own rating counted.
        error: shape (items,), posterior standard error of the item's level, ten-point scale.
        confidence: shape (items,), 0-100.
        ratings: shape (items,), effective number of the person's ratings behind the value.
        parts: name of a part to its contribution, shape (items,), ten-point scale.  The parts
            sum to ``value`` (within rounding) wherever it is not NaN.
        counts: name of a part to the number of ratings behind it, shape (items,); parts
            without a count are absent.
        heard: the plays behind the part ``listening``, where that part is used.
    """

    value: Floats
    error: Floats
    confidence: Floats
    ratings: Floats
    parts: Mapping[str, Floats]
    counts: Mapping[str, Floats] = field(default_factory=dict)
    heard: Heard | None = None

    def why(self, row: int) -> str:
        """How the value of one row came about, in stars.

        >>> one = np.ones(1)
        >>> parts = {"library": 6.6 * one, "artist": 0.8 * one, "genre": 0 * one}
        >>> Inferred(7.4 * one, one, one, one, parts, {"artist": 41 * one}).why(0)
        'library 3.3, artist +0.4 (41 rated) → 3.7'
        """
        value = self.value[row]
        if np.isnan(value):
            return ""
        words: list[str] = []
        for name, part in self.parts.items():
            stars = part[row] / 2
            if not words:
                words.append(f"{name} {stars:.1f}")
            elif abs(stars) >= 0.05:
                sign = "+" if stars > 0 else "−"
                count = self.counts.get(name)
                rated = f" ({count[row]:.0f} rated)" if count is not None else ""
                if name == "listening" and self.heard is not None:
                    rated = self.heard.text(row)
                words.append(f"{name} {sign}{abs(stars):.1f}{rated}")
        return f"{', '.join(words)} → {value / 2:.1f}"


@dataclass(frozen=True)
class Inference:
    """The outcome of one inference over a whole library.

    Attributes:
        model: which model ran.
        prior: the library's level before any item's own evidence, 0-10.
        artist, album, track: proposals per kind.
        twin_group: shape (tracks,), group number, -1 without twins.
        twin_evidence: shape (tracks,), "guid", "name", "decision" or "".
        details: the model's own figures (variances, slopes, iterations), for reports and
            for a warm start of the next run; JSON-ready.
        fit: of the learned model, without its columns over the library; None of another.
    """

    model: str
    prior: float
    artist: Inferred
    album: Inferred
    track: Inferred
    twin_group: Ints
    twin_evidence: NDArray[Any]
    details: Mapping[str, Any] = field(default_factory=dict)
    fit: Fit | None = None

    def of(self, kind: Kind) -> Inferred:
        """Proposals of a kind."""
        return {"artist": self.artist, "album": self.album, "track": self.track}[kind]
