"""The door to one Plex music library: everything read from it and written to it.

A full read is three paged listings and a handful of filters, never a request per
item.  Writes are one rating (``rate``) or one set of values for many items
(``edit``), each exactly one request that is never repeated here: who writes reads
back, and decides.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.errors import PlexGarbled, PlexNotFound
from plexsheet.library import KINDS, Identity, Kind, Library
from plexsheet.plex import writes
from plexsheet.plex.album_types import fill_years, keep_types, put_type, worthwhile
from plexsheet.plex.answers import Activity, Changes
from plexsheet.plex.listing import RATING_COLUMNS, TYPE, Columns, Unreadable
from plexsheet.plex.paging import ListReader, Moved, OnPage, PageSize, container
from plexsheet.plex.wire import PlexRejected, Wire, server_time
from plexsheet.plex.writes import BatchEdit

Keys = NDArray[np.int64]
Progress = Callable[[str, int, int], None]  # kind, done, total

SOURCES_PAGE = 1000  # tracks with their files and ids in one answer
LAST_RATED = 300  # looked at before an incremental read is believed
READ_IDS = 400  # per many-key request: 7-digit ids make about 3.5 KB
_UNUSED = "Media,Country,Guid,Collection,Label,Image,UltraBlurColors,Similar,Director"
# Servers that know only some of these names leave out those; the reader takes either.
_UNUSED_FIELDS = (
    "summary,tagline,thumb,art,parentThumb,parentArt,grandparentThumb,grandparentArt,"
    "parentGuid,grandparentGuid"
)
# What betrays that an item is not as it was; a skip alone shows at the next full read.
_RATED = "lastRatedAt"
_MOMENTS = (_RATED, "updatedAt", "lastViewedAt")
_ONE_LOOK = 1000  # above so many keys, count the library before choosing how to read them


class Gateway:
    """One music library of one server, as one account sees it.

    Args:
        wire: the connection.
        identity: whose library.
    """

    def __init__(self, wire: Wire, identity: Identity) -> None:
        self.identity = identity
        self._wire = wire
        self._pace = PageSize()
        self._totals: dict[Kind, int] = {}

    @property
    def requests(self) -> int:
        """HTTP requests sent so far, of every sort."""
        return self._wire.requests

    @property
    def server_version(self) -> str:
        """The server's version, as it says."""
        return self.identity.server_version

    @property
    def address(self) -> str:
        """Scheme, host and port; never credentials."""
        return self._wire.address

    @property
    def hooks(self) -> list[Any]:
        """What is called with each answer of the server; see `recording`."""
        return self._wire.hooks

    # Reading

    def read_library(self, progress: Progress | None = None) -> Library:
        """All artists, albums and tracks.

        Args:
            progress: told of each page: kind, items done, items in all.

        Raises:
            PlexGarbled: the library kept changing while it was read.
            PlexError: the child that fits.
        """
        read_at = 0
        tables: dict[Kind, pd.DataFrame] = {}
        for kind in KINDS:
            columns = Columns(kind)
            headers = self._list(kind, (), columns, progress)
            read_at = read_at or server_time(headers)
            tables[kind] = self._frame(columns)
            self._totals[kind] = len(columns)
        self._fill_album_types(tables["album"])
        fill_years(tables["track"], tables["album"])
        return Library(
            self.identity, tables["artist"], tables["album"], tables["track"], read_at=read_at
        )

    def read_changes(
        self, since: int, albums: pd.DataFrame | None = None, ours: Keys | None = None
    ) -> Changes:
        """Items rated, changed, added or played since a time.

        Cleared ratings and deletions never show here; the totals betray them.

        Args:
            since: epoch seconds by the server's clock, inclusive.
            albums: as read earlier.  Those that were not changed since keep their format and
                subformat, which cost a dozen requests.
            ours: albums changed by what we wrote to them, their format and subformat not.

        Raises:
            PlexRejected: this server knows no such filter; read the whole library.
            PlexError: the child that fits.
        """
        read_at = 0
        tables: dict[Kind, pd.DataFrame] = {}
        totals: dict[Kind, int] = {}
        for kind in KINDS:
            changed: list[pd.DataFrame] = []
            for moment in _MOMENTS:
                after = (f"{moment}>>", str(since - 1))
                if changed and self._all_in(changed[0], kind, after, since):
                    continue
                columns = Columns(kind)
                headers = self._list(kind, [after], columns)
                read_at = read_at or server_time(headers)
                changed.append(self._frame(columns))
            both = pd.concat(changed, ignore_index=True).drop_duplicates("key", keep="last")
            tables[kind] = both.sort_values("key", ignore_index=True)
            totals[kind] = self.total(kind)
        if not keep_types(tables["album"], albums, ours):
            self._fill_album_types(tables["album"])
        fill_years(tables["track"], tables["album"])
        return Changes(tables, totals, read_at)

    def _all_in(self, rated: pd.DataFrame, kind: Kind, after: tuple[str, str], since: int) -> bool:
        """Whether what another filter finds is among the items rated since, as after a large run.

        Of few items the list itself costs no more than the question.
        """
        if len(rated) < _ONE_LOOK:
            return False
        found = self._length(kind, [after])  # first: what changes now is found the next time
        both = self._length(kind, [after, (f"{_RATED}>>", str(since - 1))])
        return found == both <= len(rated)  # more: a server that does not join filters

    def rated_since(self, kind: Kind, since: int) -> pd.DataFrame:
        """Items rated since a time; a rating that was cleared never shows here.

        Args:
            kind: of the items.
            since: epoch seconds by the server's clock, inclusive.

        Returns:
            Columns ``key``, ``user_rating`` (0-10), ``last_rated_at``, and those that tell which
            item it is (``RATING_COLUMNS``, as far as the kind has them).

        Raises:
            PlexRejected: this server knows no such filter.
            PlexError: the child that fits.
        """
        columns = Columns(kind, only=RATING_COLUMNS)
        self._list(kind, [(f"{_RATED}>>", str(since - 1))], columns)
        return self._frame(columns)

    def total(self, kind: Kind) -> int:
        """How many items of a kind the library holds; one request, no items."""
        self._totals[kind] = self._length(kind, ())
        return self._totals[kind]

    def last_rated(self, kind: Kind, expected: int) -> tuple[int, pd.DataFrame]:
        """How many items of a kind are rated, and the last of them by key; one request.

        Keys given after a backup was made are the highest ones: it is there that a restored
        database shows other items than before.

        Args:
            kind: of the items.
            expected: how many are thought to be rated.

        Returns:
            Their number, and up to ``LAST_RATED`` of them with ``RATING_COLUMNS``.
        """
        columns, pace = Columns(kind, only=RATING_COLUMNS), PageSize(LAST_RATED, LAST_RATED)
        path = self._listing(kind, [("userRating>>", "0")])
        reader = ListReader(self._wire, path, columns, pace)
        total = reader.window(max(expected - LAST_RATED, 0), LAST_RATED)
        return total, self._frame(columns)

    def read_items(self, kind: Kind, keys: Collection[int] | Keys) -> pd.DataFrame:
        """Full metadata of items, moods and their lock included.

        Returns:
            The columns of ``SCHEMA[kind]``, ``moods`` (tuple of names) and ``mood_locked``,
            one row per key.  Keys that are gone, or of another kind, are absent.
        """
        columns = Columns(kind, details=True)
        for part in _parts(np.unique(np.asarray(list(keys), dtype=np.int64))):
            self._metadata(part, columns)
        return self._frame(columns)

    def read_ratings(self, kind: Kind, keys: Collection[int] | Keys) -> pd.DataFrame:
        """Current ratings of items, by whichever way moves less.

        Returns:
            Columns ``key``, ``user_rating`` (0-10, NaN unrated), ``last_rated_at``, and those that
            tell which item it is (``RATING_COLUMNS``); keys that are gone are absent.
        """
        wanted = np.unique(np.asarray(list(keys), dtype=np.int64))
        columns = Columns(kind, only=RATING_COLUMNS)
        known = self._totals.get(kind)
        if known is None and len(wanted) > _ONE_LOOK:
            known = self.total(kind)
        if known is not None and len(wanted) * 3 > known and len(wanted) > READ_IDS:
            self._list(kind, (), columns)
        else:
            for part in _parts(wanted):
                self._metadata(part, columns)
        frame = self._frame(columns)
        return frame[np.isin(frame["key"].to_numpy(), wanted)].reset_index(drop=True)

    def read_files(self, keys: Collection[int] | Keys) -> dict[int, tuple[str, ...]]:
        """Paths of tracks' files on the server, by rating key; those gone are absent.

        For telling a few candidates apart: it costs a request per hundred tracks.
        """
        files: dict[int, tuple[str, ...]] = {}
        for part in _parts(np.unique(np.asarray(list(keys), dtype=np.int64)), 100):
            path = f"/library/metadata/{','.join(map(str, part))}?skipRefresh=1&checkFiles=0"
            try:
                answer = self._wire.get(path, container(0, len(part)))
            except PlexNotFound:
                continue  # none of them is there
            for track in answer.iter("Track"):
                found = tuple(piece.get("file", "") for piece in track.iter("Part"))
                files[int(track.get("ratingKey", "0"))] = found
        return files

    def read_sources(
        self, *, files: bool, ids: bool, progress: Callable[[int, int], None] | None = None
    ) -> dict[int, tuple[tuple[str, ...], tuple[str, ...]]]:
        """Paths and MusicBrainz ids of all tracks, by rating key, in one listing.

        Args:
            files: whether paths are wanted; without them the answers are smaller.
            ids: whether ids are wanted.
            progress: told of tracks done and tracks in all.

        Raises:
            PlexError: the child that fits.
        """
        unused = [n for n in (*_UNUSED.split(","), "Genre", "Mood") if n not in ("Media", "Guid")]
        unused += [name for name, wanted in (("Media", files), ("Guid", ids)) if not wanted]
        query = urlencode(
            {"type": TYPE["track"], "sort": "id", "includeGuids": int(ids),
             "excludeElements": ",".join(unused), "excludeFields": _UNUSED_FIELDS}
        )  # fmt: skip
        path = f"/library/sections/{self.identity.section_id}/all?{query}"
        found: dict[int, tuple[tuple[str, ...], tuple[str, ...]]] = {}
        start, total = 0, 1
        while start < total:
            answer = self._wire.get(path, container(start, SOURCES_PAGE))
            total = int(answer.get("totalSize", answer.get("size", "0")))
            tracks = answer.findall("Track")
            for track in tracks:
                parts = tuple(part.get("file", "") for part in track.iter("Part"))
                guids = [guid.get("id", "") for guid in track.iter("Guid")]
                mbids = tuple(g.removeprefix("mbid://") for g in guids if g.startswith("mbid://"))
                found[int(track.get("ratingKey", "0"))] = (parts, mbids)
            start += len(tracks)
            if not tracks:
                break
            if progress is not None:
                progress(start, total)
        return found

    def tag_ids(self, kind: Kind) -> dict[str, tuple[str, int]]:
        """Moods of a kind: case-folded name to the name as stored and its id.

        The same name has another id for each kind.
        """
        return {name.casefold(): (name, number) for number, name in self._choices(kind, "mood")}

    def carriers(self, kind: Kind, tag_name: str) -> Keys:
        """Rating keys of all items with a mood; empty where no item ever had it."""
        known = self.tag_ids(kind).get(tag_name.casefold())
        return self._filtered(kind, "mood", known[1]) if known else np.empty(0, dtype=np.int64)

    def activities(self) -> list[Activity]:
        """What the server is busy with."""
        return [
            Activity(
                title=a.get("title", ""),
                subtitle=a.get("subtitle", ""),
                type=a.get("type", ""),
                percent=int(a.get("progress", "-1")),
            )
            for a in self._wire.get("/activities").iter("Activity")
        ]

    def butler_hours(self) -> tuple[int, int] | None:
        """Hours of the day, by the server's clock, of its nightly upkeep; None unknown.

        Raises:
            PlexForbidden: only the owner may ask.
        """
        settings = {s.get("id"): s.get("value") for s in self._wire.get("/:/prefs").iter("Setting")}
        start, end = settings.get("ButlerStartHour"), settings.get("ButlerEndHour")
        if start is None or end is None or not (start + end).isdigit():
            return None
        return int(start), int(end)

    # Writing

    def rate(self, key: int, rating: float, rated_at: int = 0) -> None:
        """Rate one item, as a click on its stars does.

        Args:
            key: rating key.
            rating: above 0 up to 10; NaN clears.
            rated_at: epoch seconds when it was given, 0 for now; servers may ignore it.

        Raises:
            PlexError: the child that fits; the request is not repeated.
        """
        self._wire.put(writes.rate_path(int(key), rating, rated_at))

    def edit(
        self,
        kind: Kind,
        keys: Collection[int] | Keys,
        *,
        rating: float | None = None,
        tags_add: tuple[str, ...] = (),
        tags_remove: tuple[str, ...] = (),
        tags_all: tuple[str, ...] | None = None,
        mood_locked: bool = False,
        released: str | None = None,
        released_locked: bool = True,
    ) -> None:
        """Give many items one set of values, in one request.

        Args:
            kind: of all the items.
            keys: rating keys, at least one and no more than ``fits``.
            rating: above 0 up to 10; NaN clears; None leaves it alone.
            tags_add: moods to put on.
            tags_remove: moods to take off, as Plex spells them.
            tags_all: all moods the items shall have, where this server replaces on adding.
            mood_locked: the lock found on the moods, kept so.  Sent only with tags.
            released: albums: YYYY-MM-DD, "" clears.
            released_locked: keeps agents from changing the date back.

        Raises:
            ValueError: no keys, too many for one request, or nothing to change.
            PlexRejected: Plex would not take a request of this form; halve it.
            PlexForbidden: the account may only rate.
            PlexError: the child that fits; the request is not repeated.
        """
        edit = BatchEdit(
            rating, tags_add, tags_remove, tags_all, mood_locked, released, released_locked
        )
        path = writes.edit_path(self.identity.section_id, kind, list(keys), edit)
        if not writes.fits(path, len(keys), self._wire.base_url):
            raise ValueError(f"{len(keys)} items are too many for one request; use chunks()")
        self._wire.put(path)

    def chunks(self, kind: Kind, keys: Keys, edit: BatchEdit) -> Iterator[Keys]:
        """Keys in as few parts as one request each can carry (200 ids, 4,000 characters)."""
        return writes.chunks(self.identity.section_id, kind, keys, edit, self._wire.base_url)

    def fits(self, kind: Kind, keys: Keys, edit: BatchEdit) -> bool:
        """Whether one request can carry an edit of so many items."""
        path = writes.edit_path(self.identity.section_id, kind, keys, edit)
        return writes.fits(path, len(keys), self._wire.base_url)

    # Pieces

    def _list(
        self,
        kind: Kind,
        filters: Sequence[tuple[str, str]],
        columns: Columns,
        progress: Progress | None = None,
    ) -> dict[str, str]:
        """A listing into columns; the headers of its first answer."""
        on_page: OnPage | None = None
        if progress is not None:
            tell = progress
            on_page = lambda done, total: tell(kind, done, total)  # noqa: E731 - binds the kind
        if kind != "track":  # few attributes and no files: half the size
            self._pace.size = min(max(self._pace.size, 2000), self._pace.largest)
        reader = ListReader(self._wire, self._listing(kind, filters), columns, self._pace, on_page)
        self._read(reader, f"{kind}s")
        return reader.headers

    def _read(self, reader: ListReader, what: str) -> None:
        try:
            reader.read()
        except Moved as moved:
            raise PlexGarbled(
                f"The {what} of “{self.identity.title}” changed while they were read, twice: "
                f"{moved}. {self._wire.done} Wait until Plex has finished scanning, then run "
                "the command again."
            ) from moved

    def _listing(self, kind: Kind, filters: Sequence[tuple[str, str]]) -> str:
        unused = _UNUSED if kind != "track" else f"{_UNUSED},Genre"
        trim = {"includeGuids": "0", "excludeElements": unused, "excludeFields": _UNUSED_FIELDS}
        query = urlencode([("type", str(TYPE[kind])), *filters, ("sort", "id"), *trim.items()])
        return f"/library/sections/{self.identity.section_id}/all?{query}"

    def _length(self, kind: Kind, filters: Sequence[tuple[str, str]]) -> int:
        answer = self._wire.get(self._listing(kind, filters), container(0, 0))
        return int(answer.get("totalSize", answer.get("size", "0")))

    def _filtered(self, kind: Kind, tag: str, number: int) -> Keys:
        columns = Columns(kind, only=("key",))
        self._list(kind, [(tag, str(number))], columns)
        return np.array(columns.keys, dtype=np.int64)

    def _metadata(self, keys: list[int], columns: Columns) -> None:
        """Full metadata of at most ``READ_IDS`` items into columns."""
        ids = ",".join(map(str, keys))
        trim = {"skipRefresh": "1", "checkFiles": "0", "includeGuids": "0"}
        trim |= {"excludeElements": f"{_UNUSED},Style", "excludeFields": _UNUSED_FIELDS}
        path = f"/library/metadata/{ids}?{urlencode(trim)}"
        pace = PageSize(len(keys), len(keys))
        try:
            self._read(ListReader(self._wire, path, columns, pace, mixed=True), "items")
        except (PlexNotFound, PlexRejected) as error:
            # One that is gone may take the others with it, or they were too many: by halves.
            if len(keys) > 1:
                self._metadata(keys[: len(keys) // 2], columns)
                self._metadata(keys[len(keys) // 2 :], columns)
            elif isinstance(error, PlexRejected):
                raise

    def _choices(self, kind: Kind, field: str) -> list[tuple[int, str]]:
        path = f"/library/sections/{self.identity.section_id}/{field}?type={TYPE[kind]}"
        try:
            answer = self._wire.get(path)
        except (PlexNotFound, PlexRejected):
            return []  # an older server without this filter
        return [
            (int(choice.get("key", "0")), choice.get("title", ""))
            for choice in answer
            if choice.get("key", "").isdigit()
        ]

    def _fill_album_types(self, albums: pd.DataFrame) -> None:
        """Format (Album, EP, Single) and subformat (Live, ...): listings do not carry them."""
        for number, name in worthwhile(self._choices("album", "subformat")):
            put_type(albums, "subformat", self._filtered("album", "album.subformat", number), name)
        formats = self._choices("album", "format")
        for number, name in formats:
            if name != "Album":
                put_type(albums, "format", self._filtered("album", "album.format", number), name)
        if any(name == "Album" for _, name in formats):
            # What Plex matched and holds for neither EP nor single it holds for an album.
            matched = albums["guid"].str.startswith("plex://") & (albums["format"] == "")
            albums.loc[matched, "format"] = "Album"

    def _frame(self, columns: Columns) -> pd.DataFrame:
        try:
            return columns.frame()
        except Unreadable as error:
            raise self._wire.garbled(str(error)) from error


def _parts(keys: Keys, size: int = READ_IDS) -> Iterator[list[int]]:
    numbers = keys.tolist()
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]
