"""How much an import may change before it waits for a number that the person types (pure)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from plexsheet.messages import text
from plexsheet.plan.decided import Decided
from plexsheet.plan.model import Plan
from plexsheet.ratings import show_stars

EMPTIED_ROWS, EMPTIED_SHARE, EMPTIED_LEAST = 20, 0.05, 5  # beyond, emptied cells are held
ONE_VALUE_ROWS, ONE_VALUE_SHARE = 200, 0.5


@dataclass(frozen=True)
class Budget:
    """How much a file may change before a number has to be typed (CHANGE_BUDGET)."""

    share: float = 0.2
    min_rows: int = 200
    max_rows: int = 2000

    def exceeded(self, changed: int, rows: int) -> bool:
        """Whether so many changed rows of a sheet are too many; ``rows`` is 0 where unknown."""
        if changed > self.max_rows:
            return True
        return rows > 0 and changed > self.share * rows and changed > self.min_rows


def held_over_budget(
    plan: Plan, rows: Mapping[str, int], budget: Budget, confirm: Collection[int] = ()
) -> Plan:
    """A plan made of a whole file, without the sheets of which too much would change (S04).

    Args:
        plan: its changes and outcomes name their sheets.
        rows: of each sheet.
        budget: how much is not too much.
        confirm: numbers the person typed.
    """
    counts = Counter(plan.changes["sheet"].tolist())
    stopped: dict[str, str] = {}
    for sheet, n in sorted(counts.items()):
        if n not in confirm and budget.exceeded(n, rows.get(sheet, 0)):
            stopped[sheet] = _over(sheet, n, rows.get(sheet, 0))
    outcomes = tuple(
        replace(one, outcome="Held", code="S04", message=stopped[one.sheet])
        if one.sheet in stopped and one.outcome == "Would apply"
        else one
        for one in plan.outcomes
    )
    left = plan.changes[~plan.changes["sheet"].isin(list(stopped))].reset_index(drop=True)
    told = [
        {"sheet": sheet, "code": "S04", "message": message, "rows": counts[sheet]}
        for sheet, message in stopped.items()
    ]
    return replace(plan, changes=left, outcomes=outcomes, notes={**plan.notes, "stopped": told})


def _over(sheet: str, n: int, rows: int, variant: str = "") -> str:
    share = f"{100 * n / rows:.0f} %" if rows else "much"
    return text("S04", variant, count=n, share=share, sheet=sheet, number=n)


class Brakes:
    """What stops a sheet, or a group of its rows, until the person types a number."""

    def __init__(self, confirm: frozenset[int], budget: Budget, unattended: bool) -> None:
        self.confirm, self.budget = confirm, budget
        self.variant = "unattended" if unattended else ""
        self.wanted: set[int] = set()
        self.stopped: list[dict[str, Any]] = []
        self.told: list[dict[str, Any]] = []

    def emptied(self, sheet: str, decided: Iterable[Decided], rated: int) -> None:
        """Hold many emptied cells (W23)."""
        gone = [one for one in decided if one.emptied and one.outcome == "Would apply"]
        n = len(gone)
        many = n > EMPTIED_ROWS or (n >= EMPTIED_LEAST and rated > 0 and n > EMPTIED_SHARE * rated)
        if not many or n in self.confirm:
            return
        told = text("W23", "many", count=n, number=n)
        self._note(sheet, "W23", told, n)
        for one in gone:
            shown = show_stars(float(one.plex_now))
            one.held("W23", text("W23", "held", stars=shown, count=n))

    def budgeted(self, sheet: str, decided: Iterable[Decided], rows: int) -> None:
        """Hold a sheet of which too much would change (S04)."""
        going = [one for one in decided if one.writes_rating]
        n = len(going)
        if n in self.confirm or not self.budget.exceeded(n, rows):
            return
        self._hold(sheet, "S04", _over(sheet, n, rows, self.variant), going)

    def one_value(self, sheet: str, decided: Iterable[Decided]) -> None:
        """Hold a sheet that gives most of its changed rows one value (S05)."""
        going = [one for one in decided if one.writes_rating and not math.isnan(one.wish)]
        if not going:
            return
        value, n = Counter(round(one.wish, 2) for one in going).most_common(1)[0]
        if n <= ONE_VALUE_ROWS or n <= ONE_VALUE_SHARE * len(going) or n in self.confirm:
            return
        told = text("S05", self.variant, count=n, stars=show_stars(value), number=n)
        self._hold(sheet, "S05", told, going, n)

    def _hold(self, sheet: str, code: str, told: str, going: Sequence[Decided], n: int = 0) -> None:
        self._note(sheet, code, told, n or len(going))
        self.stopped.append({"sheet": sheet, "code": code, "message": told, "rows": len(going)})
        for one in going:
            one.held(code, told)

    def _note(self, sheet: str, code: str, told: str, number: int) -> None:
        self.wanted.add(number)
        self.told.append({"sheet": sheet, "code": code, "message": told, "number": number})
