"""How long inference takes, and how its time grows.

    python -m benchmarks.inference_speed [tracks ...]

Libraries are made up: artists with a few albums of a dozen tracks, titles of common and
rare words, and ratings of 15 % of the tracks: half of them in albums much listened to, half
scattered.  Each size runs in a process of its own.  Printed are seconds on the clock and of
the processor, the peak of memory, and the growth exponent of the model.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Figures, in_child, timed
from plexsheet.config.settings import InferenceSettings
from plexsheet.inference import classic, learned, twins
from plexsheet.inference.model import Evidence
from plexsheet.library import Identity, Library, table

TARGET_S = {10_000: 1.0, 100_000: 4.0, 1_000_000: 25.0}
NAMES_TARGET_S = {1_000_000: 25.0}
CLASSIC_TARGET_S = {1_000_000: 3.0}
MEMORY_TARGET_MB = 4000
EXPONENT_TARGET = 1.1
RATED = 0.15
GENRES = ("rock", "pop", "jazz", "hip hop", "classical", "electronic", "folk", "metal", "soul")


def made_up(tracks: int, seed: int = 0) -> Library:
    """A library of about so many tracks with 15 % of them rated."""
    rng = np.random.default_rng(seed)
    per_album = np.clip(rng.poisson(11, tracks // 10 + 1) + 1, 1, 40)
    album = np.repeat(np.arange(len(per_album)), per_album)[:tracks]
    albums = int(album[-1]) + 1
    artist = np.sort(rng.zipf(1.7, albums) * 7919 + rng.integers(0, albums, albums)) % (albums // 3)
    artist = np.unique(artist, return_inverse=True)[1]
    artists = int(artist.max()) + 1
    year = 1960 + (rng.beta(3, 2, albums) * 60).astype(np.int64)
    genre = np.array(GENRES, dtype=object)[rng.integers(0, len(GENRES), artists)[artist]]
    words = np.array([f"word{i}" for i in range(5000)], dtype=object)
    chosen = (5000 * rng.random((tracks, 3)) ** 3).astype(np.int64)
    title = np.array([" ".join(row) for row in words[chosen]], dtype=object)
    index = np.arange(tracks) - np.flatnonzero(np.diff(album, prepend=-1))[album] + 1
    duration = np.exp(rng.normal(5.4, 0.35, tracks)) * 1000
    return Library(
        Identity("made up", "made up", "made-up", 1, "made up", "1", "someone"),
        table("artist", {"key": 1 + np.arange(artists), "title": _named("artist", artists)}),
        table(
            "album",
            {
                "key": 10_000_000 + np.arange(albums),
                "title": _named("album", albums),
                "artist_key": 1 + artist,
                "artist": _named("artist", artists)[artist],
                "year": year,
                "genres": genre,
                "critic_rating": np.where(
                    rng.random(albums) < 0.3, rng.normal(7, 1, albums), np.nan
                ),
            },
        ),
        table(
            "track",
            {
                "key": 20_000_000 + np.arange(tracks),
                "title": title,
                "album_key": 10_000_000 + album,
                "artist_key": 1 + artist[album],
                "album": _named("album", albums)[album],
                "artist": _named("artist", artists)[artist[album]],
                "index": index,
                "year": year[album],
                "duration_ms": duration.astype(np.int64),
                "user_rating": _ratings(rng, artist, album, duration),
                **_played(rng, album),
            },
        ),
    )


def _played(rng: np.random.Generator, album: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """Plays, skips and dates; an album a day."""
    tracks, day = len(album), 86_400
    plays = rng.negative_binomial(0.6, 0.15, tracks)
    added = 1_500_000_000 + day * (album % 3000)
    last = added + day * rng.integers(1, 2000, tracks)
    return {
        "view_count": plays,
        "skip_count": (rng.random(tracks) < 0.1).astype(np.int64),
        "last_viewed_at": np.where(plays > 0, last, 0),
        "added_at": added,
    }


def _named(kind: str, count: int) -> NDArray[np.object_]:
    return np.array([f"{kind} {i}" for i in range(count)], dtype=object)


def _ratings(
    rng: np.random.Generator,
    artist: NDArray[np.int64],
    album: NDArray[np.int64],
    duration: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Ratings with effects of artist, album and length; about 15 % of tracks have one."""
    level = 6 + rng.normal(0, 0.9, int(artist.max()) + 1)[artist]
    level = (level + rng.normal(0, 0.6, len(artist)))[album]
    level += 0.3 * (np.log(duration) - 12.3) + rng.normal(0, 1.4, len(album))
    liked = rng.random(len(artist)) < RATED
    chance = np.where(liked[album], 0.5, 0) + RATED / 2
    rated = rng.random(len(album)) < chance
    return np.where(rated, np.clip(np.round(level), 1, 10), np.nan)


def step(tracks: int) -> Figures:
    """Seconds of names and twins, of the model cold and warm, and of classic; to run apart."""
    library = made_up(tracks)
    evidence, settings = Evidence.all_manual(library), InferenceSettings()
    figures: Figures = {"tracks": tracks}
    with timed(figures, "names"):
        found = twins.find(library, settings.twins, {})
        made = learned.designed(library, evidence, settings, found)
    with timed(figures, "model"):
        inference = learned.infer(library, evidence, settings, twins=found, design=made)
    warm = inference.details["warm"]
    with timed(figures, "warm"):
        again = learned.infer(library, evidence, settings, twins=found, design=made, warm=warm)
    with timed(figures, "classic"):
        classic.infer(library, evidence, settings, twins=found)
    moved = np.abs(again.track.value - inference.track.value).max()
    return figures | {
        "ratings": inference.details["n"],
        "rounds": inference.details["rounds"],
        "moved_by_warm_start": float(moved),
    }


def exponent(small: Figures, large: Figures) -> float:
    """Power of the number of tracks by which the model's time grows."""
    growth = np.log(large["model_cpu"] / small["model_cpu"])
    return float(growth / np.log(large["tracks"] / small["tracks"]))


def line(figures: Figures) -> str:
    """One size for a reader."""
    tracks = figures["tracks"]
    parts = [f"{tracks:>9,} tracks {figures['ratings']:>7,} ratings"]
    for name, targets in (
        ("names", NAMES_TARGET_S),
        ("model", TARGET_S),
        ("warm", {}),
        ("classic", CLASSIC_TARGET_S),
    ):
        goal = f" of {targets[tracks]:g}" if tracks in targets else ""
        seconds, cpu = figures[f"{name}_seconds"], figures[f"{name}_cpu"]
        parts.append(f"{name} {seconds:.2f} s{goal} (cpu {cpu:.2f})")
    return "  ".join([*parts, f"peak {figures['peak_mb']:,.0f} of {MEMORY_TARGET_MB:,} MB"])


def main(sizes: list[int]) -> None:
    """Print a line per size and the growth exponent over the largest two."""
    found = []
    for size in sizes:
        found.append(in_child("benchmarks.inference_speed:step", size))
        print(line(found[-1]), flush=True)
    if len(found) > 1:
        print(f"growth exponent {exponent(*found[-2:]):.2f} of {EXPONENT_TARGET}")


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or list(TARGET_S))
