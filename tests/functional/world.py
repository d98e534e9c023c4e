"""A person, their Plex and plexsheet's state, for tests: the real parts, small and in one process.

Only the workbook is left out: a sheet is a dictionary of what its cells show, so that
thousands of round trips fit into a minute.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from plexsheet import operations
from plexsheet import plan as plans
from plexsheet.apply.capabilities import capability
from plexsheet.apply.moved_items import Finder, follow
from plexsheet.apply.pace import Pace
from plexsheet.apply.run import Outcome, apply
from plexsheet.config import Config
from plexsheet.config.settings import TwinSettings
from plexsheet.demo.library import Row
from plexsheet.inference.model import Inference, Inferred
from plexsheet.library import KINDS, Identity, Kind, Library, table
from plexsheet.operations import Session
from plexsheet.ownership import Owned, owned
from plexsheet.plan import Plan, TagNames
from plexsheet.plex.connection import connect
from plexsheet.ratings import same
from plexsheet.state import journal
from plexsheet.state.runs import Origin
from plexsheet.state.store import State, open_state
from plexsheet.workbook.schema.check import check_numbers
from tests.plex.server import DemoPlex

TAGS = TagNames("Inferred", "Twin")
SETTINGS = Config(inferred_tag=TAGS.inferred, twins=TwinSettings(twin_tag=TAGS.twin))
SHEETS = {"artist": "Artists", "album": "Albums", "track": "Tracks"}
NAN = math.nan


def no_pauses(clock: Callable[[], float] = time.monotonic) -> Pace:
    """Pauses that take no time."""
    epoch = time.time if clock is time.monotonic else clock  # a made-up time is that of all
    return Pace(sleep=lambda seconds: None, clock=clock, epoch=epoch)


@dataclass(frozen=True)
class Cell:
    """One edited cell, as ``workbook.validate`` tells it."""

    kind: Kind
    key: int
    wanted: float = NAN
    field: str = "rating"
    sheet: str = ""
    row: int = 2
    base: float = NAN
    base_in_plex: float = NAN
    base_source: int = 0
    wanted_text: str = ""
    action: str = ""
    inferred: float = NAN
    title: str = ""
    codes: tuple[str, ...] = ()


@dataclass
class Sheet:
    """What a workbook shows: its export, and ``My rating`` by kind and key."""

    export_id: str
    mine: dict[tuple[Kind, int], float]
    actions: dict[tuple[Kind, int], str] = field(default_factory=dict)


@dataclass
class Read:
    """A library as read, and whose its ratings are."""

    library: Library
    owned: Owned


class World:
    """One Plex, one state file, one person."""

    def __init__(
        self,
        demo: DemoPlex,
        folder: Path,
        *,
        token: str = "",
        direct: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """A world.

        ``direct``: full reads look into the server's memory; all else goes through HTTP.
        ``clock``: tells apply how much time went by.
        """
        self.direct, self.clock = direct, clock
        self.demo, self.folder, self.token = demo, folder, token or demo.token
        self.path = folder / "plexsheet.db"
        self.state: State = open_state(self.path)
        self.gateway = self.connect()
        self.scope = self.state.scope(self.gateway.identity)
        self.exports = 0

    def connect(self) -> Any:
        return connect(self.demo.url, self.token, "Music", backoff_s=(0.0, 0.0, 0.0))

    @property
    def session(self) -> Session:
        """What operations take."""
        return Session(SETTINGS, self.gateway, self.state, self.scope)

    def close(self) -> None:
        self.state.close()

    # plexsheet's side

    def read(self) -> Read:
        library = library_of(self.demo, self.gateway.identity) if self.direct else None
        library = library or self.gateway.read_library()
        self.state.remember_items(self.scope, library)
        state, scope = self.state, self.scope
        follow(state, scope, library, self.gateway)
        whose = owned(
            library, state.shadows(scope), state.exclusions(scope), state.twin_decisions(scope)
        )
        return Read(library, whose)

    def infer_plan(self, **options: Any) -> Plan:
        read = self.read()
        can = capability(self.state, self.gateway)
        given = {
            "tags": TAGS if can.takes_tags else None,
            "server_step": can.step,
            "sharing": can.shares is not False,
        }
        shadow = self.state.shadows(self.scope)
        return plans.infer_plan(
            read.library, read.owned, simple_inference(read), shadow, **(given | options)
        )

    def infer(self, **options: Any) -> Outcome:
        return self.apply(self.infer_plan(**options))

    def apply(self, plan: Plan, **how: Any) -> Outcome:
        how.setdefault("pace", no_pauses(self.clock))
        return apply(plan, self.gateway, self.state, **how)

    def export(self) -> Sheet:
        read = self.read()
        inference = simple_inference(read)
        self.exports += 1
        export_id = f"export-{self.exports}-{self.path.stat().st_mtime_ns}"
        bases = {kind: base_of(read, inference, kind) for kind in KINDS}
        self.state.save_export(self.scope, export_id, "music.xlsx", bases)
        mine = {
            (kind, int(key)): float(value)
            for kind in KINDS
            for key, value in zip(bases[kind]["key"], bases[kind]["mine"], strict=True)
        }
        return Sheet(export_id, mine)

    def cells(self, sheet: Sheet) -> list[Cell]:
        """What was edited in a sheet since what was last known of it."""
        found = []
        for kind in KINDS:
            base = self.state.base(self.scope, sheet.export_id, kind)
            assert base is not None
            for row, one in enumerate(base.to_dict("records"), start=2):
                key = int(one["key"])
                cell = Cell(
                    kind,
                    key,
                    sheet=SHEETS[kind],
                    row=row,
                    base=one["mine"],
                    base_in_plex=one["in_plex"],
                    base_source=int(one["source"]),
                    inferred=one["inferred"],
                )
                wanted = sheet.mine.get((kind, key), one["mine"])
                action = sheet.actions.get((kind, key), "")
                if action in {"EXCLUDE", "INCLUDE"}:
                    found.append(replace(cell, field="exclude", action=action))
                    action = ""
                if action == "CLEAR":
                    found.append(replace(cell, action=action))
                elif action or not same(wanted, one["mine"]):
                    found.append(replace(cell, wanted=wanted, action=action))
        return found

    def import_plan(self, cells: Iterable[Cell], export_id: str = "", **options: Any) -> Plan:
        cells = list(cells)
        keys = {kind: {c.key for c in cells if c.kind == kind} for kind in KINDS}
        siblings = self.state.siblings(self.scope, sorted(keys["track"]))
        for group in siblings.values():
            keys["track"] |= set(group)
        current = {kind: self.gateway.read_items(kind, sorted(keys[kind])) for kind in KINDS}
        healed: dict[tuple[Kind, int], int] = {}
        finder = Finder(self.gateway, self.state, self.scope, export_id)
        for kind in KINDS:
            missing = sorted(keys[kind] - set(current[kind]["key"].tolist()))
            found = finder.find(kind, missing) if missing else {}
            healed |= {(kind, old): new for old, new in found.items()}
            if found:
                more = self.gateway.read_items(kind, sorted(found.values()))
                current[kind] = pd.concat([current[kind], more]).drop_duplicates("key")
        shadow = self.state.shadows(self.scope)
        decided = {
            "excluded": self.state.exclusions(self.scope),
            "twin_decisions": self.state.twin_decisions(self.scope),
            "siblings": siblings,
            "healed": healed,
            "server_step": capability(self.state, self.gateway).step,
        }
        return plans.merge(cells, current, shadow, **(decided | options))

    def import_(self, sheet: Sheet, **options: Any) -> Outcome:
        plan = self.import_plan(self.cells(sheet), sheet.export_id, **options)
        return self.apply(plan, origin=Origin("music.xlsx", sheet.export_id))

    def edit(self, ratings: Mapping[tuple[Kind, int], float], **how: Any) -> Outcome:
        """Import ratings typed for these items, from a fresh sheet."""
        sheet = self.export()
        sheet.mine |= dict(ratings)
        plan = self.import_plan(self.cells(sheet), sheet.export_id)
        return self.apply(plan, origin=Origin("music.xlsx", sheet.export_id), **how)

    def undo(self, run: int, sheet: str | None = None, **how: Any) -> Outcome:
        how.setdefault("pace", no_pauses(self.clock))
        plan = operations.prepare_undo(self.session, run, sheet=sheet)
        return self.apply(plan, undoes=run, **how)

    def cleanup(self) -> Outcome:
        return self.apply(operations.prepare_cleanup(self.session))

    def resume(self, **how: Any) -> Outcome | None:
        how.setdefault("pace", no_pauses(self.clock))
        return operations.resume(self.session, **how)

    # looking

    def ratings(self) -> dict[int, float]:
        return self.demo.ratings()

    def moods(self) -> dict[int, list[str]]:
        return {
            item["key"]: item["tags"]["mood"]
            for kind in KINDS
            for item in self.demo.items(kind)
            if item["tags"].get("mood")
        }

    def shadow(self) -> dict[int, float]:
        found: dict[int, float] = {}
        for kind in KINDS:
            entries = self.state.shadow(self.scope, kind)
            found |= dict(zip(entries["key"].tolist(), entries["value"].tolist(), strict=True))
        return found

    def manual(self) -> dict[int, float]:
        """The person's ratings, as plexsheet sees it."""
        read = self.read()
        found: dict[int, float] = {}
        for kind in KINDS:
            theirs = read.owned.evidence.manual[kind]
            keys, ratings = read.library.keys(kind)[theirs], read.library.ratings(kind)[theirs]
            found |= dict(zip(keys.tolist(), ratings.tolist(), strict=True))
        return found

    def picture(self) -> dict[str, Any]:
        """All that an apply may change, for comparing before with after."""
        return {
            "ratings": self.ratings(),
            "moods": {key: sorted(names) for key, names in self.moods().items()},
            "locks": {
                item["key"]: item["locks"]
                for kind in KINDS
                for item in self.demo.items(kind)
                if item["locks"]
            },
            "released": {a["key"]: a["originallyAvailableAt"] for a in self.demo.items("album")},
            "shadow": {key: round(value, 6) for key, value in self.shadow().items()},
            "excluded": {k: self.state.excluded(self.scope, k).tolist() for k in KINDS},
        }

    def newest_run(self) -> int:
        """Its number, 0 where there is none yet."""
        return self.state.database.read("SELECT coalesce(max(id), 0) FROM run")[0][0]

    def rows(self, run: int) -> list[journal.JournalRow]:
        return journal.rows_in(self.state, run)


def library_of(demo: DemoPlex, identity: Identity) -> Library:
    """What ``Gateway.read_library`` returns, without the requests."""
    tables = {}
    for kind in KINDS:
        items = demo.items(kind)
        names = {"key": "key", "guid": "guid", "title": "title", "last_rated_at": "lastRatedAt"}
        names |= {} if kind == "artist" else {"artist": "artist", "artist_key": "artistKey"}
        names |= {"album": "album", "album_key": "albumKey"} if kind == "track" else {}
        names |= {"year": "year"} if kind == "album" else {}
        columns: dict[str, Any] = {n: [item[p] for item in items] for n, p in names.items()}
        ratings = [item["userRating"] for item in items]
        columns["user_rating"] = [NAN if value is None else value for value in ratings]
        tables[kind] = table(kind, columns)
    return Library(identity, tables["artist"], tables["album"], tables["track"], read_at=1)


def simple_inference(read: Read) -> Inference:
    """A value for every item, from the person's ratings alone: quick, and changing with them."""
    library, evidence = read.library, read.owned.evidence
    rated = [library.ratings(kind)[evidence.manual[kind]] for kind in KINDS]
    level = float(np.mean(np.concatenate(rated))) if sum(map(len, rated)) else 6.0
    parts = {kind: _inferred(library.keys(kind), level, evidence.excluded[kind]) for kind in KINDS}
    titles = library.tracks["title"].str.casefold()
    codes, _ = pd.factorize(titles)
    counts = np.bincount(codes, minlength=1)
    group = np.where(counts[codes] > 1, codes, -1).astype(np.int64)
    evidence_words = np.where(group >= 0, "name", "").astype(object)
    return Inference(
        "simple", level, parts["artist"], parts["album"], parts["track"], group, evidence_words
    )


def _inferred(keys: Any, level: float, excluded: Any) -> Inferred:
    value = np.clip(level + (keys * 7919 % 401 - 200) / 100.0, 0.6, 10.0)
    value[excluded] = np.nan
    flat = np.full(len(keys), 50.0)
    return Inferred(value, flat / 50, flat, flat / 50, {"library": value})


def base_of(read: Read, inference: Inference, kind: Kind) -> pd.DataFrame:
    """What a workbook would show of the items of a kind."""
    library, whose = read.library, read.owned
    table = library.table(kind)
    rating = table["user_rating"].to_numpy()
    codes = {"Unrated": 0, "Manual": 1, "Inferred": 2, "Twin": 3, "Excluded": 4}
    artists = table["artist"].tolist() if kind != "artist" else None
    albums = table["album"].tolist() if kind == "track" else None
    keys = table["key"].to_numpy()
    check = check_numbers(kind, keys.tolist(), table["title"].tolist(), artists, albums)
    return pd.DataFrame(
        {
            "key": keys,
            "mine": np.where(whose.evidence.manual[kind], rating, np.nan),
            "in_plex": rating,
            "source": np.array([codes[w] for w in whose.source[kind]], dtype=np.uint8),
            "inferred": np.round(inference.of(kind).value / 2, 2) * 2,
            "check": check,
            "year": table["year"].to_numpy() if kind == "album" else np.zeros(len(keys), np.int64),
        }
    )


def small_library(tracks: int = 24, *, shared: bool = False) -> list[Row]:
    """A few artists and albums with moods, dates and ratings; two copies of one recording."""
    rows = []
    for i in range(tracks):
        rows.append(
            Row(
                artist=f"Artist {i // 8}",
                album_artist=f"Artist {i // 8}",
                album=f"Album {i // 4}",
                track=f"Track {i}" if i % 6 else f"Song {i // 12}",
                index=i % 4 + 1,
                duration_ms=180_000 + 1000 * i,
                year=1990 + i // 4,
                release_date=f"{1990 + i // 4}-01-01",
                user_rating=float(2 + i % 5 * 2) if i % 5 == 0 else None,
                moods="Happy; Lively" if i % 3 == 0 else "",
                guid=f"plex://track/{i % 12 if shared and i % 6 == 0 else i:024x}",
            )
        )
    return rows


@contextmanager
def world(
    folder: Path, rows: Iterable[Row] | None = None, *, token: str = "", **options: Any
) -> Any:
    """A running world, closed at the end."""
    given = {"library": list(rows)} if rows is not None else {}
    with DemoPlex(**(given | options)) as demo:
        made = World(demo, folder, token=demo.home_token if token == "home" else "")
        try:
            yield made
        finally:
            made.close()


def counting(calls: list[int], limit: int) -> Callable[[], bool]:
    """A ``stop`` that says so after so many times of asking."""

    def stop() -> bool:
        calls.append(1)
        return len(calls) > limit

    return stop
