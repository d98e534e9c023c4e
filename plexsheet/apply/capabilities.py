"""What is learned about writing to one server while a run goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace

from plexsheet.apply.batches import Batch, Capability, Mode, date_to_send
from plexsheet.messages import text
from plexsheet.plan.verification import Seen, Verdict, learned_step, lost, to_add
from plexsheet.plex.gateway import Gateway
from plexsheet.ratings import agrees, exact_stars, near, show_stars
from plexsheet.state.journal import JournalRow
from plexsheet.state.store import State

MOST_PAIRS = 2000  # remembered to tell by how much a server rounds
NO_EDITS = (
    "Tags and dates were left alone: only the owner of the server may edit them. Ratings are "
    "written one by one."
)
DATE_WITHIN_S = 2  # of the time sent, it was kept
NO_DATES = "This server does not keep when a rating was given: the date is now."
NO_TAGS = "Tags were left alone: this server answers as if it kept them, and does not."


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


class Learner:
    """Learns from what is read back, and keeps it for the next run.

    Attributes:
        can: what is known now.
        notes: sentences to tell once.
    """

    def __init__(self, gateway: Gateway, state: State, mode: Mode) -> None:
        self.gateway, self.state, self.mode = gateway, state, mode
        self.can = capability(state, gateway)
        self.notes: list[str] = []
        self.pairs: list[tuple[float, float]] = []  # ratings sent and read back
        self.ignored_batches = 0

    def keep(self) -> None:
        """Remember what is known for the next run."""
        if self.can != capability(self.state, self.gateway):
            scope = self.state.scope(self.gateway.identity)
            self.state.set_kv(scope, "capability", asdict(self.can))

    def answered(self, batch: Batch) -> None:
        """A request was answered: where it was a batch edit, those are allowed."""
        if not batch.single and self.can.edit is None:
            self.can = replace(self.can, edit=True)

    def forbidden(self) -> None:
        """A batch edit was refused: only the owner may send them."""
        batch = False if self.mode == "auto" else self.can.batch
        self.can = replace(self.can, edit=False, batch=batch)
        self.notes.append(NO_EDITS)

    def no_tags(self) -> None:
        """Tags were answered and never arrived."""
        if self.can.tags is None:
            self.can = replace(self.can, tags=False)
            self.notes.append(NO_TAGS)

    def tags_arrived(self, row: JournalRow, now: Seen) -> None:
        """Note where tags that were sent are there."""
        if not row.tags or now.moods is None or self.can.tags is not None:
            return
        if row.sent and row.tags_add and not to_add(row, now.moods):
            self.can = replace(self.can, tags=True)

    def batch(
        self,
        rows: list[JournalRow],
        seen: dict[int, Seen],
        touched: Callable[[JournalRow, Seen], bool],
        rate: Callable[[JournalRow], Seen | None],
    ) -> bool:
        """Whether this server keeps ratings that come as a batch edit, as they are.

        Args:
            rows: of the batch edit that is the proof.
            seen: items read back; follows where one is rated again.
            touched: whether an item was rated since we looked before writing.
            rate: rates a row alone and reads it back.

        Returns:
            Whether the values that were altered are to be sent one by one.
        """
        differ = [row for row in rows if not near(row.after, seen[row.ord].rating)]
        if 2 * len(differ) <= len(rows):
            self.can = replace(self.can, batch=True if rows else None)
            return False
        altered = [row for row in differ if touched(row, seen[row.ord])]
        if not altered:
            self.ignored_batches += 1
            if self.ignored_batches >= 2:
                self.can = replace(self.can, batch=False)
            return False
        look = rate(altered[0])
        if look is not None:
            seen[altered[0].ord] = look  # rated anew, and so with a later time of rating
            if near(altered[0].after, look.rating):
                self.can = replace(self.can, batch=False)
                return True
        if self.step([r for r in rows if r in altered or r not in differ], seen, least=1):
            self.can = replace(self.can, batch=True)
        return False

    def step(self, rows: list[JournalRow], seen: Mapping[int, Seen], least: int) -> bool:
        """Whether the server rounds, or rounds more than was known; told once."""
        pairs = [(row.after, seen[row.ord].rating) for row in rows]
        self.pairs = (self.pairs + pairs)[-MOST_PAIRS:]
        if all(agrees(sent, got, self.can.step) for sent, got in pairs):
            return False
        step = learned_step(self.pairs, least)
        if not step:
            return False
        self.can = replace(self.can, step=step)
        sent, got = next((a, b) for a, b in pairs if not near(a, b))
        told = text("P73", sent=show_stars(sent), got=show_stars(got))
        about = f"This server rounds to {exact_stars(step):g} stars; what it keeps is what counts."
        self.notes = [note for note in self.notes if "This server rounds" not in note]
        self.notes.append(f"{told} {about}")
        return True

    def rounded_to_what_stood(self, row: JournalRow, now: Seen) -> bool:
        """Whether a rating seemed ignored because rounding led to the one before.

        No time of rating tells where batch edits have none; but it was rated singly too.
        """
        if self.mode == "batch" or row.field != "rating":
            return False
        self.step([row], {row.ord: now}, least=1)
        return agrees(row.after, now.rating, self.can.step)

    def sharing(self, verdict: Verdict) -> None:
        """Whether a track got the rating of another with its guid, which was written before."""
        if verdict == "open":
            self.can = replace(self.can, shares=False)
        elif verdict != "other" and self.can.shares is None:
            self.can = replace(self.can, shares=True)

    def dates(self, proof: Batch, seen: Mapping[int, Seen]) -> None:
        """Whether this server keeps the time at which a rating was given elsewhere."""
        row = proof.rows[0]
        at, now = date_to_send(row, self.can), seen.get(row.ord)
        tried = proof.single and at and self.can.dates is None
        if not tried or now is None or not near(row.after, now.rating):
            return
        kept = abs(now.rated_at - at) <= DATE_WITHIN_S
        self.can = replace(self.can, dates=kept)
        if not kept:
            self.notes.append(NO_DATES)

    def tags(self, row: JournalRow, seen: Mapping[int, Seen]) -> None:
        """Whether an item's other moods survive when one is added."""
        now = seen.get(row.ord)
        if now is None or now.moods is None:
            return
        if lost(row, now.moods):
            self.can = replace(self.can, additive=False)
        elif not to_add(row, now.moods):
            self.can = replace(self.can, additive=True)

    def harmed(self, row: JournalRow, now: Seen) -> bool:
        """Whether our addition cost the item other moods, which then have to come back."""
        if self.can.additive is True or not row.sent or not row.tags or now.moods is None:
            return False
        if not lost(row, now.moods):
            return False
        self.can = replace(self.can, additive=False)
        return True
