"""A sheet of a result workbook: the person's rows, what became of them, and the new base."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from plexsheet import ratings
from plexsheet.plan.model import RowOutcome
from plexsheet.ratings import stars_array
from plexsheet.workbook.reading.user_content import free_header, own_column
from plexsheet.workbook.reading.user_workbook import UserSheet, as_objects, key_of
from plexsheet.workbook.schema import formulas
from plexsheet.workbook.schema.check import check_of_text, check_texts
from plexsheet.workbook.schema.columns import ALL_SHEETS, Column, SheetName
from plexsheet.workbook.schema.finding import column_of, header_key
from plexsheet.workbook.schema.grid import FIRST_ROW, Array, Grid, is_blank
from plexsheet.workbook.writing.row_status import SETTLED, said, severity


class ResultSheet:
    """One sheet on its way from what was seen to what is written."""

    def __init__(self, seen: UserSheet) -> None:
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
        """Whether the sheet has a column of that name."""
        return any(column.name == name for column in self.columns)

    def place(self, name: str) -> int:
        """Which column that is, from 0."""
        return next(i for i, column in enumerate(self.columns) if column.name == name)

    def put(self, name: str, row: int, value: Any) -> None:
        """Set a cell, where the sheet has the column."""
        if self.has(name):
            self.values[self.place(name)][row] = value

    def get(self, name: str, row: int) -> Any:
        """A cell; None where the sheet has no such column."""
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

    def enter(self, outcomes: Sequence[RowOutcome]) -> None:
        """Enter what became of the rows."""
        by_row: dict[int, list[RowOutcome]] = {}
        for outcome in outcomes:
            by_row.setdefault(self.seen.place(outcome.row), []).append(outcome)
        by_row.pop(-1, None)
        for row, found in by_row.items():
            for outcome in found:
                if outcome.outcome in SETTLED:
                    self._enter(row, outcome)
            found.sort(key=severity)
            self.put("status", row, said(found[0]))
            texts = dict.fromkeys(outcome.message for outcome in found if outcome.message)
            self.put("message", row, " ".join(texts))

    def enter_elsewhere(self, outcomes: Sequence[RowOutcome]) -> None:
        """Enter ratings that were written for an edit in the item's other place of the file."""
        written = {
            one.key: one
            for one in outcomes
            if one.field == "rating" and one.outcome in SETTLED and one.key
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
        comments = {
            (row - FIRST_ROW, grid.headed(header)): text
            for (row, header), text in self.seen.comments.items()
            if row >= FIRST_ROW and grid.headed(header) >= 0
        }
        return replace(grid, comments=comments)


def _differ(left: Any, right: Any) -> bool:
    if is_blank(left) or is_blank(right):
        return is_blank(left) != is_blank(right)
    return bool(left != right)


def _year(value: float | str) -> int | None:
    text = str(value)[:4]
    return int(text) if text.isdecimal() else None
