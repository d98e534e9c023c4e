"""What is said of a row: its identity, its values, what Plex made of them."""

from __future__ import annotations

from plexsheet.messages.codes import Code

_RETYPE = "Type a number from 0.5 to 5, or CLEAR."


ROW_IDENTITY = (
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

ROW_VALUES = (
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

MERGE = (
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

PLEX = (
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
