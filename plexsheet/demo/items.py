"""Artists, albums and tracks as the server holds them.

Compact on purpose (``__slots__``, one tag object for all its carriers), so that a library
of a million tracks fits.
"""

from __future__ import annotations

ARTIST, ALBUM, TRACK = 8, 9, 10
KIND_NAMES = {ARTIST: "artist", ALBUM: "album", TRACK: "track"}
KINDS = {name: kind for kind, name in KIND_NAMES.items()}
OWNER = 1  # account id

FIRST_KEY = 1001
# Fields whose values are tags, by the name Plex has for them.
TAG_FIELDS = ("genre", "mood", "style", "country", "format", "subformat")


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
        "file",
        "guid",
        "index",
        "key",
        "kind",
        "listeners",
        "locks",
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
        self.guid = self.file = ""
        self.critic: float | None = None
        self.rating: float | None = None  # the owner's, 0-10
        self.children: list[Item] = [] if kind != TRACK else NO_CHILDREN
        self.tags: dict[str, list[Tag]] | None = None
        self.locks: set[str] | None = None

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
