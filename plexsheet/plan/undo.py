"""A run, or everything inferred, as the plan that takes it back (pure).

Each row of the journal knows what was there before: rating, date, the moods that were
really put on or taken off, and our own entry in the shadow state.  Its reverse is a row of
a new plan, carried out like any other, so it is guarded like any other: what the person
changed since is left alone, and an undo can be undone.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.library import KINDS, Kind, Library, rows_of
from plexsheet.messages import text
from plexsheet.ownership import Event, Owned, leaders, since
from plexsheet.plan.infer import TagNames
from plexsheet.plan.model import Happened, Plan, RowOutcome, changes, from_records, together
from plexsheet.plan.verification import Seen, dated, folded
from plexsheet.ratings import near, show_stars

if TYPE_CHECKING:
    from plexsheet.state.journal import JournalRow

Record = dict[str, Any]
BACK = "undo"  # reason of a row that takes back; "redo" takes back one that did


@dataclass(frozen=True)
class Standing:
    """What is known today of the items of a run.

    Attributes:
        seen: items as Plex shows them, by kind and the key they have now.
        histories: what made each rating whose it is, by kind, field and key; oldest first.
        files: of runs, by number: the file each came from.
        strangers: for rows whose Key is another item now, by place in the run, its title.
        day: today's.
    """

    seen: Mapping[tuple[Kind, int], Seen]
    histories: Mapping[tuple[Kind, str, int], Sequence[Event]] = field(default_factory=dict)
    files: Mapping[int, str] = field(default_factory=dict)
    strangers: Mapping[int, str] = field(default_factory=dict)
    day: date | None = None


def undo_plan(rows: Sequence[JournalRow], run: int, today: Standing, *, kind: str = "undo") -> Plan:
    """What takes back the verified rows of a run.

    Args:
        rows: of the journal, verified, in order, with the keys their items have now.
        run: the run.
        today: what is known of their items.
        kind: of the plan: "undo" or "take-back".

    Returns:
        A plan; its outcomes name the rows that are left alone.
    """
    records, outcomes = [], []
    for row in rows:
        record = reverse_of(row)
        if record is None:
            continue
        told = _left_alone(row, run, today)
        if told is None:
            records.append(record)
        else:
            outcomes.append(told)
    return Plan(kind, from_records(records), tuple(outcomes), {"left_alone": len(outcomes)})


def reverse_of(row: JournalRow) -> Record | None:
    """The row of a plan that takes a verified row back; None where it had changed nothing.

    That a rating is the person's since they changed it is not ours to take back either.
    """
    if row.reason == "taken over":
        return None
    reason = "redo" if row.reason == BACK else BACK
    record: Record = {
        "kind": row.kind,
        "key": row.key,
        "field": row.field,
        "reason": reason,
        "title": row.title,
        "sheet": row.sheet,
        "row": row.row,
        "shares": row.shares,
    }
    if row.field == "exclude":
        return record | {"before": row.after, "after": row.before}
    if row.field == "twin":
        return record | {"before_text": row.after_text, "after_text": row.before_text}
    if row.field == "released":
        texts = {"before_text": row.now_text, "after_text": row.before_text}
        return record | texts if row.sent else None
    record |= _ownership_before(row) | _tags_before(row)
    changed = row.field == "rating" and (row.sent > 0 or row.shares > 0)
    if changed and not near(row.now, row.before):
        return record | {"before": row.now, "after": row.before}
    same_owner = record["owner_after"] == row.owner_after
    if same_owner and not record["tags_add"] and not record["tags_remove"]:
        return None
    return record | {"field": "tags", "before": row.now, "after": row.now, "shares": 0}


def _ownership_before(row: JournalRow) -> Record:
    if row.owner_after == "same":
        return {"owner_after": "same"}
    if row.shadow is not None and _stood(row):
        return {"owner_after": "plexsheet", "why": row.shadow.why}
    return {"owner_after": "none" if math.isnan(row.before) else "person"}


def _stood(row: JournalRow) -> bool:
    """Whether nothing of the person's stood where we had an entry."""
    return row.shadow is None or row.shadow.last_rated_at >= 0


def _tags_before(row: JournalRow) -> Record:
    """Tags that were really changed, the other way round.

    Our tags do not come back to a rating that was the person's already: beside it they would
    say that it is ours.
    """
    if not row.sent or row.moods is None:
        return {"tags_add": (), "tags_remove": ()}
    had = folded(row.moods)
    back = row.tags_remove if _stood(row) or row.owner_after == "same" else ()
    return {
        "tags_add": tuple(name for name in back if name.casefold() in had),
        "tags_remove": tuple(name for name in row.tags_add if name.casefold() not in had),
    }


def stands_as_left(row: JournalRow, now: Seen) -> bool:
    """Whether an item is as a verified row left it."""
    if row.field == "released":
        return dated(now.released) == dated(row.now_text)
    return near(now.rating, row.now)


def _left_alone(row: JournalRow, run: int, today: Standing) -> RowOutcome | None:
    """Why a row is not taken back; None where it stands as the run left it."""
    if row.ord in today.strangers:
        stranger = today.strangers[row.ord]
        message = text("C55", key=row.key, now=stranger, title=row.title, candidates="no candidate")
        return _kept(row, None, "C55", message, "Error")
    local = row.field in {"exclude", "twin"}
    now = today.seen.get((row.kind, row.key))
    if now is None and not local:
        gone = text("U82", reason="it is no longer in Plex.")
        return _kept(row, None, "U82", gone, "Error")
    if row.field == "released" or (row.owner_after == "same" and not local):
        assert now is not None
        return None if stands_as_left(row, now) else _kept(row, now, *_changed_since(row, now))
    name = row.field if local else "rating"
    history = today.histories.get((row.kind, name, row.key), ())
    rating, at = (now.rating, now.rated_at) if now is not None else (math.nan, 0)
    later = since(history, run, rating, at, seen=not local)
    if later is not None:
        return _kept(row, now, *_became(row, later, now, today))
    if local or now is None or stands_as_left(row, now):
        return None
    return _kept(row, now, *_changed_since(row, now))


def _changed_since(row: JournalRow, now: Seen) -> tuple[str, str]:
    if _as_before(row, now):
        return "U81", "Left alone: it is as it was before that run already."
    return "U81", text("U81")


def _became(row: JournalRow, later: Event, now: Seen | None, today: Standing) -> tuple[str, str]:
    """Code and sentence for a row that is another's since."""
    unlike = row.field == "rating" and not near(row.before, row.now)
    if now is not None and unlike and _as_before(row, now):
        return "U81", "Left alone: it is as it was before that run already."
    if later.owner == "plexsheet":
        return "U81", f"Left alone: run {later.run} wrote it since; undo that one first."
    if later.owner == "person":
        day, how = day_of(later.at, today.day), deed(later, today.files.get(later.run, ""))
        return "I56", text("I56", day=day, how=how) if day else text("U81")
    return "U81", text("U81")


def day_of(moment: int, today: date | None = None) -> str:
    """A day as a person says it, with the year where it is not this one; "" unknown.

    >>> day_of(1762171200, date(2025, 12, 1)), day_of(1762171200, date(2026, 1, 1)), day_of(0)
    ('3 November', '3 November 2025', '')
    """
    if moment <= 0:
        return ""
    day = date.fromtimestamp(moment)
    year = "" if today is not None and day.year == today.year else f" {day.year}"
    return f"{day.day} {day:%B}{year}"


_DEEDS = {
    "accept": "ACCEPT",
    "edit": "your edit",
    "shared": "your edit of another copy",
    "clear": "CLEAR",
    "emptied": "an emptied cell",
    "restore": "restored",
    "match": "your list",
    "exclude": "EXCLUDE",
    "include": "INCLUDE",
}


def deed(event: Event, file: str = "") -> str:
    """How a rating became the person's, in words: ``ACCEPT in music.xlsx``."""
    if event.how == "plex":
        return "rated in Plex"
    if event.how in {BACK, "redo"}:
        return f"put back by run {event.run}"
    words = _DEEDS.get(event.how, event.how)
    if not file:
        return words
    return f"{words} {'from' if event.how == 'restore' else 'in'} {file}"


def _kept(
    row: JournalRow, now: Seen | None, code: str, message: str, happened: Happened = "Kept"
) -> RowOutcome:
    dates = row.field == "released"
    plex: float | str = math.nan
    if now is not None:
        plex = now.released if dates else now.rating
    return RowOutcome(
        sheet=row.sheet,
        row=row.row,
        kind=row.kind,
        key=row.key,
        title=row.title,
        field=row.field,
        was=row.now_text if dates else row.now,
        yours=row.before_text if dates else row.before,
        plex_now=plex,
        outcome=happened,
        code=code,
        message=message,
    )


def _as_before(row: JournalRow, now: Seen) -> bool:
    if row.field == "released":
        return dated(now.released) == dated(row.before_text)
    return near(now.rating, row.before)


@dataclass(frozen=True)
class Spared:
    """Items of which nothing proves whose their rating is: rating and tags are left alone.

    Attributes:
        unproven: for each kind keys that carry our tag and are not remembered.
        unmarked: for each kind keys remembered with our tag that do not carry it.
        names: our tags.
    """

    unproven: Mapping[Kind, NDArray[np.int64]] = field(default_factory=dict)
    unmarked: Mapping[Kind, NDArray[np.int64]] = field(default_factory=dict)
    names: TagNames = field(default_factory=TagNames)

    def unproven_at(self, kind: Kind, keys: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which keys carry our tag without anything being known of them."""
        return np.isin(keys, self.unproven.get(kind, ()))

    def outcomes(self, library: Library) -> tuple[RowOutcome, ...]:
        """A line for each item whose tag stays, and why."""
        count = sum(map(len, self.unproven.values()))
        message = text("S08", "row", tag=self.names.inferred, number=count) if count else ""
        found = []
        for kind, keys in self.unproven.items():
            table = library.table(kind).iloc[rows_of(library.keys(kind), keys)]
            rows = zip(*(table[n].tolist() for n in ("key", "title", "user_rating")), strict=True)
            for key, title, rating in rows:
                where = ("", 0, kind, key, title, "tags", rating, rating, rating)
                found.append(RowOutcome(*where, "Held", "S08", message))
        return tuple(found)


def cleanup_plan(
    library: Library,
    owned: Owned,
    shadow: Mapping[Kind, pd.DataFrame],
    carriers: Mapping[Kind, Mapping[str, Collection[int]]],
    spared: Spared | None = None,
) -> Plan:
    """Every rating that stands as we left it removed, and our tags everywhere.

    Args:
        library: as read now.
        owned: whose each rating is.
        shadow: what we wrote.
        carriers: for each kind our tag names, each with the keys that carry it.
        spared: what is left alone for want of proof.
    """
    tables, spared = [], spared or Spared()
    for kind in KINDS:
        table = library.table(kind)
        keys, now = table["key"].to_numpy(), table["user_rating"].to_numpy()
        ours = ~np.isnan(now) & ~owned.evidence.manual[kind]
        ours &= ~np.isin(keys, spared.unmarked.get(kind, ()))
        tagged = _tags_by_key(carriers[kind])
        known = np.isin(keys, shadow[kind]["key"].to_numpy())
        carrying = np.isin(keys, np.fromiter(tagged, dtype=np.int64, count=len(tagged)))
        theirs = ~ours & (known | carrying) & ~spared.unproven_at(kind, keys)
        for rows, name in ((ours, "rating"), (theirs, "tags")):
            owner = np.where(np.isnan(now[rows]) | ours[rows], "none", "person")
            columns = {
                "kind": kind,
                "key": keys[rows],
                "field": name,
                "before": now[rows],
                "after": np.nan if name == "rating" else now[rows],
                "reason": "cleanup",
                "owner_after": owner.astype(object),
                "tags_remove": [tagged.get(int(key), ()) for key in keys[rows]],
                "title": table["title"].to_numpy()[rows],
                "shares": _shares(table, rows, kind) if name == "rating" else 0,
            }
            tables.append(changes(columns))
    figures = {"removed": _ratings_in(tables)}
    return Plan("cleanup", together(tables), spared.outcomes(library), figures)


def _shares(table: pd.DataFrame, rows: NDArray[np.bool_], kind: Kind) -> NDArray[np.int64]:
    """For rows that share a rating, the key of the one that is written; 0 for all others."""
    if kind != "track":
        return np.zeros(int(rows.sum()), dtype=np.int64)
    return leaders(table["guid"].to_numpy()[rows], table["key"].to_numpy()[rows])


def _ratings_in(tables: Sequence[pd.DataFrame]) -> int:
    return sum(int((table["field"] == "rating").sum()) for table in tables)


def _tags_by_key(carriers: Mapping[str, Collection[int]]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for name, keys in carriers.items():
        for key in keys:
            found[int(key)] = (*found.get(int(key), ()), name)
    return found


def sync_plan(
    library: Library,
    owned: Owned,
    shadow: Mapping[Kind, pd.DataFrame],
    carriers: Mapping[Kind, Mapping[str, Collection[int]]],
    names: TagNames,
    spared: Spared | None = None,
) -> Plan:
    """Our tags where our ratings stand, and nowhere else; arguments as ``cleanup_plan``."""
    records: list[Record] = []
    spared = spared or Spared()
    for kind in KINDS:
        table = library.table(kind)
        unproven = set(map(int, spared.unproven.get(kind, ())))
        tagged = _tags_by_key(carriers[kind])
        whys = dict(zip(shadow[kind]["key"].tolist(), shadow[kind]["why"].tolist(), strict=True))
        ratings, manual = table["user_rating"].tolist(), owned.evidence.manual[kind].tolist()
        rows = zip(table["key"].tolist(), table["title"].tolist(), ratings, manual, strict=True)
        for key, title, rating, theirs in rows:
            ours = not math.isnan(rating) and not theirs
            wanted = names.of(whys.get(key, "inferred")) if ours else ()
            carried = tagged.get(key, ())
            add = tuple(name for name in wanted if name.casefold() not in folded(carried))
            remove = tuple(name for name in carried if name.casefold() not in folded(wanted))
            if (add or remove) and key not in unproven:
                record = {"kind": kind, "key": key, "field": "tags", "reason": "tags"}
                values = {"before": rating, "after": rating, "title": title}
                records.append(record | values | {"tags_add": add, "tags_remove": remove})
    told = spared.outcomes(library)
    return Plan("sync-tags", from_records(records), told, {"tags": len(records)})


def reconstruct_plan(
    library: Library,
    owned: Owned,
    shadow: Mapping[Kind, pd.DataFrame],
    carriers: Mapping[Kind, Mapping[str, Collection[int]]],
    names: TagNames,
    *,
    theirs: Mapping[Kind, Collection[int]] | None = None,
    parted: bool = False,
) -> Plan:
    """Ratings that carry our tag, known as ours again; nothing is written to Plex.

    Args:
        library: as read now.
        owned: whose each rating is.
        shadow: what is still known; entries that stand stay as they are.
        carriers: for each kind our tag names, each with the keys that carry it.
        names: which of them marks inferred ratings, which twins.
        theirs: for each kind keys whose rating is proven to be the person's, tag or not.
        parted: whether so much disagrees that the tag counts for more than our entries:
            those that do not stand follow it, and are forgotten where it is not there.
    """
    records: list[Record] = []
    unrated = 0
    for kind in KINDS:
        keys, now = library.keys(kind), library.ratings(kind)
        ours = ~np.isnan(now) & ~owned.evidence.manual[kind]
        marked = np.isin(keys, _keys(carriers[kind].get(names.inferred, ())))
        twins = np.isin(keys, _keys(carriers[kind].get(names.twin, ()) if names.twin else ()))
        known = np.isin(keys, shadow[kind]["key"].to_numpy())
        proven = np.isin(keys, _keys((theirs or {}).get(kind, ())))
        unrated += int((marked & np.isnan(now)).sum())
        found = marked & ~np.isnan(now) & ~ours & ~proven & (parted | ~known)
        forgotten = known & ~ours & ~found & parted
        titles = library.table(kind)["title"].to_numpy()
        for row in np.flatnonzero(found | forgotten).tolist():
            why = "" if forgotten[row] else "twin" if twins[row] else "inferred"
            nobody = "none" if np.isnan(now[row]) else "person"
            records.append(
                {
                    "kind": kind,
                    "key": int(keys[row]),
                    "field": "tags",
                    "before": float(now[row]),
                    "after": float(now[row]),
                    "reason": "reconstruct",
                    "owner_after": "plexsheet" if why else nobody,
                    "why": why,
                    "tags_add": names.of(why) if why else (),
                    "title": str(titles[row]),
                }
            )
    figures = {"left_alone": unrated, "parted": parted}
    return Plan("reconstruct", from_records(records), (), figures)


def _keys(keys: Collection[int]) -> NDArray[np.int64]:
    return np.array([int(key) for key in keys], dtype=np.int64)


def problems(
    library: Library,
    owned: Owned,
    shadow: Mapping[Kind, pd.DataFrame],
    carriers: Mapping[Kind, Mapping[str, Collection[int]]],
    names: TagNames,
) -> list[Record]:
    """Where Plex and what we remember of it disagree.

    Returns:
        For each: problem ("override": the person changed an inferred rating; "orphan": an
        item we wrote to is gone; "tag_mismatch": a tag of ours missing or too many), kind,
        key, title, shadow and now (0-10, NaN), detail.
    """
    found: list[Record] = []
    for kind, key, value, now, *_ in owned.taken_over.itertuples(index=False):
        title = _title(library, kind, key)
        detail = f"we wrote {show_stars(value)}, Plex holds {show_stars(now)}"
        found.append(_problem("override", kind, key, title, value, now, detail))
    for kind in KINDS:
        entries = shadow[kind]
        gone = entries[rows_of(library.keys(kind), entries["key"].to_numpy()) < 0]
        for key, value in zip(gone["key"].tolist(), gone["value"].tolist(), strict=True):
            detail = "the item is no longer in Plex"
            found.append(_problem("orphan", kind, key, "", value, math.nan, detail))
    mismatches = sync_plan(library, owned, shadow, carriers, names).changes
    for row in mismatches.to_dict("records"):
        parts = [f"lacks {', '.join(row['tags_add'])}"] if row["tags_add"] else []
        parts += [f"carries {', '.join(row['tags_remove'])}"] if row["tags_remove"] else []
        where = (row["kind"], row["key"], row["title"])
        found.append(_problem("tag_mismatch", *where, math.nan, row["before"], "; ".join(parts)))
    return found


def _problem(
    problem: str, kind: str, key: int, title: str, shadow: float, now: float, detail: str
) -> Record:
    names = ("problem", "kind", "key", "title", "shadow", "now", "detail")
    return dict(zip(names, (problem, kind, int(key), title, shadow, now, detail), strict=True))


def _title(library: Library, kind: Kind, key: int) -> str:
    row = rows_of(library.keys(kind), np.array([key], dtype=np.int64))[0]
    return "" if row < 0 else str(library.table(kind)["title"].to_numpy()[row])
