"""Compare Plex with what is remembered."""

from __future__ import annotations

from typing import Any

from plexsheet.operations.marks import all_tag_names, look, tag_names
from plexsheet.operations.session import Session
from plexsheet.plan.undo import problems


def verify(session: Session) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Compare Plex with what we remember: one listing per kind, none per item.

    Returns:
        Counts (checked, overrides, orphans, tag_mismatches), and the rows behind them.
    """
    whole = look(session, all_tag_names(session))
    rows = problems(whole.library, whole.owned, whole.shadow, whole.carriers, tag_names(session))
    named = {"overrides": "override", "orphans": "orphan", "tag_mismatches": "tag_mismatch"}
    counts = {name: sum(row["problem"] == one for row in rows) for name, one in named.items()}
    return {"checked": sum(len(entries) for entries in whole.shadow.values())} | counts, rows
