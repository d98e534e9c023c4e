"""A person and plexsheet doing whatever comes to mind, and what must hold all the while."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from plexsheet.apply.run import Outcome
from plexsheet.library import KINDS
from plexsheet.plan import Plan
from plexsheet.state import runs
from tests.functional.world import NAN, Sheet, World, counting, small_library
from tests.plex.server import DemoPlex

STARS = st.sampled_from([0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 3.68])
ANY = st.integers(0, 10_000)
START_S = 1_760_000_000.0
MEMORY = (
    "/dev/shm" if Path("/dev/shm").is_dir() else None
)  # where waiting for the disk costs nothing


class Person(RuleBasedStateMachine):
    """Random acts on both sides.

    ``theirs`` holds the ratings the person gave, followed by hand: it changes when they
    rate in Plex, when an edit of theirs is applied, and when that is taken back.
    """

    faults: ClassVar[dict[str, Any]] = {}
    shared: ClassVar[bool] = False
    step: ClassVar[float] = 0.0

    @initialize(haste=st.sampled_from([0.0, 0.03, 0.2, 1.0]))
    def start(self, haste: float) -> None:
        """``haste``: seconds that go by whenever the server looks at its clock."""
        self.folder = Path(tempfile.mkdtemp(prefix="plexsheet-model-", dir=MEMORY))
        self.now, self.haste = START_S, haste
        rows = small_library(12, shared=self.shared)
        self.demo = DemoPlex(rows, faults=self.faults, clock=self.clock)
        self.world = World(self.demo, self.folder, direct=True, clock=self.clock)
        self.came_from: dict[int, int] = {}  # new key of a re-added item to its old one
        self.sheets: list[Sheet] = []
        self.before: dict[int, dict[int, float]] = {}  # theirs before each run
        self.theirs = dict(self.demo.ratings())
        self.written: set[tuple[int, float]] = set()
        self.checked: dict[str, tuple[int, int]] = {}

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.close()
            self.demo.close()
            shutil.rmtree(self.folder)

    def clock(self) -> float:
        self.now += self.haste
        return self.now

    # the person, in Plex

    def tick(self) -> None:
        """Seconds pass, so that a rating given now is newer than any before."""
        self.now += 2

    def pick(self, number: int) -> tuple[str, dict[str, Any]]:
        items = [(kind, item) for kind in KINDS for item in self.demo.items(kind)]
        return items[number % len(items)]

    def siblings(self, key: int) -> list[int]:
        tracks = {item["key"]: item["guid"] for item in self.demo.items("track")}
        guid = tracks.get(key)
        if not self.shared or guid is None or not guid.startswith("plex://"):
            return [key]
        return [other for other, name in tracks.items() if name == guid]

    @rule(number=ANY, stars=STARS)
    def rate_in_plex(self, number: int, stars: float) -> None:
        self.tick()
        key = self.pick(number)[1]["key"]
        self.demo.rate(key, 2 * stars)
        for one in self.siblings(key):
            self.theirs[one] = 2 * stars

    @rule(number=ANY)
    def confirm_in_plex(self, number: int) -> None:
        """Give an inferred item the very rating it shows."""
        self.tick()
        ours = sorted(set(self.demo.ratings()) - set(self.theirs))
        if ours:
            key = ours[number % len(ours)]
            value = self.demo.rating(key)
            assert value is not None
            self.demo.rate(key, value)
            for one in self.siblings(key):
                self.theirs[one] = value

    @rule(number=ANY)
    def clear_in_plex(self, number: int) -> None:
        self.tick()
        key = self.pick(number)[1]["key"]
        self.demo.rate(key, None)
        for one in self.siblings(key):
            self.theirs.pop(one, None)

    @rule(number=ANY)
    def delete_a_track(self, number: int) -> None:
        tracks = self.demo.items("track")
        if len(tracks) > 6:
            self.demo.delete(tracks[number % len(tracks)]["key"])
            self.forget_the_gone()

    @rule(number=ANY)
    def re_add_a_track(self, number: int) -> None:
        tracks = self.demo.items("track")
        old = tracks[number % len(tracks)]["key"]
        new = self.demo.rekey(old)
        self.came_from[new] = old
        if old in self.theirs:
            self.theirs[new] = self.theirs.pop(old)

    def once(self, key: int) -> Iterator[int]:
        """A key and those the same item had before."""
        while key:
            yield key
            key = self.came_from.get(key, 0)

    def forget_the_gone(self) -> None:
        here = {item["key"] for kind in KINDS for item in self.demo.items(kind)}
        for key in set(self.theirs) - here:
            del self.theirs[key]

    # the person, in a workbook

    @rule()
    def export(self) -> None:
        self.sheets = [*self.sheets[-2:], self.world.export()]

    @precondition(lambda self: self.sheets)
    @rule(which=ANY, numbers=st.lists(ANY, min_size=1, max_size=5), stars=STARS)
    def type_ratings(self, which: int, numbers: list[int], stars: float) -> None:
        sheet = self.sheets[which % len(self.sheets)]
        keys = sorted(sheet.mine)
        for number in numbers:
            sheet.mine[keys[number % len(keys)]] = 2 * stars

    @precondition(lambda self: self.sheets)
    @rule(which=ANY, number=ANY)
    def empty_a_cell(self, which: int, number: int) -> None:
        sheet = self.sheets[which % len(self.sheets)]
        rated = sorted(key for key, value in sheet.mine.items() if not math.isnan(value))
        if rated:
            sheet.mine[rated[number % len(rated)]] = NAN

    @precondition(lambda self: self.sheets)
    @rule(
        which=ANY,
        number=ANY,
        action=st.sampled_from(["ACCEPT", "CLEAR", "EXCLUDE", "INCLUDE", "MINE", "PLEX"]),
    )
    def type_an_action(self, which: int, number: int, action: str) -> None:
        sheet = self.sheets[which % len(self.sheets)]
        keys = sorted(sheet.mine)
        sheet.actions[keys[number % len(keys)]] = action

    # plexsheet

    @precondition(lambda self: self.sheets)
    @rule(which=ANY, on_conflict=st.sampled_from(["hold", "hold", "mine", "plex"]))
    def import_a_sheet(self, which: int, on_conflict: str) -> None:
        sheet = self.sheets[which % len(self.sheets)]
        edited = {cell.key for cell in self.world.cells(sheet)}
        self.carried_out(self.world.import_(sheet, on_conflict=on_conflict), touching=edited)
        again = self.world.import_plan(
            self.world.cells(sheet), sheet.export_id, on_conflict=on_conflict
        )
        assert not len(again), again.changes.to_dict("records")

    @rule(rounding=st.sampled_from([0.05, 0.5, None]))
    def infer(self, rounding: float | None) -> None:
        self.carried_out(self.world.infer(rounding=rounding), touching=set())
        again = self.world.infer_plan(rounding=rounding)
        assert not len(again), again.changes.to_dict("records")

    @precondition(lambda self: self.before)
    @rule(number=ANY)
    def undo_a_run(self, number: int) -> None:
        run = sorted(self.before)[number % len(self.before)]
        self.carried_out(self.world.undo(run), touching=None)

    @rule()
    def undo_everything_inferred(self) -> None:
        self.carried_out(self.world.cleanup(), touching=set())
        assert set(self.demo.ratings()) == set(self.theirs)
        assert not any({"inferred", "twin"} & set(map(str.casefold, m)) for m in self.moods())

    def moods(self) -> list[list[str]]:
        return list(self.world.moods().values())

    @precondition(lambda self: self.sheets)
    @rule(which=ANY)
    def import_and_undo(self, which: int) -> None:
        sheet = self.sheets[which % len(self.sheets)]
        edited = {cell.key for cell in self.world.cells(sheet)}
        stale = set(self.world.read().owned.taken_over["key"].tolist())
        before, theirs = self.picture_without(stale), dict(self.theirs)
        bases = [self.world.state.base(self.world.scope, sheet.export_id, k) for k in KINDS]
        done = self.world.import_(sheet)
        self.carried_out(done, touching=edited)
        self.carried_out(self.world.undo(done.run), touching=edited)
        assert self.picture_without(stale) == before
        assert self.theirs == theirs
        for kind, base in zip(KINDS, bases, strict=True):
            now = self.world.state.base(self.world.scope, sheet.export_id, kind)
            assert now is not None and base is not None
            assert now.equals(base)

    def picture_without(self, stale: set[int]) -> dict[str, Any]:
        """Everything; of what the person took over not that it was ours, which need not return."""
        picture = self.world.picture()
        for key in stale:
            picture["shadow"].pop(key, None)
            moods = picture["moods"].pop(key, [])
            if theirs := [name for name in moods if name.casefold() not in {"inferred", "twin"}]:
                picture["moods"][key] = theirs
        return picture

    @rule(
        after=st.integers(0, 6),
        take_back=st.booleans(),
        inferring=st.booleans(),
        which=ANY,
        meanwhile=st.none() | st.tuples(ANY, STARS),
    )
    def interrupted(
        self,
        after: int,
        take_back: bool,
        inferring: bool,
        which: int,
        meanwhile: tuple[int, float] | None,
    ) -> None:
        """A run is stopped, perhaps something rated in Plex, and the run resumed."""
        stop = counting([], after)
        theirs = dict(self.theirs)
        plan, origin, edited = self.any_plan(which, inferring)
        outcome = self.world.apply(plan, stop=stop, origin=origin)
        if outcome.status == "done":
            self.carried_out(outcome, touching=edited)
            return
        assert runs.open_run(self.world.state, self.world.scope) is not None
        rated: dict[int, float] = {}
        if meanwhile is not None:
            self.rate_in_plex(number=meanwhile[0], stars=meanwhile[1])
            key = self.pick(meanwhile[0])[1]["key"]
            rated = dict.fromkeys(self.siblings(key), 2 * meanwhile[1])
            theirs |= rated
        resumed = self.world.resume(take_back=take_back)
        assert resumed is not None
        if take_back:
            assert resumed.status == "done", resumed
            assert self.theirs == theirs
            self.note_written(outcome.run)  # what the person rated since is left alone
            self.note_written(resumed.run)
        else:
            assert resumed.run == outcome.run
            # A rating back to what stood before the run looks as if nobody had touched it.
            before = {row.key: row.before for row in self.world.rows(resumed.run)}
            since = {key for key, value in rated.items() if before.get(key) != value}
            self.carried_out(resumed, touching=edited, since=since)

    @rule(
        kind=st.sampled_from(["500", "500_after", "503", "drop_before", "drop_after"]),
        every=st.integers(1, 4),
        which=ANY,
        inferring=st.booleans(),
    )
    def on_a_bad_day(self, kind: str, every: int, which: int, inferring: bool) -> None:
        """Plex fails now and then, or always, while it is written to."""
        plan, origin, edited = self.any_plan(which, inferring)
        self.demo.set_faults(every_nth=every, kind=kind, on="writes")
        outcome = self.world.apply(plan, origin=origin)
        self.demo.set_faults(every_nth=0)
        if outcome.status == "stopped" and runs.open_run(self.world.state, self.world.scope):
            resumed = self.world.resume()
            assert resumed is not None
            outcome = resumed
        if outcome.status == "done":
            self.carried_out(outcome, touching=edited)

    @rule(number=ANY, stars=STARS, which=ANY, inferring=st.booleans())
    def rate_in_plex_before_a_plan_is_carried_out(
        self, number: int, stars: float, which: int, inferring: bool
    ) -> None:
        """What the person rates between the preview and the writing is theirs."""
        plan, origin, edited = self.any_plan(which, inferring)
        self.rate_in_plex(number=number, stars=stars)
        self.carried_out(self.world.apply(plan, origin=origin), touching=edited)

    def any_plan(self, which: int, inferring: bool) -> tuple[Plan, runs.Origin, set[int]]:
        """The plan of an inference or an import, where it comes from, and the keys edited."""
        if inferring or not self.sheets:
            return self.world.infer_plan(), runs.Origin(), set()
        sheet = self.sheets[which % len(self.sheets)]
        cells = self.world.cells(sheet)
        plan = self.world.import_plan(cells, sheet.export_id)
        return plan, runs.Origin(export_id=sheet.export_id), {cell.key for cell in cells}

    def carried_out(
        self, outcome: Outcome, touching: set[int] | None, since: Collection[int] = ()
    ) -> None:
        """Follow by hand what a run did to the person's ratings.

        ``touching``: keys they edited; ``since``: those they rated when it had written already.
        """
        assert outcome.status == "done", outcome
        assert outcome.error is None
        self.before[outcome.run] = dict(self.theirs)
        for row in self.world.rows(outcome.run):
            if row.status != "verified" or row.field not in {"rating", "tags"} or row.key in since:
                continue
            held = row.owner_after == "person" and row.reason != "taken over"
            changes = row.key in self.theirs and row.owner_after in {"plexsheet", "none"}
            if (held or changes) and touching is not None and row.reason != "cleanup":
                group = {old for key in self.siblings(row.key) for old in self.once(key)}
                assert group & touching, row
            if held:
                self.theirs[row.key] = row.now
            elif row.owner_after in {"plexsheet", "none"} and row.reason != "cleanup":
                self.theirs.pop(row.key, None)
        self.note_written(outcome.run)

    def note_written(self, run: int) -> None:
        for row in self.world.rows(run):
            if row.status == "verified":
                self.written.add((row.key, round(row.now, 6)))

    # what must hold

    def moved(self, rule: str) -> bool:
        """Whether Plex or the state changed since this rule was looked at last."""
        if not hasattr(self, "world"):
            return False
        now = (self.demo.store.version, self.world.newest_run())
        before, self.checked[rule] = self.checked.get(rule), now
        return before != now

    @invariant()
    def their_ratings_stand(self) -> None:
        if not self.moved("stand"):
            return
        ratings = self.demo.ratings()
        for key, value in self.theirs.items():
            assert key in ratings, f"{key}: {value} is lost"
            assert abs(ratings[key] - value) <= 0.006 + self.step / 2, (key, value, ratings[key])

    @invariant()
    def nothing_is_mistaken(self) -> None:
        if not self.moved("mistaken"):
            return
        seen = self.world.manual()
        lost = {key: value for key, value in self.theirs.items() if key not in seen}
        taken = {key: value for key, value in seen.items() if key not in self.theirs}
        assert not lost, f"theirs, and taken for ours: {lost}"
        assert not taken, f"ours, and taken for theirs: {taken}"

    @invariant()
    def we_claim_only_what_we_wrote(self) -> None:
        if not self.moved("claimed"):
            return
        values = {value for _, value in self.written}
        assert all(round(value, 6) in values for value in self.world.shadow().values())


class PersonWithCopies(Person):
    """The same where some tracks share one rating."""

    shared = True


class PersonOnARoundingServer(Person):
    """The same where Plex keeps half stars only, capitalises tags and shares ratings."""

    shared = True
    step = 1.0
    faults: ClassVar[dict[str, Any]] = {"rounding": 1.0, "capitalise_tags": True}


MACHINES = (Person, PersonWithCopies, PersonOnARoundingServer)
