"""The formulas of plex-rating-utils, worked out by hand on small libraries."""

from __future__ import annotations

import csv
import gzip
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexsheet.config.settings import ExclusionSettings, InferenceSettings, TwinSettings
from plexsheet.inference import classic, infer, twins
from plexsheet.inference.model import Evidence
from plexsheet.library import KINDS, Identity, Library, table

IDENTITY = Identity("server", "Server", "uuid", 1, "Music", "1", "me")
NAN = float("nan")
CLASSIC = InferenceSettings(model="classic")


def library(albums, artists=None):
    """A library from albums: title, (artist, own rating, critic, track ratings or tracks)."""
    names = list(dict.fromkeys(artist for artist, *_ in albums.values()))
    own = artists or {}
    rows = [
        (10 + a, 1 + names.index(artist), artist, title, _track(track))
        for a, (title, (artist, _, _, tracks)) in enumerate(albums.items())
        for track in tracks
    ]
    return Library(
        IDENTITY,
        table(
            "artist",
            {
                "key": [1 + i for i in range(len(names))],
                "title": names,
                "user_rating": [own.get(name, NAN) for name in names],
            },
        ),
        table(
            "album",
            {
                "key": [10 + a for a in range(len(albums))],
                "title": list(albums),
                "artist_key": [1 + names.index(artist) for artist, *_ in albums.values()],
                "artist": [artist for artist, *_ in albums.values()],
                "user_rating": [rating for _, rating, *_ in albums.values()],
                "critic_rating": [critic for _, _, critic, _ in albums.values()],
            },
        ),
        table(
            "track",
            {
                "key": [100 + i for i in range(len(rows))],
                "album_key": [row[0] for row in rows],
                "artist_key": [row[1] for row in rows],
                "artist": [row[2] for row in rows],
                "album": [row[3] for row in rows],
                "user_rating": [row[4][0] for row in rows],
                "title": [row[4][1] or f"Song {i}" for i, row in enumerate(rows)],
                "duration_ms": [200_000] * len(rows),
            },
        ),
    )


def _track(track):
    return track if isinstance(track, tuple) else (track, "")


def run(lib, settings=CLASSIC, **changes):
    evidence = replace(Evidence.all_manual(lib), **changes)
    return infer(lib, evidence, settings)


def values(inferred):
    return [round(value, 2) for value in inferred.value.tolist()]


def test_ten_on_one_album_and_two_on_another_stay_far_apart():
    lib = library(
        {
            "A": ("Ann", NAN, NAN, [10.0] * 6 + [NAN] * 4),
            "B": ("Bob", NAN, NAN, [2.0] * 6 + [NAN] * 4),
        }
    )

    found = run(lib)

    assert found.prior == 6
    assert values(found.album) == [8.67, 3.33]
    assert found.track.value[6:10].min() > found.track.value[16:20].max() + 5
    assert values(found.track)[9] == 8.67
    assert values(found.artist) == [6.67, 5.33]
    assert found.album.confidence.tolist() == pytest.approx([100 * 6 / 9] * 2)
    assert found.album.ratings.tolist() == [6, 6]


def test_the_critics_score_is_biased_and_blended_into_the_prior():
    lib = library({"A": ("Ann", NAN, 6.0, [NAN]), "B": ("Bob", NAN, NAN, [4.0])})

    found = run(lib)

    critic = (6 + 1.5) / 11.5 * 10  # the worked example of plex-rating-utils' documentation: 6.5
    prior = (1 * 4 + 3 * critic) / 4
    assert found.album.value[0] == pytest.approx(prior)
    assert found.track.value[0] == pytest.approx(prior)
    assert found.album.confidence[0] == 0
    assert found.album.parts["critic"][0] == pytest.approx(prior - 4)


def test_rated_tracks_outweigh_the_critic_by_their_number():
    lib = library({"A": ("Ann", NAN, 6.0, [8.0, 8.0])})

    found = run(lib)

    prior = (8 + 3 * 7.5 / 11.5 * 10) / 4
    assert found.album.value[0] == pytest.approx((3 * prior + 16) / 5)


def test_without_weights_the_critic_is_left_out():
    lib = library({"A": ("Ann", NAN, 6.0, [8.0])})

    assert run(lib, replace(CLASSIC, weight_critic=0, weight_global=0)).album.value[0] == 8


def test_an_artist_counts_given_ratings_and_albums_with_rated_tracks_only():
    lib = library(
        {
            "given": ("Ann", 10.0, NAN, [NAN]),
            "heard": ("Ann", NAN, NAN, [4.0, 4.0, 4.0]),
            "unheard": ("Ann", NAN, NAN, [NAN]),
        }
    )

    found = run(lib)

    assert found.prior == 4
    assert found.artist.value[0] == pytest.approx((3 * 4 + 10 + 4) / 5)
    assert found.artist.ratings[0] == 2


def test_what_is_unheard_takes_its_artists_level_as_it_is():
    lib = library(
        {
            "heard": ("Ann", NAN, NAN, [10.0, 10.0, 10.0]),
            "unheard": ("Ann", NAN, 2.0, [NAN]),
            "other": ("Bob", NAN, NAN, [4.0]),
        }
    )

    found = run(lib)

    assert found.album.value[1] == found.artist.value[0]
    assert found.track.value[3] == found.artist.value[0]
    assert found.album.confidence[1] == found.artist.confidence[0] == 25


def test_a_level_the_person_gave_is_pulled_to_the_mean_by_gravity():
    lib = library(
        {
            "A": ("Ann", NAN, NAN, [NAN]),
            "B": ("Bob", 10.0, NAN, [NAN]),
            "C": ("Cem", NAN, NAN, [6.0]),
        },
        artists={"Ann": 10.0},
    )

    found = run(lib)

    assert found.album.value[0] == pytest.approx(10 - 0.8 * (10 - 6))
    assert found.track.value[0] == pytest.approx(6.8)  # inferred: no second pull
    assert found.track.value[1] == pytest.approx(10 - 0.3 * (10 - 6))
    assert found.track.parts["album"][1] == pytest.approx(4)
    assert found.track.parts["gravity"][1] == pytest.approx(-1.2)


def test_evidence_from_below_outranks_the_parent():
    lib = library({"A": ("Ann", NAN, NAN, [2.0, NAN])}, artists={"Ann": 10.0})

    assert run(lib).album.value[0] == 2


def test_tracks_that_do_not_count_upward_leave_the_album_alone():
    lib = library(
        {
            "A": ("Ann", NAN, NAN, [8.0, (2.0, "Intro")]),
            "B": ("Bob", NAN, NAN, [(2.0, "Intro"), NAN]),
        }
    )

    found = run(lib)

    assert found.prior == 4
    assert found.album.value.tolist() == pytest.approx([(3 * 4 + 8) / 4, (3 * 4 + 2) / 4])
    off = run(lib, replace(CLASSIC, exclusions=ExclusionSettings(enabled=False)))
    assert off.album.value[0] == pytest.approx((3 * 4 + 10) / 5)


TWINS = {
    "One": ("Ann", NAN, NAN, [(8.0, "Same"), 2.0]),
    "Two": ("Ann", NAN, NAN, [(NAN, "Same")]),
    "Three": ("Ann", NAN, NAN, [(5.0, "same - 2011 Remaster")]),
}


def test_an_unrated_twin_takes_the_mean_of_the_rated_copies():
    found = run(library(TWINS))

    assert found.track.value[2] == pytest.approx(6.5)
    assert found.track.ratings[2] == 2
    assert found.track.confidence[2] == 40
    assert found.twin_group.tolist() == [0, -1, 0, 0]


def test_unrated_twins_take_the_mean_of_them_all():
    lib = library(
        {
            "One": ("Ann", NAN, NAN, [(NAN, "Same"), 2.0]),
            "Two": ("Ann", NAN, NAN, [(NAN, "Same"), 8.0]),
        }
    )

    found = run(lib)
    alone = run(lib, replace(CLASSIC, twins=TwinSettings(enabled=False)))

    assert found.track.value[0] == found.track.value[2]
    assert found.track.value[0] == pytest.approx(alone.track.value[[0, 2]].mean())
    assert alone.twin_group.tolist() == [-1] * 4


def test_disabled_twins_still_give_one_value_to_what_plex_rates_as_one():
    lib = library({"One": ("Ann", NAN, NAN, [NAN, 9.0]), "Two": ("Ann", NAN, NAN, [NAN, 2.0])})
    lib.tracks["guid"] = np.array(["plex://track/1", "", "plex://track/1", ""], dtype=object)

    found = run(lib, replace(CLASSIC, twins=TwinSettings(enabled=False)))

    assert found.track.value[0] == found.track.value[2]
    assert found.twin_group.tolist() == [-1] * 4


def test_what_is_excluded_counts_for_nothing_and_receives_nothing():
    lib = library(
        {
            "A": ("Ann", 10.0, NAN, [10.0, 8.0]),
            "B": ("Ann", NAN, NAN, [NAN]),
        }
    )
    none = Evidence.all_manual(lib).excluded
    track = run(lib, excluded=none | {"track": np.array([True, False, False])})
    album = run(lib, excluded=none | {"album": np.array([True, False])})

    assert track.prior == 8
    assert np.isnan(track.track.value).tolist() == [True, False, False]
    assert track.album.ratings[0] == 1
    assert np.isnan(album.album.value).tolist() == [True, False]
    assert album.artist.ratings[0] == 0
    assert album.track.value.tolist() == [9, 9, 9]


def test_without_track_ratings_the_mean_is_that_of_albums_then_artists_then_six():
    bare = {"A": ("Ann", NAN, NAN, [NAN])}

    assert run(library(bare | {"B": ("Bob", 9.0, NAN, [NAN])}, {"Ann": 3.0})).prior == 9
    assert run(library(bare, {"Ann": 3.0})).prior == 3
    nothing = run(library(bare))
    assert nothing.prior == 6
    assert [*nothing.artist.value, *nothing.album.value, *nothing.track.value] == [6, 6, 6]
    assert nothing.track.confidence.tolist() == [0]


def test_an_empty_library_is_no_trouble():
    assert run(library({})).track.value.tolist() == []


def test_the_reasons_read_as_a_sum():
    lib = library({"A": ("Ann", NAN, NAN, [8.0, NAN]), "B": ("Bob", NAN, NAN, [4.0])})

    assert run(lib).track.why(1) == "library 3.0, album +0.2 (1 rated) → 3.2"


def test_a_track_without_album_takes_its_artists_level():
    lib = library({"A": ("Ann", NAN, NAN, [8.0, NAN]), "B": ("Bob", NAN, NAN, [4.0])})
    lib.tracks.loc[1, "album_key"] = 0

    found = run(lib)

    assert found.track.value[1] == found.artist.value[0]


@pytest.mark.parametrize("strength", [0.0, 0.5, 3.0])
def test_any_strength_gives_finite_values(strength):
    lib = library({"A": ("Ann", NAN, 7.0, [8.0, NAN]), "B": ("Bob", NAN, NAN, [NAN])})

    found = run(lib, replace(CLASSIC, confidence_c=strength))

    assert np.isfinite(np.concatenate([found.track.value, found.track.error])).all()
    assert found.album.confidence[1] == 0


RATING = st.one_of(st.just(NAN), st.sampled_from([0.5, 2.0, 6.0, 10.0]))
TRACK = st.tuples(RATING, st.sampled_from(["", "Intro", "Same", "Other"]))
ALBUM = st.tuples(
    st.sampled_from(["Ann", "Bob", "Various Artists"]),
    RATING,
    st.one_of(st.just(NAN), st.floats(0, 10)),
    st.lists(TRACK, max_size=4),
)
LIBRARY = st.builds(
    library,
    st.dictionaries(st.sampled_from("ABCDE"), ALBUM, max_size=5),
    st.dictionaries(st.sampled_from(["Ann", "Bob"]), RATING),
)
SETTINGS = st.builds(
    InferenceSettings,
    model=st.just("classic"),
    confidence_c=st.floats(0, 20),
    bias_critic=st.floats(-20, 20),
    weight_critic=st.floats(0, 5),
    weight_global=st.floats(0, 5),
    album_gravity=st.floats(0, 1),
    track_gravity=st.floats(0, 1),
)


@given(LIBRARY, SETTINGS, st.randoms(use_true_random=False))
def test_any_library_gets_finite_values_on_the_scale_whose_parts_add_up(lib, settings, random):
    excluded = {
        kind: np.array([random.random() < 0.2 for _ in lib.keys(kind)], dtype=bool)
        for kind in KINDS
    }

    found = run(lib, settings, excluded=excluded)

    for kind in KINDS:
        of = found.of(kind)
        out = excluded[kind]
        assert (np.isnan(of.value) == out).all()
        inside = of.value[~out]
        assert ((inside >= -1e-9) & (inside <= 10 + 1e-9)).all()
        assert np.isfinite(of.error[~out]).all()
        assert ((of.confidence >= 0) & (of.confidence <= 100)).all()
        assert (of.confidence[out] == 0).all()
        total = sum(of.parts.values())
        assert total[~out] == pytest.approx(inside)


@given(LIBRARY, SETTINGS)
def test_written_values_never_come_back_as_evidence(lib, settings):
    evidence = Evidence.all_manual(lib)
    before = infer(lib, evidence, settings)
    for kind in KINDS:  # as after a run that wrote every value to Plex
        ratings = np.where(evidence.manual[kind], lib.ratings(kind), before.of(kind).value)
        lib.table(kind)["user_rating"] = ratings

    after = infer(lib, evidence, settings)

    for kind in KINDS:
        assert after.of(kind).value == pytest.approx(before.of(kind).value, abs=1e-12)


@given(LIBRARY)
def test_twins_share_one_value(lib):
    found = run(lib)

    for group in range(int(found.twin_group.max(initial=-1)) + 1):
        assert np.ptp(found.track.value[found.twin_group == group]) == 0


def _real(path):
    """A real library of the shared folder, its columns as its README says."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    artists: dict[str, int] = {}
    albums: dict[tuple[str, str], int] = {}
    for row in rows:
        owner = row["album_artist"] or row["artist"]
        albums.setdefault((owner, row["album"]), len(albums))
        artists.setdefault(owner, len(artists))
    owners = [row["album_artist"] or row["artist"] for row in rows]
    return Library(
        IDENTITY,
        table("artist", {"key": range(1, len(artists) + 1), "title": list(artists)}),
        table(
            "album",
            {
                "key": range(100_000, 100_000 + len(albums)),
                "title": [album for _, album in albums],
                "artist_key": [artists[artist] + 1 for artist, _ in albums],
            },
        ),
        table(
            "track",
            {
                "key": range(1_000_000, 1_000_000 + len(rows)),
                "title": [row["track"] for row in rows],
                "artist": owners,
                "track_artist": [
                    row["artist"] if row["artist"] != owner else ""
                    for row, owner in zip(rows, owners, strict=True)
                ],
                "album": [row["album"] for row in rows],
                "album_key": [
                    100_000 + albums[owner, row["album"]]
                    for row, owner in zip(rows, owners, strict=True)
                ],
                "artist_key": [artists[owner] + 1 for owner in owners],
                "duration_ms": [int(row["duration_ms"] or 0) for row in rows],
                "user_rating": [float(row["user_rating"] or NAN) for row in rows],
            },
        ),
    )


@pytest.mark.parametrize("name", ["lib-a", "lib-b", "lib-d", "struct-a"])
def test_real_libraries_are_inferred_whole(shared_libraries, name):
    lib = _real(shared_libraries / f"{name}.tsv.gz")

    found = run(lib)

    for kind in KINDS:
        assert np.isfinite(found.of(kind).value).all()
        assert sum(found.of(kind).parts.values()) == pytest.approx(found.of(kind).value)


def test_twins_of_a_real_library_are_on_two_albums_and_near_in_length(shared_libraries):
    lib = _real(shared_libraries / "lib-a.tsv.gz")

    found = twins.find(lib, TwinSettings())

    assert found.groups >= 5
    for group in range(found.groups):
        copies = lib.tracks[found.group == group]
        assert copies["album_key"].nunique() >= 2
        assert np.ptp(copies["duration_ms"]) <= 5000
        assert len(set(twins.titles.normalised(copies["title"].tolist())[0])) == 1


def test_classic_alone_says_which_model_it_is():
    found = classic.infer(library({}), Evidence.all_manual(library({})), CLASSIC)

    assert found.model == "classic"
    assert found.twin_group.tolist() == []
