"""Settle an interrupted run by reading Plex, then finish it or take it back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from plexsheet.apply.batches import Mode
from plexsheet.apply.completion import close
from plexsheet.apply.guard import ToldToStop
from plexsheet.apply.pace import Pace
from plexsheet.apply.run import Outcome, RunLoop
from plexsheet.errors import PlexError
from plexsheet.operations.session import Session
from plexsheet.operations.undo import plan_back
from plexsheet.state import planned_rows, runs
from plexsheet.state.runs import Run, open_run

NOT_ANY_MORE = "Not written: the run was taken back."


def resume(
    session: Session,
    *,
    take_back: bool = False,
    mode: Mode | None = None,
    stop: Callable[[], bool] = lambda: False,
    pace: Pace | None = None,
) -> Outcome | None:
    """Settle an interrupted run by reading Plex, then go on with it or take it back.

    Args:
        session: connected, with the right to write.
        take_back: undo what it did instead of finishing it.
        mode: how ratings are written; None for the settings'.
        stop: asked between requests; true ends tidily, resumable.
        pace: other pauses than the settings'.

    Returns:
        What became of it; for a run taken back, of the run that did so.  None: no run is open.

    Raises:
        Busy: another plexsheet is writing.
        StateError: the outcome cannot be recorded.
    """
    state, gateway, config = session.state, session.gateway, session.config
    pace = replace(pace or Pace(), cooldown=(config.cooldown_batch, config.cooldown_sleep))
    how = (mode or config.write_mode, pace, session.progress, stop)
    with state.writing("resume"):
        run = open_run(state, session.scope)
        if run is None:
            return None
        loop = RunLoop(run.id, gateway, state, *how)
        try:
            loop.resolve_doubts()
            if not take_back:
                return loop.go()
            back = _begin_taking_back(session, run)
        except (PlexError, ToldToStop) as error:
            return loop.stopped_by(error)
        return RunLoop(back, gateway, state, *how).go()


def _begin_taking_back(session: Session, run: Run) -> int:
    """Close a run and open the one that reverses it, in one transaction."""
    state = session.state
    plan = plan_back(session, run, None, "take-back")
    with state.database.transaction():
        runs.give_up(state, run.id, NOT_ANY_MORE)
        close(state, run.id, "taken back")
        return planned_rows.begin(state, run.scope, plan, undoes=run.id)
