"""What can be typed, what each column is, what each message means: as rows (pure).

The Help sheet and docs/workbook.md print these, and they come from the tables the
program itself works with, so that neither can promise what the program does not do.
"""

from __future__ import annotations

from plexsheet.messages import CODES
from plexsheet.workbook.schema.columns import SHEETS

Row = tuple[str, str, str, str]

TOPIC_HEADERS: Row = ("Topic", "What to type", "Example", "What happens")
COLUMN_HEADERS: Row = ("Sheet", "Column", "Edit", "What it is")
MESSAGE_HEADERS: Row = ("Code", "When", "What it says", "What to do")

TOPICS: tuple[Row, ...] = (
    (
        "Rate",
        "A number of stars in My rating, above 0 up to 5",
        "4.5",
        "The rating is yours. It is written to Plex, and inference builds on it.",
    ),
    (
        "Rate",
        "Other spellings: decimal comma, ½, stars, out of five",
        "4,5 · 4½ · ★★★★½ · 4.5/5",
        "Taken as 4.5; the result says so.",
    ),
    (
        "Remove a rating",
        "Empty the cell",
        "",
        "The rating is removed. Many emptied cells at once wait until you confirm their number.",
    ),
    (
        "Remove a rating",
        "CLEAR in My rating or in Action",
        "CLEAR",
        "The rating is removed, whether it is yours or inferred.",
    ),
    (
        "Keep an inferred value",
        "ACCEPT in Action",
        "ACCEPT",
        "The value under Inferred becomes your own rating.",
    ),
    (
        "Leave something out",
        "EXCLUDE in Action",
        "EXCLUDE",
        "Nothing is inferred for this row, and it has no influence on others.",
    ),
    ("Bring it back in", "INCLUDE in Action", "INCLUDE", "Undoes EXCLUDE."),
    (
        "Resolve a conflict",
        "MINE or PLEX in Action",
        "MINE",
        "MINE writes your value, PLEX keeps what Plex has now.",
    ),
    (
        "Correct a year",
        "Four digits in Year (Albums)",
        "1969",
        "The release date becomes 1 January of that year. Owner of the server only.",
    ),
    (
        "Correct a release date",
        "A full date in Year (Albums)",
        "1969-09-26",
        "The release date becomes that day.",
    ),
    (
        "Twins",
        "SAME in Decision on each copy",
        "SAME",
        "These copies count as one recording from the next inference on.",
    ),
    (
        "Twins",
        "SPLIT in Decision, and a letter in Sub-group, on each copy",
        "SPLIT, a",
        "Copies with the same letter are one recording, different letters are different ones.",
    ),
    ("Twins", "NEVER in Decision", "NEVER", "This copy is never treated as a twin."),
    (
        "Notes",
        "Anything in Note, or in columns and sheets of your own",
        "ask Tom",
        "Kept for you, never sent to Plex.",
    ),
    (
        "Find the rows to rate",
        "Filter Source for Unrated, or open Rate next",
        "",
        "Nothing changes: filter and sort whole tables as you like.",
    ),
    (
        "Send it back",
        "Save, then: plexsheet import FILE",
        "plexsheet import music.xlsx",
        "You see what would change, and are asked before anything is written.",
    ),
    (
        "Send it back",
        "Save it into the inbox folder of plexsheet watch",
        "",
        "A result workbook with a preview comes back; type YES in its Apply cell to carry it out.",
    ),
    (
        "Undo",
        "plexsheet undo RUN",
        "plexsheet undo 57",
        "What that import wrote is put back, except where you changed it since.",
    ),
)


def column_rows() -> list[Row]:
    """Every column of every sheet, in sheet order."""
    return [
        (sheet, column.header, _edit(column.editable, column.hidden), column.note)
        for sheet, columns in SHEETS.items()
        for column in columns
    ]


def _edit(editable: bool, hidden: bool) -> str:
    return "yes" if editable else "no, hidden" if hidden else "no"


def message_rows() -> list[Row]:
    """Every message code, in the order of the table."""
    return [(code.code, code.when, code.template, code.cure) for code in CODES.values()]
