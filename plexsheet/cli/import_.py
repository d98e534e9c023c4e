"""``import``: the edits of a workbook into Plex."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plexsheet.cli.app import (
    App,
    Done,
    json_option,
    mapping_of,
    name_of_workbook,
    preview_option,
    yes_option,
)
from plexsheet.errors import PlexsheetError, UsageError, worst
from plexsheet.ratings import to_stars

if TYPE_CHECKING:
    from plexsheet.apply.run import Outcome
    from plexsheet.operations import ImportOptions, Prepared, Session
    from plexsheet.plan import RowOutcome

SHEETS = ("Artists", "Albums", "Tracks", "Twins", "Rate next", "Matches")


@click.command(
    name="import",
    epilog="""\b
Examples:
  plexsheet import music.xlsx --preview     show what would change
  plexsheet import music.xlsx               show it, ask, write it
  plexsheet import music.xlsx --yes         write without asking
  plexsheet import music.xlsx --confirm 212  yes, 212 cells were emptied on purpose
  plexsheet import list.csv --map "Song id=Key" --map "Stars=My rating"
  plexsheet import list.csv --map "Song id=Key" --map "Stars=My rating" --scale 10""",
)
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@preview_option
@yes_option
@click.option(
    "--confirm",
    multiple=True,
    type=int,
    metavar="N",
    help="Write what is held back, by giving the number shown.",
)
@click.option(
    "--sheet",
    "sheets",
    multiple=True,
    type=click.Choice(SHEETS, case_sensitive=False),
    help="Only this sheet (repeatable).",
)
@click.option(
    "--all-or-nothing",
    is_flag=True,
    help="Write nothing if a row is refused or held, or a sheet stopped.",
)
@click.option(
    "--on-conflict",
    type=click.Choice(["hold", "mine", "plex"]),
    default="hold",
    show_default=True,
    help="What to do where both you and Plex changed a rating.",
)
@click.option(
    "--accept-scramble",
    multiple=True,
    type=click.Choice(SHEETS, case_sensitive=False),
    metavar="SHEET",
    help="The values of this sheet really were swapped; asks for the row count.",
)
@click.option("--allow-new-rows", is_flag=True, help="Accept rows that were not in the export.")
@click.option(
    "--map",
    "mapping",
    multiple=True,
    metavar='"Header=Column"',
    help="A header of another program's list, and the column it stands for.",
)
@click.option(
    "--scale",
    type=click.Choice(["5", "10"]),
    default="5",
    help="Ratings of a foreign list are out of 5 (default) or 10.",
)
@click.option("--then-infer", is_flag=True, help="Infer afterwards and write that too.")
@click.option(
    "--result",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the result workbook goes (default: results/ of the working folder).",
)
@json_option
@click.pass_obj
def import_(app: App, /, files: tuple[Path, ...], as_json: bool, **choices: Any) -> Done:
    """Write the ratings edited in FILE to Plex, after showing what will change.

    Each FILE stays where it is, untouched.
    """
    from plexsheet.cli.state import offer_take_over

    app.as_json = as_json
    config = app.config()
    options = _options(choices)
    name_of_workbook(choices["result"])
    if choices["result"] and len(files) > 1:
        raise UsageError("--result names one file; import one workbook at a time with it.")
    if choices["result"] and choices["result"].exists() and choices["result"].samefile(files[0]):
        raise UsageError(
            f"--result would replace {files[0]} itself, which stays as it is. Nothing was changed. "
            "Give another name."
        )
    results: list[tuple[int, dict[str, Any]]] = []
    with app.session(config) as session:
        offer_take_over(app, session)
        for file in files:
            if len(files) > 1:
                app.say(f"\n{file}")
            results.append(_import_one(app, session, file, options, choices))
    if len(results) == 1:
        return Done(*results[0])
    return Done(worst(code for code, _ in results), {"files": [payload for _, payload in results]})


def _options(choices: dict[str, Any]) -> ImportOptions:
    from plexsheet.operations import ImportOptions

    return ImportOptions(
        sheets=tuple(choices["sheets"]),
        all_or_nothing=choices["all_or_nothing"],
        on_conflict=choices["on_conflict"],
        confirm=tuple(choices["confirm"]),
        accept_scramble=tuple(choices["accept_scramble"]),
        allow_new_rows=choices["allow_new_rows"],
        mapping=mapping_of(choices["mapping"]),
        scale=int(choices["scale"]),
    )


def _import_one(
    app: App, session: Session, file: Path, options: ImportOptions, choices: dict[str, Any]
) -> tuple[int, dict[str, Any]]:
    """Import one file; its exit code, and what ``--json`` says of it."""
    from plexsheet import operations
    from plexsheet.cli.interrupts import stoppable
    from plexsheet.cli.show import show_prepared, show_written

    def decide(prepared: Prepared) -> bool:
        show_prepared(app, prepared)
        go, why_not = _may_write(app, session, prepared, choices)
        if why_not:
            app.say(why_not)
        if go:
            shown.append(prepared)
        return go

    shown: list[Prepared] = []
    try:
        done = operations.import_file(
            session,
            file,
            options,
            decide,
            result=choices["result"],
            stopping=lambda: stoppable(app),
        )
    except PlexsheetError as error:
        if error.exit_code != 3:
            raise
        app.fail(f"{error.code} {error.message}")
        return 3, {"file": str(file), "error": {"code": error.code, "message": error.message}}
    prepared, outcome = done.prepared, done.outcome
    if outcome is not None:
        show_written(app, shown[0], prepared)
        _tell_end(app, outcome)
    if done.result is not None:
        app.note(f"Result: {done.result}")
    payload = _import_payload(file, prepared, outcome, done.result)
    if choices["then_infer"] and outcome is not None and outcome.status == "done":
        outcome, inferred = _infer_after(app, session)
        payload |= {"inferred": inferred, "error": _error_payload(outcome)}
    preview = choices["preview"] or session.config.dry_run
    return _exit_code(prepared, done.approved, outcome, preview=preview), payload


def _import_payload(
    file: Path, prepared: Prepared, outcome: Outcome | None, result_file: Path | None
) -> dict[str, Any]:
    """What ``--json`` says of an imported file."""
    told = [row for row in prepared.outcomes if row.outcome != "Unchanged" or row.code]
    return {
        "run": outcome.run if outcome else None,
        "file": str(file),
        "preview": outcome is None,
        "counts": prepared.counts(),
        "stopped_sheets": list(prepared.stopped),
        "result_file": str(result_file) if result_file else None,
        "rows": [row_payload(row) for row in told],
        "messages": [
            {"code": m.code, "sheet": m.sheet, "row": m.row, "message": m.text}
            for m in prepared.notices
        ],
        "error": _error_payload(outcome),
    }


def _infer_after(app: App, session: Session) -> tuple[Outcome, dict[str, Any]]:
    """Infer from what was just imported, and write that too (``--then-infer``)."""
    from plexsheet import operations
    from plexsheet.cli.interrupts import stoppable

    inferred = operations.prepare_infer(session)
    with stoppable(app) as stop:
        outcome = operations.carry_out(session, inferred.plan, stop=stop)
    app.say(f"Inferred: {outcome.written:,} changes written.")
    _tell_end(app, outcome)
    return outcome, operations.infer_payload(session, inferred, outcome)


def _tell_end(app: App, outcome: Outcome) -> None:
    """Say what was learned while writing, and what ended it before its time."""
    from plexsheet.cli.interrupts import STOPPED

    for note in outcome.notes:
        app.note(note)
    if outcome.error is not None:
        app.fail(f"{outcome.error.code} {outcome.error.message}")
    elif outcome.status == "interrupted":
        app.say(STOPPED)


def _may_write(
    app: App, session: Session, prepared: Prepared, choices: dict[str, Any]
) -> tuple[bool, str]:
    """Whether to write, and what to say when not."""
    from plexsheet.cli.planned import may_write
    from plexsheet.cli.show import about

    if not prepared.writes:
        return False, "" if prepared.already else "Nothing to write."
    if choices["all_or_nothing"] and not prepared.whole:
        what = "a row was refused or held" if prepared.refused else "a sheet was stopped"
        return False, f"--all-or-nothing: {what}, so nothing was written."
    noun = "change" if prepared.writes == 1 else "changes"
    question = f"Write {prepared.writes:,} {noun} to Plex{about(session, prepared.plan)}?"
    yes, preview = choices["yes"], choices["preview"]
    return may_write(app, session.config, question, yes=yes, preview=preview)[:2]


def _error_payload(outcome: Outcome | None) -> dict[str, str] | None:
    """What stopped the run, as ``--json`` says it."""
    if outcome is None or outcome.error is None:
        return None
    return {"code": outcome.error.code, "message": outcome.error.message}


def _exit_code(prepared: Prepared, go: bool, outcome: Any, *, preview: bool) -> int:
    if outcome is not None and outcome.error is not None:
        return int(outcome.error.exit_code)
    if outcome is not None and outcome.status == "interrupted":
        return 5
    if prepared.stopped:
        return 3
    if prepared.refused:
        return 1
    wanted = prepared.writes and not go and not preview
    return 1 if wanted else 0


def row_payload(row: RowOutcome) -> dict[str, Any]:
    """One row for ``--json``: ratings in stars, unrated null."""
    return {
        "sheet": row.sheet,
        "row": row.row,
        "key": row.key,
        "field": row.field,
        "was": json_value(row.was),
        "yours": json_value(row.yours),
        "plex_now": json_value(row.plex_now),
        "outcome": row.outcome,
        "code": row.code,
        "message": row.message,
    }


def json_value(value: float | str) -> float | str | None:
    """A value for ``--json``: a rating in stars, unrated null; text as it is."""
    if isinstance(value, str):
        return value
    return None if math.isnan(value) else to_stars(value)
