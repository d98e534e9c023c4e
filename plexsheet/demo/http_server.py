"""HTTP on loopback, for whatever answers requests."""

from __future__ import annotations

import contextlib
import socket
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from plexsheet.demo.filters import parse_query
from plexsheet.demo.routes import Request, Response

if TYPE_CHECKING:
    from plexsheet.demo.server import DemoPlex


class LoopbackServer(ThreadingHTTPServer):
    """Threads that die with the process, and connections that can be dropped."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], demo: DemoPlex, handler: type[Handler]) -> None:
        self.demo = demo
        self.open: set[socket.socket] = set()
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Bind without looking up the host's name, which may take seconds."""
        socket_address: Any = self.server_address
        self.allow_reuse_address = True
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(socket_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection while it is open."""
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that ends."""
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


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: LoopbackServer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Say nothing."""

    def do_GET(self) -> None:
        """Any method: the routes know which are allowed."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            params=tuple(parse_query(parts.query)),
            headers={name.lower(): value for name, value in self.headers.items()},
        )
        self.reply(request, body)

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET  # noqa: N815 - the base's names

    def reply(self, request: Request, body: bytes) -> None:
        """Answer one request; nothing here has a body."""
        demo = self.server.demo
        known = demo.let_in(request)
        self.send(known if isinstance(known, Response) else demo.routes.answer(known))

    def send(self, response: Response, *more: str) -> None:
        """Send an answer, with more header lines."""
        lines = [
            f"HTTP/1.1 {response.status} {_reason(response.status)}",
            f"Content-Type: {response.content_type}",
            "X-Plex-Protocol: 1.0",
            "Cache-Control: no-cache",
            f"Date: {self.date_time_string(self.server.demo.store.now())}",
            *more,
            f"Content-Length: {len(response.body)}",
        ]
        head = "\r\n".join(lines) + "\r\n\r\n"
        body = response.body if self.command != "HEAD" else b""
        self.wfile.write(head.encode("latin-1") + body)


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
