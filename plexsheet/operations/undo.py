"""Take back a run, or everything inferred."""

from __future__ import annotations

from collections.abc import Sequence

from plexsheet.apply.moved_items import Finder
from plexsheet.apply.run import seen_items, seen_ratings
from plexsheet.errors import UsageError
from plexsheet.library import KINDS, Kind
from plexsheet.operations.marks import all_tag_names, look
from plexsheet.operations.session import Session
from plexsheet.plan.model import Plan
from plexsheet.plan.undo import cleanup_plan, undo_plan
from plexsheet.plan.verification import Seen
from plexsheet.plex.gateway import Gateway
from plexsheet.state import journal
from plexsheet.state.journal import Row, Run, refuse_open_run
from plexsheet.workbook.schema.columns import KIND_OF_SHEET


def prepare_undo(session: Session, run: int, *, sheet: str | None = None) -> Plan:
    """The plan that takes back a run, or its rows of one sheet.

    Raises:
        UsageError: there is no such run in this library, or it is still open.
        PlexError: Plex cannot be read.
    """
    record = journal.run_of(session.state, run)
    if record is None or record.scope != session.scope:
        raise UsageError(
            f"There is no run {run} of this library. Nothing was changed. “plexsheet history” "
            "lists the runs."
        )
    refuse_open_run(session.state, session.scope)
    return plan_back(session, record, sheet, "undo")


def taken_back_by(session: Session, run: int) -> int | None:
    """The newest run that took back a run and was not taken back itself; None where none did."""
    record = journal.run_of(session.state, run)
    ended = journal.runs(session.state, record.scope) if record else []
    undone = {one.undoes for one in ended if one.undoes}
    backwards = [one.id for one in ended if one.undoes == run and one.id not in undone]
    return max(backwards, default=None)


def plan_back(session: Session, run: Run, sheet: str | None, kind: str) -> Plan:
    """The plan that takes back a run, of the kind "undo" or "take-back"."""
    state, gateway = session.state, session.gateway
    rows = of_sheet(journal.rows_in(state, run.id, ("verified",)), sheet)
    seen: dict[tuple[Kind, int], Seen] = {}
    shadow: dict[tuple[Kind, int], tuple[float, int]] = {}
    for one in KINDS:
        here = [row for row in rows if row.kind == one and row.field not in journal.LOCAL]
        found = _look(gateway, one, here)
        gone = [row for row in here if row.key not in found]
        healed = Finder(gateway, state, run.scope).find(one, [r.key for r in gone]) if gone else {}
        for row in gone:
            row.key = healed.get(row.key, row.key)
        found |= _look(gateway, one, [row for row in gone if row.key in healed.values()])
        seen |= {(one, key): now for key, now in found.items()}
        entries = state.shadow(run.scope, one)
        columns = (entries[name].tolist() for name in ("key", "value", "run"))
        shadow |= {(one, key): (value, number) for key, value, number in zip(*columns, strict=True)}
    return undo_plan(rows, seen, shadow, kind=kind)


def of_sheet(rows: Sequence[Row], sheet: str | None) -> list[Row]:
    """The rows of one sheet, or of its kind where a run came from no file.

    Tracks that share their rating with one of the sheet go with it.  On the Twins sheet stand
    decisions, and no ratings.
    """
    if sheet is None:
        return list(rows)
    kind = None if sheet == "Twins" else KIND_OF_SHEET.get(sheet)  # type: ignore[call-overload]
    return [row for row in rows if row.sheet == sheet or (not row.sheet and row.kind == kind)]


def _look(gateway: Gateway, kind: Kind, rows: Sequence[Row]) -> dict[int, Seen]:
    if not rows:
        return {}
    dates = sorted({row.key for row in rows if row.field == "released"})
    others = sorted({row.key for row in rows} - set(dates))
    seen = seen_ratings(gateway.read_ratings(kind, others)) if others else {}
    return seen | (seen_items(gateway.read_items(kind, dates)) if dates else {})


def prepare_cleanup(session: Session) -> Plan:
    """The plan of ``undo --inferred``: every inferred rating and every tag of ours removed."""
    refuse_open_run(session.state, session.scope)
    whole = look(session, all_tag_names(session))
    return cleanup_plan(whole.library, whole.owned, whole.shadow, whole.carriers)
