"""One sheet with a table: its columns, its values, and what each cell is written as.

A grid is inert: the plain writer and the row stream both read it, so that they cannot
come to differ in what a cell holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xlsxwriter.utility import xl_col_to_name

from plexsheet.workbook.schema import formulas
from plexsheet.workbook.schema.columns import SHEET_ROWS, Column, SheetName
from plexsheet.workbook.schema.finding import exported, header_key

Array = NDArray[Any]

FIRST_ROW = 2  # of the file; the header is row 1
# Cells compared by MATCH when a program calculates the links of one column; beyond it
# opening the workbook would take noticeably longer than without links.
LINK_BUDGET = 30_000_000


@dataclass(frozen=True)
class Link:
    """A column whose cells lead to the rows of another sheet that name the same thing.

    Attributes:
        by: name of the column in the same row that is looked up.
        sheet: where to look.
        column: letter of the column there.
        rows: how many rows there are.
        sure: shape (rows of this sheet,), where the lookup finds the right row: a title
            that two items share leads nowhere.
    """

    by: str
    sheet: str
    column: str
    rows: int
    sure: NDArray[np.bool_]


@dataclass(frozen=True)
class Grid:
    """A table sheet, ready to be written.

    Attributes:
        sheet: which of the four; None for a table of another kind.
        name: of the worksheet; ``Tracks 2`` where a sheet is continued.
        columns: in the order they stand.
        values: for each column, shape (rows,): numbers with NaN for a blank, or objects
            (text, number, bool, None or ``""`` for a blank).
        table: name of the Excel table.
        links: by column name.
        comments: cell notes of the person's own: text by (row from 0, column from 0).
        address: of an item's page in Plex, to which a key is added; ``""`` unknown.
    """

    sheet: SheetName | None
    name: str
    columns: tuple[Column, ...]
    values: tuple[Array, ...]
    table: str
    links: Mapping[str, Link] = field(default_factory=dict)
    comments: Mapping[tuple[int, int], str] = field(default_factory=dict)
    address: str = ""

    @property
    def rows(self) -> int:
        """Rows below the header."""
        return len(self.values[0])

    @property
    def last_row(self) -> int:
        """The last row of the table in the file; a table has at least one row."""
        return max(self.rows, 1) + 1

    def place(self, name: str) -> int:
        """Index of a column by name, -1 where the sheet has none."""
        return next((i for i, column in enumerate(self.columns) if column.name == name), -1)

    @property
    def says_what_it_will_do(self) -> bool:
        """Whether the columns that Will do is calculated from are all there."""
        needed = ("my_rating", "action", "choice" if self.sheet == "Matches" else "inferred", "was")
        return all(self.place(name) >= 0 for name in needed)

    def headed(self, header: str) -> int:
        """Index of a column by its header as people write it, -1 where there is none."""
        key = header_key(header)
        return next((i for i, one in enumerate(self.columns) if header_key(one.header) == key), -1)

    def letter(self, name: str) -> str:
        """Letter of a column by name."""
        return str(xl_col_to_name(self.place(name)))

    def cells(self, row: int) -> dict[str, str]:
        """Addresses of a row's cells by column name, the column fixed: ``$I2``."""
        return {column.name: f"${xl_col_to_name(i)}{row}" for i, column in enumerate(self.columns)}

    def range(self, name: str) -> str:
        """All cells of a column: ``$I$2:$I$5001``."""
        letter = self.letter(name)
        return f"${letter}${FIRST_ROW}:${letter}${self.last_row}"

    def formula(self, name: str, row: int) -> str | None:
        """The formula of a column's cell in a row of the file, None where it holds values."""
        if name == "will_do" and self.says_what_it_will_do:
            said = formulas.will_take if self.sheet == "Matches" else formulas.will_do
            return said({name: cell.replace("$", "") for name, cell in self.cells(row).items()})
        if name == "open":
            return formulas.opening(self.address, self.values[self.place(name)][row - FIRST_ROW])
        link = self.links.get(name)
        if link is None or not link.sure[row - FIRST_ROW]:
            return None
        place = f"'{link.sheet}'!${link.column}$1:${link.column}${link.rows + 1}"
        found = f"IFERROR(MATCH({self.letter(link.by)}{row},{place},0),1)"
        value = self.values[self.place(name)][row - FIRST_ROW]
        return f"=HYPERLINK(\"#'{link.sheet}'!{link.column}\"&{found},{value:.16g})"


def grids(
    sheet: SheetName,
    values: Mapping[str, Array],
    columns: Sequence[Column] | None = None,
    limit: int = SHEET_ROWS,
    *,
    address: str = "",
) -> Iterator[Grid]:
    """The sheet as one grid, or as several of at most ``limit`` rows each."""
    chosen = tuple(columns or exported(sheet))
    rows = len(values["key"])
    for number, start in enumerate(range(0, max(rows, 1), limit), start=1):
        part = slice(start, min(start + limit, rows))
        suffix = "" if number == 1 else f" {number}"
        yield Grid(
            sheet,
            f"{sheet}{suffix}",
            chosen,
            tuple(values[column.name][part] for column in chosen),
            f"tbl{sheet}{suffix}".replace(" ", ""),
            address=address,
        )


def is_blank(value: Any) -> bool:
    """Whether a value is written as nothing: None, ``""`` or NaN."""
    return value is None or value == "" or value != value


def is_number_column(values: Array) -> bool:
    """Whether a column holds numbers only (NaN blank), not objects."""
    return values.dtype != np.dtype(object)
