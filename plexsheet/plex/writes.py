"""What is sent to Plex to change something, as text (pure).

One batch edit gives one set of values to many items:
``PUT /library/sections/{id}/all?type=10&id=1,2,3&userRating.value=8&userRating.locked=0``.
Without ``id`` Plex would edit the whole library, so no query is made from an empty
list; ``title.value`` is never sent, since it merges albums and artists.

Source: Plex Media Server API 1.2.2 (developer.plex.tv) and the requests of plexapi.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import numpy as np
from numpy.typing import NDArray

from plexsheet.library import Kind
from plexsheet.plex.listing import TYPE

MOST_IDS = 200
MOST_CHARACTERS = 4000  # reverse proxies often end a request line at 8 KB


@dataclass(frozen=True)
class BatchEdit:
    """The values one batch edit gives to its items.

    Attributes:
        rating: 0-10; NaN clears, None leaves it alone.
        tags_add: moods to put on, beside those that are there.
        tags_remove: moods to take off.
        tags_all: every mood the items shall have; for servers where adding replaces.
        mood_locked: the lock the moods have and keep.  Sent only with tags.
        released: albums only: YYYY-MM-DD, "" clears, None leaves it alone.
        released_locked: keeps Plex's agents from changing the date back.
    """

    rating: float | None = None
    tags_add: tuple[str, ...] = ()
    tags_remove: tuple[str, ...] = ()
    tags_all: tuple[str, ...] | None = None
    mood_locked: bool = False
    released: str | None = None
    released_locked: bool = True

    def fields(self, kind: Kind) -> list[tuple[str, str]]:
        """Names and values as they stand in the query.

        Raises:
            ValueError: nothing to change, a value off the scale, a tag both added and
                removed, a date of something else than an album.
        """
        fields: list[tuple[str, str]] = []
        if self.rating is not None:
            fields += [("userRating.value", rating_text(self.rating)), ("userRating.locked", "0")]
        fields += self._tags()
        if self.released is not None:
            fields += self._date(kind)
        if not fields:
            raise ValueError("an edit without a change")
        return fields

    def _tags(self) -> list[tuple[str, str]]:
        if self.tags_all is not None and self.tags_add:
            raise ValueError("tags_all and tags_add exclude each other")
        wanted = self.tags_add if self.tags_all is None else self.tags_all
        on, off = ({name.casefold() for name in names} for names in (wanted, self.tags_remove))
        if on & off:
            raise ValueError(f"added and removed at once: {sorted(on & off)}")
        if not all(name.strip() for name in (*wanted, *self.tags_remove)):
            raise ValueError("a tag without a name")
        fields = [(f"mood[{i}].tag.tag", name) for i, name in enumerate(wanted)]
        if self.tags_remove:
            # Commas separate, so names are encoded once more inside the value.
            names = ",".join(quote(name, safe="") for name in self.tags_remove)
            fields.append(("mood[].tag.tag-", names))
        return [*fields, ("mood.locked", f"{self.mood_locked:d}")] if fields else []

    def _date(self, kind: Kind) -> list[tuple[str, str]]:
        assert self.released is not None
        if kind != "album":
            raise ValueError(f"Plex keeps no release date of a {kind}")
        if not re.fullmatch(r"(\d{4}-\d\d-\d\d)?", self.released):
            raise ValueError(f"not a date: {self.released!r}")
        locked = f"{self.released_locked and self.released != '':d}"
        return [
            ("originallyAvailableAt.value", self.released),
            ("originallyAvailableAt.locked", locked),
        ]


def rating_text(rating: float) -> str:
    """A rating 0-10 as Plex takes it in an edit; NaN is the empty text, which clears.

    Raises:
        ValueError: not above 0 and up to 10.

    >>> rating_text(8.0), rating_text(7.3600001), rating_text(math.nan)
    ('8', '7.36', '')
    """
    if math.isnan(rating):
        return ""
    if not 0 < rating <= 10:
        raise ValueError(f"not a rating: {rating}")
    return f"{rating:.4f}".rstrip("0").rstrip(".")


def rate_path(key: int, rating: float, rated_at: int = 0) -> str:
    """The request that rates one item; NaN clears.

    Args:
        key: rating key.
        rating: above 0 up to 10; NaN clears.
        rated_at: epoch seconds when it was given, 0 for now.

    >>> rate_path(7, 7.5)
    '/:/rate?key=7&identifier=com.plexapp.plugins.library&rating=7.5'
    >>> rate_path(7, math.nan).partition("rating=")[2]
    '-1'
    >>> rate_path(7, 8, 1330837567).partition("rating=")[2]
    '8&ratedAt=1330837567'

    Raises:
        ValueError: no item, or not a rating.
    """
    if key <= 0:
        raise ValueError(f"not a rating key: {key}")
    value = rating_text(rating) or "-1"
    when = f"&ratedAt={rated_at}" if rated_at > 0 else ""
    return f"/:/rate?key={key}&identifier=com.plexapp.plugins.library&rating={value}{when}"


def edit_path(
    section: int, kind: Kind, keys: Sequence[int] | NDArray[np.int64], edit: BatchEdit
) -> str:
    """The request that edits many items at once.

    >>> edit_path(1, "track", [5, 6], BatchEdit(rating=7.36))
    '/library/sections/1/all?type=10&id=5,6&userRating.value=7.36&userRating.locked=0'

    Raises:
        ValueError: no items, a key that is none, or an edit that cannot be.
    """
    ids = [int(key) for key in keys]
    if not ids:
        raise ValueError("an edit without items would edit the whole library")
    if min(ids) <= 0:
        raise ValueError(f"not a rating key: {min(ids)}")
    fields = urlencode(edit.fields(kind))
    joined = ",".join(map(str, ids))
    return f"/library/sections/{section}/all?type={TYPE[kind]}&id={joined}&{fields}"


def fits(path: str, ids: int, base_url: str = "") -> bool:
    """Whether one request can carry so many ids and characters."""
    return ids <= MOST_IDS and len(base_url) + len(path) <= MOST_CHARACTERS


def chunks(
    section: int, kind: Kind, keys: NDArray[np.int64], edit: BatchEdit, base_url: str = ""
) -> Iterator[NDArray[np.int64]]:
    """Keys in as few parts as fit one request each.

    Raises:
        ValueError: as ``edit_path``, or the edit alone is too long for one item.
    """
    if len(keys) == 0:
        return
    bare = len(edit_path(section, kind, [1], edit)) - 1  # everything but the ids
    room = MOST_CHARACTERS - len(base_url) - bare
    widths = np.array([len(str(key)) for key in keys.tolist()], dtype=np.int64)
    if widths.max() > room:
        raise ValueError("one item with these tags is more than a request can carry")
    start, used = 0, -1
    for row, width in enumerate(widths.tolist()):
        if row - start == MOST_IDS or used + 1 + width > room:
            yield keys[start:row]
            start, used = row, -1
        used += 1 + width
    yield keys[start:]
