"""Look at Plex before and after writing: what the person did meanwhile stays theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pandas as pd

from plexsheet.apply.batches import Batch
from plexsheet.apply.moved_items import Finder
from plexsheet.apply.pace import Pace
from plexsheet.apply.row_endings import personal
from plexsheet.errors import PlexBusy, PlexError, PlexGarbled, PlexUnreachable
from plexsheet.identity import identities_of, seen_now, verdict
from plexsheet.library import Kind
from plexsheet.messages import text
from plexsheet.ownership import rated_since
from plexsheet.plan.verification import Seen, Verdict, folded
from plexsheet.plex.gateway import Gateway
from plexsheet.ratings import agrees, near
from plexsheet.state import journal, runs
from plexsheet.state.journal import JournalRow
from plexsheet.state.runs import Run
from plexsheet.state.store import State

Result = TypeVar("Result")

STALE_S = 1.0  # what is sent was compared with Plex no longer ago
UNEVEN_S = 3  # how much longer than another a request may take before its rows are doubted
NAP_S = 0.25  # slept at a time while waiting for a server, and then asked whether to stop
TRANSIENT = (PlexBusy, PlexUnreachable, PlexGarbled)


class ToldToStop(Exception):
    """Told to stop while waiting for a server that fails; what was sent stays in doubt."""


class Guard:
    """Reads the rows of one run, again and again where a server fails, and compares.

    Attributes:
        notes: sentences to tell once.
        last: what Plex showed last, by place in the run.
        rated_before: when items were rated before we wrote.
        strangers: what stands under the key of rows that were not found.
        altered: rows that Plex changed, to be sent another way.
        batch_of: with which request a row was sent last.
    """

    def __init__(
        self,
        run: Run,
        gateway: Gateway,
        state: State,
        pace: Pace,
        stop: Callable[[], bool],
    ) -> None:
        self.run, self.gateway, self.state, self.pace, self.stop = run, gateway, state, pace, stop
        self.finder = Finder(gateway, state, run.scope, run.origin.export_id)
        self.failures = 0
        self.notes: list[str] = []
        self.start_block()

    def start_block(self) -> None:
        """Forget what was seen of the rows before."""
        self.last: dict[int, Seen] = {}
        self.rated_before: dict[int, int] = {}
        self.looked: dict[int, float] = {}  # when rows were compared with Plex, by our clock
        self.altered: set[int] = set()
        self.strangers: dict[int, str] = {}
        self.batch_of: dict[int, int] = {}

    def remember(self, numbers: Sequence[int]) -> None:
        """Keep when items were rated, before anything is sent."""
        self.rated_before |= {n: self.last[n].rated_at for n in numbers if n in self.last}

    def moved(self, row: JournalRow, now: Seen, verdict: Verdict) -> bool:
        """Whether the person changed the item since the plan was made."""
        if verdict == "other":
            return True
        if personal(self.run) or row.field == "released":
            return False
        if row.sent or row.shares:  # what stands there may be our own
            return False
        if row.field == "tags" and row.owner_after in {"person", "none"}:
            return False  # it is theirs already; only our tags come off
        return unmarked(row, now) or given_again(row, now) or not near(row.before, now.rating)

    def stale(self, batch: Batch, out: Mapping[int, JournalRow], done: set[int]) -> bool:
        """Whether rows of a batch were compared with Plex too long ago."""
        oldest = self.pace.clock() - STALE_S
        return any(
            self.looked.get(row.ord, 0.0) < oldest
            for row in batch.rows
            if row.ord not in done and self.may_move(row, out)
        )

    def may_move(self, row: JournalRow, out: Mapping[int, JournalRow]) -> bool:
        """Whether another value than before would be the person's doing, not ours."""
        return row.ord not in out and row.ord not in self.altered

    def touched(self, row: JournalRow, now: Seen) -> bool:
        """Whether an item was rated since we looked before writing, to whatever value."""
        at = self.rated_before.get(row.ord, now.rated_at)
        return not near(row.before, now.rating) or (row.field == "rating" and now.rated_at != at)

    def altered_by_plex(
        self, rows: Sequence[JournalRow], seen: Mapping[int, Seen], own: set[int], step: float
    ) -> set[int]:
        """Which rows hold another value than we sent because Plex made it so.

        A server that cannot be trusted alters most of what it is sent; single values, given
        in the very second of our writing, are the person's.
        """
        rated = [row for row in rows if row.field == "rating" and row.ord in seen]
        touched = [row for row in rated if self.touched(row, seen[row.ord])]
        differ = {r.ord for r in touched if not agrees(r.after, seen[r.ord].rating, step)} & own
        return differ if 2 * len(differ) > len(touched) else set()

    def written_by_us(self, rows: Sequence[JournalRow], seen: Mapping[int, Seen]) -> set[int]:
        """Which of the rows that read back differently were last written by us, not the person.

        Told by the time of rating: ours stands between those of the requests before and after,
        or has not moved at all on a server that gives batch edits no time.
        """
        sent = [row for row in rows if row.field == "rating" and row.ord in seen]
        exact = [row for row in sent if near(row.after, seen[row.ord].rating)]
        times = [(self.batch_of.get(row.ord, 0), seen[row.ord].rated_at) for row in exact]
        own = set()
        for row in sent:
            number, at = self.batch_of.get(row.ord, 0), seen[row.ord].rated_at
            earliest = max((time for batch, time in times if batch < number), default=0)
            latest = min((time for batch, time in times if batch >= number), default=at)
            same = [time for batch, time in times if batch == number]
            within = min(same) <= at <= max(same) if same else earliest <= at <= latest
            if at == self.rated_before.get(row.ord, -1) or within:
                own.add(row.ord)
        return own

    def ours_at(self, rows: Sequence[JournalRow], seen: Mapping[int, Seen]) -> dict[int, int]:
        """When rows in doubt were rated by us, where the person gave the same value since.

        A request rates its items at one time: who was rated later than the others of their
        request was rated again; so was one that went alone and took longer than all others.

        Args:
            rows: sent before the run was cut off, and not read back.
            seen: their items now, by place in the run.
        """
        done = [row for row in rows if row.ord in seen and near(row.after, seen[row.ord].rating)]
        lags: dict[int, list[tuple[int, JournalRow]]] = {}
        for row in done:
            # A rating that was removed has no time, and would make all others look late.
            if row.sent_at and row.field == "rating" and seen[row.ord].rated_at > 0:
                lag = seen[row.ord].rated_at - row.sent_at
                lags.setdefault(row.sent_at, []).append((lag, row))
        settled = journal.rows_in(self.state, self.run.id, ("verified",))
        usual = [row.rated_at - row.sent_at for row in settled if row.sent_at and row.rated_at > 0]
        usual += [min(lag for lag, _ in group) for group in lags.values() if len(group) > 1]
        found: dict[int, int] = {}
        for sent_at, group in lags.items():
            first = min(lag for lag, _ in group)
            if len(group) == 1 and usual and first > max(usual) + UNEVEN_S:
                first = max(usual)
            found |= {row.ord: sent_at + first for lag, row in group if lag > first + 1}
        return found

    def read(self, rows: Sequence[JournalRow]) -> dict[int, Seen]:
        """Items as Plex shows them, by place in the run; those under a new key are found again."""
        self.looked |= dict.fromkeys((row.ord for row in rows), self.pace.clock())
        kind = rows[0].kind
        seen = self.read_again(kind, rows)
        astray = self._astray(kind, rows, seen)
        if astray:
            self._follow(kind, astray, seen)
            seen |= self.read_again(kind, [row for row in astray if row.key not in seen])
        found = {
            row.ord: seen[row.key]
            for row in rows
            if row.key in seen and row.ord not in self.strangers
        }
        for row in rows:
            if row.ord in found:
                self._note(row, found[row.ord])
        return found

    def _astray(
        self, kind: Kind, rows: Sequence[JournalRow], seen: Mapping[int, Seen]
    ) -> list[JournalRow]:
        """Rows whose key is gone, or stands for an item that is not proven to be theirs."""
        numbers = np.array([row.identity for row in rows], dtype=np.int64)
        known = identities_of(self.state.identities(self.run.scope, kind).of(numbers))
        astray = []
        for row, then in zip(rows, known, strict=True):
            now = seen[row.key].item if row.key in seen else None
            if now is None or (row.identity and verdict(kind, then, now) != "proven"):
                astray.append(row)
        return astray

    def _follow(self, kind: Kind, rows: Sequence[JournalRow], seen: Mapping[int, Seen]) -> None:
        """Give rows the keys their items have now; remember whose key is another item's."""
        keys = np.array([row.key for row in rows], dtype=np.int64)
        numbers = np.array([row.identity for row in rows], dtype=np.int64)
        places = self._patiently(lambda: self.finder.present(kind))
        found = self._patiently(lambda: places.locate(keys, numbers))
        if self.finder.followed is not None and self.finder.followed.notice:
            self.notes.append(self.finder.followed.notice)
        for row, key in zip(rows, found.keys.tolist(), strict=True):
            if not key:
                now = seen.get(row.key)
                if now is not None and now.item is not None:
                    self.strangers[row.ord] = now.item.title
                continue
            row.code = "I53" if key != row.key else row.code
            row.key = key
        identities = places.numbers_at(np.array([row.key for row in rows], dtype=np.int64))
        for row, number in zip(rows, identities.tolist(), strict=True):
            row.identity = number if row.ord not in self.strangers and number else row.identity
        journal.rekey(self.state, self.run.id, rows)

    def read_again(self, kind: Kind, rows: Sequence[JournalRow]) -> dict[int, Seen]:
        """Items as Plex shows them, by key; those that are gone are left out."""
        if not rows:
            return {}
        keys = sorted({row.key for row in rows})
        if any(row.tags or row.field == "released" or remembers_tags(row) for row in rows):
            read, seen, sort = self.gateway.read_items, seen_items, f"read {kind}"
        else:
            read, seen, sort = self.gateway.read_ratings, seen_ratings, f"read ratings {kind}"

        def timed() -> pd.DataFrame:
            started = self.pace.clock()
            frame = read(kind, keys)
            self.pace.answered(sort, len(keys), self.pace.clock() - started)
            return frame

        return seen(kind, self._patiently(timed))

    def _patiently(self, call: Callable[[], Result]) -> Result:
        while True:
            try:
                result = call()
            except TRANSIENT as error:
                self.back_off(error)
            else:
                return result

    def look(self, row: JournalRow) -> Seen | None:
        """One item, read again and noted."""
        now = self.read_again(row.kind, [row]).get(row.key)
        if now is not None:
            self._note(row, now)
        return now

    def _note(self, row: JournalRow, now: Seen) -> None:
        """Write beside a row what Plex shows; moods only as they were before we came."""
        row.now, row.now_text = now.rating, now.released
        if row.moods is None and now.moods is not None:
            row.moods, row.locked = now.moods, now.locked
        self.last[row.ord] = now

    def back_off(self, error: PlexError) -> None:
        """Wait after a failure, longer each time.

        Raises:
            PlexBusy: it failed too often in a row.
            Stopped: the person did not want to wait.
        """
        if self.failures == len(self.pace.backoff_s):
            raise PlexBusy(self._unanswered()) from error
        for _ in range(round(self.pace.backoff_s[self.failures] / NAP_S)):
            if self.stop():
                raise ToldToStop from error
            self.pace.sleep(NAP_S)
        self.failures += 1

    def _unanswered(self) -> str:
        """P70: before anything was sent the command starts afresh, later its run is resumed."""
        tries = self.failures + 1
        if not runs.touched(self.state, self.run.id):
            return text("P70", tries=tries, command=self.run.kind)
        run = runs.run_of(self.state, self.run.id) or self.run
        return text("P70", "resume", tries=tries, done=run.ended, total=run.total)


def remembers_tags(row: JournalRow) -> bool:
    """Whether our entry for an item says that it carries a tag of ours."""
    return row.shadow is not None and bool(row.shadow.tags)


def unmarked(row: JournalRow, now: Seen) -> bool:
    """Whether we remember an item with our tag and it carries none: it may be the person's.

    So it is where an older copy of the state is in use, and what came after is not in it.
    """
    if row.shadow is None or not row.shadow.tags or now.moods is None:
        return False
    ours = folded(row.shadow.tags)
    return not ours & folded(now.moods) and not ours & folded(row.tags_add)


def given_again(row: JournalRow, now: Seen) -> bool:
    """Whether the person gave the very rating we had inferred, since we wrote it."""
    entry = row.shadow
    if entry is None or entry.last_rated_at < 0 or not near(entry.value, now.rating):
        return False
    return bool(rated_since(now.rated_at, entry.last_rated_at))


def note_standing(row: JournalRow, now: Seen) -> None:
    """Remember with a row when our entry did not stand any more: taking it back needs that."""
    if row.shadow is None or row.sent or row.shares:
        return
    if not near(row.shadow.value, now.rating) or given_again(row, now):
        row.shadow = replace(row.shadow, last_rated_at=-1)


def seen_items(kind: Kind, frame: pd.DataFrame) -> dict[int, Seen]:
    """Items by key, from ``Gateway.read_items``."""
    released = frame["released"] if "released" in frame else [""] * len(frame)
    year = frame["year"] if "year" in frame else [0] * len(frame)
    names = ("key", "user_rating", "last_rated_at", "moods", "mood_locked")
    rows = zip(*(frame[name].tolist() for name in names), released, year, strict=True)
    return {
        key: Seen(rating, rated_at, moods, bool(locked), date or (f"{y:04d}" if y else ""), item)
        for (key, rating, rated_at, moods, locked, date, y), item in zip(
            rows, identities_of(seen_now(kind, frame)), strict=True
        )
    }


def seen_ratings(kind: Kind, frame: pd.DataFrame) -> dict[int, Seen]:
    """Items by key, from ``Gateway.read_ratings``."""
    names = ("key", "user_rating", "last_rated_at")
    rows = zip(*(frame[name].tolist() for name in names), strict=True)
    items = identities_of(seen_now(kind, frame))
    return {
        key: Seen(rating, rated_at, item=item)
        for (key, rating, rated_at), item in zip(rows, items, strict=True)
    }
