"""What a cell says: one declared meaning for each form, everything else refused (pure).

Three columns speak: ``My rating`` (stars), ``Action`` and ``Year``; on Twins also
``Decision`` and ``Sub-group``.  Nothing is guessed: a ten-point 7 is not halved, a
typo is not the nearest word, a date is not the number it may have been.  A refused
cell gets the code of the sentence that tells what to type.

Cells arrive as three things: a state (below), a number and a text.  The number is
NaN and the text ``""`` where the state does not use them.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from plexsheet import ratings
from plexsheet.ratings import points_array
from plexsheet.workbook.schema.columns import ACTIONS, CHOICES, DECISIONS, TAKES

# States of a cell.  FORMULA is a flag beside them: BLANK | FORMULA is a formula that has
# no value, NUMBER | FORMULA one whose last calculated value is the number.
BLANK, NUMBER, TEXT, BOOL, DATE, ERROR = range(6)
FORMULA = 0x80
STATE_BITS = 0x7F

ABOVE = 1e-9  # a formula's 5 may be 5.000000000000001


@dataclass(frozen=True)
class CellReading:
    """What one cell means.

    Attributes:
        kind: ``value``, ``clear`` (remove it), ``blank`` or ``refused``.
        rating: 0-10 when a rating was read, NaN otherwise.
        word: the action or decision in capitals, the year as ``1969``, a full date as
            ``1969-09-26``, a sub-group's letter; ``""`` otherwise.
        code: of the refusal or of the remark (W17, I19); ``""`` for none.
        variant: which wording of the code.
        values: what the code's sentence quotes.
    """

    kind: Literal["value", "clear", "blank", "refused"]
    rating: float = math.nan
    word: str = ""
    code: str = ""
    variant: str = ""
    values: Mapping[str, object] = field(default_factory=dict)


EMPTY = CellReading("blank")
Reader = Callable[[int, float, str], CellReading]

# Blanks of every kind at either end, and signs of no width that some programs leave.
_EDGES = re.compile(r"^[\s\u200b-\u200f\u2060\ufeff]+|[\s\u200b-\u200f\u2060\ufeff]+$")
_NUMBER = re.compile(r"(?P<sign>[-\u2212\u2013])?(?P<number>[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)")
_FRACTION = re.compile(r"(?P<whole>[0-9]?)\s?(?P<part>[½¼¾])")
_OF_FIVE = re.compile(r"(?P<number>[0-9]+(?:[.,][0-9]+)?)\s?/\s?5(?:[.,]0)?")
_STARRED = re.compile(r"(?P<number>[0-9]+(?:[.,][0-9]+)?)\s?★")
_STARS = re.compile(r"(?P<full>★*)(?P<half>½?)(?P<empty>☆*)")
_GROUPED = re.compile(r"[-+]?[0-9]+(?:[.,'’\s][0-9]+)+")
_ERRORS = re.compile(r"#[^\W\d_][\w/]*[!?]?|Err:[0-9]{3}", re.ASCII)
_DATES = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*|[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2,4}.*"
    r"|[0-9]{1,2}[.\s-]*[^\W\d_]{3,9}\.?(?:[\s-]*[0-9]{2,4})?|[^\W\d_]{3,9}[.\s-]+[0-9]{1,4}"
)
_MONTH_STARTS = (
    "jan feb mar mär mae mrz apr mai may jun jul aug sep okt oct nov dez dec fév avr jui aoû déc"
)
_MONTHS = "January February March April May June July August September October November December"
_NAMES_THE_SCALE = ("E10", "E13", "E16")  # refusals that tell what may be typed
_PARTS = {"": 0.0, "½": 0.5, "¼": 0.25, "¾": 0.75}


def trimmed(text: str) -> str:
    r"""A text without blanks at its ends, no-break and invisible ones included.

    >>> trimmed("\u00a04,5 \ufeff")
    '4,5'
    """
    return _EDGES.sub("", text)


def shown(state: int, number: float, text: str) -> str:
    """A cell as the person sees it, for messages."""
    kind = state & STATE_BITS
    if kind == NUMBER:
        return f"{number:.12g}"
    if kind == BOOL:
        return "TRUE" if number else "FALSE"
    return text


def rating(state: int, number: float, text: str, *, scale: float = 5) -> CellReading:
    """What a cell of ``My rating`` means.

    Args:
        state: of the cell, with FORMULA where one stands in it.
        number: of a NUMBER or BOOL cell.
        text: of a TEXT, DATE (year-month-day) or ERROR cell.
        scale: highest rating of the file: 5 stars, or 10 when declared for a foreign list.

    Returns:
        A reading whose ``rating`` is on the 0-10 scale, kept to 0.01 star.

    >>> rating(TEXT, math.nan, "★★★★½").rating
    9.0
    >>> rating(NUMBER, 7, "").code
    'E11'
    """
    reading = _reading(state, number, text, scale)
    if scale != ratings.HIGHEST_STARS and reading.code in _NAMES_THE_SCALE:
        return replace(reading, variant="ten")
    return reading


def _reading(state: int, number: float, text: str, scale: float) -> CellReading:
    kind, formula = state & STATE_BITS, bool(state & FORMULA)
    if kind == BLANK:
        return _refused("E15", "empty") if formula else EMPTY
    if kind == ERROR:
        return _error(text)
    if kind == NUMBER:
        reading = _of_number(number, shown(NUMBER, number, ""), scale)
    elif kind == DATE:
        return _refused("E14", value=date_shown(text))
    elif kind == BOOL:
        return _refused("E10", value=shown(BOOL, number, ""))
    else:
        reading = _of_text(trimmed(text), scale)
    if formula and reading.kind == "value":
        value = f"{ratings.to_stars(reading.rating):g}"
        return CellReading("value", reading.rating, code="W17", values={"value": value})
    if formula and reading.kind == "blank":
        return _refused("E15", "empty")
    return reading


def rating_column(
    states: NDArray[np.uint8], numbers: NDArray[np.float64], *, scale: float = 5
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The plain part of a rating column at once: blanks and numbers in range, no formulas.

    Args:
        states: shape (rows,).
        numbers: shape (rows,).
        scale: as in ``rating``.

    Returns:
        Ratings 0-10, NaN where blank or not plain, and where the cells are plain; the
        others want ``rating`` one by one.

    >>> rating_column(np.array([BLANK, NUMBER, NUMBER], np.uint8), np.array([np.nan, 4, 7]))
    (array([nan,  8., nan]), array([ True,  True, False]))
    """
    with np.errstate(invalid="ignore", over="ignore"):
        value = points_array(numbers * (5 / scale))
        in_range = (states == NUMBER) & (numbers <= scale + ABOVE) & (value > 0)
    values = np.where(in_range, np.minimum(value, ratings.HIGHEST), np.nan)
    return values, in_range | (states == BLANK)


def _refused(code: str, variant: str = "", **values: object) -> CellReading:
    return CellReading("refused", code=code, variant=variant, values=values)


def _error(text: str) -> CellReading:
    if not text:
        return _refused("E15", "empty")
    return _refused("E15", value=text)


def _of_number(number: float, said: str, scale: float, remark: bool = False) -> CellReading:
    if not math.isfinite(number):
        return _refused("E10", value=said)
    if number < 0:
        return _refused("E12", value=said)
    if number > scale + ABOVE:
        if scale != ratings.HIGHEST_STARS:
            return _refused("E11", "ten", value=said)
        if number > ratings.HIGHEST:
            return _refused("E11", "plain", value=said)
        return _refused("E11", value=said, half=f"{round(number / 2, 2):g}")
    value = min(ratings.from_stars(number * 5 / scale), ratings.HIGHEST)
    if value <= 0:
        return _refused("E13", value=said)
    if not remark:
        return CellReading("value", value)
    stars = f"{ratings.to_stars(value):g}"
    return CellReading("value", value, code="I19", values={"value": said, "stars": stars})


def _of_text(text: str, scale: float) -> CellReading:
    if not text:
        return EMPTY
    if text.casefold() == "clear":
        return CellReading("clear", word="CLEAR")
    if len(text) > 40:
        return _refused("E10", value=text)
    stars = _as_stars(text)
    if stars is not None:
        return _of_number(stars, text, 5, remark=True)
    plain = _NUMBER.fullmatch(text)
    if plain:
        number = _decimal(plain["number"])
        return _of_number(-number if plain["sign"] else number, text, scale, remark=True)
    if _ERRORS.fullmatch(text):
        return _refused("E15", value=text)
    if _is_date(text):
        return _refused("E14", value=text)
    if _GROUPED.fullmatch(text):
        return _refused("E16", value=text)
    return _refused("E10", value=text)


def _as_stars(text: str) -> float | None:
    """Forms that say themselves that they are stars, whatever the file's scale."""
    fraction = _FRACTION.fullmatch(text)
    if fraction:
        return float(fraction["whole"] or 0) + _PARTS[fraction["part"]]
    counted = _OF_FIVE.fullmatch(text) or _STARRED.fullmatch(text)
    if counted:
        return _decimal(counted["number"])
    drawn = _STARS.fullmatch(text.replace(" ", "").replace("\ufe0f", ""))
    if drawn and text:
        return len(drawn["full"]) + _PARTS[drawn["half"]]
    return None


def _decimal(digits: str) -> float:
    return float(digits.replace(",", "."))


def _is_date(text: str) -> bool:
    if not _DATES.fullmatch(text):
        return False
    letters = re.search(r"[^\W\d_]+", text)
    return letters is None or letters[0].casefold()[:3] in _MONTH_STARTS.split()


def date_shown(iso: str) -> str:
    """A date cell as the sentence quotes it.

    >>> date_shown("2026-05-04")
    '4 May'
    """
    try:
        day = datetime.date.fromisoformat(iso[:10])
    except ValueError:
        return iso
    return f"{day.day} {_MONTHS.split()[day.month - 1]}"


# ---------------------------------------------------------------- words


def action(state: int, number: float, text: str) -> CellReading:
    """What a cell of ``Action`` means; ``word`` is one of ``columns.ACTIONS``.

    >>> action(TEXT, math.nan, " accept ").word, action(TEXT, math.nan, "ACEPT").values["nearest"]
    ('ACCEPT', 'ACCEPT')
    """
    return _word(state, number, text, ACTIONS, "plain")


def take(state: int, number: float, text: str) -> CellReading:
    """What a cell of ``Action`` in a review workbook means; ``word`` is one of ``TAKES``."""
    return _word(state, number, text, TAKES, "plain")


def choice(state: int, number: float, text: str) -> CellReading:
    """What a cell of ``Choice`` means; ``word`` is the number of a candidate from 1.

    >>> choice(NUMBER, 2.0, "").word, choice(TEXT, math.nan, "b").code
    ('2', 'E20')
    """
    said = trimmed(shown(state, number, text))
    if state & STATE_BITS == ERROR:
        return _error(text)
    if not said:
        return EMPTY
    if said in CHOICES:
        return CellReading("value", word=said)
    return _refused("E20", "choice", value=said, most=CHOICES[-1])


def decision(state: int, number: float, text: str) -> CellReading:
    """What a cell of ``Decision`` means; ``word`` is one of ``columns.DECISIONS``."""
    return _word(state, number, text, DECISIONS, "decision")


def sub_group(state: int, number: float, text: str) -> CellReading:
    """What a cell of ``Sub-group`` means; ``word`` is one small letter."""
    said = trimmed(shown(state, number, text))
    if state & STATE_BITS == BLANK or not said:
        return _refused("E15", "empty") if state & FORMULA else EMPTY
    letter = said.casefold()
    if state & STATE_BITS == TEXT and re.fullmatch("[a-z]", letter):
        return CellReading("value", word=letter)
    return _refused("E20", "sub-group", value=said)


def _word(
    state: int, number: float, text: str, choices: tuple[str, ...], otherwise: str
) -> CellReading:
    if state & STATE_BITS == ERROR:
        return _error(text)
    said = trimmed(shown(state, number, text))
    if not said:
        return _refused("E15", "empty") if state & FORMULA else EMPTY
    word = said.upper()
    if word in choices and state & STATE_BITS == TEXT:
        return CellReading("value", word=word)
    near = get_close_matches(word[:40], choices, 1, 0.6)
    if near and otherwise == "plain":
        return _refused("E20", value=said, nearest=near[0])
    return _refused("E20", otherwise, value=said, choices=", ".join(choices))


# ---------------------------------------------------------------- years

FIRST_YEAR = 1000


def year(state: int, number: float, text: str, *, last: int) -> CellReading:
    """What a cell of ``Year`` means: ``word`` is ``1969`` or ``1969-09-26``.

    Args:
        state: of the cell.
        number: of a NUMBER cell.
        text: of a TEXT cell, or of a DATE cell as year-month-day: a full date typed into a
            spreadsheet program arrives as a date.
        last: highest year accepted: the next one.

    >>> year(NUMBER, 1969.0, "", last=2027).word, year(TEXT, 0, "19O9", last=2027).code
    ('1969', 'E30')
    """
    kind = state & STATE_BITS
    if kind == ERROR:
        return _error(text)
    if kind == NUMBER and math.isfinite(number) and number == int(number):
        said = str(int(number))
    else:
        said = trimmed(shown(state, number, text))
    if not said:
        return _refused("E15", "empty") if state & FORMULA else EMPTY
    full = said[:10] if kind == DATE else said
    if kind in (NUMBER, TEXT, DATE) and _is_year(full, last):
        return CellReading("value", word=full)
    return _refused("E30", value=said, last=last)


def _is_year(said: str, last: int) -> bool:
    if re.fullmatch("[0-9]{4}", said):
        return FIRST_YEAR <= int(said) <= last
    if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", said):
        return False
    try:
        return FIRST_YEAR <= datetime.date.fromisoformat(said).year <= last
    except ValueError:
        return False


# ---------------------------------------------------------------- keys

_WHOLE_KEY = re.compile("[0-9]{1,18}")
_TAILED_KEY = re.compile(r"([0-9]{1,18})[.,]0{1,2}")  # three zeros may be thousands


def key_of_text(text: str) -> int:
    """The rating key a text says; 0 for none, -1 where a spreadsheet program damaged it.

    >>> key_of_text(" 120034 "), key_of_text("120034.0"), key_of_text("1.2E+05"), key_of_text("")
    (120034, 120034, -1, 0)
    """
    said = trimmed(text)
    if not said:
        return 0
    if _WHOLE_KEY.fullmatch(said):
        return int(said) or -1
    tailed = _TAILED_KEY.fullmatch(said)
    if tailed:
        return int(tailed[1]) or -1
    return -1
