from __future__ import annotations

import pytest

from plexsheet.workbook.schema import columns, finding
from plexsheet.workbook.schema.columns import SHEETS, SheetName


@pytest.mark.parametrize("sheet", SHEETS)
def test_names_and_headers_of_a_sheet_are_unique(sheet: SheetName) -> None:
    declared = SHEETS[sheet]
    assert len({c.name for c in declared}) == len(declared)
    assert len({finding.header_key(c.header) for c in declared}) == len(declared)


@pytest.mark.parametrize("sheet", SHEETS)
def test_every_column_is_found_by_its_header_in_any_case_and_spacing(sheet: SheetName) -> None:
    for column in SHEETS[sheet]:
        for said in (column.header.upper(), f" {column.header} ", column.header.replace(" ", "  ")):
            assert finding.column_of(sheet, said) is column


@pytest.mark.parametrize("sheet", SHEETS)
def test_required_identity_and_base_columns_exist(sheet: SheetName) -> None:
    headers = {c.header for c in SHEETS[sheet]}
    assert headers >= set(columns.REQUIRED[sheet])
    assert headers >= {h for h in columns.IDENTITY[sheet] if h}


@pytest.mark.parametrize("sheet", SHEETS)
def test_hidden_columns_close_the_table_and_each_column_explains_itself(sheet: SheetName) -> None:
    hidden = [c.hidden for c in SHEETS[sheet]]
    assert hidden == sorted(hidden)
    assert all(c.note.endswith(".") and len(c.note) < 250 for c in SHEETS[sheet])


def test_a_rating_can_be_edited_in_one_place_only() -> None:
    for sheet, declared in SHEETS.items():
        stars = [c.header for c in declared if c.type == "stars" and c.editable]
        assert stars == ([] if sheet == "Twins" else ["My rating"])


@pytest.mark.parametrize(
    ("name", "sheet"),
    [
        ("Tracks", "Tracks"),
        ("TRACKS 2", "Tracks"),
        (" albums ", "Albums"),
        ("Twin", None),
        ("2", None),
    ],
)
def test_sheets_are_found_by_name(name: str, sheet: str | None) -> None:
    assert finding.sheet_of(name) == sheet
