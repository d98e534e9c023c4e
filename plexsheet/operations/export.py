"""Export the library: a workbook, or three CSV files."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexsheet.errors import UsageError
from plexsheet.files import free_name
from plexsheet.operations.brakes import tell_parted
from plexsheet.operations.infer import infer
from plexsheet.operations.read import Reading, read
from plexsheet.operations.report import subject, with_accuracy, with_standing, with_unheard
from plexsheet.operations.session import Session, meta_for

if TYPE_CHECKING:
    from plexsheet.inference.model import Inference
    from plexsheet.workbook.reading.user_content import UserContent
    from plexsheet.workbook.schema.columns import SheetName
    from plexsheet.workbook.writing.sheet_data import View

WORKBOOK_ROWS = 500  # of a report in a workbook; the command line shows all


# Export


@dataclass(frozen=True)
class Exported:
    """What an export wrote.

    Attributes:
        rows: per ``artists``, ``albums``, ``tracks``, ``twins``, ``rate_next``.
        requests: HTTP requests to Plex.
    """

    file: str
    export_id: str
    rows: Mapping[str, int]
    requests: int
    seconds: float

    def payload(self) -> dict[str, Any]:
        """The object of ``--json``."""
        return {
            "file": self.file,
            "export_id": self.export_id,
            "rows": dict(self.rows),
            "requests": self.requests,
            "seconds": round(self.seconds, 3),
        }


def export(
    session: Session,
    path: Path | None = None,
    *,
    carry_from: Path | None = None,
    full: bool = False,
    columns: Sequence[str] = (),
    only: Sequence[str] = (),
) -> Exported:
    """Read Plex, infer and write the workbook.

    Args:
        session: connected.
        path: the workbook, replaced if it is there; None for a dated name in WORKBOOK_DIR.
        carry_from: an older workbook whose notes, own columns and own sheets are taken over.
        full: read everything even where a recent snapshot would do.
        columns: as ``Tracks=Artist,Title,Plays``, columns to show of a sheet, instead of those
            in the settings.
        only: which items to show, see ``workbook.writing.selection``; inference and reports
            are about the whole library all the same.

    Raises:
        UsageError: the file cannot be written, or ``columns`` or ``only`` is not understood,
            or nothing fits ``only``.
        WorkbookError: ``carry_from`` cannot be read.
        PlexError: reading failed.
    """
    from plexsheet.reports.tables import build_all
    from plexsheet.workbook.writing.selection import shown_items, terms_of
    from plexsheet.workbook.writing.sheet_data import bases
    from plexsheet.workbook.writing.writer import check_place, export_workbook

    headers, terms = _chosen_columns(session, columns), terms_of(only)
    path = path or dated_path(session)
    check_place(path)
    user_content = user_content_in(carry_from) if carry_from else None
    reading = read(session, full=full)
    tell_parted(session, reading)
    session.progress("Inferring", 0, 1)
    inference = infer(session, reading)
    session.progress("Inferring", 1, 1)
    about = with_standing(session, reading, subject(session, reading, inference))
    about = with_unheard(with_accuracy(session, about, refit=False))
    view = view_of(session, reading, inference)
    if terms:
        manual = reading.owned.evidence.manual
        shown = shown_items(reading.library, manual, terms)
        if not any(mask.any() for mask in shown.values()):
            raise UsageError(
                f"--only: nothing in the library fits “{' '.join(only)}”. Nothing was written. "
                "Words match anywhere in a name, ratings are in stars, and all terms must hold."
            )
        view = replace(view, shown=shown)
    meta = meta_for(session, uuid.uuid4().hex)
    session.progress("Writing", 0, 1)
    rows = export_workbook(
        path,
        view,
        meta=meta,
        reports=build_all(about, WORKBOOK_ROWS),
        user_content=user_content,
        headers=headers,
    )
    session.state.save_export(session.scope, meta.export_id, path.name, bases(view))
    session.progress("Writing", 1, 1)
    return Exported(
        str(path),
        meta.export_id,
        {name.lower().replace(" ", "_"): count for name, count in rows.items()},
        session.gateway.requests,
        time.time() - session.started,
    )


def _chosen_columns(session: Session, columns: Sequence[str]) -> dict[SheetName, tuple[str, ...]]:
    """Columns to show, by sheet: of the command line, else of the settings.

    Raises:
        UsageError: there is no such sheet or column.
    """
    from plexsheet.workbook.schema.columns import SHEETS
    from plexsheet.workbook.schema.finding import sheet_of

    settings = asdict(session.config.workbook_columns)
    wanted = {name: settings[name.lower().replace(" ", "_")] for name in SHEETS}
    for text in columns:
        name, _, headers = text.partition("=")
        sheet = sheet_of(name)
        if sheet is None or not headers.strip():
            raise UsageError(
                f"--columns: “{text}” names no sheet and its columns. Nothing was written. "
                "Write for example: --columns Tracks=Artist,Album,Title,Plays."
            )
        wanted[sheet] = tuple(header.strip() for header in headers.split(",") if header.strip())
    chosen = {sheet: headers for sheet, headers in wanted.items() if headers}
    for sheet, headers in chosen.items():
        _refuse_unknown(sheet, headers)
    return chosen


def _refuse_unknown(sheet: SheetName, headers: Sequence[str]) -> None:
    from plexsheet.workbook.schema.finding import exported, header_key

    known = {header_key(column.header): column.header for column in exported(sheet)}
    for header in headers:
        if header_key(header) not in known:
            raise UsageError(
                f"{sheet} has no column “{header}” to choose. Nothing was written. It has: "
                f"{', '.join(known.values())}."
            )


def export_csv(
    session: Session,
    folder: Path,
    *,
    force: bool = False,
    full: bool = False,
    separator: str = ",",
) -> Exported:
    """Write artists.csv, albums.csv and tracks.csv with the columns of plex-rating-utils.

    Raises:
        FileExists: one of the files is there, and ``force`` was not given.
        UsageError: a file cannot be written.
    """
    from plexsheet.errors import FileExists
    from plexsheet.workbook.writing.legacy_csv import FILE_NAMES, write_csv
    from plexsheet.workbook.writing.writer import made_folder

    there = [name for name in FILE_NAMES.values() if (folder / name).exists()]
    if there and not force:
        raise FileExists(
            f"{', '.join(there)} in {folder} would be replaced. Nothing was written. "
            "Choose another folder, or add --force."
        )
    made_folder(folder)
    reading = read(session, full=full)
    rows = write_csv(folder, reading.library, reading.owned.source, separator=separator)
    return Exported(
        str(folder),
        "",
        rows | {"twins": 0},
        session.gateway.requests,
        time.time() - session.started,
    )


def user_content_in(path: Path) -> UserContent:
    """Notes, cell notes, own columns and own sheets of an older workbook.

    Raises:
        WorkbookError: it cannot be read.
    """
    from plexsheet.workbook.reading.comments import read_whole
    from plexsheet.workbook.reading.user_workbook import user_content_of

    return user_content_of(read_whole(path))


def view_of(session: Session, reading: Reading, inference: Inference) -> View:
    """What the sheets are made of."""
    from plexsheet.inference.exclusions import counts_upward, fillers
    from plexsheet.workbook.writing.sheet_data import View

    settings = session.config.inference_settings()
    speaks, reasons = counts_upward(reading.library, settings.exclusions)
    if inference.model == "learned":  # which lets short tracks count where the album is short
        speaks = ~fillers(reading.library, settings.exclusions)
    return View(
        reading.library,
        inference,
        reading.owned,
        counts_upward=np.where(speaks, "", reasons),
        rounding=session.config.rounding_stars,
        utc_offset_s=local_offset_s,
    )


def local_offset_s(epoch: int) -> int:
    """Seconds to add to an epoch for the clock on this wall."""
    return time.localtime(epoch).tm_gmtoff


def dated_path(session: Session) -> Path:
    """A name for an export in the working folder that is not taken yet."""
    from plexsheet.workbook.writing.writer import file_name, made_folder

    folder = made_folder(session.config.workbook_dir)
    return free_name(folder / file_name(session.gateway.identity.title, datetime.now()))
