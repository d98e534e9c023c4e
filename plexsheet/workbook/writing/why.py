"""How each inferred value came about, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plexsheet.inference.model import Inferred
from plexsheet.ratings import exact_stars

Array = NDArray[Any]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

EVIDENCE_WORDS = {
    "guid": "same guid",
    "name": "title+artist+length",
    "decision": "your decision",
    "": "",
}


def why_texts(inferred: Inferred) -> Array:
    """``Inferred.why`` of every row, shape (items,).

    Parts are told to 0.1 star, so a few hundred texts serve all rows.
    """
    text: Array = np.full(len(inferred.value), "", dtype=object)
    for place, (name, part) in enumerate(inferred.parts.items()):
        stars = exact_stars(part)
        if place == 0:
            text = f"{name} " + _texts(_tenths(stars), _one_decimal)
            continue
        words = _texts(_tenths(np.abs(stars)), _one_decimal)
        counts = inferred.counts.get(name)
        if counts is not None:
            words = words + _texts(np.rint(np.nan_to_num(counts)).astype(np.int64), _rated)
        if name == "listening" and inferred.heard is not None:
            words = words + inferred.heard.texts()
        sign = np.where(stars > 0, f", {name} +", f", {name} −").astype(object)
        text = text + np.where(np.abs(stars) >= 0.05, sign + words, "")
    text = text + " → " + _texts(_tenths(exact_stars(inferred.value)), _one_decimal)
    return np.where(np.isnan(inferred.value), "", text)


def _rated(count: int) -> str:
    return f" ({count} rated)"


def _one_decimal(tenths: int) -> str:
    return f"{tenths / 10:.1f}"


def _tenths(stars: Floats) -> Ints:
    """Stars in tenths, rounded exactly as ``f"{stars:.1f}"`` rounds."""
    scaled = np.nan_to_num(stars) * 10
    tenths = np.rint(scaled)
    ties = np.flatnonzero(np.abs(np.abs(scaled - np.trunc(scaled)) - 0.5) < 1e-6)
    for row in ties:
        tenths[row] = round(float(f"{stars[row]:.1f}") * 10)
    return tenths.astype(np.int64)


def _texts(numbers: Ints, say: Callable[[int], str]) -> Array:
    """A text for each number, made once per different number."""
    different, place = np.unique(numbers, return_inverse=True)
    return np.array([say(int(number)) for number in different], dtype=object)[place]
