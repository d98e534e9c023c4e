"""Show a plan, ask, carry it out and say what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from plexsheet.cli.app import App, Done
from plexsheet.cli.interrupts import STOPPED, stoppable

if TYPE_CHECKING:
    from plexsheet.apply.run import Outcome
    from plexsheet.config import Config
    from plexsheet.operations import Session
    from plexsheet.plan import Plan


def row_counts(statuses: Mapping[str, int]) -> dict[str, int]:
    """Rows of the journal by what became of them.

    >>> row_counts({"verified": 3, "sent": 1, "planned": 2})
    {'written': 3, 'held': 0, 'failed': 0, 'open': 3}
    """
    names = {"written": ("verified",), "held": ("held",), "failed": ("failed",)}
    named = {name: sum(statuses.get(s, 0) for s in words) for name, words in names.items()}
    return named | {"open": sum(statuses.values()) - sum(named.values())}


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
    with app.session(config) as session:
        made = plan(session)
        if "remark" in made.notes:
            app.say(made.notes["remark"])
        left = [row for row in made.outcomes if row.outcome != "Would apply"]
        listed, kept = len(left) < len(made.outcomes), len(left)
        app.say(f"{heading}: {_count(len(made), 'change')}, {kept:,} left alone.")
        show_rows(app, made.outcomes if listed else [*left, *rows_of_plan(made)])
        refused = _refused(app, made)
        if not len(made):
            app.say("Nothing to write.")
            counts = no_counts() | {"left_alone": kept}
            return Done(refused, counts_payload(None, preview, counts))
        question = f"Write {_count(len(made), 'change')} to Plex{about(session, made)}?"
        go, why_not, code = may_write(app, config, question, yes=yes, preview=preview)
        if not go:
            app.say(why_not)
            counts = {"written": len(made), "left_alone": kept, "failed": 0}
            return Done(max(code, refused), counts_payload(None, True, counts))
        with stoppable(app) as stop:
            outcome = operations.carry_out(session, made, stop=stop, undoes=undoes)
        done = tell(app, session, outcome, kept=kept, known=made.outcomes)
        return replace(done, exit_code=max(done.exit_code, refused))


def _refused(app: App, plan: Plan) -> int:
    """Say which sheets are held as a whole; the exit code for what is not written."""
    stopped = plan.notes.get("stopped", ())
    for one in stopped:
        app.say(f"{one['code']} {one['sheet']}: {one['message']}")
    if stopped:
        return 3
    return int(any(row.outcome in ("Error", "Held", "Conflict") for row in plan.outcomes))


def may_write(
    app: App, config: Config, question: str, *, yes: bool, preview: bool
) -> tuple[bool, str, int]:
    """Whether to write; when not, what to say and the exit code.  Every command asks here."""
    if preview:
        return False, "Preview only: nothing was written.", 0
    if config.dry_run:
        return False, "DRY_RUN is true in the settings: nothing was written.", 0
    if yes or app.confirm(question):
        return True, "", 0
    return False, "Nothing was written. To write this plan, run again with --yes.", 1


def tell(
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
    from plexsheet.state import runs

    if outcome is None:
        return Done(0, counts_payload(None, False, no_counts()))
    run = runs.run_of(session.state, outcome.run)
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
        payload = counts_payload(outcome.run, False, counts)
        return Done(outcome.error.exit_code, payload, outcome.error)
    if outcome.status == "interrupted":
        app.say(STOPPED)
        return Done(5, counts_payload(outcome.run, False, counts))
    return Done(
        1 if rows["held"] or rows["failed"] else 0, counts_payload(outcome.run, False, counts)
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def no_counts() -> dict[str, int]:
    """The counts of a plan of which nothing was written."""
    return {"written": 0, "left_alone": 0, "failed": 0}


def counts_payload(run: int | None, preview: bool, counts: Mapping[str, int]) -> dict[str, Any]:
    """The object of ``--json``."""
    return {"run": run, "preview": preview, "counts": dict(counts)}
