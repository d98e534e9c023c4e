"""Whose a rating is: ours while it stands as we left it, the person's in every other case."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from plexsheet.inference.model import TwinDecision
from plexsheet.library import KINDS, Identity, Kind, Library, table
from plexsheet.ownership import Owned, leaders, owned

NAN = math.nan
IDENTITY = Identity("server", "Server", "uuid", 1, "Music", "1", "me", "1.0", True)
SHARED = "plex://track/one"


def library(ratings: Mapping[int, tuple[float, int]], guids: Mapping[int, str]) -> Library:
    """Tracks with rating and time of rating by key; one artist and one album, unrated."""
    keys = list(ratings)
    tracks = table(
        "track",
        {
            "key": keys,
            "title": [f"Track {key}" for key in keys],
            "guid": [guids.get(key, f"local://{key}") for key in keys],
            "artist": ["A"] * len(keys),
            "album": ["B"] * len(keys),
            "artist_key": [1] * len(keys),
            "album_key": [2] * len(keys),
            "user_rating": [ratings[key][0] for key in keys],
            "last_rated_at": [ratings[key][1] for key in keys],
        },
    )
    artists = table("artist", {"key": [1], "title": ["A"], "guid": ["local://1"]})
    albums = table(
        "album",
        {"key": [2], "title": ["B"], "guid": ["local://2"], "artist": ["A"], "artist_key": [1]},
    )
    return Library(IDENTITY, artists, albums, tracks, read_at=1)


def shadow_of(entries: Mapping[int, tuple[float, int]], why: str = "inferred") -> Any:
    made: dict[Kind, pd.DataFrame] = {}
    for kind in KINDS:
        here = dict(entries) if kind == "track" else {}
        made[kind] = pd.DataFrame(
            {
                "key": np.array(list(here), dtype=np.int64),
                "value": np.array([value for value, _ in here.values()], dtype=np.float64),
                "last_rated_at": np.array([at for _, at in here.values()], dtype=np.int64),
                "why": np.full(len(here), why, dtype=object),
                "tags": np.full(len(here), "Inferred", dtype=object),
            }
        )
    return made


def whose(
    ratings: Mapping[int, tuple[float, int]],
    shadow: Mapping[int, tuple[float, int]],
    guids: Mapping[int, str] | None = None,
    *,
    excluded: tuple[int, ...] = (),
    why: str = "inferred",
    decisions: Mapping[int, TwinDecision] | None = None,
) -> Owned:
    barred: dict[Kind, Any] = {kind: np.array([], dtype=np.int64) for kind in KINDS}
    barred["track"] = np.array(excluded, dtype=np.int64)
    return owned(library(ratings, guids or {}), shadow_of(shadow, why), barred, decisions)


@pytest.mark.parametrize(
    ("now", "left", "source", "taken"),
    [
        # as we left it
        ((7.2, 100), (7.2, 100), "Inferred", False),
        # the same number in other decimals, as a server may tell it
        ((7.2049, 100), (7.2, 100), "Inferred", False),
        # a server that rounds: what counts is what was read back, not what was sent
        ((7.0, 100), (7.0, 100), "Inferred", False),
        # the same value with another date: put back from elsewhere, with its old date
        ((7.2, 50), (7.2, 100), "Manual", True),
        # batch edits that set no time: none before, none after
        ((7.2, 0), (7.2, 0), "Inferred", False),
        # another value
        ((8.0, 100), (7.2, 100), "Manual", True),
        ((7.3, 100), (7.2, 100), "Manual", True),
        # the same value, given again since
        ((7.2, 101), (7.2, 100), "Manual", True),
        ((7.2, 9), (7.2, 0), "Manual", True),
        # cleared by the person
        ((NAN, 101), (7.2, 100), "Unrated", True),
        # never ours
        ((7.2, 100), None, "Manual", False),
        ((NAN, 0), None, "Unrated", False),
    ],
)
def test_a_rating_is_ours_while_it_stands_as_it_was_read_back(
    now: tuple[float, int], left: tuple[float, int] | None, source: str, taken: bool
):
    found = whose({7: now}, {7: left} if left else {})

    assert found.source["track"].tolist() == [source]
    assert found.evidence.manual["track"].tolist() == [source == "Manual"]
    assert found.taken_over["key"].tolist() == ([7] if taken else [])
    assert found.cleared["track"].tolist() == ([7] if taken and math.isnan(now[0]) else [])


def test_what_was_taken_over_says_both_values_and_the_tags_to_take_off():
    taken = whose({7: (8.0, 100)}, {7: (7.2, 100)}).taken_over.to_dict("records")

    assert taken == [{"kind": "track", "key": 7, "shadow": 7.2, "now": 8.0, "tags": "Inferred"}]


@pytest.mark.parametrize(
    ("ratings", "shadow", "sources"),
    [
        # written once, shown by both
        ({7: (7.2, 100), 8: (7.2, 100)}, {7: (7.2, 100)}, ["Inferred", "Inferred"]),
        ({7: (7.2, 100), 8: (7.2, 100)}, {7: (7.2, 100), 8: (7.2, 100)}, ["Inferred"] * 2),
        # the person rated one, Plex shows it on both
        ({7: (9.0, 120), 8: (9.0, 120)}, {7: (7.2, 100), 8: (7.2, 100)}, ["Manual", "Manual"]),
        ({7: (9.0, 120), 8: (9.0, 120)}, {7: (7.2, 100)}, ["Manual", "Manual"]),
        # confirmed on one of them: theirs on both
        ({7: (7.2, 120), 8: (7.2, 120)}, {7: (7.2, 100)}, ["Manual", "Manual"]),
        # a server that keeps a rating of its own for each copy
        ({7: (7.2, 100), 8: (9.0, 120)}, {7: (7.2, 100)}, ["Inferred", "Manual"]),
        ({7: (7.2, 100), 8: (NAN, 0)}, {7: (7.2, 100)}, ["Inferred", "Unrated"]),
    ],
)
def test_tracks_that_share_a_rating_stand_and_fall_together(
    ratings: Mapping[int, tuple[float, int]],
    shadow: Mapping[int, tuple[float, int]],
    sources: list[str],
):
    found = whose(ratings, shadow, {7: SHARED, 8: SHARED})

    assert found.source["track"].tolist() == sources


def test_copies_with_local_guids_share_nothing():
    found = whose({7: (7.2, 100), 8: (7.2, 100)}, {7: (7.2, 100)}, {7: "local://x", 8: "local://x"})

    assert found.source["track"].tolist() == ["Inferred", "Manual"]


def test_excluded_items_are_neither_evidence_nor_inferred():
    found = whose({7: (7.2, 100), 8: (9.0, 5)}, {7: (7.2, 100)}, excluded=(7, 8))

    assert found.source["track"].tolist() == ["Excluded", "Excluded"]
    assert found.evidence.excluded["track"].tolist() == [True, True]


def test_what_was_written_for_a_twin_is_shown_as_one():
    assert whose({7: (7.2, 100)}, {7: (7.2, 100)}, why="twin").source["track"].tolist() == ["Twin"]


def test_the_leader_of_those_that_share_is_the_lowest_key():
    guids = np.array([SHARED, "local://1", SHARED, "plex://alone", SHARED], dtype=object)

    assert leaders(guids, np.array([30, 31, 10, 5, 20])).tolist() == [10, 0, 0, 0, 10]
