"""What was seen of each file that stays where it is, on disk.

One JSON line per file, the last line of a file counts, a torn last line is dropped: it
works on any file system, costs one append per import and is read once at the start.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from plexsheet.files import write_whole
from plexsheet.watching.stability import Look

KEEP = 5000  # digests kept of files that are gone


@dataclass(frozen=True)
class HandledFile:
    """One file as last handled.

    Attributes:
        path: relative to the watched folder.
        digest: SHA-256 of the content, in hex.
        why: ``ours`` written by plexsheet, ``imported``, ``old`` there before anything was known.
    """

    path: str
    size: int
    mtime_ns: int
    inode: int
    digest: str
    why: Literal["ours", "imported", "old"]


class Ledger:
    """Files handled, by path and by content.

    Args:
        file: the ledger; made when missing.  A folder that cannot be written to costs
            nothing but memory: what is recorded then is written with the next record.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.entries: dict[str, HandledFile] = {}
        self.born = time.time()
        self._digests: dict[str, str] = {}
        self._unwritten: list[str] = []
        known = list(_lines(file))
        for line in known:
            self._take(line)
        if not known:
            self._unwritten.append(json.dumps({"born": self.born}))
        elif len(known) > 2 * len(self.entries) + KEEP:
            self._rewrite()

    def _take(self, line: dict[str, object]) -> None:
        if "born" in line:
            self.born = float(str(line["born"]))
            return
        try:
            entry = HandledFile(**line)  # type: ignore[arg-type]
        except TypeError:  # a line of another version
            return
        self._keep(entry)

    def _keep(self, entry: HandledFile) -> None:
        self.entries[entry.path] = entry
        self._digests.pop(entry.digest, None)
        self._digests[entry.digest] = entry.path
        while len(self._digests) > len(self.entries) + KEEP:
            del self._digests[next(iter(self._digests))]

    def unchanged(self, path: str, look: Look) -> bool:
        """Whether a file is still the one last handled, by size, time and inode."""
        entry = self.entries.get(path)
        return entry is not None and (
            (entry.size, entry.mtime_ns, entry.inode) == (look.size, look.mtime_ns, look.inode)
        )

    def knows(self, digest: str) -> bool:
        """Whether this very content was handled before, under whatever name."""
        return digest in self._digests

    def entry(self, path: str) -> HandledFile | None:
        """What was last handled at a path."""
        return self.entries.get(path)

    def record(self, entry: HandledFile, *, at_once: bool = True) -> None:
        """Remember a file as handled.

        Args:
            entry: the file.
            at_once: on disk when this returns; else with the next ``flush``.

        Raises:
            OSError: the disk is full or gone; the entry is kept and written later.
        """
        if self.entries.get(entry.path) == entry:
            return
        self._keep(entry)
        self._unwritten.append(json.dumps(asdict(entry)))
        if at_once:
            self.flush()

    def flush(self) -> None:
        """Write what could not be written before.

        Raises:
            OSError: still not.
        """
        if not self._unwritten:
            return
        if not self.file.exists():  # the folder was removed and made again
            self._rewrite()
            return
        text = "".join(line + "\n" for line in self._unwritten)
        with self.file.open("r+b") as file:
            end = file.seek(0, os.SEEK_END)
            if end:
                file.seek(end - 1)
                torn = file.read(1) != b"\n"
                text = "\n" + text if torn else text
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        self._unwritten.clear()

    def _rewrite(self) -> None:
        lines = [json.dumps({"born": self.born})]
        lines += [json.dumps(asdict(entry)) for entry in self.entries.values()]
        write_whole(self.file, "".join(line + "\n" for line in lines))
        self._unwritten.clear()


def _lines(file: Path) -> Iterator[dict[str, object]]:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield value
