"""The tables of the state database, and the way from every older version to this one.

``PRAGMA user_version`` is the schema's version.  A migration is one script per version,
run in one transaction after the whole file was copied beside itself; a file from a newer
plexsheet is refused, since guessing what it means could overwrite a rating.
"""

from __future__ import annotations

APPLICATION_ID = 0x706C7873  # "plxs": what `file` and we recognise it by
VERSION = 7

# From version i to i + 1.  Never edit one that was released; add the next.
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE scope (
        id INTEGER PRIMARY KEY,
        server_id TEXT NOT NULL, section_uuid TEXT NOT NULL, account_id TEXT NOT NULL,
        server_name TEXT NOT NULL, title TEXT NOT NULL, account TEXT NOT NULL,
        UNIQUE (server_id, section_uuid, account_id)
    );
    CREATE TABLE shadow (
        scope INTEGER NOT NULL REFERENCES scope (id) ON DELETE CASCADE,
        kind INTEGER NOT NULL, key INTEGER NOT NULL,
        value REAL NOT NULL, last_rated_at INTEGER NOT NULL, written_at INTEGER NOT NULL,
        run INTEGER NOT NULL, why TEXT NOT NULL, tags TEXT NOT NULL,
        PRIMARY KEY (scope, kind, key)
    ) WITHOUT ROWID;
    CREATE TABLE excluded (
        scope INTEGER NOT NULL REFERENCES scope (id) ON DELETE CASCADE,
        kind INTEGER NOT NULL, key INTEGER NOT NULL,
        PRIMARY KEY (scope, kind, key)
    ) WITHOUT ROWID;
    CREATE TABLE twin_decision (
        scope INTEGER NOT NULL REFERENCES scope (id) ON DELETE CASCADE,
        key INTEGER NOT NULL, decision TEXT NOT NULL,
        label TEXT NOT NULL, sub_group TEXT NOT NULL,
        PRIMARY KEY (scope, key)
    ) WITHOUT ROWID;
    CREATE TABLE export (
        id TEXT PRIMARY KEY,
        scope INTEGER NOT NULL REFERENCES scope (id) ON DELETE CASCADE,
        made_at REAL NOT NULL, file TEXT NOT NULL, info TEXT NOT NULL
    );
    CREATE TABLE base (
        export TEXT NOT NULL REFERENCES export (id) ON DELETE CASCADE,
        kind INTEGER NOT NULL, columns BLOB NOT NULL,
        PRIMARY KEY (export, kind)
    );
    CREATE TABLE run (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        scope INTEGER NOT NULL REFERENCES scope (id) ON DELETE CASCADE,
        kind TEXT NOT NULL, status TEXT NOT NULL,
        started REAL NOT NULL, finished REAL,
        file TEXT NOT NULL, export TEXT NOT NULL, content_hash TEXT NOT NULL,
        undoes INTEGER, notes TEXT NOT NULL, outcomes BLOB
    );
    CREATE TABLE journal (
        run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
        ord INTEGER NOT NULL,
        kind INTEGER NOT NULL, key INTEGER NOT NULL, field TEXT NOT NULL,
        before REAL, after REAL, before_text TEXT, after_text TEXT,
        reason TEXT NOT NULL, owner_after TEXT NOT NULL, why TEXT,
        tags_add TEXT, tags_remove TEXT, shares INTEGER,
        title TEXT NOT NULL, sheet TEXT, row INTEGER,
        status TEXT NOT NULL, sent INTEGER NOT NULL DEFAULT 0, code TEXT, message TEXT,
        now REAL, now_text TEXT, moods TEXT, locked INTEGER,
        shadow_value REAL, shadow_at INTEGER, shadow_why TEXT, shadow_tags TEXT,
        PRIMARY KEY (run, ord)
    ) WITHOUT ROWID;
    CREATE INDEX journal_pending ON journal (run, status, ord);
    CREATE TABLE base_change (
        run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
        export TEXT NOT NULL, kind INTEGER NOT NULL, columns BLOB NOT NULL,
        PRIMARY KEY (run, export, kind)
    );
    CREATE TABLE import (
        scope INTEGER NOT NULL REFERENCES scope (id) ON DELETE CASCADE,
        content_hash TEXT NOT NULL, run INTEGER NOT NULL, made_at REAL NOT NULL,
        PRIMARY KEY (scope, content_hash)
    );
    CREATE TABLE kv (
        scope INTEGER NOT NULL REFERENCES scope (id) ON DELETE CASCADE,
        name TEXT NOT NULL, value TEXT NOT NULL,
        PRIMARY KEY (scope, name)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE known_items (
        scope INTEGER NOT NULL REFERENCES scope (id) ON DELETE CASCADE,
        kind INTEGER NOT NULL, columns BLOB NOT NULL,
        PRIMARY KEY (scope, kind)
    );
    """,
    """
    CREATE TABLE snapshot (
        scope INTEGER NOT NULL REFERENCES scope (id) ON DELETE CASCADE,
        kind INTEGER NOT NULL, part INTEGER NOT NULL, columns BLOB NOT NULL,
        PRIMARY KEY (scope, kind, part)
    );
    """,
    """
    CREATE TABLE file (
        scope INTEGER NOT NULL REFERENCES scope (id) ON DELETE CASCADE,
        key INTEGER NOT NULL, number INTEGER NOT NULL,
        PRIMARY KEY (scope, key)
    ) WITHOUT ROWID;
    """,
    """
    ALTER TABLE export DROP COLUMN info;
    CREATE TABLE identity (
        scope INTEGER NOT NULL REFERENCES scope (id) ON DELETE CASCADE,
        kind INTEGER NOT NULL, part INTEGER NOT NULL, columns BLOB NOT NULL,
        PRIMARY KEY (scope, kind, part)
    );
    ALTER TABLE shadow ADD COLUMN identity INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE excluded ADD COLUMN identity INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE twin_decision ADD COLUMN identity INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE file RENAME TO file_by_key;
    CREATE TABLE file (
        scope INTEGER NOT NULL REFERENCES scope (id) ON DELETE CASCADE,
        identity INTEGER NOT NULL, number INTEGER NOT NULL,
        PRIMARY KEY (scope, identity)
    ) WITHOUT ROWID;
    ALTER TABLE journal ADD COLUMN identity INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE journal ADD COLUMN rated_at INTEGER;
    ALTER TABLE journal ADD COLUMN sent_at INTEGER;
    CREATE TABLE event (
        id INTEGER PRIMARY KEY,
        scope INTEGER NOT NULL REFERENCES scope (id) ON DELETE CASCADE,
        kind INTEGER NOT NULL, key INTEGER NOT NULL, identity INTEGER NOT NULL,
        field TEXT NOT NULL, owner TEXT NOT NULL, how TEXT NOT NULL,
        at INTEGER NOT NULL, run INTEGER NOT NULL,
        value REAL, rated_at INTEGER NOT NULL, restores INTEGER NOT NULL
    );
    CREATE INDEX event_of_item ON event (scope, kind, key, field);
    INSERT INTO event (scope, kind, key, identity, field, owner, how, at, run, value, rated_at,
                       restores)
        SELECT run.scope, journal.kind, journal.key, 0,
            CASE WHEN field IN ('exclude', 'twin') THEN field ELSE 'rating' END,
            CASE WHEN field IN ('exclude', 'twin') THEN 'person' ELSE owner_after END,
            reason, CAST(coalesce(run.finished, run.started) AS INTEGER), run.id, now,
            coalesce(shadow.last_rated_at, -1), 0
        FROM journal JOIN run ON run.id = journal.run
            LEFT JOIN shadow ON shadow.scope = run.scope AND shadow.kind = journal.kind
                AND shadow.key = journal.key AND shadow.run = journal.run
        WHERE journal.status = 'verified' AND (field IN ('exclude', 'twin')
            OR (field IN ('rating', 'tags') AND owner_after <> 'same'))
        ORDER BY journal.run, journal.ord;
    INSERT INTO event (scope, kind, key, identity, field, owner, how, at, run, value, rated_at,
                       restores)
        SELECT scope, kind, key, 0, 'rating', 'plexsheet', 'state import', written_at, 0, value,
            last_rated_at, 0
        FROM shadow WHERE NOT EXISTS (SELECT 1 FROM event WHERE event.scope = shadow.scope
            AND event.kind = shadow.kind AND event.key = shadow.key AND field = 'rating');
    CREATE TABLE made_file (
        digest TEXT PRIMARY KEY, made_at REAL NOT NULL
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE guess (
        scope INTEGER NOT NULL REFERENCES scope (id) ON DELETE CASCADE,
        kind INTEGER NOT NULL, columns BLOB NOT NULL,
        PRIMARY KEY (scope, kind)
    );
    CREATE TABLE verdict (
        id INTEGER PRIMARY KEY,
        scope INTEGER NOT NULL REFERENCES scope (id) ON DELETE CASCADE,
        kind INTEGER NOT NULL, key INTEGER NOT NULL,
        rating REAL NOT NULL, heard REAL NOT NULL, unheard REAL NOT NULL, classic REAL NOT NULL,
        guessed_at REAL NOT NULL, rated_at REAL NOT NULL
    );
    """,
    """
    CREATE TABLE foreign_plays (
        scope INTEGER NOT NULL REFERENCES scope (id) ON DELETE CASCADE,
        source TEXT NOT NULL, key INTEGER NOT NULL, "check" INTEGER NOT NULL,
        plays INTEGER NOT NULL, last_played INTEGER NOT NULL,
        PRIMARY KEY (scope, source, key)
    ) WITHOUT ROWID;
    """,
)
assert len(MIGRATIONS) == VERSION
