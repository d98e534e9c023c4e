"""Real processes of plexsheet, ended by SIGKILL at moments that server or state file show.

A ``Scene`` is a library and a state file ready for one command, and what that command comes
to when nothing happens to it.  ``Scene.kill`` starts the command as a process, ends it at a
``Point`` and says whether the point was reached; ``Scene.rewind`` makes everything as it was.

Most processes are forked from one that has imported everything already, which saves half a
second each; they are processes like any other, and die like any other.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tests.driver import Tool, set_cells
from tests.plex.server import DemoPlex

Stage = Literal["before", "late", "after", "answered", "state"]
STAGES: tuple[Stage, ...] = ("before", "after", "answered")
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # a disk that need not be waited for
PATIENCE_S = 120.0
SHEETS = (("Artists", "artist"), ("Albums", "album"), ("Tracks", "track"))

_fork = multiprocessing.get_context("forkserver")
_fork.set_forkserver_preload(["tests.killing_preload"])


@dataclass(frozen=True)
class Point:
    """Where a process dies.

    Attributes:
        stage: of a request: ``before`` Plex has it, and never gets it; ``late``: Plex carries
            it out when the process is dead already; ``after`` Plex has carried it out, without
            an answer; ``answered``: the answer has come, and is not yet in the state file.
            ``state``: as soon as the state file's log is longer than ``k`` bytes.
        k: which request of that sort, from 1.
        on: "writes" or "reads".
    """

    stage: Stage
    k: int
    on: str = "writes"


@dataclass(frozen=True)
class Picture:
    """Everything a run may change, in Plex and in the state file."""

    ratings: dict[int, float]
    items: dict[int, tuple[Any, ...]]  # moods, locks, release date
    shadow: dict[tuple[int, int], float]
    excluded: frozenset[tuple[int, int]]

    def unlike(self, other: Picture) -> dict[str, Any]:
        """What differs from another picture: here, there."""
        found: dict[str, Any] = {}
        for name in ("ratings", "items", "shadow"):
            here, there = getattr(self, name), getattr(other, name)
            differ = [key for key in {**here, **there} if here.get(key) != there.get(key)]
            found |= {f"{name} {key}": (here.get(key), there.get(key)) for key in differ}
        changed = self.excluded ^ other.excluded
        return found | ({"excluded": changed} if changed else {})


class Scene:
    """One command on one library, to be killed again and again."""

    def __init__(self, tracks: int, command: Sequence[str], **settings: Any) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="plexsheet-kill-", dir=MEMORY))
        self.plex = DemoPlex(tracks=tracks)
        self.tool = Tool(self.folder, self.plex, **settings)
        self.command = [*command]
        self.kept = self.folder / "kept.db"

    def close(self) -> None:
        self.plex.close()
        shutil.rmtree(self.folder)

    # preparing

    def keep(self) -> None:
        """Remember how Plex and the state are now, then learn what the command comes to."""
        shutil.copy(self.tool.state, self.kept)
        self.plex.store.writes.clear()
        self.checkpoint = self.plex.store.checkpoint()
        self.start = self.picture()
        self.plex.reset_requests()
        result = self.tool(*self.command)
        assert result.exit_code == 0, result.output
        self.end = self.picture()
        self.effects = self.written()
        assert set(self.effects.values()) == {1}, "a row was written twice without any trouble"
        self.counts = self.last_run()["counts"]
        self.reads, self.writes = self.requests()
        self.rewind()
        assert not self.picture().unlike(self.start)

    def requests(self) -> tuple[range, range]:
        """Numbers of the reads and writes that the command made after its plan was made."""
        sorts = [line.partition(" ")[0] for line in self.plex.log]
        first = sorts.index("PUT")
        reads_before = first - 1  # all but the look just before the first write
        reads, writes = sorts.count("GET"), sorts.count("PUT")
        return range(reads_before + 1, reads + 1), range(1, writes + 1)

    def rewind(self) -> None:
        """Plex and state as they were kept."""
        self.plex.store.go_back(self.checkpoint)
        for name in ("-wal", "-shm", ".lock", ".holder"):
            self.tool.state.with_name(self.tool.state.name + name).unlink(missing_ok=True)
        shutil.copy(self.kept, self.tool.state)

    # killing

    def kill(self, point: Point, *, spawned: bool = False, command: Sequence[str] = ()) -> bool:
        """Run the command, or another, and kill it at this point; false: it ended before."""
        command = command or self.command
        self.point = point
        if point.stage == "state":
            with self.process(command, spawned) as process:
                return self._kill_at_length(process, point.k)
        stage = "before" if point.stage == "late" else point.stage
        gate = self.plex.gate
        gate.set(point.k, "after" if stage == "answered" else stage, point.on)
        try:
            with self.process(command, spawned) as process:
                if not self._wait_at_gate(process):
                    return False
                if stage == "answered":
                    with self.state_locked():
                        gate.release()
                        time.sleep(0.02)  # the answer arrives; nothing can be written down
                        process.kill()
                        process.wait()
                else:
                    process.kill()
                    process.wait()
                    self._release(carry_out=point.stage == "late")
            self._let_server_finish()
        finally:
            gate.release(apply=False)
        return True

    def _release(self, carry_out: bool) -> None:
        """Let the waiting request go, now that nobody waits for its answer."""
        store = self.plex.store
        before = store.version
        self.plex.gate.release(apply=carry_out)
        until = time.monotonic() + PATIENCE_S
        while carry_out and store.version == before:
            assert time.monotonic() < until
            time.sleep(0.001)

    def _wait_at_gate(self, process: Process) -> bool:
        until = time.monotonic() + PATIENCE_S
        while self.plex.gate.wait_until_waiting(0.2) is None:
            if process.ended:
                return self.plex.gate.waiting is not None
            assert time.monotonic() < until, f"nothing at the gate after {PATIENCE_S} s"
        return True

    def _kill_at_length(self, process: Process, length: int) -> bool:
        log = self.tool.state.with_name(self.tool.state.name + "-wal")
        while not process.ended:
            with contextlib.suppress(FileNotFoundError):
                if log.stat().st_size > length:
                    process.kill()
                    process.wait()
                    self._let_server_finish()
                    return True
            time.sleep(0.0005)
        return False

    def _let_server_finish(self) -> None:
        """Wait until the server has noticed that nobody listens any more."""
        with self.plex.writer, self.plex.store.lock:
            pass

    @contextmanager
    def state_locked(self) -> Iterator[None]:
        """Keep every other process from writing to the state file."""
        lock = sqlite3.connect(self.tool.state, isolation_level=None, timeout=PATIENCE_S)
        try:
            lock.execute("BEGIN IMMEDIATE")
            yield
            lock.execute("ROLLBACK")
        finally:
            lock.close()

    @contextmanager
    def process(self, command: Sequence[str], spawned: bool = False) -> Iterator[Process]:
        """A process that runs a command; it is gone when the block ends."""
        words = ["--config", str(self.tool.config), *command]
        started = Spawned(self.tool, command) if spawned else Forked(words, self.folder / "said")
        try:
            yield started
        finally:
            started.kill()
            started.wait()

    def run(self, *command: str, spawned: bool = False) -> int:
        """Run a command to its end, in a process of its own or in this one."""
        if not spawned:
            return self.tool(*command).exit_code
        process = self.tool.spawn(*command)
        out, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode in {0, 1}, out + err
        return process.returncode

    # looking

    def picture(self) -> Picture:
        items = [item for _, kind in SHEETS for item in self.plex.items(kind)]
        with self.reading() as db:
            shadow = {(k, key): v for k, key, v in db("SELECT kind, key, value FROM shadow")}
            excluded = frozenset(db("SELECT kind, key FROM excluded"))
        return Picture(
            {item["key"]: item["userRating"] for item in items if item["userRating"] is not None},
            {
                item["key"]: (
                    tuple(sorted(item["tags"].get("mood", ()))),
                    tuple(item["locks"]),
                    item["originallyAvailableAt"] or f"{item['year']:04d}-01-01",
                )
                for item in items
            },
            shadow,
            excluded,
        )

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """A function that asks the state file, which is not changed by it."""
        db = sqlite3.connect(f"file:{self.tool.state}?mode=ro", uri=True)
        try:
            yield lambda sql, *values: db.execute(sql, values).fetchall()
        finally:
            db.close()

    def written(self) -> Counter[tuple[int, str]]:
        """How often each field of each item was changed by what was sent."""
        return Counter((w.key, w.field) for w in self.plex.writes)

    def last_run(self) -> dict[str, Any]:
        result = self.tool("history", "--json")
        assert result.exit_code == 0, result.output
        newest: dict[str, Any] = result.json["runs"][0]
        return newest

    def open_run(self) -> int | None:
        with self.reading() as db:
            found = db("SELECT id FROM run WHERE status = 'open'")
        return found[0][0] if found else None

    # what must hold

    def check_finished(self) -> None:
        """After all, everything is as if nothing had happened, and written once."""
        self._check_picture(self.end)
        assert self.written() == self.effects, self._told(self.effects)
        self._check_state()
        run = self.last_run()
        assert (run["status"], run["counts"]) == ("done", self.counts)

    def check_taken_back(self) -> None:
        """Nothing is left of the run, and nothing was written more than there and back."""
        self._check_picture(self.start)
        assert set(self.written().values()) <= {2}
        self._check_state()
        back = self.last_run()
        assert back["status"] == "done"
        assert back["counts"].get("held", 0) == back["counts"].get("failed", 0) == 0, back

    def _check_picture(self, wanted: Picture) -> None:
        differ = self.picture().unlike(wanted)
        assert not differ, f"killed at {self.point}: {differ}"

    def _told(self, wanted: Counter[tuple[int, str]]) -> str:
        written = self.written()
        differ = {k: n for k, n in written.items() if n != wanted[k]}
        return f"killed at {self.point}: not once: {differ}; never: {wanted - written}"

    def _check_state(self) -> None:
        """The state is sound, no row in doubt, and knows every rating of ours as Plex has it."""
        with self.reading() as db:
            assert db("PRAGMA integrity_check") == [("ok",)]
            assert db("SELECT count(*) FROM run WHERE status = 'open'") == [(0,)]
            assert not db("SELECT 1 FROM journal WHERE status IN ('planned', 'sent', 'applied')")
            shadow = db("SELECT key, value, last_rated_at FROM shadow")
        for key, value, rated_at in shadow:
            rating, at = self.plex.store.rating(self.plex.find(key))
            assert (rating, at) == (value, rated_at), f"{key} would look like the person's"


class Process:
    """A process that can be killed."""

    def kill(self) -> None:
        raise NotImplementedError

    def wait(self) -> None:
        raise NotImplementedError

    @property
    def ended(self) -> bool:
        raise NotImplementedError


class Spawned(Process):
    """``python -m plexsheet``, as a person starts it."""

    def __init__(self, tool: Tool, command: Sequence[str]) -> None:
        self.process = tool.spawn(*command)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)

    def wait(self) -> None:
        self.process.communicate(timeout=PATIENCE_S)

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None


class Forked(Process):
    """The same command in a process forked from one that has imported plexsheet."""

    def __init__(self, words: Sequence[str], said: Path) -> None:
        self.process = _fork.Process(target=_command, args=([*words], str(said)))
        self.process.start()

    def kill(self) -> None:
        if self.process.is_alive() and self.process.pid:
            os.kill(self.process.pid, signal.SIGKILL)

    def wait(self) -> None:
        self.process.join(PATIENCE_S)
        assert self.process.exitcode is not None

    @property
    def ended(self) -> bool:
        return not self.process.is_alive()


def _command(words: list[str], said: str) -> None:
    from plexsheet.cli import run

    with (
        Path(said).open("w", encoding="utf-8") as file,
        contextlib.redirect_stdout(file),
        contextlib.redirect_stderr(file),
    ):
        run(words)


# Scenes


def importing() -> Scene:
    """400 edits of every sort in a library of which much was inferred before."""
    scene = Scene(900, ["import", "music.xlsx", "--yes", "--json"], CHANGE_BUDGET={"SHARE": 1})
    tool, plex = scene.tool, scene.plex
    scene.command[1] = str(tool.workbook)
    tool.export()
    tool.infer()
    tool.export()
    dice = random.Random(4)
    theirs = [row for row in _rows(plex) if row[1] not in _shadow_keys(scene)]
    rated = [row for row in theirs if plex.rating(row[1]) is not None]
    cleared = [(sheet, str(key), "Action", "CLEAR") for sheet, key in dice.sample(rated, 10)]
    off = {key for _, key, _, _ in cleared}
    rest = [row for row in _rows(plex) if str(row[1]) not in off]
    dice.shuffle(rest)
    stars = [(s, str(key), "My rating", dice.randint(2, 10) / 2) for s, key in rest[:370]]
    barred = [(s, str(key), "Action", "EXCLUDE") for s, key in rest[370:380]]
    accepted = [
        (s, str(key), "Action", "ACCEPT")
        for s, key in rest[380:]
        if plex.rating(key) is None or key in _shadow_keys(scene)
    ][:10]
    albums = enumerate(plex.items("album")[:15])
    dates = [("Albums", str(item["key"]), "Year", f"{1980 + n}-02-03") for n, item in albums]
    edits = [*cleared, *stars, *barred, *accepted, *dates]
    set_cells(tool.workbook, edits)
    scene.keep()
    assert sum(scene.counts.values()) >= 400
    for _, key, _, value in stars:
        assert scene.end.ratings[int(key)] == 2 * value
    return scene


def inferring() -> Scene:
    """The first inference in a library: 3,000 changes."""
    scene = Scene(3700, ["infer", "--yes", "--json"], ROUNDING=0.5)
    scene.tool.export()
    scene.keep()
    assert sum(scene.counts.values()) >= 3000
    assert scene.start.ratings.items() <= scene.end.ratings.items()  # theirs, all of them
    return scene


def _rows(plex: DemoPlex) -> list[tuple[str, int]]:
    return [(sheet, item["key"]) for sheet, kind in SHEETS for item in plex.items(kind)]


def _shadow_keys(scene: Scene) -> set[int]:
    with scene.reading() as db:
        return {key for (key,) in db("SELECT key FROM shadow")}
