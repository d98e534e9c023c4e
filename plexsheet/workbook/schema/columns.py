"""Every column of the workbook, declared once (pure).

The writer lays sheets out from here, the reader finds columns here, the Help sheet
and docs/workbook.md are printed from here.  A header is the contract; where a column
stands is not: people move columns.

The order is that of the first screen: what the row is, what one does with it, how sure
the inferred value is; then what helps to decide, and last what only the program needs.

Numbers are stars, counts and percent; keys are text, so that no program turns them into
1.2E+05; dates are dates.  A length is minutes and seconds as one number (345 shows as
3:45): a time of day would come back from some programs as a date.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from plexsheet.library import Kind
from plexsheet.reports.catalogue import SHEETS as REPORT_SHEETS

SheetName = Literal["Artists", "Albums", "Tracks", "Twins", "Rate next", "Matches"]
Type = Literal[
    "key", "text", "stars", "number", "length", "percent", "date", "choice", "link", "any"
]

KIND_OF_SHEET: Mapping[SheetName, Kind] = {
    "Artists": "artist",
    "Albums": "album",
    "Tracks": "track",
    "Twins": "track",
    "Matches": "track",
}
SHEET_OF_KIND: Mapping[Kind, SheetName] = {
    "artist": "Artists",
    "album": "Albums",
    "track": "Tracks",
}
OTHER_SHEETS = ("Start", *REPORT_SHEETS, "Help", "Changes", "_meta")

ACTIONS = ("ACCEPT", "CLEAR", "EXCLUDE", "INCLUDE", "MINE", "PLEX")
TAKES = ("TAKE", "SKIP", "MINE", "PLEX")  # actions of a review workbook
CHOICES = ("1", "2", "3", "4", "5")
DECISIONS = ("SAME", "SPLIT", "NEVER")
SHEET_ROWS = 1_000_000  # rows of one sheet below its header; the next begin `Tracks 2`


@dataclass(frozen=True)
class Column:
    """One column of one sheet.

    Attributes:
        name: how code calls it.
        header: what row 1 says; found again ignoring case, blanks and order.
        note: one sentence that explains it, shown on the header.
        type: how cells are written: ``key`` and ``text`` and ``choice`` as text,
            ``stars``, ``number``, ``length`` and ``percent`` (0-100) as numbers, ``date`` as
            dates, ``link`` as a formula that opens the item whose key is the value, ``any``
            (the person's own columns) as they are.
        width_chars: width in characters of the body font.
        editable: whether what is typed here means something; the rest is read-only.
        hidden: whether it is there for the program only.
        choices: what the drop-down offers.
        result_only: only in a workbook that came back from an import or a preview.
        fits: whether the width follows the content, up to ``width_chars``.
    """

    name: str
    header: str
    note: str
    type: Type = "text"
    width_chars: float = 10
    editable: bool = False
    hidden: bool = False
    choices: tuple[str, ...] = ()
    result_only: bool = False
    fits: bool = False


_RATING = Column(
    "my_rating",
    "My rating",
    "Your rating in stars, 0.5 to 5 (4.5 and 4,5 are the same). Empty the cell or type CLEAR to "
    "remove it. A number here always becomes your own rating.",
    "stars",
    13,
    editable=True,
)
_ACTION = Column(
    "action",
    "Action",
    "ACCEPT makes the inferred value yours; CLEAR removes the rating; EXCLUDE never infers for "
    "this row; INCLUDE ends that; MINE or PLEX settles a conflict.",
    "choice",
    10,
    editable=True,
    choices=ACTIONS,
)
_WILL_DO = Column(
    "will_do",
    "Will do",
    "What your edit on this row will do, as you type. Blank: nothing happens.",
    "text",
    26,
)
_INFERRED = Column(
    "inferred",
    "Inferred",
    "The rating plexsheet expects from you, in stars, judging by your own ratings.",
    "stars",
    13,
)
_ERROR = Column(
    "error", "± stars", "How far off Inferred may be, in stars (one standard error).", "stars", 9
)
_CONFIDENCE = Column(
    "confidence",
    "Confidence",
    "How sure the inferred value is, 0 to 100 percent.",
    "percent",
    12,
)
_IN_PLEX = Column(
    "in_plex", "In Plex", "The rating Plex held when this workbook was made, in stars.", "stars", 9
)
_SOURCE = Column(
    "source",
    "Source",
    "Where the rating in Plex comes from. Manual: you. Inferred, Twin: plexsheet. Unrated: there "
    "is none. Excluded: you keep this row out of inference.",
    "text",
    10,
)
_WHY = Column("why", "Why", "How the inferred value came about, in stars.", "text", 44)
_NOTE = Column(
    "note",
    "Note",
    "Room for your own notes. Never sent to Plex; export --from copies them into a new workbook.",
    "text",
    24,
    editable=True,
)
_WAS = Column(
    "was",
    "Was",
    "My rating when this workbook was made. Your edits are compared with it.",
    "stars",
    7,
    hidden=True,
)
_CHECK = Column(
    "check",
    "Check",
    "Shows that Key and title belong together. Leave it as it is.",
    "key",
    11,
    hidden=True,
)
_STATUS = Column("status", "Status", "What became of this row.", "text", 13, result_only=True)
_MESSAGE = Column(
    "message",
    "Message",
    "Why, and what to type if something is wrong.",
    "text",
    92,
    result_only=True,
)
_PLAYS = Column("plays", "Plays", "How often it was played, as Plex counts.", "number", 8)
_LENGTH = Column("length", "Length", "Minutes and seconds.", "length", 9)
_ADDED = Column("added", "Added", "When it was added to the library.", "date", 12)
_RATED_ON = Column("rated_on", "Rated on", "When Plex last stored a rating for it.", "date", 12)
_GENRES = Column(
    "genres", "Genres", "Genres in Plex, separated by semicolons.", "text", 22, fits=True
)
_TYPE = Column("format", "Type", "Album, EP, Single, Live or Compilation.", "text", 13)

# What one does on a row, and how sure the inferred value is: the same on every sheet to rate on.
_DOING = (_RATING, _INFERRED, _ACTION, _WILL_DO, _STATUS, _MESSAGE)
_HOW_SURE = (_ERROR, _CONFIDENCE, _IN_PLEX, _SOURCE)


def _key(kind: str) -> Column:
    return Column(
        "key",
        "Key",
        f"Plex's own number of this {kind}; it tells plexsheet which {kind} the row is. "
        "Leave it as it is.",
        "key",
        9,
    )


def _open(kind: str) -> Column:
    return Column("open", "Open", f"Opens the {kind} in Plex.", "link", 5)


ARTISTS = (
    Column("title", "Artist", "Name of the artist.", "text", 34, fits=True),
    *_DOING,
    *_HOW_SURE,
    _open("artist"),
    Column("albums", "Albums", "Albums of this artist.", "number", 9),
    Column(
        "rated_albums", "Rated albums", "Albums of this artist you rated yourself.", "number", 13
    ),
    Column("tracks", "Tracks", "Tracks of this artist.", "number", 9),
    Column(
        "rated_tracks", "Rated tracks", "Tracks of this artist you rated yourself.", "number", 13
    ),
    _GENRES,
    Column("sort_title", "Sort name", "The name Plex sorts by.", "text", 26, fits=True),
    _WHY,
    _NOTE,
    _key("artist"),
    _WAS,
    _CHECK,
)
ALBUMS = (
    Column("artist", "Artist", "The album's artist.", "text", 21, fits=True),
    Column("title", "Album", "Title of the album.", "text", 31, fits=True),
    *_DOING,
    *_HOW_SURE,
    _open("album"),
    _PLAYS,
    Column(
        "year",
        "Year",
        "Year of release. A new year sets the release date to 1 January; a full date, "
        "YYYY-MM-DD, works too.",
        "number",
        8,
        editable=True,
    ),
    _TYPE,
    Column("tracks", "Tracks", "Tracks on this album.", "number", 9),
    Column(
        "rated_tracks", "Rated tracks", "Tracks on this album you rated yourself.", "number", 13
    ),
    Column(
        "coverage",
        "Coverage %",
        "Share of its tracks you rated yourself, in percent.",
        "percent",
        12,
    ),
    Column("critic", "Critic", "The critics' rating in Plex, in stars.", "stars", 8),
    _GENRES,
    _ADDED,
    _RATED_ON,
    _WHY,
    _NOTE,
    _key("album"),
    _WAS,
    Column("year_was", "Year was", "Year when this workbook was made.", "number", 10, hidden=True),
    _CHECK,
)
# Up to Will do everything shall fit a laptop; LibreOffice without Calibri needs 10 pixels a
# character, Excel 7.
TRACKS = (
    Column("artist", "Artist", "The album's artist.", "text", 15, fits=True),
    Column("album", "Album", "Title of the album.", "text", 17, fits=True),
    Column("title", "Title", "Title of the track.", "text", 24, fits=True),
    *_DOING,
    *_HOW_SURE,
    Column("open", "Open", "Opens the track's album in Plex.", "link", 5),
    _PLAYS,
    Column("last_played", "Last played", "When it was last played.", "date", 13),
    _LENGTH,
    Column("index", "No.", "Number of the track on its disc.", "number", 7),
    Column("disc", "Disc", "Number of the disc.", "number", 7),
    Column(
        "track_artist",
        "Track artist",
        "Who performs this track, where it is not the album's artist.",
        "text",
        20,
        fits=True,
    ),
    Column(
        "twin_group",
        "Twin group",
        "Its group on the Twins sheet: the same recording on other albums.",
        "number",
        12,
    ),
    Column(
        "counts",
        "Counts upward",
        "Whether its rating counts for its album, or which rule leaves it out.",
        "text",
        18,
    ),
    _ADDED,
    _RATED_ON,
    _WHY,
    _NOTE,
    _key("track"),
    _WAS,
    _CHECK,
)
TWINS = (
    Column("group", "Group", "Copies of one recording share this number.", "number", 8),
    Column("artist", "Artist", "The album's artist.", "text", 14, fits=True),
    Column("title", "Title", "Title of the track.", "text", 21, fits=True),
    Column("album", "Album", "The album this copy is on.", "text", 14, fits=True),
    Column(
        "decision",
        "Decision",
        "SAME: all one recording. SPLIT: several recordings, told apart in Sub-group. NEVER: this "
        "copy has no twin. Blank: plexsheet decides.",
        "choice",
        11,
        editable=True,
        choices=DECISIONS,
    ),
    Column(
        "sub_group",
        "Sub-group",
        "With SPLIT: copies with the same letter belong together.",
        "choice",
        11,
        editable=True,
        choices=("a", "b", "c", "d"),
    ),
    _STATUS,
    _MESSAGE,
    Column(
        "group_value",
        "Group value",
        "What unrated copies get, in stars; DISAGREE where you rated copies differently.",
        "stars",
        13,
    ),
    _IN_PLEX,
    _SOURCE,
    Column(
        "evidence",
        "Evidence",
        "Why these count as one recording: same guid, title+artist+length, or your decision.",
        "text",
        20,
    ),
    Column("open", "Open", "Opens the album of this copy in Plex.", "link", 5),
    _LENGTH,
    Column(
        "off_median_s",
        "Off median s",
        "Seconds longer or shorter than the group's median length.",
        "number",
        13,
    ),
    Column("year", "Year", "Year of the album.", "number", 8),
    Column("format", "Album type", "Album, EP, Single, Live or Compilation.", "text", 13),
    _NOTE,
    _key("track"),
    Column(
        "was_decision",
        "Was decision",
        "Decision and sub-group when this workbook was made.",
        "text",
        14,
        hidden=True,
    ),
    _CHECK,
)
# The review workbook of ``match``: a row of a foreign list, and what it may be in Plex.
MATCHES = (
    Column("list_row", "List row", "Row number in the list.", "number", 9),
    Column("list_artist", "Artist", "As the list says.", "text", 22, fits=True),
    Column("list_album", "Album", "As the list says.", "text", 22, fits=True),
    Column("list_title", "Title", "As the list says.", "text", 28, fits=True),
    Column("list_length", "Length", "As the list says, m:ss.", "text", 9),
    Column("written", "Their rating", "The rating as the list writes it.", "text", 12),
    replace(
        _RATING,
        note="What will be written, in stars: the list's rating, or what you type instead.",
    ),
    _IN_PLEX,
    Column(
        "evidence", "Evidence", "What the list and the song in Plex have in common.", "text", 26
    ),
    Column("score", "Score", "How probable the match is, 0 to 100 percent.", "percent", 9),
    Column(
        "action",
        "Action",
        "TAKE writes My rating to the song in Plex; SKIP leaves it. MINE or PLEX settles a "
        "conflict. Blank: nothing happens, unless you make a Choice.",
        "choice",
        11,
        editable=True,
        choices=TAKES,
    ),
    Column(
        "choice",
        "Choice",
        "Number of the candidate to rate, 1 to 5. No TAKE needed.",
        "choice",
        9,
        editable=True,
        choices=CHOICES,
    ),
    replace(_WILL_DO, width_chars=22),
    _STATUS,
    _MESSAGE,
    Column("reason", "Why", "Why the match is not certain.", "text", 44),
    Column("candidates", "Candidates", "Songs it may be, numbered for Choice.", "text", 60),
    Column("artist", "Artist in Plex", "Of the first candidate.", "text", 22, fits=True),
    Column("album", "Album in Plex", "Of the first candidate.", "text", 22, fits=True),
    Column("title", "Title in Plex", "Of the first candidate.", "text", 28, fits=True),
    _key("track"),
    _NOTE,
    _WAS,
    Column("choices", "Choices", "Keys of the candidates.", "key", 11, hidden=True),
    _CHECK,
)
# The sheets of an export.
RATE_NEXT = (
    Column("kind", "Kind", "Whether the row is an album or a track.", "text", 8),
    Column("artist", "Artist", "The album's artist.", "text", 14, fits=True),
    Column("album", "Album", "The album a track is on.", "text", 14, fits=True),
    Column("title", "Title", "Title of the album or track.", "text", 21, fits=True),
    *_DOING,
    Column(
        "settles",
        "Rows it would settle",
        "How many other unrated rows a rating here would inform.",
        "number",
        20,
    ),
    *_HOW_SURE,
    _open("album or the track's album"),
    _PLAYS,
    _LENGTH,
    _WHY,
    _key("item"),
    _WAS,
    _CHECK,
)
SHEETS: Mapping[SheetName, tuple[Column, ...]] = {
    "Artists": ARTISTS,
    "Albums": ALBUMS,
    "Tracks": TRACKS,
    "Twins": TWINS,
    "Rate next": RATE_NEXT,
}
# Columns of older workbooks that are called or written otherwise today.
FORMER: Mapping[SheetName, tuple[Column, ...]] = {
    sheet: (Column("length_s", "Length s", "Length in seconds.", "number", 10),)
    for sheet in ("Tracks", "Twins")
}

# With those that other workbooks of ours have.
ALL_SHEETS: Mapping[SheetName, tuple[Column, ...]] = {**SHEETS, "Matches": MATCHES}

# Without these a sheet cannot be read at all (F11).
REQUIRED: Mapping[SheetName, tuple[str, ...]] = {
    "Artists": ("Key", "My rating"),
    "Albums": ("Key", "My rating"),
    "Tracks": ("Key", "My rating"),
    "Twins": ("Key", "Decision"),
    "Matches": ("Key", "Check", "Choices", "Action", "My rating"),
    "Rate next": ("Key", "Kind", "My rating"),
}
# Which headers hold the title, artist and album that a Check is taken over.
IDENTITY: Mapping[SheetName, tuple[str, str | None, str | None]] = {
    "Artists": ("Artist", None, None),
    "Albums": ("Album", "Artist", None),
    "Tracks": ("Title", "Artist", "Album"),
    "Twins": ("Title", "Artist", "Album"),
    "Matches": ("Title in Plex", "Artist in Plex", "Album in Plex"),
    "Rate next": ("Title", "Artist", "Album"),
}
# What proves besides the titles which track a row is of; lengths in seconds are of version 0.1.
PROOFS = ("Length", "Length s", "Disc", "No.")
RATED_ON = "Rated on"
# Left out by no choice of columns: the row's identity, and the edit with its base.
KEPT = ("key", "check", "my_rating", "was", "action", "group", "decision", "sub_group", "kind")
