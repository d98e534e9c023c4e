"""Every sentence an import can say, brought about through the command line.

A scenario declares the wordings it brings about, as ``code`` or ``code variant``, and
returns the sentences it expects.  The last test compares the declarations with the
program's own table of messages: a code or wording without a scenario fails.
"""

from __future__ import annotations

import datetime
import os
import re
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from plexsheet.apply.pace import Pace
from plexsheet.messages import CODES
from tests import hostile
from tests.driver import Result, Tool, rows_of_sheet, set_cells
from tests.libreoffice import convert
from tests.plex.server import DemoPlex
from tests.songs import rated, songs
from tests.truth import deal_anew

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")

Sentences = dict[str, str]  # by "code" or "code variant"
Scenario = Callable[["Stage"], Sentences]
SCENARIOS: dict[str, tuple[Scenario, tuple[str, ...]]] = {}
LIBREOFFICE: set[str] = set()


def says(*wordings: str, libreoffice: bool = False) -> Callable[[Scenario], Scenario]:
    """Declare what a scenario brings about."""

    def declared(scenario: Scenario) -> Scenario:
        SCENARIOS[scenario.__name__] = (scenario, wordings)
        if libreoffice:
            LIBREOFFICE.add(scenario.__name__)
        return scenario

    return declared


class Stage:
    """A library, an exported workbook of it, and what is done to that."""

    def __init__(self, folder: Path, plex: DemoPlex, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.plex, self.monkeypatch = folder, plex, monkeypatch
        self.tool = Tool(folder, plex)
        self.heard: list[tuple[str, str]] = []
        self.spoken = ""
        self.open = ExitStack()

    def other_library(self, **source: Any) -> DemoPlex:
        """Go on with another server."""
        self.plex = self.open.enter_context(DemoPlex(**source))
        self.tool = Tool(self.folder, self.plex)
        return self.plex

    def hurry(self) -> None:
        """Let pauses between tries take no time."""
        self.monkeypatch.setattr(
            "plexsheet.apply.run.Pace", partial(Pace, sleep=lambda seconds: None)
        )
        self.monkeypatch.setattr("plexsheet.plex.wire.time.sleep", lambda seconds: None)

    def export(self) -> Book:
        self.tool.export()
        return Book(self.tool.workbook)

    def key(self, title: str, album: str = "") -> int:
        """Rating key of a track."""
        return next(
            item["key"]
            for item in self.plex.items("track")
            if item["title"] == title and album in ("", item["album"])
        )

    def run(self, *words: object) -> Result:
        """A command with ``--json``; what it says is remembered."""
        result = self.tool(*words, "--json")
        assert "Traceback" not in result.output
        payload = result.json
        if payload.get("error"):
            self.heard.append((payload["error"]["code"], payload["error"]["message"]))
        for one in (*payload.get("messages", ()), *payload.get("rows", ())):
            if isinstance(one, dict) and one.get("code"):
                self.heard.append((one["code"], one["message"]))
        return result

    def import_(self, *options: object, file: Path | None = None) -> Result:
        return self.run("import", file or self.tool.workbook, "--yes", *options)


class Book:
    """A workbook being edited."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.book = openpyxl.load_workbook(path)
        self.columns = {
            name: {str(cell.value): int(cell.column) for cell in self.book[name][1]}
            for name in ("Artists", "Albums", "Tracks", "Twins")
        }
        self.rows = {
            name: {key: row for row, key in enumerate(self.column_of(name, "Key"), start=2)}
            for name in self.columns
        }

    def sheet(self, name: str) -> Worksheet:
        return self.book[name]

    def column(self, sheet: str, header: str) -> int:
        return self.columns[sheet][header]

    def row(self, sheet: str, key: int) -> int:
        """Row of the item with this key, in the export."""
        return self.rows[sheet][str(key)]

    def cell(self, sheet: str, row: int, header: str) -> Any:
        return self.sheet(sheet).cell(row, self.column(sheet, header))

    def put(self, sheet: str, key: int, header: str, value: Any) -> int:
        """Set a cell of an item; its row."""
        row = self.row(sheet, key)
        self.cell(sheet, row, header).value = value
        return row

    def append(self, sheet: str, **cells: Any) -> int:
        """A row at the end; its number."""
        row = self.sheet(sheet).max_row + 1
        for header, value in cells.items():
            self.cell(sheet, row, header.replace("_", " ")).value = value
        return row

    def column_of(self, sheet: str, header: str) -> list[Any]:
        """Values of a column below its header."""
        column = self.column(sheet, header)
        return [c.value for (c,) in self.sheet(sheet).iter_rows(2, None, column, column)]

    def fill(self, sheet: str, header: str, values: Sequence[Any], first: int = 2) -> None:
        """Set a column from a row on."""
        for row, value in enumerate(values, start=first):
            self.cell(sheet, row, header).value = value

    def save(self) -> None:
        self.book.save(self.path)


def patched(path: Path, change: Callable[[str, bytes], bytes]) -> None:
    """Rewrite the parts of an archive."""
    with zipfile.ZipFile(path) as source:
        parts = {name: change(name, source.read(name)) for name in source.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in parts.items():
            target.writestr(name, content)


# ---------------------------------------------------------------- rows: what was typed


def _with_value(name: str, part: bytes) -> bytes:
    """A formula with the value a spreadsheet program would have calculated."""
    return re.sub(rb"(<f>2\+2</f>)<v ?/?>(</v>)?", rb"\g<1><v>4</v>", part)


@says(
    "E10", "E11", "E11 plain", "E12", "E13", "E14", "E15", "E15 empty", "E16", "W17", "I19",
    "E20", "E20 plain", "E21", "W60",
)  # fmt: skip
def ratings_and_actions(stage: Stage) -> Sentences:
    book = stage.export()
    key = [stage.key(f"Track {i}") for i in range(60)]

    def rate(number: int, value: Any) -> int:
        return book.put("Tracks", key[number], "My rating", value)

    for number, value in enumerate(("gut", 7, 12, -1, 0)):
        rate(number, value)
    rate(5, datetime.date(2026, 5, 4))
    row = rate(6, "#N/A")
    book.cell("Tracks", row, "My rating").data_type = "e"
    rate(7, "=A1*2")
    rate(8, "1.234,5")
    rate(9, "=2+2")
    rate(10, "4,5")
    book.put("Tracks", key[11], "Action", "ACEPT")
    book.put("Tracks", key[12], "Action", "banana")
    book.put("Tracks", key[13], "Action", "CLEAR")
    rate(13, 4)
    book.put("Tracks", key[14], "In Plex", 5)
    book.save()
    patched(book.path, _with_value)
    result = stage.import_()
    assert result.exit_code == 1
    assert stage.plex.rating(key[9]) == 8
    assert stage.plex.rating(key[10]) == 9
    return {
        "E10": "'gut' is not a rating. Type a number from 0.5 to 5, or CLEAR.",
        "E11": "7 is more than 5 stars. Not applied. (On a ten-point scale this would be 3.5: "
        "type 3.5 if you mean that.)",
        "E11 plain": "12 is more than 5 stars. Not applied. 5 is the highest.",
        "E12": "-1 is not a rating. To remove the rating type CLEAR.",
        "E13": "0 is not 'unrated' in Plex. To remove the rating type CLEAR; the lowest rating is "
        "0.5.",
        "E14": "The spreadsheet turned this into a date (4 May). Format the cell as number and "
        "type it again.",
        "E15": "The formula shows #N/A. Not applied.",
        "E15 empty": "The formula has no value. Not applied.",
        "E16": "'1.234,5' is unclear. Type a number from 0.5 to 5.",
        "W17": "Taken from a formula: 4.",
        "I19": "'4,5' read as 4.5.",
        "E20": "'ACEPT' is not an action. Did you mean ACCEPT? Not applied.",
        "E20 plain": "'banana' is not an action. Type one of ACCEPT, CLEAR, EXCLUDE, INCLUDE, "
        "MINE, PLEX. Not applied.",
        "E21": "CLEAR and a rating of 4 contradict each other. Not applied.",
        "W60": "'In Plex' cannot be edited; put your rating in 'My rating'.",
    }


@says("E22")
def accept_of_nothing(stage: Stage) -> Sentences:
    key = stage.key("Track 1")
    book = stage.export()
    book.put("Tracks", key, "Action", "EXCLUDE")
    book.save()
    assert stage.import_().exit_code == 0
    book = stage.export()
    book.put("Tracks", key, "Action", "ACCEPT")
    book.save()
    assert stage.import_().exit_code == 1
    return {"E22": "There is no inferred value to accept."}


@says("E20 choice", "E23", "E23 blank", "C50 list")
def a_list_of_another_player(stage: Stage) -> Sentences:
    items = stage.plex.items("track")
    rated = next(item for item in items if item["userRating"] == 4.0)
    named = [item for item in items if item["userRating"] is None and item["title"] != "Track 1"]
    lines = [f"{item['title']},{item['artist']},{item['album']},4.5" for item in named[:3]]
    lines.append(f"{rated['title']},{rated['artist']},{rated['album']},5")
    path = stage.folder / "list.csv"
    path.write_text("\n".join(["Title,Artist,Album,Stars", *lines]) + "\n", encoding="utf-8")
    told = stage.run("match", path, "--preview").json
    stage.spoken = next(row["reason"] for row in told["rows"] if row["outcome"] == "conflict")
    review = stage.folder / "review.xlsx"
    stage.run("match", path, "--review", review)
    first, second, third = (item["key"] for item in named[:3])
    set_cells(
        review,
        [
            ("Matches", first, "Choice", 7),
            ("Matches", second, "My rating", None),
            ("Matches", third, "Action", None),
            ("Matches", third, "My rating", 2),
        ],
    )
    assert stage.import_(file=review).exit_code == 1
    return {
        "E20 choice": "'7' is not a choice. Type a number from 1 to 5. Not applied.",
        "E23": "My rating says 2, and Action says nothing. Not applied.",
        "E23 blank": "There is no rating to take. Type one in My rating. Not applied.",
        "C50 list": "The list: 5. You in Plex: 2. Not taken.",
    }


@says("W23")
def one_emptied_cell(stage: Stage) -> Sentences:
    key = stage.key("Track 41")
    book = stage.export()
    book.put("Tracks", key, "My rating", None)
    book.save()
    assert stage.import_().exit_code == 0
    assert stage.plex.rating(key) is None
    return {"W23": "The cell was emptied: the rating 2 will be removed."}


@says("W23 many", "W23 held")
def many_emptied_cells(stage: Stage) -> Sentences:
    book = stage.export()
    for number in range(40, 48):
        book.put("Tracks", stage.key(f"Track {number}"), "My rating", None)
    book.save()
    result = stage.import_()
    assert result.exit_code == 1
    assert stage.plex.rating(stage.key("Track 40")) == 2
    assert stage.import_("--confirm", 8).json["counts"]["applied"] == 8
    return {
        "W23 many": "8 cells were emptied. If that is intended, type 8; otherwise nothing is "
        "removed.",
        "W23 held": "The cell was emptied: the rating 1 stays until you confirm that 8 ratings "
        "are to be removed.",
    }


@says("E30", "W32", "W60 year")
def years(stage: Stage) -> Sentences:
    keys = {item["title"]: item["key"] for item in stage.plex.items("album")}
    book = stage.export()
    book.put("Albums", keys["Blue"], "Year", 1970)
    book.put("Albums", keys["Red"], "Year", "19O9")
    book.put("Albums", keys["Hits"], "Year", None)
    book.save()
    assert stage.import_().exit_code == 1
    next_year = datetime.datetime.now(datetime.UTC).year + 1
    return {
        "E30": f"Year '19O9' is not a year between 1000 and {next_year}. Not applied.",
        "W32": "Release date 1969-09-26 would become 1970-01-01.",
        "W60 year": "The year was emptied; a release date cannot be removed here, so it is kept.",
    }


@says("E33")
def year_of_a_home_user(stage: Stage) -> Sentences:
    keys = {item["title"]: item["key"] for item in stage.plex.items("album")}
    stage.plex.set_faults(home_user=True)
    book = stage.export()
    book.put("Albums", keys["Red"], "Year", 1981)
    book.save()
    assert stage.import_().exit_code == 1
    return {"E33": "Only the owner of the server can change the year. Not applied."}


# ---------------------------------------------------------------- rows: whose they are


@says(
    "E01", "E01 action", "E01 year", "E02", "E03", "E03 unknown", "I03", "E04", "I04", "E05",
    "E05 unknown", "E07", "E08",
)  # fmt: skip
def identities(stage: Stage) -> Sentences:
    key = [stage.key(f"Track {i}") for i in range(60)]
    album = stage.plex.items("album")[0]["key"]
    gone = key[20]
    book = stage.export()
    fresh = stage.plex.rekey(key[59])
    assert fresh not in key
    expected: Sentences = {}
    row = book.append("Tracks", My_rating=4)
    expected["E01"] = (
        f"Row {row} has a rating but no Key, so it is unclear what it belongs to. Not applied."
    )
    row = book.append("Tracks", Action="ACCEPT")
    expected["E01 action"] = (
        f"Row {row} has an Action but no Key, so it is unclear what it belongs to. Not applied."
    )
    row = book.put("Albums", album, "Year", 1955)
    book.cell("Albums", row, "Key").value = None
    expected["E01 year"] = (
        f"Row {row} has a Year but no Key, so it is unclear what it belongs to. Not applied."
    )
    book.append("Tracks", Key="998877", My_rating=4)
    expected["E02"] = "Key 998877 is not in this library. Not applied."
    row = book.put("Tracks", key[1], "My rating", 4)
    book.cell("Tracks", row, "Key").value = "1.2E+05"
    book.cell("Tracks", row, "Title").value = "Another title"
    expected["E03"] = (
        f"Key '1.2E+05' was altered by the spreadsheet (it should be {key[1]}). Not applied."
    )
    row = book.append("Tracks", Key="1.3E+05", My_rating=4)
    expected["E03 unknown"] = (
        "Key '1.3E+05' was altered by the spreadsheet, and nothing on the row says what it was. "
        "Not applied."
    )
    row = book.put("Tracks", key[2], "My rating", 4)
    book.cell("Tracks", row, "Key").value = "1.4E+05"
    expected["I03"] = (
        f"Key '1.4E+05' was altered by the spreadsheet; Check says it is {key[2]}, so it was read "
        "as that."
    )
    first = book.put("Tracks", key[3], "My rating", 4)
    second = book.append("Tracks", Key=str(key[3]), My_rating=3)
    expected["E04"] = (
        f"Key {key[3]} appears on rows {first} and {second} with 4 and 3. Neither was applied."
    )
    first = book.put("Tracks", key[4], "My rating", 4)
    second = book.append("Tracks", Key=str(key[4]), My_rating=4)
    expected["I04"] = (
        f"Key {key[4]} appears on rows {first} and {second} with the same edit; it counts once."
    )
    row = book.put("Tracks", key[5], "My rating", 4)
    book.cell("Tracks", row, "Title").value = "Abbey Road"
    expected["E05"] = f"Row {row} says 'Abbey Road' but its Key belongs to 'Track 5'. Not applied."
    row = book.put("Tracks", gone, "My rating", 4)
    book.cell("Tracks", row, "Title").value = "Let It Be"
    stage.plex.delete(gone)
    expected["E05 unknown"] = (
        f"Row {row} says 'Let It Be' but its Key belongs to something else. Not applied."
    )
    book.append("Tracks", Key=str(album), My_rating=4)
    expected["E07"] = "This Key is an album; it was found on Tracks. Not applied."
    book.append("Tracks", Key=str(fresh), My_rating=4)
    expected["E08"] = "This row was not in the export. Not applied (use --allow-new-rows)."
    book.save()
    assert stage.import_().exit_code == 1
    assert stage.plex.rating(key[2]) == stage.plex.rating(key[4]) == 8
    return expected


@says("E31", "E40", "E40 alone", "E41", "E20 decision", "E20 sub-group", "E01 decision")
def twins(stage: Stage) -> Sentences:
    book = stage.export()

    def decide(title: str, album: str, word: Any, letter: Any = None) -> str:
        row = book.put("Twins", stage.key(title, album), "Decision", word)
        book.cell("Twins", row, "Sub-group").value = letter
        return str(book.cell("Twins", row, "Group").value)

    for album, stars in (("Blue", 4), ("Hits", 3)):
        book.put("Tracks", stage.key("Song B", album), "My rating", stars)
    unlettered = decide("Song A", "Blue", "SPLIT")
    decide("Song B", "Blue", "SPLIT", "a")
    decide("Song B", "Hits", "SPLIT", "b")
    lone = decide("Song E", "Blue", None, "a")
    decide("Song F", "Blue", "banana")
    decide("Song G", "Blue", "SPLIT", 7)
    row = book.append("Twins", Decision="SAME")
    book.save()
    assert stage.import_().exit_code == 1
    assert stage.plex.rating(stage.key("Song B", "Blue")) is None
    return {
        "E31": "These two rows are one recording for Plex and share one rating; you gave 4 and 3. "
        "Neither was applied.",
        "E40": f"SPLIT needs a sub-group letter on each row of group {unlettered}.",
        "E40 alone": "A sub-group letter says nothing without SPLIT in Decision on group "
        f"{lone}. Not applied.",
        "E41": "These copies share one Plex rating and cannot be split.",
        "E20 decision": "'banana' is not a decision. Type one of SAME, SPLIT, NEVER. Not applied.",
        "E20 sub-group": "'7' is not a sub-group. Type one letter. Not applied.",
        "E01 decision": f"Row {row} has a Decision but no Key, so it is unclear what it belongs "
        "to. Not applied.",
    }


@says("W43", "W43 all")
def copies_rated_differently(stage: Stage) -> Sentences:
    book = stage.export()
    for title, album, stars in (
        ("Song C", "Blue", 4), ("Song C", "Red", 3), ("Song D", "Blue", 5), ("Song D", "Hits", 2),
    ):  # fmt: skip
        book.put("Tracks", stage.key(title, album), "My rating", stars)
    book.save()
    assert stage.import_().json["counts"]["applied"] == 4
    return {
        "W43": "You rated copies of this recording 4 and 3. Neither is changed; unrated copies get "
        "3.5.",
        "W43 all": "You rated copies of this recording 5 and 2. Neither is changed.",
    }


# ---------------------------------------------------------------- Plex changed meanwhile


@says("C50", "I51", "I52", "I53", "E06", "F08")
def changed_in_plex(stage: Stage) -> Sentences:
    key = [stage.key(f"Track {i}") for i in range(6)]
    book = stage.export()
    for number, stars in ((0, 3), (2, 3), (3, 2.5), (4, 4)):
        book.put("Tracks", key[number], "My rating", stars)
    book.save()
    stage.plex.rate(key[0], 10)
    stage.plex.rate(key[1], 10)
    stage.plex.rate(key[2], 6)
    fresh = stage.plex.rekey(key[3])
    stage.plex.delete(key[4])
    result = stage.import_()
    assert result.exit_code == 1
    assert stage.plex.rating(key[0]) == stage.plex.rating(key[1]) == 10
    assert stage.plex.rating(fresh) == 5
    return {
        "C50": "You: 3. Plex now: 5 (changed after the export). Type MINE or PLEX in Action and "
        "save again.",
        "I51": "Changed in Plex to 5; your sheet had the old value.",
        "I52": "Already 3.",
        "I53": "Found again under a new Key.",
        "E06": "No longer in Plex (deleted or re-added). Your value 4 is kept on the Changes "
        "sheet.",
        "F08": "Exported 0 days ago; 1 item changed in Plex since. Your edits are compared one by "
        "one.",
    }


# ---------------------------------------------------------------- Plex answers otherwise


@says("P70", "P70 resume")
def plex_does_not_answer(stage: Stage) -> Sentences:
    stage.hurry()
    book = stage.export()
    book.put("Tracks", stage.key("Track 1"), "My rating", 4)
    book.save()
    stage.plex.reset_requests()
    stage.run("import", book.path, "--preview")
    asked = sum(stage.plex.requests.values())
    stage.plex.set_faults(after_n=asked, after_status=503)
    assert stage.import_().exit_code == 4
    stage.plex.reset_faults()
    stage.plex.set_faults(every_nth=1, kind="503", on="writes")
    assert stage.import_().exit_code == 4
    return {
        "P70": "Plex did not answer after 5 tries. Run import again; rows already done are "
        "skipped.",
        "P70 resume": "Plex did not answer after 5 tries. 0 of 1 are settled and recorded. Once "
        "Plex answers again, “plexsheet resume” goes on from there.",
    }


@says("P71")
def plex_refuses(stage: Stage) -> Sentences:
    stage.plex.set_faults(home_user=True, refuse_rate=True)
    book = stage.export()
    book.put("Tracks", stage.key("Track 1"), "My rating", 4)
    book.save()
    assert stage.import_().exit_code == 4
    return {"P71": "Plex refused this change (403): the account may not edit this library."}


@says("P73")
def plex_rounds(stage: Stage) -> Sentences:
    stage.plex.set_faults(rounding=1)
    book = stage.export()
    book.put("Tracks", stage.key("Track 1"), "My rating", 3.7)
    book.save()
    assert stage.import_().exit_code == 0
    return {"P73": "Plex accepted 3.7 but reports 3.5 afterwards."}


@says("U80", "U81", "U82", "I56")
def an_undo(stage: Stage) -> Sentences:
    key = [stage.key(f"Track {i}") for i in (40, 1, 2, 3)]
    stage.plex.rate(key[1], 6)
    book = stage.export()
    for one in key:
        book.put("Tracks", one, "My rating", 4)
    book.save()
    run = stage.import_().json["run"]
    stage.plex.set_faults(clock_offset=5)
    stage.plex.rate(key[1], None)
    stage.plex.delete(key[2])
    stage.plex.rate(key[3], 8)
    undo = stage.run("undo", run, "--yes").json["run"]
    assert stage.plex.rating(key[0]) == 2
    stage.run("history", undo)
    today = datetime.date.today()
    return {
        "U80": "Put back to 1.",
        "U81": "Left alone: you changed it since.",
        "U82": "Could not be put back: it is no longer in Plex.",
        "I56": f"Left alone: yours since {today.day} {today:%B} (rated in Plex).",
    }


@says("C55")
def a_key_that_is_another_item_now(stage: Stage) -> Sentences:
    key, other = stage.key("Track 1"), stage.key("Track 2")
    book = stage.export()
    book.put("Tracks", key, "My rating", 4)
    book.save()
    with stage.plex.store.lock:
        stage.plex.store.delete(key)
        stage.plex.store.rekey(other, key)
    stage.import_()
    return {
        "C55": f"Key {key} is now 'Track 2'; 'Track 1' was not found (no candidate). Nothing was "
        "changed on this row."
    }


@says("S07")
def keys_dealt_anew(stage: Stage) -> Sentences:
    stage.other_library(tracks=120)
    assert stage.run("infer", "--yes").exit_code == 0
    deal_anew(stage.plex)
    said = " ".join(stage.run("infer", "--preview").stderr.split())
    found = re.search(r"S07 ((\S+) items were found again .* and were left alone\.)", said)
    assert found is not None, said
    stage.heard.append(("S07", found[1]))
    lost = re.search(r"; (\S+) could", found[1])
    assert lost is not None
    return {
        "S07": f"{found[2]} items were found again under new Keys, as after rebuilding the "
        f"library. They are followed; {lost[1]} could not be found and were left alone."
    }


@says("S06", "S06 another", "S08", "S08 another", "S08 row")
def state_and_plex_part(stage: Stage) -> Sentences:
    plex, state = stage.other_library(tracks=120), stage.tool.state
    assert stage.run("infer", "2", "--yes").exit_code == 0
    shutil.copy(state, stage.folder / "artists.db")
    plex.set_faults(clock_offset=10)
    assert stage.run("infer", "--yes").exit_code == 0
    shutil.copy(state, stage.folder / "first.db")
    marked = [
        (kind, item)
        for kind in ("artist", "album", "track")
        for item in plex.items(kind)
        if any("nferred" in name for name in item["tags"].get("mood", ()))
    ]
    total, tag = len(marked), "Rating_Inferred"
    artists = sum(kind == "artist" for kind, _ in marked)

    shutil.copy(stage.folder / "artists.db", state)
    assert stage.run("undo", "--inferred", "--yes").exit_code == 3
    state.unlink()
    assert stage.run("undo", "--inferred", "--yes").exit_code == 3

    shutil.copy(stage.folder / "first.db", state)
    plex.set_faults(clock_offset=20)
    for _, item in marked:  # as another plexsheet would
        plex.rate(item["key"], item["userRating"] + (0.55 if item["userRating"] < 9 else -0.55))
    assert stage.run("infer", "--yes").exit_code == 3
    for _, item in marked:
        plex.rate(item["key"], 4)
    assert stage.run("infer", "--yes").exit_code == 3
    for _, item in marked:
        plex.rate(item["key"], item["userRating"])
        plex.find(item["key"]).rated_at = item["lastRatedAt"]
    theirs = [
        item["key"]
        for item in plex.items("track")
        if item["key"] not in {one["key"] for _, one in marked} and item["userRating"]
    ][:3]
    for key in theirs:
        plex.tag(key, "mood", [tag])
    undo = stage.run("undo", "--inferred", "--yes")
    assert undo.exit_code == 1, undo.output
    stage.run("history", undo.json["run"])
    return {
        "S06": f"{total} of {total} inferred ratings in Plex are not as plexsheet left them, as "
        "after restoring a backup of either. Nothing was changed. If Plex is right, run "
        f"reconstruct; if you changed them yourself, confirm {total}.",
        "S06 another": f"{total} of {total} inferred ratings in Plex are not as plexsheet left "
        f"them, and {total} of these carry {tag}: another plexsheet writes to this library. "
        "Nothing was changed. Let both share one STATE_FILE; if Plex is right, run reconstruct; "
        f"if you changed them yourself, confirm {total}.",
        "S08": f"{total} ratings carry {tag} and are not in this state. Nothing was changed. Run "
        "reconstruct, or use the state file that wrote them.",
        "S08 another": f"{total - artists} ratings carry {tag}, written after this plexsheet last "
        "wrote and not in its state: another plexsheet writes to this library. Nothing was "
        "changed. Let both share one STATE_FILE, or run reconstruct.",
        "S08 row": f"It carries {tag} and is not in this state, so nothing proves whose the rating "
        "is. Left alone; run reconstruct, or confirm 3 to take the tag off.",
    }


# ---------------------------------------------------------------- sheets


@says("S01", "S02", "S03")
def sorted_and_shifted(stage: Stage) -> Sentences:
    stage.other_library(library=rated(160))
    book = stage.export()
    titles = book.column_of("Artists", "Artist")
    book.fill("Artists", "Artist", titles[::-1])
    albums = book.column_of("Albums", "My rating")
    book.fill("Albums", "My rating", sorted(albums))
    tracks = book.column_of("Tracks", "My rating")
    book.fill("Tracks", "My rating", [*tracks[:50], *tracks[51:], None])
    book.save()
    result = stage.import_()
    assert result.exit_code == 3
    assert result.json["stopped_sheets"] == ["Artists", "Albums", "Tracks"]
    assert not stage.plex.writes
    return {
        "S01": "On 14 rows the Key does not belong to the title beside it, as after sorting only "
        "some columns. Nothing on Artists was changed. Undo the sort, or start from the result "
        "file.",
        "S02": "The values in 'My rating' are the same as before but on other rows, as after "
        "sorting that column alone. Nothing on Albums was changed.",
        "S03": "From row 52 every rating sits one row too high, as after deleting one cell. "
        "Nothing on Tracks was changed.",
    }


@says("S02 sorted")
def edited_then_sorted(stage: Stage) -> Sentences:
    stage.other_library(library=rated(160))
    book = stage.export()
    values = sorted(((11 * i) % 40 / 10 + 1 for i in range(160)), reverse=True)
    book.fill("Tracks", "My rating", values)
    book.save()
    assert stage.import_().exit_code == 3
    return {
        "S02 sorted": "The values in 'My rating' stand in order of size while the rows do not, as "
        "after sorting that column alone. Nothing on Tracks was changed.",
    }


@says("S04", "S04 unattended", "S05", "S05 unattended")
def budgets(stage: Stage) -> Sentences:
    stage.other_library(library=[row._replace(user_rating=None) for row in rated(1040)])
    book = stage.export()
    inbox = stage.folder / "watched" / "inbox"
    inbox.mkdir(parents=True)
    book.fill("Tracks", "My rating", [5] * 204)
    book.save()
    assert stage.import_().exit_code == 3
    (inbox / "same.xlsx").write_bytes(book.path.read_bytes())
    book.fill("Tracks", "My rating", [1 + i % 7 / 2 for i in range(56)], first=206)
    book.save()
    assert stage.import_().exit_code == 3
    (inbox / "many.xlsx").write_bytes(book.path.read_bytes())
    watch(stage, inbox.parent, "--auto-apply")
    assert not stage.plex.writes
    return {
        "S04": "260 ratings would change (25 % of Tracks). To go on, type 260.",
        "S04 unattended": "260 ratings would change (25 % of Tracks), so they are held. To go on, "
        "import the file with --confirm 260.",
        "S05": "204 rows receive the same rating 5. If that is intended, confirm.",
        "S05 unattended": "204 rows receive the same rating 5, so they are held. If that is "
        "intended, import the file with --confirm 204.",
    }


def watch(stage: Stage, folder: Path, *options: str) -> None:
    """One round of the watcher; what it wrote into results/ is heard."""
    result = stage.tool("watch", folder, "--once", *options)
    stage.spoken += result.output
    for path in sorted((folder / "results").glob("*.xlsx")):
        sheet = openpyxl.load_workbook(path)["Start"]
        stage.spoken += "\n".join(
            str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value
        )
        changes = rows_of_sheet(path, "Changes")
        stage.heard += [(str(row["Code"]), str(row["Message"])) for row in changes]
    for path in sorted((folder / "results").glob("*.txt")):
        stage.spoken += path.read_text(encoding="utf-8")


# ---------------------------------------------------------------- files


@says(
    "F01", "F01 password", "F01 type", "F01 empty", "F01 large", "F01 unread", "F15", "F15 parts",
    "F15 ratio", "F03 empty", "F03 list",
)  # fmt: skip
def files_that_cannot_be_read(stage: Stage) -> Sentences:
    folder = stage.folder / "files"
    folder.mkdir()
    broken = folder / "broken.xlsx"
    broken.write_bytes(hostile.sound(folder / "sound.xlsx").read_bytes()[:700])
    stage.import_(file=broken)
    with zipfile.ZipFile(folder / "odd.ods", "w") as odd:
        odd.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        odd.writestr("content.xml", '<d xmlns:table="urn:x"><table:table-cell/> </d>')
    assert stage.import_(file=folder / "odd.ods").exit_code == 3
    names = (
        "encrypted workbook", "web page", "empty", "declared huge", "many parts",
        "cell far away",
    )  # fmt: skip
    for name in names:
        path = hostile.BUILDERS[name](folder)
        assert stage.import_(file=path).exit_code == 3
    bomb = hostile.huge_cell(folder, megabytes=64)
    assert stage.import_(file=bomb).exit_code == 3
    with zipfile.ZipFile(bomb) as archive:
        part = archive.getinfo("xl/sharedStrings.xml")
    blank = openpyxl.Workbook()
    blank.create_sheet("Tracks").append(["Key", "My rating"])
    blank.save(folder / "blank.xlsx")
    assert stage.import_(file=folder / "blank.xlsx").exit_code == 3
    assert stage.tool("infer", "--preview", "--output", folder / "plan.xlsx").exit_code == 0
    assert stage.import_(file=folder / "plan.xlsx").exit_code == 3
    return {
        "F01": "This file cannot be opened as a workbook (it may be damaged or "
        "password-protected). Nothing was changed. Save it again as .xlsx without a password.",
        "F01 password": "This file is protected by a password, so it cannot be opened as a "
        "workbook. Nothing was changed. Save it again as .xlsx without a password.",
        "F01 type": "This file cannot be opened as a workbook: by its content it is a web page. "
        "Nothing was changed. Save it again as .xlsx without a password.",
        "F01 empty": "This file cannot be opened as a workbook: it is empty. Nothing was changed. "
        "Save it again as .xlsx without a password.",
        "F01 large": "This file cannot be opened as a workbook: it is too large or damaged, and "
        "reading it was stopped at its memory limit. Nothing was changed. Save it again as .xlsx "
        "without a password.",
        "F01 unread": "This file is whole, but plexsheet cannot read the way it was saved. Nothing "
        "was changed. Open it in LibreOffice or Excel and save it as .xlsx.",
        "F15": "The file unpacks to 8 GB, more than the 4 GB allowed. Nothing was read.",
        "F15 parts": "The file holds 10,006 parts, more than the 10,000 allowed. Nothing was read.",
        "F15 ratio": "A part of the file unpacks to "
        f"{part.file_size // part.compress_size:,} times its size, more than the 100 allowed. "
        "Nothing was read.",
        "F03 empty": "This is not a plexsheet workbook: no cell in it could be read. To import a "
        "foreign list use --map.",
        "F03 list": "This workbook is a list to look at; nothing in it is imported. Rate in an "
        "exported workbook instead.",
    }


@says("F02", "F02 last-save", "F02 old-lock", "F09")
def open_files_and_old_ones(stage: Stage) -> Sentences:
    book = stage.export()
    book.put("Tracks", stage.key("Track 1"), "My rating", 4)
    book.save()
    lock = book.path.with_name(f".~lock.{book.path.name}#")
    lock.write_text(",anna,attic,,;")
    run = stage.import_().json["run"]
    os.utime(lock, (time.time() - 3600,) * 2)
    result = stage.import_()
    assert result.exit_code == 0
    told = next(text for code, text in stage.heard if code == "F09")
    when = re.search(r"on (\d\d \w\w\w \d\d:\d\d) \(", told)
    assert when is not None
    inbox = stage.folder / "watched" / "inbox"
    inbox.mkdir(parents=True)
    (inbox / "open.xlsx").write_bytes(book.path.read_bytes())
    (inbox / ".~lock.open.xlsx#").write_text(",anna,attic,,;")
    watch(stage, inbox.parent)
    return {
        "F02": "The file is still open in Excel or LibreOffice",
        "F02 last-save": "The file is still open in Excel or LibreOffice. Its last save was read.",
        "F02 old-lock": "The file is still open in Excel or LibreOffice, or its lock file was left "
        "behind: the lock is older than 10 minutes and is ignored.",
        "F09": f"Already imported on {when[1]} (run {run}). Nothing to do.",
    }


@says("F10", "F10 rows", "F10 copy", "F14")
def sheets_and_columns_of_ones_own(stage: Stage) -> Sentences:
    book = stage.export()
    del book.book["Albums"]
    sheet = book.sheet("Tracks")
    sheet.delete_rows(30, 4)
    sheet.cell(1, sheet.max_column + 1).value = "Mood for driving"
    copy = book.book.copy_worksheet(book.sheet("Artists"))
    copy.title = "Artists (2)"
    copy.cell(2, book.column("Artists", "My rating")).value = 0.5
    book.save()
    assert stage.import_().exit_code == 0
    assert not stage.plex.writes
    return {
        "F10": "No sheet 'Albums'; its rows stay untouched.",
        "F10 rows": "4 rows of Tracks are not in this file and stay untouched.",
        "F10 copy": "Sheet 'Artists (2)' is taken for a copy of Artists: only Artists was read.",
        "F14": "Column 'Mood for driving' is yours; it is kept and ignored.",
    }


@says("F11", "F12", "F12 sheets", "F13")
def headers_in_disorder(stage: Stage) -> Sentences:
    book = stage.export()
    book.cell("Artists", 1, "Key").value = "Number"
    book.sheet("Albums").insert_rows(1)
    sheet = book.sheet("Tracks")
    sheet.cell(1, 40).value = "My rating"
    letters = f"{get_column_letter(book.column('Tracks', 'My rating'))} and AN"
    book.book.create_sheet("twins ").append(["Key"])
    book.save()
    result = stage.import_()
    assert result.exit_code == 3
    assert set(result.json["stopped_sheets"]) == {"Artists", "Albums", "Tracks", "Twins"}
    return {
        "F11": "Sheet Artists has no column 'Key'. The sheet was skipped. Undo the deletion, or "
        "paste your edits into a fresh export.",
        "F12": f"Sheet Tracks has two columns 'My rating' ({letters}). Rename one. The sheet was "
        "skipped.",
        "F12 sheets": "There are two sheets called 'Twins' ('Twins' and 'twins'). Rename one. "
        "Both were skipped.",
        "F13": "Row 1 of Albums is not the header; something was inserted above it. The sheet was "
        "skipped.",
    }


@says(
    "F03", "F03 map", "E10 ten", "E11 ten", "E13 ten", "E16 ten", "F16", "F17", "F18",
    "F01 columns",
)  # fmt: skip
def foreign_lists(stage: Stage) -> Sentences:
    key = [stage.key(f"Track {i}") for i in range(6)]
    path = stage.folder / "list.csv"
    typed = ("9", "7.3", "12", "gut", "0", "1'000")
    rows = [f"{number},x,{value}" for number, value in zip(key, typed, strict=True)]
    path.write_text("\n".join(["Id,Song,Score", *rows]))
    assert stage.import_(file=path).exit_code == 3
    result = stage.import_("--map", "Points=My rating", "--map", "Id=Key", file=path)
    assert result.exit_code == 3
    mapped = ("--map", "Score=My rating", "--map", "Id=Key")
    assert stage.import_(*mapped, "--scale", 10, file=path).exit_code == 1
    assert (stage.plex.rating(key[0]), stage.plex.rating(key[1])) == (9, 7.3)
    path.write_text(f"Id,Score\n{key[0]},4,5\n")
    assert stage.import_(*mapped, file=path).exit_code == 3
    return {
        "F03": "This is not a plexsheet workbook. To import a foreign list use --map.",
        "F03 map": "This file has no column 'Points', which --map names. Nothing was changed. Its "
        "columns are: Id, Song, Score.",
        "E10 ten": "'gut' is not a rating. Type a number from 1 to 10, or CLEAR.",
        "E13 ten": "0 is not 'unrated' in Plex. To remove the rating type CLEAR; the lowest rating "
        "is 1.",
        "E16 ten": "'1'000' is unclear. Type a number from 1 to 10.",
        "E11 ten": "12 is more than 10, the highest of the scale declared for this file. Not "
        "applied.",
        "F16": "No record of what this file looked like when it was made: its values are compared "
        "with Plex as it is now.",
        "F17": "Read as text: UTF-8, columns separated by commas, decimal point.",
        "F18": "Every rating was halved, as --scale 10 says. Highest value seen: 12. First ones: "
        "9 → 4.5, 7.3 → 3.65, 12 → 6.",
        "F01 columns": "Row 2 of this text file has 3 columns and its header has 2, as where a "
        "decimal comma looks like the next column. Nothing was changed. Save it again as .xlsx, "
        "or as CSV with semicolons.",
    }


@says("E20 type", "W60 inferred")
def lists_of_plex_rating_utils(stage: Stage) -> Sentences:
    folder = stage.folder / "lists"
    stage.run("export", "--csv", folder)
    path = folder / "tracks.csv"
    header, first, second, *rest = path.read_text(encoding="utf-8-sig").splitlines()
    first = re.sub(r",[^,]*,[^,]*$", ",4,Infered", first)
    second = re.sub(r",[^,]*,[^,]*$", ",4,inferred", second)
    path.write_text("\n".join([header, first, second, *rest]), encoding="utf-8")
    assert stage.import_(file=path).exit_code == 1
    assert not stage.plex.writes
    return {
        "E20 type": "'Infered' is not a ratingType. Type manual or inferred. Not applied.",
        "W60 inferred": "ratingType says inferred, so 4 was not taken as your rating. To make it "
        "yours type manual.",
    }


@says("W23 withdrawn")
def ratings_left_to_inference_again(stage: Stage) -> Sentences:
    folder = stage.folder / "lists"
    stage.run("export", "--csv", folder)
    path = folder / "tracks.csv"
    header, *rows = path.read_text(encoding="utf-8-sig").splitlines()
    mine = next(row for row in rows if not row.endswith(",,manual"))
    path.write_text("\n".join([header, re.sub(",manual$", ",inferred", mine)]), encoding="utf-8")
    stars = mine.split(",")[-2]
    assert stage.import_(file=path).exit_code == 0
    return {
        "W23 withdrawn": f"ratingType says inferred: your rating {stars} will be removed, and can "
        "be inferred.",
    }


@says("F04", "F04 anew", "F04 carriers", "F05", "F06", "F07")
def workbooks_from_elsewhere(stage: Stage) -> Sentences:
    path = stage.export().path
    original = path.read_bytes()
    here = stage.run("doctor")
    stage.other_library(tracks=20, identity="elsewhere", title="Music")
    assert stage.import_(file=path).exit_code == 3
    jazz = stage.other_library(tracks=20, identity="jazz", title="Jazz")
    stage.tool = Tool(stage.folder, jazz, LIBRARY_NAME="Jazz")
    assert stage.import_(file=path).exit_code == 3
    home = stage.other_library(library=songs(), identity="songs")
    settings = stage.tool.config.read_text(encoding="utf-8")
    stage.tool.config.write_text(settings.replace(home.token, home.home_token), encoding="utf-8")
    assert stage.import_(file=path).exit_code == 3
    stage.tool.config.write_text(settings, encoding="utf-8")
    for value, where in (
        ("another", "export id"),
        ("9", "format version"),
        ("0", "format version"),
    ):
        path.write_bytes(original)
        _say_otherwise(path, where, value)
        stage.import_(file=path)
    server = re.search(r"'Music' on ([\w ]+); you", str(stage.heard))
    export = re.search(r"export id '(\w+)'", str(stage.heard))
    assert here.exit_code == 0
    assert server is not None
    assert export is not None
    return {
        "F04": f"This workbook belongs to 'Music' on {server[1]}; you are connected to 'Jazz' on "
        f"{server[1]}. Nothing was changed.",
        "F04 anew": f"This workbook belongs to another 'Music' on {server[1]} than the one you are "
        "connected to: it was made anew since, or is another of the same name. Nothing was "
        "changed. “plexsheet restore” puts the workbook's ratings into this one.",
        "F04 carriers": "This workbook says two different things about where it comes from: its "
        f"sheet _meta says export id '{export[1]}', its document properties say 'another'. "
        "Nothing was changed. Export a fresh workbook and paste your edits into it.",
        "F05": "These are the ratings of demo-owner; you are signed in as a user of demo-owner. "
        "Ratings are personal in Plex. Nothing was changed.",
        "F06": "Made by a newer plexsheet (format 9; this one knows 1). Please update.",
        "F07": "Older layout, converted while reading.",
    }


def _say_otherwise(path: Path, where: str, value: str) -> None:
    """Another export in the document properties, or another format and no properties."""
    book = openpyxl.load_workbook(path)
    properties = book.custom_doc_props
    if where == "export id":
        properties["plexsheet export id"].value = value
    else:
        for name in properties.names:
            del properties[name]
        line = next(row for row in book["_meta"].iter_rows() if row[0].value == where)
        line[1].value = value
    book.save(path)


@says("F15 xls", "W23 unsure", libreoffice=True)
def the_old_xls(stage: Stage) -> Sentences:
    book = stage.export()
    book.put("Tracks", stage.key("Track 40"), "My rating", None)
    book.save()
    stage.import_(file=convert(book.path, stage.folder / "old.xls"))
    assert stage.plex.rating(stage.key("Track 40")) == 2
    long = stage.folder / "long.xlsx"
    with xlsxwriter.Workbook(long, {"constant_memory": True}) as made:
        sheet = made.add_worksheet("Tracks")
        sheet.write_row(0, 0, ["Key", "My rating"])
        for row in range(1, 65_536):
            sheet.write_row(row, 0, [row, 4])
    assert stage.import_(file=convert(long, stage.folder / "long.xls")).exit_code == 3
    return {
        "F15 xls": "Sheet Tracks has 65,536 rows, all that an .xls file can hold, so rows may be "
        "missing. Nothing was read. Save it as .xlsx.",
        "W23 unsure": "The cell is empty or shows an error; a file of this format does not tell "
        "which, so the rating 1 stays. To remove it type CLEAR.",
    }


# ---------------------------------------------------------------- the tests


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with DemoPlex(library=songs(), identity="songs") as plex:
        made = Stage(tmp_path, plex, monkeypatch)
        with made.open:
            yield made


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.libreoffice, pytest.mark.xdist_group("libreoffice")])
        if name in LIBREOFFICE
        else name
        for name in SCENARIOS
    ],
)
def test_the_sentence_is_the_documented_one(stage: Stage, name: str) -> None:
    scenario, declared = SCENARIOS[name]

    expected = scenario(stage)

    assert set(expected) == set(declared)
    for wording, sentence in expected.items():
        code = wording.split()[0]
        heard = [text for said, text in stage.heard if said == code]
        told = [text for text in heard if text.startswith(sentence)]
        assert told or sentence in stage.spoken, (wording, heard)


def wordings() -> set[str]:
    """Every wording in the table of messages."""
    return {
        f"{code} {variant}".strip()
        for code, entry in CODES.items()
        for variant in ("", *entry.variants)
    }


def test_every_wording_is_brought_about() -> None:
    declared = [one for _, said in SCENARIOS.values() for one in said]
    assert set(declared) == wordings()
    assert len(declared) == len(set(declared))
