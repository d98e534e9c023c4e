"""An edited file on its way to a plan: read, checked, compared with Plex.

Only the items of edited rows are read from Plex, many to a request, and one short
listing for each kind tells what was rated there since the export.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from plexsheet.errors import WrongLibrary
from plexsheet.library import KINDS, Kind, rows_of
from plexsheet.plan.model import Plan, RowOutcome, no_changes
from plexsheet.ratings import UNRATED, same_array, show_stars
from plexsheet.state.journal import Origin
from plexsheet.workbook import messages
from plexsheet.workbook.columns import SHEET_OF_KIND
from plexsheet.workbook.messages import Message

if TYPE_CHECKING:
    import pandas as pd

    from plexsheet.apply import Outcome
    from plexsheet.operations import Session
    from plexsheet.workbook.raw import RawWorkbook
    from plexsheet.workbook.validate import Edit, Validated

REFUSED = ("Error", "Held", "Conflict")
DAY_S = 86_400


@dataclass(frozen=True)
class ImportOptions:
    """What the person chose for an import.

    Attributes:
        sheets: only these; empty for all.
        all_or_nothing: write nothing if any row is refused or held.
        on_conflict: "hold", "mine" or "plex".
        confirm: numbers typed to release what is held until they are.
        accept_scramble: sheets whose values really were swapped.
        allow_new_rows: take rows that were not in the export.
        mapping: a foreign list's header to our column.
        scale: highest rating of a foreign list, 5 or 10.
        unattended: nobody is there to type a number.
    """

    sheets: tuple[str, ...] = ()
    all_or_nothing: bool = False
    on_conflict: Literal["hold", "mine", "plex"] = "hold"
    confirm: tuple[int, ...] = ()
    accept_scramble: tuple[str, ...] = ()
    allow_new_rows: bool = False
    mapping: Mapping[str, str] = field(default_factory=dict)
    scale: int = 5
    unattended: bool = False

    @property
    def insists(self) -> bool:
        """Whether an earlier import of the same file may be followed by another."""
        return bool(
            self.confirm
            or self.accept_scramble
            or self.allow_new_rows
            or self.sheets
            or self.on_conflict != "hold"
        )


@dataclass(frozen=True)
class Prepared:
    """A file, checked and compared: what importing it would do.

    Attributes:
        outcomes: what becomes of each row that is not plainly unchanged.
        notices: said about the file and its sheets.
        stopped: sheets of which nothing is written.
        already: the sentence, where the same content was imported before.
        unchanged: rows that were not edited.
        origin: how the journal knows the file.
    """

    path: Path
    name: str
    raw: RawWorkbook
    plan: Plan
    outcomes: tuple[RowOutcome, ...] = ()
    notices: tuple[Message, ...] = ()
    stopped: tuple[str, ...] = ()
    already: str | None = None
    unchanged: int = 0
    origin: Origin = Origin()

    @property
    def writes(self) -> int:
        """Changes of the plan."""
        return len(self.plan)

    @property
    def refused(self) -> int:
        """Rows refused, held or in conflict."""
        return sum(outcome.outcome in REFUSED for outcome in self.outcomes)

    @property
    def touched(self) -> bool:
        """Whether there is anything to tell beyond "not edited"."""
        return bool(self.stopped) or any(o.outcome != "Unchanged" for o in self.outcomes)

    def counts(self) -> dict[str, int]:
        """Disjoint counts of rows, as ``--json`` prints them."""
        named = {
            "Applied": "applied",
            "Healed": "applied",
            "Would apply": "would_apply",
            "Held": "held",
            "Error": "errors",
            "Conflict": "conflicts",
            "Unchanged": "unchanged",
            "Kept": "unchanged",
        }
        counts = dict.fromkeys(
            ("applied", "would_apply", "held", "errors", "conflicts", "unchanged"), 0
        )
        for outcome in self.outcomes:
            counts[named[outcome.outcome]] += 1
        counts["unchanged"] += self.unchanged
        return counts


def prepare_import(
    session: Session,
    path: Path,
    *,
    name: str = "",
    options: ImportOptions | None = None,
) -> Prepared:
    """Read a file, check every edit, compare with Plex, and plan.

    Args:
        session: connected.
        path: the file, which stays as it is.
        name: what to call it, where ``path`` is a private copy.
        options: the person's choices.

    Raises:
        WorkbookError: the file is stopped as a whole; its code is the F code.
        PlexError: current values could not be read.
    """
    from plexsheet.workbook.reader import read

    options = options or ImportOptions()
    session.progress("Reading the file", 0, 1)
    raw = read(path, scale=options.scale, mapping=options.mapping or None, extras=True)
    raw = _only(raw, options.sheets)
    session.progress("Reading the file", 1, 1)
    refuse_foreign(session, raw.meta)
    origin = Origin(
        file=name or path.name,
        export_id=raw.meta.get("export_id", ""),
        content_hash="" if options.sheets else raw.content_hash,
    )
    known = session.state.imported(session.scope, raw.content_hash)
    if known is not None and not options.insists:
        told = _said_before(*known)
        plan = Plan("import", no_changes())
        return Prepared(
            path, origin.file, raw, plan, (), (*raw.messages, told), already=told.text,
            unchanged=sum(map(len, raw.sheets.values())), origin=origin,
        )  # fmt: skip
    return _planned(session, path, raw, origin, options)


def refuse_foreign(session: Session, meta: Mapping[str, str]) -> None:
    """Refuse a file of another library or another person.

    Raises:
        WrongLibrary: F04 or F05, with both names.
    """
    here = session.gateway.identity
    there = (meta.get("server_id", here.server_id), meta.get("section_uuid", here.section_uuid))
    if there != (here.server_id, here.section_uuid):
        raise WrongLibrary(
            messages.text(
                "F04",
                library=meta.get("library", "?"),
                server=meta.get("server", "?"),
                here=here.title,
                here_server=here.server_name,
            ),
            code="F04",
        )
    if meta.get("account_id", here.account_id) != here.account_id:
        account = meta.get("account", "?")
        raise WrongLibrary(messages.text("F05", account=account, here=here.account), code="F05")


def _only(raw: RawWorkbook, sheets: Sequence[str]) -> RawWorkbook:
    if not sheets:
        return raw
    kept = {name: sheet for name, sheet in raw.sheets.items() if sheet.sheet in sheets}
    return replace(raw, sheets=kept)
