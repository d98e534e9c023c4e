"""Start: what this workbook is, how to edit it, and how many edits are in it now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xlsxwriter.worksheet import Worksheet

from plexsheet.workbook.schema import styles
from plexsheet.workbook.schema.columns import ALL_SHEETS, SHEETS, SheetName
from plexsheet.workbook.schema.grid import Grid
from plexsheet.workbook.schema.meta import Meta
from plexsheet.workbook.schema.styles import Look
from plexsheet.workbook.writing.book import Book

_HEADING_HEIGHT = 27
APPLY_CELL = "B35"
SUMMARY_ROW = 37  # row of the file where the summary of a result begins
ROUNDINGS = {
    "none": "not rounded",
    "0.05": "to 0.05 star",
    "0.5": "to half stars",
    "1": "to whole stars",
}

EDITING = (
    "Edit the yellow columns only; everything else is there to read, sort and filter.",
    "Type stars, 0.5 to 5, in My rating; ACCEPT in Action makes an inferred value yours.",
    "Empty the cell (or type CLEAR) to remove a rating. Will do says what your edit will do.",
    "Save the workbook, as .xlsx or .ods.",
    "Run: plexsheet import FILE   (or drop the file into the inbox of plexsheet watch).",
    "Sort whole tables, never one column alone: Key and title of a row belong together.",
)
LEGEND: tuple[tuple[str, str, Look], ...] = (
    (
        "Manual",
        "Your own rating. Nothing but your edits ever changes it.",
        styles.SOURCE_LOOKS["Manual"],
    ),
    (
        "Inferred",
        "Written by plexsheet from your ratings; follows them.",
        styles.SOURCE_LOOKS["Inferred"],
    ),
    ("Twin", "Taken over from another copy of the same recording.", styles.SOURCE_LOOKS["Twin"]),
    ("Unrated", "No rating in Plex.", styles.SOURCE_LOOKS["Unrated"]),
    ("Applied", "Written to Plex and read back.", styles.STATUS_LOOKS["Applied"]),
    ("Held", "Waits for your word; nothing was changed.", styles.STATUS_LOOKS["Held"]),
    (
        "Error",
        "Not understood; nothing was changed. Message says what to type.",
        styles.STATUS_LOOKS["Error"],
    ),
    (
        "Conflict",
        "You and Plex differ. Type MINE or PLEX in Action.",
        styles.STATUS_LOOKS["Conflict"],
    ),
)


def add_start(
    book: Book,
    meta: Meta,
    grids: Sequence[Grid],
    *,
    subtitle: str,
    edits: Mapping[str, int] | None = None,
) -> Worksheet:
    """The first sheet, without what a result adds to it.

    Args:
        book: being made; the sheets it links to come later.
        meta: where the workbook comes from.
        grids: the data sheets, for counts.
        subtitle: a sentence below the title.
        edits: by worksheet name how many rows are edited in what is written; none in an export.
    """
    sheet = book.sheet("Start")
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, 1, 66)
    sheet.set_column(2, 2, 16)
    sheet.set_row(0, 34)
    book.write(sheet, 0, 0, f"plexsheet – {meta.library}", styles.TITLE)
    book.write(sheet, 1, 0, subtitle, styles.SUBTITLE)
    _facts(book, sheet, meta, grids)
    _counts(book, sheet, grids, edits or {})
    _heading(book, sheet, 17, "How to edit")
    for row, line in enumerate(EDITING, start=18):
        book.write(sheet, row, 0, line, styles.TEXT)
    _heading(book, sheet, 24, "What the words mean")
    for row, (word, meaning, look) in enumerate(LEGEND, start=25):
        book.write(sheet, row, 0, word, styles.TEXT | look)
        book.write(sheet, row, 1, meaning, styles.TEXT)
    sheet.set_portrait()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.activate()
    return sheet


def _heading(book: Book, sheet: Worksheet, row: int, text: str) -> None:
    sheet.set_row(row, _HEADING_HEIGHT)
    for column, part in enumerate((text, None, None)):
        book.write(sheet, row, column, part, styles.HEADING)


def _facts(book: Book, sheet: Worksheet, meta: Meta, grids: Sequence[Grid]) -> None:
    utc = _utc(meta.exported_at)
    rows = ", ".join(f"{grid.name} {grid.rows:,}" for grid in grids)
    facts = (
        ("Server", meta.server),
        ("Library", meta.library),
        ("Account", meta.account),
        ("Exported", f"{meta.exported_local} ({utc})" if meta.exported_local else utc),
        ("plexsheet version", meta.tool_version),
        ("Rating scale", meta.scale.replace("-", "–")),
        ("Rounding", f"inferred values {ROUNDINGS.get(meta.rounding, meta.rounding)}"),
        ("Rows per sheet", rows),
    )
    for row, (label, value) in enumerate(facts, start=2):
        book.write(sheet, row, 0, label, styles.LABEL)
        book.write(sheet, row, 1, value, styles.TEXT)


def _utc(epoch: int) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(epoch, UTC):%Y-%m-%d %H:%M} UTC"


def _counts(book: Book, sheet: Worksheet, grids: Sequence[Grid], edits: Mapping[str, int]) -> None:
    for column, text in enumerate(("Sheet", "What it holds", "Edited rows")):
        book.write(sheet, 11, column, text, styles.RIGHT_HEADING if column == 2 else styles.HEADING)
    sheet.set_row(11, _HEADING_HEIGHT)
    some = {"type": "cell", "criteria": ">", "value": 0, "format": book.format(styles.EDITED)}
    sheet.conditional_format(12, 2, 16, 2, some)
    shown = [name for name in ALL_SHEETS if any(grid.sheet == name for grid in grids)]
    for row, name in enumerate(shown if "Matches" in shown else SHEETS, start=12):
        parts = [grid for grid in grids if grid.sheet == name]
        if not parts:
            continue
        sheet.write_url(row, 0, f"internal:'{name}'!A1", book.format(styles.LINK), name)
        book.write(sheet, row, 1, _HOLDS[name], styles.TEXT)
        count = sum(edits.get(grid.name, 0) for grid in parts)
        if parts and all(map(_shows_edits, parts)):
            formula = "=" + "+".join(edited_rows(grid) for grid in parts)
            sheet.write_formula(row, 2, formula, book.format(styles.BIG_COUNT), count)
        elif parts:
            book.write(sheet, row, 2, count, styles.BIG_COUNT)


_HOLDS: Mapping[SheetName, str] = {
    "Artists": "One row per artist.",
    "Albums": "One row per album; the year can be corrected too.",
    "Tracks": "One row per track.",
    "Twins": "Copies of one recording on several albums, and your decisions about them.",
    "Matches": "One row per rated song of the list; decide in Action or Choice.",
    "Rate next": "What your rating would teach most about; rate here or on its own sheet.",
}


_COUNTED: Mapping[SheetName, tuple[str, ...]] = {
    "Artists": ("my_rating", "was", "action"),
    "Albums": ("my_rating", "was", "action", "year", "year_was"),
    "Tracks": ("my_rating", "was", "action"),
    "Twins": ("decision", "sub_group", "was_decision"),
    "Matches": ("my_rating", "was", "action", "choice"),
    "Rate next": ("my_rating", "was", "action"),
}


def _shows_edits(grid: Grid) -> bool:
    """Whether edits can be counted live: a sheet made of a CSV has no column of old values."""
    assert grid.sheet is not None
    return all(grid.place(name) >= 0 for name in _COUNTED[grid.sheet])


def edited_rows(grid: Grid) -> str:
    """The formula part that counts a sheet's edited rows as they are now.

    Args:
        grid: with all the columns that the count needs.
    """

    def differs(cell: str, was: str) -> str:
        return f'({place}{grid.range(cell)}&""<>{place}{grid.range(was)}&"")'

    place = f"'{grid.name}'!"
    if grid.sheet == "Twins":
        both = f'TRIM({place}{grid.range("decision")}&" "&{place}{grid.range("sub_group")})'
        return f"SUMPRODUCT(--({both}<>{place}{grid.range('was_decision')}))"
    if grid.sheet == "Matches":
        typed = [f'({place}{grid.range(name)}<>"")' for name in ("action", "choice")]
        return f"SUMPRODUCT(--({'+'.join(typed)}>0))"
    terms = [differs("my_rating", "was"), f'({place}{grid.range("action")}<>"")']
    if grid.sheet == "Albums":
        terms.append(differs("year", "year_was"))
    return f"SUMPRODUCT(--({'+'.join(terms)}>0))"
