"""``undo``: take back one run, or everything inferred."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from plexsheet.cli.app import (
    RUN_NUMBER,
    App,
    Done,
    confirm_option,
    json_option,
    preview_option,
    yes_option,
)
from plexsheet.cli.planned import planned
from plexsheet.errors import UsageError

if TYPE_CHECKING:
    from plexsheet.operations import Session
    from plexsheet.plan import Plan


@click.command(
    epilog="""\b
Examples:
  plexsheet undo 12 --preview          show what would be put back
  plexsheet undo 12                    show it, ask, put it back
  plexsheet undo 12 --sheet Albums     only the albums
  plexsheet undo --inferred            remove every inferred rating and tag"""
)
@click.argument("run", type=RUN_NUMBER, required=False)
@click.option("--inferred", is_flag=True, help="Take back everything inferred, of all runs.")
@click.option(
    "--sheet",
    type=click.Choice(["Artists", "Albums", "Tracks", "Twins"], case_sensitive=False),
    help="Only this kind of item.",
)
@confirm_option("Go on though so many ratings are not as they were left (S06, S08).")
@preview_option
@yes_option
@json_option
@click.pass_obj
def undo(
    app: App,
    run: int | None,
    inferred: bool,
    sheet: str | None,
    confirm: tuple[int, ...],
    preview: bool,
    yes: bool,
    as_json: bool,
) -> Done:
    """Take back one RUN, or with --inferred every inferred rating and tag.

    What you changed since stays as it is.  An undo is a run too, and can be undone.
    """
    from plexsheet import operations

    app.as_json = as_json
    if (run is None) is not inferred:
        raise UsageError("Name one run (`plexsheet history` lists them), or give --inferred.")
    if inferred and sheet:
        raise UsageError("--inferred takes back everything; leave --sheet out.")

    def plan(session: Session) -> Plan:
        if run is None:
            return operations.prepare_cleanup(session, confirm=confirm)
        made = operations.prepare_undo(session, run, sheet=sheet)
        already = operations.taken_back_by(session, run)
        if already is not None:
            app.say(
                f"Run {run} was taken back by run {already}. To bring it back: "
                f"plexsheet undo {already}"
            )
        return made

    heading = "Everything inferred, taken back" if inferred else f"Run {run}, taken back"
    return planned(app, plan, heading=heading, preview=preview, yes=yes, undoes=run or 0)
