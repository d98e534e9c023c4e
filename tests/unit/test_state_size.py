"""How big the state file gets: by changes, not by the number of exports of a big library."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from plexsheet.library import Identity, Kind
from plexsheet.state.store import KEPT_EXPORTS, State, open_state

TRACKS = 100_000
HERE = Identity("server", "Server", "section", 1, "Music", "1", "me", "1.40")


def base(rows: int, seed: int) -> pd.DataFrame:
    """What an export shows of tracks: a fifth rated, the rest inferred and ever so different."""
    random = np.random.default_rng(seed)
    rated = np.arange(rows) % 5 == 0
    inferred = np.round(random.normal(6.5, 1.2, rows) / 0.1) * 0.1
    mine = np.where(rated, random.integers(1, 11, rows), np.nan)
    return pd.DataFrame(
        {
            "key": 1001 + np.arange(rows) * 2,
            "mine": mine,
            "in_plex": np.where(rated, mine, inferred),
            "source": np.where(rated, 0, 1).astype(np.uint8),
            "inferred": inferred,
            "check": np.random.default_rng(0).integers(0, 2**40, rows),
        }
    )


def exported(state: State, scope: int, number: int, frame: pd.DataFrame) -> None:
    kinds: dict[Kind, pd.DataFrame] = {"track": frame}
    state.save_export(scope, f"export {number}", "music.xlsx", kinds)


def size_mb(path: Path) -> float:
    files = (path.with_name(path.name + ending) for ending in ("", "-wal", "-shm"))
    return sum(file.stat().st_size for file in files if file.exists()) / 1e6


def test_an_export_of_a_hundred_thousand_tracks_adds_little(tmp_path):
    path = tmp_path / "plexsheet.db"
    sizes = []
    for number in range(3):
        with open_state(path) as state:
            exported(state, state.scope(HERE), number, base(TRACKS, number))
        sizes.append(size_mb(path))

    assert max(np.diff(sizes, prepend=0)) <= 5  # so twenty are below 120 MB


def test_only_the_last_exports_are_kept(tmp_path):
    with open_state(tmp_path / "plexsheet.db") as state:
        scope = state.scope(HERE)
        for number in range(KEPT_EXPORTS + 7):
            exported(state, scope, number, base(10, number))

        assert KEPT_EXPORTS == 50
        kept = state.exports(scope)
        assert kept == [f"export {number}" for number in range(KEPT_EXPORTS + 6, 6, -1)]
        assert state.base(scope, "export 6", "track") is None
        assert len(state.base(scope, "export 7", "track")) == 10
        assert state.database.read("SELECT count(*) FROM base") == [(KEPT_EXPORTS,)]


@pytest.fixture
def mostly_free(tmp_path) -> Path:
    """A state file of which most is no longer used, with something in it."""
    path = tmp_path / "plexsheet.db"
    with open_state(path) as state:
        scope = state.scope(HERE)
        state.set_kv(scope, "something", [1, 2, 3])
        blob = np.random.default_rng(0).bytes(20_000_000)
        with state.database.transaction() as db:
            db.execute("INSERT INTO identity VALUES (?, 0, 0, ?)", (scope, blob))
        with state.database.transaction() as db:
            db.execute("DELETE FROM identity")
    return path


def test_room_no_longer_used_is_given_back(mostly_free):
    assert size_mb(mostly_free) < 1
    with open_state(mostly_free) as state:
        assert state.kv(state.scope(HERE), "something") == [1, 2, 3]
        assert state.problems() == []


def test_room_is_not_given_back_while_another_is_at_work(tmp_path):
    path = tmp_path / "plexsheet.db"
    with open_state(path) as other:
        scope = other.scope(HERE)
        with other.database.transaction() as db:
            db.execute("INSERT INTO identity VALUES (?, 0, 0, zeroblob(20000000))", (scope,))
        with other.database.transaction() as db:
            db.execute("DELETE FROM identity")
        with other.database.transaction() as db, open_state(path) as state:
            db.execute("INSERT INTO kv VALUES (?, 'mine', '1')", (scope,))
            state.close()

        assert other.kv(scope, "mine") == 1
        assert other.problems() == []
