"""What plexsheet remembers of a library: what it wrote, what the person decided.

One file serves any number of libraries, each under its *scope*: server id, section UUID
and account id together, since ratings in Plex belong to an account.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.identity import seen_now
from plexsheet.inference.model import TwinDecision
from plexsheet.library import KIND_NUMBER, KINDS, Identity, Kind, Library, rows_of
from plexsheet.state.bases import pack, unpack
from plexsheet.state.database import Database
from plexsheet.state.identities import Identities
from plexsheet.state.learning import learn_identities
from plexsheet.state.lock import WriterLock
from plexsheet.state.moves import follow_moves, tables_about

Keys = NDArray[np.int64]
KEPT_EXPORTS = 50
KEPT_RESULTS = 1000
_SHADOW = ("key", "value", "last_rated_at", "written_at", "run", "why", "tags", "identity")


class State:
    """The state database, open.  Use ``open_state``; close it, or use it in ``with``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = Database(path)
        self._lock = WriterLock(path)
        self._identities: dict[tuple[int, Kind], Identities] = {}
        self._shadows: dict[tuple[int, Kind], tuple[tuple[int, int] | None, pd.DataFrame]] = {}
        learn_identities(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    @contextmanager
    def writing(self, purpose: str) -> Iterator[None]:
        """The right to write to Plex, for one process at a time; nestable.

        Args:
            purpose: the command, for the sentence a second plexsheet prints.

        Raises:
            Busy: another process has it.
        """
        self._lock.acquire(purpose)
        try:
            yield
        finally:
            self._lock.release()

    # Libraries

    def scope(self, identity: Identity) -> int:
        """The number under which a library and account are kept, made if new."""
        known = self.database.read(
            "SELECT id, server_name, title, account FROM scope WHERE server_id = ? "
            "AND section_uuid = ? AND account_id = ?",
            identity.scope,
        )
        names = (identity.server_name, identity.title, identity.account)
        if known and known[0][1:] == names:
            return int(known[0][0])
        with self.database.transaction() as db:
            db.execute(
                "INSERT INTO scope (server_id, section_uuid, account_id, server_name, title, "
                "account) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET server_name = "
                "excluded.server_name, title = excluded.title, account = excluded.account",
                (*identity.scope, *names),
            )
            row = db.execute(
                "SELECT id FROM scope WHERE server_id = ? AND section_uuid = ? AND account_id = ?",
                identity.scope,
            ).fetchone()
        return int(row[0])

    def libraries(self) -> list[dict[str, Any]]:
        """The libraries known here: id, ids and names of server, section and account."""
        names = ("id", "server_id", "section_uuid", "account_id", "server", "title", "account")
        rows = self.database.read(
            "SELECT id, server_id, section_uuid, account_id, server_name, title, account "
            "FROM scope ORDER BY id"
        )
        return [dict(zip(names, row, strict=True)) for row in rows]

    # Shadow state

    def shadow(self, scope: int, kind: Kind) -> pd.DataFrame:
        """What plexsheet last wrote to the items of a kind, as Plex gave it back.

        Returns:
            Columns key, value (0-10), last_rated_at, written_at, run, why ("inferred" or
            "twin"), tags (names of our tags it carries, newline between), identity (its
            number), by key.  A key below 0 stands for an item that was not found any more.
        """
        version = self.database.version()
        known = self._shadows.get((scope, kind))
        if known is None or version is None or known[0] != version:
            known = self._shadows[scope, kind] = (version, self._read_shadow(scope, kind))
        return known[1].copy()

    def _read_shadow(self, scope: int, kind: Kind) -> pd.DataFrame:
        rows = self.database.read(
            f"SELECT {', '.join(_SHADOW)} FROM shadow WHERE scope = ? AND kind = ? ORDER BY key",  # noqa: S608
            (scope, KIND_NUMBER[kind]),
        )
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(_SHADOW)
        kinds = ("int64", "float64", *["int64"] * 3, "object", "object", "int64")
        made = {}
        for name, dtype, values in zip(_SHADOW, kinds, columns, strict=True):
            array = np.empty(len(values), dtype=dtype)
            array[:] = values
            made[name] = array
        return pd.DataFrame(made)

    def shadows(self, scope: int) -> dict[Kind, pd.DataFrame]:
        """``shadow`` of every kind."""
        return {kind: self.shadow(scope, kind) for kind in KINDS}

    def put_shadow(self, scope: int, kind: Kind, entries: pd.DataFrame) -> None:
        """Set entries of the shadow state, columns as ``shadow`` gives them.

        Without ``identity`` each gets that of the item last seen under its key.
        """
        if "identity" not in entries:
            known = self.identities(scope, kind).latest(entries["key"].to_numpy())
            entries = entries.assign(identity=known)
        rows = zip(*(entries[name].tolist() for name in _SHADOW), strict=True)
        with self.database.transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO shadow (scope, kind, key, value, last_rated_at, "
                "written_at, run, why, tags, identity) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                ((scope, KIND_NUMBER[kind], *row) for row in rows),
            )

    def forget_lost(self, scope: int) -> None:
        """Forget what was written to items whose key is another's and that were not found."""
        with self.database.transaction() as db:
            db.execute("DELETE FROM shadow WHERE scope = ? AND key < 0", (scope,))

    # The person's decisions

    def excluded(self, scope: int, kind: Kind) -> Keys:
        """Keys of the items of a kind that the person marked EXCLUDE."""
        rows = self.database.read(
            "SELECT key FROM excluded WHERE scope = ? AND kind = ? ORDER BY key",
            (scope, KIND_NUMBER[kind]),
        )
        return np.array([row[0] for row in rows], dtype=np.int64)

    def exclusions(self, scope: int) -> dict[Kind, Keys]:
        """``excluded`` of every kind."""
        return {kind: self.excluded(scope, kind) for kind in KINDS}

    def set_excluded(
        self, scope: int, kind: Kind, keys: Collection[int] | Keys, excluded: bool
    ) -> None:
        """Mark items, or take the mark off."""
        marked = np.asarray(list(keys), dtype=np.int64)
        rows = [(scope, KIND_NUMBER[kind], int(key)) for key in marked]
        with self.database.transaction() as db:
            if not excluded:
                gone = "DELETE FROM excluded WHERE scope = ? AND kind = ? AND key = ?"
                db.executemany(gone, rows)
                return
            known = self.identities(scope, kind).latest(marked).tolist()
            db.executemany(
                "INSERT OR IGNORE INTO excluded (scope, kind, key, identity) VALUES (?, ?, ?, ?)",
                ((*row, number) for row, number in zip(rows, known, strict=True)),
            )

    def twin_decisions(self, scope: int) -> dict[int, TwinDecision]:
        """What the person decided on the Twins sheet, by rating key."""
        rows = self.database.read(
            "SELECT key, decision, label, sub_group FROM twin_decision WHERE scope = ?", (scope,)
        )
        return {row[0]: TwinDecision(*row) for row in rows}

    def set_twin_decision(self, scope: int, key: int, decision: TwinDecision | None) -> None:
        """Remember what was decided about a track; None forgets it."""
        with self.database.transaction() as db:
            db.execute("DELETE FROM twin_decision WHERE scope = ? AND key = ?", (scope, key))
            if decision is not None:
                known = int(self.identities(scope, "track").latest(np.array([key]))[0])
                db.execute(
                    "INSERT INTO twin_decision (scope, key, decision, label, sub_group, identity) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    (scope, key, decision.decision, decision.group, decision.sub_group, known),
                )

    # Exports and their bases

    def save_export(
        self,
        scope: int,
        export_id: str,
        file: str,
        bases: Mapping[Kind, pd.DataFrame],
    ) -> None:
        """Keep what a workbook showed; the oldest beyond the last fifty are forgotten.

        Args:
            scope: whose library.
            export_id: unique; the workbook carries it.
            file: name of the workbook.
            bases: for each kind columns of numbers: key, mine, in_plex, source, inferred, check;
                the identity of each key as last seen is kept beside them.
        """
        bases = {
            kind: base.assign(identity=self.identities(scope, kind).latest(base["key"].to_numpy()))
            for kind, base in bases.items()
        }
        with self.database.transaction() as db:
            db.execute(
                "INSERT INTO export (id, scope, made_at, file) VALUES (?, ?, ?, ?)",
                (export_id, scope, time.time(), file),
            )
            db.executemany(
                "INSERT INTO base (export, kind, columns) VALUES (?, ?, ?)",
                ((export_id, KIND_NUMBER[kind], pack(bases[kind])) for kind in bases),
            )
            db.execute(
                "DELETE FROM export WHERE scope = ? AND id NOT IN (SELECT id FROM export WHERE "
                "scope = ? ORDER BY made_at DESC, rowid DESC LIMIT ?)",
                (scope, scope, KEPT_EXPORTS),
            )

    def exports(self, scope: int) -> list[str]:
        """Ids of the exports known, newest first."""
        rows = self.database.read(
            "SELECT id FROM export WHERE scope = ? ORDER BY made_at DESC, rowid DESC", (scope,)
        )
        return [row[0] for row in rows]

    def knows_export(self, scope: int, export_id: str) -> bool:
        """Whether what an export showed is kept here."""
        rows = self.database.read(
            "SELECT 1 FROM export WHERE scope = ? AND id = ?", (scope, export_id)
        )
        return bool(rows)

    def base(self, scope: int, export_id: str, kind: Kind) -> pd.DataFrame | None:
        """What an export showed of a kind, edits imported from it since included.

        Returns:
            The columns that were saved; None where nothing is known of it.
        """
        rows = self.database.read(
            "SELECT columns FROM base JOIN export ON export.id = base.export "
            "WHERE export = ? AND kind = ? AND scope = ?",
            (export_id, KIND_NUMBER[kind], scope),
        )
        return unpack(rows[0][0]) if rows else None

    def update_base(
        self, scope: int, export_id: str, kind: Kind, frame: pd.DataFrame, run: int | None = None
    ) -> None:
        """Replace some rows of an export's base, matched by key.

        Args:
            scope: whose library.
            export_id: which export; unknown ones are left unknown.
            kind: of the rows.
            frame: ``key`` and the columns to set.
            run: the run that did it, so that taking it back can set them back.
        """
        base = self.base(scope, export_id, kind)
        if base is None:
            return
        rows = rows_of(base["key"].to_numpy(), frame["key"].to_numpy())
        here = frame[rows >= 0]
        rows = rows[rows >= 0]
        names = [name for name in here.columns if name in base.columns and name != "key"]
        before = base.loc[rows, ["key", *names]]
        for name in names:
            column = base[name].to_numpy(copy=True)
            column[rows] = here[name].to_numpy()
            base[name] = column
        with self.database.transaction() as db:
            db.execute(
                "UPDATE base SET columns = ? WHERE export = ? AND kind = ?",
                (pack(base), export_id, KIND_NUMBER[kind]),
            )
            if run is not None:
                db.execute(
                    "INSERT OR REPLACE INTO base_change VALUES (?, ?, ?, ?)",
                    (run, export_id, KIND_NUMBER[kind], pack(before)),
                )

    def base_changes(self, run: int) -> list[tuple[str, Kind, pd.DataFrame]]:
        """What a run changed in bases: export, kind and the rows as they were before."""
        rows = self.database.read(
            "SELECT export, kind, columns FROM base_change WHERE run = ?", (run,)
        )
        return [(export, KINDS[kind], unpack(blob)) for export, kind, blob in rows]

    # Imports

    def imported(self, scope: int, content_hash: str) -> tuple[int, float] | None:
        """Run and time (epoch seconds) of an earlier import of the same content."""
        rows = self.database.read(
            "SELECT run, made_at FROM import WHERE scope = ? AND content_hash = ?",
            (scope, content_hash),
        )
        return (rows[0][0], rows[0][1]) if rows else None

    def record_import(self, scope: int, content_hash: str, run: int) -> None:
        """Remember that a file of this content was imported."""
        with self.database.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO import VALUES (?, ?, ?, ?)",
                (scope, content_hash, run, time.time()),
            )

    def forget_imports(self, run: int) -> None:
        """Forget the files imported by a run: it was taken back."""
        with self.database.transaction() as db:
            db.execute("DELETE FROM import WHERE run = ?", (run,))

    # Items seen: to find them again under a new key, and who shares a rating with whom

    def identities(self, scope: int, kind: Kind) -> Identities:
        """What the items of a kind are and were called, read once."""
        if (scope, kind) not in self._identities:
            self._identities[scope, kind] = Identities(self, scope, kind)
        return self._identities[scope, kind]

    def remember_items(self, scope: int, library: Library) -> None:
        """Remember what stands behind which rating key, also of items that vanish."""
        for kind in KINDS:
            self.remember_table(scope, kind, library.table(kind))

    def remember_table(self, scope: int, kind: Kind, table: pd.DataFrame) -> None:
        """Remember what some items are called, as read now (columns of the schema)."""
        self.identities(scope, kind).remember(seen_now(kind, table))

    def known_items(self, scope: int, kind: Kind) -> pd.DataFrame:
        """Columns key and guid (``guid_numbers``) of all items ever seen, as last seen."""
        known = self.identities(scope, kind).table[["key", "guid"]]
        return known.drop_duplicates("key", keep="last").sort_values("key", ignore_index=True)

    def files(self, scope: int) -> dict[int, int]:
        """``number_of`` the file of each track for which that was looked up, by identity.

        0 where it has none.
        """
        rows = self.database.read("SELECT identity, number FROM file WHERE scope = ?", (scope,))
        return dict(rows)

    def remember_files(self, scope: int, files: Mapping[int, int]) -> None:
        """Remember ``number_of`` the file of some tracks, by identity; 0 where there is none."""
        with self.database.transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO file (scope, identity, number) VALUES (?, ?, ?)",
                ((scope, identity, number) for identity, number in files.items()),
            )

    def siblings(self, scope: int, keys: Collection[int] | Keys) -> dict[int, tuple[int, ...]]:
        """Tracks that share one rating in Plex with these: the same guid of Plex's catalogue.

        Returns:
            For each of ``keys`` that has any, the other keys; some may be gone from Plex.
        """
        known = self.known_items(scope, "track")
        asked = np.unique(np.asarray(list(keys), dtype=np.int64))
        rows = rows_of(known["key"].to_numpy(), asked)
        wanted = np.unique(known["guid"].to_numpy()[rows[rows >= 0]])
        near = known[np.isin(known["guid"].to_numpy(), wanted[wanted != 0])]
        near = near[near["guid"].duplicated(keep=False)]
        groups: dict[int, list[int]] = {}
        for key, guid in zip(near["key"].tolist(), near["guid"].tolist(), strict=True):
            groups.setdefault(guid, []).append(key)
        found = {
            key: tuple(other for other in group if other != key)
            for group in groups.values()
            for key in group
        }
        return {key: found[key] for key in asked.tolist() if key in found}

    def remembered(self, scope: int, kind: Kind) -> pd.DataFrame:
        """Which items anything is kept about: ``key`` and ``identity``, each pair once."""
        sets = " UNION ".join(
            f"SELECT key, identity FROM {table} WHERE {where}"  # noqa: S608
            for table, where in tables_about(kind)
        )
        values = [scope, KIND_NUMBER[kind]]
        rows = self.database.read(f"{sets} ORDER BY key, identity", tuple(values))
        pairs = np.array(rows, dtype=np.int64).reshape(-1, 2)
        return pd.DataFrame({"key": pairs[:, 0], "identity": pairs[:, 1]})

    def move(self, scope: int, kind: Kind, moves: Collection[Move]) -> None:
        """Let all that is kept about items follow them to the keys they have now.

        All at once: where keys were dealt anew, one item's new key is another's old one.
        """
        number = KIND_NUMBER[kind]
        with self.database.transaction() as db:
            db.execute("CREATE TEMP TABLE IF NOT EXISTS moved (key, identity, new_key, now)")
            db.execute("DELETE FROM moved")
            db.executemany("INSERT INTO moved VALUES (?, ?, ?, ?)", moves)
            db.execute("CREATE INDEX IF NOT EXISTS moved_by ON moved (key, identity)")
            for table, where in tables_about(kind):
                follow_moves(db, table, where, (scope, number))
            if kind == "track":  # a group is called by the key of its first copy
                db.execute(
                    "INSERT OR IGNORE INTO file SELECT scope, moved.now, number FROM file "
                    "JOIN moved ON moved.identity = file.identity WHERE scope = ?",
                    (scope,),
                )
                db.execute(
                    "UPDATE twin_decision SET label = (SELECT max(new_key) FROM moved WHERE "
                    "moved.key = CAST(label AS INTEGER)) WHERE scope = ? AND label IN "
                    "(SELECT CAST(key AS TEXT) FROM moved WHERE new_key > 0)",
                    (scope,),
                )

    # Files written by plexsheet

    def note_made(self, digest: str) -> None:
        """Remember a result workbook as written: it counts once the person has saved it."""
        with self.database.transaction() as db:
            db.execute("INSERT OR REPLACE INTO made_file VALUES (?, ?)", (digest, time.time()))
            db.execute(
                "DELETE FROM made_file WHERE digest NOT IN (SELECT digest FROM made_file "
                "ORDER BY made_at DESC LIMIT ?)",
                (KEPT_RESULTS,),
            )

    def made_here(self, digest: str) -> bool:
        """Whether a file is, byte for byte, a result workbook that plexsheet wrote."""
        rows = self.database.read("SELECT 1 FROM made_file WHERE digest = ?", (digest,))
        return bool(rows)

    # Small things

    def kv(self, scope: int, name: str, default: Any = None) -> Any:
        """A value kept under a name, or the default."""
        rows = self.database.read(
            "SELECT value FROM kv WHERE scope = ? AND name = ?", (scope, name)
        )
        return json.loads(rows[0][0]) if rows else default

    def set_kv(self, scope: int, name: str, value: Any) -> None:
        """Keep a JSON-ready value under a name."""
        with self.database.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO kv VALUES (?, ?, ?)", (scope, name, json.dumps(value))
            )

    def problems(self) -> list[str]:
        """What is wrong with the file; empty when it is sound."""
        return self.database.problems()


Move = tuple[int, int, int, int]  # key and identity as kept, key and identity now


def open_state(path: str | Path) -> State:
    """The state database at a path, made or brought up to date where needed.

    Raises:
        StateError: the file is damaged, newer than this plexsheet, or cannot be written.
    """
    return State(Path(path))
