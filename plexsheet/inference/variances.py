"""How much each family of effects varies, learned by penalised REML (pure).

Family 0 is the library's level, with a fixed prior variance; the logarithms of the other
families' variance ratios (effect to noise) have a normal prior: an own spread each, and
one shift shared by all families, the library's overall signal.  Its mode is found by
Newton steps with the average information matrix, its noise variance by its closed form.

Source:
    Patterson and Thompson, Biometrika 58 (1971) 545-554 (REML); Gilmour, Thompson and
    Cullis, Biometrics 51 (1995) 1440-1450 (average information); Schall, Biometrika 78
    (1991) 719-727 and Fellner, Technometrics 28 (1986) 51-60 (the noise variance);
    Gelman and Hill, Data Analysis Using Regression and Multilevel Models, chapter 12.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plexsheet.inference.design import Family
from plexsheet.inference.solve import EARLY, STEADY, Solver, System, by_family, solver

Floats = NDArray[np.float64]

LEVEL_MEAN = 6.0  # of the library's level, before any rating
LEVEL_VARIANCE = 1.0
NOISE_RATINGS = 4.0  # worth of the noise variance's prior, counted in ratings
NOISE_VARIANCE = 3.0
SHARED_SPREAD = 1.5
LEAST_NOISE = 1 / 12  # what rounding to half a star (a point) alone makes
MOST_ROUNDS = 30
LONGEST_STEP = 1.5
CONVERGED = 0.01  # gain in log posterior still to be had
FAR = 20.0  # the same, above which rough solutions show the way


@dataclass(frozen=True)
class Prior:
    """Normal prior of the log variance ratios, families 1 onward.

    Attributes:
        expected: shape (families - 1,).
        precision: shape (families - 1, families - 1); all 0 for plain REML.
        noise_ratings: worth of the noise variance's prior, counted in ratings.
        level_variance: of the library's level; infinite for plain REML.
    """

    expected: Floats
    precision: Floats
    noise_ratings: float = NOISE_RATINGS
    level_variance: float = LEVEL_VARIANCE


@dataclass(frozen=True)
class Variances:
    """A fit.

    Attributes:
        log_ratio: shape (families - 1,), mode of the log variance ratios.
        noise: noise variance of one rating, ten-point scale squared.
        rounds: Newton steps taken.
        converged: whether no step would gain anything that matters.
        information: shape (families - 1, families - 1), of the log likelihood (not of the
            prior) in the log ratios.
    """

    log_ratio: Floats
    noise: float
    rounds: int
    converged: bool
    information: Floats


def prior(families: Sequence[Family]) -> Prior:
    """The prior of some families, with the shift shared by those that say so."""
    spread = np.array([family.spread for family in families])
    shared = np.array([family.shared for family in families], dtype=np.float64)
    covariance = np.diag(spread**2) + SHARED_SPREAD**2 * np.outer(shared, shared)
    expected = np.array([family.expected for family in families])
    return Prior(expected, np.asarray(np.linalg.inv(covariance), np.float64))


def scales(system: System, log_ratio: Floats, noise: float, level_variance: float) -> Floats:
    """Square root of each effect's variance ratio, shape (effects,)."""
    ratios = np.concatenate([[level_variance / noise], np.exp(log_ratio)])
    return np.asarray(np.sqrt(ratios)[system.family])


def fit(
    system: System, prior: Prior, *, start: Floats | None = None, noise: float = NOISE_VARIANCE
) -> Variances:
    """The most probable variance ratios and noise variance.

    Args:
        system: observations; may be none, then the prior's mode comes back.
        prior: of the log ratios.
        start: log ratios of an earlier fit, shape (families - 1,).
        noise: noise variance of an earlier fit.
    """
    if system.n == 0:
        none = np.zeros_like(prior.precision)
        return Variances(prior.expected.copy(), NOISE_VARIANCE, 0, True, none)
    log_ratio = prior.expected.copy() if start is None else start.copy()
    solving = solver(system)
    enough = CONVERGED if start is None else 2 * CONVERGED  # an earlier fit's end is left alone
    rounds, converged, tolerance = 0, False, EARLY if start is None else STEADY
    before, damping = np.zeros(len(log_ratio)), np.ones(len(log_ratio))
    while not converged and rounds < MOST_ROUNDS:
        rounds += 1
        solving.at(scales(system, log_ratio, noise, prior.level_variance), tolerance)
        gradient, information, better = derivatives(solving, system, prior, log_ratio, noise)
        step = np.asarray(np.linalg.solve(information, gradient), np.float64)
        gain = 0.5 * float(step @ gradient) + 0.25 * system.n * np.log(better / noise) ** 2
        converged = bool(gain < enough) and tolerance == STEADY
        enough, tolerance = CONVERGED, tolerance if gain > FAR else STEADY
        if not converged:
            damping = _damped(damping, step, before)
            before = np.clip(damping * step, -LONGEST_STEP, LONGEST_STEP)
            log_ratio = log_ratio + before
            noise = better
    return Variances(log_ratio, noise, rounds, converged, information - prior.precision)


def _damped(damping: Floats, step: Floats, before: Floats) -> Floats:
    """Shorter steps for families that stepped too far and come back, longer again later."""
    back = np.clip(-step / np.where(before == 0, np.inf, before), 0, 1)
    return np.where(back > 0, damping / (1 + back), np.minimum(1.3 * damping, 1.0))


def derivatives(
    solving: Solver, system: System, prior: Prior, log_ratio: Floats, noise: float
) -> tuple[Floats, Floats, float]:
    """How the log posterior changes with the log ratios.

    Args:
        solving: the system's solver, at the scales of ``log_ratio`` and ``noise``.
        system: the observations.
        prior: of the log ratios.
        log_ratio: where.
        noise: the noise variance the scales were made with.

    Returns:
        Gradient, information, and the noise variance that is best here.
    """
    v = solving.effects()
    squares = by_family(v**2, system)
    gammas = solving.gammas()
    remaining = system.whitened - solving.expected()
    explained = float(remaining @ remaining + squares[1:].sum())
    worth = system.n - float(np.clip(gammas[0], 0, 1)) + prior.noise_ratings
    noise = max((explained + prior.noise_ratings * NOISE_VARIANCE) / worth, LEAST_NOISE)
    signal = squares[1:] / noise
    average = _average_information(solving, system, v) / noise - np.outer(signal, signal) / worth
    low = np.maximum(gammas[1:], 0) / 16
    information = 0.5 * _at_least(average, low) + prior.precision
    pull = prior.precision @ (log_ratio - prior.expected)
    return 0.5 * (signal - gammas[1:]) - pull, information, noise


def _average_information(solving: Solver, system: System, v: Floats) -> Floats:
    """``(Z_f v_f)' V^-1 (Z_g v_g) = v_f'v_g - v_f' A^-1 v_g`` of all pairs of families."""
    apart = np.zeros((system.effects, system.families - 1))
    own = np.flatnonzero(system.family > 0)
    apart[own, system.family[own] - 1] = v[own]
    average = apart.T @ (apart - solving.shrunk(apart))
    return np.asarray((average + average.T) / 2)


def _at_least(average: Floats, low: Floats) -> Floats:
    """The average information, raised where a family's own entry is below ``low``."""
    lifted = average.copy()
    diagonal = np.diagonal(average)
    lifted[np.diag_indices_from(lifted)] += np.maximum(low - diagonal, 0) + 1e-9
    values, vectors = np.linalg.eigh(lifted)
    return np.asarray((vectors * np.maximum(values, 0)) @ vectors.T)
