"""``diff`` and ``restore``: what changed between two workbooks; an older one's ratings put back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plexsheet.cli.app import (
    App,
    Done,
    json_option,
    name_of_workbook,
    preview_option,
    yes_option,
)
from plexsheet.errors import FileExists

if TYPE_CHECKING:
    from plexsheet.compare import Difference, Sheets
    from plexsheet.operations import Session
    from plexsheet.plan import Plan
    from plexsheet.workbook.columns import SheetName
    from plexsheet.workbook.messages import Message
    from plexsheet.workbook.raw import RawWorkbook

ROWS_SHOWN = 30
_WORKBOOK = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    epilog="""\b
Examples:
  plexsheet diff march.xlsx november.xlsx
  plexsheet diff march.xlsx november.xlsx --output changes.xlsx
  plexsheet diff march.xlsx november.xlsx --json"""
)
@click.argument("old", type=_WORKBOOK)
@click.argument("new", type=_WORKBOOK)
@click.option("--top", metavar="N", default=ROWS_SHOWN, show_default=True, help="Rows per sheet.")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write all differences into a workbook.",
)
@click.option("--force", is_flag=True, help="Replace the file of --output if it is there.")
@json_option
@click.pass_obj
def diff(
    app: App, old: Path, new: Path, top: int, output: Path | None, force: bool, as_json: bool
) -> Done:
    """Show what changed from the workbook OLD to the workbook NEW.

    Rows are compared by Key and cells by header.  Plex is not asked.
    """
    from plexsheet.compare import compare, counts
    from plexsheet.workbook.reader import read

    app.as_json = as_json
    name_of_workbook(output)
    if output is not None and output.exists() and not force:
        raise FileExists(
            f"{output} is there already. Nothing was written. Give another name, or --force to "
            "replace it."
        )
    books = [read(path) for path in (old, new)]
    found = compare(*map(sheets_of, books))
    unread = [note for book in books for note in _unread(book)]
    for note in unread:
        app.say(f"{note.code} {note.text}")
    payload: dict[str, Any] = {
        "counts": counts(found),
        "rows": [one.payload() for one in found],
    }
    if not found and not unread:
        app.say("Nothing changed.")
    for name in dict.fromkeys(one.sheet for one in found):
        _show(app, name, [one for one in found if one.sheet == name], top)
    if output is not None:
        from plexsheet.workbook.differences import write_differences

        write_differences(output, found)
        app.say(str(output))
        payload["file"] = str(output)
    return Done(3 if unread else 0, payload)


def sheets_of(raw: RawWorkbook) -> Sheets:
    """The four sheets of a workbook by Key."""
    sheets: dict[SheetName, dict[int, dict[str, Any]]] = {}
    for sheet in raw.sheets.values():
        if sheet.sheet is not None:
            sheets.setdefault(sheet.sheet, {}).update(_rows(sheet))
    return sheets


def _rows(sheet: Any) -> dict[int, dict[str, Any]]:
    """Rows with a sound Key."""
    from plexsheet.compare import COMPARED
    from plexsheet.workbook.columns import IDENTITY

    wanted = {*COMPARED[sheet.sheet], *(name for name in IDENTITY[sheet.sheet] if name)}
    columns = [(name, column) for name, column in sheet.columns.items() if name in wanted]
    found: dict[int, dict[str, Any]] = {}
    for row, key in enumerate(sheet.keys.tolist()):
        if key > 0:
            found[key] = {name: column.value(row) for name, column in columns}
    return found


def _show(app: App, sheet: str, found: Sequence[Difference], top: int) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from plexsheet.compare import counts

    told = ", ".join(
        f"{number:,} {name.removeprefix(sheet).strip()}" for name, number in counts(found).items()
    )
    table = Table(
        title=f"{sheet}: {told}", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD
    )
    for name in ("Item", "Column", "Old", "New"):
        table.add_column(name, overflow="fold", max_width=44 if name == "Item" else 24)
    # What is inferred follows what was rated, so the person's own changes come first.
    ordered = sorted(found, key=lambda one: one.column in ("Inferred", "In Plex", "Source"))
    for one in ordered[:top]:
        old, new = ("", f"row {one.what}") if not one.column else (_cell(one.old), _cell(one.new))
        table.add_row(Text(one.item), one.column, Text(old), Text(new))
    app.say(table)
    if len(found) > top:
        app.say(f"  … and {len(found) - top:,} more (--top {len(found)}, or --output FILE)")


def _cell(value: Any) -> str:
    if value is None or value == "":
        return "(blank)"
    return f"{value:g}" if isinstance(value, float) else str(value)


@click.command(
    epilog="""\b
Examples:
  plexsheet restore march.xlsx --preview     show what would be put back
  plexsheet restore march.xlsx               show it, ask, write it
  plexsheet restore march.xlsx --exact       also remove ratings given since
  plexsheet restore march.xlsx --confirm 900  yes, 900 ratings of a sheet are meant"""
)
@click.argument("workbook", type=_WORKBOOK)
@click.option("--exact", is_flag=True, help="Also remove ratings that the workbook does not have.")
@click.option(
    "--confirm",
    multiple=True,
    type=int,
    metavar="N",
    help="Release a sheet that was held until the number shown is typed.",
)
@preview_option
@yes_option
@json_option
@click.pass_obj
def restore(
    app: App,
    workbook: Path,
    exact: bool,
    confirm: tuple[int, ...],
    preview: bool,
    yes: bool,
    as_json: bool,
) -> Done:
    """Put your ratings back as the older WORKBOOK shows them, also into a rebuilt library.

    Items whose Key changed are found again by guid, by titles and length, or by file.
    Ratings given since stay, unless --exact.  A restore is a run, and can be undone.
    """
    from plexsheet.cli.recovery import planned

    app.as_json = as_json

    def plan(session: Session) -> Plan:
        return prepare_restore(app, session, workbook, exact=exact, confirm=confirm)

    return planned(app, plan, heading=f"Ratings of {workbook.name}", preview=preview, yes=yes)


def prepare_restore(
    app: App, session: Session, workbook: Path, *, exact: bool, confirm: tuple[int, ...] = ()
) -> Plan:
    """The plan that puts back the ratings of a workbook, within the change budget.

    Raises:
        WorkbookError: the file is stopped as a whole.
        WrongLibrary: it belongs to another account, or to a library of another name.
        PlexError: the library cannot be read.
    """
    from plexsheet import operations
    from plexsheet.library import KINDS
    from plexsheet.plan import Budget, held_over_budget
    from plexsheet.restoring import old_sheets, restore_plan, torn
    from plexsheet.state.journal import names
    from plexsheet.workbook.reader import read

    raw = read(workbook)
    left_out = [*_unread(raw), *torn(raw)]
    names_left_out = {note.sheet for note in left_out}
    raw = replace(
        raw, sheets={name: s for name, s in raw.sheets.items() if name not in names_left_out}
    )
    same_library = _belongs(app, session, raw.meta)
    reading = operations.read(session, full=True)
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
    return replace(held, notes={**held.notes, "stopped": [*told, *held.notes["stopped"]]})


def _unread(raw: RawWorkbook) -> list[Message]:
    """Why sheets of a workbook were skipped."""
    return [note for note in raw.messages if raw.stopped.get(note.sheet) == note.code]


def _belongs(app: App, session: Session, meta: Mapping[str, str]) -> bool:
    """Whether the workbook came from this very library; a rebuilt one of its name is said."""
    from plexsheet.importing import refuse_foreign

    here = session.gateway.identity
    there = (meta.get("server_id", ""), meta.get("section_uuid", ""))
    if not any(there) or there == (here.server_id, here.section_uuid):
        refuse_foreign(session, meta)
        return True
    if meta.get("library", "").casefold() != here.title.casefold():
        refuse_foreign(session, meta)
    app.say(
        f"The workbook was made of another “{meta.get('library')}” (on {meta.get('server')}); its "
        "rows are looked for by guid, titles and file."
    )
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
    from plexsheet.healing import MOST_FILES
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
