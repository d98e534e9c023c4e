"""What is true of a library whatever plexsheet believes: items by themselves, not by key.

An item is known here by the object in which the demo server keeps it, which plexsheet never
sees: whatever becomes of keys, guids and titles, it stays the same item.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from plexsheet.demo.library import Row
from plexsheet.demo.store import ALBUM, ARTIST, TRACK, Item
from tests.plex.server import DemoPlex

KINDS = (ARTIST, ALBUM, TRACK)
Ratings = dict[Item, float]


def items(plex: DemoPlex, *kinds: int) -> list[Item]:
    """The items of these kinds, of all where none is named, by key."""
    with plex.store.lock:
        found = [item for kind in kinds or KINDS for item in plex.store.items[kind].values()]
    return sorted(found, key=lambda item: item.key)


def ratings(plex: DemoPlex, *kinds: int) -> Ratings:
    """Every rating there is."""
    return {item: item.rating for item in items(plex, *kinds) if item.rating is not None}


def tagged(plex: DemoPlex, name: str = "rating_inferred") -> set[Item]:
    """Items that carry a mood of that name."""
    return {item for item in items(plex) if name in map(str.casefold, item.names("mood"))}


def wrongly(plex: DemoPlex, wanted: Mapping[Item, float | None]) -> list[str]:
    """Where ratings are not as they should be, in words; items not named are not looked at."""
    return [
        f"{item.title}: {item.rating}, not {value}"
        for item, value in wanted.items()
        if item.rating != value
    ]


def later(plex: DemoPlex, seconds: float = 5) -> None:
    """Time goes by, so that what is rated now is newer than what was before."""
    plex.set_faults(clock_offset=plex.faults.now.clock_offset + seconds)


def deal_anew(plex: DemoPlex, share: float = 0.4) -> dict[int, int]:
    """Give every item the key of another, as a database rebuilt from its files does.

    What was scanned first is scanned last: server and section stay, and the same keys are
    there, dates as they were, so that no listing of changes shows it.  Items keep ratings,
    tags and guids; ``local://`` guids go with the key.

    Args:
        plex: the server.
        share: of the artists, how many move to the end.

    Returns:
        Old key to new key.
    """
    store = plex.store
    with store.lock:
        artists = items(plex, ARTIST)
        cut = max(1, int(len(artists) * share))
        order = [one for artist in (*artists[cut:], *artists[:cut]) for one in _within(artist)]
        keys = sorted(item.key for item in order)
        moves = {item.key: new for item, new in zip(order, keys, strict=True)}
        dates = {item: (item.added_at, item.updated_at) for item in order}
        out_of_the_way = {item.key: store.rekey(item.key) for item in order}
        for old, new in moves.items():
            store.rekey(out_of_the_way[old], new)
        for item, (added_at, updated_at) in dates.items():
            item.added_at, item.updated_at = added_at, updated_at
    return moves


def _within(item: Item) -> list[Item]:
    below = sorted(item.children, key=lambda child: child.key)
    return [item, *(one for child in below for one in _within(child))]


def with_copies(rows: Iterable[Row]) -> list[Row]:
    """Rows of which every tenth track shares its guid, and so its rating, with another."""
    found = list(rows)
    for at in range(0, len(found) - 5, 10):
        guid = f"plex://track/{at:024x}"
        rating = found[at].user_rating
        found[at] = found[at]._replace(guid=guid)
        found[at + 5] = found[at + 5]._replace(guid=guid, user_rating=rating)
    return found


def retitle(plex: DemoPlex, item: Item, title: str) -> None:
    """The person puts a title right in Plex."""
    with plex.store.lock:
        item.title, item.updated_at = title, int(plex.store.now())
        plex.store.version += 1


def clear(plex: DemoPlex, which: Sequence[Item] | None = None) -> None:
    """Take ratings and moods away, as a library scanned anew has none."""
    for item in which if which is not None else items(plex):
        if item.rating is not None:
            plex.rate(item.key, None)
        if item.names("mood"):
            plex.tag(item.key, "mood", [])


class Backup:
    """Ratings and moods of a moment, to be put back as a restored database has them."""

    def __init__(self, plex: DemoPlex) -> None:
        self.plex = plex
        self.kept: dict[Item, Any] = {
            item: (item.rating, item.rated_at, item.names("mood")) for item in items(plex)
        }

    def put_back(self) -> None:
        """All as it was, and no date tells that it was changed."""
        with self.plex.store.lock:
            for item, (rating, rated_at, moods) in self.kept.items():
                dates = item.added_at, item.updated_at
                item.rating, item.rated_at = rating, rated_at
                if item.names("mood") != moods:
                    self.plex.store.set_tags(item, "mood", moods, via="demo")
                item.added_at, item.updated_at = dates
            self.plex.store.version += 1
