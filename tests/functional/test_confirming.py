"""What a file may not change at once: held, with the number that releases it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.driver import Result, Tool, set_cells
from tests.plex.server import DemoPlex

SETTINGS = {"CHANGE_BUDGET": {"SHARE": 0.2, "MIN_ROWS": 30, "MAX_ROWS": 60}}
TRACKS = 300


@pytest.fixture
def tool(tmp_path: Path, plex: DemoPlex) -> Tool:
    return Tool(tmp_path, plex, **SETTINGS)


def keys_of(plex: DemoPlex, *, rated: bool) -> list[int]:
    return [i["key"] for i in plex.items("track") if (i["userRating"] is not None) == rated]


def typed(
    tool: Tool, plex: DemoPlex, count: int, *, value: float | None = None
) -> dict[int, float]:
    """Stars typed for so many unrated tracks, and one album's rating beside them."""
    tool.export()
    stars = {
        key: value or 1 + number % 8 / 2
        for number, key in enumerate(keys_of(plex, rated=False)[:count])
    }
    album = next(item["key"] for item in plex.items("album") if item["userRating"] is None)
    cells: list[tuple[str, str, str, Any]] = [
        ("Tracks", str(key), "My rating", one) for key, one in stars.items()
    ]
    set_cells(tool.workbook, [*cells, ("Albums", str(album), "My rating", 5)])
    return stars


def held(result: Result, code: str, number: int) -> None:
    """The sheet is held, with the number to type; the exit code says so."""
    assert result.exit_code == 3, result.output
    assert result.json["stopped_sheets"] == ["Tracks"]
    told = [one["message"] for one in result.json["messages"] if one["code"] == code]
    assert len(told) == 1
    assert str(number) in told[0]


@pytest.mark.slow
@pytest.mark.parametrize(("count", "over"), [(60, False), (61, True)])
def test_more_than_the_budget_is_held_until_its_number_is_typed(
    tool: Tool, plex: DemoPlex, count: int, over: bool
):
    stars, before = typed(tool, plex, count), plex.ratings("track")

    result = tool.importing()

    if not over:
        assert result.exit_code == 0, result.output
        assert result.json["counts"]["applied"] == count + 1
        return
    held(result, "S04", count)
    assert result.json["counts"] == {
        "applied": 1,  # the album: other sheets go on
        "would_apply": 0,
        "held": count,
        "errors": 0,
        "conflicts": 0,
        "unchanged": result.json["counts"]["unchanged"],
    }
    assert plex.ratings("track") == before
    held(tool.importing("--confirm", count - 1), "S04", count)
    assert plex.ratings("track") == before

    released = tool.importing("--confirm", count)

    assert released.exit_code == 0, released.output
    assert {key: plex.rating(key) for key in stars} == {k: 2 * v for k, v in stars.items()}


def test_the_budget_of_a_small_share_is_the_number_of_rows(tool: Tool, plex: DemoPlex):
    """Thirty of three hundred are a tenth: neither the share nor MAX_ROWS is passed."""
    typed(tool, plex, 31)

    assert tool.importing().exit_code == 0


def test_infer_and_undo_are_not_bound_by_the_budget(tool: Tool, plex: DemoPlex):
    tool.infer()
    assert len(plex.ratings()) > 200

    assert tool("undo", "1", "--yes").exit_code == 0
    assert tool("undo", "2", "--yes").exit_code == 0
    assert tool("undo", "--inferred", "--yes").exit_code == 0


def test_a_restored_workbook_is_bound_by_it(tmp_path: Path, plex: DemoPlex):
    tool = Tool(tmp_path, plex, CHANGE_BUDGET={"SHARE": 0.05, "MIN_ROWS": 10, "MAX_ROWS": 60})
    album = plex.items("album")[0]["key"]
    plex.rate(album, 7.0)
    tool.export()
    lost = keys_of(plex, rated=True)[:20]
    stood = {key: plex.rating(key) for key in lost}
    for key in [*lost, album]:
        plex.rate(key, None)

    refused = tool("restore", tool.workbook, "--yes", "--json")

    assert refused.exit_code == 3, refused.output
    assert f"type {len(lost)}" in refused.stderr
    assert plex.rating(album) == 7.0  # other sheets go on
    assert all(plex.rating(key) is None for key in lost)
    assert tool("restore", tool.workbook, "--yes", "--confirm", str(len(lost) - 1)).exit_code == 3
    assert tool("restore", tool.workbook, "--yes", "--confirm", str(len(lost))).exit_code == 0
    assert {key: plex.rating(key) for key in lost} == stood


def test_one_value_for_most_of_many_rows_is_held(tmp_path: Path, plex: DemoPlex):
    tool = Tool(tmp_path, plex, CHANGE_BUDGET={"SHARE": 1.0, "MIN_ROWS": 300, "MAX_ROWS": 1000})
    stars, before = typed(tool, plex, 201, value=4.0), plex.ratings("track")

    held(tool.importing(), "S05", 201)
    assert plex.ratings("track") == before

    assert tool.importing("--confirm", 201).exit_code == 0
    assert all(plex.rating(key) == 8.0 for key in stars)


@pytest.mark.slow
@pytest.mark.parametrize(("count", "many"), [(2, False), (6, True)])
def test_many_emptied_cells_are_held_until_their_number_is_typed(
    tool: Tool, plex: DemoPlex, count: int, many: bool
):
    """More than one in twenty of the sheet's ratings; the other edits of the sheet go on."""
    stars = typed(tool, plex, 3)
    emptied = keys_of(plex, rated=True)[:count]
    set_cells(tool.workbook, [("Tracks", str(key), "My rating", None) for key in emptied])
    kept = {key: plex.rating(key) for key in emptied}

    result = tool.importing()

    assert all(plex.rating(key) == 2 * value for key, value in stars.items())
    if not many:
        assert result.exit_code == 0, result.output
        assert all(plex.rating(key) is None for key in emptied)
        return
    assert result.exit_code == 1, result.output
    assert result.json["counts"]["held"] == count
    assert {key: plex.rating(key) for key in emptied} == kept

    assert tool.importing("--confirm", count).exit_code == 0
    assert all(plex.rating(key) is None for key in emptied)


@pytest.mark.slow
@pytest.mark.parametrize("words", ["ten", "-1", "0"])
def test_a_number_that_was_not_asked_for_releases_nothing(tool: Tool, plex: DemoPlex, words: str):
    typed(tool, plex, 61)
    before = plex.ratings("track")

    assert tool("import", tool.workbook, "--yes", f"--confirm={words}").exit_code in (2, 3)

    assert plex.ratings("track") == before
