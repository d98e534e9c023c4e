"""What was asked of a server and what it answered, kept while a block of code runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import requests

    from plexsheet.plex.gateway import Gateway


@dataclass(frozen=True)
class Exchange:
    """One request and its answer.

    Attributes:
        method: "GET" or "PUT".
        path: with its query; the token is a header and never part of it.
        status: of the answer.
        took_ms: until its first byte.
        body: of the answer, decoded from UTF-8.
    """

    method: str
    path: str
    status: int
    took_ms: int
    body: str


@contextmanager
def recorded(gateway: Gateway) -> Iterator[list[Exchange]]:
    """Keep every exchange with a server, whole answers in memory, until the block ends."""
    kept: list[Exchange] = []

    def keep(response: requests.Response, *_: Any, **__: Any) -> None:
        address = urlsplit(response.request.url or "")
        path = f"{address.path}?{address.query}" if address.query else address.path
        took_ms = round(response.elapsed.total_seconds() * 1000)
        body = response.content.decode("utf-8", "replace")
        method = str(response.request.method)
        kept.append(Exchange(method, path, response.status_code, took_ms, body))

    hooks: list[Any] = gateway.hooks
    hooks.append(keep)
    try:
        yield kept
    finally:
        hooks.remove(keep)
