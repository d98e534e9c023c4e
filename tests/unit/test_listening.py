"""Plays as evidence: what they say, when they say nothing, and what our own ratings cause."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexsheet.config.settings import InferenceSettings
from plexsheet.inference import infer
from plexsheet.inference.listening import (
    BLOCK_TRACKS,
    DAY_S,
    Listening,
    Written,
    guarded,
    play_rank,
    share_below,
    variables,
)
from plexsheet.inference.model import Evidence
from plexsheet.inference.prospective import ENOUGH, Decision, decided
from plexsheet.library import KINDS, Identity, Library, table

N = 90
WITHOUT = InferenceSettings(listening="false")
DAY = 18_000 * DAY_S


def library(seed=0, **columns):
    """Nine albums of ten tracks, two thirds rated, what is liked played more."""
    rng = np.random.default_rng(seed)
    liking = np.clip(rng.normal(6, 2, N), 1, 10).round()
    album = np.arange(N) // 10
    tracks = {
        "key": 1000 + np.arange(N),
        "title": [f"Song {n}" for n in range(N)],
        "album_key": 100 + album,
        "artist_key": 10 + album // 3,
        "album": [f"Album {a}" for a in album],
        "artist": [f"Artist {a // 3}" for a in album],
        "index": 1 + np.arange(N) % 10,
        "duration_ms": 200_000 + 1000 * np.arange(N),
        "user_rating": np.where(np.arange(N) % 3 > 0, liking, np.nan),
        "view_count": rng.poisson(np.exp((liking - 6) / 2)),
        "last_viewed_at": np.full(N, DAY + 900 * DAY_S),
        "added_at": DAY + DAY_S * 20 * album,
    }
    albums = np.arange(9)
    return Library(
        Identity("s", "s", "u", 1, "Music", "1", "me"),
        table("artist", {"key": [10, 11, 12], "title": ["Artist 0", "Artist 1", "Artist 2"]}),
        table(
            "album",
            {
                "key": 100 + albums,
                "title": [f"Album {a}" for a in albums],
                "artist_key": 10 + albums // 3,
                "artist": [f"Artist {a // 3}" for a in albums],
            },
        ),
        table("track", tracks | columns),
    )


def values(lib, settings=None):
    found = infer(lib, Evidence.all_manual(lib), settings or InferenceSettings())
    return {kind: found.of(kind).value for kind in KINDS}


def differ(one, other):
    return max(np.abs(one[kind] - other[kind]).max() for kind in KINDS)


NOTHING = np.zeros(N, dtype=np.int64)


@pytest.mark.parametrize(
    "columns",
    [
        {"view_count": NOTHING, "last_viewed_at": NOTHING},
        {"view_count": NOTHING, "last_viewed_at": NOTHING, "added_at": NOTHING + DAY},
        {"added_at": NOTHING + DAY + 890 * DAY_S},
    ],
    ids=["nothing played", "nothing played, one day", "a new server"],
)
def test_where_plays_say_nothing_values_are_what_they_are_without(columns):
    lib = library(**columns)

    assert differ(values(lib), values(lib, WITHOUT)) < 0.02  # points: 0.01 stars


def test_plays_of_a_server_that_was_filled_on_one_day_count_once_it_is_in_use():
    lib = library(added_at=NOTHING + DAY)

    assert differ(values(lib), values(lib, WITHOUT)) > 0.2


def test_absurd_counts_are_worth_a_thousand_plays():
    counts = library().tracks["view_count"].to_numpy().copy()
    counts[4] = 6_553_701
    capped = np.minimum(counts, 1000)

    assert differ(values(library(view_count=counts)), values(library(view_count=capped))) == 0


def test_what_was_played_more_is_expected_to_be_liked_more():
    lib = library()
    open_ = np.isnan(lib.ratings("track"))
    plays = lib.tracks["view_count"].to_numpy()[open_]

    found = values(lib)["track"][open_]

    assert np.corrcoef(np.log1p(plays), found)[0, 1] > 0.7


def test_classic_does_not_look_at_plays():
    classic = InferenceSettings(model="classic")

    played, not_played = values(library(), classic), values(library(view_count=NOTHING), classic)

    assert differ(played, not_played) == 0


def listening(plays, added=None, unplayed=None):
    n = len(plays)
    return Listening(
        np.asarray(plays, float),
        np.zeros(n),
        np.zeros(n, int) if unplayed is None else np.asarray(unplayed),
        np.arange(n) * DAY_S + DAY_S if added is None else np.asarray(added),
        n * DAY_S + DAY_S,
    )


def test_ranks_are_among_tracks_added_around_the_same_time():
    old, new = BLOCK_TRACKS, 150
    plays = [*range(old), *range(new)]
    added = [DAY] * old + [DAY + DAY_S] * new

    found = share_below(listening(plays, added))

    np.testing.assert_allclose(found[:old], (np.arange(old) + 0.5) / old)
    np.testing.assert_allclose(found[old:], (np.arange(new) + 0.5) / new)


def test_a_short_last_block_joins_the_one_before_and_ties_share_a_rank():
    plays = np.zeros(BLOCK_TRACKS + 99)
    added = [DAY] * BLOCK_TRACKS + [DAY + DAY_S] * 99

    np.testing.assert_allclose(play_rank(listening(plays, added)), 0, atol=1e-12)


def test_every_variable_is_unknown_before_anything_was_played():
    found = variables(listening(np.zeros(9)), np.arange(9), np.arange(9))

    assert all(np.isnan(column).all() for column in found.values())


counts = st.lists(st.integers(0, 40), min_size=2, max_size=60)


@given(counts, st.integers(1, 50), st.data())
def test_plays_that_all_tracks_of_a_value_got_count_for_none(then, more, data):
    value = data.draw(st.lists(st.sampled_from([2.0, 5.0, 8.0]), min_size=len(then)))[: len(then)]
    then = np.array(then, float)
    written = Written(np.array(value), then, then, np.zeros(len(then)), *2 * (then.astype(int),))
    extra = np.where(np.array(value) == 8.0, more, 0)

    found = guarded(listening(then + extra), written, 0)

    np.testing.assert_allclose(found.plays, then)


@given(counts, counts)
def test_tracks_without_a_rating_of_ours_keep_their_plays(then, now):
    n = min(len(then), len(now))
    then, now = np.array(then[:n], float), np.array(now[:n], float)
    ours = np.arange(n) % 2 == 0
    zeros = np.zeros(n, int)
    written = Written(np.where(ours, 7.0, np.nan), then, then, then, zeros, zeros)

    found = guarded(listening(now), written, 0)

    np.testing.assert_array_equal(found.plays[~ours], now[~ours])
    assert (found.plays >= 0).all()


def test_one_of_few_alike_that_is_played_more_counts_more():
    then = np.zeros(5)
    written = Written(np.full(5, 7.0), then, then, then, *2 * (np.zeros(5, int),))

    found = guarded(listening([1, 1, 1, 1, 9]), written, 0)

    np.testing.assert_array_equal(found.plays, [0, 0, 0, 0, 8])


def test_time_that_goes_by_for_all_moves_no_last_play():
    then = np.zeros(2)
    written = Written(np.full(2, 7.0), then, then, then, np.array([40, -1]), np.array([30, 30]))

    found = guarded(listening([0, 0]), written, usual_s=530)

    assert found.unplayed_s.tolist() == [540, -1]


def verdicts(heard, unheard):
    given = pd.DataFrame({"rating": 6.0, "heard": heard, "unheard": unheard})
    return given.assign(classic=6.0)


def test_auto_changes_its_mind_after_enough_verdicts_and_back_after_as_many():
    worse, better = verdicts([9.0] * ENOUGH, 7.0), verdicts([6.0] * ENOUGH, 7.0)

    assert decided(worse[:-1], Decision()) == Decision()
    off = decided(worse, Decision())
    assert off == Decision(heard=False, since=ENOUGH)
    assert decided(pd.concat([worse, better[:-1]]), off) == off
    assert decided(pd.concat([worse, better]), off) == Decision(heard=True, since=2 * ENOUGH)


def test_rating_an_intro_does_not_move_its_album():
    title = np.array([f"Song {n}" for n in range(N)], dtype=object)
    length = 200_000 + 1000 * np.arange(N)
    title[40], length[40] = "Intro", 40_000

    def album(rating):
        ratings = library().ratings("track").copy()
        ratings[40] = rating
        lib = library(title=title, duration_ms=length, user_rating=ratings)
        return values(lib, WITHOUT)["album"][4]

    assert abs(album(10.0) - album(2.0)) < 0.2  # what years, lengths and the level still learn


def test_short_tracks_of_an_album_of_short_tracks_count():
    from plexsheet.inference.exclusions import fillers

    length = np.full(N, 200_000)
    length[[0, 1, 2, *range(10, 20)]] = 50_000  # three of the first album, all of the second

    found = fillers(library(duration_ms=length), InferenceSettings().exclusions)

    assert np.flatnonzero(found).tolist() == [0, 1, 2]


def test_an_unrated_copy_takes_the_mean_of_the_rated_ones():
    title = np.array([f"Song {n}" for n in range(N)], dtype=object)
    title[[0, 10, 20]] = "Same - 2011 Remaster", "Same", "Same"  # copies of Artist 0
    length = 200_000 + 1000 * np.arange(N)
    length[[0, 10, 20]] = 300_000
    ratings = library().ratings("track").copy()
    ratings[[0, 10, 20]] = np.nan, 10.0, 10.0

    found = values(library(title=title, duration_ms=length, user_rating=ratings))["track"]

    assert found[0] == pytest.approx(10.0, abs=0.1)


def test_a_copy_stays_near_the_rated_one_also_where_other_copies_disagree():
    from plexsheet.inference.following import FARTHEST, followed
    from plexsheet.inference.model import Inferred
    from plexsheet.inference.twins import Twins

    ones = np.ones(6)
    model = Inferred(4.0 * ones, ones, 50 * ones, ones, {"library": 4 * ones, "song": 0 * ones})
    group = np.array([0, 0, 1, 1, 2, 2])
    twins = Twins(group, np.full(6, "name", dtype=object))
    ratings = np.array([9.0, np.nan, 6.0, 6.5, 7.0, np.nan])
    left_out = np.where(np.isnan(ratings), np.nan, 4.0)

    found = followed(model, twins, ratings, left_out, np.zeros(6, dtype=bool), 2.0)

    assert 9.0 - FARTHEST <= found.value[1] <= 9.0
    assert found.value[[0, 2, 3, 4]].tolist() == [4.0] * 4
    np.testing.assert_allclose(sum(found.parts.values()), found.value)


def test_why_tells_the_plays():
    lib = library()
    found = infer(lib, Evidence.all_manual(lib), InferenceSettings())
    row = int(np.argmax(lib.tracks["view_count"]))

    plays = lib.tracks["view_count"][row]

    assert f"({plays} plays, more than" in found.track.why(row)
    assert "last played in " in found.track.why(row)
    assert replace(found.track, heard=None).why(row) != found.track.why(row)
