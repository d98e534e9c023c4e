"""``sync-tags``: put the tags for inferred ratings right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from plexsheet.cli.app import (
    App,
    Done,
    confirm_option,
    json_option,
    preview_option,
    yes_option,
)
from plexsheet.cli.planned import planned

if TYPE_CHECKING:
    from plexsheet.operations import Session
    from plexsheet.plan import Plan


@click.command(
    name="sync-tags",
    epilog="""\b
Examples:
  plexsheet sync-tags --preview     which tags are missing or left over
  plexsheet sync-tags               put them right""",
)
@confirm_option("Go on though so many ratings are not as they were left (S06, S08).")
@preview_option
@yes_option
@json_option
@click.pass_obj
def sync_tags(app: App, confirm: tuple[int, ...], preview: bool, yes: bool, as_json: bool) -> Done:
    """Add INFERRED_TAG and TWIN_TAG where they belong, and remove them elsewhere.

    Ratings and your own tags stay as they are.
    """
    from plexsheet import operations

    app.as_json = as_json

    def plan(session: Session) -> Plan:
        return operations.prepare_sync_tags(session, confirm=confirm)

    return planned(app, plan, heading="Tags to fix", preview=preview, yes=yes)
