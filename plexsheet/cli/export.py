"""``export``: the library into a workbook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from plexsheet.cli.app import (
    App,
    Done,
    json_option,
    name_of_workbook,
)
from plexsheet.errors import FileExists, UsageError

if TYPE_CHECKING:
    pass
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t"}


@click.command(
    epilog="""\b
Examples:
  plexsheet export                          into the working folder, with a dated name
  plexsheet export music.xlsx --force       replace music.xlsx
  plexsheet export --from old.xlsx          take notes and own columns over
  plexsheet export --only 'artist:"miles davis" unrated'   only these rows
  plexsheet export --columns Tracks=Artist,Album,Title,Plays
  plexsheet export --csv folder             three CSV files instead"""
)
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@click.option(
    "--from",
    "old",
    metavar="OLD.xlsx",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Copy notes, and columns and sheets of your own, from this workbook.",
)
@click.option(
    "--only",
    metavar="TERMS",
    multiple=True,
    help="Only items with these terms: artist: album: title: genre: year: rating: added: unrated. "
    "Words match anywhere, = asks for the whole name, a comma means or, as in genre:jazz,blues; "
    "ranges are year:1955..1969 or rating:4.. in stars; all terms must hold.",
)
@click.option(
    "--columns",
    metavar="SHEET=A,B,…",
    multiple=True,
    help="Only these columns of a sheet, once for each sheet; WORKBOOK_COLUMNS says it for good.",
)
@click.option("--full", is_flag=True, help="Read the whole library instead of only what changed.")
@click.option(
    "--csv",
    "csv_folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write artists.csv, albums.csv and tracks.csv into DIR, no workbook.",
)
@click.option(
    "--separator",
    type=click.Choice(list(SEPARATORS)),
    default="comma",
    show_default=True,
    help="Separator for --csv; Excel in German or French expects semicolons.",
)
@json_option
@click.pass_obj
def export(
    app: App,
    file: Path | None,
    force: bool,
    old: Path | None,
    only: tuple[str, ...],
    columns: tuple[str, ...],
    full: bool,
    csv_folder: Path | None,
    separator: str,
    as_json: bool,
) -> Done:
    """Read Plex, infer, and write the workbook FILE to edit.

    Without FILE it gets a dated name in WORKBOOK_DIR.
    """
    from plexsheet import operations
    from plexsheet.cli.state import offer_take_over

    app.as_json = as_json
    if csv_folder and (file or old or only or columns):
        raise UsageError(
            "--csv writes three files of all items into a folder; leave FILE, --from, --only and "
            "--columns out."
        )
    name_of_workbook(file, ", or give --csv DIR")
    config = app.config()
    if file is not None and file.exists() and not force:
        raise FileExists(
            f"{file} is there already. Nothing was written. Give another name, or --force to "
            "replace it."
        )
    with app.session(config) as session:
        offer_take_over(app, session)
        if csv_folder:
            done = operations.export_csv(
                session, csv_folder, force=force, full=full, separator=SEPARATORS[separator]
            )
        else:
            done = operations.export(
                session, file, carry_from=old, full=full, columns=columns, only=only
            )
    rows = done.rows
    app.say(
        f"{done.file}\n"
        f"{rows['artists']:,} artists, {rows['albums']:,} albums, {rows['tracks']:,} tracks, "
        f"{rows['twins']:,} copies in twin groups; {done.requests} requests, {done.seconds:.1f} s."
    )
    if not csv_folder:
        app.note(f"Edit the yellow cells, save, then: plexsheet import {_quoted(done.file)}")
    return Done(0, done.payload())


def _quoted(path: str) -> str:
    return f'"{path}"' if " " in path else path
