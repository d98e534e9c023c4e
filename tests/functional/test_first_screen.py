"""What a person sees without scrolling, measured from the widths of the columns."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from plexsheet.workbook.schema.columns import SHEETS, SheetName
from tests.libreoffice import open_document
from tests.sample_library import export, make_library, make_view, reports_of

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")
PIXELS = 1_300
ROW_NUMBERS, SCROLL_BAR = 47, 20
TO_RATE: tuple[SheetName, ...] = ("Artists", "Albums", "Tracks", "Rate next")
WHAT_ONE_DOES = ("My rating", "Inferred", "Action", "Will do")


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    view = make_view(make_library(500, seed=3))
    path = tmp_path_factory.mktemp("screen") / "music.xlsx"
    return export(path, view, reports=reports_of(view))


def in_excel(width_chars: float) -> int:
    """Pixels of a column at 100 %: Calibri 11 has digits of 7, and 5 are margins and line."""
    return int(int(256 * width_chars + 128 // 7) / 256 * 7)


@pytest.mark.slow
@pytest.mark.parametrize("name", TO_RATE)
def test_everything_up_to_will_do_fits_a_laptop_in_excel(workbook: Path, name: str) -> None:
    sheet = openpyxl.load_workbook(workbook)[name]
    headers = [cell.value for cell in sheet[1]]
    shown = headers[: headers.index("Will do") + 1]
    assert tuple(shown[-4:]) == WHAT_ONE_DOES
    widths = [
        in_excel(sheet.column_dimensions[sheet.cell(1, place).column_letter].width)
        for place in range(1, len(shown) + 1)
    ]

    assert ROW_NUMBERS + SCROLL_BAR + sum(widths) <= PIXELS


@pytest.mark.slow
@pytest.mark.libreoffice
@pytest.mark.xdist_group("libreoffice")
@pytest.mark.parametrize("name", TO_RATE)
def test_everything_up_to_will_do_fits_a_laptop_in_libreoffice(workbook: Path, name: str) -> None:
    with open_document(workbook) as document:
        columns = document.columns(name)
    place = [column["header"] for column in columns].index("Will do")

    pixels = sum(column["width_mm"] for column in columns[: place + 1]) / 25.4 * 96

    assert ROW_NUMBERS + SCROLL_BAR + pixels <= PIXELS


@pytest.mark.slow
@pytest.mark.parametrize("name", SHEETS)
def test_what_the_row_is_stays_in_view_and_its_key_is_the_last_to_be_seen(
    workbook: Path, name: str
) -> None:
    sheet = openpyxl.load_workbook(workbook)[name]
    headers = [cell.value for cell in sheet[1]]
    seen = [h for h, cell in zip(headers, sheet[1], strict=True)
            if not sheet.column_dimensions[cell.column_letter].hidden]  # fmt: skip
    frozen = openpyxl.utils.cell.coordinate_from_string(sheet.freeze_panes)[0]
    place = openpyxl.utils.column_index_from_string(frozen) - 1

    assert set(headers[:place]) <= {"Artist", "Album", "Title", "Kind", "Group"}
    assert headers[place] in ("My rating", "Decision")
    assert seen[-1] == "Key"
