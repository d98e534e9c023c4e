"""Accuracy on real libraries: error in stars by track and by album, model against model.

    python -m benchmarks.accuracy [--folder FOLDER] [--quick] [lib-a ...]

The headline uses, for each library, prior means of the variances learned from the other
libraries only, so that no library helped to choose what it is measured with.  Below it
are the means as shipped, the interval's coverage, and what few ratings do.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.real_libraries import NAMES, Real, folder, read
from plexsheet.config.settings import InferenceSettings
from plexsheet.inference import accuracy, classic, design, fitting, learned, twins, variances
from plexsheet.inference.accuracy import Accuracy
from plexsheet.inference.design import Family
from plexsheet.inference.model import Evidence, Inference
from plexsheet.library import Library

# RMSE in stars by track and by album of the model this one was built after.
REFERENCE = {
    "lib-a": (0.910, 1.045),
    "lib-b": (0.472, 0.592),
    "lib-c": (0.736, 0.749),
    "lib-d": (0.734, 0.735),
    "lib-e": (1.003, 0.992),
}
TARGET = 0.857
FEW = (0, 1, 2, 5, 10, 20, 50, 100)
REPETITIONS = 20
HYPER_MEAN, SONG_HYPER_MEAN, HYPER_SPREAD = -3.5, -1.0, 1.5


def with_twins(library: Library, families: Sequence[Family] = design.FAMILIES) -> accuracy.Infer:
    """The learned model with its twins found once."""
    found = twins.find(library, InferenceSettings().twins, {})

    def infer(library: Library, evidence: Evidence, settings: InferenceSettings) -> Inference:
        return learned.infer(library, evidence, settings, twins=found, families=families)

    return infer


@dataclass(frozen=True)
class Likelihood:
    """What one library's ratings say of the log variance ratios, as a normal curve."""

    names: tuple[str, ...]
    information: NDArray[np.float64]
    weighted: NDArray[np.float64]  # information times the curve's top


def likelihood(real: Real) -> Likelihood:
    """The curve of one library, from a fit under a weak prior that knows no library."""
    weak = tuple(
        replace(f, expected=HYPER_MEAN if f.shared else SONG_HYPER_MEAN, spread=1.5)
        for f in design.FAMILIES
    )
    found = twins.find(real.library, InferenceSettings().twins, {})
    evidence = Evidence.all_manual(real.library)
    made = learned.designed(real.library, evidence, InferenceSettings(), found)
    fit = fitting.fitted(real.library, evidence, made, families=weak)
    names = tuple(used.block.family.name for used in fit.used)
    before = variances.prior([f for f in weak if f.name in names])
    mode, information = fit.variances.log_ratio, fit.variances.information
    pull = before.precision @ (mode - before.expected)
    return Likelihood(names, information, information @ mode + pull)


def learned_means(curves: Sequence[Likelihood]) -> tuple[Family, ...]:
    """Families with prior means estimated from some libraries.

    Each library's log ratios are a draw about the means (own spreads and a shared shift),
    seen through its curve; the means have a wide prior of their own, the same for all.
    """
    families = design.FAMILIES
    start = np.array([HYPER_MEAN if f.shared else SONG_HYPER_MEAN for f in families])
    precision = np.eye(len(families)) / HYPER_SPREAD**2
    weighted = precision @ start
    for curve in curves:
        here = [k for k, family in enumerate(families) if family.name in curve.names]
        spread = np.linalg.inv(variances.prior([families[k] for k in here]).precision)
        # information left of the means once this library's own departure is integrated out
        through = np.linalg.inv(np.eye(len(here)) + curve.information @ spread)
        precision[np.ix_(here, here)] += through @ curve.information
        weighted[here] += through @ curve.weighted
    means = np.linalg.solve(precision, weighted)
    return tuple(replace(f, expected=float(m)) for f, m in zip(families, means, strict=True))


def stars(result: Accuracy) -> float:
    """Error in stars."""
    return result.error / 2


def cells(real: Real, infer: accuracy.Infer) -> tuple[Accuracy, Accuracy]:
    """Accuracy by track and by album."""
    run = partial(
        accuracy.cross_validate,
        real.library,
        Evidence.all_manual(real.library),
        InferenceSettings(),
        infer=infer,
    )
    return (
        run(unit="track", labels=real.by_track).accuracy(),
        run(unit="album", labels=real.by_album).accuracy(),
    )


def table(title: str, libraries: Sequence[Real], infer: Callable[[Real], accuracy.Infer]) -> None:
    """Print errors of one model, and its pooled ratio to the library mean."""
    print(
        f"\n{title}\nlibrary  by track (mean, reference)     by album (mean, reference)    coverage"
    )
    ratios, inside = [], []
    for real in libraries:
        results = cells(real, infer(real))
        line = f"{real.name:8}"
        for result, reference in zip(results, REFERENCE.get(real.name, (np.nan,) * 2), strict=True):
            relative = stars(result) / reference
            line += f"  {stars(result):.3f} ({result.mean_error / 2:.3f}, {relative:.3f} of ref)"
            ratios.append(result.ratio)
            inside.append((result.coverage, result.ratings))
        print(line + "  " + " ".join(f"{100 * result.coverage:.0f} %" for result in results))
    pooled = float(np.exp(np.mean(np.log(ratios))))
    coverage = np.average([c for c, _ in inside], weights=[n for _, n in inside])
    even = np.mean([c for c, _ in inside])
    print(f"pooled ratio to the library mean {pooled:.4f} (target {TARGET})")
    print(
        f"80 % intervals cover {100 * coverage:.1f} % of ratings, {100 * even:.1f} % mean of cells"
    )


def few_ratings(libraries: Sequence[Real], infer: Callable[[Real], accuracy.Infer]) -> None:
    """Print the ratio to the sampled ratings' mean when only a few are given."""
    print(f"\nfew ratings: error over the mean's, average (90th percentile) of {REPETITIONS} draws")
    print("library " + "".join(f"{n:>14}" for n in FEW))
    for real in libraries:
        model = infer(real)
        line = f"{real.name:8}"
        for n in FEW:
            found = [_ratio_with(real, model, n, seed) for seed in range(REPETITIONS)]
            line += f"  {np.mean(found):.3f} ({np.quantile(found, 0.9):.2f})"
        print(line)


def _ratio_with(real: Real, infer: accuracy.Infer, n: int, seed: int) -> float:
    """Error on all other ratings over that of the sampled mean (6 without any)."""
    evidence = Evidence.all_manual(real.library)
    ratings = real.library.ratings("track")
    rated = np.flatnonzero(~np.isnan(ratings))
    chosen = np.random.default_rng(seed).choice(rated, min(n, len(rated) // 2), replace=False)
    manual = np.zeros(len(ratings), dtype=bool)
    manual[chosen] = True
    nothing = {kind: np.zeros_like(mask) for kind, mask in evidence.manual.items()}
    some = replace(evidence, manual=nothing | {"track": manual})
    value = infer(real.library, some, InferenceSettings()).track.value
    others = np.setdiff1d(rated, chosen)
    mean = float(ratings[chosen].mean()) if n else 6.0
    error = np.sqrt(((ratings - value)[others] ** 2).mean())
    return float(error / np.sqrt(((ratings[others] - mean) ** 2).mean()))


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("libraries", nargs="*", default=NAMES)
    parser.add_argument("--folder")
    parser.add_argument("--quick", action="store_true", help="only the means as shipped")
    given = parser.parse_args()
    libraries = [read(folder(given.folder) / f"{name}.tsv.gz") for name in given.libraries]
    if not given.quick:
        everything = [read(folder(given.folder) / f"{name}.tsv.gz") for name in NAMES]
        curves = {real.name: likelihood(real) for real in everything}
        left_out = {
            real.name: learned_means([c for name, c in curves.items() if name != real.name])
            for real in libraries
        }
        left_out |= {"none": learned_means(list(curves.values()))}
        for name, families in left_out.items():
            print(
                f"prior means without {name}: ", *(f"{f.name} {f.expected:.1f}," for f in families)
            )
        table(
            "learned, prior means from the other libraries",
            libraries,
            lambda real: with_twins(real.library, left_out[real.name]),
        )
    table("learned, prior means as shipped", libraries, lambda real: with_twins(real.library))
    table("classic", libraries, lambda real: _classic(real.library))
    if not given.quick:
        few_ratings(libraries, lambda real: with_twins(real.library, left_out[real.name]))


def _classic(library: Library) -> accuracy.Infer:
    found = twins.find(library, InferenceSettings().twins, {})
    return lambda library, evidence, settings: classic.infer(
        library, evidence, settings, twins=found
    )


if __name__ == "__main__":
    main()
