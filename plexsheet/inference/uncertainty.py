"""How sure the model is of each track's, album's and artist's level (pure).

The posterior variance of a level with weights ``x`` on the effects is ``x'C^-1 x`` times
the noise variance, with ``C`` the mixed model equations' matrix.  ``Exact`` inverts it;
``Blockwise`` takes it for block-diagonal: an artist with albums, periods, songs and slopes
is a block, each smooth curve is one, every other effect stands alone.  What that misses,
how blocks share what they learned, is put back on average: the parts of a variance get
the weights that agree best with a few draws from the true posterior.

All variances here are ratios to the noise variance; effects nobody rated add their prior.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from plexsheet.inference.design import Block
from plexsheet.inference.solve import Dense, Iterative, System

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Rows = Sequence[sparse.csr_array]

EXACT_EFFECTS = 3000
EXACT_SIDE = 1200  # of the matrix to factorise: ratings or effects, whichever are fewer
EXACT_WORK = 15_000_000  # tracks times effects
LARGEST_BLOCK = 300  # levels; an artist of more falls into single ones
CHUNK = 50_000
DRAWS = 16
FITTED = 6000  # items whose draws fit the components' weights
LOCAL = frozenset(
    {
        "artist",
        "artist period",
        "album",
        "artist duration",
        "album duration",
        "artist position",
        "track artist",
        "song",
        "title",
    }
)


@dataclass(frozen=True)
class Used:
    """A family's block and which of its levels are in the system.

    Attributes:
        block: all levels over all tracks.
        kept: levels some observation touches, ascending.
        at: where the first of them stands among the system's levels.
        ratio: the family's variance ratio.
    """

    block: Block
    kept: NDArray[np.intp]
    at: int
    ratio: float

    @property
    def end(self) -> int:
        """One past the last of its levels in the system."""
        return self.at + len(self.kept)

    def spread(self, effects: Floats) -> Floats:
        """The family's effects among the system's, 0 of levels not in it; shape (levels,)."""
        levels = np.zeros(self.block.tracks.shape[1])
        levels[self.kept] = effects[self.at : self.end]
        return levels

    def unrated(self) -> Floats:
        """The variance ratio of levels nothing touches, 0 of the others; shape (levels,)."""
        ratio = np.full(self.block.tracks.shape[1], self.ratio)
        ratio[self.kept] = 0.0
        return ratio


@dataclass(frozen=True)
class Local:
    """Those levels of a family that lie in one group of tracks each.

    Attributes:
        block: all levels over all tracks.
        levels: the ones inside a group and in the system.
        columns: their columns among the system's levels.
        ratio: the family's variance ratio.
    """

    block: Block
    levels: NDArray[np.intp]
    columns: Ints
    ratio: float


class Uncertainty(Protocol):
    """Posterior variances, as ratios to the noise variance."""

    def of(self, rows: Rows) -> Floats:
        """Of the whole levels of tracks, or of means over tracks, shape (items,).

        Args:
            rows: of each family used, shape (items, levels), weights on its levels.
        """


def track_rows(used: Sequence[Used]) -> Rows:
    """Weights of single tracks, for ``Uncertainty.of``."""
    return [family.block.tracks for family in used]


def mean_rows(used: Sequence[Used], mean: sparse.csr_array) -> Rows:
    """Weights of means over tracks; ``mean`` has shape (items, tracks)."""
    return [sparse.csr_array(mean @ family.block.tracks) for family in used]


def observed_rows(used: Sequence[Used], mean: sparse.csr_array) -> Rows:
    """Weights of what a rating given to an album or artist speaks of, its tracks' mean."""
    rows = mean_rows(used, mean)
    return [
        part if family.block.family.of_item else sparse.csr_array(part.shape)
        for family, part in zip(used, rows, strict=True)
    ]


def prior_variances(used: Sequence[Used], rows: Rows) -> Floats:
    """Variance ratio about the library's level before any rating, as ``Uncertainty.of``."""
    pairs = zip(used, rows, strict=True)
    return np.asarray(sum(family.ratio * _norms(family.block, part) for family, part in pairs))


def _norms(block: Block, rows: sparse.csr_array) -> Floats:
    """Squared length of each row's weights on independent effects."""
    if block.root is None:
        return np.asarray(rows.power(2).sum(axis=1))
    return _knot_forms(rows, block.root @ block.root.T)


def _knot_forms(rows: sparse.csr_array, inner: Floats) -> Floats:
    """``x' M x`` of each row of a smooth family."""
    if np.diff(rows.indptr).max(initial=0) <= 2:  # a track's place, between neighbouring knots
        band = sparse.csr_array(np.triu(np.tril(inner, 1), -1))
        return np.asarray(rows.multiply(rows @ band).sum(axis=1))
    forms = [np.zeros(0)]
    for low in range(0, rows.shape[0], CHUNK):
        part = rows[low : low + CHUNK].toarray()
        forms.append(((part @ inner) * part).sum(axis=1))
    return np.concatenate(forms)


def exact_is_cheap(system: System, tracks: int) -> bool:
    """Whether ``Exact`` takes a second at most."""
    side = min(system.n, system.effects)
    work = tracks * system.effects
    return side <= EXACT_SIDE and system.effects <= EXACT_EFFECTS and work <= EXACT_WORK


class Exact:
    """The inverse of the whole matrix."""

    def __init__(self, system: System, scale: Floats, used: Sequence[Used]) -> None:
        solving = Dense(system)
        solving.at(scale)
        spread = sparse.csr_array(system.root @ sparse.diags_array(scale))
        self._inverse = np.asarray(spread @ (spread @ solving.inverse()).T)
        self._used = used

    def of(self, rows: Rows) -> Floats:
        """Exact; see ``Uncertainty``."""
        parts = [part[:, family.kept] for family, part in zip(self._used, rows, strict=True)]
        stacked = sparse.csr_array(sparse.hstack(parts, format="csr"))
        departures = _forms(stacked, self._inverse[1:, 1:]) + _unrated(self._used, rows)
        shared = np.asarray(stacked @ self._inverse[1:, 0])
        return np.asarray(departures + 2 * shared + self._inverse[0, 0])


def _unrated(used: Sequence[Used], rows: Rows) -> Floats:
    """What levels without ratings add."""
    total = np.zeros(rows[0].shape[0])
    for family, part in zip(used, rows, strict=True):
        if family.block.root is None and len(family.kept) < part.shape[1]:
            total += part.power(2) @ family.unrated()
    return total


def _forms(rows: sparse.csr_array, inner: Floats) -> Floats:
    forms = [np.zeros(0)]
    for low in range(0, rows.shape[0], 2000):
        part = rows[low : low + 2000]
        forms.append(np.asarray(part.multiply(part @ inner).sum(axis=1)))
    return np.concatenate(forms)


class Blockwise:
    """Blocks inverted one by one, then fitted to posterior draws; an approximation."""

    def __init__(self, system: System, scale: Floats, used: Sequence[Used], group: Ints) -> None:
        """Invert the blocks and draw.

        Args:
            system: all observations.
            scale: shape (effects,), square roots of variance ratios.
            used: the families in the system.
            group: shape (tracks,), the artist (or album of nobody) a track belongs to.
        """
        self._used = used
        rows = sparse.csr_array(sparse.diags_array(np.sqrt(system.weights)) @ system.rows)
        self._smooth = {
            family.block.family.name: _smooth_inverse(rows, family)
            for family in used
            if family.block.root is not None
        }
        self._local = [local for local in (_in_one(u, group) for u in used) if local]
        self._blocks = _Blocks.of(rows, self._local, group)
        self._alone = _alone(rows, used, self._local)
        solving = Iterative(system, probes=0)
        solving.at(scale)
        self._draws = system.root @ (scale[:, None] * solving.draws(DRAWS))

    def of(self, rows: Rows) -> Floats:
        """Approximate; see ``Uncertainty``."""
        parts = self._components(rows)
        chosen = _spaced(len(parts), FITTED)
        return _fitted(parts, chosen, self._drawn([p[chosen] for p in rows])) + _unrated(
            self._used, rows
        )

    def _components(self, rows: Rows) -> Floats:
        """Posterior variance of each family's contribution, the local ones together."""
        by_name = {f.block.family.name: part for f, part in zip(self._used, rows, strict=True)}
        local = [by_name[family.block.family.name] for family in self._local]
        parts = [self._blocks.forms(self._local, local, rows[0].shape[0])]
        parts += [_knot_forms(by_name[name], inner) for name, inner in self._smooth.items()]
        parts += [by_name[name].power(2) @ levels for name, levels in self._alone.items()]
        parts.append(np.ones(len(parts[0])))  # what all share
        return np.column_stack(parts)

    def _drawn(self, rows: Rows) -> Floats:
        """Draws of some items' levels, shape (items, draws)."""
        total = np.tile(self._draws[0], (rows[0].shape[0], 1))
        for family, part in zip(self._used, rows, strict=True):
            effects = np.zeros((part.shape[1], total.shape[1]))
            effects[family.kept] = self._draws[family.at : family.end]
            total += part @ effects
        return total


def _spaced(length: int, most: int) -> Ints:
    """At most so many rows, evenly spaced."""
    return np.unique(np.linspace(0, max(length - 1, 0), min(length, most)).astype(np.int64))


def _fitted(parts: Floats, chosen: Ints, draws: Floats) -> Floats:
    """Weights for the components, none negative, that agree best with the draws' squares."""
    from scipy.optimize import nnls

    if not len(chosen):
        return np.zeros(len(parts))
    target = (draws**2).mean(axis=1)
    rough = np.maximum(parts[chosen].sum(axis=1), 1e-12)
    weights, _ = nnls(parts[chosen] / rough[:, None], target / rough)
    return np.asarray(parts @ weights)


def _in_one(family: Used, group: Ints) -> Local | None:
    """A family with only those of its levels whose tracks all lie in one group."""
    block = family.block.tracks
    if family.block.family.name not in LOCAL or not len(family.kept):
        return None
    lowest = np.full(block.shape[1], np.iinfo(np.int64).max)
    highest = np.full(block.shape[1], -1)
    place = group[np.diff(block.indptr) > 0]
    np.minimum.at(lowest, block.indices, place)
    np.maximum.at(highest, block.indices, place)
    inside = (lowest == highest)[family.kept]
    columns = family.at + np.flatnonzero(inside)
    return Local(family.block, family.kept[inside], columns, family.ratio)


def _smooth_inverse(rows: sparse.csr_array, family: Used) -> Floats:
    """Posterior covariance of a curve's knots given everything else."""
    assert family.block.root is not None
    root = np.sqrt(family.ratio) * family.block.root
    own = rows[:, family.at : family.end]
    inner = root.T @ (own.T @ own).toarray() @ root
    return np.asarray(root @ np.linalg.inv(inner + np.eye(len(inner))) @ root.T)


def _alone(
    rows: sparse.csr_array, used: Sequence[Used], local: Sequence[Local]
) -> dict[str, Floats]:
    """Posterior variance of each level outside the blocks given everything else."""
    worth = np.asarray(rows.power(2).sum(axis=0))
    inside = {family.block.family.name: family.levels for family in local}
    alone = {}
    for family in used:
        name = family.block.family.name
        if family.block.root is None:
            variance = np.zeros(family.block.tracks.shape[1])
            variance[family.kept] = 1 / (1 / family.ratio + worth[family.at : family.end])
            variance[inside.get(name, [])] = 0.0
            if variance.any():
                alone[name] = variance
    return alone


@dataclass(frozen=True)
class _Blocks:
    """Inverses of many small matrices, one after another in one array.

    Attributes:
        inverse: all blocks' entries, row by row.
        start: shape (local levels,), where the level's block begins in ``inverse``.
        size: shape (local levels,), its block's width.
        place: shape (local levels,), its row in the block.
        columns: shape (local levels,), the level's column among the system's levels.
    """

    inverse: Floats
    start: Ints
    size: Ints
    place: Ints
    columns: Ints

    @staticmethod
    def of(rows: sparse.csr_array, local: Sequence[Local], group: Ints) -> _Blocks:
        """The local families' blocks, by group of tracks."""
        columns = _joined([family.columns for family in local])
        home = _joined([_homes(family, group)[family.levels] for family in local])
        home, sizes = _split_largest(home)
        order = np.argsort(home, kind="stable")
        begins = np.concatenate([[0], np.cumsum(sizes)])[:-1]
        place = np.empty(len(home), dtype=np.int64)
        place[order] = np.arange(len(home)) - begins[home[order]]
        start = np.concatenate([[0], np.cumsum(sizes**2)])
        ratio = _joined([np.full(len(f.levels), f.ratio) for f in local])
        entries = np.zeros(int(start[-1]))
        own = rows[:, columns]
        gram = sparse.coo_array(own.T @ own)
        left, right = gram.coords
        inside = home[left] == home[right]
        left, right, values = left[inside], right[inside], gram.data[inside]
        entries[start[home[left]] + place[left] * sizes[home[left]] + place[right]] = values
        diagonal = start[home] + place * (sizes[home] + 1)
        entries[diagonal] += 1 / ratio
        _invert(entries, start[:-1], sizes)
        return _Blocks(entries, start[home], sizes[home], place, columns)

    def matrix(self) -> sparse.csr_array:
        """All blocks as one sparse matrix, shape (local levels, local levels)."""
        order = np.lexsort((self.place, self.start))
        ends = np.concatenate([[0], np.cumsum(self.size[order])])
        first = np.arange(len(order)) - self.place[order]
        inner = np.repeat(first, self.size[order]) + _ramps(self.size[order])
        shape = (len(order), len(order))
        ordered = sparse.csr_array((self.inverse, inner, ends), shape=shape)
        back = np.argsort(order)
        return sparse.csr_array(ordered[back][:, back])

    def forms(self, local: Sequence[Local], rows: Rows, items: int) -> Floats:
        """Each item's posterior variance from its local levels, shape (items,)."""
        if not local:
            return np.zeros(items)
        if all(np.diff(part.indptr).max(initial=0) <= 1 for part in rows):
            return self._single(local, rows)
        stacked = [part[:, family.levels] for family, part in zip(local, rows, strict=True)]
        weights = sparse.csr_array(sparse.hstack(stacked, format="csr"))
        return np.asarray(weights.multiply(weights @ self.matrix()).sum(axis=1))

    def _single(self, local: Sequence[Local], rows: Rows) -> Floats:
        """The same where each family has one level in an item, as in tracks."""
        slots = list(_slots(local, rows))
        total = np.zeros(rows[0].shape[0])
        for number, (level, weight) in enumerate(slots):
            total += self._pair(level, weight, level, weight)
            for other, other_weight in slots[:number]:
                total += 2 * self._pair(level, weight, other, other_weight)
        return total

    def _pair(self, left: Ints, weight: Floats, right: Ints, other: Floats) -> Floats:
        """Covariance of two levels in each track's block; 0 where one is not there."""
        both = np.flatnonzero((left >= 0) & (right >= 0) & (weight != 0) & (other != 0))
        result = np.zeros(len(left))
        if len(both) == 0:
            return result
        a, b = left[both], right[both]
        same = self.start[a] == self.start[b]
        entry = np.where(same, self.start[a] + self.place[a] * self.size[a] + self.place[b], 0)
        result[both] = np.where(same, self.inverse[entry], 0.0) * weight[both] * other[both]
        return result


def _slots(local: Sequence[Local], rows: Rows) -> Iterator[tuple[Ints, Floats]]:
    """Of each local family: every item's level among the local ones (-1), and its weight."""
    at = 0
    for family, part in zip(local, rows, strict=True):
        number = np.full(part.shape[1], -1, dtype=np.int64)
        number[family.levels] = at + np.arange(len(family.levels))
        at += len(family.levels)
        filled = np.diff(part.indptr) > 0
        level = np.full(part.shape[0], -1, dtype=np.int64)
        weight = np.zeros(part.shape[0])
        level[filled] = number[part.indices]
        weight[filled] = part.data
        yield level, weight


def _homes(family: Local, group: Ints) -> Ints:
    """The group each level of a local family lies in, shape (levels,)."""
    block = family.block.tracks
    home = np.zeros(block.shape[1], dtype=np.int64)
    home[block.indices] = group[np.diff(block.indptr) > 0]
    return home


def _split_largest(home: Ints) -> tuple[Ints, Ints]:
    """Groups numbered from 0 with their sizes; too large ones fall into single levels."""
    _, numbers, sizes = np.unique(home, return_inverse=True, return_counts=True)
    large = (sizes > LARGEST_BLOCK)[numbers]
    numbers = np.where(large, len(sizes) + np.arange(len(home)), numbers)
    _, again, sizes = np.unique(numbers, return_inverse=True, return_counts=True)
    return again.astype(np.int64), sizes.astype(np.int64)


def _invert(entries: Floats, start: Ints, sizes: Ints) -> None:
    """Each block replaced by its inverse, all of one size at a time."""
    for size in np.unique(sizes):
        at = start[sizes == size][:, None] + np.arange(size**2)
        blocks = entries[at].reshape(-1, size, size)
        entries[at] = np.linalg.inv(blocks).reshape(len(at), -1)


def _ramps(lengths: Ints) -> Ints:
    """0, 1, … for each length, one after another."""
    ends = np.cumsum(lengths)
    return np.asarray(np.arange(int(lengths.sum())) - np.repeat(ends - lengths, lengths))


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
