"""How many songs of noisy lists are found, how many of them wrongly, and how fast.

    python -m benchmarks.matching FOLDER            found, and found wrongly
    python -m benchmarks.matching FOLDER --speed    100,000 rows against 100,000 tracks
    python -m benchmarks.matching FOLDER --fit      weights of the score, to be put into fuzzy.py

Thresholds and weights were chosen on ``CHOSEN_ON``; what counts are the other libraries.
"""

from __future__ import annotations

import gc
import math
import resource
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.list_noise import ABSENT, Song, library_of, noisy_list, songs_of
from plexsheet.cli import NEW_OBJECTS_BEFORE_COLLECTION
from plexsheet.matching.catalogue import Catalogue
from plexsheet.matching.compare import Field, Pair, compared
from plexsheet.matching.fuzzy import Nearby
from plexsheet.matching.match import Match, _Finder, folded_rows, match

Floats = NDArray[np.float64]

CHOSEN_ON = ("lib-a", "lib-d", "struct-a")
MEASURED_ON = ("lib-b", "lib-c", "lib-e", "struct-b")


@dataclass(frozen=True)
class Figures:
    """Counts of one list against one library.

    Attributes:
        there: rows whose song the library has.
        absent: rows whose song it does not have.
        sure, likely: of ``there``, rows matched so and rightly.
        sure_wrong, likely_wrong: of all rows, matched so and wrongly.
        false: of ``absent``, rows matched surely.
    """

    there: int
    absent: int
    sure: int
    likely: int
    sure_wrong: int
    likely_wrong: int
    false: int


def measured(
    name: str, folder: Path, seed: int
) -> tuple[Figures, list[tuple[Match, int]], Catalogue]:
    """One library's figures, its matches with the truth, and the catalogue."""
    songs = songs_of(folder / f"{name}.tsv.gz")
    rows, truth = noisy_list(songs, _strangers(name, folder), seed)
    library = Catalogue(library_of(songs))
    found = match(rows, library)
    pairs = list(zip(found, truth, strict=True))
    return figures(pairs, songs), pairs, library


def _strangers(name: str, folder: Path) -> list[Song]:
    others = [other for other in (*CHOSEN_ON, *MEASURED_ON) if other != name]
    return [song for other in others for song in songs_of(folder / f"{other}.tsv.gz")]


def figures(pairs: Sequence[tuple[Match, int]], songs: Sequence[Song]) -> Figures:
    """Counts; a copy of the same recording is as right as the song itself."""
    counts: Counter[str] = Counter()
    for found, truth in pairs:
        counts["absent" if truth == ABSENT else "there"] += 1
        if found.certainty in ("sure", "likely"):
            ok = truth != ABSENT and right(found, truth, songs)
            counts[found.certainty if ok else f"{found.certainty}_wrong"] += 1
            counts["false"] += found.certainty == "sure" and truth == ABSENT
    names = Figures.__dataclass_fields__
    return Figures(**{name: counts[name] for name in names})


def right(found: Match, truth: int, songs: Sequence[Song]) -> bool:
    """Whether a match means the song, or a copy of it that only its album tells apart."""
    if truth in found.places:
        return True
    mine, theirs = songs[truth], songs[found.places[0]]
    return (
        mine.title.casefold() == theirs.title.casefold()
        and mine.artist.casefold() == theirs.artist.casefold()
        and abs(mine.length_ms - theirs.length_ms) <= 3000
    )


def report(folder: Path, names: Sequence[str], seed: int = 1) -> None:
    """Print a line per library."""
    for name in names:
        began = time.perf_counter()
        f, _, _ = measured(name, folder, seed)
        took = time.perf_counter() - began
        matched = max(f.sure + f.sure_wrong, 1)
        print(
            f"{name:10} there {f.there:6} sure {f.sure / f.there:7.2%} with likely "
            f"{(f.sure + f.likely) / f.there:7.2%}  wrong of sure {f.sure_wrong / matched:.3%} "
            f"({f.sure_wrong}), absent {f.absent} matched surely {f.false / f.absent:.3%} "
            f"({f.false}), likely wrong {f.likely_wrong}  {took:.1f} s"
        )


def fitted(folder: Path, seed: int = 21, most: int = 1500) -> list[float]:
    """Weights of the score, in the order of ``features``, from the candidates of noisy lists."""
    inputs: list[list[float]] = []
    outcomes: list[bool] = []
    for name in CHOSEN_ON:
        songs = songs_of(folder / f"{name}.tsv.gz")
        rows, truth = noisy_list(songs, _strangers(name, folder), seed)
        library = Catalogue(library_of(songs))
        finder, found = _Finder(library), folded_rows(rows[:most])
        nearby = Nearby(library)
        nearby.look(found)
        for song, place in zip(found, truth, strict=False):
            near = nearby.of(song, finder._namesakes(song))
            pairs = [compared(song, library, at, likeness) for at, likeness in near]
            fit = sum(not pair.against for pair in pairs)
            inputs += [features(pair, fit) for pair in pairs]
            outcomes += [
                place != ABSENT and finder._copies(pair, compared(song, library, place))
                for pair in pairs
            ]
    x, y = np.array(inputs), np.array(outcomes, dtype=float)

    def loss(weights: Floats) -> tuple[float, Floats]:
        z = x @ weights
        slope = x.T @ (1 / (1 + np.exp(-z)) - y)
        penalty = np.append(0.0, 0.1 * weights[1:])
        return float(np.sum(np.logaddexp(0, z) - y * z) + weights @ penalty / 2), slope + penalty

    return list(np.round(minimize(loss, np.zeros(x.shape[1]), jac=True).x, 2))


def features(pair: Pair, fit: int) -> list[float]:
    """What ``score_of`` weighs: base, likeness, artist, album, length, number, rivals, against."""
    levels = (Field.DIFFERS, Field.NEAR, Field.SAME)
    fields = (pair.artist, pair.album, pair.length, pair.number)
    agreeing = [float(field is level) for field in fields for level in levels]
    return [1.0, (100 - pair.likeness) / 10, *agreeing, math.log(max(fit, 1)), len(pair.against)]


def speed(folder: Path, rows_wanted: int = 100_000) -> None:
    """Print how long a large list takes against a large library, and the peak of memory."""
    union = songs_of(folder / "scale-union.tsv.gz")
    songs = [*union]
    for turn in range(1, 1 + rows_wanted // len(union)):
        songs += [
            Song(f"{s.artist} {turn}", s.album_artist and f"{s.album_artist} {turn}", s.album,
                 s.title, s.disc, s.number, s.length_ms + 1000 * turn, s.year, s.compilation)
            for s in union
        ]  # fmt: skip
    songs = songs[:rows_wanted]
    rows, _ = noisy_list(songs, union[:1000], 7, absent=0.1)
    library = library_of(songs)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began, worked = time.perf_counter(), time.process_time()
    found = match(rows[:rows_wanted], Catalogue(library))
    took, worked = time.perf_counter() - began, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    counts = Counter(one.certainty for one in found)
    print(
        f"{len(found):,} rows against {len(library.tracks):,} tracks: {took:.1f} s "
        f"({worked:.1f} s of work), peak {peak:.0f} MB "
        f"({before:.0f} MB before matching), {dict(counts)}"
    )


if __name__ == "__main__":
    gc.set_threshold(NEW_OBJECTS_BEFORE_COLLECTION)
    where = Path(sys.argv[1])
    if "--speed" in sys.argv:
        speed(where)
    elif "--fit" in sys.argv:
        print(fitted(where))
    else:
        print("thresholds chosen on")
        report(where, CHOSEN_ON)
        print("measured on")
        report(where, MEASURED_ON)
