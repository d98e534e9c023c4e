"""The process that takes a file apart: what goes wrong in it cannot take plexsheet along."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from plexsheet import messages
from plexsheet.errors import WorkbookError

TIME_LIMIT_S = 50.0  # of the processor; on the clock a busy machine may take longer
ON_THE_CLOCK = 4
OUT_OF_TIME = [-signal.SIGXCPU] if hasattr(signal, "SIGXCPU") else []
TIME_PER_MB_S = 1.0  # for what exceeds 20 MB
MAX_FRAME = 1 << 30


class Child:
    """A running child and the frames it answers with."""

    def __init__(self, process: subprocess.Popen[bytes], limit_s: float) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._in: IO[bytes] = process.stdin
        self._out: IO[bytes] = process.stdout
        self._limit_s = limit_s
        self.timed_out = False

    def stop(self) -> None:
        """End the child because its time is up."""
        self.timed_out = True
        self._process.kill()

    def ask(self, what: str, **request: Any) -> tuple[dict[str, Any], list[bytes]]:
        """One answer: its head and its buffers.

        Raises:
            WorkbookError: the file was refused, or the child died of it.
        """
        try:
            self._in.write(json.dumps({"ask": what} | request).encode() + b"\n")
            self._in.flush()
        except OSError:
            pass  # its last words are in the pipe
        head = json.loads(self._take(int.from_bytes(self._take(8), "little")))
        buffers = [self._take(size) for size in head["buffers"]]
        if "refused" in head:
            code, variant, values = head["refused"]
            raise stopped(code, variant, **values)
        return head, buffers

    def _take(self, size: int) -> bytes:
        data = self._out.read(size) if size <= MAX_FRAME else b""
        if len(data) == size:
            return data
        self._process.kill()  # it is ending, or its frame was larger than any may be
        late = self.timed_out or self._process.wait() in OUT_OF_TIME
        limit = f"{self._limit_s:.0f} seconds" if late else "its memory limit"
        raise stopped("F01", "large", limit=limit)


def stopped(code: str, variant: str = "", **values: object) -> WorkbookError:
    """The error that stops a file, with its sentence."""
    return WorkbookError(messages.text(code, variant, **values), code=code)


@contextmanager
def running(copy: Path) -> Iterator[Child]:
    """A child that opens a copy of a file, ended with the block."""
    limit_s = TIME_LIMIT_S + TIME_PER_MB_S * max(copy.stat().st_size / 1e6 - 20, 0)
    process = subprocess.Popen(  # noqa: S603 - ourselves, with the path of our own copy
        [
            sys.executable,
            "-m",
            "plexsheet.workbook.reading.reader_process",
            str(copy),
            str(limit_s),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
    )
    child = Child(process, limit_s)
    timer = threading.Timer(limit_s * ON_THE_CLOCK, child.stop)
    timer.daemon = True
    timer.start()
    try:
        yield child
    finally:
        timer.cancel()
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue
        process.wait()


def _environment() -> dict[str, str]:
    """Ours without secrets, with the folders this process imports from."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PLEX")}
    root = str(Path(__file__).parents[2])
    return kept | {"PYTHONPATH": os.pathsep.join([root, *filter(None, sys.path)])}
