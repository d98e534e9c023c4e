"""Guesses made before the person rated, compared with what they gave (pure).

Leaving ratings out and inferring them again flatters whatever was chosen by looking at
them, and a person plays what they rated.  A guess written down before the rating was
given is free of both.  Listening stays in the model as long as such guesses do not speak
against it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

GUESSERS = {
    "heard": "learned with listening",
    "unheard": "learned without listening",
    "classic": "classic",
}
ENOUGH = 30  # ratings given after their guesses, to decide by


@dataclass(frozen=True)
class Decision:
    """Whether listening is looked at where LISTENING is auto.

    Attributes:
        heard: it is.
        since: how many verdicts there were when this was decided; later ones decide next.
    """

    heard: bool = True
    since: int = 0


def errors(verdicts: pd.DataFrame) -> dict[str, float]:
    """Root mean square error of each of ``GUESSERS``, ten-point scale; NaN without verdicts.

    Args:
        verdicts: columns ``rating`` and those of ``GUESSERS``, 0-10.

    >>> given = {"rating": [8.0, 6.0], "heard": [7.0, 7.0], "unheard": [6.0, 6.0]}
    >>> errors(pd.DataFrame(given | {"classic": [8.0, 6.0]}))["heard"]
    1.0
    """
    if not len(verdicts):
        return dict.fromkeys(GUESSERS, float("nan"))
    rating = verdicts["rating"].to_numpy(np.float64)
    squares = {name: (verdicts[name].to_numpy(np.float64) - rating) ** 2 for name in GUESSERS}
    return {name: float(np.sqrt(square.mean())) for name, square in squares.items()}


def decided(verdicts: pd.DataFrame, before: Decision) -> Decision:
    """Whether to look at listening from now on.

    After ``ENOUGH`` verdicts since the last change of mind, the better of the two goes on.

    Args:
        verdicts: all, in the order they were given.
        before: what was decided last.
    """
    recent = verdicts.iloc[before.since :]
    if len(recent) < ENOUGH:
        return before
    found = errors(recent)
    better = found["heard"] <= found["unheard"]
    return before if better == before.heard else Decision(better, len(verdicts))
