"""Songs of a list found in a library: what is sure, what a person decides, what is not there."""

from __future__ import annotations

import pytest

from plexsheet.library import Identity, Library, table
from plexsheet.matching.catalogue import Catalogue, Extras
from plexsheet.matching.match import match
from plexsheet.matching.normalise import albums, artists, titles
from plexsheet.matching.rows import ListRow

TRACKS = (
    # artist, album, title, number, length s, album's year
    ("C418", "Volume Beta", "Moog City 2", 5, 180, 2013),
    ("C418", "Volume Alpha", "Moog City", 9, 160, 2011),
    ("The Beatles", "Revolver", "Taxman", 1, 158, 1966),
    ("The Beatles", "Anthology", "Taxman", 7, 158, 1996),
    ("The Beatles", "Revolver", "Here, There and Everywhere", 5, 145, 1966),
    ("Nirvana", "Unplugged in New York", "Polly", 8, 196, 1994),
    ("Nirvana", "Nevermind", "Polly", 6, 177, 1991),
    ("Daft Punk", "Discovery", "One More Time", 1, 320, 2001),
    ("Daft Punk", "One More Time", "One More Time", 1, 236, 2000),
    ("Nina Simone", "Pastel Blues", "Sinnerman", 9, 622, 1965),
    ("Sasha", "Airdrawndagger", "Interlude", 2, 60, 2002),
    ("Sasha", "Airdrawndagger", "Interlude", 8, 95, 2002),
)


def library(*more: tuple[str, str, str, int, int, int], owned: dict[int, str] | None = None):
    """Those tracks as a library; ``owned``: performers of tracks by place."""
    rows = (*TRACKS, *more)
    pairs = list(dict.fromkeys((artist, album) for artist, album, *_ in rows))
    years = {(artist, album): year for artist, album, _, _, _, year in rows}
    tracks = table(
        "track",
        {
            "key": list(range(1, len(rows) + 1)),
            "artist": [row[0] for row in rows],
            "track_artist": [(owned or {}).get(at, "") for at in range(len(rows))],
            "album": [row[1] for row in rows],
            "album_key": [100 + pairs.index((row[0], row[1])) for row in rows],
            "title": [row[2] for row in rows],
            "index": [row[3] for row in rows],
            "duration_ms": [1000 * row[4] for row in rows],
            "year": [row[5] for row in rows],
        },
    )
    album = table(
        "album",
        {
            "key": list(range(100, 100 + len(pairs))),
            "title": [album for _, album in pairs],
            "artist": [artist for artist, _ in pairs],
            "year": [years[pair] for pair in pairs],
        },
    )
    return Library(
        Identity("s", "S", "u", 1, "Music", "1", "Me"), table("artist", {"key": []}), album, tracks
    )


CATALOGUE = Catalogue(library())


def found(catalogue: Catalogue = CATALOGUE, **row: object):
    (one,) = match([ListRow(1, **row)], catalogue)  # type: ignore[arg-type]
    return one, [catalogue.keys[place] for place in one.places]


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ({"title": "MOOG CITY 2", "artist": "c418", "album": "volume beta"}, 1),
        ({"title": "Here There & Everywhere", "artist": "Beatles, The", "album": "Revolver"}, 5),
        ({"title": "05 - Here, There and Everywhere (2009 Remaster)", "artist": "The Beatles",
          "album": "Revolver (Deluxe Edition) [Disc 1]"}, 5),
        ({"title": "Sinnerman (feat. Nobody)", "artist": "Nina Simone", "length_ms": 622_500}, 10),
        ({"title": "Nina Simone - Sinnerman", "artist": "Nina Simone", "number": 9}, 10),
        ({"title": "Ｓｉｎｎｅｒｍａｎ", "artist": "Nina Simone"}, 10),
        ({"title": "Sinnreman", "artist": "Nina Simone", "album": "Pastel Blues", "number": 9,
          "length_ms": 621_000}, 10),
        ({"title": "Interlude", "artist": "Sasha", "album": "Airdrawndagger", "number": 8}, 12),
        ({"title": "Interlude", "artist": "Sasha", "length_ms": 60_000}, 11),
        ({"title": "One More Time", "artist": "Daft Punk", "album": "Discovery"}, 8),
        ({"title": "Polly (Live)", "artist": "Nirvana"}, 6),
        ({"title": "9 Sinnerman", "artist": "Nina Simone", "album": "Pastel Blues"}, 10),
    ],
)  # fmt: skip
def test_sure(row, key):
    one, keys = found(**row)

    assert (one.certainty, keys[0], one.reason) == ("sure", key, "")


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"title": "Moog City 3", "artist": "C418"}, "only one says"),
        (
            {"title": "Sinnerman (Live at Montreux)", "artist": "Nina Simone"},
            "only the list's is live",
        ),
        ({"title": "Sinnerman (Felix da Housecat Remix)", "artist": "Nina Simone"}, "remix"),
        ({"title": "Sinnerman", "artist": "Peter Tosh"}, "other artist"),
        (
            {"title": "Sinnerman", "artist": "Nina Simone", "length_ms": 300_000},
            "longer or shorter",
        ),
        ({"title": "Something Else", "artist": "Nobody"}, "Nothing in Plex is like it"),
    ],
)
def test_contradictions_are_never_taken(row, why):
    one, _ = found(**row)

    assert one.certainty == "unmatched"
    assert why in one.reason


def test_nearly_the_same_title_is_likely_at_most_without_its_place():
    one, keys = found(title="Sinnerma", artist="Nina Simone", length_ms=622_000)
    without_length, _ = found(title="Sinnerma", artist="Nina Simone")

    assert (one.certainty, keys) == ("likely", [10])
    assert without_length.certainty == "unmatched"
    assert "Sinnerman" in without_length.reason


def test_two_lengths_of_one_song_are_ambiguous_without_album_and_length():
    one, _ = found(title="One More Time", artist="Daft Punk")

    assert one.certainty == "ambiguous"
    assert "2 songs fit equally well" in one.reason
    assert {CATALOGUE.keys[c.place] for c in one.candidates} == {8, 9}


def test_copies_of_one_recording_are_one_choice_the_oldest_first():
    one, keys = found(title="Taxman", artist="The Beatles")
    told, there = found(title="Taxman", artist="The Beatles", album="Anthology")

    assert (one.certainty, keys) == ("sure", [3, 4])
    assert (told.certainty, there) == ("sure", [4])


def test_a_live_recording_makes_a_bare_name_doubtful():
    one, _ = found(title="Polly", artist="Nirvana")
    timed, keys = found(title="Polly", artist="Nirvana", length_ms=177_000)

    assert (one.certainty, one.reason[:25]) == ("likely", "There is a live recording")
    assert (timed.certainty, keys) == ("sure", [7])


def test_the_performer_counts_not_the_album_artist():
    held = library(("Various Artists", "Hits", "Dream", 1, 200, 2001), owned={12: "Anna"})
    catalogue = Catalogue(held)

    mine, keys = found(catalogue, title="Dream", artist="Anna", album="Hits")
    other, _ = found(
        catalogue, title="Dream", artist="Berta", album_artist="Various Artists", album="Hits"
    )

    assert (mine.certainty, keys) == ("sure", [13])
    assert other.certainty == "unmatched"


def test_the_end_of_a_path_is_proof():
    files = {10: ["/data/Nina Simone/Pastel Blues/09 Sinnerman.flac"], 3: ["/data/x/y/z.flac"]}
    catalogue = Catalogue(library(), Extras(files=files))
    row = {
        "title": "??",
        "artist": "",
        "file": "D:/Musik/Nina Simone/Pastel Blues/09 Sinnerman.flac",
    }

    one, keys = found(catalogue, **row)
    short, _ = found(catalogue, title="??", file="E:/Pastel Blues/09 Sinnerman.flac")

    assert (one.certainty, one.evidence, keys) == ("sure", "file path", [10])
    assert short.certainty == "unmatched"  # a folder's name alone is none


def test_a_musicbrainz_id_is_proof_unless_the_length_denies_it():
    catalogue = Catalogue(library(), Extras(ids={10: ["ABC-1"]}))

    one, keys = found(catalogue, title="Sünder", artist="N.", ids=("abc-1",))
    off, _ = found(catalogue, title="Sünder", artist="N.", ids=("abc-1",), length_ms=100_000)

    assert (one.certainty, one.evidence, keys) == ("sure", "MusicBrainz id", [10])
    assert off.certainty == "unmatched"


def test_an_empty_library_and_an_empty_list():
    empty = Library(
        CATALOGUE_IDENTITY, *(table(kind, {"key": []}) for kind in ("artist", "album", "track"))
    )

    assert match([], CATALOGUE) == []
    assert (
        match([ListRow(1, "A", "B", length_ms=1000)], Catalogue(empty))[0].certainty == "unmatched"
    )


CATALOGUE_IDENTITY = Identity("s", "S", "u", 1, "Music", "1", "Me")


# Folding


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Don't Stop", "Dont Stop - 2011 Remaster"),
        ("Rock 'n' Roll", "Rock & Roll"),
        ("Café", "CAFE"),
        ("Song", "Song (Album Version)"),
        ("Song", "Song [Bonus Track]"),
        ("Song Pt. 2", "Song (Part II)"),
        ("Song", "Song ft. Somebody & Others"),
        ("Song", "Song (Official Music Video)"),
        ("Song", "12 - Song"),
    ],
)
def test_titles_that_are_one(one, other):
    a, b = titles([one, other])

    assert (a.key, a.marks, a.live) == (b.key, b.marks, b.live)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Song", "Song (Live)"), ("Song", "Song (Acoustic)"), ("Song 1", "Song 2"),
        ("Song", "Song (Radio Edit)"), ("Song Pt. 1", "Song Pt. 2"), ("Song A", "Song B"),
        ("99 Problems", "Problems"), ("Song feat. X (Y Remix)", "Song feat. X"),
        ("Breathe feat. Jem (Original Mix) Pt. 2", "Breathe feat. Jem (Original Mix)"),
    ],
)  # fmt: skip
def test_titles_that_are_two(one, other):
    a, b = titles([one, other])

    assert (a.key, a.marks, a.live) != (b.key, b.marks, b.live)


def test_artists_and_albums():
    beatles, the, guest = artists(
        ["Beatles, The", "The Beatles", "The Beatles feat. Billy Preston"]
    )
    plain, disc, ep, unknown = albums(
        ["Tommy", "Tommy (Disc 2) [Remastered]", "Tommy - EP", "Unknown"]
    )

    assert beatles.key == the.key == guest.key
    assert artists(["Various Artists"])[0].key == ""
    assert plain.key == disc.key == ep.key
    assert unknown.key == albums(["[Unknown Album]"])[0].key == ""
    assert [album.live for album in albums(["Live at Leeds", "Live and Let Die", "Alive"])] == [
        True, False, False,
    ]  # fmt: skip
