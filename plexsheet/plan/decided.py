"""One edit, and what is done about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from plexsheet.plan.model import Edit, Happened
from plexsheet.ratings import UNRATED

Record = dict[str, Any]


@dataclass
class Decided:
    """What one edit comes to: rows of a plan, and a line of the report."""

    edit: Edit
    key: int
    outcome: Happened
    plex_now: float | str = UNRATED
    code: str = ""
    message: str = ""
    records: list[Record] = field(default_factory=list)
    emptied: bool = False

    @property
    def writes_rating(self) -> bool:
        """Whether a rating of the person's changes."""
        return self.outcome == "Would apply" and self.edit.field == "rating"

    @property
    def wish(self) -> float:
        """The rating that would be written, 0-10, NaN to remove it."""
        return float(self.records[0]["after"])

    def held(self, code: str, message: str, outcome: Happened = "Held") -> None:
        """Leave it undone, and say why."""
        self.outcome, self.code, self.message, self.records = outcome, code, message, []
