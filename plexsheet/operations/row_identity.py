"""What a row of a workbook says of its item: the proof of a row that no state knows (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from plexsheet.identity import FEATURES, ItemIdentity
from plexsheet.library import Kind
from plexsheet.workbook.reading.raw import RawSheet
from plexsheet.workbook.schema.columns import IDENTITY, PROOFS, SHEET_OF_KIND

LENGTH, LENGTH_S, DISC, INDEX = PROOFS


def item_of(kind: Kind, cells: Mapping[str, Any]) -> ItemIdentity:
    """The item that cells describe, by their headers; what they do not say is unknown.

    >>> item_of("track", {"Title": "So What", "Artist": "Miles Davis", "Length": 905}).length_ms
    545000
    """
    title, artist, album = IDENTITY[SHEET_OF_KIND[kind]]
    return ItemIdentity(
        title=_text(cells.get(title)),
        artist=_text(cells.get(artist)) if artist else "",
        album=_text(cells.get(album)) if album else "",
        length_ms=round(_seconds(cells) * 1000),
        disc=int(_number(cells.get(DISC))),
        index=int(_number(cells.get(INDEX))),
    )


def cells_at(sheet: RawSheet, place: int) -> dict[str, Any]:
    """The cells of a row that describe its item, by header.

    A row of a review workbook describes a song of a list; Checks prove what it means in Plex.
    """
    if sheet.sheet == "Matches":
        return {}
    wanted = [name for name in (*IDENTITY[sheet.sheet or "Tracks"], *PROOFS) if name]
    return {name: sheet.columns[name].value(place) for name in wanted if name in sheet.columns}


def described(items: Iterable[tuple[int, ItemIdentity]]) -> pd.DataFrame:
    """Items by key as a table of ``key`` and ``FEATURES``."""
    rows = list(items)
    columns: dict[str, Any] = {"key": np.array([key for key, _ in rows], dtype=np.int64)}
    for name in FEATURES:
        values = [getattr(item, name) for _, item in rows]
        text = name in ("title", "artist", "album")
        column = np.empty(len(rows), dtype=object if text else np.int64)
        column[:] = values
        columns[name] = column
    return pd.DataFrame(columns)


def _seconds(cells: Mapping[str, Any]) -> float:
    """The length a row says: 905 is shown as 9:05; workbooks of version 0.1 have seconds."""
    minutes, seconds = divmod(_number(cells.get(LENGTH)), 100)
    return 60 * minutes + seconds or _number(cells.get(LENGTH_S))


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and value == value else 0.0
