"""A computer with plexsheet and a state of its own, for tests that act at several of them."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from plexsheet import operations
from plexsheet.apply.run import Outcome
from plexsheet.config import load_config
from plexsheet.plan import Plan
from plexsheet.plex.connection import connect
from plexsheet.state.store import open_state
from tests.driver import Tool
from tests.functional.world import TAGS
from tests.plex.server import DemoPlex


class Computer:
    """plexsheet with a state of its own."""

    def __init__(self, plex: DemoPlex, folder: Path) -> None:
        self.plex, self.folder = plex, folder
        self.exports = 0
        self.state = open_state(folder / "plexsheet.db")
        self.gateway = connect(plex.url, plex.token, "Music", backoff_s=(0.0, 0.0, 0.0))
        self._begin()

    def _begin(self) -> None:
        settings = {"INFERRED_TAG": TAGS.inferred, "TWIN_LOGIC": {"TWIN_TAG": TAGS.twin}}
        config = load_config(Tool(self.folder, self.plex, ROUNDING=0.5, **settings).config)
        scope = self.state.scope(self.gateway.identity)
        self.session = operations.Session(config, self.gateway, self.state, scope)

    def backup(self, name: str = "copy.db") -> None:
        with (
            closing(sqlite3.connect(self.folder / name)) as copy,
            closing(sqlite3.connect(self.folder / "plexsheet.db")) as now,
        ):
            now.backup(copy)

    def put_back(self, name: str = "copy.db") -> None:
        self.state.close()
        for file in self.folder.glob("plexsheet.db*"):
            file.unlink()
        shutil.copy(self.folder / name, self.folder / "plexsheet.db")
        self.state = open_state(self.folder / "plexsheet.db")
        self._begin()

    def close(self) -> None:
        self.state.close()

    def read(self) -> Any:
        return operations.read(self.session, full=True)

    def apply(self, plan: Plan, **how: Any) -> Outcome:
        return operations.carry_out(self.session, plan, **how)
