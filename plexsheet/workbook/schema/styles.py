"""Colours and cell formats, told in one place.

Every state is a word as well as a colour, and the colours differ in lightness, so that
a black-and-white print says the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plexsheet.workbook.schema.columns import Column

Look = dict[str, Any]  # XlsxWriter's format properties

INK = "#22272E"
GREY = "#5B6470"  # read-only text: 5.9 to 1 on white
SLATE = "#2B3440"  # headers
GOLD = "#E5A00D"  # headers of what can be edited
BRONZE = "#7A4B00"  # ratings of the person's own: 7 to 1 on PAPER
PAPER = "#FFF9E2"  # cells that can be edited
LINE = "#D5D9DE"
AMBER = "#FFC65C"  # edited
RED, DARK_RED = "#F6B3AB", "#8C1D13"  # refused
ROSE = "#E4D3F1"  # emptied
GREEN, DARK_GREEN = "#CFE8CF", "#1E5B2A"
BLUE, DARK_BLUE = "#D3E4F5", "#1F4E79"
TINT = "#EEF2F7"  # every second group of twins
BAR = "#BCD3EA"

FONT: Look = {"font_name": "Calibri", "font_size": 11, "font_color": INK}

NUMBER_FORMATS = {
    "key": "@",
    "text": "@",
    "choice": "@",
    "stars": "0.0#",
    "number": "0",
    "length": '0":"00',
    "percent": '0" %"',
    "date": "yyyy-mm-dd",
    "link": "General",
    "any": "General",
}
_OWN_FORMATS = {
    "inferred": "0.00",
    "error": "0.00",
    "in_plex": '0.0#" ★"',
    "critic": '0.0#" ★"',
    "group_value": '0.0#" ★"',
    "off_median_s": "+0.0;-0.0;0",
}
_STRONG = ("title", "artist", "album", "will_do")  # read-only, yet what one looks for

TITLE: Look = FONT | {"bold": True, "font_size": 20}
SUBTITLE: Look = FONT | {"font_color": GREY, "italic": True}
HEADING: Look = FONT | {"bold": True, "font_size": 13, "bottom": 2, "bottom_color": GOLD}
LABEL: Look = FONT | {"font_color": GREY}
TEXT: Look = FONT | {"num_format": "@"}
WRAPPED: Look = FONT | {"num_format": "@", "text_wrap": True, "valign": "top"}
LINK: Look = FONT | {"font_color": DARK_BLUE, "underline": 1}
HEADER: Look = FONT | {
    "bold": True,
    "bg_color": SLATE,
    "font_color": "#FFFFFF",
    "valign": "vcenter",
}
RIGHT_HEADING: Look = HEADING | {"align": "right"}
LEADS_ON: Look = {"font_color": DARK_BLUE, "underline": 1}
COUNT: Look = FONT | {"num_format": "#,##0", "align": "right"}
BIG_COUNT: Look = COUNT | {"bold": True}
APPLY: Look = FONT | {
    "bg_color": PAPER,
    "border": 2,
    "border_color": GOLD,
    "bold": True,
    "num_format": "@",
}

STATUS_LOOKS: Mapping[str, Look] = {
    "Applied": {"bg_color": GREEN, "font_color": DARK_GREEN},
    "Would apply": {"bg_color": GREEN, "font_color": DARK_GREEN},
    "Healed": {"bg_color": GREEN, "font_color": DARK_GREEN},
    "Updated in Plex": {"bg_color": BLUE, "font_color": DARK_BLUE},
    "Held": {"bg_color": AMBER, "font_color": INK},
    "Conflict": {"bg_color": ROSE, "font_color": "#4A235A", "bold": True},
    "Error": {"bg_color": RED, "font_color": DARK_RED, "bold": True},
}
SOURCE_LOOKS: Mapping[str, Look] = {
    "Manual": {"bold": True},
    "Inferred": {"font_color": GREY},
    "Twin": {"font_color": GREY, "italic": True},
    "Unrated": {"font_color": GREY},
}
EDITED: Look = {"bg_color": AMBER, "bold": True}
REFUSED: Look = {"bg_color": RED, "font_color": DARK_RED, "bold": True}
EMPTIED: Look = {"bg_color": ROSE, "fg_color": "#9B6DBD", "pattern": 7}
DISAGREE: Look = {"font_color": DARK_RED, "bold": True}


def star_format(halves: int, number: str) -> str:
    """Number format of a rating that shows its stars before it, half stars counted.

    >>> star_format(7, "0.0#")
    '"★★★½☆"* 0.0#'
    """
    full, half = divmod(halves, 2)
    return f'"{"★" * full}{"½" * half}{"☆" * (5 - full - half)}"* {number}'


def header(column: Column) -> Look:
    """How a header cell looks."""
    colours = (
        {"bg_color": GOLD, "font_color": INK}
        if column.editable
        else {"bg_color": SLATE, "font_color": "#FFFFFF"}
    )
    return FONT | {"bold": True, "valign": "vcenter", "border": 1, "border_color": LINE} | colours


def number_format(column: Column) -> str:
    """The number format of a column's cells."""
    return _OWN_FORMATS.get(column.name, NUMBER_FORMATS[column.type])


def body(column: Column) -> Look:
    """How a cell below the header looks."""
    look = beyond(column)
    if column.editable:
        look |= {"bg_color": PAPER, "border": 4, "border_color": LINE}
    return look


def beyond(column: Column) -> Look:
    """How cells of the column look below the table: as in it, without the yellow."""
    strong = column.editable or column.type == "any" or column.name in _STRONG
    look = FONT | {"num_format": number_format(column), "font_color": INK if strong else GREY}
    if column.type == "choice":
        look |= {"align": "center"}
    elif column.type in ("text", "key"):
        look |= {"indent": 1}
    elif column.type == "link":
        look |= {"align": "center", "font_color": DARK_BLUE}
    elif column.name == "group":
        look |= {"align": "center"}
    elif column.name == "group_value":
        look |= {"align": "right"}
    return look
