"""Titles and names brought to one form, many at a time (pure).

Two spellings of one name must compare equal ("Don’t Stop – 2011 Remaster" and
"Dont stop"), and a word of a settings list must be found as a whole word next to
any punctuation ("(live)", "demo_2").  A library has a million titles, so the texts
are joined line by line and every step runs over all of them at once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]

# Combining accents of Latin, Greek and Cyrillic.  Those of other scripts are letters
# of their own (か and が) and stay.
_ACCENTS = re.compile("[\u0300-\u036f]+")
_APOSTROPHES = "'’‘ʼʹ`´′"
_CONTROLS = "\t\r\f\v\x1c\x1d\x1e\x1f\x85"
_ASCII = "".join(map(chr, range(128)))

_YEAR = r"(?:19|20)\d\d"
# A note about the edition, not about the recording: every word is one of these and at
# least one says so by itself ("version" and "edition" alone do not).
_TELLING = r"remaster(?:ed)?|deluxe|expanded|anniversary|bonus track|album version|explicit"
# Only lines with one of these can hold a note.
_HINTS = (
    *("remaster", "deluxe", "expanded", "anniversary", "bonus track", "album version"),
    *("explicit", "feat", "ft.", "ft "),
)
_WORD = (
    rf"{_YEAR}|\d+(?:st|nd|rd|th)|digital(?:ly)?|remaster(?:ed)?|version|edition|deluxe|expanded"
    r"|special|anniversary|bonus|track|album|explicit|the"
)
_NOTE = (
    rf"(?=[^()\[\]{{}}\n]*\b(?:{_TELLING})\b)"
    rf"(?:{_WORD})(?:[ /,.:;'’-]+(?:{_WORD}))*"
)
_EDITION_DASHED = re.compile(rf" +[-‐‑–—/] *{_NOTE}[ .]*$", re.MULTILINE)
_EDITION_BRACKETED = re.compile(rf" *[(\[{{] *{_NOTE} *[)\]}}]")
_GUEST_BRACKETED = re.compile(r" *[(\[{] *(?:feat\.?|ft\.?|featuring) +[^()\[\]{}\n]*[)\]}]")
_GUEST_BARE = re.compile(r"(?<=[^ \n(\[{]) +(?:feat\.?|ft\.|featuring) +[^()\[\]{}\n]*")
_PARENTHESISED = re.compile(r"[(\[{] *[^ ()\[\]{}\n]")


def joined(texts: Iterable[str]) -> str:
    """Texts as the lines of one text; line breaks and tabs inside become spaces."""
    lines = list(texts)
    text = "\n".join(lines)
    if text.count("\n") != max(len(lines) - 1, 0):
        text = "\n".join(line.replace("\n", " ") for line in lines)
    for control in _CONTROLS:
        text = text.replace(control, " ")
    return text


def folded(text: str) -> str:
    """Case, accents and width of letters removed, line by line.

    >>> folded("Björk ＡＢＢＡ Straße")
    'bjork abba strasse'
    """
    if text.isascii():
        return text.lower()
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFC", plain).casefold()


def words_only(text: str, *, apostrophes: str = " ") -> str:
    """Punctuation and symbols as spaces, spaces single, none at the ends of a line.

    Args:
        text: lines.
        apostrophes: what an apostrophe becomes: ``""`` joins (don't: dont), ``" "`` parts.

    >>> words_only("Rock & Roll!", apostrophes="")
    'Rock and Roll'
    """
    seen = _ASCII if text.isascii() else set(text)
    signs: dict[str, str | int | None] = {
        c: " " for c in seen if unicodedata.category(c)[0] in "PSZC" and c != "\n"
    }
    signs |= dict.fromkeys(_APOSTROPHES, apostrophes) | {"&": " and "}
    spaced = text.translate(str.maketrans(signs))
    while "  " in spaced:
        spaced = spaced.replace("  ", " ")
    return spaced.replace(" \n", "\n").replace("\n ", "\n").strip(" ")


def without_notes(text: str) -> str:
    """Lines without remarks on the edition and on guests; an empty line keeps its own text.

    >>> without_notes("one of us - 2011 remaster")
    'one of us'
    >>> without_notes("song (feat. her) [remastered 2009]")
    'song'
    >>> without_notes("song (radio edit)")
    'song (radio edit)'
    """
    lines = text.split("\n")
    rows = np.flatnonzero(_lines_of(text, _places(text, _HINTS)))
    noted = "\n".join(lines[row] for row in rows)
    bare = noted
    for note in (_EDITION_DASHED, _EDITION_BRACKETED, _GUEST_BRACKETED, _GUEST_BARE):
        bare = note.sub("", bare)
    bare = _or_else(_EDITION_DASHED.sub("", bare), noted)
    for row, line in zip(rows, bare.split("\n"), strict=False):
        lines[row] = line
    return "\n".join(lines)


def _or_else(text: str, otherwise: str) -> str:
    """``text`` with its blank lines taken from ``otherwise``."""
    lines = text.split("\n")
    if all(lines):
        return text
    others = otherwise.split("\n")
    return "\n".join(a if a.strip() else b for a, b in zip(lines, others, strict=True))


def normalised(texts: Sequence[str]) -> tuple[list[str], Bools]:
    """One form of each title, and whether a part of it stands in brackets.

    Args:
        texts: titles as tagged.

    Returns:
        Titles folded, without punctuation, edition and guests (a title of signs alone
        keeps its signs), and shape (texts,), true where a bracketed part that is neither
        of these is left: "(radio edit)", "(Part 2)".
    """
    plain = np.full(len(texts), "", dtype=object)
    bracketed = np.zeros(len(texts), dtype=bool)
    for rows, text in _joined_apart(texts):
        bare = without_notes(folded(text))
        plain[rows] = _or_else(words_only(bare, apostrophes=""), bare).split("\n")
        bracketed[rows] = _lines_of(bare, [m.start() for m in _PARENTHESISED.finditer(bare)])
    return plain.tolist(), bracketed


def has_word(texts: Sequence[str], words: Sequence[str], *, case: bool = False) -> list[Bools]:
    """Which texts hold which word, as a whole word next to any punctuation.

    Args:
        texts: titles.
        words: what to look for; a phrase matches whatever punctuation its words stand in.
        case: whether capitals matter.  Accents never do unless they do.

    Returns:
        For each word, shape (texts,).

    >>> [w.tolist() for w in has_word(["Alive", "Song_(LIVE!)"], ["live"])]
    [[False, True]]
    """
    found = [np.zeros(len(texts), dtype=bool) for _ in words]
    wanted = [words_only(joined([word]) if case else folded(joined([word]))) for word in words]
    for rows, text in _joined_apart(texts):
        plain = words_only(text if case else folded(text))
        for word, holding in zip(wanted, found, strict=True):
            holding[rows] = _lines_of(plain, _whole(plain, word))
    return found


def _joined_apart(texts: Sequence[str]) -> Iterator[tuple[NDArray[np.intp], str]]:
    """Texts of ASCII and others, joined apart: Python folds the former many times faster."""
    plain = np.array([text.isascii() for text in texts], dtype=bool)
    for rows in (np.flatnonzero(plain), np.flatnonzero(~plain)):
        if len(rows):
            yield rows, joined(texts[row] for row in rows.tolist())


def _places(text: str, fragments: Iterable[str]) -> list[int]:
    """Where fragments stand, anywhere."""
    places: list[int] = []
    for fragment in fragments:
        place = text.find(fragment) if fragment else -1
        while place >= 0:
            places.append(place)
            place = text.find(fragment, place + 1)
    return places


def _whole(text: str, word: str) -> list[int]:
    """Where a word stands between spaces, line breaks or the ends of the text."""
    ends = " \n"
    return [
        place
        for place in _places(text, [word])
        if (place == 0 or text[place - 1] in ends)
        and text[place + len(word) : place + len(word) + 1] in ends
    ]


def _lines_of(text: str, places: list[int]) -> Bools:
    """Which lines hold one of the places; shape (lines,)."""
    found = np.zeros(text.count("\n") + 1, dtype=bool)
    if places:
        breaks = np.array([m.start() for m in re.finditer("\n", text)], dtype=np.int64)
        found[np.searchsorted(breaks, np.array(places))] = True
    return found
