"""Whether an item in Plex is the one remembered: the decision table, row by row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from plexsheet.identity import FEATURES, ItemIdentity, Lookup, alike, folded, verdict
from plexsheet.library import Kind

SONG = ItemIdentity(7, "So What", "Miles Davis", "Kind of Blue", 545_000, 1, 1)
LOCAL = replace(SONG, guid=0)
ALBUM = ItemIdentity(8, "Abbey Road", "The Beatles")
ARTIST = ItemIdentity(9, "Nina Simone")
OTHER = ItemIdentity(1, "Freddie Freeloader", "Miles Davis", "Kind of Blue", 586_000, 1, 2)


def now(one: ItemIdentity, **changes: Any) -> ItemIdentity:
    return replace(one, **changes)


TABLE: list[tuple[str, Kind, ItemIdentity, ItemIdentity, str]] = [
    # the same guid of Plex's catalogue
    ("same guid, same title", "track", SONG, SONG, "proven"),
    ("same guid, typo corrected", "track", SONG, now(SONG, title="So Waht"), "proven"),
    ("same guid, edition added", "track", SONG, now(SONG, title="So What (mono)"), "proven"),
    ("same guid, retitled, album and length", "track", SONG, now(SONG, title="Ah so"), "proven"),
    ("a guid that wandered to another song", "track", SONG, now(OTHER, guid=7), "other"),
    (
        "a guid that wandered within an artist, length by chance",
        "track",
        SONG,
        ItemIdentity(7, "Blue in Green", "Gil Evans", "Out of the Cool", 545_900, 1, 3),
        "other",
    ),
    (
        "same guid, album retitled by edition",
        "album",
        ALBUM,
        now(ALBUM, title="Abbey Road: Super Deluxe"),
        "proven",
    ),
    ("same guid, another album", "album", ALBUM, now(ALBUM, title="Let It Be"), "other"),
    ("same guid, artist", "artist", ARTIST, ARTIST, "proven"),
    ("same guid, another artist", "artist", ARTIST, now(ARTIST, title="Nick Drake"), "other"),
    ("only a guid is remembered", "track", ItemIdentity(7), SONG, "proven"),
    # no guid on one side or both: all it is called
    ("all the same", "track", LOCAL, LOCAL, "proven"),
    ("matched since", "track", LOCAL, SONG, "proven"),
    ("case and punctuation", "track", LOCAL, now(LOCAL, title="so what?"), "proven"),
    ("ripped again", "track", LOCAL, now(LOCAL, length_ms=547_500), "proven"),
    ("length unknown", "track", now(LOCAL, length_ms=0), LOCAL, "proven"),
    ("another recording of the song", "track", LOCAL, now(LOCAL, length_ms=600_000), "other"),
    ("same name elsewhere on the album", "track", LOCAL, now(LOCAL, index=5), "likely"),
    (
        "same name, place and length differ",
        "track",
        LOCAL,
        now(LOCAL, index=5, length_ms=560_000),
        "other",
    ),
    ("disc 0 is disc 1", "track", now(LOCAL, disc=0), LOCAL, "proven"),
    (
        "same album name of another artist",
        "album",
        now(ALBUM, guid=0),
        now(ALBUM, guid=0, artist="Booker T."),
        "other",
    ),
    # two guids of the catalogue
    ("matched anew", "track", SONG, now(SONG, guid=70), "likely"),
    ("two albums of one name", "album", ALBUM, now(ALBUM, guid=80), "likely"),
    # retags: two of three names, length and place
    ("typo corrected", "track", LOCAL, now(LOCAL, title="So Whta"), "likely"),
    ("titled at last", "track", now(LOCAL, title="Track 01"), LOCAL, "likely"),
    ("album renamed", "track", LOCAL, now(LOCAL, album="Kind of Blue (1959)"), "likely"),
    ("artist renamed", "track", LOCAL, now(LOCAL, artist="The Miles Davis Sextet"), "likely"),
    ("typo, place unknown", "track", now(LOCAL, index=0), now(LOCAL, title="So Whta"), "likely"),
    ("retitled, place unknown", "track", now(LOCAL, index=0), now(LOCAL, title="Ah so"), "other"),
    ("retitled, another place", "track", LOCAL, now(LOCAL, title="Ah so", index=2), "other"),
    (
        "retitled, another length",
        "track",
        LOCAL,
        now(LOCAL, title="Ah so", length_ms=548_000),
        "other",
    ),
    ("two names differ", "track", LOCAL, now(LOCAL, title="Ah so", album="Blue"), "other"),
    ("the next song of the album", "track", LOCAL, now(OTHER, guid=0), "other"),
    (
        "a typo in an album",
        "album",
        now(ALBUM, guid=0),
        ItemIdentity(0, "Abbey Raod", "The Beatles"),
        "likely",
    ),
    (
        "volume 2 is not volume 1",
        "album",
        ItemIdentity(0, "Hits 1", "A"),
        ItemIdentity(0, "Hits 2", "A"),
        "other",
    ),
    (
        "a typo in an album's artist",
        "album",
        now(ALBUM, guid=0),
        now(ALBUM, guid=0, artist="The Beatels"),
        "likely",
    ),
    (
        "typos in both",
        "album",
        now(ALBUM, guid=0),
        ItemIdentity(0, "Abbey Raod", "The Beatels"),
        "other",
    ),
    ("a typo in an artist", "artist", now(ARTIST, guid=0), ItemIdentity(0, "Nina Simon"), "likely"),
    ("nothing is known", "track", ItemIdentity(), SONG, "other"),
]


@pytest.mark.parametrize(
    ("kind", "then", "is_now", "expected"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_the_decision_table(kind: Kind, then: ItemIdentity, is_now: ItemIdentity, expected: str):
    assert verdict(kind, then, is_now) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Don't Stop", "Dont  stop!", True),
        ("Beyoncé", "Beyonce", True),
        ("Part I", "Part II", False),
        ("Song 2", "Song 3", False),
        ("A Side", "B Side", False),
        ("Run", "Rum", False),
        ("Love Me", "Love Me Do", False),
        ("Symphony in C", "Symphony in D", False),
        ("???", "!!!", False),
    ],
)
def test_titles_are_alike_but_for_a_typing_error(one: str, other: str, expected: bool):
    assert alike(one, other) is expected
    assert alike(other, one) is expected


def test_a_title_of_signs_alone_keeps_them():
    assert folded("!!!") != folded("???")


def table(*items: tuple[int, ItemIdentity], seen: int = 1) -> pd.DataFrame:
    columns: dict[str, Any] = {"key": np.array([key for key, _ in items], dtype=np.int64)}
    for name in FEATURES:
        values = [getattr(item, name) for _, item in items]
        text = name in ("title", "artist", "album")
        columns[name] = np.array(values, dtype=object if text else np.int64)
    return pd.DataFrame(columns).assign(seen=seen)


def located(
    remembered: list[tuple[int, ItemIdentity]], present: pd.DataFrame, kind: Kind = "track"
) -> list[int]:
    return Lookup(kind, present).locate(table(*remembered)).keys.tolist()


def test_keys_dealt_anew_are_followed_by_titles_where_guids_wandered():
    present = table((1, now(OTHER, guid=7)), (2, now(SONG, guid=1)), seen=2)

    assert located([(1, SONG), (2, OTHER)], present) == [2, 1]


def test_a_retag_is_followed_only_while_nothing_else_is_proven():
    retagged = now(LOCAL, title="So What (take 2)")

    assert located([(1, LOCAL)], table((1, retagged))) == [1]
    assert located([(1, LOCAL)], table((1, retagged), (2, LOCAL), seen=2)) == [2]


def test_of_two_items_that_fit_none_is_taken():
    twin = now(LOCAL, index=0, length_ms=0)
    found = Lookup("track", table((5, twin), (6, twin), seen=2)).locate(table((1, LOCAL)))

    assert found.keys.tolist() == [0]
    assert found.candidates.tolist() == [2]


def test_of_two_of_one_name_place_and_length_tell():
    present = table((5, now(LOCAL, index=4)), (6, LOCAL), seen=2)

    assert located([(1, LOCAL)], present) == [6]


def test_what_stood_beside_the_remembered_item_is_not_taken_for_it():
    """A copy on another album stays a copy when the first is deleted."""
    copy = now(SONG, album="The Best of Miles Davis", index=9)

    assert located([(1, SONG)], table((2, copy), seen=1)) == [0]
    assert located([(1, SONG)], table((2, copy), seen=2)) == [2]


def test_two_that_lay_claim_to_one_item_both_wait():
    assert located([(1, LOCAL), (2, LOCAL)], table((5, LOCAL), seen=2)) == [0, 0]


def test_one_item_remembered_before_and_after_a_retag_is_one_claim():
    before = now(LOCAL, title="So Waht")

    assert located([(1, LOCAL), (1, LOCAL)], table((5, LOCAL), seen=2)) == [5, 5]
    assert located([(1, before), (1, LOCAL)], table((1, LOCAL), seen=2)) == [1, 1]


def test_an_album_of_an_artist_with_two_of_one_name_is_known_by_its_guid():
    first, second = (
        ItemIdentity(1, "Peter Gabriel", "Peter Gabriel"),
        ItemIdentity(2, "Peter Gabriel", "Peter Gabriel"),
    )
    present = table((10, second), (20, first), seen=2)

    assert located([(10, first), (20, second)], present, "album") == [20, 10]


def test_a_row_that_names_no_parents_is_found_at_its_key_by_a_title_that_stands_once():
    said = ItemIdentity(title="so what")
    live = now(SONG, album="Live")

    assert located([(5, said)], table((5, SONG), (6, OTHER))) == [5]
    assert located([(6, said)], table((5, SONG), (6, OTHER))) == [0]
    assert located([(5, said)], table((5, SONG), (6, live))) == [0]
    assert located([(5, replace(said, length_ms=200_000))], table((5, SONG))) == [0]
