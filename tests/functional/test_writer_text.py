"""Titles that look like something else stay titles, written and read back."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import openpyxl
import pytest
import python_calamine
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from plexsheet.library import Library
from plexsheet.workbook.schema.check import cell_text, check_numbers, check_of_text, normal_text
from tests.effort import enough
from tests.sample_library import META, export, make_library, quick_view

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")

ODD = [
    "=1+1", "+49", "-", "@x", "NA", "None", "nan", "null", "#N/A", "TRUE", "007", "1/2", "March 7",
    "1E5", "1984", "1,5", "2024-01-05", "12:30", "<r>x</r>", "<r></is></si><broken</r>",
    "<r><t>a</t></r>", "_x0041_", "_x000D_", "a_x0001_b", "&amp; <b>", "a & b < c > d", '"q"',
    "'=1", "🎵 Für Élise 🎹", "e\u0301", "שלום עולם", "\u202eabc\u202c", "مرحبا", "日本語",
    "\u00a0x\u00a0", " lead and trail ", "two  blanks",
    "line\nbreak", "tab\there", "bell\x07", "nul\x00", "\x1b[0m",
    "\ud800", "a\udfffb", "\ufffe\uffff", "x" * 40_000, "🎵" * 20_000, "http://example.org",
    "mailto:a@b", "internal:Start!A1", "\ufeffbom", "C\u0085D", "\u2028", "",
]  # fmt: skip


def with_titles(titles: list[str]) -> Library:
    """A library whose tracks, albums and artists carry these titles."""
    lib = make_library(len(titles))
    tracks = lib.tracks.assign(title=np.array([*titles, None], dtype=object)[:-1])
    albums = lib.albums.copy()
    albums["title"] = np.resize(np.array([*titles, None], dtype=object)[:-1], len(albums))
    return replace(lib, tracks=tracks, albums=albums)


def written(path: Path, library: Library) -> Path:
    return export(path, quick_view(library))


def as_a_cell_gives_it(title: str) -> str:
    return cell_text(title)


def test_odd_titles_are_read_back_as_they_are(tmp_path: Path) -> None:
    library = with_titles(ODD)
    path = written(tmp_path / "odd.xlsx", library)

    rows = python_calamine.load_workbook(path).get_sheet_by_name("Tracks").to_python()
    cells = openpyxl.load_workbook(path)["Tracks"]

    title, key = rows[0].index("Title"), rows[0].index("Key")
    expected = dict(zip(map(str, library.tracks["key"]), ODD, strict=True))
    for number, row in enumerate(rows[1:], start=2):
        wanted = as_a_cell_gives_it(expected[row[key]])
        assert row[title] == wanted
        cell = cells.cell(number, title + 1)
        assert cell.data_type in ("s", "n" if wanted == "" else "s")  # never f, d or a link
        assert cell.hyperlink is None
        if "_x" not in wanted:  # openpyxl does not decode what it writes itself
            assert (cell.value or "") == wanted


def test_the_check_of_odd_titles_fits_what_is_read_back(tmp_path: Path) -> None:
    path = written(tmp_path / "odd.xlsx", with_titles(ODD))

    rows = python_calamine.load_workbook(path).get_sheet_by_name("Tracks").to_python()

    column = {header: [row[i] for row in rows[1:]] for i, header in enumerate(rows[0])}
    numbers = check_numbers(
        "track", map(int, column["Key"]), column["Title"], column["Artist"], column["Album"]
    )
    assert numbers.tolist() == [check_of_text(text) for text in column["Check"]]


def test_no_formula_and_no_link_comes_from_a_title(tmp_path: Path) -> None:
    path = written(tmp_path / "odd.xlsx", with_titles(ODD))
    with zipfile.ZipFile(path) as file:
        relations = [n for n in file.namelist() if "sheets/_rels" in n]
        assert not any(b"hyperlink" in file.read(n) for n in relations if "sheet1" not in n)
    book = openpyxl.load_workbook(path)
    for sheet in ("Tracks", "Albums"):
        formulas = [
            c for row in book[sheet].iter_rows(min_row=2) for c in row if c.data_type == "f"
        ]
        headers = {book[sheet].cell(1, c.column).value for c in formulas}
        assert headers <= {"Will do", "Tracks", "Twin group", "Open"}


ANY = st.text(st.characters(codec=None), max_size=40)
XML = st.text(st.sampled_from("<r>/&;_x0041t\n\t \x01\ud800\uffff🎵"), max_size=30)
RICH = XML.map(lambda text: f"<r>{text}</r>")


@settings(max_examples=enough(60, 15), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ANY | XML | RICH, min_size=1, max_size=12))
@example(["<r>\n</r>", "_x005F_x0041_", "<r>_x0041_</r>"])
def test_any_text_is_read_back_as_a_cell_can_hold_it(titles: list[str]) -> None:
    from plexsheet.workbook.schema.grid import grids
    from plexsheet.workbook.writing.writer import sheet_tables, write_book

    library = with_titles(titles)
    tables = sheet_tables(quick_view(library))
    target = BytesIO()

    write_book(target, [g for s in tables for g in grids(s, tables[s])], META)

    target.seek(0)
    rows = python_calamine.load_workbook(target).get_sheet_by_name("Tracks").to_python()
    key, title = rows[0].index("Key"), rows[0].index("Title")
    read = {row[key]: row[title] for row in rows[1:]}
    for own_key, text in zip(map(str, library.tracks["key"]), titles, strict=True):
        assert read[own_key] == as_a_cell_gives_it(text)
        assert normal_text(read[own_key]) == normal_text(text)
