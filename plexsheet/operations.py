"""What plexsheet does, one function each: the CLI and the watcher call these.

Each joins the pieces (Plex, state, inference, workbook, plan, apply) and returns
a value; none prints, asks or exits.  Planning and carrying out are apart: what a
``prepare_*`` returns is the preview, and ``carry_out`` does that and nothing else.
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from plexsheet.answering import place_of_result, write_result
from plexsheet.importing import ImportOptions, Prepared, prepare_import, settled
from plexsheet.session import Reading, Session, meta_for, read, session

if TYPE_CHECKING:
    from plexsheet.apply import Outcome
    from plexsheet.inference.model import Inference
    from plexsheet.plan import Plan
    from plexsheet.reports.report import RunFigures, Subject
    from plexsheet.state.journal import Origin
    from plexsheet.state.store import State
    from plexsheet.workbook.carried import Carried
    from plexsheet.workbook.tables import View

__all__ = [
    "Exported",
    "ImportOptions",
    "Prepared",
    "PreparedInference",
    "Reading",
    "Session",
    "carry_out",
    "export",
    "export_csv",
    "infer",
    "open_run",
    "place_of_result",
    "prepare_import",
    "prepare_infer",
    "read",
    "resume",
    "session",
    "settled",
    "write_result",
]
Model = Literal["learned", "classic"]
WORKBOOK_ROWS = 500  # of a report in a workbook; the command line shows all
MOST_MEASURED = 150_000  # tracks, above which nothing is inferred again to see how far off it is


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


# Export


@dataclass(frozen=True)
class Exported:
    """What an export wrote.

    Attributes:
        rows: per ``artists``, ``albums``, ``tracks``, ``twins``.
        requests: HTTP requests to Plex.
    """

    file: str
    export_id: str
    rows: Mapping[str, int]
    requests: int
    seconds: float

    def payload(self) -> dict[str, Any]:
        """The object of ``--json``."""
        return {
            "file": self.file,
            "export_id": self.export_id,
            "rows": dict(self.rows),
            "requests": self.requests,
            "seconds": round(self.seconds, 3),
        }


def export(
    session: Session,
    path: Path | None = None,
    *,
    carry_from: Path | None = None,
    full: bool = False,
) -> Exported:
    """Read Plex, infer and write the workbook.

    Args:
        session: connected.
        path: the workbook, replaced if it is there; None for a dated name in WORKBOOK_DIR.
        carry_from: an older workbook whose notes, own columns and own sheets are taken over.
        full: read everything even where a recent snapshot would do.

    Raises:
        UsageError: the file cannot be written.
        WorkbookError: ``carry_from`` cannot be read.
        PlexError: reading failed.
    """
    from plexsheet.reports.tables import build_all
    from plexsheet.workbook.tables import bases
    from plexsheet.workbook.writer import check_place, export_workbook

    path = path or dated_path(session)
    check_place(path)
    carried = carry(carry_from) if carry_from else None
    reading = read(session, full=full)
    session.progress("Inferring", 0, 1)
    inference = infer(session, reading)
    session.progress("Inferring", 1, 1)
    about = with_accuracy(session, subject(session, reading, inference), refit=False)
    view = view_of(session, reading, inference)
    meta = meta_for(session, uuid.uuid4().hex)
    session.progress("Writing", 0, 1)
    rows = export_workbook(
        path,
        view,
        meta=meta,
        reports=build_all(about, WORKBOOK_ROWS),
        carried=carried,
    )
    session.state.save_export(session.scope, meta.export_id, path.name, bases(view))
    session.progress("Writing", 1, 1)
    return Exported(
        str(path),
        meta.export_id,
        {name.lower(): count for name, count in rows.items()},
        session.gateway.requests,
        time.time() - session.started,
    )


def export_csv(
    session: Session,
    folder: Path,
    *,
    force: bool = False,
    full: bool = False,
    separator: str = ",",
) -> Exported:
    """Write artists.csv, albums.csv and tracks.csv with the columns of plex-rating-utils.

    Raises:
        FileExists: one of the files is there, and ``force`` was not given.
        UsageError: a file cannot be written.
    """
    from plexsheet.errors import FileExists
    from plexsheet.workbook.csv_files import FILE_NAMES, write_csv
    from plexsheet.workbook.writer import made_folder

    there = [name for name in FILE_NAMES.values() if (folder / name).exists()]
    if there and not force:
        raise FileExists(
            f"{', '.join(there)} in {folder} would be replaced. Nothing was written. "
            "Choose another folder, or give --force."
        )
    made_folder(folder)
    reading = read(session, full=full)
    rows = write_csv(folder, reading.library, reading.owned.source, separator=separator)
    return Exported(
        str(folder),
        "",
        rows | {"twins": 0},
        session.gateway.requests,
        time.time() - session.started,
    )


def carry(path: Path) -> Carried:
    """Notes, cell notes, own columns and own sheets of an older workbook.

    Raises:
        WorkbookError: it cannot be read.
    """
    from plexsheet.workbook.remarks import read_whole
    from plexsheet.workbook.seen import carry

    return carry(read_whole(path))


def subject(session: Session, reading: Reading, inference: Inference) -> Subject:
    """What reports are about; how far off the models are is left to ``with_accuracy``."""
    from plexsheet.reports.report import Subject

    return Subject(
        reading.library,
        reading.owned.evidence,
        inference,
        source=reading.owned.source,
        settings=session.config.inference_settings(),
        run=last_run(session),
    )


def with_standing(session: Session, reading: Reading, about: Subject) -> Subject:
    """The same, and what will stand in Plex: rounded, and small drifts left as they are."""
    from plexsheet.library import KINDS, rows_of

    changes = plan_inferred(session, reading, about.inference).changes
    changes = changes[changes["field"] == "rating"]
    after = {}
    for kind in KINDS:
        mine = changes[changes["kind"] == kind]
        after[kind] = reading.library.ratings(kind).copy()
        after[kind][rows_of(reading.library.keys(kind), mine["key"].to_numpy())] = mine["after"]
    return replace(about, after=after)


def with_moved(session: Session, about: Subject) -> Subject:
    """The same, and what the last inference run changed in Plex."""
    from plexsheet.state import journal

    runs = [run for run in journal.runs(session.state, session.scope) if run.kind == "infer"]
    if not runs:
        return about
    return replace(about, moved=journal.ratings_moved(session.state, runs[0].id))


def with_accuracy(session: Session, about: Subject, *, refit: bool) -> Subject:
    """The same, and how far off the models are: in large libraries as far as is known soon.

    Args:
        session: connected; told of the progress.
        about: the library and its inference.
        refit: cross-validate the learned model too.
    """
    from plexsheet.reports.measured import left_out, tested

    if len(about.library.tracks) > MOST_MEASURED:
        return replace(about, measured=left_out(about.inference))
    progress = partial(session.progress, "Testing")
    return replace(about, measured=tested(about, refit=refit, progress=progress))


def last_run(session: Session) -> RunFigures | None:
    """Figures of the last inference that was written; None before the first."""
    from plexsheet.library import KINDS
    from plexsheet.reports.report import RunFigures
    from plexsheet.state import journal

    runs = [run for run in journal.runs(session.state, session.scope) if run.kind == "infer"]
    if not runs:
        return None
    last, notes = runs[0], runs[0].notes
    before = runs[1].notes.get("prior", math.nan) if len(runs) > 1 else math.nan
    return RunFigures(
        model=str(notes.get("model", "")),
        prior_after=float(notes.get("prior", math.nan)),
        prior_before=float(before),
        written={kind: int(notes.get(f"{kind}s", 0)) for kind in KINDS},
        cleared=int(notes.get("cleared", 0)),
        drift_skipped=int(notes.get("drift_skipped", 0)),
        taken_over=int(notes.get("taken_over", 0)),
        seconds=max(last.finished - last.started, 0.0) if last.finished else math.nan,
    )


def view_of(session: Session, reading: Reading, inference: Inference) -> View:
    """What the sheets are made of."""
    from plexsheet.inference.exclusions import counts_upward
    from plexsheet.workbook.tables import View

    settings = session.config.inference_settings()
    speaks, reasons = counts_upward(reading.library, settings.exclusions)
    return View(
        reading.library,
        inference,
        reading.owned,
        counts_upward=np.where(speaks, "", reasons),
        rounding=session.config.rounding_stars,
        utc_offset_s=local_offset_s,
    )


def local_offset_s(epoch: int) -> int:
    """Seconds to add to an epoch for the clock on this wall."""
    return time.localtime(epoch).tm_gmtoff


def dated_path(session: Session) -> Path:
    """A name for an export in the working folder that is not taken yet."""
    from plexsheet.workbook.writer import file_name, made_folder

    folder = made_folder(session.config.workbook_dir)
    path = folder / file_name(session.gateway.identity.title, datetime.now())
    number = 1
    while path.exists():
        number += 1
        path = path.with_name(f"{path.stem.removesuffix(f' ({number - 1})')} ({number}).xlsx")
    return path


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
    from plexsheet.apply import capability, may_edit
    from plexsheet.plan import TagNames, infer_plan

    config, known = session.config, capability(session.state, session.gateway)
    names = TagNames(config.inferred_tag, config.twin_logic.twin_tag)
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


# Carrying out


def carry_out(
    session: Session,
    plan: Plan,
    *,
    stop: Callable[[], bool] = lambda: False,
    origin: Origin | None = None,
    undoes: int = 0,
) -> Outcome:
    """Write a plan to Plex, and nothing but the plan.

    Args:
        session: connected, with the right to write.
        plan: what a ``prepare_*`` returned.
        stop: asked between requests; true ends tidily, resumable.
        origin: the file the plan came from.
        undoes: the run it takes back.

    Raises:
        OpenRun: an earlier run is not settled.
        StateError: the plan or its outcome cannot be recorded.
    """
    from plexsheet.apply import apply

    began = time.monotonic()
    outcome = apply(
        plan,
        session.gateway,
        session.state,
        stop=stop,
        **writing_ways(session),
        origin=origin,
        undoes=undoes,
    )
    _learn_speed(session, outcome.written, time.monotonic() - began)
    return outcome


def _learn_speed(session: Session, written: int, seconds: float) -> None:
    """Remember how long this server takes for a change, newer runs counting more."""
    if written < 20:  # too few to tell: connecting and reading would weigh most
        return
    known = session.state.kv(session.scope, "seconds_per_change")
    now = seconds / written
    session.state.set_kv(
        session.scope, "seconds_per_change", now if known is None else (known + now) / 2
    )


def write_estimate_s(session: Session, plan: Plan) -> float:
    """Seconds a plan will take, by this server's own speed; 0 while that is not known."""
    return float(session.state.kv(session.scope, "seconds_per_change", 0.0)) * len(plan)


def resume(session: Session, *, stop: Callable[[], bool] = lambda: False) -> Outcome | None:
    """Settle and finish the interrupted run; None where there is none."""
    from plexsheet import recovery

    return recovery.resume(session.state, session.gateway, stop=stop, **writing_ways(session))


def writing_ways(session: Session) -> dict[str, Any]:
    """How the settings want plans carried out, as ``apply`` and ``recovery`` take it."""
    config = session.config
    return {
        "mode": config.write_mode,
        "progress": session.progress,
        "cooldown": (config.cooldown_batch, config.cooldown_sleep),
    }


def refuse_over_open_run(state: State, scope: int) -> None:
    """Refuse to go on over a run that is not settled.

    Raises:
        OpenRun: there is one.
    """
    from plexsheet.state.journal import refuse_open_run

    refuse_open_run(state, scope)


def open_run(session: Session) -> int | None:
    """The run that was interrupted and is not settled."""
    from plexsheet.state.journal import open_run as find

    run = find(session.state, session.scope)
    return run.id if run else None
