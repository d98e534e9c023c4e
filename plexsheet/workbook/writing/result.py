"""The answer to an import: the person's own workbook again, with a word on every row.

Made anew rather than patched, in their order of rows and columns, with their columns,
notes and sheets.  What was applied shows the new value, what was not still shows what
they typed; so the file can be corrected, saved and imported again, and only the
corrected rows change.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from xlsxwriter.worksheet import Worksheet

from plexsheet import ratings
from plexsheet.library import Kind, page_address
from plexsheet.messages import CODES, Message
from plexsheet.plan.model import RowOutcome
from plexsheet.ratings import stars_array
from plexsheet.workbook.reading.user_content import free_header, own_column
from plexsheet.workbook.reading.user_workbook import SeenBook, SeenSheet, as_objects, key_of
from plexsheet.workbook.schema import formulas, styles
from plexsheet.workbook.schema.check import check_of_text, check_texts
from plexsheet.workbook.schema.columns import (
    ALL_SHEETS,
    KIND_OF_SHEET,
    Column,
    SheetName,
    column_of,
    header_key,
    sheet_of,
)
from plexsheet.workbook.schema.grid import FIRST_ROW, Array, Grid, is_blank
from plexsheet.workbook.schema.meta import Meta
from plexsheet.workbook.writing import row_xml
from plexsheet.workbook.writing.book import Book
from plexsheet.workbook.writing.data_sheets import add_sheet, write_rows
from plexsheet.workbook.writing.help_sheet import add_help
from plexsheet.workbook.writing.start import APPLY_CELL, SUMMARY_ROW, add_start
from plexsheet.workbook.writing.writer import add_extra_sheets, replacing, sheet_lines

# What a row says, worst first: also the order of the Changes sheet.
STATUSES = (
    "Error",
    "Conflict",
    "Held",
    "Would apply",
    "Applied",
    "Healed",
    "Updated in Plex",
    "Already so",
)
_SAID = {"Kept": "Updated in Plex", "Unchanged": "Already so"}
_SETTLED = ("Applied", "Healed", "Kept", "Unchanged")  # the row's values become the new base
START_LINE_CHARS = 72  # of the middle column of Start
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
    seen: SeenBook,
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
    working = [_Sheet(sheet) for sheet in seen.sheets]
    for sheet in working:
        stop = (stopped or {}).get(sheet.sheet)
        if stop is not None and stop.restore:
            if stop.code == "S01":
                sheet.reunite(_of_sheet(sheet.sheet, bases), _of_sheet(sheet.sheet, items))
            sheet.restore(_of_sheet(sheet.sheet, bases))
        sheet.settle([outcome for outcome in outcomes if _is_on(outcome, sheet.seen)])
        sheet.settle_elsewhere([one for one in outcomes if not _is_on(one, sheet.seen)])
        sheet.open_pages(albums or {})
    address = page_address(meta.server_id)
    grids = _named([replace(sheet.grid(), address=address) for sheet in working])
    with replacing(path) as target:
        made = BytesIO()
        book = Book(made, meta)
        edits = {grid.name: sheet.edited() for grid, sheet in zip(grids, working, strict=True)}
        start = add_start(book, meta, grids, subtitle=_subtitle(meta, outcomes), edits=edits)
        summary = _Summary(outcomes, messages, seen.not_carried, grids)
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


def _is_on(outcome: RowOutcome, sheet: SeenSheet) -> bool:
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


class _Sheet:
    """One sheet on its way from what was seen to what is written."""

    def __init__(self, seen: SeenSheet) -> None:
        self.seen = seen
        self.sheet: SheetName = seen.sheet
        self.columns: list[Column] = []
        self.values: list[Array] = []
        self.taken: set[str] = set()
        known: set[str] = set()
        for header, values in zip(seen.headers, seen.columns, strict=True):
            column = column_of(seen.sheet, header)
            if column is None or column.name in known:
                column = own_column(len(self.columns), free_header(header, self.taken))
            self.taken.add(header_key(column.header))
            known.add(column.name)
            self.columns.append(column)
            self.values.append(values.copy())
        for name in ("will_do", "status", "message"):
            self.blank_or_new(name)

    def blank_or_new(self, name: str) -> None:
        """An empty column: the one that is there, or a new one after what belongs before it."""
        blank = as_objects([""] * self.seen.rows)
        if self.has(name):
            self.values[self.place(name)] = blank
            return
        column = next((c for c in ALL_SHEETS[self.sheet] if c.name == name), None)
        if column is not None:
            before = {"status": ("will_do",), "message": ("status",)}.get(name, ())
            self.insert_after(
                (*before, "sub_group", "decision", "action", "my_rating"), column, blank
            )

    def insert_after(self, names: Iterable[str], column: Column, values: Array) -> None:
        """Insert a column after the first of the named ones that is there, else at the end."""
        place = next((self.place(name) + 1 for name in names if self.has(name)), len(self.columns))
        self.columns.insert(place, column)
        self.values.insert(place, values)
        self.taken.add(header_key(column.header))

    def has(self, name: str) -> bool:
        return any(column.name == name for column in self.columns)

    def place(self, name: str) -> int:
        return next(i for i, column in enumerate(self.columns) if column.name == name)

    def put(self, name: str, row: int, value: Any) -> None:
        """Set a cell, where the sheet has the column."""
        if self.has(name):
            self.values[self.place(name)][row] = value

    def get(self, name: str, row: int) -> Any:
        return self.values[self.place(name)][row] if self.has(name) else None

    def restore(self, base: pd.DataFrame | None) -> None:
        """Put My rating back by Key; what stood there goes into a column of its own."""
        if base is None or not self.has("my_rating") or not self.has("key"):
            return
        keys = [key_of(value) for value in self.values[self.place("key")]]
        mine = dict(zip(base["key"].tolist(), stars_array(base["mine"]).tolist(), strict=True))
        typed = self.values[self.place("my_rating")]
        restored = [mine.get(key, value) for key, value in zip(keys, typed, strict=True)]
        header = free_header("Your values before", self.taken)
        self.insert_after(("my_rating",), own_column(len(self.columns), header), typed)
        self.values[self.place("my_rating")] = as_objects(restored)
        shown = replace(next(c for c in ALL_SHEETS[self.sheet] if c.name == "was"), hidden=False)
        if self.has("was"):
            self.columns[self.place("was")] = shown
            self.values[self.place("was")] = as_objects(restored)
        else:
            self.insert_after(("my_rating",), shown, as_objects(restored))

    def reunite(self, base: pd.DataFrame | None, items: pd.DataFrame | None) -> None:
        """Put titles and Checks back to their Keys; without titles, Keys to their Checks."""
        if base is None or not self.has("key"):
            return
        keys = [key_of(value) for value in self.values[self.place("key")]]
        if items is None:
            self._find_keys(base, keys)
            return
        for name in ("title", "artist", "album"):
            if name in items:
                known = zip(items["key"].tolist(), items[name].tolist(), strict=True)
                self._by_key(name, keys, dict(known))
        texts = check_texts(base["check"].to_numpy())
        self._by_key("check", keys, dict(zip(base["key"].tolist(), texts, strict=True)))

    def _find_keys(self, base: pd.DataFrame, keys: list[int]) -> None:
        if not self.has("check"):
            return
        of_check = dict(zip(base["check"].tolist(), base["key"].tolist(), strict=True))
        checks = [check_of_text(str(value or "")) for value in self.values[self.place("check")]]
        found = [of_check.get(check or -1, key) for check, key in zip(checks, keys, strict=True)]
        self.values[self.place("key")] = as_objects([str(key) if key else None for key in found])

    def _by_key(self, name: str, keys: list[int], known: Mapping[int, Any]) -> None:
        if self.has(name):
            place = self.place(name)
            old = self.values[place]
            self.values[place] = as_objects(
                [known.get(key, value) for key, value in zip(keys, old, strict=True)]
            )

    def settle(self, outcomes: Sequence[RowOutcome]) -> None:
        """Enter what became of the rows."""
        by_row: dict[int, list[RowOutcome]] = {}
        for outcome in outcomes:
            by_row.setdefault(self.seen.place(outcome.row), []).append(outcome)
        by_row.pop(-1, None)
        for row, found in by_row.items():
            for outcome in found:
                if outcome.outcome in _SETTLED:
                    self._enter(row, outcome)
            found.sort(key=_severity)
            self.put("status", row, said(found[0]))
            texts = dict.fromkeys(outcome.message for outcome in found if outcome.message)
            self.put("message", row, " ".join(texts))

    def settle_elsewhere(self, outcomes: Sequence[RowOutcome]) -> None:
        """Enter ratings that were written for an edit in the item's other place of the file."""
        written = {
            one.key: one
            for one in outcomes
            if one.field == "rating" and one.outcome in _SETTLED and one.key
        }
        if not written or not self.has("my_rating") or not self.has("key"):
            return
        keys = [key_of(value) for value in self.values[self.place("key")]]
        for row, key in enumerate(keys):
            untouched = self.get("my_rating", row) == self.get("was", row)
            if key in written and untouched and is_blank(self.get("action", row)):
                self._enter(row, written[key])

    def open_pages(self, albums: Mapping[int, int]) -> None:
        """Set which item's page each row opens."""
        if not self.has("open") or not self.has("key"):
            return
        keys = [key_of(value) for value in self.values[self.place("key")]]
        pages = [float(albums.get(key, key)) for key in keys]
        self.values[self.place("open")] = np.array(pages, dtype=np.float64)

    def _enter(self, row: int, outcome: RowOutcome) -> None:
        value = outcome.plex_now if outcome.outcome == "Kept" else outcome.yours
        if outcome.field == "rating" and not isinstance(value, str):
            self._enter_rating(row, value, kept=outcome.outcome == "Kept")
        elif outcome.field == "released":
            year = _year(value)
            self.put("year", row, year)
            self.put("year_was", row, year)
        elif outcome.field == "twin":
            decision = f"{self.get('decision', row) or ''} {self.get('sub_group', row) or ''}"
            self.put("was_decision", row, decision.strip())
        elif outcome.field == "exclude":
            excluded = str(self.get("action", row) or "").strip().upper() == "EXCLUDE"
            rated = not is_blank(self.get("my_rating", row))
            self.put("source", row, "Excluded" if excluded else "Manual" if rated else "Unrated")
        self.put("action", row, "")
        self.put("choice", row, None)

    def _enter_rating(self, row: int, rating: float, *, kept: bool) -> None:
        stars = None if math.isnan(rating) else ratings.to_stars(rating)
        self.put("in_plex", row, stars)
        if kept and is_blank(self.get("was", row)) and self.get("source", row) != "Manual":
            self.put("my_rating", row, None)  # it was blank, and Plex's value is what counts
            return
        self.put("my_rating", row, stars)
        self.put("was", row, stars)
        self.put("source", row, "Unrated" if stars is None else "Manual")

    def edited(self) -> int:
        """Rows whose edit is still to be carried out; Will do is filled in on the way."""
        count = 0
        for row in self._rows_differing():
            count += 1
            if not self.has("will_do"):
                continue
            cells = {column.name: self.values[i][row] for i, column in enumerate(self.columns)}
            said = formulas.will_take_text if self.sheet == "Matches" else formulas.will_do_text
            self.put("will_do", row, said(cells))
        return count

    def _rows_differing(self) -> list[int]:
        pairs = [("my_rating", "was"), ("year", "year_was")]
        differs = np.zeros(self.seen.rows, dtype=bool)
        for name, was in pairs:
            if self.has(name) and self.has(was):
                columns = (self.values[self.place(one)] for one in (name, was))
                differs |= np.array(
                    [_differ(a, b) for a, b in zip(*columns, strict=True)], dtype=bool
                )
        if self.has("decision") and self.has("was_decision"):
            differs |= np.array([self._decided(row) for row in range(self.seen.rows)], dtype=bool)
        for name in ("action", "choice"):
            if self.has(name):
                typed = self.values[self.place(name)]
                differs |= np.array([not is_blank(value) for value in typed], dtype=bool)
        return [int(row) for row in np.flatnonzero(differs)]

    def _decided(self, row: int) -> bool:
        now = f"{self.get('decision', row) or ''} {self.get('sub_group', row) or ''}".strip()
        return now != str(self.get("was_decision", row) or "")

    def grid(self) -> Grid:
        """The sheet as it will be written."""
        grid = Grid(self.sheet, self.seen.name, tuple(self.columns), tuple(self.values), "tbl")
        remarks = {
            (row - FIRST_ROW, grid.headed(header)): text
            for (row, header), text in self.seen.remarks.items()
            if row >= FIRST_ROW and grid.headed(header) >= 0
        }
        return replace(grid, remarks=remarks)


def _differ(left: Any, right: Any) -> bool:
    if is_blank(left) or is_blank(right):
        return is_blank(left) != is_blank(right)
    return bool(left != right)


def _year(value: float | str) -> int | None:
    text = str(value)[:4]
    return int(text) if text.isdecimal() else None


def said(outcome: RowOutcome) -> str:
    """The word a person reads for an outcome."""
    return _SAID.get(outcome.outcome, outcome.outcome)


def _severity(outcome: RowOutcome) -> int:
    return STATUSES.index(said(outcome))


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


class _Summary:
    """What Start says of a result: by outcome, by repair, and about the file."""

    def __init__(
        self,
        outcomes: Sequence[RowOutcome],
        messages: Sequence[Message],
        not_carried: Sequence[str],
        grids: Sequence[Grid],
    ) -> None:
        self.outcomes = outcomes
        self.about_file = [(m.sheet, m.text) for m in messages if m.row == 0]
        self.about_file += [("", text) for text in not_carried]
        self.names = {header_key(grid.name) for grid in grids}
        self.row = SUMMARY_ROW - 1

    def write(self, book: Book, sheet: Worksheet, *, preview: bool) -> None:
        """Write the Apply cell of a preview, and the summary below it."""
        if preview:
            book.write(sheet, 34, 0, "Apply", styles.FONT | {"bold": True})
            sheet.write_blank(APPLY_CELL, None, book.format(styles.APPLY))
            hint = "Type YES and save: the watched folder carries out what this preview shows."
            book.write(sheet, 35, 1, hint, styles.SUBTITLE)
        self._heading(book, sheet, ("Outcome", "First row", "Rows"))
        for word in STATUSES:
            found = [outcome for outcome in self.outcomes if said(outcome) == word]
            if found:
                self._line(book, sheet, word, found)
        repairs = self._repairs()
        if repairs:
            self.row += 1
            self._heading(book, sheet, ("To repair", "What to do", "Rows"))
            for code, found in repairs:
                self._repair(book, sheet, code, found)
        if self.about_file:
            self.row += 1
            self._heading(book, sheet, ("About", "", ""))
            for name, text in self.about_file:
                book.write(sheet, self.row, 0, name or "the file", styles.TEXT)
                book.write(sheet, self.row, 1, text, styles.WRAPPED)
                sheet.set_row(self.row, 15.5 * (len(text) // START_LINE_CHARS + 1))
                self.row += 1

    def _repairs(self) -> list[tuple[str, list[RowOutcome]]]:
        groups: dict[str, list[RowOutcome]] = {}
        for outcome in self.outcomes:
            if outcome.code and said(outcome) in ("Error", "Conflict", "Held"):
                groups.setdefault(outcome.code, []).append(outcome)
        return sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))

    def _heading(self, book: Book, sheet: Worksheet, texts: tuple[str, str, str]) -> None:
        for column, text in enumerate(texts):
            look = styles.RIGHT_HEADING if column == 2 else styles.HEADING
            book.write(sheet, self.row, column, text, look)
        self.row += 1

    def _line(self, book: Book, sheet: Worksheet, word: str, found: Sequence[RowOutcome]) -> None:
        """A line of one outcome: a count, and a link to the first of its rows."""
        look = styles.TEXT | styles.STATUS_LOOKS.get(word, {})
        book.write(sheet, self.row, 0, word, look)
        book.write(sheet, self.row, 2, float(len(found)), styles.COUNT)
        first = self._first(found)
        if first is not None:
            link = book.format(styles.LINK)
            sheet.write_url(self.row, 1, _target(first), link, _place(first))
        self.row += 1

    def _repair(self, book: Book, sheet: Worksheet, code: str, found: Sequence[RowOutcome]) -> None:
        """A line of one repair: the code leads to the first of its rows."""
        first, text = self._first(found), cure(code)
        if first is None:
            book.write(sheet, self.row, 0, code, styles.WRAPPED)
        else:
            text += f" First: {first.sheet}, row {first.row}."
            link = book.format(styles.LINK | {"valign": "top"})
            sheet.write_url(self.row, 0, _target(first), link, code)
        book.write(sheet, self.row, 1, text, styles.WRAPPED)
        book.write(sheet, self.row, 2, float(len(found)), styles.COUNT | {"valign": "top"})
        sheet.set_row(self.row, 15.5 * (len(text) // START_LINE_CHARS + 1))
        self.row += 1

    def _first(self, found: Sequence[RowOutcome]) -> RowOutcome | None:
        return next((o for o in found if o.row and header_key(o.sheet) in self.names), None)


def _target(outcome: RowOutcome) -> str:
    return f"internal:'{_sheet_name(outcome.sheet)}'!A{outcome.row}"


def _place(outcome: RowOutcome) -> str:
    return f"{outcome.sheet}, row {outcome.row}: {outcome.title}"[:200]


def _sheet_name(name: str) -> str:
    """The name the result gives a sheet of the file."""
    sheet = sheet_of(name)
    number = "".join(character for character in name if character.isdigit())
    return f"{sheet} {number}".strip() if sheet else name


def cure(code: str) -> str:
    """What a person does about a code."""
    known = CODES.get(code)
    return (known.cure or known.when) if known else ""


# Changes


def add_changes(
    book: Book, outcomes: Sequence[RowOutcome], grids: Sequence[Grid], meta: Meta
) -> Worksheet:
    """The Changes sheet: every outcome, worst first."""
    ordered = sorted(outcomes, key=lambda o: (_severity(o), o.sheet, o.row))
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
            target = f"#'{_sheet_name(outcome.sheet)}'!A{outcome.row}"
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
