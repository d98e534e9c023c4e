"""``demo``: the whole round trip against a Plex server of our own."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plexsheet.cli.app import App, Done
from plexsheet.errors import UsageError
from plexsheet.ratings import from_stars, show_stars

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

    from plexsheet.demo.server import DemoPlex

TRACKS = 2000
LEAST_TRACKS = 100  # with fewer there are not enough rows of every sort to edit


@dataclass(frozen=True)
class DemoEdit:
    """One cell a person would change.

    Attributes:
        sheet, column: where.
        source: word in the Source column of the row to take.
        value: what to type; None empties the cell.
        remark: why a person would.
    """

    sheet: str
    column: str
    source: str
    value: Any
    remark: str


EDITS = (
    DemoEdit("Tracks", "My rating", "Unrated", 4.5, "a first rating"),
    DemoEdit("Tracks", "My rating", "Unrated", 5, "another"),
    DemoEdit("Tracks", "My rating", "Unrated", "3,5", "a decimal comma"),
    DemoEdit("Tracks", "My rating", "Unrated", "★★½", "stars typed as stars"),
    DemoEdit("Tracks", "My rating", "Manual", 2, "a change of mind"),
    DemoEdit("Tracks", "My rating", "Manual", None, "emptied: remove the rating"),
    DemoEdit("Tracks", "Action", "Manual", "CLEAR", "the same in a word"),
    DemoEdit("Tracks", "Action", "Unrated", "ACCEPT", "the inferred value is right"),
    DemoEdit("Albums", "My rating", "Unrated", 4, "a whole album"),
    DemoEdit("Artists", "My rating", "Unrated", 4.25, "an artist, in quarters"),
    DemoEdit("Tracks", "My rating", "Unrated", 7, "a mistake: more than five stars"),
    DemoEdit("Tracks", "My rating", "Unrated", "gut", "a mistake: not a number"),
)


@click.command(
    epilog="""\b
Examples:
  plexsheet demo                 the round trip, unattended, in under a minute
  plexsheet demo --serve         leave server and workbook for you to play with"""
)
@click.option("--serve", is_flag=True, help="Keep the server running, for hands-on play.")
@click.option(
    "--tracks",
    metavar="N",
    type=click.IntRange(min=LEAST_TRACKS),
    default=TRACKS,
    show_default=True,
    help="Size of the demo library.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for config and workbook (default: a temporary one; with --serve ./demo).",
)
@click.option(
    "--library",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --serve: a TSV file, or a bug report with a recording, as the library.",
)
@click.option(
    "--port",
    metavar="N",
    type=click.IntRange(0, 65_535),
    default=0,
    show_default="any free one",
    help="Port of the server.",
)
@click.pass_obj
def demo(
    app: App, serve: bool, tracks: int, folder: Path | None, library: Path | None, port: int
) -> Done:
    """Show the whole round trip against a demo Plex server on this machine."""
    from plexsheet.demo.server import DemoPlex

    if library is not None and not serve:
        raise UsageError("--library goes with --serve.")
    try:
        server = DemoPlex(library, tracks=tracks, port=port)
    except ValueError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        if error.filename is not None:
            raise UsageError(f"{error.filename} cannot be read: {error.strerror}.") from error
        raise UsageError(
            f"The demo server cannot use port {port}: {error.strerror}. Leave --port out, and any "
            "free one is taken."
        ) from error
    with server as plex, _place(folder, serve) as place:
        config = write_demo_config(place, plex)
        if serve:
            return _serve(app, plex, place, config)
        return _tour(app, plex, place, config)


@contextmanager
def _place(folder: Path | None, serve: bool) -> Iterator[Path]:
    if folder is None and not serve:
        with tempfile.TemporaryDirectory(prefix="plexsheet-demo-") as name:
            yield Path(name)
        return
    place = folder or Path("demo")
    place.mkdir(parents=True, exist_ok=True)
    yield place


def write_demo_config(folder: Path, plex: DemoPlex) -> Path:
    """A config.json in a folder that points at a demo server."""
    path = folder / "config.json"
    settings = {
        "PLEX_URL": plex.url,
        "PLEX_TOKEN": plex.token,
        "LIBRARY_NAME": "Music",
        "MODEL": "learned",
        "INFERRED_TAG": "Rating_Inferred",
        "WORKBOOK_DIR": "./workbooks",
        "STATE_FILE": "./plexsheet.db",
    }
    path.write_text(json.dumps(settings, indent=2), encoding="utf-8")
    path.chmod(0o600)
    return path


def _tour(app: App, plex: DemoPlex, folder: Path, config: Path) -> Done:
    started = time.perf_counter()
    workbook = folder / "music.xlsx"
    app.say(f"A demo Plex server with {len(plex.items('track')):,} tracks is running.\n")
    if _command(app, config, "export", workbook):
        return Done(1)
    app.say("\nA person edits a dozen cells, two of them wrongly, and saves:")
    edited = edit_workbook(workbook)
    before = {row.key: plex.rating(row.key) for row in edited}
    for row in edited:
        app.say(f"  {row.edit.sheet:8} row {row.row:<5} {row.said:42} {row.edit.remark}")
    app.say("")
    _command(app, config, "import", workbook, "--preview")
    app.say("")
    if _command(app, config, "import", workbook, "--yes") not in (0, 1):
        return Done(1)
    imported = {row.key: plex.rating(row.key) for row in edited}
    app.say("")
    if _command(app, config, "infer", "--yes"):
        return Done(1)
    inferred = {row.key: plex.rating(row.key) for row in edited}
    _show_rows(app, edited, before, imported, inferred)
    app.say("")
    _command(app, config, "history")
    wrong = [row for row in edited if not row.as_expected(imported[row.key], before[row.key])]
    for row in wrong:
        app.say(f"Not as expected: {row.title}: {imported[row.key]}")
    app.say(f"\nDone in {time.perf_counter() - started:.0f} s. To play with it yourself:")
    app.say(f"  {_program()} demo --serve")
    return Done(1 if wrong else 0)


def _command(app: App, config: Path, *arguments: object) -> int:
    """Run a command as a person would, and show it as they would type it."""
    from plexsheet.cli import run

    words = [str(argument) for argument in arguments]
    shown = [word.removeprefix(f"{config.parent}/") for word in words]
    app.console.print(f"$ plexsheet {shlex.join(shown)}", style="bold cyan", markup=False)
    return run(["--config", str(config), *words])


@dataclass(frozen=True)
class Edited:
    """An edit made: in which row, of what."""

    edit: DemoEdit
    row: int
    key: int
    title: str
    inferred: float | None

    @property
    def said(self) -> str:
        """The edit in words."""
        value = "(emptied)" if self.edit.value is None else str(self.edit.value)
        return f"{self.edit.column}: {value}"

    def as_expected(self, now: float | None, before: float | None) -> bool:
        """Whether Plex now holds what the edit asked for; mistakes change nothing.

        Args:
            now, before: ratings 0-10, None unrated.
        """
        wanted = self._wanted(before)
        if wanted is None or now is None:
            return wanted is now
        return abs(wanted - now) < 0.06

    def _wanted(self, before: float | None) -> float | None:
        typed = {"3,5": 3.5, "★★½": 2.5, None: None, "CLEAR": None, 7: before, "gut": before}
        if self.edit.value == "ACCEPT":
            return from_stars(self.inferred or 0)
        if self.edit.value in (7, "gut"):
            return before
        stars = typed.get(self.edit.value, self.edit.value)
        return None if stars is None else from_stars(stars)


def edit_workbook(path: Path) -> list[Edited]:
    """Make the demo's edits in a workbook, each in a row of its own, and save it."""
    import openpyxl

    with warnings.catch_warnings(action="ignore"):  # openpyxl drops data bars, and says so
        book = openpyxl.load_workbook(path)
    taken: set[tuple[str, int]] = set()
    edited = []
    for edit in EDITS:
        sheet = book[edit.sheet]
        columns = {str(cell.value): place for place, cell in enumerate(sheet[1], start=1)}
        row = _free_row(sheet, columns, edit, taken)
        taken.add((edit.sheet, row))
        cell = sheet.cell(row, columns[edit.column])
        cell.value = edit.value
        name = {"Tracks": "Title", "Albums": "Album", "Artists": "Artist"}[edit.sheet]
        edited.append(
            Edited(
                edit,
                row,
                int(str(sheet.cell(row, columns["Key"]).value)),
                str(sheet.cell(row, columns[name]).value),
                sheet.cell(row, columns["Inferred"]).value,  # type: ignore[arg-type]
            )
        )
    book.save(path)
    book.close()
    return edited


def _free_row(
    sheet: Worksheet, columns: dict[str, Any], edit: DemoEdit, taken: set[tuple[str, int]]
) -> int:
    """A row with the wanted Source, some way from the last one."""
    source = columns["Source"]
    rows = range(2, sheet.max_row + 1)
    free = [
        row
        for row in rows
        if sheet.cell(row, source).value == edit.source and (edit.sheet, row) not in taken
    ]
    return free[(13 * (len(taken) + 1)) % len(free)]


def _show_rows(
    app: App,
    edited: list[Edited],
    before: dict[int, float | None],
    imported: dict[int, float | None],
    inferred: dict[int, float | None],
) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title="\nThese rows in Plex, in stars", box=box.SIMPLE_HEAD, title_justify="left")
    for heading in ("Item", "Typed", "Before", "After import", "After infer"):
        table.add_column(heading, overflow="ellipsis", max_width=36)
    for row in edited:
        values = (before[row.key], imported[row.key], inferred[row.key])
        table.add_row(Text(row.title), row.said, *(_stars(value) for value in values))
    app.say(table)


def _stars(rating: float | None) -> str:
    return show_stars(float("nan") if rating is None else rating)


def _program() -> str:
    """How this program is called from the shell it was started in."""
    return "plexsheet" if shutil.which("plexsheet") else sys.argv[0]


def _serve(app: App, plex: DemoPlex, folder: Path, config: Path) -> Done:
    workbook = folder / "music.xlsx"
    if _command(app, config, "export", workbook, "--force"):
        return Done(1)
    app.say(
        f"""
The demo server runs at {plex.url} until you press Ctrl-C. In another shell, try:

  export PLEXSHEET_CONFIG={shlex.quote(str(config.resolve()))}
  libreoffice {shlex.quote(str(workbook))}      rate a few tracks in the yellow cells, save
  {_program()} import {shlex.quote(str(workbook))}
  {_program()} infer
  {_program()} report coverage
  {_program()} history        then: {_program()} undo 1
"""
    )
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        app.say("The demo server has stopped; its folder stays.")
    return Done(0)
