"""``verify``: compare plexsheet's memory with Plex."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from plexsheet.cli.app import App, Done, json_option


@click.command(
    epilog="""\b
Examples:
  plexsheet verify             compare; change nothing
  plexsheet verify --json      for a script (exit code 1: something differs)"""
)
@click.option(
    "--top",
    metavar="N",
    type=click.IntRange(min=1),
    default=30,
    show_default=True,
    help="How many rows to show.",
)
@json_option
@click.pass_obj
def verify(app: App, top: int, as_json: bool) -> Done:
    """Compare the inferred ratings plexsheet remembers with Plex.

    Overrides are inferred ratings you changed in Plex, orphans are items gone from
    Plex, tag mismatches are missing or left-over tags.  Nothing is changed.
    """
    from plexsheet import operations
    from plexsheet.cli.state import say_if_lost
    from plexsheet.state.runs import open_run

    app.as_json = as_json
    config = app.config()
    with app.session(config, writing=False, stop_at_open_run=False) as session:
        lost, run = say_if_lost(app, session), open_run(session.state, session.scope)
        counts, found = operations.verify(session)
    rows = [_verify_row(row) for row in found]
    app.say(
        f"{counts['checked']:,} inferred ratings checked: {counts['overrides']:,} changed by you, "
        f"{counts['orphans']:,} of items gone from Plex, {counts['tag_mismatches']:,} with "
        "another tag than they should have."
    )
    _show_verified(app, rows[:top])
    if len(rows) > top:
        app.say(f"… and {len(rows) - top:,} more (--top {len(rows)}).")
    if counts["overrides"]:
        app.note("What you changed is yours from the next run on; nothing has to be done.")
    if run is not None:
        app.note(
            f"Run {run.id} ({run.kind}) is not finished, so this is a picture of the half of it. "
            "plexsheet resume goes on, plexsheet resume --take-back undoes it."
        )
    elif counts["tag_mismatches"] and not lost:
        app.note("To put the tags right: plexsheet sync-tags")
    return Done(1 if rows else 0, {"counts": counts, "rows": rows})


def _verify_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """One disagreement for ``--json``: ratings in stars, null where there is none."""
    names = ("problem", "kind", "key", "title")
    return {name: row[name] for name in names} | {
        "was": _stars(row["shadow"]),
        "plex_now": _stars(row["now"]),
        "message": row["detail"],
    }


def _stars(rating: float) -> float | None:
    import math

    from plexsheet.ratings import to_stars

    return None if math.isnan(rating) else to_stars(rating)


def _show_verified(app: App, rows: Sequence[Mapping[str, Any]]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("What", "Kind", "Key", "Item", "Detail"):
        table.add_column(name, overflow="fold")
    for row in rows:
        what = str(row["problem"]).replace("_", " ")
        table.add_row(what, row["kind"], str(row["key"]), Text(row["title"]), Text(row["message"]))
    app.say(table)
