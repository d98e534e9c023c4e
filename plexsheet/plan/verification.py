"""What Plex holds against what was meant: done, open, or somebody else's (pure).

Servers may keep ratings in coarser steps than they are sent.  A constant step is
learned from what comes back and allowed for; anything else that differs is either a
change the person made in the meantime or a server not to be trusted, and never ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from plexsheet.identity import ItemIdentity
from plexsheet.ratings import agrees, near, rounds

if TYPE_CHECKING:
    from plexsheet.state.journal import JournalRow

STEPS = (0.1, 0.5, 1.0, 2.0)  # points by which servers might round
Verdict = Literal["done", "tags", "open", "other"]


@dataclass(frozen=True)
class Seen:
    """One item as Plex shows it.

    Attributes:
        rating: 0-10, NaN unrated.
        rated_at: ``lastRatedAt``, epoch seconds, 0 never.
        moods: names; None where they were not read.
        locked: whether the moods are locked.
        released: date, or the bare year where there is no date.
        item: what the item is called; None where that was not read.
    """

    rating: float
    rated_at: int = 0
    moods: tuple[str, ...] | None = None
    locked: bool = False
    released: str = ""
    item: ItemIdentity | None = None


def learned_step(pairs: Iterable[tuple[float, float]], least: int = 3) -> float:
    """The step by which a server rounds, from what was sent and came back; 0 if there is none.

    It has to explain every pair, those that came back unchanged too, and at least so many
    that differ (or all, where there are fewer): one or two may be the person's doing.

    >>> learned_step([(7.36, 7.4), (6.12, 6.1), (5.0, 5.0), (3.33, 3.3)])
    0.1
    >>> learned_step([(7.36, 7.36), (6.12, 6.0), (5.3, 5.0), (3.33, 3.0)])
    0.0
    """
    known = [(a, b) for a, b in pairs if not math.isnan(a) and not math.isnan(b)]
    differ = sum(not near(a, b) for a, b in known)
    if not differ or differ < min(least, len(known)):
        return 0.0
    return next((step for step in STEPS if all(rounds(a, b, step) for a, b in known)), 0.0)


def folded(names: Iterable[str]) -> set[str]:
    """Names without regard to case: Plex raises first letters."""
    return {name.casefold() for name in names}


def to_add(row: JournalRow, moods: Sequence[str]) -> tuple[str, ...]:
    """Those of a row's tags that the item still lacks."""
    there = folded(moods)
    return tuple(name for name in row.tags_add if name.casefold() not in there)


def to_remove(row: JournalRow, moods: Sequence[str]) -> tuple[str, ...]:
    """Those of an item's moods that the row takes off, as Plex spells them."""
    off = folded(row.tags_remove)
    return tuple(name for name in moods if name.casefold() in off)


def lost(row: JournalRow, moods: Sequence[str]) -> tuple[str, ...]:
    """Moods the item had before and should have kept, but has no more."""
    there = folded(moods) | folded(row.tags_remove)
    return tuple(name for name in row.moods or () if name.casefold() not in there)


def all_moods(row: JournalRow) -> tuple[str, ...]:
    """The complete list of moods a row leads to: those it had, less and more."""
    kept = [m for m in row.moods or () if m.casefold() not in folded(row.tags_remove)]
    return tuple(kept) + to_add(row, kept)


def judge(row: JournalRow, seen: Seen, step: float, *, tags: bool = True) -> Verdict:
    """How far a row has come, by what Plex shows.

    Args:
        row: of the journal.
        seen: the item now.
        step: by which this server rounds, 0 for not.
        tags: whether tags can be written at all.

    Returns:
        ``done``; ``tags`` when only tags are missing; ``open`` when the item is as before;
        ``other`` when its value is neither the one before nor the one after.
    """
    if row.field == "released":
        if dated(row.after_text) == dated(seen.released):
            return "done"
        return "open" if dated(row.before_text) == dated(seen.released) else "other"
    if row.field == "rating" and not agrees(row.after, seen.rating, step):
        return "open" if near(row.before, seen.rating) else "other"
    if tags and row.tags and seen.moods is not None:
        missing = to_add(row, seen.moods) or to_remove(row, seen.moods)
        return "tags" if missing else "done"
    return "done"


def dated(text: str) -> str:
    """A bare year as the date it is written as.

    >>> dated("1969"), dated("1969-09-26"), dated("")
    ('1969-01-01', '1969-09-26', '')
    """
    return f"{text}-01-01" if len(text) == 4 else text
