"""Keep what was guessed with each inferred write, and compare it with later ratings."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.inference.listening import Listening, Written, usual
from plexsheet.inference.prospective import Decision, decided, errors
from plexsheet.library import KINDS, Kind, Library, rows_of
from plexsheet.ownership import Owned
from plexsheet.ratings import exact_stars
from plexsheet.state import guesses
from plexsheet.state.store import State

if TYPE_CHECKING:
    from plexsheet.inference.model import Evidence, Inference
    from plexsheet.operations.session import Session
    from plexsheet.plan import Plan

_DECISION = "listening"


def compared(state: State, scope: int, library: Library, owned: Owned) -> Owned:
    """Judge guesses by what the person has rated since, and look up the plays of then.

    Returns:
        The same, its evidence with the plays as they stood when our ratings were written.
        Ratings written before plays were kept start from the plays of now.
    """
    for kind in KINDS:
        _judge(state, scope, library, owned, kind)
    written = _written(state, scope, library, owned)
    return replace(owned, evidence=replace(owned.evidence, written=written))


def _judge(state: State, scope: int, library: Library, owned: Owned, kind: Kind) -> None:
    """Guesses of items that are the person's now become verdicts."""
    known = guesses.load(state, scope, kind)
    rows = _rows(library, kind, known)
    theirs = (rows >= 0) & owned.evidence.manual[kind][rows]
    if not theirs.any():
        return
    judged = known[theirs].assign(rating=library.ratings(kind)[rows[theirs]])
    rated_at = library.table(kind)["last_rated_at"].to_numpy()[rows[theirs]]
    judged = judged.assign(
        guessed_at=judged["at"], rated_at=np.where(rated_at > 0, rated_at, time.time())
    )
    taken = judged["key"].isin(guesses.accepted(state, scope, kind))
    with state.database.transaction():
        guesses.judge(state, scope, kind, judged[~taken & judged["heard"].notna()])
        guesses.keep(state, scope, kind, known[~theirs])


def _rows(library: Library, kind: Kind, known: pd.DataFrame) -> NDArray[np.intp]:
    """Row of each guess's item; -1 where the key is gone, or stands for another item."""
    rows = rows_of(library.keys(kind), known["key"].to_numpy())
    same = (rows >= 0) & (guesses.names_of(library, kind)[rows] == known["named"].to_numpy())
    return np.where(same, rows, -1)


def _written(state: State, scope: int, library: Library, owned: Owned) -> Written | None:
    """Plays as they stood when the ratings of ours in Plex were written."""
    given = library.ratings("track")
    ours = ~np.isnan(given) & ~owned.evidence.manual["track"]
    if not ours.any():
        return None
    known = guesses.load(state, scope, "track")
    found = np.isin(np.arange(len(ours)), _rows(library, "track", known))
    if (ours & ~found).any():
        now = _counts(library, owned.evidence)[ours & ~found]
        never = dict.fromkeys(("heard", "unheard", "classic"), np.nan)
        guesses.add(state, scope, "track", now.assign(**never))
        known = guesses.load(state, scope, "track")
    rows = _rows(library, "track", known)
    known = known[rows >= 0].set_index(rows[rows >= 0]).reindex(np.arange(len(ours)))
    return Written(
        value=np.where(ours, given, np.nan),
        plays=known["plays"].fillna(0).to_numpy(np.float64),
        counted=known["view_count"].fillna(0).to_numpy(np.float64),
        skips=known["skip_count"].fillna(0).to_numpy(np.float64),
        unplayed_s=known["unplayed_s"].fillna(-1).to_numpy(np.int64),
        usual_s=known["usual_s"].fillna(0).to_numpy(np.int64),
    )


def _counts(library: Library, evidence: Evidence) -> pd.DataFrame:
    """Plays of every track as a guess keeps them, with key, name and time."""
    now = Listening.of(library)
    return pd.DataFrame(
        {
            "key": library.keys("track"),
            "named": guesses.names_of(library, "track"),
            "at": time.time(),
            "plays": evidence.heard_here(library).plays,
            "view_count": now.plays.astype(np.int64),
            "skip_count": now.skips.astype(np.int64),
            "unplayed_s": now.unplayed_s,
            "usual_s": usual(now, evidence.manual["track"]),
        }
    )


def guessed(
    library: Library, evidence: Evidence, plan: Plan, models: Mapping[str, Inference]
) -> dict[Kind, pd.DataFrame]:
    """What to keep of the items a plan gives a value.

    Args:
        library: as read.
        evidence: what the models were fitted to.
        plan: what will be written.
        models: by name of ``GUESSERS``.
    """
    writes = plan.changes[(plan.changes["field"] == "rating") & plan.changes["after"].notna()]
    kept: dict[Kind, pd.DataFrame] = {}
    for kind in KINDS:
        keys = writes["key"].to_numpy(np.int64)[writes["kind"].to_numpy() == kind]
        rows = rows_of(library.keys(kind), keys)
        if kind == "track":
            frame = _counts(library, evidence).iloc[rows]
        else:
            frame = pd.DataFrame({"key": keys, "named": guesses.names_of(library, kind)[rows]})
            frame = frame.assign(at=time.time(), plays=0.0, view_count=0, skip_count=0)
            frame = frame.assign(unplayed_s=-1, usual_s=0)
        values = {name: model.of(kind).value[rows] for name, model in models.items()}
        if len(frame):
            kept[kind] = frame.assign(**values)
    return kept


def decide(state: State, scope: int) -> Decision:
    """Whether listening is looked at where LISTENING is auto; remembers a change of mind."""
    before = Decision(**state.kv(scope, _DECISION, {}))
    now = decided(guesses.verdicts(state, scope), before)
    if now != before:
        state.set_kv(scope, _DECISION, asdict(now))
        state.set_kv(scope, f"{_DECISION} told", False)
    return now


def change_of_mind(session: Session) -> str:
    """A sentence about listening having been left out or taken up again; once, else ""."""
    state, scope = session.state, session.scope
    if state.kv(scope, f"{_DECISION} told", True):
        return ""
    state.set_kv(scope, f"{_DECISION} told", True)
    decision = Decision(**state.kv(scope, _DECISION, {}))
    judged = guesses.verdicts(state, scope).iloc[: decision.since]
    found = errors(judged)
    heard, unheard = exact_stars([found["heard"], found["unheard"]])
    off = f"{heard:.2f} stars with it, {unheard:.2f} without"
    if decision.heard:
        return f"What you played counts again: lately its guesses were better ({off} in all)."
    return (
        f"What you played is left out from now on: of {len(judged)} ratings you gave after they "
        f"were guessed, guesses were off by {off}. LISTENING true keeps it in."
    )
