"""The sheet Rate next: what to rate, and what rating it would settle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from plexsheet.workbook.schema.columns import (
    SHEETS,
    Column,
    SheetName,
)
from plexsheet.workbook.writing.sheet_data import Array, Values, object_array

_OF_REPORT = {"settles": "Rows it would settle", "plays": "Plays"}


def rate_next_values(
    tables: Mapping[SheetName, Values], headers: Sequence[str], rows: Sequence[Sequence[Any]]
) -> Values:
    """The columns of the sheet Rate next: the report's rows that the other sheets show, too.

    Args:
        tables: of the sheets of whole kinds.
        headers, rows: of the report.
    """
    at = {header: place for place, header in enumerate(headers)}
    of_kind: dict[str, SheetName] = {"Album": "Albums", "Track": "Tracks"}
    places = {
        sheet: {key: row for row, key in enumerate(tables[sheet]["key"].tolist())}
        for sheet in of_kind.values()
    }
    kept: list[dict[str, Any]] = []
    for listed in rows:
        kind = str(listed[at["Kind"]])
        sheet = of_kind[kind]
        row = places[sheet].get(str(listed[at["Key"]]))
        if row is not None:
            told = {name: listed[at[header]] for name, header in _OF_REPORT.items()}
            kept.append({"kind": kind} | _of_item(tables[sheet], row) | told)
    return {column.name: _typed(column, kept) for column in SHEETS["Rate next"]}


def _of_item(table: Values, row: int) -> dict[str, Any]:
    names = [column.name for column in SHEETS["Rate next"]]
    return {name: table[name][row] for name in names if name in table}


def _typed(column: Column, rows: Sequence[Mapping[str, Any]]) -> Array:
    if column.type in ("text", "key", "choice"):
        return object_array([row.get(column.name, "") for row in rows])
    return np.array([row.get(column.name, np.nan) for row in rows], dtype=np.float64)
