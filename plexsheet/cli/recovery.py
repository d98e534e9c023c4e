"""``history``, ``undo``, ``resume``, ``verify``, ``reconstruct``, ``sync-tags``: looking back.

What was done is in the journal, on this computer, so ``history`` needs no Plex.  The
others ask Plex what stands there now, show a plan, and write that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from plexsheet.cli.app import App, Done, json_option, preview_option, yes_option
from plexsheet.cli.pausing import STOPPED, stoppable
from plexsheet.cli.state import tag_names
from plexsheet.errors import UsageError

if TYPE_CHECKING:
    from plexsheet.apply import Outcome
    from plexsheet.config import Config
    from plexsheet.operations import Session
    from plexsheet.plan import Plan
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


def row_counts(statuses: Mapping[str, int]) -> dict[str, int]:
    """Rows of the journal by what became of them.

    >>> row_counts({"verified": 3, "sent": 1, "planned": 2})
    {'written': 3, 'held': 0, 'failed': 0, 'open': 3}
    """
    names = {"written": ("verified",), "held": ("held",), "failed": ("failed",)}
    named = {name: sum(statuses.get(s, 0) for s in words) for name, words in names.items()}
    return named | {"open": sum(statuses.values()) - sum(named.values())}


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
    from plexsheet.cli.roundtrip import row_payload
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


# Plans that take back or put right


@click.command(
    epilog="""\b
Examples:
  plexsheet undo 12 --preview          show what would be put back
  plexsheet undo 12                    show it, ask, put it back
  plexsheet undo 12 --sheet Albums     only the albums
  plexsheet undo --inferred            remove every inferred rating and tag"""
)
@click.argument("run", type=click.IntRange(min=1), required=False)
@click.option("--inferred", is_flag=True, help="Take back everything inferred, of all runs.")
@click.option(
    "--sheet",
    type=click.Choice(["Artists", "Albums", "Tracks", "Twins"], case_sensitive=False),
    help="Only this kind of item.",
)
@preview_option
@yes_option
@json_option
@click.pass_obj
def undo(
    app: App,
    run: int | None,
    inferred: bool,
    sheet: str | None,
    preview: bool,
    yes: bool,
    as_json: bool,
) -> Done:
    """Take back one RUN, or with --inferred every inferred rating and tag.

    What you changed since stays as it is.  An undo is a run too, and can be undone.
    """
    from plexsheet import recovery
    from plexsheet.cli.state import say_if_lost

    app.as_json = as_json
    if (run is None) is not inferred:
        raise UsageError("Name one run (`plexsheet history` lists them), or give --inferred.")
    if inferred and sheet:
        raise UsageError("--inferred takes back everything; leave --sheet out.")

    def plan(session: Session) -> Plan:
        if run is None:
            say_if_lost(app, session)
            return recovery.prepare_cleanup(
                session.state, session.gateway, tag_names(session), session.progress
            )
        made = recovery.prepare_undo(session.state, session.gateway, run, sheet=sheet)
        already = recovery.taken_back_by(session.state, run)
        if already is not None:
            app.say(
                f"Run {run} was taken back by run {already}. To bring it back: "
                f"plexsheet undo {already}"
            )
        return made

    heading = "Everything inferred, taken back" if inferred else f"Run {run}, taken back"
    return planned(app, plan, heading=heading, preview=preview, yes=yes, undoes=run or 0)


@click.command(
    epilog="""\b
Examples:
  plexsheet resume                  finish the interrupted run
  plexsheet resume --take-back      undo what it did before it stopped"""
)
@click.option("--take-back", is_flag=True, help="Undo what the run did, instead of finishing it.")
@yes_option
@json_option
@click.pass_obj
def resume(app: App, take_back: bool, yes: bool, as_json: bool) -> Done:
    """Settle an interrupted run, and finish it or take it back.

    Rows in doubt are compared with Plex first, so nothing is written twice.
    """
    from plexsheet import operations, recovery

    app.as_json = as_json
    config = app.config()
    with (
        app.progress() as progress,
        operations.session(
            config, purpose="resume", settle_first=False, progress=progress
        ) as session,
    ):
        run = recovery.open_run(session.state, session.scope)
        if run is None:
            app.say("No run is open: nothing to resume.")
            _tell_of_others(app, session)
            return Done(0, _payload(None, False, _no_counts()))
        doubtful = run.counts.get("sent", 0) + run.counts.get("applied", 0)
        doubt = f"; {doubtful:,} more are in doubt" if doubtful else ""
        app.say(
            f"Run {run.id} ({run.kind}) stopped after {run.settled:,} of {run.total:,} rows "
            f"{_ago(run.started)}{doubt}."
        )
        question = "Take back what it did?" if take_back else f"Go on with run {run.id}?"
        go, why_not, code = may_write(app, config, question, yes=yes, preview=False)
        if not go:
            app.say(why_not)
            return Done(code, _payload(run.id, True, _no_counts()))
        with stoppable(app) as stop:
            outcome = recovery.resume(
                session.state,
                session.gateway,
                take_back=take_back,
                mode=config.write_mode,
                progress=session.progress,
                cooldown=(config.cooldown_batch, config.cooldown_sleep),
                stop=stop,
            )
        return _told(app, session, outcome, kept=0)


def _tell_of_others(app: App, session: Session) -> None:
    """Say which runs are open in other libraries that the same state file remembers."""
    from plexsheet import recovery

    for library in session.state.libraries():
        run = recovery.open_run(session.state, library["id"])
        if run is not None:
            app.say(
                f"Run {run.id} ({run.kind}) of the library “{library['title']}” on "
                f"{library['server']} is open: resume it with the settings or the --profile "
                "of that library."
            )


def _ago(moment: float) -> str:
    import time

    return time.strftime("on %Y-%m-%d at %H:%M", time.localtime(moment))


@click.command(
    epilog="""\b
Examples:
  plexsheet verify             compare; change nothing
  plexsheet verify --json      for a script (exit code 1: something differs)"""
)
@click.option("--top", metavar="N", default=30, show_default=True, help="How many rows to show.")
@json_option
@click.pass_obj
def verify(app: App, top: int, as_json: bool) -> Done:
    """Compare what plexsheet remembers of its inferred ratings with Plex.

    Overrides are inferred ratings you changed in Plex, orphans are items gone from
    Plex, tag mismatches are missing or left-over tags.  Nothing is changed.
    """
    from plexsheet import operations, recovery
    from plexsheet.cli.state import say_if_lost

    app.as_json = as_json
    config = app.config()
    with (
        app.progress() as progress,
        operations.session(
            config, purpose="verify", writing=False, settle_first=False, progress=progress
        ) as session,
    ):
        lost, run = say_if_lost(app, session), recovery.open_run(session.state, session.scope)
        counts, found = recovery.verify(
            session.state, session.gateway, tag_names(session), session.progress
        )
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


@click.command(
    epilog="""\b
Examples:
  plexsheet reconstruct --preview     how many inferred ratings their tag shows
  plexsheet reconstruct               remember them as inferred again"""
)
@preview_option
@yes_option
@json_option
@click.pass_obj
def reconstruct(app: App, preview: bool, yes: bool, as_json: bool) -> Done:
    """Rebuild a lost state database from the tag of inferred ratings in Plex.

    Every rated item that carries INFERRED_TAG is taken for inferred.  Ratings in Plex stay.
    """
    from plexsheet import recovery

    app.as_json = as_json

    def plan(session: Session) -> Plan:
        return recovery.prepare_reconstruct(
            session.state, session.gateway, tag_names(session), session.progress
        )

    return planned(app, plan, heading="Inferred ratings found by tag", preview=preview, yes=yes)


@click.command(
    name="sync-tags",
    epilog="""\b
Examples:
  plexsheet sync-tags --preview     which tags are missing or left over
  plexsheet sync-tags               put them right""",
)
@preview_option
@yes_option
@json_option
@click.pass_obj
def sync_tags(app: App, preview: bool, yes: bool, as_json: bool) -> Done:
    """Put INFERRED_TAG and TWIN_TAG on what is inferred, and off what is not.

    Ratings and your own tags stay as they are.
    """
    from plexsheet import recovery
    from plexsheet.cli.state import say_if_lost

    app.as_json = as_json

    def plan(session: Session) -> Plan:
        say_if_lost(app, session)
        return recovery.prepare_sync_tags(
            session.state, session.gateway, tag_names(session), session.progress
        )

    return planned(app, plan, heading="Tags to put right", preview=preview, yes=yes)


# What they share


def planned(
    app: App,
    plan: Callable[[Session], Plan],
    *,
    heading: str,
    preview: bool,
    yes: bool,
    undoes: int = 0,
) -> Done:
    """Make a plan, show it, ask, carry it out, tell what became of it.

    Args:
        app: the console; ``as_json`` is set.
        plan: makes the plan of a connected session.
        heading: what the plan is about.
        preview, yes: as given on the command line.
        undoes: the run it takes back.
    """
    from plexsheet import operations
    from plexsheet.cli.show import about, rows_of_plan, show_rows

    config = app.config()
    purpose = heading.lower()
    with (
        app.progress() as progress,
        operations.session(config, purpose=purpose, progress=progress) as session,
    ):
        made = plan(session)
        left = [row for row in made.outcomes if row.outcome != "Would apply"]
        listed, kept = len(left) < len(made.outcomes), len(left)
        app.say(f"{heading}: {_count(len(made), 'change')}, {kept:,} left alone.")
        show_rows(app, made.outcomes if listed else [*left, *rows_of_plan(made)])
        refused = _refused(app, made)
        if not len(made):
            app.say("Nothing to write.")
            counts = _no_counts() | {"left_alone": kept}
            return Done(refused, _payload(None, preview, counts))
        question = f"Write {_count(len(made), 'change')} to Plex{about(session, made)}?"
        go, why_not, code = may_write(app, config, question, yes=yes, preview=preview)
        if not go:
            app.say(why_not)
            counts = {"written": len(made), "left_alone": kept, "failed": 0}
            return Done(max(code, refused), _payload(None, True, counts))
        with stoppable(app) as stop:
            outcome = operations.carry_out(session, made, stop=stop, undoes=undoes)
        done = _told(app, session, outcome, kept=kept, known=made.outcomes)
        return replace(done, exit_code=max(done.exit_code, refused))


def _refused(app: App, plan: Plan) -> int:
    """Say which sheets are held as a whole; the exit code for what is not written."""
    stopped = plan.notes.get("stopped", ())
    for one in stopped:
        app.say(f"{one['code']} {one['sheet']}: {one['message']}")
    if stopped:
        return 3
    return int(any(row.outcome == "Error" for row in plan.outcomes))


def may_write(
    app: App, config: Config, question: str, *, yes: bool, preview: bool
) -> tuple[bool, str, int]:
    """Whether to write; when not, what to say and the exit code."""
    if preview:
        return False, "Preview only: nothing was written.", 0
    if config.dry_run:
        return False, "DRY_RUN is true in the settings: nothing was written.", 0
    if yes or app.confirm(question):
        return True, "", 0
    return False, "Nothing was written. To write this plan, run again with --yes.", 1


def _told(
    app: App, session: Session, outcome: Outcome | None, *, kept: int, known: Any = ()
) -> Done:
    """Say what became of a plan; errors of Plex come last, after what was done.

    Args:
        app, session: where to say it.
        outcome: of carrying it out.
        kept: rows that the plan left alone already.
        known: rows of the plan, which were shown.
    """
    from plexsheet.cli.show import show_left
    from plexsheet.state import journal

    if outcome is None:
        return Done(0, _payload(None, False, _no_counts()))
    run = journal.run_of(session.state, outcome.run)
    rows = row_counts(run.counts if run else outcome.counts)
    counts = {
        "written": rows["written"],
        "left_alone": rows["held"] + kept,
        "failed": rows["failed"],
    }
    for note in outcome.notes:
        app.say(note)
    show_left(app, outcome, known)
    app.say(
        f"Run {outcome.run}: {counts['written']:,} written, {counts['left_alone']:,} left alone, "
        f"{counts['failed']:,} failed."
    )
    if outcome.error is not None:
        payload = _payload(outcome.run, False, counts)
        return Done(outcome.error.exit_code, payload, outcome.error)
    if outcome.status == "interrupted":
        app.say(STOPPED)
        return Done(5, _payload(outcome.run, False, counts))
    return Done(1 if rows["held"] or rows["failed"] else 0, _payload(outcome.run, False, counts))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _no_counts() -> dict[str, int]:
    return {"written": 0, "left_alone": 0, "failed": 0}


def _payload(run: int | None, preview: bool, counts: Mapping[str, int]) -> dict[str, Any]:
    return {"run": run, "preview": preview, "counts": dict(counts)}
