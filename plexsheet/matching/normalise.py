"""Titles, artists and albums brought to the form in which lists and library are compared (pure).

Players spell one song in many ways: "Don’t Stop – 2011 Remaster", "04 - Dont Stop", "Don't Stop
(feat. Somebody)".  What only speaks of the edition or the file is dropped; what makes another
recording of it (live, remix, a number) stays.  Whole columns are folded at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from plexsheet.inference.titles import folded, joined, words_only

Made = TypeVar("Made")

_YEAR = r"(?:19|20)\d\d"
# Every word of a note is one of these, and at least one says by itself that it is a note.
_TELLING = (
    r"remaster(?:ed|izado|isé)?|deluxe|expanded|anniversary|bonus|album version|lp version"
    r"|album mix|original (?:mix|version|album version)|explicit|official|lyrics?|stereo|hq|hd"
    r"|collector'?s|special edition|limited|reissue|re-?issue|edition|soundtrack|ost|remastering"
    r"|edición|édition|ausgabe"
)
_WORD = (
    rf"{_YEAR}|\d+(?:st|nd|rd|th)|digital(?:ly)?|remaster(?:ed|izado|isé|ing)?|versions?|edition"
    r"|deluxe|super|expanded|special|anniversary|bonus|tracks?|album|lp|explicit|the|official"
    r"|music|video|audio|lyrics?|stereo|hq|hd|original|mix|collector'?s|limited|re-?issue|reissue"
    r"|motion|picture|soundtrack|ost|score|disc|cd|dvd|international|japan(?:ese)?|uk|us|eu"
    r"|edición|édition|ausgabe|of|from|in|and|content|material|target|exclusive|itunes|complete"
)
_NOTE = rf"(?=[^()\[\]{{}}]*\b(?:{_TELLING})\b)(?:{_WORD})(?:[ /,.:;'’&+-]+(?:{_WORD}))*"
_NOTE_BRACKETED = re.compile(rf" *[(\[{{<] *{_NOTE} *[)\]}}>]")
_NOTE_DASHED = re.compile(rf" +[-‐‑–—/:] *{_NOTE}[ .]*$")
_GUEST = r"(?:feat|ft|featuring|prod|produced by)\b\.?"
_GUEST_BRACKETED = re.compile(rf" *[(\[{{] *(?:{_GUEST}|with|w/) +[^()\[\]{{}}]*[)\]}}]")
# A guest without brackets, up to a dash, a bracket, or what numbers the song.
_GUEST_BARE = re.compile(
    r"(?<=\S) +(?:feat\.?|ft\.|featuring|ft) +[^()\[\]{}]*?"
    r"(?= +[-–—] +|[(\[{]| +(?:part|pt|vol)\b| +\d+$|$)"
)
_FROM = re.compile(r" *[(\[{] *from +[\"“'].*?[\"”'][^()\[\]{}]*[)\]}]")
# Without one of these there is nothing to leave out.
_HINTS = re.compile(
    rf"[(\[{{ ](?:feat|ft|featuring)\b|\bwith |\bw/|\bprod|\blive\b|unplugged|concert|\bvivo\b"
    rf"|directo|[(\[{{] *from\b|\b(?:{_TELLING})\b"
)
_FRAGMENTS = re.compile(
    "feat|ft[ .]|with |w/|prod|live|from|remaster|deluxe|expanded|anniversary|bonus|version|mix"
    "|explicit|official|lyric|stereo|h[dq]|collector|special|limited|issue|edition|soundtrack"
    "|ost|ausgabe|unplugged|concert|vivo|directo|edici|édition"
)
_BREAKS = re.compile("\n")
_GUEST_HINTS = frozenset({"feat", "ft", "featuring", "with", "w/", "prod"})
_LIVE_ELSE = re.compile(r"unplugged|in concert|en concert|\bvivo\b|directo")
_LIVE_PART = re.compile(
    r"^(?:recorded +)?live\b|\blive$|\blive (?:at|in|from|on|version|session|recording)\b"
    r"|^unplugged\b|\bin concert\b|^(?:en|en concert|in) (?:vivo|directo)\b|^en concert\b"
)
_BRACKET = re.compile(r" *[(\[{]([^()\[\]{}]*)[)\]}]")
_DASHED = re.compile(r" +[-‐‑–—] +([^-‐‑–—]*)$")
_LIVE_ALBUM = re.compile(
    r"^live$|\blive (?:at|in|from|on)\b|\blive\W*$|[(\[{] *live\b|^live\W|\bunplugged\b"
    r"|\bin concert\b|\blive (?:19|20)\d\d|\bconcert\b"
)
_NOT_LIVE_ALBUM = re.compile(
    r"^live (?:through|and|your|free|it|by|for|to)\b|\b(?:to|we|long|i) live\W*$"
)
_LEAD = re.compile(
    r"^(?:(\d{1,2})-)?(\d{1,3})(?: *[-–.)_:] +| +[-–] *|\.(?=[^\d\W]))(?=\S)|^(0\d) +(?=\S)"
)
_DISC = re.compile(
    r" *[(\[{] *(?:disc|disk|cd|dvd|lp|vinyl|side)[ .#:-]*(?:\d+|one|two|three|four|[a-d])\b"
    r"[^()\[\]{}]*[)\]}]"
    r"|[ ,:–—-]+(?:disc|disk|cd)[ .#]*(?:\d+|one|two|three|four)(?: *(?:of|/) *\d+)?$"
)
_AFTER_ARTIST = re.compile("[-–—:]")
_ASIDES = re.compile(r"[(\[{<–—/:-]")
_KIND = re.compile(r" +[-–—] +(?:ep|single)$| *[(\[{] *(?:ep|single) *[)\]}]$")
_YEAR_ALONE = re.compile(rf" *[(\[{{] *{_YEAR} *[)\]}}]")
_PARTS = re.compile(
    r" *(?:;|/| (?:feat|ft|featuring)\b\.?| vs\b\.?| versus | x | × | with | w/ | and | & | \+ "
    r"|,|&|\+) *"
)
_GUESTS_OF = re.compile(r"[ (\[]+(?:feat|ft|featuring)\b\.? .*$")
_UNKNOWN = frozenset(
    """unknown; unknown artist; unknown album; unknown cd; unbekannt; unbekannter interpret
    unbekannter kunstler; unbekanntes album; various; various artists; various artist
    verschiedene; verschiedene interpreten; diverse; diverse interpreten; va; v a; aa vv
    artistes divers; artistes varies; artiste inconnu; varios artistas; artisti vari
    artista sconosciuto; artista desconocido; diverse artiesten; no artist; no album; none
    untitled album; non album; n a; artist; ukjent artist; okand artist; неизвестныи исполнитель
    不明なアーティスト""".replace("\n    ", "; ").split("; ")
) | {""}
_ROMAN = {
    "ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9",
    "xi": "11", "xii": "12",
}  # fmt: skip
_COUNTED = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "i": "1",
            "v": "5", "x": "10"}  # fmt: skip
_DIGIT = re.compile(r"\d")
_COUNTERS = frozenset(
    ["part", "volume", "act", "chapter", "movement", "book", "side", "no", "number"]
)
_ALIKE = {"pt": "part", "pts": "part", "vol": "volume", "n": "and", "nr": "no", "ch": "chapter"}
_RESPELT = _ROMAN | _ALIKE
_RESPELLED = frozenset(_RESPELT)
# Words that make another recording of a song; where only one side has one, it is another.
VERSION_WORDS = frozenset(
    """live remix mix edit acoustic demo instrumental karaoke version radio extended dub club
    unplugged reprise orchestral session sessions cover acapella cappella capella bootleg mashup
    medley interlude intro outro alternate alternative take rehearsal remake rework vip original
    mono single piano strings symphonic skit rmx refix flip slowed nightcore clean tribute vocal
    vocals akustik concert performance""".split()  # noqa: SIM905 - reads better than a list
)


@dataclass(frozen=True, slots=True)
class Title:
    """A title for comparing.

    Attributes:
        key: letters and digits of it alone, edition, guests and leading number left out.
        words: the same as words, one space apart.
        exact: folded, but whole.
        lead: number that stood before it, 0 without.
        live: whether it says that it is live.
        place: what it says beside: of "(Live at Leeds)" ``at leeds``.
        marks: its numbers, single letters and ``VERSION_WORDS``, sorted.
    """

    key: str
    words: str
    exact: str
    lead: int
    live: bool
    place: str
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Artist:
    """An artist for comparing.

    Attributes:
        key: letters and digits of the name without guests, ``""`` where it says nobody in
            particular.
        first: the same of the first of several.
        parts: all of them.
        words: the whole name as words.
    """

    key: str
    first: str
    parts: frozenset[str]
    words: str


@dataclass(frozen=True, slots=True)
class Album:
    """An album for comparing.

    Attributes:
        key: letters and digits, edition and disc left out; ``""`` unknown.
        exact: folded, but whole.
        live: whether it says that it is live.
    """

    key: str
    exact: str
    live: bool


def own_title(title: str, *artist_names: str) -> str:
    """A title without its artist's name before it, as videos and DJs' files have it.

    >>> own_title("Nina Simone - Sinnerman", "Nina Simone"), own_title("Nina - Live", "")
    ('Sinnerman', 'Nina - Live')
    """
    if not _AFTER_ARTIST.search(title):
        return title
    plain = title.casefold()
    for name in artist_names:
        if name and plain.startswith(name.casefold()):
            rest = title[len(name) :].lstrip()
            if rest[:1] in "-–—:" and rest[1:].strip():
                return rest[1:].strip()
    return title


def titles(texts: Sequence[str]) -> list[Title]:
    """Titles for comparing, each different text folded once.

    >>> titles(["04 - Don’t Stop (2011 Remaster)"])[0].key
    'dontstop'
    >>> titles(["Song (Live at Leeds)"])[0].place
    'at leeds'
    >>> titles(["Moog City 2"])[0].marks, titles(["Part One"])[0].key
    (('2',), 'part1')
    """
    return _each(texts, _titles)


def artists(texts: Sequence[str]) -> list[Artist]:
    """Artists for comparing.

    >>> artists(["Beatles, The"])[0].key, artists(["Simon & Garfunkel"])[0].first
    ('beatles', 'simon')
    """
    return _each(texts, _artists)


def albums(texts: Sequence[str]) -> list[Album]:
    """Albums for comparing.

    >>> albums(["Tommy (Deluxe Edition) [Disc 2]"])[0].key, albums(["Live at Leeds"])[0].live
    ('tommy', True)
    """
    return _each(texts, _albums)


def _each(texts: Sequence[str], make: Callable[[list[str]], list[Made]]) -> list[Made]:
    unique = list(dict.fromkeys(texts))
    made = dict(zip(unique, make(unique), strict=True))
    return [made[text] for text in texts]


def _folded(texts: Sequence[str]) -> list[str]:
    """Case, accents and width gone; text beyond ASCII apart, since it folds slowly."""
    done = [""] * len(texts)
    for plain in (True, False):
        rows = [row for row, text in enumerate(texts) if text.isascii() is plain]
        if rows:
            lines = folded(joined(texts[row] for row in rows)).split("\n")
            for row, line in zip(rows, lines, strict=True):
                done[row] = line.strip()
    return done


def _words(texts: Sequence[str]) -> list[str]:
    done = [""] * len(texts)
    for plain in (True, False):
        rows = [row for row, text in enumerate(texts) if text.isascii() is plain]
        if rows:
            text = words_only(joined(texts[r].replace("+", "&") for r in rows), apostrophes="")
            for row, line in zip(rows, text.split("\n"), strict=True):
                done[row] = line
    return done


def _titles(texts: list[str]) -> list[Title]:
    folded_texts = _folded(texts)
    noted = _noted(folded_texts)
    parts = [_title_parts(text, at in noted) for at, text in enumerate(folded_texts)]
    exact = _words(folded_texts)
    bare = _words([part[0] for part in parts])
    places = _words([part[2] for part in parts])
    return [
        _title(words or whole, whole, lead, live, place)
        for words, whole, (_, lead, _, live), place in zip(bare, exact, parts, places, strict=True)
    ]


def _noted(texts: Sequence[str]) -> set[int]:
    """Which folded titles may hold a note; found in all of them at once."""
    text = "\n".join(texts)
    breaks = np.array([found.start() for found in _BREAKS.finditer(text)], dtype=np.int64)
    places = np.array([found.start() for found in _FRAGMENTS.finditer(text)], dtype=np.int64)
    return set(np.searchsorted(breaks, places).tolist())


def _title_parts(text: str, noted: bool) -> tuple[str, int, str, bool]:
    """A folded title bare, the number before it, where it was live, and whether it was."""
    hints = {found[0] for found in _HINTS.finditer(text)} if noted else ()
    bare = _without_notes(text, hints) if hints else text
    lead, found = 0, _LEAD.match(bare) if bare[:1].isdigit() else None
    if found:
        lead, bare = int(found[2] or found[3]), bare[found.end() :]
    if not hints or ("live" not in hints and not _LIVE_ELSE.search(bare)):
        return bare.strip() or text, lead, "", False
    place, live = "", False
    for piece in (_BRACKET, _DASHED):
        for segment in piece.finditer(bare):
            if _LIVE_PART.search(segment[1].strip()):
                live, place = True, segment[1].replace("live", " ").strip()
                bare = bare.replace(segment[0], "", 1)
    return bare.strip() or text, lead, place, live


def _without_notes(text: str, hints: Set[str]) -> str:
    """A folded title without remarks on guests and edition; ``hints`` say what to look for."""
    guests = {hint for hint in hints if hint.strip("([{ ") in _GUEST_HINTS}
    bare = text
    if guests:
        bare = _GUEST_BRACKETED.sub("", bare)
    if hints - guests - {"live"}:
        bare = _NOTE_DASHED.sub("", _FROM.sub("", _NOTE_BRACKETED.sub("", bare)))
    if guests:
        bare = _NOTE_DASHED.sub("", _GUEST_BARE.sub("", bare))
    return bare


def _title(words: str, exact: str, lead: int, live: bool, place: str) -> Title:
    tokens = words.split()
    if not _RESPELLED.isdisjoint(tokens):
        tokens = [_RESPELT.get(token, token) for token in tokens]
    if not _COUNTERS.isdisjoint(tokens):
        after = zip(["", *tokens], tokens, strict=False)
        tokens = [_COUNTED.get(b, b) if a in _COUNTERS else b for a, b in after]
    kept = [token for token in tokens if token not in ("the", "and")] or tokens
    marks = sorted(
        [
            word.lstrip("0") or "0" if word.isdigit() else word
            for word in kept
            if word in VERSION_WORDS
            or (len(word) == 1 and word not in "ai")
            or (not word.isalpha() and _DIGIT.search(word))
        ]
    )
    return Title("".join(kept), " ".join(kept), exact, lead, live, place, tuple(marks))


def _artists(texts: list[str]) -> list[Artist]:
    folded_texts = _folded(texts)
    split = [[piece for piece in _PARTS.split(text) if piece.strip()] for text in folded_texts]
    lengths = [len(pieces) for pieces in split]
    pieces = _words([piece for some in split for piece in some]) if any(lengths) else []
    made, start = [], 0
    hosts = [_GUESTS_OF.sub("", text) for text in folded_texts]
    for whole, length in zip(_words(hosts), lengths, strict=True):
        made.append(_artist(whole, pieces[start : start + length]))
        start += length
    return made


def _artist(whole: str, pieces: Sequence[str]) -> Artist:
    if whole in _UNKNOWN:
        return Artist("", "", frozenset(), "")
    keys = [key for piece in pieces if (key := _squeezed(piece))] or [_squeezed(whole)]
    return Artist(_squeezed(whole), keys[0], frozenset(keys), whole)


def _squeezed(words: str) -> str:
    kept = [word for word in words.split() if word not in _SMALL] or words.split()
    return "".join(kept)


_SMALL = frozenset({"the", "and", "feat", "ft", "featuring", "n"})


def _albums(texts: list[str]) -> list[Album]:
    folded_texts = _folded(texts)
    bare = []
    for text in folded_texts:
        short = _DISC.sub("", _DISC.sub("", text))
        if _ASIDES.search(short):
            for note in (_NOTE_BRACKETED, _NOTE_DASHED, _KIND, _YEAR_ALONE):
                short = note.sub("", short)
            short = _DISC.sub("", short)
        bare.append(short.strip() or text)
    return [
        _album(words or whole, whole, text)
        for words, whole, text in zip(_words(bare), _words(folded_texts), folded_texts, strict=True)
    ]


def _album(words: str, whole: str, text: str) -> Album:
    if whole in _UNKNOWN:
        return Album("", "", live=False)
    tokens = [_RESPELT.get(token, token) for token in words.split()]
    kept = [token for token in tokens if token not in ("the", "and")] or tokens
    live = bool(_LIVE_ALBUM.search(text)) and not _NOT_LIVE_ALBUM.search(text)
    return Album("".join(kept), whole, live)
