"""Paths of the Plex API to answers; no sockets here."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from plexsheet.demo.edits import BadEdit, Editor, parse_edit
from plexsheet.demo.filters import BadFilter, Param, Queries
from plexsheet.demo.items import KIND_NAMES, OWNER, TAG_FIELDS, Item
from plexsheet.demo.render import SECTION_ID, Options, Renderer, container, element
from plexsheet.demo.store import Store

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


class RefusedRequest(Exception):
    """Ends a request with an HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Routes:
    """Answers requests from a store, under its lock."""

    def __init__(self, store: Store, title: str, username: str, editor: Editor) -> None:
        self.store = store
        self.editor = editor
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
            except RefusedRequest as refusal:
                return error(refusal.status, request.path)
            except (BadFilter, BadEdit):
                return error(400, request.path)

    def _route(self, request: Request) -> Response:
        path = request.path.rstrip("/") or "/"
        for method, pattern, handler in self._table:
            match = pattern.fullmatch(path)
            if match and request.method == method:
                return handler(request, *match.groups())
        return error(404, path)

    def _fill_table(self) -> None:
        section = rf"/library/sections/{SECTION_ID}"
        routes: Sequence[tuple[str, str, Callable[..., Response]]] = (
            ("GET", "/", self._do_root),
            ("GET", "/identity", self._do_identity),
            ("GET", "/library", self._do_library),
            ("GET", "/library/sections", self._do_sections),
            ("GET", section + "/all", self._do_listing),
            ("PUT", section + "/all", self._do_batch_edit),
            ("GET", section + r"/(\w+)", self._do_choices),
            ("GET", r"/library/metadata/([\d,]+)", self._do_metadata),
            ("PUT", "/:/rate", self._do_rate),
            ("GET", "/:/scrobble", self._do_scrobble),
            ("GET", "/:/prefs", self._do_prefs),
            ("GET", "/activities", self._do_activities),
        )
        for method, pattern, handler in routes:
            self._table.append((method, re.compile(pattern), handler))

    def owner_only(self, request: Request) -> None:
        """Refuse what only the owner of a server may do."""
        if request.account != OWNER:
            raise RefusedRequest(403)

    def limit_ids(self, count: int) -> None:
        """Refuse a request with more ids than this server takes: here, none."""

    # what the server is

    def _do_root(self, request: Request) -> Response:
        values = _ROOT | {
            "machineIdentifier": self.store.machine_id,
            "myPlexUsername": self.username,
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
        self.owner_only(request)
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

    def _do_prefs(self, request: Request) -> Response:
        self.owner_only(request)
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

    def _do_activities(self, request: Request) -> Response:
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

    def renderer(self, request: Request, full: bool = False) -> Renderer:
        """What turns items into XML for this request."""
        options = Options(
            full=full,
            skip_elements=frozenset(request.get("excludeElements").split(",")),
            skip_fields=frozenset(request.get("excludeFields").split(",")),
        )
        return Renderer(self.store, self.title, request.account, options)

    def page(
        self, request: Request, items: Sequence[Item]
    ) -> tuple[Sequence[Item], dict[str, int]]:
        """The part of a list that is asked for, and the sizes that the answer states."""
        start = request.get("X-Plex-Container-Start")
        size = request.get("X-Plex-Container-Size")
        if not (start.isdigit() and size.isdigit()):  # one without the other is ignored
            return items, {"size": len(items)}
        page = items[int(start) : int(start) + int(size)]
        return page, {"size": len(page), "totalSize": len(items), "offset": int(start)}

    def _do_listing(self, request: Request) -> Response:
        kind = _kind(request)
        items = self.queries.run(kind, request.params, request.account)
        page, sizes = self.page(request, items)
        values = {"sortAsc": 1, "title2": "All Artists", "viewMode": 65_592}
        shown = sizes | self._section_values() | values | {"viewGroup": KIND_NAMES[kind]}
        return _xml(container(shown, self.renderer(request).items(page)))

    def _do_choices(self, request: Request, name: str) -> Response:
        """Tags that a filter can take."""
        if name not in TAG_FIELDS:
            raise RefusedRequest(404)
        tags = self.store.tag_choices(_kind(request), name)
        inside = "".join(
            element(
                "Directory",
                {
                    "fastKey": f"/library/sections/{SECTION_ID}/all?{name}={tag.id}",
                    "key": tag.id,
                    "title": tag.name,
                    "type": name,
                },
            )
            for tag in tags
        )
        values = _CONTENT | {
            "size": len(tags),
            "allowSync": 0,
            "art": "/:/resources/artist-fanart.jpg",
            "content": "secondary",
            "nocache": 1,
            "thumb": "/:/resources/artist.png",
            "title1": self.title,
            "title2": f"By {name.capitalize()}",
            "viewGroup": "secondary",
            "viewMode": 65_592,
        }
        return _xml(container(values, inside))

    # items

    def _do_metadata(self, request: Request, ids: str) -> Response:
        keys = [int(key) for key in ids.split(",") if key]
        self.limit_ids(len(keys))
        found = [item for key in keys if (item := self.store.get(key)) is not None]
        if not found:
            raise RefusedRequest(404)
        page, sizes = self.page(request, found)
        if "totalSize" in sizes and len(keys) == 1:
            sizes = {"size": 1}
        values = sizes | _CONTENT | {"allowSync": 1} | self._library_values()
        return _xml(container(values, self.renderer(request, full=True).items(page)))

    def _library_values(self) -> dict[str, Any]:
        names = ("librarySectionID", "librarySectionTitle", "librarySectionUUID")
        values = self._section_values()
        return {name: values[name] for name in names}

    def _item(self, key: str) -> Item:
        item = self.store.get(int(key))
        if item is None:
            raise RefusedRequest(404)
        return item

    # writes

    def _do_rate(self, request: Request) -> Response:
        key, rating = request.get("key"), request.get("rating")
        try:
            number = int(key.rpartition("/")[2])
            value = float(rating)
            at = int(request.get("ratedAt")) if request.get("ratedAt") else None
        except ValueError:
            raise RefusedRequest(400) from None
        in_range = value == -1 or 0 <= value <= 10
        if not in_range or not request.get("identifier") or (at or 0) > self.store.now() + 1:
            raise RefusedRequest(400)
        item = self._item(str(number))
        self.editor.rate(item, None if value == -1 else value, request.account, at)
        return _DONE

    def _do_scrobble(self, request: Request) -> Response:
        if not request.get("key").isdigit():
            raise RefusedRequest(400)
        self.store.played(self._item(request.get("key")))
        return _DONE

    def _do_batch_edit(self, request: Request) -> Response:
        self.owner_only(request)
        edit, rest = parse_edit(request.params)
        kind = _kind(request)
        if not (request.get("type") and edit):
            raise RefusedRequest(400)
        self.limit_ids(len(request.get("id").split(",")))
        # Without an id this is every item that the filter matches, the whole library
        # included: so does the real server.
        self.editor.apply(self.queries.run(kind, rest, request.account), edit)
        return _DONE


# What a server says of itself, but for its identity and its owner.
_ROOT = {
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
    "mediaProviders": 1,
    "multiuser": 1,
    "musicAnalysis": 2,
    "myPlex": 1,
    "myPlexMappingState": "mapped",
    "myPlexSigninState": "ok",
    "myPlexSubscription": 1,
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

_DONE = Response(200, b"", "text/html")
_CONTENT = {
    "identifier": "com.plexapp.plugins.library",
    "mediaTagPrefix": "/system/bundle/media/flags/",
    "mediaTagVersion": 1_711_000_000,
}


def _xml(text: str) -> Response:
    return Response(200, text.encode("utf-8", errors="replace"))


def _kind(request: Request) -> int:
    """The kind a request asks for, artists if it does not say."""
    text = request.get("type", "8")
    if text not in {"8", "9", "10"}:
        raise RefusedRequest(400)
    return int(text)
