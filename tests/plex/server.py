"""``DemoPlex`` with faults, counts, a gate and remote control; also as a process.

``python -m tests.plex.server`` takes the options of ``plexsheet.demo.server`` and ``--fault
NAME=VALUE``.  ``/demo/…`` (module `control`) lets other processes look and steer; all
other paths answer as Plex does.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import socket
import threading
import time
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from plexsheet.demo import server
from plexsheet.demo.http_server import Handler
from plexsheet.demo.items import KIND_NAMES, KINDS, OWNER
from plexsheet.demo.library import Row
from plexsheet.demo.routes import Request, Response, error
from plexsheet.demo.server import parser, serve
from plexsheet.demo.store import Write
from tests.plex.control import control
from tests.plex.faults import FaultState, Gate
from tests.plex.odd import OddRoutes
from tests.plex.store import ChangingStore

HOME = OWNER + 1  # account id of another user of the home
_LOGIN_PAGE = (
    b"<!DOCTYPE html><html><head><title>Sign in</title><meta charset=utf-8></head>"
    b"<body><form method=post><p>Please sign in<br><input name=user></form></body></html>"
)


class _Dropped(Exception):
    """The connection is to be closed without an answer."""


class FaultyHandler(Handler):
    """One connection, with delays and failures."""

    def reply(self, request: Request, body: bytes) -> None:
        demo: Any = self.server.demo
        try:
            if request.path.startswith("/demo/"):
                self._control(demo, request, body)
            else:
                self._plex(demo, request)
        except _Dropped:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

    def _control(self, demo: DemoPlex, request: Request, body: bytes) -> None:
        if demo.account(request.get("X-Plex-Token")) is None:
            self.send(error(401))
            return
        given: dict[str, Any] = {k: v for k, v in request.params if k != "X-Plex-Token"}
        if body:
            try:
                given |= json.loads(body)
            except ValueError:
                self.send(error(400))
                return
        self.send(control(demo, self.command, request.path, given))

    def _plex(self, demo: DemoPlex, request: Request) -> None:
        call = _call(request)
        chosen = demo.gate.enter(call)
        demo.count(request, self.path)
        response: Response | None = None
        limit = demo.faults.now.url_limit
        known = error(414) if limit and len(self.path) > limit else demo.let_in(request)
        kind = ""
        if isinstance(known, Response):
            response = known
        else:
            kind = demo.faults.verdict(call)
            response = self._before(demo, known, kind)
        what = f"{request.method} {_without_token(self.path)}"
        if response is None:
            assert isinstance(known, Request)
            if chosen and not demo.gate.pause("before", what):
                raise _Dropped
            response = self._answer(demo, known, call)
            if chosen and not demo.gate.pause("after", what):
                raise _Dropped
            response = self._after(demo, response, kind)
        self._send(response, zipped=demo.faults.now.gzip)
        if chosen:
            self.wfile.flush()
            demo.gate.pause("answered", what)

    def _before(self, demo: DemoPlex, request: Request, kind: str) -> Response | None:
        """A failure that happens before Plex would have done anything."""
        if kind == "drop_before":
            raise _Dropped
        if kind == "timeout":
            time.sleep(demo.faults.now.timeout_s)
            raise _Dropped
        if kind == "html":
            return Response(200, _LOGIN_PAGE, "text/html")
        return error(int(kind), request.path) if kind.isdigit() else None

    def _answer(self, demo: DemoPlex, request: Request, call: str) -> Response:
        faults = demo.faults.now
        if call == "read":
            time.sleep((faults.read_ms + demo.tired_ms()) / 1000)
            return demo.routes.answer(request)
        pause_ms = faults.rate_ms
        if call == "edit":
            pause_ms = faults.edit_ms + faults.edit_item_ms * (request.get("id").count(",") + 1)
        with demo.writer:
            demo.wrote_ms += pause_ms
            time.sleep((pause_ms + demo.tired_ms(more=faults.tires_ms)) / 1000)
            demo.idle_since = time.monotonic()
            return demo.routes.answer(request)

    def _after(self, demo: DemoPlex, response: Response, kind: str) -> Response:
        """A failure that happens when Plex has already done its work."""
        if kind == "drop_after":
            raise _Dropped
        if kind == "timeout_after":
            time.sleep(demo.faults.now.timeout_s)
            raise _Dropped
        if kind == "500_after":
            return error(500)
        if kind == "truncated":
            body = (
                response.body or b'<?xml version="1.0" encoding="UTF-8"?>\n<MediaContainer size="'
            )
            return Response(response.status, body[: len(body) * 2 // 3], response.content_type)
        return response

    def _send(self, response: Response, zipped: bool) -> None:
        accepts = "gzip" in self.headers.get("Accept-Encoding", "")
        if not (zipped and accepts and len(response.body) > 500):
            self.send(response)
            return
        squeeze = zlib.compressobj(1, zlib.DEFLATED, 31)
        packed = squeeze.compress(response.body) + squeeze.flush()
        self.send(replace(response, body=packed), "Content-Encoding: gzip")


class DemoPlex(server.DemoPlex):
    """The demo server with everything a test wants to look at or to break."""

    handler = FaultyHandler
    store: ChangingStore

    def __init__(
        self,
        library: str | Path | Iterable[Row] | ChangingStore | None = None,
        *,
        home_token: str | None = None,
        faults: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        """As the base, and more.

        Args:
            library: as the base's, or the store of a server that was closed.
            home_token: that of a second, Home user.
            faults: switches to set at once, by name.
            settings: of the base.
        """
        self.faults = FaultState()
        self.faults.set(faults or {})
        self.gate = Gate()
        self.requests: Counter[str] = Counter()
        self.log: deque[str] = deque(maxlen=20_000)
        self.clients: set[str] = set()  # identifiers that asked, as Plex lists devices
        self.writer = threading.Lock()  # Plex has one writer
        self.wrote_ms = 0.0  # what writing took, had the server never tired
        self.idle_since = time.monotonic()
        self._tired_ms = 0.0
        self._kept = library if isinstance(library, ChangingStore) else None
        token = settings["token"] = settings.get("token") or secrets.token_urlsafe(15)
        self.home_token = home_token or f"{token}-home"
        super().__init__(() if isinstance(library, ChangingStore) else library, **settings)
        self.set_faults()

    def tired_ms(self, more: float = 0.0) -> float:
        """How much slower an answer is after many writes in a row; idle, it recovers."""
        idle_ms = (time.monotonic() - self.idle_since) * 1000
        self._tired_ms = max(0.0, self._tired_ms - idle_ms) + more
        self.idle_since = time.monotonic()
        return self._tired_ms

    def make_store(
        self, rows: Iterable[Row], identity: str, clock: Callable[[], float]
    ) -> ChangingStore:
        self._clock = clock
        return self._kept or ChangingStore(rows, identity=identity, clock=self._now)

    def make_routes(self, title: str, username: str) -> OddRoutes:
        return OddRoutes(self.store, title, username, self.faults)

    def close(self) -> None:
        self.gate.release(apply=False)
        super().close()

    def _now(self) -> float:
        return self._clock() + self.faults.now.clock_offset

    def account(self, token: str) -> int | None:
        """Whose token it is."""
        home = secrets.compare_digest(token.encode(), self.home_token.encode())
        return HOME if home else super().account(token)

    # looking

    @property
    def writes(self) -> list[Write]:
        """Writes that had an effect, oldest first."""
        with self.store.lock:
            return [write for write in self.store.writes if write.changed]

    def reset_requests(self) -> None:
        """Forget the counts and the log of requests."""
        self.requests.clear()
        self.log.clear()

    def ratings(self, kind: str | None = None) -> dict[int, float]:
        """The owner's ratings by rating key, of one kind of item or all."""
        with self.store.lock:
            kinds = [KINDS[kind]] if kind else list(KIND_NAMES)
            found = (item for k in kinds for item in self.store.items[k].values())
            return {item.key: item.rating for item in found if item.rating is not None}

    # steering

    def rate(self, which: int | str, value: float | None, account: int = OWNER) -> int:
        """Rate as the person would in Plex; None clears.  Returns the rating key."""
        with self.store.lock:
            item = self.find(which)
            self.store.rate(item, value, account=account, via="demo")
            return item.key

    def tag(self, which: int | str, field: str, names: Sequence[str]) -> int:
        """Give an item these tags of a field ("mood", "genre", …).  Returns the rating key."""
        with self.store.lock:
            item = self.find(which)
            self.store.set_tags(item, field, list(names), via="demo")
            return item.key

    def delete(self, which: int | str) -> None:
        """Remove an item with all that is in it."""
        with self.store.lock:
            self.store.delete(self.find(which).key)

    def rekey(self, which: int | str) -> int:
        """Give an item a new rating key and return it."""
        with self.store.lock:
            return self.store.rekey(self.find(which).key)

    def set_faults(self, **settings: Any) -> None:
        """Set switches by name; see `faults.Faults`.

        Raises:
            ValueError: no such switch or value.
        """
        self.faults.set(settings)
        with self.store.lock:
            self.store.share_by_guid = self.faults.now.same_guid

    def reset_faults(self) -> None:
        """Switch everything off."""
        self.faults.reset()
        self.set_faults()

    def count(self, request: Request, target: str) -> None:
        """Count a request under its method and path, ids left out."""
        path = re.sub(r"/\d[\d,]*(?=/|$)", "/{id}", request.path)
        kind = request.get("type")
        if path.endswith("/all") and request.method == "GET" and kind:
            path += f"?type={kind}"
        with self.store.lock:
            self.requests[f"{request.method} {path}"] += 1
            self.clients.add(request.headers.get("x-plex-client-identifier", ""))
            self.log.append(f"{request.method} {_without_token(target)}")


def _without_token(target: str) -> str:
    return re.sub(r"(X-Plex-Token=)[^&]*", r"\1…", target)


def _call(request: Request) -> str:
    """What sort of call it is to the faults and the gate: "read", "rate" or "edit"."""
    if request.path.rstrip("/") == "/:/rate":
        return "rate"
    return "read" if request.method in {"GET", "HEAD"} else "edit"


def main() -> int:
    """Serve until interrupted."""
    options = parser()
    options.add_argument("--fault", action="append", default=[], metavar="NAME=VALUE")
    given = vars(options.parse_args())
    faults = dict(fault.partition("=")[::2] for fault in given.pop("fault"))
    return serve(lambda: DemoPlex(faults=faults, **given))


if __name__ == "__main__":
    raise SystemExit(main())
