"""Copies of one recording that the person rates differently (pure).

Neither rating is touched: a person may hear a remaster otherwise.  But copies without a
rating follow them all, so it is said on the rows whose edit brought it about.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from plexsheet import ratings
from plexsheet.messages import Message, say
from plexsheet.plan.model import RowOutcome
from plexsheet.workbook.reading.raw import RawSheet

PARTED = ("SPLIT", "NEVER")  # decisions after which copies are recordings of their own
UNRATED_STEP = 0.05  # stars, in which the level of unrated copies is told


def differing_copies(
    twins: RawSheet | None,
    outcomes: Sequence[RowOutcome],
    mine: Callable[[Sequence[int]], Mapping[int, float]],
    siblings: Mapping[int, tuple[int, ...]],
) -> list[Message]:
    """One W43 for each row that is written while another copy has another rating.

    Args:
        twins: the sheet Twins as read; None where the file has none.
        outcomes: of the import.
        mine: tells for keys of tracks the person's ratings before it, 0-10.
        siblings: for a track the others that share its rating in Plex.
    """
    written = [one for one in outcomes if _rates_a_track(one)]
    if twins is None or not written:
        return []
    groups = _groups(twins)
    now = dict(mine(sorted({key for one in written for key in groups.get(one.key, ())})))
    for one in written:
        for key in (one.key, *siblings.get(one.key, ())):
            now[key] = float(one.yours)
    told = (_told(one, groups.get(one.key, ()), now) for one in written)
    return [message for message in told if message is not None]


def _rates_a_track(one: RowOutcome) -> bool:
    typed = isinstance(one.yours, float) and not math.isnan(one.yours)
    return typed and (one.kind, one.field, one.outcome) == ("track", "rating", "Would apply")


def _groups(twins: RawSheet) -> dict[int, tuple[int, ...]]:
    """Keys of each track's copies, its own among them; groups that are taken apart left out."""
    members: dict[str, list[int]] = defaultdict(list)
    parted: set[str] = set()
    for row, key in enumerate(twins.keys.tolist()):
        group = twins.text("Group", row)
        members[group].append(key)
        if twins.text("Decision", row).strip().upper() in PARTED:
            parted.add(group)
    whole = (keys for group, keys in members.items() if group and group not in parted)
    return {key: tuple(keys) for keys in whole for key in keys}


def _told(one: RowOutcome, copies: Sequence[int], now: Mapping[int, float]) -> Message | None:
    given = [now[key] for key in copies if not math.isnan(now.get(key, math.nan))]
    shown = list(dict.fromkeys(_stars([now[one.key], *given])))
    if len(shown) < 2:
        return None
    level = sum(given) / len(given)
    step = 2 * UNRATED_STEP
    return say(
        "W43",
        sheet=one.sheet,
        row=one.row,
        key=one.key,
        field="rating",
        variant="" if len(given) < len(copies) else "all",
        values=f"{', '.join(shown[:-1])} and {shown[-1]}",
        stars=ratings.show_stars(round(level / step) * step),
    )


def _stars(values: Iterable[float]) -> list[str]:
    return [ratings.show_stars(value) for value in values]
