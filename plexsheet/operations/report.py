"""What the reports are about."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from plexsheet.operations.infer import changes_of, settings_for
from plexsheet.operations.read import Reading
from plexsheet.operations.session import Session

if TYPE_CHECKING:
    from plexsheet.inference.model import Inference
    from plexsheet.reports.report import RunFigures, Subject
    from plexsheet.state.runs import Run

MOST_COMPARED = 20_000  # tracks, above which listening is not left out to see what it is worth
MOST_MEASURED = 150_000  # tracks, above which nothing is inferred again to see how far off it is


def subject(session: Session, reading: Reading, inference: Inference) -> Subject:
    """What reports are about; how far off the models are is left to ``with_accuracy``."""
    from plexsheet.reports.report import Subject
    from plexsheet.state import guesses

    return Subject(
        reading.library,
        reading.owned.evidence,
        inference,
        source=reading.owned.source,
        settings=settings_for(session),
        run=last_run(session),
        verdicts=guesses.verdicts(session.state, session.scope),
    )


def with_standing(session: Session, reading: Reading, about: Subject) -> Subject:
    """The same, and what will stand in Plex: rounded, and small drifts left as they are."""
    from plexsheet.library import KINDS, rows_of

    changes = changes_of(session, reading, about.inference).changes
    changes = changes[changes["field"] == "rating"]
    after = {}
    for kind in KINDS:
        mine = changes[changes["kind"] == kind]
        after[kind] = reading.library.ratings(kind).copy()
        after[kind][rows_of(reading.library.keys(kind), mine["key"].to_numpy())] = mine["after"]
    return replace(about, after=after)


def with_unheard(about: Subject) -> Subject:
    """The same, and what would be inferred without listening, in libraries that are not large."""
    from plexsheet.inference import infer

    used = "listening" in about.inference.details.get("parts", ())
    if not used or len(about.library.tracks) > MOST_COMPARED:
        return about
    settings, warm = replace(about.settings, listening="false"), about.inference.details["warm"]
    return replace(about, unheard=infer(about.library, about.evidence, settings, warm))


def with_moved(session: Session, about: Subject) -> Subject:
    """The same, and what the last inference run changed in Plex."""
    from plexsheet.state import journal

    inferred = _inferences(session)
    if not inferred:
        return about
    return replace(about, moved=journal.ratings_moved(session.state, inferred[0].id))


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


def _inferences(session: Session) -> list[Run]:
    """The runs of inference, the latest first."""
    from plexsheet.state import runs

    return [run for run in runs.runs(session.state, session.scope) if run.kind == "infer"]


def last_run(session: Session) -> RunFigures | None:
    """Figures of the last inference that was written; None before the first."""
    from plexsheet.library import KINDS
    from plexsheet.reports.report import RunFigures

    inferred = _inferences(session)
    if not inferred:
        return None
    last, notes = inferred[0], inferred[0].notes
    before = inferred[1].notes.get("prior", math.nan) if len(inferred) > 1 else math.nan
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
