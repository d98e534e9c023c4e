"""Files in and out of the command line: formats, places, and what travels from one to the next."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from tests.driver import Tool, rows_of_sheet, set_cells
from tests.libreoffice import convert, open_document
from tests.plex.server import DemoPlex
from tests.songs import songs

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")


@pytest.fixture
def plex() -> Iterator[DemoPlex]:
    with DemoPlex(library=songs()) as demo:
        yield demo


@pytest.fixture
def tool(tmp_path: Path, plex: DemoPlex) -> Tool:
    return Tool(tmp_path, plex)


def key_of(plex: DemoPlex, title: str, kind: str = "track", album: str = "") -> int:
    return next(
        item["key"]
        for item in plex.items(kind)
        if item["title"] == title and album in ("", item["album"])
    )


def row_of(path: Path, sheet: str, key: int) -> dict[str, object]:
    return next(row for row in rows_of_sheet(path, sheet) if row["Key"] == str(key))


# Read


@pytest.mark.libreoffice
@pytest.mark.xdist_group("libreoffice")
def test_a_workbook_with_macros_is_read_and_its_macros_are_not(tool: Tool, plex: DemoPlex) -> None:
    key = key_of(plex, "Track 1")
    tool.export()
    set_cells(tool.workbook, [("Tracks", str(key), "My rating", 4.5)])
    path = convert(tool.workbook, tool.folder / "music.xlsm")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", bytes.fromhex("d0cf11e0a1b11ae1") + b"Shell" * 900)
    before = path.read_bytes()

    result = tool("import", path, "--yes", "--json")

    assert result.exit_code == 0, result.output
    assert result.json["counts"]["applied"] == 1
    assert plex.rating(key) == 9
    assert path.read_bytes() == before
    with zipfile.ZipFile(result.json["result_file"]) as archive:
        assert not [name for name in archive.namelist() if "vba" in name]


@pytest.mark.slow
@pytest.mark.libreoffice
@pytest.mark.xdist_group("libreoffice")
@pytest.mark.parametrize(
    ("made", "named"), [(".xlsx", ".csv"), (".ods", ".xlsx"), (".xls", ".xlsx")]
)
def test_the_content_tells_what_a_file_is_and_not_its_name(
    tool: Tool, plex: DemoPlex, made: str, named: str
) -> None:
    key = key_of(plex, "Track 1")
    tool.export()
    set_cells(tool.workbook, [("Tracks", str(key), "My rating", 4.5)])
    path = tool.folder / f"disguised{named}"
    if made == ".xlsx":
        path.write_bytes(tool.workbook.read_bytes())
    else:
        path.write_bytes(convert(tool.workbook, tool.folder / f"other{made}").read_bytes())

    result = tool("import", path, "--yes", "--json")

    assert result.exit_code == 0, result.output
    assert plex.rating(key) == 9


@pytest.mark.slow
@pytest.mark.parametrize("decimal", [".", ","])
def test_lists_in_the_columns_of_plex_rating_utils_go_out_and_come_back(
    tool: Tool, plex: DemoPlex, decimal: str
) -> None:
    folder = tool.folder / "lists"
    comma, word = (",", "comma") if decimal == "." else (";", "semicolon")
    written = tool("export", "--csv", folder, "--separator", word, "--json")
    assert written.exit_code == 0, written.output
    assert tool("export", "--csv", folder).exit_code == 2  # they are there already
    ratings = plex.ratings()
    for name, key in (
        ("artists", key_of(plex, "Nina", "artist")),
        ("albums", key_of(plex, "Blue", "album")),
        ("tracks", key_of(plex, "Track 1")),
    ):
        path = folder / f"{name}.csv"
        unedited = tool("import", path, "--yes", "--json")
        assert (unedited.exit_code, unedited.json["rows"]) == (0, [])
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        place = next(i for i, line in enumerate(lines) if line.startswith(f"{key}{comma}"))
        blank = f"{comma}{comma}manual"
        typed = f"{comma}3{decimal}5{comma}manual"
        lines[place] = lines[place].removesuffix(blank) + typed
        path.write_text("\n".join(lines), encoding="utf-8")

        result = tool("import", path, "--yes", "--json")

        assert result.exit_code == 0, result.output
        assert [message["code"] for message in result.json["messages"]] == ["F17", "F16"]
        ratings[key] = 7
        assert plex.ratings() == ratings


def test_many_blanks_in_such_a_list_are_held_and_sevens_refused(tool: Tool, plex: DemoPlex) -> None:
    folder = tool.folder / "lists"
    tool("export", "--csv", folder)
    path = folder / "tracks.csv"
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    emptied = [
        line.rpartition(",")[0].rpartition(",")[0] + ",,manual"
        if line.endswith(",manual") and not line.endswith(",,manual")
        else line
        for line in lines
    ]
    emptied[-1] = emptied[-1].removesuffix(",,manual") + ",7,manual"
    path.write_text("\n".join(emptied), encoding="utf-8")
    ratings = plex.ratings()

    result = tool("import", path, "--yes", "--json")

    assert result.exit_code == 1
    assert {row["code"] for row in result.json["rows"]} == {"W23", "E11"}
    assert plex.ratings() == ratings
    assert not plex.writes


def test_a_scale_is_not_taken_for_a_file_whose_ratings_are_in_stars(tool: Tool) -> None:
    tool.export()
    tool("export", "--csv", tool.folder / "lists")

    for path in (tool.workbook, tool.folder / "lists" / "tracks.csv"):
        result = tool("import", path, "--yes", "--scale", 10, "--json")

        assert result.exit_code == 2
        assert "in stars. Nothing was changed." in result.json["error"]["message"]
    assert not tool.plex.writes


# From one to the next


@pytest.mark.slow
@pytest.mark.parametrize(
    "suffix",
    [
        ".xlsx",
        pytest.param(
            ".ods", marks=[pytest.mark.libreoffice, pytest.mark.xdist_group("libreoffice")]
        ),
    ],
)
def test_notes_own_columns_and_own_sheets_are_taken_into_the_next_export(
    tool: Tool, plex: DemoPlex, suffix: str
) -> None:
    key = key_of(plex, "Track 1")
    old = tool.export()
    set_cells(old, [("Tracks", str(key), "Note", "ask Tom")])
    book = openpyxl.load_workbook(old)
    sheet = book["Tracks"]
    width = sheet.max_column + 1
    sheet.cell(1, width).value = "Mood for driving"
    keys = [cell.value for cell in sheet[1]].index("Key") + 1
    for row in range(2, sheet.max_row + 1):
        sheet.cell(row, width).value = f"mood of {sheet.cell(row, keys).value}"
    own = book.create_sheet("Party")
    own.append(["=1+1 is a song", 3])
    own["A1"].data_type = "s"
    book.save(old)
    if suffix == ".ods":
        with open_document(old) as document:
            document.sort("Tracks", "Title", descending=True)
            document.store_as(old.with_suffix(".ods"))
    plex.delete("Track 7")
    path = tool.folder / "new.xlsx"

    result = tool("export", path, "--from", old.with_suffix(suffix), "--json")

    assert result.exit_code == 0, result.output
    rows = rows_of_sheet(path, "Tracks")
    assert len(rows) == 74
    assert all(row["Mood for driving"] == f"mood of {row['Key']}" for row in rows)
    assert row_of(path, "Tracks", key)["Note"] == "ask Tom"
    party = openpyxl.load_workbook(path)["Party"]
    assert [cell.value for cell in party[1]] == ["=1+1 is a song", 3]
    again = tool("import", path, "--yes", "--json")
    assert (again.exit_code, again.json["rows"]) == (0, [])


def test_a_file_that_cannot_be_read_is_no_source_for_an_export(tool: Tool) -> None:
    (tool.folder / "old.xlsx").write_text("<html>not a workbook</html>")

    result = tool("export", tool.workbook, "--from", tool.folder / "old.xlsx", "--json")

    assert result.exit_code == 3
    assert result.json["error"]["code"] == "F01"
    assert not tool.workbook.exists()


# What the person decides


def test_what_is_excluded_gets_no_value_until_it_is_included(tool: Tool, plex: DemoPlex) -> None:
    tool.infer()
    key = key_of(plex, "Track 1")
    assert plex.rating(key) is not None
    tool.export()
    set_cells(tool.workbook, [("Tracks", str(key), "Action", "EXCLUDE")])
    assert tool.importing().exit_code == 0
    assert plex.rating(key) is None
    tool.infer()
    assert plex.rating(key) is None
    tool.export()
    row = row_of(tool.workbook, "Tracks", key)
    assert (row["Source"], row["Inferred"]) == ("Excluded", "")

    set_cells(tool.workbook, [("Tracks", str(key), "Action", "INCLUDE")])
    assert tool.importing().exit_code == 0

    tool.infer()
    assert plex.rating(key) is not None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("decisions", "together"),
    [
        ({"Blue": ("SPLIT", "a"), "Red": ("SPLIT", "a"), "Hits": ("SPLIT", "b")}, {"Blue", "Red"}),
        ({"Red": ("NEVER", None)}, {"Blue", "Hits"}),
        ({"Blue": ("NEVER", None), "Red": ("NEVER", None)}, set()),
    ],
)
def test_decisions_about_twins_are_kept_by_the_next_inference(
    tool: Tool, plex: DemoPlex, decisions: dict[str, tuple[str, str | None]], together: set[str]
) -> None:
    tool.export()
    albums = {key_of(plex, "Song C", album=name): name for name in ("Blue", "Red", "Hits")}
    cells = []
    for key, album in albums.items():
        word, letter = decisions.get(album, (None, None))
        cells.append(("Twins", str(key), "Decision", word))
        cells.append(("Twins", str(key), "Sub-group", letter))
    set_cells(tool.workbook, cells)
    result = tool.importing()
    assert result.exit_code == 0, result.output
    assert result.json["counts"]["applied"] == len(decisions)

    tool.export()

    twins = {
        albums[int(row["Key"])]
        for row in rows_of_sheet(tool.workbook, "Twins")
        if row["Title"] == "Song C" and row["Evidence"]
    }
    assert twins == together
    unedited = tool.importing()
    assert (unedited.exit_code, unedited.json["rows"]) == (0, [])


def test_a_year_that_would_lose_a_full_date_waits_for_one(tool: Tool, plex: DemoPlex) -> None:
    key = key_of(plex, "Blue", "album")

    def date() -> str:
        albums = plex.items("album")
        return str(next(a["originallyAvailableAt"] for a in albums if a["key"] == key))

    tool.export()
    set_cells(tool.workbook, [("Albums", str(key), "Year", 1970)])
    held = tool.importing()
    assert (held.exit_code, held.json["rows"][0]["code"]) == (1, "W32")
    assert date() == "1969-09-26"

    set_cells(tool.workbook, [("Albums", str(key), "Year", "1970-09-26")])
    assert tool.importing().exit_code == 0

    assert date() == "1970-09-26"


# Places


@pytest.mark.parametrize("place", ["none/music.xlsx", "file/music.xlsx", "file/x/music.xlsx"])
def test_a_place_where_nothing_can_be_written_is_said_before_plex_is_read(
    tool: Tool, plex: DemoPlex, place: str
) -> None:
    (tool.folder / "file").write_text("in the way")
    plex.reset_requests()

    result = tool("export", tool.folder / place, "--json")

    assert result.exit_code == 2
    assert "cannot be written: its folder does not exist" in result.json["error"]["message"]
    assert sum(plex.requests.values()) < 10
    assert {p.name for p in tool.folder.rglob("*") if ".db" not in p.name} == {
        "config.json",
        "file",
    }


def test_a_result_that_cannot_be_written_stops_the_import_before_it_begins(
    tool: Tool, plex: DemoPlex
) -> None:
    key = key_of(plex, "Track 1")
    tool.export()
    set_cells(tool.workbook, [("Tracks", str(key), "My rating", 4)])

    result = tool.importing("--result", tool.folder / "none" / "result.xlsx")

    assert result.exit_code == 2
    assert "cannot be written: its folder does not exist" in result.json["error"]["message"]
    assert not plex.writes


def test_a_result_never_takes_the_place_of_the_file_it_is_about(tool: Tool, plex: DemoPlex) -> None:
    key = key_of(plex, "Track 1")
    tool.export()
    set_cells(tool.workbook, [("Tracks", str(key), "My rating", 4)])
    before = tool.workbook.read_bytes()

    result = tool.importing("--result", tool.workbook.parent / "." / tool.workbook.name)

    assert result.exit_code == 2
    assert tool.workbook.read_bytes() == before
    assert not plex.writes


def test_a_workbook_is_not_written_under_another_name(tool: Tool, plex: DemoPlex) -> None:
    path = tool.export()
    plex.reset_requests()
    for words in (
        ("export", tool.folder / "music.ods"),
        ("import", path, "--yes", "--result", tool.folder / "music.ods"),
        ("diff", path, path, "--output", tool.folder / "music.ods"),
    ):
        result = tool(*words)
        assert result.exit_code == 2
        assert "Name it music.xlsx" in result.words
    assert not (tool.folder / "music.ods").exists()
    assert plex.requests.total() == 0


def test_a_working_folder_that_cannot_be_made_is_said(tmp_path: Path, plex: DemoPlex) -> None:
    (tmp_path / "file").write_text("in the way")
    tool = Tool(tmp_path, plex, WORKBOOK_DIR=str(tmp_path / "file" / "workbooks"))

    for words in (("export",), ("export", "--csv", tmp_path / "file" / "lists")):
        result = tool(*words, "--json")
        assert result.exit_code == 2
        assert "cannot be written" in result.json["error"]["message"]
    assert (tmp_path / "file").read_text() == "in the way"
