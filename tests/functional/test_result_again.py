"""The workbook an import returns: mend it, save it, import it; only what was mended changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.comments import Comment

from tests.driver import Tool, rows_of_sheet, set_cells
from tests.libreoffice import convert
from tests.plex.server import DemoPlex
from tests.songs import rated, songs

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")


@pytest.fixture
def tool(tmp_path: Path) -> Iterator[Tool]:
    with DemoPlex(library=songs()) as plex:
        yield Tool(tmp_path, plex)


def keys(plex: DemoPlex) -> dict[str, str]:
    """Rating keys of tracks whose title is there once, as texts."""
    return {item["title"]: str(item["key"]) for item in plex.items("track")}


def by_key(path: Path, sheet: str = "Tracks") -> dict[str, dict[str, Any]]:
    return {row["Key"]: row for row in rows_of_sheet(path, sheet)}


@pytest.mark.slow
@pytest.mark.parametrize("scale", [5, 10])
def test_the_result_of_a_foreign_list_is_mended_without_naming_its_headers_again(
    tool: Tool, scale: int
) -> None:
    key = keys(tool.plex)
    path = tool.folder / "list.csv"
    typed = {"Track 1": 3, "Track 2": 11, "Track 3": "gut"}
    rows = [f"{key[title]},{title},{value}" for title, value in typed.items()]
    path.write_text("\n".join(["Id,Song,Score", *rows]))
    mapped = ("--map", "Id=Key", "--map", "Song=Title", "--map", "Score=My rating")
    first = tool("import", path, *mapped, "--scale", scale, "--yes", "--json")
    assert first.exit_code == 1, first.output
    result = Path(first.json["result_file"])
    found = rows_of_sheet(result, "Tracks")
    assert [row["Status"] for row in found] == ["Applied", "Error", "Error"], found
    assert "gut" in found[2]["Message"]

    book = openpyxl.load_workbook(result)
    score = [cell.value for cell in book["Tracks"][1]].index("Score") + 1
    book["Tracks"].cell(3, score).value = 4
    book.save(result)
    second = tool("import", result, "--yes", "--json")

    assert second.json["counts"] | {"unchanged": 0} == {
        "applied": 1, "would_apply": 0, "held": 0, "errors": 1, "conflicts": 0, "unchanged": 0,
    }  # fmt: skip
    ratings = [tool.plex.rating(int(key[title])) for title in typed]
    assert ratings == [30 / scale, 40 / scale, None]
    again = Path(second.json["result_file"])
    assert again.name.count("result") == 1
    assert [row["Status"] for row in rows_of_sheet(again, "Tracks")] == ["", "Applied", "Error"]
    third = tool("import", again, "--yes", "--json")
    assert third.json["counts"] | {"unchanged": 0} == second.json["counts"] | {
        "applied": 0, "unchanged": 0,
    }  # fmt: skip


def test_red_rows_are_mended_in_the_result_and_only_they_change(tool: Tool) -> None:
    plex, key = tool.plex, keys(tool.plex)
    tool.export()
    typed = {"Track 1": 4, "Track 2": 7, "Track 3": "gut", "Track 4": 3, "Track 5": 2}
    set_cells(tool.workbook, [("Tracks", key[t], "My rating", v) for t, v in typed.items()])
    set_cells(tool.workbook, [("Tracks", key["Track 6"], "Action", "ACEPT")])
    plex.rate(int(key["Track 4"]), 10)
    plex.rate(int(key["Track 5"]), 10)
    first = tool.importing()
    assert first.exit_code == 1
    assert first.json["counts"] | {"unchanged": 0} == {
        "applied": 1, "would_apply": 0, "held": 0, "errors": 3, "conflicts": 2, "unchanged": 0,
    }  # fmt: skip
    result = Path(first.json["result_file"])
    status = {title: by_key(result)[key[title]]["Status"] for title in (*typed, "Track 6")}
    assert list(status.values()) == [
        "Applied", "Error", "Error", "Conflict", "Conflict", "Error",
    ]  # fmt: skip

    unmended = tool("import", result, "--yes", "--json")
    assert unmended.json["counts"]["applied"] == 0
    assert unmended.json["counts"]["errors"] == 3

    set_cells(
        result,
        [
            ("Tracks", key["Track 2"], "My rating", 3.5),
            ("Tracks", key["Track 3"], "My rating", None),
            ("Tracks", key["Track 4"], "Action", "MINE"),
            ("Tracks", key["Track 5"], "Action", "PLEX"),
            ("Tracks", key["Track 6"], "Action", None),
        ],
    )
    before = plex.ratings()
    mended = tool("import", result, "--yes", "--json")

    assert mended.exit_code == 0, mended.output
    assert mended.json["counts"]["applied"] == 2
    expected = before | {int(key["Track 2"]): 7, int(key["Track 4"]): 6}
    assert plex.ratings() == expected
    last = by_key(Path(mended.json["result_file"]))
    kept = last[key["Track 5"]]
    assert (kept["My rating"], kept["In Plex"], kept["Status"]) == ("", 5, "Updated in Plex")
    third = tool("import", mended.json["result_file"], "--yes", "--json")
    assert (third.exit_code, third.json["counts"]["applied"]) == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "suffix",
    [
        ".xlsx",
        pytest.param(
            ".ods", marks=[pytest.mark.libreoffice, pytest.mark.xdist_group("libreoffice")]
        ),
    ],
)
def test_what_is_the_persons_own_comes_back_with_the_result(tool: Tool, suffix: str) -> None:
    key = keys(tool.plex)["Track 1"]
    tool.export()
    set_cells(tool.workbook, [("Tracks", key, "My rating", 4), ("Tracks", key, "Note", "ask Tom")])
    book = openpyxl.load_workbook(tool.workbook)
    sheet = book["Tracks"]
    sheet.cell(2, 5).comment = Comment("who is this?", "Anna")
    noted = sheet.cell(2, [cell.value for cell in sheet[1]].index("Key") + 1).value
    sheet.cell(1, sheet.max_column + 1).value = "Mood for driving"
    sheet.cell(2, sheet.max_column).value = "fast"
    book.create_sheet("Party").append(["Song", "Votes"])
    book.save(tool.workbook)

    path = tool.workbook
    if suffix == ".ods":
        path = convert(tool.workbook, tool.workbook.with_suffix(".ods"))
    result = Path(tool("import", path, "--yes", "--json").json["result_file"])

    rows = by_key(result)
    assert rows[key]["Note"] == "ask Tom"
    assert rows[noted]["Mood for driving"] == "fast"
    again = openpyxl.load_workbook(result)
    assert [cell.value for cell in again["Party"][1]] == ["Song", "Votes"]
    notes = [
        c.comment.text for row in again["Tracks"].iter_rows(min_row=2) for c in row if c.comment
    ]
    assert notes == ["who is this?"]


def test_a_sheet_that_was_skipped_is_named_on_the_result(tool: Tool) -> None:
    tool.export()
    book = openpyxl.load_workbook(tool.workbook)
    book["Albums"].insert_rows(1)
    book.save(tool.workbook)

    done = tool.importing()

    assert done.exit_code == 3
    result = openpyxl.load_workbook(done.json["result_file"])
    assert "Albums" not in result.sheetnames
    told = [str(cell) for row in result["Start"].values for cell in row if cell]
    assert any("Sheet 'Albums' was skipped (F13)" in text for text in told)


@pytest.mark.slow
@pytest.mark.parametrize("torn", [("Title",), ("Artist", "Album", "Title"), ("My rating",)])
def test_a_sheet_torn_apart_comes_back_whole(tmp_path: Path, torn: tuple[str, ...]) -> None:
    with DemoPlex(library=rated(120)) as plex:
        tool = Tool(tmp_path, plex)
        tool.export()
        wanted = by_key(tool.workbook)
        book = openpyxl.load_workbook(tool.workbook)
        sheet = book["Tracks"]
        headers = [cell.value for cell in sheet[1]]
        for header in torn:
            place = headers.index(header) + 1
            column = [sheet.cell(row, place).value for row in range(2, sheet.max_row + 1)]
            for row, value in enumerate(reversed(column), start=2):
                sheet.cell(row, place).value = value
        book.save(tool.workbook)

        stopped = tool.importing()

        assert stopped.exit_code == 3
        assert stopped.json["stopped_sheets"] == ["Tracks"]
        result = Path(stopped.json["result_file"])
        for key, row in by_key(result).items():
            for header in ("Artist", "Album", "Title", "My rating", "Check"):
                assert row[header] == wanted[key][header], (key, header)
        again = tool("import", result, "--yes", "--json")
        assert (again.exit_code, again.json["rows"]) == (0, [])
        assert not plex.writes


def test_values_that_were_really_swapped_are_taken_when_it_is_said_so(tmp_path: Path) -> None:
    with DemoPlex(library=rated(120)) as plex:
        tool = Tool(tmp_path, plex)
        tool.export()
        rows = by_key(tool.workbook)
        stars = [row["My rating"] for row in rows.values()][::-1]
        swapped = dict(zip(rows, stars, strict=True))
        set_cells(tool.workbook, [("Tracks", key, "My rating", v) for key, v in swapped.items()])
        assert tool.importing().exit_code == 3
        assert not plex.writes

        result = tool.importing("--accept-scramble", "Tracks")

        assert result.exit_code == 0, result.output
        now = plex.ratings("track")
        assert {str(key): value / 2 for key, value in now.items()} == swapped
