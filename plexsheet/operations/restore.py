"""Put an older workbook's ratings back into the library of today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plexsheet.messages import Message
    from plexsheet.operations import Session
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
    from plexsheet.library import KINDS
    from plexsheet.operations.read import read as read_plex
    from plexsheet.operations.restore_plan import old_sheets, restore_plan, torn
    from plexsheet.plan import Budget, held_over_budget
    from plexsheet.state.journal import names
    from plexsheet.workbook.reading.reader import read

    raw = read(workbook)
    left_out = [*unread_sheets(raw), *torn(raw)]
    names_left_out = {note.sheet for note in left_out}
    raw = replace(
        raw, sheets={name: s for name, s in raw.sheets.items() if name not in names_left_out}
    )
    same_library = _belongs(session, raw.meta)
    reading = read_plex(session, full=True)
    scope = _scope_of(session, raw.meta)
    guids = _guids(session, scope, reading.library)
    files = _files(session, scope, reading.library)
    tags = {
        kind: {
            int(key): names(joined)
            for key, joined in zip(shadow["key"], shadow["tags"], strict=True)
        }
        for kind, shadow in session.state.shadows(session.scope).items()
    }
    assert set(tags) == set(KINDS)
    plan = restore_plan(
        old_sheets(raw),
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
    if not same_library:
        notes["remark"] = REBUILT.format(**raw.meta)
    return replace(held, notes=notes)


def unread_sheets(raw: RawWorkbook) -> list[Message]:
    """Why sheets of a workbook were skipped."""
    return [note for note in raw.messages if raw.stopped.get(note.sheet) == note.code]


def _belongs(session: Session, meta: Mapping[str, str]) -> bool:
    """Whether the workbook came from this very library, not from an earlier one of its name."""
    from plexsheet.operations.import_ import refuse_foreign

    here = session.gateway.identity
    there = (meta.get("server_id", ""), meta.get("section_uuid", ""))
    if not any(there) or there == (here.server_id, here.section_uuid):
        refuse_foreign(session, meta)
        return True
    if meta.get("library", "").casefold() != here.title.casefold():
        refuse_foreign(session, meta)
    return False


def _scope_of(session: Session, meta: Mapping[str, str]) -> int:
    """The state's id of the library a workbook was made of, the connected one if unknown."""
    there = (meta.get("server_id"), meta.get("section_uuid"))
    known = session.state.libraries()
    same = [one["id"] for one in known if (one["server_id"], one["section_uuid"]) == there]
    return int(same[0]) if same else session.scope


def _files(session: Session, scope: int, library: Any) -> dict[int, list[int]]:
    """Key in the workbook to the tracks of today with its file, where titles do not do.

    The paths are read for the candidates alone: tracks that share their titles.
    """
    from plexsheet.apply.moved_items import MOST_FILES
    from plexsheet.state.store import number_of

    known = {key: number for key, number in session.state.files(scope).items() if number}
    tracks = library.tracks
    alike = tracks[tracks.duplicated(["artist", "album", "title"], keep=False)]
    if not known or alike.empty:
        return {}
    carriers: dict[int, list[int]] = {}
    for key, paths in session.gateway.read_files(alike["key"].to_numpy()[:MOST_FILES]).items():
        for path in paths:
            carriers.setdefault(number_of(path), []).append(key)
    return {key: carriers[number] for key, number in known.items() if number in carriers}


def _guids(session: Session, scope: int, library: Any) -> dict[Any, dict[int, Any]]:
    """For each kind: Key in the workbook to the keys of today that carry its guid."""
    from plexsheet.library import KINDS
    from plexsheet.state.store import guid_numbers

    found: dict[Any, dict[int, Any]] = {}
    for kind in KINDS:
        table = library.table(kind)
        carriers: dict[int, list[int]] = {}
        numbers = guid_numbers(table["guid"].to_numpy()).tolist()
        for number, key in zip(numbers, table["key"].tolist(), strict=True):
            if number:
                carriers.setdefault(number, []).append(key)
        known = session.state.known_items(scope, kind)
        pairs = zip(known["key"].tolist(), known["guid"].tolist(), strict=True)
        found[kind] = {key: carriers[number] for key, number in pairs if number in carriers}
    return found
