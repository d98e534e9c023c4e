"""Names folded for comparing, and the words in them (pure).

Two spellings of one name (``The  Beatles`` and ``the beatles``) must be one level of
an effect, so names are compared folded: case, accents and punctuation do not count.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from plexsheet.inference import titles

ASIDE = re.compile(r" *[(\[][^()\[\]\n]*[)\]]| +- +.*$", re.MULTILINE)
VARIOUS = frozenset({"various", "various artists", "va", "v a", "diverse", "verschiedene"})
UNKNOWN = frozenset({"", "unknown", "unknown artist", "unknown album", "no artist", "no album"})


def folded(names: Sequence[str] | NDArray[Any]) -> NDArray[Any]:
    """Names without case, accents and punctuation, words one space apart; shape (names,).

    >>> folded(["Beyoncé – HALO (Live!)", "..."]).tolist()
    ['beyonce halo live', '']
    """
    return _each(names, aside=False)


def bare(names: Sequence[str] | NDArray[Any]) -> NDArray[Any]:
    """The same without asides: what covers and other versions of a song share.

    >>> bare(["Help! (2009 Remaster)", "Help! - Live", "(Intro)"]).tolist()
    ['help', 'help', 'intro']
    """
    return _each(names, aside=True)


def _each(names: Sequence[str] | NDArray[Any], aside: bool) -> NDArray[Any]:
    """Each different name folded once."""
    codes, unique = pd.factorize(np.asarray(names, dtype=object))
    if not len(unique):
        return np.empty(0, dtype=object)
    text = titles.folded(titles.joined(unique))
    whole = titles.words_only(text).split("\n")
    if aside:
        short = titles.words_only(ASIDE.sub("", text)).split("\n")
        whole = [a or b for a, b in zip(short, whole, strict=True)]
    return np.array(whole, dtype=object)[codes]


def word_bag(names: NDArray[Any], least: int) -> sparse.csr_array:
    """Which words occur in which names.

    Args:
        names: shape (names,), folded.
        least: words in fewer names than this are left out.

    Returns:
        Shape (names, words), 1.0 where the word occurs.
    """
    numbers: dict[str, int] = {}
    words: list[int] = []
    lengths = np.zeros(len(names), dtype=np.int64)
    for row, name in enumerate(names):
        found = {numbers.setdefault(word, len(numbers)) for word in name.split()}
        words += sorted(found)
        lengths[row] = len(found)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    bag = sparse.csr_array(
        (np.ones(len(words)), np.array(words, dtype=np.int64), ends),
        shape=(len(names), len(numbers)),
    )
    kept = np.bincount(bag.indices, minlength=len(numbers)) >= least
    return bag[:, np.flatnonzero(kept)]
