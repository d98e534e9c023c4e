"""``diff``: what changed between two workbooks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plexsheet.cli.app import (
    WORKBOOK_FILE,
    App,
    Done,
    json_option,
    name_of_workbook,
    refuse_existing,
)

if TYPE_CHECKING:
    from plexsheet.workbook.edits.comparison import Difference

ROWS_SHOWN = 30


@click.command(
    epilog="""\b
Examples:
  plexsheet diff march.xlsx november.xlsx
  plexsheet diff march.xlsx november.xlsx --output changes.xlsx
  plexsheet diff march.xlsx november.xlsx --json"""
)
@click.argument("old", type=WORKBOOK_FILE)
@click.argument("new", type=WORKBOOK_FILE)
@click.option(
    "--top",
    metavar="N",
    type=click.IntRange(min=1),
    default=ROWS_SHOWN,
    show_default=True,
    help="Rows per sheet.",
)
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write all differences into a workbook.",
)
@click.option("--force", is_flag=True, help="Replace the file of --output if it is there.")
@json_option
@click.pass_obj
def diff(
    app: App, old: Path, new: Path, top: int, output: Path | None, force: bool, as_json: bool
) -> Done:
    """Show what changed from the workbook OLD to the workbook NEW.

    Rows are compared by Key and cells by header.  Plex is not contacted.
    """
    from plexsheet import operations
    from plexsheet.workbook.edits.comparison import counts

    app.as_json = as_json
    name_of_workbook(output)
    refuse_existing(output, force=force)
    found, unread = operations.diff(old, new)
    for note in unread:
        app.say(f"{note.code} {note.text}")
    payload: dict[str, Any] = {
        "counts": counts(found),
        "rows": [one.payload() for one in found],
    }
    if not found and not unread:
        app.say("Nothing changed.")
    for name in dict.fromkeys(one.sheet for one in found):
        _show(app, name, [one for one in found if one.sheet == name], top)
    if output is not None:
        from plexsheet.workbook.writing.diff import write_differences

        write_differences(output, found)
        app.say(str(output))
        payload["file"] = str(output)
    return Done(3 if unread else 0, payload)


def _show(app: App, sheet: str, found: Sequence[Difference], top: int) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from plexsheet.workbook.edits.comparison import counts

    told = ", ".join(
        f"{number:,} {name.removeprefix(sheet).strip()}" for name, number in counts(found).items()
    )
    table = Table(
        title=f"{sheet}: {told}", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD
    )
    for name in ("Item", "Column", "Old", "New"):
        table.add_column(name, overflow="fold", max_width=44 if name == "Item" else 24)
    # What is inferred follows what was rated, so the person's own changes come first.
    ordered = sorted(found, key=lambda one: one.column in ("Inferred", "In Plex", "Source"))
    for one in ordered[:top]:
        old, new = ("", f"row {one.what}") if not one.column else (_cell(one.old), _cell(one.new))
        table.add_row(Text(one.item), one.column, Text(old), Text(new))
    app.say(table)
    if len(found) > top:
        app.say(f"  … and {len(found) - top:,} more (--top {len(found)}, or --output FILE)")


def _cell(value: Any) -> str:
    if value is None or value == "":
        return "(blank)"
    return f"{value:g}" if isinstance(value, float) else str(value)
