"""A demo library from which items can be removed, or given another rating key."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from plexsheet.demo.items import Item
from plexsheet.demo.store import Store

Checkpoint = dict[int, tuple[dict[str, Any], dict[str, list[str]], frozenset[str]]]

_WRITTEN = ("rating", "rated_at", "released", "year", "updated_at")


class ChangingStore(Store):
    """A store that loses items, and goes back to how it was."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.next_key = 1 + max((key for items in self.items.values() for key in items), default=0)

    def delete(self, key: int) -> None:
        """Remove an item with what is in it; an album or artist left empty goes too.

        Raises:
            KeyError: there is no such item.
        """
        item = self._need(key)
        self._remove(item)
        parent = item.parent
        if parent is not None:
            parent.children = [child for child in parent.children if child is not item]
            if not parent.children:
                self.delete(parent.key)
        self.version += 1

    def _remove(self, item: Item) -> None:
        for child in item.children:
            self._remove(child)
        for field in list(item.tags or ()):
            self.put_tags(item, field, [])
        if item.guid in self.by_guid:
            self.by_guid[item.guid].remove(item)
        del self.items[item.kind][item.key]

    def rekey(self, key: int, new_key: int | None = None) -> int:
        """Give an item another rating key, as removing and adding a file again does.

        The guid stays where Plex matched the item; ``local://`` guids change with the key.

        Returns:
            The new key.

        Raises:
            KeyError: there is no such item.
        """
        item = self._need(key)
        new = self.next_key if new_key is None else new_key
        self.next_key = max(self.next_key, new + 1)
        del self.items[item.kind][key]
        item.key = new
        self.items[item.kind][new] = item
        item.added_at = item.updated_at = int(self.now())
        for ratings in self.others.values():
            if key in ratings:
                ratings[new] = ratings.pop(key)
        self.version += 1
        return new

    def _need(self, key: int) -> Item:
        item = self.get(key)
        if item is None:
            raise KeyError(key)
        return item

    def checkpoint(self) -> Checkpoint:
        """Ratings, dates, tags and locks of all items, to go back to."""
        with self.lock:
            return {
                item.key: (
                    {name: getattr(item, name) for name in _WRITTEN},
                    {field: item.names(field) for field in item.tags or {}},
                    frozenset(item.locks or ()),
                )
                for items in self.items.values()
                for item in items.values()
            }

    def go_back(self, checkpoint: Checkpoint) -> None:
        """Undo all ratings, dates, tags and locks written since, and forget that they were."""
        with self.lock:
            self.put({key: checkpoint[key] for key in {write.key for write in self.writes}})
            self.writes.clear()
            self.version += 1

    def put(self, checkpoint: Checkpoint) -> None:
        """Make ratings, dates, tags and locks of these items those of the checkpoint."""
        for key, (values, tags, locks) in checkpoint.items():
            item = self._need(key)
            for field in {*tags, *(item.tags or {})}:
                self.put_tags(item, field, tags.get(field, []))
            item.locks = set(locks) or None
            for name, value in values.items():
                setattr(item, name, value)

    def write_dicts(self, changed_only: bool = True) -> list[dict[str, Any]]:
        """The log of writes as plain values."""
        return [
            asdict(w) | {"changed": w.changed} for w in self.writes if w.changed or not changed_only
        ]
