"""Files as programs save them, read into raw cells."""

from __future__ import annotations

import codecs
import datetime
import os
import shutil
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
import xlsxwriter

from plexsheet.errors import UsageError, WorkbookError
from plexsheet.workbook.edits.rules import Validated
from plexsheet.workbook.edits.validate import validate
from plexsheet.workbook.reading import reader
from plexsheet.workbook.reading.raw import RawSheet, RawWorkbook
from plexsheet.workbook.schema.cell_values import BLANK, ERROR, FORMULA, NUMBER
from plexsheet.workbook.writing.sheet_data import bases
from tests.libreoffice import convert, open_document
from tests.raw_sheets import book, track
from tests.sample_library import META, export, small_view

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")
HEADERS = ["Key", "Artist", "Album", "Title", "My rating", "Action"]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(tmp_path_factory.mktemp("export") / "music.xlsx", small_view())


def written(path: Path, rows: list[list[Any]], name: str = "Tracks", **more: Any) -> Path:
    """A workbook of one sheet; texts that begin with = are formulas, with the value given."""
    with xlsxwriter.Workbook(path) as made:
        sheet = made.add_worksheet(name)
        dates = made.add_format({"num_format": "yyyy-mm-dd"})
        for y, row in enumerate(rows):
            for x, value in enumerate(row):
                if isinstance(value, tuple):
                    sheet.write_formula(y, x, value[0], None, value[1])
                elif isinstance(value, datetime.date):
                    sheet.write_datetime(y, x, value, dates)
                elif value is not None:
                    sheet.write(y, x, value)
        for extra, cells in more.items():
            other = made.add_worksheet(extra)
            for y, row in enumerate(cells):
                other.write_row(y, 0, row)
    return path


def judged(raw: RawWorkbook, **options: Any) -> Validated:
    return validate(raw, bases(small_view()), next_year=2027, **options)


def said(raw: RawWorkbook) -> list[str]:
    return [message.code for message in raw.messages]


def tracks(raw: RawWorkbook) -> RawSheet:
    return raw.sheets["Tracks"]


def states(raw: RawWorkbook, header: str = "My rating") -> list[int]:
    return tracks(raw).columns[header].states.tolist()


# Our own


def test_a_fresh_export_reads_back_as_nothing_changed(exported: Path) -> None:
    raw = reader.read(exported)

    assert list(raw.sheets) == ["Artists", "Albums", "Tracks", "Twins"]
    assert raw.messages == ()
    assert raw.meta["export_id"] == META.export_id
    assert raw.meta["library"] == "Music"
    assert len(raw.content_hash) == 64
    result = judged(raw)
    assert (result.edits, result.messages, dict(result.stopped)) == ((), (), {})


def test_without_the_state_the_file_is_its_own_base(exported: Path) -> None:
    result = validate(reader.read(exported), None, next_year=2027)

    assert (result.edits, result.messages) == ((), ())


def test_the_file_is_left_as_it_is(exported: Path) -> None:
    before = (exported.stat().st_mtime_ns, exported.read_bytes())
    exported.chmod(0o444)

    reader.read(exported)

    assert (exported.stat().st_mtime_ns, exported.read_bytes()) == before


def test_extras_bring_all_columns_start_and_the_persons_own(exported: Path, tmp_path: Path) -> None:
    copy = tmp_path / "music.xlsx"
    made = openpyxl.load_workbook(exported)
    made["Tracks"].cell(1, 40, "Mood for driving")
    made["Tracks"].cell(3, 40, "fast")
    own = made.create_sheet("Party")
    own.append(["Song", 3, True])
    made.save(copy)

    raw = reader.read(copy, extras=True)

    assert "Genres" not in reader.read(copy).sheets["Albums"].columns
    assert "Genres" in raw.sheets["Albums"].columns
    assert [column.header for column in tracks(raw).own if column.header] == ["Mood for driving"]
    assert tracks(raw).own[-1].value(1) == "fast"
    assert [(one.name, one.rows) for one in raw.extra_sheets] == [("Party", [["Song", 3.0, True]])]
    assert "Library" in raw.start
    assert said(raw) == ["F14"]
    assert judged(raw).edits == ()


def test_saved_by_openpyxl_it_is_the_same(exported: Path, tmp_path: Path) -> None:
    copy = tmp_path / "music.xlsx"
    made = openpyxl.load_workbook(exported)
    sheet = made["Tracks"]
    place = [cell.value for cell in sheet[1]].index("My rating") + 1
    sheet.cell(5, place, "4½")
    made.save(copy)

    result = judged(reader.read(copy))

    assert [(edit.sheet, edit.row, edit.wanted) for edit in result.edits] == [("Tracks", 5, 9.0)]


def test_saved_by_pandas_values_only_the_was_columns_remain(exported: Path, tmp_path: Path) -> None:
    frame = pd.read_excel(
        exported, sheet_name="Tracks", engine="calamine", dtype=object, keep_default_na=False
    )
    frame.loc[3, "My rating"] = 1
    copy = tmp_path / "values.xlsx"
    frame.to_excel(copy, index=False)

    raw = reader.read(copy)

    assert raw.meta == {}
    result = validate(raw, None, next_year=2027)
    assert [(edit.sheet, edit.row, edit.wanted) for edit in result.edits] == [("Tracks", 5, 2.0)]


@pytest.mark.libreoffice
@pytest.mark.xdist_group("libreoffice")
def test_ods_xls_and_back_bring_the_same_edits(exported: Path, tmp_path: Path) -> None:
    source = tmp_path / "music.xlsx"
    shutil.copy(exported, source)
    with open_document(source) as document:
        column = document.columns("Tracks")
        letter = reader_letter([c["header"] for c in column], "My rating")
        document.set("Tracks", f"{letter}4", 2.5)
        document.set("Tracks", f"{letter}6", {"formula": "=1+1"})
        document.set("Tracks", f"{letter}7", {"formula": "=NA()"})
        document.store()
    ods = convert(source, tmp_path / "music.ods")
    again = convert(ods, tmp_path / "again.xlsx")

    for path in (source, ods, again):
        result = judged(reader.read(path))
        assert [(e.row, e.wanted, e.codes) for e in result.edits] == [
            (4, 5.0, ()),
            (6, 4.0, ("W17",)),
        ], path
        assert ("E15", 7) in [(m.code, m.row) for m in result.messages], path


@pytest.mark.libreoffice
@pytest.mark.xdist_group("libreoffice")
def test_the_old_xls_is_read_and_its_blanks_are_not_believed(tmp_path: Path) -> None:
    rows = [track(100 + n, 4) for n in range(5)]
    source = written(tmp_path / "a.xlsx", [list(rows[0]), *(list(row.values()) for row in rows)])
    with open_document(source) as document:
        document.set("Tracks", "E3", None)
        document.set("Tracks", "E4", 2)
        document.store()
    old = convert(source, tmp_path / "a.xls")

    raw = reader.read(old)

    assert raw.format == "xls"
    result = validate(raw, None, next_year=2027)
    assert [(edit.row, edit.wanted) for edit in result.edits] == [(4, 4.0)]
    assert [(m.row, m.code, m.variant) for m in result.messages] == [(3, "W23", "unsure")]


def reader_letter(headers: list[str], header: str) -> str:
    from plexsheet.workbook.schema.letters import letters_of

    return letters_of(headers.index(header))


# Cells


def test_blanks_errors_and_formulas_are_told_apart(tmp_path: Path) -> None:
    ratings: list[Any] = [4, None, ("=1+1", 2), ("=NA()", "#N/A"), ('=""', ""), ("=1/0", "#DIV/0!")]
    rows = [[str(n), "A", "B", "T", rating, None] for n, rating in enumerate(ratings, 1)]
    raw = reader.read(written(tmp_path / "a.xlsx", [HEADERS, *rows]))

    assert states(raw) == [
        NUMBER,
        BLANK,
        NUMBER | FORMULA,
        ERROR | FORMULA,
        BLANK | FORMULA,
        ERROR | FORMULA,
    ]
    assert [tracks(raw).text("My rating", row) for row in (3, 5)] == ["#N/A", "#DIV/0!"]


def rewritten(path: Path, part: str, change: Any) -> Path:
    """The same archive with one part changed."""
    copy = path.with_name(f"re-{path.name}")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, change(data) if name == part else data)
    return copy


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.replace(b'<c r="', b"<c  r='").replace(b'"><', b"'><"),
        lambda x: x.replace(b'<c r="E', b'<c s="0" r="E'),
        lambda x: x.replace(b"><", b">\n  <"),
    ],
)
def test_formulas_are_found_however_the_cells_are_written(tmp_path: Path, change: Any) -> None:
    rows = [["1", "A", "B", "T", ("=1+1", 2)], ["2", "A", "B", "T", ("=NA()", "#N/A")]]
    path = written(tmp_path / "a.xlsx", [HEADERS[:5], *rows])

    def sound(data: bytes) -> bytes:
        changed: bytes = change(data)
        return changed.replace(b"<c  r='", b'<c  r="').replace(b"'><", b'"><')

    raw = reader.read(rewritten(path, "xl/worksheets/sheet1.xml", sound))

    assert states(raw) == [NUMBER | FORMULA, ERROR | FORMULA]


def test_rows_keep_their_numbers_when_blank_ones_stand_between(tmp_path: Path) -> None:
    rows: list[list[Any]] = [HEADERS, ["1", "A", "B", "T", 4], [], ["2", "A", "B", "T", 3]]

    raw = reader.read(written(tmp_path / "a.xlsx", rows))

    assert tracks(raw).rows.tolist() == [2, 4]
    assert tracks(raw).keys.tolist() == [1, 2]


def test_an_empty_first_column_shifts_nothing(tmp_path: Path) -> None:
    rows = [[None, *HEADERS], [None, "1", "A", "B", "T", 4]]

    raw = reader.read(written(tmp_path / "a.xlsx", rows))

    assert tracks(raw).columns["My rating"].numbers.tolist() == [4.0]


def test_numbers_in_text_columns_read_as_a_person_sees_them(tmp_path: Path) -> None:
    rows = [HEADERS, [120034.0, 1984, True, datetime.date(2026, 3, 7), 4]]

    sheet = tracks(reader.read(written(tmp_path / "a.xlsx", rows)))

    assert sheet.keys.tolist() == [120034]
    assert [sheet.text(h, 0) for h in ("Artist", "Album", "Title")] == [
        "1984",
        "TRUE",
        "2026-03-07",
    ]


def test_dates_in_rating_cells_keep_their_day(tmp_path: Path) -> None:
    rows = [HEADERS, ["1", "A", "B", "T", datetime.date(2026, 5, 4)]]

    result = validate(reader.read(written(tmp_path / "a.xlsx", rows)), None, next_year=2027)

    assert "(4 May)" in result.messages[-1].text


# Sheets and columns


def test_sheets_and_headers_are_found_in_any_case_and_order(tmp_path: Path) -> None:
    rows = [["ACTION", " my  RATING", "key", "Mood"], ["CLEAR", 4, "7", "fast"]]

    raw = reader.read(written(tmp_path / "a.xlsx", rows, "TRACKS"))

    assert tracks(raw).columns["My rating"].numbers.tolist() == [4.0]
    assert said(raw) == ["F10", "F10", "F10", "F14"]


def test_a_continued_sheet_is_read_too(tmp_path: Path) -> None:
    rows = [HEADERS, ["1", "A", "B", "T", 4]]
    more = [HEADERS, ["2", "A", "B", "T", 3]]

    raw = reader.read(written(tmp_path / "a.xlsx", rows, **{"Tracks 2": more}))

    assert list(raw.sheets) == ["Tracks", "Tracks 2"]
    assert raw.sheets["Tracks 2"].sheet == "Tracks"


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([["Artist", "My rating"], ["A", 4]], "F11"),
        ([["Key", "Artist"], ["1", "A"]], "F11"),
        ([["Key", "My rating", "my rating"], ["1", 4, 3]], "F12"),
        ([["My music"], [], ["Key", "My rating"], ["1", 4]], "F13"),
        ([[None, None], ["Key", "My rating"], ["1", 4]], "F13"),
        ([], "F11"),
    ],
)
def test_a_sheet_in_trouble_is_skipped_and_the_others_go_on(
    tmp_path: Path, rows: list[list[Any]], code: str
) -> None:
    albums = [["Key", "My rating"], ["1", 4]]

    raw = reader.read(written(tmp_path / "a.xlsx", rows, Albums=albums))

    assert raw.stopped == {"Tracks": code}
    assert list(raw.sheets) == ["Albums"]
    assert code in said(raw)


def test_two_sheets_of_one_name_are_both_skipped(tmp_path: Path) -> None:
    rows = [HEADERS, ["1", "A", "B", "T", 4]]

    raw = reader.read(written(tmp_path / "a.xlsx", rows, **{"Tra cks": rows, "Albums": rows}))

    assert raw.stopped["Tracks"] == "F12"
    assert "Tracks" not in raw.sheets


def test_f12_names_the_columns(tmp_path: Path) -> None:
    rows = [["Key", "My rating", "Note", "My rating"], ["1", 4, "", 3]]

    raw = reader.read(written(tmp_path / "a.xlsx", rows))

    assert raw.messages[-1].text == (
        "Sheet Tracks has two columns 'My rating' (B and D). Rename one. The sheet was skipped."
    )


# Where it comes from


def test_carriers_that_disagree_are_refused(exported: Path) -> None:
    changed = rewritten(
        exported, "docProps/custom.xml", lambda x: x.replace(META.export_id.encode(), b"other")
    )

    with pytest.raises(WorkbookError, match="two different things") as refused:
        reader.read(changed)
    assert refused.value.code == "F04"
    changed.unlink()


def test_one_carrier_is_enough(exported: Path, tmp_path: Path) -> None:
    made = openpyxl.load_workbook(exported)
    del made["_meta"]
    made.save(tmp_path / "a.xlsx")

    assert reader.read(tmp_path / "a.xlsx").meta["export_id"] == META.export_id


def test_newer_and_older_formats(exported: Path, tmp_path: Path) -> None:
    for number, code in (("99", "F06"), ("0", "F07")):
        made = openpyxl.load_workbook(exported)
        for row in made["_meta"].iter_rows():
            if row[0].value == "format version":
                row[1].value = number
        for name in list(made.custom_doc_props.names):
            del made.custom_doc_props[name]
        made.save(tmp_path / "a.xlsx")
        if code == "F06":
            with pytest.raises(WorkbookError) as refused:
                reader.read(tmp_path / "a.xlsx")
            assert refused.value.code == "F06"
        else:
            assert "F07" in said(reader.read(tmp_path / "a.xlsx"))


def test_an_open_file_is_read_as_last_saved_and_it_is_said(exported: Path, tmp_path: Path) -> None:
    copy = tmp_path / "music.xlsx"
    shutil.copy(exported, copy)
    lock = tmp_path / ".~lock.music.xlsx#"
    lock.write_text(",anna,host,;")

    assert said(reader.read(copy)) == ["F02"]
    os.utime(lock, (time.time() - 3600,) * 2)
    assert "older than 10 minutes" in reader.read(copy).messages[0].text


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="There is no file"):
        reader.read(Path("/nowhere/music.xlsx"))
    with pytest.raises(UsageError, match="cannot be read"):
        reader.read(Path("/"))


# Text files


def text_file(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


ROW = "100;Ärtist 1;Album 10;Title 100;{};"
HEAD = "Key;Artist;Album;Title;My rating;Action\r\n"


@pytest.mark.parametrize(
    ("encoding", "mark", "word"),
    [
        ("utf-8", b"", "UTF-8"),
        ("utf-8", codecs.BOM_UTF8, "UTF-8"),
        ("utf-16-le", codecs.BOM_UTF16_LE, "UTF-16"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "UTF-16"),
        ("utf-16-le", b"", "UTF-16"),
        ("cp1252", b"", "Windows-1252"),
    ],
)
def test_encodings_are_decided_once_and_said(
    tmp_path: Path, encoding: str, mark: bytes, word: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(mark + (HEAD + ROW.format("4,5")).encode(encoding))

    raw = reader.read(path)

    assert raw.messages[0].text == (
        f"Read as text: {word}, columns separated by semicolons, decimal comma."
    )
    assert tracks(raw).text("Artist", 0) == "Ärtist 1"
    assert tracks(raw).columns["My rating"].numbers.tolist() == [4.5]


@pytest.mark.parametrize(
    ("separator", "number", "decimal"),
    [
        (";", "4,5", "decimal comma"),
        (";", "4.5", "decimal point"),
        (",", "4.5", "decimal point"),
        (",", '"4,5"', "decimal comma"),
        ("\t", "4,5", "decimal comma"),
    ],
)
def test_separators_and_decimals_of_any_country(
    tmp_path: Path, separator: str, number: str, decimal: str
) -> None:
    text = (HEAD + ROW.format(number)).replace(";", separator)

    raw = reader.read(text_file(tmp_path / "a.csv", text))

    assert tracks(raw).columns["My rating"].numbers.tolist() == [4.5]
    assert decimal in raw.messages[0].text


def test_a_line_that_names_the_separator_is_no_header(tmp_path: Path) -> None:
    raw = reader.read(text_file(tmp_path / "a.csv", "sep=;\r\n" + HEAD + ROW.format("4")))

    assert tracks(raw).keys.tolist() == [100]


def test_titles_with_quotes_lines_and_nothing_at_all(tmp_path: Path) -> None:
    text = 'Key,Title,My rating\r\n1,"say ""hi"";\nyou, there",4\r\n\r\n2,None,\r\n3,NA\r\n'

    sheet = tracks(reader.read(text_file(tmp_path / "a.csv", text)))

    assert sheet.text("Title", 0) == 'say "hi";\nyou, there'
    assert [sheet.text("Title", row) for row in (1, 2)] == ["None", "NA"]
    assert sheet.rows.tolist() == [2, 4, 5]


def test_the_three_lists_of_plex_rating_utils(tmp_path: Path) -> None:
    lists = {
        "Artists": "ratingKey,artistName,sortName,albumCount,genres,userRating,ratingType\n"
        "1,Nina,Nina,3,Jazz,4.5,Manual\n",
        "Albums": "ratingKey,albumName,sortName,artistName,releaseYear,genres,userRating,"
        "ratingType\n10,Blue,Blue,Nina,1969,Jazz,4.5,Manual\n",
        "Tracks": "ratingKey,trackTitle,trackArtist,albumName,albumArtist,userRating,ratingType\n"
        "100,Song,,Blue,Nina,4.5,Inferred\n",
    }
    for name, text in lists.items():
        raw = reader.read(text_file(tmp_path / f"{name}.csv", text))
        assert (list(raw.sheets), raw.legacy, said(raw)) == ([name], True, ["F17"])
        sheet = raw.sheets[name]
        assert sheet.columns["My rating"].numbers.tolist() == [4.5]
        assert sheet.text("Artist", 0) == "Nina"
        assert sheet.text("ratingType", 0) in ("Manual", "Inferred")
    assert raw.sheets["Tracks"].text("Title", 0) == "Song"


def test_a_foreign_list_with_a_map_and_a_scale(tmp_path: Path) -> None:
    path = text_file(tmp_path / "a.csv", "Id,Song,Score\n100,x,9\n101,y,\n")
    mapping = {"id": "key", "SCORE": "My Rating"}

    raw = reader.read(path, scale=10, mapping=mapping)

    sheet = raw.sheets["List"]
    assert (sheet.sheet, sheet.keys.tolist(), raw.scale) == (None, [100, 101], 10)
    with pytest.raises(WorkbookError) as refused:
        reader.read(path, mapping={"Points": "My rating", "Id": "Key"})
    assert refused.value.code == "F03"
    assert "Its columns are: Id, Song, Score" in refused.value.message
    with pytest.raises(UsageError, match="no column 'Stars'"):
        reader.read(path, mapping={"Score": "Stars"})
    with pytest.raises(WorkbookError) as refused:
        reader.read(path)
    assert refused.value.code == "F03"


@pytest.mark.libreoffice
@pytest.mark.xdist_group("libreoffice")
def test_a_csv_made_by_libreoffice_from_our_sheet_changes_nothing(
    exported: Path, tmp_path: Path
) -> None:
    made = openpyxl.load_workbook(exported)
    for name in made.sheetnames:
        if name != "Tracks":
            del made[name]
    made.save(tmp_path / "tracks.xlsx")

    raw = reader.read(convert(tmp_path / "tracks.xlsx", tmp_path / "tracks.csv"))

    result = validate(raw, None, next_year=2027)
    assert len(raw.sheets["Tracks"]) == len(small_view().library.tracks)
    assert (result.edits, dict(result.stopped)) == ((), {})


# Size


def test_a_large_sheet_costs_little_here(tmp_path: Path) -> None:
    rows = 30_000
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as made:
        sheet = made.add_worksheet("Tracks")
        sheet.write_row(0, 0, HEADERS)
        for row in range(1, rows + 1):
            sheet.write_row(row, 0, [str(row), "Artist", "Album", f"Title {row}", 4])

    raw = reader.read(path)

    sheet_read = tracks(raw)
    held = sum(
        c.states.nbytes + c.numbers.nbytes + len(c.texts.blob) + c.texts.ends.nbytes
        for c in sheet_read.columns.values()
    )
    assert np.array_equal(sheet_read.keys, np.arange(1, rows + 1))
    assert held < 120 * rows
    assert book(sheet_read).sheets["Tracks"] is sheet_read
