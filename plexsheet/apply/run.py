"""Carries out a plan: the only place from which anything is written to Plex.

The whole plan is in the journal, on the disk, before the first request.  Then, for some
hundred rows at a time: read what Plex holds (a value that moved since the plan is left
alone), mark the rows ``sent``, send them in as few requests as their values allow, read
back, and let journal and shadow state follow in one transaction.  A process that dies
anywhere leaves rows in doubt that the next reading settles.

How ratings are written is learned from the server itself: a batch edit first, one
request per item where that is refused, ignored or alters the value.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Literal, TypeVar

import numpy as np
import pandas as pd

from plexsheet.apply.batches import Capability, Load, Mode, Parcel, date_to_send, others, pack
from plexsheet.apply.completion import close, outcomes
from plexsheet.apply.moved_items import Finder
from plexsheet.errors import (
    PlexBusy,
    PlexError,
    PlexForbidden,
    PlexGarbled,
    PlexMismatch,
    PlexNotFound,
    PlexUnreachable,
)
from plexsheet.inference.model import TwinDecision
from plexsheet.library import Kind
from plexsheet.messages import text
from plexsheet.plan.model import Plan, RowOutcome
from plexsheet.plan.verification import Seen, Verdict, folded, judge, learned_step, lost, to_add
from plexsheet.plex.gateway import Gateway
from plexsheet.plex.wire import PlexRejected
from plexsheet.ratings import agrees, near, show_stars
from plexsheet.state import journal
from plexsheet.state.journal import Origin, Row, Settled
from plexsheet.state.store import State

Progress = Callable[[str, int, int], None]
Result = TypeVar("Result")

BLOCK_ROWS = 600  # guarded and read back together, two requests each
STALE_S = 1.0  # what is sent was compared with Plex no longer ago
LOOK_ROWS = 400  # compared again in one request
NAP_S = 0.25  # slept at a time while waiting for a server, and then asked whether to stop
DATE_WITHIN_S = 2  # of the time sent, it was kept
MOST_IGNORED = 4  # a row that Plex answered and ignored so often is given up
MOST_PAIRS = 2000  # remembered to tell by how much a server rounds
TRANSIENT = (PlexBusy, PlexUnreachable, PlexGarbled)
NO_EDITS = (
    "Tags and dates were left alone: only the owner of the server may edit them. Ratings are "
    "written one by one."
)
APART = "Left alone: this server keeps a rating of its own for each copy."
NO_DATES = "This server does not keep when a rating was given: the date is now."
NO_TAGS = "Tags were left alone: this server answers as if it kept them, and does not."


class Stopped(Exception):
    """Told to stop while waiting for a server that fails; what was sent stays in doubt."""


@dataclass
class Pace:
    """Pauses: after failures, between requests, and as the person's COOLDOWN says.

    Attributes:
        backoff_s: waits after failures in a row; after the last the run stops.
        rest_s: shortest and longest rest after a batch edit; between them as long as it took.
            What is done meanwhile, such as reading back, is part of it.
        cooldown: after so many single ratings, so many seconds.
        sleep, clock: what waits, and what tells the time in seconds.
    """

    backoff_s: tuple[float, ...] = (1.0, 5.0, 15.0, 45.0)
    rest_s: tuple[float, float] = (0.02, 5.0)
    cooldown: tuple[int, float] = (0, 0.0)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    rated: int = 0
    rested_at: float = 0.0

    def after_edit(self, took_s: float) -> None:
        """Let the server breathe after a batch edit."""
        self.rested_at = self.clock() + min(max(took_s, self.rest_s[0]), self.rest_s[1])

    def before_write(self) -> None:
        """Wait for the rest of the rest."""
        left_s = self.rested_at - self.clock()
        if left_s > 0:
            self.sleep(left_s)

    def after_rating(self) -> None:
        """Rest after every so many single ratings."""
        self.rated += 1
        every, seconds = self.cooldown
        if every > 0 and seconds > 0 and self.rated % every == 0:
            self.sleep(seconds)


@dataclass(frozen=True)
class Outcome:
    """What became of a plan.

    Attributes:
        run: its number in the history.
        status: "done", "interrupted" (by the person) or "stopped" (by ``error``).
        counts: rows of the journal by status: verified, held, failed, planned, sent.
        outcomes: rows of the file; for a run that takes back, every row; else rows not written.
        notes: sentences to tell once.
        error: what stopped it.
    """

    run: int
    status: Literal["done", "interrupted", "stopped"]
    counts: Mapping[str, int]
    outcomes: tuple[RowOutcome, ...]
    notes: tuple[str, ...] = ()
    error: PlexError | None = None

    @property
    def written(self) -> int:
        """Rows that stand in Plex as planned."""
        return self.counts.get("verified", 0)


def capability(state: State, gateway: Gateway) -> Capability:
    """What is known about writing to this server in its present version."""
    kept = state.kv(state.scope(gateway.identity), "capability", {})
    if kept.get("server_version") != gateway.server_version:
        return Capability(gateway.server_version)
    return Capability(**kept)


def may_edit(state: State, gateway: Gateway) -> bool | None:
    """Whether tags and dates can be written; None: nobody tried yet."""
    known = capability(state, gateway)
    return known.edit if known.takes_tags else False


def apply(
    plan: Plan,
    gateway: Gateway,
    state: State,
    *,
    mode: Mode = "auto",
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
    cooldown: tuple[int, float] = (0, 0.0),
    pace: Pace | None = None,
    origin: Origin | None = None,
    undoes: int = 0,
) -> Outcome:
    """Carry out a plan, and nothing but the plan.

    Args:
        plan: what to write.
        gateway: to which library.
        state: where it is recorded.
        mode: "auto" learns how this server is written to; "batch" and "rate" force one way.
        progress: told ("write", rows settled, rows in all).
        stop: asked between requests; true ends tidily, resumable.
        cooldown: after so many single ratings, rest so many seconds.
        pace: other pauses than usual.
        origin: the file the plan came from; its base follows what was applied.
        undoes: the run this one takes back.

    Returns:
        What became of it.  Failures of Plex are in ``error``, not raised.

    Raises:
        OpenRun: an earlier run is not settled.
        Busy: another plexsheet is writing.
        StateError: the plan or its outcome cannot be recorded.
    """
    scope = state.scope(gateway.identity)
    pace = replace(pace or Pace(), cooldown=cooldown)
    with state.writing(plan.kind):
        run = journal.begin(state, scope, plan, origin, undoes)
        return Carrier(run, gateway, state, mode, pace, progress, stop).go()


class Carrier:
    """Carries one journaled run to its end; see ``apply`` for the arguments."""

    def __init__(
        self,
        run: int,
        gateway: Gateway,
        state: State,
        mode: Mode = "auto",
        pace: Pace | None = None,
        progress: Progress | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        record = journal.run_of(state, run)
        if record is None:
            raise ValueError(f"no run {run}")
        self.run, self.record, self.scope = run, record, record.scope
        self.gateway, self.state, self.mode = gateway, state, mode
        self.pace, self.progress, self.stop = pace or Pace(), progress, stop
        self.can = capability(state, gateway)
        self.finder = Finder(gateway, state, record.scope, record.origin.export_id)
        self.notes: list[str] = []
        self.ignored: Counter[int] = Counter()  # clean answers after which a row was as before
        self.pairs: list[tuple[float, float]] = []  # ratings sent and read back
        self.ignored_batches = 0
        self.last: dict[int, Seen] = {}  # what Plex showed last, by place in the run
        self.rated_before: dict[int, int] = {}  # when items were rated before we wrote
        self.looked: dict[int, float] = {}  # when rows were compared with Plex, by our clock
        self.altered: set[int] = set()  # rows that Plex changed, to be sent another way
        self.parcel_of: dict[int, int] = {}  # with which request a row was sent last
        self.requests = 0
        self.failures = 0
        self.stopped = False
        self.total, self.settled = record.total, record.settled

    @property
    def personal(self) -> bool:
        """Whether the plan carries the person's own edits, which outrank what was inferred."""
        return self.record.kind in {"import", "restore", "match"}

    # The run

    def go(self) -> Outcome:
        """Write everything that is still planned; settle the rest."""
        error: PlexError | None = None
        try:
            self._decide()
            while not self.stopped and (rows := journal.pending(self.state, self.run, BLOCK_ROWS)):
                self._block(_alike(rows))
        except PlexError as problem:
            error = problem
        except Stopped:
            self.stopped = True
        finally:
            self._keep_capability()
        return self._end(error)

    def settle_doubts(self) -> None:
        """Read what became of the rows that were being written when the run was cut off.

        Raises:
            PlexError: Plex cannot be read; the rows stay in doubt.
        """
        while rows := journal.pending(self.state, self.run, BLOCK_ROWS, ("sent", "applied")):
            doubtful = {row.ord: row for row in _alike(rows)}
            again = self._read_back(doubtful, clean=False, strict=False)
            journal.back_to_planned(self.state, self.run, again)

    def _decide(self) -> None:
        """Carry out the person's decisions: they are kept here and cost no request."""
        rows = journal.pending(self.state, self.run, -1, ("planned",), journal.LOCAL)
        if not rows:
            return
        with self.state.database.transaction():
            for row in rows:
                if row.field == "exclude":
                    self.state.set_excluded(self.scope, row.kind, [row.key], row.after == 1)
                else:
                    self.state.set_twin_decision(self.scope, row.key, decision(row))
                row.now, row.now_text = row.after, row.after_text
            self._settle([Settled(row, "verified") for row in rows])

    def _block(self, rows: list[Row]) -> None:
        self.last, self.parcel_of, self.looked, self.altered = {}, {}, {}, set()
        waiting = self._guard(rows)
        self.rated_before = {number: seen.rated_at for number, seen in self.last.items()}
        while waiting and not self.stopped:
            waiting = self._deliver(waiting)

    # Guard, deliver, read back

    def _guard(self, rows: list[Row]) -> list[Row]:
        """Compare rows with Plex just before writing; those that are to be written."""
        seen = self._read(rows)
        go, ended = [], []
        for row in rows:
            now = seen.get(row.key)
            if now is None:
                ended.append(_gone(row))
                continue
            verdict = judge(row, now, self.can.step, tags=self.can.takes_tags)
            if row.shares and not row.sent:
                self._learn_sharing(verdict)
            if self._moved(row, now, verdict):
                ended.append(replace(self._held(row), tags=self._left_on(row, now)))
                continue
            _note_standing(row, now)
            if row.shares and self.personal and verdict == "open":
                ended.append(Settled(row, "held", message=APART))  # not what they asked for
            elif verdict == "done" and not self._harmed(row, now):
                ended.append(self._verified(row, now))
            else:
                go.append(row)
        self._settle(ended)
        return go

    def _moved(self, row: Row, now: Seen, verdict: Verdict) -> bool:
        """Whether the person changed the item since the plan was made."""
        if verdict == "other":
            return True
        if self.personal or row.field == "released":
            return False
        if row.sent or row.shares:  # what stands there may be our own
            return False
        if row.field == "tags" and row.owner_after in {"person", "none"}:
            return False  # it is theirs already; only our tags come off
        return _given_again(row, now) or not near(row.before, now.rating)

    def _deliver(self, rows: list[Row]) -> list[Row]:
        """Send rows and read back; those that Plex did not take, to be sent again."""
        load = pack(rows, self.can, self.mode, self.gateway)
        self._settle_idle(load)
        parcels, answered = load.parcels, list[Row]()
        out: dict[int, Row] = {}  # sent and not read back, by place in the run
        while parcels:
            self.pace.before_write()
            if self.stop():
                self.stopped = True
                break
            parcels = self._compared(parcels, out)
            if not parcels:
                break
            parcel = parcels.pop(0)
            journal.mark_sent(self.state, self.run, parcel.rows, answered)
            answered = []
            out |= {row.ord: row for row in parcel.rows}
            self.requests += 1
            self.parcel_of |= {row.ord: self.requests for row in parcel.rows}
            try:
                self._carry(parcel)
            except TRANSIENT as error:
                self._back_off(error)
                return self._read_back(out, clean=False) + _rest(out, parcels)
            except PlexForbidden as error:
                self._refused(parcel, error, out)
                return self._read_back(out, clean=False) + _rest(out, parcels)
            except PlexRejected:
                parcels = _smaller(parcel) + parcels
                if not parcel.single:
                    continue
                return self._read_back(out) + _rest(out, parcels)
            except PlexNotFound:
                return self._read_back(out, clean=False) + _rest(out, parcels)
            except PlexError:
                self._put_back(out)
                raise
            self.failures = 0
            if not parcel.single and self.can.edit is None:
                self.can = replace(self.can, edit=True)
            answered = parcel.rows
            if parcel.proof:
                return self._read_back(out, proof=parcel) + _rest(out, parcels)
        again = self._read_back(out)
        if self.stopped:
            journal.back_to_planned(self.state, self.run, again)
        return again

    def _compared(self, parcels: list[Parcel], out: Mapping[int, Row]) -> list[Parcel]:
        """The same parcels, the first compared with Plex just now.

        On a slow server minutes may pass within a block: what the person rates meanwhile is
        theirs, and leaves its parcel.
        """
        done: set[int] = set()
        while parcels and self._stale(parcels[0], out, done):
            rows = [row for parcel in parcels for row in parcel.rows if self._may_move(row, out)]
            rows = list({row.ord: row for row in rows}.values())[:LOOK_ROWS]
            go = {row.ord for row in self._guard(rows)}
            self.rated_before |= {n: self.last[n].rated_at for n in go if n in self.last}
            done |= {row.ord for row in rows}
            parcels = _without(parcels, {row.ord for row in rows} - go)
        return parcels

    def _stale(self, parcel: Parcel, out: Mapping[int, Row], done: set[int]) -> bool:
        oldest = self.pace.clock() - STALE_S
        return any(
            self.looked.get(row.ord, 0.0) < oldest
            for row in parcel.rows
            if row.ord not in done and self._may_move(row, out)
        )

    def _may_move(self, row: Row, out: Mapping[int, Row]) -> bool:
        """Whether another value than before would be the person's doing, not ours."""
        return row.ord not in out and row.ord not in self.altered

    def _carry(self, parcel: Parcel) -> None:
        """One request, or one for each item."""
        if parcel.single:
            assert parcel.edit.rating is not None
            for row in parcel.rows:
                self.gateway.rate(row.key, parcel.edit.rating, date_to_send(row, self.can))
                self.pace.after_rating()
            return
        started = self.pace.clock()
        keys = np.array([row.key for row in parcel.rows], dtype=np.int64)
        values = {f.name: getattr(parcel.edit, f.name) for f in fields(parcel.edit)}
        self.gateway.edit(parcel.kind, keys, **values)
        self.pace.after_edit(self.pace.clock() - started)

    def _read_back(
        self,
        out: Mapping[int, Row],
        *,
        clean: bool = True,
        proof: Parcel | None = None,
        strict: bool = True,
    ) -> list[Row]:
        """Settle rows by what Plex holds now; those that are to be sent (again).

        Args:
            out: rows of one kind that were sent, by their place in the run.
            clean: every request was answered, so what is missing was ignored.
            proof: what is to be learned from it.
            strict: whether values that Plex altered end the run.

        Raises:
            PlexMismatch: Plex altered what was sent, and not by rounding.
        """
        rows = list(out.values())
        seen = self._read(rows) if rows else {}
        own = self._written_by_us(rows, seen) if strict else set()
        altered = self._learn(rows, seen, proof, own)
        own &= self._altered_by_plex(rows, seen, own)
        ended, again, changed = [], [], []
        for row in rows:
            now = seen.get(row.key)
            if now is None:
                ended.append(_gone(row))
                continue
            verdict = judge(row, now, self.can.step, tags=self.can.takes_tags)
            if verdict == "open" and row.ord in own and self._touched(row, now):
                verdict = "other"  # written, and rounded to what stood there before
            if verdict == "other" and not altered:
                if row.ord in own:
                    changed.append(row)  # recorded as it came back, and the end of the run
                    ended.append(self._verified(row, now))
                else:
                    ended.append(replace(self._held(row), tags=self._left_on(row, now)))
            elif verdict == "done" and not self._harmed(row, now):
                ended.append(self._verified(row, now))
            elif clean and self._ignored_too_often(row):
                ended.append(self._given_up(row, now, verdict))
            else:
                again.append(row)
                self.altered |= {row.ord} if verdict == "other" else set()
        self._settle(ended)
        if changed:
            journal.back_to_planned(self.state, self.run, again)
            raise self._mismatch(changed[0])
        return again

    def _touched(self, row: Row, now: Seen) -> bool:
        """Whether an item was rated since we looked before writing, to whatever value."""
        at = self.rated_before.get(row.ord, now.rated_at)
        return not near(row.before, now.rating) or (row.field == "rating" and now.rated_at != at)

    def _altered_by_plex(
        self, rows: Sequence[Row], seen: Mapping[int, Seen], own: set[int]
    ) -> set[int]:
        """Which rows hold another value than we sent because Plex made it so.

        A server that cannot be trusted alters most of what it is sent; single values, given
        in the very second of our writing, are the person's.
        """
        rated = [row for row in rows if row.field == "rating" and row.key in seen]
        touched = [row for row in rated if self._touched(row, seen[row.key])]
        step = self.can.step
        differ = {r.ord for r in touched if not agrees(r.after, seen[r.key].rating, step)} & own
        return differ if 2 * len(differ) > len(touched) else set()

    def _written_by_us(self, rows: Sequence[Row], seen: Mapping[int, Seen]) -> set[int]:
        """Which of the rows that read back differently were last written by us, not the person.

        Told by the time of rating: ours stands between those of the requests before and after,
        or has not moved at all on a server that gives batch edits no time.
        """
        sent = [row for row in rows if row.field == "rating" and row.key in seen]
        exact = [row for row in sent if near(row.after, seen[row.key].rating)]
        times = [(self.parcel_of.get(row.ord, 0), seen[row.key].rated_at) for row in exact]
        own = set()
        for row in sent:
            number, at = self.parcel_of.get(row.ord, 0), seen[row.key].rated_at
            earliest = max((time for parcel, time in times if parcel < number), default=0)
            latest = min((time for parcel, time in times if parcel >= number), default=at)
            same = [time for parcel, time in times if parcel == number]
            within = min(same) <= at <= max(same) if same else earliest <= at <= latest
            if at == self.rated_before.get(row.ord, -1) or within:
                own.add(row.ord)
        return own

    def _read(self, rows: Sequence[Row]) -> dict[int, Seen]:
        """Items as Plex shows them, by key; those under a new key are found again."""
        self.looked |= dict.fromkeys((row.ord for row in rows), self.pace.clock())
        seen = self._read_patiently(rows[0].kind, rows)
        missing = [row for row in rows if row.key not in seen]
        found = (
            self._patiently(lambda: self.finder.find(rows[0].kind, [row.key for row in missing]))
            if missing
            else {}
        )
        moved = [row for row in missing if row.key in found]
        for row in moved:
            self.finder.move(self.run, row.kind, row.key, found[row.key])
            row.key, row.code = found[row.key], "I53"
        if moved:
            seen |= self._read_patiently(rows[0].kind, moved)
        for row in rows:
            if row.key in seen:
                self._note(row, seen[row.key])
        return seen

    def _read_patiently(self, kind: Kind, rows: Sequence[Row]) -> dict[int, Seen]:
        keys = sorted({row.key for row in rows})
        if any(row.tags or row.field == "released" for row in rows):
            return seen_items(self._patiently(lambda: self.gateway.read_items(kind, keys)))
        return seen_ratings(self._patiently(lambda: self.gateway.read_ratings(kind, keys)))

    def _patiently(self, call: Callable[[], Result]) -> Result:
        while True:
            try:
                result = call()
            except TRANSIENT as error:
                self._back_off(error)
            else:
                return result

    def _note(self, row: Row, now: Seen) -> None:
        """Write beside a row what Plex shows; moods only as they were before we came."""
        row.now, row.now_text = now.rating, now.released
        if row.moods is None and now.moods is not None:
            row.moods, row.locked = now.moods, now.locked
        self.last[row.ord] = now

    # What is learned about the server

    def _learn(
        self, rows: list[Row], seen: dict[int, Seen], proof: Parcel | None, own: set[int]
    ) -> bool:
        """Learn from a read-back; whether values that were altered are to be sent singly.

        ``seen`` follows where something is written again to learn from it.
        """
        if proof is not None and self.can.additive is None and others(proof.rows[0]):
            self._learn_tags(proof.rows[0], seen)
        if proof is not None and self.can.dates is None:
            self._learn_dates(proof, seen)
        rated = [row for row in rows if row.field == "rating" and row.key in seen]
        proving = proof is not None and proof.edit.rating is not None and not proof.single
        if proving and self.mode == "auto" and self.can.batch is None:
            here = [row for row in rated if row in proof.rows] if proof else []
            return self._learn_batch(here, seen)
        moved = [row for row in rated if self._touched(row, seen[row.key])]
        ours = [row for row in moved if row.ord in own]
        self._learn_step(ours or moved, seen, least=1 if ours or self.personal else 3)
        return False

    def _learn_dates(self, proof: Parcel, seen: Mapping[int, Seen]) -> None:
        """Whether this server keeps the time at which a rating was given elsewhere."""
        row = proof.rows[0]
        at, now = date_to_send(row, self.can), seen.get(row.key)
        if not proof.single or not at or now is None or not near(row.after, now.rating):
            return
        kept = abs(now.rated_at - at) <= DATE_WITHIN_S
        self.can = replace(self.can, dates=kept)
        if not kept:
            self.notes.append(NO_DATES)

    def _learn_batch(self, rows: list[Row], seen: dict[int, Seen]) -> bool:
        """Whether this server keeps ratings that come as a batch edit, as they are."""
        differ = [row for row in rows if not near(row.after, seen[row.key].rating)]
        if 2 * len(differ) <= len(rows):
            self.can = replace(self.can, batch=True if rows else None)
            return False
        altered = [row for row in differ if self._touched(row, seen[row.key])]
        if not altered:
            self.ignored_batches += 1
            if self.ignored_batches >= 2:
                self.can = replace(self.can, batch=False)
            return False
        row = altered[0]
        self.gateway.rate(row.key, row.after)
        look = self._read_patiently(row.kind, [row]).get(row.key)
        if look is not None:
            seen[row.key] = look  # rated anew, and so with a later time of rating
            self._note(row, look)
        if look is not None and near(row.after, look.rating):
            self.can = replace(self.can, batch=False)
            return True
        if self._learn_step([r for r in rows if r in altered or r not in differ], seen, least=1):
            self.can = replace(self.can, batch=True)
        return False

    def _learn_step(self, rows: list[Row], seen: Mapping[int, Seen], least: int) -> bool:
        """Whether the server rounds, or rounds more than was known; told once."""
        pairs = [(row.after, seen[row.key].rating) for row in rows]
        self.pairs = (self.pairs + pairs)[-MOST_PAIRS:]
        if all(agrees(sent, got, self.can.step) for sent, got in pairs):
            return False
        step = learned_step(self.pairs, least)
        if not step:
            return False
        self.can = replace(self.can, step=step)
        sent, got = next((a, b) for a, b in pairs if not near(a, b))
        told = text("P73", sent=show_stars(sent), got=show_stars(got))
        about = f"This server rounds to {step / 2:g} stars; what it keeps is what counts."
        self.notes = [note for note in self.notes if "This server rounds" not in note]
        self.notes.append(f"{told} {about}")
        return True

    def _rounded_to_what_stood(self, row: Row, now: Seen) -> bool:
        """Whether a rating seemed ignored because rounding led to the one before.

        No time of rating tells where batch edits have none; but it was rated singly too.
        """
        if self.mode == "batch" or row.field != "rating":
            return False
        self._learn_step([row], {row.key: now}, least=1)
        return agrees(row.after, now.rating, self.can.step)

    def _learn_sharing(self, verdict: Verdict) -> None:
        """Whether a track got the rating of another with its guid, which was written before."""
        if verdict == "open":
            self.can = replace(self.can, shares=False)
        elif verdict != "other" and self.can.shares is None:
            self.can = replace(self.can, shares=True)

    def _learn_tags(self, row: Row, seen: Mapping[int, Seen]) -> None:
        """Whether an item's other moods survive when one is added."""
        now = seen.get(row.key)
        if now is None or now.moods is None:
            return
        if lost(row, now.moods):
            self.can = replace(self.can, additive=False)
        elif not to_add(row, now.moods):
            self.can = replace(self.can, additive=True)

    def _harmed(self, row: Row, now: Seen) -> bool:
        """Whether our addition cost the item other moods, which then have to come back."""
        if self.can.additive is True or not row.sent or not row.tags or now.moods is None:
            return False
        if not lost(row, now.moods):
            return False
        self.can = replace(self.can, additive=False)
        return True

    def _refused(self, parcel: Parcel, error: PlexForbidden, out: Mapping[int, Row]) -> None:
        """A 403: on a batch edit something to learn, on a single rating the end."""
        if parcel.single or (self.mode == "batch" and parcel.edit.rating is not None):
            self._put_back(out)
            raise error
        batch = False if self.mode == "auto" else self.can.batch
        self.can = replace(self.can, edit=False, batch=batch)
        self.notes.append(NO_EDITS)

    def _back_off(self, error: PlexError) -> None:
        """Wait after a failure, longer each time.

        Raises:
            PlexBusy: it failed too often in a row.
            Stopped: the person did not want to wait.
        """
        if self.failures == len(self.pace.backoff_s):
            raise PlexBusy(self._unanswered()) from error
        for _ in range(round(self.pace.backoff_s[self.failures] / NAP_S)):
            if self.stop():
                raise Stopped from error
            self.pace.sleep(NAP_S)
        self.failures += 1

    def _unanswered(self) -> str:
        """P70: before anything was sent the command starts afresh, later its run is resumed."""
        tries = self.failures + 1
        if not journal.touched(self.state, self.run):
            return text("P70", tries=tries, command=self.record.kind)
        run = journal.run_of(self.state, self.run) or self.record
        return text("P70", "resume", tries=tries, done=run.settled, total=run.total)

    def _mismatch(self, row: Row) -> PlexMismatch:
        told = text("P73", sent=show_stars(row.after), got=show_stars(row.now))
        return PlexMismatch(
            f"{told} So it is with most of the last ones sent, and nothing more was written. Run "
            "“plexsheet history” to see which, “plexsheet resume --take-back” to undo the run."
        )

    def _put_back(self, out: Mapping[int, Row]) -> None:
        """Settle what was sent before the run is stopped, if Plex still lets itself be read."""
        with contextlib.suppress(PlexError, Stopped):  # what stopped the run is told, not this
            again = self._read_back(out, clean=False, strict=False)
            journal.back_to_planned(self.state, self.run, again)

    # How rows end

    def _ignored_too_often(self, row: Row) -> bool:
        self.ignored[row.ord] += 1
        return self.ignored[row.ord] >= MOST_IGNORED

    def _given_up(self, row: Row, now: Seen, verdict: Verdict) -> Settled:
        """A row whose requests were answered and had no effect."""
        if verdict == "open":
            if self._rounded_to_what_stood(row, now):
                return self._verified(row, now)
            return self._held(row, mismatch=True)
        if self.can.tags is None:
            self.can = replace(self.can, tags=False)
            self.notes.append(NO_TAGS)
        return self._verified(row, now)

    def _verified(self, row: Row, now: Seen) -> Settled:
        tags = None
        if row.tags and now.moods is not None:
            ours = (*(row.shadow.tags if row.shadow else ()), *row.tags_add)
            off, there = folded(row.tags_remove), folded(now.moods)
            wanted = dict.fromkeys(n for n in ours if n.casefold() not in off)
            tags = tuple(name for name in wanted if name.casefold() in there)
            if row.sent and row.tags_add and self.can.tags is None and not to_add(row, now.moods):
                self.can = replace(self.can, tags=True)
        code, message = self._remark(row, now)
        return Settled(row, "verified", now.rated_at, code, message, tags)

    def _remark(self, row: Row, now: Seen) -> tuple[str, str]:
        """Code and sentence for a row that stands as planned."""
        if row.code == "I53":
            return "I53", text("I53")
        if row.field == "rating" and not near(row.after, now.rating):
            return "P73", text("P73", sent=show_stars(row.after), got=show_stars(now.rating))
        if self.record.undoes and row.field == "rating":
            return "U80", text("U80", stars=show_stars(row.after))
        if self.personal and not row.sent and row.field == "rating":
            return "I52", text("I52", plex=show_stars(now.rating))
        return "", ""

    def _held(self, row: Row, *, mismatch: bool = False) -> Settled:
        """A row left alone because Plex holds what neither we nor the plan put there."""
        if mismatch:
            told = text("P73", sent=show_stars(row.after), got=show_stars(row.now))
            return Settled(row, "held", code="P73", message=told)
        if self.personal:
            yours, plex = _both(row)
            return Settled(row, "held", code="C50", message=text("C50", yours=yours, plex=plex))
        return Settled(row, "held", code="U81", message=text("U81"))

    def _left_on(self, row: Row, now: Seen) -> tuple[str, ...] | None:
        """Tags we put on an item that the person rated right after: to be taken off again."""
        if row.owner_after != "plexsheet" or not row.sent:
            return None
        there = folded(now.moods or ())
        ours = (*(row.shadow.tags if row.shadow else ()), *row.tags_add)
        return tuple(name for name in dict.fromkeys(ours) if name.casefold() in there)

    def _settle_idle(self, load: Load) -> None:
        """Rows for which nothing can be sent: tags and dates where only the owner may edit."""
        dates = [row for row in load.idle if row.field == "released"]
        rest = [row for row in load.idle if row.field != "released"]
        refused = [Settled(row, "held", code="E33", message=text("E33")) for row in dates]
        self._settle([*refused, *(self._verified(row, self.last[row.ord]) for row in rest)])

    def _settle(self, ended: Sequence[Settled]) -> None:
        if not ended:
            return
        journal.settle(self.state, self.scope, self.run, ended)
        self.settled += len(ended)
        if self.progress is not None:
            self.progress("write", self.settled, self.total)

    # The end

    def _keep_capability(self) -> None:
        if self.can != capability(self.state, self.gateway):
            self.state.set_kv(self.scope, "capability", asdict(self.can))

    def stopped_by(self, error: PlexError | Stopped) -> Outcome:
        """The outcome of a run that could not even be settled."""
        self.stopped = isinstance(error, Stopped)
        return self._end(None if isinstance(error, Stopped) else error)

    def _end(self, error: PlexError | None) -> Outcome:
        if error is None and not self.stopped:
            close(self.state, self.run)
        elif error is not None and not journal.touched(self.state, self.run):
            journal.finish(self.state, self.run, "stopped")
        record = journal.run_of(self.state, self.run)
        assert record is not None
        return Outcome(
            self.run,
            "stopped" if error else "interrupted" if self.stopped else "done",
            record.counts,
            tuple(outcomes(self.state, record)),
            tuple(dict.fromkeys(self.notes)),
            error,
        )


def decision(row: Row) -> TwinDecision | None:
    """What a ``twin`` row decides, from its text: word, label and sub-group; None: nothing."""
    if not row.after_text:
        return None
    word, label, sub_group = (*row.after_text.split("\t"), "", "")[:3]
    return TwinDecision(row.key, word, label, sub_group)  # type: ignore[arg-type]


def _given_again(row: Row, now: Seen) -> bool:
    """Whether the person gave the very rating we had inferred, since we wrote it."""
    entry = row.shadow
    if entry is None or entry.last_rated_at < 0 or not near(entry.value, now.rating):
        return False
    return now.rated_at > entry.last_rated_at


def _note_standing(row: Row, now: Seen) -> None:
    """Remember with a row when our entry did not stand any more: taking it back needs that."""
    if row.shadow is None or row.sent or row.shares:
        return
    if not near(row.shadow.value, now.rating) or _given_again(row, now):
        row.shadow = replace(row.shadow, last_rated_at=-1)


def _alike(rows: list[Row]) -> list[Row]:
    """The rows of the first one's kind, up to those that share a rating with others."""
    first = rows[0]
    return [
        row for row in rows if row.kind == first.kind and bool(row.shares) == bool(first.shares)
    ]


def _without(parcels: Sequence[Parcel], ended: set[int]) -> list[Parcel]:
    """Parcels without the rows that have ended."""
    left = [replace(p, rows=[r for r in p.rows if r.ord not in ended]) for p in parcels]
    return [parcel for parcel in left if parcel.rows]


def _rest(out: Mapping[int, Row], parcels: Sequence[Parcel]) -> list[Row]:
    """Rows of parcels that were not sent yet, in part or whole."""
    rest = {row.ord: row for parcel in parcels for row in parcel.rows}
    return [row for number, row in rest.items() if number not in out]


def _smaller(parcel: Parcel) -> list[Parcel]:
    """What to try when the form of a request was refused: halves, then one rating alone."""
    if parcel.single:
        return []
    middle = len(parcel.rows) // 2
    if middle:
        return [
            replace(parcel, rows=parcel.rows[:middle]),
            replace(parcel, rows=parcel.rows[middle:]),
        ]
    return [replace(parcel, single=True)] if parcel.edit.rating is not None else []


def _gone(row: Row) -> Settled:
    shown = show_stars(row.after) if row.field == "rating" else row.after_text
    return Settled(row, "held", code="E06", message=text("E06", stars=shown))


def _both(row: Row) -> tuple[str, str]:
    if row.field == "released":
        return row.after_text, row.now_text or "no date"
    return show_stars(row.after), show_stars(row.now)


def seen_items(frame: pd.DataFrame) -> dict[int, Seen]:
    """Items by key, from ``Gateway.read_items``."""
    released = frame["released"] if "released" in frame else [""] * len(frame)
    year = frame["year"] if "year" in frame else [0] * len(frame)
    names = ("key", "user_rating", "last_rated_at", "moods", "mood_locked")
    rows = zip(*(frame[name].tolist() for name in names), released, year, strict=True)
    return {
        key: Seen(rating, rated_at, moods, bool(locked), date or (f"{y:04d}" if y else ""))
        for key, rating, rated_at, moods, locked, date, y in rows
    }


def seen_ratings(frame: pd.DataFrame) -> dict[int, Seen]:
    """Items by key, from ``Gateway.read_ratings``."""
    names = ("key", "user_rating", "last_rated_at")
    rows = zip(*(frame[name].tolist() for name in names), strict=True)
    return {key: Seen(rating, rated_at) for key, rating, rated_at in rows}
