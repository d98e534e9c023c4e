"""What Plex holds now of the items of an edited file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from plexsheet import messages
from plexsheet.library import KINDS, Kind, rows_of
from plexsheet.plan.model import RowOutcome
from plexsheet.ratings import UNRATED, same_array, show_stars
from plexsheet.workbook.schema.columns import SHEET_OF_KIND

if TYPE_CHECKING:
    import pandas as pd

    from plexsheet.apply.moved_items import Finder
    from plexsheet.operations.session import Session
    from plexsheet.plan.model import Edit
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
    from plexsheet.ownership import SOURCES

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


@dataclass
class Current:
    """Edited items as Plex holds them now.

    Attributes:
        items: for each kind the items, and tracks that share their rating.
        moved: kind and key in the file to the key now, of items found under another one.
        strangers: kind and key in the file of items not found: what its key stands for now
            ("" for nothing), and how many items fitted.
        siblings: tracks that share their rating with others, by the keys of now.
    """

    items: dict[Kind, pd.DataFrame] = field(default_factory=dict)
    moved: dict[tuple[Kind, int], int] = field(default_factory=dict)
    strangers: dict[tuple[Kind, int], tuple[str, int]] = field(default_factory=dict)
    siblings: Mapping[int, tuple[int, ...]] = field(default_factory=dict)


def current_items(
    session: Session, edits: Sequence[Edit], export_id: str, raw: RawWorkbook | None = None
) -> Current:
    """Edited items as Plex holds them now, wherever they are.

    Only an item that is proven to be the one of the row counts: by what the export
    remembered of it, else by what the row itself says.

    Args:
        session: connected.
        edits: of the file.
        export_id: the export the file goes back to, ``""`` for none.
        raw: the file; without it rows that no export remembers go by what was last seen.
    """
    from plexsheet.apply.moved_items import Finder
    from plexsheet.operations.read import tell_followed

    found = Current()
    finder = Finder(session.gateway, session.state, session.scope, export_id)
    for kind in KINDS:
        rows = {edit.key: edit for edit in edits if edit.kind == kind}
        if rows:
            _find_kind(session, finder, kind, rows, found, raw)
    tell_followed(session, finder.followed)
    if "track" in found.items:
        _add_siblings(session, found)
    return found


def _find_kind(
    session: Session,
    finder: Finder,
    kind: Kind,
    edits: Mapping[int, Edit],
    found: Current,
    raw: RawWorkbook | None,
) -> None:
    """The edited items of one kind."""
    import pandas as pd

    from plexsheet.identity import seen_now

    gateway, state = session.gateway, session.state
    keys = np.array(sorted(edits), dtype=np.int64)
    then, numbers = _as_told(finder, kind, keys, edits, raw)
    items = gateway.read_items(kind, keys)
    astray = _astray(kind, then, seen_now(kind, items))
    if len(astray):
        home = finder.present(kind).locate_named(then.iloc[astray], numbers[astray])
        for place, key, fits in zip(
            astray.tolist(), home.keys.tolist(), home.candidates.tolist(), strict=True
        ):
            old = int(keys[place])
            if key and key != old:
                found.moved[kind, old] = key
            elif not key:
                now = items["title"].to_numpy()[items["key"].to_numpy() == old]
                found.strangers[kind, old] = (str(now[0]) if len(now) else "", fits)
        new = np.setdiff1d(np.array([*home.keys.tolist()], dtype=np.int64), [0, *keys.tolist()])
        if len(new):
            again = gateway.read_items(kind, new)
            items = pd.concat([items, again], ignore_index=True).drop_duplicates("key")
    state.remember_table(session.scope, kind, items)
    found.items[kind] = items


def _as_told(
    finder: Finder,
    kind: Kind,
    keys: NDArray[np.int64],
    edits: Mapping[int, Edit],
    raw: RawWorkbook | None,
) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """What the items of rows were called: by the export, by the rows, or when last seen."""
    from plexsheet.operations.row_identity import cells_at, described, item_of

    numbers = finder.remembered_by_export(kind, keys)
    sheets = {} if raw is None else raw.sheets
    rows = {name: _places(sheet) for name, sheet in sheets.items()}
    told = []
    for key in keys.tolist():
        edit = edits[key]
        place = rows.get(edit.sheet, {}).get(edit.row)
        cells = {} if place is None else cells_at(sheets[edit.sheet], place)
        told.append((key, item_of(kind, cells)))
    table = described(told)
    silent = (numbers == 0) & (table["title"].to_numpy() == "")
    numbers[silent] = finder.last_seen(kind, keys[silent])
    known = finder.named(kind, keys, numbers)
    for name in table:
        column = table[name].to_numpy(copy=True)
        column[numbers > 0] = known[name].to_numpy()[numbers > 0]
        table[name] = column
    return table, numbers


def _places(sheet: Any) -> dict[int, int]:
    return {row: place for place, row in enumerate(sheet.rows.tolist())}


def _astray(kind: Kind, then: pd.DataFrame, now: pd.DataFrame) -> NDArray[np.intp]:
    """Places of items that their key does not lead to any more."""
    from plexsheet.identity import identities_of, verdict

    rows = rows_of(now["key"].to_numpy(), then["key"].to_numpy()).tolist()
    present, astray = identities_of(now), []
    for place, (before, row) in enumerate(zip(identities_of(then), rows, strict=True)):
        unknown = not before.title and not before.guid
        if row < 0 or not (unknown or verdict(kind, before, present[row]) == "proven"):
            astray.append(place)
    return np.array(astray, dtype=np.intp)


def _add_siblings(session: Session, found: Current) -> None:
    """Tracks that share their rating with edited ones, by the guid they have now."""
    import pandas as pd

    state, tracks = session.state, found.items["track"]
    known = state.siblings(session.scope, tracks["key"].tolist())
    others = {key for group in known.values() for key in group} - set(tracks["key"].tolist())
    if others:
        more = session.gateway.read_items("track", others)
        tracks = pd.concat([tracks, more], ignore_index=True)
        found.items["track"] = tracks
    guids = dict(zip(tracks["key"].tolist(), tracks["guid"].tolist(), strict=True))
    sharing = {
        key: tuple(other for other in group if guids.get(other) == guids[key])
        for key, group in known.items()
    }
    found.siblings = {key: group for key, group in sharing.items() if group}


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
        rated = _proven_rows(session, raw.meta.get("export_id", ""), kind, rated)
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


def _proven_rows(session: Session, export_id: str, kind: Kind, rated: pd.DataFrame) -> pd.DataFrame:
    """Items that still are what their key meant when the workbook was made."""
    from plexsheet.apply.moved_items import Finder
    from plexsheet.identity import identities_of, seen_now, verdict

    finder = Finder(session.gateway, session.state, session.scope, export_id)
    keys = rated["key"].to_numpy()
    numbers = finder.remembered_by_export(kind, keys)
    then = identities_of(finder.named(kind, keys, numbers))
    now = identities_of(seen_now(kind, rated))
    proven = [
        before == after or not number or verdict(kind, before, after) == "proven"
        for before, after, number in zip(then, now, numbers.tolist(), strict=True)
    ]
    return rated[np.array(proven, dtype=bool)].reset_index(drop=True)


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
                    sheet=sheet.name,
                    row=row,
                    kind=kind,
                    key=key,
                    title=title,
                    field="rating",
                    was=was,
                    yours=was,
                    plex_now=now,
                    outcome="Kept",
                    code="I51",
                    message=message,
                )
            )
    return found
