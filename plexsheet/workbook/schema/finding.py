"""Columns and sheets by the words a person knows them by."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection

from plexsheet.workbook.schema.columns import ALL_SHEETS, FORMER, KEPT, Column, SheetName

_KEPT_WITH = {"year": "year_was", "decision": "was_decision"}


def exported(sheet: SheetName) -> tuple[Column, ...]:
    """The columns of a fresh export: all but Status and Message."""
    return tuple(column for column in ALL_SHEETS[sheet] if not column.result_only)


def chosen(sheet: SheetName, headers: Collection[str]) -> tuple[Column, ...]:
    """The columns of an export that shows some of a sheet's columns, in their usual order.

    Args:
        sheet: which of them.
        headers: of the columns to show; those in ``KEPT`` are shown all the same.
    """
    wanted = {header_key(header) for header in headers}
    names = {column.name for column in exported(sheet) if header_key(column.header) in wanted}
    names |= set(KEPT)
    names |= {base for name, base in _KEPT_WITH.items() if name in names}
    return tuple(column for column in exported(sheet) if column.name in names)


def header_key(header: str) -> str:
    r"""A header as it is compared: case, blanks and look-alike forms do not matter.

    >>> header_key(" MY  Rating\u00a0") == header_key("My rating")
    True
    """
    return "".join(unicodedata.normalize("NFKC", header).casefold().split())


_BY_HEADER = {
    sheet: {header_key(column.header): column for column in (*columns, *FORMER.get(sheet, ()))}
    for sheet, columns in ALL_SHEETS.items()
}


def column_of(sheet: SheetName, header: str) -> Column | None:
    """The column a header means on a sheet; None where it is the person's own.

    >>> column_of("Albums", "in  plex").name
    'in_plex'
    """
    return _BY_HEADER[sheet].get(header_key(header))


def sheet_of(name: str) -> SheetName | None:
    """Which sheet to edit a sheet's name means, continued ones (``Tracks 2``) included.

    >>> sheet_of("tracks 2"), sheet_of("Start")
    ('Tracks', None)
    """
    plain = header_key(name).rstrip("0123456789")
    return next((sheet for sheet in ALL_SHEETS if plain == header_key(sheet)), None)
