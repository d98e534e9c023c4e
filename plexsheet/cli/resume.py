"""``resume``: settle and finish an interrupted run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from plexsheet.cli.app import App, Done, json_option, yes_option
from plexsheet.cli.interrupts import stoppable
from plexsheet.cli.planned import counts_payload, may_write, no_counts, tell

if TYPE_CHECKING:
    from plexsheet.operations import Session


@click.command(
    epilog="""\b
Examples:
  plexsheet resume                  finish the interrupted run
  plexsheet resume --take-back      undo what it did before it stopped"""
)
@click.option("--take-back", is_flag=True, help="Undo what the run did, instead of finishing it.")
@yes_option
@json_option
@click.pass_obj
def resume(app: App, take_back: bool, yes: bool, as_json: bool) -> Done:
    """Finish an interrupted run, or take it back.

    Rows in doubt are compared with Plex first, so nothing is written twice.
    """
    from plexsheet import operations
    from plexsheet.state.runs import open_run

    app.as_json = as_json
    config = app.config()
    with app.session(config, stop_at_open_run=False) as session:
        run = open_run(session.state, session.scope)
        if run is None:
            app.say("No run is open: nothing to resume.")
            _tell_of_others(app, session)
            return Done(0, counts_payload(None, False, no_counts()))
        doubtful = run.counts.get("sent", 0) + run.counts.get("applied", 0)
        doubt = f"; {doubtful:,} more are in doubt" if doubtful else ""
        app.say(
            f"Run {run.id} ({run.kind}) stopped after {run.ended:,} of {run.total:,} rows "
            f"{_ago(run.started)}{doubt}."
        )
        question = "Take back what it did?" if take_back else f"Go on with run {run.id}?"
        go, why_not, code = may_write(app, config, question, yes=yes, preview=False)
        if not go:
            app.say(why_not)
            return Done(code, counts_payload(run.id, True, no_counts()))
        with stoppable(app) as stop:
            outcome = operations.resume(session, take_back=take_back, stop=stop)
        return tell(app, session, outcome, kept=0)


def _tell_of_others(app: App, session: Session) -> None:
    """Say which runs are open in other libraries that the same state file remembers."""
    from plexsheet.state.runs import open_run

    for library in session.state.libraries():
        run = open_run(session.state, library["id"])
        if run is not None:
            app.say(
                f"Run {run.id} ({run.kind}) of the library “{library['title']}” on "
                f"{library['server']} is open: resume it with the settings or the --profile "
                "of that library."
            )


def _ago(moment: float) -> str:
    import time

    return time.strftime("on %Y-%m-%d at %H:%M", time.localtime(moment))
