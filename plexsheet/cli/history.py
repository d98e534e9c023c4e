"""``history``: runs, newest first; one run row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from plexsheet.cli.app import App, Done, json_option
from plexsheet.cli.planned import row_counts
from plexsheet.errors import UsageError

if TYPE_CHECKING:
    from plexsheet.config import Config
    from plexsheet.state.journal import Run
    from plexsheet.state.store import State

RUNS_SHOWN = 40


@click.command(
    epilog="""\b
Examples:
  plexsheet history             all runs, newest first
  plexsheet history 12          run 12, row by row
  plexsheet history --json      for a script"""
)
@click.argument("run", type=click.IntRange(min=1), required=False)
@click.option("--top", metavar="N", type=click.IntRange(min=1), help="Only the newest N runs.")
@json_option
@click.pass_obj
def history(app: App, run: int | None, top: int | None, as_json: bool) -> Done:
    """Show what was written to Plex: the runs, or one RUN row by row.

    Read from the state database; Plex is not asked.
    """
    from plexsheet.state.store import open_state

    app.as_json = as_json
    config = app.config()
    with open_state(config.state_file) as state:
        if run is not None:
            return _one_run(app, state, run)
        return _all_runs(app, state, config, top)


def _all_runs(app: App, state: State, config: Config, top: int | None) -> Done:
    from plexsheet.state import journal

    libraries = _libraries(state, config)
    found = [(name, run) for scope, name in libraries for run in journal.runs(state, scope)]
    found.sort(key=lambda pair: pair[1].id, reverse=True)
    if not found:
        app.say("No runs yet: nothing was written to Plex.")
    else:
        _show_runs(app, found[: top or RUNS_SHOWN], several=len(libraries) > 1)
        hidden = len(found) - (top or RUNS_SHOWN)
        if hidden > 0:
            app.say(f"… and {hidden:,} older runs (--top {len(found)} shows all).")
        app.note("One run row by row: plexsheet history RUN. To take one back: plexsheet undo RUN.")
    return Done(0, {"runs": [run_payload(run) for _, run in found[:top]]})


def _libraries(state: State, config: Config) -> list[tuple[int, str]]:
    """Scopes of the configured library, or of all where none is known by that name."""
    known = state.libraries()
    named = [one for one in known if one["title"].casefold() == config.library_name.casefold()]
    return [(one["id"], f"{one['title']} on {one['server']}") for one in named or known]


def run_payload(run: Run) -> dict[str, Any]:
    """One run for ``--json``; times in UTC, null while it is open."""
    return {
        "run": run.id,
        "kind": run.kind,
        "started": _utc(run.started),
        "finished": _utc(run.finished),
        "status": run.status,
        "counts": row_counts(run.counts),
        "file": run.origin.file,
        "undoes": run.undoes or None,
    }


def _utc(moment: float) -> str | None:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds") if moment else None


def _show_runs(app: App, found: Sequence[tuple[str, Run]], *, several: bool) -> None:
    import time

    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for name in ("Run", "What", "Started", "Took", "Status", "Written", "Held", "Failed"):
        numeric = name in ("Run", "Took", "Written", "Held", "Failed")
        table.add_column(name, justify="right" if numeric else "left", no_wrap=True)
    table.add_column("File", overflow="fold")
    if several:
        table.add_column("Library")
    for library, run in found:
        counts = row_counts(run.counts)
        what = f"{run.kind} of {run.undoes}" if run.undoes else run.kind
        cells = [
            str(run.id),
            what,
            time.strftime("%Y-%m-%d %H:%M", time.localtime(run.started)),
            f"{run.finished - run.started:.0f} s" if run.finished else "",
            run.status,
            *(f"{counts[name]:,}" for name in ("written", "held", "failed")),
            _file_name(run.origin.file),
        ]
        table.add_row(*cells, *([library] if several else []))
    app.say(table)


def _file_name(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def _one_run(app: App, state: State, number: int) -> Done:
    from plexsheet.cli.import_ import row_payload
    from plexsheet.cli.show import show_rows
    from plexsheet.state import journal

    run = journal.run_of(state, number)
    if run is None:
        raise UsageError(
            f"There is no run {number}. Nothing was changed. `plexsheet history` lists the runs."
        )
    written = [journal.as_outcome(row) for row in journal.rows_in(state, number)]
    planned = [
        row
        for row in journal.planned_outcomes(state, number)
        if row.outcome not in ("Would apply", "Unchanged")
    ]
    _show_runs(app, [("", run)], several=False)
    show_rows(app, [*planned, *written])
    rows = [row_payload(row) for row in [*planned, *written]]
    return Done(0, run_payload(run) | {"rows": rows})
