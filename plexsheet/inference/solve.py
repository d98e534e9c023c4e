"""Henderson's mixed model equations, solved (pure).

Written for rows of unit noise (each row and rating already multiplied by the square
root of its weight) and for columns scaled by the square root of their variance ratio:
``A = I + Z'Z``, ``v = A^-1 Z'y``, ``V = I + ZZ'`` and ``V^-1 = I - Z A^-1 Z'``.

Small systems are factorised (Cholesky), large ones solved by conjugate gradients with a
diagonal preconditioner, their traces estimated with Rademacher probes of a fixed seed, so
that a library always gets the same values.

Source:
    Henderson, Biometrics 31 (1975) 423-447; Hutchinson, Communications in Statistics:
    Simulation 18 (1989) 1059-1076, on traces.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DENSE_UP_TO = 500  # rows or effects, whichever are fewer
DENSE_ENTRIES = 10_000_000  # ratings times effects, 80 MB
PROBES = 12
SEED = 20240229
MOST_STEPS = 400
STEERING_STEPS = 80  # of a solution that only steers

FINE = 1e-6  # residual over right-hand side, of a solution that is used
STEADY = 3e-5  # of one the variances are learned from
EARLY = 3e-4  # of one while they are far from where they end
TRACED = 10.0  # times these, of one a trace is estimated from
ROUGH = 1e-2  # of random draws and of single variances
STEER = 3e-2  # of one that only steers the next iteration


@dataclass(frozen=True)
class System:
    """Observations and the columns that explain them.

    Attributes:
        rows: shape (n, levels), weight of each level in each observation.
        root: shape (levels, effects); effects are independent.
        weights: shape (n,), 1 for an ordinary rating, 2 for half the noise.
        ratings: shape (n,), less the prior mean of the library's level.
        family: shape (effects,), each effect's family, ascending.
        families: how many families there are.
    """

    rows: sparse.csr_array
    root: sparse.csr_array
    weights: Floats
    ratings: Floats
    family: Ints
    families: int

    @property
    def n(self) -> int:
        """Number of observations."""
        return len(self.ratings)

    @property
    def effects(self) -> int:
        """Number of effects."""
        return len(self.family)

    @property
    def whitened(self) -> Floats:
        """Ratings scaled to unit noise, shape (n,)."""
        return np.asarray(np.sqrt(self.weights) * self.ratings)

    def take(self, chosen: NDArray[np.intp]) -> System:
        """The system of some of its observations, without levels they do not touch."""
        rows = self.rows[chosen]
        touched = np.bincount(rows.indices, minlength=rows.shape[1]) > 0
        kept = np.asarray(abs(self.root).T @ touched.astype(np.float64)) > 0
        levels = np.asarray(abs(self.root) @ kept.astype(np.float64)) > 0
        return replace(
            self,
            rows=rows[:, np.flatnonzero(levels)],
            root=self.root[np.flatnonzero(levels)][:, np.flatnonzero(kept)],
            weights=self.weights[chosen],
            ratings=self.ratings[chosen],
            family=self.family[kept],
        )


class Solver(Protocol):
    """One system, solved again and again while the variance ratios move."""

    def at(self, scale: Floats, tolerance: float = STEADY) -> None:
        """Set the square roots of the variance ratios, shape (effects,), and how exact to be."""

    def effects(self) -> Floats:
        """``v``, shape (effects,); the effects are ``scale * v``."""

    def expected(self) -> Floats:
        """``Zv``, the observations the effects make expect, shape (n,)."""

    def shrunk(self, vectors: Floats) -> Floats:
        """``A^-1`` of vectors in effects, shape (effects, any)."""

    def gammas(self) -> Floats:
        """Effective number of effects determined by the data, per family."""

    def variance(self, effect: int) -> float:
        """Posterior variance of one ``v`` over the noise variance."""


def solver(system: System, probes: int = PROBES) -> Solver:
    """Dense where that is cheap, iterative where not."""
    small = min(system.n, system.effects) <= DENSE_UP_TO
    small &= system.n * system.effects <= DENSE_ENTRIES
    return Dense(system) if small else Iterative(system, probes)


def by_family(values: Floats, system: System) -> Floats:
    """Sums over the effects of each family, shape (families,)."""
    return np.asarray(np.bincount(system.family, values, minlength=system.families), np.float64)


class Dense:
    """Cholesky of the smaller of ``A`` and ``V``."""

    def __init__(self, system: System) -> None:
        self._system = system
        plain = (system.rows @ system.root).toarray()
        self._plain = np.sqrt(system.weights)[:, None] * plain
        self._dual = system.n < system.effects

    def at(self, scale: Floats, tolerance: float = STEADY) -> None:
        """Factorise for these scales."""
        z = self._plain * scale
        self._z = z
        inner = z @ z.T if self._dual else z.T @ z
        inner[np.diag_indices_from(inner)] += 1.0
        self._factor = linalg.cholesky(inner, lower=True, check_finite=False)

    def shrunk(self, vectors: Floats) -> Floats:
        """``A^-1`` of vectors, exactly."""
        if self._dual:
            return np.asarray(vectors - self._z.T @ self._solve(self._z @ vectors))
        return self._solve(vectors)

    def effects(self) -> Floats:
        """``v``, exactly."""
        ratings = self._system.whitened
        if self._dual:
            return np.asarray(self._z.T @ self._solve(ratings))
        return self._solve(self._z.T @ ratings)

    def expected(self) -> Floats:
        """``Zv``, exactly."""
        return np.asarray(self._z @ self.effects())

    def gammas(self) -> Floats:
        """Sums of ``1 - diag(A^-1)``, exactly."""
        return by_family(1 - self.inverse_diagonal(), self._system)

    def variance(self, effect: int) -> float:
        """Entry of the diagonal of ``A^-1``."""
        return float(self.inverse_diagonal()[effect])

    def inverse_diagonal(self) -> Floats:
        """Diagonal of ``A^-1``, shape (effects,)."""
        if self._dual:
            half = linalg.solve_triangular(self._factor, self._z, lower=True, check_finite=False)
            return np.asarray(1 - (half**2).sum(axis=0))
        return np.diagonal(self.inverse())

    def inverse(self) -> Floats:
        """``A^-1``, shape (effects, effects)."""
        if self._dual:
            half = linalg.solve_triangular(self._factor, self._z, lower=True, check_finite=False)
            return np.asarray(np.eye(self._system.effects) - half.T @ half)
        lower, _ = linalg.lapack.dpotri(self._factor, lower=1)
        return np.asarray(np.tril(lower) + np.tril(lower, -1).T)

    def _solve(self, vectors: Floats) -> Floats:
        return np.asarray(linalg.cho_solve((self._factor, True), vectors, check_finite=False))


class Iterative:
    """Conjugate gradients on ``A``, started from the solution before."""

    def __init__(self, system: System, probes: int = PROBES) -> None:
        self._system = system
        root_weight = sparse.diags_array(np.sqrt(system.weights))
        self._rows = sparse.csr_array(root_weight @ system.rows)
        self._rows_t = sparse.csr_array(self._rows.T)
        self._diagonal, self._dense, self._gram = self._plain_gram()
        generator = np.random.default_rng(SEED)
        self._probes = generator.choice([-1.0, 1.0], size=(system.effects, probes))
        self._found = np.zeros((system.effects, 1 + probes))
        self._guess: Floats | None = None
        self._solved = False
        self._scale = np.ones(system.effects)

    def at(self, scale: Floats, tolerance: float = STEADY) -> None:
        """Move to these scales; earlier solutions become first guesses.

        Args:
            scale: shape (effects,).
            tolerance: residual over right-hand side of the effects.
        """
        self._found[:, 0] *= self._scale / scale
        self._scale, self._tolerance, self._solved = scale, tolerance, False
        self._spread = sparse.csr_array(self._system.root @ sparse.diags_array(scale))
        self._spread_t = sparse.csr_array(self._spread.T)
        self._inverse = 1 / (1 + scale**2 * self._diagonal)[:, None]
        inner = scale[self._dense, None] * self._gram * scale[self._dense]
        inner[np.diag_indices_from(inner)] += 1.0
        self._block = np.linalg.inv(inner)

    def effects(self) -> Floats:
        """``v`` to the tolerance; what the traces need, more roughly."""
        if not self._solved:
            right = self._down(self._system.whitened[:, None])
            both = np.hstack([right, self._probes])
            bounds = np.full(both.shape[1], TRACED * self._tolerance)
            bounds[0] = self._tolerance
            self._found = self._descend(both, self._found, bounds)
            self._solved = True
        return self._found[:, 0]

    def expected(self) -> Floats:
        """``Zv``, as exact as the effects."""
        return self._up(self.effects()[:, None])[:, 0]

    def shrunk(self, vectors: Floats) -> Floats:
        """``A^-1`` of vectors, roughly: enough to steer by."""
        if self._guess is None or self._guess.shape != vectors.shape:
            self._guess = np.zeros_like(vectors)
        self._guess = self._descend(vectors, self._guess, STEER, STEERING_STEPS)
        return self._guess

    def draws(self, count: int) -> Floats:
        """Random ``v - E v`` of the posterior, over the noise, shape (effects, count).

        Source:
            Papandreou and Yuille, NeurIPS 23 (2010): perturb the data, then solve.
        """
        generator = np.random.default_rng(SEED)
        noise = generator.standard_normal((self._system.n, count))
        right = self._down(noise) + generator.standard_normal((self._system.effects, count))
        return self._descend(right, np.zeros_like(right), ROUGH)

    def gammas(self) -> Floats:
        """Sums of ``1 - diag(A^-1)`` as the probes see them, at least a little above 0."""
        self.effects()
        seen = (1 - self._probes * self._found[:, 1:]).mean(axis=1)
        return by_family(seen, self._system)

    def variance(self, effect: int) -> float:
        """Entry of the diagonal of ``A^-1``, to within ``ROUGH``."""
        unit = np.zeros((self._system.effects, 1))
        unit[effect] = 1.0
        return float(self._descend(unit, np.zeros_like(unit), ROUGH)[effect, 0])

    def _plain_gram(self) -> tuple[Floats, Ints, Floats]:
        """``Z'Z`` before any scaling: its diagonal, and its block of level and curves.

        The curves overlap with each other and with the level, and there are few of their
        effects, so the preconditioner has their block whole.
        """
        root = self._system.root
        squares = np.asarray(self._rows.power(2).sum(axis=0))
        diagonal = np.asarray(root.power(2).T @ squares)
        curves = np.diff(sparse.csc_array(root).indptr) > 1  # effects over several levels
        dense = np.flatnonzero(curves | (self._system.family == 0))
        levels = np.flatnonzero(np.asarray(abs(root[:, dense]).sum(axis=1)))
        own = sparse.csr_array(self._rows[:, levels])
        heights = root[levels][:, dense].toarray()
        gram = np.asarray(heights.T @ ((own.T @ own) @ heights))
        diagonal[dense] = np.diagonal(gram)
        return diagonal, dense, gram

    def _near(self, residual: Floats, out: Floats | None = None) -> Floats:
        """The preconditioner's solution."""
        near = np.multiply(self._inverse, residual, out=out)
        near[self._dense] = self._block @ residual[self._dense]
        return near

    def _up(self, effects: Floats) -> Floats:
        return np.asarray(self._rows @ (self._spread @ effects))

    def _down(self, observations: Floats) -> Floats:
        return np.asarray(self._spread_t @ (self._rows_t @ observations))

    def _descend(
        self, right: Floats, start: Floats, tolerance: Floats | float, most: int = MOST_STEPS
    ) -> Floats:
        """Conjugate gradients for all right-hand sides at once, each until it is there."""
        found = start.copy()
        residual = right - found - self._down(self._up(found))
        bound = np.square(tolerance) * _dots(right, self._near(right)) + 1e-300
        near = self._near(residual)
        size = _dots(residual, near)
        open_ = np.flatnonzero(size > bound)
        part, residual, size = found[:, open_], residual[:, open_], size[open_]
        direction = near[:, open_]
        for _ in range(most):
            if not len(open_):
                break
            ahead = self._down(self._up(direction))
            ahead += direction
            along = size / np.maximum(_dots(direction, ahead), 1e-300)
            part += along * direction
            ahead *= along
            residual -= ahead
            near = self._near(residual, out=ahead)
            size, before = _dots(residual, near), size
            direction *= size / np.maximum(before, 1e-300)
            direction += near
            there = size <= bound[open_]
            if there.any():
                found[:, open_[there]] = part[:, there]
                open_, size = open_[~there], size[~there]
                part, residual = part[:, ~there], residual[:, ~there]
                direction = direction[:, ~there]
        found[:, open_] = part
        return found


def _dots(left: Floats, right: Floats) -> Floats:
    """Inner product of each column of one with that of the other."""
    return np.asarray(np.einsum("ij,ij->j", left, right))
