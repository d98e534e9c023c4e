"""A state file that plexsheet wrote before it kept events and identities, taken over as it is.

``golden/state-4.db.z`` is such a file, of the forty tracks in ``state-4.tsv``: run 1 inferred
everything, run 2 was a workbook (three ACCEPTs, two EXCLUDEs, two ratings typed).
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from plexsheet.demo.store import Item
from tests.driver import Tool
from tests.plex.server import DemoPlex
from tests.truth import deal_anew, items, later, ratings, tagged, wrongly

FILE = Path(__file__).parents[1] / "golden" / "state-4.db.z"
TAG = "Rating_Inferred"


@pytest.fixture
def tool(tmp_path: Path) -> Iterator[Tool]:
    """Plex as those two runs left it, and their state."""
    with DemoPlex(FILE.with_name("state-4.tsv"), identity="generated 40 6") as plex:
        made = Tool(tmp_path, plex)
        made.state.write_bytes(zlib.decompress(FILE.read_bytes()))
        by_key = {item.key: item for item in items(plex)}
        for key, value, at, run in rows(
            made.state, "SELECT key, value, last_rated_at, run FROM shadow ORDER BY key"
        ):
            assert run == 1
            plex.store.rate(by_key[key], value, at=at)
            plex.tag(key, "mood", [TAG])
        for key, value, was, at in edits(made):
            typed = value is not None and value != was
            plex.store.rate(by_key[key], value, at=at + 20 if typed else at)
        later(plex)
        yield made


def rows(path: Path, question: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as state:
        return state.execute(question).fetchall()


def edits(tool: Tool) -> list[Any]:
    """Of run 2: key, rating then, ours before, and when ours had been given."""
    told = "SELECT key, now, shadow_value, shadow_at FROM journal"
    return rows(tool.state, f"{told} WHERE run = 2 AND field != 'exclude'")


def theirs(tool: Tool) -> dict[Item, float | None]:
    """What the person gave: all that carries no mark."""
    plex = tool.plex
    return {i: i.rating for i in ratings(plex) if i not in tagged(plex)}


def test_the_state_of_before_is_copied_and_understood(tool: Tool):
    question = "SELECT key, value, run FROM shadow ORDER BY key"
    known = rows(tool.state, question)
    wanted, before = theirs(tool), ratings(tool.plex)
    assert len(wanted) > 15

    done = tool("infer", "--yes", "--json")

    assert done.exit_code == 0, done.output
    assert done.json["counts"]["taken_over"] == 0
    assert wrongly(tool.plex, wanted) == []
    copies = [
        path
        for path in tool.folder.glob("plexsheet.db*")
        if path != tool.state and path.read_bytes()[:6] == b"SQLite"
    ]
    [copy] = [path for path in copies if rows(path, "PRAGMA user_version") == [(4,)]]
    assert rows(copy, question) == known
    assert set(before) <= set(ratings(tool.plex))


@pytest.mark.parametrize("run", [1, 2])
def test_runs_of_before_are_taken_back_and_theirs_left_alone(tool: Tool, run: int):
    """ACCEPTed and typed in run 2: the undo of run 1 leaves those, that of run 2 does not."""
    wanted = theirs(tool)
    edited = {key for key, *_ in edits(tool)}
    others = {item: value for item, value in wanted.items() if item.key not in edited}

    done = tool("undo", run, "--yes", "--json")

    assert done.exit_code == 0, done.output
    assert wrongly(tool.plex, wanted if run == 1 else others) == []
    if run == 1:
        assert set(ratings(tool.plex)) == set(wanted)
    else:
        assert edited <= {item.key for item in tagged(tool.plex)}


def test_what_is_inferred_since_before_is_cleaned_up_and_theirs_stays(tool: Tool):
    wanted = theirs(tool)

    assert tool("undo", "--inferred", "--yes").exit_code == 0

    assert ratings(tool.plex) == wanted
    assert tagged(tool.plex) == set()


@pytest.mark.slow
@pytest.mark.parametrize("words", [["infer"], ["undo", "--inferred"]], ids=" ".join)
def test_identities_are_learned_before_anything_is_written(tool: Tool, words: list[str]):
    """After one full read of the new version the keys are dealt anew: all is followed."""
    wanted = theirs(tool)
    assert tool("export", tool.folder / "a.xlsx", "--full").exit_code == 0
    deal_anew(tool.plex)

    done = tool(*words, "--yes", "--json")

    assert done.exit_code in {0, 1, 3}, done.output
    assert wrongly(tool.plex, wanted) == []
    assert not tagged(tool.plex) & set(wanted)


@pytest.mark.slow
@pytest.mark.parametrize("words", [["infer"], ["undo", "--inferred"], ["undo", "1"]], ids=" ".join)
def test_keys_dealt_anew_before_the_first_read_cost_none_of_theirs(tool: Tool, words: list[str]):
    """The state of before knows guids of what it saw; of the rest it can prove nothing."""
    wanted = theirs(tool)
    deal_anew(tool.plex)

    tool(*words, "--yes", "--json")

    assert wrongly(tool.plex, wanted) == []
