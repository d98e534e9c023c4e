"""The workbook that comes back from an import."""

from __future__ import annotations

import math
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import python_calamine
from openpyxl.comments import Comment

from plexsheet.messages import Message
from plexsheet.plan.model import RowOutcome
from plexsheet.workbook.reading.comments import comments_of, read_whole
from plexsheet.workbook.reading.user_workbook import user_content_of
from plexsheet.workbook.writing.result import StoppedSheet, result_workbook
from plexsheet.workbook.writing.sheet_data import bases
from tests.sample_library import META, export, small_view

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")
NAN = math.nan
RESULT = replace(META, kind="result", run="57")


class Edited:
    """An export with a person's edits: sorted, with an own column, an own sheet and notes."""

    def __init__(self, folder: Path) -> None:
        self.path = export(folder / "music.xlsx", small_view())
        book = openpyxl.load_workbook(self.path)
        sheet = book["Tracks"]
        rows = [list(row) for row in sheet.iter_rows(min_row=2, values_only=True)]
        self.headers = [cell.value for cell in sheet[1]]
        rows.sort(key=lambda row: str(row[self.at("Title")]), reverse=True)
        for number, row in enumerate(rows, start=2):
            for column, value in enumerate(row, start=1):
                sheet.cell(number, column, value)
        width = len(self.headers) + 1
        sheet.cell(1, width, "Mood for driving")
        sheet.cell(2, width, "fast")
        self.put(sheet, 2, "My rating", 4.5)
        self.put(sheet, 3, "My rating", "gut")
        self.put(sheet, 4, "My rating", 2)
        self.put(sheet, 5, "Action", "EXCLUDE")
        self.put(sheet, 6, "Note", "ask Tom")
        own = book.create_sheet("Party")
        own.append(["Song", "Votes"])
        own.append(["=1+1", 3])
        own["A2"].data_type = "s"
        book.save(self.path)
        self.keys = [row[self.at("Key")] for row in rows]
        self.was = [row[self.at("Was")] for row in rows]
        self.titles = [row[self.at("Title")] for row in rows]

    def at(self, header: str) -> int:
        return self.headers.index(header)

    def put(self, sheet: Any, row: int, header: str, value: Any) -> None:
        sheet.cell(row, self.at(header) + 1, value)

    def outcome(self, row: int, happened: Any, yours: float | str, **more: Any) -> RowOutcome:
        index = row - 2
        was = self.was[index]
        fields = {
            "sheet": "Tracks", "row": row, "kind": "track", "key": int(self.keys[index]),
            "title": self.titles[index], "field": "rating",
            "was": NAN if was is None else 2 * was, "yours": yours, "plex_now": NAN,
            "outcome": happened,
        }  # fmt: skip
        return RowOutcome(**(fields | more))


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Edited:
    return Edited(tmp_path_factory.mktemp("result"))


@pytest.fixture
def outcomes(edited: Edited) -> list[RowOutcome]:
    return [
        edited.outcome(2, "Applied", 9.0),
        edited.outcome(3, "Error", "gut", code="E10", message="'gut' is not a rating."),
        edited.outcome(4, "Conflict", 4.0, plex_now=10.0, code="C50", message="You: 2. Plex: 5."),
        edited.outcome(5, "Applied", "EXCLUDE", field="exclude"),
        edited.outcome(7, "Kept", NAN, plex_now=8.0, code="I51", message="Changed in Plex to 4."),
    ]


@pytest.fixture
def result(edited: Edited, outcomes: list[RowOutcome], tmp_path: Path) -> Path:
    path = tmp_path / "result.xlsx"
    result_workbook(path, read_whole(edited.path), outcomes, meta=RESULT)
    return path


def tracks(path: Path) -> list[dict[str, Any]]:
    rows = python_calamine.load_workbook(path).get_sheet_by_name("Tracks").to_python()
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def test_rows_columns_notes_and_own_things_are_where_the_person_had_them(
    edited: Edited, result: Path
) -> None:
    rows = tracks(result)
    assert [row["Key"] for row in rows] == edited.keys
    headers = [header for header in rows[0] if header not in ("Status", "Message")]
    assert headers == [*edited.headers, "Mood for driving"]
    assert rows[0]["Mood for driving"] == "fast"
    assert rows[4]["Note"] == "ask Tom"
    party = python_calamine.load_workbook(result).get_sheet_by_name("Party").to_python()
    assert party == [["Song", "Votes"], ["=1+1", 3.0]]


def test_applied_rows_hold_the_new_value_and_refused_ones_what_was_typed(
    edited: Edited, result: Path
) -> None:
    rows = tracks(result)
    applied, refused, conflict, excluded, kept = (rows[i] for i in (0, 1, 2, 3, 5))
    assert (applied["My rating"], applied["Was"], applied["In Plex"]) == (4.5, 4.5, 4.5)
    assert (applied["Status"], applied["Source"]) == ("Applied", "Manual")
    assert (refused["My rating"], refused["Was"] or None) == ("gut", edited.was[1])
    assert (refused["Status"], refused["Message"]) == ("Error", "'gut' is not a rating.")
    assert refused["Will do"] == "gut is not a rating"
    assert (conflict["My rating"], conflict["Was"] or None) == (2.0, edited.was[2])
    assert conflict["Status"] == "Conflict"
    assert (excluded["Action"], excluded["Source"]) == ("", "Excluded")
    assert (kept["In Plex"], kept["Status"]) == (4.0, "Updated in Plex")
    assert all(row["Status"] == "" for row in rows[6:])


def test_changes_are_listed_worst_first_with_the_rows_of_the_persons_file(result: Path) -> None:
    rows = python_calamine.load_workbook(result).get_sheet_by_name("Changes").to_python()
    listed = [(row[1], row[8], row[9]) for row in rows[1:]]
    assert listed == [
        (3, "Error", "E10"),
        (4, "Conflict", "C50"),
        (2, "Applied", ""),
        (5, "Applied", ""),
        (7, "Updated in Plex", "I51"),
    ]
    assert rows[2][6:8] == [2.0, 5.0]  # in stars


def test_start_counts_outcomes_and_groups_problems_by_repair(result: Path) -> None:
    start = openpyxl.load_workbook(result)["Start"]
    lines = [[cell.value for cell in row] for row in start.iter_rows(min_row=37, max_col=3)]
    assert lines[0] == ["Outcome", "First row", "Rows"]
    assert [(line[0], line[2]) for line in lines[1:5]] == [
        ("Error", 1), ("Conflict", 1), ("Applied", 2), ("Updated in Plex", 1),
    ]  # fmt: skip
    assert lines[6] == ["To repair", "What to do", "Rows"]
    assert {line[0] for line in lines[7:9]} == {"E10", "C50"}
    assert start["B38"].hyperlink.location == "'Tracks'!A3"
    assert start["B35"].value is None
    assert "Result of run 57: 1 error, 1 conflict, 2 applied" in start["A2"].value


def test_counts_on_start_are_those_of_the_edits_still_open(result: Path) -> None:
    start = openpyxl.load_workbook(result, data_only=True)["Start"]
    assert start["C15"].value == 2


def test_a_preview_has_an_apply_cell_and_changes_nothing(
    edited: Edited, outcomes: list[RowOutcome], tmp_path: Path
) -> None:
    path = tmp_path / "preview.xlsx"
    planned = [
        replace(one, outcome="Would apply") if one.outcome == "Applied" else one for one in outcomes
    ]

    result_workbook(path, read_whole(edited.path), planned, meta=replace(RESULT, kind="preview"))

    rows = tracks(path)
    assert (rows[0]["My rating"], rows[0]["Was"] or None) == (4.5, edited.was[0])
    assert (rows[0]["Status"], rows[3]["Action"]) == ("Would apply", "EXCLUDE")
    book = openpyxl.load_workbook(path)
    assert book["Start"]["A35"].value == "Apply"
    assert {row[0]: row[1] for row in book["_meta"].iter_rows(values_only=True)}[
        "kind"
    ] == "preview"


def test_a_stopped_sheet_comes_back_with_the_ratings_it_had(edited: Edited, tmp_path: Path) -> None:
    path = tmp_path / "stopped.xlsx"
    message = Message("S02", "The values in 'My rating' are on other rows.", sheet="Tracks")

    result_workbook(
        path,
        read_whole(edited.path),
        [],
        meta=RESULT,
        messages=[message],
        stopped={"Tracks": StoppedSheet("S02", restore=True)},
        bases=bases(small_view()),
    )

    rows = tracks(path)
    assert [row["My rating"] or None for row in rows] == edited.was
    assert [row["Was"] or None for row in rows] == edited.was
    assert rows[1]["Your values before"] == "gut"
    sheet = openpyxl.load_workbook(path)["Tracks"]
    letter = next(cell.column_letter for cell in sheet[1] if cell.value == "Was")
    assert not sheet.column_dimensions[letter].hidden
    start = openpyxl.load_workbook(path)["Start"]
    assert message.text in [cell.value for cell in start["B"]]


@pytest.mark.slow
@pytest.mark.parametrize("check_moved", [True, False], ids=["check went along", "check stayed"])
def test_titles_torn_from_their_keys_come_back_together(tmp_path: Path, check_moved: bool) -> None:
    view = small_view()
    book = openpyxl.load_workbook(export(tmp_path / "music.xlsx", view))
    sheet = book["Tracks"]
    headers = [cell.value for cell in sheet[1]]
    torn = ["Artist", "Album", "Title", "My rating", *(["Check"] if check_moved else [])]
    columns = [headers.index(header) + 1 for header in torn]
    rows = [[sheet.cell(row, c).value for c in columns] for row in range(2, sheet.max_row + 1)]
    for number, row in enumerate(sorted(rows, key=lambda row: str(row[2])), start=2):
        for column, value in zip(columns, row, strict=True):
            sheet.cell(number, column, value)
    book.save(tmp_path / "torn.xlsx")
    known = {"track": view.library.tracks[["key", "title", "artist", "album"]]}

    result_workbook(
        tmp_path / "result.xlsx",
        read_whole(tmp_path / "torn.xlsx"),
        [],
        meta=RESULT,
        stopped={"Tracks": StoppedSheet("S01", restore=True)},
        bases=bases(view),
        items=None if check_moved else known,
    )

    wanted = {row["Key"]: row for row in tracks(tmp_path / "music.xlsx")}
    for row in tracks(tmp_path / "result.xlsx"):
        for header in ("Title", "Artist", "Album", "My rating", "Was", "Check"):
            assert row[header] == wanted[row["Key"]][header]


def test_a_result_read_again_gives_the_same_result(
    edited: Edited, result: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again.xlsx"

    result_workbook(again, read_whole(result), [], meta=RESULT)

    first, second = tracks(result), tracks(again)
    for one, other in zip(first, second, strict=True):
        assert other == one | {"Status": "", "Message": ""}


def test_cell_notes_of_the_person_are_kept(edited: Edited, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(edited.path)
    column = edited.at("Title") + 1
    book["Tracks"].cell(3, column).comment = Comment("who is this?", "Anna")
    book.save(tmp_path / "noted.xlsx")
    path = tmp_path / "result.xlsx"

    result_workbook(path, read_whole(tmp_path / "noted.xlsx"), [], meta=RESULT)

    sheet = openpyxl.load_workbook(path)["Tracks"]
    assert sheet.cell(3, column).comment.text == "who is this?"
    assert sheet.cell(1, column).comment.text == "Title of the track."


def test_a_part_of_notes_with_a_document_type_is_left_alone(edited: Edited, tmp_path: Path) -> None:
    path = tmp_path / "odd.xlsx"
    with zipfile.ZipFile(edited.path) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if "comments" in name:
                content = b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'
            target.writestr(name, content)
    assert comments_of(path) == {}
    assert comments_of(Path(__file__)) == {}


def test_notes_own_columns_and_sheets_are_carried_into_the_next_export(
    edited: Edited, tmp_path: Path
) -> None:
    book = openpyxl.load_workbook(edited.path)
    column = edited.at("Title") + 1
    book["Tracks"].cell(3, column).comment = Comment("who is this?", "Anna")
    book.save(tmp_path / "noted.xlsx")
    user_content = user_content_of(read_whole(tmp_path / "noted.xlsx"))

    path = export(tmp_path / "next.xlsx", small_view(), user_content=user_content)

    rows = {row["Key"]: row for row in tracks(path)}
    assert rows[edited.keys[0]]["Mood for driving"] == "fast"
    assert rows[edited.keys[4]]["Note"] == "ask Tom"
    head, *told = openpyxl.load_workbook(path)["Tracks"].iter_rows()
    key = [cell.value for cell in head].index("Key")
    comments = {row[key].value: cell.comment.text for row in told for cell in row if cell.comment}
    assert comments == {edited.keys[1]: "who is this?"}
    party = python_calamine.load_workbook(path).get_sheet_by_name("Party").to_python()
    assert party[1] == ["=1+1", 3.0]
    headers = list(next(iter(rows.values())))
    assert headers[headers.index("Note") + 1] == "Mood for driving"
