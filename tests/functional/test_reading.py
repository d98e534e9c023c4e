"""The library read anew from what changed: what a run sees, what it asks for, when it asks for all.

Compared is always with a full read of the same moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from plexsheet.library import KINDS, Library
from plexsheet.operations.read import FULL_EVERY_S, read_library
from plexsheet.plex.connection import connect
from plexsheet.plex.gateway import LAST_RATED
from plexsheet.state.store import State, open_state
from tests.driver import Tool
from tests.plex.server import DemoPlex

TRACKS = 1500


class Reader:
    """One library that is read again and again."""

    def __init__(self, demo: DemoPlex, state: State) -> None:
        self.demo, self.state = demo, state
        self.gateway = connect(demo.url, demo.token, "Music", backoff_s=(0.0, 0.0, 0.0))
        self.scope = state.scope(self.gateway.identity)

    def read(self, **options: Any) -> Library:
        self.demo.reset_requests()
        return read_library(self.gateway, self.state, self.scope, **options)

    @property
    def read_whole(self) -> bool:
        """Whether the last read listed all tracks: a listing of them without a filter."""
        listings = [line for line in self.demo.log if "/all?type=10&sort=id" in line]
        return len(listings) > 1  # a single one asks for their number only

    def remembered(self, **changes: Any) -> None:
        """Change what is known of the snapshot."""
        entry = self.state.kv(self.scope, "snapshot")
        self.state.set_kv(self.scope, "snapshot", entry | changes)

    def assert_as_in_plex(self, library: Library) -> None:
        whole = self.gateway.read_library()
        for kind in KINDS:
            one, other = (
                lib.table(kind).sort_values("key", ignore_index=True) for lib in (library, whole)
            )
            pd.testing.assert_frame_equal(one, other)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    several_pages = {"max_page": TRACKS // 3}
    with (
        DemoPlex(tracks=TRACKS, faults=several_pages) as demo,
        open_state(tmp_path / "plexsheet.db") as state,
    ):
        reader = Reader(demo, state)
        reader.read()
        assert reader.read_whole
        yield reader


def unrated(demo: DemoPlex, kind: str = "track") -> list[int]:
    return [item["key"] for item in demo.items(kind) if item["userRating"] is None]


def rated(demo: DemoPlex, kind: str = "track") -> list[int]:
    return [item["key"] for item in demo.items(kind) if item["userRating"] is not None]


def test_nothing_changed_is_seen_by_few_requests(reader):
    library = reader.read()

    assert not reader.read_whole
    assert reader.demo.requests.total() <= 16
    reader.assert_as_in_plex(library)


def test_new_and_changed_ratings_of_every_kind_are_read_without_the_rest(reader):
    for kind in KINDS:
        reader.demo.rate(unrated(reader.demo, kind)[0], 7.0)
        reader.demo.rate(rated(reader.demo, kind)[0], 2.5)

    library = reader.read()

    assert not reader.read_whole
    reader.assert_as_in_plex(library)


def test_a_new_title_and_genre_are_read_and_passed_on_to_what_is_below(reader):
    store = reader.demo.store
    with store.lock:
        album = next(iter(store.items[9].values()))
        for item, title in ((album, "Renamed"), (album.parent, "Renamed too")):
            item.title, item.updated_at = title, int(store.now())
        store.set_tags(album, "genre", ["Polka"])

    library = reader.read()

    assert not reader.read_whole
    reader.assert_as_in_plex(library)


def test_albums_we_wrote_to_and_plex_does_not_list_are_as_in_a_listing(tmp_path):
    """By itself an item has all its genres, in a listing two: a next run would infer anew."""
    with DemoPlex(tracks=300) as demo:
        tool = Tool(tmp_path, demo)
        tool.infer()
        demo.set_faults(clock_offset=200)  # what was written is older than the window looked at
        runs = [tool("infer", "--yes") for _ in range(3)]
        with open_state(tool.state) as state:
            reader = Reader(demo, state)

            library = reader.read()

            assert not reader.read_whole
            reader.assert_as_in_plex(library)
    assert all("Nothing was rated, played or changed" in run.words for run in runs)


def test_several_small_reads_in_a_row_stay_true(reader):
    for step in range(5):
        reader.demo.rate(unrated(reader.demo)[step], float(step + 1))
        reader.demo.rate(rated(reader.demo)[3 * step], 9.5)
        library = reader.read()
        assert not reader.read_whole
    reader.assert_as_in_plex(library)


def test_a_cleared_rating_shows_in_no_listing_and_is_caught_by_the_totals(reader):
    cleared = rated(reader.demo)[0]
    reader.demo.rate(cleared, None)

    library = reader.read()

    assert reader.read_whole
    assert pd.isna(library.tracks.set_index("key").loc[cleared, "user_rating"])


def test_a_cleared_rating_is_not_hidden_by_a_new_one(reader):
    cleared, new = rated(reader.demo)[0], unrated(reader.demo)[0]
    reader.demo.rate(cleared, None)
    reader.demo.rate(new, 8.0)

    library = reader.read()

    assert reader.read_whole
    reader.assert_as_in_plex(library)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_removed_is_caught_by_the_totals(reader, kind):
    reader.demo.delete(reader.demo.items(kind)[3]["key"])

    library = reader.read()

    assert reader.read_whole
    reader.assert_as_in_plex(library)


def test_an_item_under_a_new_key_is_caught(reader):
    new = reader.demo.rekey(unrated(reader.demo)[0])

    library = reader.read()

    assert reader.read_whole
    assert new in library.keys("track")
    reader.assert_as_in_plex(library)


def test_everything_is_read_once_a_week(reader):
    known = reader.state.kv(reader.scope, "snapshot")
    reader.remembered(full_at=known["full_at"] - FULL_EVERY_S - 1)

    reader.read()
    assert reader.read_whole

    reader.read()
    assert not reader.read_whole


def test_everything_is_read_when_asked_for(reader):
    reader.read(full=True)

    assert reader.read_whole


def test_everything_is_read_from_a_server_of_another_version(reader):
    reader.remembered(server_version="1.0.0")

    reader.read()

    assert reader.read_whole


def test_a_server_that_refuses_the_filters_is_read_whole(reader):
    reader.demo.set_faults(every_nth=1, kind="400", on="reads", times=1)

    library = reader.read()

    assert reader.read_whole
    reader.assert_as_in_plex(library)


def test_a_rating_that_left_no_trace_is_seen_after_a_week_at_most(reader):
    """Another program's batch edit on a server that gives those no time: the documented limit."""
    key = min(rated(reader.demo))
    for other in unrated(reader.demo)[-LAST_RATED:]:  # every reading looks at the highest keys
        reader.demo.rate(other, 6.0)
    reader.read()
    item = reader.demo.find(key)
    with reader.demo.store.lock:
        reader.demo.store.rate(item, 1.5, stamp=False)

    assert float(reader.read().tracks.set_index("key").loc[key, "user_rating"]) != 1.5
    known = reader.state.kv(reader.scope, "snapshot")
    reader.remembered(full_at=known["full_at"] - FULL_EVERY_S - 1)
    assert float(reader.read().tracks.set_index("key").loc[key, "user_rating"]) == 1.5
