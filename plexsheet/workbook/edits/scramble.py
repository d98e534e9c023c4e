"""Has a column been sorted alone, or shifted?  Three accidents and how they show (pure).

Excel and LibreOffice let a person sort one column without the others, or delete one
cell with "shift up".  Every rating then belongs to a stranger, and nothing in the file
says so: only the values do.

- S01: the titles moved and the Key stayed, or the other way round.  Their Check no
  longer fits.
- S02: the ratings moved alone.  The changed cells hold the same values as before, in
  another order; or, where some were edited first, they stand in perfect order while
  the rows do not.
- S03: the ratings slid up or down by one to three rows, over some stretch.

Each rule decides only from twenty changed cells on, and is tuned so that no ordinary
editing is stopped, heavy re-rating included; ``benchmarks/scramble.py`` counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plexsheet.ratings import same_array

Floats = NDArray[np.float64]

CODES = ("S01", "S02", "S03")
LEAST_CHANGED = 20
S01_ROWS, S01_SHARE = 3, 0.005
S02_SLACK = 0.3
S02_DISTINCT = 3
S03_OFFSETS = (1, -1, 2, -2, 3, -3)
S03_LEAST = 20
_BLANK = -1


@dataclass(frozen=True)
class Scramble:
    """What was found.

    Attributes:
        code: S01, S02 or S03.
        variant: ``sorted`` where S02 was told by the order of the values.
        rows: how many rows it concerns.
        first: place of the first of them, from 0.
        offset: of S03: each value stands this many rows above its own (below, if negative).
    """

    code: str
    variant: str = ""
    rows: int = 0
    first: int = 0
    offset: int = 0


def identity(mismatched: NDArray[np.bool_]) -> Scramble | None:
    """S01: on too many rows the Key does not belong to the titles.

    Args:
        mismatched: shape (rows with a Key and titles,).
    """
    wrong = int(np.count_nonzero(mismatched))
    if wrong < S01_ROWS or wrong < S01_SHARE * len(mismatched):
        return None
    return Scramble("S01", rows=wrong, first=int(np.argmax(mismatched)))


def of_ratings(
    base: Floats, mine: Floats, *, in_order: Callable[[], bool] = lambda: True
) -> Scramble | None:
    """S02 or S03: the rating column was sorted alone or shifted.

    Args:
        base: shape (rows,), 0-10, NaN blank: ratings at export, in the sheet's present order.
        mine: shape (rows,), what the sheet says now.
        in_order: whether the rows still stand as exported, or sorted by an identity column;
            asked only where the ratings stand in perfect order.

    >>> base = np.repeat([2.0, 4, 6, 8, 10], 8)[np.argsort(np.arange(40) * 7 % 40)]
    >>> of_ratings(base, np.sort(base)).code
    'S02'
    """
    changed = ~same_array(base, mine)
    k = int(np.count_nonzero(changed))
    if k < LEAST_CHANGED:
        return None
    first = int(np.argmax(changed))
    permuted = _permuted(_steps(base)[changed], _steps(mine)[changed])
    shift = _shifted(_steps(base), _steps(mine), changed)
    if shift is not None and (not permuted or 2 * shift.rows >= k):
        return shift  # a shifted column is nearly a permuted one; this says more
    if permuted:
        return Scramble("S02", rows=k, first=first)
    if _sorted_alone(base, mine) and in_order():
        return Scramble("S02", "sorted", rows=k, first=first)
    return None


def _steps(ratings: Floats) -> NDArray[np.int64]:
    """Ratings as whole hundredths of a star, ``_BLANK`` where NaN."""
    return np.where(np.isnan(ratings), _BLANK, np.round(np.nan_to_num(ratings) * 50)).astype(
        np.int64
    )


def _permuted(old: NDArray[np.int64], new: NDArray[np.int64]) -> bool:
    """S02a: new values can be paired with old ones in nearly all changed cells."""
    k = len(old)
    size = int(max(old.max(), new.max())) + 2
    counts = np.minimum(np.bincount(old + 1, minlength=size), np.bincount(new + 1, minlength=size))
    return bool(counts.sum() / k >= 1 - S02_SLACK / np.sqrt(k))


def _sorted_alone(base: Floats, mine: Floats) -> bool:
    """S02b: the ratings are perfectly monotone and those of the base were not."""
    said = mine[~np.isnan(mine)]
    if len(said) < LEAST_CHANGED or len(np.unique(said)) < S02_DISTINCT or not _monotone(said):
        return False
    return not _monotone(base[~np.isnan(base)])


def _monotone(values: Floats) -> bool:
    steps = np.diff(values)
    return bool(np.all(steps >= 0) or np.all(steps <= 0))


def _shifted(
    base: NDArray[np.int64], mine: NDArray[np.int64], changed: NDArray[np.bool_]
) -> Scramble | None:
    """S03: over some stretch the values are the base's from ``d`` rows further on."""
    stays = (mine == base).astype(np.int64)
    changed_before = np.concatenate(([0], np.cumsum(changed)))
    best: Scramble | None = None
    for offset in S03_OFFSETS:
        moved = np.zeros(len(mine), dtype=np.int64)
        if offset > 0:
            moved[:-offset] = mine[:-offset] == base[offset:]
        else:
            moved[-offset:] = mine[-offset:] == base[:offset]
        total, start, end = _best_stretch(moved - stays)
        inside = int(changed_before[end] - changed_before[start])
        if total >= S03_LEAST and 2 * total >= inside and (best is None or total > best.rows):
            first = start + int(np.argmax(changed[start:end]))
            best = Scramble("S03", rows=total, first=first, offset=offset)
    return best


def _best_stretch(scores: NDArray[np.int64]) -> tuple[int, int, int]:
    """The contiguous stretch with the highest sum: the sum, its start and its end.

    >>> _best_stretch(np.array([-1, 2, 3, -9, 4]))
    (5, 1, 3)
    """
    before = np.concatenate(([0], np.cumsum(scores)))
    lowest = np.minimum.accumulate(before)
    end = int(np.argmax(before - lowest))
    start = int(np.argmin(before[: end + 1]))
    return int(before[end] - before[start]), start, end
