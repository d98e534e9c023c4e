from __future__ import annotations

import string

import pytest

from plexsheet import messages
from plexsheet.messages import CODES, say, text

# One example of each sentence, as the manual gives it.
DOCUMENTED = [
    ("F02", {}, "The file is still open in Excel or LibreOffice."),
    (
        "F04",
        {
            "library": "Music",
            "server": "server A",
            "here": "Music",
            "here_server": "server B",
        },
        "This workbook belongs to 'Music' on server A; you are connected to 'Music' on server B. "
        "Nothing was changed.",
    ),
    (
        "F05",
        {"account": "Anna", "here": "Ben"},
        "These are the ratings of Anna; you are signed in as Ben. Ratings are personal in Plex. "
        "Nothing was changed.",
    ),
    (
        "F06",
        {"format": 3, "known": 2},
        "Made by a newer plexsheet (format 3; this one knows 2). Please update.",
    ),
    (
        "F08",
        {"days": "41 days", "items": "212 items"},
        "Exported 41 days ago; 212 items changed in Plex since. Your edits are compared one by "
        "one.",
    ),
    (
        "F09",
        {"when": "22 Nov 11:31", "run": 57},
        "Already imported on 22 Nov 11:31 (run 57). Nothing to do.",
    ),
    ("F10", {"sheet": "Albums"}, "No sheet 'Albums'; its rows stay untouched."),
    (
        "F12",
        {"sheet": "Tracks", "column": "My rating", "letters": "J and Z"},
        "Sheet Tracks has two columns 'My rating' (J and Z). Rename one. The sheet was skipped.",
    ),
    (
        "F15",
        {"size": "5.1 GB", "limit": "4 GB"},
        "The file unpacks to 5.1 GB, more than the 4 GB allowed. Nothing was read.",
    ),
    (
        "S01",
        {"count": 812, "sheet": "Tracks"},
        "On 812 rows the Key does not belong to the title beside it, as after sorting only some "
        "columns. Nothing on Tracks was changed. Undo the sort, or start from the result file.",
    ),
    (
        "S03",
        {
            "first_row": 51,
            "rows": "one row",
            "direction": "high",
            "cause": "deleting one cell",
            "sheet": "Tracks",
        },
        "From row 51 every rating sits one row too high, as after deleting one cell. Nothing on "
        "Tracks was changed.",
    ),
    (
        "S04",
        {"count": 3410, "share": "34 %", "sheet": "Tracks", "number": 3410},
        "3,410 ratings would change (34 % of Tracks). To go on, type 3410.",
    ),
    (
        "S05",
        {"count": 1204, "stars": 5},
        "1,204 rows receive the same rating 5. If that is intended, confirm.",
    ),
    ("E02", {"key": 998877}, "Key 998877 is not in this library. Not applied."),
    (
        "E03",
        {"value": "1.2E+05", "key": 120034},
        "Key '1.2E+05' was altered by the spreadsheet (it should be 120034). Not applied.",
    ),
    (
        "E04",
        {"key": 120034, "rows": "12 and 90", "values": "4 and 3"},
        "Key 120034 appears on rows 12 and 90 with 4 and 3. Neither was applied.",
    ),
    ("W17", {"value": 4}, "Taken from a formula: 4."),
    ("I19", {"value": "4,5", "stars": 4.5}, "'4,5' read as 4.5."),
    (
        "E20",
        {"value": "ACEPT", "nearest": "ACCEPT"},
        "'ACEPT' is not an action. Did you mean ACCEPT? Not applied.",
    ),
    ("W23", {"stars": 4}, "The cell was emptied: the rating 4 will be removed."),
    (
        "E30",
        {"value": "19O9", "last": 2027},
        "Year '19O9' is not a year between 1000 and 2027. Not applied.",
    ),
    (
        "C50",
        {"yours": 3, "plex": 5},
        "You: 3. Plex now: 5 (changed after the export). Type MINE or PLEX in Action and save "
        "again.",
    ),
    ("P73", {"sent": 3.7, "got": 3.5}, "Plex accepted 3.7 but reports 3.5 afterwards."),
]


def fields_of(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize(("code", "values", "sentence"), DOCUMENTED)
def test_sentences_are_the_documented_ones(
    code: str, values: dict[str, object], sentence: str
) -> None:
    assert text(code, **values) == sentence


@pytest.mark.parametrize("code", CODES)
def test_every_wording_can_be_filled_and_ends_as_a_sentence(code: str) -> None:
    entry = CODES[code]
    for variant in ("", *entry.variants):
        template = entry.variants[variant] if variant else entry.template
        sentence = text(code, variant, **dict.fromkeys(fields_of(template), "7"))
        assert sentence.endswith((".", ")", "7", "?"))
        assert "{" not in sentence
        assert "  " not in sentence


@pytest.mark.parametrize("code", CODES)
def test_what_stops_something_names_its_cure(code: str) -> None:
    entry = CODES[code]
    assert entry.code == code
    assert entry.when.endswith(".")
    if entry.severity in ("file", "sheet", "error", "conflict"):
        assert entry.cure.endswith((".", '"', ")"))


def test_severity_follows_from_the_letter_and_notices_are_infos() -> None:
    assert say("E12", value="-1").severity == "error"
    assert say("F01").severity == "file"
    assert say("F10", sheet="Albums").severity == "info"


def test_a_quoted_value_stays_on_one_line_and_loses_control_characters() -> None:
    message = say("E10", row=3, value="go\nod\x1b[31m" + "x" * 1000)

    assert "\n" not in message.text
    assert "\x1b" not in message.text
    assert len(message.text) < 400
    assert messages.one_line("  a \t b ") == "a b"
