"""What many tests begin with, done once: the first export of a library, the first inference.

Such a test needs the workbook, the ratings and the state that come of it, not the making of
them.  The first test that begins so runs the command; any other whose server and settings
are the same, to the last rating, gets copies of what came of it, in Plex and in its folder.
A test of the command itself runs it: ``tool("export", …)``.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from plexsheet.demo.items import Item
from tests.plex.faults import Faults
from tests.plex.server import DemoPlex

# Where what came of beginnings is kept, for all processes of one test run; set by conftest.
shelf: Path | None = None

_PLAIN = [*{*Item.__slots__} - {"parent", "children", "tags", "locks"}]
_PASSING = (".lock", ".holder")  # of whoever has the state open


@dataclass(frozen=True)
class _After:
    """What a command said, and all that a test may look at on the server after it."""

    result: Any
    checkpoint: Any
    version: int
    writes: list[Any]
    requests: Any
    log: list[str]
    clients: set[str]


class Beginning:
    """The first steps of a test: shared as long as it has done nothing of its own."""

    def __init__(self, tool: Any) -> None:
        """Of a ``Tool``: its server, config.json, state file and workbook."""
        self.tool = tool
        self._key = ""  # stands for the library and all steps so far
        self._left: Any = None  # state and server as the last step left them

    def step(self, *words: object) -> Any:
        """The result of a command line, run here or by a test that began alike."""
        if shelf is None or not self._shared():
            self._key = ""
            return self.tool(*words)
        told = [self._key or self._library(), self._circumstances(), *map(self._plain, words)]
        self._key = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]
        kept = shelf / self._key
        shelf.mkdir(exist_ok=True)
        with FileLock(f"{kept}.lock"):
            if (kept / "after").exists():
                result = self._copy(kept)
            else:
                result = self.tool(*words)
                self._keep(kept, result)
        self._left = self._traces()
        return result

    def _plain(self, word: object) -> str:
        inside = isinstance(word, Path) and word.is_relative_to(self.tool.folder)
        return str(word.relative_to(self.tool.folder) if inside else word)

    # whether it is shared

    def _shared(self) -> bool:
        plex = self.tool.plex
        if not isinstance(plex, DemoPlex) or replace(plex.faults.now, clock_offset=0.0) != Faults():
            return False
        inside = self.tool.workbook.is_relative_to(self.tool.folder)
        if not inside or self._settings()["PLEX_TOKEN"] != plex.token:
            return False
        if self._key:
            return bool(self._left == self._traces())
        return not any(
            path.is_file() for path in self.tool.folder.iterdir() if path != self.tool.config
        )

    def _traces(self) -> Any:
        """What shows whether anything was done meanwhile, by whatever way."""
        stats = [(file.name, file.stat().st_mtime_ns) for file in self._state()]
        return stats, self._library()

    def _state(self) -> list[Path]:
        files = self.tool.state.parent.glob(f"{self.tool.state.name}*")
        return sorted(file for file in files if file.suffix not in _PASSING)

    def _settings(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.tool.config.read_text("utf-8"))
        return found

    def _circumstances(self) -> list[Any]:
        settings = self._settings() | {"PLEX_URL": "", "PLEX_TOKEN": ""}
        return [settings, self.tool.plex.faults.now.clock_offset]

    def _library(self) -> str:
        """All that the server holds."""
        store, routes = self.tool.plex.store, self.tool.plex.routes
        held = [
            (
                *(getattr(item, name) for name in _PLAIN),
                item.parent.key if item.parent else 0,
                {field: item.names(field) for field in sorted(item.tags or ())},
                sorted(item.locks or ()),
            )
            for items in store.items.values()
            for item in items.values()
        ]
        told = repr((store.identity, routes.title, routes.username, store.others, held))
        return hashlib.sha256(told.encode()).hexdigest()

    # keeping and copying

    def _made(self) -> list[Path]:
        return [file for file in (self.tool.workbook, *self._state()) if file.exists()]

    def _keep(self, kept: Path, result: Any) -> None:
        if result.exit_code:
            return
        (kept / "files").mkdir(parents=True)
        for file in self._made():
            copy = kept / "files" / file.relative_to(self.tool.folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, copy)
        plex = self.tool.plex
        with plex.store.lock:
            after = _After(
                result,
                plex.store.checkpoint(),
                plex.store.version,
                plex.store.writes,
                plex.requests,
                [*plex.log],
                plex.clients,
            )
            (kept / "after").write_bytes(pickle.dumps(after))

    def _copy(self, kept: Path) -> Any:
        after: _After = pickle.loads((kept / "after").read_bytes())
        for file in self._made():
            file.unlink()
        shutil.copytree(kept / "files", self.tool.folder, dirs_exist_ok=True)
        plex = self.tool.plex
        with plex.store.lock:
            plex.store.put(after.checkpoint)
            plex.store.writes[:] = after.writes
            plex.store.version = after.version
            plex.requests.clear()
            plex.requests.update(after.requests)
            plex.log.clear()
            plex.log.extend(after.log)
            plex.clients |= after.clients
        return after.result
