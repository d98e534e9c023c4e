"""The workbook in a real LibreOffice: everything it shows, calculates and keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plexsheet.workbook.schema import formulas
from plexsheet.workbook.schema.columns import SHEETS, SheetName
from plexsheet.workbook.schema.finding import exported
from plexsheet.workbook.schema.letters import letters_of
from tests.golden.workbooks import write_result
from tests.libreoffice import Document, open_document
from tests.sample_library import export, make_library, make_view, reports_of

pytestmark = [pytest.mark.libreoffice, pytest.mark.xdist_group("libreoffice")]

# How many columns say what a row is.
FROZEN: dict[SheetName, int] = {
    "Artists": 1, "Albums": 2, "Tracks": 3, "Twins": 4, "Rate next": 4,
}  # fmt: skip


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    view = make_view(make_library(500, seed=3))
    path = tmp_path_factory.mktemp("look") / "music.xlsx"
    return export(path, view, reports=reports_of(view))


@pytest.fixture(scope="module")
def document(workbook: Path) -> Iterator[Document]:
    with open_document(workbook) as opened:
        yield opened


def letter(sheet: SheetName, header: str) -> str:
    index = [column.header for column in exported(sheet)].index(header)
    return letters_of(index)


def test_sheets_and_where_the_book_comes_from(document: Document) -> None:
    shown = {sheet["name"]: sheet["visible"] for sheet in document.sheets()}
    assert not shown.pop("_meta")
    assert list(shown) == [
        *("Start", "Artists", "Albums", "Tracks", "Twins", "Rate next"),
        *("Reports", "Most played", "Thresholds", "Dissenters", "Help"),
    ]
    assert all(shown.values())
    assert not any(sheet["protected"] for sheet in document.sheets())
    assert document.properties()["plexsheet export id"] == "e-0001"


@pytest.mark.slow
@pytest.mark.parametrize("sheet", SHEETS)
def test_header_and_what_a_row_is_are_frozen_and_printed_on_each_page(
    document: Document, sheet: SheetName
) -> None:
    assert document.freeze(sheet) == [FROZEN[sheet], 1]
    page = document.page(sheet)
    assert page["repeats_header"]
    assert page["title_rows"] == [0, 0]
    assert (page["pages_wide"], page["landscape"]) == (1, True)


@pytest.mark.slow
@pytest.mark.parametrize("sheet", SHEETS)
def test_tables_reach_over_all_rows_and_columns(document: Document, sheet: SheetName) -> None:
    name = f"tbl{sheet}".replace(" ", "")
    table = next(table for table in document.tables() if table["name"] == name)
    assert table["columns"] == [0, len(exported(sheet)) - 1]
    assert table["rows"] == [0, max(len(document.values(sheet)) - 1, 1)]
    assert table["autofilter"]


@pytest.mark.parametrize("sheet", SHEETS)
def test_columns_are_hidden_or_wide_enough_for_their_header(
    document: Document, sheet: SheetName
) -> None:
    for column, declared in zip(document.columns(sheet), exported(sheet), strict=True):
        assert column["visible"] == (not declared.hidden)
        if column["visible"]:
            assert column["width_mm"] > 1.9 * (len(declared.header) + 2)


@pytest.mark.parametrize("sheet", SHEETS)
def test_every_shown_column_explains_itself_in_a_note(document: Document, sheet: SheetName) -> None:
    notes = {note["column"]: note["text"] for note in document.notes(sheet) if note["row"] == 0}
    for index, column in enumerate(exported(sheet)):
        assert column.hidden or column.note in notes[index]


@pytest.mark.parametrize("where", ["first", "last"])
@pytest.mark.parametrize("sheet", SHEETS)
def test_what_may_be_typed_is_checked_with_a_message(
    document: Document, sheet: SheetName, where: str
) -> None:
    row = 2 if where == "first" else len(document.values(sheet))
    for column in exported(sheet):
        rule = document.validation(sheet, f"{letter(sheet, column.header)}{row}")
        if column.name in ("key", "check") or column.hidden:
            assert (rule["type"], rule["formula1"], rule["alert"]) == ("CUSTOM", "0", "STOP")
        elif column.name in ("my_rating", "year") and column.editable:
            assert (rule["type"], rule["alert"]) == ("CUSTOM", "STOP")
            assert rule["error"].startswith("Type a ")
        elif column.choices:
            assert rule["type"] == "LIST"
            assert rule["list"]
            assert all(f'"{choice}"' in rule["formula1"] for choice in column.choices)
        else:
            assert rule["type"] == "ANY"


@pytest.mark.parametrize("sheet", ["Artists", "Albums", "Tracks"])
def test_live_colours_are_there(document: Document, sheet: SheetName) -> None:
    found = document.conditional_formats(sheet)
    last = len(document.values(sheet))
    assert all(str(one["range"]).endswith(str(last)) for one in found)
    of = {header: [] for header in ("My rating", "Confidence", "Inferred", "Action", "Source")}
    for one in found:
        for header in of:
            if one["range"].startswith(f"{letter(sheet, header)}2:"):
                of[header].append(one["kind"])
    # Refused, emptied, edited; and stars for each half star, for edited and for own ratings.
    assert of["My rating"] == ["condition"] * (3 + 2 * 10)
    assert of["Confidence"] == ["data bar"]
    assert of["Inferred"] == ["condition"] * 10
    assert of["Action"].count("condition") == 2


def test_charts_show_the_reports(document: Document) -> None:
    charts = document.charts("Reports")
    assert [chart["title"] for chart in charts] == [
        "Whose ratings", "Tracks by stars", "How far off, in stars",
        "Mean rating by plays, in stars", "You and the critics", "Tracks at the lines",
    ]  # fmt: skip
    manual, inferred = charts[1]["series"]
    assert {manual["kind"], inferred["kind"]} == {"ColumnChartType"}
    assert sum(inferred["points"][0]) > sum(manual["points"][0]) > 0


def test_every_formula_shows_what_it_comes_to_before_anything_is_calculated(
    document: Document,
) -> None:
    names = [sheet["name"] for sheet in document.sheets()]
    formulas_there = {name: document.formulas(name) for name in names}
    stored = {name: document.values(name) for name in names}

    document.recalculate()

    counted = 0
    for name in names:
        assert document.errors(name) == []
        assert document.values(name) == stored[name]
        counted += sum(str(f).startswith("=") for row in formulas_there[name] for f in row)
    assert counted > 500  # Will do on every row, and the counts on Start


TYPED: list[Any] = [
    None, 4.5, 5, 0.5, 3.67, 7, 0, -1, 5.01, "gut", "4,5", " 4.5 ", "4½", "★★★★½", "CLEAR",
    " clear ", "9/10", "#N/A x", "1.234,5", "nan",
]  # fmt: skip
ACTIONS = ["", "ACCEPT", "accept ", "CLEAR", "EXCLUDE", "INCLUDE", "MINE", "PLEX", "ACEPT"]


@pytest.mark.parametrize("sheet", ["Tracks", "Albums"])
def test_will_do_says_in_the_cell_what_the_program_says(workbook: Path, sheet: SheetName) -> None:
    cases = [(typed, "") for typed in TYPED] + [(t, a) for a in ACTIONS for t in (None, 2.5)]
    place = {column.name: letter(sheet, column.header) for column in exported(sheet)}
    with open_document(workbook) as document:
        for row, (typed, action) in enumerate(cases, start=2):
            document.set(sheet, f"{place['my_rating']}{row}", typed)
            document.set(sheet, f"{place['action']}{row}", action or None)
            if sheet == "Albums" and row % 3 == 0:
                document.set(sheet, f"{place['year']}{row}", 1970)
        shown = document.values(sheet, f"A2:Z{len(cases) + 1}")
    names = [column.name for column in exported(sheet)]
    for (typed, action), cells in zip(cases, shown, strict=True):
        row = dict(zip(names, cells, strict=False)) | {"my_rating": typed, "action": action}
        assert row["will_do"] == formulas.will_do_text(row), (typed, action, row["was"])


def test_start_counts_edits_as_they_are_typed(workbook: Path) -> None:
    with open_document(workbook) as document:
        assert [row[2] for row in document.values("Start", "A13:C16")] == [0, 0, 0, 0]
        document.set("Tracks", f"{letter('Tracks', 'My rating')}2", 1.5)
        document.set("Tracks", f"{letter('Tracks', 'Action')}3", "CLEAR")
        document.set("Tracks", f"{letter('Tracks', 'My rating')}4", 0)
        document.set("Albums", f"{letter('Albums', 'Year')}2", 1901)
        document.set("Twins", f"{letter('Twins', 'Decision')}2", "SAME")
        assert [row[2] for row in document.values("Start", "A13:C16")] == [0, 1, 3, 1]


@pytest.mark.parametrize("suffix", [".xlsx", ".ods"])
def test_what_matters_survives_saving(workbook: Path, tmp_path: Path, suffix: str) -> None:
    saved = tmp_path / f"saved{suffix}"
    with open_document(workbook) as document:
        before = {sheet: document.values(sheet) for sheet in SHEETS}
        document.store_as(saved)

    with open_document(saved) as document:
        for sheet in SHEETS:
            assert document.values(sheet) == before[sheet]
            assert document.freeze(sheet) == [FROZEN[sheet], 1]
            hidden = [not column["visible"] for column in document.columns(sheet)]
            assert hidden == [column.hidden for column in exported(sheet)]
        assert document.validation("Tracks", f"{letter('Tracks', 'Action')}2")["type"] == "LIST"
        assert len(document.notes("Tracks")) == sum(not c.hidden for c in exported("Tracks"))
        assert len(document.charts("Reports")) == 6
        document.set("Tracks", f"{letter('Tracks', 'My rating')}2", 2)
        assert document.values("Tracks", f"{letter('Tracks', 'Will do')}2")[0][0].startswith(
            "rate 2"
        )


@pytest.mark.parametrize("sheet", SHEETS)
def test_sorting_by_any_column_moves_whole_rows(workbook: Path, sheet: SheetName) -> None:
    with open_document(workbook) as document:
        rows = {tuple(row) for row in document.values(sheet)[1:]}
        for column in exported(sheet):
            document.sort(sheet, column.header, descending=column.editable)
            assert {tuple(row) for row in document.values(sheet)[1:]} == rows
            assert document.errors(sheet) == []


def test_a_result_opens_with_its_summary_links_and_colours(tmp_path: Path) -> None:
    path = tmp_path / "result.xlsx"
    write_result(path)

    with open_document(path) as document:
        for sheet in document.sheets():
            assert document.errors(sheet["name"]) == []
        tracks = document.values("Tracks")
        status = tracks[0].index("Status")
        assert [row[status] for row in tracks[1:]] == ["Applied", "Error", "Conflict", ""]
        kinds = [one["kind"] for one in document.conditional_formats("Changes")]
        assert kinds.count("condition") == 7  # one colour per outcome
        assert document.cell("Start", "B38")["string"] == "Tracks, row 3: Song"
        assert [note["text"] for note in document.notes("Tracks") if note["row"]] == [
            "who is this?"
        ]
        document.recalculate()
        assert document.values("Start", "C15:C15") == [[2.0]]
