"""The watcher's side of the worker process: start it, give it jobs, hear it.

One at a time.  It is started as soon as a file begins to change, so that by the time the
file has settled its libraries are loaded; it ends when there was nothing to do for a
while, after many jobs, or when it has grown.
"""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

IDLE_S = 20.0
MOST_JOBS = 50
MOST_MB = 700
# A worker that says nothing for so long hangs; reading and Plex both have shorter limits.
SILENT_S = 1800.0


class Hand:
    """The worker process, when there is one.

    Args:
        heard: called from another thread whenever the worker said something.
        command: how to start one.
    """

    def __init__(
        self,
        heard: Callable[[], None],
        command: Sequence[str] = (sys.executable, "-m", "plexsheet.watching.worker"),
    ) -> None:
        self._heard = heard
        self._command = tuple(command)
        self._process: subprocess.Popen[str] | None = None
        self._said: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._jobs = 0
        self._mb = 0
        self._last = 0.0
        self.busy_with: str | None = None

    @property
    def pid(self) -> int | None:
        """The worker's process, if there is one."""
        return self._process.pid if self._process else None

    def warm(self) -> None:
        """Have a worker ready.

        Raises:
            OSError: none can be started (no memory, too many processes).
        """
        self._last = time.monotonic()
        if self._process is not None and self._process.poll() is None:
            return
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            # Of its own, so that Ctrl-C in a terminal reaches the watcher alone.
            start_new_session=True,
        )
        self._jobs = self._mb = 0
        self._said = queue.SimpleQueue()
        threading.Thread(
            target=self._listen, args=(self._process, self._said), daemon=True, name="worker"
        ).start()

    def give(self, job: str, order: Mapping[str, Any]) -> None:
        """Give it a job, by its id.

        Raises:
            OSError: it cannot be reached.
        """
        self.warm()
        self.busy_with = job
        self._jobs += 1
        self._tell({"job": job, **order})

    def stop(self) -> None:
        """Ask it to stop after the chunk it is writing."""
        with contextlib.suppress(OSError):
            self._tell({"stop": True})

    def hear(self) -> list[dict[str, Any]]:
        """What it said since; a worker that ended says ``{"ended": its exit status}`` last."""
        said = []
        with contextlib.suppress(queue.Empty):
            while True:
                said.append(self._said.get_nowait())
        if said:
            self._last = time.monotonic()
        for message in said:
            self._mb = max(self._mb, int(message.get("mb", 0)))
            if "report" in message or "ended" in message:
                self.busy_with = None
        if self.busy_with and time.monotonic() - self._last > SILENT_S and self._process:
            self._process.kill()
        return said

    def rest(self) -> float | None:
        """End a worker that is idle, old or large; else seconds until that is to be asked again."""
        if self._process is None or self.busy_with:
            return None
        left = self._last + IDLE_S - time.monotonic()
        if left > 0 and self._jobs < MOST_JOBS and self._mb < MOST_MB:
            return left
        self.end()
        return None

    def end(self, patience_s: float = 60.0) -> None:
        """End the worker: it finishes its chunk first, for as long as there is patience."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            assert process.stdin is not None
            process.stdin.close()
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _tell(self, message: Mapping[str, Any]) -> None:
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def _listen(self, process: subprocess.Popen[str], said: queue.SimpleQueue[Any]) -> None:
        assert process.stdout is not None
        with contextlib.suppress(OSError, ValueError), process.stdout:
            for line in process.stdout:
                with contextlib.suppress(ValueError):
                    said.put(json.loads(line))
                    self._heard()
        said.put({"ended": process.wait()})
        self._heard()


def death(status: int) -> str:
    """How a process ended, in words.

    >>> death(-9), death(3)
    ('was killed (SIGKILL)', 'ended with status 3')
    """
    if status < 0:
        with contextlib.suppress(ValueError):
            return f"was killed ({signal.Signals(-status).name})"
    return f"ended with status {status}"
