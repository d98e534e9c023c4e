"""Where the person differs: from the rest of an album, and from the critics (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.inference.classic import NO_RATINGS_SPREAD
from plexsheet.library import rows_of
from plexsheet.ratings import exact_points
from plexsheet.reports.report import (
    Cell,
    Chart,
    Report,
    ReportColumn,
    Subject,
    link,
    number,
    performers,
    stars,
    stars_list,
)

Floats = NDArray[np.float64]

APART_STARS = 1.0
OTHERS = 2
BELIEF = 4.0  # ratings' worth of the belief that they vary by NO_RATINGS_SPREAD


def dissenters(subject: Subject) -> Report:
    """Rated tracks a star or more, and |z| of 1 or more, from the mean of the album's others.

    z is the difference over its standard deviation, ``s·√(1 + 1/n)``: s is the spread within
    albums, pooled over the library without the track itself; n counts the others.
    """
    found = _differences(subject)
    apart = (found["difference"].abs() >= exact_points(APART_STARS)) & (found["z"].abs() >= 1)
    far = found[apart & (found["others"] >= OTHERS)]
    far = far.reindex(far["z"].abs().sort_values(ascending=False, kind="stable").index)
    rows = _rows(subject, far)
    layout = (
        ReportColumn("Key", "count", minor=True),
        ReportColumn("Artist"),
        ReportColumn("Album"),
        ReportColumn("Title"),
        ReportColumn("My rating", "stars"),
        ReportColumn("Others' mean", "stars"),
        ReportColumn("n", "count"),
        ReportColumn("Difference", "signed"),
        ReportColumn("z", "number"),
        ReportColumn("Link", "link"),
    )
    summary: dict[str, Cell] = {"dissenters": len(rows), "compared": len(found)}
    note = (
        "Tracks you rated a star or more away from the other tracks you rated on the album "
        f"(at least {OTHERS}): slips of the finger, or the odd one out."
    )
    return Report("dissenters", "Dissenters", layout, rows, summary, note)


def _rows(subject: Subject, far: pd.DataFrame) -> list[tuple[Cell, ...]]:
    row = far["row"].to_numpy()
    tracks = subject.library.tracks.iloc[row]
    keys = tracks["key"].tolist()
    columns: list[list[Any]] = [
        keys,
        performers(subject.library, row),
        tracks["album"].tolist(),
        tracks["title"].tolist(),
        stars_list(far["given"].to_numpy()),
        stars_list(far["mean"].to_numpy()),
        far["others"].tolist(),
        stars_list(far["difference"].to_numpy()),
        [number(z) for z in far["z"].tolist()],
        [link(subject.library.identity, key) for key in keys],
    ]
    return list(zip(*columns, strict=True))


def _differences(subject: Subject) -> pd.DataFrame:
    """Each rated track against the other rated tracks of its album, 0-10.

    Columns: row, given, others (how many), mean (theirs), difference, z.
    """
    given = subject.given("track")
    album = rows_of(subject.library.keys("album"), subject.library.tracks["album_key"].to_numpy())
    row = np.flatnonzero(~np.isnan(given) & (album >= 0))
    group, rating = album[row], given[row]
    count = np.bincount(group)[group] if len(row) else np.zeros(0, dtype=np.int64)
    total = np.bincount(group, rating)[group] if len(row) else np.zeros(0)
    several = count > 1
    row, rating, count, total = row[several], rating[several], count[several], total[several]
    mean = (total - rating) / (count - 1)
    difference = rating - mean
    spread = _spread_without(rating - total / count, count)
    z = difference / (spread * np.sqrt(1 + 1 / (count - 1)))
    columns = {"row": row, "given": rating, "others": count - 1, "mean": mean}
    return pd.DataFrame(columns | {"difference": difference, "z": z})


def _spread_without(residual: Floats, count: NDArray[np.int64]) -> Floats:
    """Standard deviation within albums, without each track in turn; shape (tracks,)."""
    squares = (residual**2).sum() - residual**2 * count / (count - 1)
    freedom = len(residual) - (1 / count).sum() - 1
    variance = (squares + BELIEF * NO_RATINGS_SPREAD**2) / (max(freedom, 0.0) + BELIEF)
    return np.asarray(np.sqrt(np.maximum(variance, 1e-12)))


def critics(subject: Subject) -> Report:
    """The person's ratings of albums and of their tracks against the critics' scores."""
    library = subject.library
    scores = library.albums["critic_rating"].to_numpy()
    album = rows_of(library.keys("album"), library.tracks["album_key"].to_numpy())
    pairs = {
        "Tracks you rated": (subject.given("track"), np.append(scores, np.nan)[album]),
        "Albums you rated": (subject.given("album"), scores),
        "Albums by their tracks": (_track_means(subject, album), scores),
    }
    rows = [(name, *_compared(*pair)) for name, pair in pairs.items()]
    layout = (
        ReportColumn("Compared"),
        ReportColumn("n", "count"),
        ReportColumn("My mean", "stars"),
        ReportColumn("Critics' mean", "stars"),
        ReportColumn("Bias", "signed"),
        ReportColumn("Correlation", "number"),
        ReportColumn("Slope", "number"),
        ReportColumn("± slope", "number"),
    )
    chart = Chart("You and the critics", ("My mean", "Critics' mean"), unit="Stars")
    note = _critics_note(subject)
    return Report("critics", "Critics", layout, rows, _in_use(subject), note, chart=chart)


def _track_means(subject: Subject, album: NDArray[np.intp]) -> Floats:
    """Mean of the person's track ratings of each album; NaN without any."""
    given, albums = subject.given("track"), len(subject.library.albums)
    rated = ~np.isnan(given) & (album >= 0)
    count = np.bincount(album[rated], minlength=albums)
    total = np.bincount(album[rated], given[rated], minlength=albums)
    mean = np.full(albums, np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean


def _compared(mine: Floats, theirs: Floats) -> tuple[Cell, ...]:
    """n, both means, their difference, correlation, slope of mine on theirs and its error."""
    both = ~np.isnan(mine) & ~np.isnan(theirs)
    n = int(both.sum())
    if n == 0:
        return (0, None, None, None, None, None, None)
    x, y = theirs[both], mine[both]
    means = (n, stars(float(y.mean())), stars(float(x.mean())), stars(float((y - x).mean())))
    dx, dy = x - x.mean(), y - y.mean()
    sxx, syy, sxy = float((dx**2).sum()), float((dy**2).sum()), float((dx * dy).sum())
    if n < 3 or sxx < 1e-9:
        return (*means, None, None, None)
    slope = sxy / sxx
    left = max(syy - slope * sxy, 0.0)
    correlation = number(sxy / (sxx * syy) ** 0.5) if syy > 1e-9 else None
    return (*means, correlation, number(slope), number((left / (n - 2) / sxx) ** 0.5))


def _in_use(subject: Subject) -> dict[str, Cell]:
    """What the model makes of the critics."""
    scored = int((~np.isnan(subject.library.albums["critic_rating"].to_numpy())).sum())
    settings = subject.settings
    if subject.inference.model == "classic":
        weights = settings.weight_critic + settings.weight_global
        return {
            "albums_with_score": scored,
            "bias": settings.bias_critic,
            "weight": number(settings.weight_critic / weights) if weights > 0 else 0.0,
        }
    learned = _learned_slope(subject)
    return {
        "albums_with_score": scored,
        "n": int(learned.get("n", 0)),
        "slope": number(float(learned["slope"])) if "slope" in learned else None,
        "slope_error": number(float(learned["error"])) if "error" in learned else None,
    }


def _learned_slope(subject: Subject) -> Mapping[str, float | int]:
    """The critics' slope as the model found it; empty where no rated track has a score."""
    learned = subject.critic or subject.inference.details.get("critic", {})
    return learned if learned.get("n") else {}


def _critics_note(subject: Subject) -> str:
    use = _in_use(subject)
    if subject.inference.model == "classic":
        return (
            f"classic: {use['bias']} is added to every score, which then has "
            f"{100 * float(use['weight'] or 0):.0f} % of the prior where there is one."
        )
    if use["slope"] is None:
        return (
            "The learned model finds the weight of the critics from your own ratings; none of "
            "them is on an album with a score."
        )
    return (
        f"learned from {use['n']:,} ratings: a point more from the critics is worth "
        f"{use['slope']} ± {use['slope_error']} points of yours, everything else equal."
    )
