"""A library and its inference into a workbook.

    export_workbook(path, view, meta=meta)

The sheets: Start, Artists, Albums, Tracks, Twins, Reports, Dissenters, Rate next, Help,
and a hidden _meta.  Rows of the table sheets are written past XlsxWriter (``row_xml``), which
would take twice as long.  The file appears under its name only when it is whole.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from xlsxwriter.exceptions import XlsxWriterException

from plexsheet import files
from plexsheet.errors import UsageError
from plexsheet.library import page_address
from plexsheet.workbook.reading.user_content import (
    ExtraSheet,
    UserContent,
    free_sheet_name,
    own_columns,
    reserved_names,
    with_comments,
    with_notes,
)
from plexsheet.workbook.schema.check import normal_text
from plexsheet.workbook.schema.columns import SHEET_ROWS, Column, SheetName
from plexsheet.workbook.schema.finding import chosen, exported, header_key
from plexsheet.workbook.schema.grid import LINK_BUDGET, Grid, Link, grids, is_number_column
from plexsheet.workbook.schema.meta import Meta
from plexsheet.workbook.writing import row_xml
from plexsheet.workbook.writing.book import Book, write_value
from plexsheet.workbook.writing.data_sheets import add_sheet
from plexsheet.workbook.writing.help_sheet import add_help
from plexsheet.workbook.writing.rate_next import rate_next_values
from plexsheet.workbook.writing.report_sheets import ReportTable, add_reports
from plexsheet.workbook.writing.sheet_data import Values, View, sheet_tables
from plexsheet.workbook.writing.start import add_start

_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]')
SUBTITLE = "Your ratings, and what plexsheet expects where there are none."


def file_name(library: str, at: datetime) -> str:
    """Name of an export's file.

    >>> file_name("Rock / Pop", datetime(2026, 11, 22, 11, 31))
    'plexsheet Rock Pop 2026-11-22 1131.xlsx'
    """
    plain = normal_text(_NOT_IN_NAMES.sub(" ", library))[:80].strip(" .") or "Music"
    return f"plexsheet {plain} {at:%Y-%m-%d %H%M}.xlsx"


def export_workbook(
    path: Path,
    view: View,
    *,
    meta: Meta,
    reports: Sequence[ReportTable] = (),
    user_content: UserContent | None = None,
    sheet_rows: int = SHEET_ROWS,
    headers: Mapping[SheetName, Collection[str]] | None = None,
) -> dict[str, int]:
    """Write the workbook of a library; returns the rows of each sheet.

    Args:
        path: where; an existing file is replaced (the caller asks first).
        view: library, inference and ownership.
        meta: what the workbook says of itself.
        reports: for the sheet Reports, and lists for sheets of their own.
        user_content: notes, own columns and own sheets of an older workbook.
        sheet_rows: rows of one sheet before it is continued on another.
        headers: by sheet, columns to show; all of a sheet that is not named.

    Raises:
        UsageError: the folder cannot be written to, or the disk is full; nothing is left
            under the file's name.
    """
    _give_back_memory()
    user_content = user_content or UserContent()
    tables = data_tables(view, reports)
    laid_out = lay_out(tables, meta, user_content, sheet_rows=sheet_rows, headers=headers)
    with replacing(path) as target:
        write_book(target, laid_out, meta, reports=reports, extra_sheets=user_content.extra_sheets)
    return {sheet: len(values["key"]) for sheet, values in tables.items()}


def data_tables(view: View, reports: Sequence[ReportTable]) -> dict[SheetName, Values]:
    """What the data sheets show, Rate next among them where it is one of the reports."""
    tables = sheet_tables(view)
    rate_next = next((report for report in reports if report.name == "rate-next"), None)
    if rate_next is not None:
        columns = [column.header for column in rate_next.layout]
        tables["Rate next"] = rate_next_values(tables, columns, rate_next.rows)
    return tables


def lay_out(
    tables: Mapping[SheetName, Values],
    meta: Meta,
    user_content: UserContent,
    *,
    sheet_rows: int = SHEET_ROWS,
    headers: Mapping[SheetName, Collection[str]] | None = None,
) -> list[Grid]:
    """The data sheets of an export; arguments as of ``export_workbook``."""
    headers = headers or {}
    address = page_address(meta.server_id)
    return with_links(
        [
            grid
            for sheet, values in tables.items()
            for grid in _with_user_content(
                sheet,
                values,
                user_content,
                chosen(sheet, headers[sheet]) if sheet in headers else exported(sheet),
                limit=sheet_rows,
                address=address,
            )
        ]
    )


def _give_back_memory() -> None:
    """Return to the system what inference no longer uses: glibc keeps it, Python needs it."""
    with suppress(AttributeError, OSError, TypeError):  # other systems give it back by themselves
        ctypes.CDLL(None).malloc_trim(0)


def _with_user_content(
    sheet: SheetName,
    values: Values,
    user_content: UserContent,
    shown: Sequence[Column],
    *,
    limit: int,
    address: str,
) -> Iterator[Grid]:
    """The grids of a sheet with the notes and own columns taken over, before its Key."""
    columns = list(shown)
    values["note"] = with_notes(user_content, sheet, values["key"])
    before_key = next(i for i, column in enumerate(columns) if column.name == "key")
    for column, own in reversed(own_columns(user_content, sheet, values["key"], exported(sheet))):
        columns.insert(before_key, column)
        values[column.name] = own
    laid_out = grids(sheet, values, columns, limit, address=address)
    return (with_comments(user_content, grid) for grid in laid_out)


def write_book(
    target: IO[bytes],
    laid_out: Sequence[Grid],
    meta: Meta,
    *,
    reports: Sequence[ReportTable] = (),
    extra_sheets: Sequence[ExtraSheet] = (),
) -> None:
    """Write a whole book of data sheets and what goes round them."""
    made = BytesIO()
    book = Book(made, meta)
    next_year = datetime.fromtimestamp(meta.exported_at, UTC).year + 1
    add_start(book, meta, laid_out, subtitle=SUBTITLE)
    for grid in laid_out:
        sheet = add_sheet(book, grid, next_year=next_year, rows_later=True)
        row_xml.write_samples(book, sheet, grid)
    add_reports(book, reports)
    add_help(book)
    add_extra_sheets(book, extra_sheets)
    book.hidden_meta(meta, sheet_lines(laid_out))
    book.close()
    parts = {f"xl/worksheets/sheet{n}.xml": grid for n, grid in enumerate(laid_out, start=2)}
    row_xml.splice(made, target, parts)


def add_extra_sheets(book: Book, sheets: Sequence[ExtraSheet]) -> None:
    """The person's own sheets, by value."""
    taken = {header_key(sheet.get_name()) for sheet in book.file.worksheets()} | reserved_names()
    for extra in sheets:
        sheet = book.sheet(free_sheet_name(extra.name, taken))
        for row, values in enumerate(extra.rows):
            for column, value in enumerate(values):
                if value is not None and value != "":
                    write_value(sheet, row, column, value, None)


def sheet_lines(laid_out: Sequence[Grid]) -> list[tuple[str, str]]:
    """What _meta says of each sheet: rows, a digest of Key and Check, the headers."""
    lines = []
    for grid in laid_out:
        content = "\n".join(
            " ".join(str(text or "") for text in pair)  # rows of the person's own have no Key
            for pair in zip(
                *(grid.values[grid.place(name)].tolist() for name in ("key", "check")), strict=True
            )
        )
        lines += [
            (f"rows {grid.name}", str(grid.rows)),
            (f"digest {grid.name}", blake2b(content.encode(), digest_size=10).hexdigest()),
            (f"columns {grid.name}", " | ".join(column.header for column in grid.columns)),
        ]
    return lines


# Links


def with_links(laid_out: Sequence[Grid]) -> list[Grid]:
    """The grids with links to one another: artist to albums to tracks, track to twins.

    Left out where a sheet is continued on another, and where looking up all of them
    would take a program long to calculate.
    """
    by_name = {grid.name: grid for grid in laid_out}
    return [replace(grid, links=_links(grid, by_name)) for grid in laid_out]


_LINKED: Mapping[SheetName, tuple[tuple[str, str, SheetName, str], ...]] = {
    # column that links, column looked up, sheet, its column
    "Artists": (("albums", "title", "Albums", "artist"),),
    "Albums": (("tracks", "title", "Tracks", "album"),),
    "Tracks": (("twin_group", "twin_group", "Twins", "group"),),
}


def _links(grid: Grid, others: Mapping[str, Grid]) -> dict[str, Link]:
    links = {}
    for column, by, sheet, there in _LINKED.get(grid.sheet or "Twins", ()):
        target = others.get(sheet)
        if target is None or f"{sheet} 2" in others or grid.name != grid.sheet:
            continue
        if min(grid.place(column), grid.place(by), target.place(there)) < 0:
            continue  # of columns that were not chosen
        sure = _sure(grid, column, by)
        if sure.sum() * target.rows <= LINK_BUDGET:
            links[column] = Link(by, sheet, target.letter(there), target.rows, sure)
    return links


def _sure(grid: Grid, column: str, by: str) -> NDArray[np.bool_]:
    """Where a lookup finds the right rows: no title shared, none that MATCH would misread."""
    counts, looked_up = grid.values[grid.place(column)], grid.values[grid.place(by)]
    there = np.nan_to_num(counts) > 0
    if is_number_column(looked_up):
        return there
    titles = [str(title).casefold() for title in looked_up.tolist()]
    seen = Counter(titles)
    plain = [seen[title] == 1 and len(title) < 256 and not _WILD(title) for title in titles]
    return np.asarray(there & np.array(plain, dtype=bool))


_WILD = re.compile(r"[*?~]|^\W").search


# The file


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes ``path``'s place when the block ends well, and else leaves no trace.

    Raises:
        UsageError: it cannot be written, said in one sentence.
    """
    try:
        with files.replacing(path) as file:
            yield file
    except PermissionError as error:
        if error.filename2 is None:  # not the replacing itself: the folder is not ours
            raise _unwritable(path, error) from error
        raise UsageError(
            f"“{path}” cannot be replaced: it is open in another program, or protected. It is "
            "as it was. Close it there, then try again, or give another name.",
            code="unwritable",
        ) from error
    except (OSError, XlsxWriterException) as error:
        raise _unwritable(path, error) from error


def made_folder(folder: Path) -> Path:
    """A folder in which files can be made, itself made where it is missing.

    Raises:
        UsageError: it cannot be made, or nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    check_place(folder / "a workbook")
    return folder


def check_place(path: Path) -> None:
    """Be sure that a file can be made beside ``path``, before much work is done for it.

    Raises:
        UsageError: it cannot.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=".plexsheet-", suffix=".tmp", dir=path.parent)
        os.close(handle)
        Path(name).unlink()
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: Exception) -> UsageError:
    number = getattr(error, "errno", None)
    why = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "your share of the disk is used up",
        errno.ENOENT: "its folder does not exist",
        errno.ENOTDIR: "its folder does not exist",
        errno.EACCES: "you may not write in that folder",
        errno.EPERM: "you may not write in that folder",
        errno.EROFS: "that folder is read-only",
        errno.EISDIR: "there is a folder of that name",
        errno.ENAMETOOLONG: "its name is too long",
    }.get(number or 0, getattr(error, "strerror", None) or type(error).__name__)
    if number == errno.ENOENT and path.parent.is_dir():
        long = os.name == "nt"  # beyond 260 characters
        why = "its path is too long" if long else "no file can be made in that folder"
    return UsageError(
        f"“{path}” cannot be written: {why}. No file was left behind. "
        "Make room or choose another place, then try again.",
        code="unwritable",
    )
