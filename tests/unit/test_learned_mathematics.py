"""The mixed model's arithmetic against independent ways to the same numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from plexsheet.config.settings import InferenceSettings
from plexsheet.inference import design, fitting, learned, left_out, solve, uncertainty, variances
from plexsheet.inference.model import Evidence
from plexsheet.inference.solve import Dense, Iterative, System
from plexsheet.inference.variances import LEVEL_VARIANCE, Prior
from tests.unit.test_learned import made_up


def random_system(n=60, levels=(20, 35), seed=0) -> System:
    """The library's level and two crossed families over random observations."""
    rng = np.random.default_rng(seed)
    blocks = [np.ones((n, 1))]
    for count in levels:
        block = np.zeros((n, count))
        block[np.arange(n), rng.integers(0, count, n)] = rng.normal(1, 0.3, n)
        blocks.append(block)
    family = np.repeat(np.arange(3), [1, *levels])
    truth = np.concatenate([[0.5], rng.normal(0, 0.9, levels[0]), rng.normal(0, 0.4, levels[1])])
    rows = np.hstack(blocks)
    return System(
        sparse.csr_array(rows),
        sparse.csr_array(np.eye(rows.shape[1])),
        rng.choice([1.0, 2.0], n),
        rows @ truth + rng.normal(0, 1.2, n),
        family,
        3,
    )


def covariance(system: System, log_ratio, noise: float):
    """Of the ratings, by its definition."""
    scale = variances.scales(system, log_ratio, noise, LEVEL_VARIANCE)
    z = (system.rows @ system.root).toarray() * scale
    return noise * (np.diag(1 / system.weights) + z @ z.T)


def log_posterior(system: System, prior: Prior, log_ratio, noise: float) -> float:
    """Log density of the ratings and of the prior, up to a constant."""
    v = covariance(system, log_ratio, noise)
    _, determinant = np.linalg.slogdet(v)
    likelihood = -0.5 * determinant - 0.5 * system.ratings @ np.linalg.solve(v, system.ratings)
    worth = prior.noise_ratings
    likelihood -= 0.5 * worth * (np.log(noise) + variances.NOISE_VARIANCE / noise)
    away = log_ratio - prior.expected
    return likelihood - 0.5 * away @ prior.precision @ away


@pytest.mark.parametrize("levels", [(20, 35), (4, 7)], ids=["more effects", "more ratings"])
def test_effects_are_those_of_hendersons_equations(levels):
    system = random_system(levels=levels)
    scale = variances.scales(system, np.array([-0.5, -1.5]), 1.4, 1.0)
    solving = Dense(system)

    solving.at(scale)

    z, w = system.rows.toarray(), np.diag(system.weights)
    expected = np.linalg.solve(z.T @ w @ z + np.diag(1 / scale**2), z.T @ w @ system.ratings)
    np.testing.assert_allclose(scale * solving.effects(), expected, atol=1e-10)


def test_conjugate_gradients_agree_with_the_dense_solution(monkeypatch):
    monkeypatch.setattr(solve, "STEER", 1e-9)
    system = random_system(n=400, levels=(60, 200))
    scale = variances.scales(system, np.array([-0.5, -1.5]), 1.4, 1.0)
    dense, iterative = Dense(system), Iterative(system, probes=200)

    dense.at(scale)
    iterative.at(scale, 1e-9)

    np.testing.assert_allclose(iterative.effects(), dense.effects(), atol=1e-7)
    np.testing.assert_allclose(iterative.expected(), dense.expected(), atol=1e-6)
    np.testing.assert_allclose(iterative.gammas(), dense.gammas(), rtol=0.05)
    np.testing.assert_allclose(iterative.variance(30), dense.variance(30), rtol=0.02)
    vector = np.random.default_rng(1).normal(size=(system.effects, 1))
    np.testing.assert_allclose(iterative.shrunk(vector), dense.shrunk(vector), atol=1e-7)


def test_each_right_hand_side_goes_on_until_it_is_there():
    system = random_system(n=400, levels=(60, 200))
    iterative = Iterative(system)
    iterative.at(variances.scales(system, np.array([1.5, -1.5]), 1.4, 1.0))
    rng = np.random.default_rng(2)
    easy = np.zeros(system.effects)
    easy[0] = 1e-3
    vectors = np.column_stack([easy, *rng.normal(size=(3, system.effects))])

    together = iterative.shrunk(vectors)

    residual = vectors - together - iterative._down(iterative._up(together))
    sizes = (residual**2 * iterative._inverse).sum(axis=0)
    bounds = solve.STEER**2 * (vectors**2 * iterative._inverse).sum(axis=0)
    assert (sizes <= 1.01 * bounds).all()
    for k in range(4):
        alone = Iterative(system)
        alone.at(variances.scales(system, np.array([1.5, -1.5]), 1.4, 1.0))
        np.testing.assert_allclose(alone.shrunk(vectors[:, k : k + 1])[:, 0], together[:, k])


def test_draws_have_the_posterior_covariance():
    system = random_system(n=300, levels=(30, 40))
    scale = variances.scales(system, np.array([-0.5, -1.0]), 1.4, 1.0)
    dense, iterative = Dense(system), Iterative(system, probes=0)
    dense.at(scale)
    iterative.at(scale)

    drawn = (iterative.draws(3000) ** 2).mean(axis=1)

    np.testing.assert_allclose(drawn, dense.inverse_diagonal(), rtol=0.15)


def test_the_gradient_is_the_slope_of_the_log_posterior():
    system = random_system()
    prior = Prior(np.array([-1.0, -1.0]), np.array([[2.0, -0.5], [-0.5, 1.0]]))
    at, noise = np.array([-0.4, -1.3]), 1.0
    solving = Dense(system)
    for _ in range(60):  # the noise that is best here; the gradient is the profile's
        solving.at(variances.scales(system, at, noise, LEVEL_VARIANCE))
        gradient, _, noise = variances.derivatives(solving, system, prior, at, noise)

    for k, step in enumerate(1e-5 * np.eye(2)):
        ahead = log_posterior(system, prior, at + step, noise)
        behind = log_posterior(system, prior, at - step, noise)
        assert gradient[k] == pytest.approx((ahead - behind) / 2e-5, abs=1e-5)
    more, less = (log_posterior(system, prior, at, noise * f) for f in (1.0001, 0.9999))
    assert more - less == pytest.approx(0, abs=1e-6)


def test_the_fit_is_a_maximum_of_the_log_posterior():
    system = random_system(n=120)
    prior = Prior(np.array([-1.0, -1.0]), np.eye(2))

    fit = variances.fit(system, prior)

    best = log_posterior(system, prior, fit.log_ratio, fit.noise)
    assert fit.converged
    for k in range(2):
        for change in (-0.6, 0.6):
            moved = fit.log_ratio + change * np.eye(2)[k]
            assert log_posterior(system, prior, moved, fit.noise) < best


def test_plain_reml_agrees_with_statsmodels_on_nested_groups():
    from statsmodels.regression.mixed_linear_model import MixedLM  # two seconds to load

    rng = np.random.default_rng(5)
    artist = np.repeat(np.arange(25), 24)
    album = np.repeat(np.arange(100), 6)
    y = 6 + rng.normal(0, 1.0, 25)[artist] + rng.normal(0, 0.7, 100)[album]
    y = y + rng.normal(0, 1.3, 600)
    frame = pd.DataFrame({"y": y, "artist": artist, "album": album})
    rows = np.hstack([np.ones((600, 1)), np.eye(25)[artist], np.eye(100)[album]])
    family = np.repeat([0, 1, 2], [1, 25, 100])
    system = System(
        sparse.csr_array(rows), sparse.csr_array(np.eye(126)), np.ones(600), y - 6, family, 3
    )
    off = Prior(np.zeros(2), np.zeros((2, 2)), noise_ratings=0.0, level_variance=1e8)

    ours = variances.fit(system, off)

    theirs = MixedLM.from_formula(
        "y ~ 1", frame, groups="artist", vc_formula={"album": "0 + C(album)"}, re_formula="1"
    ).fit(reml=True)
    between_artists, between_albums = np.exp(ours.log_ratio) * ours.noise
    assert ours.noise == pytest.approx(theirs.scale, rel=0.01)
    assert between_artists == pytest.approx(float(theirs.cov_re.iloc[0, 0]), rel=0.03)
    assert between_albums == pytest.approx(float(theirs.vcomp[0]), rel=0.03)


def test_without_observations_the_prior_comes_back():
    system = random_system().take(np.zeros(0, dtype=np.intp))

    fit = variances.fit(system, variances.prior(design.FAMILIES[:2]))

    assert fit.log_ratio.tolist() == [family.expected for family in design.FAMILIES[:2]]


def test_a_system_of_some_observations_explains_them_as_the_whole_would():
    system = random_system(n=80)
    chosen = np.arange(0, 80, 3)

    part = system.take(chosen)

    scale = variances.scales(part, np.array([-0.5, -1.5]), 1.4, 1.0)
    mine = Dense(part)
    mine.at(scale)
    v = covariance(system, np.array([-0.5, -1.5]), 1.4)
    expected = v[:, chosen] @ np.linalg.solve(v[np.ix_(chosen, chosen)], system.ratings[chosen])
    noise = 1.4 / part.weights  # the diagonal of v has each observation's own noise
    expected = expected[chosen] - noise * np.linalg.solve(
        v[np.ix_(chosen, chosen)], system.ratings[chosen]
    )
    np.testing.assert_allclose(mine.expected() / np.sqrt(part.weights), expected, atol=1e-9)
    assert part.effects < system.effects


def fitted_library(tracks=160):
    library = made_up(tracks)
    evidence = Evidence.all_manual(library)
    return library, evidence, fitting.fitted(library, evidence, design.build(library))


def test_exact_variances_are_those_of_the_inverse():
    library, _, fit = fitted_library()

    found = exact_variances(fit)

    ratios = np.concatenate(
        [[1 / fit.variances.noise], *(np.full(family_width(u), u.ratio) for u in fit.used)]
    )
    z = [np.ones((len(library.tracks), 1))]
    for used in fit.used:
        root = np.eye(used.block.tracks.shape[1]) if used.block.root is None else used.block.root
        z.append(used.block.tracks.toarray() @ root)
    z = np.hstack(z)
    seen = z[fit.rows]
    inner = seen.T @ (fit.system.weights[: len(fit.rows), None] * seen) + np.diag(1 / ratios)
    expected = np.einsum("ij,jk,ik->i", z, np.linalg.inv(inner), z)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def exact_variances(fit):
    found = uncertainty.Exact(fit.system, fit.scale, fit.used)
    return found.of(uncertainty.track_rows(fit.used))


def family_width(used) -> int:
    return used.block.tracks.shape[1]


def test_blockwise_errors_are_near_the_exact_ones():
    library, _, fit = fitted_library(800)
    artist = library.tracks["artist_key"].to_numpy()

    exact = uncertainty.Exact(fit.system, fit.scale, fit.used)
    near = uncertainty.Blockwise(fit.system, fit.scale, fit.used, artist)

    mean = fitting.averages(library, Evidence.all_manual(library), "album")
    for rows in (uncertainty.track_rows(fit.used), uncertainty.mean_rows(fit.used, mean)):
        ratio = np.sqrt(near.of(rows) / exact.of(rows))
        assert 0.9 < np.median(ratio) < 1.1
        assert np.quantile(ratio, 0.05) > 0.8
        assert np.quantile(ratio, 0.95) < 1.25


def test_leaving_one_out_by_hat_values_is_leaving_one_out_by_refits():
    library, _, fit = fitted_library(120)
    ratings = library.ratings("track")
    exact = exact_variances(fit)

    quick = left_out.leave_one_out(fit, exact[fit.rows], fit.rated("track"))

    for row in range(0, len(fit.rows), 7):
        others = np.delete(np.arange(len(fit.rows)), row)
        system = fit.system
        v = covariance(system, fit.variances.log_ratio, fit.variances.noise)
        weight = np.linalg.solve(v[np.ix_(others, others)], system.ratings[others])
        refit = 6 + v[row, others] @ weight
        low, high = np.nanmin(ratings), np.nanmax(ratings)
        assert quick.predicted[row] == pytest.approx(np.clip(refit, low, high), abs=1e-6)


@pytest.mark.parametrize("kind", ["album", "artist"])
def test_ratings_of_albums_and_artists_are_left_out_one_at_a_time_too(kind):
    library = made_up(120)
    items = len(library.keys(kind))
    given = np.where(np.arange(items) % 2 == 0, 3.0 + np.arange(items) % 7, np.nan)
    table = library.table(kind).assign(user_rating=given)
    library = replace(library, **{f"{kind}s": table})
    evidence = Evidence.all_manual(library)
    fit = fitting.fitted(library, evidence, design.build(library))
    exact = uncertainty.Exact(fit.system, fit.scale, fit.used)
    mean = fitting.averages(library, evidence, kind)
    rated = ~np.isnan(given)

    variances_ = exact.of(uncertainty.observed_rows(fit.used, mean))[rated]
    quick = left_out.leave_one_out(fit, variances_, fit.rated(kind))

    assert quick.ratings.tolist() == given[rated].tolist()
    v = covariance(fit.system, fit.variances.log_ratio, fit.variances.noise)
    first = fit.rated(kind).start
    for number in range(len(quick.ratings)):
        others = np.delete(np.arange(fit.system.n), first + number)
        weight = np.linalg.solve(v[np.ix_(others, others)], fit.system.ratings[others])
        refit = np.clip(6 + v[first + number, others] @ weight, given[rated].min(), 9.0)
        assert quick.predicted[number] == pytest.approx(refit, abs=1e-6)
    found = learned.infer(library, evidence, InferenceSettings()).details["left_out"][kind]
    assert found["n"] == rated.sum()
    assert found["error"] == pytest.approx(np.sqrt(((quick.ratings - quick.predicted) ** 2).mean()))


def test_leaving_albums_out_is_leaving_them_and_their_own_ratings_out_by_refits():
    library = made_up(120)
    given = np.where(np.arange(len(library.albums)) % 2 == 0, 7.0, np.nan)
    library = replace(library, albums=library.albums.assign(user_rating=given))
    fit = fitting.fitted(library, Evidence.all_manual(library), design.build(library))

    quick = left_out.leave_albums_out(library, fit, left_out.Residuals(fit))

    keys = library.tracks["album_key"].to_numpy()[fit.rows]
    owned = np.concatenate([keys, library.keys("album")[fit.items["album"]]])
    v = covariance(fit.system, fit.variances.log_ratio, fit.variances.noise)
    ratings = quick.ratings
    for key in np.unique(keys):
        own, others = (np.flatnonzero(which) for which in (keys == key, owned != key))
        weight = np.linalg.solve(v[np.ix_(others, others)], fit.system.ratings[others])
        refit = np.clip(6 + v[np.ix_(own, others)] @ weight, ratings.min(), ratings.max())
        np.testing.assert_allclose(quick.predicted[own], refit, atol=1e-6)
        np.testing.assert_allclose(quick.means[own], ratings[keys != key].mean())


def test_probes_and_factors_lead_to_the_same_variances(monkeypatch):
    library = made_up(600)
    evidence = Evidence.all_manual(library)
    made = design.build(library)
    probed = fitting.fitted(library, evidence, made)

    monkeypatch.setattr(solve, "DENSE_UP_TO", 10_000)
    factored = fitting.fitted(library, evidence, made)

    assert len(probed.rows) > 400
    assert probed.variances.noise == pytest.approx(factored.variances.noise, rel=0.05)
    # apart by less than half of what the prior leaves open
    apart = np.abs(probed.variances.log_ratio - factored.variances.log_ratio)
    assert apart.max() < 0.4


def test_the_critic_slope_is_found_with_its_error():
    library = made_up(1500, critic=0.8)

    found = learned.infer(library, Evidence.all_manual(library), InferenceSettings()).details[
        "critic"
    ]

    assert found["n"] > 100
    assert abs(found["slope"] - 0.8) < 3 * found["error"]
    assert 0 < found["error"] < 0.4
