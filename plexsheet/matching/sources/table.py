"""Tables of any player: text files, Excel and LibreOffice sheets, lists of JSON objects.

Columns are found by their headers; ``--map`` names the rest.  What a plain number in the
rating column counts to must be said by the header, the program's layout or the person.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plexsheet.matching.rows import ListOptions, ListRow
from plexsheet.matching.sources import values
from plexsheet.matching.sources.base import Head, ListSource, UnreadableList, Unsaid
from plexsheet.matching.sources.headers import (
    FIELDS,
    Header,
    key_of,
    known_layout,
    meaning,
)
from plexsheet.matching.sources.values import NotARating, ScaleUnknown
from plexsheet.ratings import UNRATED
from plexsheet.workbook.reading.archive import Refused, sniff
from plexsheet.workbook.reading.csv_book import opened
from plexsheet.workbook.reading.plain_sheets import Rows, sheets_of

HEADER_WITHIN = 10  # rows looked at for a header
_COMPUTED = ("inferred", "computed", "true", "yes", "1")
Row = Sequence[Any]


@dataclass(frozen=True)
class TableColumns:
    """Where the fields of a table stand.

    Attributes:
        place: field to column.
        header: what the header of each field says beside.
        names: field to the header itself.
        layout: highest rating by the program's layout, 0 unknown.
        first: rows before the first row of data.
    """

    place: Mapping[str, int]
    header: Mapping[str, Header]
    names: Mapping[str, str]
    layout: int
    first: int


def read(path: Path, options: ListOptions) -> Iterable[ListRow]:
    """Rows of a text file, or of the first sheet with a header that is understood."""
    try:
        form = sniff(path)
    except Refused as error:
        raise UnreadableList(_refusal(error)) from error
    tables = [_text_rows(path)] if form == "csv" else _sheets(path)
    return of_tables(tables, options, path.name)


def of_tables(tables: Iterable[Iterable[Row]], options: ListOptions, name: str) -> list[ListRow]:
    """Rows of the first table whose header names a title.

    Raises:
        Unsaid: no header is understood, or the scale is nowhere said.
    """
    seen: list[str] = []
    for table in tables:
        rows = list(table)
        columns = find_columns(rows, options.mapping)
        if columns is not None:
            return list(_rows(rows, columns, options, name))
        seen += [str(cell) for cell in (rows[0] if rows else ()) if cell not in (None, "")]
    shown = ", ".join(f"“{header}”" for header in seen[:12]) or "nothing"
    raise Unsaid(
        f"No column of {name} is known to hold titles (its first row says {shown}). Say which is "
        'which: --map "Header=Title" --map "Header=Artist" --map "Header=Rating".'
    )


def find_columns(rows: Sequence[Row], mapping: Mapping[str, str]) -> TableColumns | None:
    """The columns of a table, None without a title column.

    Raises:
        Unsaid: ``mapping`` names a field that does not exist, or a header that is not there.
    """
    wanted = {key_of(header): _field(column) for header, column in mapping.items()}
    for at, row in enumerate(rows[:HEADER_WITHIN]):
        headers = [str(cell or "").strip() for cell in row]
        found = _placed(headers, wanted)
        if "title" not in found or len(found) < 2:
            continue
        missing = [header for header in mapping if key_of(header) not in map(key_of, headers)]
        if missing:
            raise Unsaid(f"No column is called “{missing[0]}”.")
        return TableColumns(
            found,
            {field: meaning(headers[place]) for field, place in found.items()},
            {field: headers[place] for field, place in found.items()},
            known_layout(dict.fromkeys(map(key_of, headers), 0)),
            at + 1,
        )
    return None


def _field(column: str) -> str:
    """The field a person means by the right side of ``--map``."""
    field = meaning(column).field
    if not field:
        known = ", ".join(name.replace("_", " ") for name in FIELDS)
        raise Unsaid(f"“{column}” is no column of a list. There are: {known}.")
    return field


def _placed(headers: Sequence[str], wanted: Mapping[str, str]) -> dict[str, int]:
    """Field to column; what the person mapped first, then the leftmost of each."""
    found: dict[str, int] = {}
    for place, header in enumerate(headers):
        if key_of(header) in wanted:
            found.setdefault(wanted[key_of(header)], place)
    for place, header in enumerate(headers):
        field = "" if key_of(header) in wanted else meaning(header).field
        if field:
            found.setdefault(field, place)
    return found


def _rows(
    rows: Sequence[Row], columns: TableColumns, options: ListOptions, name: str
) -> Iterator[ListRow]:
    if "rating" not in columns.place and math.isnan(options.favourite):
        raise Unsaid(
            f"{name} has no column of ratings. If it is a list of favourites, say what they are "
            'worth: --rating 5. If the column has a name of its own: --map "Header=Rating".'
        )
    if "rating" in columns.place and not math.isnan(options.favourite):
        raise Unsaid(
            f"{name} has a column of ratings, “{columns.names['rating']}”; --rating is for lists "
            "without one. Leave it out."
        )
    scale = options.scale or _said_scale(columns)
    _refuse_scale(rows, columns, scale, name)
    unit = _unit(rows, columns)
    for at, row in enumerate(rows[columns.first :], start=columns.first + 1):
        if any(cell not in (None, "") for cell in row):
            yield _one(at, row, columns, options, scale, unit)


def _said_scale(columns: TableColumns) -> int:
    header = columns.header.get("rating")
    return (header.scale if header else 0) or columns.layout


def _refuse_scale(rows: Sequence[Row], columns: TableColumns, scale: int, name: str) -> None:
    """Refuse ratings without a scale, and a scale that the ratings do not fit.

    Raises:
        Unsaid: what to type.
    """
    if "rating" not in columns.place:
        return
    place, largest, unsaid = columns.place["rating"], 0.0, False
    for row in rows[columns.first :]:
        try:
            values.rating(row[place] if place < len(row) else None, scale)
        except ScaleUnknown as error:
            largest, unsaid = max(largest, float(str(error))), True
        except NotARating as error:
            number = str(error).split(" ")[0]
            if " is more than " in str(error):
                largest = max(largest, float(number))
    header = columns.names["rating"]
    if unsaid:
        raise Unsaid(
            f"The column “{header}” of {name} does not say what its highest rating is (the largest "
            f"in it is {largest:g}). Say it: --scale 5, --scale 10, --scale 100 or --scale 255."
        )
    if largest > scale > 0:
        raise Unsaid(
            f"The largest rating in “{header}” of {name} is {largest:g}, more than the highest of "
            f"its scale, {scale}. Say the right one: --scale 5, --scale 10, --scale 100 or "
            "--scale 255."
        )


def _unit(rows: Sequence[Row], columns: TableColumns) -> str:
    """The unit of plain numbers in the length column: by its header, else by the longest song."""
    if "length" not in columns.place:
        return ""
    said = columns.header["length"].unit
    if said:
        return said
    place = columns.place["length"]
    longest = 0.0
    for row in rows[columns.first :]:
        cell = row[place] if place < len(row) else None
        try:
            longest = max(longest, float(str(cell).replace(",", ".")))
        except ValueError:
            continue
    return "ms" if longest >= 36_000 else "s"  # nobody lists songs of ten hours


def _one(
    at: int, row: Row, columns: TableColumns, options: ListOptions, scale: int, unit: str
) -> ListRow:
    def cell(field: str) -> Any:
        place = columns.place.get(field, -1)
        return row[place] if 0 <= place < len(row) else None

    def text(field: str) -> str:
        return _shown(cell(field))

    made = ListRow(
        at,
        title=text("title"),
        artist=text("artist"),
        album_artist=text("album_artist"),
        album=text("album"),
        disc=values.whole(cell("disc")),
        number=values.whole(cell("number")),
        length_ms=values.length_ms(_clock(cell("length")), unit),
        year=values.year_of(text("year")),
        file=values.decoded_path(text("file")),
        ids=tuple(filter(None, (text("id"),))),
        written=text("rating"),
        rated_at=values.epoch(_moment(cell("rated_at"))),
        plays=values.whole(cell("plays")),
        last_played=values.epoch(_moment(cell("last_played"))),
    )
    if "rating" not in columns.place:
        made.rating = options.favourite
        return made
    if text("computed").casefold() in _COMPUTED:
        made.written = ""
        return made  # the player's guess, not the person's rating
    try:
        made.rating = _unit_interval(cell("rating")) if scale == 1 else (
            values.rating(cell("rating"), scale)
        )  # fmt: skip
    except NotARating as error:
        made.problem = str(error)
    return made


def _unit_interval(cell: Any) -> float:
    """A rating of 0.0-1.0 (FMPS_RATING)."""
    try:
        value = float(str(cell or 0).replace(",", "."))
    except ValueError as error:
        raise NotARating(f"“{cell}” is not a rating") from error
    return values.points(value, 1) if value > 0 else UNRATED


def _shown(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, dt.datetime):
        return cell.isoformat(" ")
    return "" if cell is None else str(cell).strip()


def _clock(cell: Any) -> Any:
    """A length cell; spreadsheet programs take m:ss for a time of day, hours and minutes."""
    if isinstance(cell, dt.timedelta):
        seconds = int(cell.total_seconds())
        cell = dt.time(seconds // 3600 % 24, seconds // 60 % 60, seconds % 60)
    if isinstance(cell, dt.datetime):
        cell = cell.time()
    if isinstance(cell, dt.time):
        if cell.second:
            return f"{cell.hour}:{cell.minute:02d}:{cell.second:02d}"
        return f"{cell.hour}:{cell.minute:02d}"
    return cell


def _moment(cell: Any) -> Any:
    if isinstance(cell, dt.datetime | dt.date):
        return cell.isoformat()
    return cell


def _text_rows(path: Path) -> Iterator[Row]:
    try:
        yield from opened(path).rows()
    except Refused as error:
        raise UnreadableList("its text cannot be taken apart into columns") from error


def _sheets(path: Path) -> Iterator[Iterable[Row]]:
    for _, rows in sheets(path):
        yield rows


def sheets(path: Path) -> Iterator[tuple[str, Rows]]:
    """Name and cells of each sheet of a workbook, empty ones left out.

    Raises:
        Unreadable: it is damaged.
    """
    try:
        yield from sheets_of(path)
    except Refused as error:
        raise UnreadableList("it is damaged") from error


def _refusal(error: Refused) -> str:
    if error.code == "F15":
        return "it unpacks to more than any list needs"
    words = {
        "empty": "it is empty",
        "password": "it is protected by a password",
        "type": f"it is {error.values.get('found', 'something else')}",
    }
    return words.get(error.variant, "it is neither a table nor a library of a player I know")


def _recognises(head: Head) -> bool:
    return head.path.is_file()


SOURCE = ListSource("table", "Table (CSV, TSV, Excel, LibreOffice)", _recognises, read)
