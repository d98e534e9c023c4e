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
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np

from plexsheet.apply.batches import (
    Batch,
    Load,
    Mode,
    date_to_send,
    left_of,
    of_one_kind,
    others,
    pack,
    smaller,
    without,
)
from plexsheet.apply.capabilities import Learner
from plexsheet.apply.completion import close, outcomes
from plexsheet.apply.guard import TRANSIENT, Guard, ToldToStop, note_standing, unmarked
from plexsheet.apply.pace import Pace
from plexsheet.apply.row_endings import (
    gone,
    held,
    ignored,
    mismatch,
    personal,
    tags_left_on,
    verified,
)
from plexsheet.errors import (
    PlexError,
    PlexForbidden,
    PlexNotFound,
)
from plexsheet.inference.model import TwinDecision
from plexsheet.messages import text
from plexsheet.plan.model import Plan, RowOutcome
from plexsheet.plan.verification import Seen, Verdict, judge
from plexsheet.plex.gateway import Gateway
from plexsheet.plex.wire import PlexRejected
from plexsheet.state import journal, planned_rows, runs
from plexsheet.state.journal import JournalRow, RowEnd
from plexsheet.state.runs import Origin
from plexsheet.state.store import State

Progress = Callable[[str, int, int], None]

BLOCK_ROWS = 600  # guarded and read back together, two requests each
LOOK_ROWS = 400  # compared again in one request
MOST_IGNORED = 4  # a row that Plex answered and ignored so often is given up
APART = "Left alone: this server keeps a rating of its own for each copy."


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
        progress: told ("write", rows ended, rows in all).
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
        run = planned_rows.begin(state, scope, plan, origin, undoes)
        return RunLoop(run, gateway, state, mode, pace, progress, stop).go()


class RunLoop:
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
        record = runs.run_of(state, run)
        if record is None:
            raise ValueError(f"no run {run}")
        self.run, self.record, self.scope = run, record, record.scope
        self.gateway, self.state, self.mode = gateway, state, mode
        self.pace, self.progress, self.stop = pace or Pace(), progress, stop
        self.learner = Learner(gateway, state, mode)
        self.guard = Guard(record, gateway, state, self.pace, stop)
        self.ignored: Counter[int] = Counter()  # clean answers after which a row was as before
        self.requests = 0
        self.stopped = False
        self.total, self.ended = record.total, record.ended

    # The run

    def go(self) -> Outcome:
        """Write everything that is still planned; settle the rest."""
        error: PlexError | None = None
        try:
            self._decide()
            while not self.stopped and (rows := journal.pending(self.state, self.run, BLOCK_ROWS)):
                self._block(of_one_kind(rows))
        except PlexError as problem:
            error = problem
        except ToldToStop:
            self.stopped = True
        finally:
            self.learner.keep()
        return self._end(error)

    def resolve_doubts(self) -> None:
        """Read what became of the rows that were being written when the run was cut off.

        Raises:
            PlexError: Plex cannot be read; the rows stay in doubt.
        """
        while rows := journal.pending(self.state, self.run, BLOCK_ROWS, ("sent", "applied")):
            doubtful = {row.ord: row for row in of_one_kind(rows)}
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
            self._end_rows([RowEnd(row, "verified") for row in rows])

    def _block(self, rows: list[JournalRow]) -> None:
        self.guard.start_block()
        waiting = self._still_to_write(rows)
        self.guard.remember(list(self.guard.last))
        while waiting and not self.stopped:
            waiting = self._deliver(waiting)

    # Guard, deliver, read back

    def _still_to_write(self, rows: list[JournalRow]) -> list[JournalRow]:
        """Compare rows with Plex just before writing; those that are to be written."""
        seen = self.guard.read(rows)
        go, ended = [], []
        for row in rows:
            now = seen.get(row.ord)
            if now is None:
                ended.append(gone(row, self.guard.strangers.get(row.ord)))
                continue
            verdict = judge(row, now, self.learner.can.step, tags=self.learner.can.takes_tags)
            if row.shares and not row.sent:
                self.learner.sharing(verdict)
            if self.guard.moved(row, now, verdict):
                theirs = not row.sent and not personal(self.record) and unmarked(row, now)
                left = tags_left_on(row, now)
                ended.append(replace(held(row, self.record), tags=left, theirs=theirs))
                continue
            note_standing(row, now)
            if row.shares and personal(self.record) and verdict == "open":
                ended.append(RowEnd(row, "held", message=APART))  # not what they asked for
            elif verdict == "done" and not self.learner.harmed(row, now):
                ended.append(self._verified(row, now))
            else:
                go.append(row)
        self._end_rows(ended)
        return go

    def _deliver(self, rows: list[JournalRow]) -> list[JournalRow]:
        """Send rows and read back; those that Plex did not take, to be sent again."""
        load = pack(rows, self.learner.can, self.mode, self.gateway)
        self._end_idle(load)
        batches, answered = load.batches, list[JournalRow]()
        out: dict[int, JournalRow] = {}  # sent and not read back, by place in the run
        while batches:
            self.pace.before_write()
            if self.stop():
                self.stopped = True
                break
            batches = self._compared(batches, out)
            if not batches:
                break
            batch = batches.pop(0)
            now = int(self.pace.epoch())
            journal.mark_sent(self.state, self.run, batch.rows, answered, at=now)
            answered = []
            out |= {row.ord: row for row in batch.rows}
            self.requests += 1
            self.guard.batch_of |= {row.ord: self.requests for row in batch.rows}
            try:
                self._send(batch)
            except TRANSIENT as error:
                self.guard.back_off(error)
                return self._read_back(out, clean=False) + left_of(out, batches)
            except PlexForbidden as error:
                self._refused(batch, error, out)
                return self._read_back(out, clean=False) + left_of(out, batches)
            except PlexRejected:
                batches = smaller(batch) + batches
                if not batch.single:
                    continue
                return self._read_back(out) + left_of(out, batches)
            except PlexNotFound:
                return self._read_back(out, clean=False) + left_of(out, batches)
            except PlexError:
                self._put_back(out)
                raise
            self.guard.failures = 0
            self.learner.answered(batch)
            answered = batch.rows
            if batch.proof:
                return self._read_back(out, proof=batch) + left_of(out, batches)
        again = self._read_back(out)
        if self.stopped:
            journal.back_to_planned(self.state, self.run, again)
        return again

    def _compared(self, batches: list[Batch], out: Mapping[int, JournalRow]) -> list[Batch]:
        """The same batches, the first compared with Plex just now.

        On a slow server minutes may pass within a block: what the person rates meanwhile is
        theirs, and leaves its batch.
        """
        done: set[int] = set()
        while batches and self.guard.stale(batches[0], out, done):
            rows = [row for batch in batches for row in batch.rows if self.guard.may_move(row, out)]
            rows = list({row.ord: row for row in rows}.values())[:LOOK_ROWS]
            go = {row.ord for row in self._still_to_write(rows)}
            self.guard.remember(list(go))
            done |= {row.ord for row in rows}
            batches = without(batches, {row.ord for row in rows} - go)
        return batches

    def _send(self, batch: Batch) -> None:
        """One request, or one for each item."""
        if batch.single:
            assert batch.edit.rating is not None
            for row in batch.rows:
                started = self.pace.clock()
                at = date_to_send(row, self.learner.can)
                self.gateway.rate(row.key, batch.edit.rating, at)
                self.pace.answered("rate", 1, self.pace.clock() - started)
                self.pace.after_rating()
            return
        started = self.pace.clock()
        keys = np.array([row.key for row in batch.rows], dtype=np.int64)
        values = {f.name: getattr(batch.edit, f.name) for f in fields(batch.edit)}
        self.gateway.edit(batch.kind, keys, **values)
        tagged = bool(batch.edit.tags_add or batch.edit.tags_remove or batch.edit.tags_all)
        sort = f"edit {batch.kind}{' with tags' if tagged else ''}"
        self.pace.answered(sort, len(keys), self.pace.clock() - started)

    def _read_back(
        self,
        out: Mapping[int, JournalRow],
        *,
        clean: bool = True,
        proof: Batch | None = None,
        strict: bool = True,
    ) -> list[JournalRow]:
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
        seen = self.guard.read(rows) if rows else {}
        own = self.guard.written_by_us(rows, seen) if strict else set()
        for number, moment in ({} if strict else self.guard.ours_at(rows, seen)).items():
            seen[number] = replace(seen[number], rated_at=moment)
        altered = self._learn(rows, seen, proof, own)
        own &= self.guard.altered_by_plex(rows, seen, own, self.learner.can.step)
        ended, again, changed = [], [], []
        for row in rows:
            now = seen.get(row.ord)
            if now is None:
                ended.append(gone(row, self.guard.strangers.get(row.ord)))
                continue
            verdict = judge(row, now, self.learner.can.step, tags=self.learner.can.takes_tags)
            if verdict == "open" and row.ord in own and self.guard.touched(row, now):
                verdict = "other"  # written, and rounded to what stood there before
            if verdict == "other" and not altered:
                if row.ord in own:
                    changed.append(row)  # recorded as it came back, and the end of the run
                    ended.append(self._verified(row, now))
                else:
                    ended.append(replace(held(row, self.record), tags=tags_left_on(row, now)))
            elif verdict == "done" and not self.learner.harmed(row, now):
                ended.append(self._verified(row, now))
            elif clean and self._ignored_too_often(row):
                ended.append(self._given_up(row, now, verdict))
            else:
                again.append(row)
                self.guard.altered |= {row.ord} if verdict == "other" else set()
        self._end_rows(ended)
        if changed:
            journal.back_to_planned(self.state, self.run, again)
            raise mismatch(changed[0])
        return again

    # What is learned about the server

    def _learn(
        self, rows: list[JournalRow], seen: dict[int, Seen], proof: Batch | None, own: set[int]
    ) -> bool:
        """Learn from a read-back; whether values that were altered are to be sent singly.

        ``seen`` follows where something is written again to learn from it.
        """
        learner = self.learner
        if proof is not None and learner.can.additive is None and others(proof.rows[0]):
            learner.tags(proof.rows[0], seen)
        if proof is not None:
            learner.dates(proof, seen)
        rated = [row for row in rows if row.field == "rating" and row.ord in seen]
        proving = proof is not None and proof.edit.rating is not None and not proof.single
        if proving and self.mode == "auto" and learner.can.batch is None:
            here = [row for row in rated if row in proof.rows] if proof else []
            return learner.batch(here, seen, self.guard.touched, self._rate_alone)
        moved = [row for row in rated if self.guard.touched(row, seen[row.ord])]
        ours = [row for row in moved if row.ord in own]
        learner.step(ours or moved, seen, least=1 if ours or personal(self.record) else 3)
        return False

    def _rate_alone(self, row: JournalRow) -> Seen | None:
        self.gateway.rate(row.key, row.after)
        return self.guard.look(row)

    def _refused(self, batch: Batch, error: PlexForbidden, out: Mapping[int, JournalRow]) -> None:
        """A 403: on a batch edit something to learn, on a single rating the end."""
        if batch.single or (self.mode == "batch" and batch.edit.rating is not None):
            self._put_back(out)
            raise error
        self.learner.forbidden()

    def _put_back(self, out: Mapping[int, JournalRow]) -> None:
        """Settle what was sent before the run is stopped, if Plex still lets itself be read."""
        with contextlib.suppress(PlexError, ToldToStop):  # what stopped the run is told, not this
            again = self._read_back(out, clean=False, strict=False)
            journal.back_to_planned(self.state, self.run, again)

    # How rows end

    def _ignored_too_often(self, row: JournalRow) -> bool:
        self.ignored[row.ord] += 1
        return self.ignored[row.ord] >= MOST_IGNORED

    def _given_up(self, row: JournalRow, now: Seen, verdict: Verdict) -> RowEnd:
        """A row whose requests were answered and had no effect."""
        if verdict == "open":
            if self.learner.rounded_to_what_stood(row, now):
                return self._verified(row, now)
            return ignored(row)
        self.learner.no_tags()
        return self._verified(row, now)

    def _verified(self, row: JournalRow, now: Seen) -> RowEnd:
        self.learner.tags_arrived(row, now)
        return verified(row, now, self.record)

    def _end_idle(self, load: Load) -> None:
        """Rows for which nothing can be sent: tags and dates where only the owner may edit."""
        dates = [row for row in load.idle if row.field == "released"]
        rest = [row for row in load.idle if row.field != "released"]
        refused = [RowEnd(row, "held", code="E33", message=text("E33")) for row in dates]
        self._end_rows([*refused, *(self._verified(row, self.guard.last[row.ord]) for row in rest)])

    def _end_rows(self, ended: Sequence[RowEnd]) -> None:
        if not ended:
            return
        journal.end_rows(self.state, self.scope, self.run, ended)
        self.ended += len(ended)
        if self.progress is not None:
            self.progress("write", self.ended, self.total)

    # The end

    def stopped_by(self, error: PlexError | ToldToStop) -> Outcome:
        """The outcome of a run that could not even be settled."""
        self.stopped = isinstance(error, ToldToStop)
        return self._end(None if isinstance(error, ToldToStop) else error)

    def _end(self, error: PlexError | None) -> Outcome:
        if error is None and not self.stopped:
            close(self.state, self.run)
        elif error is not None and not runs.touched(self.state, self.run):
            runs.finish(self.state, self.run, "stopped")
        record = runs.run_of(self.state, self.run)
        assert record is not None
        return Outcome(
            self.run,
            "stopped" if error else "interrupted" if self.stopped else "done",
            record.counts,
            tuple(outcomes(self.state, record)),
            tuple(dict.fromkeys([*self.guard.notes, *self.learner.notes])),
            error,
        )


def decision(row: JournalRow) -> TwinDecision | None:
    """What a ``twin`` row decides, from its text: word, label and sub-group; None: nothing."""
    if not row.after_text:
        return None
    word, label, sub_group = (*row.after_text.split("\t"), "", "")[:3]
    return TwinDecision(row.key, word, label, sub_group)  # type: ignore[arg-type]
