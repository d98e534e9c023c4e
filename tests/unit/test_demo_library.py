"""The demo library: the same every time, plausible, and any TSV of the known columns."""

from __future__ import annotations

import gzip
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from plexsheet.demo.items import ALBUM, ARTIST, TRACK, Item
from plexsheet.demo.library import Row, generate, read_tsv
from plexsheet.demo.store import Store
from tests.plex.store import ChangingStore

ROWS = list(generate(6000))


def test_same_size_and_seed_give_the_same_library():
    assert list(generate(6000)) == ROWS
    assert list(generate(6000, seed=1)) != ROWS
    assert len(ROWS) == 6000


def test_a_smaller_library_is_the_beginning_of_a_larger_one():
    assert list(generate(500)) == ROWS[:500]


def test_about_a_seventh_of_the_tracks_is_rated_on_the_ten_point_scale():
    ratings = [row.user_rating for row in ROWS if row.user_rating is not None]

    assert 1 / 9 < len(ratings) / len(ROWS) < 1 / 5
    assert set(ratings) <= {float(n) for n in range(1, 11)}
    assert 5.5 < sum(ratings) / len(ratings) < 7.5


def test_albums_and_artists_differ_in_quality():
    by_album = defaultdict(list)
    for row in ROWS:
        if row.user_rating is not None:
            by_album[row.album_artist, row.album].append(row.user_rating)
    everything = [r for ratings in by_album.values() for r in ratings]
    total = _variance(everything)
    within = sum(_variance(r) * len(r) for r in by_album.values()) / len(everything)

    assert within < 0.8 * total


def _variance(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / len(values)


def test_it_has_all_that_inference_and_twins_look_at():
    subformats = Counter(row.subformat for row in ROWS)
    songs = defaultdict(set)
    for row in ROWS:
        songs[row.artist, row.track].add(row.album)

    assert subformats["Live"] > 50
    assert subformats["Compilation"] > 50
    assert sum(len(albums) > 1 for albums in songs.values()) > 100  # twins
    assert sum(row.compilation for row in ROWS) > 20
    assert any(row.track == "Intro" and row.duration_ms < 60_000 for row in ROWS)
    albums = {(row.album_artist, row.album): row.critic_rating for row in ROWS}
    assert 0.3 < sum(c is not None for c in albums.values()) / len(albums) < 0.6
    assert any(row.album_user_rating for row in ROWS)
    assert any(row.artist_user_rating for row in ROWS)


def test_shared_guids_join_copies_of_one_song():
    guids = defaultdict(set)
    for row in generate(6000, shared_guids=True):
        if row.guid:
            guids[row.guid].add(row.track)

    assert guids
    assert all(len(titles) == 1 for titles in guids.values())
    assert not any(row.guid for row in ROWS)


# --- a TSV -----------------------------------------------------------------------------

TSV = """\
artist\talbum_artist\talbum\ttrack\tindex\tyear\tgenre\tcritic_rating\tuser_rating\
\talbum_user_rating\tartist_user_rating\tcompilation\tnonsense\tmoods\tsubformat
Ann\t\tFirst\t"Quoted\t1\t1999\tRock; Pop\t7.5\t8\t9\t6\t\tx\tWarm; Sad\tLive
Ann\t\tFirst\t=1+1\t2\t1999\tRock\t7.5\t\t9\t6\t\tx\t\tLive
Bob\t\tSampler\tOne\t1\t\t\t\t\t\t\t1\tx\t\t
Cat\t\tSampler\tTwo\t2\t\t\t\t\t\t\t1\tx\t\t
\t\t\tLost\t\t\t\t\t\t\t\t\tx\t\t
Dan\tEve\tDuet\tThree\t1\t\t\t\t\t\t\t\tx
"""


@pytest.fixture
def store(tmp_path: Path) -> ChangingStore:
    file = tmp_path / "library.tsv.gz"
    file.write_bytes(gzip.compress(TSV.encode()))
    return ChangingStore(read_tsv(file))


def find(store: Store, kind: int, title: str) -> Item:
    return next(item for item in store.items[kind].values() if item.title == title)


def test_albums_are_grouped_by_album_artist_and_title(store: Store):
    artists = [artist.title for artist in store.items[ARTIST].values()]

    assert artists == ["Ann", "Various Artists", "[Unknown Artist]", "Eve"]
    assert [track.title for track in find(store, ALBUM, "Sampler").children] == ["One", "Two"]
    assert find(store, TRACK, "Two").original_title == "Cat"
    assert find(store, TRACK, "Three").original_title == "Dan"
    assert find(store, TRACK, "=1+1").original_title == ""


def test_a_track_without_artist_or_album_still_has_parents(store: Store):
    lost = find(store, TRACK, "Lost")

    assert lost.parent is not None
    assert lost.parent.title == "[Unknown Album]"
    assert lost.parent.parent is not None
    assert lost.parent.parent.title == "[Unknown Artist]"


def test_ratings_tags_and_quotes_are_taken_as_they_are(store: Store):
    album, artist = find(store, ALBUM, "First"), find(store, ARTIST, "Ann")
    track = find(store, TRACK, '"Quoted')

    assert (track.rating, album.rating, artist.rating, album.critic) == (8, 9, 6, 7.5)
    assert album.names("genre") == ["Rock", "Pop"]
    assert album.names("subformat") == ["Live"]
    assert track.names("mood") == ["Warm", "Sad"]
    assert find(store, TRACK, "=1+1").rating is None


def test_rating_keys_follow_the_folders(store: Store):
    keys = sorted(key for items in store.items.values() for key in items)

    assert keys == list(range(keys[0], keys[0] + len(keys)))
    assert find(store, ARTIST, "Ann").key < find(store, ALBUM, "First").key
    assert find(store, ALBUM, "First").key < find(store, TRACK, '"Quoted').key


def test_a_wrong_number_is_named_with_its_line(tmp_path: Path):
    file = tmp_path / "broken.tsv"
    file.write_text("track\tuser_rating\nA\t8\nB\teight\n", encoding="utf-8")

    with pytest.raises(ValueError, match="line 3"):
        list(read_tsv(file))


def test_real_libraries_load_whole(shared_libraries: Path):
    for name, tracks in (("lib-a", 1500), ("lib-b", 8615), ("struct-a", 4145)):
        store = Store(read_tsv(shared_libraries / f"{name}.tsv.gz"))
        assert len(store.items[TRACK]) == tracks


# --- the store -------------------------------------------------------------------------


def test_an_emptied_album_and_artist_go_with_their_last_track(store: ChangingStore):
    store.delete(find(store, TRACK, "Three").key)

    titles = {item.title for items in store.items.values() for item in items.values()}
    assert not titles & {"Three", "Duet", "Eve"}


def test_a_new_rating_key_keeps_the_guid_of_a_matched_item(store: ChangingStore):
    track = find(store, TRACK, "=1+1")
    guid = store.guid(track)

    new = store.rekey(track.key)

    assert store.get(new) is track
    assert store.guid(track) == guid


def test_items_of_one_guid_share_a_rating():
    rows = [
        Row(artist="A", album="X", track="Song", guid="plex://track/1"),
        Row(artist="A", album="Y", track="Song", guid="plex://track/1"),
        Row(artist="A", album="Y", track="Other", guid="plex://track/2"),
    ]
    store = Store(rows)
    one, two, other = store.items[TRACK].values()

    store.rate(one, 7.0)

    assert (one.rating, two.rating, other.rating) == (7.0, 7.0, None)
    assert [write.via for write in store.writes] == ["rate", "shared"]
