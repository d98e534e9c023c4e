"""The steps of a round trip, each to be run in a process of its own, and their floors.

A floor is the least that the same work can take with the same libraries: the bytes parsed
and thrown into lists, the cells handed to XlsxWriter one by one, the file read by calamine.
All take the path of a config.json and give figures.
"""

from __future__ import annotations

import re
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from xml.parsers import expat

from benchmarks.measure import Figures, timed

EDITED = (1.75, 3.25)  # ratings nobody in the generated library gives


@contextmanager
def session(config: str, *, writing: bool = True) -> Iterator[Any]:
    """A session of plexsheet's own."""
    from plexsheet.config import load_config
    from plexsheet.operations import session as opened

    with opened(load_config(Path(config)), purpose="benchmark", writing=writing) as found:
        yield found


# ---------------------------------------------------------------- reading


def read(config: str) -> Figures:
    """The whole library from Plex into columns."""
    figures: Figures = {}
    with session(config) as here:
        before = here.gateway.requests
        with timed(figures):
            library = here.gateway.read_library()
        return figures | {
            "requests": here.gateway.requests - before,
            "tracks": len(library.tracks),
        }


VALUES = (
    "ratingKey",
    "guid",
    "title",
    "titleSort",
    "userRating",
    "lastRatedAt",
    "viewCount",
    "lastViewedAt",
    "addedAt",
    "updatedAt",
    "parentRatingKey",
    "grandparentRatingKey",
    "parentTitle",
    "grandparentTitle",
    "originalTitle",
    "parentIndex",
    "index",
    "parentYear",
)


def read_bare(config: str) -> Figures:
    """The same listings parsed as they come, eighteen values of each item into a list."""
    figures: Figures = {}
    with session(config) as here:
        wire, paths = here.gateway._wire, [here.gateway._listing(k, ()) for k in _kinds()]
        rows: list[list[str | None]] = []
        with timed(figures):
            for path in paths:
                _parse_pages(wire, path, _into(rows))
        return figures | {"requests": wire.requests, "items": len(rows)}


def read_and_drop(config: str) -> Figures:
    """The same listings parsed as they come, and nothing kept."""
    figures: Figures = {}
    with session(config) as here:
        wire, paths = here.gateway._wire, [here.gateway._listing(k, ()) for k in _kinds()]
        with timed(figures):
            for path in paths:
                _parse_pages(wire, path, lambda name, attributes: None)
        return figures


def _kinds() -> tuple[Any, ...]:
    from plexsheet.library import KINDS

    return KINDS


Handler = Callable[[str, dict[str, str]], None]


def _into(rows: list[list[str | None]]) -> Handler:
    def start(name: str, attributes: dict[str, str]) -> None:
        if "ratingKey" in attributes:
            get = attributes.get
            rows.append([get(value) for value in VALUES])

    return start


def _parse_pages(wire: Any, path: str, handler: Handler) -> None:
    from plexsheet.plex.paging import LARGEST, container

    start, total = 0, 1
    while start < total:
        parser, found = expat.ParserCreate(), []

        def first(name: str, attributes: dict[str, str], found: list[int] = found) -> None:
            found.append(int(attributes["totalSize"]))
            parser.StartElementHandler = handler  # noqa: B023 - called before the next page

        parser.StartElementHandler = first
        answer = wire.open(path, container(start, LARGEST))
        for chunk in answer:
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
        answer.close()
        start, total = start + LARGEST, found[0]


# ---------------------------------------------------------------- inference


def infer(config: str) -> Figures:
    """Every value of the library inferred; the reading before it is not counted."""
    from plexsheet import operations

    figures: Figures = {}
    with session(config) as here:
        reading = operations.read(here)
        here.state.set_kv(here.scope, "warm", None)
        before = here.gateway.requests
        with timed(figures):
            operations.infer(here, reading)
        rated = int(reading.owned.evidence.manual["track"].sum())
        return figures | {"requests": here.gateway.requests - before, "rated": rated}


def sum_ratings(config: str) -> Figures:
    """The ratings of the library added up by numpy."""
    import numpy as np

    from plexsheet import operations

    figures: Figures = {}
    with session(config) as here:
        ratings = operations.read(here).library.ratings("track")
        times = 100
        with timed(figures):
            for _ in range(times):
                np.nansum(ratings)
    return {name: value / times for name, value in figures.items()}


# ---------------------------------------------------------------- the workbook


def export(config: str, path: str) -> Figures:
    """Library and inference into the finished workbook, and its base into the state.

    Reading and inferring come before and are not counted; their memory is.
    """
    from plexsheet import operations
    from plexsheet.operations.export import WORKBOOK_ROWS, view_of
    from plexsheet.operations.session import meta_for
    from plexsheet.reports.tables import build_all
    from plexsheet.workbook.writing.sheet_data import bases
    from plexsheet.workbook.writing.writer import export_workbook

    figures: Figures = {}
    with session(config) as here:
        reading = operations.read(here)
        inference = operations.infer(here, reading)
        subject = operations.subject(here, reading, inference)
        before = here.gateway.requests
        with timed(figures):
            view = view_of(here, reading, inference)
            meta = meta_for(here, uuid.uuid4().hex)
            reports = build_all(subject, WORKBOOK_ROWS)
            rows = export_workbook(Path(path), view, meta=meta, reports=reports)
            here.state.save_export(here.scope, meta.export_id, Path(path).name, bases(view))
        return figures | {"requests": here.gateway.requests - before, "rows": rows}


def typed_loop(config: str, path: str) -> Figures:
    """The same cells of the four tables by XlsxWriter's typed calls, and nothing else."""
    import xlsxwriter

    from plexsheet import operations
    from plexsheet.operations.export import view_of
    from plexsheet.workbook.schema.columns import SHEET_ROWS, SHEETS
    from plexsheet.workbook.schema.finding import exported
    from plexsheet.workbook.schema.grid import grids
    from plexsheet.workbook.writing.sheet_data import sheet_tables

    figures: Figures = {}
    with session(config) as here:
        reading = operations.read(here)
        view = view_of(here, reading, operations.infer(here, reading))
    tables = sheet_tables(view)
    laid_out = [grid for s in SHEETS for grid in grids(s, tables[s], exported(s), SHEET_ROWS)]
    with timed(figures):
        book = xlsxwriter.Workbook(path, {"constant_memory": True})
        look = book.add_format({"font_color": "#333333"})
        for grid in laid_out:
            sheet = book.add_worksheet(grid.name)
            rows = zip(*(column.tolist() for column in grid.values), strict=True)
            for number, row in enumerate(rows, start=1):
                for place, value in enumerate(row):
                    if isinstance(value, str):
                        if value:
                            sheet.write_string(number, place, value, look)
                    elif value is not None and value == value:
                        sheet.write_number(number, place, value, look)
        book.close()
    return figures


# ---------------------------------------------------------------- the person


_ROW_END = b"</row>"


def edit(path: str, count: int) -> Figures:
    """Give so many tracks, spread over the sheet, another rating, as saved by a program.

    The part is rewritten as a stream: a program that loads a million rows takes minutes.
    """
    source = Path(path)
    with zipfile.ZipFile(source) as book:
        part = _part_of(book, "Tracks")
    edited = source.with_suffix(".edited")
    with zipfile.ZipFile(source) as book, zipfile.ZipFile(edited, "w") as target:
        for entry in book.infolist():
            entry.compress_type = zipfile.ZIP_DEFLATED
            with book.open(entry) as old, target.open(entry, "w", force_zip64=True) as new:
                if entry.filename == part:
                    edits = _edit_rows(old, new, count)
                else:
                    while chunk := old.read(1 << 20):
                        new.write(chunk)
    edited.replace(source)
    return {"edits": edits}


def _part_of(book: zipfile.ZipFile, name: str) -> str:
    names = re.findall(rb'<sheet name="([^"]*)"', book.read("xl/workbook.xml"))
    return f"xl/worksheets/sheet{names.index(name.encode()) + 1}.xml"


def _edit_rows(old: IO[bytes], new: IO[bytes], count: int) -> int:
    from xlsxwriter.utility import xl_col_to_name

    from plexsheet.workbook.schema.finding import exported

    place = next(i for i, c in enumerate(exported("Tracks")) if c.name == "my_rating")
    cell = re.compile(rb'(<c r="%s\d+"[^>/]*)(?:/>|>.*?</c>)' % xl_col_to_name(place).encode())
    rows, edits, held, step = 0, 0, b"", 0
    while chunk := old.read(1 << 20):
        *whole, held = (held + chunk).split(_ROW_END)
        if not step:
            last = re.search(rb'<dimension ref="A1:[A-Z]+(\d+)"', whole[0])
            assert last is not None
            step = max((int(last[1]) - 1) // count, 1)
        for row in whole:
            if rows and rows % step == 0 and edits < count:
                value = b"%.2f" % EDITED[edits % len(EDITED)]
                row, changed = cell.subn(rb"\1><v>" + value + b"</v></c>", row)
                edits += changed
            rows += 1
            new.write(row + _ROW_END)
    new.write(held)
    return edits


# ---------------------------------------------------------------- the way back


def plan_import(config: str, path: str) -> Figures:
    """The edited workbook read, checked and compared with Plex, up to the plan."""
    from plexsheet import operations

    figures: Figures = {}
    with session(config) as here:
        before = here.gateway.requests
        with timed(figures):
            prepared = operations.prepare_import(here, Path(path))
        return figures | {
            "requests": here.gateway.requests - before,
            "changes": prepared.writes,
            "refused": prepared.refused,
        }


def read_workbook_bare(config: str, path: str) -> Figures:
    """Every sheet of the file read by calamine."""
    from python_calamine import CalamineWorkbook

    figures: Figures = {}
    with timed(figures):
        book = CalamineWorkbook.from_path(path)
        for name in book.sheet_names:
            book.get_sheet_by_name(name).to_python()
    return figures


def apply(config: str, path: str) -> Figures:
    """The plan of the edited workbook carried out, and the same number of bare requests."""
    from plexsheet import operations

    figures: Figures = {}
    with session(config) as here:
        prepared = operations.prepare_import(here, Path(path))
        before = here.gateway.requests
        with timed(figures):
            outcome = operations.carry_out(here, prepared.plan, origin=prepared.origin)
        requests = here.gateway.requests - before
        figures |= {"requests": requests, "written": outcome.written}
        return figures | _bare_requests(here, requests)


def _bare_requests(here: Any, requests: int) -> Figures:
    """So many requests to which the server has next to nothing to say."""
    figures: Figures = {}
    with timed(figures, "bare"):
        for _ in range(requests):
            here.gateway._wire.get("/identity")
    return figures


def run(config: str, write: bool) -> Figures:
    """A run of inference: read what changed, infer, plan and, if so wished, write."""
    from plexsheet import operations

    figures: Figures = {}
    with session(config) as here:
        with timed(figures):
            prepared = operations.prepare_infer(here)
            written = 0
            if write and len(prepared.plan):
                written = operations.carry_out(here, prepared.plan).written
        requests = here.gateway.requests
        figures |= {"requests": requests, "changes": len(prepared.plan), "written": written}
        return figures | _bare_requests(here, requests)


def remember(config: str) -> Figures:
    """Read the library once, so that later steps find it in the state."""
    from plexsheet import operations

    with session(config) as here:
        operations.read(here)
    return {}
