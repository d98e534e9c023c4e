"""The SQLite file: opened with care, every failure in our words.

WAL and ``synchronous=FULL``: what was committed is on the disk before the next request
goes to Plex, also when the power fails.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from plexsheet.errors import Busy, StateError
from plexsheet.state import schema

_BUSY_S = 20.0
_WORTH_COMPACTING = 0.25  # free pages, of all pages
_LEAST_FREE_BYTES = 8_000_000


class Database:
    """A connection to the state database, at the schema of this plexsheet.

    Raises:
        StateError: the file is damaged, newer, another program's, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self.explained("opened"):
            path.parent.mkdir(parents=True, exist_ok=True)
            new = not path.exists() or path.stat().st_size == 0
            if new:
                path.touch(mode=0o600)
            self._db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
        try:
            with self.explained("opened"):
                self._refuse_foreign(new)
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = FULL")
                self._db.execute("PRAGMA foreign_keys = ON")
                self._migrate()
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Close the connection, and give back room that is no longer used, if it is much."""
        try:
            if not self._db.in_transaction and self._much_is_free():
                self._db.execute("PRAGMA busy_timeout = 0")  # not while another is at work
                self._db.execute("VACUUM")
        except sqlite3.Error:
            pass  # nothing is lost: the room is used again, or given back another time
        finally:
            self._db.close()

    def _much_is_free(self) -> bool:
        free, pages, size = (
            self._db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("freelist_count", "page_count", "page_size")
        )
        return bool(free * size >= _LEAST_FREE_BYTES and free >= _WORTH_COMPACTING * pages)

    @contextmanager
    def explained(self, doing: str) -> Iterator[None]:
        """Failures of SQLite and the disk as a StateError that says the way out."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._explain(error, doing) from error
        except OSError as error:
            raise StateError(
                f"The state file {self.path} cannot be {doing} ({error.strerror}). Nothing was "
                "sent to Plex. Set STATE_FILE to a file in a folder you may write to."
            ) from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One transaction, on the disk when the block ends; inside another, part of it."""
        if self._db.in_transaction:
            yield self._db
            return
        with self.explained("written"):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                # A full disk may have ended the transaction already.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def read(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self.explained("read"):
            return list(self._db.execute(sql, values))

    def version(self) -> tuple[int, int] | None:
        """Another one whenever anything in the file was changed, by whichever process.

        None within a transaction: what it changed may be rolled back.
        """
        if self._db.in_transaction:
            return None
        by_others = self._db.execute("PRAGMA data_version").fetchone()[0]
        return int(by_others), self._db.total_changes

    def problems(self) -> list[str]:
        """What SQLite finds wrong with the file; empty when it is sound."""
        found = [str(row[0]) for row in self.read("PRAGMA integrity_check(20)")]
        orphans = self.read("PRAGMA foreign_key_check")
        return [line for line in found if line != "ok"] + [f"orphaned row: {o}" for o in orphans]

    def backup(self, target: Path) -> None:
        """A sound copy of the whole file, made while it is open."""
        with self.explained("copied"):
            target.touch(mode=0o600)
            with closing(sqlite3.connect(target)) as copy:
                self._db.backup(copy)

    def _refuse_foreign(self, new: bool) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        application = self._db.execute("PRAGMA application_id").fetchone()[0]
        if new or (
            application == 0 and not self._db.execute("SELECT 1 FROM sqlite_master").fetchone()
        ):
            return
        if application != schema.APPLICATION_ID:
            raise StateError(
                f"{self.path} is a database of another program. It was not touched. Set STATE_FILE "
                "to another file."
            )
        if version > schema.VERSION:
            raise StateError(
                f"The state file {self.path} has format {version}; this plexsheet knows formats "
                f"up to {schema.VERSION}. It was not touched. Install the newest plexsheet, or set "
                "STATE_FILE to another file."
            )

    def _migrate(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version == schema.VERSION:
            return
        if version:
            stamp = time.strftime("%Y%m%d-%H%M%S")
            self.backup(self.path.with_name(f"{self.path.name}.v{version}-{stamp}.bak"))
        steps = "".join(schema.MIGRATIONS[version:])
        try:
            # executescript would end a transaction of ours, so it has to bring its own.
            self._db.executescript(
                f"BEGIN IMMEDIATE; {steps} PRAGMA application_id = {schema.APPLICATION_ID};"
                f" PRAGMA user_version = {schema.VERSION}; COMMIT;"
            )
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _explain(self, error: sqlite3.Error, doing: str) -> StateError | Busy:
        text = str(error)
        if "locked" in text or "busy" in text:
            return Busy(
                f"The state file {self.path} is in use by another program. Nothing was sent to "
                "Plex. Wait until it has finished, then run the command again."
            )
        if "full" in text or "disk I/O" in text:
            return StateError(
                f"The state file {self.path} could not be {doing}: the disk is full or failing "
                f"({text}). Nothing was sent to Plex that is not recorded. Make room, then run "
                "the command again."
            )
        if "readonly" in text or "unable to open" in text:
            return StateError(
                f"The state file {self.path} cannot be {doing} ({text}). Nothing was sent to Plex. "
                "Make the file and its folder writable, or set STATE_FILE to another file."
            )
        if "malformed" in text or "not a database" in text or "corrupt" in text:
            return StateError(
                f"The state file {self.path} is damaged ({text}). It was not touched. Put a copy "
                "of it from a backup in its place; or move it away and run “plexsheet "
                "reconstruct”, which finds the inferred ratings again by their tag."
            )
        return StateError(f"The state file {self.path} could not be {doing}: {text}.")
