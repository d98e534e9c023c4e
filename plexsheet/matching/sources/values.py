"""Cells of foreign lists into numbers: lengths, dates, ratings (pure)."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

from plexsheet.ratings import HIGHEST, UNRATED

_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,3}):(\d\d)(?:[.,]\d+)?")
_OF = re.compile(r"(\d+(?:[.,]\d+)?)\s*/\s*(5|10|100)")
_PERCENT = re.compile(r"(\d+(?:[.,]\d+)?)\s*%")
_STARS = re.compile(r"[★⭐✭*]+[½]?|½|[★⭐✭]+[☆✩]*")
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")
_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d %b %Y, %H:%M", "%d %b %Y %H:%M")


class NotARating(ValueError):
    """A cell that is no rating; says why."""


class ScaleUnknown(ValueError):
    """A plain number whose highest possible value nobody said."""


def whole(text: object) -> int:
    """A count or number, 0 where there is none; of ``3/12`` and ``3 of 12`` the first.

    >>> whole("03/12"), whole(7.0), whole("x")
    (3, 7, 0)
    """
    if isinstance(text, float):
        return int(text) if math.isfinite(text) and text > 0 else 0
    found = re.match(r"\s*\+?(\d{1,12})", str(text or ""))
    return int(found[1]) if found else 0


def year_of(text: object) -> int:
    """The year in a year or a date, 0 unknown.

    >>> year_of("1969-09-26"), year_of("26.9.1969"), year_of(12)
    (1969, 1969, 0)
    """
    found = re.search(r"(?<!\d)(1[0-9]{3}|2[0-9]{3})(?!\d)", str(text or ""))
    return int(found[1]) if found else 0


def length_ms(text: object, unit: str = "") -> int:
    """A length in milliseconds, 0 unknown.

    Args:
        text: ``m:ss``, ``h:mm:ss``, or a number.
        unit: of a plain number: ``ms``, ``s``, ``ns``, or ``""`` to take 36,000 and more for
            milliseconds: nobody lists songs of ten hours.

    >>> length_ms("4:05"), length_ms("1:02:03"), length_ms("245"), length_ms(245000)
    (245000, 3723000, 245000, 245000)
    """
    if isinstance(text, str):
        clock = _CLOCK.fullmatch(text.strip())
        if clock:
            hours, minutes, seconds = (int(part or 0) for part in clock.groups())
            return ((hours * 60 + minutes) * 60 + seconds) * 1000
        plain = text.strip().replace(",", ".")
        try:
            value = float(plain)
        except ValueError:
            return 0
    else:
        value = float(text) if isinstance(text, int | float) else 0.0
    if not math.isfinite(value) or value <= 0:
        return 0
    if unit == "ns":
        return int(value / 1_000_000)
    return int(value if unit == "ms" or (not unit and value >= 36_000) else value * 1000)


def points(value: float, scale: int) -> float:
    """A rating 0-10 from a number on a scale; NaN for 0, which other players call unrated.

    Raises:
        NotARating: below 0, or above the scale.

    >>> points(4.5, 5), points(70, 100), points(204, 255)
    (9.0, 7.0, 8.0)
    """
    if value == 0:
        return UNRATED
    if value < 0:
        raise NotARating(f"{value:g} is not a rating")
    if value > scale:
        raise NotARating(f"{value:g} is more than {scale}")
    return max(round(value * HIGHEST / scale, 2), 0.02)


def rating(cell: object, scale: int) -> float:
    """A rating cell 0-10, NaN for none.

    Args:
        cell: a number or text; ``4/5``, ``80 %`` and ``★★★★`` say their own scale.
        scale: of a plain number, 0 where nobody said.

    Raises:
        NotARating: text that is no rating, or a number off the scale.
        ScaleUnknown: a plain number above 0 without a scale.

    >>> rating("★★★★½", 0), rating("80 %", 0), rating("4,5", 5)
    (9.0, 8.0, 9.0)
    """
    if isinstance(cell, bool):
        raise NotARating(f"“{cell}” is not a rating")
    if isinstance(cell, int | float):
        return _plain(float(cell), scale)
    text = str(cell or "").strip().replace("\u00a0", " ")
    if not text or set(text) <= set("☆✩-– "):
        return UNRATED
    found = _OF.fullmatch(text)
    if found:
        return points(_float(found[1]), int(found[2]))
    found = _PERCENT.fullmatch(text)
    if found:
        return points(_float(found[1]), 100)
    if _STARS.fullmatch(text):
        filled = sum(text.count(sign) for sign in "★⭐✭*")
        return points(filled + 0.5 * text.count("½"), 5)
    if _NUMBER.fullmatch(text):
        return _plain(_float(text), scale)
    raise NotARating(f"“{text[:40]}” is not a rating")


def _plain(value: float, scale: int) -> float:
    if not math.isfinite(value) or value == 0:
        return UNRATED
    if not scale:
        raise ScaleUnknown(f"{value:g}")
    return points(value, scale)


def _float(text: str) -> float:
    return float(text.replace(",", "."))


def epoch(text: object) -> int:
    """Epoch seconds of a date as lists write it, taken for UTC where it names no zone; else 0.

    >>> epoch("2012-03-04T05:06:07Z"), epoch("2012/3/4"), epoch(1330837567), epoch("never")
    (1330837567, 1330819200, 1330837567, 0)
    """
    if isinstance(text, int | float):
        return int(text) if math.isfinite(text) and 0 < text < 1e11 else 0
    said = str(text or "").strip()
    if said.isdigit():
        return int(said) if 86_400 < int(said) < 100_000_000_000 else 0
    found: datetime | None = None
    try:
        found = datetime.fromisoformat(said)
    except ValueError:
        for form in _DATES:
            try:
                found = datetime.strptime(said, form).replace(tzinfo=UTC)
                break
            except ValueError:
                continue
    if found is None:
        return 0
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    return max(int(aware.timestamp()), 0)


def decoded_path(address: str) -> str:
    r"""The path of a file that is given as a path or as an address.

    >>> decoded_path("file://localhost/C:/Music/A%20b.mp3"), decoded_path("C:\\M\\a%20.mp3")
    ('C:/Music/A b.mp3', 'C:/M/a%20.mp3')
    """
    if address.lower().startswith("file:"):
        path = unquote(urlsplit(address.replace("#", "%23").replace("?", "%3F")).path)
        return path[1:] if re.match(r"/[A-Za-z]:/", path) else path
    return address.replace("\\", "/")
