"""One writer at a time, and who it is.

The lock is the operating system's, so it ends with the process that holds it, however
that process dies.  Beside it lies a small file that says who holds it and since when, for
the sentence a second plexsheet prints; that file alone never keeps anybody out.
"""

from __future__ import annotations

import json
import os
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from plexsheet.errors import Busy, StateError


@dataclass(frozen=True)
class Holder:
    """Who writes, and since when.

    Attributes:
        pid: its process, on ``host``.
        purpose: the command it runs.
        since: epoch seconds.
    """

    pid: int
    host: str
    purpose: str
    since: float

    @property
    def alive(self) -> bool:
        """Whether the process still runs; one on another machine counts as running."""
        if self.host != platform.node() or os.name == "nt":  # there, signal 0 is not a question
            return True
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except OSError:
            return True
        return True

    def __str__(self) -> str:
        started = time.strftime("%H:%M:%S on %Y-%m-%d", time.localtime(self.since))
        return f"“plexsheet {self.purpose}” (process {self.pid} on {self.host}, since {started})"


class WriterLock:
    """The right to write to Plex and to the state; a context manager, nestable in one process.

    Args:
        state: the state database; the lock is ``<state>.lock``, the holder ``<state>.holder``.
    """

    def __init__(self, state: Path) -> None:
        self._path = state.with_name(state.name + ".lock")
        self._holder = state.with_name(state.name + ".holder")
        self._lock: BaseFileLock = FileLock(self._path, thread_local=False)
        self._depth = 0

    def acquire(self, purpose: str) -> None:
        """Take the lock, or add one more hold if this object has it already.

        Raises:
            Busy: another process has it.
            StateError: the folder cannot be written to.
        """
        if self._depth == 0:
            self._take()
            self._tell(Holder(os.getpid(), platform.node(), purpose, time.time()))
        self._depth += 1

    def release(self) -> None:
        """Give one hold back; the last one frees the lock."""
        self._depth -= 1
        if self._depth == 0:
            self._holder.unlink(missing_ok=True)
            self._lock.release()

    def holder(self) -> Holder | None:
        """Who says they hold it; None when nobody does, or it cannot be read."""
        try:
            return Holder(**json.loads(self._holder.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _take(self) -> None:
        try:
            try:
                self._lock.acquire(timeout=0)
            except NotImplementedError:  # a file system without locks: a file has to do
                self._lock = SoftFileLock(self._path, thread_local=False)
                holder = self.holder()
                if holder is not None and not holder.alive:
                    self._path.unlink(missing_ok=True)
                self._lock.acquire(timeout=0)
        except Timeout as error:
            raise Busy(
                f"{self._named()} is writing. Nothing was changed. Wait until it has finished, "
                "then run the command again."
            ) from error
        except OSError as error:
            raise StateError(
                f"The lock {self._path} cannot be made ({error.strerror}). Nothing was changed. "
                "Set STATE_FILE to a folder you may write to."
            ) from error

    def _named(self) -> str:
        holder = self.holder()
        return str(holder) if holder is not None and holder.alive else "Another plexsheet"

    def _tell(self, holder: Holder) -> None:
        new = self._holder.with_name(f"{self._holder.name}.{holder.pid}")
        try:
            new.write_text(json.dumps(asdict(holder)), encoding="utf-8")
            new.replace(self._holder)
        except OSError:  # for the sentence only
            new.unlink(missing_ok=True)
