"""An edited file on its way to a plan: read, checked, compared with Plex.

Only the items of edited rows are read from Plex, many to a request, and one short
listing for each kind tells what was rated there since the export.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from plexsheet import messages
from plexsheet.errors import WrongLibrary
from plexsheet.library import Kind, rows_of
from plexsheet.messages import Message
from plexsheet.operations.current import (
    Current,
    Titles,
    changed_in_plex,
    current_items,
    library_as_base,
    strangers,
)
from plexsheet.plan.model import Plan, RowOutcome, no_changes
from plexsheet.ratings import UNRATED
from plexsheet.state.runs import Origin
from plexsheet.workbook.schema.columns import SHEET_OF_KIND

if TYPE_CHECKING:
    import pandas as pd

    from plexsheet.apply.run import Outcome
    from plexsheet.operations.session import Session
    from plexsheet.workbook.edits.rules import Validated
    from plexsheet.workbook.reading.raw import RawWorkbook

REFUSED = ("Error", "Held", "Conflict")
DAY_S = 86_400


@dataclass(frozen=True)
class ImportOptions:
    """What the person chose for an import.

    Attributes:
        sheets: only these; empty for all.
        all_or_nothing: write nothing if any row is refused or held, or any sheet stopped.
        on_conflict: "hold", "mine" or "plex".
        confirm: numbers typed to release what is held until they are.
        accept_scramble: sheets whose values really were swapped.
        allow_new_rows: take rows that were not in the export.
        mapping: a foreign list's header to our column.
        scale: highest rating of a foreign list, 5 or 10.
        unattended: nobody is there to type a number.
        place: where the file lies, as a name for it that stays; None for the path given,
            "" for one that came from anywhere.
    """

    sheets: tuple[str, ...] = ()
    all_or_nothing: bool = False
    on_conflict: Literal["hold", "mine", "plex"] = "hold"
    confirm: tuple[int, ...] = ()
    accept_scramble: tuple[str, ...] = ()
    allow_new_rows: bool = False
    mapping: Mapping[str, str] = field(default_factory=dict)
    scale: int = 5
    unattended: bool = False
    place: str | None = None

    @property
    def insists(self) -> bool:
        """Whether an earlier import of the same file may be followed by another."""
        return bool(
            self.confirm
            or self.accept_scramble
            or self.allow_new_rows
            or self.sheets
            or self.on_conflict != "hold"
        )


@dataclass(frozen=True)
class Prepared:
    """A file, checked and compared: what importing it would do.

    Attributes:
        outcomes: what becomes of each row that is not plainly unchanged.
        notices: said about the file and its sheets.
        stopped: sheets of which nothing is written.
        already: the sentence, where the same content was imported before.
        unchanged: rows that were not edited.
        origin: how the journal knows the file.
        complete: whether ``raw`` holds all columns and sheets, as a result needs them.
        place: where the file lies, "" where that says nothing.
    """

    path: Path
    name: str
    raw: RawWorkbook
    plan: Plan
    outcomes: tuple[RowOutcome, ...] = ()
    notices: tuple[Message, ...] = ()
    stopped: tuple[str, ...] = ()
    already: str | None = None
    unchanged: int = 0
    origin: Origin = field(default_factory=Origin)
    complete: bool = False
    place: str = ""

    @property
    def writes(self) -> int:
        """Changes of the plan."""
        return len(self.plan)

    @property
    def refused(self) -> int:
        """Rows refused, held or in conflict."""
        return sum(outcome.outcome in REFUSED for outcome in self.outcomes)

    @property
    def whole(self) -> bool:
        """Whether all that was edited can be written: no row refused or held, no sheet stopped."""
        return not (self.refused or self.stopped)

    @property
    def touched(self) -> bool:
        """Whether there is anything to tell beyond "not edited"."""
        return bool(self.stopped) or any(o.outcome != "Unchanged" for o in self.outcomes)

    def counts(self) -> dict[str, int]:
        """Disjoint counts of rows, as ``--json`` prints them."""
        named = {
            "Applied": "applied",
            "Healed": "applied",
            "Would apply": "would_apply",
            "Held": "held",
            "Error": "errors",
            "Conflict": "conflicts",
            "Unchanged": "unchanged",
            "Kept": "unchanged",
        }
        counts = dict.fromkeys(
            ("applied", "would_apply", "held", "errors", "conflicts", "unchanged"), 0
        )
        for outcome in self.outcomes:
            counts[named[outcome.outcome]] += 1
        counts["unchanged"] += self.unchanged
        return counts


def prepare_import(
    session: Session,
    path: Path,
    *,
    name: str = "",
    options: ImportOptions | None = None,
) -> Prepared:
    """Read a file, check every edit, compare with Plex, and plan.

    Args:
        session: connected.
        path: the file, which stays as it is.
        name: what to call it, where ``path`` is a private copy.
        options: the person's choices.

    Raises:
        WorkbookError: the file is stopped as a whole; its code is the F code.
        PlexError: current values could not be read.
    """
    from plexsheet.workbook.reading.reader import read

    options = options or ImportOptions()
    session.progress("Reading the file", 0, 1)
    book = partial(
        read,
        path,
        scale=options.scale,
        mapping=options.mapping or None,
        extras=options.unattended,
    )
    raw = book()
    if not session.state.knows_export(session.scope, raw.meta.get("export_id", "")):
        raw = book(proofs=True)  # its rows have to prove themselves
    raw = _only(raw, options.sheets)
    session.progress("Reading the file", 1, 1)
    refuse_foreign(session, raw.meta)
    origin = Origin(
        file=name or path.name,
        export_id=raw.meta.get("export_id", ""),
        content_hash="" if options.sheets else raw.content_hash,
    )
    known = session.state.imported(session.scope, raw.content_hash)
    if known is not None and not options.insists:
        told = _said_before(*known)
        plan = Plan("import", no_changes())
        return Prepared(
            path, origin.file, raw, plan, (), (*raw.messages, told), already=told.text,
            unchanged=sum(map(len, raw.sheets.values())), origin=origin,
        )  # fmt: skip
    return _planned(session, path, raw, origin, options)


def refuse_foreign(session: Session, meta: Mapping[str, str]) -> None:
    """Refuse a file of another library or another person.

    Raises:
        WrongLibrary: F04 or F05, with both names.
    """
    here = session.gateway.identity
    there = (meta.get("server_id", here.server_id), meta.get("section_uuid", here.section_uuid))
    if there != (here.server_id, here.section_uuid):
        names = (meta.get("library", "?"), meta.get("server", "?"))
        said = messages.text(
            "F04",
            "anew" if names == (here.title, here.server_name) else "",
            library=names[0],
            server=names[1],
            here=here.title,
            here_server=here.server_name,
        )
        raise WrongLibrary(said, code="F04")
    if meta.get("account_id", here.account_id) != here.account_id:
        said = messages.text(
            "F05", account=meta.get("account", "?"), here=here.account or "somebody else"
        )
        raise WrongLibrary(said, code="F05")


def _only(raw: RawWorkbook, sheets: Sequence[str]) -> RawWorkbook:
    if not sheets:
        return raw
    kept = {name: sheet for name, sheet in raw.sheets.items() if sheet.sheet in sheets}
    aside = {name: sheet for name, sheet in raw.sheets.items() if name not in kept}
    return replace(raw, sheets=kept, set_aside=aside)


def _said_before(run: int, at: float) -> Message:
    when = datetime.fromtimestamp(at).strftime("%d %b %H:%M")
    return messages.say("F09", when=when, run=run)


def _planned(
    session: Session, path: Path, raw: RawWorkbook, origin: Origin, options: ImportOptions
) -> Prepared:
    """The plan of a file whose origin is settled."""
    from plexsheet.state import base_resolution

    state, scope = session.state, session.scope
    place = str(path.resolve()) if options.place is None else options.place
    bases = base_resolution.bases(state, scope, origin.export_id, raw, place)
    judged = _validated(session, raw, bases, options)
    session.progress("Comparing with Plex", 0, 1)
    current = current_items(session, judged.edits, origin.export_id, raw)
    session.progress("Comparing with Plex", 1, 1)
    judged = _proved(judged, current.items)
    plan = _merged(session, judged, current, options)
    kept = changed_in_plex(session, raw, judged.edits, bases)
    outcomes, remarks = _told(plan.outcomes, judged.messages)
    outcomes, said = _told(outcomes, _copies(raw, outcomes, bases, current.siblings))
    notes = {**plan.notes, **({base_resolution.PLACE: place} if place else {})}
    if raw.meta.get("plan") == plan.digest():  # what was confirmed is what the preview showed
        notes[base_resolution.ALONG] = raw.meta.get("of", "")
    plan = replace(plan, outcomes=(*outcomes, *kept), notes=notes)
    held = tuple(messages.Message(one["code"], one["message"], one["sheet"])
                 for one in plan.notes.get("messages", ()))  # fmt: skip
    stopped = (*raw.stopped, *judged.stopped, *(s["sheet"] for s in plan.notes.get("stopped", ())))
    since = (*_since_export(raw.meta, kept), *_absent(raw, bases))
    return Prepared(
        path,
        origin.file,
        raw,
        plan,
        plan.outcomes,
        (*raw.messages, *since, *remarks, *said, *held),
        tuple(dict.fromkeys(stopped)),
        unchanged=max(sum(judged.unchanged.values()) - len(kept), 0),
        origin=origin,
        complete=options.unattended,
        place=place,
    )


def _proved(judged: Validated, current: Mapping[Kind, pd.DataFrame]) -> Validated:
    """Without edits of a review workbook whose Key is another song now (E05)."""
    from plexsheet.workbook.schema.check import check_number

    if not judged.checks or "track" not in current:
        return judged
    names = ("key", "title", "artist", "album")
    rows = zip(*(current["track"][name].tolist() for name in names), strict=True)
    there = {key: (title, check_number("track", key, title, artist, album))
             for key, title, artist, album in rows}  # fmt: skip
    kept, told = [], list(judged.messages)
    for edit in judged.edits:
        wanted = judged.checks.get((edit.sheet, edit.row))
        title, check = there.get(edit.key, ("", wanted))
        if wanted is None or check == wanted:
            kept.append(edit)
            continue
        said = messages.say(
            "E05", sheet=edit.sheet, row=edit.row, key=edit.key, field="rating",
            value=edit.title, title=title,
        )  # fmt: skip
        told.append(replace(said, kind="track", title=edit.title, was=edit.base))
    return replace(judged, edits=tuple(kept), messages=tuple(told))


def _merged(
    session: Session,
    judged: Validated,
    current: Current,
    options: ImportOptions,
) -> Plan:
    """The edits against Plex as it is, within the bounds the person and the server set."""
    from plexsheet.apply.capabilities import capability, may_edit
    from plexsheet.plan import Budget, merge

    state, scope = session.state, session.scope
    limits = session.config.change_budget
    return merge(
        judged.edits,
        current.items,
        state.shadows(scope),
        excluded=state.exclusions(scope),
        twin_decisions=state.twin_decisions(scope),
        on_conflict=options.on_conflict,
        confirm=options.confirm,
        budget=Budget(limits.share, limits.min_rows, limits.max_rows),
        sheet_rows=judged.rows,
        sheet_rated=judged.rated,
        siblings=current.siblings,
        healed=current.moved,
        strangers=current.strangers,
        two_way=judged.two_way,
        may_edit=may_edit(state, session.gateway),
        server_step=capability(state, session.gateway).step,
        unattended=options.unattended,
    )


def _validated(
    session: Session,
    raw: RawWorkbook,
    bases: dict[Kind, pd.DataFrame] | None,
    options: ImportOptions,
) -> Validated:
    """Every row judged; the library is read only for a file that carries no base at all."""
    from plexsheet.workbook.edits.validate import validate

    current = None
    if bases is None and any("Was" not in sheet.columns for sheet in raw.sheets.values()):
        current = library_as_base(session)
    twins = raw.sheets.get("Twins")
    return validate(
        raw,
        bases,
        current,
        next_year=datetime.now(UTC).year + 1,
        allow_new_rows=options.allow_new_rows,
        accept_scramble=options.accept_scramble,
        strangers=strangers(session, raw, bases),
        siblings={} if twins is None else session.state.siblings(
            session.scope, twins.keys[twins.keys > 0]
        ),
        title_of=Titles(session),
    )  # fmt: skip


def _absent(raw: RawWorkbook, bases: Mapping[Kind, pd.DataFrame] | None) -> list[Message]:
    """How many rows of the export each sheet of the file lacks: they stay untouched."""
    told = []
    for kind, base in (bases or {}).items():
        name = SHEET_OF_KIND[kind]
        keys = [sheet.keys for sheet in raw.sheets.values() if sheet.sheet == name]
        if not keys:
            continue
        damaged = sum(int(np.count_nonzero(part == -1)) for part in keys)
        lacking = len(base) - int(np.isin(base["key"], np.concatenate(keys)).sum()) - damaged
        if lacking > 0:
            one = lacking == 1
            rows = "1 row" if one else f"{lacking:,} rows"
            are, stay = ("is", "stays") if one else ("are", "stay")
            told.append(
                messages.say("F10", variant="rows", sheet=name, rows=rows, are=are, stay=stay)
            )
    return told


def _copies(
    raw: RawWorkbook,
    outcomes: Sequence[RowOutcome],
    bases: Mapping[Kind, pd.DataFrame] | None,
    siblings: Mapping[int, tuple[int, ...]],
) -> list[Message]:
    """Copies of one recording that get different ratings (W43)."""
    from plexsheet.workbook.edits.differing_copies import differing_copies

    if bases is None or "track" not in bases:
        return []
    base = bases["track"]

    def mine(keys: Sequence[int]) -> dict[int, float]:
        rows = rows_of(base["key"].to_numpy(), np.array(keys, dtype=np.int64))
        known = base.iloc[rows[rows >= 0]]
        return dict(zip(known["key"].tolist(), known["mine"].tolist(), strict=True))

    return differing_copies(raw.sheets.get("Twins"), outcomes, mine, siblings)


def _since_export(meta: Mapping[str, str], kept: Sequence[RowOutcome]) -> tuple[Message, ...]:
    if not kept:
        return ()
    days = max(int((time.time() - int(meta["exported_at"])) // DAY_S), 0)
    when = "1 day" if days == 1 else f"{days} days"
    items = "1 item" if len(kept) == 1 else f"{len(kept):,} items"
    return (messages.say("F08", days=when, items=items),)


def _told(
    outcomes: Sequence[RowOutcome], said: Sequence[Message]
) -> tuple[list[RowOutcome], list[Message]]:
    """Outcomes with the remarks about their rows; what is left is said about the file.

    Errors, and cells of which it is unsure that they were emptied, become outcomes of
    their own.
    """
    remarks = {(m.sheet, m.row, m.field): m for m in said if m.row and not _refuses(m)}
    told: list[RowOutcome] = []
    used: set[int] = set()
    for outcome in outcomes:
        remark = remarks.get((outcome.sheet, outcome.row, outcome.field))
        if remark is not None and not outcome.code:
            used.add(id(remark))
            outcome = replace(outcome, code=remark.code, message=remark.text)
        told.append(outcome)
    told += [_refused(message) for message in said if _refuses(message)]
    rest = [m for m in said if not _refuses(m) and id(m) not in used]
    return told, rest


def _refuses(message: Message) -> bool:
    return message.severity == "error" or (message.code == "W23" and bool(message.row))


def _refused(message: Message) -> RowOutcome:
    wrong = message.severity == "error"
    return RowOutcome(
        sheet=message.sheet,
        row=message.row,
        kind=message.kind or "",
        key=message.key,
        title=message.title,
        field=message.field or "rating",
        was=message.was,
        yours=message.value,
        plex_now=UNRATED,
        outcome="Error" if wrong else "Held",
        code=message.code,
        message=message.text,
    )


def settled(prepared: Prepared, outcome: Outcome) -> Prepared:
    """The same file, with what became of its rows."""
    kept = [one for one in prepared.outcomes if one.outcome == "Kept" and one.code == "I51"]
    already = {(one.sheet, one.row, one.field) for one in outcome.outcomes}
    rest = [one for one in kept if (one.sheet, one.row, one.field) not in already]
    return replace(prepared, outcomes=(*outcome.outcomes, *rest))
