"""The same edits, saved by every program a person may use: the same plan, and no more."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from openpyxl.utils.datetime import to_excel

from plexsheet.workbook.schema.columns import SHEETS
from plexsheet.workbook.schema.finding import exported
from tests.driver import Tool, rows_of_sheet, set_cells
from tests.effort import enough
from tests.libreoffice import Document, convert, open_document
from tests.plex.server import DemoPlex
from tests.songs import songs
from tests.xlsb import write_xlsb

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")
in_libreoffice = [pytest.mark.libreoffice, pytest.mark.xdist_group("libreoffice")]

Edits = list[tuple[str, str, str, Any]]  # sheet, key, header, value
Saver = Callable[[Path, Edits], list[Path]]


@pytest.fixture(scope="module")
def exported_tool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tool]:
    with DemoPlex(library=songs()) as plex:
        tool = Tool(tmp_path_factory.mktemp("elsewhere"), plex)
        tool.export()
        yield tool


def edits_of(tool: Tool) -> Edits:
    """One edit of each kind."""
    keys = {
        (kind, item["title"], item["album"] if kind == "track" else ""): str(item["key"])
        for kind in ("artist", "album", "track")
        for item in tool.plex.items(kind)
    }
    return [
        ("Artists", keys["artist", "Nina", ""], "My rating", 4.5),
        ("Albums", keys["album", "Blue", ""], "My rating", 3.5),
        ("Albums", keys["album", "Red", ""], "Year", 1981),
        ("Albums", keys["album", "Album 1", ""], "Action", "ACCEPT"),
        ("Tracks", keys["track", "Track 2", "Album 0"], "My rating", 0.5),
        ("Tracks", keys["track", "Track 41", "Album 4"], "My rating", None),
        ("Tracks", keys["track", "Track 42", "Album 4"], "My rating", 4.25),
        ("Tracks", keys["track", "Track 50", "Album 5"], "Action", "CLEAR"),
        ("Tracks", keys["track", "Track 3", "Album 0"], "Action", "EXCLUDE"),
        ("Twins", keys["track", "Song A", "Blue"], "Decision", "NEVER"),
        ("Tracks", keys["track", "Track 4", "Album 0"], "Note", "ask Tom"),
    ]


def plan_of(tool: Tool, paths: list[Path]) -> set[tuple[Any, ...]]:
    """What importing files would do, without their rows' numbers."""
    told = set()
    for path in paths:
        result = tool("import", path, "--preview", "--json")
        assert result.exit_code == 0, result.output
        assert result.json["stopped_sheets"] == []
        for row in result.json["rows"]:
            fields = ("sheet", "key", "field", "was", "yours", "plex_now", "outcome", "message")
            told.add(tuple(row[name] for name in fields))
    return told


@pytest.fixture(scope="module")
def plan(exported_tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> set[tuple[Any, ...]]:
    """What the edits come to when openpyxl saves them in place."""
    path = tmp_path_factory.mktemp("plain") / "music.xlsx"
    path.write_bytes(exported_tool.workbook.read_bytes())
    set_cells(path, edits_of(exported_tool))
    found = plan_of(exported_tool, [path])
    assert len(found) == 10
    assert {row[-2] for row in found} == {"Would apply"}
    return found


def by_pandas(path: Path, edits: Edits) -> list[Path]:
    """Values only: formats, notes, properties and the hidden sheet are lost."""
    set_cells(path, edits)
    tables = pd.read_excel(
        path, sheet_name=None, dtype=object, keep_default_na=False, engine="openpyxl"
    )
    target = path.with_name("pandas.xlsx")
    with pd.ExcelWriter(target, engine="openpyxl") as writer:
        for name in reversed(SHEETS):
            tables[name].to_excel(writer, sheet_name=name, index=False)
    return [target]


def by_csv(separator: str, decimal: str, encoding: str) -> Saver:
    """One text file for each sheet, as programs of some country write them."""

    def save(path: Path, edits: Edits) -> list[Path]:
        set_cells(path, edits)
        targets = []
        for name in SHEETS:
            target = path.with_name(f"{name}.csv")
            with target.open("w", encoding=encoding, errors="replace", newline="") as file:
                lines = csv.writer(file, delimiter=separator)
                for row in openpyxl.load_workbook(path, data_only=True)[name].values:
                    lines.writerow([_in_country(value, decimal) for value in row])
            targets.append(target)
        return targets

    return save


def _in_country(value: Any, decimal: str) -> Any:
    return f"{value:g}".replace(".", decimal) if isinstance(value, float | int) else value


def by_libreoffice(suffix: str) -> Saver:
    """Typed, moved about and saved as a person would."""

    def save(path: Path, edits: Edits) -> list[Path]:
        with open_document(path) as document:
            for sheet, key, header, value in edits:
                document.set_by_key(sheet, key, header, value)
            move_about(document)
            if suffix == ".xlsx":
                document.store()
            else:
                document.store_as(path.with_suffix(suffix))
        return [path.with_suffix(suffix)]

    return save


def move_about(document: Document) -> None:
    """All that is allowed with a table: nothing of it is an edit."""
    for sheet in SHEETS:
        for column in exported(sheet):
            document.sort(sheet, column.header, descending=column.editable)
    document.move_column("Tracks", "My rating", before="Artist")
    document.move_column("Albums", "Year", before="Key")
    document.rename_header("Tracks", "Plays", "Times played")
    document.rename_header("Tracks", "My rating", " my RATING ")
    document.insert_column("Albums", "Mood for driving", ["fast", 3.5], before="Album")
    document.hide_rows("Artists", 2, 2)
    assert document.filter("Tracks", "Album", "Album 0") > 50
    document.add_sheet("Party", [["Song", "Votes"], ["x", 3]])


def by_excel_as_binary(path: Path, edits: Edits) -> list[Path]:
    """All sheets as .xlsb."""
    set_cells(path, edits)
    book = openpyxl.load_workbook(path, data_only=True)
    sheets = {
        sheet.title: [
            [to_excel(cell) if isinstance(cell, datetime) else cell for cell in row]
            for row in sheet.values
        ]
        for sheet in book
    }
    return [write_xlsb(path.with_suffix(".xlsb"), sheets)]


@contextmanager
def nothing_written(tool: Tool) -> Iterator[None]:
    before = len(tool.plex.writes)
    yield
    assert len(tool.plex.writes) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    "saver",
    [
        pytest.param(by_pandas, id="pandas"),
        pytest.param(by_csv(",", ".", "utf-8-sig"), id="csv"),
        pytest.param(by_csv(";", ",", "cp1252"), id="csv, decimal comma, Windows-1252"),
        pytest.param(by_csv("\t", ".", "utf-16"), id="csv, tabs, UTF-16"),
        pytest.param(by_libreoffice(".xlsx"), id="LibreOffice xlsx", marks=in_libreoffice),
        pytest.param(by_libreoffice(".ods"), id="LibreOffice ods", marks=in_libreoffice),
    ],
)
def test_the_plan_is_the_same_whoever_saved_the_file(
    exported_tool: Tool, plan: set[tuple[Any, ...]], saver: Saver, tmp_path: Path
) -> None:
    path = tmp_path / "music.xlsx"
    path.write_bytes(exported_tool.workbook.read_bytes())

    with nothing_written(exported_tool):
        paths = saver(path, edits_of(exported_tool))

        assert plan_of(exported_tool, paths) == plan


def test_a_binary_workbook_gives_the_same_plan_emptied_cells_and_all(
    exported_tool: Tool, plan: set[tuple[Any, ...]], tmp_path: Path
) -> None:
    path = tmp_path / "music.xlsx"
    path.write_bytes(exported_tool.workbook.read_bytes())

    with nothing_written(exported_tool):
        paths = by_excel_as_binary(path, edits_of(exported_tool))

        assert plan_of(exported_tool, paths) == plan


@pytest.mark.slow
@pytest.mark.libreoffice
@pytest.mark.xdist_group("libreoffice")
@pytest.mark.parametrize("suffix", [".xlsx", ".ods"])
def test_what_was_edited_in_libreoffice_is_written_and_nothing_else(
    tmp_path: Path, suffix: str
) -> None:
    with DemoPlex(library=songs()) as plex:
        tool = Tool(tmp_path, plex)
        tool.export()
        edits = edits_of(tool)
        before = plex.ratings()
        (path,) = by_libreoffice(suffix)(tool.workbook, edits)

        result = tool("import", path, "--yes", "--json")

        assert result.exit_code == 0, result.output
        assert result.json["counts"]["applied"] == 10
        wanted: dict[int, float | None] = {
            int(key): None if value in (None, "CLEAR") else 2 * value
            for _, key, header, value in edits
            if header == "My rating" or value == "CLEAR"
        }
        accepted = next(
            row
            for row in result.json["rows"]
            if row["sheet"] == "Albums" and row["field"] == "rating" and row["key"] not in wanted
        )
        wanted[accepted["key"]] = 2 * accepted["yours"]
        after = plex.ratings()
        changed = {
            key: after.get(key) for key in {*before, *after} if before.get(key) != after.get(key)
        }
        assert changed == pytest.approx(wanted)
        years = {item["title"]: item["year"] for item in plex.items("album")}
        assert (years["Red"], years["Blue"]) == (1981, 1969)
        party = rows_of_sheet(Path(result.json["result_file"]), "Party")
        assert party == [{"Song": "x", "Votes": 3.0}]
        again = tool("import", result.json["result_file"], "--yes", "--json")
        assert (again.exit_code, again.json["counts"]["applied"]) == (0, 0)


@pytest.mark.libreoffice
@pytest.mark.xdist_group("libreoffice")
def test_a_real_library_through_xlsx_ods_and_xlsx_is_no_edit(
    shared_libraries: Path, tmp_path: Path
) -> None:
    with DemoPlex(library=shared_libraries / enough("lib-b.tsv.gz", "lib-a.tsv.gz")) as plex:
        tool = Tool(tmp_path, plex)
        tool.export()
        there = convert(tool.workbook, tmp_path / "there.ods")
        back = convert(there, tmp_path / "back.xlsx")

        for path in (there, back):
            result = tool("import", path, "--yes", "--json")

            assert result.exit_code == 0, result.output
            assert result.json["rows"] == []
            assert result.json["messages"] == []
        assert not plex.writes
