"""What ``plexsheet watch --status`` shows, from another shell or a container's health check.

The watcher writes what it knows into one file, at every event and at least every
``BEAT_S``; whether it runs is asked of its lock, which ends with the process.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from plexsheet.errors import Busy
from plexsheet.files import write_whole
from plexsheet.watching.jobs import read_json

BEAT_S = 30.0
STALE_S = 120.0  # a watcher that beat longer ago than this hangs
LAST = 10  # imports remembered


class OneWatcher:
    """The right to watch a folder."""

    def __init__(self, own: Path) -> None:
        self._own = own
        self._lock = FileLock(own / "lock", blocking=False)

    def take(self) -> None:
        """Take it.

        Raises:
            Busy: another watcher has it.
        """
        try:
            # A moment's patience: whoever asks for the status holds it for that long.
            self._lock.acquire(timeout=0.5, poll_interval=0.05, blocking=True)
        except Timeout as error:
            other = read_json(self._own / "status.json") or {}
            raise Busy(
                f"Another watcher (process {other.get('pid', '?')} on {other.get('host', '?')}, "
                f"since {_when(other.get('started'))}) watches “{self._own.parent}” already. "
                "Nothing was started. See what it does with `plexsheet watch --status`."
            ) from error
        found = (self._own / "lock").stat()
        self._held = (found.st_dev, found.st_ino)

    def lost(self) -> bool:
        """Whether the folder was taken away, the lock with it; also if another came in its place.

        File systems give the number of a removed folder to the next one made.
        """
        try:
            found = (self._own / "lock").stat()
        except OSError:
            return True
        return (found.st_dev, found.st_ino) != self._held

    def release(self) -> None:
        """Give it back."""
        self._lock.release()


class Status:
    """What is going on, in a file."""

    def __init__(self, own: Path, **fixed: Any) -> None:
        self._file = own / "status.json"
        self._written = 0.0
        self._shown: dict[str, Any] = {}
        self.last: list[dict[str, Any]] = []
        self._fixed = {
            "pid": os.getpid(),
            "host": platform.node(),
            "started": time.time(),
        } | fixed
        before = read_json(self._file) or {}
        if isinstance(before.get("last"), list):
            self.last = before["last"][-LAST:]

    def ended(self, job: dict[str, Any]) -> None:
        """Remember how one import ended."""
        self.last = [*self.last, job][-LAST:]

    def show(self, **now: Any) -> None:
        """Write the status if it changed or is old; a full disk is no reason to stop."""
        fields = now | {"last": self.last}
        if fields == self._shown and time.monotonic() - self._written < BEAT_S:
            return
        try:
            text = json.dumps(self._fixed | fields | {"beat": time.time()}, indent=1, default=str)
            write_whole(self._file, text)
        except OSError:
            return
        self._shown, self._written = fields, time.monotonic()


def read_status(own: Path) -> tuple[dict[str, Any], str]:
    """The status last written, and its watcher: ``running``, ``hanging`` or ``stopped``."""
    shown = read_json(own / "status.json") or {}
    if not own.is_dir() or not (own / "lock").exists():
        return shown, "stopped"
    lock = FileLock(own / "lock", blocking=False)
    try:
        lock.acquire()
    except Timeout:
        late = time.time() - float(shown.get("beat", 0.0)) > STALE_S
        return shown, "hanging" if late else "running"
    lock.release()
    return shown, "stopped"


def status_lines(root: Path, shown: dict[str, Any], state: str) -> list[str]:
    """The status for a person, a line each."""
    lines = [f"Folder:  {root}"]
    if state == "running":
        how = f", {shown['looking']}" if shown.get("looking") else ""
        since = _when(shown.get("started"))
        lines.append(f"Watcher: running (process {shown.get('pid')} since {since}{how})")
        lines.append(f"Mode:    {shown.get('mode', '?')}")
        lines.append(f"Plex:    {shown.get('plex', 'not asked yet')}")
        progress = f" ({shown['progress']})" if shown.get("progress") else ""
        lines.append(f"Doing:   {shown.get('doing') or 'waiting for a file'}{progress}")
    elif state == "hanging":
        lines.append(
            f"Watcher: process {shown.get('pid')} runs, but gave no sign since "
            f"{_when(shown.get('beat'))}. End it and start `plexsheet watch` again."
        )
    else:
        lines.append("Watcher: not running. Start it with `plexsheet watch`.")
    queue = shown.get("queue") or []
    lines.append(f"Queue:   {len(queue)} waiting" + (": " + ", ".join(queue[:5]) if queue else ""))
    lines += [f"Open:    {path}" for path in shown.get("open") or []]
    lines.append("Last:" if shown.get("last") else "Last:    none yet")
    lines += [f"  {_when(job.get('time'))}  {job.get('text')}" for job in shown.get("last") or []]
    return lines


def _when(epoch: Any) -> str:
    if not isinstance(epoch, int | float):
        return "?"
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(epoch))


def progress_of(message: Mapping[str, Any]) -> str:
    """How far the worker is.

    >>> progress_of({"stage": "Writing", "done": 1400, "total": 2000})
    'Writing 1,400 of 2,000'
    """
    done, total = int(message.get("done", 0)), int(message.get("total", 0))
    return f"{message['stage']} {done:,} of {total:,}" if total > 1 else str(message["stage"])
