"""The rating scale: 0-10 in memory and in Plex, stars in cells and messages (pure).

Plex stores a rating as a float from 0 to 10 and shows half of it as stars.
Inside plexsheet every rating is a float on that ten-point scale and *unrated* is
NaN, never 0: a mean over ratings can then never mistake "not rated" for "bad".
Stars appear only where a person reads or types them, and ``to_stars`` and
``from_stars`` are the only bridge.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

UNRATED = math.nan
HIGHEST_STARS = 5.0
HIGHEST = 10.0

# A typed value is kept to 0.01 star = 0.02 points: less than three quarters of that
# apart is the same rating, told in other decimals (3.67 stars for a stored 7.3333).
SAME_WITHIN = 0.015

# What was read back is compared with what is read now: the same number, in other decimals.
READ_BACK_WITHIN = 0.006

Floats = NDArray[np.float64]


def to_stars(rating: float) -> float:
    """Stars of a rating, to 0.01 star.

    >>> to_stars(7.3333)
    3.67
    """
    return round(rating / 2, 2)


def from_stars(stars: float) -> float:
    """Rating on the ten-point scale of a number of stars, to 0.02 points.

    >>> from_stars(3.67)
    7.34
    """
    return round(round(stars, 2) * 2, 2)


def exact_stars(ratings: ArrayLike) -> Floats:
    """Stars of ratings 0-10, unrounded: for means, errors and differences."""
    return np.asarray(np.asarray(ratings, dtype=np.float64) / 2)


def exact_points(stars: ArrayLike) -> Floats:
    """Ratings 0-10 of stars, unrounded: for steps and bounds given in stars."""
    return np.asarray(np.asarray(stars, dtype=np.float64) * 2)


def stars_array(ratings: ArrayLike) -> Floats:
    """Stars, to 0.01, of ratings 0-10 of any shape; NaN stays NaN."""
    return np.asarray(np.round(exact_stars(ratings), 2))


def points_array(stars: ArrayLike) -> Floats:
    """``from_stars`` of numbers of any shape; NaN stays NaN."""
    return np.asarray(np.round(exact_points(np.round(np.asarray(stars, dtype=np.float64), 2)), 2))


def same(left: float, right: float, within: float = SAME_WITHIN) -> bool:
    """Whether two ratings (0-10, NaN unrated) are one to a person's eye.

    >>> same(7.3333, 7.34), same(UNRATED, UNRATED), same(UNRATED, 8.0)
    (True, True, False)
    """
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    return abs(left - right) <= within


def near(left: float, right: float) -> bool:
    """Whether two ratings are one number, both unrated included."""
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    return abs(left - right) <= READ_BACK_WITHIN


def agrees(wanted: float, got: float, step: float = 0.0) -> bool:
    """Whether a rating is what was sent, allowing for a server that rounds to ``step``.

    >>> agrees(7.36, 7.4), agrees(7.36, 7.4, step=0.1), agrees(7.36, 8.0, step=0.1)
    (False, True, False)
    """
    return near(wanted, got) or bool(step and rounds(wanted, got, step))


def rounds(wanted: float, got: float, step: float) -> bool:
    """Whether ``got`` is ``wanted`` in steps of so many points, up or down at a tie."""
    if math.isnan(wanted) or math.isnan(got):
        return False
    on_grid = abs(got / step - round(got / step)) * step <= READ_BACK_WITHIN
    return on_grid and abs(wanted - got) <= step / 2 + READ_BACK_WITHIN


def same_array(left: ArrayLike, right: ArrayLike, within: float = SAME_WITHIN) -> NDArray[np.bool_]:
    """``same`` for arrays of ratings 0-10 of one shape."""
    a = np.asarray(left, dtype=np.float64)
    b = np.asarray(right, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        close = np.abs(a - b) <= within
    return np.asarray(close | (np.isnan(a) & np.isnan(b)))


def show_stars(rating: float) -> str:
    """A rating 0-10 as a person reads it: stars without idle zeros, or ``unrated``.

    >>> show_stars(8.0), show_stars(7.36), show_stars(UNRATED)
    ('4', '3.68', 'unrated')
    """
    return "unrated" if math.isnan(rating) else f"{to_stars(rating):g}"


def glyphs(rating: float) -> str:
    """A rating 0-10 drawn to the nearest half star, ``unrated`` where NaN.

    >>> glyphs(9.0), glyphs(UNRATED)
    ('★★★★½', 'unrated')
    """
    if math.isnan(rating):
        return "unrated"
    halves = round(rating)
    return "★" * (halves // 2) + "½" * (halves % 2) or "☆"


def rounded(ratings: ArrayLike, step_stars: float | None) -> Floats:
    """Ratings 0-10 rounded to a step in stars (None: as they are), NaN kept.

    The lowest value a rounding gives is one step, since 0 is no rating.

    >>> rounded([7.36, 0.1, float("nan")], 0.5)
    array([ 7.,  1., nan])
    """
    values = np.asarray(ratings, dtype=np.float64)
    if step_stars is None:
        return np.asarray(np.clip(values, 0.02, HIGHEST))
    step = float(exact_points(step_stars))
    return np.asarray(np.round(np.clip(np.round(values / step) * step, step, HIGHEST), 6))
