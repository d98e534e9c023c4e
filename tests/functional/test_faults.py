"""A server that fails while it is written to: nothing lost, nothing doubled, theirs kept.

Every way of failing that the demo server knows, at every tenth request and more often,
under every kind of run; runs that stop are resumed.  Rows are checked against the server's
own log of what it carried out.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from plexsheet import recovery
from plexsheet.apply import Outcome, Pace
from plexsheet.demo.faults import KINDS as FAILURES
from plexsheet.demo.server import DemoPlex
from plexsheet.plan import Plan
from plexsheet.plex.connection import connect
from plexsheet.ratings import same
from plexsheet.state import journal
from tests.driver import Tool, rows_of_sheet, set_cells
from tests.functional.world import TAGS, World, small_library, world

TRACKS = 96
MOST_RESUMES = 30


@pytest.fixture
def person(tmp_path: Path) -> Iterator[World]:
    """A library with ratings of the person's, and one inference on top of it."""
    with world(tmp_path, small_library(TRACKS)) as made:
        yield made


def an_inference(person: World) -> Plan:
    return person.infer_plan()


def an_import(person: World) -> Plan:
    """Ratings typed for every other track, album and artist, in ten different values."""
    sheet = person.export()
    for number, where in enumerate(sorted(sheet.mine)):
        if number % 2:
            sheet.mine[where] = 1.0 + number % 10 * 0.9
    return person.import_plan(person.cells(sheet), sheet.export_id)


def a_cleanup(person: World) -> Plan:
    assert person.infer().status == "done"
    return recovery.prepare_cleanup(person.state, person.gateway, TAGS)


def an_undo(person: World) -> Plan:
    done = person.apply(an_import(person))
    assert done.status == "done"
    return recovery.prepare_undo(person.state, person.gateway, done.run)


# Each kind of run, and every how many requests one fails: clearing takes few requests.
RUNS: list[tuple[Callable[[World], Plan], int]] = [
    (an_inference, 10),
    (an_import, 10),
    (a_cleanup, 3),
    (an_undo, 3),
]


def carried_out(person: World, plan: Plan, **how: Any) -> Outcome:
    """A plan applied, and resumed for as long as it stops."""
    outcome = person.apply(plan, **how)
    for _ in range(MOST_RESUMES):
        if outcome.status == "done":
            break
        assert outcome.error is not None
        assert outcome.error.exit_code == 4
        resumed = person.resume()
        assert resumed is not None
        assert resumed.run == outcome.run
        outcome = resumed
    assert outcome.status == "done", outcome
    return outcome


def check(person: World, plan: Plan, outcome: Outcome, before: dict[int, float]) -> None:
    """Plex holds the plan and nothing else; each row was written once; we know what we wrote."""
    assert outcome.counts == {"verified": len(plan)}
    written = plan.changes[plan.changes["field"] == "rating"]
    wanted = dict(zip(written["key"].tolist(), written["after"].tolist(), strict=True))
    expected = {key: value for key, value in (before | wanted).items() if not math.isnan(value)}
    now = person.ratings()
    assert set(now) == set(expected)
    assert all(same(now[key], expected[key]) for key in expected)
    effects = Counter(
        write.key
        for write in person.demo.writes
        if write.field == "userRating" and write.via != "demo"
    )
    assert all(effects[key] == 1 for key in wanted)
    assert set(effects) == set(wanted)
    shadow = person.shadow()
    assert all(near_enough(now.get(key), value) for key, value in shadow.items())
    assert journal.open_run(person.state, person.scope) is None


def near_enough(now: float | None, value: float) -> bool:
    return now is not None and same(now, value)


@pytest.mark.parametrize(("plan_of", "nth"), RUNS, ids=lambda one: getattr(one, "__name__", one))
@pytest.mark.parametrize("failure", FAILURES)
def test_every_so_many_requests_one_fails(
    person: World, failure: str, plan_of: Callable[[World], Plan], nth: int
):
    plan, before = plan_of(person), person.ratings()
    moods = person.moods()
    person.demo.store.writes.clear()
    person.demo.set_faults(every_nth=nth, kind=failure, timeout_s=0.05)

    outcome = carried_out(person, plan)

    failed = person.demo.faults.failed
    person.demo.reset_faults()
    assert failed >= 2
    check(person, plan, outcome, before)
    for key, names in person.moods().items():
        theirs = {name for name in moods.get(key, []) if name not in {"Inferred", "Twin"}}
        assert theirs <= set(names)
    assert recovery.verify(person.state, person.gateway, TAGS)[1] == []


@pytest.mark.parametrize("failure", ["500_after", "timeout_after", "drop_after", "html"])
@pytest.mark.parametrize("mode", ["batch", "rate"])
def test_every_third_write_fails_whichever_way_is_used(person: World, failure: str, mode: Any):
    plan, before = an_import(person), person.ratings()
    person.demo.store.writes.clear()
    person.demo.set_faults(every_nth=3, kind=failure, on="writes", timeout_s=0.02)

    outcome = carried_out(person, plan, mode=mode)

    person.demo.reset_faults()
    check(person, plan, outcome, before)


def test_a_server_that_is_silent_for_too_long_is_asked_again(person: World):
    plan, before = an_inference(person), person.ratings()
    person.demo.store.writes.clear()
    person.gateway = connect(
        person.demo.url,
        person.token,
        "Music",
        timeout_s=2.0,
        write_timeout_s=2.0,
        backoff_s=(0.0, 0.0, 0.0),
    )
    person.demo.set_faults(every_nth=9, kind="timeout_after", timeout_s=6.0, times=2, on="writes")

    outcome = carried_out(person, plan)

    person.demo.reset_faults()
    check(person, plan, outcome, before)
