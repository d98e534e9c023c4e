"""A real LibreOffice to open, edit, sort and save workbooks with, as a person would.

    from tests.libreoffice import open_document

    @pytest.mark.libreoffice
    def test_...(tmp_path):
        with open_document(path) as doc:
            doc.set("Tracks", "I2", 4.5)
            doc.sort("Tracks", "Plays", descending=True)
            doc.store()

One LibreOffice per test process, started at first use with a profile of its own and
ended with the process.  Its own interpreter (``libreoffice_driver.py``) speaks UNO;
this side only sends verbs.
"""

from __future__ import annotations

import atexit
import json
import select
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

DRIVER = Path(__file__).with_name("libreoffice_driver.py")
INTERPRETER = "/usr/bin/python3"
PATIENCE_S = 240
Cell = float | str | bool | None | Mapping[str, str]  # {"formula": "=A1"}; None empties the cell


class LibreOffice:
    """One running program."""

    def __init__(self, *, window: bool = False) -> None:
        self.profile = tempfile.mkdtemp(prefix="plexsheet-office-")
        shown = ["window"] if window else []
        self.driver = subprocess.Popen(
            [INTERPRETER, str(DRIVER), self.profile, f"plexsheet-{uuid.uuid4().hex}", *shown],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def ask(self, verb: str, *args: Any) -> Any:
        assert self.driver.stdin is not None
        self.driver.stdin.write(json.dumps({"verb": verb, "args": args}) + "\n")
        self.driver.stdin.flush()
        return self._answer(verb)

    def _answer(self, verb: str = "start") -> Any:
        assert self.driver.stdout is not None
        ready, _, _ = select.select([self.driver.stdout], [], [], PATIENCE_S)
        line = self.driver.stdout.readline() if ready else ""
        if not line:
            raise RuntimeError(f"LibreOffice did not answer to {verb}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"LibreOffice, {verb}: {answer['error']}")
        return answer["answer"]

    def open(self, path: Path) -> Document:
        return Document(self, self.ask("open", str(path)))

    def end(self) -> None:
        if self.driver.stdin and self.driver.stdout:
            self.driver.stdin.close()
            try:
                self.driver.wait(30)
            except subprocess.TimeoutExpired:
                self.driver.kill()
                self.driver.wait()
            self.driver.stdout.close()
        shutil.rmtree(self.profile, ignore_errors=True)


class Document:
    """One open workbook; rows and addresses count as in the program, from 1 and A1."""

    def __init__(self, office: LibreOffice, number: int) -> None:
        self.office = office
        self.number = number

    def _ask(self, verb: str, *args: Any) -> Any:
        return self.office.ask(verb, self.number, *args)

    def close(self) -> None:
        self._ask("close")

    def store(self) -> None:
        """Save in place, in the format it has."""
        self._ask("store")

    def store_as(self, path: Path) -> None:
        """Save as: the format by suffix (.xlsx, .xls, .ods, .csv); goes on with the new file."""
        self._ask("store_as", str(path))

    def store_to(self, path: Path) -> None:
        """Save a copy: formats as above and .pdf."""
        self._ask("store_to", str(path))

    def recalculate(self) -> None:
        self._ask("recalculate")

    def sheets(self) -> list[dict[str, Any]]:
        """``name``, ``visible``, ``protected`` of each sheet."""
        return list(self._ask("sheets"))

    def add_sheet(self, name: str, rows: Sequence[Sequence[Cell]]) -> None:
        self._ask("add_sheet", name, rows)

    def copy_sheet(self, name: str, to: str) -> None:
        self._ask("copy_sheet", name, to)

    def delete_sheet(self, name: str) -> None:
        self._ask("delete_sheet", name)

    def add_row(self, sheet: str, values: Sequence[Cell]) -> None:
        """A row below the last one."""
        self._ask("add_row", sheet, values)

    def rename_sheet(self, name: str, to: str) -> None:
        self._ask("rename_sheet", name, to)

    def values(self, sheet: str, cells: str = "") -> list[list[Any]]:
        """Numbers and texts (``""`` blank) of a range such as ``A1:C9``, or of all in use."""
        return list(self._ask("values", sheet, cells))

    def formulas(self, sheet: str, cells: str = "") -> list[list[str]]:
        return list(self._ask("formulas", sheet, cells))

    def cell(self, sheet: str, address: str) -> dict[str, Any]:
        """``type``, ``value``, ``string`` (shown), ``formula``, ``error``, ``format``, colours."""
        return dict(self._ask("cell", sheet, address))

    def set(self, sheet: str, address: str, value: Cell) -> None:
        self._ask("set", sheet, address, value)

    def set_by_key(
        self, sheet: str, key: int | str, header: str, value: Cell, *, key_header: str = "Key"
    ) -> None:
        """Set a cell of the row with a Key, in the column with a header."""
        self._ask("set_by_key", sheet, str(key), header, value, key_header)

    def type_in(self, sheet: str, address: str, text: str) -> None:
        """As typed by a person: the program decides whether it is a number, a date or text."""
        self._ask("type_in", sheet, address, text)

    def sort(
        self, sheet: str, header: str, *, descending: bool = False, alone: bool = False
    ) -> None:
        """Sort the whole table by a column; ``alone``: that column only, the accident."""
        self._ask("sort", sheet, header, descending, alone)

    def filter(self, sheet: str, header: str, text: str) -> int:
        """Filter the table; how many rows are hidden then."""
        return int(self._ask("filter", sheet, header, text))

    def hide_rows(self, sheet: str, first: int, last: int) -> None:
        self._ask("hide_rows", sheet, first, last)

    def rename_header(self, sheet: str, header: str, to: str) -> None:
        self._ask("rename_header", sheet, header, to)

    def move_column(self, sheet: str, header: str, *, before: str) -> None:
        self._ask("move_column", sheet, header, before)

    def insert_column(
        self, sheet: str, header: str, values: Sequence[Cell] = (), *, before: str = ""
    ) -> None:
        """A column of the person's own; at the end without ``before``."""
        self._ask("insert_column", sheet, before, header, values)

    def delete_column(self, sheet: str, header: str) -> None:
        self._ask("delete_column", sheet, header)

    def insert_rows(self, sheet: str, before: int, count: int = 1) -> None:
        self._ask("insert_rows", sheet, before, count)

    def delete_rows(self, sheet: str, first: int, count: int = 1) -> None:
        self._ask("delete_rows", sheet, first, count)

    def delete_cell_up(self, sheet: str, address: str) -> None:
        """Delete one cell, the cells below moving up: the other accident."""
        self._ask("delete_cell_up", sheet, address)

    def freeze(self, sheet: str) -> list[int]:
        """Frozen columns and rows."""
        return list(self._ask("freeze", sheet))

    def columns(self, sheet: str) -> list[dict[str, Any]]:
        """``header``, ``width_mm``, ``visible`` of each column of the table."""
        return list(self._ask("columns", sheet))

    def validation(self, sheet: str, address: str) -> dict[str, Any]:
        return dict(self._ask("validation", sheet, address))

    def conditional_formats(self, sheet: str) -> list[dict[str, Any]]:
        return list(self._ask("conditional_formats", sheet))

    def notes(self, sheet: str) -> list[dict[str, Any]]:
        """``column``, ``row`` (from 0) and ``text`` of each note."""
        return list(self._ask("notes", sheet))

    def charts(self, sheet: str) -> list[dict[str, Any]]:
        return list(self._ask("charts", sheet))

    def tables(self) -> list[dict[str, Any]]:
        return list(self._ask("tables"))

    def properties(self) -> dict[str, str]:
        """Custom document properties."""
        return dict(self._ask("properties"))

    def page(self, sheet: str) -> dict[str, Any]:
        return dict(self._ask("page", sheet))

    def picture(self, sheet: str, cells: str, pdf: Path) -> None:
        """A range of cells, with colours and charts, as a PDF of one page of its size."""
        self._ask("picture", sheet, cells, str(pdf))

    def show(self, sheet: str, width: int, height: int) -> None:
        """Bring a sheet to the front of a window of this size, at 100 %."""
        self._ask("show", sheet, width, height)

    def errors(self, sheet: str) -> list[str]:
        """Where formulas give an error."""
        return list(self._ask("errors", sheet))


@cache
def office() -> LibreOffice:
    """The LibreOffice of this test process; the test is skipped where there is none."""
    if shutil.which("soffice") is None:
        pytest.skip("LibreOffice is not installed")
    running = LibreOffice()
    atexit.register(running.end)
    return running


@contextmanager
def open_document(path: Path) -> Iterator[Document]:
    """Open a workbook, close it at the end without saving."""
    document = office().open(path)
    try:
        yield document
    finally:
        document.close()


def convert(source: Path, target: Path) -> Path:
    """Open a file and save it as another: .xlsx, .ods, .xls, .csv or .pdf by suffix."""
    with open_document(source) as document:
        document.store_to(target)
    return target


def pictures(pdf: Path, folder: Path, *, dpi: int = 80) -> list[Path]:
    """The pages of a PDF as PNG files."""
    subprocess.run(
        ["pdftoppm", "-png", "-r", str(dpi), str(pdf), str(folder / pdf.stem)], check=True
    )
    return sorted(folder.glob(f"{pdf.stem}-*.png"))
