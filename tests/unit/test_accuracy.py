"""Cross-validation hides what it should, and counts right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from plexsheet.config.settings import InferenceSettings
from plexsheet.inference import accuracy, design, learned
from plexsheet.inference.fitting import fitted
from plexsheet.inference.model import Evidence
from tests.unit.test_learned import inferred, library_of, made_up


def test_predictions_do_not_see_their_own_rating():
    library = made_up(200)
    evidence = Evidence.all_manual(library)
    plain = accuracy.cross_validate(library, evidence, InferenceSettings())
    row = int(np.flatnonzero(~np.isnan(library.ratings("track")))[3])
    fold = accuracy.drawn(library, "track")
    changed = library.tracks["user_rating"].to_numpy().copy()
    changed[row] = 10.0 if changed[row] < 5 else 1.0
    other = replace(library, tracks=library.tracks.assign(user_rating=changed))

    found = accuracy.cross_validate(other, evidence, InferenceSettings())

    rated = np.flatnonzero(~np.isnan(changed))
    mates = fold[rated] == fold[row]
    np.testing.assert_array_equal(found.predicted[mates], plain.predicted[mates])
    assert not np.array_equal(found.predicted[~mates], plain.predicted[~mates])


def test_by_album_no_track_of_an_album_is_seen_nor_its_own_rating():
    library = made_up(200)
    seen = []

    def spy(library, evidence, settings):
        seen.append(evidence)
        return learned.infer(library, evidence, settings)

    rated = library.albums.assign(user_rating=8.0)
    library = replace(library, albums=rated)
    accuracy.cross_validate(
        library, Evidence.all_manual(library), InferenceSettings(), infer=spy, unit="album"
    )

    album_key = library.tracks["album_key"].to_numpy()
    for evidence in seen:
        hidden = ~evidence.manual["track"] & ~np.isnan(library.ratings("track"))
        hidden_albums = np.unique(album_key[hidden])
        assert not np.isin(album_key[evidence.manual["track"]], hidden_albums).any()
        own = library.keys("album")[evidence.manual["album"]]
        assert not np.isin(own, hidden_albums).any()


def test_folds_are_dealt_in_order_of_first_appearance():
    library = library_of([("X", "A", "a", 1.0), ("Y", "B", "b", 2.0), ("X", "A", "c", 3.0)])

    by_album = accuracy.drawn(library, "album")

    dealt = np.random.default_rng(0).integers(0, 5, 2)
    assert by_album.tolist() == [dealt[0], dealt[1], dealt[0]]


def test_errors_are_worked_out_by_hand():
    found = accuracy.Predictions(
        given=np.array([4.0, 8.0]),
        predicted=np.array([5.0, 7.0]),
        means=np.array([8.0, 4.0]),
        low=np.array([3.0, 8.5]),
        high=np.array([6.0, 9.0]),
    ).accuracy()

    assert (found.ratings, found.error, found.mean_error) == (2, 1.0, 4.0)
    assert found.coverage == 0.5
    assert found.ratio == 0.25


@pytest.mark.parametrize("ratings", [0, 1])
def test_too_few_ratings_give_no_figures(ratings):
    rows = [("X", "A", f"a{i}", 8.0 if i < ratings else np.nan) for i in range(4)]
    library = library_of(rows)

    found = accuracy.cross_validate(
        library, Evidence.all_manual(library), InferenceSettings()
    ).accuracy()

    assert found.ratings == 0
    assert np.isnan(found.error)
    assert np.isnan(accuracy.quick(inferred(library)).error)


@pytest.mark.parametrize("kind", ["album", "artist"])
def test_ratings_of_albums_and_artists_are_predicted_without_their_own(kind):
    library = made_up(384)
    items = np.arange(len(library.keys(kind)))
    of_tracks = library.ratings("track").reshape(len(items), -1)
    given = np.clip(np.round(np.nanmean(of_tracks, axis=1)), 1, 10)
    library = replace(library, **{f"{kind}s": library.table(kind).assign(user_rating=given)})
    seen = []

    def spy(library, evidence, settings):
        seen.append(evidence.manual)
        return learned.infer(library, evidence, settings)

    found = accuracy.cross_validate(
        library, Evidence.all_manual(library), InferenceSettings(), infer=spy, kind=kind
    ).accuracy()

    assert found.ratings == len(items)
    assert found.ratio < 0.9
    hidden = np.array([~manual[kind] for manual in seen])
    assert (hidden.sum(axis=0) == 1).all()  # each is hidden once
    tracks = ~np.isnan(library.ratings("track"))
    assert all((manual["track"] == tracks).all() for manual in seen)


def test_the_quick_figures_are_near_those_of_refits():
    library = made_up(1000)

    quick = accuracy.quick(inferred(library))
    slow = accuracy.cross_validate(
        library, Evidence.all_manual(library), InferenceSettings()
    ).accuracy()

    assert quick.ratings == slow.ratings
    assert quick.error == pytest.approx(slow.error, rel=0.05)
    assert slow.ratio < 0.95


def _held_out(library):
    evidence = Evidence.all_manual(library)
    fit = fitted(library, evidence, design.build(library))
    return accuracy.HeldOut(library, evidence, fit, width=1.0), fit


def _folds_of(library, unit):
    """Observations hidden together, fold by fold: tracks, and by album their albums too."""
    rated = np.flatnonzero(~np.isnan(library.ratings("track")))
    fold = accuracy.drawn(library, unit, "track")
    for label in np.unique(fold[rated]):
        hidden = np.flatnonzero(fold[rated] == label)
        if unit == "album":
            gone = library.tracks["album_key"].to_numpy()[fold == label]
            albums = library.keys("album")[~np.isnan(library.ratings("album"))]
            hidden = np.append(hidden, len(rated) + np.flatnonzero(np.isin(albums, gone)))
        yield hidden, int((fold[rated] == label).sum()), fold[rated] == label


@pytest.mark.parametrize("unit", ["track", "album"])
def test_held_out_folds_are_predicted_as_by_solving_the_rest(unit):
    library = made_up(150)
    ratings = np.where(np.arange(len(library.albums)) % 3 == 0, 7.0, np.nan)
    library = replace(library, albums=library.albums.assign(user_rating=ratings))
    held, fit = _held_out(library)

    found = held.predictions("track", unit)

    system = fit.system
    columns = (system.rows @ system.root).toarray() * fit.scale
    white = np.sqrt(system.weights)[:, None] * columns
    given = 6 + system.ratings
    for hidden, tracks, here in _folds_of(library, unit):
        rest = np.setdiff1d(np.arange(system.n), hidden)
        inner = np.eye(system.effects) + white[rest].T @ white[rest]
        effects = np.linalg.solve(inner, white[rest].T @ system.whitened[rest])
        expected = 6 + columns[hidden[:tracks]] @ effects
        limits = (given.min(), given.max())
        np.testing.assert_allclose(found.predicted[here], np.clip(expected, *limits), atol=1e-8)
        seen = np.isin(np.arange(len(fit.rows)), hidden, invert=True)
        np.testing.assert_allclose(found.means[here], given[: len(fit.rows)][seen].mean())


def test_held_out_ratings_are_about_as_far_off_as_after_refits():
    library = made_up(400)
    evidence = Evidence.all_manual(library)
    held, _ = _held_out(library)

    quick = held.predictions("track", "album").accuracy()

    slow = accuracy.cross_validate(library, evidence, InferenceSettings(), unit="album").accuracy()
    assert quick.error == pytest.approx(slow.error, rel=0.03)
