"""What a person added to a workbook and wants to find again in the next one.

Notes, cell notes and columns of their own travel by Key, sheets of their own by value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from plexsheet.workbook.schema.check import LIKE_AN_ESCAPE, cut, normal_text
from plexsheet.workbook.schema.columns import OTHER_SHEETS, Column, SheetName
from plexsheet.workbook.schema.finding import header_key, sheet_of
from plexsheet.workbook.schema.grid import Array, Grid

_HEADER_LIMIT = 255
_SHEET_NAME_LIMIT = 31
_NOT_IN_SHEET_NAMES = dict.fromkeys(map(ord, "[]:*?/\\"), " ")


@dataclass(frozen=True)
class OwnColumn:
    """A column of the person's own: its header, and its values by rating key."""

    header: str
    values: Mapping[int, Any]


@dataclass(frozen=True)
class ExtraSheet:
    """A sheet of the person's own, by value: rows of text, numbers, truth values, None."""

    name: str
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True)
class UserContent:
    """Everything taken over from an older workbook.

    Attributes:
        notes: by sheet and rating key.
        columns: by sheet, in their order.
        extra_sheets: in their order.
        comments: cell notes: by sheet, text by (rating key, header).
    """

    notes: Mapping[SheetName, Mapping[int, str]] = field(default_factory=dict)
    columns: Mapping[SheetName, Sequence[OwnColumn]] = field(default_factory=dict)
    extra_sheets: Sequence[ExtraSheet] = ()
    comments: Mapping[SheetName, Mapping[tuple[int, str], str]] = field(default_factory=dict)


def with_notes(user_content: UserContent, sheet: SheetName, keys: Array) -> Array:
    """The Note column of a sheet: shape (rows,), ``""`` without a note."""
    notes = user_content.notes.get(sheet, {})
    return _objects([notes.get(int(key), "") for key in keys] if notes else [""] * len(keys))


def with_comments(user_content: UserContent, grid: Grid) -> Grid:
    """A sheet with the cell notes of its rows."""
    told = user_content.comments.get(grid.sheet, {}) if grid.sheet else {}
    if not told:
        return grid
    rows = {int(key): row for row, key in enumerate(grid.values[grid.place("key")].tolist())}
    comments = {
        (rows[key], grid.headed(header)): text
        for (key, header), text in told.items()
        if key in rows and grid.headed(header) >= 0
    }
    return replace(grid, comments=comments)


def own_columns(
    user_content: UserContent, sheet: SheetName, keys: Array, taken: Sequence[Column]
) -> list[tuple[Column, Array]]:
    """The person's own columns with their values by row, under headers no other column has."""
    headers = {header_key(column.header) for column in taken}
    made = []
    for number, own in enumerate(user_content.columns.get(sheet, ())):
        header = free_header(own.header, headers)
        values = _objects([own.values.get(int(key)) for key in keys])
        made.append((own_column(number, header), values))
    return made


def own_column(number: int, header: str) -> Column:
    """A column that is not plexsheet's."""
    return Column(f"own {number}", header, "", "any", max(12, min(len(header) + 4, 30)))


def free_header(header: str, taken: set[str]) -> str:
    r"""The header as a table accepts it, numbered where it is taken; it is taken then.

    >>> free_header(" Mood\n", {"mood"})
    'Mood 2'
    """
    plain = cut(normal_text(header), _HEADER_LIMIT - 6) or "Column"
    # a table and its header cell must agree, so nothing that is written in another form
    plain = LIKE_AN_ESCAPE.sub("_\u200b", plain)
    plain = f"\u200b{plain}" if plain.startswith("<r>") else plain
    free, number = plain, 1
    while header_key(free) in taken:
        number += 1
        free = f"{plain} {number}"
    taken.add(header_key(free))
    return free


def free_sheet_name(name: str, taken: set[str]) -> str:
    """The name as a workbook accepts it, numbered where it is taken; it is taken then.

    >>> free_sheet_name("Plan: 2026", {"start"}), free_sheet_name("start", {"start"})
    ('Plan 2026', 'start 2')
    """
    plain = normal_text(name.translate(_NOT_IN_SHEET_NAMES)).strip("'")
    plain = cut(plain, _SHEET_NAME_LIMIT) or "Sheet"
    free, number = plain, 1
    while header_key(free) in taken | {"history"} or sheet_of(free):
        number += 1
        stem = cut(plain, _SHEET_NAME_LIMIT - 4) if not sheet_of(free) else "Sheet"
        free = f"{stem} {number}"
    taken.add(header_key(free))
    return free


def reserved_names() -> set[str]:
    """Names of plexsheet's own sheets, as compared."""
    return {header_key(name) for name in OTHER_SHEETS}


def _objects(values: Sequence[Any]) -> Array:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
