"""A watcher as a process of its own, heard through its JSON lines; and how editors save."""

from __future__ import annotations

import json
import os
import queue
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.driver import Tool

SETTLE_S = 0.5
PAUSES = 4
LONG_S = 150.0  # what is waited for comes in a second; on a busy machine it may take long


class Watching:
    """``plexsheet watch`` on ``folder``; every event it tells is kept in ``events``."""

    def __init__(self, tool: Tool, folder: Path, *options: str) -> None:
        self.tool = tool
        self.folder = folder
        self.options = options
        self.events: list[dict[str, Any]] = []
        self.errors: list[str] = []
        self._new: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> Watching:
        self.process = self.tool.spawn("watch", self.folder, "--log-json", *self.options)
        for pipe, take in ((self.process.stdout, self._take), (self.process.stderr, self._err)):
            threading.Thread(target=self._listen, args=(pipe, take), daemon=True).start()
        self.wait_for("started")
        return self

    def _listen(self, pipe: Any, take: Callable[[str], None]) -> None:
        with pipe:
            for line in pipe:
                take(line)

    def _take(self, line: str) -> None:
        event = json.loads(line)
        self.events.append(event)
        self._new.put(event)

    def _err(self, line: str) -> None:
        self.errors.append(line)

    def wait_for(self, name: str, timeout_s: float = LONG_S, **fields: Any) -> dict[str, Any]:
        """The next event of a name (and with these fields); earlier ones are passed over."""
        deadline = time.monotonic() + timeout_s
        while True:
            left = deadline - time.monotonic()
            try:
                event = self._new.get(timeout=max(0.01, left))
            except queue.Empty:
                raise AssertionError(
                    f"no event {name} {fields} in {timeout_s} s; the last were "
                    f"{[e['text'] for e in self.events[-8:]]}; stderr: {self.errors[-5:]}"
                ) from None
            wanted = event["event"] == name
            if wanted and all(event.get(key) == value for key, value in fields.items()):
                return event

    def told(self, name: str) -> list[dict[str, Any]]:
        """All events of a name so far."""
        return [event for event in self.events if event["event"] == name]

    def canary(self) -> str:
        """A file that is no workbook, put there and told of; its name.

        It settles after all that was there before, so what is not taken by then is ignored.
        """
        name = f"canary {len(self.events)}.txt"
        (self.folder / "inbox" / name).write_text("not a workbook")
        self.wait_for("failed", file=f"inbox/{name}")
        until(lambda: name in json.dumps(self.status()["last"]), what="the status tells of it")
        for left in (self.folder / "failed").glob(f"* {name}*"):
            left.unlink()
        return name

    def nothing_else(self) -> None:
        """Nothing else was to be done: a file put there now is the only one told of."""
        count = len(self.events)
        name = self.canary()
        assert self.status()["queue"] == []
        others = [event["text"] for event in self.events[count:] if name not in event["text"]]
        assert others == []

    def status(self) -> dict[str, Any]:
        """What it shows to another shell; empty before it wrote anything."""
        try:
            text = (self.folder / ".plexsheet-watch" / "status.json").read_text()
        except FileNotFoundError:
            return {}
        shown: dict[str, Any] = json.loads(text)
        return shown

    def kill(self) -> None:
        """SIGKILL, and the worker is left to notice."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def end(self, timeout_s: float = LONG_S) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout_s)


@contextmanager
def watching(tool: Tool, folder: Path, *options: str) -> Iterator[Watching]:
    """A watcher for the length of a block; ended by SIGTERM, and that must go well."""
    watcher = Watching(tool, folder, *options).start()
    try:
        yield watcher
        assert watcher.process is not None
        if watcher.process.poll() is None:
            assert watcher.end() == 0, watcher.errors
    finally:
        watcher.kill()


def until(condition: Callable[[], bool], timeout_s: float = LONG_S, what: str = "") -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"did not happen in {timeout_s} s: {what}"
        time.sleep(0.05)


def replace_file(path: Path, content: bytes) -> None:
    """A whole file at once, as a rename within one file system puts it there."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(content)
    draft.replace(path)


def save_as_excel(path: Path, content: bytes, *, chance: random.Random, pause_s: float) -> None:
    """Excel's pattern: lock, temporary file without a suffix, delete, rename, unlock.

    Written in pieces of a random size, down to one byte, with pauses between them.
    """
    lock = path.with_name(f"~${path.name}")
    lock.write_bytes(b"\x04User" + b" " * 160)
    draft = path.with_name(f"{chance.getrandbits(32):08X}")
    in_pieces(draft, content, chance=chance, pause_s=pause_s)
    path.unlink(missing_ok=True)
    time.sleep(chance.random() * pause_s)
    draft.rename(path)
    lock.unlink()


def in_pieces(path: Path, content: bytes, *, chance: random.Random, pause_s: float) -> None:
    """Write a file piece by piece under its own name, as over a network share.

    At most ``PAUSES`` times it hesitates, wherever that is: after the first byte, too.
    """
    most = chance.choice((1, 1, 64, 4096, 65536))
    stops = sorted(
        {chance.choice((1, 2, 3, chance.randrange(len(content)))) for _ in range(PAUSES)}
    )
    with path.open("wb", buffering=0) as file:
        at = 0
        while at < len(content):
            end = min(at + chance.randint(1, most), stops[0] if stops else len(content))
            file.write(content[at:end])
            at = end
            if stops and at >= stops[0]:
                stops.pop(0)
                time.sleep(chance.random() * pause_s)


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    text = Path(f"/proc/{pid}/statm").read_text()
    return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def own_memory_mb(pid: int) -> float:
    """Memory of a process that is no file's: what it holds, whatever the system has put away."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    return sum(int(fields[name].split()[0]) for name in ("RssAnon", "VmSwap")) / 1024


def cpu_s(pid: int) -> float:
    """Processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
