"""What a row's edit will do, said live in the cell and by the program in the same words (pure).

Formulas look at their own row only: sorting moves a row as a whole, and a reference to
another row would then point to a stranger.  They use functions that Excel and
LibreOffice both keep when they save.  Each formula has its twin in Python, which gives
the value a file holds before any program has calculated it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from plexsheet.workbook.schema.columns import ACTIONS, DECISIONS

Cells = Mapping[str, str]  # column name to the address of its cell in one row, such as I2

# What a rating typed as text may begin with; validation and the import look closer.
_BEGINS_A_RATING = "012345.,★½"


def text_of(number: Any) -> str:
    """A number as a formula joins it to text: to 0.01, without idle zeros.

    >>> text_of(4.0), text_of(3.675)
    ('4', '3.68')
    """
    return f"{math.floor(number * 100 + 0.5 + 1e-9) / 100:g}"


def rating_refused(rating: str) -> str:
    """Condition: what stands in a rating cell is no rating."""
    number = f"AND(ISNUMBER({rating}),OR({rating}<=0,{rating}>5))"
    text = f"AND(ISTEXT({rating}),NOT({_text_may_be_rating(rating)}))"
    return f"IF(ISERROR({rating}),TRUE,OR(ISLOGICAL({rating}),{number},{text}))"


def rating_allowed(rating: str) -> str:
    """Condition for validation: a number above 0 up to 5, CLEAR, or a rating typed as text."""
    number = f"AND(ISNUMBER({rating}),{rating}>0,{rating}<=5)"
    return f"OR({number},AND(ISTEXT({rating}),{_text_may_be_rating(rating)}))"


def _text_may_be_rating(rating: str) -> str:
    begins = f'ISNUMBER(FIND(LEFT(TRIM({rating}),1),"{_BEGINS_A_RATING}"))'
    return f'OR(TRIM({rating})="CLEAR",{begins})'


def emptied(cell: str, was: str) -> str:
    """Condition: a value was deleted."""
    return f'AND({cell}="",{was}<>"")'


def edited(cell: str, was: str) -> str:
    """Condition: a cell is not what it was.  Compared as text: to a formula, 0 is a blank."""
    return f'{cell}&""<>{was}&""'


def word_refused(cell: str, words: tuple[str, ...]) -> str:
    """Condition: a cell is neither blank nor one of the words."""
    return f'AND({cell}<>"",ISERROR(FIND("|"&UPPER(TRIM({cell}))&"|","|{"|".join(words)}|")))'


def action_refused(action: str, words: tuple[str, ...] = ACTIONS) -> str:
    """Condition: what stands in an action cell is no action."""
    return word_refused(action, words)


def decision_refused(decision: str) -> str:
    """Condition: what stands in a decision cell is no decision."""
    return word_refused(decision, DECISIONS)


def year_refused(year: str, next_year: int) -> str:
    """Condition: a number that is neither a year nor a date, or text too short for a date."""
    number = f"AND(ISNUMBER({year}),OR({year}<1000,AND({year}>{next_year},{year}<7000)))"
    return f"OR({number},AND(ISTEXT({year}),LEN(TRIM({year}))<>4,LEN(TRIM({year}))<>10))"


def year_allowed(year: str, next_year: int) -> str:
    """Condition for validation: the opposite of ``year_refused``."""
    return f"NOT({year_refused(year, next_year)})"


OPENS = "▶"  # what a cell of Open shows


def opening(address: str, key: float) -> str | None:
    """The formula that opens an item's page in Plex; None without address or key.

    A formula, since a sheet holds 65,530 links of the other kind at most.

    >>> opening("https://plex/", 12.0)
    '=HYPERLINK("https://plex/12","▶")'
    """
    if not address or not key > 0:
        return None
    return f'=HYPERLINK("{address}{key:.0f}","{OPENS}")'


def will_do(cells: Cells) -> str:
    """The formula of a Will do cell.

    Args:
        cells: addresses in the same row of my_rating, was, action, inferred and, on a sheet
            with years, year and year_was.
    """
    said = _action_words(cells)
    if "year" in cells:
        year, was = cells["year"], cells["year_was"]
        new = f'"year "&{year}&IF({was}="",""," (was "&{was}&")")&". "'
        changed = f'IF({year}="","year is kept. ",{new})'
        said = f'TRIM(IF({year}&""={was}&"","",{changed})&{said})'
    return f'=IFERROR({said},"this is not a rating")'


def will_take(cells: Cells) -> str:
    """The formula of a Will do cell in a review workbook.

    Args:
        cells: addresses in the same row of my_rating, action and choice.
    """
    rating, action, choice = cells["my_rating"], cells["action"], cells["choice"]
    which = f'IF({choice}="",""," (candidate "&{choice}&")")'
    takes = f'OR(TRIM({action})="TAKE",TRIM({action})="MINE",{choice}<>"")'
    leaves = f'OR(TRIM({action})="SKIP",TRIM({action})="PLEX")'
    words = f'IF({leaves},"",IF({takes},"rate "&{rating}&{which},""))'
    return f'=IFERROR({words},"this is not a rating")'


def will_take_text(row: Mapping[str, Any]) -> str:
    """What ``will_take`` shows for a row's values.

    >>> will_take_text({"my_rating": 4.5, "action": "", "choice": "2"})
    'rate 4.5 (candidate 2)'
    """
    action, choice = _said(row.get("action")).strip().upper(), _said(row.get("choice"))
    if action in ("SKIP", "PLEX") or not (action in ("TAKE", "MINE") or choice):
        return ""
    return f"rate {_said(row.get('my_rating'))}{f' (candidate {choice})' if choice else ''}"


def _rating_words(cells: Cells) -> str:
    rating, was = cells["my_rating"], cells["was"]
    number = (
        f'IF({rating}>5,{rating}&" is more than 5",'
        f'IF({rating}<=0,{rating}&" is not a rating: type CLEAR to remove it",'
        f'"rate "&ROUND({rating},2)&{_had(was)}))'
    )
    no_rating = f"OR(ISLOGICAL({rating}),NOT({_text_may_be_rating(rating)}))"
    text = (
        f'IF(OR({rating}="",TRIM({rating})="CLEAR"),"remove"&{_had(was)},'
        f'IF({no_rating},TRIM({rating})&" is not a rating",'
        f'"rate "&TRIM({rating})&{_had(was)}))'
    )
    a_number = f"AND(ISNUMBER({rating}),NOT(ISLOGICAL({rating})))"
    return f'IF({rating}&""={was}&"","",IF({a_number},{number},{text}))'


def _had(was: str) -> str:
    return f'IF({was}="",""," (was "&{was}&")")'


def _action_words(cells: Cells) -> str:
    action, rating, was = cells["action"], cells["my_rating"], cells["was"]
    inferred = cells["inferred"]
    typed = f'AND({rating}<>"",{rating}&""<>{was}&"")'
    also = f'&IF({typed},"; rate "&TRIM({rating}),"")'
    words = {
        "ACCEPT": f'IF({inferred}="","no inferred value to accept","accept "&ROUND({inferred},2))',
        "CLEAR": f'"remove"&{_had(was)}',
        "EXCLUDE": f'"leave out of inference"{also}',
        "INCLUDE": f'"infer again"{also}',
        "MINE": '"keep yours"',
        "PLEX": '"keep what Plex has"',
    }
    for word in ("ACCEPT", "CLEAR"):
        words[word] = f'IF({typed},"{word} and a rating contradict each other",{words[word]})'
    known = ",".join(f'"{word}"' for word in words)
    chosen = f"CHOOSE(MATCH(TRIM({action}),{{{known}}},0),{','.join(words.values())})"
    unknown = f'TRIM({action})&" is not an action"'
    return f'IF({action}="",{_rating_words(cells)},IFERROR({chosen},{unknown}))'


def will_do_text(row: Mapping[str, Any]) -> str:
    """What ``will_do`` shows for a row's values: numbers, texts, ``None`` or ``""`` blank.

    >>> will_do_text({"my_rating": 4.5, "was": 3.0, "action": "", "inferred": 3.8})
    'rate 4.5 (was 3)'
    """
    year, was = _said(row.get("year")), _said(row.get("year_was"))
    said = _action_text(row)
    if year.lower() == was.lower():
        return said
    new = f"year {year}{f' (was {was})' if was else ''}" if year else "year is kept"
    return f"{new}. {said}".strip()


def _action_text(row: Mapping[str, Any]) -> str:
    rating, was = row.get("my_rating"), _said(row.get("was"))
    action = _said(row.get("action")).strip().upper()
    said, had = _said(rating), f" (was {was})" if was else ""
    typed = said != "" and said.lower() != was.lower()
    also = f"; rate {_trimmed(said)}" if typed else ""
    if action == "":
        return "" if said.lower() == was.lower() else _rating_text(rating, had)
    if action in ("ACCEPT", "CLEAR") and typed:
        return f"{action} and a rating contradict each other"
    if action == "ACCEPT":
        inferred = row.get("inferred")
        return f"accept {text_of(inferred)}" if _said(inferred) else "no inferred value to accept"
    words = {
        "CLEAR": f"remove{had}",
        "EXCLUDE": f"leave out of inference{also}",
        "INCLUDE": f"infer again{also}",
        "MINE": "keep yours",
        "PLEX": "keep what Plex has",
    }
    return words.get(action, f"{_said(row.get('action')).strip()} is not an action")


def _rating_text(rating: Any, had: str) -> str:
    said = _said(rating)
    if isinstance(rating, (int, float)) and not isinstance(rating, bool) and said:
        if rating > 5:
            return f"{said} is more than 5"
        if rating <= 0:
            return f"{said} is not a rating: type CLEAR to remove it"
        return f"rate {text_of(rating)}{had}"
    if said == "" or said.strip().upper() == "CLEAR":
        return f"remove{had}"
    if isinstance(rating, bool) or said.strip()[:1] not in _BEGINS_A_RATING:
        return f"{_trimmed(said)} is not a rating"
    return f"rate {_trimmed(said)}{had}"


def _trimmed(text: str) -> str:
    """The text without needless spaces, as TRIM leaves it."""
    return " ".join(filter(None, text.split(" ")))


def _said(value: Any) -> str:
    """A value as a formula joins it to text, ``""`` for a blank."""
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return f"{value:.15g}" if isinstance(value, (int, float)) else str(value)
