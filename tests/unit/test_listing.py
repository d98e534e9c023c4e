"""Plex's lists as columns: what is kept, what is thrown away, and what is refused."""

from __future__ import annotations

import math

import pytest

from plexsheet.library import KINDS, SCHEMA
from plexsheet.plex.listing import (
    ATTRIBUTES,
    RATING_COLUMNS,
    Cleaner,
    Columns,
    Page,
    Unreadable,
    parse,
)
from tests.conftest import SHARED

TRACK = (
    '<Track ratingKey="7" type="track" parentRatingKey="5" grandparentRatingKey="3" '
    'guid="plex://track/a" title="So What" grandparentTitle="Miles Davis" '
    'parentTitle="Kind of Blue" originalTitle="Miles Davis Sextet" index="1" parentIndex="2" '
    'userRating="9.0" lastRatedAt="1713319768" parentYear="1959" duration="545000" '
    'ratingCount="673" viewCount="4" addedAt="1638002162"/>'
)


def listing(*items: str, size: int | None = None, total: int | None = None) -> bytes:
    count = len(items) if size is None else size
    announced = "" if total is None else f' totalSize="{total}"'
    return f'<MediaContainer size="{count}"{announced}>{"".join(items)}</MediaContainer>'.encode()


def read(data: bytes, kind="track", **more):
    columns = Columns(kind, **more)
    parse(data, columns)
    return columns.frame()


def test_a_track_fills_its_columns_and_unknown_is_empty():
    row = read(listing(TRACK)).loc[0].to_dict()

    assert row == {
        "key": 7,
        "guid": "plex://track/a",
        "title": "So What",
        "sort_title": "So What",
        "user_rating": 9.0,
        "last_rated_at": 1713319768,
        "view_count": 4,
        "last_viewed_at": 0,
        "added_at": 1638002162,
        "updated_at": 0,
        "album_key": 5,
        "artist_key": 3,
        "album": "Kind of Blue",
        "artist": "Miles Davis",
        "track_artist": "Miles Davis Sextet",
        "disc": 2,
        "index": 1,
        "year": 1959,
        "duration_ms": 545000,
        "skip_count": 0,
        "rating_count": 673,
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_column_of_the_schema_is_read(kind):
    assert set(ATTRIBUTES[kind]) == set(SCHEMA[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_library_is_an_empty_table(kind):
    frame = read(listing(), kind)

    assert len(frame) == 0
    assert list(frame.columns) == list(SCHEMA[kind])


@pytest.mark.parametrize("text", ["", 'userRating="0.0"', 'userRating="-1"', 'userRating="nan"'])
def test_no_rating_and_a_rating_of_nothing_are_unrated(text):
    frame = read(listing(f'<Track ratingKey="1" type="track" {text}/>'))

    assert math.isnan(frame.loc[0, "user_rating"])


def test_an_artist_that_is_the_album_artist_is_not_named_twice():
    item = '<Track ratingKey="1" type="track" grandparentTitle="Nina" originalTitle="Nina"/>'

    assert read(listing(item)).loc[0, "track_artist"] == ""


def test_genres_are_joined_and_stay_with_their_album_whatever_the_chunks():
    albums = [
        f'<Directory ratingKey="{key}" type="album" title="{key}">'
        + "".join(f'<Genre tag="g{key}-{n}"/>' for n in range(key % 3))
        + "</Directory>"
        for key in range(1, 1400)
    ]
    data = listing(*albums)
    for size in (1, 700, 65536, len(data)):
        columns = Columns("album")
        page = Page(columns)
        for start in range(0, len(data), size):
            page.feed(data[start : start + size])
        page.close()
        frame = columns.frame()

        expected = ["; ".join(f"g{key}-{n}" for n in range(key % 3)) for key in range(1, 1400)]
        assert frame["genres"].tolist() == expected
        if size == 1:
            assert page.received == 1399


def test_moods_and_their_lock_come_with_the_details():
    items = (
        '<Track ratingKey="1" type="track"><Mood tag="Lively"/><Mood tag="A; b"/>'
        '<Field locked="1" name="mood"/></Track>',
        '<Track ratingKey="2" type="track"><Field locked="1" name="title"/></Track>',
    )

    frame = read(listing(*items), details=True)

    assert frame["moods"].tolist() == [("Lively", "A; b"), ()]
    assert frame["mood_locked"].tolist() == [True, False]


def test_only_the_columns_asked_for_are_kept():
    frame = read(listing(TRACK), only=RATING_COLUMNS)

    assert set(frame) == set(RATING_COLUMNS)
    assert (frame["key"][0], frame["user_rating"][0], frame["last_rated_at"][0]) == (
        7,
        9.0,
        1713319768,
    )


def test_media_and_foreign_items_are_passed_over():
    album = '<Directory ratingKey="5" type="album" title="x"><Genre tag="Jazz"/></Directory>'
    media = '<Track ratingKey="8" type="track"><Media id="1"><Part file="/m.mp3"/></Media></Track>'
    columns = Columns("track")

    page = parse(listing(TRACK, album, media), columns)

    assert list(columns.keys) == [7, 8]
    assert page.received == 3


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "the answer was empty"),
        (b"<html><body>Sign in</body></html>", "a web page came instead"),
        (b"<!DOCTYPE html><html><body><p>Sign in", "a web page came instead"),
        (b'{"MediaContainer": {}}', "something other than XML"),
        (listing(TRACK)[:-30], "the answer broke off"),
        (listing(TRACK)[:200], "the answer broke off"),
        (b"<MediaContainer size='1'><Track ratingKey=7/></MediaContainer>", "damaged in line 1"),
        (listing(TRACK, size=2), "2 items were announced, 1 came"),
        (b"<Response/>", "“Response” came instead of a list"),
        (
            b'<!DOCTYPE x [<!ENTITY a "b">]><MediaContainer size="0"/>',
            "the answer declares its own document type",
        ),
        (listing(TRACK, TRACK), "an item was listed twice"),
        (listing('<Track ratingKey="x" type="track"/>'), "an item has no rating key"),
    ],
)
def test_what_is_no_list_is_refused_with_the_reason(data, why):
    with pytest.raises(Unreadable, match=why):
        read(data)


def test_strange_numbers_are_unknown_rather_than_fatal():
    item = (
        '<Track ratingKey="1" type="track" index="1.0" duration="" year="MCM" addedAt="'
        + "9" * 30
        + '" userRating="good"/>'
    )

    row = read(listing(item)).loc[0]

    assert (row["index"], row["duration_ms"], row["added_at"]) == (1, 0, 0)
    assert math.isnan(row["user_rating"])


def test_characters_xml_forbids_are_dropped_when_cleaning():
    item = '<Track ratingKey="1" type="track" title="a\x0bb&#11;c&#x1F3B5;&#xD800;d"/>'
    data = listing(item).replace(b"&#x1F3B5;", b"\xff&#x1F3B5;")
    for size in (1, 5, 4096):
        columns = Columns("track")
        page = Page(columns, clean=True)
        for start in range(0, len(data), size):
            page.feed(data[start : start + size])
        page.close()

        assert columns.frame().loc[0, "title"] == "abc\ufffd🎵d"


def test_cleaning_leaves_clean_text_alone():
    text = "<a t='&amp;&lt;&#10; é 音 🎵'/>" * 50
    cleaner = Cleaner()
    data = text.encode()

    cleaned = b"".join(cleaner.feed(data[i : i + 7]) for i in range(0, len(data), 7))

    assert cleaned + cleaner.close() == data


def test_rows_can_be_forgotten():
    columns = Columns("track", details=True)
    parse(listing(TRACK), columns)
    parse(listing(TRACK.replace('"7"', '"8"')), columns)

    columns.truncate(1)

    assert columns.frame()["key"].tolist() == [7]


@pytest.mark.parametrize(
    ("file", "kind", "total", "expected"),
    [
        (
            "tracks/tracks_listing_rated_1.29.xml",
            "track",
            19403,
            {"key": 3609, "user_rating": 10.0, "artist_key": 3605, "duration_ms": 227944},
        ),
        (
            "albums/albums_listing_paged_1.29.xml",
            "album",
            3636,
            {"key": 8014, "year": 2015, "released": "2015-01-01", "artist": "Ben Folds"},
        ),
        (
            "albums/album_listing_item_with_rating_genre.xml",
            "album",
            1,
            {"critic_rating": 6.0, "genres": "Pop/Rock", "studio": "Epic"},
        ),
        (
            "artists/artists_listing_1.29.xml",
            "artist",
            858,
            {"key": 21227, "title": "2 Unlimited", "sort_title": "2 UNLIMITED"},
        ),
        (
            "tracks/track_full_local_guid_skipcount.xml",
            "track",
            None,
            {"updated_at": 0},
        ),
        (
            "albums/album_metadata_1.29.xml",
            "album",
            1,
            {"key": 8014, "added_at": 1710931892},
        ),
    ],
)
def test_recorded_answers_of_real_servers(file, kind, total, expected):
    path = SHARED / "plex-fixtures" / file
    if not path.is_file():
        pytest.skip(f"no recorded answers here ({path} does not exist)")
    columns = Columns(kind)
    data = path.read_bytes()
    if total is None:  # a player's timeline holds the track; the list around it is ours
        inner = data[data.index(b"<Track") : data.index(b"</Track>") + 8]
        data = listing(inner.decode())

    page = parse(data, columns)

    row = columns.frame().loc[0]
    assert {name: row[name] for name in expected} == expected
    assert total is None or page.total == total
