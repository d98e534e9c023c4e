"""What Plex holds now of the items of an edited file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from plexsheet import messages
from plexsheet.library import KINDS, Kind, rows_of
from plexsheet.plan.model import RowOutcome
from plexsheet.ratings import UNRATED, same_array, show_stars
from plexsheet.workbook.schema.columns import SHEET_OF_KIND

if TYPE_CHECKING:
    import pandas as pd

    from plexsheet.operations.session import Session
    from plexsheet.workbook.edits.validate import Edit
    from plexsheet.workbook.reading.raw import RawWorkbook
CLOCKS_APART_S = 3600  # how far the server's clock may be from this one
MOST_TITLES = 20  # looked up one by one, for sentences
MOST_STRANGERS = 3000


class Titles:
    """Titles of single items, for the few rows whose Key belongs to another title."""

    def __init__(self, session: Session) -> None:
        self._session, self._asked = session, 0

    def __call__(self, kind: Kind, key: int) -> str:
        """Title of an item, ``""`` where it is unknown or too many were asked for."""
        self._asked += 1
        if self._asked > MOST_TITLES:
            return ""
        found = self._session.gateway.read_items(kind, [key])
        return str(found["title"].iloc[0]) if len(found) else ""


def strangers(
    session: Session, raw: RawWorkbook, bases: dict[Kind, pd.DataFrame] | None
) -> dict[int, Kind]:
    """Kind of each Key that was not in the export but is in the library."""
    from plexsheet.workbook.edits.validate import stranger_keys

    if bases is None:
        return {}
    keys = stranger_keys(raw, bases)[:MOST_STRANGERS]
    found: dict[int, Kind] = {}
    for kind in KINDS:
        if len(keys):
            there = session.gateway.read_items(kind, keys)["key"].to_numpy()
            found |= dict.fromkeys(there.tolist(), kind)
            keys = np.setdiff1d(keys, there)
    return found


def library_as_base(session: Session) -> dict[Kind, pd.DataFrame]:
    """The library as Plex holds it now, in the form of a base: for files that have none."""
    import pandas as pd

    from plexsheet.operations.read import read
    from plexsheet.workbook.schema.columns import SOURCES

    reading = read(session)
    codes = {word: code for code, word in enumerate(SOURCES)}
    made: dict[Kind, pd.DataFrame] = {}
    for kind in KINDS:
        table = reading.library.table(kind)
        rated = reading.library.ratings(kind)
        source = np.array([codes[word] for word in reading.owned.source[kind]], dtype=np.uint8)
        columns = {
            "key": table["key"].to_numpy(),
            "mine": np.where(reading.owned.evidence.manual[kind], rated, UNRATED),
            "in_plex": rated,
            "source": source,
            "inferred": np.full(len(table), UNRATED),
            "check": _checks(kind, table),
        }
        if kind == "album":
            columns["year"] = table["year"].to_numpy()
        made[kind] = pd.DataFrame(columns)
    return made


def _checks(kind: Kind, table: pd.DataFrame) -> Any:
    from plexsheet.workbook.schema.check import check_numbers

    artists = table["artist"].tolist() if kind != "artist" else None
    albums = table["album"].tolist() if kind == "track" else None
    keys = table["key"].to_numpy()
    return check_numbers(kind, keys.tolist(), table["title"].tolist(), artists, albums)


def current_items(
    session: Session,
    edits: Sequence[Edit],
    siblings: Mapping[int, tuple[int, ...]],
    export_id: str,
) -> tuple[dict[Kind, pd.DataFrame], dict[tuple[Kind, int], int]]:
    """Edited items as Plex holds them now, and those found again under a new key."""
    import pandas as pd

    from plexsheet.apply.moved_items import Finder

    current: dict[Kind, pd.DataFrame] = {}
    healed: dict[tuple[Kind, int], int] = {}
    finder = Finder(session.gateway, session.state, session.scope, export_id)
    for kind in KINDS:
        keys = {edit.key for edit in edits if edit.kind == kind}
        if not keys:
            continue
        shared = {key for others in siblings.values() for key in others} if kind == "track" else ()
        found = session.gateway.read_items(kind, sorted(keys.union(shared)))
        missing = sorted(keys.difference(found["key"].tolist()))
        moved = finder.find(kind, missing) if missing else {}
        if moved:
            again = session.gateway.read_items(kind, sorted(moved.values()))
            found = pd.concat([found, again], ignore_index=True).drop_duplicates("key")
            healed |= {(kind, old): new for old, new in moved.items()}
        current[kind] = found
    return current, healed


def changed_in_plex(
    session: Session,
    raw: RawWorkbook,
    edits: Sequence[Edit],
    bases: Mapping[Kind, pd.DataFrame] | None,
) -> tuple[RowOutcome, ...]:
    """Rows that were not edited and whose rating the person changed in Plex since (I51)."""
    from plexsheet.ownership import stands
    from plexsheet.plex import PlexRejected

    exported = raw.meta.get("exported_at", "")
    if bases is None or not exported.isdigit():
        return ()
    told: list[RowOutcome] = []
    edited = {(edit.kind, edit.key) for edit in edits}
    for kind in KINDS:
        sheets = [s for s in raw.sheets.values() if s.sheet == SHEET_OF_KIND[kind]]
        base = bases.get(kind)
        if not sheets or base is None:
            continue
        try:
            rated = session.gateway.rated_since(kind, int(exported) - CLOCKS_APART_S)
        except PlexRejected:
            return ()
        keys, now = rated["key"].to_numpy(), rated["user_rating"].to_numpy()
        row = rows_of(base["key"].to_numpy(), keys)
        shadow = session.state.shadow(session.scope, kind)
        left = rows_of(shadow["key"].to_numpy(), keys)
        ours = (left >= 0) & stands(
            now,
            rated["last_rated_at"].to_numpy(),
            np.append(shadow["value"].to_numpy(), UNRATED)[left],
            np.append(shadow["last_rated_at"].to_numpy(), 0)[left],
        )
        held = np.append(base["in_plex"].to_numpy(), UNRATED)[row]
        for at in np.flatnonzero((row >= 0) & ~ours & ~same_array(now, held)).tolist():
            if (kind, int(keys[at])) not in edited:
                told += _kept(sheets, kind, int(keys[at]), float(held[at]), float(now[at]))
    return tuple(told)


def _kept(sheets: Sequence[Any], kind: Kind, key: int, was: float, now: float) -> list[RowOutcome]:
    message = messages.text("I51", plex=show_stars(now))
    title_header = {"artist": "Artist", "album": "Album", "track": "Title"}[kind]
    found = []
    for sheet in sheets:
        for at in np.flatnonzero(sheet.keys == key).tolist():
            title = sheet.text(title_header, at)
            row = int(sheet.rows[at])
            found.append(
                RowOutcome(
                    sheet.name,
                    row,
                    kind,
                    key,
                    title,
                    "rating",
                    was,
                    was,
                    now,
                    "Kept",
                    "I51",
                    message,
                )
            )
    return found
