"""``reconstruct``: rebuild a lost memory from the tags in Plex."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from plexsheet.cli.app import App, Done, json_option, preview_option, yes_option
from plexsheet.cli.planned import planned

if TYPE_CHECKING:
    pass


@click.command(
    epilog="""\b
Examples:
  plexsheet reconstruct --preview     how many inferred ratings their tag shows
  plexsheet reconstruct               remember them as inferred again"""
)
@preview_option
@yes_option
@json_option
@click.pass_obj
def reconstruct(app: App, preview: bool, yes: bool, as_json: bool) -> Done:
    """Rebuild a lost state database from the tag of inferred ratings in Plex.

    Every rated item with INFERRED_TAG counts as inferred again.  Ratings in Plex stay.
    """
    from plexsheet import operations

    app.as_json = as_json

    plan = operations.prepare_reconstruct
    return planned(app, plan, heading="Inferred ratings found by tag", preview=preview, yes=yes)
