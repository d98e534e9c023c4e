"""``history``: runs, newest first; one run row by row; one item over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from plexsheet.cli.app import RUN_NUMBER, App, Done, json_option
from plexsheet.cli.planned import row_counts
from plexsheet.errors import UsageError

if TYPE_CHECKING:
    from plexsheet.config import Config
    from plexsheet.state.item_history import ItemEvent, KnownItem, Timeline
    from plexsheet.state.runs import Run
    from plexsheet.state.snapshots import Snapshot
    from plexsheet.state.store import State

RUNS_SHOWN = 40
ITEMS_NAMED = 12
WHOSE = {"person": "yours", "plexsheet": "inferred", "none": "nobody's"}


@click.command(
    epilog="""\b
Examples:
  plexsheet history             all runs, newest first
  plexsheet history 12          run 12, row by row
  plexsheet history --item 4711                       the ratings of one item over time
  plexsheet history --item "Miles Davis - So What"    the same, by name
  plexsheet history --json      for a script"""
)
@click.argument("run", type=RUN_NUMBER, required=False)
@click.option("--top", metavar="N", type=click.IntRange(min=1), help="Only the newest N runs.")
@click.option(
    "--item",
    metavar="KEY|NAME",
    help="One item's ratings over time: its Key, its title, or “artist - title”.",
)
@json_option
@click.pass_obj
def history(app: App, run: int | None, top: int | None, item: str | None, as_json: bool) -> Done:
    """Show what was written to Plex: the runs, one RUN row by row, or one item over time.

    Read from the state database; Plex is not contacted.
    """
    from plexsheet.state.store import open_state

    app.as_json = as_json
    if item is not None and (run is not None or top is not None):
        raise UsageError("--item shows one item; leave the number of a run and --top out.")
    config = app.config()
    with open_state(config.state_file) as state:
        if item is not None:
            return _one_item(app, state, config, item)
        if run is not None:
            return _one_run(app, state, run)
        return _all_runs(app, state, config, top)


def _all_runs(app: App, state: State, config: Config, top: int | None) -> Done:
    from plexsheet.state import runs

    libraries = _libraries(state, config)
    found = [(name, run) for scope, name in libraries for run in runs.runs(state, scope)]
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
    from plexsheet.state import journal, runs

    run = runs.run_of(state, number)
    if run is None:
        raise UsageError(
            f"There is no run {number}. Nothing was changed. `plexsheet history` lists the runs."
        )
    written = [journal.as_outcome(row) for row in journal.rows_in(state, number)]
    planned = [
        row
        for row in runs.planned_outcomes(state, number)
        if row.outcome not in ("Would apply", "Unchanged")
    ]
    _show_runs(app, [("", run)], several=False)
    show_rows(app, [*planned, *written])
    rows = [row_payload(row) for row in [*planned, *written]]
    return Done(0, run_payload(run) | {"rows": rows})


def _one_item(app: App, state: State, config: Config, wanted: str) -> Done:
    from plexsheet.state.item_history import find_items, item_history

    found = []
    for scope, _ in _libraries(state, config):
        last = _last_read(state, scope)
        library = last.library if last else None
        found += [(scope, last, item) for item in find_items(state, scope, wanted, library)]
    if not found:
        raise UsageError(
            f"Nothing is known of an item “{wanted}”. Nothing was changed. Give its Key (of the "
            "workbook), its title as Plex has it, or “artist - title”; what was never read or "
            "written here is not known."
        )
    if len(found) > 1:
        raise UsageError(_several(wanted, [item for _, _, item in found]))
    scope, last, item = found[0]
    found_out = item_history(state, scope, item, last)
    _show_item(app, item, found_out)
    names = {"kind": item.kind, "key": item.key, "title": item.title}
    about = names | {"artist": item.artist, "album": item.album}
    return Done(0, {"item": about, "rows": [_event_payload(event) for event in found_out.events]})


def _last_read(state: State, scope: int) -> Snapshot | None:
    """The library as it was last read; it is not read again for this."""
    from plexsheet.library import Identity
    from plexsheet.state import snapshots

    known = next(one for one in state.libraries() if one["id"] == scope)
    identity = Identity(
        server_id=known["server_id"],
        server_name=known["server"],
        section_uuid=known["section_uuid"],
        section_id=0,
        title=known["title"],
        account_id=known["account_id"],
        account=known["account"],
    )
    return snapshots.load(state, scope, identity)


def _several(wanted: str, items: Sequence[KnownItem]) -> str:
    listed = [
        f"{item.key} ({', '.join(filter(None, (item.kind, item.artist, item.album)))})"
        for item in items[:ITEMS_NAMED]
    ]
    more = len(items) - len(listed)
    rest = f" and {more:,} more" if more else ""
    return (
        f"“{wanted}” is the name of {len(items):,} items. Nothing was changed. Choose one by its "
        f"Key: {', '.join(listed)}{rest}."
    )


def _show_item(app: App, item: KnownItem, found: Timeline) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from plexsheet.cli.show import drawn

    who = " – ".join(filter(None, (item.artist, item.album, item.title)))
    app.say(f"{item.kind.capitalize()} {item.key}: {who}")
    if found.others:
        app.say(f"Its Key once was another item's, not shown here: {', '.join(found.others)}.")
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("When", "What", "Change", "Whose"):
        table.add_column(name, no_wrap=True)
    table.add_column("File", overflow="fold")
    table.add_column("Message", overflow="fold")
    for event in found.events:
        same = event.what in ("export", "read")
        change = drawn(event.became) if same else f"{drawn(event.was)} → {drawn(event.became)}"
        words = (_file_name(event.file), event.message)
        cells = (_moment(event), _what(event), change, WHOSE.get(event.whose, ""))
        table.add_row(*cells, *map(Text, words))
    app.say(table)


def _what(event: ItemEvent) -> str:
    if event.run:
        return f"{event.what} (run {event.run})"
    return {"Plex": "changed in Plex", "export": "seen by export", "read": "last read"}[event.what]


def _moment(event: ItemEvent) -> str:
    import time

    told = time.strftime("%Y-%m-%d %H:%M", time.localtime(event.when))
    return f"before {told}" if event.what == "Plex" else told


def _event_payload(event: ItemEvent) -> dict[str, Any]:
    """One event for ``--json``: ratings in stars, unrated null, times in UTC."""
    from plexsheet.cli.import_ import json_value

    return {
        "when": _utc(event.when),
        "what": event.what,
        "run": event.run or None,
        "was": json_value(event.was),
        "became": json_value(event.became),
        "whose": event.whose,
        "file": event.file,
        "message": event.message,
    }
