"""The review workbook: every rated row of a list, what it may be in Plex, and room to decide.

What wants a decision stands first; what is sure carries TAKE already.  It is imported like any
workbook of plexsheet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from plexsheet.matching.catalogue import Catalogue
from plexsheet.matching.match import Match
from plexsheet.matching.rows import ListRow
from plexsheet.ratings import show_stars, to_stars
from plexsheet.workbook.edits.match_decisions import Choice, candidates_text
from plexsheet.workbook.reading.user_workbook import as_objects
from plexsheet.workbook.schema.check import check_number, check_texts
from plexsheet.workbook.schema.columns import Column
from plexsheet.workbook.schema.finding import exported
from plexsheet.workbook.schema.formulas import will_take_text
from plexsheet.workbook.schema.grid import Array, Grid, grids
from plexsheet.workbook.schema.meta import Meta
from plexsheet.workbook.writing.book import Book
from plexsheet.workbook.writing.data_sheets import add_sheet, write_rows
from plexsheet.workbook.writing.help_sheet import add_help
from plexsheet.workbook.writing.start import add_start
from plexsheet.workbook.writing.writer import replacing, sheet_lines

SUBTITLE = "Ratings of {name}, and the songs in Plex they may belong to: yours to decide."
# Decisions first: what contradicts Plex, what is unclear, what is nearly sure, the rest.
ORDER = {"conflict": 0, "ambiguous": 1, "likely": 2, "sure": 3, "skipped": 4, "same": 5}
_NOT_FOUND = tuple(
    Column(name, header, note, kind, width)  # type: ignore[arg-type]
    for name, header, note, kind, width in (
        ("list_row", "List row", "Row of the list, as the list counts.", "number", 9),
        ("list_artist", "Artist", "As the list says.", "text", 26),
        ("list_album", "Album", "As the list says.", "text", 26),
        ("list_title", "Title", "As the list says.", "text", 34),
        ("list_length", "Length", "As the list says, m:ss.", "text", 9),
        ("written", "Their rating", "The rating as the list writes it.", "text", 12),
        ("nearest", "Nearest in Plex", "What is most like it.", "text", 60),
        ("reason", "Why not", "Why it was not taken.", "text", 80),
    )
)


@dataclass(frozen=True)
class Line:
    """One rated row of a list and what became of it: see ``operations.match.Found``."""

    match: Match
    outcome: str
    reason: str
    applied: bool

    @property
    def row(self) -> ListRow:
        """The row of the list."""
        return self.match.row


def write_review(
    path: Path,
    lines: Sequence[Line],
    library: Catalogue,
    in_plex: Callable[[int], float],
    *,
    meta: Meta,
    name: str,
) -> None:
    """Write the review workbook of a list.

    Args:
        path: where to; an existing file is replaced.
        lines: the rated rows.
        library: the tracks they were matched with.
        in_plex: rating 0-10 of the track at a place, NaN unrated.
        meta: what the workbook says of itself.
        name: of the list.

    Raises:
        UsageError: it cannot be written.
    """
    chosen = [one for one in lines if one.match.candidates and one.outcome in ORDER]
    chosen = [one for one in chosen if one.match.places]
    chosen.sort(key=lambda one: (one.applied, ORDER[one.outcome], one.row.row))
    lost = [one for one in lines if not one.match.places]
    lost.sort(key=lambda one: one.row.row)
    columns = exported("Matches")
    records = [_record(one, library, in_plex) for one in chosen]
    grid = next(iter(grids("Matches", _columns(columns, records), columns)))
    other = Grid(
        None, "Not found", _NOT_FOUND,
        tuple(_columns(_NOT_FOUND, [_lost(one, library) for one in lost]).values()), "tblNotFound",
    )  # fmt: skip
    with replacing(path) as target:
        made = BytesIO()
        book = Book(made, meta)
        edits = {grid.name: sum(record["action"] != "" for record in records)}
        add_start(book, meta, [grid], subtitle=SUBTITLE.format(name=name), edits=edits)
        next_year = datetime.fromtimestamp(meta.exported_at, UTC).year + 1
        for one in (grid, other):
            sheet = add_sheet(book, one, next_year=next_year)
            write_rows(book, sheet, one)
        add_help(book)
        book.hidden_meta(meta, sheet_lines([grid]))
        book.close()
        target.write(made.getbuffer())


def _columns(columns: Sequence[Column], records: Sequence[Mapping[str, Any]]) -> dict[str, Array]:
    made: dict[str, Array] = {}
    for column in columns:
        values = [record.get(column.name, "") for record in records]
        numeric = column.type in ("stars", "number", "percent")
        made[column.name] = np.array(values, dtype=float) if numeric else as_objects(values)
    return made


def _listed(row: ListRow) -> dict[str, Any]:
    seconds = round(row.length_ms / 1000)
    return {
        "list_row": float(row.row),
        "list_artist": row.artist or row.album_artist,
        "list_album": row.album,
        "list_title": row.name,
        "list_length": f"{seconds // 60}:{seconds % 60:02d}" if seconds else "",
        "written": row.written,
    }


def _record(one: Line, library: Catalogue, in_plex: Callable[[int], float]) -> dict[str, Any]:
    place = one.match.places[0]
    candidates = _candidates(one.match)
    stars = math.nan if math.isnan(one.row.rating) else to_stars(one.row.rating)
    action = "TAKE" if one.outcome == "sure" and not one.applied else ""
    held = in_plex(place)
    record = _listed(one.row) | {
        "my_rating": stars,
        "in_plex": math.nan if math.isnan(held) else to_stars(held),
        "evidence": one.match.evidence,
        "score": round(one.match.score, 1),
        "action": action,
        "choice": "",
        "reason": one.reason if not one.applied else "Written.",
        "candidates": "\n".join(
            f"{number}. {_described(library, at, in_plex)}"
            for number, at in enumerate(candidates, start=1)
        ),
        "artist": library.album_artist_name[place],
        "album": library.shown_album[place],
        "title": library.shown_title[place],
        "key": str(library.keys[place]),
        "note": "",
        "was": stars,
        "choices": candidates_text([_candidate(library, at, in_plex) for at in candidates]),
        "check": str(check_texts(np.array([_check(library, place)]))[0]),
    }
    return record | {"will_do": will_take_text(record)}


def _candidates(match: Match) -> list[int]:
    """Places of the candidates, the one meant first."""
    places = [match.places[0], *(one.place for one in match.candidates)]
    return list(dict.fromkeys(places))[:5]


def _described(library: Catalogue, place: int, in_plex: Callable[[int], float]) -> str:
    rating = in_plex(place)
    shown = "" if math.isnan(rating) else f" ★{show_stars(rating)}"
    return f"{library.described(place)}{shown}"


def _candidate(library: Catalogue, place: int, in_plex: Callable[[int], float]) -> Choice:
    return Choice(library.keys[place], _check(library, place), in_plex(place))


def _check(library: Catalogue, place: int) -> int:
    return check_number(
        "track", library.keys[place], library.shown_title[place],
        library.album_artist_name[place], library.shown_album[place],
    )  # fmt: skip


def _lost(one: Line, library: Catalogue) -> dict[str, Any]:
    nearest = one.match.candidates[0].place if one.match.candidates else -1
    return _listed(one.row) | {
        "nearest": library.described(nearest) if nearest >= 0 else "",
        "reason": one.reason,
    }
