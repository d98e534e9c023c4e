"""Notices to the person: on the desktop, a phone, or any address that apprise knows.

Off unless WATCH.NOTIFY names where to.  Sending is another thread's work: the watcher never
waits for it, and what cannot be delivered is said once in the watcher's own log.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from importlib.util import find_spec

from plexsheet.errors import UsageError

# What a person would want to know at once; other events stay in the log.
NOTICED = frozenset(
    {"preview", "applied", "failed", "open", "waiting", "disk-full", "unwritable", "stuck"}
)
MOST_WAITING = 50  # notices, while an address does not answer; later ones are dropped
LAST_S = 10.0  # given to what still waits when the watcher ends


class Notices:
    """Sends notices, one after another.

    Args:
        addresses: as apprise writes them: ``dbus://``, ``ntfy://topic``, ``mailto://…``.
        failed: called when an address did not take a notice, from the sending thread.

    Raises:
        UsageError: apprise is not installed, or knows no such address.
    """

    def __init__(self, addresses: Sequence[str], failed: Callable[[], None]) -> None:
        if find_spec("apprise") is None:
            raise UsageError(
                "WATCH.NOTIFY is set, but apprise is not installed, which sends notices. Nothing "
                'was started. Install it with: pip install "plexsheet[notify]"'
            )
        from apprise import Apprise

        self._apprise = Apprise()
        for number, address in enumerate(addresses, 1):
            if not self._apprise.add(address):  # never shown: an address may hold a password
                raise UsageError(
                    f"Address {number} in WATCH.NOTIFY is not one that apprise knows. Nothing was "
                    "started. Write it as apprise does, for example dbus:// or ntfy://topic."
                )
        self._failed = failed
        self._waiting: queue.Queue[str | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._send, name="notices", daemon=True)
        self._thread.start()

    def __call__(self, event: str, text: str) -> None:
        """Send a notice of an event, if it is one that matters."""
        if event in NOTICED and not self._waiting.full():
            self._waiting.put(text)

    def close(self) -> None:
        """Send what still waits, and end."""
        self._waiting.put(None)
        self._thread.join(LAST_S)

    def _send(self) -> None:
        while (text := self._waiting.get()) is not None:
            if not self._apprise.notify(body=text, title="plexsheet"):
                self._failed()
