"""What the query string of a listing means: filters, brackets, sorts.

``userRating>>=8`` arrives as the name ``userRating>>`` and the value ``8``, so the
operator is what follows the field in the name.  ``,`` in a value is OR, ``&`` is AND,
``push=1 … or=1 … pop=1`` are brackets.  ``artist.``, ``album.`` and ``track.`` say whose
field is meant; without, it is that of the items listed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

from plexsheet.demo.store import (
    ALBUM,
    ARTIST,
    KINDS,
    TAG_FIELDS,
    TRACK,
    Item,
    Store,
)

Param = tuple[str, str]
Test = Callable[[Item], bool]


class BadFilter(ValueError):
    """A filter or sort that Plex answers with 400."""


def parse_query(raw: str) -> list[Param]:
    """Names and values of a query string, in order, operators left on the names.

    >>> parse_query("type=10&userRating%3E%3E=8&title==So+What&album.subformat!=Live")
    [('type', '10'), ('userRating>>', '8'), ('title=', 'So What'), ('album.subformat!', 'Live')]
    """
    params = []
    for piece in raw.split("&"):
        if not piece:
            continue
        name, _, value = piece.partition("=")
        name = unquote_plus(name, errors="replace")
        if value.startswith("="):
            name, value = name + "=", value[1:]
        params.append((name, unquote_plus(value, errors="replace")))
    return params


# --- fields ----------------------------------------------------------------------------

# Plex's name -> (what it is, how to get it).
_FIELDS: dict[str, tuple[str, str]] = {
    "id": ("number", "key"),
    "title": ("text", "title"),
    "titleSort": ("text", "title_sort"),
    "originalTitle": ("text", "original_title"),
    "studio": ("text", "studio"),
    "summary": ("text", "summary"),
    "year": ("number", "year"),
    "index": ("number", "index"),
    "parentIndex": ("number", "disc"),
    "absoluteIndex": ("number", "disc"),
    "duration": ("number", "duration"),
    "rating": ("number", "critic"),
    "ratingCount": ("number", "listeners"),
    "viewCount": ("number", "views"),
    "skipCount": ("number", "skips"),
    "addedAt": ("date", "added_at"),
    "updatedAt": ("date", "updated_at"),
    "lastViewedAt": ("date", "viewed_at"),
    "originallyAvailableAt": ("released", "released"),
    "userRating": ("number", ""),
    "lastRatedAt": ("date", ""),
    "lastSkippedAt": ("date", ""),
    "guid": ("guid", ""),
    "decade": ("number", ""),
    "mediaSize": ("number", ""),
    "mediaBitrate": ("number", ""),
    "unmatched": ("flag", ""),
    "trash": ("flag", ""),
    "source": ("source", ""),
}
# Changing one of these moves nothing in a list sorted or filtered by the others.
_STEADY = frozenset({"id", "title", "titleSort", "index", "parentIndex", "absoluteIndex"})
_STEADY_MORE = frozenset({"year", "addedAt", "originallyAvailableAt", "guid", "studio", "duration"})
_NAME = re.compile(r"(?:(artist|album|track)\.)?([A-Za-z]+)([!<>=]*)\Z")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "mon": 2_592_000, "y": 31_536_000}
_RELATIVE = re.compile(r"-?(\d+)(mon|[smhdwy])\Z")


@dataclass(frozen=True)
class View:
    """A store as one account sees it."""

    store: Store
    account: int

    def value(self, item: Item, name: str) -> Any:
        """A field's value, or None where the item has none."""
        slot = _FIELDS[name][1]
        if slot:
            value = getattr(item, slot)
            if name == "titleSort":
                return value or item.title
            return None if value in (0, "") and name != "viewCount" else value
        return self._made(item, name)

    def _made(self, item: Item, name: str) -> Any:
        if name == "userRating":
            return self.store.rating(item, self.account)[0]
        if name == "lastRatedAt":
            return self.store.rating(item, self.account)[1] or None
        if name == "guid":
            return self.store.guid(item)
        if name == "decade":
            return item.year // 10 * 10 or None
        if name == "mediaSize":
            return item.duration // 8 * 900
        if name == "mediaBitrate":
            return 900
        if name == "unmatched":
            return item.guid == "local"
        if name == "source":
            return "1"
        return None


# --- filters ---------------------------------------------------------------------------


def _relatives(item: Item, kind: int) -> Iterable[Item]:
    """The artist, album or tracks that a scoped field of the item speaks of."""
    if kind <= item.kind:
        above = item.at(kind)
        return (above,) if above is not None else ()
    below: Iterable[Item] = item.children
    if item.kind == ARTIST and kind == TRACK:
        below = (track for album in item.children for track in album.children)
    return below


def _condition(view: View, kind: int, name: str, value: str) -> Test | None:
    """One filter as a test of an item, or None for a parameter that is no filter."""
    match = _NAME.match(name)
    if match is None:
        return None
    scope, field_name, operator = match.groups()
    if field_name not in _FIELDS and field_name not in TAG_FIELDS:
        if scope or operator:
            raise BadFilter(name)
        return None
    test = _field_test(view, field_name, operator.rstrip("=") + "=" * ("=" in operator), value)
    scope_kind = KINDS[scope] if scope else kind
    if scope_kind == kind:
        return test
    negative = operator.startswith("!")
    if negative:
        return lambda item: all(test(other) for other in _relatives(item, scope_kind))
    return lambda item: any(test(other) for other in _relatives(item, scope_kind))


def _field_test(view: View, name: str, operator: str, value: str) -> Test:
    if name in TAG_FIELDS:
        return _tag_test(name, operator, value)
    sort = _FIELDS[name][0]
    if sort in {"text", "guid"}:
        return _text_test(view, name, operator, value)
    if sort == "flag":
        wanted = (value == "1") != operator.startswith("!")
        return lambda item: bool(view.value(item, name)) == wanted
    if sort == "source":
        return lambda item: True
    return _number_test(view, name, operator, value)


def _tag_test(name: str, operator: str, value: str) -> Test:
    """``=`` is one of, ``!=`` is none of; tags by id or by name."""
    wanted = {part.strip().casefold() for part in value.split(",")} | {value.strip().casefold()}
    if operator not in {"", "!"}:
        raise BadFilter(name + operator)

    def carries(item: Item) -> bool:
        tags = item.tags.get(name, ()) if item.tags else ()
        return any(str(tag.id) in wanted or tag.name.casefold() in wanted for tag in tags)

    return (lambda item: not carries(item)) if operator == "!" else carries


_TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "": lambda text, wanted: wanted in text,
    "=": lambda text, wanted: text == wanted,
    "<": lambda text, wanted: text.startswith(wanted),
    ">": lambda text, wanted: text.endswith(wanted),
}


def _text_test(view: View, name: str, operator: str, value: str) -> Test:
    negative, operator = operator.startswith("!"), operator.removeprefix("!")
    if operator not in _TEXT_TESTS:
        raise BadFilter(name + operator)
    compare = _TEXT_TESTS["=" if name == "guid" else operator]
    wanted = {value.casefold()} | {part.casefold() for part in value.split(",") if part}

    def matches(item: Item) -> bool:
        text = str(view.value(item, name) or "").casefold()
        return any(compare(text, one) for one in wanted)

    return (lambda item: not matches(item)) if negative else matches


def _number_test(view: View, name: str, operator: str, value: str) -> Test:
    numbers = [_number(view, name, part) for part in value.split(",") if part != ""]
    if not numbers or operator not in {"", "!", ">>", "<<", ">", "<", "="}:
        raise BadFilter(name + operator)
    first = numbers[0]
    if operator == ">>":
        return lambda item: (v := _comparable(view, item, name)) is not None and v > first
    if operator == "<<":
        return lambda item: (v := _comparable(view, item, name)) is not None and v < first
    if operator == ">":
        return lambda item: (v := _comparable(view, item, name)) is not None and v >= first
    if operator == "<":
        return lambda item: (v := _comparable(view, item, name)) is not None and v <= first
    wanted: set[float | None] = set(numbers)
    if name == "userRating" and -1.0 in wanted:  # Plex Web's word for unrated
        wanted.add(None)
    if operator == "!":
        return lambda item: _comparable(view, item, name) not in wanted
    return lambda item: _comparable(view, item, name) in wanted


def _comparable(view: View, item: Item, name: str) -> float | None:
    value = view.value(item, name)
    if name == "originallyAvailableAt":
        return _epoch(value) if value else None
    return None if value is None else float(value)


def _epoch(day: str) -> float:
    return datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()


def _number(view: View, name: str, text: str) -> float:
    kind = _FIELDS[name][0]
    try:
        if kind in {"date", "released"}:
            if relative := _RELATIVE.match(text):
                seconds = int(relative[1]) * _UNITS[relative[2]]
                return view.store.now() - seconds
            if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
                return _epoch(text)
        return float(text)
    except ValueError as error:
        raise BadFilter(f"{name}={text}") from error


# --- a whole query ---------------------------------------------------------------------


@dataclass
class _Group:
    """Conditions of one bracket: ANDed, in alternatives that are ORed."""

    alternatives: list[list[Test]] = field(default_factory=lambda: [[]])

    def test(self, item: Item) -> bool:
        return any(all(one(item) for one in every) for every in self.alternatives)


def compile_filters(view: View, kind: int, params: Sequence[Param]) -> tuple[Test | None, set[str]]:
    """All filters of a query as one test, and the fields it looks at.

    Returns:
        The test, None when nothing is filtered, and the names of the fields.

    Raises:
        BadFilter: an unknown field with a scope or operator, or a value of the wrong type.
    """
    stack = [_Group()]
    used: set[str] = set()
    for name, value in params:
        if name == "push":
            stack.append(_Group())
        elif name == "pop" and len(stack) > 1:
            group = stack.pop()
            stack[-1].alternatives[-1].append(group.test)
        elif name == "or":
            stack[-1].alternatives.append([])
        elif name not in _NOT_FILTERS:
            test = _condition(view, kind, name, value)
            if test is not None:
                stack[-1].alternatives[-1].append(test)
                used.add(_bare(name))
    while len(stack) > 1:
        group = stack.pop()
        stack[-1].alternatives[-1].append(group.test)
    return (stack[0].test if used else None), used


_NOT_FILTERS = {"type", "sort", "limit", "and", "group", "having", "key"}


def _bare(name: str) -> str:
    match = _NAME.match(name)
    return match[2] if match else name


def compile_sort(view: View, kind: int, text: str) -> list[tuple[Callable[[Item], Any], bool]]:
    """Sort keys with whether each is descending, in order of importance.

    Raises:
        BadFilter: a field that does not exist.
    """
    keys: list[tuple[Callable[[Item], Any], bool]] = []
    shuffled = random.Random()  # noqa: S311 - a shuffled list, no secret
    for piece in filter(None, text.split(",")):
        name, _, direction = piece.partition(":")
        scope, _, bare = name.rpartition(".")
        if bare == "random":
            keys.append((lambda item: shuffled.random(), False))
            continue
        if bare not in _FIELDS or (scope and scope not in KINDS):
            raise BadFilter(piece)
        keys.append((_sort_key(view, KINDS.get(scope, kind), bare), direction == "desc"))
    return keys


def _sort_key(view: View, kind: int, name: str) -> Callable[[Item], Any]:
    def key(item: Item) -> Any:
        owner = item.at(kind)
        value = view.value(owner, name) if owner is not None else None
        if isinstance(value, str):
            value = value.casefold()
        # Nulls first when ascending, as SQLite has it.
        return (value is not None, value if value is not None else 0)

    return key


DEFAULT_SORTS = {
    ARTIST: "titleSort,id",
    ALBUM: "artist.titleSort,album.titleSort,album.id",
    TRACK: "artist.titleSort,album.titleSort,album.year,absoluteIndex,index,titleSort,id",
}


class Queries:
    """Answers of listings, kept until a write could change them: a paged read sorts once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._kept: dict[tuple[Any, ...], tuple[int, list[Item]]] = {}

    def run(self, kind: int, params: Sequence[Param], account: int) -> list[Item]:
        """Items of a kind that pass the filters, sorted.

        Raises:
            BadFilter: the query makes no sense.
        """
        view = View(self.store, account)
        relevant = tuple(p for p in params if not p[0].startswith(("X-Plex", "include", "exclude")))
        sort = next((value for name, value in params if name == "sort"), "") or DEFAULT_SORTS[kind]
        test, used = compile_filters(view, kind, relevant)
        keys = compile_sort(view, kind, sort)
        used |= {piece.partition(":")[0].rpartition(".")[2] for piece in sort.split(",")}
        steady = used <= (_STEADY | _STEADY_MORE)
        version = self.store.shape if steady else self.store.version
        asked = (kind, relevant, sort, account)
        kept = self._kept.get(asked)
        if kept is not None and kept[0] == version and "random" not in sort:
            return kept[1]
        items = self._answer(kind, relevant, test, keys, sort)
        if any(name == "id" for name, _ in relevant):
            return items  # asked once; not worth the place of a paged listing
        if len(self._kept) > 7:
            self._kept.pop(next(iter(self._kept)))
        self._kept[asked] = (version, items)
        return items

    def _answer(
        self,
        kind: int,
        params: Sequence[Param],
        test: Test | None,
        keys: list[tuple[Callable[[Item], Any], bool]],
        sort: str,
    ) -> list[Item]:
        items = self._candidates(kind, params)
        if test is not None:
            items = [item for item in items if test(item)]
        if sort not in {"id", "id:asc", f"{_KIND_PREFIX[kind]}id"}:
            for key, descending in reversed(keys):
                items = sorted(items, key=key, reverse=descending)
        else:
            items = sorted(items, key=lambda item: item.key)
        if any(param == ("group", "title") for param in params):
            items = list({item.title.casefold(): item for item in reversed(items)}.values())[::-1]
        return items

    def _candidates(self, kind: int, params: Sequence[Param]) -> list[Item]:
        """Items worth testing: a few where the query names ids, else all of the kind."""
        names = dict(params)
        if "push" not in names and "or" not in names:
            for name in ("id", f"{_KIND_PREFIX[kind]}id"):
                if name in names:
                    found = (self.store.items[kind].get(key) for key in _ids(names[name]))
                    return [item for item in found if item is not None]
            if kind == TRACK and "album.id" in names:
                return self._children(ALBUM, names["album.id"])
            if kind == ALBUM and "artist.id" in names:
                return self._children(ARTIST, names["artist.id"])
        return list(self.store.items[kind].values())

    def _children(self, kind: int, ids: str) -> list[Item]:
        parents = (self.store.items[kind].get(key) for key in _ids(ids))
        return [child for parent in parents if parent for child in parent.children]


_KIND_PREFIX = {kind: f"{name}." for name, kind in KINDS.items()}


def _ids(text: str) -> list[int]:
    try:
        return list(dict.fromkeys(int(part) for part in text.split(",") if part))
    except ValueError as error:
        raise BadFilter(f"id={text}") from error
