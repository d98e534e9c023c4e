"""Find our ratings again by their tag, after the state was lost."""

from __future__ import annotations

from plexsheet.apply.moved_items import many
from plexsheet.errors import UsageError
from plexsheet.operations.brakes import disagreeing
from plexsheet.operations.marks import look, tag_names
from plexsheet.operations.session import Session
from plexsheet.plan.model import Plan
from plexsheet.plan.undo import reconstruct_plan
from plexsheet.state.runs import refuse_open_run


def prepare_reconstruct(session: Session) -> Plan:
    """The plan that finds our ratings again by their tag, after the state was lost.

    Raises:
        UsageError: no tag marks them.
        PlexError: Plex cannot be read.
    """
    tags = tag_names(session)
    if not tags.inferred:
        raise UsageError(
            "INFERRED_TAG is empty, so nothing in Plex tells inferred ratings from yours. Nothing "
            "was changed. Set INFERRED_TAG to the tag that was used."
        )
    refuse_open_run(session.state, session.scope)
    whole = look(session, (tags.inferred, tags.twin))
    parted = many(*disagreeing(session, whole.reading, whole))
    return reconstruct_plan(
        whole.library,
        whole.owned,
        whole.shadow,
        whole.carriers,
        tags,
        theirs=whole.proven,
        parted=parted,
    )
