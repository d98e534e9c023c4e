"""What an import returns to the person: their own file again, a word on every touched row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from plexsheet.files import digest_of
from plexsheet.library import KINDS, Kind
from plexsheet.ratings import HIGHEST_STARS

if TYPE_CHECKING:
    import pandas as pd

    from plexsheet.apply.run import Outcome
    from plexsheet.operations.import_ import Prepared
    from plexsheet.operations.session import Session
    from plexsheet.workbook.reading.raw import RawWorkbook
    from plexsheet.workbook.schema.columns import SheetName
    from plexsheet.workbook.schema.meta import Meta
    from plexsheet.workbook.writing.result import StoppedSheet


def write_result(
    session: Session,
    prepared: Prepared,
    outcome: Outcome | None,
    path: Path | None = None,
) -> Path:
    """Write the result workbook: the person's own file again, a word on every touched row.

    Args:
        session: connected.
        prepared: the file, ``settled`` where it was carried out.
        outcome: of carrying it out; None where nothing was written.
        path: where to; None for a name in results/ of the working folder.

    Raises:
        UsageError: the result cannot be written.
        WorkbookError: the file changed, and cannot be read any more.
    """
    from plexsheet.state import base_resolution
    from plexsheet.workbook.reading.comments import comments_of
    from plexsheet.workbook.reading.user_workbook import user_workbook
    from plexsheet.workbook.writing.result import result_workbook

    raw = _whole(prepared)
    target = path or place_of_result(session, prepared.name)
    stopped = _stopped(prepared)
    export_id = prepared.origin.export_id
    result_workbook(
        target,
        user_workbook(raw, comments_of(prepared.path)),
        prepared.outcomes,
        meta=_meta(session, prepared, raw, outcome),
        messages=prepared.notices,
        stopped=stopped,
        # As they are now: what was written is the base of the result.
        bases=base_resolution.bases(session.state, session.scope, export_id, raw, prepared.place),
        items=_titles(session) if any(stop.code == "S01" for stop in stopped.values()) else None,
        albums=_albums(session),
    )
    session.state.note_made(digest_of(target))
    return target


def _albums(session: Session) -> Mapping[int, int]:
    """Key of each track's album, as the library was read last."""
    from plexsheet.state import snapshots

    known = snapshots.load(session.state, session.scope, session.gateway.identity)
    if known is None:
        return {}
    tracks = known.library.tracks
    tracks = tracks[tracks["album_key"] > 0]
    return dict(zip(tracks["key"].tolist(), tracks["album_key"].tolist(), strict=True))


def _whole(prepared: Prepared) -> RawWorkbook:
    """The file with all of its columns and sheets."""
    from plexsheet.workbook.reading.reader import read

    raw = prepared.raw
    if prepared.complete:
        return raw
    return read(prepared.path, scale=raw.scale, mapping=raw.mapping or None, extras=True)


def _meta(
    session: Session,
    prepared: Prepared,
    raw: RawWorkbook,
    outcome: Outcome | None,
) -> Meta:
    """What the result says of itself: the export it goes back to, and how to read its lists."""
    from plexsheet.operations.session import meta_for
    from plexsheet.state import runs
    from plexsheet.state.base_resolution import place_digest
    from plexsheet.workbook.schema.meta import POINTS

    kind = "preview" if outcome is None else "result"
    export_id, run = prepared.origin.export_id, str(outcome.run) if outcome else ""
    meta = meta_for(session, export_id, kind=kind, run=run)
    if kind == "preview" and prepared.place and prepared.writes:
        last = runs.runs_that_changed(session.state, export_id)[:1]
        meta = replace(
            meta,
            of=place_digest(prepared.place),
            plan=prepared.plan.digest(),
            after=str(last[0]) if last else "",
        )
    if raw.mapping:
        meta = replace(meta, mapping=json.dumps(dict(raw.mapping)))
    if raw.scale != HIGHEST_STARS:
        meta = replace(meta, scale=POINTS)
    if "exported_at" in raw.meta:
        meta = replace(meta, exported_at=int(raw.meta["exported_at"]))
    return meta


def _stopped(prepared: Prepared) -> Mapping[SheetName, StoppedSheet]:
    """Sheets of which nothing was written, and why; the ratings of a scrambled one are put back."""
    from plexsheet.workbook.edits import scramble
    from plexsheet.workbook.schema.finding import sheet_of
    from plexsheet.workbook.writing.result import StoppedSheet

    codes = {note.sheet: note.code for note in prepared.notices if note.code.startswith("S")}
    return {
        sheet: StoppedSheet(codes.get(name, ""), restore=codes.get(name, "") in scramble.CODES)
        for name in prepared.stopped
        if (sheet := sheet_of(name)) is not None
    }


def _titles(session: Session) -> dict[Kind, pd.DataFrame]:
    """What each Key is called, for a sheet whose titles stand on other rows."""
    from plexsheet.operations.read import read

    library = read(session).library
    names = ("key", "title", "artist", "album")
    tables = ((kind, library.table(kind)) for kind in KINDS)
    return {kind: table[[name for name in names if name in table]] for kind, table in tables}


def place_of_result(session: Session, name: str, path: Path | None = None) -> Path:
    """Where the result of a file goes: known to be writable before anything is changed.

    Args:
        session: with the working folder.
        name: of the file.
        path: as the person wants it; None for a name in results/ that is not taken yet.

    Raises:
        UsageError: nothing can be written there.
    """
    from plexsheet.files import free_name, own_stem
    from plexsheet.workbook.writing.writer import check_place, made_folder

    if path is not None:
        check_place(path)
        return path
    folder = made_folder(session.config.workbook_dir / "results")
    stem = f"{own_stem(name)} result {datetime.now():%Y-%m-%d %H%M%S}"
    return free_name(folder / f"{stem}.xlsx")
