"""What listening is worth on real libraries, prior means learned without the one in question.

    python -m benchmarks.listening [--folder FOLDER] [--seeds 3] [--shipped] [lib-a ...]

Of each library: errors by track and by album with and without listening over seeds of the
folds, how many ratings the 80 % intervals hold; the forward test, trained on the two thirds
added first and tried on the last; and plays dealt out anew among the tracks.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.accuracy import Likelihood, learned_means, likelihood
from benchmarks.real_libraries import FOLDS, Real, folder, read
from plexsheet.config.settings import InferenceSettings
from plexsheet.inference import accuracy, learned, twins
from plexsheet.inference.accuracy import Accuracy, Unit
from plexsheet.inference.design import FAMILIES, Family
from plexsheet.inference.model import Evidence, Inference
from plexsheet.library import KINDS, Library

NAMES = ("lib-a", "lib-c", "lib-d", "lib-e", "dj-a", "dj-c", "dj-d", "dj-e")
TARGETS = {"lib-a": 0.72, "lib-c": 0.79, "lib-d": 0.88, "lib-e": 0.87}  # by track
DJ_TARGET, SHUFFLED_TARGET = 1.01, 1.01
FORWARD_TARGET, FORWARD_WORST = 0.93, 1.03
COUNTED = ("view_count", "skip_count", "last_viewed_at")
WITH, WITHOUT = InferenceSettings(listening="true"), InferenceSettings(listening="false")


def model(
    library: Library, settings: InferenceSettings, families: Sequence[Family]
) -> accuracy.Infer:
    """The learned model with its twins and columns found once."""
    found = twins.find(library, settings.twins, {})
    design = learned.designed(library, Evidence.all_manual(library), settings, found)

    def infer(library: Library, evidence: Evidence, settings: InferenceSettings) -> Inference:
        return learned.infer(
            library, evidence, settings, twins=found, design=design, families=families
        )

    return infer


def labels(library: Library, unit: Unit, seed: int) -> NDArray[np.int64]:
    """A fold for each track, dealt per track or per album in order of first appearance."""
    album = pd.factorize(library.tracks["album_key"].to_numpy())[0]
    units = np.arange(len(album)) if unit == "track" else album
    return np.random.default_rng(seed).integers(0, FOLDS, int(units.max()) + 1)[units]


def crossed(
    library: Library,
    settings: InferenceSettings,
    families: Sequence[Family],
    unit: Unit,
    seeds: int,
) -> list[Accuracy]:
    """Accuracy for each seed."""
    evidence, infer = Evidence.all_manual(library), model(library, settings, families)
    return [
        accuracy.cross_validate(
            library,
            evidence,
            settings,
            infer=infer,
            unit=unit,
            labels=labels(library, unit, seed),
        ).accuracy()
        for seed in range(seeds)
    ]


def pooled(found: Sequence[Accuracy]) -> float:
    """Root mean square over seeds, in stars."""
    return float(np.sqrt(np.mean([one.error**2 for one in found]))) / 2


def forward(library: Library, settings: InferenceSettings, families: Sequence[Family]) -> float:
    """Error on the third added last, from the ratings of the rest, in stars."""
    added, given = library.tracks["added_at"].to_numpy(), library.ratings("track")
    rated = np.flatnonzero(~np.isnan(given))
    first = added <= np.quantile(added[rated], 2 / 3)
    none = {kind: np.zeros(len(library.keys(kind)), dtype=bool) for kind in KINDS}
    evidence = Evidence(none | {"track": first & ~np.isnan(given)}, none)
    value = model(library, settings, families)(library, evidence, settings).track.value
    late = rated[~first[rated]]
    return float(np.sqrt(((given - value)[late] ** 2).mean())) / 2


def shuffled(library: Library, seed: int = 0) -> Library:
    """The library with what was played dealt out anew among its tracks."""
    order = np.random.default_rng(seed).permutation(len(library.tracks))
    dealt = {name: library.tracks[name].to_numpy()[order] for name in COUNTED}
    return replace(library, tracks=library.tracks.assign(**dealt))


def report(real: Real, families: Sequence[Family], seeds: int) -> tuple[float, float]:
    """Print one library's figures; the forward and the shuffled ratio."""
    library = real.library
    for unit in ("track", "album"):
        found = [crossed(library, one, families, unit, seeds) for one in (WITHOUT, WITH)]
        ratios = [b.error / a.error for a, b in zip(*found, strict=True)]
        target = TARGETS.get(real.name, DJ_TARGET) if unit == "track" else None
        print(
            f"{real.name:6} by {unit}: mean {found[0][0].mean_error / 2:.3f}, without "
            f"{pooled(found[0]):.3f}, with {pooled(found[1]):.3f}, ratio "
            f"{pooled(found[1]) / pooled(found[0]):.3f} [{min(ratios):.3f}, {max(ratios):.3f}]"
            f"{f' (target {target})' if target else ''}, 80 % interval holds "
            f"{100 * np.mean([one.coverage for one in found[1]]):.0f} %",
            flush=True,
        )
    onward = forward(library, WITH, families) / forward(library, WITHOUT, families)
    mixed = [crossed(shuffled(library), one, families, "track", 1) for one in (WITHOUT, WITH)]
    dealt = pooled(mixed[1]) / pooled(mixed[0])
    print(f"{real.name:6} forward {onward:.3f}, shuffled {dealt:.3f}", flush=True)
    return onward, dealt


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("libraries", nargs="*", default=NAMES)
    parser.add_argument("--folder")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--shipped", action="store_true", help="prior means as shipped")
    given = parser.parse_args()
    root = folder(given.folder) / "listening"
    curves = {} if given.shipped else {name: _curve(root, name) for name in NAMES}
    ratios = []
    for name in given.libraries:
        others = [curve for other, curve in curves.items() if other != name]
        families = learned_means(others) if others else FAMILIES
        ratios.append(report(read(root / f"{name}.tsv.gz"), families, given.seeds))
    onward, dealt = (np.array(column) for column in zip(*ratios, strict=True))
    print(
        f"forward pooled {np.exp(np.log(onward).mean()):.3f} (target {FORWARD_TARGET}), worst "
        f"{onward.max():.3f} ({FORWARD_WORST}); shuffled mean {dealt.mean():.3f} "
        f"({SHUFFLED_TARGET}), worst {dealt.max():.3f}"
    )


def _curve(root: Path, name: str) -> Likelihood:
    return likelihood(read(root / f"{name}.tsv.gz"))


if __name__ == "__main__":
    main()
