"""The learned model: one linear mixed model of everything that may speak for a rating (pure).

A rating is the library's level, plus the effects of its artist, album, genre, year,
length and so on (``design``), plus noise.  Each family of effects shrinks towards 0 with
a variance learned from the person's own ratings (``variances``), so a family the ratings
say nothing about stays near 0 and a nearly unrated library degrades to its mean.
Ratings given to albums and artists are observations of the mean level of their tracks.

Everything here is a function of what the person rated: an inferred value never enters.

Source:
    Henderson, Biometrics 31 (1975) 423-447; Efron and Morris, JASA 70 (1975) 311-319;
    Gelman and Hill, Data Analysis Using Regression and Multilevel Models (2007).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from plexsheet.config.settings import InferenceSettings
from plexsheet.inference import design as designs
from plexsheet.inference.design import (
    FAMILIES,
    LEAST_SCORE_SPREAD,
    PARTS,
    Design,
    Family,
    deviation,
)
from plexsheet.inference.exclusions import fillers
from plexsheet.inference.fitting import (
    ITEM_NOISE,
    ITEMS,
    SONG_WEIGHT,
    Fit,
    averages,
    evident,
    fitted,
)
from plexsheet.inference.following import followed
from plexsheet.inference.left_out import LeftOut, leave_one_out, on_rated_albums, trusts
from plexsheet.inference.listening import Heard
from plexsheet.inference.model import Evidence, Inference, Inferred
from plexsheet.inference.solve import solver
from plexsheet.inference.uncertainty import (
    Blockwise,
    Exact,
    Rows,
    Uncertainty,
    exact_is_cheap,
    mean_rows,
    observed_rows,
    prior_variances,
    track_rows,
)
from plexsheet.inference.variances import LEVEL_MEAN
from plexsheet.library import KINDS, Kind, Library, rows_of

if TYPE_CHECKING:
    from plexsheet.inference.twins import Twins

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

INTERVAL = 0.8
NORMAL_80 = 1.2815515655446004  # half-width of a standard normal's central 80 %
CONFORMAL_RATINGS = 20.0  # the same, that errors are as wide as the model says
COUNTED = ("artist", "album", "track artist", "song", "title", "genre")


@dataclass(frozen=True)
class _Errors:
    """What leaving one rating out taught about the predictions of a kind.

    Attributes:
        n: how many ratings.
        coverage: share of left-out ratings inside their 80 % interval; NaN without any.
        error: root mean square error of predictions; NaN without any.
        mean_error: the same of the mean of the other ratings.
    """

    n: int
    coverage: float
    error: float
    mean_error: float


def infer(
    library: Library,
    evidence: Evidence,
    settings: InferenceSettings,
    *,
    twins: Twins | None = None,
    design: Design | None = None,
    warm: Mapping[str, float] | None = None,
    families: Sequence[Family] = FAMILIES,
) -> Inference:
    """What the person would have rated every artist, album and track.

    Args:
        library: as read.
        evidence: which of its ratings are the person's own, and what they excluded.
        settings: everything the person can set; ``min_confidence`` is the caller's.
        twins: the same recordings on different albums, found earlier.  By default artist
            and title on two or more albums share a song's effect.
        design: of this library and these twins, built earlier.
        warm: ``details["warm"]`` of an earlier run, to start from.
        families: the families with their priors; others than the usual are for benchmarks.

    Returns:
        Values, errors, confidence and reasons, row for row with the library's tables.
    """
    if design is None:
        design = designed(library, evidence, settings, twins)
    fit = fitted(library, evidence, design, warm=warm, families=families)
    sure = uncertainty(library, fit)
    rows = track_rows(fit.used)
    # Of the rated rows alone: an approximation fits what it is asked for, and most are unrated.
    observed = sure.of([part[fit.rows] for part in rows])
    known, unknown = trusts(library, fit)
    left_out = leave_one_out(fit, observed, fit.rated("track")).trusting(known)
    width = calibrated(left_out)
    gate = np.where(on_rated_albums(library, fit), known, unknown)
    errors: dict[Kind, _Errors] = {"track": _errors(left_out, width)}
    errors |= {
        kind: _item_errors(library, evidence, fit, sure, kind, width, design.fillers)
        for kind in ITEMS
    }
    outcome = _Outcome(library, evidence, design, fit, gate)
    track = outcome.tracks(rows, sure.of(rows))
    if twins is not None:
        single = np.full(len(library.tracks), np.nan)
        single[fit.rows] = left_out.predicted
        lengths = library.tracks["duration_ms"].to_numpy() > 0
        ratings = evident(library, evidence, "track")
        track = followed(track, twins, ratings, single, lengths, fit.variances.noise)
    group = np.full(len(library.tracks), -1, dtype=np.int64)
    because = np.full(len(library.tracks), "", dtype=object)
    return Inference(
        model="learned",
        prior=float(np.clip(LEVEL_MEAN + fit.effects[0], *_range(library, evidence))),
        artist=outcome.items("artist", sure),
        album=outcome.items("album", sure),
        track=track,
        twin_group=group if twins is None else twins.group,
        twin_evidence=because if twins is None else twins.evidence,
        details=_details(fit, width, errors)
        | {"trust": [known, unknown], "critic": critic_slope(library, fit)},
        fit=replace(fit, used=()),
    )


def designed(
    library: Library, evidence: Evidence, settings: InferenceSettings, twins: Twins | None = None
) -> Design:
    """The families' columns for ``infer``: of its evidence only the counts of plays are read."""
    return designs.build(
        library,
        None if twins is None else twins.group,
        None if settings.listening == "false" else evidence.listening(library),
        fillers(library, settings.exclusions),
    )


def uncertainty(library: Library, fit: Fit) -> Uncertainty:
    """Exact posterior variances where that is cheap, block by block where not."""
    if exact_is_cheap(fit.system, len(library.tracks)):
        return Exact(fit.system, fit.scale, fit.used)
    tracks = library.tracks
    artist = rows_of(library.keys("artist"), tracks["artist_key"].to_numpy())
    album = rows_of(library.keys("album"), tracks["album_key"].to_numpy())
    by_name = {used.block.family.name: used.block for used in fit.used}
    named = np.diff(by_name["artist"].tracks.indptr) > 0 if "artist" in by_name else artist < -1
    group = np.where(named, artist, len(library.artists) + 1 + album)
    return Blockwise(fit.system, fit.scale, fit.used, group)


def calibrated(left_out: LeftOut) -> float:
    """Factor on the predictions' standard deviations, from ratings left out one at a time."""
    if len(left_out.ratings) < 2:
        return 1.0
    return _width(np.abs(left_out.ratings - left_out.predicted) / left_out.spread)


def _errors(left_out: LeftOut, width: float) -> _Errors:
    """Errors, and how many ratings are inside their intervals."""
    given, n = left_out.ratings, len(left_out.ratings)
    if n < 2:
        return _Errors(n, float("nan"), float("nan"), float("nan"))
    residual = np.abs(given - left_out.predicted)
    inside = residual <= NORMAL_80 * width * left_out.spread
    error = float(np.sqrt((residual**2).mean()))
    mean_error = float(np.sqrt(((given - left_out.means) ** 2).mean()))
    return _Errors(n, float(inside.mean()), error, mean_error)


def _item_errors(
    library: Library,
    evidence: Evidence,
    fit: Fit,
    sure: Uncertainty,
    kind: Kind,
    width: float,
    aside: NDArray[np.bool_],
) -> _Errors:
    """The same of the ratings given to albums or artists."""
    chosen = fit.rated(kind)
    if chosen.stop - chosen.start < 2:
        return _Errors(chosen.stop - chosen.start, float("nan"), float("nan"), float("nan"))
    mean = sparse.csr_array(averages(library, evidence, kind, aside)[fit.items[kind]])
    variances = sure.of(observed_rows(fit.used, mean))
    return _errors(leave_one_out(fit, variances, chosen), width)


def _width(ratios: Floats) -> float:
    """Factor that makes 80 % of the errors fall inside, leaning to 1 with few ratings."""
    n = len(ratios)
    found = float(np.quantile(ratios, min(1.0, INTERVAL * (n + 1) / n))) / NORMAL_80
    return (n * found + CONFORMAL_RATINGS) / (n + CONFORMAL_RATINGS)


def interval(
    inference: Inference, kind: Kind = "track", sizes: Ints | None = None
) -> tuple[Floats, Floats]:
    """Where 80 % of the ratings the person would give lie, noise included.

    Args:
        inference: of this model.
        kind: "track", "album" or "artist".
        sizes: shape (items,), how many tracks each album or artist has; by default many.

    Returns:
        Lower and upper ends, each of shape (items,), 0-10, NaN where nothing is proposed.
    """
    found = inference.of(kind)
    noise = np.full(len(found.value), inference.details["noise"])
    if kind == "track":
        noise = np.where(inference.twin_group >= 0, noise / SONG_WEIGHT, noise)
    else:
        noise *= ITEM_NOISE + (0.0 if sizes is None else 1 / np.maximum(sizes, 1))
    half = NORMAL_80 * inference.details["interval_width"] * np.sqrt(found.error**2 + noise)
    return np.clip(found.value - half, 0, 10), np.clip(found.value + half, 0, 10)


def _range(library: Library, evidence: Evidence) -> tuple[float, float]:
    """Lowest and highest rating the person gave to anything; the scale's ends without any."""
    given = np.concatenate([evident(library, evidence, kind) for kind in KINDS])
    given = given[~np.isnan(given)]
    return (float(given.min()), float(given.max())) if len(given) else (0.0, 10.0)


class _Outcome:
    """The fit spread over the library: every item's value, error, confidence and parts."""

    def __init__(
        self,
        library: Library,
        evidence: Evidence,
        design: Design,
        fit: Fit,
        gate: Floats,
    ) -> None:
        self._library = library
        self._evidence = evidence
        self._fit = fit
        self._range = _range(library, evidence)
        self._fillers = design.fillers
        self._heard = None if design.listening is None else Heard.of(library, design.listening)
        self._parts = {name: gate * part for name, part in part_effects(fit, design).items()}
        self._counts = part_counts(design, evident(library, evidence, "track"))

    def tracks(self, rows: Rows, variances: Floats) -> Inferred:
        """Every track, from the posterior variances of the tracks' levels."""
        prior = prior_variances(self._fit.used, rows)
        excluded = self._evidence.excluded["track"]
        found = self._inferred(self._parts, self._counts, variances, prior, excluded)
        return replace(found, heard=self._heard)

    def items(self, kind: Literal["artist", "album"], sure: Uncertainty) -> Inferred:
        """Every album or artist: the mean over its tracks."""
        mean = averages(self._library, self._evidence, kind, self._fillers)
        parts = {name: mean @ part for name, part in self._parts.items()}
        counts = {name: mean @ count for name, count in self._counts.items()}
        rows = mean_rows(self._fit.used, mean)
        prior = prior_variances(self._fit.used, rows)
        excluded = self._evidence.excluded[kind]
        found = self._inferred(parts, counts, sure.of(rows), prior, excluded)
        if self._heard is None:
            return found
        row = rows_of(self._library.keys(kind), self._library.tracks[f"{kind}_key"].to_numpy())
        return replace(found, heard=Heard.within(self._heard, row, len(excluded)))

    def _inferred(
        self,
        parts: Mapping[str, Floats],
        counts: Mapping[str, Floats],
        variances: Floats,
        prior: Floats,
        excluded: NDArray[np.bool_],
    ) -> Inferred:
        noise = self._fit.variances.noise
        level = np.full(len(prior), LEVEL_MEAN + self._fit.effects[0])
        wanted = level + sum(parts.values())
        value = np.clip(wanted, *self._range)
        named = {"library": level} | dict(parts)
        named["other"] = named["other"] + (value - wanted)
        variances = np.maximum(variances, 1e-9)
        known = np.minimum(variances / np.maximum(prior, 1e-9), 1.0)
        gained = (1 - known) / variances
        return Inferred(
            value=np.where(excluded, np.nan, value),
            error=np.where(excluded, np.nan, np.sqrt(noise * variances)),
            confidence=np.where(excluded, np.nan, 100 * (1 - known)),
            ratings=np.where(excluded, np.nan, gained),
            parts={name: np.where(excluded, np.nan, part) for name, part in named.items()},
            counts=counts,
        )


def part_effects(fit: Fit, design: Design) -> dict[str, Floats]:
    """What each part but the library's level adds to each track, shape (tracks,)."""
    tracks = design.blocks[0].tracks.shape[0]
    parts = {name: np.zeros(tracks) for name in PARTS if name != "library"}
    for used in fit.used:
        effects = used.spread(fit.effects)
        parts[used.block.family.part] += used.block.tracks @ effects
        if used.block.lent is not None:
            parts[used.block.family.part] += used.block.lent @ effects
    return parts


def part_counts(design: Design, ratings: Floats) -> dict[str, Floats]:
    """How many of the person's track ratings share each track's level, by part."""
    rated = (~np.isnan(ratings)).astype(np.float64)
    counts: dict[str, Floats] = {}
    for block in design.blocks:
        if block.family.name in COUNTED:
            touches = sparse.csr_array(block.tracks)
            touches.data = np.ones(len(touches.data))
            found = touches @ (touches.T @ rated)
            part = block.family.part
            counts[part] = np.maximum(counts[part], found) if part in counts else found
    return counts


def critic_slope(library: Library, fit: Fit) -> dict[str, float | int]:
    """How the person's ratings go with the critics', as learned.

    Returns:
        ``slope`` in points of theirs per point of the critics', its standard ``error``, and
        ``n``, their ratings of tracks on albums with a score; slope 0 without any.
    """
    used = next(used for used in fit.used if used.block.family.name == "critic")
    scores = library.albums["critic_rating"].to_numpy()
    if not len(used.kept):
        return {"slope": 0.0, "error": 0.0, "n": 0}
    column = int(np.searchsorted(fit.system.family, fit.used.index(used) + 1))
    solving = solver(fit.system, probes=0)
    solving.at(fit.scale)
    error = fit.scale[column] * np.sqrt(fit.variances.noise * solving.variance(column))
    touched = int((fit.system.rows[: len(fit.rows), [used.at]].toarray() != 0).sum())
    slope, spread = float(fit.effects[used.at]), deviation(scores, LEAST_SCORE_SPREAD)
    return {"slope": slope / spread, "error": float(error) / spread, "n": touched}


def _details(fit: Fit, width: float, errors: Mapping[Kind, _Errors]) -> dict[str, Any]:
    ratios = {
        used.block.family.name: float(log_ratio)
        for used, log_ratio in zip(fit.used, fit.variances.log_ratio, strict=True)
    }
    noise = fit.variances.noise
    return {
        "n": len(fit.rows),
        "item_ratings": fit.system.n - len(fit.rows),
        "level": LEVEL_MEAN + float(fit.effects[0]),
        "noise": noise,
        "deviations": {name: float(np.sqrt(noise * np.exp(r))) for name, r in ratios.items()},
        "warm": ratios | {"noise": noise},
        "parts": sorted({used.block.family.part for used in fit.used if len(used.kept)}),
        "rounds": fit.variances.rounds,
        "converged": fit.variances.converged,
        "interval_width": width,
        "left_out": {
            kind: {name: _or_none(value) for name, value in asdict(found).items()}
            for kind, found in errors.items()
        },
    }


def _or_none(value: float) -> float | None:
    """JSON has no NaN."""
    return None if np.isnan(value) else value
