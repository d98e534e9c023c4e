"""Plex's XML lists straight into columns (pure).

A library of 100,000 tracks is 136 MB of XML.  One plexapi object per track costs
20 seconds and 0.7 GB; here expat hands each item's attributes to typed columns as
the bytes arrive, and nothing else is kept.  What is read of each kind is declared
once, in ``ATTRIBUTES``.

Source: Plex Media Server API 1.2.2 (developer.plex.tv), listings of
``/library/sections/{id}/all`` and ``/library/metadata/{ids}``.
"""

from __future__ import annotations

import codecs
import re
from array import array
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any, cast
from xml.parsers import expat

import numpy as np
import pandas as pd

from plexsheet.library import FLOAT, INT, SCHEMA, TEXT, Kind, table, unique

TYPE: Mapping[Kind, int] = {"artist": 8, "album": 9, "track": 10}

_COMMON = {
    "key": "ratingKey",
    "guid": "guid",
    "title": "title",
    "sort_title": "titleSort",
    "user_rating": "userRating",
    "last_rated_at": "lastRatedAt",
    "view_count": "viewCount",
    "skip_count": "skipCount",
    "last_viewed_at": "lastViewedAt",
    "added_at": "addedAt",
    "updated_at": "updatedAt",
}
# Column to attribute.  Names with a capital are child elements: their tags, joined.
ATTRIBUTES: Mapping[Kind, Mapping[str, str]] = {
    "artist": _COMMON | {"genres": "Genre"},
    "album": _COMMON
    | {
        "artist_key": "parentRatingKey",
        "artist": "parentTitle",
        "year": "year",
        "released": "originallyAvailableAt",
        "critic_rating": "rating",
        "genres": "Genre",
        "format": "Format",
        "subformat": "Subformat",
        "studio": "studio",
    },
    "track": _COMMON
    | {
        "album_key": "parentRatingKey",
        "artist_key": "grandparentRatingKey",
        "album": "parentTitle",
        "artist": "grandparentTitle",
        "track_artist": "originalTitle",
        "disc": "parentIndex",
        "index": "index",
        "year": "parentYear",
        "duration_ms": "duration",
        "rating_count": "ratingCount",
    },
}
# Of what stands in Plex now: the rating, and what proves which item it is of.
RATING_COLUMNS = (
    *("key", "user_rating", "last_rated_at"),
    *("guid", "title", "artist", "album", "duration_ms", "disc", "index"),
)

Picker = Callable[[Sequence[str]], tuple[str, ...]]
_MISSING = ("0", "nan", "")  # integer, float, text: appended to each item's attributes

_WEB_PAGE = "a web page came instead, perhaps the login page of a proxy"
_TAGS = frozenset({"Genre", "Format", "Subformat", "Mood"})
_MOOD_SEPARATOR = "\x1f"  # cannot occur in XML
_MOOD_LOCK = "Field mood"
_EACH_ITS_OWN = frozenset({"guid", "title"})  # other texts repeat: one object for all
_MOST = 2**62  # above it a number is damage
_BLOCK = 500  # items turned into columns at a time


class Unreadable(Exception):
    """An answer that cannot be read as a list of items; says why, for a person."""


class Columns:
    """Items of one kind, growing column by column.

    Args:
        kind: which items; others in an answer are passed over.
        only: columns wanted; all of the schema when None.
        details: also keep moods and whether they are locked (full metadata only).
    """

    def __init__(
        self, kind: Kind, *, only: Collection[str] | None = None, details: bool = False
    ) -> None:
        self.kind = kind
        self.details = details
        names = [name for name in ATTRIBUTES[kind] if only is None or name in only]
        self.tags = tuple(n for n in names if ATTRIBUTES[kind][n] in _TAGS)
        self.plain = tuple(n for n in names if n not in self.tags)
        self._ints = {n: array("q") for n in names if SCHEMA[kind][n] == INT}
        self._floats = {n: array("d") for n in names if SCHEMA[kind][n] == FLOAT}
        self._texts: dict[str, list[str]] = {n: [] for n in names if SCHEMA[kind][n] == TEXT}
        self._moods: list[str] = []
        self._locked = bytearray()
        self._shared: dict[str, str] = {"": ""}
        self.pickers: dict[tuple[str, ...], Picker | None] = {}  # by the shape of an element

    def __len__(self) -> int:
        return len(self._ints["key"])

    @property
    def keys(self) -> array[int]:
        """Rating keys so far."""
        return self._ints["key"]

    def extend(self, rows: list[tuple[str, ...]], tags: Mapping[str, Mapping[int, str]]) -> None:
        """Add items.

        Args:
            rows: each item's type, then its texts in the order of ``plain``.
            tags: element name to row to the joined tags.
        """
        if not rows:
            return
        types, *values = zip(*rows, strict=True)
        if types.count(self.kind) != len(rows):
            kept = [row for row, kind in enumerate(types) if kind == self.kind]
            places = {row: place for place, row in enumerate(kept)}
            moved = {
                name: {places[row]: text for row, text in texts.items() if row in places}
                for name, texts in tags.items()
            }
            self.extend([rows[row] for row in kept], moved)
            return
        for name, texts in zip(self.plain, values, strict=True):
            if name in self._ints:
                self._ints[name].extend(_to_ints(texts))
            elif name in self._floats:
                self._floats[name].fromlist(_to_floats(texts))
            else:
                self._texts[name].extend(self._tidy(name, texts))
        for name in self.tags:
            self._texts[name].extend(_tags(tags, ATTRIBUTES[self.kind][name], len(rows)))
        if self.details:
            self._moods.extend(_tags(tags, "Mood", len(rows)))
            self._locked.extend(text == "1" for text in _tags(tags, _MOOD_LOCK, len(rows)))

    def truncate(self, rows: int) -> None:
        """Forget all rows from ``rows`` on."""
        for ints in self._ints.values():
            del ints[rows:]
        for floats in self._floats.values():
            del floats[rows:]
        for texts in (*self._texts.values(), self._moods):
            del texts[rows:]
        del self._locked[rows:]

    def frame(self) -> pd.DataFrame:
        """The items as a table of the schema, or of the columns asked for.

        With ``details`` two columns more: ``moods``, a tuple of names, and
        ``mood_locked``.

        Raises:
            Unreadable: an item without a key, or one key twice.
        """
        keys = np.array(self._ints["key"], dtype=np.int64)
        if len(keys) and keys.min() <= 0:
            raise Unreadable("an item has no rating key")
        if not unique(keys):
            raise Unreadable("an item was listed twice")
        columns: dict[str, Any] = {n: np.array(c, dtype=np.int64) for n, c in self._ints.items()}
        columns |= {n: _known(np.array(c, dtype=np.float64)) for n, c in self._floats.items()}
        columns |= self._texts
        if "sort_title" in columns:
            columns["sort_title"] = [
                text or title
                for text, title in zip(columns["sort_title"], columns["title"], strict=True)
            ]
        if "track_artist" in columns:
            columns["track_artist"] = [
                "" if text == artist else text
                for text, artist in zip(columns["track_artist"], columns["artist"], strict=True)
            ]
        if len(columns) < len(SCHEMA[self.kind]):
            return pd.DataFrame(columns)
        frame = table(self.kind, columns)
        if self.details:
            moods = np.empty(len(frame), dtype=object)
            moods[:] = [tuple(m.split(_MOOD_SEPARATOR)) if m else () for m in self._moods]
            frame["moods"] = pd.Series(moods, dtype=object)
            frame["mood_locked"] = np.array(self._locked, dtype=np.bool_)
        return frame

    def _tidy(self, name: str, texts: Sequence[str]) -> Sequence[str]:
        if name in _EACH_ITS_OWN:
            return texts
        if name == "released":
            texts = [text[:10] for text in texts]
        return list(map(self._shared.setdefault, texts, texts))


class Page:
    """One answer on its way into columns: feed it bytes, then close it.

    Attributes:
        total: the list's length by the server; what was received where it does not say.
        received: items in this answer, of whatever kind.

    Args:
        columns: where the items go.
        clean: drop what XML does not allow, which Plex now and then sends in titles.
    """

    def __init__(self, columns: Columns, *, clean: bool = False) -> None:
        self.total = 0
        self.received = 0
        self._columns = columns
        self._cleaner = Cleaner() if clean else None
        self._rows: list[tuple[str, ...]] = []
        self._tags: dict[str, dict[int, str]] = {}
        self._container: dict[str, str] | None = None
        self._head = b""
        self._parser = expat.ParserCreate()
        self._parser.ordered_attributes = True
        self._parser.StartElementHandler = self._handler()
        self._parser.StartDoctypeDeclHandler = _refuse_doctype

    def feed(self, chunk: bytes) -> None:
        """Parse more bytes.

        Raises:
            Unreadable: not well-formed, or not a list.
        """
        if len(self._head) < 200:
            self._head += chunk[:200]
        if self._cleaner is not None:
            chunk = self._cleaner.feed(chunk)
        self._parse(chunk, last=False)
        if len(self._rows) > _BLOCK:
            self._flush()

    def close(self) -> None:
        """Parse the end, and check the answer against its own count.

        Raises:
            Unreadable: cut off, not a list, or other items than announced.
        """
        self._parse(self._cleaner.close() if self._cleaner is not None else b"", last=True)
        self._flush(final=True)
        container = self._container or {}
        announced = _to_ints([container.get("size", self.received)])[0]
        if announced != self.received:
            raise Unreadable(f"{announced} items were announced, {self.received} came")
        self.total = _to_ints([container.get("totalSize", self.received)])[0]

    def _parse(self, chunk: bytes, *, last: bool) -> None:
        try:
            self._parser.Parse(chunk, last)
        except expat.ExpatError as error:
            raise Unreadable(self._why(error)) from error

    def _flush(self, *, final: bool = False) -> None:
        last: list[tuple[str, ...]] = []
        tags_of_last: dict[str, dict[int, str]] = {}
        if not final:  # the last item's children may still come
            row = len(self._rows) - 1
            last = [self._rows.pop()]
            tags_of_last = {n: {0: t.pop(row)} for n, t in self._tags.items() if row in t}
        self._columns.extend(self._rows, self._tags)
        self.received += len(self._rows)
        self._rows[:] = last
        self._tags.clear()
        self._tags |= tags_of_last

    def _why(self, error: expat.ExpatError) -> str:
        head = self._head.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
        if not head:
            return "the answer was empty"
        if head.startswith((b"<!doctype html", b"<html")):
            return _WEB_PAGE
        if not head.startswith(b"<"):
            return "something other than XML came"
        cut = error.code in (
            expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS],
            expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_TOKEN],
            expat.errors.codes[expat.errors.XML_ERROR_PARTIAL_CHAR],
        )
        return "the answer broke off" if cut else f"the answer is damaged in line {error.lineno}"

    def _handler(self) -> Any:
        rows, tags = self._rows, self._tags
        add = rows.append
        pickers = self._columns.pickers

        def start(name: str, attributes: list[str]) -> None:
            shape = tuple(attributes[::2])
            try:
                pick = pickers[shape]
            except KeyError:
                pick = pickers[shape] = _picker(shape, self._columns)
            if pick is not None:
                attributes += _MISSING
                add(pick(attributes))
            elif self._container is None:
                self._container = _root(name, attributes)
            elif rows:
                _child(name, attributes, len(rows) - 1, tags)

        return start


def _picker(shape: tuple[str, ...], columns: Columns) -> Picker | None:
    """Takes the wanted values out of an item's attributes; None for what is no item.

    Items with the same attributes in the same order have one shape.  A library has some
    dozens, so where each value stands is worked out once per shape, not once per item.
    """
    if "ratingKey" not in shape:
        return None
    schema = SCHEMA[columns.kind]
    missing = {INT: 2 * len(shape), FLOAT: 2 * len(shape) + 1, TEXT: 2 * len(shape) + 2}
    places = [2 * shape.index("type") + 1 if "type" in shape else missing[TEXT]]
    for name in columns.plain:
        attribute = ATTRIBUTES[columns.kind][name]
        known = attribute in shape
        places.append(2 * shape.index(attribute) + 1 if known else missing[schema[name]])
    return cast(Picker, itemgetter(*places))


def _root(name: str, attributes: list[str]) -> dict[str, str]:
    if name == "MediaContainer":
        return dict(zip(attributes[::2], attributes[1::2], strict=True))
    if name.lower() == "html":
        raise Unreadable(_WEB_PAGE)
    raise Unreadable(f"“{name}” came instead of a list")


def _child(name: str, attributes: list[str], row: int, tags: dict[str, dict[int, str]]) -> None:
    """Keep a child element of an item, if it is one of those wanted."""
    values = dict(zip(attributes[::2], attributes[1::2], strict=True))
    if name in _TAGS:
        of_rows = tags.setdefault(name, {})
        between = _MOOD_SEPARATOR if name == "Mood" else "; "
        tag = values.get("tag", "")
        of_rows[row] = f"{of_rows[row]}{between}{tag}" if row in of_rows else tag
    elif name == "Field" and values.get("name") == "mood":
        tags.setdefault(_MOOD_LOCK, {})[row] = values.get("locked", "0")


def _tags(tags: Mapping[str, Mapping[int, str]], name: str, rows: int) -> list[str]:
    of_rows = tags.get(name)
    return [of_rows.get(row, "") for row in range(rows)] if of_rows else [""] * rows


class Cleaner:
    r"""Bytes of nearly-XML in, the same without what XML forbids out, chunk by chunk.

    >>> cleaner = Cleaner()
    >>> cleaner.feed(b"<a t='\x0bx&#") + cleaner.feed(b"11;y\xff'/>") + cleaner.close()
    b"<a t='xy\xef\xbf\xbd'/>"
    """

    _ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
    _REFERENCE = re.compile(r"&#(x[0-9A-Fa-f]+|[0-9]+);")

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._held = ""

    def feed(self, chunk: bytes) -> bytes:
        """What can be told so far."""
        text = self._held + self._decoder.decode(chunk)
        ampersand = text.rfind("&", -12)  # a reference may be cut by the chunk's end
        cut = ampersand if ampersand >= 0 and ";" not in text[ampersand:] else len(text)
        self._held = text[cut:]
        return self._clean(text[:cut])

    def close(self) -> bytes:
        """The rest."""
        return self._clean(self._held + self._decoder.decode(b"", final=True))

    def _clean(self, text: str) -> bytes:
        legal = self._ILLEGAL.sub("", text)
        return self._REFERENCE.sub(self._legal_reference, legal).encode("utf-8")

    def _legal_reference(self, match: re.Match[str]) -> str:
        digits = match[1]
        number = int(digits[1:], 16) if digits[0] == "x" else int(digits)
        if number > 0x10FFFF or self._ILLEGAL.match(chr(number)):
            return ""
        return match[0]


def parse(data: bytes, columns: Columns, *, clean: bool = False) -> Page:
    """A whole answer into columns.

    Raises:
        Unreadable: it is not a list of items.
    """
    page = Page(columns, clean=clean)
    page.feed(data)
    page.close()
    return page


def _refuse_doctype(name: str, *_: object) -> None:
    # Plex sends none; refusing them all leaves no entity to expand.
    if name.lower() == "html":
        raise Unreadable(_WEB_PAGE)
    raise Unreadable("the answer declares its own document type")


def _known(values: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    # 0 is no rating on Plex's scale, whoever wrote it there.
    values[~(values > 0)] = np.nan
    return values


def _to_ints(values: Sequence[Any]) -> array[int]:
    found = _numbers(values, np.int64)
    if found is not None and (not len(found) or np.abs(found).max() < _MOST):
        return array("q", found.tobytes())
    try:
        return array("q", list(map(int, values)))
    except (ValueError, OverflowError):
        return array("q", [_int(value) for value in values])


def _numbers(texts: Sequence[Any], dtype: type[np.generic]) -> np.ndarray[Any, Any] | None:
    """Texts as numbers in one go, a third of the time of one by one; None if one is none."""
    try:
        found = np.fromstring(",".join(texts), dtype=dtype, sep=",")
    except (TypeError, ValueError, DeprecationWarning):  # numpy stops at the first bad one
        return None
    return found if len(found) == len(texts) else None


def _int(value: Any) -> int:
    number = _to_floats([value])[0]
    return int(number) if abs(number) < _MOST else 0


def _to_floats(values: Sequence[Any]) -> list[float]:
    found = _numbers(values, np.float64)
    if found is not None:
        return cast(list[float], found.tolist())
    try:
        return list(map(float, values))
    except ValueError:
        return [float(v) if re.fullmatch(r"-?\d+(\.\d*)?", str(v)) else np.nan for v in values]
