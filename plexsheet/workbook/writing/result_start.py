"""Start of a result workbook: how many rows ended how, and how each fault is put right."""

from __future__ import annotations

from collections.abc import Sequence

from xlsxwriter.worksheet import Worksheet

from plexsheet.messages import CODES, Message
from plexsheet.plan.model import RowOutcome
from plexsheet.workbook.schema import styles
from plexsheet.workbook.schema.finding import header_key, sheet_of
from plexsheet.workbook.schema.grid import Grid
from plexsheet.workbook.writing.book import Book
from plexsheet.workbook.writing.row_status import STATUSES, said
from plexsheet.workbook.writing.start import APPLY_CELL, SUMMARY_ROW

START_LINE_CHARS = 72  # of the middle column of Start


class Summary:
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
            sheet.write_url(self.row, 1, link_target(first), link, _place(first))
        self.row += 1

    def _repair(self, book: Book, sheet: Worksheet, code: str, found: Sequence[RowOutcome]) -> None:
        """A line of one repair: the code leads to the first of its rows."""
        first, text = self._first(found), cure(code)
        if first is None:
            book.write(sheet, self.row, 0, code, styles.WRAPPED)
        else:
            text += f" First: {first.sheet}, row {first.row}."
            link = book.format(styles.LINK | {"valign": "top"})
            sheet.write_url(self.row, 0, link_target(first), link, code)
        book.write(sheet, self.row, 1, text, styles.WRAPPED)
        book.write(sheet, self.row, 2, float(len(found)), styles.COUNT | {"valign": "top"})
        sheet.set_row(self.row, 15.5 * (len(text) // START_LINE_CHARS + 1))
        self.row += 1

    def _first(self, found: Sequence[RowOutcome]) -> RowOutcome | None:
        return next((o for o in found if o.row and header_key(o.sheet) in self.names), None)


def link_target(outcome: RowOutcome) -> str:
    """Where a link to a row leads."""
    return f"internal:'{sheet_name(outcome.sheet)}'!A{outcome.row}"


def _place(outcome: RowOutcome) -> str:
    return f"{outcome.sheet}, row {outcome.row}: {outcome.title}"[:200]


def sheet_name(name: str) -> str:
    """The name the result gives a sheet of the file."""
    sheet = sheet_of(name)
    number = "".join(character for character in name if character.isdigit())
    return f"{sheet} {number}".strip() if sheet else name


def cure(code: str) -> str:
    """What a person does about a code."""
    known = CODES.get(code)
    return (known.cure or known.when) if known else ""
