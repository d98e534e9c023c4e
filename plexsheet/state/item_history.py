"""The ratings of one item over time, from what is remembered: runs, exports, the last read.

A run knows what stood there before and after; an export and the last read know what stood
there then.  Where the next of them finds another value than the one before left, somebody
changed it in Plex in between.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from plexsheet.identity import identity_at, verdict
from plexsheet.library import KIND_NUMBER, KINDS, Kind, Library, rows_of
from plexsheet.ratings import near
from plexsheet.state.bases import unpack
from plexsheet.state.identities import Identities
from plexsheet.state.snapshots import Snapshot
from plexsheet.state.store import State


@dataclass(frozen=True)
class KnownItem:
    """An item that something is known of; texts are ``""`` where unknown."""

    kind: Kind
    key: int
    title: str
    artist: str = ""
    album: str = ""


@dataclass(frozen=True)
class ItemEvent:
    """What became of a rating, or was seen of it.

    Attributes:
        when: epoch seconds; of a change in Plex the time by which it had happened.
        what: kind of the run (import, infer, undo …), ``export`` or ``read`` where the value
            was seen, ``Plex`` where it was changed there in between.
        was, became: 0-10, NaN unrated.
        whose: ``person``, ``plexsheet``, ``none``; ``""`` unknown.
        run: its number, 0 for none.
        title: the item's then.
        file: the run's or export's.
        message: why a run wrote something else than meant, or nothing.
    """

    when: float
    what: str
    was: float
    became: float
    whose: str = ""
    run: int = 0
    title: str = ""
    file: str = ""
    message: str = ""


@dataclass(frozen=True)
class Timeline:
    """The ratings of an item, oldest first, and what else its Key stood for once."""

    events: list[ItemEvent]
    others: list[str]


def item_history(state: State, scope: int, item: KnownItem, last: Snapshot | None) -> Timeline:
    """The ratings of an item over time, also under keys it had before.

    Args:
        state: what is remembered.
        scope: of which library.
        item: which one.
        last: the library as last read; None before the first read.
    """
    own = _own_numbers(state, scope, item, last.library if last else None)
    runs, others = _runs(state, scope, item, own)
    known = [*runs, *_exports(state, scope, item, own), *_last_seen(item, last)]
    return Timeline(list(_with_gaps(sorted(known, key=lambda event: event.when))), others)


def _own_numbers(state: State, scope: int, item: KnownItem, library: Library | None) -> set[int]:
    """Numbers of the identities that are this item; 0, where none is known, counts too.

    Under another key it has to be proven, and that key gone: copies share a guid.
    """
    known = Identities(state, scope, item.kind)
    number = int(known.latest(np.array([item.key]))[0])
    if not number:
        return {0}
    table, now = known.table, identity_at(known.table, number - 1)
    key = table["key"].to_numpy()
    there = key if library is None else library.keys(item.kind)
    gone = (table["guid"].to_numpy() == now.guid) & (now.guid > 0) & ~np.isin(key, there)
    own = {0, number}
    for row in np.flatnonzero((key == item.key) | gone).tolist():
        found = verdict(item.kind, identity_at(table, row), now)
        if found == "proven" or (found == "likely" and key[row] == item.key):
            own.add(row + 1)
    return own


def _with_gaps(known: Sequence[ItemEvent]) -> Iterator[ItemEvent]:
    """The events, with the changes in Plex that lie between them; what only repeats is left out."""
    standing: float | None = None
    for event in known:
        seen = not event.run
        moved = standing is not None and not near(standing, event.was)
        if moved and standing is not None:
            yield ItemEvent(event.when, "Plex", standing, event.was, "person", title=event.title)
        if not seen or standing is None:
            yield event
        standing = event.became


def _runs(
    state: State, scope: int, item: KnownItem, own: set[int]
) -> tuple[list[ItemEvent], list[str]]:
    """What runs did to it, and the titles of other items that had its key then."""
    numbers = sorted(own - {0})
    marks = ", ".join("?" * len(numbers))
    rows = state.database.read(
        "SELECT journal.identity, run.id, run.kind, run.started, run.file, journal.before, "  # noqa: S608
        "journal.now, journal.owner_after, journal.status, journal.code, journal.message, "
        "journal.title FROM journal JOIN run ON run.id = journal.run WHERE run.scope = ? "
        f"AND journal.kind = ? AND (journal.key = ? OR journal.identity IN ({marks})) "
        "AND journal.field = 'rating' AND journal.status IN ('verified', 'held', 'failed')",
        (scope, KIND_NUMBER[item.kind], item.key, *numbers),
    )
    events = list(_events([row[1:] for row in rows if row[0] in own]))
    return events, sorted({row[-1] for row in rows if row[0] not in own})


def _events(rows: Sequence[tuple[Any, ...]]) -> Iterator[ItemEvent]:
    for run, kind, started, file, before, now, owner, status, code, message, title in rows:
        was = _rating(before)
        written = status == "verified"
        yield ItemEvent(
            started,
            kind if written else f"{kind}, not written",
            was,
            _rating(now) if written else was,
            owner if written else "",
            run,
            title,
            file,
            f"{code or ''} {message or ''}".strip(),
        )


def _rating(value: float | None) -> float:
    return math.nan if value is None else value


def _exports(state: State, scope: int, item: KnownItem, own: set[int]) -> Iterator[ItemEvent]:
    """What each export that is still kept showed; imports from it have moved its base since."""
    exports = state.database.read("SELECT id, made_at, file FROM export WHERE scope = ?", (scope,))
    for export_id, made_at, file in exports:
        base = state.base(scope, export_id, item.kind)
        if base is None or "in_plex" not in base:
            continue
        rows = np.flatnonzero(base["key"].to_numpy() == item.key)
        known = int(base["identity"].iloc[rows[0]]) if len(rows) and "identity" in base else 0
        if len(rows) and known in own:
            value = _first_shown(state, export_id, item, float(base["in_plex"].iloc[rows[0]]))
            yield ItemEvent(made_at, "export", value, value, file=file)


def _first_shown(state: State, export_id: str, item: KnownItem, value: float) -> float:
    changes = state.database.read(
        "SELECT columns FROM base_change WHERE export = ? AND kind = ? ORDER BY run",
        (export_id, KIND_NUMBER[item.kind]),
    )
    for (packed,) in changes:
        before = unpack(packed)
        here = before[before["key"] == item.key]
        if len(here) and "in_plex" in here:
            return float(here["in_plex"].iloc[0])
    return value


def _last_seen(item: KnownItem, last: Snapshot | None) -> Iterator[ItemEvent]:
    """What the last read showed, by our clock as all events; the server's may be another time."""
    if last is None:
        return
    row = rows_of(last.library.keys(item.kind), np.array([item.key]))[0]
    if row >= 0:
        value = float(last.library.ratings(item.kind)[row])
        yield ItemEvent(last.saved_at, "read", value, value, title=item.title)


def find_items(state: State, scope: int, wanted: str, library: Library | None) -> list[KnownItem]:
    """Items of a key, of a title, or of "artist - title"; nothing similar, but upper and lower
    case alike.

    Args:
        state: what is remembered, items that are gone too.
        scope: of which library.
        wanted: as typed.
        library: as last read; None before the first read.
    """
    known = {(item.kind, item.key): item for item in _written(state, scope)}
    known |= {(item.kind, item.key): item for item in _read(library)}
    if wanted.strip().isdecimal():
        by_key = [item for item in known.values() if item.key == int(wanted)]
        if by_key:
            return by_key
    name = _plain(wanted)
    return [
        item
        for item in known.values()
        if name in (_plain(item.title), _plain(f"{item.artist} - {item.title}"))
    ]


def _plain(words: str) -> str:
    return " ".join(words.replace("–", "-").casefold().split())


def _written(state: State, scope: int) -> Iterator[KnownItem]:
    rows = state.database.read(
        "SELECT DISTINCT journal.kind, key, title FROM journal JOIN run ON run.id = journal.run "
        "WHERE scope = ?",
        (scope,),
    )
    return (KnownItem(KINDS[kind], key, title) for kind, key, title in rows)


def _read(library: Library | None) -> Iterator[KnownItem]:
    for kind in KINDS if library is not None else ():
        assert library is not None
        table = library.table(kind)
        none = [""] * len(table)
        artists = table["artist"].tolist() if kind != "artist" else none
        albums = table["album"].tolist() if kind == "track" else none
        columns = (table["key"].tolist(), table["title"].tolist(), artists, albums)
        yield from (KnownItem(kind, *values) for values in zip(*columns, strict=True))
