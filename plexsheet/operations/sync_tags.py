"""Put our tags where our ratings stand, and nowhere else."""

from __future__ import annotations

from plexsheet.operations.marks import all_tag_names, look, tag_names
from plexsheet.operations.session import Session
from plexsheet.plan.model import Plan
from plexsheet.plan.undo import sync_plan
from plexsheet.state.journal import refuse_open_run


def prepare_sync_tags(session: Session) -> Plan:
    """The plan that puts our tags where our ratings stand, and nowhere else."""
    refuse_open_run(session.state, session.scope)
    whole = look(session, all_tag_names(session))
    return sync_plan(whole.library, whole.owned, whole.shadow, whole.carriers, tag_names(session))
