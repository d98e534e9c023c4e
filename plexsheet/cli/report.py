"""``report``: coverage, histogram, twins, dissenters, accuracy and the others."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plexsheet.cli.app import App, Done, json_option, refuse_existing
from plexsheet.errors import UsageError
from plexsheet.reports.catalogue import ALL, BY_NAME

if TYPE_CHECKING:
    from plexsheet.operations import Session
    from plexsheet.reports.report import Report, Subject

NAMES = (*BY_NAME, ALL)
FORMATS = ("text", "csv", "json", "html")


def _listed() -> str:
    """The names of the reports as lines of --help."""
    lines = textwrap.wrap(f"Reports: {', '.join(NAMES)}", 88, subsequent_indent=" " * 9)
    return "\n".join(lines)


@click.command(
    epilog=f"""\b
Examples:
  plexsheet report coverage                               on the terminal, with bars
  plexsheet report dissenters --top 20
  plexsheet report all --format html --output ratings.html
  plexsheet report twins --format csv --output twins.csv
  plexsheet report rate-next --json

\b
{_listed()}"""
)
@click.argument("name", metavar="NAME", type=click.Choice(NAMES, case_sensitive=False))
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS, case_sensitive=False),
    help="Print this format instead of a table.",
)
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file; its ending sets the format unless --format does.",
)
@click.option("--top", metavar="N", type=click.IntRange(min=1), help="Only the first N rows.")
@click.option("--force", is_flag=True, help="Replace the file of --output if it is there.")
@click.option("--full", is_flag=True, help="Read the whole library instead of only what changed.")
@json_option
@click.pass_obj
def report(
    app: App,
    name: str,
    form: str | None,
    output: Path | None,
    top: int | None,
    force: bool,
    full: bool,
    as_json: bool,
) -> Done:
    """Show the report NAME about your ratings, or all of them.

    Nothing is written to Plex.
    """
    app.as_json = as_json
    form = form or (_form_of(output) if output else None)
    refuse_existing(output, force=force)
    reports, title = _made(app, name, top, full)
    payload = payload_of(name, reports)
    if output is not None:
        write_file(output, rendered(reports, form or "text", title, payload))
        app.say(str(output))
        return Done(0, payload | {"file": str(output)})
    if form is None:
        _show(app, reports)
    elif not as_json:
        click.echo(rendered(reports, form, title, payload), nl=False)
    return Done(0, payload)


def _form_of(output: Path) -> str:
    endings = {".csv": "csv", ".json": "json", ".html": "html", ".htm": "html"}
    return endings.get(output.suffix.lower(), "text")


def _made(app: App, name: str, top: int | None, full: bool) -> tuple[list[Report], str]:
    """The reports asked for, and a title for a page of them."""
    from plexsheet import operations
    from plexsheet.reports.tables import build, build_all

    config = app.config()
    with app.session(config, writing=False, stop_at_open_run=False) as session:
        subject = subject_of(session, full=full, measured=name in ("accuracy", ALL))
        if name in ("listening", ALL):
            subject = operations.with_unheard(subject)
        title = f"Ratings of {session.gateway.identity.title}"
    if name == ALL:
        return build_all(subject, top), title
    return [build(name, subject, top)], title


def subject_of(session: Session, *, full: bool = False, measured: bool = False) -> Subject:
    """What reports are about: the library as Plex holds it now, and its inference.

    Args:
        session: connected.
        full: read everything even where a recent snapshot would do.
        measured: cross-validate, for the accuracy report.
    """
    from plexsheet import operations

    reading = operations.read(session, full=full)
    session.progress("Inferring", 0, 1)
    inference = operations.infer(session, reading)
    session.progress("Inferring", 1, 1)
    about = operations.subject(session, reading, inference)
    about = operations.with_standing(session, reading, about)
    about = operations.with_moved(session, about)
    return operations.with_accuracy(session, about, refit=True) if measured else about


# Showing


def payload_of(name: str, reports: Sequence[Report]) -> dict[str, Any]:
    """The object of ``--json``: one report, or all under ``reports``."""
    from plexsheet.reports.data import as_json

    if name != ALL:
        return as_json(reports[0])
    return {"report": ALL, "rows": [], "summary": {}, "reports": [as_json(r) for r in reports]}


def _show(app: App, reports: Sequence[Report]) -> None:
    import sys

    from plexsheet.reports import terminal, text

    reports = [text.few(report) for report in reports]
    if app.as_json or sys.stdout.isatty():
        terminal.show(reports, app.console)
    else:
        app.clear_bars()
        click.echo(text.texts(reports, app.console.width))


def rendered(reports: Sequence[Report], form: str, title: str, payload: dict[str, Any]) -> str:
    """Reports as a text in one of ``FORMATS``."""
    from plexsheet.reports import data, page, text

    if form == "html":
        return page.page(reports, title)
    if form == "json":
        return json.dumps({"error": None} | payload, ensure_ascii=False, indent=2) + "\n"
    if form == "csv":
        if len(reports) == 1:
            return data.csv_text(reports[0])
        return "\r\n".join(f"{one.title}\r\n{data.csv_text(one)}" for one in reports)
    return text.texts(reports)


def write_file(path: Path, content: str) -> None:
    """Write a report; CSV with the mark by which Excel knows UTF-8.

    Raises:
        UsageError: it cannot be written.
    """
    encoding = "utf-8-sig" if path.suffix.lower() == ".csv" else "utf-8"
    try:
        path.write_text(content, encoding=encoding, newline="")
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}. Choose another file or folder."
        ) from error
