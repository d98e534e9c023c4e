"""The demo server in a process of its own, so that its work does not count as ours."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import REPO

# What a home server was seen to take: a read, a rating by itself, a batch edit, each of its items.
REAL_MS = {"read_ms": 7, "rate_ms": 60, "edit_ms": 55, "edit_item_ms": 1}


@dataclass(frozen=True)
class Plex:
    """A demo server that runs somewhere."""

    url: str
    token: str

    def get(self, path: str) -> Any:
        """What a ``/demo/`` path answers."""
        return self._ask(path, None)

    def post(self, path: str, **given: Any) -> Any:
        """The same for a path that steers."""
        return self._ask(path, json.dumps(given).encode())

    def requests(self) -> int:
        """Requests since the last ``reset``."""
        return int(self.get("stats")["total"])

    def writes(self) -> int:
        """Values that changed since the last ``reset``."""
        return int(self.get("stats")["writes"])

    def reset(self) -> None:
        """Forget the counts."""
        self.post("reset")

    def _ask(self, path: str, body: bytes | None) -> Any:
        headers = {"X-Plex-Token": self.token}
        request = urllib.request.Request(f"{self.url}/demo/{path}", body, headers)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)


@contextmanager
def serving(tracks: int, *, seed: int = 0, **faults: float) -> Iterator[Plex]:
    """A generated library of so many tracks, served until the block ends."""
    command = [sys.executable, "-m", "tests.plex.server"]
    command += ["--tracks", str(tracks), "--seed", str(seed)]
    for name, value in faults.items():
        command += ["--fault", f"{name}={value}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPO)
    assert process.stdout is not None
    try:
        url, _, token = process.stdout.readline().strip().partition(" token=")
        if not token:
            raise RuntimeError("the demo server did not start")
        yield Plex(url, token)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def write_config(folder: Path, plex: Plex, **settings: Any) -> Path:
    """A config.json for a library on that server; its state is beside it."""
    path = folder / "config.json"
    values = {
        "PLEX_URL": plex.url,
        "PLEX_TOKEN": plex.token,
        "LIBRARY_NAME": "Music",
        "MODEL": "learned",
        "COOLDOWN_SLEEP": 0,
    }
    path.write_text(json.dumps(values | settings), encoding="utf-8")
    path.chmod(0o600)
    return path
