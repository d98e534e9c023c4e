"""What watching costs while nothing happens, and how long a save takes to reach Plex.

python -m benchmarks.watch [--quick]
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.driver import Tool, set_cells
from tests.plex.server import DemoPlex
from tests.watching import Watching, replace_file, until, watching

FILES = 1000
IDLE_SHARE, IDLE_MB = 0.005, 150
ROWS, SETTLE_S, AFTER_S = 10_000, 2.0, 3.0


def idle(folder: Path, seconds: float, *options: str) -> tuple[float, float]:
    """Share of a core and megabytes of a watcher with ``FILES`` workbooks and nothing to do."""
    with DemoPlex(tracks=300) as plex:
        tool = Tool(folder, plex)
        content = tool.export().read_bytes()
        root = folder / "workbooks"
        fill(root, content)
        with watching(tool, root, *options) as watcher:
            watcher.wait_for("nothing")
            until(lambda: not tree(watcher)[1:], what="the worker has ended")
            time.sleep(1)
            before, began = cpu_s(watcher), time.monotonic()
            time.sleep(seconds)
            share = (cpu_s(watcher) - before) / (time.monotonic() - began)
            return share, memory_mb(watcher)


def fill(root: Path, content: bytes) -> None:
    """Results of long ago, and copies of one workbook in a folder of the person's own."""
    for place, count in (("results", FILES // 2), ("lists", FILES - FILES // 2)):
        (root / place).mkdir(parents=True)
        for number in range(count):
            path = root / place / f"{number}.xlsx"
            path.write_bytes(content)
            if place == "results":
                os.utime(path, (1_700_000_000, 1_700_000_000))


def tree(watcher: Watching) -> list[psutil.Process]:
    """The watcher's process, then its children."""
    assert watcher.process is not None
    process = psutil.Process(watcher.process.pid)
    return [process, *process.children(recursive=True)]


def cpu_s(watcher: Watching) -> float:
    """Processor time so far, that of children that ended included."""
    return sum(sum(process.cpu_times()[:4]) for process in tree(watcher)[:1])


def memory_mb(watcher: Watching) -> float:
    """Resident memory of all its processes."""
    return sum(process.memory_info().rss for process in tree(watcher)) / 2**20


def save_to_rating(folder: Path, saves: int) -> list[float]:
    """Seconds from the moment a workbook with one more edit is there to its rating in Plex."""
    with DemoPlex(tracks=ROWS) as plex:
        tool = Tool(folder, plex, WATCH={"SETTLE_SEC": SETTLE_S})
        tool.workbook = folder / "workbooks" / "music.xlsx"
        tool.workbook.parent.mkdir(parents=True)
        tool.export()
        rated = plex.ratings("track")
        keys = [item["key"] for item in plex.items("track") if item["key"] not in rated][:saves]
        draft, took = folder / "draft.xlsx", []
        shutil.copyfile(tool.workbook, draft)
        with watching(tool, tool.workbook.parent, "--auto-apply") as watcher:
            watcher.wait_for("nothing")
            for key in keys:
                set_cells(draft, [("Tracks", str(key), "My rating", 4)])
                content = draft.read_bytes()
                replace_file(tool.workbook, content)
                began = time.monotonic()
                until(lambda key=key: plex.rating(key) == 8.0)  # type: ignore[misc]
                took.append(time.monotonic() - began)
                watcher.wait_for("applied")
    return took


def main(quick: bool) -> None:
    """Print both, beside what they are to be."""
    with tempfile.TemporaryDirectory() as place:
        for name, options in (("events", ()), ("polling", ("--polling",))):
            folder = Path(place) / name
            folder.mkdir()
            share, memory = idle(folder, 10 if quick else 60, *options)
            print(
                f"idle, {FILES:,} files, {name:8} {share:7.2%} of a core (target {IDLE_SHARE:.1%})"
                f"  {memory:4.0f} MB (target {IDLE_MB})"
            )
        folder = Path(place) / "saves"
        folder.mkdir()
        took = save_to_rating(folder, 3 if quick else 11)
        median = statistics.median(took)
        print(
            f"save to rating, {ROWS:,} rows   median {median:.2f} s, of which {SETTLE_S:g} s wait "
            f"for the file to settle (target {SETTLE_S + AFTER_S:g} s)"
            f"  worst {max(took):.2f} s"
        )


if __name__ == "__main__":
    main("--quick" in sys.argv)
