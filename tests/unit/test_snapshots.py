"""The library kept in the state: whole, in parts, and never more than a copy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from plexsheet.library import KINDS, Identity, Library, table
from plexsheet.state import snapshots
from plexsheet.state.store import State, open_state

HERE = Identity("server", "Server", "section", 1, "Music", "1", "me", "1.40")
ODD = ["Ünï ★ 漢字 𝄞", "", " blank ", "a\nb\tc", "\ud800 alone", "; ", "x" * 40_000]


@pytest.fixture
def state(tmp_path: Path):
    with open_state(tmp_path / "plexsheet.db") as state:
        yield state


def library(tracks: int = 50, read_at: int = 1000) -> Library:
    number = np.arange(tracks)
    title = [ODD[i % len(ODD)] for i in number]
    return Library(
        HERE,
        table("artist", {"key": [1, 2], "title": ["One", "Two"], "genres": ["Jazz; Pop", ""]}),
        table("album", {"key": [10, 11], "title": ["A", "B"], "critic_rating": [np.nan, 7.25]}),
        table(
            "track",
            {
                "key": 100 + number * 3,
                "guid": [f"plex://track/{i:024x}" for i in number],
                "title": title,
                "sort_title": [t if i % 2 else f"sort {i}" for i, t in enumerate(title)],
                "user_rating": np.where(number % 3 == 0, number % 10 + 0.1, np.nan),
                "updated_at": 2**40 - number,
                "duration_ms": number * 1000,
            },
        ),
        read_at=read_at,
    )


def rerated(whole: Library, rows: list[int], value: float, read_at: int = 2000) -> Library:
    tracks = whole.tracks.copy()
    tracks.loc[rows, "user_rating"] = value
    return replace(whole, tracks=tracks, read_at=read_at)


def scope_of(state: State) -> int:
    return state.scope(HERE)


def bytes_kept(state: State) -> int:
    return int(state.database.read("SELECT sum(length(columns)) FROM snapshot")[0][0])


def assert_same(one: Library, other: Library) -> None:
    assert one.read_at == other.read_at
    for kind in KINDS:
        pd.testing.assert_frame_equal(one.table(kind), other.table(kind))


def test_what_was_saved_is_loaded_whatever_its_titles(state):
    whole = library()

    snapshots.save(state, scope_of(state), whole, None, "1.40")

    found = snapshots.load(state, scope_of(state), HERE)
    assert found is not None
    assert_same(found.library, whole)
    assert found.server_version == "1.40"


def test_an_empty_library_is_a_library(state):
    empty = Library(HERE, *(table(kind, {"key": []}) for kind in KINDS), read_at=5)

    snapshots.save(state, scope_of(state), empty, None, "1")

    found = snapshots.load(state, scope_of(state), HERE)
    assert found is not None
    assert_same(found.library, empty)


def test_a_run_after_few_changes_stores_few_bytes(state):
    scope = scope_of(state)
    whole = library(2000)
    snapshots.save(state, scope, whole, None, "1")
    before = bytes_kept(state)
    first = snapshots.load(state, scope, HERE)

    snapshots.save(state, scope, rerated(whole, [3, 4, 1999], 9.0), first, "1")

    assert bytes_kept(state) - before < 2000 < before
    second = snapshots.load(state, scope, HERE)
    assert second is not None
    assert_same(second.library, rerated(whole, [3, 4, 1999], 9.0))
    assert second.full_at == first.full_at
    assert second.saved_at >= first.saved_at


def test_later_parts_win_and_many_are_written_anew(state):
    scope = scope_of(state)
    current = library(400)
    snapshots.save(state, scope, current, None, "1")
    for step in range(60):
        known = snapshots.load(state, scope, HERE)
        current = rerated(current, [step, step + 1], step % 10 + 0.5, read_at=3000 + step)
        snapshots.save(state, scope, current, known, "1")

    found = snapshots.load(state, scope, HERE)
    assert found is not None
    assert_same(found.library, current)
    parts = state.database.read("SELECT max(part) FROM snapshot")[0][0]
    assert parts <= 41


def test_nothing_changed_adds_no_part(state):
    scope = scope_of(state)
    whole = library()
    snapshots.save(state, scope, whole, None, "1")
    known = snapshots.load(state, scope, HERE)
    before = bytes_kept(state)

    snapshots.save(state, scope, replace(known.library, read_at=1500), known, "1")

    assert bytes_kept(state) == before
    assert snapshots.load(state, scope, HERE).library.read_at == 1500


def test_items_that_are_gone_are_gone(state):
    scope = scope_of(state)
    whole = library()
    snapshots.save(state, scope, whole, None, "1")
    known = snapshots.load(state, scope, HERE)
    fewer = replace(whole, tracks=whole.tracks.iloc[5:].reset_index(drop=True))

    snapshots.save(state, scope, fewer, known, "1")

    assert_same(snapshots.load(state, scope, HERE).library, fewer)


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE snapshot SET columns = substr(columns, 1, 40)",
        "UPDATE snapshot SET columns = zeroblob(500)",
        "UPDATE snapshot SET part = 7",
        "UPDATE kv SET value = json_set(value, '$.format', 99) WHERE name = 'snapshot'",
        "DELETE FROM kv WHERE name = 'snapshot'",
    ],
)
def test_a_damaged_snapshot_is_no_snapshot(state, harm):
    scope = scope_of(state)
    snapshots.save(state, scope, library(), None, "1")

    with state.database.transaction() as db:
        db.execute(harm)

    assert snapshots.load(state, scope, HERE) is None


def test_each_library_has_its_own(state):
    other = replace(HERE, account_id="2", account="guest")
    snapshots.save(state, scope_of(state), library(), None, "1")

    assert snapshots.load(state, state.scope(other), other) is None


def test_a_library_takes_little_room(state):
    tracks = 20_000
    random = np.random.default_rng(1)
    words = np.array([f"word{i}" for i in range(3000)])
    titles = [" ".join(three) for three in random.choice(words, (tracks, 3))]
    album = np.arange(tracks) // 11
    whole = replace(
        library(),
        tracks=table(
            "track",
            {
                "key": np.sort(random.choice(10**7, tracks, replace=False)) + 1,
                "guid": [f"plex://track/{random.integers(2**62):024x}" for _ in range(tracks)],
                "title": titles,
                "album": [f"Album {titles[i]}" for i in album],
                "artist": [f"Artist {titles[i // 5]}" for i in album],
                "added_at": 1_600_000_000 + album * 977,
                "updated_at": random.integers(1_600_000_000, 1_700_000_000, tracks),
                "last_viewed_at": random.integers(1_600_000_000, 1_700_000_000, tracks),
                "duration_ms": random.integers(60_000, 500_000, tracks),
                "user_rating": np.where(random.random(tracks) < 0.2, 7.0, np.nan),
            },
        ),
    )

    snapshots.save(state, scope_of(state), whole, None, "1")

    assert bytes_kept(state) < 120 * tracks
