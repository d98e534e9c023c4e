"""The sheet Twins: which copies of a recording belong together, as the person decides (pure).

A decision concerns a group of rows, so a group is read as a whole: SPLIT wants a letter
on every row of it, and copies that share one guid share one rating in Plex and cannot
be parted.  Groups where nothing was typed since the export are left alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from plexsheet.workbook.edits.row_base import RowBase
from plexsheet.workbook.reading.raw import RawSheet
from plexsheet.workbook.schema import cell_values

Refusal = tuple[int, str, str, Mapping[str, object]]  # row, code, variant, what it quotes


@dataclass
class TwinEdits:
    """What a Twins sheet asks for.

    Attributes:
        wanted: row and decision: word, label of the group, sub-group, tabs between; ``""``
            goes back to what is computed.
        refused: rows of which nothing is taken.
    """

    wanted: list[tuple[int, str]] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


@dataclass
class _Row:
    row: int
    key: int
    word: str
    letter: str
    was: str

    @property
    def said(self) -> str:
        return f"{self.word} {self.letter}".strip()


def twin_edits(
    sheet: RawSheet, row_base: RowBase, siblings: Mapping[int, tuple[int, ...]]
) -> TwinEdits:
    """Decisions of a Twins sheet that differ from what it showed.

    Args:
        sheet: as read.
        row_base: of its rows.
        siblings: for a track the others that share its rating in Plex.
    """
    found = TwinEdits()
    groups: dict[str, list[_Row]] = defaultdict(list)
    broken: set[str] = set()
    rows = _rows_of_interest(sheet)
    for row in rows:
        group = sheet.text("Group", row) or f"row {sheet.rows[row]}"
        read = _read(sheet, row_base, row, found.refused)
        if read is None:
            broken.add(group)
        else:
            groups[group].append(read)
    for group, members in groups.items():
        changed = any(member.said != member.was for member in members)
        if changed and group not in broken:
            _decide(group, members, siblings, found)
    return found


def _rows_of_interest(sheet: RawSheet) -> list[int]:
    """Rows of groups where anything is typed or was decided."""
    typed = np.zeros(len(sheet), dtype=bool)
    for header in ("Decision", "Sub-group", "Was decision"):
        if header in sheet.columns:
            typed |= sheet.columns[header].states != cell_values.BLANK
    if not typed.any():
        return []
    if "Group" not in sheet.columns:
        return [int(row) for row in np.flatnonzero(typed)]
    names = [sheet.text("Group", row) for row in range(len(sheet))]
    named = {names[row] for row in np.flatnonzero(typed).tolist()}
    return [row for row, name in enumerate(names) if name in named and (name or typed[row])]


def _read(sheet: RawSheet, row_base: RowBase, row: int, refused: list[Refusal]) -> _Row | None:
    word = cell_values.decision(*sheet.columns["Decision"].cell(row))
    letter = cell_values.EMPTY
    if "Sub-group" in sheet.columns:
        letter = cell_values.sub_group(*sheet.columns["Sub-group"].cell(row))
    for reading in (word, letter):
        if reading.kind == "refused":
            refused.append((row, reading.code, reading.variant, reading.values))
            return None
    was = " ".join(sheet.text("Was decision", row).split())
    return _Row(row, int(row_base.keys[row]), word.word, letter.word, was)


def _decide(
    group: str,
    members: Sequence[_Row],
    siblings: Mapping[int, tuple[int, ...]],
    found: TwinEdits,
) -> None:
    label = str(min((m.key for m in members if m.key > 0), default=0))
    split = any(member.word == "SPLIT" for member in members)
    if split:
        for member in members:
            member.word = member.word or "SPLIT"
        lacking = [m for m in members if m.word == "SAME" or (m.word == "SPLIT" and not m.letter)]
        if lacking:
            found.refused += [(m.row, "E40", "", {"group": group}) for m in members]
            return
    elif any(member.letter for member in members):
        lone = [member for member in members if member.letter]
        found.refused += [(m.row, "E40", "alone", {"group": group}) for m in lone]
        return
    parted = _parted(members, siblings)
    if parted:
        found.refused += [(member.row, "E41", "", {}) for member in parted]
        return
    for member in members:
        if member.said != member.was:
            found.wanted.append((member.row, _text(member, label)))


def _text(member: _Row, label: str) -> str:
    return f"{member.word}\t{label}\t{member.letter}" if member.word else ""


def _parted(members: Sequence[_Row], siblings: Mapping[int, tuple[int, ...]]) -> list[_Row]:
    """Copies with one guid that a decision would part."""
    by_key = {member.key: member for member in members}
    parted = []
    for member in members:
        others = [by_key[key] for key in siblings.get(member.key, ()) if key in by_key]
        if any(_stands_for(other) != _stands_for(member) for other in others):
            parted.append(member)
    return parted


def _stands_for(member: _Row) -> tuple[str, str]:
    """What a decision does: SAME and blank leave a copy where it is."""
    if member.word == "SPLIT":
        return ("SPLIT", member.letter)
    return ("NEVER", "") if member.word == "NEVER" else ("", "")
