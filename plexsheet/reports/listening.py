"""What was played against what was rated, and what that is worth (pure)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from plexsheet.inference.accuracy import quick
from plexsheet.inference.prospective import errors
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
)

BOUNDS = (0, 1, 2, 4, 8, 16, 32, 64)  # plays that begin a line
ROWS = 50  # of what is played most and not rated
LAYOUT = (
    ReportColumn("Plays"),
    ReportColumn("Tracks", "count"),
    ReportColumn("Rated", "count"),
    ReportColumn("My rating", "stars"),
    ReportColumn("Inferred", "stars"),
)
UNRATED = (
    ReportColumn("Key", "count", minor=True),
    ReportColumn("Artist"),
    ReportColumn("Title"),
    ReportColumn("Album"),
    ReportColumn("Plays", "count", bar=True),
    ReportColumn("Skips", "count"),
    ReportColumn("Inferred", "stars"),
    ReportColumn("Confidence", "percent"),
    ReportColumn("Link", "link"),
)


def listening(subject: Subject) -> Report:
    """Mean rating by plays, the error with and without listening, and what to rate of it."""
    tracks, given = subject.library.tracks, subject.given("track")
    plays = np.maximum(tracks["view_count"].to_numpy(), 0)
    line = np.searchsorted(BOUNDS, plays, side="right") - 1
    inferred = np.where(subject.open("track"), subject.inference.track.value, np.nan)
    table = pd.DataFrame({"line": line, "given": given, "inferred": inferred}).groupby("line")
    counts, means = table.count(), table.mean()
    rows: list[tuple[Cell, ...]] = [
        (
            _words(one),
            int((line == one).sum()),
            int(counts["given"][one]),
            stars(float(means["given"][one])),
            stars(float(means["inferred"][one])),
        )
        for one in counts.index.tolist()
    ]
    chart = Chart("Mean rating by plays, in stars", ("My rating", "Inferred"), unit="Stars")
    summary, note = _worth(subject)
    note = f"{note} {_elsewhere(subject)}".strip()
    items = _unrated(subject, plays) if plays.any() else None
    return Report("listening", "Listening", LAYOUT, rows, summary, note, chart=chart, items=items)


def _elsewhere(subject: Subject) -> str:
    """Where plays come from beside Plex; "" where nothing else is known."""
    held = subject.evidence.elsewhere
    if held is None:
        return ""
    parts = [
        f"{name} ({plays:,} plays of {tracks:,} tracks)"
        for name, (tracks, plays, _) in held.sources.items()
    ]
    return f"Beside those Plex counts, plays count from: {', '.join(parts)}."


def _words(line: int) -> str:
    low = BOUNDS[line]
    if line + 1 == len(BOUNDS):
        return f"{low} or more"
    high = BOUNDS[line + 1] - 1
    return str(low) if low == high else f"{low}-{high}"


def _worth(subject: Subject) -> tuple[dict[str, Cell], str]:
    """Errors with and without listening, and a sentence about them."""
    used = "listening" in subject.inference.details.get("parts", ())
    summary: dict[str, Cell] = {"used": used}
    if not used:
        return summary, _WHY_NOT[subject.inference.model == "classic", _off(subject)]
    note = "What was played counts as evidence."
    if subject.unheard is not None:
        heard, unheard = quick(subject.inference), quick(subject.unheard)
        left = heard.error / unheard.error if unheard.error else 1.0  # 0 where all are alike
        summary |= {
            "n": heard.ratings,
            "error_stars": stars(heard.error),
            "error_without_stars": stars(unheard.error),
            "left_percent": number(100 * left, 1),
        }
        note += (
            f" Each of your {heard.ratings:,} ratings inferred from the others is off by "
            f"{heard.error / 2:.2f} stars, without plays by {unheard.error / 2:.2f}. You also play "
            "what you have rated, so part of that is flattery; the accuracy report has the guesses "
            "made before you rated."
        )
    if subject.verdicts is not None and len(subject.verdicts):
        found = errors(subject.verdicts)
        summary |= {
            "judged": len(subject.verdicts),
            "judged_error_stars": stars(found["heard"]),
            "judged_error_without_stars": stars(found["unheard"]),
        }
    return summary, note


def _off(subject: Subject) -> bool:
    return subject.settings.listening == "false"


_WHY_NOT = {
    (True, True): "The classic model does not look at what was played.",
    (True, False): "The classic model does not look at what was played.",
    (False, True): "What was played is left out: LISTENING is false, or auto found it worse.",
    (False, False): "Too little was played yet to say anything, or nothing was rated.",
}


def _unrated(subject: Subject, plays: np.ndarray) -> Report:
    """Tracks played most of those the person did not rate."""
    open_ = np.flatnonzero(subject.open("track") & (plays > 0))
    chosen = open_[np.argsort(-plays[open_], kind="stable")][:ROWS]
    tracks, found = subject.library.tracks.iloc[chosen], subject.inference.track
    rows: list[tuple[Cell, ...]] = [
        (
            int(item["key"]),
            artist,
            item["title"],
            item["album"],
            int(plays[row]),
            int(item["skip_count"]),
            stars(float(found.value[row])),
            number(float(found.confidence[row]), 0),
            link(subject.library.identity, int(item["key"])),
        )
        for row, artist, item in zip(
            chosen.tolist(),
            performers(subject.library, chosen),
            tracks.to_dict("records"),
            strict=True,
        )
    ]
    title = "Most played without a rating"
    return Report("most-played", title, UNRATED, rows, {"rows": len(rows)}, "", bars="size")
