"""Put our tags where our ratings stand, and nowhere else."""

from __future__ import annotations

from collections.abc import Collection

from plexsheet.operations.brakes import refuse_parted, refuse_unknown_marks
from plexsheet.operations.marks import all_tag_names, look, tag_names
from plexsheet.operations.session import Session
from plexsheet.plan.model import Plan
from plexsheet.plan.undo import Spared, sync_plan
from plexsheet.state.runs import refuse_open_run


def prepare_sync_tags(session: Session, *, confirm: Collection[int] = ()) -> Plan:
    """The plan that puts our tags where our ratings stand, and nowhere else.

    Raises:
        Parted: as ``prepare_cleanup``.
    """
    refuse_open_run(session.state, session.scope)
    whole, names = look(session, all_tag_names(session)), tag_names(session)
    refuse_parted(session, whole.reading, confirm)
    confirmed = refuse_unknown_marks(session, whole, confirm)
    spared = Spared({} if confirmed else whole.unproven, {}, names)
    return sync_plan(whole.library, whole.owned, whole.shadow, whole.carriers, names, spared)
