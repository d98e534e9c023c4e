"""A first full cycle here and in plex-rating-utils, on the same server.

    make bench-peer PEER=/path/to/plex-rating-utils
    python -m benchmarks.peer [PATH]

The demo server takes what a home server was seen to take: 7 ms for a read, 60 ms for a
rating, 55 ms for a batch edit and 1 ms for each of its items.  A cycle reads the library,
infers, writes every inferred rating with its tag and, here, reads before and after writing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.plex import REAL_MS, Plex, serving, write_config

TRACKS = 7_500
# Measured with these latencies and this library size.
KNOWN_REQUESTS, KNOWN_S = 45_104, 1_050.0
SCRIPT = "plex_rating_utils.py"
EVERYTHING, EXIT = "0", "X"  # what is typed into its menu
LONGEST_S = 3_600


@dataclass(frozen=True)
class Cycle:
    """One full cycle."""

    requests: int
    seconds: float
    written: int


def ours(plex: Plex, folder: Path, tag: str) -> Cycle:
    """Ours, as a person runs it."""
    config = write_config(folder, plex, INFERRED_TAG=tag)
    command = [sys.executable, "-m", "plexsheet", "--config", str(config), "infer", "--yes"]
    return _measured(plex, [*command, "--json"], folder)


def peers(plex: Plex, folder: Path, tag: str, copy: Path) -> Cycle:
    """Theirs: its script in a copy of its folder, everything chosen in its menu."""
    work = folder / "peer"
    shutil.copytree(copy, work, ignore=shutil.ignore_patterns(".git", "*.log", "plex_state.json"))
    scripts = sorted(work.glob("*.py"))
    script = work / SCRIPT if (work / SCRIPT).exists() else next(iter(scripts), None)
    if script is None:
        raise FileNotFoundError(f"There is no script in {copy}.")
    given = work / "config.json"
    settings = json.loads(given.read_text()) if given.exists() else {}
    settings |= {
        "PLEX_URL": plex.url,
        "PLEX_TOKEN": plex.token,
        "LIBRARY_NAME": "Music",
        "INFERRED_TAG": tag,
        "DRY_RUN": False,
    }
    given.write_text(json.dumps(settings))
    return _measured(plex, [sys.executable, script.name], work, f"{EVERYTHING}\n{EXIT}\n")


def _measured(plex: Plex, command: Sequence[str], folder: Path, typed: str = "") -> Cycle:
    plex.reset()
    began = time.monotonic()
    done = subprocess.run(
        command,
        cwd=folder,
        input=typed,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    seconds = time.monotonic() - began
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}"
        )
    return Cycle(plex.requests(), seconds, plex.writes())


def cycle(copy: Path | None, tracks: int, tag: str) -> Cycle:
    """One cycle on a server of its own."""
    with tempfile.TemporaryDirectory() as name, serving(tracks, **REAL_MS) as plex:
        folder = Path(name)
        return ours(plex, folder, tag) if copy is None else peers(plex, folder, tag, copy)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peer",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("copy", nargs="?", type=Path, help="folder of plex-rating-utils")
    parser.add_argument("--tracks", type=int, default=TRACKS)
    parser.add_argument("--tag", default="Inferred", help="INFERRED_TAG of both")
    given = parser.parse_args(arguments)
    if given.copy is not None and not given.copy.is_dir():
        parser.error(f"there is no folder {given.copy}")
    here = cycle(None, given.tracks, given.tag)
    _tell("plexsheet", here)
    if given.copy is None:
        print(
            "No copy of plex-rating-utils was given (PEER=path), so the comparison is with what "
            f"it was measured to take for {TRACKS:,} tracks."
        )
        there = Cycle(KNOWN_REQUESTS, KNOWN_S, 0)
    else:
        there = cycle(given.copy, given.tracks, given.tag)
    _tell("plex-rating-utils", there)
    print(
        f"{there.requests / here.requests:.0f} times fewer requests, "
        f"{there.seconds / here.seconds:.1f} times as fast."
    )


def _tell(name: str, done: Cycle) -> None:
    written = f", {done.written:,} values written" if done.written else ""
    print(f"{name:18} {done.requests:7,} requests {done.seconds:9.1f} s{written}", flush=True)


if __name__ == "__main__":
    main()
