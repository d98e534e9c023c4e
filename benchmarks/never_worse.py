"""Never worse than the mean: simulated owners of real libraries.

    python -m benchmarks.never_worse [--folder FOLDER] [--draws 20] [--ratings 300] [--none]
        [lib-c ...]

An owner's ratings are a level, effects of artist, album and track artist, each of no, a
small or a large variance, and noise; structures are those of real libraries.  Printed is
the error over that of the mean, for hidden tracks and for tracks of hidden albums, averaged
over draws, and every cell above 1.01.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.real_libraries import folder, read
from plexsheet.config.settings import InferenceSettings
from plexsheet.inference import learned, twins
from plexsheet.inference.design import Design
from plexsheet.inference.model import Evidence
from plexsheet.library import KINDS, Library, rows_of

STRUCTURES = ("struct-a", "lib-c", "scale-union")
VARIANCES = {"0": 0.0, "small": 0.1, "large": 0.5}  # over that of the noise
EFFECTS = ("artist", "album", "track artist")
NOISE = 1.6
LEVEL = 6.3
MOST_TRACKS = 3000  # of a structure, whole artists at a time
TARGET = 1.01


def structure(name: str, given: str | None) -> Library:
    """A real library without its ratings, large ones cut down to some artists."""
    library = read(folder(given) / f"{name}.tsv.gz").library
    artist = library.tracks["artist_key"].to_numpy()
    drawn = np.random.default_rng(0).permutation(len(library.artists))
    order = np.argsort(drawn[rows_of(library.keys("artist"), artist)], kind="stable")
    kept = np.sort(order[:MOST_TRACKS])
    tracks = library.tracks.iloc[kept].reset_index(drop=True)
    albums = library.albums[library.albums["key"].isin(tracks["album_key"])]
    artists = library.artists[library.artists["key"].isin(tracks["artist_key"])]
    return replace(
        library,
        tracks=tracks.assign(user_rating=np.nan),
        albums=albums.reset_index(drop=True).assign(user_rating=np.nan),
        artists=artists.reset_index(drop=True),
    )


def rated(
    library: Library, ratios: Sequence[float], ratings: int, rng: np.random.Generator
) -> Library:
    """The library with so many ratings by one simulated owner."""
    tracks = library.tracks
    performer = np.where(tracks["track_artist"] == "", tracks["artist"], tracks["track_artist"])
    levels = (tracks["artist_key"], tracks["album_key"], performer)
    level = np.full(len(tracks), LEVEL)
    for ratio, names in zip(ratios, levels, strict=True):
        code = pd.factorize(np.asarray(names))[0]
        level += NOISE * np.sqrt(ratio) * rng.normal(size=code.max() + 1)[code]
    given = np.clip((level + rng.normal(0, NOISE, len(tracks))).round(), 1, 10)
    chosen = rng.permutation(len(tracks))[:ratings]
    rating = np.full(len(tracks), np.nan)
    rating[chosen] = given[chosen]
    return replace(library, tracks=tracks.assign(user_rating=rating))


def ratio(library: Library, design: Design, hidden: NDArray[np.bool_]) -> float:
    """Error on hidden ratings, over that of the mean of the others."""
    given = library.ratings("track")
    known = ~np.isnan(given) & ~hidden
    none = {kind: np.zeros(len(library.keys(kind)), dtype=bool) for kind in KINDS}
    evidence = Evidence(none | {"track": known}, none)
    value = learned.infer(library, evidence, InferenceSettings(), design=design).track.value
    asked = hidden & ~np.isnan(given)
    errors = [given[asked] - guess for guess in (value[asked], given[known].mean())]
    model, mean = (float(np.sqrt((error**2).mean())) for error in errors)
    return model / mean


def cell(
    library: Library, design: Design, ratios: Sequence[float], draws: int, ratings: int
) -> tuple[float, float]:
    """Mean ratio over draws, by track and by album."""
    found = []
    album = pd.factorize(library.tracks["album_key"].to_numpy())[0]
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        owned = rated(library, ratios, ratings, rng)
        by_track = rng.integers(0, 5, len(album)) == 0
        by_album = (rng.integers(0, 5, album.max() + 1) == 0)[album]
        found.append([ratio(owned, design, hidden) for hidden in (by_track, by_album)])
    by_track_mean, by_album_mean = np.mean(found, axis=0).tolist()
    return by_track_mean, by_album_mean


def main() -> None:
    """Print every cell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder")
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--ratings", type=int, default=300)
    parser.add_argument("structures", nargs="*", default=STRUCTURES)
    parser.add_argument("--none", action="store_true", help="only owners without large effects")
    given = parser.parse_args()
    names = [name for name in VARIANCES if not (given.none and name == "large")]
    for name in given.structures:
        library = structure(name, given.folder)
        found = twins.find(library, InferenceSettings().twins, {})
        nobody = Evidence.all_manual(library)
        design = learned.designed(library, nobody, InferenceSettings(), found)
        for sizes in product(names, repeat=3):
            ratios = [VARIANCES[size] for size in sizes]
            result = cell(library, design, ratios, given.draws, given.ratings)
            said = ", ".join(f"{e} {s}" for e, s in zip(EFFECTS, sizes, strict=True))
            worse = " WORSE" if max(result) > TARGET else ""
            print(f"{name:12} {said:50} {result[0]:.4f} {result[1]:.4f}{worse}", flush=True)


if __name__ == "__main__":
    main()
