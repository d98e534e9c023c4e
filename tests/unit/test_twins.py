"""Which tracks are one recording: small libraries worked out by hand, and properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plexsheet.config.settings import TwinSettings
from plexsheet.inference import twins
from plexsheet.inference.model import TwinDecision
from plexsheet.library import Identity, Library, table

IDENTITY = Identity("server", "Server", "uuid", 1, "Music", "1", "me")
RULES = TwinSettings()


def library(*tracks, albums=None):
    """A library of tracks (title, album, seconds, and columns by name)."""
    names = list(dict.fromkeys(album for _, album, _, _ in map(_full, tracks)))
    subformats = albums or {}
    rows = [_full(track) for track in tracks]
    columns = {
        "key": [more.get("key", 100 + i) for i, (*_, more) in enumerate(rows)],
        "title": [title for title, *_ in rows],
        "album": [album for _, album, *_ in rows],
        "album_key": [10 + names.index(album) for _, album, *_ in rows],
        "duration_ms": [round(1000 * (seconds or 0)) for _, _, seconds, _ in rows],
        "artist": [more.get("artist", "Nina") for *_, more in rows],
        "track_artist": [more.get("track_artist", "") for *_, more in rows],
        "guid": [more.get("guid", f"local://{i}") for i, (*_, more) in enumerate(rows)],
    }
    return Library(
        IDENTITY,
        table("artist", {"key": [1], "title": ["Nina"]}),
        table(
            "album",
            {
                "key": [10 + i for i in range(len(names))],
                "title": names,
                "subformat": [subformats.get(name, "") for name in names],
            },
        ),
        table("track", columns),
    )


def _full(track):
    title, album, seconds, *more = track
    return title, album, seconds, (more[0] if more else {})


def groups(lib, settings=RULES, decisions=None):
    return twins.find(lib, settings, decisions).group.tolist()


@pytest.mark.parametrize(
    ("title", "plain"),
    [
        ("Don't Stop", "dont stop"),
        ("Don’t Stop – 2011 Remaster", "dont stop"),
        ("Don't Stop - Remastered 2011", "dont stop"),
        ("Don't Stop (Remastered)", "dont stop"),
        ("Don't Stop [2009 Digital Remaster]", "dont stop"),
        ("Don't Stop - Remastered Version", "dont stop"),
        ("Don't Stop [Deluxe Edition]", "dont stop"),
        ("Don't Stop (Bonus Track)", "dont stop"),
        ("Don't Stop (feat. Somebody) [Remastered 2009]", "dont stop"),
        ("Don't Stop ft. Somebody", "dont stop"),
        ("Don't Stop - Mono", "dont stop mono"),
        ("Don't Stop (Radio Edit)", "dont stop radio edit"),
        ("Version", "version"),
        ("Remastered", "remastered"),
        ("(Remastered)", "remastered"),
        ("Special Edition", "special edition"),
        ("Rock & Roll", "rock and roll"),
        ("Déjà Vu", "deja vu"),
        ("ＡＢＣ", "abc"),
        ("がく", "がく"),
        ("???", "???"),
        ("!!!", "!!!"),
        ("हिन्दी", "हिन्दी"),
        ("1999", "1999"),
        ("two\nlines", "two lines"),
        ("", ""),
    ],
)
def test_titles_lose_what_says_nothing_of_the_recording(title, plain):
    assert twins.titles.normalised([title])[0] == [plain]


def test_titles_in_bulk_are_as_one_by_one():
    some = ["A (Live)", "", "É - 2011 Remaster", "B\nC", "???", "x feat. y", "D\x85E"] * 3

    plain, bracketed = twins.titles.normalised(some)

    assert plain == [twins.titles.normalised([title])[0][0] for title in some]
    assert bracketed.tolist() == ["(" in title for title in some]


def test_same_song_on_two_albums_is_a_twin():
    lib = library(
        ("Feeling Good", "Studio", 174),
        ("Feeling good - 2011 Remaster", "Best of", 176),
        ("Sinnerman", "Studio", 600),
    )

    found = twins.find(lib, RULES)

    assert found.group.tolist() == [0, 0, -1]
    assert found.evidence.tolist() == ["name", "name", ""]


def test_copies_on_one_album_are_not_twins():
    assert groups(library(("A", "One", 100), ("A", "One", 101))) == [-1, -1]


def test_radio_edits_and_studio_versions_are_two_groups():
    lib = library(("A", "One", 210), ("A", "Two", 170), ("A", "Three", 211), ("A", "Four", 171))

    assert groups(lib) == [0, 1, 0, 1]


def test_copies_at_the_tolerance_are_twins_and_beyond_it_not():
    assert groups(library(("A", "One", 200), ("A", "Two", 205))) == [0, 0]
    assert groups(library(("A", "One", 200), ("A", "Two", 205.001))) == [-1, -1]


def test_a_chain_of_lengths_is_cut_at_its_widest_gap():
    lib = library(*[("A", f"Album {s}", s) for s in (200, 204, 206, 207, 208)])

    assert groups(lib) == [-1, 0, 0, 0, 0]


def test_a_copy_without_length_joins_a_single_cluster():
    lib = library(("A", "One", 200), ("A", "Two", None), ("A", "Three", 202))

    assert groups(lib) == [0, 0, 0]


def test_a_copy_without_length_never_links_two_clusters():
    lib = library(("A", "One", 210), ("A", "Two", 211), ("A", "Three", 170), ("A", "Four", None))

    assert groups(lib) == [0, 0, -1, -1]


def test_copies_without_any_length_are_twins():
    assert groups(library(("A", "One", None), ("A", "Two", None))) == [0, 0]


@pytest.mark.parametrize(
    "title", ["A (live)", "A [Live]", "A_live_", "A - LIVE!", "Live: A", "A “live”", "A/Demo"]
)
def test_keywords_match_as_whole_words_next_to_any_punctuation(title):
    lib = library((title, "One", 200), (title, "Two", 200))

    assert groups(lib, TwinSettings(exclude_parentheses=False)) == [-1, -1]


@pytest.mark.parametrize("title", ["Alive", "Olive Tree", "Delivered", "Demons", "Remixes"])
def test_keywords_inside_other_words_do_not_count(title):
    assert groups(library((title, "One", 200), (title, "Two", 200))) == [0, 0]


def test_keywords_in_the_album_title_count():
    lib = library(("A", "One", 200), ("A", "Acoustic/Sessions", 200), ("A", "Olives", 200))

    assert groups(lib) == [0, -1, 0]


def test_brackets_keep_a_title_out_unless_they_name_edition_or_guest():
    lib = library(
        ("A (Part 2)", "One", 200),
        ("A (Part 2)", "Two", 200),
        ("B (feat. X)", "One", 200),
        ("B [Remastered 2009]", "Two", 200),
    )

    assert groups(lib) == [-1, -1, 0, 0]
    assert groups(lib, TwinSettings(exclude_parentheses=False)) == [0, 0, 1, 1]


def test_live_albums_are_kept_out():
    lib = library(("A", "One", 200), ("A", "Two", 200), albums={"Two": "Compilation; Live"})

    assert groups(lib) == [-1, -1]
    assert groups(lib, TwinSettings(exclude_live_albums=False)) == [0, 0]


def test_various_artists_without_a_track_artist_are_not_twins():
    va = {"artist": "Various Artists"}
    lib = library(("A", "One", 200, va), ("A", "Two", 200, va))

    assert groups(lib) == [-1, -1]


def test_the_track_artist_of_a_compilation_finds_the_artists_own_album():
    compiled = {"artist": "Various Artists", "track_artist": "The Nina"}
    lib = library(("A", "One", 200), ("A", "Two", 200, compiled))

    assert groups(lib) == [0, 0]


def test_one_guid_is_certain_across_every_rule():
    same = {"guid": "plex://track/1"}
    lib = library(
        ("A (live)", "One", 200, same),
        ("Something else", "One", 400, same | {"artist": "Various Artists"}),
        ("A", "Two", 200),
        albums={"One": "Live"},
    )

    found = twins.find(lib, RULES)

    assert found.group.tolist() == [0, 0, -1]
    assert found.evidence.tolist() == ["guid", "guid", ""]


def test_other_guids_than_plex_ones_promise_nothing():
    same = {"guid": "local://1"}

    assert groups(library(("A", "One", 200, same), ("B", "Two", 200, same))) == [-1, -1]


def test_a_guid_brings_its_copies_into_a_group_found_by_name():
    same = {"guid": "plex://track/1"}
    lib = library(("A", "One", 200), ("A", "Two", 201, same), ("A", "Two", 300, same))

    found = twins.find(lib, RULES)

    assert found.group.tolist() == [0, 0, 0]
    assert found.evidence.tolist() == ["name", "guid", "guid"]


def test_groups_are_numbered_by_their_smallest_key():
    lib = library(
        ("B", "One", 200, {"key": 9}),
        ("A", "One", 200, {"key": 7}),
        ("B", "Two", 200, {"key": 5}),
        ("A", "Two", 200, {"key": 6}),
    )

    assert groups(lib) == [0, 1, 0, 1]


def test_same_joins_what_the_rules_keep_apart():
    lib = library(("A", "One", 200), ("A (live)", "Two", 300), ("A", "Three", 201))
    same = {100: TwinDecision(100, "SAME", "x"), 101: TwinDecision(101, "SAME", "x")}

    found = twins.find(lib, RULES, same)

    assert found.group.tolist() == [0, 0, 0]
    assert found.evidence.tolist() == ["decision", "decision", "name"]


def test_split_parts_a_group_by_letter():
    lib = library(*[("A", f"Album {i}", 200) for i in range(4)])
    letters = dict(zip(range(100, 104), "aabB", strict=True))
    split = {key: TwinDecision(key, "SPLIT", "x", letter) for key, letter in letters.items()}

    assert groups(lib, decisions=split) == [0, 0, 1, 1]


def test_split_without_labels_stays_within_each_group():
    lib = library(("A", "One", 200), ("A", "Two", 200), ("B", "One", 200), ("B", "Two", 200))
    split = {key: TwinDecision(key, "SPLIT", "", "a") for key in range(100, 104)}

    assert groups(lib, decisions=split) == [0, 0, 1, 1]


def test_never_takes_a_track_out_of_its_group():
    lib = library(*[("A", f"Album {i}", 200) for i in range(3)])

    assert groups(lib, decisions={101: TwinDecision(101, "NEVER")}) == [0, -1, 0]


def test_twins_by_guid_cannot_be_split():
    same = {"guid": "plex://track/1"}
    lib = library(("A", "One", 200, same), ("A", "Two", 200, same), ("A", "Three", 200))
    parting = {
        100: TwinDecision(100, "SPLIT", "x", "a"),
        101: TwinDecision(101, "NEVER"),
        102: TwinDecision(102, "SPLIT", "x", "b"),
    }

    assert groups(lib, decisions=parting) == [0, 0, -1]


def test_decisions_about_tracks_that_are_gone_are_ignored():
    lib = library(("A", "One", 200), ("A", "Two", 200))

    assert groups(lib, decisions={999: TwinDecision(999, "NEVER")}) == [0, 0]


def test_disabled_twins_leave_what_plex_itself_holds_as_one():
    same = {"guid": "plex://track/1"}
    lib = library(
        ("A", "One", 200), ("A", "Two", 200), ("B", "One", 9, same), ("C", "Two", 8, same)
    )

    assert groups(lib, TwinSettings(enabled=False)) == [-1, -1, 0, 0]


def test_no_tracks_and_no_albums_are_no_twins():
    empty = Library(
        IDENTITY,
        table("artist", {"key": []}),
        table("album", {"key": []}),
        table("track", {"key": []}),
    )

    assert groups(empty) == []


TRACKS = st.lists(
    st.tuples(
        st.sampled_from(["A", "B", "A (live)", "A - 2011 Remaster", "", "?"]),
        st.sampled_from(["One", "Two", "Live One"]),
        st.sampled_from([None, 100, 103, 106, 109, 300]),
        st.fixed_dictionaries(
            {"guid": st.sampled_from(["plex://track/1", "plex://track/2", "local://1", ""])},
            optional={"artist": st.sampled_from(["Nina", "Various Artists", ""])},
        ),
    ),
    max_size=12,
)
DECISIONS = st.dictionaries(
    st.integers(100, 112),
    st.tuples(
        st.sampled_from(["SAME", "SPLIT", "NEVER"]),
        st.sampled_from(["", "x", "y"]),
        st.sampled_from(["", "a", "b"]),
    ),
    max_size=6,
)


@given(TRACKS, DECISIONS)
def test_any_library_gives_groups_of_two_or_more_and_keeps_guids_whole(tracks, decided):
    lib = library(*tracks)
    decisions = {key: TwinDecision(key, *choice) for key, choice in decided.items()}

    found = twins.find(lib, RULES, decisions)

    group, guid = found.group, lib.tracks["guid"].to_numpy()
    assert sorted(set(group[group >= 0])) == list(range(found.groups))
    assert (np.bincount(group[group >= 0]) >= 2).all()
    assert ((group >= 0) == (found.evidence != "")).all()
    for shared in {"plex://track/1", "plex://track/2"}:
        members = group[guid == shared]
        assert len(set(members)) <= 1
        assert len(members) < 2 or members[0] >= 0


@given(TRACKS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(tracks, random):
    rows = [(t, a, s, more | {"key": 100 + i}) for i, (t, a, s, more) in enumerate(tracks)]
    mixed = random.sample(rows, len(rows))

    straight, shuffled = library(*rows), library(*mixed)

    at = dict(zip(shuffled.keys("track").tolist(), groups(shuffled), strict=True))
    assert [at[key] for key in straight.keys("track").tolist()] == groups(straight)
