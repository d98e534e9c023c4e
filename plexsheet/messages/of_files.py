"""What is said of a whole file or sheet."""

from __future__ import annotations

from plexsheet.messages.codes import Code

FILE = (
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

SHEET = (
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
