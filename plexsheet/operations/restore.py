"""Put an older workbook's ratings back into the library of today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from plexsheet.library import KINDS, Kind

if TYPE_CHECKING:
    from plexsheet.library import Library
    from plexsheet.messages import Message
    from plexsheet.operations import Session
    from plexsheet.operations.restore_plan import OldSheet
    from plexsheet.plan import Plan
    from plexsheet.workbook.reading.raw import RawWorkbook

REBUILT = (
    "The workbook was made of another “{library}” (on {server}); its rows are looked for by guid, "
    "titles and file."
)


def prepare_restore(
    session: Session, workbook: Path, *, exact: bool = False, confirm: tuple[int, ...] = ()
) -> Plan:
    """The plan that puts back the ratings of a workbook, within the change budget.

    Raises:
        WorkbookError: the file is stopped as a whole.
        WrongLibrary: it belongs to another account, or to a library of another name.
        PlexError: the library cannot be read.
    """
    from plexsheet.operations.read import read as read_plex
    from plexsheet.operations.restore_plan import old_sheets, restore_plan, torn
    from plexsheet.plan import Budget, held_over_budget
    from plexsheet.state.journal import names
    from plexsheet.workbook.reading.reader import read

    raw = read(workbook, proofs=True)
    left_out = [*unread_sheets(raw), *torn(raw)]
    names_left_out = {note.sheet for note in left_out}
    raw = replace(
        raw, sheets={name: s for name, s in raw.sheets.items() if name not in names_left_out}
    )
    same_library = _belongs(session, raw.meta)
    reading = read_plex(session, full=True)
    sheets = old_sheets(raw)
    known = _remembered(session, sheets, raw.meta)
    guids = {kind: {key: guid for key, (guid, _) in found.items()} for kind, found in known.items()}
    numbers = {key: number for key, (_, number) in known["track"].items()}
    files = _files(session, raw.meta, numbers, reading.library)
    tags = {
        kind: {
            int(key): names(joined)
            for key, joined in zip(shadow["key"], shadow["tags"], strict=True)
        }
        for kind, shadow in session.state.shadows(session.scope).items()
    }
    assert set(tags) == set(KINDS)
    plan = restore_plan(
        sheets,
        reading.library,
        reading.owned,
        guids=guids,
        tags=tags,
        files=files,
        same_library=same_library,
        exact=exact,
    )
    limits = session.config.change_budget
    budget = Budget(limits.share, limits.min_rows, limits.max_rows)
    rows = {sheet.name: len(sheet) for sheet in raw.sheets.values()}
    held = held_over_budget(plan, rows, budget, confirm)
    told = [{"sheet": n.sheet, "code": n.code, "message": n.text} for n in left_out]
    notes = {**held.notes, "stopped": [*told, *held.notes["stopped"]]}
    if not same_library and raw.meta.get("server_id"):
        notes["remark"] = REBUILT.format(**raw.meta)
    return replace(held, notes=notes)


def unread_sheets(raw: RawWorkbook) -> list[Message]:
    """Why sheets of a workbook were skipped."""
    return [note for note in raw.messages if raw.stopped.get(note.sheet) == note.code]


def _belongs(session: Session, meta: Mapping[str, str]) -> bool:
    """Whether the workbook says that it came from this very library.

    One that says nothing is of nowhere: its Keys may be another program's numbers.
    """
    from plexsheet.operations.import_ import refuse_foreign

    here = session.gateway.identity
    there = (meta.get("server_id", ""), meta.get("section_uuid", ""))
    if not any(there):
        return False
    if there == (here.server_id, here.section_uuid):
        refuse_foreign(session, meta)
        return True
    if meta.get("library", "").casefold() != here.title.casefold():
        refuse_foreign(session, meta)
    return False


def _scope_of(session: Session, meta: Mapping[str, str]) -> int | None:
    """The state's id of the library a workbook was made of; None where it is not known here."""
    there = (meta.get("server_id"), meta.get("section_uuid"))
    known = session.state.libraries()
    same = [one["id"] for one in known if (one["server_id"], one["section_uuid"]) == there]
    return int(same[0]) if same else None


def _remembered(
    session: Session, sheets: Mapping[Kind, OldSheet], meta: Mapping[str, str]
) -> dict[Kind, dict[int, tuple[int, int]]]:
    """Guid and identity of the rows' items, by Key, where they are remembered.

    A Key alone proves nothing: what is remembered of it has to be called as the row says.
    """
    from plexsheet.apply.moved_items import Finder
    from plexsheet.identity import identities_of, verdict
    from plexsheet.operations.row_identity import item_of

    found: dict[Kind, dict[int, tuple[int, int]]] = {kind: {} for kind in KINDS}
    scope = _scope_of(session, meta)
    if scope is None:
        return found
    finder = Finder(session.gateway, session.state, scope, meta.get("export_id", ""))
    for kind, sheet in sheets.items():
        keys = np.fromiter(sheet.rows, dtype=np.int64, count=len(sheet.rows))
        numbers = finder.identities(kind, keys)
        known = identities_of(finder.named(kind, keys, numbers))
        for key, number, item in zip(keys.tolist(), numbers.tolist(), known, strict=True):
            told = item_of(kind, sheet.rows[key].cells)
            if number and verdict(kind, replace(item, guid=0), told) == "proven":
                found[kind][key] = (item.guid, number)
    return found


def _files(
    session: Session, meta: Mapping[str, str], numbers: Mapping[int, int], library: Library
) -> dict[int, list[int]]:
    """Key in the workbook to the tracks of today with its file, where titles do not do.

    The paths are read for the candidates alone: tracks that share their titles.
    """
    from plexsheet.apply.moved_items import MOST_FILES, by_file

    scope = _scope_of(session, meta)
    had = {} if scope is None else session.state.files(scope)
    wanted = {key: file for key, number in numbers.items() if (file := had.get(number, 0))}
    tracks = library.tracks
    alike = tracks[tracks.duplicated(["artist", "album", "title"], keep=False)]
    if not wanted or alike.empty:
        return {}
    return by_file(wanted, session.gateway.read_files(alike["key"].to_numpy()[:MOST_FILES]))
