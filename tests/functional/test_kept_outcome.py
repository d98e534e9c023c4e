"""A run before which nothing was rated or played answers from what the last one found."""

from __future__ import annotations

import json

import pytest

from tests.driver import Tool
from tests.plex.server import DemoPlex

TRACKS = 220
KEPT = "Nothing was rated, played or changed since the last run"


@pytest.fixture
def inferred(tool: Tool, plex: DemoPlex) -> Tool:
    """Everything inferred and written, once."""
    tool.infer()
    plex.store.writes.clear()
    return tool


def answered_from_kept(tool: Tool) -> bool:
    result = tool("infer", "--yes")
    assert result.exit_code == 0, result.output
    return KEPT in result.stdout


def test_the_next_run_answers_from_what_was_found(inferred: Tool, plex: DemoPlex):
    assert answered_from_kept(inferred)
    assert answered_from_kept(inferred)

    shown = inferred("infer", "--json").json
    assert shown["model"] == "learned"
    assert shown["counts"]["written"] == 0
    assert plex.writes == []


def _rate(tool: Tool, plex: DemoPlex) -> None:
    plex.rate(next(i["key"] for i in plex.items("track") if i["userRating"] is not None), 1.0)


def _play(tool: Tool, plex: DemoPlex) -> None:
    item = plex.find(plex.items("track")[7]["key"])
    with plex.store.lock:
        item.views, item.viewed_at = item.views + 3, int(plex.store.now())


def _clear(tool: Tool, plex: DemoPlex) -> None:
    plex.rate(plex.items("album")[0]["key"], None)


def _delete(tool: Tool, plex: DemoPlex) -> None:
    plex.delete(plex.items("track")[-1]["key"])


def _setting(tool: Tool, plex: DemoPlex) -> None:
    config = json.loads(tool.config.read_text("utf-8"))
    tool.config.write_text(json.dumps(config | {"ROUNDING": "0.5"}), "utf-8")


def _taken_back(tool: Tool, plex: DemoPlex) -> None:
    run = tool("history", "--json").json["runs"][0]["run"]
    assert tool("undo", run, "--yes").exit_code == 0


@pytest.mark.slow
@pytest.mark.parametrize("happens", [_rate, _play, _clear, _delete, _setting, _taken_back])
def test_whatever_happens_in_between_is_inferred_from(inferred: Tool, plex: DemoPlex, happens):
    happens(inferred, plex)

    assert not answered_from_kept(inferred)


def test_a_part_of_a_run_is_neither_kept_nor_answered_from_it(tool: Tool):
    assert tool("infer", "1", "--yes").exit_code == 0
    assert not answered_from_kept(tool)
    assert KEPT not in tool("infer", "4", "--yes").stdout
    assert KEPT not in tool("infer", "--yes", "--model", "classic").stdout
