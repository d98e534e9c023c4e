"""The main job over real HTTP and real files: export, edit, import, infer."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from plexsheet import operations
from plexsheet.config import load_config
from tests.driver import Tool, requests_of, rows_of_sheet, set_cells
from tests.effort import enough
from tests.plex.server import DemoPlex

LIBRARIES = ("demo", "lib-a.tsv.gz", "lib-b.tsv.gz", "struct-a.tsv.gz")[: enough(4, 2)]
STARS = (0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5)


@pytest.fixture
def tool(tmp_path: Path) -> Iterator[Tool]:
    with DemoPlex(tracks=600) as plex:
        yield Tool(tmp_path, plex)


@pytest.fixture(params=LIBRARIES)
def any_tool(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tool]:
    if request.param == "demo":
        source = {"tracks": enough(10_000, 1_500)}
    else:
        source = {"library": request.getfixturevalue("shared_libraries") / request.param}
    with DemoPlex(**source) as plex:
        yield Tool(tmp_path, plex)


def edits_of(tool: Tool, count: int, values: tuple[float, ...] = STARS) -> list[tuple]:
    """Edits on rows spread over the Tracks sheet, each to a value it does not have."""
    rows = rows_of_sheet(tool.workbook, "Tracks")
    if len(values) == 1:
        rows = [row for row in rows if row["My rating"] != values[0]]
    step = max(len(rows) // count, 1)
    chosen = rows[::step][:count]
    edits = []
    for number, row in enumerate(chosen):
        value = values[number % len(values)]
        if row["My rating"] == value:
            value = values[(number + 1) % len(values)]
        edits.append(("Tracks", str(row["Key"]), "My rating", value))
    return edits


@pytest.mark.slow
def test_an_unedited_workbook_plans_nothing_and_edits_write_exactly_themselves(
    any_tool: Tool,
) -> None:
    tool = any_tool
    tool.export()

    unedited = tool.importing()
    assert unedited.exit_code == 0, unedited.output
    assert unedited.json["counts"]["would_apply"] == unedited.json["counts"]["applied"] == 0
    assert not tool.plex.writes

    edits = edits_of(tool, 25, (1.5, 3.25))
    set_cells(tool.workbook, edits)
    done = tool.importing()
    assert done.exit_code == 0, done.output
    assert done.json["counts"]["applied"] == 25
    assert {write.key for write in tool.plex.writes} == {int(key) for _, key, _, _ in edits}
    for _, key, _, stars in edits:
        assert tool.plex.rating(int(key)) == pytest.approx(2 * stars)

    writes = len(tool.plex.writes)
    again = tool.importing()
    assert again.exit_code == 0
    assert [m["code"] for m in again.json["messages"]] == ["F09"]
    assert len(tool.plex.writes) == writes


def test_a_rating_given_in_plex_meanwhile_is_a_conflict_or_kept(tool: Tool) -> None:
    tool.export()
    edits = edits_of(tool, 3, (1.5,))
    edited, other = int(edits[0][1]), int(edits[1][1])
    tool.plex.rate(edited, 10.0)
    tool.plex.rate(other, 9.0)
    set_cells(tool.workbook, edits[:1])

    result = tool.importing()

    assert result.exit_code == 1, result.output
    assert [row["code"] for row in result.json["rows"] if row["key"] == edited] == ["C50"]
    assert tool.plex.rating(edited) == 10.0
    assert tool.plex.rating(other) == 9.0


def test_requests_of_an_import_follow_the_edits(tmp_path: Path) -> None:
    with DemoPlex(tracks=enough(10_000, 2_000)) as plex:
        tool = Tool(tmp_path, plex)
        plex.reset_requests()
        tool.export()
        assert sum(plex.requests.values()) <= 30
        for values, most in (((3.5,), 13), (tuple(i / 10 for i in range(6, 31)), 40)):
            set_cells(tool.workbook, edits_of(tool, 25, values))
            plex.reset_requests()

            result = tool.importing()

            assert result.json["counts"]["applied"] == 25, result.output
            assert requests_of(plex) <= most


def test_good_rows_beside_bad_ones_are_applied(tool: Tool) -> None:
    tool.export()
    rows = rows_of_sheet(tool.workbook, "Tracks")
    typed = {
        "4,5": "I19", " 4,5 ": "I19", "4½": "I19", "★★★★½": "I19", "4.5/5": "I19",
        0: "E13", -1: "E12", 7: "E11", "9/10": "E10", "80 %": "E10", "gut": "E10", True: "E10",
        "nan": "E10", "inf": "E10", "1.234,5": "E16",
    }  # fmt: skip
    keys = [str(row["Key"]) for row in rows if row["Source"] == "Unrated"]
    cells = [("Tracks", key, "My rating", v) for key, v in zip(keys, typed, strict=False)]
    set_cells(tool.workbook, [*cells, ("Tracks", keys[len(cells)], "My rating", 4.5)])

    result = tool.importing()

    assert result.exit_code == 1, result.output
    codes = {str(row["key"]): row["code"] for row in result.json["rows"]}
    for (_, key, _, value), code in zip(cells, typed.values(), strict=True):
        assert codes[key] == code, (value, codes[key])
        wanted = 9.0 if code == "I19" else None
        assert tool.plex.rating(int(key)) == wanted, value
    assert tool.plex.rating(int(keys[len(cells)])) == 9.0


def test_infer_never_touches_a_rating_of_the_person(tool: Tool) -> None:
    theirs = {
        kind: {key: value for key, value in tool.plex.ratings(kind).items() if value is not None}
        for kind in ("artist", "album", "track")
    }
    first = tool("infer", "--yes", "--json")
    assert first.exit_code == 0, first.output
    assert first.json["counts"]["written"] > 100
    second = tool("infer", "--yes", "--json")
    assert second.exit_code == 0, second.output
    assert second.json["counts"]["written"] == 0

    tool.export()
    edits = edits_of(tool, 12)
    set_cells(tool.workbook, edits)
    assert tool.importing().exit_code == 0
    tool.infer()

    edited = {int(key): 2 * stars for _, key, _, stars in edits}
    for kind, ratings in theirs.items():
        for key, value in ratings.items():
            wanted = edited.get(key, value) if kind == "track" else value
            assert tool.plex.rating(key) == pytest.approx(wanted), (kind, key)


def test_infer_is_limited_to_the_kind_of_its_phase(tool: Tool) -> None:
    result = tool("infer", "2", "--yes", "--json")
    assert result.exit_code == 0, result.output
    assert result.json["counts"]["artists"] > 0
    assert result.json["counts"]["albums"] == result.json["counts"]["tracks"] == 0


def test_preview_writes_nothing_and_the_number_is_the_same(tool: Tool) -> None:
    tool.export()
    set_cells(tool.workbook, edits_of(tool, 5))

    preview = tool("import", tool.workbook, "--preview", "--json")
    assert preview.exit_code == 0, preview.output
    assert preview.json["preview"] is True
    assert preview.json["counts"]["would_apply"] == 5
    assert not tool.plex.writes
    assert tool.importing().json["counts"]["applied"] == 5


def test_history_shows_what_was_done(tool: Tool) -> None:
    tool.export()
    set_cells(tool.workbook, edits_of(tool, 5))
    run = tool.importing().json["run"]

    history = tool("history", "--json").json["runs"]
    rows = tool("history", run, "--json").json["rows"]

    assert [(r["run"], r["kind"]) for r in history] == [(run, "import")]
    assert len(rows) == 5


def no_stars(tool: Tool) -> None:
    """A cell that no rating can be read from."""
    key = rows_of_sheet(tool.workbook, "Albums")[0]["Key"]
    set_cells(tool.workbook, [("Albums", str(key), "My rating", "lovely")])


def titles_sorted_alone(tool: Tool) -> None:
    """A sheet of which nothing can be believed, beside one that is fine."""
    rows = rows_of_sheet(tool.workbook, "Artists")
    names = [row["Artist"] for row in rows][::-1]
    cells = [("Artists", str(r["Key"]), "Artist", n) for r, n in zip(rows, names, strict=True)]
    set_cells(tool.workbook, cells)


@pytest.mark.slow
@pytest.mark.parametrize("spoil", [no_stars, titles_sorted_alone])
@pytest.mark.parametrize("how", ["command", "script"])
def test_all_or_nothing_writes_nothing_beside_what_is_refused(tool: Tool, spoil, how: str) -> None:
    tool.export()
    edits = edits_of(tool, 3)
    set_cells(tool.workbook, edits)
    spoil(tool)

    if how == "command":
        done = tool.importing("--all-or-nothing")
        assert done.exit_code == (3 if spoil is titles_sorted_alone else 1)
        assert "--all-or-nothing" in done.output
    else:
        options = operations.ImportOptions(all_or_nothing=True)
        with operations.session(load_config(tool.config)) as session:
            made = operations.import_file(session, tool.workbook, options, lambda prepared: True)
        assert made.outcome is None
        assert not made.approved

    assert not tool.plex.writes
    assert tool.importing().json["counts"]["applied"] == len(edits)


@pytest.mark.slow
@pytest.mark.parametrize(("choice", "stands"), [("hold", 4.0), ("plex", 4.0), ("mine", 9.0)])
def test_who_wins_where_sheet_and_plex_both_changed(tool: Tool, choice: str, stands: float) -> None:
    tool.export()
    row = next(r for r in rows_of_sheet(tool.workbook, "Tracks") if r["My rating"])
    set_cells(tool.workbook, [("Tracks", str(row["Key"]), "My rating", 4.5)])
    tool.plex.rate(int(row["Key"]), 4.0)

    done = tool.importing("--on-conflict", choice)

    assert done.exit_code == (1 if choice == "hold" else 0), done.output
    assert done.json["counts"]["conflicts"] == (1 if choice == "hold" else 0)
    assert tool.plex.rating(int(row["Key"])) == stands


def test_a_row_pasted_from_elsewhere_counts_where_new_rows_are_allowed(tool: Tool) -> None:
    artist = rows_of_sheet(tool.export(), "Artists")[0]["Artist"]
    other = next(r for r in rows_of_sheet(tool.workbook, "Tracks") if r["Artist"] != artist)
    assert tool("export", tool.workbook, "--force", "--only", f'artist:="{artist}"').exit_code == 0
    with warnings.catch_warnings(action="ignore"):  # openpyxl drops data bars, and says so
        book = openpyxl.load_workbook(tool.workbook)
    headers = [cell.value for cell in book["Tracks"][1]]
    book["Tracks"].append([other.get(h) if h != "My rating" else 4.5 for h in headers])
    book.save(tool.workbook)

    refused = tool.importing()
    assert refused.exit_code == 1
    assert [row["code"] for row in refused.json["rows"]] == ["E08"]
    assert not tool.plex.writes

    assert tool.importing("--allow-new-rows").exit_code == 0
    assert tool.plex.rating(int(other["Key"])) == 9.0
