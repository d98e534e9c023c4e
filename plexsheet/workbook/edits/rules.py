"""What a file is judged by, and what judging it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from plexsheet.library import Kind
from plexsheet.messages import Message
from plexsheet.plan.model import Edit


@dataclass(frozen=True)
class Validated:
    """A file, judged.

    Attributes:
        edits: in the order of the file.
        messages: about sheets and rows; those about rows with an error or a hold stand
            for edits that were not made.
        stopped: name of a sheet of which nothing is written, to the code that says why.
        rows: rows with a Key, by sheet.
        rated: rows whose base is a rating of the person's, by sheet.
        unchanged: rows that were not edited, by sheet.
        two_way: whether there was no base, and Plex's own values stood in for it.
        checks: by sheet and row the Check that the item in Plex must come to, where the row's
            own titles do not prove its Key.
    """

    edits: tuple[Edit, ...] = ()
    messages: tuple[Message, ...] = ()
    stopped: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    rated: Mapping[str, int] = field(default_factory=dict)
    unchanged: Mapping[str, int] = field(default_factory=dict)
    two_way: bool = False
    checks: Mapping[tuple[str, int], int] = field(default_factory=dict)


@dataclass(frozen=True)
class Rules:
    """What the person allowed, and what is known beside the file.

    Attributes:
        next_year: highest year accepted.
        allow_new_rows: take rows that were not in the export.
        accept_scramble: sheets whose values really were swapped.
        strangers: kind of each Key that is in no base but in the library.
        siblings: for a track the others that share its rating in Plex.
        title_of: title of an item, ``""`` unknown.
    """

    next_year: int
    allow_new_rows: bool = False
    accept_scramble: frozenset[str] = frozenset()
    strangers: Mapping[int, Kind] = field(default_factory=dict)
    siblings: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    title_of: Callable[[Kind, int], str] = lambda kind, key: ""
