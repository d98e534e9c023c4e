"""Driving plexsheet as a person does: commands in, exit code and words out; cells of a workbook."""

from __future__ import annotations

import contextlib
import io
import json
import re
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
from python_calamine import CalamineWorkbook

from plexsheet.cli import run
from tests.beginnings import Beginning
from tests.typing_in import typed_into_xml


@dataclass(frozen=True)
class Result:
    """What a command returned."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        """Everything said, both streams."""
        return self.stdout + self.stderr

    @property
    def words(self) -> str:
        """Everything said, as one line however wide the terminal was."""
        return " ".join(self.output.split())

    @property
    def json(self) -> Any:
        """The one object that ``--json`` prints."""
        return json.loads(self.stdout)


def plexsheet(*words: object) -> Result:
    """Run a command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([str(word) for word in words])
    return Result(code, out.getvalue(), err.getvalue())


IDS = re.compile(r"GET /library/metadata/([0-9,]+)")
EDITED = re.compile(r"PUT /library/sections/1/all\?.*\bid=([0-9,%C]+)")


def requests_of(plex: Any) -> int:
    """How many a server got; what was read again only because time went by does not count.

    What is about to be written is looked at again every second, on a busy machine often.
    """
    count, waiting = 0, set()
    for line in plex.log:
        read, edited = IDS.match(line), EDITED.match(line)
        keys = set(read[1].split(",")) if read else set()
        count += not (keys and keys <= waiting)
        waiting |= keys
        if edited:
            waiting -= set(edited[1].replace("%2C", ",").split(","))
    return count


class Tool:
    """plexsheet with one config.json, against one server.

    Calling it runs a command in this process; ``spawn`` starts a real one.
    """

    def __init__(self, folder: Path, plex: Any, **settings: Any) -> None:
        self.folder = folder
        self.plex = plex
        self.config = folder / "config.json"
        self.state = folder / "plexsheet.db"
        self.workbook = folder / "music.xlsx"
        values = {
            "PLEX_URL": plex.url,
            "PLEX_TOKEN": plex.token,
            "LIBRARY_NAME": "Music",
            "MODEL": "learned",
            "COOLDOWN_SLEEP": 0,
        }
        self.config.write_text(json.dumps(values | settings), encoding="utf-8")
        self.config.chmod(0o600)
        self.beginning = Beginning(self)

    def __call__(self, *arguments: object) -> Result:
        return plexsheet("--config", self.config, *arguments)

    def export(self) -> Path:
        """Export to ``self.workbook``, and insist that it went well; see `beginnings`."""
        result = self.beginning.step("export", self.workbook, "--force", "--json")
        assert result.exit_code == 0, result.output
        return self.workbook

    def infer(self) -> Any:
        """Infer and write, and insist that it went well; see `beginnings`.  What it said."""
        result = self.beginning.step("infer", "--yes", "--json")
        assert result.exit_code == 0, result.output
        return result.json

    def importing(self, *options: object) -> Result:
        """Import ``self.workbook`` with ``--yes --json``."""
        return self("import", self.workbook, "--yes", "--json", *options)

    def spawn(self, *arguments: object, **options: Any) -> subprocess.Popen[str]:
        """Start a command as a process of its own."""
        command = [sys.executable, "-m", "plexsheet", "--config", str(self.config)]
        return subprocess.Popen(
            [*command, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )


def set_cells(path: Path, cells: list[tuple[str, str, str, Any]]) -> None:
    """Set cells of a workbook as somebody who types does; all else in the file stays as it is.

    What XML has no plain word for, dates and formulas, is left to openpyxl, which writes the
    whole file anew and takes a second for it.

    Args:
        path: the workbook.
        cells: sheet, key, column header, value.
    """
    plain = all(
        isinstance(value, str | int | float | None) and not str(value).startswith("=")
        for *_, value in cells
    )
    if not (plain and typed_into_xml(path, cells)):
        set_with_openpyxl(path, cells)


def set_with_openpyxl(path: Path, cells: list[tuple[str, str, str, Any]]) -> None:
    """The same by a program that writes the whole file anew."""
    with warnings.catch_warnings(action="ignore"):  # openpyxl drops data bars, and says so
        book = openpyxl.load_workbook(path)
    for sheet_name, key, column, value in cells:
        sheet = book[sheet_name]
        headers = {str(cell.value): cell.column for cell in sheet[1]}
        rows = {
            str(sheet.cell(row, headers["Key"]).value): row for row in range(2, sheet.max_row + 1)
        }
        sheet.cell(rows[str(key)], headers[column]).value = value
    book.save(path)
    book.close()


def rows_of_sheet(path: Path, sheet: str) -> list[dict[str, Any]]:
    """All rows of a sheet as dictionaries by header."""
    rows = CalamineWorkbook.from_path(path).get_sheet_by_name(sheet).to_python()
    return [dict(zip(rows[0], row, strict=False)) for row in rows[1:]]
