"""Streamed rows against XlsxWriter's own: the same workbook, cell for cell and part for part."""

from __future__ import annotations

import re
import time
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import python_calamine
import xlsxwriter

from benchmarks.measure import in_child
from plexsheet.workbook.reading.user_content import ExtraSheet, OwnColumn, UserContent
from plexsheet.workbook.schema.columns import SHEETS
from plexsheet.workbook.writing.sheet_data import sheet_tables
from tests.effort import enough
from tests.functional.test_writer_text import ODD, with_titles
from tests.plain_book import export_plain
from tests.sample_library import export, make_library, quick_view, reports_of, small_view

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")

USER_CONTENT = UserContent(
    {"Tracks": {1_000_001: "a note"}},
    {"Albums": [OwnColumn("Shelf", {100_001: 3, 100_002: "B", 100_003: True})]},
    [ExtraSheet("Party", [["Song", 1.5], [None, "=x"]])],
)


Pair = tuple[Path, Path]


@pytest.fixture(scope="module", params=["usual", "odd"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("pair")
    view = {
        "usual": small_view,
        "odd": lambda: quick_view(with_titles(ODD)),
    }[request.param]()
    more: dict[str, Any] = {"reports": reports_of(view), "user_content": USER_CONTENT}
    return (
        export(folder / "streamed.xlsx", view, **more),
        export_plain(folder / "plain.xlsx", view, **more),
    )


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


@pytest.mark.slow
def test_every_part_is_the_same_but_for_rows_and_the_texts_they_share(
    pair: Pair,
) -> None:
    streamed, plain = map(parts, pair)
    assert list(streamed) == list(plain)
    rows = re.compile(rb"<sheetData>.*</sheetData>", re.DOTALL)
    for name, content in streamed.items():
        other = plain[name]
        if name == "xl/sharedStrings.xml":
            continue  # streamed rows hold their texts themselves
        if name.startswith("xl/worksheets/sheet"):
            content, other = (rows.sub(b"", part) for part in (content, other))
        assert content == other, name


@pytest.mark.slow
def test_every_cell_is_the_same(pair: Pair) -> None:
    streamed, plain = (python_calamine.load_workbook(path) for path in pair)
    assert streamed.sheet_names == plain.sheet_names
    for name in streamed.sheet_names:
        one, other = (book.get_sheet_by_name(name).to_python() for book in (streamed, plain))
        assert one == other, name


@pytest.mark.slow
def test_every_cell_has_the_same_type_format_and_formula(pair: Pair) -> None:
    streamed, plain = (openpyxl.load_workbook(path) for path in pair)
    for name in SHEETS:
        for one, other in zip(streamed[name].iter_rows(), plain[name].iter_rows(), strict=True):
            for left, right in zip(one, other, strict=True):
                assert left.coordinate == right.coordinate
                assert decoded(left.value) == decoded(right.value)
                assert left.style_id == right.style_id
                assert left.data_type == right.data_type


def decoded(value: Any) -> Any:
    """openpyxl leaves escapes in texts of the cell itself, and decodes shared ones."""
    return value.replace("_x005F_", "_") if isinstance(value, str) else value


@pytest.mark.slow
def test_streaming_takes_less_than_half_of_a_typed_loop_over_the_same_cells(tmp_path: Path) -> None:
    view = quick_view(make_library(10_000))
    ratios = []
    for _ in range(2):
        begun = time.process_time()
        export(tmp_path / "streamed.xlsx", view)
        ours = time.process_time() - begun
        begun = time.process_time()
        typed_loop(tmp_path / "typed.xlsx", sheet_tables(view))
        ratios.append(ours / (time.process_time() - begun))
    assert min(ratios) <= 0.5


def typed_loop(path: Path, tables: dict[Any, dict[str, Any]]) -> None:
    """The same cells by write_string and write_number, and nothing else."""
    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    look = book.add_format({"font_color": "#333333"})
    for name, values in tables.items():
        sheet = book.add_worksheet(name)
        rows = zip(*(column.tolist() for column in values.values()), strict=True)
        for number, row in enumerate(rows, start=1):
            for place, value in enumerate(row):
                if isinstance(value, str):
                    if value:
                        sheet.write_string(number, place, value, look)
                elif value == value:
                    sheet.write_number(number, place, value, look)
    book.close()


@pytest.mark.slow
def test_a_hundred_thousand_tracks_are_written_within_500_mb(tmp_path: Path) -> None:
    tracks = enough(100_000, 30_000)

    figures = in_child(f"{__name__}:write_made_up_library", tracks, tmp_path / "big.xlsx")

    assert figures["peak_mb"] <= enough(500, 300)


def write_made_up_library(tracks: int, path: str) -> dict[str, Any]:
    """Run in a process of its own."""
    export(Path(path), quick_view(make_library(tracks)))
    return {}
