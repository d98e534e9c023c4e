"""The demo Plex server: HTTP on loopback, answering as Plex does.

``python -m plexsheet.demo.server --tracks 2000`` prints ``http://127.0.0.1:PORT
token=VALUE`` once it answers.
"""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from plexsheet.demo.edits import Editor
from plexsheet.demo.http_server import Handler, LoopbackServer
from plexsheet.demo.items import KIND_NAMES, KINDS, OWNER, Item
from plexsheet.demo.library import Row, generate, read_tsv
from plexsheet.demo.recording import read_recording
from plexsheet.demo.routes import Request, Response, Routes, error
from plexsheet.demo.store import Store

LIBRARY_TITLE = "Music"


class DemoPlex:
    """A running demo server, usable as a context manager.

    >>> with DemoPlex(tracks=30) as demo:
    ...     demo.rating("Nothing of that name")
    Traceback (most recent call last):
    KeyError: 'Nothing of that name'
    """

    handler = Handler

    def __init__(
        self,
        library: str | Path | Iterable[Row] | None = None,
        *,
        tracks: int = 2000,
        seed: int = 0,
        shared_guids: bool = False,
        port: int = 0,
        token: str | None = None,
        title: str = LIBRARY_TITLE,
        identity: str | None = None,
        username: str = "demo-owner",
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
            title: the library's name.
            identity: what server id and library UUID are derived from; those of the same
                library are the same by default.
            username: the owner's account name.
            clock: tells the time in epoch seconds, for whoever wants every run alike.

        Raises:
            ValueError: a broken TSV.
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
        self.store = self.make_store(rows, identity or name, clock)
        self.routes = self.make_routes(title, username)
        self._server = LoopbackServer(("127.0.0.1", port), self, self.handler)
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    def make_store(self, rows: Iterable[Row], identity: str, clock: Callable[[], float]) -> Store:
        """The library served."""
        return Store(rows, identity=identity, clock=clock)

    def make_routes(self, title: str, username: str) -> Routes:
        """What answers requests."""
        return Routes(self.store, title, username, Editor(self.store))

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
        self._server.shutdown()
        self._server.server_close()
        self._server.drop_connections()
        self._thread.join()

    # looking

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

    # one request

    def account(self, token: str) -> int | None:
        """Whose token it is."""
        owner = secrets.compare_digest(token.encode(), self.token.encode())
        return OWNER if owner else None

    def let_in(self, request: Request) -> Request | Response:
        """The request with its account, or the refusal of its token."""
        account = self.account(request.get("X-Plex-Token"))
        if account is None and request.path != "/identity":
            return error(401, request.path)
        return replace(request, account=account or OWNER)


def parser() -> argparse.ArgumentParser:
    """The options of the command line, by the names of ``DemoPlex``'s."""
    options = argparse.ArgumentParser(
        prog="python -m plexsheet.demo.server", description="A demo Plex server on loopback."
    )
    options.add_argument("--port", type=int, default=0, help="0 for any that is free")
    options.add_argument("--library", type=Path, help="a TSV file, or a bug report")
    options.add_argument("--tracks", type=int, default=2000, help="size of a generated library")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--shared-guids", action="store_true", help="some twins share a guid")
    options.add_argument("--token", help="the owner's token, made up if not given")
    options.add_argument("--title", default=LIBRARY_TITLE, help="the library's name")
    options.add_argument("--identity", help="what server id and library UUID are derived from")
    options.add_argument("--username", default="demo-owner")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted."""
    return serve(lambda: DemoPlex(**vars(parser().parse_args(arguments))))


def serve(start: Callable[[], DemoPlex]) -> int:
    """Start a server, print its address and token, and serve until interrupted."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        demo = start()
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
