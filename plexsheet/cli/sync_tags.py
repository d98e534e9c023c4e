"""``sync-tags``: put the tags for inferred ratings right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from plexsheet.cli.app import App, Done, json_option, preview_option, yes_option
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
@preview_option
@yes_option
@json_option
@click.pass_obj
def sync_tags(app: App, preview: bool, yes: bool, as_json: bool) -> Done:
    """Put INFERRED_TAG and TWIN_TAG on what is inferred, and off what is not.

    Ratings and your own tags stay as they are.
    """
    from plexsheet import operations
    from plexsheet.cli.state import say_if_lost

    app.as_json = as_json

    def plan(session: Session) -> Plan:
        say_if_lost(app, session)
        return operations.prepare_sync_tags(session)

    return planned(app, plan, heading="Tags to put right", preview=preview, yes=yes)
