"""One music library in memory, and every write that had an effect.

Guids and file names are made up when asked for, so that a library of a million tracks
fits.  Callers hold ``Store.lock`` around reads and writes.
"""

from __future__ import annotations

import hashlib
import threading
import time
import uuid
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from plexsheet.demo.builder import Builder, count_plays
from plexsheet.demo.items import ALBUM, ARTIST, KIND_NAMES, OWNER, TRACK, Item, Tag
from plexsheet.demo.library import Row


@dataclass(frozen=True)
class Write:
    """One write that was carried out; ``before`` equal to ``after`` had no effect."""

    key: int
    kind: str
    title: str
    field: str
    before: Any  # rating or None, text, number, list of tag names, or 0/1 for a lock
    after: Any
    via: str  # "rate", "edit", "demo", or "shared" for a rating that came through a guid
    account: int
    at: float  # epoch seconds

    @property
    def changed(self) -> bool:
        """Whether the item is different now."""
        return bool(self.before != self.after)


class Store:
    """One music library as the server holds it."""

    def __init__(
        self,
        rows: Iterable[Row],
        *,
        identity: str = "demo",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Build the library.

        Args:
            rows: its tracks.
            identity: what server id, library UUID and guids are derived from.
            clock: tells the time in epoch seconds.
        """
        self.clock = clock
        self.lock = threading.RLock()
        self.identity = identity
        self.machine_id = hashlib.sha1(identity.encode(), usedforsecurity=False).hexdigest()
        self.section_uuid = str(uuid.uuid5(uuid.NAMESPACE_OID, f"plexsheet demo {identity}"))
        self.salt = int(self.machine_id[:12], 16)
        self.share_by_guid = True
        self.version = 0  # counts writes
        self.items: dict[int, dict[int, Item]] = {ARTIST: {}, ALBUM: {}, TRACK: {}}
        self.others: dict[int, dict[int, tuple[float, int]]] = {}  # ratings of other accounts
        self.tags: dict[int, Tag] = {}
        self.tag_ids: dict[tuple[int, str, str], Tag] = {}
        self.by_guid: dict[str, list[Item]] = {}
        self.writes: list[Write] = []
        Builder(self).build(rows)

    def now(self) -> float:
        """The server's clock, epoch seconds."""
        return self.clock()

    # reading

    def get(self, key: int) -> Item | None:
        """The item of a rating key."""
        for kind in (TRACK, ALBUM, ARTIST):
            if (item := self.items[kind].get(key)) is not None:
                return item
        return None

    def rating(self, item: Item, account: int = OWNER) -> tuple[float | None, int]:
        """An account's rating of an item, and when it was given (0 if never)."""
        if account == OWNER:
            return item.rating, item.rated_at
        return self.others.get(account, {}).get(item.key, (None, 0))

    def guid(self, item: Item) -> str:
        """The item's guid: given, made up, or ``local://`` where Plex found no match."""
        if item.guid == "local":
            return f"local://{item.key}"
        number = (item.ordinal * 0x9E3779B97F4A7C15F39CC061 + self.salt) % (1 << 96)
        return item.guid or f"plex://{KIND_NAMES[item.kind]}/{number:024x}"

    def file(self, track: Item) -> str:
        """Where the track's file is."""
        if track.file:
            return track.file
        album = track.parent
        artist = album.parent if album else None
        parts = [
            (part.title if part else "")[:80].replace("/", "_") for part in (artist, album, track)
        ]
        disc = f"{track.disc}-" if track.disc > 1 else ""
        return f"/music/{parts[0]}/{parts[1]}/{disc}{track.index:02} - {parts[2]}.flac"

    def tag_choices(self, kind: int, field: str) -> list[Tag]:
        """Tags of a field that some item of the kind carries, by name."""
        tags = [t for t in self.tags.values() if t.kind == kind and t.field == field and t.carriers]
        return sorted(tags, key=lambda tag: tag.name.casefold())

    # writing

    def rate(
        self,
        item: Item,
        value: float | None,
        *,
        account: int = OWNER,
        via: str = "rate",
        at: int | None = None,
        stamp: bool = True,
    ) -> None:
        """Set or clear (None) a rating, for every item with the same guid.

        Args:
            item: what to rate.
            value: 0-10, or None.
            account: whose rating.
            via: how it came, for the log.
            at: epoch seconds to record, now if None.
            stamp: whether ``lastRatedAt`` follows.
        """
        moment = int(self.now()) if at is None else at
        self._rate_one(item, value, account, via, moment, stamp)
        if self.share_by_guid and item.guid in self.by_guid:
            for twin in self.by_guid[item.guid]:
                if twin is not item:
                    self._rate_one(twin, value, account, "shared", moment, stamp)

    def _rate_one(
        self, item: Item, value: float | None, account: int, via: str, moment: int, stamp: bool
    ) -> None:
        before, before_at = self.rating(item, account)
        rated_at = 0 if value is None else (moment if stamp else before_at)
        self._set_rating(item, value, rated_at, account)
        self._log(item, "userRating", before, value, via, account)

    def _set_rating(self, item: Item, value: float | None, rated_at: int, account: int) -> None:
        if account == OWNER:
            item.rating, item.rated_at = value, rated_at
        elif value is None:
            self.others.setdefault(account, {}).pop(item.key, None)
        else:
            self.others.setdefault(account, {})[item.key] = (value, rated_at)

    def played(self, item: Item, times: int = 1) -> None:
        """Count plays of a track up, and those of its album and artist."""
        item.views += times
        item.viewed_at = int(self.now())
        for above in (item.parent, item.parent and item.parent.parent):
            if above is not None:
                count_plays(above)
        self.version += 1

    def set_released(self, item: Item, day: str) -> None:
        """Set an album's release date, YYYY-MM-DD; "" clears."""
        before = item.released
        item.released = day
        item.year = int(day[:4]) if day else item.year
        item.updated_at = int(self.now())
        self._log(item, "originallyAvailableAt", before, day, "edit", OWNER)

    def set_tags(self, item: Item, field: str, names: list[str], via: str = "edit") -> None:
        """Give the item these tags of a field, in this order."""
        before = item.names(field)
        self.put_tags(item, field, names)
        item.updated_at = int(self.now())
        self._log(item, field, before, item.names(field), via, OWNER)

    def put_tags(self, item: Item, field: str, names: list[str]) -> None:
        """The same without a trace: no stamp, no line in the log."""
        tags = list(dict.fromkeys(self.tag(item.kind, field, name) for name in names))
        for tag in (item.tags or {}).get(field, ()):
            tag.carriers -= 1
        for tag in tags:
            tag.carriers += 1
        if item.tags is None:
            item.tags = {}
        item.tags[field] = tags
        if not tags:
            del item.tags[field]

    def tag(self, kind: int, field: str, name: str) -> Tag:
        """The tag of that name, whatever the case of its letters, made if it is new."""
        known = self.tag_ids.get((kind, field, name.casefold()))
        if known is not None:
            if not known.carriers:
                known.name = name
            return known
        # Derived from the name, so that the same library has the same ids.
        number = 10_000 + zlib.crc32(f"{kind}/{field}/{name.casefold()}".encode()) % 9_000_000
        while number in self.tags:
            number += 1
        tag = self.tags[number] = Tag(number, kind, field, name)
        self.tag_ids[kind, field, name.casefold()] = tag
        return tag

    def set_lock(self, item: Item, field: str, locked: bool, via: str = "edit") -> None:
        """Lock a field against metadata refresh, or unlock it."""
        before = field in (item.locks or ())
        locks = set(item.locks or ())
        (locks.add if locked else locks.discard)(field)
        item.locks = locks or None
        if before != locked:
            self._log(item, f"{field}.locked", int(before), int(locked), via, OWNER)

    def _log(self, item: Item, field: str, before: Any, after: Any, via: str, account: int) -> None:
        self.version += 1
        kind = KIND_NAMES[item.kind]
        write = Write(item.key, kind, item.title, field, before, after, via, account, self.now())
        self.writes.append(write)
