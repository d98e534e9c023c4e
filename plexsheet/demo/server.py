"""The demo Plex server: HTTP on loopback, a command line, and ``DemoPlex`` for tests.

``python -m plexsheet.demo.server --tracks 2000`` prints ``http://127.0.0.1:PORT
token=VALUE`` once it answers.  ``/demo/…`` (module `control`) lets other processes look
and steer; all other paths answer as Plex does.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import secrets
import signal
import socket
import sys
import threading
import time
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from plexsheet.demo.control import control
from plexsheet.demo.faults import FaultState, Gate
from plexsheet.demo.filters import parse_query
from plexsheet.demo.library import Row, generate, read_tsv
from plexsheet.demo.recording import read_recording
from plexsheet.demo.routes import Request, Response, Routes, error
from plexsheet.demo.store import HOME, KIND_NAMES, KINDS, OWNER, Item, Store, Write

LIBRARY_TITLE = "Music"
_LOGIN_PAGE = (
    b"<!DOCTYPE html><html><head><title>Sign in</title><meta charset=utf-8></head>"
    b"<body><form method=post><p>Please sign in<br><input name=user></form></body></html>"
)


class DemoPlex:
    """A running demo server, usable as a context manager.

    >>> with DemoPlex(tracks=30) as demo:
    ...     demo.rate("Nothing of that name", 8.0)
    Traceback (most recent call last):
    KeyError: 'Nothing of that name'
    """

    def __init__(
        self,
        library: str | Path | Iterable[Row] | None = None,
        *,
        tracks: int = 2000,
        seed: int = 0,
        shared_guids: bool = False,
        port: int = 0,
        token: str | None = None,
        home_token: str | None = None,
        title: str = LIBRARY_TITLE,
        identity: str | None = None,
        username: str = "demo-owner",
        state: str | Path | None = None,
        faults: dict[str, Any] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Load a library and answer at once.

        Args:
            library: a TSV file, the recording of a bug report, or rows; None for a generated one.
            tracks: size of the generated library.
            seed: another seed is another library.
            shared_guids: whether some twins of the generated library share a guid.
            port: 0 for any that is free.
            token: the owner's; made up if None.
            home_token: that of a second, Home user.
            title: the library's name.
            identity: what server id and library UUID are derived from; those of the same
                library are the same by default.
            username: the owner's account name.
            state: a file that keeps what is written, for restarts.
            faults: switches to set at once, by name.
            clock: tells the time in epoch seconds, for whoever wants every run alike.

        Raises:
            ValueError: a broken TSV or an unknown switch.
            OSError: a file cannot be read, or the port is taken.
        """
        if library is None:
            rows: Iterable[Row] = generate(tracks, seed, shared_guids=shared_guids)
            name = f"generated {tracks} {seed}"
        elif isinstance(library, (str, Path)):
            read = read_recording if Path(library).suffix == ".zip" else read_tsv
            rows, name = read(library), Path(library).name
        else:
            rows, name = library, "rows"
        self.token = token or secrets.token_urlsafe(15)
        self.home_token = home_token or f"{self.token}-home"
        self.store = Store(rows, identity=identity or name, state=state, clock=clock)
        self.faults: FaultState = FaultState()
        self.gate = Gate()
        self.routes = Routes(self.store, self.faults, title, username)
        self.requests: Counter[str] = Counter()
        self.log: deque[str] = deque(maxlen=20_000)
        self.writer = threading.Lock()  # Plex has one writer
        self.set_faults(**(faults or {}))
        self._server = _Server(("127.0.0.1", port), self)
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop answering and drop all connections."""
        self.gate.release(apply=False)
        self._server.shutdown()
        self._server.server_close()
        self._server.drop_connections()
        self._thread.join()
        self.store.close()

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

    def find(self, which: int | str) -> Item:
        """An item by rating key, or by title: tracks first, then albums, then artists.

        Raises:
            KeyError: there is none.
        """
        with self.store.lock:
            if isinstance(which, int):
                if (item := self.store.get(which)) is not None:
                    return item
            else:
                for kind in (10, 9, 8):
                    for item in self.store.items[kind].values():
                        if item.title == which:
                            return item
        raise KeyError(which)

    def rating(self, which: int | str, account: int = OWNER) -> float | None:
        """An item's rating, 0-10, None where unrated."""
        with self.store.lock:
            return self.store.rating(self.find(which), account)[0]

    def items(self, kind: str, account: int = OWNER) -> list[dict[str, Any]]:
        """All that is known of the artists, albums or tracks, in order of rating key."""
        with self.store.lock:
            found = self.store.items[KINDS[kind]].values()
            return [self._plain(item, account) for item in sorted(found, key=lambda i: i.key)]

    def ratings(self, kind: str | None = None) -> dict[int, float]:
        """The owner's ratings by rating key, of one kind of item or all."""
        with self.store.lock:
            kinds = [KINDS[kind]] if kind else list(KIND_NAMES)
            found = (item for k in kinds for item in self.store.items[k].values())
            return {item.key: item.rating for item in found if item.rating is not None}

    def _plain(self, item: Item, account: int) -> dict[str, Any]:
        rating, rated_at = self.store.rating(item, account)
        album, artist = item.at(9), item.at(8)
        return {
            "key": item.key,
            "type": KIND_NAMES[item.kind],
            "guid": self.store.guid(item),
            "title": item.title,
            "album": album.title if album else "",
            "albumKey": album.key if album else 0,
            "artist": artist.title if artist else "",
            "artistKey": artist.key if artist else 0,
            "originalTitle": item.original_title,
            "userRating": rating,
            "lastRatedAt": rated_at,
            "rating": item.critic,
            "index": item.index,
            "parentIndex": item.disc,
            "duration": item.duration,
            "year": item.year,
            "originallyAvailableAt": item.released,
            "addedAt": item.added_at,
            "updatedAt": item.updated_at,
            "tags": {field: item.names(field) for field in item.tags or {}},
            "locks": sorted(item.locks or ()),
        }

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
            self.store.clock_offset = self.faults.now.clock_offset
            self.store.share_by_guid = self.faults.now.same_guid

    def reset_faults(self) -> None:
        """Switch everything off."""
        self.faults.reset()
        self.set_faults()

    # one request

    def account(self, token: str) -> int | None:
        """Whose token it is."""
        if secrets.compare_digest(token.encode(), self.token.encode()):
            return OWNER
        if secrets.compare_digest(token.encode(), self.home_token.encode()):
            return HOME
        return None

    def count(self, request: Request, target: str) -> None:
        """Count a request under its method and path, ids left out."""
        path = re.sub(r"/\d[\d,]*(?=/|$)", "/{id}", request.path)
        kind = request.get("type")
        if path.endswith("/all") and request.method == "GET" and kind:
            path += f"?type={kind}"
        with self.store.lock:
            self.requests[f"{request.method} {path}"] += 1
            self.log.append(f"{request.method} {_without_token(target)}")


def _without_token(target: str) -> str:
    return re.sub(r"(X-Plex-Token=)[^&]*", r"\1…", target)


class _Server(ThreadingHTTPServer):
    """Threads that die with the process, and connections that can be dropped."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], demo: DemoPlex) -> None:
        self.demo = demo
        self.open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # The standard one looks the host's name up, which may take seconds.
        socket_address: Any = self.server_address
        self.allow_reuse_address = True
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(socket_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def drop_connections(self) -> None:
        """Cut every connection that is still open."""
        for connection in list(self.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients may be killed at any moment; only our own mistakes are worth a line."""
        if not isinstance(sys.exc_info()[1], (OSError, ValueError)):
            super().handle_error(request, client_address)


class _Dropped(Exception):
    """The connection is to be closed without an answer."""


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Say nothing."""

    def do_GET(self) -> None:
        """Any method: the routes know which are allowed."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        demo = self.server.demo
        request = Request(
            method=self.command,
            path=parts.path,
            params=tuple(parse_query(parts.query)),
            headers={name.lower(): value for name, value in self.headers.items()},
        )
        try:
            if parts.path.startswith("/demo/"):
                self._control(demo, request, body)
            else:
                self._plex(demo, request)
        except _Dropped:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET  # noqa: N815 - the base's names

    def _control(self, demo: DemoPlex, request: Request, body: bytes) -> None:
        if demo.account(request.get("X-Plex-Token")) is None:
            self._send(error(401))
            return
        given: dict[str, Any] = {k: v for k, v in request.params if k != "X-Plex-Token"}
        if body:
            try:
                given |= json.loads(body)
            except ValueError:
                self._send(error(400))
                return
        self._send(control(demo, self.command, request.path, given))

    def _plex(self, demo: DemoPlex, request: Request) -> None:
        call = _call(request)
        chosen = demo.gate.enter(call)
        demo.count(request, self.path)
        response = self._let_in(demo, request)
        kind = demo.faults.verdict(call) if response is None else ""
        if response is None:
            response = self._before(demo, request, kind)
        what = f"{request.method} {_without_token(self.path)}"
        if response is None:
            if chosen and not demo.gate.pause("before", what):
                raise _Dropped
            response = self._answer(demo, request, call)
            if chosen and not demo.gate.pause("after", what):
                raise _Dropped
            response = self._after(demo, response, kind)
        self._send(response, zipped=demo.faults.now.gzip)
        if chosen:
            self.wfile.flush()
            demo.gate.pause("answered", what)

    def _let_in(self, demo: DemoPlex, request: Request) -> Response | None:
        """A refusal by length or token, or None, with the account noted in the request."""
        limit = demo.faults.now.url_limit
        if limit and len(self.path) > limit:
            return error(414)
        account = demo.account(request.get("X-Plex-Token"))
        if account is None and request.path != "/identity":
            return error(401, request.path)
        object.__setattr__(request, "account", account or OWNER)
        return None

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
            time.sleep(faults.read_ms / 1000)
            return demo.routes.answer(request)
        pause_ms = faults.rate_ms
        if call == "edit":
            pause_ms = faults.edit_ms + faults.edit_item_ms * (request.get("id").count(",") + 1)
        with demo.writer:
            time.sleep(pause_ms / 1000)
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

    def _send(self, response: Response, zipped: bool = False) -> None:
        body = response.body
        lines = [
            f"HTTP/1.1 {response.status} {_reason(response.status)}",
            f"Content-Type: {response.content_type}",
            "X-Plex-Protocol: 1.0",
            "Cache-Control: no-cache",
            f"Date: {self.date_time_string(self.server.demo.store.now())}",
        ]
        if zipped and "gzip" in self.headers.get("Accept-Encoding", "") and len(body) > 500:
            squeeze = zlib.compressobj(1, zlib.DEFLATED, 31)
            body = squeeze.compress(body) + squeeze.flush()
            lines.append("Content-Encoding: gzip")
        lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join(lines) + "\r\n\r\n"
        self.wfile.write(head.encode("latin-1") + (body if self.command != "HEAD" else b""))


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _call(request: Request) -> str:
    """What sort of call it is to the faults and the gate: "read", "rate" or "edit"."""
    if request.path.rstrip("/") == "/:/rate":
        return "rate"
    return "read" if request.method in {"GET", "HEAD"} else "edit"


# --- the command line --------------------------------------------------------------------


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m plexsheet.demo.server", description="A demo Plex server on loopback."
    )
    parser.add_argument("--port", type=int, default=0, help="0 for any that is free")
    parser.add_argument(
        "--library", type=Path, help="a TSV file, plain or .gz, or a bug report with a recording"
    )
    parser.add_argument("--tracks", type=int, default=2000, help="size of a generated library")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shared-guids", action="store_true", help="some twins share a guid")
    parser.add_argument("--token", help="the owner's token, made up if not given")
    parser.add_argument("--home-token", help="the token of a second, Home user")
    parser.add_argument("--title", default=LIBRARY_TITLE, help="the library's name")
    parser.add_argument("--identity", help="what server id and library UUID are derived from")
    parser.add_argument("--username", default="demo-owner")
    parser.add_argument("--state", type=Path, help="a file that keeps what is written")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="NAME=VALUE", help="a switch, repeatable"
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted."""
    given = vars(_arguments(arguments))
    faults = dict(fault.partition("=")[::2] for fault in given.pop("fault"))
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        demo = DemoPlex(faults=faults, **given)
    except (ValueError, OSError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    with demo:
        sys.stdout.write(f"{demo.url} token={demo.token}\n")
        sys.stdout.flush()
        stop.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
