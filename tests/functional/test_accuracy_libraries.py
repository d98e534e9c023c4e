"""The learned model on real libraries, where they are at hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import real_libraries
from plexsheet.config.settings import InferenceSettings
from plexsheet.inference import accuracy, classic, learned, twins
from plexsheet.inference.model import Evidence
from plexsheet.library import KINDS


@pytest.fixture(scope="module")
def real(shared_libraries):
    """A function from a library's name to the library with its folds."""
    kept = {}

    def get(name):
        if name not in kept:
            kept[name] = real_libraries.read(shared_libraries / f"{name}.tsv.gz")
        return kept[name]

    return get


def model(library):
    found = twins.find(library, InferenceSettings().twins, {})
    return lambda lib, evidence, settings: learned.infer(lib, evidence, settings, twins=found)


def cell(library, unit, labels, infer):
    evidence = Evidence.all_manual(library)
    run = accuracy.cross_validate(
        library, evidence, InferenceSettings(), infer=infer, unit=unit, labels=labels
    )
    return run.accuracy()


# Ratios to the library mean: measured, and a little room for another machine's rounding.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "by_track", "by_album"),
    [("lib-a", 0.745, 0.865), ("lib-c", 0.99, 1.0), ("lib-d", 1.0, 1.0), ("lib-e", 0.96, 0.97)],
)
def test_inference_beats_the_mean_and_classic_on_real_libraries(real, name, by_track, by_album):
    chosen = real(name)
    library = chosen.library

    for unit, labels, most in (
        ("track", chosen.by_track, by_track),
        ("album", chosen.by_album, by_album),
    ):
        found = cell(library, unit, labels, model(library))
        other = cell(library, unit, labels, classic.infer)
        assert found.ratio < most
        assert found.error < other.error
        assert 0.74 < found.coverage < 0.9


@pytest.mark.slow
def test_a_large_dense_library_is_halved_by_track(real):
    chosen = real("lib-b")

    found = cell(chosen.library, "track", chosen.by_track, model(chosen.library))

    assert found.ratio < 0.56
    assert 0.76 < found.coverage < 0.84


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lib-a", "lib-d", "lib-e"])
def test_few_ratings_are_no_worse_than_their_mean(real, name):
    library = real(name).library
    ratings = library.ratings("track")
    rated = np.flatnonzero(~np.isnan(ratings))
    plain = Evidence.all_manual(library)
    infer = model(library)
    ratios = []
    for seed in range(6):
        chosen = np.random.default_rng(seed).choice(rated, 20, replace=False)
        manual = {kind: np.zeros(len(library.keys(kind)), dtype=bool) for kind in KINDS}
        manual["track"][chosen] = True
        value = infer(library, replace(plain, manual=manual), InferenceSettings()).track.value
        others = np.setdiff1d(rated, chosen)
        error = np.sqrt(((ratings - value)[others] ** 2).mean())
        ratios.append(error / np.sqrt(((ratings[others] - ratings[chosen].mean()) ** 2).mean()))

    assert np.mean(ratios) < 1.01


def test_leaving_one_out_without_refits_is_near_cross_validation(real):
    chosen = real("lib-a")
    library = chosen.library

    inference = model(library)(library, Evidence.all_manual(library), InferenceSettings())
    quick = accuracy.quick(inference)
    folds = cell(library, "track", chosen.by_track, model(library))

    assert quick.error == pytest.approx(folds.error, rel=0.05)
    assert quick.error < folds.error  # four fifths of the ratings know a little less


def test_the_parts_of_a_real_library_add_up(real):
    library = real("lib-a").library

    found = model(library)(library, Evidence.all_manual(library), InferenceSettings())

    for kind in KINDS:
        column = found.of(kind)
        np.testing.assert_allclose(sum(column.parts.values()), column.value, atol=1e-9)
        assert 0 < column.confidence.mean() < 100
