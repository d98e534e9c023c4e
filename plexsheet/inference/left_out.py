"""Ratings predicted without themselves, from one fit, and what that says of its effects (pure).

Leaving out one rating tells how far to believe what is said of a track whose album the person
has rated; leaving out whole albums, of one whose album they have not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from plexsheet.inference.fitting import Fit
from plexsheet.inference.uncertainty import EXACT_SIDE
from plexsheet.inference.variances import LEVEL_MEAN
from plexsheet.library import Library, rows_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TRUSTED = 2.0  # noise variances
CAUTION = 1.0  # standard errors; ratings of one album are alike and count for fewer than they are


@dataclass(frozen=True)
class LeftOut:
    """Each rated item of a kind predicted without its own rating, or without its album's.

    Attributes:
        ratings: shape (rated items,), what the person gave.
        predicted: shape (rated items,), 0-10.
        spread: shape (rated items,), standard deviation of the prediction's error.
        means: shape (rated items,), mean of the other ratings; what is predicted without any.
    """

    ratings: Floats
    predicted: Floats
    spread: Floats
    means: Floats

    def trusting(self, gate: float) -> LeftOut:
        """What is predicted when only so much, 0-1, of what the effects say is believed."""
        return replace(self, predicted=self.means + gate * (self.predicted - self.means))


class Residuals:
    """What the others leave of some of a fit's observations, its variances held.

    With ``K`` the inverse of the observations' covariance, the residuals of a group h as
    predicted from the others are ``K_hh^-1 (K y)_h``, their covariance ``K_hh^-1``.

    Source:
        Sundararajan and Keerthi, Neural Computation 13 (2001) 1103-1118; Rasmussen and
        Williams, Gaussian Processes for Machine Learning, 2006, section 5.4.2.
    """

    def __init__(self, fit: Fit) -> None:
        """Invert the covariance of all observations, shape (n, n)."""
        system = fit.system
        self._root = np.sqrt(system.weights)
        columns = (system.rows @ system.root).toarray() * self._root[:, None] * fit.scale
        self._inverse = np.linalg.inv(np.eye(system.n) + columns @ columns.T)
        self._pull = self._inverse @ system.whitened
        self._deviation = np.sqrt(fit.variances.noise)

    @property
    def variances(self) -> Floats:
        """Posterior, of the observed levels, as ratios to the noise variance; shape (n,)."""
        return np.asarray((1 - np.diagonal(self._inverse)) / self._root**2)

    def without(self, hidden: Ints) -> tuple[Floats, Floats]:
        """Of some observations, what the others leave, and its standard deviation.

        Args:
            hidden: shape (hidden,), which observations.

        Returns:
            Both of shape (hidden,), on the ten-point scale.
        """
        covariance = np.linalg.inv(self._inverse[np.ix_(hidden, hidden)])
        root = self._root[hidden]
        spread = self._deviation * np.sqrt(np.maximum(np.diagonal(covariance), 0.0)) / root
        return covariance @ self._pull[hidden] / root, spread


def leave_one_out(fit: Fit, variances: Floats, chosen: slice) -> LeftOut:
    """Predictions of ratings without each in turn, variances held, from the hat values.

    Args:
        fit: to all ratings.
        variances: shape (chosen,), posterior, of the levels that were rated, as ratios to the
            noise variance.
        chosen: which observations of the fit.

    Source:
        Allen, Technometrics 16 (1974) 125-127 (PRESS): a residual over one less its hat.
    """
    given = _given(fit)[chosen]
    weights = fit.system.weights[chosen]
    hats = np.clip(weights * variances, 0.0, 0.999)
    level = LEVEL_MEAN + fit.system.rows[chosen] @ fit.effects + fit.lent[chosen]
    predicted = given - (given - level) / (1 - hats)
    spread = np.sqrt(fit.variances.noise / weights / (1 - hats))
    predicted = _in_range(predicted, given)
    others = (given.sum() - given) / (len(given) - 1) if len(given) > 1 else predicted
    return LeftOut(given, predicted, spread, others)


def leave_albums_out(library: Library, fit: Fit, residuals: Residuals) -> LeftOut:
    """Predictions of the ratings of tracks without all that was given to their album."""
    given = _given(fit)[fit.rated("track")]
    album = rows_of(library.keys("album"), library.tracks["album_key"].to_numpy()[fit.rows])
    owned = np.concatenate([album, fit.items["album"]])  # the album of each observation
    order = np.argsort(owned, kind="stable")
    predicted, spread, means = np.zeros((3, len(given)))
    for hidden in np.split(order, np.flatnonzero(np.diff(owned[order])) + 1):
        tracks = hidden[hidden < len(given)]
        left, deviation = residuals.without(hidden)
        predicted[tracks] = given[tracks] - left[: len(tracks)]
        spread[tracks] = deviation[: len(tracks)]
        others = np.delete(given, tracks)
        means[tracks] = others.mean() if len(others) else np.nan
    predicted = _in_range(predicted, given)
    return LeftOut(given, predicted, spread, np.where(np.isnan(means), predicted, means))


def trust(left_out: LeftOut, noise: float, caution: float = 0.0) -> float:
    """How much of what the effects say is believed, from 0, the level alone, to 1, all.

    The slope of the ratings on their predictions without themselves, both less the mean of the
    others, leaning to 1 as if ``TRUSTED`` noise variances had agreed.  Where artist and album
    cannot be told apart the prior means of the variances say more than the ratings bear out.

    Args:
        left_out: the ratings, and what is predicted of them.
        noise: the noise variance, on the ten-point scale.
        caution: standard errors to take off, as far as ratings and not the leaning decide.

    Source:
        Copas, Journal of the Royal Statistical Society B 45 (1983) 311-354 (shrinkage of
        predictions by their validated slope).
    """
    said = left_out.predicted - left_out.means
    given = left_out.ratings - left_out.means
    learned = said @ said / noise
    known = TRUSTED + learned
    slope = (TRUSTED + said @ given / noise) / known
    return float(np.clip(slope - caution * learned / known**1.5, 0.0, 1.0))


def trusts(library: Library, fit: Fit) -> tuple[float, float]:
    """The trust in what is said of tracks on rated albums, and of those on albums without.

    Returns:
        1 and 1 for more than ``EXACT_SIDE`` ratings, which outweigh any prior.
    """
    if not 0 < len(fit.rows) <= fit.system.n <= EXACT_SIDE:
        return 1.0, 1.0
    noise, tracks, residuals = fit.variances.noise, fit.rated("track"), Residuals(fit)
    one_out = leave_one_out(fit, residuals.variances[tracks], tracks)
    albums_out = leave_albums_out(library, fit, residuals)
    return trust(one_out, noise), trust(albums_out, noise, CAUTION)


def on_rated_albums(library: Library, fit: Fit) -> NDArray[np.bool_]:
    """Which tracks are on an album that has a rating, or a rated track; shape (tracks,)."""
    keys = library.tracks["album_key"].to_numpy()
    rated = np.concatenate([keys[fit.rows], library.keys("album")[fit.items["album"]]])
    return np.isin(keys, rated)


def _given(fit: Fit) -> Floats:
    """All observed ratings, 0-10."""
    return np.asarray(LEVEL_MEAN + fit.system.ratings + fit.lent)


def _in_range(predicted: Floats, given: Floats) -> Floats:
    low, high = (given.min(), given.max()) if len(given) else (0.0, 10.0)
    return np.clip(predicted, low, high)
