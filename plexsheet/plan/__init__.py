"""Base, workbook and Plex compared into a plan of writes (pure).

============== =================================================================
`model`        what a plan is
`merge`        edits of a file against their base and Plex as it is now
`decided`      one edit, and what is done about it
`limits`       how much may change before a number has to be typed
`infer`        inferred values against what stands in Plex: which to write
`undo`         a run as the plan that takes it back
`verification` whether what Plex holds is what a row meant
============== =================================================================
"""

from plexsheet.plan.infer import TagNames, infer_plan
from plexsheet.plan.limits import Budget, held_over_budget
from plexsheet.plan.merge import merge
from plexsheet.plan.model import CHANGE, Plan, RowOutcome, changes, from_records, no_changes

__all__ = [
    "CHANGE",
    "Budget",
    "Plan",
    "RowOutcome",
    "TagNames",
    "changes",
    "from_records",
    "held_over_budget",
    "infer_plan",
    "merge",
    "no_changes",
]
