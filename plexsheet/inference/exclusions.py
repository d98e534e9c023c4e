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
from plexsheet.library import Library, rows_of

Bools = NDArray[np.bool_]

COUNTS = "Yes"
MOST_SHORT = 1 / 3  # of an album, in the learned model


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


def fillers(library: Library, settings: ExclusionSettings) -> Bools:
    """Tracks that do not speak for their album and artist in the learned model.

    Those with one of the words, and short ones where at most a third of the album is short:
    a soundtrack of short pieces is no album of fillers.  None where they are all there is.

    Returns:
        Shape (tracks,).
    """
    if not settings.enabled:
        return np.zeros(len(library.tracks), dtype=bool)
    tracks, albums = library.tracks, len(library.albums)
    album = rows_of(library.keys("album"), tracks["album_key"].to_numpy())
    short = _short(tracks["duration_ms"].to_numpy(), settings)
    held = np.bincount(album[album >= 0], minlength=albums + 1)
    few = np.bincount(album[short & (album >= 0)], minlength=albums + 1) <= MOST_SHORT * held
    aside = (short & few[album]) | (_first_word(tracks["title"].to_numpy(), settings) >= 0)
    others = np.bincount(album[~aside & (album >= 0)], minlength=albums + 1)
    return np.asarray(aside & (others[album] > 0), dtype=np.bool_)


def counting(
    names: NDArray[Any], length_ms: NDArray[np.int64], settings: ExclusionSettings
) -> tuple[Bools, NDArray[Any]]:
    """``counts_upward`` for tracks with these titles and lengths (0 unknown)."""
    reasons = np.full(len(names), COUNTS, dtype=object)
    if settings.enabled:
        word = _first_word(names, settings)
        told = np.array([*(f"no: word {k}" for k in settings.keywords), COUNTS], dtype=object)
        short = _short(length_ms, settings)
        reasons = np.where(short, f"no: under {settings.min_duration_s:g} s", told[word])
    return reasons == COUNTS, reasons


def _short(length_ms: NDArray[np.int64], settings: ExclusionSettings) -> Bools:
    return np.asarray((length_ms > 0) & (length_ms < settings.min_duration_s * 1000))


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
