"""plex_state.json in its three formats: read, compared with a library, written again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plexsheet import library as lib
from plexsheet.errors import StateError, WrongLibrary
from plexsheet.library import Identity, Library
from plexsheet.operations import legacy_state
from plexsheet.state.store import State

WHO = Identity("s", "Attic", "uuid-1", 3, "Music", "1", "Anna")
FLAT = {"1": 7.36, "2": 8.0, "99": 5.0}
PAIRS = {"1": {"r": 7.36, "t": 0}, "2": {"r": 8.0, "t": 1}, "3": {"r": 6.0, "t": 2}}
STAMPED = {
    "version": "1.4.0",
    "library_uuid": "uuid-1",
    "ratings": {
        "1": {"r": 7.36, "t": 0, "m": False},
        "2": {"r": 8.0, "t": 1, "m": False},
        "3": {"r": 6.0, "t": 0, "m": True},
        "99": {"r": 5.0, "t": 0, "m": False},
    },
}


def parsed(values: Any) -> legacy_state.StateFile:
    return legacy_state.parse(json.dumps(values).encode(), "plex_state.json")


def library(ratings: dict[int, float]) -> Library:
    tracks = lib.table(
        "track",
        {
            "key": list(ratings),
            "user_rating": list(ratings.values()),
            "last_rated_at": [1000 + key for key in ratings],
        },
    )
    empty = [lib.table(kind, {"key": [5000 + n]}) for n, kind in enumerate(("artist", "album"))]
    return Library(WHO, empty[0], empty[1], tracks)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "layout"), [(FLAT, "flat"), (PAIRS, "pairs"), (STAMPED, "stamped"), ({}, "flat")]
)
def test_each_of_the_three_formats_is_known(values: Any, layout: str):
    assert parsed(values).layout == layout


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"1": ', b'{"x": 4}', b'{"1": "4"}', b'{"1": true}', b'{"1": NaN}']
)
def test_a_file_that_is_none_is_refused_with_the_way_out(content: bytes):
    with pytest.raises(StateError, match="plexsheet reconstruct"):
        legacy_state.parse(content, "plex_state.json")


def test_a_file_of_another_library_is_refused_with_both():
    with pytest.raises(WrongLibrary, match=r"uuid-2.*uuid-1"):
        legacy_state.match(parsed(STAMPED | {"library_uuid": "uuid-2"}), library({1: 7.4}))


def test_what_stands_is_inferred_what_differs_or_is_marked_is_the_persons():
    now = library({1: 7.4, 2: 9.0, 3: 6.0, 4: 5.0})

    found = legacy_state.match(parsed(STAMPED), now, {"Rating_Inferred": _carried(1)}, now=7.0)

    assert found.counts() == {"taken_over": 1, "overrides": 1, "manual": 1, "orphans": 1}
    entry = found.shadow["track"].to_dict("records")
    assert entry == [
        {
            "key": 1,
            "value": 7.4,
            "last_rated_at": 1001,
            "run": 0,
            "why": "inferred",
            "tags": "Rating_Inferred",
            "written_at": 7,
        }
    ]


def _carried(*keys: int) -> Any:
    return {kind: np.array(keys if kind == "track" else (), dtype=np.int64) for kind in lib.KINDS}


def test_a_rating_removed_since_is_the_persons():
    assert legacy_state.match(parsed(FLAT), library({1: np.nan})).counts()["overrides"] == 1


def test_twins_stay_twins():
    found = legacy_state.match(parsed(PAIRS), library({2: 8.0}))

    assert found.shadow["track"]["why"].tolist() == ["twin"]


@pytest.mark.parametrize("values", [FLAT, PAIRS, STAMPED])
def test_taken_over_and_written_again_nothing_is_lost(tmp_path: Path, values: Any):
    file = parsed(values)
    with State(tmp_path / "state.db") as state:
        scope = state.scope(WHO)
        legacy_state.remember(
            state, scope, legacy_state.match(file, library({1: 7.4, 2: 9.0, 3: 6.0}))
        )

        entries = legacy_state.entries_of(state, scope)

    text = legacy_state.render(entries, WHO.section_uuid, file.layout)
    assert json.loads(text) == values


def test_what_became_the_persons_since_is_not_written_again(tmp_path: Path):
    with State(tmp_path / "state.db") as state:
        scope = state.scope(WHO)
        legacy_state.remember(
            state, scope, legacy_state.match(parsed(FLAT), library({1: 7.4, 2: 8.0}))
        )
        with state.database.transaction() as db:
            db.execute("DELETE FROM shadow WHERE key = 2")

        assert list(legacy_state.entries_of(state, scope)) == [1, 99]
