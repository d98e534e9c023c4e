"""The unmodified plexapi client reads, rates and edits on the demo server as it does on Plex."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from plexapi.exceptions import BadRequest
from plexapi.server import PlexServer

from tests.plex.server import DemoPlex


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoPlex]:
    with DemoPlex(tracks=100) as demo:
        yield demo


@pytest.fixture
def track(demo: DemoPlex) -> Iterator[Any]:
    with requests.Session() as session:
        server = PlexServer(demo.url, demo.token, session=session)
        yield server.library.section("Music").fetchItem(demo.items("track")[7]["key"])


def test_rate_and_clear(track: Any, demo: DemoPlex):
    track.rate(7.36)
    assert track.reload().userRating == 7.36
    track.rate(None)
    assert track.reload().userRating is None
    assert demo.rating(track.ratingKey) is None


def test_edit_rating_and_moods(track: Any):
    track.editUserRating(6.5, locked=False).addMood(["Two, one", "Second"], locked=False)
    track.reload()
    assert track.userRating == 6.5
    assert {"Two, one", "Second"} <= {mood.tag for mood in track.moods}
    assert track.fields == []

    track.removeMood("Two, one")
    assert "Two, one" not in {mood.tag for mood in track.reload().moods}
    assert [field.name for field in track.fields] == ["mood"]


def test_a_home_user_rates_alone_and_may_not_edit(demo: DemoPlex, track: Any):
    mine = demo.rating(track.ratingKey)
    with requests.Session() as session:
        home = PlexServer(demo.url, demo.home_token, session=session)
        item = home.fetchItem(f"/library/metadata/{track.ratingKey}")
        item.rate(3)

        assert item.reload().userRating == 3
        assert demo.rating(track.ratingKey) == mine
        with pytest.raises(BadRequest, match="403"):
            item.editUserRating(5)


def test_without_ids_an_edit_reaches_every_item_that_matches(track: Any, demo: DemoPlex):
    part = "/library/sections/1/all?type=10&userRating%3E%3E=8&userRating.value=1"
    demo.rate(demo.items("track")[3]["key"], 9.0)
    high = {key for key, rating in demo.ratings("track").items() if rating > 8}
    track._server.query(part, method=track._server._session.put)

    assert {demo.rating(key) for key in high} == {1}
