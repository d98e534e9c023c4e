"""A snapshot is brought up to date, or thrown away when something cannot be seen."""

from __future__ import annotations

import numpy as np

from plexsheet.library import Identity, Library, table
from plexsheet.plex.incremental import merged

NOBODY = Identity("s", "S", "u", 1, "Music", "1", "anna")
NONE = {"artist": table("artist", {"key": []}), "album": table("album", {"key": []})}


def library(keys: list[int], ratings: list[float]) -> Library:
    tracks = table("track", {"key": keys, "title": [f"t{k}" for k in keys], "user_rating": ratings})
    return Library(NOBODY, NONE["artist"], NONE["album"], tracks, read_at=100)


def update(old: Library, keys: list[int], ratings: list[float], total: int, rated: int):
    tracks = table("track", {"key": keys, "title": [f"n{k}" for k in keys], "user_rating": ratings})
    counts = {"artist": 0, "album": 0}
    return merged(
        old, NONE | {"track": tracks}, counts | {"track": total}, counts | {"track": rated}, 200
    )


def test_changed_and_new_items_take_their_place_in_key_order() -> None:
    now = update(library([1, 2, 3], [np.nan, 4.0, np.nan]), [5, 1], [6.0, 8.0], total=4, rated=3)

    assert now is not None
    assert now.tracks["key"].tolist() == [1, 2, 3, 5]
    assert now.tracks["title"].tolist() == ["n1", "t2", "t3", "n5"]
    assert now.tracks["user_rating"].tolist()[:2] == [8.0, 4.0]
    assert now.read_at == 200


def test_a_removed_item_or_a_cleared_rating_asks_for_a_full_read() -> None:
    old = library([1, 2, 3], [np.nan, 4.0, 5.0])

    assert update(old, [], [], total=2, rated=2) is None
    assert update(old, [], [], total=3, rated=1) is None
    assert update(old, [], [], total=3, rated=2) is not None
