"""``menu``: the numbered menu, with the numbers and letters of plex-rating-utils.

Each entry is one command of the command line, with what it will do and how long it took
last time.  The command itself shows its plan and asks before it writes, so the menu adds
nothing that could write unseen.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plexsheet.cli.app import App, Done, duration
from plexsheet.cli.infer import PHASES
from plexsheet.errors import PlexsheetError
from plexsheet.reports.catalogue import REPORTS

if TYPE_CHECKING:
    from plexsheet.config import Config
    from plexsheet.library import Kind

BACK = "x"
TIMES = "menu_times"


@dataclass(frozen=True)
class MenuLine:
    """One line of a menu.

    Attributes:
        key: what is typed.
        label: its name, as plex-rating-utils had it where it had one.
        does: what it will do.
        words: asks what has to be asked and gives the command line; None where it is done
            already, or the person changed their mind.
        menu: the sub-menu it opens, if any.
    """

    key: str
    label: str
    does: str
    words: Callable[[Menu], Sequence[str] | None] | None = None
    menu: str = ""


def _phase(number: int) -> MenuLine:
    def words(menu: Menu) -> list[str]:
        letter = menu.ask("Start at the letter (Enter: from the beginning)")
        return ["infer", str(number), *(["--start-at", letter] if letter else [])]

    label, does = PHASES[number]
    return MenuLine(str(number), label, f"infer {does}", words)


def _plain(*words: str) -> Callable[[Menu], Sequence[str]]:
    return lambda menu: words


def _report(name: str) -> Callable[[Menu], Sequence[str]]:
    return lambda menu: ["report", name, *menu.freshly()]


def _report_file(form: str, ending: str) -> Callable[[Menu], Sequence[str] | None]:
    def words(menu: Menu) -> list[str] | None:
        file = menu.ask("Write to the file", f"plexsheet-reports.{ending}")
        if not file:
            return None
        return ["report", "all", "--format", form, "--output", file, *menu.freshly()]

    return words


def _export(menu: Menu) -> list[str]:
    file = menu.ask("Write to the file (Enter: a dated name in the working folder)")
    return ["export", *([file] if file else [])]


def _import(menu: Menu) -> list[str] | None:
    file = menu.ask("Workbook to import (Enter: none)")
    return ["import", file] if file else None


def _match(menu: Menu) -> list[str] | None:
    file = menu.ask("Library file, table or music folder of the other player (Enter: none)")
    if not file:
        return None
    review = menu.ask("Workbook to decide what is not sure (Enter: none)")
    return ["match", file, *(["--review", review] if review else [])]


def _bulk_export(kind: Kind) -> Callable[[Menu], Sequence[str] | None]:
    def words(menu: Menu) -> None:
        file = menu.ask("Write to the file", menu.bulk_file(kind))
        if file:
            menu.export_csv(kind, file)

    return words


def _bulk_import(kind: str) -> Callable[[Menu], Sequence[str] | None]:
    def words(menu: Menu) -> list[str] | None:
        file = menu.ask("Read the file", menu.bulk_file(kind))
        return ["import", file] if file else None

    return words


def _undo(menu: Menu) -> list[str] | None:
    run = menu.ask("Number of the run (Enter: none; History lists them)")
    return ["undo", run] if run else None


def _clear(menu: Menu) -> None:
    menu.full = True
    menu.app.say("The next report reads the whole library anew.")


MENUS: Mapping[str, tuple[str, tuple[MenuLine, ...]]] = {
    "main": (
        "plexsheet",
        (
            *(_phase(number) for number in range(len(PHASES))),
            MenuLine("e", "Export", "write the workbook; rate in its yellow cells", _export),
            MenuLine("i", "Import", "show what you edited in a workbook, and write it", _import),
            MenuLine("h", "History", "what was written, run by run", _plain("history")),
            MenuLine("a", "Admin", "verify, undo, reconstruct, tags, doctor", menu="admin"),
            MenuLine("b", "Bulk", "CSV files; ratings of another player", menu="bulk"),
            MenuLine("r", "Reports", "coverage, histogram, twins, dissenters …", menu="reports"),
            MenuLine(BACK, "eXit", "leave"),
        ),
    ),
    "admin": (
        "Admin",
        (
            MenuLine("1", "Verify State", "compare what was inferred with Plex", _plain("verify")),
            MenuLine(
                "2",
                "Cleanup/Undo",
                "take every inferred rating and tag back",
                _plain("undo", "--inferred"),
            ),
            MenuLine(
                "3",
                "Reconstruct State",
                "find inferred ratings again by their tag",
                _plain("reconstruct"),
            ),
            MenuLine(
                "4",
                "Emergency Reconstruct",
                "the same; kept for its number",
                _plain("reconstruct"),
            ),
            MenuLine("5", "Synchronize Plex Tags", "put the tags right", _plain("sync-tags")),
            MenuLine("6", "Undo a run", "put back what one run changed", _undo),
            MenuLine("7", "Resume", "finish an interrupted run", _plain("resume")),
            MenuLine("8", "Doctor", "check settings, connection, rights, state", _plain("doctor")),
            MenuLine(BACK, "Back", "to the main menu"),
        ),
    ),
    "bulk": (
        "Bulk",
        (
            MenuLine("1", "Export artists", "write artists to a CSV file", _bulk_export("artist")),
            MenuLine("2", "Export albums", "write albums to a CSV file", _bulk_export("album")),
            MenuLine("3", "Export tracks", "write tracks to a CSV file", _bulk_export("track")),
            MenuLine(
                "4", "Import artists", "show and write an edited file", _bulk_import("artist")
            ),
            MenuLine("5", "Import albums", "show and write an edited file", _bulk_import("album")),
            MenuLine("6", "Import tracks", "show and write an edited file", _bulk_import("track")),
            MenuLine("7", "Match", "ratings of another player, found in Plex", _match),
            MenuLine(BACK, "Back", "to the main menu"),
        ),
    ),
    "reports": (
        "Reports",
        (
            *(
                MenuLine(one.menu, one.label, one.does, _report(one.name))
                for one in sorted(REPORTS, key=lambda one: one.menu)
            ),
            MenuLine("t", "Text", "all reports to a text file", _report_file("text", "txt")),
            MenuLine("p", "Page", "all reports to a web page", _report_file("html", "html")),
            MenuLine("c", "Clear Cache", "let the next report read everything anew", _clear),
            MenuLine(BACK, "Back", "to the main menu"),
        ),
    ),
}


@click.command(
    epilog="""\b
Examples:
  plexsheet menu      the menu
  plexsheet           the same, on a terminal"""
)
@click.pass_obj
def menu(app: App) -> Done:
    """Open the numbered menu: 0 to 5, Admin, Bulk, Reports, eXit.

    Type the number or letter, or move with the arrow keys, and press Enter.  Every entry
    shows what would be written, and asks, before it writes.  Ctrl-C leaves.
    """
    code = _set_up(app)
    if code == 0:
        Menu(app).show()
    return Done(code)


def _set_up(app: App) -> int:
    """Offer to write the settings where there are none; not 0 where there are none after it."""
    from plexsheet.cli import run
    from plexsheet.config import is_configured

    if is_configured(app.config_path) or not app.may_ask():
        return 0
    app.note("There are no settings yet: which Plex server, which music library, as whom.")
    if not click.confirm("Write them now?", default=True, err=True):
        app.note("When you are ready: plexsheet init")
        return 2
    sign_in = click.confirm(
        "Sign in at plex.tv to find server and token? (n: type them)", default=True, err=True
    )
    words = ["--config", app.config_path] if app.config_path else []
    return run([*words, "init", *(["--login"] if sign_in else [])])


@dataclass
class Menu:
    """A menu being walked through.

    Attributes:
        full: whether the next report reads the whole library.
    """

    app: App
    full: bool = False
    times: dict[str, float] = field(default_factory=dict)

    def show(self, name: str = "main") -> None:
        """Show one menu until the person leaves it."""
        title, entries = MENUS[name]
        while True:
            self.times = self._known_times()
            try:
                key = self._choose(title, entries, name)
            except (KeyboardInterrupt, EOFError, click.Abort):
                click.echo("", err=True)
                return
            if key == BACK:
                return
            entry = next(entry for entry in entries if entry.key == key)
            if entry.menu:
                self.show(entry.menu)
            else:
                self._carry_out(entry, f"{name} {key}")

    def ask(self, question: str, default: str = "") -> str:
        """Ask for a text; Ctrl-C goes back to the menu.

        Raises:
            click.Abort: the person changed their mind.
        """
        answer = click.prompt(question, default=default, show_default=bool(default), err=True)
        return str(answer).strip()

    def freshly(self) -> list[str]:
        """``--full`` once after Clear Cache."""
        wanted, self.full = self.full, False
        return ["--full"] if wanted else []

    def bulk_file(self, kind: str) -> str:
        """The CSV file of a kind, as BULK_*_FILENAME says."""
        return str(getattr(self._config(), f"bulk_{kind}_filename"))

    def export_csv(self, kind: Kind, file: str) -> None:
        """Write one kind of item as a CSV of plex-rating-utils, asking before it replaces one."""
        from plexsheet import operations
        from plexsheet.workbook.writing.legacy_csv import write_kind

        path = Path(file).expanduser()
        if path.exists() and not self.app.confirm(f"{path} is there already. Replace it?"):
            return
        with self.app.session(self.app.config(), writing=False, stop_at_open_run=False) as session:
            reading = operations.read(session)
        rows = write_kind(path, kind, reading.library, reading.owned.source)
        self.app.say(f"{path}: {rows:,} rows. Edit userRating and ratingType, then import it.")

    def _config(self) -> Config:
        from plexsheet.config import load_config

        return load_config(self.app.config_path, profile=self.app.profile)

    def _carry_out(self, entry: MenuLine, name: str) -> None:
        """Run an entry's command as if it had been typed, and remember how long it took."""
        from plexsheet.cli import run

        assert entry.words is not None
        try:
            words = entry.words(self)
        except (KeyboardInterrupt, EOFError, click.Abort):
            click.echo("", err=True)
            return
        except PlexsheetError as error:
            click.echo(f"Error: {error.message}", err=True)
            return
        if words is None:
            return
        self.app.say(f"$ plexsheet {' '.join(words)}")
        started = time.monotonic()
        code = run([*self._globals(), *words])
        if code == 0:
            self._keep_time(name, time.monotonic() - started)

    def _globals(self) -> list[str]:
        app = self.app
        words = ["--config", app.config_path] if app.config_path else []
        words += ["--profile", app.profile] if app.profile else []
        words += ["--quiet"] if app.quiet else []
        return words + (["--verbose"] if app.verbose else [])

    # How long things took

    def _known_times(self) -> dict[str, float]:
        try:
            return self._with_times(None)
        except PlexsheetError:
            return {}

    def _keep_time(self, name: str, seconds: float) -> None:
        try:
            self._with_times((name, seconds))
        except PlexsheetError as error:
            self.app.detail(error.message)

    def _with_times(self, new: tuple[str, float] | None) -> dict[str, float]:
        """The times of the configured library, one of them set anew."""
        from plexsheet.state.store import open_state

        config = self._config()
        if not config.state_file.exists():
            return {}
        with open_state(config.state_file) as state:
            title = config.library_name.casefold()
            scopes = [k["id"] for k in state.libraries() if k["title"].casefold() == title]
            if not scopes:
                return {}
            times: dict[str, float] = state.kv(scopes[0], TIMES, {})
            if new is not None:
                times[new[0]] = round(new[1], 1)
                state.set_kv(scopes[0], TIMES, times)
            return times

    # Choosing

    def _choose(self, title: str, entries: Sequence[MenuLine], name: str) -> str:
        lines = {entry.key: self._line(entry, name) for entry in entries}
        if arrows_work():
            return _pick(title, lines)
        for key, line in lines.items():
            click.echo(f"  {key.upper()}  {line}", err=True)
        return _typed(title, list(lines))

    def _line(self, entry: MenuLine, name: str) -> str:
        seconds = self.times.get(f"{name} {entry.key}")
        last = f" (last time {duration(seconds)})" if seconds is not None else ""
        return f"{entry.label:22} {entry.does}{last}"


def arrows_work() -> bool:
    """Whether this terminal can move a pointer: both ends are one, and not a dumb one."""
    both = sys.stdin.isatty() and sys.stdout.isatty()
    return both and os.environ.get("TERM", "xterm") != "dumb"


def _pick(title: str, lines: Mapping[str, str]) -> str:
    """One of several by arrow keys, or by typing its number or letter; Enter takes it."""
    import questionary
    from prompt_toolkit.key_binding import KeyBindings, KeyPress, KeyPressEvent

    style = questionary.Style([]) if os.environ.get("NO_COLOR") else None
    choices = [questionary.Choice(line, value=key, shortcut_key=key) for key, line in lines.items()]
    question = questionary.select(
        f"{title}: type a number or letter, or use the arrow keys, then Enter",
        choices=choices,
        use_shortcuts=True,
        use_jk_keys=False,
        instruction=" ",
        style=style,
    )

    def lower(event: KeyPressEvent) -> None:
        event.app.key_processor.feed(KeyPress(event.data.lower()), first=True)

    bindings = question.application.key_bindings
    assert isinstance(bindings, KeyBindings)
    for key in lines:
        if key.isalpha():
            bindings.add(key.upper(), eager=True)(lower)
    return str(question.unsafe_ask())


def _typed(title: str, keys: Sequence[str]) -> str:
    """One of several by typing, where nothing else works."""
    while True:
        answer = click.prompt(title, default=BACK, err=True, prompt_suffix=" > ")
        key = str(answer).strip().lower()
        if key in keys:
            return key
        click.echo(f"Type one of {', '.join(keys).upper()}.", err=True)
