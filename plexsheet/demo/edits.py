"""What the query string of a batch edit means, and carrying it out.

``PUT /library/sections/1/all?type=10&id=1,2&userRating.value=8&userRating.locked=0`` sets
one value on many items; without ``id`` it edits every item the filter matches, as the
real server does.  Tags are added with ``mood[0].tag.tag=A`` and removed with
``mood[].tag.tag-=A,B``, whose names are percent-encoded once more inside the value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import unquote

from plexsheet.demo.faults import Faults
from plexsheet.demo.filters import Param
from plexsheet.demo.store import FLOATS, NUMBERS, TAG_FIELDS, TRACK, Item, Store


class BadEdit(ValueError):
    """An edit that Plex answers with 400."""


@dataclass
class Edit:
    """A batch edit, read from its parameters."""

    values: dict[str, Any] = field(default_factory=dict)  # by Plex's field name; None clears
    locks: dict[str, bool] = field(default_factory=dict)
    add: dict[str, list[str]] = field(default_factory=dict)  # tags
    remove: dict[str, list[str]] = field(default_factory=dict)
    wipe: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.values or self.locks or self.add or self.remove or self.wipe)


_ADD = re.compile(r"(\w+)\[(\d+)\]\.tag\.tag\Z")
_REMOVE = re.compile(r"(\w+)\[\]\.tag\.tag-\Z")
_WIPE = re.compile(r"(\w+)\[\]\.tag\Z")
_VALUE = re.compile(r"(\w+)\.value\Z")
_LOCK = re.compile(r"(\w+)\.locked\Z")


def parse_edit(params: Sequence[Param]) -> tuple[Edit, list[Param]]:
    """The edit in a query, and the parameters left, which say what to edit.

    Raises:
        BadEdit: a value of the wrong type, or tags of a field that has none.

    >>> parse_edit([("mood[].tag.tag-", "Old%2C%20one,B"), ("mood.locked", "0")])[0].remove
    {'mood': ['Old, one', 'B']}
    """
    edit, rest = Edit(), []
    slots: dict[tuple[str, int], str] = {}  # a slot used twice holds what came last
    for name, value in params:
        if match := _ADD.match(name):
            slots[match[1], int(match[2])] = value
        elif match := _REMOVE.match(name):
            names = [unquote(part) for part in value.split(",") if part]
            edit.remove.setdefault(match[1], []).extend(names)
        elif match := _WIPE.match(name):
            edit.wipe.add(match[1])
        elif match := _VALUE.match(name):
            edit.values[match[1]] = _value(match[1], value)
        elif match := _LOCK.match(name):
            edit.locks[match[1]] = value not in {"0", ""}
        elif name != "artist.id.value":
            rest.append((name, value))
    for (tag_field, _), name in sorted(slots.items()):
        edit.add.setdefault(tag_field, []).append(name)
    for tag_field in {*edit.add, *edit.remove, *edit.wipe}:
        if tag_field not in TAG_FIELDS:
            raise BadEdit(tag_field)
    return edit, rest


def _value(name: str, text: str) -> Any:
    """An edited value as the store holds it; empty text clears."""
    try:
        if name in FLOATS or name == "audienceRating":
            value = float(text) if text else None
            if value is not None and not 0 <= value <= 10:
                raise BadEdit(f"{name}={text}")
            return value
        if name in NUMBERS:
            return int(text) if text else 0
        if name == "originallyAvailableAt" and text:
            return date.fromisoformat(text[:10]).isoformat()
    except ValueError as error:
        raise BadEdit(f"{name}={text}") from error
    return text


def stored_rating(value: float | None, faults: Faults) -> float | None:
    """A rating as this server keeps it: rounded, where it is told to round."""
    if value is None or not faults.rounding:
        return value
    return min(10.0, round(round(value / faults.rounding) * faults.rounding, 6))


def apply_edit(store: Store, items: list[Item], edit: Edit, faults: Faults) -> None:
    """Carry out an edit on these items, in order."""
    values = dict(edit.values)
    if len(items) > 1 and items[0].kind != TRACK and values.get("title"):
        store.merge(items, values.pop("title"))
        items = items[:1]
    for item in items:
        for name, value in values.items():
            _apply_value(store, item, name, value, faults)
        if not faults.ignore_tags:
            for name in sorted({*edit.add, *edit.remove, *edit.wipe}):
                _apply_tags(store, item, name, edit, faults)
        for name, locked in edit.locks.items():
            store.set_lock(item, name, locked or faults.always_lock)


def _apply_value(store: Store, item: Item, name: str, value: Any, faults: Faults) -> None:
    if name == "userRating":
        store.rate(item, stored_rating(value, faults), via="edit", stamp=faults.edit_stamps)
    elif not (name == "title" and not value):
        store.set_field(item, name, value)


def _apply_tags(store: Store, item: Item, name: str, edit: Edit, faults: Faults) -> None:
    before = item.names(name)
    gone = {text.casefold() for text in edit.remove.get(name, ())}
    start = [] if name in edit.wipe or (faults.replace_tags and name in edit.add) else before
    added = [_spelled(store, item, name, text, faults) for text in edit.add.get(name, ())]
    after = [text for text in start if text.casefold() not in gone] + added
    store.set_tags(item, name, list({text.casefold(): text for text in after[::-1]}.values())[::-1])


def _spelled(store: Store, item: Item, name: str, text: str, faults: Faults) -> str:
    known = store.tag_ids.get((item.kind, name, text.casefold()))
    if faults.capitalise_tags and not (known and known.carriers):
        return re.sub(r"(^|[\s-])(\w)", lambda m: m[1] + m[2].upper(), text)
    return text
