"""Infer a value for every item, and plan what that changes in Plex."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from plexsheet.operations.read import Reading, read
from plexsheet.operations.session import Session

if TYPE_CHECKING:
    from plexsheet.apply.run import Outcome
    from plexsheet.inference.model import Inference
    from plexsheet.plan import Plan
    from plexsheet.state.journal import Origin
Model = Literal["learned", "classic"]


def infer(session: Session, reading: Reading, *, model: Model | None = None) -> Inference:
    """Infer a value for every item; the last fit's variances make the next one quicker."""
    from plexsheet.inference import infer as run

    settings = session.config.inference_settings()
    if model is not None:
        settings = replace(settings, model=model)
    warm = session.state.kv(session.scope, "warm")
    inference = run(reading.library, reading.owned.evidence, settings, warm=warm)
    if inference.details.get("warm"):
        session.state.set_kv(session.scope, "warm", inference.details["warm"])
    return inference


# Inference


@dataclass(frozen=True)
class PreparedInference:
    """An inference and what it would write.

    Attributes:
        counts: artists, albums, tracks to write; cleared, drift_skipped, taken_over.
        prior_start: the library's level when inference was last written, 0-10.
    """

    reading: Reading
    inference: Inference
    plan: Plan
    counts: Mapping[str, int]
    prior_start: float
    origin: Origin | None = None  # of no file


def prepare_infer(
    session: Session,
    *,
    phase: int = 0,
    start_at: str = "",
    model: Model | None = None,
    full: bool = False,
) -> PreparedInference:
    """Infer, and compare with what stands in Plex.

    Args:
        session: connected.
        phase: 0 everything, 1-5 as ``plan.infer.PHASES`` says.
        start_at: only items of artists whose sort title does not come before this.
        model: "learned" or "classic" instead of the settings'.
        full: read everything even where a recent snapshot would do.
    """
    reading = read(session, full=full)
    session.progress("Inferring", 0, 1)
    inference = infer(session, reading, model=model)
    session.progress("Inferring", 1, 1)
    plan = plan_inferred(session, reading, inference, phase=phase, start_at=start_at)
    kinds = ("artists", "albums", "tracks", "cleared", "drift_skipped", "taken_over")
    counts = {name: int(plan.notes.get(name, 0)) for name in kinds}
    start = session.state.kv(session.scope, "prior", inference.prior)
    return PreparedInference(reading, inference, plan, counts, float(start))


def plan_inferred(
    session: Session, reading: Reading, inference: Inference, *, phase: int = 0, start_at: str = ""
) -> Plan:
    """What an inference changes in Plex; see ``prepare_infer``."""
    from plexsheet.apply.run import capability, may_edit
    from plexsheet.plan import TagNames, infer_plan

    config, known = session.config, capability(session.state, session.gateway)
    names = TagNames(config.inferred_tag, config.twins.twin_tag)
    return infer_plan(
        reading.library,
        reading.owned,
        inference,
        session.state.shadows(session.scope),
        phase=phase,
        rounding=config.rounding_stars,
        precision=config.dynamic_precision,
        min_confidence=config.min_confidence,
        start_at=start_at,
        tags=None if may_edit(session.state, session.gateway) is False else names,
        server_step=known.step,
        sharing=known.shares is not False,
    )


@dataclass(frozen=True)
class RunSummary:
    """What an inference run did: the ancestor's closing figures; priors 0-10."""

    run: int
    status: str
    written: int
    held: int
    prior_start: float
    prior_end: float


def run_summary(session: Session, prepared: PreparedInference, outcome: Outcome) -> RunSummary:
    """The closing figures of a run; the prior it ended with is where the next one starts."""
    session.state.set_kv(session.scope, "prior", prepared.inference.prior)
    held = outcome.counts.get("held", 0) + outcome.counts.get("failed", 0)
    return RunSummary(
        outcome.run,
        outcome.status,
        outcome.written,
        held,
        prepared.prior_start,
        prepared.inference.prior,
    )


def infer_payload(
    session: Session, prepared: PreparedInference, outcome: Outcome | None
) -> dict[str, Any]:
    """The object of ``infer --json``."""
    written = outcome.written if outcome else 0
    return {
        "run": outcome.run if outcome else None,
        "preview": outcome is None,
        "model": prepared.inference.model,
        "prior": round(prepared.inference.prior, 4),
        "counts": dict(prepared.counts) | {"written": written},
        "requests": session.gateway.requests,
        "seconds": round(time.time() - session.started, 3),
    }
