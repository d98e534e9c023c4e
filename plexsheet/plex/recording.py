"""What was asked of a server and what it answered, anonymous, while a block of code runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from plexsheet.plex import anonymous

if TYPE_CHECKING:
    import requests

    from plexsheet.plex.gateway import Gateway


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, without anything that tells whose they are.

    Attributes:
        method: "GET" or "PUT".
        path: with its query.
        status: of the answer.
        took_ms: until its first byte.
        body: of the answer; "" where it was no XML.
    """

    method: str
    path: str
    status: int
    took_ms: int
    body: str


@contextmanager
def recorded(gateway: Gateway, mask: anonymous.Mask) -> Iterator[list[Exchange]]:
    """Keep every exchange with a server until the block ends."""
    kept: list[Exchange] = []

    def keep(response: requests.Response, *_: Any, **__: Any) -> None:
        address = urlsplit(response.request.url or "")
        path = f"{address.path}?{address.query}" if address.query else address.path
        kept.append(
            Exchange(
                str(response.request.method),
                anonymous.path(path, mask),
                response.status_code,
                round(response.elapsed.total_seconds() * 1000),
                anonymous.body(response.content.decode("utf-8", "replace"), mask),
            )
        )

    gateway.hooks.append(keep)
    try:
        yield kept
    finally:
        gateway.hooks.remove(keep)
