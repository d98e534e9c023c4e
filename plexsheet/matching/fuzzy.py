"""Tracks with nearly the same names, found without comparing everything with everything (pure).

Three small pools stand for the whole library: tracks of the row's artist, tracks of its album,
and tracks of its length, of which only those that share most pairs of letters are compared.
The score is a probability, fitted on lists with slips made of real libraries.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from plexsheet.matching.catalogue import Catalogue
from plexsheet.matching.compare import NEAR_LENGTH_MS, Field, Folded, Pair

LEAST_LIKENESS = 78.0  # of titles, 0-100: below it they are not worth showing
LEAST_BOTH = 84.0  # of artist and title together, where neither folds to the same
LEAST_SHARED = 0.66  # of the row's pairs of letters that a track must have
MOST_FOUND = 8
_BITS = np.uint64(63)
_BREAK = ord("\n")


class Nearby:
    """The pools of a library.

    Args:
        library: its tracks.
    """

    def __init__(self, library: Catalogue) -> None:
        self.library = library
        self._titles = [title.words for title in library.titles]
        self._by_length: dict[int, list[tuple[int, float]]] = {}

    def look(self, songs: Sequence[Folded]) -> None:
        """Look for tracks of the same length, for all songs at once."""
        timed = [song for song in songs if song.row.length_ms and song.performer.key]
        if not timed or not len(self.library):
            return
        order = np.argsort(np.array(self.library.lengths, dtype=np.int64), kind="stable")
        lengths = np.array(self.library.lengths, dtype=np.int64)[order]
        both = [
            f"{artist.words} {title}"
            for artist, title in zip(self.library.performers, self._titles, strict=True)
        ]
        masks = pair_masks(both)[order]
        wanted_texts = [f"{song.performer.words} {song.title.words}" for song in timed]
        wanted_masks = pair_masks(wanted_texts)
        for song, wanted, mask in zip(timed, wanted_texts, wanted_masks, strict=True):
            low, high = np.searchsorted(
                lengths,
                [song.row.length_ms - NEAR_LENGTH_MS, song.row.length_ms + NEAR_LENGTH_MS + 1],
            )
            shared = np.bitwise_count(masks[low:high] & mask)
            kept = order[low:high][shared >= LEAST_SHARED * int(mask).bit_count()]
            found = process.extract(
                wanted,
                [both[place] for place in kept.tolist()],
                scorer=fuzz.ratio,
                score_cutoff=LEAST_BOTH,
                limit=MOST_FOUND,
            )
            self._by_length[id(song)] = [(int(kept[at]), score) for _, score, at in found]

    def of(self, song: Folded, namesakes: Sequence[int]) -> Iterator[tuple[int, float]]:
        """Places of tracks with nearly the row's title, and how alike the titles are, 0-100.

        Args:
            song: the row.
            namesakes: places of tracks with the very title, which contradict otherwise.
        """
        seen: set[int] = set()
        for place in namesakes:
            seen.add(place)
            yield place, 100.0
        pools = [self.library.by_first.get(first, ()) for first in song.performer.parts]
        pools.append(self.library.by_album.get(song.album.key, ()) if song.album.key else ())
        for pool in pools:
            for place, likeness in self._alike(song.title.words, pool):
                if place not in seen:
                    seen.add(place)
                    yield place, likeness
        for place, _ in self._by_length.get(id(song), ()):
            likeness = fuzz.ratio(song.title.words, self._titles[place])
            if place not in seen and likeness >= LEAST_LIKENESS:
                seen.add(place)
                yield place, likeness

    def _alike(self, title: str, pool: Sequence[int]) -> Iterator[tuple[int, float]]:
        found = process.extract(
            title,
            [self._titles[place] for place in pool],
            scorer=fuzz.ratio,
            score_cutoff=LEAST_LIKENESS,
            limit=MOST_FOUND,
        )
        for _, likeness, at in found:
            yield pool[at], min(likeness, 99.9)


def pair_masks(texts: Sequence[str]) -> NDArray[np.uint64]:
    """Which pairs of letters each text has, hashed to 64 bits; shape (texts,).

    >>> [int(mask).bit_count() for mask in pair_masks(["ab", "abab", ""])]
    [1, 2, 0]
    """
    joined = "\n".join(texts).encode()
    letters = np.frombuffer(b"\n" + joined + b"\n\n", dtype=np.uint8)
    first, second = letters[:-1].astype(np.uint64), letters[1:].astype(np.uint64)
    bits = np.left_shift(np.uint64(1), (first * np.uint64(31) + second * np.uint64(7)) & _BITS)
    bits[(first == _BREAK) | (second == _BREAK)] = 0
    starts = np.flatnonzero(letters[:-2] == _BREAK)
    return np.asarray(np.bitwise_or.reduceat(bits, starts[: len(texts)]))


def score_of(song: Folded, library: Catalogue, pair: Pair, rivals: int) -> float:
    """How probable it is that a track is the row's song, 0-100.

    Args:
        song: the row.
        library: the tracks.
        pair: row and track compared.
        rivals: recordings that fit, this one included.
    """
    sign = WEIGHT_BASE + WEIGHT_LIKENESS * (100.0 - pair.likeness) / 10.0
    sign += WEIGHT_ARTIST[pair.artist] + WEIGHT_ALBUM[pair.album]
    sign += WEIGHT_LENGTH[pair.length] + WEIGHT_NUMBER[pair.number]
    sign += WEIGHT_RIVALS * math.log(max(rivals, 1)) + WEIGHT_AGAINST * len(pair.against)
    return 100.0 / (1.0 + math.exp(-sign))


# Fitted by logistic regression on lists with slips: python -m benchmarks.matching --fit.
WEIGHT_BASE = 1.47
WEIGHT_LIKENESS = -0.37  # for each ten points of a hundred
WEIGHT_RIVALS = -1.49
WEIGHT_AGAINST = -6.4
WEIGHT_ARTIST = {Field.DIFFERS: -1.44, Field.UNKNOWN: 0.0, Field.NEAR: -0.17, Field.SAME: 1.6}
WEIGHT_ALBUM = {Field.DIFFERS: -1.81, Field.UNKNOWN: 0.0, Field.NEAR: -0.66, Field.SAME: 1.5}
WEIGHT_LENGTH = {Field.DIFFERS: -3.13, Field.UNKNOWN: 0.0, Field.NEAR: -1.85, Field.SAME: 2.41}
WEIGHT_NUMBER = {Field.DIFFERS: -2.74, Field.UNKNOWN: 0.0, Field.NEAR: 0.0, Field.SAME: 0.69}
