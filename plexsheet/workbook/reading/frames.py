"""A sheet's columns, from the bytes the child sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plexsheet.workbook.reading.raw import (
    NO_TEXTS,
    RawColumn,
    RawSheet,
    Texts,
)
from plexsheet.workbook.schema.cell_values import BLANK, ERROR, FORMULA, TEXT, key_of_text
from plexsheet.workbook.schema.layout import RATING_TYPE, Layout

EDITABLE = ("My rating", "Action", "Year", "Decision", "Sub-group", "Choice")
CELLS = (*EDITABLE, "Note", "Was", "Year was", "Was decision", "In Plex", "Inferred", RATING_TYPE)
TEXTS = ("Key", "Kind", "Check", "Source", "Group", "Choices")
_NUMBERS = ("My rating", "Year", "Was", "Year was", "In Plex", "Inferred")


def sheet_from(
    found: Layout,
    cells: Sequence[str],
    texts: Sequence[str],
    head: Mapping[str, Any],
    buffers: Sequence[bytes],
) -> RawSheet:
    """A sheet from the child's answer: five buffers a cell column, two a text column, marks.

    Args:
        found: where its columns stand.
        cells: headers of columns sent with the state and number of each cell.
        texts: headers of columns sent as texts alone.
        head, buffers: the answer.
    """
    rows = int(head["rows"])
    made: list[RawColumn] = []
    at = 0
    places = [*(found.columns[name] for name in cells), *found.own]
    for index in places:
        made.append(_cell_column(found.headers[index], index, rows, buffers[at : at + 5]))
        at += 5
    columns = dict(zip(cells, made, strict=False))
    own = tuple(made[len(cells) :])
    for name in texts:
        index = found.columns[name]
        columns[name] = _text_column(found.headers[index], index, rows, buffers[at : at + 2])
        at += 2
    errors = {int(place): text for place, text in head["errors"].items()}
    _mark(columns, buffers[at : at + 3], errors, rows)
    filled = np.zeros(rows, dtype=bool)
    for column in (*columns.values(), *own):
        filled |= column.states != BLANK
    sheet = RawSheet(
        name=found.name,
        sheet=found.sheet,
        title=found.title,
        rows=np.arange(2, rows + 2, dtype=np.int64),
        headers=found.headers,
        keys=_keys(columns["Key"], rows),
        columns=columns,
        own=own,
        certain=bool(head["certain"]),
    )
    return sheet if filled.all() else sheet.take(np.flatnonzero(filled))


def _cell_column(header: str, index: int, rows: int, buffers: Sequence[bytes]) -> RawColumn:
    states, numbers, places, ends, blob = buffers
    return RawColumn(
        header,
        index,
        np.frombuffer(states, np.uint8, rows),
        np.frombuffer(numbers, np.float64, rows),
        Texts(np.frombuffer(places, np.int64), np.frombuffer(ends, np.int64), blob),
    )


def _text_column(header: str, index: int, rows: int, buffers: Sequence[bytes]) -> RawColumn:
    lengths = np.frombuffer(buffers[0], np.int64, rows)
    places = np.flatnonzero(lengths).astype(np.int64)
    states = np.where(lengths > 0, TEXT, BLANK).astype(np.uint8)
    ends = np.cumsum(lengths)[places]
    return RawColumn(header, index, states, np.full(rows, np.nan), Texts(places, ends, buffers[1]))


def _mark(
    columns: dict[str, RawColumn],
    buffers: Sequence[bytes],
    errors: Mapping[int, str],
    rows: int,
) -> None:
    """Write into the columns where formulas and errors stand."""
    at = np.frombuffer(buffers[0], np.int64) - 1  # the header is row 0
    index = np.frombuffer(buffers[1], np.int64)
    formula = np.frombuffer(buffers[2], np.uint8).astype(bool)
    below = (at >= 0) & (at < rows)
    for name in [name for name in EDITABLE if name in columns]:
        column = columns[name]
        here = np.flatnonzero(below & (index == column.index))
        if not len(here):
            continue
        states = column.states.copy()
        states[at[here[formula[here]]]] |= FORMULA
        wrong = {int(at[place]): errors[place] for place in here.tolist() if place in errors}
        for row in wrong:
            states[row] = (states[row] & FORMULA) | ERROR
        columns[name] = replace(column, states=states, texts=_with_texts(column.texts, wrong))


def _with_texts(texts: Texts, more: Mapping[int, str]) -> Texts:
    """Texts with some added or replaced."""
    if not more:
        return texts
    all_texts = {int(row): texts.at(int(row)) for row in texts.places} | dict(more)
    ordered = sorted((row, text.encode()) for row, text in all_texts.items() if text)
    if not ordered:
        return NO_TEXTS
    lengths = np.array([len(text) for _, text in ordered], dtype=np.int64)
    places = np.array([row for row, _ in ordered], dtype=np.int64)
    return Texts(places, np.cumsum(lengths), b"".join(text for _, text in ordered))


def _keys(column: RawColumn, rows: int) -> NDArray[np.int64]:
    """Rating keys of a column of texts; 0 blank, -1 damaged."""
    keys = np.empty(rows, dtype=np.int64)
    for first in range(0, rows, 100_000):
        part = slice(first, min(first + 100_000, rows))
        texts = column.texts.dense(part)
        joined = "".join(texts)
        if joined.isascii() and joined.isdecimal() and all(texts) and max(map(len, texts)) < 19:
            keys[part] = np.fromiter(map(int, texts), np.int64, len(texts))
            keys[part][keys[part] == 0] = -1
        else:
            keys[part] = np.fromiter(map(key_of_text, texts), np.int64, len(texts))
    return keys
