"""``plexsheet demo``: the first thing a newcomer runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from plexsheet.cli.demo import EDITS, LEAST_TRACKS
from tests.driver import plexsheet
from tests.plex.server import DemoPlex

COMMAND = [sys.executable, "-m", "plexsheet", "demo"]


@pytest.mark.slow
@pytest.mark.parametrize("tracks", [LEAST_TRACKS, 300])
def test_the_tour_shows_every_edited_row_before_and_after(tmp_path: Path, tracks: int) -> None:
    done = subprocess.run(
        [*COMMAND, "--tracks", str(tracks)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        stdin=subprocess.DEVNULL,
        env=os.environ | {"COLUMNS": "160"},
    )

    assert done.returncode == 0, done.stdout + done.stderr
    shown = done.stdout[done.stdout.index("These rows in Plex") :]
    rows = [line for line in shown.splitlines() if "My rating: " in line or "Action: " in line]
    assert len(rows) == len(EDITS)
    assert "E11 7 is more than 5 stars" in done.stdout
    assert "E10 'gut' is not a rating" in done.stdout
    assert not list(tmp_path.iterdir()), "the tour leaves nothing behind"


def test_a_served_demo_can_be_played_with_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    demo = subprocess.Popen(
        [*COMMAND, "--serve", "--tracks", "120", "--folder", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert demo.stdout is not None
        told = []
        for line in demo.stdout:
            told.append(line)
            if "Ctrl-C" in line:
                break
        words = [sys.executable, "-m", "plexsheet", "--config", str(tmp_path / "config.json")]
        report = subprocess.run(
            [*words, "report", "coverage", "--json"], capture_output=True, text=True, check=True
        )
        books = list(tmp_path.rglob("*.xlsx"))
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=60)
    finally:
        demo.kill()

    assert json.loads(report.stdout)["error"] is None
    assert len(books) == 1, told
    assert demo.returncode == 0


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with DemoPlex(tracks=5) as plex:
        port = plex.url.rpartition(":")[2]

        refused = plexsheet("demo", "--serve", "--folder", tmp_path, "--port", port)

    assert refused.exit_code == 2
    assert f"cannot use port {port}: Address already in use. Leave --port out" in refused.words


@pytest.mark.parametrize(
    "words",
    [
        ("demo", "--port", 80_000),
        ("demo", "--port", -1),
        ("demo", "--tracks", 0),
        ("demo", "--tracks", 30),
        ("verify", "--top", 0),
        ("diff", "a.xlsx", "b.xlsx", "--top", -3),
        ("report", "coverage", "--top", 0),
        ("history", "--top", 0),
    ],
)
def test_a_number_out_of_range_is_refused_with_the_range(words: tuple[object, ...]) -> None:
    refused = plexsheet(*words)

    assert refused.exit_code == 2
    assert "is not in the range" in refused.words
    assert "Traceback" not in refused.output
