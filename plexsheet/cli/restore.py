"""``restore``: an older workbook's ratings put back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from plexsheet.cli.app import (
    WORKBOOK_FILE,
    App,
    Done,
    json_option,
    preview_option,
    yes_option,
)

if TYPE_CHECKING:
    from plexsheet.operations import Session
    from plexsheet.plan import Plan


@click.command(
    epilog="""\b
Examples:
  plexsheet restore march.xlsx --preview     show what would be put back
  plexsheet restore march.xlsx               show it, ask, write it
  plexsheet restore march.xlsx --exact       also remove ratings given since
  plexsheet restore march.xlsx --confirm 900  yes, 900 ratings of a sheet are meant"""
)
@click.argument("workbook", type=WORKBOOK_FILE)
@click.option("--exact", is_flag=True, help="Also remove ratings that are not in the workbook.")
@click.option(
    "--confirm",
    multiple=True,
    type=int,
    metavar="N",
    help="Write a sheet that is held back, by giving the number shown.",
)
@preview_option
@yes_option
@json_option
@click.pass_obj
def restore(
    app: App,
    workbook: Path,
    exact: bool,
    confirm: tuple[int, ...],
    preview: bool,
    yes: bool,
    as_json: bool,
) -> Done:
    """Put your ratings back as the older WORKBOOK shows them, also into a rebuilt library.

    Items whose Key changed are found again by guid, by titles and length, or by file.
    Ratings given since stay, unless --exact.  A restore is a run, and can be undone.
    """
    from plexsheet import operations
    from plexsheet.cli.planned import planned

    app.as_json = as_json

    def plan(session: Session) -> Plan:
        return operations.prepare_restore(session, workbook, exact=exact, confirm=confirm)

    return planned(app, plan, heading=f"Ratings of {workbook.name}", preview=preview, yes=yes)
