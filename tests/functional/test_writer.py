"""An exported workbook as other programs' readers see it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
import python_calamine

from plexsheet.workbook.schema import formulas
from plexsheet.workbook.schema.columns import SHEETS
from plexsheet.workbook.schema.finding import exported
from plexsheet.workbook.writing.sheet_data import sheet_tables
from plexsheet.workbook.writing.writer import data_tables
from tests.sample_library import META, export, make_library, quick_view, reports_of, small_view

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(
        tmp_path_factory.mktemp("writer") / "music.xlsx",
        small_view(),
        reports=reports_of(small_view()),
    )


def rows_of(path: Path, sheet: str) -> list[list[Any]]:
    book = python_calamine.load_workbook(path)
    return book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)


def column(path: Path, sheet: str, header: str) -> list[Any]:
    rows = rows_of(path, sheet)
    return [row[rows[0].index(header)] for row in rows[1:]]


def test_sheets_stand_in_order_and_meta_is_hidden(workbook: Path) -> None:
    book = openpyxl.load_workbook(workbook, read_only=True)
    assert book.sheetnames == [
        *("Start", "Artists", "Albums", "Tracks", "Twins", "Rate next"),
        *("Reports", "Most played", "Thresholds", "Dissenters", "Help", "_meta"),
    ]
    assert book["_meta"].sheet_state == "hidden"
    book.close()


@pytest.mark.parametrize("sheet", SHEETS)
def test_every_cell_holds_what_the_table_holds(workbook: Path, sheet: str) -> None:
    table = data_tables(small_view(), reports_of(small_view()))[sheet]
    rows = rows_of(workbook, sheet)
    assert rows[0] == [c.header for c in exported(sheet)]
    assert len(rows) == len(table["key"]) + 1
    for index, declared in enumerate(exported(sheet)):
        for cell, value in zip((row[index] for row in rows[1:]), table[declared.name], strict=True):
            if isinstance(value, str) or value != value:
                assert cell == ("" if value != value else value)
            elif declared.type == "link":
                assert cell == formulas.OPENS
            elif declared.type == "date":
                assert (cell - type(cell)(1899, 12, 30)).days == value
            else:
                assert cell == pytest.approx(value)


def test_the_file_says_where_it_comes_from_and_nothing_secret(workbook: Path) -> None:
    book = openpyxl.load_workbook(workbook)
    said = {row[0]: row[1] for row in book["_meta"].iter_rows(values_only=True)}
    assert said["export id"] == META.export_id
    assert said["format version"] == "1"
    assert said["rows Tracks"] == "600"
    assert said["columns Artists"].startswith("Artist | My rating | Inferred | Action")
    properties = {p.name: p.value for p in book.custom_doc_props.props}
    assert properties["plexsheet export id"] == META.export_id
    assert properties["plexsheet server id"] == "srv-1"
    content = b"".join(
        zipfile.ZipFile(workbook).read(n) for n in zipfile.ZipFile(workbook).namelist()
    )
    for secret in (b"X-Plex-Token", b"http://127", b"/home/", b"/tmp/"):
        assert secret not in content


def test_an_empty_library_gives_a_workbook_that_opens(tmp_path: Path) -> None:
    view = quick_view(make_library(0))
    path = export(tmp_path / "empty.xlsx", view, reports=reports_of(view))
    for sheet in SHEETS:
        assert rows_of(path, sheet) == [[c.header for c in exported(sheet)]]


def test_sheets_beyond_the_row_limit_are_continued(tmp_path: Path) -> None:
    view = quick_view(make_library(250))

    path = export(tmp_path / "long.xlsx", view, sheet_rows=100)

    book = openpyxl.load_workbook(path)
    assert [n for n in book.sheetnames if n.startswith("Tracks")] == [
        "Tracks",
        "Tracks 2",
        "Tracks 3",
    ]
    keys = [k for n in ("Tracks", "Tracks 2", "Tracks 3") for k in column(path, n, "Key")]
    assert keys == sheet_tables(view)["Tracks"]["key"].tolist()
    assert [t for s in book for t in s.tables if t.startswith("tblTracks")] == [
        "tblTracks", "tblTracks2", "tblTracks3",
    ]  # fmt: skip
    assert "'Tracks 3'!" in book["Start"]["C15"].value


def test_ratings_are_numbers_keys_are_text_and_dates_are_dates(workbook: Path) -> None:
    sheet = openpyxl.load_workbook(workbook)["Tracks"]
    headers = {cell.value: cell.column for cell in sheet[1]}
    formats = {h: sheet.cell(2, headers[h]).number_format for h in ("Key", "Title", "Check", "Why")}
    assert set(formats.values()) == {"@"}
    assert sheet.cell(2, headers["Key"]).data_type == "s"
    assert sheet.cell(2, headers["Added"]).is_date
    assert sheet.cell(2, headers["Inferred"]).number_format == "0.00"
    confidence = sheet.cell(2, headers["Confidence"])
    assert confidence.number_format == '0" %"'
    assert sheet.column_dimensions["I"].width > 8
    assert np.isfinite(sheet.cell(2, headers["Inferred"]).value)


def test_reports_have_a_chart_where_there_is_something_to_show(
    workbook: Path, tmp_path: Path
) -> None:
    titles = [
        chart.title.tx.rich.p[0].r[0].t
        for chart in openpyxl.load_workbook(workbook)["Reports"]._charts
    ]
    assert titles == [
        "Whose ratings",
        "Tracks by stars",
        "How far off, in stars",
        "Mean rating by plays, in stars",
        "You and the critics",
        "Tracks at the lines",
    ]
    empty = quick_view(make_library(0))
    path = export(tmp_path / "empty.xlsx", empty, reports=reports_of(empty))
    assert openpyxl.load_workbook(path)["Reports"]._charts == []


def test_every_charted_column_is_one_of_its_report() -> None:
    charted = [report for report in reports_of(small_view()) if report.chart]
    assert len(charted) >= 5
    assert all(set(report.chart.series) <= set(report.columns) for report in charted)


def test_lists_are_tables_with_links_that_hold_no_token(workbook: Path) -> None:
    sheet = openpyxl.load_workbook(workbook)["Thresholds"]
    assert list(sheet.tables) == ["tblThresholds"]
    assert sheet["A2"].value.isdigit()
    link = sheet["J2"].hyperlink.target
    assert link.startswith("https://app.plex.tv/desktop")
    assert "oken" not in link


def test_columns_that_link_lead_to_the_first_row_of_what_they_count(workbook: Path) -> None:
    book = openpyxl.load_workbook(workbook)
    values = openpyxl.load_workbook(workbook, data_only=True)
    albums = book["Albums"]
    place = {cell.value: cell.column_letter for cell in albums[1]}
    linked = [c for c in albums[place["Tracks"]][1:] if isinstance(c.value, str)]
    assert linked[0].value.startswith("=HYPERLINK(\"#'Tracks'!B\"&IFERROR(MATCH(B")
    assert values["Albums"][linked[0].coordinate].value > 0
    doubled = [c.value for c in albums[place["Album"]][1:]]
    for cell in linked:  # a title that two albums share leads nowhere
        assert doubled.count(albums[f"{place['Album']}{cell.row}"].value) == 1


@pytest.mark.slow
@pytest.mark.parametrize("sheet", ["Artists", "Albums", "Tracks", "Twins", "Rate next"])
def test_open_leads_to_the_item_in_plex_and_a_track_to_its_album(
    workbook: Path, sheet: str
) -> None:
    album_of = dict(
        zip(
            small_view().library.tracks["key"].astype(str),
            small_view().library.tracks["album_key"].astype(str),
            strict=True,
        )
    )
    worksheet = openpyxl.load_workbook(workbook)[sheet]
    place = {cell.value: cell.column for cell in worksheet[1]}

    for row in range(2, worksheet.max_row + 1):
        key = worksheet.cell(row, place["Key"]).value
        assert worksheet.cell(row, place["Open"]).value == (
            '=HYPERLINK("https://app.plex.tv/desktop/#!/server/srv-1/details'
            f'?key=%2Flibrary%2Fmetadata%2F{album_of.get(key, key)}","▶")'
        )


def test_a_length_is_a_number_that_shows_as_minutes_and_seconds(workbook: Path) -> None:
    sheet = openpyxl.load_workbook(workbook)["Tracks"]
    place = {cell.value: cell.column for cell in sheet[1]}
    length = sheet.cell(2, place["Length"])
    milliseconds = dict(
        zip(
            small_view().library.tracks["key"].astype(str),
            small_view().library.tracks["duration_ms"],
            strict=True,
        )
    )
    seconds = round(milliseconds[sheet.cell(2, place["Key"]).value] / 1000)

    assert not length.is_date
    assert length.number_format == '0":"00'
    assert length.value == 100 * (seconds // 60) + seconds % 60
