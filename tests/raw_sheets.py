"""Sheets as the reader hands them over, made by hand for tests of what comes after."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from plexsheet.library import Kind
from plexsheet.workbook.reading.raw import RawColumn, RawSheet, RawWorkbook, Texts
from plexsheet.workbook.schema.cell_values import (
    BLANK,
    BOOL,
    DATE,
    ERROR,
    FORMULA,
    NUMBER,
    TEXT,
    key_of_text,
)
from plexsheet.workbook.schema.check import check_numbers, check_texts
from plexsheet.workbook.schema.columns import IDENTITY, KIND_OF_SHEET, SheetName

NAN = float("nan")
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Formula:
    """A formula and its last value, None where it has none."""

    value: Any


@dataclass(frozen=True)
class Wrong:
    """An error cell."""

    shows: str


def cell(value: Any) -> tuple[int, float, str]:
    if isinstance(value, Formula):
        state, number, text = cell(value.value)
        return state | FORMULA, number, text
    if isinstance(value, Wrong):
        return ERROR, NAN, value.shows
    if value is None or value == "":
        return BLANK, NAN, ""
    if isinstance(value, bool):
        return BOOL, float(value), ""
    if isinstance(value, int | float):
        return NUMBER, float(value), ""
    if isinstance(value, datetime.date):
        return DATE, NAN, value.isoformat()
    return TEXT, NAN, str(value)


def column(header: str, values: Sequence[Any], index: int = 0) -> RawColumn:
    cells = [cell(value) for value in values]
    texts = {row: text.encode() for row, (_, _, text) in enumerate(cells) if text}
    lengths = [len(text) for text in texts.values()]
    return RawColumn(
        header,
        index,
        np.array([state for state, _, _ in cells], dtype=np.uint8),
        np.array([number for _, number, _ in cells], dtype=np.float64),
        Texts(
            np.array(list(texts), dtype=np.int64),
            np.cumsum(lengths, dtype=np.int64),
            b"".join(texts.values()),
        ),
    )


def sheet(name: SheetName | None, rows: Rows, title: str = "", **more: Any) -> RawSheet:
    """A sheet from rows of header to value; headers are those of the first row."""
    headers = list(rows[0])
    columns = {
        header: column(header, [row.get(header) for row in rows], index)
        for index, header in enumerate(headers)
    }
    keys = [key_of_text("" if row["Key"] is None else str(row["Key"])) for row in rows]
    return RawSheet(
        name=title or name or "List",
        sheet=name,
        title=title or name or "List",
        rows=np.arange(2, len(rows) + 2),
        headers=tuple(headers),
        keys=np.array(keys, dtype=np.int64),
        columns=columns,
        **more,
    )


def book(*sheets: RawSheet, **more: Any) -> RawWorkbook:
    return RawWorkbook(Path("x.xlsx"), "0" * 64, "xlsx", {}, {s.name: s for s in sheets}, **more)


def track(key: int, stars: float | None = None, **more: Any) -> dict[str, Any]:
    """A row of Tracks as exported: titles, rating, base and Check."""
    row = {
        "Key": str(key),
        "Artist": f"Artist {key // 100}",
        "Album": f"Album {key // 10}",
        "Title": f"Title {key}",
        "My rating": stars,
        "Action": None,
        "Inferred": 3.5,
        "In Plex": stars,
        "Source": "Unrated" if stars is None else "Manual",
        "Was": stars,
    }
    return row | {"Check": check("Tracks", row)} | more


def album(key: int, stars: float | None = None, year: int | None = 1970, **more: Any) -> Any:
    """A row of Albums as exported."""
    row = {
        "Key": str(key),
        "Artist": f"Artist {key // 100}",
        "Album": f"Album {key}",
        "Year": year,
        "My rating": stars,
        "Action": None,
        "Inferred": 3.5,
        "In Plex": stars,
        "Source": "Unrated" if stars is None else "Manual",
        "Was": stars,
        "Year was": year,
    }
    return row | {"Check": check("Albums", row)} | more


def check(name: SheetName, row: Mapping[str, Any]) -> str:
    headers = [header for header in IDENTITY[name] if header]
    numbers = check_numbers(
        KIND_OF_SHEET[name], [int(row["Key"])], *([str(row[header])] for header in headers)
    )
    return str(check_texts(numbers)[0])


def bases_of(**rows: Rows) -> dict[Kind, pd.DataFrame]:
    """What the state would remember of rows as exported, by kind."""
    names: dict[Kind, SheetName] = {"artist": "Artists", "album": "Albums", "track": "Tracks"}
    return {kind: _base(kind, name, rows.get(kind, [])) for kind, name in names.items()}


def _base(kind: Kind, name: SheetName, rows: Rows) -> pd.DataFrame:
    def stars(header: str) -> list[float]:
        return [NAN if row[header] is None else 2 * row[header] for row in rows]

    texts = [[str(row[header]) for row in rows] for header in IDENTITY[name] if header]
    frame = pd.DataFrame(
        {
            "key": np.array([int(row["Key"]) for row in rows], dtype=np.int64),
            "mine": np.array(stars("Was")),
            "in_plex": np.array(stars("In Plex")),
            "source": np.array([row["Source"] == "Manual" for row in rows], dtype=np.uint8),
            "inferred": np.array(stars("Inferred")),
            "check": check_numbers(kind, [int(row["Key"]) for row in rows], *texts),
        }
    )
    if kind == "album":
        frame["year"] = np.array([row["Year was"] or 0 for row in rows], dtype=np.int64)
    return frame
