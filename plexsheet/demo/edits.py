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

from plexsheet.demo.filters import Param
from plexsheet.demo.items import OWNER, TAG_FIELDS, Item
from plexsheet.demo.store import Store


class BadEdit(ValueError):
    """An edit that Plex answers with 400."""


@dataclass
class ItemEdit:
    """A batch edit, read from its parameters."""

    values: dict[str, Any] = field(default_factory=dict)  # by Plex's field name; None clears
    locks: dict[str, bool] = field(default_factory=dict)
    add: dict[str, list[str]] = field(default_factory=dict)  # tags
    remove: dict[str, list[str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.values or self.locks or self.add or self.remove)


_ADD = re.compile(r"(\w+)\[(\d+)\]\.tag\.tag\Z")
_REMOVE = re.compile(r"(\w+)\[\]\.tag\.tag-\Z")
_VALUE = re.compile(r"(\w+)\.value\Z")
_LOCK = re.compile(r"(\w+)\.locked\Z")


def parse_edit(params: Sequence[Param]) -> tuple[ItemEdit, list[Param]]:
    """The edit in a query, and the parameters left, which say what to edit.

    Raises:
        BadEdit: a value of the wrong type, a field that is not served, or tags of a field
            that has none.

    >>> parse_edit([("mood[].tag.tag-", "Old%2C%20one,B"), ("mood.locked", "0")])[0].remove
    {'mood': ['Old, one', 'B']}
    """
    edit, rest = ItemEdit(), []
    slots: dict[tuple[str, int], str] = {}  # a slot used twice holds what came last
    for name, value in params:
        if match := _ADD.match(name):
            slots[match[1], int(match[2])] = value
        elif match := _REMOVE.match(name):
            names = [unquote(part) for part in value.split(",") if part]
            edit.remove.setdefault(match[1], []).extend(names)
        elif match := _VALUE.match(name):
            edit.values[match[1]] = _value(match[1], value)
        elif match := _LOCK.match(name):
            edit.locks[match[1]] = value not in {"0", ""}
        else:
            rest.append((name, value))
    for (tag_field, _), name in sorted(slots.items()):
        edit.add.setdefault(tag_field, []).append(name)
    for tag_field in {*edit.add, *edit.remove}:
        if tag_field not in TAG_FIELDS:
            raise BadEdit(tag_field)
    return edit, rest


def _value(name: str, text: str) -> Any:
    """An edited value as the store holds it; empty text clears."""
    try:
        if name == "userRating":
            value = float(text) if text else None
            if value is not None and not 0 <= value <= 10:
                raise BadEdit(f"{name}={text}")
            return value
        if name == "originallyAvailableAt":
            return date.fromisoformat(text[:10]).isoformat() if text else ""
    except ValueError as error:
        raise BadEdit(f"{name}={text}") from error
    raise BadEdit(name)


class Editor:
    """Carries out ratings and edits in a store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def rate(self, item: Item, value: float | None, account: int, at: int | None) -> None:
        """Rate one item by itself, 0-10; None clears."""
        self.store.rate(item, value, account=account, at=at)

    def apply(self, items: Sequence[Item], edit: ItemEdit) -> None:
        """Carry out an edit on these items, in order."""
        for item in items:
            for name, value in edit.values.items():
                if name == "userRating":
                    self.rate_in_batch(item, value)
                else:
                    self.store.set_released(item, value)
            for name in sorted({*edit.add, *edit.remove}):
                self.change_tags(item, name, edit)
            for name, locked in edit.locks.items():
                self.lock(item, name, locked)

    def rate_in_batch(self, item: Item, value: float | None) -> None:
        """Rate one item of a batch edit."""
        self.store.rate(item, value, account=OWNER, via="edit")

    def change_tags(self, item: Item, name: str, edit: ItemEdit) -> None:
        """Remove and add tags of one field."""
        gone = {text.casefold() for text in edit.remove.get(name, ())}
        after = [text for text in item.names(name) if text.casefold() not in gone]
        after += edit.add.get(name, ())
        # One of each, as first spelled.
        spelled = {text.casefold(): text for text in reversed(after)}
        self.store.set_tags(item, name, list(spelled.values())[::-1])

    def lock(self, item: Item, name: str, locked: bool) -> None:
        """Lock a field, or unlock it."""
        self.store.set_lock(item, name, locked)
