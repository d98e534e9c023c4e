"""Paths of the Plex API to answers; no sockets here."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from plexsheet.demo import meta
from plexsheet.demo.edits import BadEdit, apply_edit, parse_edit, stored_rating
from plexsheet.demo.faults import FaultState
from plexsheet.demo.filters import BadFilter, Param, Queries
from plexsheet.demo.render import SECTION_ID, Options, Renderer, container, element, escape
from plexsheet.demo.store import (
    ALBUM,
    ARTIST,
    HOME,
    KIND_NAMES,
    OWNER,
    TAG_FIELDS,
    TEXTS,
    TRACK,
    Item,
    Store,
    in_album_order,
)

VERSION = "1.41.3.9314-a0bfb8370"
_REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    414: "Request-URI Too Long",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_GO_TO_WEB = (
    "<script>window.location = window.location.href.match(/(^.+\\/)[^\\/]*$/)[1]"
    " + 'web/index.html';</script>"
)


@dataclass(frozen=True)
class Request:
    """A request as the routes need it."""

    method: str
    path: str
    params: tuple[Param, ...]
    headers: dict[str, str]  # names in lower case
    account: int = OWNER

    def get(self, name: str, default: str = "") -> str:
        """The first parameter of that name, else the header."""
        for key, value in self.params:
            if key == name:
                return value
        return self.headers.get(name.lower(), default)

    def flag(self, name: str) -> bool:
        """Whether a parameter is there and not 0."""
        return self.get(name, "0") not in {"", "0"}


@dataclass(frozen=True)
class Response:
    """An answer; an empty body is normal for writes."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/xml;charset=utf-8"


def error(status: int, path: str = "") -> Response:
    """An error as Plex words it, in HTML; on ``/`` a 401 sends browsers to the web app."""
    reason = _REASONS.get(status, "Error")
    script = _GO_TO_WEB if status == 401 and path == "/" else ""
    page = (
        f"<html><head>{script}<title>{reason}</title></head>"
        f"<body><h1>{status} {reason}</h1></body></html>"
    )
    return Response(status, page.encode(), "text/html")


class Refused(Exception):
    """Ends a request with an HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Routes:
    """Answers requests from a store, under its lock."""

    def __init__(self, store: Store, faults: FaultState, title: str, username: str) -> None:
        self.store = store
        self.faults = faults
        self.title = title
        self.username = username
        self.queries = Queries(store)
        self._table: list[tuple[str, re.Pattern[str], Callable[..., Response]]] = []
        self._fill_table()

    def answer(self, request: Request) -> Response:
        """The answer to a request that has been let in."""
        with self.store.lock:
            try:
                return self._route(request)
            except Refused as refusal:
                return error(refusal.status, request.path)
            except (BadFilter, BadEdit):
                return error(400, request.path)

    def _route(self, request: Request) -> Response:
        path = request.path.rstrip("/") or "/"
        for methods, pattern, handler in self._table:
            match = pattern.fullmatch(path)
            if match and request.method in methods.split("|"):
                return handler(request, *match.groups())
        return error(404, path)

    def _fill_table(self) -> None:
        section = rf"/library/sections/{SECTION_ID}"
        routes: Sequence[tuple[str, str, Callable[..., Response]]] = (
            ("GET", "/", self._do_root),
            ("GET", "/identity", self._do_identity),
            ("GET", "/library", self._do_library),
            ("GET", "/library/sections(?:/all)?", self._do_sections),
            ("GET", section, self._do_section),
            ("GET", section + "/all", self._do_listing),
            ("PUT", section + "/all", self._do_batch_edit),
            ("GET", section + "/albums", self._do_albums),
            ("GET", section + "/collections", self._do_collections),
            ("GET", section + "/filters", self._do_filters),
            ("GET", section + "/sorts", self._do_sorts),
            ("GET", section + "/common", self._do_common),
            ("GET|PUT", section + "/refresh", self._do_empty),
            ("GET", section + r"/(\w+)", self._do_choices),
            ("GET", r"/library/metadata/([\d,]+)", self._do_metadata),
            ("PUT", r"/library/metadata/(\d+)", self._do_edit_one),
            ("DELETE", r"/library/metadata/(\d+)", self._do_delete),
            ("GET", r"/library/metadata/(\d+)/children", self._do_children),
            ("GET", r"/library/metadata/(\d+)/allLeaves", self._do_leaves),
            ("PUT", r"/library/metadata/(\d+)/(?:refresh|prefs)", self._do_empty),
            ("GET|PUT", "/:/rate", self._do_rate),
            ("GET|PUT", "/:/(scrobble|unscrobble)", self._do_scrobble),
            ("GET", "/:/prefs", self._do_prefs),
            ("GET", "/activities", self._do_empty),
            ("GET", "/accounts", self._do_accounts),
            ("GET", "/myplex/account", self._do_myplex),
            (
                "GET",
                "/(?:hubs/.*|status/sessions|clients|playlists|devices|butler)",
                self._do_empty,
            ),
        )
        for methods, pattern, handler in routes:
            self._table.append((methods, re.compile(pattern), handler))

    def _owner_only(self, request: Request) -> None:
        if request.account != OWNER or self.faults.now.home_user:
            raise Refused(403)

    # what the server is

    def _do_root(self, request: Request) -> Response:
        values = {
            "size": 3,
            "allowCameraUpload": 0,
            "allowChannelAccess": 1,
            "allowMediaDeletion": 1,
            "allowSharing": 1,
            "allowSync": 1,
            "allowTuners": 1,
            "backgroundProcessing": 1,
            "certificate": 1,
            "companionProxy": 1,
            "countryCode": "usa",
            "diagnostics": "logs,databases,streaminglogs",
            "eventStream": 1,
            "friendlyName": "plexsheet demo",
            "hubSearch": 1,
            "itemClusters": 1,
            "livetv": 7,
            "machineIdentifier": self.store.machine_id,
            "mediaProviders": 1,
            "multiuser": 1,
            "musicAnalysis": 2,
            "myPlex": 1,
            "myPlexMappingState": "mapped",
            "myPlexSigninState": "ok",
            "myPlexSubscription": 1,
            "myPlexUsername": self.username,
            "offlineTranscode": 1,
            "ownerFeatures": "home,loudness,lyrics,music-analysis,pass,radio,server-manager",
            "photoAutoTag": 1,
            "platform": "Linux",
            "platformVersion": "demo",
            "pluginHost": 1,
            "pushNotifications": 0,
            "readOnlyLibraries": 0,
            "streamingBrainABRVersion": 3,
            "streamingBrainVersion": 2,
            "sync": 1,
            "transcoderActiveVideoSessions": 0,
            "transcoderAudio": 1,
            "transcoderLyrics": 1,
            "transcoderPhoto": 1,
            "transcoderSubtitles": 1,
            "transcoderVideo": 1,
            "transcoderVideoBitrates": "64,320,2000,20000",
            "transcoderVideoRemuxOnly": 1,
            "transcoderVideoQualities": "0,1,2,3",
            "transcoderVideoResolutions": "128,240,720,1080",
            "updatedAt": 1_728_000_000,
            "updater": 1,
            "version": VERSION,
            "voiceSearch": 1,
        }
        inside = "".join(
            element("Directory", {"count": 1, "key": key, "title": key})
            for key in ("activities", "butler", "library")
        )
        return _xml(container(values, inside))

    def _do_identity(self, request: Request) -> Response:
        values = {
            "size": 0,
            "claimed": 1,
            "machineIdentifier": self.store.machine_id,
            "version": VERSION,
        }
        return _xml(container(values))

    def _do_library(self, request: Request) -> Response:
        self._owner_only(request)
        directories = "".join(
            element("Directory", {"key": key, "title": title})
            for key, title in (("sections", "Library Sections"), ("onDeck", "On Deck Content"))
        )
        values = _CONTENT | {"size": 2, "allowSync": 0, "title1": "Plex Library"}
        return _xml(container(values, directories))

    def _do_sections(self, request: Request) -> Response:
        values = {
            "allowSync": 1,
            "art": "/:/resources/artist-fanart.jpg",
            "composite": f"/library/sections/{SECTION_ID}/composite/1711858705",
            "filters": 1,
            "refreshing": 0,
            "thumb": "/:/resources/artist.png",
            "key": SECTION_ID,
            "type": "artist",
            "title": self.title,
            "agent": "tv.plex.agents.music",
            "scanner": "Plex Music",
            "language": "en-US",
            "uuid": self.store.section_uuid,
            "updatedAt": 1_728_000_000,
            "createdAt": 1_559_000_000,
            "scannedAt": 1_728_000_000,
            "content": 1,
            "directory": 1,
            "contentChangedAt": 198_267 + self.store.version,
            "hidden": 0,
        }
        location = element("Location", {"id": 1, "path": "/music"})
        inside = element("Directory", values, location)
        return _xml(container({"size": 1, "allowSync": 0, "title1": "Plex Library"}, inside))

    def _do_section(self, request: Request) -> Response:
        keys = ("all", "albums", "genre", "decade", "year", "collection", "recentlyAdded", "folder")
        inside = "".join(element("Directory", {"key": key, "title": key.title()}) for key in keys)
        values = self._section_values() | {"content": "secondary", "size": len(keys)}
        return _xml(container(values, inside))

    def _do_prefs(self, request: Request) -> Response:
        self._owner_only(request)
        settings = (
            ("FriendlyName", "Friendly name", "text", "", "plexsheet demo", "general"),
            ("ButlerStartHour", "Time at which tasks start to run", "int", 2, 2, "butler"),
            ("ButlerEndHour", "Time at which tasks stop running", "int", 5, 5, "butler"),
            ("ButlerTaskBackupDatabase", "Backup database", "bool", "true", "true", "butler"),
            ("allowMediaDeletion", "Allow media deletion", "bool", "true", "true", "library"),
        )
        inside = "".join(
            f'<Setting id="{id_}" label="{label}" summary="" type="{type_}" default="{default}"'
            f' value="{value}" hidden="0" advanced="0" group="{group}" />\n'
            for id_, label, type_, default, value, group in settings
        )
        return _xml(container({"size": len(settings)}, inside))

    def _do_accounts(self, request: Request) -> Response:
        people = ((0, ""), (OWNER, self.username), (HOME, "demo-home"))
        inside = "".join(
            f'<Account id="{id_}" key="/accounts/{id_}" name="{escape(name)}"'
            ' defaultAudioLanguage="en" autoSelectAudio="1" defaultSubtitleLanguage="en"'
            ' subtitleMode="0" thumb="" />\n'
            for id_, name in people
        )
        return _xml(container({"size": 3, "identifier": "com.plexapp.system.accounts"}, inside))

    def _do_myplex(self, request: Request) -> Response:
        values = {
            "username": self.username,
            "mappingState": "mapped",
            "signInState": "ok",
            "subscriptionActive": 1,
            "subscriptionState": "Active",
        }
        return _xml(element("MyPlex", values))

    def _do_empty(self, request: Request) -> Response:
        return _xml(container({"size": 0}))

    # listings

    def _section_values(self) -> dict[str, Any]:
        return _CONTENT | {
            "allowSync": 1,
            "art": "/:/resources/artist-fanart.jpg",
            "librarySectionID": SECTION_ID,
            "librarySectionTitle": self.title,
            "librarySectionUUID": self.store.section_uuid,
            "nocache": 1,
            "thumb": "/:/resources/artist.png",
            "title1": self.title,
        }

    def _renderer(self, request: Request, full: bool = False) -> Renderer:
        options = Options(
            full=full,
            guids=request.flag("includeGuids"),
            skip_elements=frozenset(request.get("excludeElements").split(",")),
            skip_fields=frozenset(request.get("excludeFields").split(",")),
            preferences=request.flag("includePreferences"),
            extras=request.flag("includeExtras") or request.flag("includeRelated"),
            files=request.flag("checkFiles"),
            raw_control=self.faults.now.raw_control,
        )
        return Renderer(self.store, self.title, request.account, options)

    def _page(
        self, request: Request, items: Sequence[Item]
    ) -> tuple[Sequence[Item], dict[str, int]]:
        """The part of a list that is asked for, and the sizes that the answer states."""
        faults = self.faults.now
        limit = request.get("limit")
        if limit.isdigit():
            items = items[: int(limit)]
        start = request.get("X-Plex-Container-Start")
        size = request.get("X-Plex-Container-Size")
        if not (start.isdigit() and size.isdigit()) or faults.no_paging:
            return items, {"size": len(items)}
        first, count = int(start), int(size)
        if faults.short_pages and count:
            count = max(1, count - faults.short_pages)
        if faults.max_page:
            count = min(count, faults.max_page)
        page = items[first : first + count]
        total = len(items)
        if faults.total_drift:
            total = self.faults.drifted(total)
        return page, {"size": len(page), "totalSize": total, "offset": first}

    def _listing(
        self,
        request: Request,
        items: Sequence[Item],
        kind: int,
        values: dict[str, Any],
        head: str = "",
    ) -> Response:
        page, sizes = self._page(request, items)
        shown = sizes | self._section_values() | values | {"viewGroup": KIND_NAMES[kind]}
        return _xml(container(shown, head + self._renderer(request).items(page)))

    def _do_listing(self, request: Request) -> Response:
        kind = _kind(request)
        if kind is None:
            return self._do_collections(request)
        items = self.queries.run(kind, request.params, request.account)
        head = meta.library_meta(kind) if request.flag("includeMeta") else ""
        return self._listing(
            request, items, kind, {"sortAsc": 1, "title2": "All Artists", "viewMode": 65_592}, head
        )

    def _do_albums(self, request: Request) -> Response:
        items = self.queries.run(ALBUM, request.params, request.account)
        return self._listing(
            replace(request, params=(*request.params, ("includeGuids", "1"))),
            items,
            ALBUM,
            {"title2": "By Album", "mixedParents": 1},
        )

    def _do_collections(self, request: Request) -> Response:
        head = meta.collections_meta() if request.flag("includeMeta") else ""
        values = {"size": 0, "totalSize": 0, "offset": 0} | self._section_values()
        return _xml(container(values, head))

    def _do_filters(self, request: Request) -> Response:
        inside = meta.filters(_kind(request) or ARTIST, "Directory")
        return self._secondary(inside, len(meta.FILTERS[_kind(request) or ARTIST]))

    def _do_sorts(self, request: Request) -> Response:
        inside = meta.sorts(_kind(request) or ARTIST, "Directory")
        return self._secondary(inside, len(meta.SORTS[_kind(request) or ARTIST]))

    def _secondary(self, inside: str, size: int, title: str = "") -> Response:
        values = _CONTENT | {
            "size": size,
            "allowSync": 0,
            "art": "/:/resources/artist-fanart.jpg",
            "content": "secondary",
            "nocache": 1,
            "thumb": "/:/resources/artist.png",
            "title1": self.title,
            "title2": title,
            "viewGroup": "secondary",
            "viewMode": 65_592,
        }
        return _xml(container(values, inside))

    def _do_choices(self, request: Request, name: str) -> Response:
        """Values that a filter can take: tags by id, others by value."""
        kind = _kind(request) or ARTIST
        if name in TAG_FIELDS:
            found = [(str(tag.id), tag.name) for tag in self.store.tag_choices(kind, name)]
        elif name in {"year", "decade", "studio", "userRating"}:
            found = self._values(kind, name, request.account)
        elif name == "source":
            found = [("1", self.title)]
        else:
            raise Refused(404)
        inside = "".join(
            element(
                "Directory",
                {
                    "fastKey": f"/library/sections/{SECTION_ID}/all?{name}={key}",
                    "key": key,
                    "title": title,
                    "type": name,
                },
            )
            for key, title in found
        )
        return self._secondary(inside, len(found), f"By {name.capitalize()}")

    def _values(self, kind: int, name: str, account: int) -> list[tuple[str, str]]:
        values: set[Any] = set()
        for item in self.store.items[kind].values():
            if name == "userRating":
                values.add(self.store.rating(item, account)[0])
            elif name == "studio":
                values.add(item.studio or None)
            else:
                year = item.year // 10 * 10 if name == "decade" else item.year
                values.add(year or None)
        return [(str(value), str(value)) for value in sorted(values - {None})]

    # items

    def _do_metadata(self, request: Request, ids: str) -> Response:
        keys = [int(key) for key in ids.split(",") if key]
        limit = self.faults.now.ids_limit
        if limit and len(keys) > limit:
            raise Refused(400)
        found = [item for key in keys if (item := self.store.get(key)) is not None]
        if not found:
            raise Refused(404)
        page, sizes = self._page(request, found)
        if "totalSize" in sizes and len(keys) == 1:
            sizes = {"size": 1}
        values = sizes | _CONTENT | {"allowSync": 1} | self._library_values()
        return _xml(container(values, self._renderer(request, full=True).items(page)))

    def _library_values(self) -> dict[str, Any]:
        names = ("librarySectionID", "librarySectionTitle", "librarySectionUUID")
        values = self._section_values()
        return {name: values[name] for name in names}

    def _do_children(self, request: Request, key: str) -> Response:
        item = self._item(key)
        if item.kind == TRACK:
            raise Refused(404)
        if item.kind == ALBUM:
            return self._listing(
                request, list(in_album_order(item.children)), TRACK, _parent_values(item)
            )
        albums = sorted(item.children, key=lambda album: (album.year, album.key))
        return self._listing(request, albums, ALBUM, _parent_values(item))

    def _do_leaves(self, request: Request, key: str) -> Response:
        item = self._item(key)
        if item.kind == TRACK:
            raise Refused(404)
        albums = [item] if item.kind == ALBUM else item.children
        tracks = [track for album in albums for track in in_album_order(album.children)]
        return self._listing(request, tracks, TRACK, _parent_values(item))

    def _do_common(self, request: Request) -> Response:
        kind = _kind(request) or ARTIST
        items = self.queries.run(kind, request.params, request.account)
        if not items:
            raise Refused(404)
        inside = ""
        mixed = [name for name in TEXTS if len({self.store.field(i, name) for i in items}) > 1]
        for field in TAG_FIELDS:
            each = [{*item.names(field)} for item in items]
            shared = set.intersection(*each)
            mixed += [field] if shared != set.union(*each) else []
            for name in sorted(shared):
                tag = self.store.tag(kind, field, name)
                inside += element(field.capitalize(), {"id": tag.id, "tag": tag.name})
        values = {"type": "common", "mixedFields": ",".join(mixed)}
        values |= {name: self.store.field(items[0], name) for name in TEXTS if name not in mixed}
        shown = self._section_values() | {"size": 1, "title2": "Common"}
        return _xml(container(shown, element("Common", values, inside)))

    def _item(self, key: str) -> Item:
        item = self.store.get(int(key))
        if item is None:
            raise Refused(404)
        return item

    # writes

    def _do_rate(self, request: Request) -> Response:
        key, rating = request.get("key"), request.get("rating")
        try:
            number = int(key.rpartition("/")[2])
            value = float(rating)
            at = int(request.get("ratedAt")) if request.get("ratedAt") else None
        except ValueError:
            raise Refused(400) from None
        in_range = value == -1 or 0 <= value <= 10
        if not in_range or not request.get("identifier") or (at or 0) > self.store.now() + 1:
            raise Refused(400)
        item = self._item(str(number))
        if self.faults.now.refuse_rate:
            raise Refused(403)
        stored = None if value == -1 else stored_rating(value, self.faults.now)
        at = None if self.faults.now.ignore_dates else at
        self.store.rate(item, stored, account=request.account, at=at)
        return _DONE

    def _do_scrobble(self, request: Request, what: str) -> Response:
        if not request.get("key").isdigit():
            raise Refused(400)
        self.store.played(self._item(request.get("key")), 1 if what == "scrobble" else 0)
        return _DONE

    def _do_batch_edit(self, request: Request) -> Response:
        self._owner_only(request)
        edit, rest = parse_edit(request.params)
        kind = _kind(request)
        if kind is None or not (request.get("type") and edit):
            raise Refused(400)
        limit = self.faults.now.ids_limit
        if limit and len(request.get("id").split(",")) > limit:
            raise Refused(400)
        # Without an id this is every item that the filter matches, the whole library
        # included: so does the real server.
        items = list(self.queries.run(kind, [*rest, ("sort", "id")], request.account))
        if not self.faults.now.ignore_batch:
            apply_edit(self.store, items, edit, self.faults.now)
        return _DONE

    def _do_edit_one(self, request: Request, key: str) -> Response:
        self._owner_only(request)
        edit, _ = parse_edit(request.params)
        if not self.faults.now.ignore_batch:
            apply_edit(self.store, [self._item(key)], edit, self.faults.now)
        return _DONE

    def _do_delete(self, request: Request, key: str) -> Response:
        self._owner_only(request)
        self.store.delete(self._item(key).key)
        return _DONE


_DONE = Response(200, b"", "text/html")
_CONTENT = {
    "identifier": "com.plexapp.plugins.library",
    "mediaTagPrefix": "/system/bundle/media/flags/",
    "mediaTagVersion": 1_711_000_000,
}


def _xml(text: str) -> Response:
    return Response(200, text.encode("utf-8", errors="replace"))


def _kind(request: Request) -> int | None:
    """The kind a request asks for, artists if it does not say; None is a collection."""
    text = request.get("type", "8")
    if text in {"8", "9", "10"}:
        return int(text)
    if text == "18":
        return None
    raise Refused(400)


def _parent_values(item: Item) -> dict[str, Any]:
    """What the list of an item's children says about the item."""
    artist = item.at(ARTIST)
    values: dict[str, Any] = {"key": item.key, "viewMode": 65_593}
    if item.kind == ALBUM and artist is not None:
        values |= {
            "art": f"/library/metadata/{artist.key}/art/{artist.updated_at}",
            "grandparentRatingKey": artist.key,
            "grandparentThumb": f"/library/metadata/{artist.key}/thumb/{artist.updated_at}",
            "grandparentTitle": artist.title,
            "parentYear": item.year or "",
        }
    values |= {
        "parentIndex": item.index,
        "parentTitle": item.title,
        "summary": item.summary,
        "thumb": f"/library/metadata/{item.key}/thumb/{item.updated_at}",
        "title1": artist.title if artist else "",
        "title2": item.title,
    }
    return values
