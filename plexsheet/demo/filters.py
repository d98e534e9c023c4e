"""What the query string of a listing means.

``userRating>>=8`` arrives as the name ``userRating>>`` and the value ``8``, so the
operator is what follows the field in the name.  Served are the filters plexsheet asks
for: by key, by rating, by moments, by tags; the order is always that of rating keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import unquote_plus

from plexsheet.demo.items import KINDS, TAG_FIELDS, Item
from plexsheet.demo.store import Store

Param = tuple[str, str]
Test = Callable[[Item], bool]


class BadFilter(ValueError):
    """A filter that Plex answers with 400."""


def parse_query(raw: str) -> list[Param]:
    """Names and values of a query string, in order, operators left on the names.

    >>> parse_query("type=10&userRating%3E%3E=8&mood=So+What")
    [('type', '10'), ('userRating>>', '8'), ('mood', 'So What')]
    """
    pieces = (piece.partition("=") for piece in raw.split("&") if piece)
    return [
        (unquote_plus(name, errors="replace"), unquote_plus(value, errors="replace"))
        for name, _, value in pieces
    ]


_NAME = re.compile(r"(?:(artist|album|track)\.)?([A-Za-z]+)([!<>=]*)\Z")
_SLOTS = {"addedAt": "added_at", "updatedAt": "updated_at", "lastViewedAt": "viewed_at"}
_NUMBERS = {*_SLOTS, "userRating", "lastRatedAt"}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "": lambda value, wanted: value == wanted,
    ">>": lambda value, wanted: value > wanted,
    "<<": lambda value, wanted: value < wanted,
}


class Queries:
    """Answers of listings, kept until something is written: a paged read filters once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._kept: dict[tuple[object, ...], tuple[int, list[Item]]] = {}

    def run(self, kind: int, params: Sequence[Param], account: int) -> list[Item]:
        """Items of a kind that pass the filters, by rating key.

        Raises:
            BadFilter: the query makes no sense.
        """
        tests = [test for name, value in params if (test := self._test(kind, name, value, account))]
        ids = next((value for name, value in params if name == "id"), None)
        if ids is not None:  # asked once; not worth the place of a paged listing
            return [item for item in self._by_key(kind, ids) if all(test(item) for test in tests)]
        filters = tuple(param for param in params if self._test(kind, *param, account))
        asked = (kind, filters, account)
        kept = self._kept.get(asked)
        if kept is not None and kept[0] == self.store.version:
            return kept[1]
        items: Iterable[Item] = sorted(self.store.items[kind].values(), key=lambda item: item.key)
        found = [item for item in items if all(test(item) for test in tests)]
        if len(self._kept) > 7:
            self._kept.pop(next(iter(self._kept)))
        self._kept[asked] = (self.store.version, found)
        return found

    def _by_key(self, kind: int, ids: str) -> list[Item]:
        try:
            keys = dict.fromkeys(int(part) for part in ids.split(",") if part)
        except ValueError as error:
            raise BadFilter(f"id={ids}") from error
        found = (self.store.items[kind].get(key) for key in sorted(keys))
        return [item for item in found if item is not None]

    def _test(self, kind: int, name: str, value: str, account: int) -> Test | None:
        """One filter as a test of an item, or None for a parameter that is no filter."""
        match = _NAME.match(name)
        if match is None:
            return None
        scope, field, operator = match.groups()
        if field not in _NUMBERS and field not in TAG_FIELDS:
            if scope or operator:
                raise BadFilter(name)
            return None
        if scope and KINDS[scope] != kind:
            raise BadFilter(name)
        if field in TAG_FIELDS:
            return _tag_test(field, operator, value)
        return self._number_test(field, operator, value, account)

    def _number_test(self, field: str, operator: str, value: str, account: int) -> Test:
        compare = _COMPARE.get(operator)
        try:
            wanted = float(value)
        except ValueError as error:
            raise BadFilter(f"{field}={value}") from error
        if compare is None:
            raise BadFilter(field + operator)

        def test(item: Item) -> bool:
            if field in _SLOTS:
                found = getattr(item, _SLOTS[field]) or None
            else:
                rating, rated_at = self.store.rating(item, account)
                found = rating if field == "userRating" else rated_at or None
            return found is not None and compare(found, wanted)

        return test


def _tag_test(field: str, operator: str, value: str) -> Test:
    """One of these tags, by id or by name."""
    if operator:
        raise BadFilter(field + operator)
    wanted = {part.strip().casefold() for part in value.split(",")} | {value.strip().casefold()}

    def carries(item: Item) -> bool:
        tags = item.tags.get(field, ()) if item.tags else ()
        return any(str(tag.id) in wanted or tag.name.casefold() in wanted for tag in tags)

    return carries
