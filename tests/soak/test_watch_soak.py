"""Minutes of everything at once: saves, locks, junk, a failing server, kills and restarts.

``PLEXSHEET_SOAK_S`` seconds, a minute without it.  A person's edits are made one per
key, so that afterwards every key tells whether its edit arrived, once and only once.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests import hostile
from tests.driver import Tool, set_cells
from tests.effort import enough
from tests.functional.test_watch import HOSTILE, STAMP
from tests.plex.server import DemoPlex
from tests.watching import (
    LONG_S,
    SETTLE_S,
    Watching,
    in_pieces,
    memory_mb,
    own_memory_mb,
    replace_file,
    save_as_excel,
    until,
    watching,
)

SOAK_S = float(os.environ.get("PLEXSHEET_SOAK_S", enough(60, 8)))
TRACKS = 300 + int(SOAK_S)
COPIES = 1 if SOAK_S < 300 else 10
pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
    pytest.mark.slow,
    pytest.mark.timeout(SOAK_S * 4 + 900),
]


@pytest.fixture
def tool(tmp_path: Path) -> Iterator[Tool]:
    with DemoPlex(tracks=TRACKS) as plex:
        yield Tool(tmp_path, plex, WATCH={"SETTLE_SEC": SETTLE_S})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "workbooks"
    (made / "inbox").mkdir(parents=True)
    return made


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Person:
    """Someone who saves, drops, renames, deletes and leaves junk about, at random.

    Attributes:
        wanted: what each edited key is to be in Plex.
        dropped, bad: name and content of the files that are to end in done/, failed/.
    """

    def __init__(self, tool: Tool, folder: Path, seed: int) -> None:
        self.tool, self.folder, self.chance = tool, folder, random.Random(seed)
        rated = tool.plex.ratings("track")
        self.keys = [i["key"] for i in tool.plex.items("track") if i["key"] not in rated]
        self.wanted: dict[int, float] = {}
        self.dropped: dict[str, str] = {}
        self.bad: dict[str, str] = {}
        self.first = [self.drop, self.save, self.lock, self.junk]  # each at least once
        self.chance.shuffle(self.first)
        self.count = 0
        tool.workbook = folder.parent / "export.xlsx"
        self.clean = tool.export().read_bytes()
        self.draft = folder.parent / "draft.xlsx"
        self.mine = folder / "mine" / "music.xlsx"
        self.mine.parent.mkdir(parents=True)
        self.mine_content = self.clean

    def act(self) -> None:
        self.count += 1
        edits = (self.drop, self.drop, self.save, self.save, self.lock)
        others = (self.junk, self.rename, self.touch, self.delete)
        deed = self.first.pop() if self.first else self.chance.choice((*edits, *others))
        deed()

    def _edit(self, content: bytes) -> bytes:
        key, stars = self.keys.pop(), self.chance.randint(1, 10) / 2
        self.draft.write_bytes(content)
        set_cells(self.draft, [("Tracks", str(key), "My rating", stars)])
        self.wanted[key] = stars * 2
        return self.draft.read_bytes()

    def _name(self, suffix: str = ".xlsx") -> str:
        return f"{self.count} {self.chance.choice(('music', 'Musik ★', 'my list'))}{suffix}"

    def drop(self) -> None:
        """A workbook with one edit, put into the inbox at once, as Excel does, or slowly."""
        name, content = self._name(), self._edit(self.clean)
        path = self.folder / "inbox" / name
        how = self.chance.random()
        if how < 0.4:
            replace_file(path, content)
        elif how < 0.7:
            save_as_excel(path, content, chance=self.chance, pause_s=0.2)
        else:
            in_pieces(path, content, chance=self.chance, pause_s=2 * SETTLE_S)
        self.dropped[name] = digest(content)

    def save(self) -> None:
        """One more edit in the workbook of their own, in place."""
        self.mine_content = self._edit(self.mine_content)
        save_as_excel(self.mine, self.mine_content, chance=self.chance, pause_s=0.1)

    def lock(self) -> None:
        """A drop that stays open in LibreOffice for a while."""
        name, content = self._name(), self._edit(self.clean)
        lock = self.folder / "inbox" / f".~lock.{name}#"
        lock.write_text("me")
        replace_file(self.folder / "inbox" / name, content)
        time.sleep(self.chance.random() * 3 * SETTLE_S)
        lock.unlink()
        self.dropped[name] = digest(content)

    def junk(self) -> None:
        """A file that is no workbook of ours, and two that nobody is to touch."""
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
        self.bad[name] = digest(kinds[suffix])
        (self.folder / "inbox" / f"~$ghost {self.count}.xlsx").write_bytes(b"lock")
        (self.folder / "inbox" / f"{self.count}.tmp").write_bytes(b"half")

    def rename(self) -> None:
        target = self.mine.with_name(f"{self.count}.xlsx")
        if self.mine.exists():
            self.mine.rename(target)
            self.mine = target

    def touch(self) -> None:
        if self.mine.exists():
            os.utime(self.mine)

    def delete(self) -> None:
        """Delete results; and a file with an edit, while it may be on its way."""
        for path in sorted((self.folder / "results").glob("*"))[:2]:
            path.unlink(missing_ok=True)
        name = self._name()
        replace_file(self.folder / "inbox" / name, self.clean)
        time.sleep(self.chance.random() * 2 * SETTLE_S)
        with contextlib.suppress(FileNotFoundError):
            (self.folder / "inbox" / name).unlink()


def test_everything_at_once(tool, folder):
    person = Person(tool, folder, seed=int(os.environ.get("PLEXSHEET_SEED", "1")))
    watcher = Watching(tool, folder, "--auto-apply").start()
    end = time.monotonic() + SOAK_S
    kills, restart = 0, time.monotonic() + 5
    while time.monotonic() < end or kills < 4 or person.first:
        trouble(tool.plex, person.chance)
        person.act()
        time.sleep(person.chance.random() * 1.5)
        assert watcher.process.poll() is None, watcher.errors
        if time.monotonic() > restart:
            kill(watcher, worker_too=person.chance.random() < 0.5)
            kills += 1
            watcher = Watching(tool, folder, "--auto-apply").start()
            restart = time.monotonic() + person.chance.uniform(2, 10)
    tool.plex.reset_faults()
    person.save()  # just before the end is looked at
    finish(watcher, person)

    wrong = {
        key: (value, tool.plex.rating(key))
        for key, value in person.wanted.items()
        if tool.plex.rating(key) != value
    }
    assert wrong == {}
    with tool.plex.store.lock:
        written = [w.key for w in tool.plex.store.writes if w.field == "userRating"]
    assert sorted(written) == sorted(person.wanted)


def trouble(plex: DemoPlex, chance: random.Random) -> None:
    """One request in ten fails, in one of the ways requests do."""
    plex.set_faults(every_nth=10, kind=chance.choice(("drop_before", "drop_after", "500", "503")))


def kill(watcher: Watching, *, worker_too: bool) -> None:
    """SIGKILL to the watcher, and to its worker as when the power fails; else that notices."""
    children = psutil.Process(watcher.process.pid).children()
    watcher.kill()
    for child in children if worker_too else ():
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


def all_done(watcher: Watching, person: Person) -> bool:
    """None of the person's files is left to take, in work or in line."""
    waiting = {path.name for path in (person.folder / "inbox").iterdir()}
    working = any((person.folder / "working").iterdir())
    status = watcher.status()
    left = waiting & {*person.dropped, *person.bad}
    return not (left or working or status["queue"] or status["doing"])


def arrived(person: Person) -> bool:
    """Every edit is in Plex."""
    return all(person.tool.plex.rating(key) == value for key, value in person.wanted.items())


def finish(watcher: Watching, person: Person) -> None:
    """Wait until all is done; then every file is in its place, byte for byte, told of if bad."""
    folder = person.folder
    until(lambda: arrived(person), LONG_S + 2 * SOAK_S, "every edit is in Plex")
    until(lambda: all_done(watcher, person), LONG_S + 2 * SOAK_S, "all is imported")
    watcher.canary()  # what was done is told by then, too
    watcher.nothing_else()
    assert watcher.end() == 0
    done = {path.name[STAMP:]: digest(path.read_bytes()) for path in (folder / "done").iterdir()}
    assert person.dropped.items() <= done.items()
    extra = [value for name, value in done.items() if name not in person.dropped]
    assert set(extra) <= {digest(person.clean)}  # deleted on their way, and kept all the same
    failed = {path.name[STAMP:]: path for path in (folder / "failed").iterdir()}
    assert sorted(failed) == sorted([*person.bad, *(f"{name}.txt" for name in person.bad)])
    for name, content in person.bad.items():
        assert digest(failed[name].read_bytes()) == content
        assert "nothing was written" in failed[f"{name}.txt"].read_text()
    assert len(list((folder / "done").iterdir())) == len(done)  # none of them twice
    assert person.mine.read_bytes() == person.mine_content


def test_memory_stays_flat(tool, folder):
    person = Person(tool, folder, seed=3)
    samples, resident = [], []
    with watching(tool, folder, "--auto-apply") as watcher:
        person.drop()
        person.count += 1  # another name: what was dropped is not to be written over
        person.junk()
        # Each sort of event once: what it loads and keeps is there before it counts.
        until(lambda: all(map(watcher.told, ("applied", "failed", "refreshed"))), LONG_S)
        end = time.monotonic() + SOAK_S / 3
        while time.monotonic() < end or len(samples) < 30:
            person.drop()
            person.junk()
            time.sleep(0.1)
            samples.append(own_memory_mb(watcher.process.pid))
            resident.append(memory_mb(watcher.process.pid))
        third = len(samples) // 3
        early, late = (
            statistics.median(part) for part in (samples[third:-third], samples[-third:])
        )

        assert abs(late - early) <= 0.1 * early, samples
        assert max(resident) <= 150
        until(lambda: all_done(watcher, person), LONG_S + SOAK_S)


def test_hostile_files_by_the_hundred(tool, folder, tmp_path):
    person = Person(tool, folder, seed=4)
    files = {name: make(person.clean) for name, make in HOSTILE.items()}
    for title, build in hostile.BUILDERS.items():
        place = tmp_path / "made" / title
        place.mkdir(parents=True)
        made = build(place)
        if made.stat().st_size:  # an empty file is one that somebody is about to write
            files[f"{title}{made.suffix}"] = made.read_bytes()
    names = [f"{number} {name}" for number in range(enough(3, 1) * COPIES) for name in files]
    assert len(names) > enough(100, 30)
    with watching(tool, folder, "--auto-apply") as watcher:
        for name in names:
            content = files[name.partition(" ")[2]]
            person.bad[name] = digest(content)
            replace_file(folder / "inbox" / name, content)
        person.drop()
        until(lambda: all_done(watcher, person), 4 * LONG_S * COPIES)
        assert memory_mb(watcher.process.pid) <= 150

    failed = sorted(path.name[STAMP:] for path in (folder / "failed").iterdir())
    # The file itself was read; its sheet has no column Key and was skipped (F11).
    skipped = ("UTF-16", "two billion spaces")
    bad = [name for name in names if not any(words in name for words in skipped)]
    assert failed == sorted([*bad, *(f"{name}.txt" for name in bad)])
    done = {path.name[STAMP:] for path in (folder / "done").iterdir()}
    assert done == {*names, *person.dropped} - {*bad}
    assert [tool.plex.rating(key) for key in person.wanted] == list(person.wanted.values())
