"""Cells typed into the XML of a workbook are those that a program would have saved."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.driver import set_cells, set_with_openpyxl
from tests.sample_library import export, small_view
from tests.typing_in import typed_into_xml

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")
TYPED: list[tuple[str, Any]] = [
    ("My rating", 4.5),
    ("My rating", 3),
    ("My rating", "gut <& \u2605> "),
    ("My rating", True),
    ("My rating", None),
    ("Action", "EXCLUDE"),
    ("Note", "two\nlines"),
]


def cells_of(path: Path, sheet: str) -> list[list[Any]]:
    book = openpyxl.load_workbook(path)
    found = [[cell.value for cell in row] for row in book[sheet].iter_rows()]
    book.close()
    return found


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    return export(tmp_path / "music.xlsx", small_view())


def test_a_cell_holds_what_a_program_would_have_put_there(workbook: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.xlsx"
    shutil.copy(workbook, other)
    head, *rows = cells_of(workbook, "Tracks")
    keys = [str(row[head.index("Key")]) for row in rows]
    cells = [("Tracks", key, *typed) for key, typed in zip(keys, TYPED, strict=False)]

    assert typed_into_xml(workbook, cells)
    set_with_openpyxl(other, cells)

    assert len(cells) == len(TYPED)
    assert cells_of(workbook, "Tracks") == cells_of(other, "Tracks")


def test_nothing_else_in_the_file_is_touched(workbook: Path) -> None:
    with zipfile.ZipFile(workbook) as file:
        before = {name: file.read(name) for name in file.namelist()}
    head, row, *_ = cells_of(workbook, "Albums")

    set_cells(workbook, [("Albums", str(row[head.index("Key")]), "My rating", 2)])

    with zipfile.ZipFile(workbook) as file:
        after = {name: file.read(name) for name in file.namelist()}
    assert [name for name in before if before[name] != after[name]] == ["xl/worksheets/sheet3.xml"]
    assert before.keys() == after.keys()


def test_a_formula_is_left_to_openpyxl(workbook: Path) -> None:
    head, row, *_ = cells_of(workbook, "Tracks")
    cell = ("Tracks", str(row[head.index("Key")]), "Will do", "mine")
    content = workbook.read_bytes()

    assert not typed_into_xml(workbook, [cell])
    assert workbook.read_bytes() == content
    set_cells(workbook, [cell])

    assert cells_of(workbook, "Tracks")[1][head.index("Will do")] == "mine"
