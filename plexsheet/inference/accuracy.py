"""How far off inference is on the person's own ratings (pure).

``cross_validate`` hides a fifth of the ratings at a time and infers them from the others,
by single tracks (the rest of the album known) or by whole albums (the album unknown);
ratings given to albums and artists by single ones, the ratings of their tracks known.
``HeldOut`` predicts the same folds from one fit of the learned model, its variances held.
``quick`` reads what that model found by leaving out one rating at a time, without a refit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from plexsheet.config.settings import InferenceSettings
from plexsheet.inference import learned
from plexsheet.inference.exclusions import fillers
from plexsheet.inference.fitting import Fit, averages, evident
from plexsheet.inference.left_out import Residuals
from plexsheet.inference.model import Evidence, Inference
from plexsheet.library import KINDS, Kind, Library

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Infer = Callable[[Library, Evidence, InferenceSettings], Inference]
Unit = Literal["track", "album"]

FOLDS = 5
SEED = 0
MOST_HELD_OUT = 4000  # observations whose matrix of covariances is inverted: 128 MB


@dataclass(frozen=True)
class Accuracy:
    """Errors in predicting ratings the model did not see, ten-point scale.

    Attributes:
        ratings: how many were predicted.
        error: root mean square error; NaN without any.
        mean_error: the same when the mean of the other ratings is the prediction.
        coverage: share of ratings inside their 80 % interval; NaN where the model has none.
    """

    ratings: int
    error: float
    mean_error: float
    coverage: float

    @property
    def ratio(self) -> float:
        """Error relative to the mean's: below 1 the model helps; NaN when all are equal."""
        return self.error / self.mean_error if self.mean_error > 0 else float("nan")


@dataclass(frozen=True)
class Predictions:
    """Each rated item of a kind as inferred without its fold.

    Attributes:
        given: shape (rated items,), what the person gave, 0-10.
        predicted: the same, inferred.
        means: mean of the ratings of the other folds.
        low, high: ends of the 80 % interval, NaN where the model has none.
    """

    given: Floats
    predicted: Floats
    means: Floats
    low: Floats
    high: Floats

    def accuracy(self) -> Accuracy:
        """Errors over all predictions."""
        known = ~np.isnan(self.low)
        inside = ((self.given >= self.low) & (self.given <= self.high))[known]
        return Accuracy(
            len(self.given),
            _root_mean_square(self.given - self.predicted),
            _root_mean_square(self.given - self.means),
            float(inside.mean()) if len(inside) else float("nan"),
        )


def cross_validate(
    library: Library,
    evidence: Evidence,
    settings: InferenceSettings,
    *,
    infer: Infer = learned.infer,
    kind: Kind = "track",
    unit: Unit = "track",
    labels: Ints | None = None,
) -> Predictions:
    """Infer each fold of the person's ratings from the other folds.

    Args:
        library: as read.
        evidence: which ratings are the person's own.
        settings: of the model.
        infer: the model.
        kind: whose ratings are predicted.
        unit: of tracks what is hidden together; a hidden album hides its own rating too.
        labels: shape (items,), each item's fold; by default drawn with a fixed seed.

    Returns:
        Predictions, in the order of the rated items; empty with ratings in one fold only.
    """
    given = evident(library, evidence, kind)
    fold = drawn(library, unit, kind) if labels is None else labels
    aside = fillers(library, settings.exclusions)
    sizes = np.diff(averages(library, evidence, kind, aside).indptr) if kind != "track" else None
    parts = []
    for label in np.unique(fold[~np.isnan(given)]):
        hidden = fold == label
        known = without(library, evidence, hidden, unit, kind)
        parts.append(_fold(infer(library, known, settings), given, hidden, kind, sizes))
    if len(parts) < 2:
        return Predictions(*(np.zeros(0) for _ in range(5)))
    rows = np.concatenate([part[0] for part in parts])
    order = np.argsort(rows)
    columns = (
        np.concatenate(column)[order] for column in zip(*(p[1:] for p in parts), strict=True)
    )
    return Predictions(given[rows[order]], *columns)


class HeldOut:
    """Folds predicted from one fit: as refits with its variances would predict them."""

    def __init__(self, library: Library, evidence: Evidence, fit: Fit, width: float) -> None:
        """Invert the covariance of all observations.

        Args:
            library: as read.
            evidence: what was fitted.
            fit: to at most ``MOST_HELD_OUT`` observations.
            width: factor of the intervals, as calibrated.
        """
        self._residuals = Residuals(fit)
        self._half = learned.NORMAL_80 * width
        self._library, self._fit = library, fit
        self._given = {kind: evident(library, evidence, kind) for kind in KINDS}
        self._rows: dict[Kind, NDArray[np.intp]] = {"track": fit.rows, **fit.items}

    def predictions(self, kind: Kind, unit: Unit = "track", *, singly: bool = False) -> Predictions:
        """Each rating of a kind predicted from the other folds.

        Args:
            kind: whose ratings are predicted.
            unit: of tracks what is hidden together; a hidden album hides its own rating too.
            singly: each rating is a fold of its own.
        """
        rows, own = self._rows[kind], np.arange(self._fit.system.n)[self._fit.rated(kind)]
        given = self._given[kind][rows]
        fold = np.arange(len(self._given[kind])) if singly else drawn(self._library, unit, kind)
        known = np.concatenate([self._given[one][at] for one, at in self._rows.items()])
        predicted, half, means = np.zeros((3, len(rows)))
        for label in np.unique(fold[rows]):
            hidden = fold[rows] == label
            too = self._albums_of(fold == label) if (kind, unit) == ("track", "album") else own[:0]
            residual, spread = self._residuals.without(np.concatenate([own[hidden], too]))
            predicted[hidden] = given[hidden] - residual[: hidden.sum()]
            half[hidden] = self._half * spread[: hidden.sum()]
            means[hidden] = given[~hidden].mean() if (~hidden).any() else np.nan
        if len(known):
            predicted = np.clip(predicted, known.min(), known.max())
        ends = (np.clip(predicted - half, 0, 10), np.clip(predicted + half, 0, 10))
        return Predictions(given, predicted, means, *ends)

    def _albums_of(self, hidden: NDArray[np.bool_]) -> Ints:
        """Observations that are ratings of the albums some tracks are on."""
        gone = np.unique(self._library.tracks["album_key"].to_numpy()[hidden])
        rated = self._library.keys("album")[self._rows["album"]]
        return np.asarray(np.flatnonzero(np.isin(rated, gone)) + self._fit.rated("album").start)


def drawn(library: Library, unit: Unit, kind: Kind = "track") -> Ints:
    """A fold for each item, drawn per item, or per album in order of first appearance."""
    units = np.arange(len(library.keys(kind)))
    if kind == "track" and unit == "album":
        _, first, album = np.unique(
            library.tracks["album_key"].to_numpy(), return_index=True, return_inverse=True
        )
        units = np.argsort(np.argsort(first))[album]
    most = int(units.max(initial=-1)) + 1
    return np.random.default_rng(SEED).integers(0, FOLDS, most)[units]


def _fold(
    inference: Inference,
    given: Floats,
    hidden: NDArray[np.bool_],
    kind: Kind,
    sizes: Ints | None,
) -> tuple[NDArray[Any], ...]:
    """Rows, predictions, means of the others and interval ends of one fold."""
    rows = np.flatnonzero(hidden & ~np.isnan(given))
    others = given[~hidden]
    mean = float(np.nanmean(others)) if (~np.isnan(others)).any() else inference.prior
    low, high = np.full((2, len(hidden)), np.nan)
    if inference.model == "learned":
        low, high = learned.interval(inference, kind, sizes)
    value = np.clip(inference.of(kind).value[rows], 0, 10)
    return rows, value, np.full(len(rows), mean), low[rows], high[rows]


def without(
    library: Library,
    evidence: Evidence,
    hidden: NDArray[np.bool_],
    unit: Unit,
    kind: Kind = "track",
) -> Evidence:
    """The evidence less hidden ratings, and of tracks less those of albums all hidden."""
    manual = dict(evidence.manual)
    manual[kind] = manual[kind] & ~hidden
    if kind == "track" and unit == "album":
        gone = np.unique(library.tracks["album_key"].to_numpy()[hidden])
        manual["album"] = manual["album"] & ~np.isin(library.keys("album"), gone)
    return replace(evidence, manual=manual)


def quick(inference: Inference, kind: Kind = "track") -> Accuracy:
    """What the learned model found by leaving out one rating at a time, without refits.

    No ratings where another model ran.
    """
    found = inference.details.get("left_out", {}).get(kind, {"n": 0})
    figures = (found.get(name) for name in ("error", "mean_error", "coverage"))
    known = [float("nan") if value is None else float(value) for value in figures]
    return Accuracy(int(found["n"]), *known)


def _root_mean_square(residuals: Floats) -> float:
    return float(np.sqrt((residuals**2).mean())) if len(residuals) else float("nan")
