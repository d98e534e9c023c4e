"""State and workbooks of version 0.1 open in this version, and lose nothing on the way.

``tests/fixtures/version-0.1`` was made by 0.1.0 and is never made again: a library and what
had been written to it, the config of ``init``, the state after import, infer, import and undo,
the edited workbook with its result, and a workbook edited but not yet imported.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.driver import Result, plexsheet, rows_of_sheet, set_cells
from tests.plex.server import DemoPlex

KEPT = Path(__file__).parent.parent / "fixtures" / "version-0.1"
WRITTEN_BY_INFER = 115


class Kept:
    """A copy of what 0.1 left, beside a server that holds what 0.1 had written."""

    def __init__(self, folder: Path, plex: DemoPlex) -> None:
        self.folder, self.plex = folder, plex

    def __call__(self, *words: object) -> Result:
        return plexsheet("--config", self.folder / "config.json", *words)

    def counts(self, *words: object) -> dict[str, int]:
        """What a command that must go well counts."""
        result = self(*words, "--json")
        assert result.exit_code == 0, result.output
        return dict(result.json["counts"])


@pytest.fixture(params=["snapshot trusted", "snapshot old"])
def kept(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Kept]:
    folder = tmp_path / "kept"
    shutil.copytree(KEPT, folder)
    (folder / "config.json").chmod(0o600)
    if request.param == "snapshot trusted":
        _read_just_now(folder / "plexsheet.db")
    with DemoPlex(folder / "library.tsv", identity="version 0.1", token="demo-token") as plex:
        _write_again(plex, folder / "server.jsonl")
        monkeypatch.setenv("PLEXSHEET_PLEX_URL", plex.url)
        yield Kept(folder, plex)


def _write_again(plex: DemoPlex, written: Path) -> None:
    """Bring the server to where 0.1 had brought it, at the times it was brought there."""
    for line in written.read_text("utf-8").splitlines():
        record = json.loads(line)
        item = plex.find(record["key"])
        if "rating" in record:
            item.rating, item.rated_at = record["rating"], record["at"]
        else:
            plex.store.put_tags(item, record["tags"], record["names"])
            item.updated_at = record["at"]


def _read_just_now(state: Path) -> None:
    """Make the snapshot in a state file as young as if 0.1 had run today."""
    with closing(sqlite3.connect(state)) as database, database:
        database.execute(
            "UPDATE kv SET value = json_set(value, '$.full_at', ?) WHERE name = 'snapshot'",
            (time.time(),),
        )


@pytest.mark.slow
def test_history_and_ownership_are_as_they_were(kept: Kept):
    runs = kept("history", "--json").json["runs"]
    verified = kept.counts("verify")
    coverage = kept("report", "coverage", "--json").json["summary"]

    assert [(run["kind"], run["counts"]["written"]) for run in runs] == [
        ("undo", 2),
        ("import", 2),
        ("infer", WRITTEN_BY_INFER),
        ("import", 6),
    ]
    assert {name: verified[name] for name in ("checked", "overrides", "orphans")} == {
        "checked": WRITTEN_BY_INFER,
        "overrides": 0,
        "orphans": 0,
    }
    assert (coverage["manual"], coverage["inferred"] + coverage["twin"]) == (45, WRITTEN_BY_INFER)
    assert coverage["excluded"] == 1


@pytest.mark.slow
def test_a_workbook_edited_in_0_1_is_imported(kept: Kept):
    before = kept.plex.ratings()

    result = kept("import", kept.folder / "waiting.xlsx", "--yes", "--json")

    assert result.exit_code == 0, result.output
    assert result.json["counts"]["applied"] == 3
    now = kept.plex.ratings()
    changed = {row["key"]: row["plex_now"] for row in result.json["rows"]}
    assert set(changed.values()) <= {4.5, 3.65, 2.5}
    assert {key for key in now if now[key] != before.get(key)} <= set(changed)
    assert kept("import", kept.folder / "edited.xlsx", "--yes", "--json").json["error"] is None


@pytest.mark.slow
def test_a_result_of_0_1_is_corrected_and_imported(kept: Kept):
    result = kept.folder / "result.xlsx"
    (wrong,) = (row for row in rows_of_sheet(result, "Tracks") if row["My rating"] == 7)
    set_cells(result, [("Tracks", str(int(wrong["Key"])), "My rating", 3.5)])

    done = kept("import", result, "--yes", "--json")

    assert done.json["counts"]["applied"] == 1, done.output
    assert kept.plex.rating(int(wrong["Key"])) == 7.0


def test_what_0_1_wrote_is_taken_back(kept: Kept):
    ours = _written_by_0_1(kept.folder / "plexsheet.db")
    before = kept.plex.ratings()

    assert kept("undo", "--inferred", "--yes", "--json").exit_code == 0

    theirs = {key: value for key, value in before.items() if key not in ours}
    assert len(ours) == WRITTEN_BY_INFER
    assert kept.plex.ratings() == theirs


def _written_by_0_1(state: Path) -> set[int]:
    with closing(sqlite3.connect(state)) as database:
        return {key for (key,) in database.execute("SELECT key FROM shadow")}


def test_inferring_again_leaves_the_persons_ratings_alone(kept: Kept):
    ours = _written_by_0_1(kept.folder / "plexsheet.db")
    theirs = {key: value for key, value in kept.plex.ratings().items() if key not in ours}

    assert kept("infer", "--yes").exit_code == 0

    now = kept.plex.ratings()
    assert {key: now[key] for key in theirs} == theirs


@pytest.mark.slow
def test_a_fresh_export_takes_over_notes_of_a_workbook_of_0_1(kept: Kept):
    new = kept.folder / "new.xlsx"

    assert kept("export", new, "--from", kept.folder / "edited.xlsx").exit_code == 0

    assert len(rows_of_sheet(new, "Tracks")) == 140
    assert kept("diff", kept.folder / "edited.xlsx", new).exit_code == 0
