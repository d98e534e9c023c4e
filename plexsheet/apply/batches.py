"""Rows of a plan packed into as few requests as their values allow (pure).

One batch edit carries one rating, one set of tags and one date for many items of a
kind.  Where a server takes ratings one by one only, ratings and tags go separately.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from plexsheet.library import Kind
from plexsheet.plan.verification import all_moods, dated, folded, to_add, to_remove
from plexsheet.plex.writes import BatchEdit
from plexsheet.ratings import UNRATED, agrees

if TYPE_CHECKING:
    from plexsheet.state.journal import JournalRow

Mode = Literal["auto", "batch", "rate"]
TRIED = 3  # after so many batch edits in vain a row is rated alone
RATE_ROWS = 10  # rated one by one between two looks at the person and at whether to stop


@dataclass(frozen=True)
class Capability:
    """What was learned about writing to one server; None: not yet known.

    Attributes:
        batch: ratings survive a batch edit.
        edit: batch edits are allowed at all; tags and dates need them.
        additive: adding a tag leaves an item's other tags alone.
        tags: tags that were sent did arrive.
        step: points to which the server rounds ratings, 0 for not.
        shares: tracks with the same guid get each other's rating.
        dates: the time at which a rating was given elsewhere is kept.
    """

    server_version: str = ""
    batch: bool | None = None
    edit: bool | None = None
    additive: bool | None = None
    tags: bool | None = None
    step: float = 0.0
    shares: bool | None = None
    dates: bool | None = None

    @property
    def takes_tags(self) -> bool:
        """Whether tags may be tried."""
        return self.edit is not False and self.tags is not False


@dataclass
class Batch:
    """Rows that one request carries, or (``single``) that are rated one by one.

    Attributes:
        proof: to be read back at once, because something is learned from it.
    """

    kind: Kind
    rows: list[JournalRow]
    edit: BatchEdit
    single: bool = False
    proof: bool = False


@dataclass
class Load:
    """What is to be sent for some rows, and those for which nothing can be."""

    batches: list[Batch] = field(default_factory=list)
    idle: list[JournalRow] = field(default_factory=list)


class Cutter(Protocol):
    """What cuts keys into parts that fit one request each: a gateway."""

    def chunks(
        self, kind: Kind, keys: NDArray[np.int64], edit: BatchEdit
    ) -> Iterable[NDArray[np.int64]]:
        """Keys in parts."""
        ...


def pack(rows: Sequence[JournalRow], can: Capability, mode: Mode, gateway: Cutter) -> Load:
    """Rows into requests.

    Args:
        rows: with ``now``, ``moods`` and ``locked`` as read just before.
        can: what this server was seen to do.
        mode: "auto", or one way forced.
        gateway: knows how much fits one request.
    """
    singly = mode == "rate" or (mode == "auto" and can.batch is False)
    groups: dict[tuple[Kind, bool, BatchEdit], list[JournalRow]] = {}
    load = Load()
    for row in rows:
        rating, edit = rating_to_send(row, can.step), edit_to_send(row, can)
        alone = singly or (mode != "batch" and date_to_send(row, can) > 0)
        if rating is not None and (alone or (mode == "auto" and row.sent >= TRIED)):
            groups.setdefault((row.kind, True, BatchEdit(rating=rating)), []).append(row)
        elif rating is not None:
            edit = replace(edit, rating=rating)
        if _says_something(edit):
            groups.setdefault((row.kind, False, edit), []).append(row)
        elif rating is None:
            load.idle.append(row)
    # Ratings that go alone go first: whose tags are on has got its rating, or never will.
    for (kind, single, edit), members in sorted(groups.items(), key=lambda one: not one[0][1]):
        load.batches += _cut(kind, members, edit, single, gateway)
    _mark_proofs(load, can, mode)
    return load


def rating_to_send(row: JournalRow, step: float) -> float | None:
    """The rating a row still has to be sent with; NaN clears, None: it stands already."""
    if row.field != "rating" or agrees(row.after, row.now, step):
        return None
    return UNRATED if math.isnan(row.after) else row.after  # one NaN, so that equal edits are equal


def date_to_send(row: JournalRow, can: Capability) -> int:
    """Epoch second of a rating given elsewhere, 0 where it has none or the server keeps none."""
    dated_rating = row.field == "rating" and row.after_text.isdecimal() and can.dates is not False
    return int(row.after_text) if dated_rating else 0


def edit_to_send(row: JournalRow, can: Capability) -> BatchEdit:
    """Tags and date that a row still has to be sent with."""
    if can.edit is False:
        return BatchEdit()
    if row.field == "released":
        # What we set is locked, or Plex's agents would set it back; taking back unlocks it.
        return BatchEdit(released=dated(row.after_text), released_locked=row.reason != "undo")
    if not row.tags or not can.takes_tags or row.moods is None:
        return BatchEdit()
    return _tags_to_send(row, can.additive is False)


def _tags_to_send(row: JournalRow, replacing: bool) -> BatchEdit:
    moods = row.moods or ()
    add, remove = to_add(row, moods), to_remove(row, moods)
    if not add and not remove:
        return BatchEdit()
    if replacing and (add or others(row)):
        return BatchEdit(tags_all=all_moods(row), tags_remove=remove, mood_locked=row.locked)
    return BatchEdit(tags_add=add, tags_remove=remove, mood_locked=row.locked)


def others(row: JournalRow) -> bool:
    """Whether the item has moods that are none of this row's business."""
    return bool(folded(row.moods or ()) - folded(row.tags_add) - folded(row.tags_remove))


def _says_something(edit: BatchEdit) -> bool:
    return replace(edit, mood_locked=False, released_locked=True) != BatchEdit()


def _cut(
    kind: Kind, rows: list[JournalRow], edit: BatchEdit, single: bool, gateway: Cutter
) -> list[Batch]:
    if single:
        parts = [rows[i : i + RATE_ROWS] for i in range(0, len(rows), RATE_ROWS)]
        return [Batch(kind, part, edit, single=True) for part in parts]
    keys = np.array([row.key for row in rows], dtype=np.int64)
    by_key = {row.key: row for row in rows}
    return [
        Batch(kind, [by_key[int(key)] for key in part], edit)
        for part in gateway.chunks(kind, keys, edit)
    ]


def _mark_proofs(load: Load, can: Capability, mode: Mode) -> None:
    """Choose what is to be learned from: the first batch of ratings, the first tag added."""
    if can.additive is None:
        _one_alone(load)
    if can.dates is None:
        _first_dated(load, can)
    if mode == "auto" and can.batch is None:
        first = next((p for p in load.batches if not p.single and p.edit.rating is not None), None)
        if first is not None:
            first.proof = True


def _first_dated(load: Load, can: Capability) -> None:
    """Let one rating that was given elsewhere go first, to see whether its time is kept."""
    for place, batch in enumerate(load.batches):
        if batch.single and date_to_send(batch.rows[0], can):
            first, rest = batch.rows[:1], batch.rows[1:]
            load.batches[place] = replace(batch, rows=rest)
            load.batches = [replace(batch, rows=first, proof=True), *load.batches]
            load.batches = [one for one in load.batches if one.rows]
            return


def _one_alone(load: Load) -> None:
    """Let one item that has other moods go first and alone: they must survive an addition."""
    for place, batch in enumerate(load.batches):
        chosen = next((row for row in batch.rows if others(row)), None)
        if batch.single or not batch.edit.tags_add or chosen is None:
            continue
        rest = [row for row in batch.rows if row is not chosen]
        load.batches[place : place + 1] = [Batch(batch.kind, rest, batch.edit)] if rest else []
        load.batches.insert(0, Batch(batch.kind, [chosen], batch.edit, proof=True))
        return


def of_one_kind(rows: list[JournalRow]) -> list[JournalRow]:
    """The rows of the first one's kind, up to those that share a rating with others."""
    first = rows[0]
    return [
        row for row in rows if row.kind == first.kind and bool(row.shares) == bool(first.shares)
    ]


def without(batches: Sequence[Batch], ended: set[int]) -> list[Batch]:
    """Batches without the rows that have ended."""
    left = [replace(p, rows=[r for r in p.rows if r.ord not in ended]) for p in batches]
    return [batch for batch in left if batch.rows]


def left_of(out: Mapping[int, JournalRow], batches: Sequence[Batch]) -> list[JournalRow]:
    """Rows of batches that were not sent yet, in part or whole."""
    rest = {row.ord: row for batch in batches for row in batch.rows}
    return [row for number, row in rest.items() if number not in out]


def smaller(batch: Batch) -> list[Batch]:
    """What to try when the form of a request was refused: halves, then one rating alone."""
    if batch.single:
        return []
    middle = len(batch.rows) // 2
    if middle:
        return [
            replace(batch, rows=batch.rows[:middle]),
            replace(batch, rows=batch.rows[middle:]),
        ]
    return [replace(batch, single=True)] if batch.edit.rating is not None else []
