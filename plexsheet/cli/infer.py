"""``infer``: the ratings the person would have given, into Plex."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from plexsheet.cli.app import (
    App,
    Done,
    confirm_option,
    json_option,
    name_of_workbook,
    preview_option,
    refuse_existing,
    yes_option,
)
from plexsheet.ratings import exact_stars

if TYPE_CHECKING:
    from plexsheet.apply.run import Outcome
    from plexsheet.operations import Model, PreparedInference, Session

# The steps of inference: the name plex-rating-utils gave each, and what it infers.
PHASES = (
    ("Full sequence", "everything you did not rate"),
    ("Album-Up", "albums from their rated tracks"),
    ("Artist-Up", "artists from their albums"),
    ("Album-Down", "albums from their artists"),
    ("Track-Down", "tracks from their albums"),
    ("Twins", "the other copies of a recording you rated"),
)
_STEPS = ",\n        ".join(f"{number} {does}" for number, (_, does) in enumerate(PHASES))


@click.command(
    epilog=f"""\b
Examples:
  plexsheet infer --preview         show what would be written
  plexsheet infer --preview --output plan.xlsx   all of it, row by row, to filter
  plexsheet infer                   show it, ask, write it
  plexsheet infer 4 --start-at P    only tracks, from the artists at P on
  plexsheet infer --model classic   the formulas of plex-rating-utils

\b
Phases: {_STEPS}"""
)
@click.argument("phase", type=click.IntRange(0, 5), default=0)
@preview_option
@yes_option
@click.option(
    "--start-at",
    metavar="LETTER",
    default="",
    help="Start at the artists of this letter, in Plex's order.",
)
@click.option(
    "--model",
    type=click.Choice(["learned", "classic"]),
    default=None,
    help="Use this model instead of the one in the settings.",
)
@confirm_option("Go on though so many ratings are not as they were left (S06, S08).")
@click.option("--full", is_flag=True, help="Read the whole library instead of only what changed.")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the plan into a workbook, one item per row.",
)
@click.option("--force", is_flag=True, help="Replace the file of --output if it is there.")
@json_option
@click.pass_obj
def infer(
    app: App,
    phase: int,
    preview: bool,
    yes: bool,
    start_at: str,
    model: Model | None,
    confirm: tuple[int, ...],
    full: bool,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> Done:
    """Infer what you did not rate, and write what changed to Plex.

    PHASE limits what is written; the computation is always the same one.
    Your own ratings are never touched.
    """
    from plexsheet import operations
    from plexsheet.cli.planned import may_write
    from plexsheet.cli.show import about, show_changes
    from plexsheet.cli.state import offer_take_over

    app.as_json = as_json
    name_of_workbook(output)
    refuse_existing(output, force=force)
    config = app.config()
    with app.session(config) as session:
        offer_take_over(app, session)
        prepared = operations.prepare_infer(
            session,
            phase=phase,
            start_at=start_at,
            model=model,
            full=full,
            confirm=confirm,
        )
        show_inference(app, prepared, phase, start_at)
        if output is not None:
            rows = operations.write_preview(session, prepared, output)
            app.say(f"Row by row in {output}: {rows:,} rows.")
        outcome, code = None, 0
        if len(prepared.plan):
            if preview or config.dry_run:
                show_changes(app, prepared.plan)
            elif not yes:
                app.note(f"To see them one by one first: plexsheet infer {phase} --preview")
            takes = about(session, prepared.plan)
            question = f"Write {len(prepared.plan):,} changes to Plex{takes}?"
            go, why_not, code = may_write(app, config, question, yes=yes, preview=preview)
            if go:
                outcome = _carried_out(app, session, prepared)
            else:
                app.say(why_not)
        if outcome is not None:
            code = _show_outcome(app, session, prepared, outcome)
        error = outcome.error if outcome is not None else None
        payload = operations.infer_payload(session, prepared, outcome)
        return Done(code, payload | ({"file": str(output)} if output else {}), error)


def show_inference(app: App, prepared: PreparedInference, phase: int, start_at: str = "") -> None:
    """Print the figures of an inference: prior, what would change, what stays."""
    counts = prepared.counts
    app.say(f"Inference ({prepared.model}), {PHASES[phase][1]}:")
    app.say(f"  library level    {exact_stars(prepared.prior):.2f} stars")
    app.say(
        f"  to write         {counts['artists']:,} artists, {counts['albums']:,} albums, "
        f"{counts['tracks']:,} tracks"
    )
    app.say(f"  to clear         {counts['cleared']:,} your ratings no longer support")
    app.say(f"  close enough     {counts['drift_skipped']:,} left as they are")
    tags = int((prepared.plan.changes["reason"] == "tags").sum())
    if tags:
        app.say(f"  tags             {tags:,} to fix; the ratings stay")
    if counts["taken_over"]:
        app.say(f"  taken over       {counts['taken_over']:,} inferred ratings are now yours")
    if prepared.inference is None:
        app.say("Nothing was rated, played or changed since the last run: nothing to write.")
    elif not len(prepared.plan):
        where = f" from “{start_at}” on" if start_at else ""
        app.say(f"Nothing to write: everything{where} stands as inferred.")


def _carried_out(app: App, session: Session, prepared: PreparedInference) -> Outcome:
    from plexsheet import operations
    from plexsheet.cli.interrupts import stoppable

    with stoppable(app) as stop:
        return operations.carry_out(session, prepared.plan, stop=stop)


def _show_outcome(app: App, session: Session, prepared: PreparedInference, outcome: Outcome) -> int:
    from plexsheet import operations
    from plexsheet.cli.interrupts import STOPPED
    from plexsheet.cli.show import show_left

    summary = operations.run_summary(prepared, outcome)
    app.say(f"\nRun {summary.run}: {summary.written:,} written, {summary.held:,} held.")
    show_left(app, outcome)
    app.say(
        f"  library level before {exact_stars(summary.prior_start):.2f}, after "
        f"{exact_stars(summary.prior_end):.2f} stars "
        f"({exact_stars(summary.prior_end - summary.prior_start):+.4f})"
    )
    for note in outcome.notes:
        app.say(note)
    if outcome.error is not None:
        return outcome.error.exit_code
    if summary.status == "interrupted":
        app.say(STOPPED)
        return 5
    return 1 if summary.held else 0
