"""How often the scramble guard stops an accident, and ordinary editing: counted.

    python benchmarks/scramble.py [--quick]

Libraries of 200, 2,000 and 20,000 rows in three kinds: independent ratings; ratings that
agree within an album, with whole albums unrated; mostly fives.  Accidents should be
stopped, ordinary editing never.  Accidents that changed fewer than twenty cells are not
counted: below that nothing is decided (the preview shows them all).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from plexsheet.workbook.edits import scramble

Floats = NDArray[np.float64]
Random = np.random.Generator
STARS = np.arange(1, 11, dtype=np.float64)
REPEATS = {200: 200, 2_000: 100, 20_000: 20}


def independent(rows: int, random: Random) -> Floats:
    weights = np.array([1, 2, 2, 4, 6, 10, 16, 22, 20, 17], dtype=float)
    ratings = random.choice(STARS, rows, p=weights / weights.sum())
    ratings[random.random(rows) < 0.4] = np.nan
    return ratings


def by_album(rows: int, random: Random) -> Floats:
    album = np.arange(rows) // 12
    level = random.normal(6.5, 1.5, album[-1] + 1)
    rated = random.random(album[-1] + 1) < 0.65
    ratings = np.clip(np.round(level[album] + random.normal(0, 1, rows)), 1, 10)
    return np.where(rated[album], ratings, np.nan)


def mostly_fives(rows: int, random: Random) -> Floats:
    ratings = random.choice(STARS, rows, p=[0.01] * 7 + [0.08, 0.1, 0.75])
    ratings[random.random(rows) < 0.5] = np.nan
    return ratings


KINDS = {"independent": independent, "by album": by_album, "mostly fives": mostly_fives}


def rerated(base: Floats, share: float, random: Random) -> Floats:
    """Some rated rows get another rating, as a person changes their mind."""
    mine = base.copy()
    rated = np.flatnonzero(~np.isnan(base))
    rows = random.choice(rated, round(share * len(rated)), replace=False)
    mine[rows] = random.choice(STARS, len(rows), p=[0.02, 0.03, 0.05, 0.1, 0.1, 0.15, 0.2, 0.15,
                                                    0.12, 0.08])  # fmt: skip
    return mine


def sorted_alone(mine: Floats, random: Random) -> Floats:
    """As spreadsheet programs sort: blanks last, upwards or downwards."""
    said = np.sort(mine[~np.isnan(mine)])[:: random.choice([1, -1])]
    return np.concatenate((said, np.full(len(mine) - len(said), np.nan)))


def shifted_up(mine: Floats, random: Random) -> Floats:
    """One cell deleted with shift up, somewhere in the first half."""
    at = int(random.integers(0, len(mine) // 2))
    return np.concatenate((mine[:at], mine[at + 1 :], [np.nan]))


def top_sorted(mine: Floats, random: Random) -> Floats:
    quarter = len(mine) // 4
    return np.concatenate((sorted_alone(mine[:quarter], random), mine[quarter:]))


def nudged(base: Floats, share: float, random: Random) -> Floats:
    mine = base.copy()
    rows = random.random(len(base)) < share
    mine[rows] = np.clip(mine[rows] + random.choice([-1.0, 1.0], rows.sum()), 1, 10)
    return mine


def filled(base: Floats, random: Random, share: float = 1.0) -> Floats:
    mine = base.copy()
    rows = np.isnan(base) & (random.random(len(base)) < share)
    mine[rows] = random.choice(STARS, rows.sum())
    return mine


def filled_from_above(base: Floats, random: Random) -> Floats:
    place = np.where(np.isnan(base), 0, np.arange(len(base)))
    return base[np.maximum.accumulate(place)]


Edit = Callable[[Floats, Random], Floats]
ACCIDENTS: dict[str, Edit] = {
    "column sorted alone, no edits": sorted_alone,
    "column sorted alone after re-rating 5 %": lambda b, r: sorted_alone(rerated(b, 0.05, r), r),
    "column sorted alone after re-rating 30 %": lambda b, r: sorted_alone(rerated(b, 0.3, r), r),
    "one cell deleted with shift up, no edits": shifted_up,
    "shift up after re-rating 5 %": lambda b, r: shifted_up(rerated(b, 0.05, r), r),
    "shift up after re-rating 30 %": lambda b, r: shifted_up(rerated(b, 0.3, r), r),
    "top quarter sorted alone, no edits": top_sorted,
}
ORDINARY: dict[str, Edit] = {
    "fill blanks": filled,
    "fill a third of the blanks": lambda b, r: filled(b, r, 0.33),
    "re-rate 60 %": lambda b, r: rerated(b, 0.6, r),
    "nudge 60 % by half a star": lambda b, r: nudged(b, 0.6, r),
    "nudge all by half a star": lambda b, r: nudged(b, 1.0, r),
    "raise all by half a star": lambda b, r: np.minimum(b + 1, 10),
    "fill every blank with 4": lambda b, r: np.where(np.isnan(b), 8.0, b),
    "fill every blank from the row above": filled_from_above,
    "set everything to 4": lambda b, r: np.full(len(b), 8.0),
}


def whole_table_sorted(base: Floats, random: Random) -> tuple[Floats, Floats]:
    """Re-rate 60 %, then sort whole rows by the ratings."""
    mine = rerated(base, 0.6, random)
    order = np.argsort(np.where(np.isnan(mine), np.inf, mine), kind="stable")
    return base[order], mine[order]


def changed(base: Floats, mine: Floats) -> int:
    """Cells that differ, blanks being equal."""
    return int(np.count_nonzero(~((base == mine) | (np.isnan(base) & np.isnan(mine)))))


def count(quick: bool = False) -> dict[str, tuple[int, int]]:
    """Stopped and tried, per case."""
    random = np.random.default_rng(7)
    counts: dict[str, list[int]] = {name: [0, 0] for name in (*ACCIDENTS, *ORDINARY)}
    counts["re-rate 60 %, then sort the whole table"] = [0, 0]
    for rows, repeats in REPEATS.items():
        for make in KINDS.values():
            for _ in range(max(repeats // 10, 2) if quick else repeats):
                base = make(rows, random)
                for name, edit in (ACCIDENTS | ORDINARY).items():
                    mine = edit(base, random)
                    if name in ACCIDENTS and changed(base, mine) < scramble.LEAST_CHANGED:
                        continue
                    found = scramble.of_ratings(base, mine)
                    counts[name][0] += found is not None
                    counts[name][1] += 1
                sorted_base, mine = whole_table_sorted(base, random)
                found = scramble.of_ratings(sorted_base, mine, in_order=lambda: False)
                counts["re-rate 60 %, then sort the whole table"][0] += found is not None
                counts["re-rate 60 %, then sort the whole table"][1] += 1
    return {name: (stopped, tried) for name, (stopped, tried) in counts.items()}


def main() -> None:
    started = time.perf_counter()
    counts = count("--quick" in sys.argv)
    print(f"{'case':48} stopped / tried")
    for name, (stopped, tried) in counts.items():
        print(f"{name:48} {stopped:7,} / {tried:,}")
    print(f"{time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
