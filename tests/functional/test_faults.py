"""A server that fails while it is written to: nothing lost, nothing doubled, theirs kept.

Every way of failing that the demo server knows, at every tenth request and more often,
under every kind of run; runs that stop are resumed.  Rows are checked against the server's
own log of what it carried out.
"""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from plexsheet import operations
from plexsheet.apply.guard import NAP_S, STALE_S
from plexsheet.apply.pace import Pace
from plexsheet.apply.run import Outcome
from plexsheet.plan import Plan
from plexsheet.plex.connection import connect
from plexsheet.ratings import same
from plexsheet.state import planned_rows, runs
from tests.driver import Tool, set_cells
from tests.functional.world import World, small_library, world
from tests.plex.faults import KINDS as FAILURES
from tests.plex.server import DemoPlex

TRACKS = 96
MOST_RESUMES = 30
ON_DEMAND = 400  # tracks of a generated library, for commands


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
    return operations.prepare_cleanup(person.session)


def an_undo(person: World) -> Plan:
    done = person.apply(an_import(person))
    assert done.status == "done"
    return operations.prepare_undo(person.session, done.run)


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
    assert runs.open_run(person.state, person.scope) is None


def near_enough(now: float | None, value: float) -> bool:
    return now is not None and same(now, value)


@pytest.mark.slow
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
    assert operations.verify(person.session)[1] == []


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


# The person goes on rating


class Impatient:
    """The person, who rates in Plex between two requests of a run: asked as its ``stop``.

    Attributes:
        given: what they gave, by key.
    """

    def __init__(self, person: World, keys: list[int], *, written: bool, seconds: int = 0) -> None:
        """``written``: they rate what was just written, not what will be; ``seconds`` later."""
        self.person, self.keys, self.written, self.seconds = person, keys, written, seconds
        self.given: dict[int, float] = {}
        self.clock = 0

    def __call__(self) -> bool:
        done = {write.key for write in self.person.demo.writes if write.via in {"edit", "rate"}}
        fit = [key for key in self.keys if (key in done) == self.written and key not in self.given]
        self.clock += self.seconds
        self.person.demo.set_faults(clock_offset=self.clock)
        for key in fit[-6:][: 20 - len(self.given)]:
            self.given[key] = 3.0 if self.person.demo.rating(key) != 3.0 else 5.0
            self.person.demo.rate(key, self.given[key])
        return False


def always_stale() -> Pace:
    """Pauses that take no time, on a clock by which every request takes long."""
    ticks = iter(range(10**6))
    return Pace(sleep=lambda seconds: None, clock=lambda: next(ticks) * 2 * STALE_S)


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0, 2], ids=["in the same second", "seconds later"])
@pytest.mark.parametrize("mode", ["batch", "rate"])
@pytest.mark.parametrize("plan_of", [an_inference, an_import], ids=lambda one: one.__name__)
@pytest.mark.parametrize("written", [False, True], ids=["not yet written", "just written"])
def test_what_the_person_rates_meanwhile_is_theirs(
    person: World, plan_of: Callable[[World], Plan], mode: Any, written: bool, seconds: int
):
    """Twenty tracks, between the requests; all else is written as planned."""
    plan = plan_of(person)
    tracks = plan.changes[plan.changes["kind"] == "track"]
    order = planned_rows.execution_order(tracks)
    keys = [int(key) for key in tracks["key"].to_numpy()[order]]
    person.demo.store.writes.clear()
    meanwhile = Impatient(person, keys, written=written, seconds=seconds)

    outcome = person.apply(plan, stop=meanwhile, mode=mode, pace=always_stale())

    given = meanwhile.given
    assert outcome.status == "done", outcome.error
    assert len(given) == 20
    assert {key: person.demo.rating(key) for key in given} == given
    theirs = person.manual()
    assert {key: theirs.get(key) for key in given} == given
    others = plan.changes[~plan.changes["key"].isin(list(given))]
    now = person.ratings()
    assert all(
        same(now[key], after) for key, after in zip(others["key"], others["after"], strict=True)
    )
    told = [one for one in outcome.outcomes if one.key in given and one.outcome != "Applied"]
    assert {one.code for one in told} == {"U81" if plan.kind == "infer" else "C50"}
    assert len(told) == 20 if not written else 10 <= len(told) <= 20  # some were settled before
    assert person.infer().status == "done"  # what became theirs loses its tag
    assert not {key for key in given if {"Inferred", "Twin"} & set(person.moods().get(key, ()))}
    assert {key: person.demo.rating(key) for key in given} == given
    assert operations.verify(person.session)[1] == []


@pytest.mark.slow
@pytest.mark.parametrize("plan_of", [a_cleanup, an_undo], ids=lambda one: one.__name__)
def test_what_the_person_rates_while_a_run_takes_back_is_theirs(
    person: World, plan_of: Callable[[World], Plan]
):
    """Twenty tracks rated at its first request: they stay, all else is taken back."""
    plan = plan_of(person)
    tracks = plan.changes[(plan.changes["kind"] == "track") & (plan.changes["field"] == "rating")]
    given = {int(key): 3.0 for key in tracks["key"].tolist()[:20]}

    def rating_once() -> bool:
        for key in given if not asked else ():
            person.demo.rate(key, given[key])
        asked.append(True)
        return False

    asked: list[bool] = []
    outcome = person.apply(plan, stop=rating_once)

    assert outcome.status == "done", outcome.error
    assert {key: person.demo.rating(key) for key in given} == given
    theirs = person.manual()
    assert {key: theirs.get(key) for key in given} == given
    told = {one.key: one.code for one in outcome.outcomes if one.outcome != "Applied"}
    assert told == dict.fromkeys(given, "U81")
    others = plan.changes[~plan.changes["key"].isin(list(given))]
    now = person.ratings()
    assert all(
        same(now.get(key, math.nan), after)
        for key, after in zip(others["key"], others["after"], strict=True)
    )


# Through the command line


@pytest.fixture
def plex() -> Iterator[DemoPlex]:
    with DemoPlex(tracks=ON_DEMAND) as demo:
        yield demo


@pytest.fixture
def tool(tmp_path: Path, plex: DemoPlex) -> Tool:
    return Tool(tmp_path, plex)


def finished(tool: Tool, plex: DemoPlex, manual: dict[int, float]) -> None:
    """The run is done, nothing is in doubt, their ratings stand, and nothing is left to do."""
    assert tool("history", "--json").json["runs"][0]["status"] == "done"
    assert {key: plex.rating(key) for key in manual} == manual
    assert tool("verify", "--json").json["rows"] == []
    again = tool("infer", "--preview", "--json").json["counts"]
    assert (again["artists"], again["albums"], again["tracks"]) == (0, 0, 0)


def test_a_token_that_ends_mid_run_stops_it_and_a_new_one_resumes(tool: Tool, plex: DemoPlex):
    manual = plex.ratings()
    plex.set_faults(after_n=50, after_status=401)

    stopped = tool("infer", "--yes", "--json")

    assert stopped.exit_code == 4
    assert stopped.json["error"]["code"] == "unauthorized"
    assert "PLEX_TOKEN" in stopped.json["error"]["message"]
    assert "resume" in stopped.json["error"]["message"]
    assert plex.token not in stopped.output
    run = tool("history", "--json").json["runs"][0]
    assert (stopped.json["run"], run["status"]) == (run["run"], "open")
    assert stopped.json["counts"]["written"] == run["counts"]["written"]
    assert 0 < len(plex.ratings()) - len(manual) < ON_DEMAND // 2
    plex.reset_faults()
    assert tool("export").exit_code == 2
    assert tool("resume", "--yes", "--json").exit_code == 0
    finished(tool, plex, manual)


def test_a_server_that_restarts_mid_run_is_waited_for(tool: Tool, plex: DemoPlex, tmp_path: Path):
    """A real process, its real pauses: the connection is dropped, then refused for a while."""
    manual = plex.ratings()
    plex.gate.set(20, "after", "writes")
    with tool.spawn("infer", "--yes", "--json") as process:
        assert plex.gate.wait_until_waiting(120)
        plex.close()
        with restarted(plex) as again:
            out, err = process.communicate(timeout=240)
            assert process.returncode == 0, out + err
            assert json.loads(out)["error"] is None
            finished(tool, again, manual)


def restarted(plex: DemoPlex) -> DemoPlex:
    """The same server again, on its port, with what was written to it."""
    return DemoPlex(plex.store, port=plex.port, token=plex.token)


def test_a_server_that_stays_away_stops_the_run_and_resume_goes_on(person: World, tmp_path: Path):
    plan, before = an_inference(person), person.ratings()
    person.demo.store.writes.clear()
    waits: list[float] = []
    person.demo.set_faults(after_n=30, after_status=503)

    outcome = person.apply(plan, pace=Pace(sleep=waits.append))

    assert outcome.status == "stopped"
    assert outcome.error is not None
    assert outcome.error.exit_code == 4
    assert "resume" in outcome.error.message
    assert waits.count(NAP_S) * NAP_S == 1 + 5 + 15 + 45
    person.demo.reset_faults()
    resumed = person.resume()
    assert resumed is not None
    check(person, plan, resumed, before)


def test_an_item_deleted_and_one_re_added_mid_run(tool: Tool, plex: DemoPlex):
    """The deleted one is told, with the value that was typed; the other is found again."""
    workbook = tool.export()
    tracks = [item["key"] for item in plex.items("track") if item["userRating"] is None][:90]
    ratings = {key: 1.0 + number % 9 / 2 for number, key in enumerate(tracks)}
    set_cells(workbook, [("Tracks", str(k), "My rating", v) for k, v in ratings.items()])
    gone, moved = tracks[8], tracks[17]  # both get 5 stars, which are written last
    plex.gate.set(2, "after", "writes")
    with tool.spawn("import", workbook, "--yes", "--json") as process:
        assert plex.gate.wait_until_waiting(120)
        plex.delete(gone)
        new = plex.rekey(moved)
        time.sleep(STALE_S)  # on a server as slow as this, it is looked at again
        plex.gate.release()
        out, err = process.communicate(timeout=240)

    assert process.returncode == 1, out + err
    report = json.loads(out)
    assert report["error"] is None
    rows = {row["key"]: row for row in report["rows"]}
    assert (rows[gone]["outcome"], rows[gone]["code"]) == ("Error", "E06")
    assert "5" in rows[gone]["message"]
    assert (rows[new]["outcome"], rows[new]["code"]) == ("Healed", "I53")
    assert report["counts"]["errors"] == 1
    assert report["counts"]["applied"] == len(tracks) - 1
    del ratings[gone], ratings[moved]
    assert {key: plex.rating(key) for key in ratings} == {k: 2 * v for k, v in ratings.items()}
    assert plex.rating(new) == 10.0


@pytest.mark.slow
@pytest.mark.parametrize("command", ["infer", "import"])
def test_twenty_items_rated_in_plex_while_a_process_writes(
    tool: Tool, plex: DemoPlex, command: str
):
    """Half of them were written already, half were not: all are theirs, and told."""
    workbook = tool.export()
    keys = [item["key"] for item in plex.items("track") if item["userRating"] is None]
    keys = keys if command == "infer" else keys[:120]
    typed = {key: 0.5 + number % 18 / 4 for number, key in enumerate(keys)}
    set_cells(workbook, [("Tracks", str(key), "My rating", v) for key, v in typed.items()])
    words = ["infer", "4"] if command == "infer" else ["import", workbook]
    plex.gate.set(9, "after", "writes")
    with tool.spawn(*words, "--yes", "--json") as process:
        assert plex.gate.wait_until_waiting(120)
        written = {write.key for write in plex.writes if write.field == "userRating"}
        before = [key for key in keys if key in written][:10]
        after = [key for key in keys if key not in written][-10:]
        given = {key: 0.8 + 0.2 * number for number, key in enumerate(before + after)}
        for key, value in given.items():
            plex.rate(key, value)
        time.sleep(STALE_S)
        plex.gate.release()
        out, err = process.communicate(timeout=240)

    assert len(given) == 20
    assert process.returncode == 1, out + err
    assert {key: plex.rating(key) for key in given} == given
    history = tool("history", str(json.loads(out)["run"]), "--json").json
    told = {row["key"]: row["code"] for row in history["rows"] if row["outcome"] != "Applied"}
    assert set(told.values()) == {"U81" if command == "infer" else "C50"}
    assert set(after) <= set(told) <= set(given)
    if command == "import":
        others = {key: 2 * value for key, value in typed.items() if key not in given}
        assert {key: plex.rating(key) for key in others} == others
    tool.infer()
    assert {key: plex.rating(key) for key in given} == given
    assert tool("verify", "--json").json["rows"] == []


def test_a_server_that_tires_is_given_its_rest(tool: Tool, plex: DemoPlex):
    """Each write makes every answer a second slower; only idle time takes that off."""
    plex.set_faults(tires_ms=1000)

    result = tool("--verbose", "infer", "--yes")

    assert result.exit_code == 0, result.output
    assert "the server has become slower: resting for" in result.stderr
