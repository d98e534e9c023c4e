"""The workbooks held against golden ones, and how a workbook becomes comparable text.

``make golden`` writes the golden files anew.
"""

from __future__ import annotations

import math
import re
import shutil
import tempfile
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
from openpyxl.comments import Comment

from plexsheet import library
from plexsheet.inference.model import Evidence, Inference, Inferred
from plexsheet.library import KINDS, Library
from plexsheet.messages import Message
from plexsheet.plan.model import RowOutcome
from plexsheet.reports.report import Chart, Report, ReportColumn
from plexsheet.workbook.reading.comments import read_whole
from plexsheet.workbook.reading.user_content import ExtraSheet, OwnColumn, UserContent
from plexsheet.workbook.writing.result import result_workbook
from plexsheet.workbook.writing.sheet_data import View
from plexsheet.workbook.writing.writer import export_workbook
from tests.sample_library import IDENTITY, META, Owned

FOLDER = Path(__file__).parent / "workbook"

# Parts not compared, and why.
PERMITTED = {
    "xl/sharedStrings.xml": "its texts are put back where the cells point to them",
    "docProps/app.xml": "lists the sheets and names the version of XlsxWriter's format",
}
HELP = "printed from tables of the program that have tests of their own"


def golden_library() -> Library:
    """Two artists, three albums, six tracks, among them a pair of twins that disagrees."""
    nan = math.nan
    return Library(
        IDENTITY,
        library.table(
            "artist",
            {"key": [1, 2], "title": ["The Zoo", "=Ada & <b>"], "sort_title": ["Zoo", "Ada"],
             "genres": ["Jazz; Soul", ""], "user_rating": [nan, 9]},
        ),
        library.table(
            "album",
            {"key": [10, 11, 12], "title": ["Late", "Early", "007"], "artist_key": [1, 1, 2],
             "artist": ["The Zoo", "The Zoo", "=Ada & <b>"], "year": [1999, 1970, 0],
             "format": ["Album", "Album", "EP"], "subformat": ["Compilation", "", ""],
             "critic_rating": [7.5, nan, nan], "added_at": [1_700_000_000, 1_600_000_000, 0]},
        ),
        library.table(
            "track",
            {"key": [100, 101, 102, 103, 104, 105],
             "title": ["March 7", "Song", "Song", "<r>x</r>", "🎵 É _x0041_", "None"],
             "album_key": [10, 10, 11, 12, 12, 12], "artist_key": [1, 1, 1, 2, 2, 2],
             "artist": ["The Zoo"] * 3 + ["=Ada & <b>"] * 3,
             "album": ["Late", "Late", "Early", "007", "007", "007"],
             "disc": [1] * 6, "index": [1, 2, 1, 1, 2, 3], "year": [1999, 1999, 1970, 0, 0, 0],
             "duration_ms": [60_000, 200_000, 203_000, 0, 180_000, 1_000],
             "user_rating": [nan, 8, 5, 7.3333, nan, nan],
             "last_rated_at": [0, 1_720_000_000, 1_720_100_000, 1_720_200_000, 0, 0],
             "view_count": [3, 0, 1, 0, 12, 0]},
        ),
    )  # fmt: skip


def golden_view() -> View:
    """The library with made-up proposals."""
    lib = golden_library()
    evidence = Evidence.all_manual(lib)
    source = {
        kind: np.where(evidence.manual[kind], "Manual", "Unrated").astype(object) for kind in KINDS
    }
    proposals = []
    for kind in KINDS:
        ramp = np.linspace(-1, 1, len(lib.table(kind)))
        parts = {"library": 6.5 + 0 * ramp, "artist": ramp}
        counts = {"artist": np.round(10 + ramp)}
        one = Inferred(6.5 + ramp, 1 + ramp / 4, 50 + 40 * ramp, 3 + ramp, parts, counts)
        proposals.append(one)
    groups = np.array([-1, 0, 0, -1, -1, -1])
    words = np.array(["", "name", "name", "", "", ""], dtype=object)
    inference = Inference("classic", 6.5, *proposals, groups, words)
    short = np.array(["no: under 80 s", "", "", "", "", "no: under 80 s"], dtype=object)
    return View(lib, inference, Owned(evidence, source), counts_upward=short)


def golden_reports() -> list[Report]:
    """One short report with a chart, one list."""
    histogram = Report(
        "histogram", "Histogram",
        (ReportColumn("Stars", "stars"), ReportColumn("Manual", "count"),
         ReportColumn("Inferred", "count")),
        [(0.5, 0, 1), (4.0, 2, 3)], note="Tracks to the nearest half star.",
        chart=Chart("Tracks by stars", ("Manual", "Inferred"), stacked="sum", unit="Tracks"),
        sheet="Reports",
    )  # fmt: skip
    dissenters = Report(
        "dissenters", "Dissenters",
        (ReportColumn("Key", "count"), ReportColumn("Title"), ReportColumn("Difference", "signed"),
         ReportColumn("Link", "link")),
        [(101, "Song", -1.5, "https://app.plex.tv/desktop/#!/server/x/details?key=101")],
        sheet="Dissenters",
    )  # fmt: skip
    return [histogram, dissenters]


USER_CONTENT = UserContent(
    {"Tracks": {100: "ask Tom"}},
    {"Albums": [OwnColumn("Shelf", {10: 3, 11: "B", 12: True})]},
    [ExtraSheet("Party", [["Song", "Votes"], ["=1+1", 3]])],
)


def write_export(path: Path) -> None:
    """The golden export."""
    export_workbook(
        path, golden_view(), meta=META, reports=golden_reports(), user_content=USER_CONTENT
    )


def write_result(path: Path) -> None:
    """The golden result of an import: one row of each kind."""
    header = ["Key", "Title", "My mood", "My rating", "Action", "Inferred", "Was", "Check"]
    rows: list[list[Any]] = [
        ["105", "None", "calm", 4.5, "", 3.75, None, "0"],
        ["101", "Song", None, "gut", "", 3.05, 4, "0"],
        ["102", "Song", None, 2, "MINE", 3.15, 2.5, "0"],
        ["100", "March 7", None, None, "", 2.75, None, "0"],
    ]
    seen = read_whole(_saved(path.with_name("edited.xlsx"), [header, *rows]))
    base: dict[str, Any] = {"sheet": "Tracks", "kind": "track", "field": "rating"}
    nan = math.nan
    outcomes = [
        RowOutcome(row=2, key=105, title="None", was=nan, yours=9.0, plex_now=nan,
                   outcome="Applied", **base),
        RowOutcome(row=3, key=101, title="Song", was=8.0, yours="gut", plex_now=8.0,
                   outcome="Error", code="E10",
                   message="'gut' is not a rating. Type a number from 0.5 to 5, or CLEAR.", **base),
        RowOutcome(row=4, key=102, title="Song", was=5.0, yours=4.0, plex_now=6.0,
                   outcome="Conflict", code="C50", message="You: 2. Plex now: 3.", **base),
    ]  # fmt: skip
    message = Message("F10", "No sheet 'Albums'; its rows stay untouched.")
    meta = replace(META, kind="result", run="57")
    result_workbook(path, seen, outcomes, meta=meta, messages=[message])


def _saved(path: Path, tracks: list[list[Any]]) -> Path:
    """The file a person saved: two sheets and a note."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in (("Tracks", tracks), ("Party", [["Song"], ["+1"]])):
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book["Tracks"].cell(5, 2).comment = Comment("who is this?", "Anna")
    book.save(path)
    return path


@dataclass(frozen=True)
class Golden:
    """A workbook with its golden parts."""

    name: str
    write: Any


GOLDEN = (Golden("export", write_export), Golden("result", write_result))


def comparable(path: Path) -> dict[str, str]:
    """A workbook's parts as text, one tag a line, texts where the cells are."""
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name).decode() for name in sorted(file.namelist())}
    texts = re.findall(r"<si>(.*?)</si>", parts["xl/sharedStrings.xml"], re.DOTALL)
    places = re.findall(r'<sheet name="([^"]*)"', parts["xl/workbook.xml"])
    skipped = {f"xl/worksheets/sheet{places.index('Help') + 1}.xml", *PERMITTED}
    return {
        name: _lines(_with_texts(text, texts))
        for name, text in parts.items()
        if name not in skipped
    }


def _with_texts(part: str, texts: list[str]) -> str:
    cell = re.compile(r't="s"><v>(\d+)</v></c>')
    return cell.sub(lambda found: f't="s">{texts[int(found.group(1))]}</c>', part)


def _lines(part: str) -> str:
    return (
        re.sub(r"(</(?:c|row|col|cfRule|comment|xf|font|fill|dxf)>|/>)", r"\1\n", part).strip()
        + "\n"
    )


def renew() -> None:
    """Write the golden files anew."""
    for golden in GOLDEN:
        target = FOLDER / golden.name
        shutil.rmtree(target, ignore_errors=True)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "made.xlsx"
            golden.write(path)
            for name, text in comparable(path).items():
                file = target / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
