"""The pictures in docs/images, as LibreOffice shows a workbook: ``python -m tests.pictures``.

A demo library, half of its inferred ratings written, a few edits typed as a person would.
"""

from __future__ import annotations

import math
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from plexsheet.library import KINDS
from plexsheet.messages import text as said
from plexsheet.plan.model import RowOutcome
from plexsheet.workbook.reading.reader import read
from plexsheet.workbook.reading.user_workbook import user_workbook
from plexsheet.workbook.schema.columns import SheetName
from plexsheet.workbook.schema.finding import exported
from plexsheet.workbook.schema.formulas import text_of
from plexsheet.workbook.schema.letters import letters_of
from plexsheet.workbook.writing.result import result_workbook
from plexsheet.workbook.writing.sheet_data import View
from tests.libreoffice import Document, open_document
from tests.sample_library import META, export, make_library, make_view, reports_of

FOLDER = Path(__file__).parents[1] / "docs" / "images"
DPI = 72
NAN = math.nan
# name of the picture, sheet, cells
SHOTS = (
    ("start", "Start", "A1:C34"),
    ("artists", "Artists", "A1:O26"),
    ("albums", "Albums", "A1:Q28"),
    ("tracks", "Tracks", "A1:R30"),
    ("twins", "Twins", "A1:P28"),
    ("reports", "Reports", "A1:R101"),
    ("rate-next", "Rate next", "A1:I22"),
    ("help", "Help", "A1:D40"),
)
RESULT_SHOTS = (
    ("result", "Tracks", "A1:P26"),
    ("result-start", "Start", "A1:C54"),
    ("result-changes", "Changes", "A1:L12"),
)


def demo_view() -> View:
    """A library after a first run: inferred ratings stand in Plex."""
    view = make_view(make_library(2_000, seed=3))
    lib, source = view.library, {}
    tables = {}
    for kind in KINDS:
        manual = view.manual(kind)
        value = np.round(view.inference.of(kind).value, 1)
        written = ~manual & (np.arange(len(value)) % 5 > 0)
        rated = np.where(written, value, lib.ratings(kind))
        tables[f"{kind}s"] = lib.table(kind).assign(user_rating=rated)
        words = np.where(manual, "Manual", np.where(written, "Inferred", "Unrated")).astype(object)
        if kind == "track":
            words[written & (view.inference.twin_group >= 0)] = "Twin"
        source[kind] = words
    owned = replace(view.owned, source=source)
    return replace(view, library=replace(lib, **tables), owned=owned)


def letter(sheet: SheetName, header: str) -> str:
    return letters_of([column.header for column in exported(sheet)].index(header))


def type_edits(document: Document) -> None:
    """What somebody types in five minutes, two mistakes included."""
    rating, action = letter("Tracks", "My rating"), letter("Tracks", "Action")
    for row, value in ((3, 4.5), (5, 7), (8, 4), (12, "gut"), (14, 3.5)):
        document.set("Tracks", f"{rating}{row}", value)
    for row, word in ((6, "ACCEPT"), (10, "EXCLUDE"), (16, "ACEPT")):
        document.set("Tracks", f"{action}{row}", word)
    for row in range(2, 30):
        if document.cell("Tracks", f"{rating}{row}")["type"] == "VALUE" and row > 16:
            document.set("Tracks", f"{rating}{row}", None)
            break
    document.set("Albums", f"{letter('Albums', 'Year')}4", 1968)
    document.set("Albums", f"{letter('Albums', 'My rating')}7", 4)
    document.set("Albums", f"{letter('Albums', 'Action')}9", "ACCEPT")
    document.set("Artists", f"{letter('Artists', 'My rating')}5", 3.5)
    document.set("Twins", f"{letter('Twins', 'Decision')}6", "NEVER")


def shoot(document: Document, shots: tuple[tuple[str, str, str], ...], folder: Path) -> None:
    """Pictures of ranges into docs/images."""
    for name, sheet, cells in shots:
        pdf = folder / f"{name}.pdf"
        document.picture(sheet, cells, pdf)
        target = FOLDER / name
        subprocess.run(
            ["pdftoppm", "-png", "-singlefile", "-r", str(DPI), str(pdf), str(target)],
            check=True,
            stderr=subprocess.DEVNULL,
        )


def outcomes_of(path: Path) -> list[RowOutcome]:
    """What an import of the edits would say of the Tracks sheet."""
    sheet = next(
        one for one in user_workbook(read(path, extras=True)).sheets if one.sheet == "Tracks"
    )
    at: dict[str, Any] = {c.name: sheet.column(c.name) for c in exported("Tracks")}
    found = []
    for place in range(28):
        typed, was, word = at["my_rating"][place], at["was"][place], at["action"][place] or ""
        if typed == was and not word:
            continue
        row = {
            "sheet": "Tracks", "row": place + 2, "kind": "track", "key": int(at["key"][place]),
            "title": at["title"][place], "field": "rating",
            "was": NAN if was is None else 2 * was, "plex_now": NAN,
        }  # fmt: skip
        found.append(_outcome(row, typed, word, at["inferred"][place]))
    found[0] = replace(
        found[0], outcome="Conflict", code="C50", plex_now=6.0, yours=found[0].yours,
        message=said("C50", yours=text_of(float(found[0].yours) / 2), plex="3"),
    )  # fmt: skip
    return found


def _outcome(row: dict[str, Any], typed: Any, word: str, inferred: float) -> RowOutcome:
    if typed == "gut":
        return RowOutcome(
            yours="gut", outcome="Error", code="E10", message=said("E10", value="gut"), **row
        )
    if typed == 7:
        message = said("E11", value="7", half="3.5")
        return RowOutcome(yours=14.0, outcome="Error", code="E11", message=message, **row)
    if word == "ACEPT":
        message = said("E20", value="ACEPT", nearest="ACCEPT")
        return RowOutcome(yours="ACEPT", outcome="Error", code="E20", message=message, **row)
    if word == "EXCLUDE":
        return RowOutcome(yours="EXCLUDE", outcome="Applied", **(row | {"field": "exclude"}))
    yours = 2 * inferred if word == "ACCEPT" else NAN if typed is None else 2 * typed
    return RowOutcome(yours=yours, outcome="Applied", **row)


def main() -> None:
    """Make all pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    view = demo_view()
    folder = Path(tempfile.mkdtemp(prefix="plexsheet-pictures-"))
    path = export(folder / "music.xlsx", view, reports=reports_of(view))
    with open_document(path) as document:
        type_edits(document)
        document.store()
        shoot(document, SHOTS, folder)
    result = folder / "result.xlsx"
    meta = replace(META, kind="result", run="57")
    result_workbook(result, user_workbook(read(path, extras=True)), outcomes_of(path), meta=meta)
    with open_document(result) as document:
        shoot(document, RESULT_SHOTS, folder)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
