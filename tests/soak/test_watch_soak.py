"""Minutes of everything at once: saves, locks, junk, a failing server, kills and restarts.

``PLEXSHEET_SOAK_S`` seconds, a minute without it.  A person's edits are made one per
key, so that afterwards every key tells whether its edit arrived, once and only once.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from plexsheet.demo.server import DemoPlex
from tests.driver import Tool, set_cells
from tests.watching import (
    SETTLE_S,
    Watching,
    in_pieces,
    memory_mb,
    replace_file,
    save_as_excel,
    until,
    watching,
)

SOAK_S = float(os.environ.get("PLEXSHEET_SOAK_S", "60"))
pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning"),
    pytest.mark.timeout(SOAK_S * 2 + 600),
]


@pytest.fixture
def tool(tmp_path: Path) -> Iterator[Tool]:
    with DemoPlex(tracks=2000) as plex:
        yield Tool(tmp_path, plex, WATCH={"SETTLE_SEC": SETTLE_S})


class Person:
    """Someone who saves, drops, renames, deletes and leaves junk about, at random."""

    def __init__(self, tool: Tool, folder: Path, seed: int) -> None:
        self.tool, self.folder, self.chance = tool, folder, random.Random(seed)
        rated = tool.plex.ratings("track")
        self.keys = [i["key"] for i in tool.plex.items("track") if i["key"] not in rated]
        self.wanted: dict[int, float] = {}
        self.dropped: list[str] = []
        self.bad: list[str] = []
        self.count = 0
        tool.workbook = folder.parent / "export.xlsx"
        tool.export()
        self.clean = tool.workbook.read_bytes()
        self.draft = folder.parent / "draft.xlsx"
        self.mine = folder / "mine" / "music.xlsx"
        self.mine.parent.mkdir(parents=True)
        self.mine_content = self.clean

    def act(self) -> None:
        self.count += 1
        deeds = (self.drop, self.drop, self.save, self.save, self.junk, self.lock, self.rename)
        self.chance.choice((*deeds, self.touch, self.delete))()

    def _edit(self, content: bytes) -> bytes:
        key, stars = self.keys.pop(), self.chance.randint(1, 10) / 2
        self.draft.write_bytes(content)
        set_cells(self.draft, [("Tracks", str(key), "My rating", stars)])
        self.wanted[key] = stars * 2
        return self.draft.read_bytes()

    def _name(self, suffix: str = ".xlsx") -> str:
        return f"{self.count} {self.chance.choice(('music', 'Musik ★', 'my list'))}{suffix}"

    def drop(self) -> None:
        name, content = self._name(), self._edit(self.clean)
        path = self.folder / "inbox" / name
        how = self.chance.random()
        if how < 0.4:
            replace_file(path, content)
        elif how < 0.7:
            save_as_excel(path, content, chance=self.chance, pause_s=0.2)
        else:
            in_pieces(path, content, chance=self.chance, pause_s=2 * SETTLE_S)
        self.dropped.append(name)

    def save(self) -> None:
        self.mine_content = self._edit(self.mine_content)
        save_as_excel(self.mine, self.mine_content, chance=self.chance, pause_s=0.1)

    def junk(self) -> None:
        kinds = {
            ".xlsx": self.clean[: self.chance.randrange(4, len(self.clean))],
            ".ods": b"PK\3\4" + self.chance.randbytes(500),
            ".csv": b"a,b\n1,2\n",
            ".pdf": b"%PDF",
            ".xlsm": b"<html>",
        }
        suffix = self.chance.choice(sorted(kinds))
        name = self._name(suffix)
        replace_file(self.folder / "inbox" / name, kinds[suffix])
        self.bad.append(name)
        (self.folder / "inbox" / f"~$ghost {self.count}.xlsx").write_bytes(b"lock")
        (self.folder / "inbox" / f"{self.count}.tmp").write_bytes(b"half")

    def lock(self) -> None:
        name, content = self._name(), self._edit(self.clean)
        lock = self.folder / "inbox" / f".~lock.{name}#"
        lock.write_text("me")
        replace_file(self.folder / "inbox" / name, content)
        time.sleep(self.chance.random() * 3 * SETTLE_S)
        lock.unlink()
        self.dropped.append(name)

    def rename(self) -> None:
        target = self.mine.with_name(f"{self.count}.xlsx")
        if self.mine.exists():
            self.mine.rename(target)
            self.mine = target

    def touch(self) -> None:
        if self.mine.exists():
            os.utime(self.mine)

    def delete(self) -> None:
        """Delete a copy of what was imported long ago, and a finished file."""
        for path in list((self.folder / "results").glob("*.txt"))[:1]:
            path.unlink(missing_ok=True)
        (self.folder / "mine" / "note.txt").write_text("mine")


def test_everything_at_once(tool, tmp_path):
    folder = tmp_path / "workbooks"
    (folder / "inbox").mkdir(parents=True)
    person = Person(tool, folder, seed=int(os.environ.get("PLEXSHEET_SEED", "1")))
    tool.plex.set_faults(every_nth=10, kind="drop_before")
    watcher = Watching(tool, folder, "--auto-apply", "--log-json").start()
    end = time.monotonic() + SOAK_S
    kills, restart = 0, time.monotonic() + 5
    while time.monotonic() < end:
        person.act()
        time.sleep(person.chance.random() * 2)
        assert watcher.process.poll() is None, watcher.errors
        if time.monotonic() > restart:
            watcher.kill()
            kills += 1
            watcher = Watching(tool, folder, "--auto-apply").start()
            restart = time.monotonic() + person.chance.uniform(2, 12)
    tool.plex.reset_faults()
    finish(watcher, person)

    wrong = {
        key: (value, tool.plex.rating(key))
        for key, value in person.wanted.items()
        if tool.plex.rating(key) != value
    }
    assert wrong == {}
    written = [
        write.key
        for write in tool.plex.writes
        if write.via != "demo" and write.field == "userRating"
    ]
    assert sorted(written) == sorted(person.wanted)
    assert kills >= SOAK_S / 15
    assert len(person.wanted) > SOAK_S / 10


def finish(watcher: Watching, person: Person) -> None:
    """Wait until all is done; then every dropped file is in its place, byte for byte or told."""
    folder = person.folder
    own = folder / ".plexsheet-watch" / "status.json"

    def idle() -> bool:
        left = [p for p in (folder / "inbox").iterdir() if p.suffix in (".xlsx", ".ods", ".csv")]
        left = [p for p in left if not p.name.startswith(("~$", "."))]
        shown = json.loads(own.read_text())
        return not left and not shown["queue"] and not any((folder / "working").iterdir())

    until(idle, 60 + SOAK_S, "all is imported")
    watcher.quiet_for(3)
    assert watcher.end() == 0
    done = [path.name[18:] for path in (folder / "done").iterdir()]
    failed = [path.name[18:] for path in (folder / "failed").iterdir()]
    assert sorted(done) == sorted(person.dropped)
    assert sorted(failed) == sorted([*person.bad, *(f"{name}.txt" for name in person.bad)])
    assert person.mine.read_bytes() == person.mine_content


def test_memory_stays_flat(tool, tmp_path):
    folder = tmp_path / "workbooks"
    (folder / "inbox").mkdir(parents=True)
    person = Person(tool, folder, seed=3)
    samples = []
    with watching(tool, folder, "--auto-apply") as watcher:
        end = time.monotonic() + SOAK_S / 2
        while time.monotonic() < end:
            person.drop()
            person.junk()
            time.sleep(0.3)
            samples.append(memory_mb(watcher.process.pid))
        tenth = max(1, len(samples) // 10)
        early, late = max(samples[tenth : 2 * tenth + 1]), max(samples[-tenth:])

        assert late <= 1.1 * early, (early, late)
        assert late <= 150
        until(lambda: not json.loads(status_of(folder))["queue"], 300)


def status_of(folder: Path) -> str:
    return (folder / ".plexsheet-watch" / "status.json").read_text()


@pytest.mark.skipif(SOAK_S < 300, reason="minutes of hostile files; part of `make soak`")
def test_hostile_files_by_the_hundred(tool, tmp_path):
    from tests.functional.test_watch import HOSTILE

    folder = tmp_path / "workbooks"
    (folder / "inbox").mkdir(parents=True)
    person = Person(tool, folder, seed=4)
    names = []
    for number in range(300):
        name, make = list(HOSTILE.items())[number % len(HOSTILE)]
        names.append(f"{number} {name}")
        replace_file(folder / "inbox" / names[-1], make(person.clean))
    with watching(tool, folder, "--auto-apply") as watcher:
        until(lambda: len(watcher.told("failed")) == len(names), 900)
        person.drop()
        watcher.wait_for("applied")

    assert len(list((folder / "failed").iterdir())) == 2 * len(names)


def test_from_save_to_rating_in_plex(tmp_path):
    settle_s = 2.0
    with DemoPlex(tracks=10_000) as plex:
        tool = Tool(tmp_path, plex, WATCH={"SETTLE_SEC": settle_s})
        folder = tmp_path / "workbooks"
        folder.mkdir()
        tool.workbook = folder / "music.xlsx"
        tool.export()
        rated = plex.ratings("track")
        keys = [i["key"] for i in plex.items("track") if i["key"] not in rated][:7]
        draft, took = tmp_path / "draft.xlsx", []
        draft.write_bytes(tool.workbook.read_bytes())
        with watching(tool, folder, "--auto-apply") as watcher:
            watcher.wait_for("nothing")
            for key in keys:
                set_cells(draft, [("Tracks", str(key), "My rating", 4)])
                began = time.monotonic()
                replace_file(tool.workbook, draft.read_bytes())
                until(lambda key=key: plex.rating(key) == 8.0, 60)
                took.append(time.monotonic() - began)
                watcher.wait_for("applied")
    median = sorted(took)[len(took) // 2]
    assert median <= settle_s + 3, took
