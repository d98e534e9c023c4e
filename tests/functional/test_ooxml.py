"""Every workbook we write is valid Office Open XML, by the published schemas and Excel's rules."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from openxml_audit import FileFormat, OpenXmlValidator

from plexsheet.workbook.reading.user_content import UserContent
from tests import ooxml_rules
from tests.golden.workbooks import write_export, write_result
from tests.plain_book import export_plain
from tests.sample_library import export, reports_of, small_view


def write_plain(path: Path) -> None:
    view = small_view()
    export_plain(path, view, reports=reports_of(view), user_content=UserContent())


def write_streamed(path: Path) -> None:
    view = small_view()
    export(path, view, reports=reports_of(view), sheet_rows=400)


def write_chosen(path: Path) -> None:
    export(path, small_view(), headers={"Tracks": ["Title"], "Albums": ["Album", "Year"]})


WRITERS = (write_plain, write_streamed, write_chosen, write_export, write_result)


@pytest.mark.slow
@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_what_is_written_is_valid(write: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "made.xlsx"
    write(path)

    found = OpenXmlValidator(FileFormat.OFFICE_2019, max_errors=20).validate(path)

    assert [str(error) for error in found.errors] == []
    assert ooxml_rules.broken(path) == []


def changed(path: Path, part: str, old: bytes, new: bytes) -> Path:
    target = path.with_name("changed.xlsx")
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(target, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            if name == part:
                assert old in content
                content = content.replace(old, new)
            after.writestr(name, content)
    return target


def test_an_element_out_of_order_would_be_noticed(tmp_path: Path) -> None:
    write_export(tmp_path / "made.xlsx")
    part = "xl/worksheets/sheet4.xml"
    path = changed(tmp_path / "made.xlsx", part, b"<sheetData>", b"<tableParts/><sheetData>")

    assert OpenXmlValidator(FileFormat.OFFICE_2019).validate(path).errors


@pytest.mark.parametrize(
    ("part", "old", "new", "words"),
    [
        ("xl/tables/table3.xml", b'name="My rating"', b'name="My ratings"', "differ from"),
        (
            "xl/tables/table2.xml",
            b'displayName="tblAlbums"',
            b'displayName="tblTracks"',
            "two tables",
        ),
        ("xl/workbook.xml", b'name="Albums"', b'name="tracks"', "two sheets"),
        ("xl/worksheets/sheet4.xml", b'<row r="3"', b'<row r="2"', "comes after"),
    ],
)
def test_what_schemas_do_not_hold_would_be_noticed(
    tmp_path: Path, part: str, old: bytes, new: bytes, words: str
) -> None:
    write_export(tmp_path / "made.xlsx")

    found = ooxml_rules.broken(changed(tmp_path / "made.xlsx", part, old, new))

    assert any(words in sentence for sentence in found), found
