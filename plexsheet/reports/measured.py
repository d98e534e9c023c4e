"""How far off inference is, in stars (pure)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

import numpy as np
import pandas as pd

from plexsheet.inference import again_and_again
from plexsheet.inference.accuracy import (
    MOST_HELD_OUT,
    Accuracy,
    HeldOut,
    Predictions,
    Unit,
    cross_validate,
    quick,
)
from plexsheet.inference.model import Inference
from plexsheet.inference.prospective import GUESSERS, errors
from plexsheet.library import Kind
from plexsheet.reports.report import (
    Cell,
    Chart,
    Measured,
    Report,
    ReportColumn,
    Subject,
    number,
    stars,
)

Model = Literal["learned", "classic"]

MEASURED: tuple[Kind, ...] = ("track", "album", "artist")
LEAST_RATINGS = 5  # of a kind, below which its error says nothing
LAYOUT = (
    ReportColumn("Model and test"),
    ReportColumn("Kind"),
    ReportColumn("n", "count"),
    ReportColumn("Off by", "number"),
    ReportColumn("Mean off by", "number"),
    ReportColumn("Error left %", "percent"),
    ReportColumn("80 % interval holds %", "percent"),
)


def accuracy(subject: Subject) -> Report:
    """Errors on the person's own ratings, of those that were measured."""
    lines = subject.measured or left_out(subject.inference)
    rows = [_row(one) for one in lines] + _judged(subject.verdicts)
    note = (
        "How far off a rating is when it is inferred from the others (root mean square, in "
        "stars), against always saying the mean of the others. Guesses before you rated were "
        "written down when no rating of yours could help them: the only honest test."
    )
    if not rows:
        note = "Nothing was measured: there are too few ratings, or only the learned model knows."
    summary: dict[str, Cell] = {"tests": len(rows)} | _record(subject.verdicts)
    if lines:
        first = lines[0]
        summary |= {
            "n": first.ratings,
            "error_stars": stars(first.error),
            "mean_error_stars": stars(first.mean_error),
            "coverage": number(first.coverage),
        }
    chart = Chart("How far off, in stars", ("Off by", "Mean off by"), across=True, unit="Stars")
    return Report("accuracy", "Accuracy", LAYOUT, rows, summary, note, chart=chart)


def _judged(verdicts: pd.DataFrame | None) -> list[tuple[Cell, ...]]:
    """Rows of the guesses that were written down before the person rated."""
    if verdicts is None or not len(verdicts):
        return []
    since = _since(verdicts)
    return [
        (
            f"{GUESSERS[name]}, guessed before you rated (since {since})",
            "Any",
            len(verdicts),
            stars(error),
            None,
            None,
            None,
        )
        for name, error in errors(verdicts).items()
    ]


def _record(verdicts: pd.DataFrame | None) -> dict[str, Cell]:
    """The same for the summary; only their number where there are none."""
    if verdicts is None or not len(verdicts):
        return {"judged": 0}
    record: dict[str, Cell] = {"judged": len(verdicts), "judged_since": _since(verdicts)}
    for name, error in errors(verdicts).items():
        record[f"judged_{name}_stars"] = stars(error)
    return record


def _since(verdicts: pd.DataFrame) -> str:
    """The day of the first guess that was judged."""
    return datetime.fromtimestamp(float(verdicts["guessed_at"].min()), UTC).date().isoformat()


def left_out(inference: Inference) -> list[Measured]:
    """What the learned model found by leaving out one rating at a time, without a refit."""
    known = [(kind, quick(inference, kind)) for kind in MEASURED]
    return [
        measured(f"{inference.model}, leaving one out", kind, found)
        for kind, found in known
        if found.ratings >= LEAST_RATINGS
    ]


def tested(
    subject: Subject, *, refit: bool, progress: Callable[[int, int], None] = lambda done, of: None
) -> list[Measured]:
    """How far off both models are, kind by kind.

    The learned model predicts left-out ratings from one fit, its variances held; only with
    more than ``MOST_HELD_OUT`` ratings it is fitted again for each fold.  Classic is quick
    enough to infer five folds of the ratings each from the others.

    Args:
        subject: the library and its inference.
        refit: ask the learned model about five folds too, of tracks and of whole albums.
        progress: called with tests done and their number.
    """
    held = _held(subject)
    tests = _tests(subject, refit)
    predict = _predictors(subject, held)
    found = left_out(subject.inference) if held is None else _singly(held)
    for done, (model, kind, unit) in enumerate(tests):
        progress(done, len(tests))
        result = predict[model](kind, unit).accuracy()
        if result.ratings:
            hidden = "whole albums hidden" if unit == "album" else "a fifth hidden"
            found.append(measured(f"{model}, {hidden}", kind, result))
    progress(len(tests), len(tests))
    return found


Predict = Callable[[Kind, Unit], Predictions]


def _held(subject: Subject) -> HeldOut | None:
    """The learned model's fit, ready to leave ratings out; None where it is not in use or large."""
    fit = subject.inference.fit
    if fit is None or not 1 < fit.system.n <= MOST_HELD_OUT:
        return None
    width = subject.inference.details["interval_width"]
    return HeldOut(subject.library, subject.evidence, fit, width)


def _predictors(subject: Subject, held: HeldOut | None) -> dict[Model, Predict]:
    """How each model predicts the ratings of hidden folds."""
    run = again_and_again(subject.library, subject.evidence, subject.settings)

    def refitted(model: Model) -> Predict:
        return lambda kind, unit: cross_validate(
            subject.library,
            subject.evidence,
            replace(subject.settings, model=model),
            infer=lambda _, known, chosen: run(known, chosen),
            kind=kind,
            unit=unit,
        )

    return {
        "learned": refitted("learned") if held is None else held.predictions,
        "classic": refitted("classic"),
    }


def _singly(held: HeldOut) -> list[Measured]:
    """Each rating predicted from all the others."""
    found = [(kind, held.predictions(kind, singly=True).accuracy()) for kind in MEASURED]
    return [
        measured("learned, leaving one out", kind, one)
        for kind, one in found
        if one.ratings >= LEAST_RATINGS
    ]


def _tests(subject: Subject, refit: bool) -> list[tuple[Model, Kind, Unit]]:
    """Model, kind and what is hidden together, of kinds with enough ratings."""
    given = {kind: (~np.isnan(subject.given(kind))).sum() for kind in MEASURED}
    kinds = [kind for kind in MEASURED if given[kind] >= LEAST_RATINGS]
    models: tuple[Model, ...] = ("learned", "classic") if refit else ("classic",)
    tests: list[tuple[Model, Kind, Unit]] = []
    for kind in kinds:
        tests += [(model, kind, "track") for model in models]
        if refit and kind == "track":
            tests += [(model, kind, "album") for model in models]
    return tests


def measured(what: str, kind: Kind, found: Accuracy) -> Measured:
    """A line of the report."""
    return Measured(what, kind, found.ratings, found.error, found.mean_error, found.coverage)


def _row(one: Measured) -> tuple[Cell, ...]:
    left = 100 * one.error / one.mean_error if one.mean_error > 0 else math.nan
    return (
        one.what,
        one.kind.capitalize(),
        one.ratings,
        stars(one.error),
        stars(one.mean_error),
        number(left, 1),
        number(100 * one.coverage, 1),
    )
