"""What a row of a result workbook says it came to."""

from __future__ import annotations

from plexsheet.plan.model import RowOutcome

# What a row says, worst first: also the order of the Changes sheet.
STATUSES = (
    "Error",
    "Conflict",
    "Held",
    "Would apply",
    "Applied",
    "Healed",
    "Updated in Plex",
    "Already so",
)
_SAID = {"Kept": "Updated in Plex", "Unchanged": "Already so"}
SETTLED = ("Applied", "Healed", "Kept", "Unchanged")  # the row's values become the new base


def said(outcome: RowOutcome) -> str:
    """The word a person reads for an outcome."""
    return _SAID.get(outcome.outcome, outcome.outcome)


def severity(outcome: RowOutcome) -> int:
    """Place among ``STATUSES``: the lower, the worse."""
    return STATUSES.index(said(outcome))
