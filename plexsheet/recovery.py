"""The ways back: resume, take back, undo, clean up, verify, reconstruct, heal.

Each reads what it needs, makes a plan by a pure function of ``reverse`` and hands it to the
one `apply`; ``prepare_*`` returns that plan, which is the preview.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plexsheet.apply import (
    Carrier,
    Outcome,
    Pace,
    Progress,
    Stopped,
    apply,
    seen_items,
    seen_ratings,
)
from plexsheet.closing import close
from plexsheet.errors import PlexError, UsageError
from plexsheet.healing import Finder, follow
from plexsheet.identity import ItemIdentity, alike, identities_of, verdict
from plexsheet.library import KINDS, Kind, Library
from plexsheet.ownership import Event, Owned, owned
from plexsheet.parcels import Mode
from plexsheet.plan.infer import TagNames
from plexsheet.plan.model import Plan
from plexsheet.plex.gateway import Gateway
from plexsheet.reverse import (
    Now,
    cleanup_plan,
    of_sheet,
    problems,
    reconstruct_plan,
    sync_plan,
    undo_plan,
)
from plexsheet.settling import Seen
from plexsheet.state import events, journal
from plexsheet.state.journal import Row, Run, open_run, refuse_open_run
from plexsheet.state.store import State

__all__ = [
    "forgotten",
    "heal_keys",
    "open_run",
    "prepare_cleanup",
    "prepare_reconstruct",
    "prepare_sync_tags",
    "prepare_undo",
    "refuse_open_run",
    "resume",
    "taken_back_by",
    "undo",
    "verify",
]

NOT_ANY_MORE = "Not written: the run was taken back."


def resume(
    state: State,
    gateway: Gateway,
    *,
    take_back: bool = False,
    mode: Mode = "auto",
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
    cooldown: tuple[int, float] = (0, 0.0),
    pace: Pace | None = None,
) -> Outcome | None:
    """Settle an interrupted run by reading Plex, then go on with it or take it back.

    Args:
        state: where the run is recorded.
        gateway: to its library.
        take_back: undo what it did instead of finishing it.
        mode, progress, stop, cooldown, pace: as in ``apply``.

    Returns:
        What became of it; for a run taken back, of the run that did so.  None: no run is open.

    Raises:
        Busy: another plexsheet is writing.
        StateError: the outcome cannot be recorded.
    """
    pace = replace(pace or Pace(), cooldown=cooldown)
    with state.writing("resume"):
        run = open_run(state, state.scope(gateway.identity))
        if run is None:
            return None
        carrier = Carrier(run.id, gateway, state, mode, pace, progress, stop)
        try:
            carrier.settle_doubts()
            if not take_back:
                return carrier.go()
            back = _begin_taking_back(state, gateway, run)
        except (PlexError, Stopped) as error:
            return carrier.stopped_by(error)
        return Carrier(back, gateway, state, mode, pace, progress, stop).go()


def _begin_taking_back(state: State, gateway: Gateway, run: Run) -> int:
    """Close a run and open the one that reverses it, in one transaction."""
    plan = _plan_back(state, gateway, run, None, "take-back")
    with state.database.transaction():
        journal.give_up(state, run.id, NOT_ANY_MORE)
        close(state, run.id, "taken back")
        return journal.begin(state, run.scope, plan, undoes=run.id)


def prepare_undo(state: State, gateway: Gateway, run: int, *, sheet: str | None = None) -> Plan:
    """The plan that takes back a run, or its rows of one sheet.

    Raises:
        UsageError: there is no such run in this library, or it is still open.
        PlexError: Plex cannot be read.
    """
    record = journal.run_of(state, run)
    scope = state.scope(gateway.identity)
    if record is None or record.scope != scope:
        raise UsageError(
            f"There is no run {run} of this library. Nothing was changed. “plexsheet history” "
            "lists the runs."
        )
    refuse_open_run(state, scope)
    return _plan_back(state, gateway, record, sheet, "undo")


def taken_back_by(state: State, run: int) -> int | None:
    """The newest run that took back a run and was not taken back itself; None where none did."""
    record = journal.run_of(state, run)
    ended = journal.runs(state, record.scope) if record else []
    undone = {one.undoes for one in ended if one.undoes}
    backwards = [one.id for one in ended if one.undoes == run and one.id not in undone]
    return max(backwards, default=None)


def undo(plan: Plan, state: State, gateway: Gateway, run: int, **how: Any) -> Outcome:
    """Carry out what ``prepare_undo`` made of a run; ``how`` as in ``apply``."""
    return apply(plan, gateway, state, undoes=run, **how)


def _plan_back(state: State, gateway: Gateway, run: Run, sheet: str | None, kind: str) -> Plan:
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
    files = {one.id: one.origin.file for one in journal.runs(state, run.scope)}
    return undo_plan(rows, run.id, Now(seen, histories, files, strangers, date.today()), kind=kind)


def _astray(
    state: State, scope: int, kind: Kind, rows: Sequence[Row], found: Mapping[int, Seen]
) -> list[Row]:
    """Rows whose key is gone, or is not proven to be the item they are about."""
    known = state.identities(scope, kind)
    then = identities_of(known.of(np.array([row.identity for row in rows], dtype=np.int64)))
    astray = []
    for row, before in zip(rows, then, strict=True):
        now = found.get(row.key)
        if now is None or now.item is None or not _proven(kind, row, before, now.item):
            astray.append(row)
    return astray


def _proven(kind: Kind, row: Row, then: ItemIdentity, now: ItemIdentity) -> bool:
    """Whether an item is the one a row is about; of an older plexsheet its title has to do."""
    if not row.identity:
        return row.title.endswith(now.title) or alike(row.title, now.title)
    return verdict(kind, then, now) == "proven"


def _sent_home(
    finder: Finder, kind: Kind, rows: Sequence[Row], found: Mapping[int, Seen]
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


def _look(gateway: Gateway, kind: Kind, rows: Sequence[Row]) -> dict[int, Seen]:
    dates = sorted({row.key for row in rows if row.field == "released"})
    others = sorted({row.key for row in rows} - set(dates))
    seen = seen_ratings(kind, gateway.read_ratings(kind, others)) if others else {}
    return seen | (seen_items(kind, gateway.read_items(kind, dates)) if dates else {})


# The whole library


@dataclass(frozen=True)
class View:
    """A library with all we know of it.

    Attributes:
        carriers: for each kind our tag names, each with the keys that carry it.
    """

    library: Library
    owned: Owned
    shadow: Mapping[Kind, Any]
    carriers: Mapping[Kind, Mapping[str, NDArray[np.int64]]]


def look(
    state: State, gateway: Gateway, names: Collection[str], progress: Progress | None = None
) -> View:
    """Read the library and who carries our tags: one listing per kind, one per kind and tag."""
    scope = state.scope(gateway.identity)
    library = gateway.read_library(progress)
    state.remember_items(scope, library)
    heal_keys(state, gateway, library)
    shadow = state.shadows(scope)
    whose = owned(library, shadow, state.exclusions(scope), state.twin_decisions(scope))
    carriers = {
        kind: {name: gateway.carriers(kind, name) for name in dict.fromkeys(names) if name}
        for kind in KINDS
    }
    return View(library, whose, shadow, carriers)


def prepare_cleanup(
    state: State, gateway: Gateway, tags: TagNames, progress: Progress | None = None
) -> Plan:
    """The plan of ``undo --inferred``: every inferred rating and every tag of ours removed."""
    refuse_open_run(state, state.scope(gateway.identity))
    view = look(state, gateway, _all_names(state, gateway, tags), progress)
    return cleanup_plan(view.library, view.owned, view.shadow, view.carriers)


def prepare_sync_tags(
    state: State, gateway: Gateway, tags: TagNames, progress: Progress | None = None
) -> Plan:
    """The plan that puts our tags where our ratings stand, and nowhere else."""
    refuse_open_run(state, state.scope(gateway.identity))
    view = look(state, gateway, _all_names(state, gateway, tags), progress)
    return sync_plan(view.library, view.owned, view.shadow, view.carriers, tags)


def prepare_reconstruct(
    state: State, gateway: Gateway, tags: TagNames, progress: Progress | None = None
) -> Plan:
    """The plan that finds our ratings again by their tag, after the state was lost.

    Raises:
        UsageError: no tag marks them.
        PlexError: Plex cannot be read.
    """
    if not tags.inferred:
        raise UsageError(
            "INFERRED_TAG is empty, so nothing in Plex tells inferred ratings from yours. Nothing "
            "was changed. Set INFERRED_TAG to the tag that was used."
        )
    refuse_open_run(state, state.scope(gateway.identity))
    view = look(state, gateway, (tags.inferred, tags.twin), progress)
    return reconstruct_plan(view.library, view.shadow, view.carriers, tags)


def forgotten(state: State, gateway: Gateway, tags: TagNames) -> int:
    """How many items carry our tag though nothing is remembered of them: a state was lost.

    Asked of Plex only while no run of this library is known.
    """
    scope = state.scope(gateway.identity)
    known = any(len(entries) for entries in state.shadows(scope).values())
    if known or not tags.inferred or journal.runs(state, scope):
        return 0
    return sum(len(gateway.carriers(kind, tags.inferred)) for kind in KINDS)


def verify(
    state: State, gateway: Gateway, tags: TagNames, progress: Progress | None = None
) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Compare Plex with what we remember: one listing per kind, none per item.

    Returns:
        Counts (checked, overrides, orphans, tag_mismatches), and the rows behind them.
    """
    view = look(state, gateway, _all_names(state, gateway, tags), progress)
    rows = problems(view.library, view.owned, view.shadow, view.carriers, tags)
    named = {"overrides": "override", "orphans": "orphan", "tag_mismatches": "tag_mismatch"}
    counts = {name: sum(row["problem"] == one for row in rows) for name, one in named.items()}
    return {"checked": sum(len(entries) for entries in view.shadow.values())} | counts, rows


def heal_keys(state: State, gateway: Gateway, library: Library) -> dict[tuple[Kind, int], int]:
    """Let shadow state and decisions follow items that stand under another key now.

    Args:
        state: what we remember.
        gateway: to the library; asked for files alone, since the library is given.
        library: as read now.

    Returns:
        Kind and old key to the new key, for those that exactly one item fits.
    """
    return dict(follow(state, state.scope(gateway.identity), library, gateway).moved)


def _all_names(state: State, gateway: Gateway, tags: TagNames) -> list[str]:
    """Our tag names of today, and those that entries of the state still carry."""
    scope = state.scope(gateway.identity)
    names = [tags.inferred, tags.twin]
    for kind in KINDS:
        for joined in state.shadow(scope, kind)["tags"].unique().tolist():
            names += journal.names(joined)
    known: dict[str, str] = {}
    for name in names:
        known.setdefault(name.casefold(), name)
    return [name for name in known.values() if name]
