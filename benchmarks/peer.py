"""A first full cycle here, beside what plex-rating-utils was measured to take.

    make bench-peer

The demo server takes what a home server was seen to take: 7 ms for a read, 60 ms for a
rating, 55 ms for a batch edit and 1 ms for each of its items.  A cycle reads the library,
infers, writes every inferred rating with its tag, and reads before and after writing.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.plex import REAL_MS, serving, write_config

TRACKS = 7_500
# Measured with these latencies and this library size.
KNOWN_REQUESTS, KNOWN_S = 45_104, 1_050.0
LONGEST_S = 3_600


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name, serving(TRACKS, **REAL_MS) as plex:
        config = write_config(Path(name), plex)
        command = [sys.executable, "-m", "plexsheet", "--config", str(config), "infer", "--yes"]
        plex.reset()
        began = time.monotonic()
        subprocess.run(command, cwd=name, check=True, capture_output=True, timeout=LONGEST_S)
        seconds = time.monotonic() - began
        requests, written = plex.requests(), plex.writes()
    print(f"plexsheet          {requests:7,} requests {seconds:9.1f} s, {written:,} values written")
    print(f"plex-rating-utils  {KNOWN_REQUESTS:7,} requests {KNOWN_S:9.1f} s (measured before)")
    fewer, faster = KNOWN_REQUESTS / requests, KNOWN_S / seconds
    print(f"{fewer:.0f} times fewer requests, {faster:.1f} times as fast.")


if __name__ == "__main__":
    main()
