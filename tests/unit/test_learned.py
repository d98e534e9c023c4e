"""What the learned model promises a person."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plexsheet.config.settings import InferenceSettings
from plexsheet.inference import learned, twins, uncertainty
from plexsheet.inference.model import Evidence, TwinDecision
from plexsheet.library import KINDS, Identity, Library, table
from tests.effort import enough

IDENTITY = Identity("server", "Server", "section", 1, "Music", "1", "someone")
ALBUM, TRACK = 1000, 10_000  # first rating keys


def library_of(rows, *, artists=None, albums=None) -> Library:
    """A library from rows of (artist, album, title, rating, further track columns)."""
    names = list(dict.fromkeys(row[0] for row in rows))
    titles = list(dict.fromkeys((row[0], row[1]) for row in rows))
    more = [row[4] if len(row) > 4 else {} for row in rows]
    duration = [m.get("duration_ms", 200_000 + 1000 * (k % 7)) for k, m in enumerate(more)]
    return Library(
        IDENTITY,
        table(
            "artist",
            {
                "key": 1 + np.arange(len(names)),
                "title": names,
                "user_rating": [(artists or {}).get(name, np.nan) for name in names],
            },
        ),
        table(
            "album",
            {
                "key": ALBUM + np.arange(len(titles)),
                "artist_key": [1 + names.index(artist) for artist, _ in titles],
                "artist": [artist for artist, _ in titles],
                "title": [title for _, title in titles],
                "user_rating": [(albums or {}).get(pair, np.nan) for pair in titles],
            },
        ),
        table(
            "track",
            {
                "key": TRACK + np.arange(len(rows)),
                "artist_key": [1 + names.index(row[0]) for row in rows],
                "album_key": [ALBUM + titles.index((row[0], row[1])) for row in rows],
                "artist": [row[0] for row in rows],
                "album": [row[1] for row in rows],
                "title": [row[2] for row in rows],
                "user_rating": [row[3] for row in rows],
                "index": [m.get("index", 1 + k % 12) for k, m in enumerate(more)],
                "year": [m.get("year", 1990) for m in more],
                "duration_ms": duration,
            },
        ),
    )


def made_up(tracks: int, seed: int = 0, critic: float = 0.0) -> Library:
    """Artists with albums, rated with effects of both; 70 % of the tracks have a rating."""
    rng = np.random.default_rng(seed)
    album = np.arange(tracks) // 8
    albums = int(album.max()) + 1
    artist = np.arange(albums) // 3
    artists = int(artist.max()) + 1
    score = rng.normal(7, 1, albums)
    level = 6 + rng.normal(0, 1.0, artists)[artist] + rng.normal(0, 0.6, albums)
    level += critic * (score - 7)
    words = np.array(["love", "night", "blue", "home", "rain", "dance", "again", "fire"])
    rating = np.clip(np.round(level[album] + rng.normal(0, 1.2, tracks)), 1, 10)
    return Library(
        IDENTITY,
        table(
            "artist",
            {"key": 1 + np.arange(artists), "title": [f"artist {i}" for i in range(artists)]},
        ),
        table(
            "album",
            {
                "key": ALBUM + np.arange(albums),
                "artist_key": 1 + artist,
                "artist": [f"artist {i}" for i in artist],
                "title": [f"album {words[i % 8]} {i}" for i in range(albums)],
                "year": 1970 + rng.integers(0, 40, albums),
                "genres": rng.choice(["Rock", "Jazz", "Rock; Pop"], albums).astype(object),
                "critic_rating": score,
            },
        ),
        table(
            "track",
            {
                "key": TRACK + np.arange(tracks),
                "artist_key": 1 + artist[album],
                "album_key": ALBUM + album,
                "artist": [f"artist {i}" for i in artist[album]],
                "title": [" ".join(rng.choice(words, 2)) + f" {i}" for i in range(tracks)],
                "index": 1 + np.arange(tracks) % 8,
                "year": 1970 + rng.integers(0, 40, albums)[album],
                "duration_ms": rng.integers(100_000, 400_000, tracks),
                "user_rating": np.where(rng.random(tracks) < 0.7, rating, np.nan),
            },
        ),
    )


def inferred(library, evidence=None, **more):
    return learned.infer(
        library, evidence or Evidence.all_manual(library), InferenceSettings(), **more
    )


def check(inference, library):
    """What holds for any library: finite, in range, and parts that add up."""
    given_ = np.concatenate([library.ratings(kind) for kind in KINDS])
    low, high = (np.nanmin(given_), np.nanmax(given_)) if (~np.isnan(given_)).any() else (0, 10)
    for kind in KINDS:
        found = inference.of(kind)
        items = len(library.keys(kind))
        for column in (found.value, found.error, found.confidence, found.ratings):
            assert column.shape == (items,)
            assert np.isfinite(column).all()
        assert (found.value >= low - 1e-9).all()
        assert (found.value <= high + 1e-9).all()
        assert (found.confidence >= 0).all()
        assert (found.confidence <= 100).all()
        assert (found.error >= 0).all()
        np.testing.assert_allclose(sum(found.parts.values()), found.value, atol=1e-9)


def same(left, right):
    for kind in KINDS:
        for column in ("value", "error", "confidence", "ratings"):
            a, b = getattr(left.of(kind), column), getattr(right.of(kind), column)
            np.testing.assert_array_equal(a, b)


def two_albums():
    loved = [("X", "A", f"a{i}", 10.0 if i < 6 else np.nan) for i in range(10)]
    hated = [("Y", "B", f"b{i}", 2.0 if i < 6 else np.nan) for i in range(10)]
    return library_of(loved + hated)


def test_a_loved_album_stands_above_a_hated_one_and_so_do_their_unrated_tracks():
    found = inferred(two_albums())

    assert found.album.value[0] - found.album.value[1] > 3
    assert found.artist.value[0] - found.artist.value[1] > 3
    assert found.track.value[6:10].min() - found.track.value[16:20].max() > 3


@pytest.mark.parametrize("tracks", [1, 40, 400])
def test_parts_add_up_and_values_stay_in_the_range_seen(tracks):
    library = made_up(tracks)

    check(inferred(library), library)


def test_why_names_the_parts_and_their_ratings():
    why = inferred(two_albums()).track.why(7)

    assert why.startswith("library 3")
    assert "artist +" in why
    assert "(6 rated)" in why


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_few_ratings_give_values_near_their_mean(count):
    library = made_up(200)
    ratings = library.ratings("track").copy()
    rated = np.flatnonzero(~np.isnan(ratings))
    ratings[rated[count:]] = np.nan
    few = replace(library, tracks=library.tracks.assign(user_rating=ratings))

    found = inferred(few)

    check(found, few)
    mean = ratings[rated[:count]].mean() if count else 6.0
    assert abs(found.track.value.mean() - mean) < 1.5
    assert found.track.confidence.mean() < 20


def test_no_ratings_give_the_prior_and_no_confidence():
    library = library_of([("X", "A", "a", np.nan), ("Y", "B", "b", np.nan)])

    found = inferred(library)

    assert found.track.value.tolist() == [6.0, 6.0]
    assert found.track.confidence.tolist() == [0.0, 0.0]


def test_equal_ratings_give_that_rating_to_everything():
    library = made_up(100)
    equal = replace(library, tracks=library.tracks.assign(user_rating=7.0))

    found = inferred(equal)

    check(found, equal)
    assert set(found.track.value) == {7.0}


def test_one_artist_is_enough():
    library = library_of([("X", "A", f"a{i}", 2.0 + i % 5) for i in range(20)])

    check(inferred(library), library)


def test_ratings_without_any_metadata_give_their_mean():
    nothing = {kind: table(kind, {"key": np.zeros(0, dtype=np.int64)}) for kind in KINDS[:2]}
    ratings = np.array([4.0, 8.0] * 20 + [np.nan] * 10)
    tracks = table("track", {"key": 1 + np.arange(50), "user_rating": ratings})
    library = Library(IDENTITY, nothing["artist"], nothing["album"], tracks)

    found = inferred(library)

    check(found, library)
    np.testing.assert_allclose(found.track.value, 6.0, atol=0.1)


def test_an_empty_library_gives_nothing():
    nothing = [table(kind, {"key": np.zeros(0, dtype=np.int64)}) for kind in KINDS]
    library = Library(IDENTITY, *nothing)

    check(inferred(library), library)


def test_the_same_ratings_give_the_same_values_again():
    library = made_up(900)

    same(inferred(library), inferred(library))


def test_what_was_inferred_and_written_changes_nothing():
    library = made_up(400)
    evidence = Evidence.all_manual(library)
    first = inferred(library, evidence)
    tables = {}
    for kind in KINDS:
        kept = np.where(evidence.manual[kind], library.ratings(kind), first.of(kind).value)
        tables[f"{kind}s"] = library.table(kind).assign(user_rating=kept)
    written = replace(library, **tables)

    same(first, inferred(written, evidence))
    same(first, inferred(written, evidence, warm=first.details["warm"]))


def test_a_warm_start_changes_nothing_and_is_short():
    library = made_up(900)
    first = inferred(library)

    again = inferred(library, warm=first.details["warm"])

    same(first, again)
    assert again.details["rounds"] == 1


@pytest.mark.parametrize("whole", [True, False], ids=["one rating", "one per album"])
def test_ratings_that_agree_settle_and_stay(whole):
    library = made_up(2000)
    album = np.arange(2000) // 8
    given = np.where(np.isnan(library.ratings("track")), np.nan, 7.0 if whole else 1 + album % 10)
    library = replace(library, tracks=library.tracks.assign(user_rating=given))

    first = inferred(library)
    again = inferred(library, warm=first.details["warm"])

    assert first.details["converged"]
    assert again.details["converged"]
    np.testing.assert_allclose(first.track.value, again.track.value, atol=0.02)
    np.testing.assert_allclose(first.track.value, 7.0 if whole else 1 + album % 10, atol=0.1)


def test_a_warm_start_changes_nothing_with_albums_rated():
    library = made_up(300)
    rated = np.where(np.arange(len(library.albums)) % 3 == 0, 8.0, np.nan)
    library = replace(library, albums=library.albums.assign(user_rating=rated))
    first = inferred(library)

    same(first, inferred(library, warm=first.details["warm"]))


def test_details_are_ready_for_json():
    details = inferred(made_up(100)).details

    assert json.loads(json.dumps(details)) == details


def test_excluded_items_count_for_nothing_and_receive_nothing():
    library = two_albums()
    library.tracks.loc[9, "user_rating"] = 1.0
    plain = Evidence.all_manual(library)
    row = np.arange(20) == 9
    excluded = replace(plain, excluded=dict(plain.excluded) | {"track": row})
    unrated = replace(plain, manual=dict(plain.manual) | {"track": plain.manual["track"] & ~row})

    found = inferred(library, excluded)

    assert np.isnan(found.track.value[9])
    assert np.isnan(found.track.confidence[9])
    assert not np.isnan(np.delete(found.track.value, 9)).any()
    counted = inferred(library, unrated)
    np.testing.assert_allclose(
        np.delete(found.track.value, 9), np.delete(counted.track.value, 9), atol=1e-9
    )
    assert inferred(library).album.value[0] < found.album.value[0] - 0.1


def test_an_excluded_album_receives_nothing_and_its_rating_counts_for_nothing():
    rows = [("X", "A", f"a{i}", np.nan) for i in range(8)] + [("Y", "B", "b", 5.0)]
    library = library_of(rows, albums={("X", "A"): 10.0})
    plain = Evidence.all_manual(library)
    excluded = replace(plain, excluded=dict(plain.excluded) | {"album": np.array([True, False])})

    found = inferred(library, excluded)

    assert np.isnan(found.album.value[0])
    np.testing.assert_allclose(found.track.value, 5.0, atol=1e-9)


@pytest.mark.parametrize("kind", ["album", "artist"])
def test_a_rating_given_to_an_album_or_artist_speaks_for_its_tracks(kind):
    rows = [("X", "A", f"a{i}", np.nan) for i in range(8)]
    rows += [("Y", "B", f"b{i}", np.nan) for i in range(8)]
    rows += [(f"Z{i}", f"C{i}", f"c{i}", 4.0 + i % 5) for i in range(30)]
    mine = {"albums": {("X", "A"): 10.0}} if kind == "album" else {"artists": {"X": 10.0}}

    found = inferred(library_of(rows, **mine))

    assert found.of(kind).value[0] > found.of(kind).value[1] + 0.3
    assert found.track.value[:8].min() > found.track.value[8:16].max() + 0.3
    assert found.track.confidence[0] > found.track.confidence[8]


def test_whoever_rates_albums_alone_finds_their_ratings_in_the_tracks():
    rated = {("X", f"A{k}"): float(2 * (k % 5) + 2) for k in range(10)}
    rows = [(*pair, f"{pair[1]} song {i}", np.nan) for pair in rated for i in range(10)]

    found = inferred(library_of(rows, albums=rated))

    given = np.array(list(rated.values()))
    np.testing.assert_allclose(found.album.value, 6 + 0.8 * (given - 6), atol=0.5)
    np.testing.assert_allclose(found.track.value, np.repeat(found.album.value, 10), atol=1)
    assert found.details["noise"] < 6


def test_album_ratings_leave_the_noise_of_tracks_to_the_tracks():
    library = made_up(800)
    plain = inferred(library)
    means = np.nanmean(library.ratings("track").reshape(-1, 8), axis=1)
    albums = np.clip(np.round(means + np.random.default_rng(0).normal(0, 0.8, 100)), 1, 10)
    library = replace(library, albums=library.albums.assign(user_rating=albums))

    found = inferred(library)

    assert found.details["item_ratings"] == 100
    assert found.details["noise"] == pytest.approx(plain.details["noise"], rel=0.15)
    assert found.album.confidence.mean() > plain.album.confidence.mean()


def test_more_ratings_make_an_album_surer():
    few = [("X", "A", f"a{i}", 9.0 if i < 2 else np.nan) for i in range(10)]
    many = [("Y", "B", f"b{i}", 9.0 if i < 8 else np.nan) for i in range(10)]
    rest = [(f"Z{i}", f"C{i}", f"c{i}", 3.0 + i % 5) for i in range(30)]

    album = inferred(library_of(few + many + rest)).album

    assert album.confidence[1] > album.confidence[0]
    assert album.error[1] < album.error[0]
    assert album.ratings[1] > album.ratings[0]
    assert album.value[1] > album.value[0]


def with_copies():
    rows = [("X", "Studio", f"song {i}", 4.0 + i % 4) for i in range(10)]
    rows += [("X", "Hits", f"song {i}", np.nan) for i in range(4)]
    rows += [("X", "Hits", f"other {i}", 5.0) for i in range(4)]
    rows += [("X", "Studio", "favourite", 10.0), ("X", "Hits", "favourite", np.nan)]
    rows += [("X", "Hits", "stranger", np.nan)]
    fixed = {"duration_ms": 200_000, "index": 3}
    return library_of([(*row, fixed) for row in rows])


def test_an_unrated_twin_follows_the_rated_copy():
    library = with_copies()
    found = twins.find(library, InferenceSettings().twins, {})

    value = inferred(library, twins=found).track.value

    assert found.group[18] == found.group[19] >= 0
    assert value[19] > value[20] + 1


def test_twins_the_person_parted_do_not_share_a_song():
    library = with_copies()
    never = {k: TwinDecision(k, "NEVER") for k in (TRACK + 18, TRACK + 19)}
    joined = twins.find(library, InferenceSettings().twins, {})
    parted = twins.find(library, InferenceSettings().twins, never)

    together = inferred(library, twins=joined)
    apart = inferred(library, twins=parted)

    assert apart.twin_group[19] == -1
    assert apart.track.parts["song"][19] < together.track.parts["song"][19] - 0.3


def test_milliseconds_between_lengths_do_not_speak():
    rows = [("X", f"A{i}", f"a{i}", 10.0 if i < 3 else 3.0, {"duration_ms": 200_000 + (i < 3)})
            for i in range(20)]  # fmt: skip
    rows += [("X", "B", "b0", np.nan, {"duration_ms": 200_000, "index": 3})]
    rows += [("X", "B", "b1", np.nan, {"duration_ms": 200_001, "index": 3})]

    found = inferred(library_of(rows))

    assert found.track.value[20] == pytest.approx(found.track.value[21], abs=0.01)


def test_intervals_hold_the_value_and_stay_on_the_scale():
    library = made_up(300)
    found = inferred(library)

    for kind in KINDS:
        low, high = learned.interval(found, kind)
        assert (low <= found.of(kind).value).all()
        assert (high >= found.of(kind).value).all()
        assert (low >= 0).all()
        assert (high <= 10).all()


def test_intervals_cover_four_fifths_of_ratings_left_out():
    found = inferred(made_up(1200)).details["left_out"]["track"]

    assert found["coverage"] == pytest.approx(0.8, abs=0.03)
    assert found["error"] < 0.95 * found["mean_error"]


RATINGS = st.one_of(st.just(float("nan")), st.integers(1, 10).map(float))
TRACKS = st.tuples(
    st.sampled_from(["", "X", "Y", "Various Artists", "ザ"]),
    st.sampled_from(["", "A", "B", "A live"]),
    st.sampled_from(["", "one", "two", "One (Live)", "—"]),
    RATINGS,
    st.fixed_dictionaries(
        {
            "index": st.integers(0, 3),
            "year": st.sampled_from([0, 1, 1969, 2001, 9999]),
            "duration_ms": st.sampled_from([0, 1, 180_000, 10**9]),
        }
    ),
)


@given(st.lists(TRACKS, max_size=25), st.data())
@settings(max_examples=enough(60, 15), deadline=None)
def test_any_library_gets_finite_values_within_the_range_seen(rows, data):
    library = library_of(rows)
    albums = data.draw(
        st.lists(RATINGS, min_size=len(library.albums), max_size=len(library.albums))
    )
    library = replace(library, albums=library.albums.assign(user_rating=np.array(albums, float)))

    found = inferred(library)

    check(found, library)
    same(found, inferred(library))


@given(st.lists(TRACKS, max_size=25), st.lists(st.booleans(), min_size=3, max_size=3))
@settings(max_examples=enough(40, 10), deadline=None)
def test_any_number_of_runs_with_or_without_writing_between_gives_the_same_values(rows, writing):
    library = library_of(rows)
    evidence = Evidence.all_manual(library)
    first = last = inferred(library, evidence)

    for written in writing:
        tables = {}
        for kind in KINDS if written else ():
            mine = evidence.manual[kind]
            stands = np.where(mine, library.ratings(kind), np.round(last.of(kind).value, 1))
            tables[f"{kind}s"] = library.table(kind).assign(user_rating=stands)
        library = replace(library, **tables)
        last = inferred(library, evidence, warm=last.details["warm"])

    same(first, last)


def test_artists_say_nothing_of_an_album_where_their_albums_are_liked_one_by_one():
    """Each artist has an album liked and one disliked; whose other albums are, nobody knows."""
    songs = [
        (f"artist {a}", f"album {a} {b}", f"song {t}", 9 - 6 * b)
        for a in range(4)
        for b in (0, 1)
        for t in range(5)
    ]
    known = [("new", "loved", f"song {t}", 9 if t < 5 else np.nan) for t in range(7)]
    unknown = [("new", "unheard", f"song {t}", np.nan) for t in range(5)]

    found = inferred(library_of([*songs, *known, *unknown]))

    level = found.track.parts["library"][0]
    assert (found.track.value[-12:-5] > level + 1.5).all()
    np.testing.assert_allclose(found.track.value[-5:], level, atol=0.1)
    assert found.details["trust"][1] == 0.0


def test_how_far_effects_are_believed_does_not_depend_on_how_errors_are_reckoned(monkeypatch):
    library = made_up(400, seed=2)
    few = np.where(np.arange(400) % 6 == 0, library.ratings("track"), np.nan)
    library = replace(library, tracks=library.tracks.assign(user_rating=few))

    exact = inferred(library).details["trust"]
    monkeypatch.setattr(uncertainty, "EXACT_EFFECTS", 0)
    block_by_block = inferred(library).details["trust"]

    assert 0 < exact[0] < 1
    assert block_by_block == pytest.approx(exact)


@pytest.mark.parametrize("ratings", [[1], [9], [2, 2, 3]])
def test_ratings_of_one_album_alone_are_believed(ratings):
    """There is nothing yet that could speak against what the effects say of other albums."""
    songs = [("artist", "rated", f"song {t}", rating) for t, rating in enumerate(ratings)]

    found = inferred(library_of([*songs, ("artist", "other", "song", np.nan)]))

    assert found.details["trust"][1] == 1.0
    if len(ratings) == 1:
        assert found.details["trust"][0] == 1.0
