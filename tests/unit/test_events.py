"""What happened to a rating after a run: told by events, whatever the values."""

from __future__ import annotations

import math
from typing import Any

import pytest

from plexsheet.ownership import BEFORE_ALL, UNKNOWN, Event, since

NAN = math.nan


def event(number: int, run: int, owner: str, value: float, **more: Any) -> Event:
    """One that happened at 1000 · number and was rated then."""
    given: dict[str, Any] = {"how": "edit", "at": 1000 * number, "rated_at": 1000 * number}
    return Event(number, "track", 7, "rating", owner, run=run, value=value, **(given | more))


INFERRED = event(1, 1, "plexsheet", 7.2, how="inferred")
ACCEPTED = event(2, 2, "person", 7.2, how="accept", rated_at=1000)
UNDONE = event(3, 3, "plexsheet", 7.2, how="undo", restores=1, rated_at=1000)


@pytest.mark.parametrize(
    ("history", "run", "now", "expected"),
    [
        ([INFERRED], 1, (7.2, 1000), None),
        ([INFERRED], 1, (7.2, 1001), "plex"),  # given again, the same value
        ([INFERRED], 1, (8.0, 1001), "plex"),
        ([INFERRED], 1, (NAN, 0), "plex"),  # removed
        ([INFERRED, ACCEPTED], 1, (7.2, 1000), "accept"),
        ([INFERRED, ACCEPTED], 2, (7.2, 1000), None),
        ([INFERRED, ACCEPTED, UNDONE], 1, (7.2, 1000), None),  # the undo brought it back
        ([INFERRED, ACCEPTED, UNDONE], 2, (7.2, 1000), "inferred"),
        ([INFERRED, ACCEPTED, UNDONE], 3, (7.2, 1000), None),
        ([], 1, (7.2, 1000), None),
    ],
)
def test_what_came_after_a_run(
    history: list[Event], run: int, now: tuple[float, int], expected: str | None
):
    found = since(history, run, *now)

    assert (found.how if found else None) == expected


def test_an_undo_and_its_own_undo_lead_back_to_the_first_run():
    edited = event(1, 1, "person", 8.0)
    back = event(2, 2, "none", NAN, how="undo", restores=BEFORE_ALL, rated_at=0)
    again = event(3, 3, "person", 8.0, how="redo", restores=1)

    assert since([edited, back], 2, NAN, 0) is None
    assert since([edited, back, again], 1, 8.0, 3000) is None
    assert since([edited, back, again], 2, 8.0, 3000) is not None


def test_a_later_run_that_wrote_the_same_value_of_ours_is_no_reason_to_leave_it():
    retagged = event(2, 2, "plexsheet", 7.2, how="tags", rated_at=1000)

    assert since([INFERRED, retagged], 1, 7.2, 1000) is None


def test_a_time_of_rating_that_was_not_kept_is_given_some_leeway():
    old = event(1, 1, "person", 8.0, rated_at=UNKNOWN)

    assert since([old], 1, 8.0, 1060) is None
    assert since([old], 1, 8.0, 1200) is not None


def test_decisions_are_told_by_events_alone():
    first = event(1, 1, "person", 1.0, how="exclude", rated_at=UNKNOWN)
    second = event(2, 2, "person", 0.0, how="include", rated_at=UNKNOWN)

    assert since([first], 1, seen=False) is None
    later = since([first, second], 1, seen=False)
    assert later is not None
    assert later.how == "include"
