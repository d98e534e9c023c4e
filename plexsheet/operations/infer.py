"""Infer a value for every item, and plan what that changes in Plex."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from plexsheet.operations import kept_outcome
from plexsheet.operations.brakes import refuse_forgotten, refuse_parted
from plexsheet.operations.prospective import change_of_mind, decide, guessed
from plexsheet.operations.read import Reading, read
from plexsheet.operations.session import Session, meta_for, told_nobody

if TYPE_CHECKING:
    from plexsheet.apply.run import Outcome
    from plexsheet.config.settings import InferenceSettings
    from plexsheet.inference import Again
    from plexsheet.inference.model import Evidence, Inference
    from plexsheet.plan import Plan
    from plexsheet.reports.report import Report
    from plexsheet.state.runs import Origin
Model = Literal["learned", "classic"]
COUNTS = ("artists", "albums", "tracks", "cleared", "drift_skipped", "taken_over")
_HEARD = {"auto": "heard", "true": "heard", "false": "unheard"}


def infer(session: Session, reading: Reading, *, model: Model | None = None) -> Inference:
    """Infer a value for every item; the last fit's variances make the next one quicker."""
    return _inferred(session, reading, settings_for(session, model))[0]


def settings_for(session: Session, model: Model | None = None) -> InferenceSettings:
    """The settings of inference, LISTENING auto settled by the guesses that were judged."""
    settings = session.config.inference_settings()
    if settings.listening == "auto":
        heard = decide(session.state, session.scope).heard
        if session.tell is not told_nobody and (said := change_of_mind(session)):
            session.tell(said)
        settings = replace(settings, listening="true" if heard else "false")
    return settings if model is None else replace(settings, model=model)


def _inferred(
    session: Session, reading: Reading, settings: InferenceSettings
) -> tuple[Inference, Again]:
    """An inference, and what infers the same library by other models."""
    from plexsheet.inference import again_and_again

    evidence, warm = reading.owned.evidence, session.state.kv(session.scope, "warm")
    again = again_and_again(reading.library, evidence, settings)
    inference = again(evidence, settings, warm)
    if inference.details.get("warm"):
        session.state.set_kv(session.scope, "warm", inference.details["warm"])
    return inference, again


# Inference


@dataclass(frozen=True)
class PreparedInference:
    """An inference and what it would write.

    Attributes:
        model: "learned" or "classic".
        prior: the library's level, 0-10.
        inference: None where the outcome of an earlier run still holds.
        counts: artists, albums, tracks to write; cleared, drift_skipped, taken_over.
        prior_start: the library's level when inference was last written, 0-10.
    """

    reading: Reading
    model: str
    prior: float
    inference: Inference | None
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
    confirm: Collection[int] = (),
) -> PreparedInference:
    """Infer, and compare with what stands in Plex.

    Args:
        session: connected.
        phase: 0 everything, 1-5 one step of it, as ``infer --help`` says.
        start_at: only items of artists whose sort title does not come before this.
        model: "learned" or "classic" instead of the settings'.
        full: read everything even where a recent snapshot would do.
        confirm: numbers the person typed to go on where state and Plex have parted.

    Raises:
        Parted: they have, and the number was not typed.
    """
    reading = read(session, full=full)
    refuse_parted(session, reading, confirm)
    refuse_forgotten(session, confirm)
    settings = settings_for(session, model)
    whole = phase == 0 and not (start_at or model)
    basis = kept_outcome.basis(session, reading, settings) if whole else ""
    if basis and (kept := kept_outcome.kept(session, reading, basis)):
        return _as_before(reading, kept)
    session.progress("Inferring", 0, 1)
    inference, again = _inferred(session, reading, settings)
    session.progress("Inferring", 1, 1)
    plan = changes_of(session, reading, inference, phase=phase, start_at=start_at)
    if plan.notes["written"]:
        evidence = reading.owned.evidence
        models = _guessers(evidence, settings, inference, again)
        plan = replace(plan, guesses=guessed(reading.library, evidence, plan, models))
    plan = replace(plan, notes={**plan.notes, "basis": basis})
    if not len(plan):
        kept_outcome.keep(session, plan)
    counts = {name: int(plan.notes.get(name, 0)) for name in COUNTS}
    start = last_prior(session, inference.prior)
    return PreparedInference(
        reading, inference.model, inference.prior, inference, plan, counts, start
    )


def _as_before(reading: Reading, kept: Mapping[str, Any]) -> PreparedInference:
    """What an earlier run found, where nothing happened since: nothing to write."""
    from plexsheet.plan import Plan
    from plexsheet.plan.model import changes

    nothing = changes({"kind": "", "key": [], "field": "", "reason": ""}, 0)
    counts = dict.fromkeys(COUNTS, 0) | {"drift_skipped": int(kept["drift_skipped"])}
    plan = Plan("infer", nothing, notes=counts | {"model": kept["model"], "prior": kept["prior"]})
    return PreparedInference(
        reading, kept["model"], kept["prior"], None, plan, counts, kept["prior"]
    )


def _guessers(
    evidence: Evidence, settings: InferenceSettings, inference: Inference, again: Again
) -> dict[str, Inference]:
    """What each of ``prospective.GUESSERS`` infers; the one that ran is not run again."""
    chosen = {
        "heard": replace(settings, model="learned", listening="true"),
        "unheard": replace(settings, model="learned", listening="false"),
        "classic": replace(settings, model="classic"),
    }
    ran = "classic" if settings.model == "classic" else _HEARD[settings.listening]
    warm = inference.details.get("warm")
    return {
        name: inference if name == ran else again(evidence, one, warm)
        for name, one in chosen.items()
    }


def last_prior(session: Session, default: float) -> float:
    """The library's level when inference was last written, whichever command did so."""
    from plexsheet.state import runs

    all_runs = runs.runs(session.state, session.scope)
    levels = (run.notes.get("prior") for run in all_runs if run.kind == "infer")
    return float(next((level for level in levels if level is not None), default))


def changes_of(
    session: Session, reading: Reading, inference: Inference, *, phase: int = 0, start_at: str = ""
) -> Plan:
    """What an inference would change, whether or not state and Plex have parted."""
    from plexsheet.apply.capabilities import capability, may_edit
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
    """What an inference run did: plex-rating-utils' closing figures; priors 0-10."""

    run: int
    status: str
    written: int
    held: int
    prior_start: float
    prior_end: float


def run_summary(prepared: PreparedInference, outcome: Outcome) -> RunSummary:
    """The closing figures of a run."""
    held = outcome.counts.get("held", 0) + outcome.counts.get("failed", 0)
    return RunSummary(
        outcome.run,
        outcome.status,
        outcome.written,
        held,
        prepared.prior_start,
        prepared.prior,
    )


def preview_list(prepared: PreparedInference) -> Report:
    """The plan item by item, the largest changes of each kind first."""
    from plexsheet.reports.planned import planned

    return planned(prepared.reading.library, prepared.inference, prepared.plan.changes)


def write_preview(session: Session, prepared: PreparedInference, path: Path) -> int:
    """Write the plan as a workbook to filter and sort; returns the rows written.

    Raises:
        UsageError: it cannot be written.
    """
    from plexsheet.workbook.schema.meta import LIST
    from plexsheet.workbook.writing.list_workbook import write_list

    return write_list(path, preview_list(prepared), meta_for(session, "", kind=LIST))


# Of a row of the plan, in the order of ``reports.planned.LAYOUT``.
_ROW = (
    "kind",
    "artist",
    "album",
    "title",
    "what",
    "in_plex",
    "becomes",
    "change",
    "source",
    "confidence",
    "error",
    "tags",
    "key",
    "link",
)


def _rows(
    session: Session, prepared: PreparedInference, outcome: Outcome | None
) -> list[dict[str, Any]]:
    """The rows of the plan, with what became of each."""
    from plexsheet.state import journal

    became = {
        (row.kind, row.key): journal.as_outcome(row)
        for row in (journal.rows_in(session.state, outcome.run) if outcome else ())
    }
    rows = []
    for values in preview_list(prepared).rows:
        row: dict[str, Any] = dict(zip(_ROW, values, strict=True))
        row["kind"] = str(row["kind"]).lower()
        end = became.get((row["kind"], row["key"]))
        row |= {"outcome": end.outcome if end else "Would apply", "code": end.code if end else ""}
        rows.append(row | {"message": end.message if end else ""})
    return rows


def infer_payload(
    session: Session, prepared: PreparedInference, outcome: Outcome | None
) -> dict[str, Any]:
    """The object of ``infer --json``; ratings in stars, unrated null."""
    written = outcome.written if outcome else 0
    return {
        "run": outcome.run if outcome else None,
        "preview": outcome is None,
        "model": prepared.model,
        "prior": round(prepared.prior, 4),
        "counts": dict(prepared.counts) | {"written": written},
        "rows": _rows(session, prepared, outcome),
        "requests": session.gateway.requests,
        "seconds": round(time.time() - session.started, 3),
    }
