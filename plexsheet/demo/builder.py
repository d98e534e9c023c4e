"""Rows of a library into the items of a store."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from plexsheet.demo.items import ALBUM, ARTIST, FIRST_KEY, TRACK, Item
from plexsheet.demo.library import NO_ALBUM, NO_ARTIST, VARIOUS, Row

if TYPE_CHECKING:
    from plexsheet.demo.store import Store


class Builder:
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
        """Put all rows into the store."""
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
        """One track, and its album and artist where they are new."""
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
        track.file = row.file
        track.guid = row.guid or ("local" if album.guid == "local" else "")
        if row.guid:
            self.explicit[row.guid].append(track)
        if row.moods:
            self.store.put_tags(track, "mood", _split(row.moods))
        album.children.append(track)

    def album(self, credited: str, title: str, row: Row) -> Item:
        """The album of a row, with what the row adds to it."""
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
            self.store.put_tags(artist_, "country", _split(row.country))
        return album

    def artist(self, name: str) -> Item:
        """The artist of that name, made if it is new."""
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
                count_plays(album)
            count_plays(artist)
            if genres:
                self.store.put_tags(artist, "genre", list(genres)[:6])
        shared = {guid: tracks for guid, tracks in self.explicit.items() if len(tracks) > 1}
        self.store.by_guid.update(shared)
        for tracks in shared.values():  # Plex keeps one rating for a guid
            rated = [(t.rating, t.rated_at) for t in tracks if t.rating is not None]
            for track in tracks:
                track.rating, track.rated_at = rated[0] if rated else (None, 0)

    def _album_tags(self, album: Item) -> None:
        if genres := self.genres.get(album):
            self.store.put_tags(album, "genre", list(genres))
        tracks = len(album.children)
        form = "Single" if tracks < 3 else "EP" if tracks < 7 else "Album"
        self.store.put_tags(album, "format", [form])
        if subformats := self.subformats.get(album):
            self.store.put_tags(album, "subformat", list(subformats))


def count_plays(parent: Item) -> None:
    """Give an album or artist the plays and skips of what is in it."""
    parent.views = sum(child.views for child in parent.children)
    parent.skips = sum(child.skips for child in parent.children)
    parent.viewed_at = max((child.viewed_at for child in parent.children), default=0)


def _split(text: str) -> list[str]:
    return [part for part in (piece.strip() for piece in text.split(";")) if part]
