"""Import one file: the one flow of the command line, the watcher and scripts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from plexsheet.apply.run import Outcome
from plexsheet.operations.carry_out import carry_out
from plexsheet.operations.import_ import ImportOptions, Prepared, prepare_import, settled
from plexsheet.operations.import_result import place_of_result, write_result
from plexsheet.operations.session import Session

# Whether to write what a file was found to ask for; an outcome where that was done already.
Decide = Callable[[Prepared], bool | Outcome]
Stop = Callable[[], bool]


@dataclass(frozen=True)
class Imported:
    """What became of a file.

    Attributes:
        prepared: the file, with what became of its rows.
        outcome: of carrying it out; None where nothing was written.
        result: the result workbook; None where there was nothing to tell.
        approved: whether the plan was to be written.
    """

    prepared: Prepared
    outcome: Outcome | None
    result: Path | None
    approved: bool


def import_file(
    session: Session,
    path: Path,
    options: ImportOptions,
    decide: Decide,
    *,
    name: str = "",
    result: Path | None = None,
    stopping: Callable[[], AbstractContextManager[Stop]] = lambda: nullcontext(lambda: False),
) -> Imported:
    """Check a file, let somebody decide, carry out its plan and write the result workbook.

    Args:
        session: connected, with the right to write.
        path: the file, which stays as it is.
        options: the person's choices.
        decide: given what the file would do; it shows it, asks, or knows.  With
            ``all_or_nothing`` a yes counts only where all of it can be written.
        name: what to call the file, where ``path`` is a private copy.
        result: where the result goes; None for a name in results/ of the working folder.
        stopping: entered while writing; what it gives is asked between requests.

    Raises:
        WorkbookError: the file is stopped as a whole; its code is the F code.
        PlexError: current values could not be read; of an unattended import also what stopped
            the run, which stays open.
        UsageError: the result cannot be written there; nothing was changed.
    """
    prepared = prepare_import(session, path, name=name, options=options)
    decision = decide(prepared)
    if decision is True and options.all_or_nothing and not prepared.whole:
        decision = False
    approved = decision is not False
    outcome = None if isinstance(decision, bool) else decision
    if outcome is not None:
        prepared = _as_if_at_once(prepared, outcome)
    told = prepared.touched or decision is True or outcome is not None
    place = place_of_result(session, prepared.name, result) if told else None
    if decision is True and prepared.writes:
        with stopping() as stop:
            outcome = carry_out(session, prepared.plan, stop=stop, origin=prepared.origin)
    if options.unattended and outcome is not None and outcome.status != "done":
        if outcome.error is not None:
            raise outcome.error
        return Imported(prepared, outcome, None, approved)  # the result follows when it ended
    if outcome is not None:
        prepared = settled(prepared, outcome)
    if place is None or (options.unattended and not prepared.touched and outcome is None):
        return Imported(prepared, outcome, None, approved)
    return Imported(prepared, outcome, write_result(session, prepared, outcome, place), approved)


def _as_if_at_once(prepared: Prepared, outcome: Outcome) -> Prepared:
    """A file whose import was interrupted and is through now, told as if it never was."""
    edited = {(o.sheet, o.row) for o in outcome.outcomes if o.outcome not in ("Unchanged", "Kept")}
    rows = sum(map(len, prepared.raw.sheets.values()))
    return replace(
        prepared,
        notices=tuple(note for note in prepared.notices if note.code != "F09"),
        unchanged=max(0, rows - len(edited)),
    )
