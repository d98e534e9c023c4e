"""The rows of one sheet: which cells were edited, to what, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plexsheet import ratings
from plexsheet.library import KINDS, Kind
from plexsheet.messages import Message, say
from plexsheet.plan.model import WITHDRAWN, Edit, Field
from plexsheet.workbook.edits import rate_next, scramble
from plexsheet.workbook.edits.duplicates import doubled, first_few, joined_words, one_key_groups
from plexsheet.workbook.edits.match_decisions import Taken, match_decisions
from plexsheet.workbook.edits.row_base import (
    NO_CHECK,
    Bases,
    Bools,
    Floats,
    RowBase,
    candidates_by_check,
    row_base_of,
)
from plexsheet.workbook.edits.rules import Rules, Validated
from plexsheet.workbook.edits.twin_decisions import twin_edits
from plexsheet.workbook.reading.raw import RawSheet, RawWorkbook
from plexsheet.workbook.schema import cell_values
from plexsheet.workbook.schema.cell_values import BLANK, FORMULA, NUMBER, STATE_BITS, CellReading
from plexsheet.workbook.schema.columns import IDENTITY
from plexsheet.workbook.schema.layout import RATING_TYPE

_A_KIND = {"artist": "an artist", "album": "an album", "track": "a track"}
_AT_ODDS = ("ACCEPT", "clear")
_READ_ONLY = {"In Plex": "in_plex", "Inferred": "inferred"}


class SheetRows:
    """One sheet on its way from cells to edits."""

    def __init__(
        self,
        raw: RawWorkbook,
        sheet: RawSheet,
        kind: Kind,
        bases: Bases | None,
        current: Bases | None,
        rules: Rules,
        elsewhere: Mapping[Kind, NDArray[np.int64]],
    ) -> None:
        self.raw, self.sheet, self.kind, self.rules = raw, sheet, kind, rules
        self.bases, self.current = bases, current
        self.row_base: RowBase = row_base_of(sheet, kind, bases, current)
        self.scale = raw.scale
        self.elsewhere = elsewhere.get(kind, np.zeros(0, np.int64))
        self.messages: list[Message] = []
        self.edits: list[Edit] = []
        self.touched: set[int] = set()  # rows with an edit or an error
        self.mismatched: Bools = self.row_base.mismatched()
        self.readings: dict[int, CellReading] = {}  # rating cells that are not plain
        self.checks: dict[tuple[str, int], int] = {}  # of songs taken from a review workbook
        self.withdrawn: set[int] = set()  # rows that say a rating shall be inferred again

    def judged(self) -> Validated:
        """The sheet's part of the result."""
        stop = self._stop_identity()
        if stop is None and self.sheet.sheet == "Twins":
            self._twins()
        elif stop is None:
            mine = self._ratings()
            stop = self._stop_ratings(mine)
            if stop is None and self.sheet.sheet == "Matches":
                self._matches(mine)
            elif stop is None:
                self._rows(mine)
        if stop is not None:
            self.edits, self.messages = [], [stop]
        keyed = int(np.count_nonzero(self.row_base.keys))
        name = self.sheet.name
        rated = int(np.count_nonzero(~np.isnan(self.row_base.mine)))
        return Validated(
            tuple(self.edits),
            tuple(self.messages),
            {name: stop.code} if stop else {},
            {name: keyed},
            {name: rated},
            {name: max(keyed - len(self.touched), 0)},
            self.row_base.origin in ("plex", "none") and self.sheet.sheet != "Twins",
            self.checks,
        )

    # ------------------------------------------------------------ scrambles

    def _accepted(self) -> bool:
        return self.sheet.name.casefold() in self.rules.accept_scramble

    def _stop_identity(self) -> Message | None:
        told = (self.row_base.titled != NO_CHECK) & (self.row_base.keys > 0)
        found = scramble.identity(self.mismatched[told])
        if found is None or self._accepted():
            return None
        return say("S01", sheet=self.sheet.name, count=found.rows)

    def _stop_ratings(self, mine: Floats) -> Message | None:
        base = self.row_base.in_plex if self.raw.legacy else self.row_base.mine
        keyed = self.row_base.known & (self.row_base.keys > 0)
        found = scramble.of_ratings(base[keyed], mine[keyed], in_order=self._in_order)
        if found is None or self._accepted():
            return None
        if found.code == "S02":
            return say("S02", variant=found.variant, sheet=self.sheet.name)
        first = int(self.sheet.rows[np.flatnonzero(keyed)[found.first]])
        many = abs(found.offset)
        cells = "one cell" if many == 1 else f"{many} cells"
        return say(
            "S03",
            sheet=self.sheet.name,
            first_row=str(first),
            rows="one row" if many == 1 else f"{many} rows",
            direction="high" if found.offset > 0 else "low",
            cause=f"{'deleting' if found.offset > 0 else 'inserting'} {cells}",
        )

    def _in_order(self) -> bool:
        """Whether the rows stand as exported, or sorted by an identity column."""
        place = self.row_base.place[self.row_base.place >= 0]
        if len(place) and (np.all(np.diff(place) >= 0) or _monotone(self.row_base.keys.tolist())):
            return True
        headers = ("Sort name", *(IDENTITY[self.sheet.sheet] if self.sheet.sheet else ()))
        for header in headers:
            if header in self.sheet.columns:
                texts = self.sheet.columns[header].texts.dense(slice(0, len(self.sheet)))
                if _monotone([text.casefold() for text in texts]):
                    return True
        return False

    # ------------------------------------------------------------ columns

    def _ratings(self) -> Floats:
        """The rating column as the person left it; refused cells count as not edited."""
        column = self.sheet.columns["My rating"]
        mine, plain = cell_values.rating_column(column.states, column.numbers, scale=self.scale)
        base = self.row_base.in_plex if self.raw.legacy else self.row_base.mine
        for row in np.flatnonzero(~plain).tolist():
            reading = cell_values.rating(*column.cell(row), scale=self.scale)
            self.readings[row] = reading
            mine[row] = base[row] if reading.kind == "refused" else reading.rating
        said_elsewhere = self._said_elsewhere()
        mine[said_elsewhere] = base[said_elsewhere]
        return mine

    def _said_elsewhere(self) -> Bools:
        """Untouched rows whose item is edited in its other place, or has its own sheet."""
        if not len(self.elsewhere) and self.sheet.name != rate_next.SHEET:
            return np.zeros(len(self.sheet), dtype=bool)
        untouched = rate_next.untouched(self.sheet, self.scale)
        if self.sheet.name == rate_next.SHEET:
            return untouched
        return untouched & np.isin(self.sheet.keys, self.elsewhere)

    def _rows(self, mine: Floats) -> None:
        changed = ~ratings.same_array(mine, self.row_base.mine)
        if self.raw.legacy:
            changed = self._legacy_changes(mine, changed)
        said = np.zeros(len(self.sheet), dtype=bool)
        for row, reading in self.readings.items():
            said[row] = reading.kind in ("clear", "refused")
        action = self._nonblank("Action")
        year = self._year_changes()
        candidates = changed | said | action | year
        candidates |= doubled(self.row_base.keys, candidates)
        skip = self._duplicates(candidates, mine)
        for row in np.flatnonzero(candidates).tolist():
            if row not in skip:
                self._row(row, mine, bool(changed[row]), bool(year[row]))
        self._read_only_cells()

    def _nonblank(self, header: str) -> Bools:
        if header not in self.sheet.columns:
            return np.zeros(len(self.sheet), dtype=bool)
        return np.asarray(self.sheet.columns[header].states != BLANK)

    def _year_changes(self) -> Bools:
        if "Year" not in self.sheet.columns or self.kind != "album":
            return np.zeros(len(self.sheet), dtype=bool)
        column = self.sheet.columns["Year"]
        kinds = column.states & STATE_BITS
        with np.errstate(invalid="ignore"):
            same = (kinds == NUMBER) & (column.numbers == self.row_base.year)
        same |= (column.states == BLANK) & (self.row_base.year == 0)
        for row in np.flatnonzero((kinds != NUMBER) & (column.states != BLANK)).tolist():
            same[row] = column.shown(row).strip() == f"{self.row_base.year[row]:04d}"
        ours = (self.sheet.keys != 0) | (self.row_base.written != NO_CHECK)
        return np.asarray(~same & ours)

    def _legacy_changes(self, mine: Floats, changed: Bools) -> Bools:
        """Rows of a plex-rating-utils list that say something new, by their ratingType."""
        if RATING_TYPE not in self.sheet.columns:
            return changed
        column = self.sheet.columns[RATING_TYPE]
        words = [w.strip().casefold() for w in column.texts.dense(slice(0, len(self.sheet)))]
        as_plex = ratings.same_array(mine, self.row_base.in_plex)
        for row, word in enumerate(words):
            if word == "manual":
                continue
            if word == "inferred":
                changed[row] = not math.isnan(self.row_base.mine[row])
                if changed[row]:  # the person's until now; what the cell says no longer matters
                    self.withdrawn.add(row)
                    self.readings[row], mine[row] = CellReading("blank"), math.nan
                elif not as_plex[row] and not math.isnan(mine[row]):
                    stars = ratings.show_stars(mine[row])
                    self._say("W60", row, variant="inferred", column=RATING_TYPE, stars=stars)
            elif word == "":
                changed[row] &= not as_plex[row]
            else:
                self._say("E20", row, "rating", variant="type", value=column.shown(row))
                changed[row] = False
                self.touched.add(row)
        return changed

    # ------------------------------------------------------------ one row

    def _row(self, row: int, mine: Floats, changed: bool, year: bool) -> None:
        if not self._identified(row, changed, year):
            return
        action = self._action(row)
        reading = self.readings.get(row, CellReading("blank"))
        if row not in self.readings and not math.isnan(mine[row]):
            reading = CellReading("value", float(mine[row]))
        date = self._year(row) if year else cell_values.EMPTY
        refused = [
            (one, name)
            for one, name in ((reading, "rating"), (action, "rating"), (date, "released"))
            if one.kind == "refused"
        ]
        for one, name in refused:
            self._refuse(row, one, name)
        if refused or self._contradicts(row, reading, action.word, changed):
            return
        before = len(self.edits)
        self._rating_edits(row, reading, action.word, changed)
        if date.kind == "value":
            base = float(self.row_base.year[row]) or math.nan
            self._edit(row, "released", base=base, wanted_text=date.word, action=_side(action))
        elif year:
            self._say("W60", row, "released", variant="year", column="Year")
        if len(self.edits) > before and row in self.row_base.healed:
            said = self.row_base.healed[row]
            self._say("I03", row, value=said)

    def _identified(self, row: int, changed: bool, year: bool = False) -> bool:
        """Whether it is clear which item the row is; says so where not."""
        key = int(self.row_base.keys[row])
        if key == 0:
            action = bool(self.sheet.text("Action", row))
            if changed or action or year:
                variant = "" if changed else "action" if action else "year"
                if self.sheet.sheet == "Twins":
                    variant = "decision"
                self._say("E01", row, "rating", variant=variant)
                self.touched.add(row)
            return False
        code, variant, values = self._trouble(row, key)
        if not code:
            return True
        self._say(code, row, "rating", variant=variant, **values)
        self.touched.add(row)
        return False

    def _trouble(self, row: int, key: int) -> tuple[str, str, dict[str, object]]:
        if key == -1:
            said, meant = self.sheet.text("Key", row), self._meant(row)
            if meant:
                return "E03", "", {"value": said, "key": meant}
            return "E03", "unknown", {"value": said}
        if not self.row_base.known[row] and self.row_base.origin in ("state", "plex"):
            kind = self._kind_of(key)
            if kind is None:
                return "E02", "", {}
            if kind != self.kind:
                return "E07", "", {"kind": _A_KIND[kind]}
            if not self.rules.allow_new_rows:
                return "E08", "", {}
        if self.mismatched[row]:
            title = self.rules.title_of(self.kind, key)
            values: dict[str, object] = {"value": self._title(row), "title": title}
            return "E05", "" if title else "unknown", values
        return "", "", {}

    def _kind_of(self, key: int) -> Kind | None:
        for kind in KINDS:
            table = (self.bases or self.current or {}).get(kind)
            if table is not None and kind != self.kind and (table["key"] == key).any():
                return kind
        return self.rules.strangers.get(key)

    def _meant(self, row: int) -> int:
        """The Key that a damaged one was, by its Check alone; 0 unknown."""
        table = (self.bases or self.current or {}).get(self.kind)
        if table is None or self.row_base.written[row] == NO_CHECK:
            return 0
        return candidates_by_check(table).get(int(self.row_base.written[row]), 0)

    def _action(self, row: int) -> CellReading:
        if "Action" not in self.sheet.columns:
            return cell_values.EMPTY
        return cell_values.action(*self.sheet.columns["Action"].cell(row))

    def _year(self, row: int) -> CellReading:
        return cell_values.year(*self.sheet.columns["Year"].cell(row), last=self.rules.next_year)

    def _contradicts(self, row: int, reading: CellReading, action: str, changed: bool) -> bool:
        code = ""
        typed = reading.kind == "value" and changed
        if action in ("ACCEPT", "CLEAR") and (typed or (action, reading.kind) == _AT_ODDS):
            code = "E21"
        elif action == "ACCEPT" and math.isnan(self.row_base.inferred[row]):
            code = "E22"
        if not code:
            return False
        wish = "CLEAR" if reading.kind == "clear" else ratings.show_stars(reading.rating)
        self._say(code, row, "rating", action=action, stars=wish)
        self.touched.add(row)
        return True

    def _rating_edits(self, row: int, reading: CellReading, action: str, changed: bool) -> None:
        if action in ("EXCLUDE", "INCLUDE"):
            self._edit(row, "exclude", action=action)
            action = ""
        if action in ("ACCEPT", "CLEAR"):
            self._edit(row, "rating", action=action)
        elif reading.kind == "clear":
            self._edit(row, "rating", action="CLEAR")
        elif reading.kind == "value" and (changed or action == "MINE"):
            codes = (reading.code,) if reading.code else ()
            if reading.code:
                self._say(reading.code, row, "rating", variant="", **reading.values)
            self._edit(row, "rating", wanted=reading.rating, action=action, codes=codes)
        elif row in self.withdrawn:
            self._edit(row, "rating", wanted_text=WITHDRAWN)
        elif reading.kind == "blank" and changed:
            self._emptied(row, action)

    def _emptied(self, row: int, action: str) -> None:
        if self.sheet.certain or action:
            self._edit(row, "rating", action=action)
            return
        stars = ratings.show_stars(float(self.row_base.mine[row]))
        self._say("W23", row, "rating", variant="unsure", stars=stars)
        self.touched.add(row)

    def _edit(
        self,
        row: int,
        name: Field,
        *,
        wanted: float = math.nan,
        wanted_text: str = "",
        action: str = "",
        base: float | None = None,
        codes: tuple[str, ...] = (),
    ) -> None:
        row_base = self.row_base
        healed = ("I03",) if row in row_base.healed else ()
        self.touched.add(row)
        self.edits.append(
            Edit(
                sheet=self.sheet.name,
                row=int(self.sheet.rows[row]),
                kind=self.kind,
                key=int(row_base.keys[row]),
                field=name,
                base=float(row_base.mine[row]) if base is None else base,
                base_in_plex=float(row_base.in_plex[row]),
                base_source=row_base.source_of(self.sheet, row) if row_base.known[row] else -1,
                wanted=wanted,
                wanted_text=wanted_text,
                action=action,
                inferred=float(row_base.inferred[row]),
                title=self._title(row),
                codes=(*healed, *codes),
            )
        )

    def _refuse(self, row: int, reading: CellReading, name: str) -> None:
        self._say(reading.code, row, name, variant=reading.variant, **reading.values)
        self.touched.add(row)

    def _say(
        self, code: str, row: int, name: str = "", *, variant: str = "", **values: Any
    ) -> None:
        sheet, row_base = self.sheet, self.row_base
        key = int(values.pop("key", row_base.keys[row]))
        message = say(
            code,
            sheet=sheet.name,
            row=int(sheet.rows[row]),
            key=key,
            field=name,
            variant=variant,
            **values,
        )
        was = float(row_base.mine[row]) if name == "rating" else math.nan
        shown = message.value or (sheet.text("My rating", row) if name == "rating" else "")
        self.messages.append(
            replace(message, kind=self.kind, title=self._title(row), was=was, value=shown)
        )

    def _title(self, row: int) -> str:
        title = IDENTITY[self.sheet.sheet][0] if self.sheet.sheet else "Title"
        return self.sheet.text(title, row)

    # ------------------------------------------------------------ rows together

    def _duplicates(self, candidates: Bools, mine: Floats) -> set[int]:
        """Rows left out because their Key stands on another row too (E04, I04)."""
        groups = one_key_groups(self.row_base.keys, candidates)
        return {row for group in groups for row in self._one_key(group, mine)}

    def _one_key(self, group: Sequence[int], mine: Floats) -> set[int]:
        said = [self._says(row, mine) for row in group]
        same = len(set(said)) == 1
        rows = joined_words(first_few([str(self.sheet.rows[row]) for row in group]))
        values = joined_words(first_few(said))
        left = set(group[1:]) if same else set(group)
        for row in sorted(left):
            self._say("I04" if same else "E04", row, "rating", rows=rows, values=values)
        self.touched |= left
        return left

    def _says(self, row: int, mine: Floats) -> str:
        """What a row asks for, in words."""
        cells = [self.sheet.text(name, row) for name in ("My rating", "Action", "Year")]
        if row not in self.readings or self.readings[row].kind == "value":
            cells[0] = "" if math.isnan(mine[row]) else ratings.show_stars(float(mine[row]))
        return " ".join(text for text in cells if text) or "nothing"

    def _read_only_cells(self) -> None:
        """W60 where a column that cannot be edited was."""
        if self.row_base.origin != "state":
            return
        for header, name in _READ_ONLY.items():
            if header not in self.sheet.columns:
                continue
            column = self.sheet.columns[header]
            held = getattr(self.row_base, name)
            wrong = (column.states & FORMULA == 0) & self.row_base.known & ~self.mismatched
            said = np.where(column.states & STATE_BITS == NUMBER, column.numbers * 2, np.nan)
            wrong &= ~ratings.same_array(said, held, within=0.03)
            if name == "in_plex":  # the cell may show what was there before an import of it
                wrong &= ~self.row_base.moved
            if 2 * np.count_nonzero(wrong) > len(self.sheet) and len(self.sheet) > 1:
                continue  # another base than the file's
            for row in np.flatnonzero(wrong).tolist():
                self._say("W60", row, column=header, value=column.shown(row))

    def _matches(self, mine: Floats) -> None:
        found = match_decisions(self.sheet, self.row_base, mine, self.readings)
        for row, code, variant, name, values in found.refused:
            self._say(code, row, name, variant=variant, **values)
            self.touched.add(row)
        for one in found.taken:
            if self._identified(one.row, True):
                self._taken(one)

    def _taken(self, one: Taken) -> None:
        sheet, row, held = self.sheet, int(self.sheet.rows[one.row]), one.candidate.in_plex
        source = 0 if math.isnan(held) else 1
        self.touched.add(one.row)
        self.checks[sheet.name, row] = one.candidate.check
        self.edits.append(
            Edit(
                sheet.name, row, "track", one.candidate.key, "rating", held, held, source,
                one.rating, action=one.action, title=self._title(one.row),
            )
        )  # fmt: skip

    def _twins(self) -> None:
        found = twin_edits(self.sheet, self.row_base, self.rules.siblings)
        for row, code, variant, values in found.refused:
            self._say(code, row, "twin", variant=variant, **values)
            self.touched.add(row)
        for row, text in found.wanted:
            if self._identified(row, True):
                self._edit(row, "twin", base=math.nan, wanted_text=text)


def _side(action: CellReading) -> str:
    return action.word if action.word in ("MINE", "PLEX") else ""


def _monotone(values: Sequence[int] | Sequence[str]) -> bool:
    pairs = list(pairwise(values))
    return all(a <= b for a, b in pairs) or all(a >= b for a, b in pairs)  # type: ignore[operator]
