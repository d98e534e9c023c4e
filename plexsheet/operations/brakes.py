"""What stops a run where state and Plex have parted, until the person says which is right.

A backup of either that was restored, or a second plexsheet with a state of its own, makes
ratings look as if the person had changed hundreds of them at once.  Then nothing is taken
over, cleared or rewritten (S06), and no mark comes off what nothing proves to be theirs (S08).
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from plexsheet.apply.moved_items import MANY, many
from plexsheet.errors import Parted
from plexsheet.library import KINDS
from plexsheet.messages import text
from plexsheet.operations.marks import Marked
from plexsheet.operations.read import Reading
from plexsheet.operations.session import Session
from plexsheet.state import runs


def refuse_parted(
    session: Session,
    reading: Reading,
    confirm: Collection[int] = (),
    marked: Marked | None = None,
) -> None:
    """Stop where too much of what is remembered no longer agrees with Plex (S06).

    Args:
        session: connected.
        reading: the library as read now.
        confirm: numbers the person typed.
        marked: who carries our tags, where that was read.

    Raises:
        Parted: with the sentence and the ways out.
    """
    count, total = disagreeing(session, reading, marked)
    if not many(count, total) or count in confirm:
        return
    tag = session.config.inferred_tag
    still = _still_marked(session, reading) if tag else 0
    variant = "another" if still > count / 2 and session_wrote(session) else ""
    if variant:
        told = text("S06", "another", count=count, total=total, number=count, marked=still, tag=tag)
    else:
        told = text("S06", count=count, total=total, number=count)
    raise Parted(told, code="S06")


def tell_parted(session: Session, reading: Reading) -> None:
    """Say what would stop a write (S06, S08) where nothing but a workbook is written."""
    try:
        refuse_parted(session, reading)
        refuse_forgotten(session)
    except Parted as parted:
        session.tell(f"{parted.code} {parted} The workbook shows them as yours.")


def disagreeing(
    session: Session, reading: Reading, marked: Marked | None = None
) -> tuple[int, int]:
    """How many of the inferred ratings remembered are not as they were left, and of how many.

    Another value, given again, another item under the key, or, where that was read, no tag.
    """
    entries = session.state.shadows(session.scope).values()
    total = sum(map(len, entries))
    lost = sum(int((one["key"].to_numpy() < 0).sum()) for one in entries)
    unmarked = 0 if marked is None else sum(map(len, marked.unmarked.values()))
    return len(reading.owned.taken_over) + lost + unmarked, total


def session_wrote(session: Session) -> bool:
    """Whether anything was ever written to this library from this state."""
    return bool(runs.runs(session.state, session.scope))


def _still_marked(session: Session, reading: Reading) -> int:
    """How many of the ratings that differ carry our tag, written after our own last run.

    A person gives whole or half stars, so those may be theirs and are not counted.
    """
    taken, count = reading.owned.taken_over, 0
    since = last_run_ended(session)
    for kind in KINDS:
        keys = taken["key"].to_numpy(dtype=np.int64)[taken["kind"].to_numpy() == kind]
        if not len(keys):
            continue
        table = reading.library.table(kind)
        fine = table["user_rating"].to_numpy() % 1 != 0
        later = table["key"].to_numpy()[fine & (table["last_rated_at"].to_numpy() > since)]
        carrying = session.gateway.carriers(kind, session.config.inferred_tag)
        count += int(np.isin(keys, np.intersect1d(later, carrying)).sum())
    return count


def last_run_ended(session: Session) -> float:
    """When the last run that wrote something ended, epoch seconds; 0 before the first."""
    ended = [
        run.finished or run.started
        for run in runs.runs(session.state, session.scope)
        if run.counts.get("verified")
    ]
    return max(ended, default=0.0)


def refuse_unknown_marks(session: Session, marked: Marked, confirm: Collection[int] = ()) -> bool:
    """Stop where many ratings carry our tag and nothing is remembered of them (S08).

    Returns:
        Whether the person confirmed that they are theirs, so that the tag may come off.

    Raises:
        Parted: with the sentence and the ways out.
    """
    count = sum(map(len, marked.unproven.values()))
    if count and count in confirm:
        return True
    if count > MANY:
        raise Parted(_unknown(session, marked, count), code="S08")
    return False


def _unknown(session: Session, marked: Marked, count: int) -> str:
    since, tag = last_run_ended(session), session.config.inferred_tag
    newest = 0
    for kind in KINDS:
        table = marked.library.table(kind)
        rated = table["last_rated_at"].to_numpy()[np.isin(table["key"], marked.unproven[kind])]
        newest = max(newest, int(rated.max(initial=0)))
    if since and newest > since:
        return text("S08", "another", count=count, tag=tag)
    return text("S08", count=count, tag=tag)


def refuse_forgotten(session: Session, confirm: Collection[int] = ()) -> None:
    """Stop where this state has no memory at all and many ratings carry our tag (S08).

    Raises:
        Parted: with the sentence and the ways out.
    """
    count = forgotten(session)
    if count > MANY and count not in confirm:
        raise Parted(text("S08", count=count, tag=session.config.inferred_tag), code="S08")


def forgotten(session: Session) -> int:
    """How many items carry our tag though nothing is remembered of them: a state was lost.

    Asked of Plex only while no run of this library is known.
    """
    state, scope, tag = session.state, session.scope, session.config.inferred_tag
    known = any(len(entries) for entries in state.shadows(scope).values())
    if known or not tag or runs.runs(state, scope):
        return 0
    return sum(len(session.gateway.carriers(kind, tag)) for kind in KINDS)
