"""Which tracks do not speak for their album (pure).

An intro of 40 seconds or a skit is often rated low so that Plex leaves it out, which
says nothing about the album.  Such tracks still receive values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.config.settings import ExclusionSettings
from plexsheet.inference import titles
from plexsheet.library import Library

Bools = NDArray[np.bool_]

COUNTS = "Yes"


def counts_upward(library: Library, settings: ExclusionSettings) -> tuple[Bools, NDArray[Any]]:
    """Which tracks count for their album, and the rule that says so.

    A track of unknown length is not a short one.  Words match whole, next to any
    punctuation, in the track's title.

    Args:
        library: titles and lengths of its tracks; ratings are not read.
        settings: the rules; where not enabled, every track counts.

    Returns:
        Shape (tracks,) true where it counts, and shape (tracks,) text: ``Yes``,
        ``no: under 80 s`` or ``no: word intro`` (the first word of the settings found).
    """
    tracks = library.tracks
    return counting(tracks["title"].to_numpy(), tracks["duration_ms"].to_numpy(), settings)


def counting(
    names: NDArray[Any], length_ms: NDArray[np.int64], settings: ExclusionSettings
) -> tuple[Bools, NDArray[Any]]:
    """``counts_upward`` for tracks with these titles and lengths (0 unknown)."""
    reasons = np.full(len(names), COUNTS, dtype=object)
    if settings.enabled:
        word = _first_word(names, settings)
        told = np.array([*(f"no: word {k}" for k in settings.keywords), COUNTS], dtype=object)
        short = (length_ms > 0) & (length_ms < settings.min_duration_s * 1000)
        reasons = np.where(short, f"no: under {settings.min_duration_s:g} s", told[word])
    return reasons == COUNTS, reasons


def _first_word(texts: NDArray[Any], settings: ExclusionSettings) -> NDArray[np.int64]:
    """Number of the first keyword each text holds; -1 for none."""
    codes, unique = pd.factorize(texts)
    found = titles.has_word(list(unique), settings.keywords, case=settings.case_sensitive)
    return _first(found, len(unique))[codes]


def _first(found: Sequence[Bools], texts: int) -> NDArray[np.int64]:
    first = np.full(texts, -1, dtype=np.int64)
    for number in range(len(found) - 1, -1, -1):
        first[found[number]] = number
    return first
