"""Every sentence an import can say, once (pure).

The reader, the validator, the plan and the apply step say what happened by a code;
the words are here.  The Help sheet and docs/workbook.md are printed from the same
table, so what a cell's message says and what the manual says cannot drift apart.

A sentence says what is wrong, what was done, and what to type; it quotes the
person's own value.  A code can have several wordings (``mass-emptied`` cells, a
damaged Key that was healed): variants of one code share its meaning and its cure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["file", "sheet", "error", "warning", "conflict", "info", "plex", "undo"]

SEVERITY_OF_LETTER: Mapping[str, Severity] = {
    "F": "file",
    "S": "sheet",
    "E": "error",
    "W": "warning",
    "C": "conflict",
    "I": "info",
    "P": "plex",
    "U": "undo",
}


@dataclass(frozen=True)
class Code:
    """One thing that can be said.

    Attributes:
        code: stable short name; its letter tells the severity.
        when: what brings it about, in a few words.
        template: the sentence, with the fields it quotes in braces (F08: ``days="41 days"``,
            ``items="212 items"``; the caller counts them out).
        cure: what the person does about it; ``""`` where nothing is to be done.
        notice: of a file's code: whether reading goes on all the same.
        variants: other wordings, by name.
    """

    code: str
    when: str
    template: str
    cure: str = ""
    notice: bool = False
    variants: Mapping[str, str] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        """How serious: a file's notice is an info."""
        return "info" if self.notice else SEVERITY_OF_LETTER[self.code[0]]


@dataclass(frozen=True)
class Message:
    """One thing said about a file, a sheet or a row.

    Attributes:
        code: key of ``CODES``.
        text: the sentence, values filled in.
        sheet: the sheet it is about; ``""`` for the whole file.
        row: row number as the spreadsheet program shows it; 0 for the whole sheet.
        key: rating key of the row's item; 0 where unknown.
        value: what the cell held, as the person sees it.
        field: ``rating``, ``released``, ``exclude``, ``twin``; ``""`` for the row.
        variant: which wording of the code.
        kind: of the row's item.
        title: of the row's item.
        was: base of a rating, 0-10; NaN blank or not about a rating.
    """

    code: str
    text: str
    sheet: str = ""
    row: int = 0
    key: int = 0
    value: str = ""
    field: str = ""
    variant: str = ""
    kind: str = ""
    title: str = ""
    was: float = math.nan

    @property
    def severity(self) -> Severity:
        """How serious it is."""
        return CODES[self.code].severity


_FRESH = "Export a fresh workbook and paste your edits into it."
_RETYPE = "Type a number from 0.5 to 5, or CLEAR."

_FILE = (
    Code(
        "F01",
        "The file is not a workbook, is damaged, or has a password.",
        "This file cannot be opened as a workbook (it may be damaged or password-protected). "
        "Nothing was changed. Save it again as .xlsx without a password.",
        "Open it in the spreadsheet program and save it as .xlsx without a password.",
        variants={
            "password": "This file is protected by a password, so it cannot be opened as a "
            "workbook. Nothing was changed. Save it again as .xlsx without a password.",
            "type": "This file cannot be opened as a workbook: by its content it is {found}. "
            "Nothing was changed. Save it again as .xlsx without a password.",
            "empty": "This file cannot be opened as a workbook: it is empty. Nothing was changed. "
            "Save it again as .xlsx without a password.",
            "columns": "Row {row} of this text file has {cells} columns and its header has "
            "{headers}, as where a decimal comma looks like the next column. Nothing was changed. "
            "Save it again as .xlsx, or as CSV with semicolons.",
            "unread": "This file is whole, but plexsheet cannot read the way it was saved. Nothing "
            "was changed. Open it in LibreOffice or Excel and save it as .xlsx.",
            "large": "This file cannot be opened as a workbook: it is too large or damaged, and "
            "reading it was stopped at {limit}. Nothing was changed. Save it again as .xlsx "
            "without a password.",
        },
    ),
    Code(
        "F02",
        "The file is open in another program or still being written.",
        "The file is still open in Excel or LibreOffice.",
        "Save and close it. Until then, plexsheet reads the last save.",
        notice=True,
        variants={
            "last-save": "The file is still open in Excel or LibreOffice. Its last save was read.",
            "old-lock": "The file is still open in Excel or LibreOffice, or its lock file was left "
            "behind: the lock is older than 10 minutes and is ignored.",
        },
    ),
    Code(
        "F03",
        "The file has neither a _meta sheet nor a known header.",
        "This is not a plexsheet workbook. To import a foreign list use --map.",
        'Say which column is which: --map "Score=My rating" --map "Id=Key".',
        variants={
            "empty": "This is not a plexsheet workbook: no cell in it could be read. "
            "To import a foreign list use --map.",
            "list": "This workbook is a list to look at; nothing in it is imported. Rate in an "
            "exported workbook instead.",
            "map": "This file has no column '{value}', which --map names. Nothing was changed. "
            "Its columns are: {columns}.",
        },
    ),
    Code(
        "F04",
        "The workbook comes from another server or library.",
        "This workbook belongs to '{library}' on {server}; you are connected to '{here}' on "
        "{here_server}. Nothing was changed.",
        "Choose the library with --profile, or export a fresh workbook from this one.",
        variants={
            "carriers": "This workbook says two different things about where it comes from: its "
            "sheet _meta says {what} '{meta}', its document properties say '{properties}'. "
            "Nothing was changed. Export a fresh workbook and paste your edits into it.",
            "anew": "This workbook belongs to another '{library}' on {server} than the one you are "
            "connected to: it was made anew since, or is another of the same name. Nothing was "
            "changed. “plexsheet restore” puts the workbook's ratings into this one.",
        },
    ),
    Code(
        "F05",
        "The workbook comes from another account.",
        "These are the ratings of {account}; you are signed in as {here}. Ratings are "
        "personal in Plex. Nothing was changed.",
        "Choose the account with --profile, or export a fresh workbook.",
    ),
    Code(
        "F06",
        "The workbook was made by a newer plexsheet.",
        "Made by a newer plexsheet (format {format}; this one knows {known}). Please update.",
        "Update plexsheet.",
    ),
    Code(
        "F07",
        "The workbook was made by an older plexsheet.",
        "Older layout, converted while reading.",
        notice=True,
    ),
    Code(
        "F08",
        "Plex changed since the export.",
        "Exported {days} ago; {items} changed in Plex since. Your edits are compared one by one.",
        notice=True,
    ),
    Code(
        "F09",
        "The same content was imported before.",
        "Already imported on {when} (run {run}). Nothing to do.",
        "Edit something and save, then import again.",
        notice=True,
    ),
    Code(
        "F10",
        "A sheet is missing or was renamed.",
        "No sheet '{sheet}'; its rows stay untouched.",
        "If the sheet should be read, give it its old name again.",
        notice=True,
        variants={
            "rows": "{rows} of {sheet} {are} not in this file and {stay} untouched.",
            "copy": "Sheet '{title}' is taken for a copy of {sheet}: only {sheet} was read.",
        },
    ),
    Code(
        "F11",
        "A column that is needed is missing.",
        "Sheet {sheet} has no column '{column}'. The sheet was skipped. Undo the deletion, or "
        "paste your edits into a fresh export.",
        "Undo the deletion, or paste your edits into a fresh export.",
    ),
    Code(
        "F12",
        "A header or a sheet name appears twice.",
        "Sheet {sheet} has two columns '{column}' ({letters}). Rename one. The sheet was skipped.",
        "Rename one of the two.",
        variants={
            "sheets": "There are two sheets called '{sheet}' ('{first}' and '{second}'). Rename "
            "one. Both were skipped.",
        },
    ),
    Code(
        "F13",
        "Row 1 is not the header.",
        "Row 1 of {sheet} is not the header; something was inserted above it. The sheet was "
        "skipped.",
        "Delete the rows above the header.",
    ),
    Code(
        "F14",
        "A column is not one of plexsheet's.",
        "Column '{column}' is yours; it is kept and ignored.",
        notice=True,
    ),
    Code(
        "F15",
        "The file is too large.",
        "The file unpacks to {size}, more than the {limit} allowed. Nothing was read.",
        "Save the workbook again from the spreadsheet program, or export a fresh one.",
        variants={
            "parts": "The file holds {count} parts, more than the {limit} allowed. Nothing was "
            "read.",
            "ratio": "A part of the file unpacks to {ratio} times its size, more than the {limit} "
            "allowed. Nothing was read.",
            "xls": "Sheet {sheet} has 65,536 rows, all that an .xls file can hold, so rows may be "
            "missing. Nothing was read. Save it as .xlsx.",
        },
    ),
    Code(
        "F16",
        "There is no record to compare with.",
        "No record of what this file looked like when it was made: its values are compared with "
        "Plex as it is now.",
        notice=True,
    ),
    Code(
        "F17",
        "A text file was read; this is how its letters, columns and numbers were understood.",
        "Read as text: {encoding}, columns separated by {separator}, {decimal}.",
        "If that is wrong, save the file as .xlsx, or as CSV in UTF-8.",
        notice=True,
    ),
    Code(
        "F18",
        "The file uses another scale, as you said.",
        "Every rating was halved, as --scale {scale} says. Highest value seen: {highest}. "
        "First ones: {examples}.",
        "Leave --scale out if the file is in stars.",
        notice=True,
    ),
)

_SHEET = (
    Code(
        "S01",
        "Keys and titles no longer belong together.",
        "On {count} rows the Key does not belong to the title beside it, as after sorting only "
        "some columns. Nothing on {sheet} was changed. Undo the sort, or start from the result "
        "file.",
        "Undo in the spreadsheet program, or start from the result workbook. Sorting again does "
        "not bring the values back.",
    ),
    Code(
        "S02",
        "The rating column was sorted alone.",
        "The values in 'My rating' are the same as before but on other rows, as after sorting "
        "that column alone. Nothing on {sheet} was changed.",
        "Undo in the spreadsheet program, or start from the result workbook. Sorting again does "
        "not bring the values back. If the values were really swapped: --accept-scramble {sheet}.",
        variants={
            "sorted": "The values in 'My rating' stand in order of size while the rows do not, as "
            "after sorting that column alone. Nothing on {sheet} was changed.",
        },
    ),
    Code(
        "S03",
        "The rating column was shifted.",
        "From row {first_row} every rating sits {rows} too {direction}, as after {cause}. Nothing "
        "on {sheet} was changed.",
        "Undo in the spreadsheet program, or start from the result workbook. If the values were "
        "really moved: --accept-scramble {sheet}.",
    ),
    Code(
        "S04",
        "More would change than the change budget allows.",
        "{count} ratings would change ({share} of {sheet}). To go on, type {number}.",
        "Look at the preview; if it is what you want, type the number (--confirm N).",
        variants={
            "unattended": "{count} ratings would change ({share} of {sheet}), so they are held. "
            "To go on, import the file with --confirm {number}.",
        },
    ),
    Code(
        "S05",
        "One value dominates the changes.",
        "{count} rows receive the same rating {stars}. If that is intended, confirm.",
        "Look at the preview; if it is what you want, type the number (--confirm N).",
        variants={
            "unattended": "{count} rows receive the same rating {stars}, so they are held. If "
            "that is intended, import the file with --confirm {number}.",
        },
    ),
    Code(
        "S06",
        "The state and Plex no longer agree.",
        "{count} of {total} inferred ratings in Plex are not as plexsheet left them, as after "
        "restoring a backup of either. Nothing was changed. If Plex is right, run reconstruct; "
        "if you changed them yourself, confirm {number}.",
        "Plex is right: reconstruct. The state file is an old copy: put the newest in its place. "
        "You changed them yourself: --confirm N.",
        variants={
            "another": "{count} of {total} inferred ratings in Plex are not as plexsheet left "
            "them, and {marked} of these carry {tag}: another plexsheet writes to this library. "
            "Nothing was changed. Let both share one STATE_FILE; if Plex is right, run "
            "reconstruct; if you changed them yourself, confirm {number}.",
        },
    ),
    Code(
        "S07",
        "Most items have new Keys.",
        "{count} items were found again under new Keys, as after rebuilding the library. They are "
        "followed; {lost} could not be found and were left alone.",
        notice=True,
    ),
    Code(
        "S08",
        "Items have the tag of inferred ratings, but the state does not know them.",
        "{count} ratings carry {tag} and are not in this state. Nothing was changed. Run "
        "reconstruct, or use the state file that wrote them.",
        "Run reconstruct, or set STATE_FILE to the file that wrote them. If these ratings are "
        "yours, --confirm N takes the tag off.",
        variants={
            "another": "{count} ratings carry {tag}, written after this plexsheet last wrote and "
            "not in its state: another plexsheet writes to this library. Nothing was changed. Let "
            "both share one STATE_FILE, or run reconstruct.",
            "row": "It carries {tag} and is not in this state, so nothing proves whose the rating "
            "is. Left alone; run reconstruct, or confirm {number} to take the tag off.",
        },
    ),
)

_ROW_IDENTITY = (
    Code(
        "E01",
        "A row has an edit but no Key.",
        "Row {row} has a rating but no Key, so it is unclear what it belongs to. Not applied.",
        "Make the edit on the item's own row; rows of your own need no Key and no rating.",
        variants={
            "action": "Row {row} has an Action but no Key, so it is unclear what it belongs to. "
            "Not applied.",
            "year": "Row {row} has a Year but no Key, so it is unclear what it belongs to. "
            "Not applied.",
            "decision": "Row {row} has a Decision but no Key, so it is unclear what it belongs to. "
            "Not applied.",
        },
    ),
    Code(
        "E02",
        "The Key is not in this library.",
        "Key {key} is not in this library. Not applied.",
        "Make the edit on the item's own row in a fresh export.",
    ),
    Code(
        "E03",
        "The Key was altered by the spreadsheet program.",
        "Key '{value}' was altered by the spreadsheet (it should be {key}). Not applied.",
        "Copy the Key from a fresh export, or make the edit there.",
        variants={
            "unknown": "Key '{value}' was altered by the spreadsheet, and nothing on the row says "
            "what it was. Not applied.",
        },
    ),
    Code(
        "I03",
        "The Key was altered by the spreadsheet program, and found again.",
        "Key '{value}' was altered by the spreadsheet; Check says it is {key}, so it was read as "
        "that.",
    ),
    Code(
        "E04",
        "One Key is on two rows with different edits.",
        "Key {key} appears on rows {rows} with {values}. Neither was applied.",
        "Keep one of the rows, or type the same on both.",
    ),
    Code(
        "I04",
        "One Key is on two rows with the same edit.",
        "Key {key} appears on rows {rows} with the same edit; it counts once.",
    ),
    Code(
        "E05",
        "The Check of one row does not fit.",
        "Row {row} says '{value}' but its Key belongs to '{title}'. Not applied.",
        "Undo the change of Key or title, or make the edit on the item's own row.",
        variants={
            "unknown": "Row {row} says '{value}' but its Key belongs to something else. "
            "Not applied.",
        },
    ),
    Code(
        "E06",
        "The item is gone from Plex.",
        "No longer in Plex (deleted or re-added). Your value {stars} is kept on the Changes sheet.",
        "If it was re-added, type the rating on its new row in a fresh export.",
    ),
    Code(
        "E07",
        "The row is on the wrong sheet.",
        "This Key is {kind}; it was found on {sheet}. Not applied.",
        "Make the edit on the sheet the item belongs to.",
    ),
    Code(
        "E08",
        "The row was not in the export.",
        "This row was not in the export. Not applied (use --allow-new-rows).",
        "Import with --allow-new-rows if the row is meant.",
    ),
)

_ROW_VALUES = (
    Code(
        "E10",
        "My rating is not a number.",
        "'{value}' is not a rating. Type a number from 0.5 to 5, or CLEAR.",
        _RETYPE,
        variants={"ten": "'{value}' is not a rating. Type a number from 1 to 10, or CLEAR."},
    ),
    Code(
        "E11",
        "My rating is more than 5.",
        "{value} is more than 5 stars. Not applied. (On a ten-point scale this would be {half}: "
        "type {half} if you mean that.)",
        "Type the rating in stars; 5 is the highest.",
        variants={
            "plain": "{value} is more than 5 stars. Not applied. 5 is the highest.",
            "ten": "{value} is more than 10, the highest of the scale declared for this file. "
            "Not applied.",
        },
    ),
    Code(
        "E12",
        "My rating is negative.",
        "{value} is not a rating. To remove the rating type CLEAR.",
        _RETYPE,
    ),
    Code(
        "E13",
        "My rating is 0.",
        "0 is not 'unrated' in Plex. To remove the rating type CLEAR; the lowest rating is 0.5.",
        _RETYPE,
        variants={
            "ten": "0 is not 'unrated' in Plex. To remove the rating type CLEAR; the lowest "
            "rating is 1."
        },
    ),
    Code(
        "E14",
        "The spreadsheet program turned it into a date.",
        "The spreadsheet turned this into a date ({value}). Format the cell as number and type it "
        "again.",
        "Format the cell as number and type it again.",
    ),
    Code(
        "E15",
        "A formula without a value, or an error.",
        "The formula shows {value}. Not applied.",
        "Type the number itself.",
        variants={"empty": "The formula has no value. Not applied."},
    ),
    Code(
        "E16",
        "A number with a thousands separator.",
        "'{value}' is unclear. Type a number from 0.5 to 5.",
        _RETYPE,
        variants={"ten": "'{value}' is unclear. Type a number from 1 to 10."},
    ),
    Code("W17", "The value comes from a formula.", "Taken from a formula: {value}."),
    Code("I19", "A number was typed as text.", "'{value}' read as {stars}."),
    Code(
        "E20",
        "The Action or Decision is unknown.",
        "'{value}' is not an action. Did you mean {nearest}? Not applied.",
        "Choose one from the drop-down.",
        variants={
            "plain": "'{value}' is not an action. Type one of {choices}. Not applied.",
            "decision": "'{value}' is not a decision. Type one of {choices}. Not applied.",
            "sub-group": "'{value}' is not a sub-group. Type one letter. Not applied.",
            "choice": "'{value}' is not a choice. Type a number from 1 to {most}. Not applied.",
            "type": "'{value}' is not a ratingType. Type manual or inferred. Not applied.",
        },
    ),
    Code(
        "E21",
        "Action and My rating contradict each other.",
        "{action} and a rating of {stars} contradict each other. Not applied.",
        "Empty one of the two cells.",
    ),
    Code(
        "E22",
        "ACCEPT where nothing is inferred.",
        "There is no inferred value to accept.",
        "Type the rating itself.",
    ),
    Code(
        "E23",
        "A row of a review workbook is not decided.",
        "My rating says {stars}, and Action says nothing. Not applied.",
        "Type TAKE in Action, or the number of a candidate in Choice.",
        variants={"blank": "There is no rating to take. Type one in My rating. Not applied."},
    ),
    Code(
        "W23",
        "A rating cell was emptied.",
        "The cell was emptied: the rating {stars} will be removed.",
        "Type the rating again to keep it. Many at once are held until you type their number.",
        variants={
            "many": "{count} cells were emptied. If that is intended, type {number}; otherwise "
            "nothing is removed.",
            "held": "The cell was emptied: the rating {stars} stays until you confirm that "
            "{count} ratings are to be removed.",
            "withdrawn": "ratingType says inferred: your rating {stars} will be removed, and can "
            "be inferred.",
            "unsure": "The cell is empty or shows an error; a file of this format does not tell "
            "which, so the rating {stars} stays. To remove it type CLEAR.",
        },
    ),
    Code(
        "E30",
        "That is not a year.",
        "Year '{value}' is not a year between 1000 and {last}. Not applied.",
        "Type four digits, or a full date as YYYY-MM-DD.",
    ),
    Code(
        "E31",
        "Two rows are one recording for Plex, but have different ratings.",
        "These two rows are one recording for Plex and share one rating; you gave {values}. "
        "Neither was applied.",
        "Type the same rating on both, or on one only.",
    ),
    Code(
        "W32",
        "A full release date would be lost.",
        "Release date {was} would become {date}.",
        "Type the full date you want, as YYYY-MM-DD, and save again.",
    ),
    Code(
        "E33",
        "The account may not change the year.",
        "Only the owner of the server can change the year. Not applied.",
        "Ask the owner, or put the old year back.",
    ),
    Code(
        "E40",
        "SPLIT without sub-groups.",
        "SPLIT needs a sub-group letter on each row of group {group}.",
        "Type a letter in Sub-group on every row of the group; equal letters belong together.",
        variants={
            "alone": "A sub-group letter says nothing without SPLIT in Decision on group {group}. "
            "Not applied.",
        },
    ),
    Code(
        "E41",
        "Copies with one guid cannot be split.",
        "These copies share one Plex rating and cannot be split.",
        "Give them the same sub-group letter, or empty Decision.",
    ),
    Code(
        "W43",
        "You rated copies of one recording differently.",
        "You rated copies of this recording {values}. Neither is changed; unrated copies get "
        "{stars}.",
        "You need not do anything. If they should agree, type one rating on both.",
        variants={
            "all": "You rated copies of this recording {values}. Neither is changed.",
        },
    ),
)

_MERGE = (
    Code(
        "C50",
        "Both Plex and the row changed after the export.",
        "You: {yours}. Plex now: {plex} (changed after the export). Type MINE or PLEX in Action "
        "and save again.",
        "Type MINE to write yours, PLEX to keep what Plex has, and save again.",
        variants={
            "list": "The list: {yours}. You in Plex: {plex}. Not taken. Say --on-conflict mine for "
            "the list's ratings, --on-conflict plex for those in Plex.",
        },
    ),
    Code(
        "I51",
        "Plex changed, the row did not.",
        "Changed in Plex to {plex}; your sheet had the old value.",
    ),
    Code("I52", "Plex has that value already.", "Already {plex}."),
    Code("I53", "The item was found under a new Key.", "Found again under a new Key."),
    Code(
        "C55",
        "The Key now belongs to another item, and the right one was not found.",
        "Key {key} is now '{now}'; '{title}' was not found ({candidates}). Nothing was changed on "
        "this row.",
        "Export a fresh workbook and type the rating there.",
    ),
    Code(
        "I56",
        "The rating became yours after the run that is taken back.",
        "Left alone: yours since {day} ({how}).",
    ),
    Code(
        "W60",
        "A cell that cannot be edited was changed.",
        "'{column}' cannot be edited; put your rating in 'My rating'.",
        "Put your rating in 'My rating'; the rest of the row stays as Plex has it.",
        variants={
            "year": "The year was emptied; a release date cannot be removed here, so it is kept.",
            "inferred": "ratingType says inferred, so {stars} was not taken as your rating. To "
            "make it yours type manual.",
        },
    ),
)

_PLEX = (
    Code(
        "P70",
        "Plex did not answer.",
        "Plex did not answer after {tries} tries. Run {command} again; rows already done are "
        "skipped.",
        "Wait until Plex answers, then run the command again, or plexsheet resume if it says so.",
        variants={
            "resume": "Plex did not answer after {tries} tries. {done} of {total} are settled and "
            "recorded. Once Plex answers again, “plexsheet resume” goes on from there.",
        },
    ),
    Code(
        "P71",
        "Plex refused a change.",
        "Plex refused this change ({status}): the account may not edit this library.",
        "Sign in with an account that may rate in this library.",
    ),
    Code(
        "P73",
        "Plex stored another value.",
        "Plex accepted {sent} but reports {got} afterwards.",
        "Nothing has to be done: what Plex reports is what counts from now on.",
    ),
    Code("U80", "Undo put a value back.", "Put back to {stars}."),
    Code("U81", "Undo left a value alone.", "Left alone: you changed it since."),
    Code(
        "U82",
        "Undo failed on a row.",
        "Could not be put back: {reason}",
        "Run undo again later; what is done is skipped.",
    ),
)

CODES: Mapping[str, Code] = {
    code.code: code for code in (*_FILE, *_SHEET, *_ROW_IDENTITY, *_ROW_VALUES, *_MERGE, *_PLEX)
}


def text(code: str, variant: str = "", **values: object) -> str:
    """The sentence of a code, with its fields filled in.

    Integers above 9,999 are grouped by thousands, except Keys, years and what is to be typed
    (fields ``key``, ``last``, ``number``).

    Raises:
        KeyError: the code, its variant, or a field of its template is unknown.

    >>> text("E11", value="7", half="3.5")
    '7 is more than 5 stars. Not applied. (On a ten-point scale this would be 3.5: type 3.5 if \
you mean that.)'
    """
    entry = CODES[code]
    template = entry.variants[variant] if variant else entry.template
    return template.format(**{name: _shown(name, value) for name, value in values.items()})


_PLAIN_NUMBERS = frozenset({"key", "last", "number", "row", "group", "run"})


def _shown(name: str, value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and name not in _PLAIN_NUMBERS:
        return f"{value:,}"
    return one_line(str(value))


def say(
    code: str,
    *,
    sheet: str = "",
    row: int = 0,
    key: int = 0,
    field: str = "",
    variant: str = "",
    **values: object,
) -> Message:
    """A ``Message`` of a code; ``sheet``, ``row`` and ``key`` fill the sentence as well.

    >>> say("E12", sheet="Tracks", row=7, value="-1").text
    '-1 is not a rating. To remove the rating type CLEAR.'
    """
    known = {"sheet": sheet, "row": row, "key": key} | values
    return Message(
        code,
        text(code, variant, **known),
        sheet,
        row,
        key,
        one_line(str(values.get("value", ""))),
        field,
        variant,
    )


SHOWN_CHARS = 60


def one_line(value: str) -> str:
    r"""A person's value fit to be quoted: one line, no control characters, not too long.

    >>> one_line("a\nb\x1b[31m")
    'a b[31m'
    """
    flat = " ".join(
        "".join(c if c.isprintable() else " " if c.isspace() else "" for c in value).split()
    )
    return flat if len(flat) <= SHOWN_CHARS * 4 else flat[: SHOWN_CHARS * 4 - 1] + "…"
