"""How long a first cycle takes beside what the server itself spends writing.

    python -m benchmarks.pace [--tracks 7500]

The server takes what a home server was seen to take.  The second time it tires: each write
makes its answers slower, and only idle time takes that off; then it is given its rest.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.plex import REAL_MS, serving, write_config

TIRES_MS = 400


def cycle(tracks: int, **faults: float) -> str:
    """One first cycle on a new server, as a row of the table."""
    with tempfile.TemporaryDirectory() as name, serving(tracks, **REAL_MS, **faults) as plex:
        config = write_config(Path(name), plex)
        plex.reset()
        began = time.monotonic()
        command = [sys.executable, "-m", "plexsheet", "--verbose", "--config", str(config)]
        done = subprocess.run(
            [*command, "infer", "--yes", "--json"],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        seconds = time.monotonic() - began
        wrote_s = plex.get("stats")["wrote_ms"] / 1000
        requests = plex.requests()
    rests = [float(found) for found in re.findall(r"resting for ([\d.]+) s", done.stderr)]
    written = json.loads(done.stdout)["counts"]["written"]
    return (
        f"{seconds:8.1f} {wrote_s:8.1f} {seconds / wrote_s:6.2f} {sum(rests):8.1f} "
        f"{len(rests):6} {requests:9} {written:9,}"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pace", description=__doc__)
    parser.add_argument("--tracks", type=int, default=7_500)
    tracks = parser.parse_args(arguments).tracks
    print("server       seconds   writes  ratio  rests s  rests  requests   written")
    print(f"as before {cycle(tracks)}", flush=True)
    print(f"tiring    {cycle(tracks, tires_ms=TIRES_MS)}", flush=True)


if __name__ == "__main__":
    main()
