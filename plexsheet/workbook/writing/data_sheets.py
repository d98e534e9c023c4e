"""Artists, Albums, Tracks and Twins: all of a table sheet but its rows.

Header, widths, table, validations, live colours, notes, frozen panes, print set-up.
Rows come from ``write_rows`` (XlsxWriter's own cells, the reference) or from the row
stream; both read the same grid.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xlsxwriter.worksheet import Worksheet

from plexsheet.workbook.schema import formulas, styles
from plexsheet.workbook.schema.check import cell_text
from plexsheet.workbook.schema.columns import Column
from plexsheet.workbook.schema.grid import FIRST_ROW, Grid, is_blank
from plexsheet.workbook.schema.styles import Look
from plexsheet.workbook.writing.book import Book, safe, write_value

_MOST_FROZEN = 4
_IDENTITY = ("key", "group", "kind", "artist", "album", "title")
_SAMPLE = 2_000  # rows looked at for a width
_BUTTON_CHARS = 3.5  # the filter button beside a header
_NOTE_LINE_CHARS = 34


def add_sheet(book: Book, grid: Grid, *, next_year: int, rows_later: bool = False) -> Worksheet:
    """A worksheet with everything of the grid but its rows.

    ``rows_later``: the table is made with one row, and grows with the rows that ``row_xml``
    puts in; XlsxWriter would visit every cell of it.
    """
    sheet = book.sheet(grid.name)
    _columns(book, sheet, grid)
    _table(book, sheet, grid, 2 if rows_later else grid.last_row)
    _notes(sheet, grid)
    _validations(sheet, grid, next_year)
    _live_colours(book, sheet, grid, next_year)
    sheet.freeze_panes(1, frozen_columns(grid))
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    sheet.set_footer("&L&A&Cplexsheet&R&P / &N")
    return sheet


def frozen_columns(grid: Grid) -> int:
    """How many of the first columns stay in view: those that say what the row is."""
    names = [column.name for column in grid.columns[:_MOST_FROZEN]]
    return next((i for i, name in enumerate(names) if name not in _IDENTITY), len(names))


def cell_look(grid: Grid, column: Column) -> Look:
    """How the cells of a column look on this sheet."""
    look = styles.body(column)
    return look | styles.LEADS_ON if column.name in grid.links else look


def write_rows(book: Book, sheet: Worksheet, grid: Grid) -> None:
    """The grid's rows through XlsxWriter, cell by cell."""
    for index, (column, values) in enumerate(zip(grid.columns, grid.values, strict=True)):
        look = book.format(cell_look(grid, column))
        for row, value in enumerate(values.tolist(), start=1):
            value = cell_text(value) if isinstance(value, str) else value
            formula = grid.formula(column.name, row + 1)
            if formula is not None:
                shown = formulas.OPENS if column.type == "link" else value
                sheet.write_formula(row, index, formula, look, shown)
            elif column.type == "link":
                continue
            elif column.editable or not is_blank(value):
                write_value(sheet, row, index, value, look)


def _columns(book: Book, sheet: Worksheet, grid: Grid) -> None:
    sheet.set_row(0, 24)
    for index, column in enumerate(grid.columns):
        options = {"hidden": True} if column.hidden else {}
        sheet.set_column(
            index,
            index,
            _width(column, grid.values[index]),
            book.format(styles.beyond(column)),
            options,
        )


def _width(column: Column, values: NDArray[Any]) -> float:
    needed = len(column.header) + _BUTTON_CHARS
    if not column.fits:
        return max(column.width_chars, needed)
    step = max(1, len(values) // _SAMPLE)
    lengths = [len(text) for text in values[::step].tolist() if isinstance(text, str)]
    usual = float(np.percentile(lengths, 97)) + 2 if lengths else 0.0
    return max(needed, min(column.width_chars, usual))


def _table(book: Book, sheet: Worksheet, grid: Grid, last_row: int) -> None:
    headers = [
        {"header": safe(column.header), "header_format": book.format(styles.header(column))}
        for column in grid.columns
    ]
    options: dict[str, Any] = {
        "name": grid.table,
        "columns": headers,
        "style": "Table Style Light 1",
    }
    if grid.sheet == "Twins":
        options["banded_rows"] = False  # groups have tints of their own
    sheet.add_table(0, 0, last_row - 1, len(grid.columns) - 1, options)


def _notes(sheet: Worksheet, grid: Grid) -> None:
    for index, column in enumerate(grid.columns):
        if column.note and not column.hidden:
            lines = len(column.note) // _NOTE_LINE_CHARS + 1
            size = {"width": 230, "height": 14 + 17 * lines, "font_size": 9, "x_offset": 12}
            there = grid.links.get(column.name)
            more = f" Click a number to see them on {there.sheet}." if there else ""
            sheet.write_comment(0, index, column.note + more, size | {"author": "plexsheet"})
    for (row, index), text in grid.comments.items():
        sheet.write_comment(row + 1, index, text)


# What may be typed


def _validations(sheet: Worksheet, grid: Grid, next_year: int) -> None:
    cells = grid.cells(FIRST_ROW)
    for index, column in enumerate(grid.columns):
        rule = _rule(column, cells, next_year)
        if rule:
            sheet.data_validation(1, index, grid.last_row - 1, index, rule)


def _rule(column: Column, cells: formulas.Cells, next_year: int) -> dict[str, Any] | None:
    relative = cells[column.name].replace("$", "") if column.name in cells else ""
    if column.name == "my_rating":
        return _custom(
            formulas.rating_allowed(relative),
            "This is not a rating",
            "Type a number from 0.5 to 5. To remove the rating empty the cell or type CLEAR.",
        )
    if column.name == "year":
        if not column.editable:
            return None
        return _custom(
            formulas.year_allowed(relative, next_year),
            "This is not a year",
            f"Type a year from 1000 to {next_year}, or a full date as YYYY-MM-DD.",
        )
    if column.choices:
        return {
            "validate": "list",
            "source": list(column.choices),
            "error_title": f"Not a choice for {column.header}",
            "error_message": f"Choose one of {', '.join(column.choices)}, or leave the cell empty.",
            "error_type": "warning" if column.name == "sub_group" else "stop",
        }
    if column.type == "key" or column.hidden:
        return _custom(
            "FALSE",
            f"{column.header} is not for editing",
            "plexsheet finds the row again by this cell. Press Escape to leave it as it is.",
        )
    return None


def _custom(formula: str, title: str, message: str) -> dict[str, Any]:
    return {
        "validate": "custom",
        "value": f"={formula}",
        "error_title": title,
        "error_message": message,
    }


# Colours that follow what is typed


def _live_colours(book: Book, sheet: Worksheet, grid: Grid, next_year: int) -> None:
    for name, rules in _rules(grid, next_year):
        index = grid.place(name)
        if index < 0:
            continue
        for rule in rules:
            look = {"format": book.format(rule["look"])} if "look" in rule else {}
            options = {key: value for key, value in rule.items() if key != "look"} | look
            sheet.conditional_format(1, index, grid.last_row - 1, index, options)
    if grid.sheet == "Twins":
        tint = {"type": "formula", "criteria": f"={_is_even(grid.cells(FIRST_ROW))}"}
        options = tint | {"format": book.format({"bg_color": styles.TINT})}
        for index, column in enumerate(grid.columns):
            if not column.editable:  # the yellow stays
                sheet.conditional_format(1, index, grid.last_row - 1, index, options)


def _rules(grid: Grid, next_year: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    cells = grid.cells(FIRST_ROW)
    if "my_rating" in cells and "was" in cells:
        rating, was = cells["my_rating"], cells["was"]
        yield (
            "my_rating",
            [
                _when(formulas.rating_refused(rating), styles.REFUSED),
                _when(formulas.emptied(rating, was), styles.EMPTIED),
                *_stars(rating, "0.0#", styles.EDITED, formulas.edited(rating, was)),
                _when(formulas.edited(rating, was), styles.EDITED),
                *_stars(rating, "0.0#", _MINE),
            ],
        )
    if "action" in cells:
        action = cells["action"]
        known = grid.columns[grid.place("action")].choices
        refused = _when(formulas.action_refused(action, known), styles.REFUSED)
        yield "action", [refused, _when(f'{action}<>""', styles.EDITED)]
    if "year" in cells and "year_was" in cells:
        year, was = cells["year"], cells["year_was"]
        refused = _when(formulas.year_refused(year, next_year), styles.REFUSED)
        yield "year", [refused, _when(formulas.edited(year, was), styles.EDITED)]
    if "decision" in cells and "was_decision" in cells:
        decision, letter = cells["decision"], cells["sub_group"]
        changed = f'TRIM({decision}&" "&{letter})<>{cells["was_decision"]}'
        refused = _when(formulas.decision_refused(decision), styles.REFUSED)
        yield "decision", [refused, _when(changed, styles.EDITED)]
        yield "sub_group", [_when(f'AND({letter}<>"",{changed})', styles.EDITED)]
        disagree = f'{cells["group_value"]}="DISAGREE"'
        yield "group_value", list(_tinted(cells, disagree, styles.DISAGREE))
    yield "confidence", [_DATA_BAR]
    if "inferred" in cells:
        yield "inferred", _stars(cells["inferred"], "0.00", {"font_color": styles.GREY})
    for name, words in (("source", styles.SOURCE_LOOKS), ("status", styles.STATUS_LOOKS)):
        if name in cells:
            yield (
                name,
                [
                    rule
                    for word, look in words.items()
                    for rule in _tinted(cells, f'{cells[name]}="{word}"', look)
                ],
            )


def _tinted(cells: formulas.Cells, condition: str, look: Look) -> Iterator[dict[str, Any]]:
    """A rule that leaves others their say; among twins also one that keeps the group's tint.

    LibreOffice shows the first rule that holds and no other.
    """
    if "group" in cells:
        both = f"AND({condition},{_is_even(cells)})"
        yield _when(both, look | {"bg_color": styles.TINT}) | {"stop_if_true": False}
    yield _when(condition, look) | {"stop_if_true": False}


def _is_even(cells: formulas.Cells) -> str:
    return f"MOD({cells['group']},2)=0"


def _when(condition: str, look: Look) -> dict[str, Any]:
    return {"type": "formula", "criteria": f"={condition}", "look": look, "stop_if_true": True}


_DATA_BAR = {
    "type": "data_bar",
    "bar_color": styles.BAR,
    "bar_solid": True,
    "min_type": "num",
    "max_type": "num",
    "min_value": 0,
    "max_value": 100,
}
_MINE: Look = {"font_color": styles.BRONZE}


def _stars(cell: str, number: str, look: Look, condition: str = "") -> list[dict[str, Any]]:
    """Rules that show a rating as stars beside its number, to the nearest half star.

    LibreOffice shows the first rule that holds, so what else shall be seen is in each rule.
    """
    also = f",{condition}" if condition else ""
    return [
        _when(
            f"AND(ISNUMBER({cell}),{cell}>={halves / 2 - 0.25}{also})",
            look | {"num_format": styles.star_format(halves, number)},
        )
        for halves in range(10, 0, -1)
    ]
