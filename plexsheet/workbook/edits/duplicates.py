"""Rows that share a Key (pure)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ROWS_NAMED = 6  # of rows that share a Key, in a sentence


def doubled(keys: NDArray[np.int64], candidates: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows that share their Key with an edited one.

    Args:
        keys: shape (rows,), 0 where a row has none.
        candidates: shape (rows,), those that were edited.
    """
    sound = np.flatnonzero(keys > 0)
    values, counts = np.unique(keys[sound], return_counts=True)
    if len(values) == len(sound):
        return np.zeros(len(keys), dtype=bool)
    edited = np.intersect1d(values[counts > 1], keys[candidates])
    return np.isin(keys, edited)


def one_key_groups(keys: NDArray[np.int64], candidates: NDArray[np.bool_]) -> list[list[int]]:
    """The rows of each Key that stands on more than one of the candidates.

    >>> one_key_groups(np.array([7, 8, 7, 0]), np.array([True, True, True, True]))
    [[0, 2]]
    """
    rows = np.flatnonzero(candidates & (keys > 0))
    order = rows[np.argsort(keys[rows], kind="stable")]
    groups = np.split(order, np.flatnonzero(np.diff(keys[order])) + 1)
    return [group.tolist() for group in groups if len(group) > 1]


def first_few(words: list[str]) -> list[str]:
    """The first few of many words, and how many more there are."""
    if len(words) <= ROWS_NAMED:
        return words
    return [*words[: ROWS_NAMED - 1], f"{len(words) - ROWS_NAMED + 1:,} more"]


def joined_words(words: Sequence[str]) -> str:
    """Words as a list in a sentence.

    >>> joined_words(["2", "3", "4"])
    '2, 3 and 4'
    """
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
