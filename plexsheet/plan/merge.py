"""Edits of a file against their base and Plex as it is now (pure).

Three values decide about a rating: what the workbook showed when it was made (base), what
it shows now, and what Plex holds now.  Each side is compared with the base, never with the
other alone, so an old workbook does not undo newer ratings.  A person outranks an inference;
two different wishes of the person's are held until they say which one counts.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.inference.model import TwinDecision
from plexsheet.library import KINDS, Kind
from plexsheet.messages import text
from plexsheet.ownership import Source, stands
from plexsheet.plan.decided import Decided, Record
from plexsheet.plan.limits import Brakes, Budget
from plexsheet.plan.model import Edit, Plan, RowOutcome, from_records
from plexsheet.ratings import UNRATED, agrees, same, show_stars

OnConflict = Literal["hold", "mine", "plex"]
OURS = (Source.INFERRED, Source.TWIN)


@dataclass(frozen=True)
class ItemNow:
    """An item as Plex holds it, and what we know of it.

    Attributes:
        ours: whether the rating stands as plexsheet left it.
        given_again: whether the person gave the very rating that plexsheet had left.
        tags: our tags it carries.
    """

    rating: float
    title: str
    released: str = ""
    year: int = 0
    ours: bool = False
    given_again: bool = False
    tags: tuple[str, ...] = ()


def merge(
    edits: Sequence[Edit],
    current: Mapping[Kind, pd.DataFrame],
    shadow: Mapping[Kind, pd.DataFrame],
    *,
    excluded: Mapping[Kind, NDArray[np.int64]] | None = None,
    twin_decisions: Mapping[int, TwinDecision] | None = None,
    on_conflict: OnConflict = "hold",
    confirm: Collection[int] = (),
    budget: Budget | None = None,
    sheet_rows: Mapping[str, int] | None = None,
    sheet_rated: Mapping[str, int] | None = None,
    siblings: Mapping[int, tuple[int, ...]] | None = None,
    healed: Mapping[tuple[Kind, int], int] | None = None,
    strangers: Mapping[tuple[Kind, int], tuple[str, int]] | None = None,
    two_way: bool = False,
    may_edit: bool | None = None,
    server_step: float = 0.0,
    unattended: bool = False,
    guarded: bool = True,
    kind: str = "import",
) -> Plan:
    """What a file's edits change in Plex.

    Args:
        edits: cells that differ from their base, and actions.
        current: for each kind the items of the edits and their siblings as Plex holds them
            now: key, title, user_rating, last_rated_at, for albums released and year.
        shadow: for each kind what plexsheet wrote last.
        excluded: for each kind keys already marked EXCLUDE.
        twin_decisions: those already made.
        on_conflict: what to do where both sides changed: hold, or let one win.
        confirm: numbers the person typed to confirm what would be held.
        budget: beyond it a sheet is held (S04).
        sheet_rows: rows of each sheet, for the budget's share.
        sheet_rated: rows of each sheet with a rating of the person's, for emptied cells.
        siblings: tracks that share their rating with others.
        healed: items found again: kind and old key to the new key.
        strangers: kind and key of items not found: the title of what stands under the key
            now, "" for nothing, and how many items fitted.
        two_way: there is no base; compare with Plex alone.
        may_edit: whether dates can be written; False refuses them.
        server_step: points to which this server rounds what it is sent, 0 for not.
        unattended: nobody can be asked, and messages say so.
        guarded: whether many emptied cells, a large change and one value for many rows are held.
        kind: of the plan.

    Returns:
        A plan; notes hold ``stopped`` (sheets held as a whole: sheet, code, message, rows),
        ``confirm`` (numbers that would release what is held) and ``messages``.
    """
    known = _Known(
        current, shadow, excluded or {}, twin_decisions or {}, healed or {}, strangers or {}
    )
    rules = _Rules(on_conflict, two_way, may_edit, server_step)
    decided = [_decide(edit, known, rules) for edit in edits]
    _one_rating_per_recording(decided, siblings or {})
    _spare_rated_from_exclusion(decided)
    brakes = Brakes(frozenset(confirm), budget or Budget(), unattended)
    for sheet in sorted({one.edit.sheet for one in decided}) if guarded else ():
        here = [one for one in decided if one.edit.sheet == sheet]
        brakes.emptied(sheet, here, (sheet_rated or {}).get(sheet, 0))
        brakes.budgeted(sheet, here, (sheet_rows or {}).get(sheet, 0))
        brakes.one_value(sheet, here)
    records = [record for one in decided for record in one.records]
    records += _shared(records, siblings or {}, known)
    notes = {"stopped": brakes.stopped, "confirm": sorted(brakes.wanted), "messages": brakes.told}
    return Plan(kind, from_records(records), tuple(map(_reported, decided)), notes)


@dataclass(frozen=True)
class _Rules:
    on_conflict: OnConflict
    two_way: bool
    may_edit: bool | None
    server_step: float

    def stands(self, wanted: float, now: ItemNow) -> bool:
        """Whether Plex holds what is wanted already, as far as this server can tell it apart."""
        return same(wanted, now.rating) or agrees(wanted, now.rating, self.server_step)


class _Known:
    """Items as they are now, by kind and key."""

    def __init__(
        self,
        current: Mapping[Kind, pd.DataFrame],
        shadow: Mapping[Kind, pd.DataFrame],
        excluded: Mapping[Kind, NDArray[np.int64]],
        twin_decisions: Mapping[int, TwinDecision],
        healed: Mapping[tuple[Kind, int], int],
        strangers: Mapping[tuple[Kind, int], tuple[str, int]],
    ) -> None:
        self.items: dict[tuple[Kind, int], ItemNow] = {}
        for kind in KINDS:
            if kind in current:
                self.items |= _items(kind, current[kind], shadow[kind])
        self.excluded = {kind: set(keys.tolist()) for kind, keys in excluded.items()}
        self.twins, self.healed, self.strangers = twin_decisions, healed, strangers

    def find(self, edit: Edit) -> tuple[int, ItemNow | None]:
        """The item's key now, and the item; None where it is gone."""
        if (edit.kind, edit.key) in self.strangers:
            return edit.key, None
        key = self.healed.get((edit.kind, edit.key), edit.key)
        return key, self.items.get((edit.kind, key))


def _items(
    kind: Kind, table: pd.DataFrame, shadow: pd.DataFrame
) -> dict[tuple[Kind, int], ItemNow]:
    entries = {
        key: (value, at, tuple(tags.split("\n")) if tags else ())
        for key, value, at, tags in zip(
            *(shadow[name].tolist() for name in ("key", "value", "last_rated_at", "tags")),
            strict=True,
        )
    }
    columns = [table[name].tolist() for name in ("key", "title", "user_rating", "last_rated_at")]
    dates = table["released"].tolist() if "released" in table else [""] * len(table)
    years = table["year"].tolist() if "year" in table else [0] * len(table)
    found: dict[tuple[Kind, int], ItemNow] = {}
    for key, title, rating, at, date, year in zip(*columns, dates, years, strict=True):
        value, left_at, tags = entries.get(key, (UNRATED, 0, ()))
        ours = bool(stands(rating, at, value, left_at))
        again = not ours and bool(stands(rating, 0, value, 0))
        found[kind, key] = ItemNow(rating, title, date, year, ours, again, tags)
    return found


# One edit


def _decide(edit: Edit, known: _Known, rules: _Rules) -> Decided:
    key, now = known.find(edit)
    stranger, fits = known.strangers.get((edit.kind, edit.key), ("", 0))
    if now is None and stranger:
        told = text("C55", key=key, now=stranger, title=edit.title, candidates=candidates(fits))
        return Decided(edit, key, "Held", UNRATED, "C55", told)
    if now is None:
        shown = show_stars(edit.wanted) if edit.field == "rating" else edit.wanted_text
        return Decided(edit, key, "Error", UNRATED, "E06", text("E06", stars=shown))
    one = _DECIDE[edit.field](edit, key, now, known, rules)
    if key != edit.key and not one.code:
        one.code, one.message = "I53", text("I53")
    return one


def candidates(fits: int) -> str:
    """How many items fitted, in words.

    >>> candidates(0), candidates(2)
    ('no candidate', '2 candidates')
    """
    return "1 candidate" if fits == 1 else f"{fits or 'no'} candidate{'s' if fits else ''}"


def _rating(edit: Edit, key: int, now: ItemNow, known: _Known, rules: _Rules) -> Decided:
    wanted = edit.inferred if edit.action == "ACCEPT" and math.isnan(edit.wanted) else edit.wanted
    if edit.action == "ACCEPT" and math.isnan(wanted):
        return Decided(edit, key, "Error", now.rating, "E22", text("E22"))
    if edit.action == "PLEX" or _plex_wins(edit, wanted, now, rules):
        told = text("I51", plex=show_stars(now.rating))
        return Decided(edit, key, "Kept", now.rating, "I51", told)
    if math.isnan(wanted):
        return _removal(edit, key, now, rules)
    if rules.stands(wanted, now):
        return _already(edit, key, now)
    if _conflicts(edit, now, rules):
        return _conflict(edit, key, wanted, now)
    return _write(edit, key, wanted, now)


def _changed_in_plex(edit: Edit, now: ItemNow, rules: _Rules) -> bool:
    """Whether Plex holds another rating than when the workbook was made, or the person's now."""
    if rules.two_way or edit.base_source < 0:
        return False
    confirmed = now.given_again and edit.base_source in OURS
    return confirmed or not same(now.rating, edit.base_in_plex)


def _conflicts(edit: Edit, now: ItemNow, rules: _Rules) -> bool:
    """Whether both sides changed, by the person's own hand."""
    if now.ours or edit.action == "MINE" or rules.on_conflict == "mine":
        return False
    if math.isnan(now.rating) and edit.base_source != Source.MANUAL:
        return False  # what stood there was inferred; no rating of the person's is in the way
    return _changed_in_plex(edit, now, rules)


def _plex_wins(edit: Edit, wanted: float, now: ItemNow, rules: _Rules) -> bool:
    if rules.on_conflict != "plex" or edit.action == "MINE" or rules.stands(wanted, now):
        return False
    return not now.ours and _changed_in_plex(edit, now, rules)


def _write(edit: Edit, key: int, wanted: float, now: ItemNow) -> Decided:
    reason = "accept" if edit.action == "ACCEPT" else "edit"
    record = _record(edit, key, now, after=wanted, reason=reason, owner_after="person")
    if edit.wanted_text.isdecimal():
        record["after_text"] = edit.wanted_text
    return Decided(edit, key, "Would apply", now.rating, records=[record])


def _already(edit: Edit, key: int, now: ItemNow) -> Decided:
    """The same number stands there: nothing to write, but from now on it is the person's."""
    told = ("", "")
    if not same(now.rating, edit.base_in_plex):
        told = ("I52", text("I52", plex=show_stars(now.rating)))
    if not now.ours:
        return Decided(
            edit, key, "Unchanged", now.rating, "I52", text("I52", plex=show_stars(now.rating))
        )
    record = _record(edit, key, now, after=now.rating, reason="accept", owner_after="person")
    return Decided(edit, key, "Would apply", now.rating, *told, [record | {"field": "tags"}])


def _removal(edit: Edit, key: int, now: ItemNow, rules: _Rules) -> Decided:
    emptied = edit.action == ""
    if math.isnan(now.rating) or (emptied and now.ours):
        return Decided(
            edit, key, "Unchanged", now.rating, "I52", text("I52", plex=show_stars(now.rating))
        )
    if _conflicts(edit, now, rules):
        return _conflict(edit, key, UNRATED, now)
    reason = "emptied" if emptied else "clear"
    record = _record(edit, key, now, after=UNRATED, reason=reason, owner_after="none")
    one = Decided(edit, key, "Would apply", now.rating, records=[record], emptied=emptied)
    if emptied:
        variant = "withdrawn" if edit.wanted_text else ""
        one.code, one.message = "W23", text("W23", variant, stars=show_stars(now.rating))
    return one


def _conflict(edit: Edit, key: int, wanted: float, now: ItemNow) -> Decided:
    told = text("C50", yours=show_stars(wanted), plex=show_stars(now.rating))
    return Decided(edit, key, "Conflict", now.rating, "C50", told)


def _exclusion(edit: Edit, key: int, now: ItemNow, known: _Known, rules: _Rules) -> Decided:
    exclude = edit.action != "INCLUDE"
    if (key in known.excluded.get(edit.kind, ())) == exclude:
        return Decided(edit, key, "Unchanged", now.rating)
    record = _record(edit, key, now, field="exclude", reason=edit.action.lower())
    record |= {"before": float(not exclude), "after": float(exclude), "tags_remove": ()}
    records = [record]
    if exclude and now.ours:
        gone = {"after": UNRATED, "reason": "exclude", "owner_after": "none"}
        records.append(_record(edit, key, now, **gone))
    return Decided(edit, key, "Would apply", now.rating, records=records)


def _release(edit: Edit, key: int, now: ItemNow, known: _Known, rules: _Rules) -> Decided:
    wanted, held = edit.wanted_text, now.released or (f"{now.year:04d}" if now.year else "")
    if wanted == held or (len(wanted) == 4 and wanted == f"{now.year:04d}"):
        return Decided(edit, key, "Unchanged", held, "I52", text("I52", plex=held))
    if rules.may_edit is False:
        return Decided(edit, key, "Error", held, "E33", text("E33"))
    based = not (rules.two_way or edit.base_source < 0 or math.isnan(edit.base))
    if based and int(edit.base) != now.year and edit.action != "MINE":
        if edit.action == "PLEX" or rules.on_conflict == "plex":
            return Decided(edit, key, "Kept", held, "I51", text("I51", plex=held))
        if rules.on_conflict == "hold":
            told = text("C50", yours=wanted, plex=held or "no date")
            return Decided(edit, key, "Conflict", held, "C50", told)
    if len(wanted) == 4 and now.released and not now.released.endswith("-01-01"):
        told = text("W32", was=now.released, date=f"{wanted}-01-01")
        return Decided(edit, key, "Held", held, "W32", told)
    record = _record(edit, key, now, field="released", reason="edit")
    record |= {"before_text": held, "after_text": wanted, "tags_remove": ()}
    return Decided(edit, key, "Would apply", held, records=[record])


def _twin(edit: Edit, key: int, now: ItemNow, known: _Known, rules: _Rules) -> Decided:
    before = twin_text(known.twins.get(key))
    if before == edit.wanted_text:
        return Decided(edit, key, "Unchanged", before)
    record = _record(edit, key, now, field="twin", reason="edit")
    record |= {"before_text": before, "after_text": edit.wanted_text, "tags_remove": ()}
    return Decided(edit, key, "Would apply", before, records=[record])


def twin_text(decision: TwinDecision | None) -> str:
    """A twin decision as a plan keeps it: word, label and sub-group, tabs between; ``""`` none."""
    if decision is None:
        return ""
    return f"{decision.decision}\t{decision.group}\t{decision.sub_group}"


_DECIDE = {"rating": _rating, "exclude": _exclusion, "released": _release, "twin": _twin}


def _record(edit: Edit, key: int, now: ItemNow, **more: Any) -> Record:
    return {
        "kind": edit.kind,
        "key": key,
        "field": "rating",
        "before": now.rating,
        "tags_remove": now.tags,
        "title": now.title or edit.title,
        "sheet": edit.sheet,
        "row": edit.row,
        "owner_after": "same",
        **more,
    }


def _reported(one: Decided) -> RowOutcome:
    edit = one.edit
    was: float | str = edit.base
    yours: float | str = edit.wanted
    if edit.field == "rating" and edit.action == "ACCEPT" and math.isnan(edit.wanted):
        yours = edit.inferred
    if edit.field in {"exclude", "twin"}:
        was, yours = "", edit.wanted_text or edit.action
    elif edit.field == "released":
        was, yours = "" if math.isnan(edit.base) else f"{int(edit.base):04d}", edit.wanted_text
    return RowOutcome(
        sheet=edit.sheet,
        row=edit.row,
        kind=edit.kind,
        key=one.key,
        title=edit.title,
        field=edit.field,
        was=was,
        yours=yours,
        plex_now=one.plex_now,
        outcome=one.outcome,
        code=one.code,
        message=one.message,
    )


# Edits together


def _one_rating_per_recording(
    decided: Sequence[Decided], siblings: Mapping[int, tuple[int, ...]]
) -> None:
    """Refuse different ratings for tracks that share one (E31)."""
    by_group: dict[frozenset[int], list[Decided]] = defaultdict(list)
    for one in decided:
        if one.writes_rating and one.edit.kind == "track" and one.key in siblings:
            by_group[frozenset((one.key, *siblings[one.key]))].append(one)
    for group in by_group.values():
        wishes = {show_stars(one.wish): None for one in group}
        if len(wishes) > 1:
            *first, last = wishes
            told = text("E31", values=f"{', '.join(first)} and {last}")
            for one in group:
                one.held("E31", told, "Error")


def _spare_rated_from_exclusion(decided: Sequence[Decided]) -> None:
    """EXCLUDE removes our value, unless the same row gives the item a rating anyway."""
    rated = {(one.edit.kind, one.key) for one in decided if one.writes_rating}
    for one in decided:
        if one.edit.field == "exclude" and (one.edit.kind, one.key) in rated:
            one.records = one.records[:1]


def _shared(
    records: Sequence[Record], siblings: Mapping[int, tuple[int, ...]], known: _Known
) -> list[Record]:
    """Rows for tracks that get a rating because they share it with an edited one."""
    leaders: dict[int, Record] = {}
    rated = [r for r in records if r["kind"] == "track" and r["field"] in {"rating", "tags"}]
    edited = {record["key"]: record for record in rated}
    more = []
    for record in rated:
        group = siblings.get(record["key"], ())
        leader = next((leaders[key] for key in group if key in leaders), None)
        if leader is not None:
            record["shares"] = leader["key"] if record["field"] == "rating" else 0
            continue
        leaders[record["key"]] = record
        for key in group:
            now = known.items.get(("track", key))
            if now is not None and key not in edited:
                more.append(_follower(record, key, now))
    return [record for record in more if record]


def _follower(record: Record, key: int, now: ItemNow) -> Record:
    theirs = not now.ours and not math.isnan(now.rating)
    if theirs and (record["field"] == "tags" or not same(now.rating, record["before"])):
        return {}  # it is the person's already, and not what they edited
    return record | {
        "key": key,
        "before": now.rating,
        "title": now.title,
        "tags_remove": now.tags,
        "reason": "shared",
        "shares": record["key"] if record["field"] == "rating" else 0,
        "sheet": "",
        "row": 0,
    }
