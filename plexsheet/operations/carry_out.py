"""Carry out a plan: the one way from a plan to Plex."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from plexsheet.operations import kept_outcome
from plexsheet.operations.session import Session

if TYPE_CHECKING:
    from plexsheet.apply.run import Outcome
    from plexsheet.plan import Plan
    from plexsheet.state.runs import Origin


def carry_out(
    session: Session,
    plan: Plan,
    *,
    stop: Callable[[], bool] = lambda: False,
    origin: Origin | None = None,
    undoes: int = 0,
) -> Outcome:
    """Write a plan to Plex, and nothing but the plan.

    Args:
        session: connected, with the right to write.
        plan: what a ``prepare_*`` returned.
        stop: asked between requests; true ends tidily, resumable.
        origin: the file the plan came from.
        undoes: the run it takes back.

    Raises:
        OpenRun: an earlier run is not settled.
        StateError: the plan or its outcome cannot be recorded.
    """
    from plexsheet.apply.run import apply
    from plexsheet.state import guesses

    config, began = session.config, time.monotonic()
    for kind, kept in plan.guesses.items():  # before any write, so that none lacks its guess
        guesses.add(session.state, session.scope, kind, kept)
    outcome = apply(
        plan,
        session.gateway,
        session.state,
        stop=stop,
        mode=config.write_mode,
        progress=session.progress,
        cooldown=(config.cooldown_batch, config.cooldown_sleep),
        origin=origin,
        undoes=undoes,
    )
    _learn_speed(session, outcome.written, time.monotonic() - began)
    kept_outcome.keep(session, plan, outcome)
    return outcome


def _learn_speed(session: Session, written: int, seconds: float) -> None:
    """Remember how long this server takes for a change, newer runs counting more."""
    if written < 20:  # too few to tell: connecting and reading would weigh most
        return
    known = session.state.kv(session.scope, "seconds_per_change")
    now = seconds / written
    session.state.set_kv(
        session.scope, "seconds_per_change", now if known is None else (known + now) / 2
    )


def write_estimate_s(session: Session, plan: Plan) -> float:
    """Seconds a plan will take, by this server's own speed; 0 while that is not known."""
    return float(session.state.kv(session.scope, "seconds_per_change", 0.0)) * len(plan)


def open_run(session: Session) -> int | None:
    """The run that was interrupted and is not settled."""
    from plexsheet.state.runs import open_run as find

    run = find(session.state, session.scope)
    return run.id if run else None
