"""Find our ratings again by their tag, after the state was lost."""

from __future__ import annotations

from plexsheet.errors import UsageError
from plexsheet.library import KINDS
from plexsheet.operations.marks import look, tag_names
from plexsheet.operations.session import Session
from plexsheet.plan.model import Plan
from plexsheet.plan.undo import reconstruct_plan
from plexsheet.state import journal
from plexsheet.state.journal import refuse_open_run


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
    return reconstruct_plan(whole.library, whole.shadow, whole.carriers, tags)


def forgotten(session: Session) -> int:
    """How many items carry our tag though nothing is remembered of them: a state was lost.

    Asked of Plex only while no run of this library is known.
    """
    state, scope, tag = session.state, session.scope, session.config.inferred_tag
    known = any(len(entries) for entries in state.shadows(scope).values())
    if known or not tag or journal.runs(state, scope):
        return 0
    return sum(len(session.gateway.carriers(kind, tag)) for kind in KINDS)
