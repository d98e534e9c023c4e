"""Which sheet is which, and which column: names and headers, never positions (pure).

People move, hide and add columns, and other programs rename sheets.  What counts is
the header, compared without case and blanks.  A sheet whose needed columns are
missing, doubled or not in row 1 is left alone with a sentence; the others go on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from plexsheet.messages import Message, say
from plexsheet.workbook.schema.columns import OTHER_SHEETS, REQUIRED, SHEETS, SheetName
from plexsheet.workbook.schema.finding import column_of, header_key, sheet_of
from plexsheet.workbook.schema.letters import letters_of

RATING_TYPE = "ratingType"  # a column of plex-rating-utils, not of ours

# Headers of plex-rating-utils' three lists, and what they are here.
_LEGACY: Mapping[SheetName, Mapping[str, str]] = {
    "Artists": {"artistName": "Artist", "sortName": "Sort name", "genres": "Genres"},
    "Albums": {
        "albumName": "Album",
        "artistName": "Artist",
        "releaseYear": "Year",
        "genres": "Genres",
    },
    "Tracks": {
        "trackTitle": "Title",
        "trackArtist": "Track artist",
        "albumName": "Album",
        "albumArtist": "Artist",
    },
}
_LEGACY_ALL = {"ratingKey": "Key", "userRating": "My rating", "ratingType": RATING_TYPE}
_OF_DISSENTERS = header_key("Others' mean")
_KNOWN_TO_NONE = ("albumcount", "sortname")  # of those lists, without meaning here


@dataclass(frozen=True)
class Layout:
    """How one sheet is to be read.

    Attributes:
        title: name of the sheet in the file.
        name: as plexsheet calls it.
        sheet: which of the four; None where the rows say it by their keys.
        headers: row 1.
        columns: known header to its place.
        own: places of the person's own columns.
        legacy: whether it is a list of plex-rating-utils.
    """

    title: str
    name: str
    sheet: SheetName | None
    headers: tuple[str, ...]
    columns: Mapping[str, int] = field(default_factory=dict)
    own: tuple[int, ...] = ()
    legacy: bool = False


def canonical_name(title: str, sheet: SheetName) -> str:
    """Name of a sheet, its number kept where it continues another.

    >>> canonical_name(" tracks 2", "Tracks")
    'Tracks 2'
    """
    number = header_key(title)[len(header_key(sheet)) :]
    return f"{sheet} {number}" if number else sheet


# What programs add to a sheet's name: Numbers its table ("Tracks - Table 1"), others a number
# where they copy a sheet ("Tracks (2)", "Tracks_2", "Copy of Tracks").
_DECORATED = re.compile(
    r"(?:(?:copy of|kopie v[oa]n|copi[ea] d[ei]|c\u00f3pia de|kopi a[fv]|kopia)\s+)?"
    r"(?P<name>\S.*?)"
    r"(?:\s*-\s*\D{1,20}?\s?\d+(?:-\d+)?|\s*\(\d+\)|[_-]\d+|\s+copy)?",
    re.IGNORECASE,
)


def undecorated(title: str) -> str:
    """Name of a sheet without what programs add to it.

    >>> undecorated("Tracks - Table 1"), undecorated("Copy of Albums"), undecorated("Tracks 2")
    ('Tracks', 'Albums', 'Tracks 2')
    """
    found = _DECORATED.fullmatch(title.strip())
    return found["name"] if found else title


def _ours(name: str) -> str:
    """The name as plexsheet calls its sheet of that name; ``""`` for any other."""
    sheet = sheet_of(name)
    if sheet:
        return canonical_name(name, sheet)
    key = header_key(name)
    return next((other for other in OTHER_SHEETS if header_key(other) == key), "")


def told_apart(titles: Sequence[str]) -> tuple[dict[str, str], list[Message]]:
    """Which of plexsheet's sheets each title means.

    A title counts as it stands; one with something added counts where no other sheet has
    the plain name, as in a workbook that sheets were copied into.

    Returns:
        Title to the name as plexsheet calls it, titles of other sheets left out; and what is
        said of those that cannot be told apart (F12) and of copies beside the original (F10).
    """
    plain = {title: _ours(title) for title in titles}
    exact = set(plain.values()) - {""}
    claims: dict[str, list[str]] = {}
    said = []
    for title in titles:
        name = plain[title] or _ours(undecorated(title))
        if name in exact and not plain[title]:
            said.append(say("F10", variant="copy", sheet=name, title=title))
        elif name:
            claims.setdefault(name, []).append(title)
    said += [
        say("F12", variant="sheets", sheet=name, first=found[0], second=found[1])
        for name, found in claims.items()
        if len(found) > 1
    ]
    return {found[0]: name for name, found in claims.items() if len(found) == 1}, said


def missing_sheets(names: Iterable[str]) -> list[Message]:
    """One notice (F10) for each sheet of whole kinds that is not there."""
    there = {sheet_of(name) for name in (*names, "Rate next")}
    if "Matches" in there:
        return []  # a review workbook has no others
    return [say("F10", sheet=sheet) for sheet in SHEETS if sheet not in there]


def of_sheet(
    title: str,
    head: Sequence[Sequence[str]],
    mapping: Mapping[str, str] | None = None,
    *,
    name: str = "",
) -> tuple[Layout, list[Message]]:
    """The layout of a sheet from its first rows.

    Args:
        title: name of the sheet in the file.
        head: its first rows as texts.
        mapping: header in the file to the column it means, for foreign lists.
        name: as plexsheet calls the sheet, where its title tells; otherwise its headers do.

    Returns:
        The layout, and what is to be said.  A message F11-F13 means that the sheet is
        skipped.
    """
    headers = tuple(text.strip() for text in head[0]) if head else ()
    sheet = sheet_of(name)
    legacy = {"ratingkey", "userrating"} <= {header_key(text) for text in headers}
    if sheet is None:
        sheet = _legacy_sheet(headers) if legacy else _sheet_by_headers(headers, mapping)
    name = name or sheet or "List"
    places = _places(headers, sheet, mapping, legacy)
    columns = {header: found[0] for header, found in places.items()}
    known = {place for found in places.values() for place in found}
    own = tuple(place for place, text in enumerate(headers) if place not in known)
    layout = Layout(title, name, sheet, headers, columns, own, legacy)
    stop = _stop(layout, places, head, mapping)
    if stop:
        return layout, [stop]
    yours = [
        say("F14", sheet=name, column=headers[place])
        for place in own
        if headers[place] and not (legacy and header_key(headers[place]) in _KNOWN_TO_NONE)
    ]
    return layout, yours


def _stop(
    layout: Layout,
    places: Mapping[str, list[int]],
    head: Sequence[Sequence[str]],
    mapping: Mapping[str, str] | None,
) -> Message | None:
    required = REQUIRED[layout.sheet or "Tracks"]
    missing = [header for header in required if header not in places]
    if missing and any(
        all(header in _places(row, layout.sheet, mapping, layout.legacy) for header in required)
        for row in head[1:]
    ):
        return say("F13", sheet=layout.name)
    if missing:
        return say("F11", sheet=layout.name, column=missing[0])
    for header, found in places.items():
        if len(found) > 1:
            letters = " and ".join(letters_of(place) for place in found[:2])
            return say("F12", sheet=layout.name, column=header, letters=letters)
    return None


def _places(
    headers: Sequence[str],
    sheet: SheetName | None,
    mapping: Mapping[str, str] | None,
    legacy: bool,
) -> dict[str, list[int]]:
    """Known header to the places where it stands."""
    mapped = {header_key(said): means for said, means in (mapping or {}).items()}
    if legacy:
        theirs = {**_LEGACY_ALL, **(_LEGACY.get(sheet, {}) if sheet else {})}
        mapped = {header_key(said): means for said, means in theirs.items()} | mapped
    places: dict[str, list[int]] = {}
    for place, text in enumerate(headers):
        key = header_key(text)
        known = mapped.get(key)
        if known is None and key and not legacy:
            column = column_of(sheet or "Tracks", text)
            known = column.header if column else None
        if known:
            places.setdefault(known, []).append(place)
    return places


def is_report(name: str, head: Sequence[Sequence[str]]) -> bool:
    """Whether a sheet is a report of plexsheet's that is not for editing.

    Args:
        name: as plexsheet calls the sheet, ``""`` where its title does not tell.
        head: its first rows as texts.
    """
    keys = {header_key(text) for row in head[:1] for text in row}
    if name == "Rate next":  # to read only in older workbooks
        return header_key("My rating") not in keys
    return not name and _OF_DISSENTERS in keys


def _legacy_sheet(headers: Sequence[str]) -> SheetName | None:
    keys = {header_key(text) for text in headers}
    if "tracktitle" in keys:
        return "Tracks"
    if "albumname" in keys:
        return "Albums"
    return "Artists" if "artistname" in keys else None


def _sheet_by_headers(
    headers: Sequence[str], mapping: Mapping[str, str] | None
) -> SheetName | None:
    """Which sheet a lone list is, when its headers leave no doubt."""
    keys = {header_key(text) for text in headers}
    keys |= {
        header_key(means) for said, means in (mapping or {}).items() if header_key(said) in keys
    }
    if {"kind", header_key("Rows it would settle")} <= keys:
        return "Rate next"
    if "decision" in keys and "sub-group" in keys:
        return "Twins"
    if "title" in keys:
        return "Tracks"
    if "album" in keys:
        return "Albums"
    return "Artists" if {"artist", "sortname"} <= keys else None


def unknown_targets(mapping: Mapping[str, str]) -> list[str]:
    """What a mapping names that no sheet has a column for."""
    known = {header_key(column.header) for columns in SHEETS.values() for column in columns}
    return [means for means in mapping.values() if header_key(means) not in known]


def canonical_mapping(mapping: Mapping[str, str]) -> dict[str, str]:
    """A mapping with its targets as the columns are called.

    >>> canonical_mapping({"Score": "my RATING"})
    {'Score': 'My rating'}
    """
    names = {
        header_key(column.header): column.header
        for columns in SHEETS.values()
        for column in columns
    }
    return {said: names[header_key(means)] for said, means in mapping.items()}
