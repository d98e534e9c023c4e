"""Take back a run, or everything inferred."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date

import numpy as np

from plexsheet.apply.guard import seen_items, seen_ratings
from plexsheet.apply.moved_items import Finder
from plexsheet.errors import UsageError
from plexsheet.identity import ItemIdentity, alike, identities_of, verdict
from plexsheet.library import KINDS, Kind
from plexsheet.operations.brakes import refuse_parted, refuse_unknown_marks
from plexsheet.operations.marks import all_tag_names, look, tag_names
from plexsheet.operations.read import tell_followed
from plexsheet.operations.session import Session
from plexsheet.ownership import Event
from plexsheet.plan.model import Plan
from plexsheet.plan.undo import Spared, Standing, cleanup_plan, undo_plan
from plexsheet.plan.verification import Seen
from plexsheet.plex.gateway import Gateway
from plexsheet.state import events, journal, runs
from plexsheet.state.journal import JournalRow
from plexsheet.state.runs import Run, refuse_open_run
from plexsheet.state.store import State
from plexsheet.workbook.schema.columns import KIND_OF_SHEET


def prepare_undo(session: Session, run: int, *, sheet: str | None = None) -> Plan:
    """The plan that takes back a run, or its rows of one sheet.

    Raises:
        UsageError: there is no such run in this library, or it is still open.
        PlexError: Plex cannot be read.
    """
    record = runs.run_of(session.state, run)
    if record is None or record.scope != session.scope:
        raise UsageError(
            f"There is no run {run} of this library. Nothing was changed. “plexsheet history” "
            "lists the runs."
        )
    refuse_open_run(session.state, session.scope)
    return plan_back(session, record, sheet, "undo")


def taken_back_by(session: Session, run: int) -> int | None:
    """The newest run that took back a run and was not taken back itself; None where none did."""
    record = runs.run_of(session.state, run)
    ended = runs.runs(session.state, record.scope) if record else []
    undone = {one.undoes for one in ended if one.undoes}
    backwards = [one.id for one in ended if one.undoes == run and one.id not in undone]
    return max(backwards, default=None)


def of_sheet(rows: Sequence[JournalRow], sheet: str | None) -> list[JournalRow]:
    """The rows of one sheet, or of its kind where a run came from no file.

    Tracks that share their rating with one of the sheet go with it.  On the Twins sheet stand
    decisions, and no ratings.
    """
    if sheet is None:
        return list(rows)
    kind = None if sheet == "Twins" else KIND_OF_SHEET.get(sheet)  # type: ignore[call-overload]
    return [row for row in rows if row.sheet == sheet or (not row.sheet and row.kind == kind)]


def prepare_cleanup(session: Session, *, confirm: Collection[int] = ()) -> Plan:
    """The plan of ``undo --inferred``: every inferred rating and every tag of ours removed.

    Raises:
        Parted: state and Plex disagree about too much, or ratings carry our tag that this
            state knows nothing of; ``confirm`` has not the number shown.
    """
    refuse_open_run(session.state, session.scope)
    whole = look(session, all_tag_names(session))
    refuse_parted(session, whole.reading, confirm, whole)
    confirmed = refuse_unknown_marks(session, whole, confirm)
    spared = Spared({} if confirmed else whole.unproven, whole.unmarked, tag_names(session))
    return cleanup_plan(whole.library, whole.owned, whole.shadow, whole.carriers, spared)


def plan_back(session: Session, run: Run, sheet: str | None, kind: str) -> Plan:
    """The plan that takes back a run, of the kind "undo" or "take-back"."""
    state, gateway = session.state, session.gateway
    rows = of_sheet(journal.rows_in(state, run.id, ("verified",)), sheet)
    finder = Finder(gateway, state, run.scope)
    seen: dict[tuple[Kind, int], Seen] = {}
    strangers: dict[int, str] = {}
    histories: dict[tuple[Kind, str, int], Sequence[Event]] = {}
    for one in KINDS:
        here = [row for row in rows if row.kind == one]
        found = _look(gateway, one, here)
        astray = _astray(state, run.scope, one, here, found)
        if astray:
            strangers |= _sent_home(finder, one, astray, found)
            found |= _look(gateway, one, [row for row in astray if row.key not in found])
        seen |= {(one, key): now for key, now in found.items()}
        for name in ("rating", *journal.LOCAL):
            told = events.histories(state, run.scope, one, {row.key for row in here}, name)
            histories |= {(one, name, key): history for key, history in told.items()}
    tell_followed(session, finder.followed)
    files = {one.id: one.origin.file for one in runs.runs(state, run.scope)}
    return undo_plan(
        rows, run.id, Standing(seen, histories, files, strangers, date.today()), kind=kind
    )


def _astray(
    state: State, scope: int, kind: Kind, rows: Sequence[JournalRow], found: Mapping[int, Seen]
) -> list[JournalRow]:
    """Rows whose key is gone, or is not proven to be the item they are about."""
    known = state.identities(scope, kind)
    then = identities_of(known.of(np.array([row.identity for row in rows], dtype=np.int64)))
    astray = []
    for row, before in zip(rows, then, strict=True):
        now = found.get(row.key)
        if now is None or now.item is None or not _proven(kind, row, before, now.item):
            astray.append(row)
    return astray


def _proven(kind: Kind, row: JournalRow, then: ItemIdentity, now: ItemIdentity) -> bool:
    """Whether an item is the one a row is about; of an older plexsheet its title has to do."""
    if not row.identity:
        return row.title.endswith(now.title) or alike(row.title, now.title)
    return verdict(kind, then, now) == "proven"


def _sent_home(
    finder: Finder, kind: Kind, rows: Sequence[JournalRow], found: Mapping[int, Seen]
) -> dict[int, str]:
    """Give rows the keys their items have now; titles of what stands under those not found."""
    strangers: dict[int, str] = {}
    keys = np.array([row.key for row in rows], dtype=np.int64)
    numbers = np.array([row.identity for row in rows], dtype=np.int64)
    places = finder.present(kind)
    home = places.locate(keys, numbers)
    for row, key in zip(rows, home.keys.tolist(), strict=True):
        if key:
            row.key = key
        elif row.key in found:
            strangers[row.ord] = getattr(found[row.key].item, "title", "")
    return strangers


def _look(gateway: Gateway, kind: Kind, rows: Sequence[JournalRow]) -> dict[int, Seen]:
    dates = sorted({row.key for row in rows if row.field == "released"})
    others = sorted({row.key for row in rows} - set(dates))
    seen = seen_ratings(kind, gateway.read_ratings(kind, others)) if others else {}
    return seen | (seen_items(kind, gateway.read_items(kind, dates)) if dates else {})
