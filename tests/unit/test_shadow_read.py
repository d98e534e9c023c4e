"""The shadow state is read once, and never shows what is not in the file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from plexsheet.library import Identity
from plexsheet.state.store import open_state

HERE = Identity("server", "Server", "section", 1, "Music", "1", "me", "1.40")


def entry(value: float) -> pd.DataFrame:
    columns = {"key": 7, "value": value, "last_rated_at": 100, "written_at": 100, "run": 1}
    return pd.DataFrame([columns | {"why": "inferred", "tags": "Inferred", "identity": 0}])


def test_what_was_rolled_back_is_not_remembered(tmp_path: Path) -> None:
    with open_state(tmp_path / "state.db") as state:
        scope = state.scope(HERE)
        state.put_shadow(scope, "track", entry(6.0))
        assert state.shadow(scope, "track")["value"].tolist() == [6.0]

        with pytest.raises(ZeroDivisionError), state.database.transaction():
            state.put_shadow(scope, "track", entry(8.0))
            assert state.shadow(scope, "track")["value"].tolist() == [8.0]
            raise ZeroDivisionError

        assert state.shadow(scope, "track")["value"].tolist() == [6.0]


def test_what_another_process_wrote_is_seen(tmp_path: Path) -> None:
    with open_state(tmp_path / "state.db") as one, open_state(tmp_path / "state.db") as other:
        scope = one.scope(HERE)
        assert one.shadow(scope, "track").empty

        other.put_shadow(scope, "track", entry(6.0))
        assert one.shadow(scope, "track")["value"].tolist() == [6.0]

        with other.database.transaction() as db:
            db.execute("DELETE FROM shadow WHERE key = 7")
        assert one.shadow(scope, "track").empty


def test_a_table_that_was_handed_out_can_be_changed(tmp_path: Path) -> None:
    with open_state(tmp_path / "state.db") as state:
        scope = state.scope(HERE)
        state.put_shadow(scope, "track", entry(6.0))

        handed_out = state.shadow(scope, "track")
        handed_out["value"] = 1.0
        handed_out.loc[0, "run"] = 9

        assert state.shadow(scope, "track")["value"].tolist() == [6.0]
        assert state.shadow(scope, "track")["run"].tolist() == [1]
