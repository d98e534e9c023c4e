"""Artists, albums and tracks in memory, and every write that had an effect.

Compact on purpose (``__slots__``, one tag object for all its carriers, guids and file
names made up when asked for), so that a library of a million tracks fits.  Callers hold
``Store.lock`` around reads and writes.
"""

from __future__ import annotations

import gc
import hashlib
import json
import threading
import time
import uuid
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from plexsheet.demo.library import NO_ALBUM, NO_ARTIST, VARIOUS, Row

ARTIST, ALBUM, TRACK = 8, 9, 10
KIND_NAMES = {ARTIST: "artist", ALBUM: "album", TRACK: "track"}
KINDS = {name: kind for kind, name in KIND_NAMES.items()}
OWNER, HOME = 1, 2  # account ids

FIRST_KEY = 1001
TAG_FIELDS = (
    "genre",
    "mood",
    "style",
    "collection",
    "label",
    "country",
    "similar",
    "format",
    "subformat",
)

# Plex's name of an editable field -> slot of Item and how its text becomes a value.
TEXTS = {
    "title": "title",
    "titleSort": "title_sort",
    "summary": "summary",
    "originalTitle": "original_title",
    "studio": "studio",
    "originallyAvailableAt": "released",
}
NUMBERS = {
    "addedAt": "added_at",
    "index": "index",
    "parentIndex": "disc",
    "year": "year",
    "viewCount": "views",
}
FLOATS = {"userRating": "rating", "rating": "critic"}
STRUCTURAL = frozenset({"title", "titleSort", "index", "parentIndex", "year", "addedAt"})


class Tag:
    """A genre, mood, ... of one kind of item."""

    __slots__ = ("carriers", "field", "id", "kind", "name")

    def __init__(self, number: int, kind: int, field: str, name: str) -> None:
        self.id = number
        self.kind = kind
        self.field = field
        self.name = name
        self.carriers = 0


class Item:
    """An artist, album or track; 0, None and "" are unknown."""

    __slots__ = (
        "added_at",
        "children",
        "critic",
        "disc",
        "duration",
        "extra",
        "file",
        "guid",
        "index",
        "key",
        "kind",
        "listeners",
        "locks",
        "mbid",
        "ordinal",
        "original_title",
        "parent",
        "rated_at",
        "rating",
        "released",
        "skips",
        "studio",
        "summary",
        "tags",
        "title",
        "title_sort",
        "updated_at",
        "viewed_at",
        "views",
        "year",
    )

    def __init__(self, kind: int, title: str, parent: Item | None) -> None:
        self.kind = kind
        self.title = title
        self.parent = parent
        self.title_sort = _title_sort(title)
        self.key = self.ordinal = 0
        self.index = self.disc = self.year = self.duration = 0
        self.added_at = self.updated_at = self.rated_at = self.viewed_at = 0
        self.views = self.skips = self.listeners = 0
        self.original_title = self.released = self.studio = self.summary = ""
        self.guid = self.mbid = self.file = ""
        self.critic: float | None = None
        self.rating: float | None = None  # the owner's, 0-10
        self.children: list[Item] = [] if kind != TRACK else NO_CHILDREN
        self.tags: dict[str, list[Tag]] | None = None
        self.locks: set[str] | None = None
        self.extra: dict[str, str] | None = None

    def names(self, field: str) -> list[str]:
        """The item's tags of one field."""
        return [tag.name for tag in self.tags.get(field, ())] if self.tags else []

    def at(self, kind: int) -> Item | None:
        """The item itself or the album or artist it belongs to."""
        item: Item | None = self
        while item is not None and item.kind > kind:
            item = item.parent
        return item if item is not None and item.kind == kind else None


NO_CHILDREN: list[Item] = []


def _title_sort(title: str) -> str:
    """What Plex sorts by, "" where that is the title itself.

    >>> _title_sort("The Kettles"), _title_sort("Kettles")
    ('Kettles', '')
    """
    head, _, rest = title.partition(" ")
    return rest if rest and head.lower() in {"the", "a", "an"} else ""


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


Checkpoint = dict[int, tuple[dict[str, Any], dict[str, list[str]], frozenset[str]]]

_WRITTEN = ("rating", "rated_at", "released", "year", "updated_at")


class Store:
    """One music library as the server holds it."""

    def __init__(
        self,
        rows: Iterable[Row],
        *,
        identity: str = "demo",
        state: str | Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Build the library.

        Args:
            rows: its tracks.
            identity: what server id, library UUID and guids are derived from.
            state: a file that keeps what is written, so that a restarted server has it.
            clock: tells the time in epoch seconds.
        """
        self.clock = clock
        self.lock = threading.RLock()
        self.identity = identity
        self.machine_id = hashlib.sha1(identity.encode(), usedforsecurity=False).hexdigest()
        self.section_uuid = str(uuid.uuid5(uuid.NAMESPACE_OID, f"plexsheet demo {identity}"))
        self.salt = int(self.machine_id[:12], 16)
        self.clock_offset = 0.0
        self.share_by_guid = True
        self.version = self.shape = 0  # counts of writes, and of writes that move items in lists
        self.items: dict[int, dict[int, Item]] = {ARTIST: {}, ALBUM: {}, TRACK: {}}
        self.others: dict[int, dict[int, tuple[float, int]]] = {}  # ratings of other accounts
        self.tags: dict[int, Tag] = {}
        self.tag_ids: dict[tuple[int, str, str], Tag] = {}
        self.by_guid: dict[str, list[Item]] = {}
        self.writes: list[Write] = []
        self.next_key = FIRST_KEY
        self._state: TextIO | None = None
        _Builder(self).build(rows)
        if state is not None:
            self._open_state(Path(state))

    def close(self) -> None:
        """Close the state file."""
        if self._state is not None:
            self._state.close()
            self._state = None

    def now(self) -> float:
        """The server's clock, epoch seconds."""
        return self.clock() + self.clock_offset

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

    def mbid(self, item: Item) -> str:
        """The item's MusicBrainz id, "" where unmatched."""
        if item.mbid or item.guid == "local":
            return item.mbid
        number = (item.ordinal * 0x9E3779B97F4A7C15F39CC0605CEDC835 + self.salt) % (1 << 128)
        return str(uuid.UUID(int=number))

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
        record = {"key": item.key, "rating": value, "at": rated_at, "account": account}
        self._remember(record)

    def _set_rating(self, item: Item, value: float | None, rated_at: int, account: int) -> None:
        if account == OWNER:
            item.rating, item.rated_at = value, rated_at
        elif value is None:
            self.others.setdefault(account, {}).pop(item.key, None)
        else:
            self.others.setdefault(account, {})[item.key] = (value, rated_at)

    def set_field(self, item: Item, field: str, value: Any, via: str = "edit") -> None:
        """Set a field by Plex's name; texts that have no place of their own are kept too."""
        before = self.field(item, field)
        self._set_field(item, field, value)
        item.updated_at = int(self.now())
        if field in STRUCTURAL:
            self.shape += 1
        self._log(item, field, before, value, via, OWNER)
        self._remember({"key": item.key, "field": field, "value": value, "at": item.updated_at})

    def field(self, item: Item, field: str) -> Any:
        """A field by Plex's name."""
        slot = TEXTS.get(field) or NUMBERS.get(field) or FLOATS.get(field)
        return getattr(item, slot) if slot else (item.extra or {}).get(field, "")

    @staticmethod
    def _set_field(item: Item, field: str, value: Any) -> None:
        slot = TEXTS.get(field) or NUMBERS.get(field) or FLOATS.get(field)
        if slot:
            setattr(item, slot, value)
        else:
            item.extra = {**(item.extra or {}), field: value}
        if field == "originallyAvailableAt" and value:
            item.year = int(value[:4])
        if field == "titleSort" and value == item.title:
            item.title_sort = ""

    def set_tags(self, item: Item, field: str, names: list[str], via: str = "edit") -> None:
        """Give the item these tags of a field, in this order."""
        before = item.names(field)
        self._set_tags(item, field, names)
        item.updated_at = int(self.now())
        self._log(item, field, before, item.names(field), via, OWNER)
        self._remember({"key": item.key, "tags": field, "names": names, "at": item.updated_at})

    def _set_tags(self, item: Item, field: str, names: list[str]) -> None:
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
        # Derived from the name, so that a restarted server has the same ids.
        number = 10_000 + zlib.crc32(f"{kind}/{field}/{name.casefold()}".encode()) % 9_000_000
        while number in self.tags:
            number += 1
        tag = self.tags[number] = Tag(number, kind, field, name)
        self.tag_ids[kind, field, name.casefold()] = tag
        return tag

    def set_lock(self, item: Item, field: str, locked: bool, via: str = "edit") -> None:
        """Lock a field against metadata refresh, or unlock it."""
        before = field in (item.locks or ())
        self._set_lock(item, field, locked)
        if before != locked:
            self._log(item, f"{field}.locked", int(before), int(locked), via, OWNER)
            self._remember({"key": item.key, "lock": field, "locked": locked})

    @staticmethod
    def _set_lock(item: Item, field: str, locked: bool) -> None:
        locks = set(item.locks or ())
        (locks.add if locked else locks.discard)(field)
        item.locks = locks or None

    def delete(self, key: int) -> None:
        """Remove an item with what is in it; an album or artist left empty goes too.

        Raises:
            KeyError: there is no such item.
        """
        item = self._need(key)
        self._remember({"delete": key})
        self._remove(item)
        parent = item.parent
        if parent is not None:
            parent.children = [child for child in parent.children if child is not item]
            if not parent.children:
                self.delete(parent.key)
        self.version += 1
        self.shape += 1

    def _remove(self, item: Item) -> None:
        for child in item.children:
            self._remove(child)
        for field in list(item.tags or ()):
            self._set_tags(item, field, [])
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
        self._remember({"rekey": key, "to": new})
        self.version += 1
        self.shape += 1
        return new

    def merge(self, items: list[Item], title: str) -> None:
        """Make one artist or album of several, as giving them one title does in Plex."""
        first, *rest = items
        self.set_field(first, "title", title)
        for item in rest:
            for child in item.children:
                child.parent = first
                first.children.append(child)
            item.children = []
            self._log(item, "merged", item.title, str(first.key), "edit", OWNER)
            self.delete(item.key)

    def played(self, item: Item, times: int) -> None:
        """Count plays up by so many, or 0 to forget them all."""
        item.views = item.views + times if times else 0
        item.viewed_at = int(self.now()) if times else 0
        above = item.parent
        while above is not None:
            _count_plays(above)
            above = above.parent
        self.version += 1

    def _need(self, key: int) -> Item:
        item = self.get(key)
        if item is None:
            raise KeyError(key)
        return item

    def _log(self, item: Item, field: str, before: Any, after: Any, via: str, account: int) -> None:
        self.version += 1
        kind = KIND_NAMES[item.kind]
        write = Write(item.key, kind, item.title, field, before, after, via, account, self.now())
        self.writes.append(write)

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
            for key in {write.key for write in self.writes}:
                item = self._need(key)
                values, tags, locks = checkpoint[key]
                for field in {*tags, *(item.tags or {})}:
                    self._set_tags(item, field, tags.get(field, []))
                item.locks = set(locks) or None
                for name, value in values.items():
                    setattr(item, name, value)
            self.writes.clear()
            self.version += 1

    # the state file: one JSON object per line, replayed in order

    def _remember(self, record: dict[str, Any]) -> None:
        if self._state is not None:
            self._state.write(json.dumps(record) + "\n")
            self._state.flush()

    def _open_state(self, path: Path) -> None:
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                if line.endswith("}"):  # the last may be cut short by a kill
                    self._replay(json.loads(line))
            self.writes.clear()
        self._state = path.open("a", encoding="utf-8")

    def _replay(self, record: dict[str, Any]) -> None:
        key = record.get("key") or record.get("delete") or record.get("rekey")
        item = self.get(int(key)) if key else None
        if item is None:
            return
        if "delete" in record:
            self.delete(item.key)
        elif "rekey" in record:
            self.rekey(item.key, record["to"])
        elif "rating" in record:
            self._set_rating(item, record["rating"], record["at"], record["account"])
        elif "lock" in record:
            self._set_lock(item, record["lock"], record["locked"])
        elif "tags" in record:
            self._set_tags(item, record["tags"], record["names"])
            item.updated_at = record["at"]
        else:
            self._set_field(item, record["field"], record["value"])
            item.updated_at = record["at"]

    def write_dicts(self, changed_only: bool = True) -> list[dict[str, Any]]:
        """The log of writes as plain values."""
        return [
            asdict(w) | {"changed": w.changed} for w in self.writes if w.changed or not changed_only
        ]


class _Builder:
    """Rows into items: groups albums and artists, then hands out rating keys."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.artists: dict[str, Item] = {}
        self.albums: dict[tuple[str, str], Item] = {}
        self.genres: dict[Item, dict[str, None]] = defaultdict(dict)
        self.subformats: dict[Item, dict[str, None]] = defaultdict(dict)
        self.explicit: dict[str, list[Item]] = defaultdict(list)
        self.count = 0

    def build(self, rows: Iterable[Row]) -> None:
        # A million small objects: the collector would look at all of them again and again.
        collecting = gc.isenabled()
        gc.disable()
        try:
            for row in rows:
                self.add(row)
            self.finish()
        finally:
            if collecting:
                gc.enable()

    def add(self, row: Row) -> None:
        self.count += 1
        credited = row.album_artist or (VARIOUS if row.compilation else row.artist) or NO_ARTIST
        if row.compilation and row.album_artist == row.artist:
            credited = VARIOUS
        album = self.album(credited, row.album or NO_ALBUM, row)
        track = Item(TRACK, row.track, album)
        track.ordinal = self.count
        track.index, track.disc, track.duration = row.index, row.disc, row.duration_ms
        if row.artist and row.artist != credited:
            track.original_title = row.artist
        track.rating = row.user_rating
        track.added_at = row.added_at or 1_560_000_000 + self.count
        # One in fifty was never refreshed since it came in, and has no updatedAt.
        track.updated_at = (
            track.added_at + 86_400 * (1 + self.count % 300) if self.count % 50 else 0
        )
        if row.user_rating is not None:
            track.rated_at = row.rated_at or 1_650_000_000 + self.count
        track.views, track.skips = row.view_count, row.skip_count
        track.viewed_at = row.last_viewed_at
        track.listeners = row.listeners
        track.mbid, track.file = row.mbid, row.file
        track.guid = row.guid or ("local" if album.guid == "local" else "")
        if row.guid:
            self.explicit[row.guid].append(track)
        if row.moods:
            self.store._set_tags(track, "mood", _split(row.moods))
        album.children.append(track)

    def album(self, credited: str, title: str, row: Row) -> Item:
        album = self.albums.get((credited, title))
        if album is None:
            artist = self.artist(credited)
            album = self.albums[credited, title] = Item(ALBUM, title, artist)
            artist.children.append(album)
            album.index = 1
            album.added_at = row.added_at or 1_560_000_000 + self.count
            album.updated_at = album.added_at + 86_400
            album.ordinal = len(self.albums)
            # About one album in twelve is not matched, nor are its tracks.
            album.guid = "local" if title == NO_ALBUM or len(self.albums) % 12 == 7 else ""
        album.year = album.year or row.year
        album.studio = album.studio or row.studio
        album.released = album.released or row.release_date
        if album.critic is None:
            album.critic = row.critic_rating
        if album.rating is None and row.album_user_rating is not None:
            album.rating, album.rated_at = row.album_user_rating, 1_650_000_000 + self.count
        artist_ = album.parent
        if artist_ is not None and artist_.rating is None and row.artist_user_rating is not None:
            artist_.rating, artist_.rated_at = row.artist_user_rating, 1_650_000_000 + self.count
        if row.genre:
            self.genres[album].update(dict.fromkeys(_split(row.genre)))
        if row.subformat:
            self.subformats[album].update(dict.fromkeys(_split(row.subformat)))
        if row.country and artist_ is not None and not artist_.tags:
            self.store._set_tags(artist_, "country", _split(row.country))
        return album

    def artist(self, name: str) -> Item:
        artist = self.artists.get(name)
        if artist is None:
            artist = self.artists[name] = Item(ARTIST, name, None)
            artist.index = 1
            artist.ordinal = len(self.artists)
            artist.added_at = 1_560_000_000 + self.count
            artist.updated_at = artist.added_at + 86_400
            artist.guid = "local" if name == NO_ARTIST else ""
        return artist

    def finish(self) -> None:
        """Tags of albums and artists, and keys in the order of a scan of the folders."""
        key, items = FIRST_KEY, self.store.items
        for artist in self.artists.values():
            genres: dict[str, None] = {}
            artist.key, items[ARTIST][key] = key, artist
            key += 1
            for album in artist.children:
                album.key, items[ALBUM][key] = key, album
                key += 1
                self._album_tags(album)
                genres.update(self.genres.get(album, {}))
                for track in album.children:
                    track.key, items[TRACK][key] = key, track
                    key += 1
                _count_plays(album)
            _count_plays(artist)
            if genres:
                self.store._set_tags(artist, "genre", list(genres)[:6])
        self.store.next_key = key
        shared = {guid: tracks for guid, tracks in self.explicit.items() if len(tracks) > 1}
        self.store.by_guid.update(shared)

    def _album_tags(self, album: Item) -> None:
        if genres := self.genres.get(album):
            self.store._set_tags(album, "genre", list(genres))
        tracks = len(album.children)
        form = "Single" if tracks < 3 else "EP" if tracks < 7 else "Album"
        self.store._set_tags(album, "format", [form])
        if subformats := self.subformats.get(album):
            self.store._set_tags(album, "subformat", list(subformats))


def _count_plays(parent: Item) -> None:
    parent.views = sum(child.views for child in parent.children)
    parent.skips = sum(child.skips for child in parent.children)
    parent.viewed_at = max((child.viewed_at for child in parent.children), default=0)


def _split(text: str) -> list[str]:
    return [part for part in (piece.strip() for piece in text.split(";")) if part]


def in_album_order(tracks: Iterable[Item]) -> Iterator[Item]:
    """Tracks by disc and number."""
    return iter(sorted(tracks, key=lambda track: (track.disc, track.index, track.key)))
