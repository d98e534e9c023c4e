"""Spreadsheet programs and what people do in them, tried one by one.

For each program a job makes a file: an edit, and one operation beside it.  What the
reader and the validator make of the file is the outcome, a word of ``WORDS``; the table
of all of them is ``docs/programs.json``, from which docs/workbook.md is printed.

``python -m tests.programs`` runs everything and writes the table anew.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from plexsheet.workbook.edits.validate import Validated, validate
from plexsheet.workbook.reading.reader import read
from plexsheet.workbook.schema.finding import exported
from plexsheet.workbook.schema.letters import letters_of
from plexsheet.workbook.writing.sheet_data import bases
from tests.libreoffice import open_document
from tests.sample_library import export, reports_of, small_view

HERE = Path(__file__).parent
TABLE = HERE.parents[1] / "docs" / "programs.json"
Step = list[Any]
NUMBER = 1  # of the row after the header whose rating is edited

ALIKE = "as edited"
WORDS = {
    ALIKE: "the edits are read, and nothing else",
    "copy left alone": "the copy is not read, and it is said",
    "emptied cell left": "this format does not tell an empty cell from an error, so the rating "
    "stays, and it is said",
    "row refused": "a row without a Key is refused; the other edits are read",
}


@dataclass(frozen=True)
class Operation:
    """Something a person does.

    Attributes:
        name: as in the table.
        steps: verbs of the programs and what they take.
        suffix: of the file it is saved as.
        expects: key of ``WORDS``.
    """

    name: str
    steps: tuple[Step, ...] = ()
    suffix: str = ".xlsx"
    expects: str = ALIKE


def address(sheet: Any, header: str, row: int) -> str:
    """Where a column's cell stands in an export."""
    place = [column.header for column in exported(sheet)].index(header)
    return f"{letters_of(place)}{row}"


@dataclass(frozen=True)
class Sample:
    """An export, and rows of it to work on."""

    path: Path
    rated: int  # rows of Tracks as the program counts
    unrated: int
    spare: int
    album: str

    def at(self, header: str, row: int) -> str:
        return address("Tracks", header, row)

    def operations(self) -> tuple[Operation, ...]:
        rating = partial_set("Tracks", self.at("My rating", self.unrated), 4.5)
        cleared = partial_set("Tracks", self.at("My rating", self.rated), None)
        accepted = partial_set("Tracks", self.at("Action", self.spare), "ACCEPT")
        new = [None] * len(exported("Tracks"))
        headers = [column.header for column in exported("Tracks")]
        new[headers.index("Title")], new[headers.index("My rating")] = "A new song", 5
        delete = ["delete_row", "Tracks", 300]
        return (
            Operation("rate", (rating,)),
            Operation("empty a rating", (cleared,)),
            Operation("accept", (accepted,)),
            Operation("sort a whole sheet", (rating, ["sort", "Tracks", "Plays"])),
            Operation("filter", (rating, ["filter", "Tracks", "Album", self.album])),
            Operation("delete rows", (rating, delete)),
            Operation("add rows", (rating, ["add_row", "Tracks", new]), expects="row refused"),
            Operation(
                "copy a sheet",
                (rating, ["copy_sheet", "Tracks", "Tracks (2)"]),
                expects="copy left alone",
            ),
            Operation("delete the hidden sheet", (rating, ["delete_sheet", "_meta"])),
            *(
                Operation(f"save as {suffix}", (rating, cleared, accepted), suffix)
                for suffix in (".ods", ".fods", ".xlsb")
            ),
            Operation("save as .xls", (rating, cleared, accepted), ".xls", "emptied cell left"),
        )


def partial_set(sheet: str, cell: str, value: Any) -> Step:
    return ["set", sheet, cell, value]


@cache
def sample() -> Sample:
    """The export that all programs get."""
    view = small_view()
    path = Path(tempfile.mkdtemp(prefix="plexsheet-programs-")) / "music.xlsx"
    export(path, view, reports=reports_of(view))
    sheet = read(path).sheets["Tracks"]
    rated = [row for row in range(len(sheet)) if sheet.text("My rating", row)]
    unrated = [row for row in range(len(sheet)) if not sheet.text("My rating", row)]
    album = sheet.text("Album", unrated[NUMBER])
    return Sample(path, rated[0] + 2, unrated[NUMBER] + 2, unrated[NUMBER + 1] + 2, album)


def judged(path: Path) -> tuple[Validated, tuple[str, ...]]:
    """What is made of a file: its edits, and the codes of what is said of it."""
    raw = read(path)
    result = validate(raw, bases(small_view()), next_year=2027)
    assert not raw.stopped, raw.stopped
    assert not result.stopped, result.stopped
    return result, tuple(message.code for message in (*raw.messages, *result.messages))


def outcome(operation: Operation, path: Path) -> str:
    """The word for what becomes of a file; a sentence where it is none of ``WORDS``."""
    result, codes = judged(path)
    edits = {_said(edit.wanted, edit.action) for edit in result.edits}
    expected = {_wish(step[3]) for step in operation.steps if step[0] == "set"}
    if "W23" in codes:
        expected.discard(_wish(None))
    if edits != expected:
        return f"read {sorted(edits)} instead of {sorted(expected)}"
    if "E01" in codes:
        return "row refused"
    if "W23" in codes:
        return "emptied cell left"
    return "copy left alone" if "F10" in codes and operation.steps[-1][0] == "copy_sheet" else ALIKE


def _said(wanted: float, action: str) -> str:
    return f"{wanted} {action}"


def _wish(value: Any) -> str:
    if isinstance(value, str):
        return _said(float("nan"), value)
    return _said(float("nan") if value is None else 2.0 * value, "")


@dataclass(frozen=True)
class Program:
    """A spreadsheet program: its name, whether it is here, and how it does a job.

    Attributes:
        verbs: what can be steered from outside.
        suffixes: what it saves.
        run: jobs into files.
    """

    name: str
    there: Callable[[], bool]
    run: Callable[[Sequence[Mapping[str, Any]]], None]
    suffixes: tuple[str, ...]
    verbs: frozenset[str] = field(
        default=frozenset(
            {"set", "sort", "filter", "delete_row", "add_row", "copy_sheet", "delete_sheet"}
        )
    )

    def can(self, operation: Operation) -> bool:
        """Whether it does this, steered from outside."""
        verbs = {step[0] for step in operation.steps}
        return verbs <= self.verbs and operation.suffix in self.suffixes

    def outcomes(self, folder: Path) -> dict[str, str]:
        """The outcome of each operation."""
        doable = [one for one in sample().operations() if self.can(one)]
        jobs = [
            {
                "source": str(sample().path),
                "target": str(folder / f"{number}{one.suffix}"),
                "steps": one.steps,
            }
            for number, one in enumerate(doable)
        ]
        self.run(jobs)
        return {
            one.name: outcome(one, Path(str(job["target"])))
            for one, job in zip(doable, jobs, strict=True)
        }


def _in_libreoffice(jobs: Sequence[Mapping[str, Any]]) -> None:
    for job in jobs:
        with open_document(Path(job["source"])) as document:
            for verb, *words in job["steps"]:
                if verb == "sort":
                    document.sort(*words, descending=True)
                elif verb == "delete_row":
                    document.delete_rows(*words)
                else:
                    getattr(document, verb)(*words)
            document.store_to(Path(job["target"]))


def _by_node(script: str) -> Callable[[Sequence[Mapping[str, Any]]], None]:
    def run(jobs: Sequence[Mapping[str, Any]]) -> None:
        subprocess.run(
            ["node", str(HERE / script)],
            input=json.dumps(jobs),
            text=True,
            check=True,
            timeout=300,
            env=os.environ | {"NODE_PATH": str(HERE / "node_modules")},
        )

    return run


def _has_package(name: str) -> Callable[[], bool]:
    return lambda: bool(shutil.which("node")) and (HERE / "node_modules" / name).is_dir()


def _in_gnumeric(jobs: Sequence[Mapping[str, Any]]) -> None:
    """Gnumeric cannot be made to type on a sheet, so it opens what was typed and saves it."""
    formats = {".xlsx": "Gnumeric_Excel:xlsx2", ".ods": "Gnumeric_OpenCalc:odf"}
    for job in jobs:
        target = Path(job["target"])
        typed = target.with_name(f"{target.stem} typed.xlsx")
        with warnings.catch_warnings(action="ignore"):  # openpyxl says what it drops
            book = openpyxl.load_workbook(job["source"])
        for _, sheet, cell, value in job["steps"]:
            book[sheet][cell].value = value
        book.save(typed)
        kind = formats.get(target.suffix, "Gnumeric_Excel:excel_biff8")
        command = ["ssconvert", "-T", kind, str(typed), str(target)]
        subprocess.run(command, check=True, timeout=300, capture_output=True)


PROGRAMS = (
    Program(
        "LibreOffice",
        lambda: bool(shutil.which("soffice")),
        _in_libreoffice,
        (".xlsx", ".ods", ".fods", ".xls"),
    ),
    Program(
        "Gnumeric",
        lambda: bool(shutil.which("ssconvert")),
        _in_gnumeric,
        (".xlsx", ".ods", ".xls"),
        frozenset({"set"}),
    ),
    Program(
        "SheetJS",
        _has_package("xlsx"),
        _by_node("sheetjs.cjs"),
        (".xlsx", ".ods", ".fods", ".xlsb", ".xls"),
    ),
    Program("ExcelJS", _has_package("exceljs"), _by_node("exceljs.cjs"), (".xlsx",)),
)


def needs(program: Program) -> None:
    """Skip the test where the program is not here, with a sentence."""
    if not program.there():
        pytest.skip(f"{program.name} is not installed; `make programs` installs it")


def recorded() -> dict[str, dict[str, str]]:
    """The table as it is kept: by program, the outcome of each operation."""
    return dict(json.loads(TABLE.read_text(encoding="utf-8")))


def measured(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The table as it is, of the programs that are here."""
    for program in PROGRAMS:
        if program.there():
            place = folder / program.name
            place.mkdir()
            yield program.name, program.outcomes(place)
