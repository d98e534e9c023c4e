"""The outcome of an inference, kept for a next run before which nothing happened.

Inference follows from the person's ratings and decisions, the library and the settings.
Where all of these are as they were, and everything plexsheet wrote still stands in Plex, a
run would infer the same values again and find nothing to write.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from plexsheet import __version__
from plexsheet.library import KINDS
from plexsheet.state import snapshots

if TYPE_CHECKING:
    from plexsheet.apply.run import Outcome
    from plexsheet.config.settings import InferenceSettings
    from plexsheet.operations.read import Reading
    from plexsheet.operations.session import Session
    from plexsheet.plan import Plan

_NAME = "kept_outcome"
OURS = ("Inferred", "Twin")


def basis(session: Session, reading: Reading, settings: InferenceSettings) -> str:
    """A digest of everything an inference follows from, but what plexsheet wrote itself."""
    config, state, scope = session.config, session.state, session.scope
    content = snapshots.content(state, scope)
    if not content:
        return ""
    digest = hashlib.blake2b(digest_size=16)
    written = (config.rounding, config.dynamic_precision, config.inferred_tag, config.twins)
    for text in (__version__, content, session.gateway.server_version, settings, *written):
        digest.update(f"{text}\0".encode())
    for kind in KINDS:
        mine = reading.owned.evidence.manual[kind]
        digest.update(reading.library.keys(kind)[mine].tobytes())
        digest.update(reading.library.ratings(kind)[mine].tobytes())
    for kind, keys in sorted(state.exclusions(scope).items()):
        digest.update(f"{kind} {sorted(keys.tolist())}".encode())
    digest.update(repr(sorted(state.twin_decisions(scope).items())).encode())
    return digest.hexdigest()


def kept(session: Session, reading: Reading, now: str) -> dict[str, Any] | None:
    """Model, prior and drift_skipped of the run that still holds; None where none does."""
    known: dict[str, Any] | None = session.state.kv(session.scope, _NAME)
    if known is None or (known["basis"], known["run"]) != (now, _newest_run(session)):
        return None
    return known if _stands(session, reading) else None


def keep(session: Session, plan: Plan, outcome: Outcome | None = None) -> None:
    """Keep what came of an inference: there was nothing to write, or all of it was written."""
    if not plan.notes.get("basis") or plan.kind != "infer":
        return
    if outcome is not None and outcome.counts.get("verified", 0) != len(plan):
        return
    names = ("basis", "model", "prior", "drift_skipped")
    entry = {name: plan.notes[name] for name in names} | {"run": _newest_run(session)}
    session.state.set_kv(session.scope, _NAME, entry)


def _newest_run(session: Session) -> int:
    """A run since then may have taken back what was written, or decided otherwise."""
    rows = session.state.database.read(
        "SELECT coalesce(max(id), 0) FROM run WHERE scope = ?", (session.scope,)
    )
    return int(rows[0][0])


def _stands(session: Session, reading: Reading) -> bool:
    """Whether everything plexsheet wrote is in Plex as it was written."""
    owned = reading.owned
    if len(owned.taken_over) or any(len(keys) for keys in owned.cleared.values()):
        return False
    shadows = session.state.shadows(session.scope)
    ours = {kind: sum(int((owned.source[kind] == word).sum()) for word in OURS) for kind in KINDS}
    return all(len(shadows[kind]) == ours[kind] for kind in KINDS)
