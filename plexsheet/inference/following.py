"""Unrated copies follow the copies the person rated (pure).

The model shares what it learned of a song between its copies, but shrinks it as it
shrinks everything.  That two tracks are one recording is more certain than that: people
rate copies much alike, however unusual the rating.  So a copy takes the mean of the
rated ones, less only where the group is unsure or where this person's own copies say
that the model knows better.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from plexsheet.inference.model import Inferred
from plexsheet.inference.twins import Twins

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

UNSURE = 0.8  # how far a copy of unknown length follows
FARTHEST = 1.0  # points from the mean of the rated copies, unless theirs are farther apart
EQUAL_COPIES = 12.0  # copies rated alike, as good as known before any is
COPY_VARIANCE = 0.4  # of a copy's rating about its song's, ten-point scale squared


def followed(
    track: Inferred, twins: Twins, ratings: Floats, left_out: Floats, lengths: Bools, noise: float
) -> Inferred:
    """The proposals with unrated copies moved to the mean of the rated ones.

    Args:
        track: as the model has it; NaN values stay.
        twins: groups of copies.
        ratings: shape (tracks,), the person's own that count, else NaN.
        left_out: shape (tracks,), the model's value of each rated track without its own rating,
            else NaN.
        lengths: shape (tracks,), whether the length is known.
        noise: variance of one rating about the model's value.

    Returns:
        The same; what moved a value is in the part ``song``.
    """
    mean, count = others(twins, ratings)
    copies = np.isnan(ratings) & (count > 0)
    if not copies.any():
        return track
    own = agreement(ratings, left_out, mean, noise)
    sure = lengths | (twins.evidence != "name")
    share = np.where(copies, np.where(sure, 1.0, UNSURE) * own, 0.0)
    apart = np.nan_to_num(np.abs(ratings - mean))
    paired = ~np.isnan(ratings) & (count > 0)
    theirs = float(np.sqrt((apart[paired] ** 2).mean())) if paired.any() else 0.0
    most = max(FARTHEST, theirs)
    toward = np.where(copies, mean, track.value)
    wanted = track.value + share * (toward - track.value)
    value = np.clip(wanted, toward - most, toward + most)
    variance = ((1 - share) * track.error) ** 2 + np.where(
        copies, share**2 * COPY_VARIANCE / np.maximum(count, 1), 0.0
    )
    error = np.where(copies, np.minimum(np.sqrt(variance), track.error), track.error)
    unknown = (1 - track.confidence / 100) * (error / track.error) ** 2
    parts = dict(track.parts)
    parts["song"] = parts["song"] + np.where(copies, value - track.value, 0.0)
    return replace(track, value=value, error=error, confidence=100 * (1 - unknown), parts=parts)


def others(twins: Twins, ratings: Floats) -> tuple[Floats, Floats]:
    """Mean and number of each track's other copies that are rated, shape (tracks,)."""
    known = ~np.isnan(ratings)
    group, given = twins.group, np.where(known, ratings, 0.0)
    member = group >= 0
    total = np.bincount(group[member], given[member], minlength=twins.groups + 1)
    count = np.bincount(group[member & known], minlength=twins.groups + 1)
    number = np.where(member, count[group] - known, 0).astype(np.float64)
    mean = (total[group] - given) / np.maximum(number, 1)
    return np.where(number > 0, mean, np.nan), number


def agreement(ratings: Floats, left_out: Floats, mean: Floats, noise: float) -> float:
    """How far, from 0 to 1, this person's rated copies went from the model to each other.

    The slope of what they gave on the mean of the other copies, both less what the model says
    without it, leaning to 1.

    >>> given, model = np.array([9.0, 5.0]), np.array([7.0, 7.0])
    >>> round(agreement(given, model, np.array([5.0, 9.0]), 2.0), 2)
    0.5
    """
    paired = ~np.isnan(ratings) & ~np.isnan(mean) & ~np.isnan(left_out)
    toward = (mean - left_out)[paired]
    went = (ratings - left_out)[paired]
    before = EQUAL_COPIES * noise
    return float(np.clip((before + toward @ went) / (before + toward @ toward), 0.0, 1.0))
