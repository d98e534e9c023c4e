"""``report-bug``: a zip for an issue tracker, without anything that tells whose library it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from plexsheet.cli.app import App, Done, json_option, yes_option
from plexsheet.errors import FileExists, UsageError

if TYPE_CHECKING:
    from plexsheet.operations.report_bug import Part


@click.command(
    epilog="""\b
Examples:
  plexsheet report-bug bug.zip                 show what it would hold, ask, write it
  plexsheet report-bug bug.zip --recording     with your library's shape, for a replay
  plexsheet report-bug bug.zip --show doctor.json"""
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--recording",
    is_flag=True,
    help="Add what Plex is asked and answers; titles, names, ids and dates are replaced.",
)
@click.option("--show", metavar="NAME", help="Print one of its files instead of writing it.")
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@yes_option
@json_option
@click.pass_obj
def report_bug(
    app: App, file: Path, recording: bool, show: str | None, force: bool, yes: bool, as_json: bool
) -> Done:
    """Collect what helps to find a bug in FILE, a zip to attach to an issue.

    It holds versions, what the doctor says, the last runs, and counts of your library; no
    title, name, address, path or token.  You see what is in it before it is written.
    Nothing is sent anywhere.
    """
    from plexsheet import operations
    from plexsheet.config import load_config

    app.as_json = as_json
    if file.suffix.lower() != ".zip":
        raise UsageError(f"{file.name} does not end in .zip. Nothing was written.")
    if file.exists() and not (force or show):
        raise FileExists(f"{file} exists. Nothing was written. Add --force to replace it.")
    with app.progress() as progress:
        parts = operations.prepare_bug_report(
            lambda: load_config(app.config_path, profile=app.profile),
            recording=recording,
            progress=progress,
        )
    if show:
        return _shown(app, parts, show)
    _list(app, parts)
    payload = {"file": str(file), "parts": [{"name": p.name, "what": p.what} for p in parts]}
    if not (yes or app.confirm(f"Write {file}?")):
        app.say("Nothing was written. To write it, run again with --yes.")
        return Done(1, payload | {"written": False})
    operations.write_bug_report(file, parts)
    app.say(f"Written: {file}. Look inside before you attach it to an issue.")
    return Done(0, payload | {"written": True})


def _shown(app: App, parts: list[Part], name: str) -> Done:
    part = next((one for one in parts if one.name == name), None)
    if part is None:
        raise UsageError(f"There is no {name}. There are: {', '.join(one.name for one in parts)}.")
    if not app.as_json:
        click.echo(part.text.rstrip("\n"))  # as it is in the zip, however narrow the terminal
    return Done(0, {"name": part.name, "text": part.text})


def _list(app: App, parts: list[Part]) -> None:
    for part in parts:
        size = f"{len(part.text.encode()) / 1024:,.1f} KB"
        app.say(f"  {part.name:16} {size:>12}  {part.what}")
