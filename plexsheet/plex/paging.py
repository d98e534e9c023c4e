"""Long lists page by page: the next page on its way while the last is parsed.

Plex may send fewer items than asked, ignore paging, or move rows while a scan
runs.  So the reader advances by what it received, and a list whose rows are not
unique or do not add up to the announced total is thrown away as a whole
(``Moved``): half a list must never look like a library with ratings cleared.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from plexsheet.errors import PlexBusy, PlexGarbled, PlexUnreachable
from plexsheet.plex.listing import Columns, Page, Unreadable
from plexsheet.plex.wire import Answer, Wire

OnPage = Callable[[int, int], None]  # items done, total

SMALLEST, LARGEST = 100, 5000
QUICK_S, SLOW_S = 1.5, 10.0


@dataclass
class PageSize:
    """How many items to ask for at a time, by how the server has done so far.

    >>> pace = PageSize()
    >>> pace.took(0.2, asked=1000); pace.size
    2000
    """

    size: int = 1000
    largest: int = LARGEST

    def took(self, seconds: float, asked: int) -> None:
        """A page of ``asked`` items came whole in so many seconds."""
        if seconds < QUICK_S:
            self.size = min(max(self.size, 2 * asked), self.largest)
        elif seconds > SLOW_S:
            self.smaller()

    def short(self, received: int) -> None:
        """The server sends no more than ``received`` at a time."""
        self.largest = max(received, SMALLEST)
        self.size = min(self.size, self.largest)

    def smaller(self) -> None:
        """A page failed or was slow: ask for half."""
        self.size = max(self.size // 2, SMALLEST)


class Moved(Exception):
    """The list changed while it was read; says how."""


class _Ahead:
    """A page asked for in a thread that does not outlive the program."""

    def __init__(self, wire: Wire, path: str, start: int, size: int) -> None:
        self.start = start
        self.size = size
        self._open = lambda: wire.open(path, container(start, size))
        self._answer: Answer | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="plexsheet-page", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._answer = self._open()
        except Exception as error:  # noqa: BLE001 - raised again by answer()
            self._error = error

    def answer(self) -> Answer:
        """The answer, once it begins to come."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        assert self._answer is not None
        return self._answer

    def discard(self) -> None:
        """Nobody wants it: give its connection back."""
        self._thread.join()
        if self._answer is not None:
            self._answer.close()


class ListReader:
    """Reads one list into columns.

    Args:
        wire: the server.
        path: of the list, with its query.
        columns: where the items go, after those already there.
        pace: page sizes, shared between lists of one server.
        on_page: told of progress.
        mixed: whether items of other kinds may be in the list, to be passed over.

    Attributes:
        headers: of the first answer.
    """

    def __init__(
        self,
        wire: Wire,
        path: str,
        columns: Columns,
        pace: PageSize,
        on_page: OnPage | None = None,
        *,
        mixed: bool = False,
    ) -> None:
        self.headers: dict[str, str] = {}
        self._wire = wire
        self._path = path
        self._columns = columns
        self._pace = pace
        self._on_page = on_page
        self._mixed = mixed
        self._first_row = len(columns)
        self._clean = False

    def read(self) -> int:
        """Read the whole list; its length.

        Raises:
            Moved: twice in a row it changed while being read.
            PlexError: the child that fits.
        """
        try:
            return self._read_once()
        except Moved:
            self._columns.truncate(self._first_row)
            return self._read_once()

    def window(self, start: int, size: int) -> int:
        """Read so many items from a place in the list on; the length of the whole list.

        Raises:
            PlexError: the child that fits.
        """
        return self._page(_Ahead(self._wire, self._path, start, size)).total

    def _read_once(self) -> int:
        start, total = 0, -1
        ahead: _Ahead | None = None
        try:
            while total < 0 or start < total:
                if ahead is not None and ahead.start != start:
                    ahead.discard()
                    ahead = None
                page_ahead = ahead or self._ask(start)
                following = start + page_ahead.size
                ahead = self._ask(following) if following < total else None
                page = self._page(page_ahead)
                total = self._checked(page, start, total)
                start += page.received
                if self._on_page is not None:
                    self._on_page(start, total)
        finally:
            if ahead is not None:
                ahead.discard()
        keys = self._columns.keys[self._first_row :]
        if len(set(keys)) != len(keys):
            raise Moved("an item was listed twice")
        if start != total or (len(keys) != total and not self._mixed):
            raise Moved(f"{total:,} items were announced, {len(keys):,} came")
        return total

    def _checked(self, page: Page, start: int, total: int) -> int:
        if total not in (-1, page.total):
            raise Moved(f"it held {total:,} items, then {page.total:,}")
        if page.received == 0 and start < page.total:
            raise Moved(f"{page.total:,} items were announced, {start:,} came")
        return page.total

    def _ask(self, start: int) -> _Ahead:
        return _Ahead(self._wire, self._path, start, self._pace.size)

    def _page(self, asked: _Ahead) -> Page:
        """One page, parsed; asked for again, smaller or cleaned, where that may help."""
        row = len(self._columns)
        for pause_s in self._wire.backoff_s:
            try:
                return self._parse(asked)
            except PlexGarbled:
                if self._clean:
                    time.sleep(pause_s)
                self._clean = True  # most often it was a character XML forbids
            except (PlexUnreachable, PlexBusy):
                self._pace.smaller()
                time.sleep(pause_s)
            self._columns.truncate(row)
            asked = self._ask(asked.start)
        return self._parse(asked)

    def _parse(self, asked: _Ahead) -> Page:
        answer = asked.answer()
        page = Page(self._columns, clean=self._clean)
        try:
            for chunk in answer:
                page.feed(chunk)
            page.close()
        except Unreadable as error:
            raise self._wire.garbled(str(error)) from error
        finally:
            answer.close()
        self.headers = self.headers or dict(answer.headers)
        self._pace.took(answer.seconds, asked.size)
        if page.received < asked.size and asked.start + page.received < page.total:
            self._pace.short(page.received)
        return page


def container(start: int, size: int) -> dict[str, str]:
    """Both paging headers: Plex ignores one without the other."""
    return {"X-Plex-Container-Start": str(start), "X-Plex-Container-Size": str(size)}
