"""The mixed model fitted to one person's ratings (pure).

Observations are the tracks the person rated, each with the effects of its levels, and the
albums and artists they rated, each the mean over its tracks with a noise of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from plexsheet.inference import design as designs
from plexsheet.inference import variances as learning
from plexsheet.inference.design import FAMILIES, Design, Family
from plexsheet.inference.model import Evidence
from plexsheet.inference.solve import FINE, System, solver
from plexsheet.inference.uncertainty import Used
from plexsheet.inference.variances import LEVEL_MEAN, LEVEL_VARIANCE, Variances
from plexsheet.library import Kind, Library, rows_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ITEMS: tuple[Literal["album", "artist"], ...] = ("album", "artist")  # rated as wholes
SONG_WEIGHT = 2.0  # half of a twin's noise is the song's own
ITEM_NOISE = 1 / 5  # of a rating given to an album or artist, in noise variances of a track's
SAMPLE = 10_000  # ratings the variances are learned from, whole artists at a time
SEED = 20240229


@dataclass(frozen=True)
class Fit:
    """The model fitted to one person's ratings, before it is spread over the library.

    Attributes:
        system: observations and columns.
        used: the families in it, with their levels and variance ratios.
        variances: learned log ratios and noise variance.
        scale: shape (effects,), square roots of the variance ratios.
        effects: shape (system levels,), posterior means; the library's level first,
            less ``LEVEL_MEAN``.
        rows: shape (rated tracks,), which tracks were observed.
        items: which albums and which artists were observed; they follow the tracks.
        lent: shape (observations,), what fillers were expected to be given by the levels of
            their albums and artists; the system holds their ratings less this.
    """

    system: System
    used: tuple[Used, ...]
    variances: Variances
    scale: Floats
    effects: Floats
    rows: NDArray[np.intp]
    items: Mapping[Kind, NDArray[np.intp]]
    lent: Floats

    def rated(self, kind: Kind) -> slice:
        """Which observations are ratings given to this kind."""
        ends = np.cumsum([0, len(self.rows), *map(len, self.items.values())]).tolist()
        place = ("track", "album", "artist").index(kind)
        return slice(ends[place], ends[place + 1])


def evident(library: Library, evidence: Evidence, kind: Kind) -> Floats:
    """The person's own ratings of a kind that count, shape (items,), else NaN."""
    counts = evidence.manual[kind] & ~evidence.excluded[kind]
    return np.where(counts, library.ratings(kind), np.nan)


def averages(
    library: Library, evidence: Evidence, kind: Kind, fillers: Bools | None = None
) -> sparse.csr_array:
    """Mean over each item's tracks, excluded ones left out; shape (items, tracks).

    Fillers, shape (tracks,), count only where an item has nothing else.
    """
    parents = library.tracks[f"{kind}_key"].to_numpy()
    parent = np.where(evidence.excluded["track"], -1, rows_of(library.keys(kind), parents))
    if fillers is not None and fillers.any():
        speaks = ~fillers & (parent >= 0)
        others = np.bincount(parent[speaks], minlength=len(library.keys(kind)) + 1)
        parent = np.where(fillers & (others[parent] > 0), -1, parent)
    counts = np.bincount(parent[parent >= 0], minlength=len(library.keys(kind)))
    child = np.flatnonzero(parent >= 0)
    weight = 1 / counts[parent[child]]
    shape = (len(counts), len(parent))
    return sparse.csr_array((weight, (parent[child], child)), shape=shape)


def fitted(
    library: Library,
    evidence: Evidence,
    design: Design,
    *,
    warm: Mapping[str, float] | None = None,
    families: Sequence[Family] = FAMILIES,
) -> Fit:
    """Variances and effects from the person's ratings.

    Args:
        library: as read.
        evidence: which ratings count.
        design: the families' columns over the library's tracks.
        warm: log ratios by family, and ``"noise"``, of an earlier fit.
        families: the families with their priors.
    """
    ratings = evident(library, evidence, "track")
    rows = np.flatnonzero(~np.isnan(ratings))
    items = [_item_rows(library, evidence, kind, design.fillers) for kind in ITEMS]
    system, used = _system(design, ratings, rows, items)
    priors = {family.name: family for family in families}
    chosen = [priors[family.block.family.name] for family in used]
    start, noise = _start(chosen, warm)
    sample = _sample(library, rows, items)
    part = system if len(sample) == system.n else system.take(sample)
    prior = replace(learning.prior(chosen), noise_ratings=_noise_worth(len(rows), items))
    learned = learning.fit(part, prior, start=start, noise=noise)
    ratios = np.exp(learned.log_ratio)
    used = tuple(replace(u, ratio=float(r)) for u, r in zip(used, ratios, strict=True))
    scale = learning.scales(system, learned.log_ratio, learned.noise, LEVEL_VARIANCE)
    given: dict[Kind, NDArray[np.intp]]
    given = {kind: item.rows for kind, item in zip(ITEMS, items, strict=True)}
    effects = _solved(system, scale)
    lent = np.zeros(system.n)
    if design.fillers[rows].any():
        lent[: len(rows)] = lent_effects(used, effects)[rows]
        system = replace(system, ratings=system.ratings - lent)
        effects = _solved(system, scale)
    return Fit(system, used, learned, scale, effects, rows, given, lent)


def lent_effects(used: Sequence[Used], effects: Floats) -> Floats:
    """What levels that are lent to fillers add to each track, shape (tracks,)."""
    total = np.zeros(used[0].block.tracks.shape[0])
    for family in used:
        if family.block.lent is not None:
            total += family.block.lent @ family.spread(effects)
    return total


def _item_rows(library: Library, evidence: Evidence, kind: Kind, fillers: Bools) -> _ItemRows:
    ratings = evident(library, evidence, kind)
    mean = averages(library, evidence, kind, fillers)
    tracks = np.diff(mean.indptr)
    rated = np.flatnonzero(~np.isnan(ratings) & (tracks > 0))
    return _ItemRows(rated, sparse.csr_array(mean[rated]), ratings[rated], tracks[rated])


def _noise_worth(tracks: int, items: Sequence[_ItemRows]) -> float:
    """Worth of the noise variance's prior, in ratings.

    Ratings of albums and artists cannot tell their noise from differences between albums,
    so as many more count as they are, unless ratings of tracks say how much those scatter.
    """
    given = sum(len(item.ratings) for item in items)
    return learning.NOISE_RATINGS * (1 + given / (learning.NOISE_RATINGS + tracks))


@dataclass(frozen=True)
class _ItemRows:
    """Ratings given to albums or artists: which, means over tracks, ratings, numbers of tracks."""

    rows: NDArray[np.intp]
    mean: sparse.csr_array
    ratings: Floats
    tracks: Ints


def _system(
    design: Design, ratings: Floats, rows: NDArray[np.intp], items: Sequence[_ItemRows]
) -> tuple[System, tuple[Used, ...]]:
    """Observations and the columns they touch; the library's level is the first column."""
    values = np.concatenate([ratings[rows], *(item.ratings for item in items)])
    parts = [sparse.csr_array(np.ones((len(values), 1)))]
    roots = [sparse.csr_array(np.eye(1))]
    family = [np.zeros(1, dtype=np.int64)]
    used: list[Used] = []
    at = 1
    for block in design.blocks:
        observed = _observed(block, rows, items)
        touched = np.bincount(observed.indices, minlength=observed.shape[1]) > 0
        kept = np.flatnonzero(touched) if block.root is None else np.arange(len(touched))
        used.append(Used(block, kept, at, 1.0))
        at += len(kept)
        parts.append(observed[:, kept])
        root = sparse.eye_array(len(kept)) if block.root is None else block.root
        roots.append(sparse.csr_array(root))
        family.append(np.full(len(kept), len(used)))
    own = np.where(design.twins[rows], SONG_WEIGHT, 1.0)
    weights = np.concatenate([own, *(1 / (1 / item.tracks + ITEM_NOISE) for item in items)])
    system = System(
        sparse.csr_array(sparse.hstack(parts)),
        sparse.csr_array(sparse.block_diag(roots)),
        weights,
        values - LEVEL_MEAN,
        np.concatenate(family),
        len(used) + 1,
    )
    return system, tuple(used)


def _observed(
    block: designs.Block, rows: NDArray[np.intp], items: Sequence[_ItemRows]
) -> sparse.csr_array:
    """A family's columns over rated tracks, then over rated albums and artists."""
    parts = [block.tracks[rows]]
    for item in items:
        mean = sparse.csr_array(item.mean @ block.tracks)
        parts.append(mean if block.family.of_item else sparse.csr_array(mean.shape))
    return sparse.csr_array(sparse.vstack(parts))


def _start(
    families: Sequence[Family], warm: Mapping[str, float] | None
) -> tuple[Floats | None, float]:
    if not warm:
        return None, learning.NOISE_VARIANCE
    ratios = np.array([warm.get(family.name, family.expected) for family in families])
    return ratios, float(warm.get("noise", learning.NOISE_VARIANCE))


def _sample(
    library: Library, rows: NDArray[np.intp], items: Sequence[_ItemRows]
) -> NDArray[np.intp]:
    """All observations, or above ``SAMPLE`` those of randomly drawn artists."""
    firsts = [item.mean.indices[item.mean.indptr[:-1]] for item in items]
    track = np.concatenate([rows, *firsts])
    if len(track) <= SAMPLE:
        return np.arange(len(track))
    keys = library.tracks["artist_key"].to_numpy()[track]
    artist = rows_of(library.keys("artist"), keys)
    drawn = np.random.default_rng(SEED).permutation(len(library.artists) + 1)
    order = np.argsort(drawn[artist], kind="stable")
    return np.sort(order[:SAMPLE])


def _solved(system: System, scale: Floats) -> Floats:
    """Posterior means of the system's levels."""
    solving = solver(system, probes=0)
    solving.at(scale, FINE)
    return np.asarray(system.root @ (scale * solving.effects()))
