"""The answer to an import: the person's own workbook again, with a word on every row.

Made anew rather than patched, in their order of rows and columns, with their columns,
notes and sheets.  What was applied shows the new value, what was not still shows what
they typed; so the file can be corrected, saved and imported again, and only the
corrected rows change.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
from xlsxwriter.worksheet import Worksheet

from plexsheet import ratings
from plexsheet.library import Kind, page_address
from plexsheet.messages import Message
from plexsheet.plan.model import RowOutcome
from plexsheet.workbook.reading.user_workbook import UserSheet, UserWorkbook, as_objects
from plexsheet.workbook.schema import styles
from plexsheet.workbook.schema.columns import KIND_OF_SHEET, Column, SheetName
from plexsheet.workbook.schema.finding import header_key
from plexsheet.workbook.schema.grid import Grid
from plexsheet.workbook.schema.meta import Meta
from plexsheet.workbook.writing import row_xml
from plexsheet.workbook.writing.book import Book
from plexsheet.workbook.writing.data_sheets import add_sheet, write_rows
from plexsheet.workbook.writing.help_sheet import add_help
from plexsheet.workbook.writing.result_sheet import ResultSheet
from plexsheet.workbook.writing.result_start import Summary, sheet_name
from plexsheet.workbook.writing.row_status import STATUSES, said, severity
from plexsheet.workbook.writing.start import add_start
from plexsheet.workbook.writing.writer import add_extra_sheets, replacing, sheet_lines

_LINKED_CHANGES = 5_000  # of a file's 65,530 links

CHANGES = tuple(
    Column(name, header, note, kind, width)  # type: ignore[arg-type]
    for name, header, note, kind, width in (
        ("sheet", "Sheet", "Sheet of your file.", "text", 10),
        ("row", "Row", "Row of your file.", "number", 8),
        ("key", "Key", "Plex's own number of the item.", "key", 10),
        ("item", "Item", "What the row is about.", "text", 44),
        ("field", "Field", "What was edited.", "text", 11),
        ("was", "Was", "What the workbook showed at first.", "any", 12),
        ("yours", "Yours", "What you typed.", "any", 12),
        ("plex_now", "Plex now", "What Plex held when it was compared.", "any", 12),
        ("status", "Outcome", "What became of it.", "text", 16),
        ("code", "Code", "Its place in the table of messages on Help.", "text", 8),
        (
            "message",
            "Message",
            "What happened, and what to type if something is wrong.",
            "text",
            92,
        ),
        ("time", "Time", "When.", "text", 17),
    )
)


@dataclass(frozen=True)
class StoppedSheet:
    """A sheet of which nothing was written: why, and whether its ratings are put back.

    Attributes:
        code: S01 to S03, or another sheet code.
        restore: whether My rating comes back as it was in ``base``, what was there moving
            to a column of its own.
    """

    code: str
    restore: bool = False


def result_workbook(
    path: Path,
    seen: UserWorkbook,
    outcomes: Sequence[RowOutcome],
    *,
    meta: Meta,
    messages: Sequence[Message] = (),
    stopped: Mapping[SheetName, StoppedSheet] | None = None,
    bases: Mapping[Kind, pd.DataFrame] | None = None,
    items: Mapping[Kind, pd.DataFrame] | None = None,
    albums: Mapping[int, int] | None = None,
) -> None:
    """Write the result of an import, or its preview (``meta.kind``).

    Args:
        path: where; an existing file is replaced.
        seen: all of the file that was imported.
        outcomes: what became, or would become, of rows and items.
        meta: of the result: the export id of the file, ``kind``, ``run``.
        messages: said about the file and its sheets.
        stopped: sheets of which nothing was written.
        bases: what the sheets showed, for stopped ones.
        items: columns key, title, artist, album, for a stopped sheet whose titles stand on
            other rows than their Keys.
        albums: key of each track's album, which is the page that shows the track.

    Raises:
        UsageError: the file cannot be written.
    """
    working = [ResultSheet(sheet) for sheet in seen.sheets]
    for sheet in working:
        stop = (stopped or {}).get(sheet.sheet)
        if stop is not None and stop.restore:
            if stop.code == "S01":
                sheet.reunite(_of_sheet(sheet.sheet, bases), _of_sheet(sheet.sheet, items))
            sheet.restore(_of_sheet(sheet.sheet, bases))
        sheet.enter([outcome for outcome in outcomes if _is_on(outcome, sheet.seen)])
        sheet.enter_elsewhere([one for one in outcomes if not _is_on(one, sheet.seen)])
        sheet.open_pages(albums or {})
    address = page_address(meta.server_id)
    grids = _named([replace(sheet.grid(), address=address) for sheet in working])
    with replacing(path) as target:
        made = BytesIO()
        book = Book(made, meta)
        edits = {grid.name: sheet.edited() for grid, sheet in zip(grids, working, strict=True)}
        start = add_start(book, meta, grids, subtitle=_subtitle(meta, outcomes), edits=edits)
        summary = Summary(outcomes, messages, seen.not_carried, grids)
        summary.write(book, start, preview=meta.kind == "preview")
        _sheets(book, grids, meta)
        add_changes(book, outcomes, grids, meta)
        add_help(book)
        add_extra_sheets(book, seen.extra_sheets)
        book.hidden_meta(meta, sheet_lines(grids))
        book.close()
        parts = {f"xl/worksheets/sheet{n}.xml": grid for n, grid in enumerate(grids, start=2)}
        row_xml.splice(made, target, parts)


def _of_sheet(sheet: SheetName, tables: Mapping[Kind, pd.DataFrame] | None) -> pd.DataFrame | None:
    """The table of a sheet's items, of all kinds together where it has several."""
    if tables is None:
        return None
    if sheet in KIND_OF_SHEET:
        return tables.get(KIND_OF_SHEET[sheet])
    return pd.concat(list(tables.values()), ignore_index=True) if tables else None


def _is_on(outcome: RowOutcome, sheet: UserSheet) -> bool:
    return outcome.sheet == sheet.name or (
        header_key(outcome.sheet) == header_key(sheet.name) and outcome.row > 0
    )


def _sheets(book: Book, grids: Sequence[Grid], meta: Meta) -> None:
    next_year = datetime.fromtimestamp(meta.exported_at, UTC).year + 1
    for grid in grids:
        sheet = add_sheet(book, grid, next_year=next_year, rows_later=True)
        row_xml.write_samples(book, sheet, grid)


def _named(grids: list[Grid]) -> list[Grid]:
    """Each sheet under its own name, continued ones numbered."""
    seen: Counter[str] = Counter()
    named = []
    for grid in grids:
        seen[str(grid.sheet)] += 1
        number = seen[str(grid.sheet)]
        suffix = "" if number == 1 else f" {number}"
        table = f"tbl{grid.sheet}{suffix}".replace(" ", "")
        named.append(replace(grid, name=f"{grid.sheet}{suffix}", table=table))
    return named


def _subtitle(meta: Meta, outcomes: Sequence[RowOutcome]) -> str:
    counts = Counter(said(outcome) for outcome in outcomes)
    told = ", ".join(_count(word, counts[word]) for word in STATUSES if counts[word])
    if meta.kind == "preview":
        return f"Preview, nothing was written yet: {told or 'nothing would change'}."
    return f"Result of run {meta.run}: {told or 'nothing to do'}."


def _count(word: str, number: int) -> str:
    """A status with its count, in a sentence."""
    several = "s" if word in ("Error", "Conflict") and number > 1 else ""
    told = f"{word[0].lower()}{word[1:]}"
    return f"{number:,} {told}{several}"


# Changes


def add_changes(
    book: Book, outcomes: Sequence[RowOutcome], grids: Sequence[Grid], meta: Meta
) -> Worksheet:
    """The Changes sheet: every outcome, worst first."""
    ordered = sorted(outcomes, key=lambda o: (severity(o), o.sheet, o.row))
    when = meta.exported_local or f"{datetime.fromtimestamp(meta.exported_at, UTC):%Y-%m-%d %H:%M}"
    rows = [_change(outcome, when) for outcome in ordered]
    values = [as_objects([row[i] for row in rows]) for i in range(len(CHANGES))]
    grid = Grid(None, "Changes", CHANGES, tuple(values), "tblChanges")
    sheet = add_sheet(book, grid, next_year=0)
    write_rows(book, sheet, grid)
    names = {header_key(grid.name) for grid in grids}
    link = book.format(styles.LINK | {"num_format": "0"})
    place = [column.name for column in CHANGES].index("row")
    for row, outcome in enumerate(ordered[:_LINKED_CHANGES], start=1):
        if outcome.row and header_key(outcome.sheet) in names:
            target = f"#'{sheet_name(outcome.sheet)}'!A{outcome.row}"
            formula = f'=HYPERLINK("{target}",{outcome.row})'
            sheet.write_formula(row, place, formula, link, outcome.row)
    return sheet


def _change(outcome: RowOutcome, when: str) -> tuple[Any, ...]:
    return (
        outcome.sheet,
        outcome.row or None,
        str(outcome.key) if outcome.key else "",
        outcome.title,
        FIELD_WORDS.get(outcome.field, outcome.field),
        _shown(outcome.was),
        _shown(outcome.yours),
        _shown(outcome.plex_now),
        said(outcome),
        outcome.code,
        outcome.message,
        when,
    )


FIELD_WORDS = {
    "rating": "My rating",
    "released": "Year",
    "exclude": "Action",
    "twin": "Decision",
    "tags": "Tags",
}


def _shown(value: float | str) -> Any:
    """A value as the sheets show it: ratings in stars, texts as they are."""
    if isinstance(value, str):
        return value
    return None if value is None or math.isnan(value) else ratings.to_stars(value)
