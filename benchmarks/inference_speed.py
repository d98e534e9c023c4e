"""How long the learned model takes, and how its time grows.

    python -m benchmarks.inference_speed [tracks ...]

Libraries are made up: artists with a few albums of a dozen tracks, titles of common words,
and ratings of 15 % of the tracks, given to whole albums more often than not.  Printed are
seconds of names and titles, of the model, the peak of memory, and the growth exponent.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np
from numpy.typing import NDArray

from plexsheet.inference import design, learned, twins
from plexsheet.inference.model import Evidence, Settings
from plexsheet.library import Identity, Library, table

TARGET_S = {10_000: 1.0, 100_000: 4.0, 1_000_000: 25.0}
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
    chosen = np.minimum(rng.zipf(1.3, (tracks, 3)), 5000) - 1
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
            },
        ),
    )


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
    liked = rng.random(len(artist)) < 2 * RATED
    rated = liked[album] & (rng.random(len(album)) < 0.5)
    return np.where(rated, np.clip(np.round(level), 1, 10), np.nan)


def measured(tracks: int) -> tuple[float, float]:
    """Seconds of names and twins, and of the model."""
    library = made_up(tracks)
    evidence, settings = Evidence.all_manual(library), Settings()
    start = time.perf_counter()
    found = twins.find(library, settings.twins, {})
    design.build(library, found.group)
    named = time.perf_counter()
    inference = learned.infer(library, evidence, settings, twins=found)
    whole = time.perf_counter()
    building = time.perf_counter()
    design.build(library, found.group)
    building = time.perf_counter() - building
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    fit = whole - named - building
    details = inference.details
    print(
        f"{tracks:>9,} tracks {details['n']:>8,} ratings  names and twins {named - start:6.2f} s"
        f"  model {fit:6.2f} s (target {TARGET_S.get(tracks, np.nan):g})  peak {peak:.2f} GB"
        f"  rounds {details['rounds']}"
    )
    return named - start, fit


def main(sizes: list[int]) -> None:
    """Print a line per size and the growth exponent over the largest two."""
    times = [measured(size)[1] for size in sizes]
    if len(sizes) > 1:
        exponent = np.log(times[-1] / times[-2]) / np.log(sizes[-1] / sizes[-2])
        print(f"growth exponent {exponent:.2f} (target 1.1)")


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or list(TARGET_S))
