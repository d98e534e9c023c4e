"""What every command shares: settings, where words go, progress, the question before a write."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plexsheet.errors import FileExists, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from plexsheet.cli.bars import Bars
    from plexsheet.config import Config
    from plexsheet.errors import PlexsheetError
    from plexsheet.operations import Session

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object to stdout, nothing else."
)
yes_option = click.option("--yes", is_flag=True, help="Write without asking.")
preview_option = click.option("--preview", is_flag=True, help="Show the plan, write nothing.")


def confirm_option(help_text: str) -> Callable[[Any], Any]:
    """``--confirm N``: the number that releases what was held."""
    return click.option("--confirm", multiple=True, type=int, metavar="N", help=help_text)


def failure(text: str) -> None:
    """Print an error to stderr: what is wrong, what was done, what to do."""
    plain = bool(os.environ.get("NO_COLOR"))
    label = "Error: " if plain else click.style("Error: ", fg="red", bold=True)
    click.echo(label + text, err=True)


RUN_NUMBER = click.IntRange(1, 10**9)  # what the state can hold, and more than it ever will
WORKBOOK_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def name_of_workbook(file: Path | None, hint: str = "") -> None:
    """Be sure that a file we are to write is called what it will be.

    Raises:
        UsageError: its name does not end in .xlsx.
    """
    if file is not None and file.suffix.lower() != ".xlsx":
        raise UsageError(
            f"{file.name} does not end in .xlsx, and an Excel workbook is what is written. Nothing "
            f"was written. Name it {file.stem}.xlsx (LibreOffice opens it too){hint}."
        )


def mapping_of(pairs: Sequence[str]) -> dict[str, str]:
    """The choices of ``--map``: header in the file to column of ours.

    Raises:
        UsageError: one is not of that form.
    """
    mapping = {}
    for pair in pairs:
        header, sign, column = pair.rpartition("=")
        if not sign or not header.strip() or not column.strip():
            raise UsageError(f"--map takes “Header=Column”, not “{pair}”.")
        mapping[header.strip()] = column.strip()
    return mapping


def refuse_existing(file: Path | None, *, force: bool) -> None:
    """Be sure that a file we are to write does not replace another unasked.

    Raises:
        FileExists: it is there, and ``force`` is false.
    """
    if file is not None and file.exists() and not force:
        raise FileExists(
            f"{file} is there already. Nothing was written. Give another name, or --force to "
            "replace it."
        )


@dataclass(frozen=True)
class Done:
    """How a command ended: its exit code, what ``--json`` prints, and what stopped it midway."""

    exit_code: int = 0
    payload: dict[str, Any] | None = None
    error: PlexsheetError | None = None


@dataclass
class App:
    """The options before the command, and the console.

    Attributes:
        as_json: set by the command; words then go to stderr.
    """

    config_path: str | None = None
    profile: str | None = None
    quiet: bool = False
    verbose: bool = False
    as_json: bool = False
    _console: Console | None = field(default=None, repr=False)
    _bars: Bars | None = field(default=None, repr=False)

    def config(self) -> Config:
        """The settings, loaded; their notices are said once.

        Raises:
            ConfigError: missing, mistyped or with unknown keys.
        """
        from plexsheet.config import load_config

        config = load_config(self.config_path, profile=self.profile)
        self.detail(f"Settings: {config.path or 'the environment'}; state: {config.state_file}")
        for notice in config.notices:
            self.note(notice)
        return config

    @property
    def console(self) -> Console:
        """Where results for a person go: stdout, or stderr beside ``--json``."""
        if self._console is None:
            from rich.console import Console

            width = None if sys.stdout.isatty() else shutil.get_terminal_size((100, 24)).columns
            self._console = Console(
                stderr=self.as_json, highlight=False, soft_wrap=False, width=width
            )
        return self._console

    def say(self, text: Any = "") -> None:
        """Print a result, as text without markup, or any rich table."""
        self.clear_bars()
        if isinstance(text, str):
            self.console.print(text, markup=False)
        else:
            self.console.print(text)

    def note(self, text: str) -> None:
        """Print a remark to stderr, unless ``--quiet``."""
        if not self.quiet:
            self.clear_bars()
            click.echo(text, err=True)

    def fail(self, text: str) -> None:
        """Print an error to stderr, in the one shape that errors have."""
        self.clear_bars()
        failure(text)

    def detail(self, text: str) -> None:
        """Print a remark only with ``--verbose``."""
        if self.verbose:
            self.clear_bars()
            click.echo(text, err=True)

    @contextmanager
    def details(self) -> Iterator[None]:
        """With ``--verbose`` every request to Plex is told on stderr, with how long it took."""
        if not self.verbose:
            yield
            return
        import logging

        tell = self.detail

        class Told(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                tell(record.getMessage())

        log, told = logging.getLogger("plexsheet"), Told()
        before = log.level
        log.addHandler(told)
        log.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            log.removeHandler(told)
            log.setLevel(before)

    def may_ask(self) -> bool:
        """Whether there is a person at a terminal to ask."""
        return sys.stdin.isatty() and not self.as_json

    def confirm(self, question: str) -> bool:
        """Ask; without a terminal the answer is no."""
        self.clear_bars()
        return self.may_ask() and click.confirm(question, default=False, err=True)

    @contextmanager
    def progress(self) -> Iterator[Callable[[str, int, int], None]]:
        """A bar per stage: call it with the stage's name, what is done and the total.

        Silent with ``--quiet`` and where stderr is not a terminal.
        """
        if self.quiet or not sys.stderr.isatty():
            yield lambda stage, done, total: None
            return
        from plexsheet.cli.bars import Bars

        self._bars = bars = Bars()
        try:
            yield bars.step
        finally:
            bars.clear()
            self._bars = None

    @contextmanager
    def session(self, config: Config, **choices: bool) -> Iterator[Session]:
        """``operations.session`` for the command under way: bars, remarks on stderr.

        Args:
            config: the settings.
            choices: ``writing``, ``stop_at_open_run``.
        """
        from plexsheet import operations

        _, _, purpose = click.get_current_context().command_path.partition(" ")
        with (
            self.progress() as progress,
            operations.session(
                config, purpose=purpose, progress=progress, tell=self.note, **choices
            ) as session,
        ):
            yield session

    def clear_bars(self) -> None:
        """Take progress bars off the screen, before anything is said or asked."""
        if self._bars is not None:
            self._bars.clear()


def duration(seconds: float) -> str:
    """Seconds as a person says them.

    >>> duration(0.4), duration(42.2), duration(150)
    ('under 1 s', '42 s', '2 min 30 s')
    """
    if seconds < 1:
        return "under 1 s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"
