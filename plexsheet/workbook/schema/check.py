"""Proof that a Key belongs to the row it stands in, and the text both sides compare (pure).

Every row carries a ``Check``: forty bits over its rating key and the titles beside
it, shown as eight characters.  After a sort of some columns only, key and titles no
longer belong together, and the number says so without asking Plex.

Spreadsheet programs change text in small ways (line ends, control characters, runs
of blanks), so the number is taken over ``normal_text``, in which those do not show.
The alphabet has neither ``e`` nor the vowels of month names: no program that types a
CSV again can read a Check as a power of ten or a date.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from plexsheet.library import Kind

CELL_LIMIT = 32_767  # UTF-16 units a cell can hold
# An underscore that readers would take for the beginning of a character's number.
LIKE_AN_ESCAPE = re.compile("_(?=x[0-9a-fA-F]{4}_)")
ALPHABET = "0123456789bcdfghijklmnpqrstvwxyz"
CHECK_CHARS = 8
CHECK_BITS = 5 * CHECK_CHARS

# Not in any cell: control characters (blanks among them become spaces), what UTF-16
# cannot hold, and the two code points XML forbids.
_DROPPED: dict[int, str | None] = dict.fromkeys(
    [*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF]
)
_FOR_CELL = _DROPPED | {0x09: " ", 0x0A: "\n"}
_FOR_COMPARING = _DROPPED | {0x09: " ", 0x0A: " ", 0x0D: " "}


def cell_text(text: str) -> str:
    r"""The text as a cell can hold it: no control characters, at most 32,767 UTF-16 units.

    Line ends become ``\n`` and tabs a space: an .ods file loses tabs.

    >>> cell_text("a\x01b\r\nc\td")
    'ab\nc d'
    """
    if len(text) * 2 <= CELL_LIMIT and text.isprintable():
        return text
    clean = text.replace("\r\n", "\n").replace("\r", "\n").translate(_FOR_CELL)
    return cut(clean)


def cut(text: str, limit: int = CELL_LIMIT) -> str:
    """At most ``limit`` UTF-16 units of a text, never half of a character.

    >>> cut("a🎵b", 2)
    'a'
    """
    if len(text) * 2 <= limit:
        return text
    units = text.encode("utf-16-le", "surrogatepass")
    return units[: 2 * limit].decode("utf-16-le", "ignore")


def normal_text(text: str) -> str:
    r"""The text as compared: NFC, control characters gone, runs of blanks one space.

    >>> normal_text("  Cafe\u0301\r\n  noir\x07 ")
    'Café noir'
    """
    if not text.isascii() or not text.isprintable() or len(text) * 2 > CELL_LIMIT:
        text = unicodedata.normalize(
            "NFC", cut(text.replace("\r\n", "\n").translate(_FOR_COMPARING))
        )
    return " ".join(text.split())


def check_number(kind: Kind, key: int, title: str, artist: str = "", album: str = "") -> int:
    """The Check of one row as a number, 0 to 2**40 - 1.

    Args:
        kind: an artist's row, an album's or a track's (a Twins row is a track's).
        key: rating key.
        title: title of the item, as stored or as read back from a cell.
        artist: title of the album artist; ``""`` for an artist.
        album: title of the album; tracks only.
    """
    return _number(kind, key, normal_text(title), normal_text(artist), normal_text(album))


def check_numbers(
    kind: Kind,
    keys: Iterable[int],
    titles: Sequence[str],
    artists: Sequence[str] | None = None,
    albums: Sequence[str] | None = None,
) -> NDArray[np.int64]:
    """``check_number`` of many rows, shape (rows,).

    >>> check_numbers("artist", [7], ["Nina"])[0] == check_number("artist", 7, "Nina")
    np.True_
    """
    names: dict[str, str] = {"": ""}  # artists and albums repeat from row to row
    blank = [""] * len(titles)
    normal = [
        [
            names[text] if text in names else names.setdefault(text, normal_text(text))
            for text in texts
        ]
        for texts in (blank if artists is None else artists, blank if albums is None else albums)
    ]
    rows = zip(keys, map(normal_text, titles), *normal, strict=True)
    return np.fromiter(
        (_number(kind, key, title, artist, album) for key, title, artist, album in rows),
        dtype=np.int64,
        count=len(titles),
    )


def _number(kind: Kind, key: int, title: str, artist: str, album: str) -> int:
    content = f"{kind}\n{key}\n{title}\n{artist}\n{album}".encode()
    return int.from_bytes(blake2b(content, digest_size=CHECK_BITS // 8).digest(), "big")


def check_texts(numbers: NDArray[np.int64]) -> NDArray[np.object_]:
    """The eight characters of each Check number, shape (rows,).

    >>> check_texts(np.array([0, 2**40 - 1]))
    array(['00000000', 'zzzzzzzz'], dtype=object)
    """
    shifts = 5 * np.arange(CHECK_CHARS - 1, -1, -1)
    digits = (numbers[:, None] >> shifts) & 31
    letters = np.array(list(ALPHABET))[digits]
    return np.ascontiguousarray(letters).view(f"<U{CHECK_CHARS}").ravel().astype(object)


def check_of_text(text: str) -> int | None:
    """The Check number of its characters as a cell gave them back; None where it is no Check.

    Leading zeros may be missing: a CSV opened in a spreadsheet program loses them.

    >>> check_of_text(" ZZZZZZZZ "), check_of_text("12"), check_of_text("hello")
    (1099511627775, 34, None)
    """
    letters = text.strip().lower()
    if not 0 < len(letters) <= CHECK_CHARS or any(letter not in ALPHABET for letter in letters):
        return None
    number = 0
    for letter in letters:
        number = number * 32 + ALPHABET.index(letter)
    return number
