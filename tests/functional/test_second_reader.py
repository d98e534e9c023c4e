"""Files that programs write in their own way: the second reader sees what the first one does."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from plexsheet.errors import WorkbookError
from plexsheet.workbook.reading import archive, reader_process
from plexsheet.workbook.reading.reader import read
from tests.libreoffice import convert
from tests.sample_library import export, reports_of, small_view
from tests.strict_ooxml import write_strict

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")
in_libreoffice = [pytest.mark.libreoffice, pytest.mark.xdist_group("libreoffice")]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    view = small_view()
    path = tmp_path_factory.mktemp("second") / "music.xlsx"
    return export(path, view, reports=reports_of(view))


def cells(book: Any, sheet: str) -> dict[tuple[int, int], Any]:
    """The cells that are not blank, by row and column."""
    return {
        (row, column): value
        for row, values in enumerate(book.rows(sheet))
        for column, value in enumerate(values)
        if value != ""
    }


def assert_read_alike(path: Path) -> None:
    format_ = archive.sniff(path)
    first = reader_process.CalamineBook(path, format_)
    second = reader_process.parsed(path, format_)
    assert first.names == second.names
    for sheet in first.names:
        assert cells(first, sheet) == cells(second, sheet)
        there, here = (book.marks(sheet, range(30)) for book in (first, second))
        assert there is not None
        assert sorted(zip(there.rows, there.columns, there.formulas, strict=True)) == sorted(
            zip(here.rows, here.columns, here.formulas, strict=True)
        )


def test_an_export_reads_alike_by_both_readers(exported: Path) -> None:
    assert_read_alike(exported)


@pytest.mark.slow
@pytest.mark.parametrize(
    "suffix", [pytest.param(suffix, marks=in_libreoffice) for suffix in (".xlsx", ".ods")]
)
def test_what_libreoffice_saves_reads_alike_by_both_readers(
    exported: Path, tmp_path: Path, suffix: str
) -> None:
    assert_read_alike(convert(exported, tmp_path / f"music{suffix}"))


def test_odd_cells_read_alike_by_both_readers(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["4,5", True, "=1+1", "#N/A", "a  b ", 1e300, -0.5, None, "_x0041_"])
    sheet["D3"] = "=1/0"
    sheet["B4"].number_format, sheet["B4"].value = "yyyy-mm-dd", 45_000.5
    sheet["C4"].number_format, sheet["C4"].value = '0":"00', 345
    book.save(tmp_path / "odd.xlsx")

    assert_read_alike(tmp_path / "odd.xlsx")


def test_a_strict_workbook_is_read(exported: Path, tmp_path: Path) -> None:
    raw = read(write_strict(exported, tmp_path / "strict.xlsx"))

    assert raw.meta["export_id"] == "e-0001"
    assert len(raw.sheets["Tracks"]) == 600


@pytest.mark.libreoffice
@pytest.mark.xdist_group("libreoffice")
def test_a_flat_document_is_read_like_any_other(exported: Path, tmp_path: Path) -> None:
    raw, again = read(exported), read(convert(exported, tmp_path / "music.fods"))

    assert again.format == "fods"
    assert again.meta["export_id"] == "e-0001"
    for name, sheet in raw.sheets.items():
        assert (again.sheets[name].keys == sheet.keys).all()


def indented(path: Path, target: Path) -> Path:
    """An .ods with its XML spread over lines, as Gnumeric and SheetJS write it."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "content.xml":
                content = content.replace(b"<table:", b"\n  <table:")
            new.writestr(name, content)
    return target


@pytest.mark.libreoffice
@pytest.mark.xdist_group("libreoffice")
def test_an_indented_ods_is_read_by_the_second_reader(exported: Path, tmp_path: Path) -> None:
    path = indented(convert(exported, tmp_path / "a.ods"), tmp_path / "b.ods")
    with pytest.raises(Exception, match="table-cell"):
        reader_process.CalamineBook(path, "ods")

    raw = read(path)

    assert raw.format == "ods"
    assert len(raw.sheets["Tracks"]) == 600
    assert raw.sheets["Tracks"].certain


def test_a_whole_file_is_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "odd.ods"
    with zipfile.ZipFile(path, "w") as new:
        new.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        new.writestr("content.xml", '<d xmlns:table="urn:x"><table:table-cell/> </d>')

    with pytest.raises(WorkbookError, match="This file is whole") as refused:
        read(path)

    assert refused.value.code == "F01"


def copied_sheets(exported: Path, target: Path, names: dict[str, str]) -> Path:
    """Some sheets copied into a new workbook under other names; nothing else comes along."""
    source = openpyxl.load_workbook(exported, data_only=True)
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, title in names.items():
        sheet = book.create_sheet(title)
        for row in source[name].values:
            sheet.append(row)
    book.save(target)
    return target


@pytest.mark.slow
@pytest.mark.parametrize(
    "pattern", ["{} - Table 1", "{}-Tabelle 1", "{} (2)", "{}_2", "Copy of {}", "Kopie von {}"]
)
def test_what_programs_add_to_names_of_sheets_is_seen_through(
    exported: Path, tmp_path: Path, pattern: str
) -> None:
    names = {name: pattern.format(name) for name in ("Tracks", "Albums", "Dissenters", "Start")}

    raw = read(copied_sheets(exported, tmp_path / "copied.xlsx", names))

    assert {name: len(sheet) for name, sheet in raw.sheets.items()} == {"Tracks": 600, "Albums": 54}
    assert not raw.stopped


def test_a_copy_beside_its_original_is_left_alone(exported: Path, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(exported)
    book.copy_worksheet(book["Tracks"]).title = "Tracks (2)"
    book.save(tmp_path / "copy.xlsx")

    raw = read(tmp_path / "copy.xlsx", extras=True)

    assert raw.sheets["Tracks"].title == "Tracks"
    assert not raw.stopped
    assert "Sheet 'Tracks (2)' is taken for a copy of Tracks: only Tracks was read." in {
        message.text for message in raw.messages
    }
    assert "Tracks (2)" in {extra.name for extra in raw.extra_sheets}


def test_dissenters_alone_are_no_list_of_ratings(exported: Path, tmp_path: Path) -> None:
    path = copied_sheets(exported, tmp_path / "one.xlsx", {"Dissenters": "Sheet1"})

    with pytest.raises(WorkbookError) as refused:
        read(path)

    assert refused.value.code == "F03"
